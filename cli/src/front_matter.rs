//! Front matter: what a Markdown file says of its page, in YAML between two lines of three hyphens.

use std::fmt;

use chrono::DateTime;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The line before and after the YAML.
const FENCE: &str = "---";

/// What a file says of its page; what it does not say is left to the wiki.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FrontMatter {
    /// The page's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its name in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Its tags; an empty list means none, which is not the same as saying nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Who created it: a username, or the name of a user without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was created, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Keys that mean nothing here.
    #[serde(skip)]
    pub unknown: Vec<String>,
}

/// A file: its front matter, and the page's content byte for byte.
#[derive(Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// What it says of its page.
    pub front: FrontMatter,
    /// What comes after the front matter.
    pub content: &'a str,
}

/// Why a file's front matter cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl<'a> Document<'a> {
    /// Reads a file. One that does not begin with a line of three hyphens is all content.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        // Some editors put a byte order mark first. Before front matter it is no part of the content.
        let marked = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Some(first) = marked.split_inclusive('\n').next().filter(|line| is_fence(line)) else {
            return Ok(Self { front: FrontMatter::default(), content: text });
        };
        let rest = &marked[first.len()..];
        let mut at = 0;
        for line in rest.split_inclusive('\n') {
            if is_fence(line) {
                let front = read(&rest[..at])?;
                return Ok(Self { front, content: &rest[at + line.len()..] });
            }
            at += line.len();
        }
        let message = "the front matter that begins here has no line --- at its end. If the file begins with a \
                       rule, put front matter before it, which may be empty";
        Err(Invalid { line: 1, message: message.to_owned() })
    }
}

/// The file whose front matter is `front` and whose content is `content`.
pub fn write(front: &FrontMatter, content: &str) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let yaml = serde_saphyr::to_string_with_options(front, options)?;
    Ok(format!("{FENCE}\n{yaml}{}{FENCE}\n{content}", if yaml.ends_with('\n') { "" } else { "\n" }))
}

fn is_fence(line: &str) -> bool {
    line.strip_prefix(FENCE).is_some_and(|rest| rest.trim().is_empty())
}

fn read(yaml: &str) -> Result<FrontMatter, Invalid> {
    // Only comments and blank lines: nothing is said.
    if yaml.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(FrontMatter::default());
    }
    serde_saphyr::from_str_with_options(yaml, serde_saphyr::options! { with_snippet: false }).map_err(|error| {
        // What is wrong with all of it has no place of its own. The line of the fence comes before the YAML.
        let line = error.location().map_or(1, |location| location.line().max(1));
        Invalid { line: usize::try_from(line).unwrap_or(1) + 1, message: message(&error) }
    })
}

/// What is wrong, without where: the file's line is said beside it.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    text.split(" at line ").next().unwrap_or(text).trim_start_matches("error: ").to_owned()
}

