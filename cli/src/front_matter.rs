//! Front matter: what a Markdown file says of its page, in YAML between two lines of three hyphens.

use std::cell::Cell;
use std::fmt;

use chrono::DateTime;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::{Error, Spanned, UserMessageFormatter};

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

/// The lines of the file, from 1, in which values begin; of those that are not given any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// That of the title.
    pub title: usize,
    /// That of the slug.
    pub slug: usize,
    /// That of the tags.
    pub tags: usize,
    /// That of the author.
    pub author: usize,
    /// That of the time.
    pub time: usize,
}

/// A file: its front matter, and the page's content byte for byte.
#[derive(Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// What it says of its page.
    pub front: FrontMatter,
    /// Where.
    pub lines: Lines,
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
            return Ok(Self { front: FrontMatter::default(), lines: Lines::default(), content: text });
        };
        let rest = &marked[first.len()..];
        let mut at = 0;
        for line in rest.split_inclusive('\n') {
            if is_fence(line) {
                let (front, lines) = read(&rest[..at])?;
                return Ok(Self { front, lines, content: &rest[at + line.len()..] });
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

fn read(yaml: &str) -> Result<(FrontMatter, Lines), Invalid> {
    // Only comments and blank lines: nothing is said.
    if yaml.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(<(FrontMatter, Lines)>::default());
    }
    // A list cannot be told from a map by its type alone: which key is being read is kept beside it.
    let key = Cell::new(None);
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::with_deserializer_from_str_with_options(yaml, options, |deserializer| {
        // Not `deserialize_map`: what is no map is then told in the words below.
        deserializer.deserialize_any(Keys { key: &key })
    })
    .map_err(|error| {
        // What is wrong with all of it has no place of its own. The line of the fence comes before the YAML.
        let line = error.location().map_or(1, |location| location.line().max(1));
        Invalid { line: usize::try_from(line).unwrap_or(1) + 1, message: message(&error, key.get()) }
    })
}

/// What is wrong, in words of front matter and without where: the file's line is said beside it. `key` is the one whose
/// value was read last.
fn message(error: &Error, key: Option<Key>) -> String {
    match error.without_snippet() {
        Error::AliasError { error, .. } => message(error, key),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` stands twice"),
        Error::DuplicateMappingKey { .. } => "a key stands twice".to_owned(),
        Error::UnknownAnchor { .. } => format!("{INVALID}: no `&` gives what `*` stands for here"),
        // Of a value, in the words of its own reader.
        Error::Message { msg, .. } if key == Some(Key::Time) => msg.clone(),
        // Another kind of value than is meant.
        Error::Unexpected { .. }
        | Error::Message { .. }
        | Error::NullIntoString { .. }
        | Error::SerdeInvalidType { .. }
        | Error::SerdeInvalidValue { .. }
        | Error::TaggedScalarCannotDeserializeIntoString { .. }
        | Error::InvalidBinaryBase64 { .. }
        | Error::BinaryNotUtf8 { .. } => match key {
            Some(Key::Title) => "title: must be one text".to_owned(),
            Some(Key::Slug) => "slug: must be one text".to_owned(),
            Some(Key::Author) => "author: must be one text".to_owned(),
            Some(Key::Tags) => "tags: must be texts, as in `tags: [one, two]`".to_owned(),
            Some(Key::Time) => "time: must be one text, as in `time: 2026-05-01T12:00:00Z`".to_owned(),
            None => "the front matter must be keys and values, as in `title: My page`".to_owned(),
        },
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "the front matter is too large or too deep".to_owned(),
        other => {
            let text = other.render_with_formatter(&UserMessageFormatter);
            let text = text.lines().next().unwrap_or_default();
            let text = text.split(" at line ").next().unwrap_or(text).trim_start_matches("error: ");
            // What people mostly did where the parser says so.
            let text = match text {
                text if text.contains("quoted scalar") => "a quotation mark is not closed",
                text if text.contains("mapping values are not allowed") => {
                    "a text with a colon needs quotation marks, as in `title: \"One: two\"`; or a line is indented too far"
                }
                text => text,
            };
            format!("{INVALID}: {text}")
        }
    }
}

const INVALID: &str = "the front matter is not valid YAML";

/// A key that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Title,
    Slug,
    Tags,
    Author,
    Time,
}

