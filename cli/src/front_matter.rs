//! Front matter: the metadata of a page in its Markdown file, as YAML between two lines of three hyphens.

use std::cell::Cell;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::{Error, Spanned, UserMessageFormatter};

/// The line before and after the YAML.
const FENCE: &str = "---";

/// The metadata in a file. What is `None` is chosen by the wiki.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FrontMatter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// An empty list means no tags, unlike `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// A username, or the name of a user without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When the page was created, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The keys without a meaning here.
    #[serde(skip)]
    pub unknown: Vec<String>,
}

/// The lines of the file, from 1, in which values begin; meaningless for values that are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    pub title: usize,
    pub slug: usize,
    pub tags: usize,
    pub author: usize,
    pub time: usize,
}

/// A file in parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Document<'a> {
    pub front: FrontMatter,
    pub lines: Lines,
    /// Everything after the front matter, byte for byte.
    pub content: &'a str,
}

/// Why front matter cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The line of the file, from 1.
    pub line: usize,
    pub message: String,
}

impl<'a> Document<'a> {
    /// Parses a file. If it does not begin with a line of three hyphens, it is all content.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        // Some editors write a byte order mark. Before front matter it does not belong to the content.
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
        let message = "the front matter that begins here is not closed by a line ---. If the file should begin with a \
                       horizontal rule, put empty front matter before it: two lines ---";
        Err(Invalid { line: 1, message: message.to_owned() })
    }
}

/// Returns the text of a file with this front matter and content.
pub fn write(front: &FrontMatter, content: &str) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let yaml = serde_saphyr::to_string_with_options(front, options)?;
    Ok(format!("{FENCE}\n{yaml}{}{FENCE}\n{content}", if yaml.ends_with('\n') { "" } else { "\n" }))
}

fn is_fence(line: &str) -> bool {
    line.strip_prefix(FENCE).is_some_and(|rest| rest.trim().is_empty())
}

fn read(yaml: &str) -> Result<(FrontMatter, Lines), Invalid> {
    // YAML without any value is null, not an empty map.
    if yaml.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(<(FrontMatter, Lines)>::default());
    }
    // The errors of the YAML library do not name the key, so the visitor keeps it here.
    let key = Cell::new(None);
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::with_deserializer_from_str_with_options(yaml, options, |deserializer| {
        // Not `deserialize_map`, whose error for other values would not be one of those below.
        deserializer.deserialize_any(Keys { key: &key })
    })
    .map_err(|error| {
        // An error about the whole has no location. The YAML begins in the second line of the file.
        let line = error.location().map_or(1, |location| location.line().max(1));
        Invalid { line: usize::try_from(line).unwrap_or(1) + 1, message: message(&error, key.get()) }
    })
}