impl<'de> Deserialize<'de> for FrontMatter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_map`: what is no map is then told in the words below.
        deserializer.deserialize_any(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = FrontMatter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and values, as in `title: My page`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FrontMatter, A::Error> {
        let mut front = FrontMatter::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // A block (`title: >`) ends in a line break that nobody meant.
                "title" => {
                    front.title = map.next_value::<Option<String>>()?.map(|it| it.trim_end_matches('\n').to_owned())
                }
                "slug" => front.slug = map.next_value()?,
                "tags" => front.tags = map.next_value::<Option<Tags>>()?.map(|Tags(tags)| tags),
                "author" => front.author = map.next_value()?,
                "time" => front.time = map.next_value::<Option<Time>>()?.map(|Time(time)| time),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    front.unknown.push(key);
                }
            }
        }
        Ok(front)
    }
}

/// A list of tags, or one text with commas between them, as many programs write it: no tag contains one.
struct Tags(Vec<String>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tags, as in `tags: [one, two]`")
            }

            fn visit_str<E>(self, text: &str) -> Result<Tags, E> {
                Ok(Tags(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Tags, E> {
                Ok(Tags(vec![number.to_string()]))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Tags, E> {
                Ok(Tags(vec![number.to_string()]))
            }

            fn visit_unit<E>(self) -> Result<Tags, E> {
                Ok(Tags(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tags, A::Error> {
                let mut tags = Vec::new();
                while let Some(tag) = items.next_element()? {
                    tags.push(tag);
                }
                Ok(Tags(tags))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A time as RFC 3339 writes it.
struct Time(String);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match DateTime::parse_from_rfc3339(&text) {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(D::Error::custom(format!(
                "time: {text:?} is not a time as RFC 3339 writes it, as in 2026-05-01T12:00:00Z"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn front(yaml: &str) -> FrontMatter {
        Document::parse(&format!("---\n{yaml}\n---\n")).unwrap_or_else(|e| panic!("{yaml}: {e:?}")).front
    }

    fn invalid(text: &str) -> Invalid {
        Document::parse(text).map(|it| panic!("{text:?} is {it:?}")).unwrap_err()
    }

    #[test]
    fn every_key_is_read() {
        let text = "---\ntitle: 'A: \"b\"'\nslug: a-b\ntags: [One, two words]\nauthor: ada\n\
                    time: 2026-05-01T12:00:00+02:00\nlayout: {deep: [1, 2]}\n---\n# Text\n";
        let document = Document::parse(text).unwrap();
        assert_eq!(document.content, "# Text\n");
        assert_eq!(
            document.front,
            FrontMatter {
                title: Some("A: \"b\"".into()),
                slug: Some("a-b".into()),
                tags: Some(vec!["One".into(), "two words".into()]),
                author: Some("ada".into()),
                time: Some("2026-05-01T12:00:00+02:00".into()),
                unknown: vec!["layout".into()],
            }
        );
    }

    #[test]
    fn a_file_without_front_matter_is_all_content() {
        for text in ["", "# Title\n", "--- \ttext", "----\n", " ---\n---\n", "text\n---\na: b\n---\n", "\u{feff}text"] {
            let document = Document::parse(text).unwrap();
            assert_eq!((document.content, document.front), (text, FrontMatter::default()), "{text:?}");
        }
    }

    #[test]
    fn the_content_begins_right_after_the_second_fence() {
        for (text, content) in [
            ("---\n---\n", ""),
            ("---\n---", ""),
            ("---\n# nothing\n\n---\n\n\ntext", "\n\ntext"),
            ("---\r\ntitle: x\r\n---\r\n\r\ntext\r\n", "\r\ntext\r\n"),
            ("---  \ntitle: x\n--- \ntext", "text"),
            ("\u{feff}---\ntitle: x\n---\ntext", "text"),
            ("---\ntitle: x\n---\n---\nfenced: content\n---\n", "---\nfenced: content\n---\n"),
        ] {
            assert_eq!(Document::parse(text).unwrap().content, content, "{text:?}");
        }
    }

    #[test]
    fn plain_scalars_are_texts_where_texts_are_meant() {
        assert_eq!(front("title: 2026").title.as_deref(), Some("2026"));
        assert_eq!(front("title: yes").title.as_deref(), Some("yes"));
        assert_eq!(front("title: 1_000").title.as_deref(), Some("1_000"));
        assert_eq!(front("title:").title, None);
        assert_eq!(front("tags: [2026, true, x]").tags.unwrap(), ["2026", "true", "x"]);
        assert_eq!(front("tags: one, two words,").tags.unwrap(), ["one", "two words"]);
        assert_eq!(front("tags: 2026").tags.unwrap(), ["2026"]);
        assert_eq!(front("tags: []").tags, Some(Vec::new()));
        assert_eq!(front("tags:").tags, None);
        assert_eq!(front("title: >\n  folded\n  text").title.as_deref(), Some("folded text"));
    }

    #[test]
    fn what_cannot_be_read_is_found_in_its_line() {
        for (text, line, word) in [
            ("---\ntitle: x\n", 1, "---"),
            ("---\ntitle: x\ntime: yesterday\n---\n", 3, "RFC 3339"),
            ("---\ntime: 2026-05-01\n---\n", 2, "RFC 3339"),
            ("---\n# note\ntitle: [a, b]\n---\n", 3, ""),
            ("---\ntitle: x\ntags: {a: b}\n---\n", 3, "tags"),
            // Where it turns out that nothing closes the quotation marks.
            ("---\ntitle: \"x\n---\n", 3, ""),
            ("---\ntitle: x\ntitle: y\n---\n", 3, "title"),
            ("---\njust words\n---\n", 2, "keys and values"),
            ("---\n- a\n- b\n---\n", 2, "keys and values"),
            ("---\na: b\n  c: d\n---\n", 3, ""),
            ("---\na: *b\n---\n", 2, ""),
        ] {
            let found = invalid(text);
            assert_eq!(found.line, line, "{text:?}: {found:?}");
            assert!(found.message.contains(word) && !found.message.contains('\n'), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                    c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                    e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                    tags: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n---\n";
        assert!(Document::parse(bomb).is_err());
    }

    /// Texts as titles and tags are, and harder ones: all characters but control characters.
    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{1,60}",
            "[ \\-:#'\"{}\\[\\],&*!|>%@`~?\\\\=]{1,12}",
            prop::sample::select(vec![
                "null",
                "~",
                "true",
                "No",
                "1e3",
                "0x10",
                "1_000",
                ".inf",
                "2026-05-01",
                "---",
                "...",
                "- x",
                "a: b",
                "a #b",
                "'",
                "\"",
                "|",
                ">",
                "%TAG",
                "🎉 é",
                "\u{2028}",
                "\u{feff}",
                " x ",
                "\u{a0}",
                "<<",
                "=",
                "12:30:45",
                "!x",
            ])
            .prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_written_is_read_back(
            title in prop::option::of(line()), slug in prop::option::of(line()), author in prop::option::of(line()),
            tags in prop::option::of(prop::collection::vec(line(), 0..4)),
            content in prop_oneof![any::<String>(), "(---|\r\n|\n|\r|a: b| |\u{feff}){0,12}"],
        ) {
            let time = Some("2026-05-01T12:00:00.123456Z".to_owned());
            let front = FrontMatter { title, slug, tags, author, time, unknown: Vec::new() };
            let text = write(&front, &content).unwrap();
            let document = Document::parse(&text);
            prop_assert_eq!(document, Ok(Document { front, content: &content }), "{}", text);
        }

        #[test]
        fn reading_never_panics(text in "(---\n|[a-z]: |\\PC{0,10}|\n|\\[|\\{|\"|&a|\\*a){0,20}") {
            _ = Document::parse(&format!("---\n{text}\n---\n"));
        }
    }
}