/// Reads keys and values, and says which key it is at.
struct Keys<'a> {
    key: &'a Cell<Option<Key>>,
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = (FrontMatter, Lines);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut front, mut lines) = (FrontMatter::default(), Lines::default());
        loop {
            self.key.set(None);
            let Some(name) = map.next_key::<String>()? else { return Ok((front, lines)) };
            self.key.set(match name.as_str() {
                "title" => Some(Key::Title),
                "slug" => Some(Key::Slug),
                "tags" => Some(Key::Tags),
                "author" => Some(Key::Author),
                "time" => Some(Key::Time),
                _ => None,
            });
            match self.key.get() {
                // A block (`title: >`) ends in a line break that nobody meant.
                Some(Key::Title) => {
                    let (title, line) = placed(map.next_value::<Spanned<Option<String>>>()?);
                    (front.title, lines.title) = (title.map(|it| it.trim_end_matches('\n').to_owned()), line);
                }
                Some(Key::Slug) => (front.slug, lines.slug) = placed(map.next_value()?),
                Some(Key::Author) => (front.author, lines.author) = placed(map.next_value()?),
                Some(Key::Tags) => {
                    let (tags, line) = placed(map.next_value::<Spanned<Option<Tags>>>()?);
                    (front.tags, lines.tags) = (tags.map(|Tags(tags)| tags), line);
                }
                Some(Key::Time) => {
                    let (time, line) = placed(map.next_value::<Spanned<Option<Time>>>()?);
                    (front.time, lines.time) = (time.map(|Time(time)| time), line);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    front.unknown.push(name);
                }
            }
        }
    }
}

/// A value and its line in the file: the YAML begins in the second.
fn placed<T>(spanned: Spanned<T>) -> (T, usize) {
    let line = usize::try_from(spanned.referenced.line()).unwrap_or_default();
    (spanned.value, line + 1)
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
            ("---\n# note\ntitle: [a, b]\n---\n", 3, "title: must be one text"),
            ("---\ntitle: [a\n---\n", 2, "title: must be one text"),
            ("---\nslug: {a: b}\n---\n", 2, "slug: must be one text"),
            ("---\nauthor:\n- a\n---\n", 3, "author: must be one text"),
            ("---\nother: &all [a]\ntitle: *all\n---\n", 3, "title: must be one text"),
            ("---\ntitle: x\ntags: [1, true, null]\n---\n", 3, "tags: must be texts, as in"),
            ("---\ntags:\n- a\n- [b]\n---\n", 4, "tags: must be texts, as in"),
            ("---\ntags: true\n---\n", 2, "tags: must be texts, as in"),
            ("---\ntime: [2026-05-01T12:00:00Z]\n---\n", 2, "time: must be one text"),
            ("---\nother: [a\n---\n", 2, "the front matter is not valid YAML: "),
            ("---\nother: @a\n---\n", 2, "the front matter is not valid YAML: "),
            ("---\ntitle: x\ntags: {a: b}\n---\n", 3, "tags: must be texts"),
            // Where it turns out that nothing closes the quotation marks.
            ("---\ntitle: \"x\n---\n", 3, "not valid YAML: a quotation mark is not closed"),
            ("---\ntitle: x\ntitle: y\n---\n", 3, "`title` stands twice"),
            ("---\nother: x\nlast: z\nother: y\n---\n", 4, "`other` stands twice"),
            ("---\njust words\n---\n", 2, "keys and values"),
            ("---\n- a\n- b\n---\n", 2, "keys and values"),
            ("---\na: b\n  c: d\n---\n", 3, "the front matter is not valid YAML: "),
            ("---\nslug: x\ntitle: One: two\n---\n", 3, "a text with a colon needs quotation marks"),
            ("---\na: *b\n---\n", 2, "the front matter is not valid YAML: "),
            ("---\ntitle: *b\n---\n", 2, "the front matter is not valid YAML: "),
        ] {
            let found = invalid(text);
            assert_eq!(found.line, line, "{text:?}: {found:?}");
            assert!(found.message.contains(word) && !found.message.contains('\n'), "{text:?}: {found:?}");
            // Nobody who writes a file can do anything with these words.
            for foreign in ["deserialize", "Option", "DuplicateKeyPolicy", "scalar", "mapping", "event", "(defined"] {
                assert!(!found.message.contains(foreign), "{text:?}: {found:?}");
            }
        }
    }

    #[test]
    fn every_value_has_its_line() {
        let text = "---\n# note\ntitle: x\nother:\n  deep: 1\nslug: x\ntags:\n- a\nauthor: 'x'\n\ntime: 2026-05-01T12:00:00Z\n---\n";
        let lines = Document::parse(text).unwrap().lines;
        assert_eq!(lines, Lines { title: 3, slug: 6, tags: 8, author: 9, time: 11 });
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
            prop_assert_eq!(document.map(|it| (it.front, it.content)), Ok((front, &*content)), "{}", text);
        }

        #[test]
        fn reading_never_panics(text in "(---\n|[a-z]: |\\PC{0,10}|\n|\\[|\\{|\"|&a|\\*a){0,20}") {
            _ = Document::parse(&format!("---\n{text}\n---\n"));
        }
    }
}