/// An error in words for the author of the file, without its line. `key` is the key whose value was read.
fn message(error: &Error, key: Option<&str>) -> String {
    match error.without_snippet() {
        Error::AliasError { error, .. } => message(error, key),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` occurs twice"),
        Error::DuplicateMappingKey { .. } => "a key occurs twice".to_owned(),
        Error::UnknownAnchor { .. } => format!("{INVALID}: a name after `*` is not defined with `&`"),
        // A value of another type.
        Error::Unexpected { .. }
        | Error::Message { .. }
        | Error::NullIntoString { .. }
        | Error::SerdeInvalidType { .. }
        | Error::SerdeInvalidValue { .. }
        | Error::TaggedScalarCannotDeserializeIntoString { .. }
        | Error::InvalidBinaryBase64 { .. }
        | Error::BinaryNotUtf8 { .. } => match key {
            Some("tags") => "tags: must be a list of texts, as in `tags: [one, two]`".to_owned(),
            Some("time") => "time: must be a text, as in `time: 2026-05-01T12:00:00Z`".to_owned(),
            Some(key) => format!("{key}: must be a text"),
            None => "the front matter must be keys and values, as in `title: My page`".to_owned(),
        },
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "the front matter is too large or too deeply nested".to_owned()
        }
        other => {
            let text = other.render_with_formatter(&UserMessageFormatter);
            let text = text.lines().next().unwrap_or_default();
            let text = text.split(" at line ").next().unwrap_or(text).trim_start_matches("error: ");
            // The usual mistakes behind the parser's words.
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

const KEYS: [&str; 5] = ["title", "slug", "tags", "author", "time"];

/// Reads all keys and values. It is no derived `Deserialize`, because the unknown keys would need `flatten`, which loses the
/// locations and the texts of numbers.
struct Keys<'a> {
    key: &'a Cell<Option<&'static str>>,
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
            self.key.set(KEYS.into_iter().find(|key| *key == name));
            match name.as_str() {
                "title" => {
                    let (title, line) = with_line(map.next_value::<Spanned<Option<String>>>()?);
                    // A block (`title: >`) ends with a line break that nobody means.
                    (front.title, lines.title) = (title.map(|it| it.trim_end_matches('\n').to_owned()), line);
                }
                "slug" => (front.slug, lines.slug) = with_line(map.next_value()?),
                "author" => (front.author, lines.author) = with_line(map.next_value()?),
                "time" => (front.time, lines.time) = with_line(map.next_value()?),
                "tags" => {
                    let (tags, line) = with_line(map.next_value::<Spanned<Option<Tags>>>()?);
                    (front.tags, lines.tags) = (tags.map(|Tags(tags)| tags), line);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    front.unknown.push(name);
                }
            }
        }
    }
}

/// A value and its line in the file.
fn with_line<T>(spanned: Spanned<T>) -> (T, usize) {
    let line = usize::try_from(spanned.referenced.line()).unwrap_or_default();
    (spanned.value, line + 1)
}

/// A list of tags, or one text with tags between commas, as some programs write it.
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
    fn the_content_begins_after_the_second_fence() {
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
    fn plain_scalars_are_read_as_texts() {
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
    fn errors_have_their_line() {
        for (text, line, word) in [
            ("---\ntitle: x\n", 1, "---"),
            ("---\n# note\ntitle: [a, b]\n---\n", 3, "title: must be a text"),
            ("---\ntitle: [a\n---\n", 2, "title: must be a text"),
            ("---\nslug: {a: b}\n---\n", 2, "slug: must be a text"),
            ("---\nauthor:\n- a\n---\n", 3, "author: must be a text"),
            ("---\nother: &all [a]\ntitle: *all\n---\n", 3, "title: must be a text"),
            ("---\ntitle: x\ntags: [1, true, null]\n---\n", 3, "tags: must be a list of texts, as in"),
            ("---\ntags:\n- a\n- [b]\n---\n", 4, "tags: must be a list of texts, as in"),
            ("---\ntags: true\n---\n", 2, "tags: must be a list of texts, as in"),
            ("---\ntime: [2026-05-01T12:00:00Z]\n---\n", 2, "time: must be a text"),
            ("---\nother: [a\n---\n", 2, "the front matter is not valid YAML: "),
            ("---\nother: @a\n---\n", 2, "the front matter is not valid YAML: "),
            ("---\ntitle: x\ntags: {a: b}\n---\n", 3, "tags: must be a list of texts"),
            // At the end of the YAML, where the mark is missing.
            ("---\ntitle: \"x\n---\n", 3, "not valid YAML: a quotation mark is not closed"),
            ("---\ntitle: x\ntitle: y\n---\n", 3, "`title` occurs twice"),
            ("---\nother: x\nlast: z\nother: y\n---\n", 4, "`other` occurs twice"),
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
            // Words of the libraries, which mean nothing to the author of a file.
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
    fn an_alias_bomb_is_an_error() {
        let bomb = "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                    c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                    e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                    tags: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n---\n";
        assert!(Document::parse(bomb).is_err());
    }

    /// Texts like those of titles and tags, and harder ones; without control characters.
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
