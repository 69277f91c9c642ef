//! Front matter: the metadata of a page at the beginning of its Markdown file, as YAML between two lines `---` or as TOML
//! between two lines `+++`.

mod fields;
mod keys;
mod node;
mod toml;
mod yaml;

pub use fields::{FrontMatter, GENERATOR, Place, Places};
pub use keys::Tags;
pub use node::Invalid;
use node::{Map, Node, Value};

/// The line before and after the YAML.
const FENCE: &str = "---";

/// The line before and after TOML.
const TOML_FENCE: &str = "+++";

/// A file in parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Document<'a> {
    pub front: FrontMatter,
    pub places: Places,
    /// Everything after the front matter, byte for byte.
    pub content: &'a str,
}

impl<'a> Document<'a> {
    /// Parses a file. It is all content if it begins with no front matter: with a horizontal rule, say.
    pub fn parse(text: &'a str, tags: Tags) -> Result<Self, Invalid> {
        // Some editors write a byte order mark, which is no part of the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let whole = Self { front: FrontMatter::default(), places: Places::default(), content: text };
        let mut lines = text.split_inclusive('\n');
        let Some(first) = lines.next() else { return Ok(whole) };
        let is_toml = is_fence(first, TOML_FENCE);
        if !is_toml && !is_fence(first, FENCE) {
            return Ok(whole);
        }
        let mut end = first.len();
        for line in lines {
            if is_toml && is_fence(line, TOML_FENCE) || !is_toml && (is_fence(line, FENCE) || is_fence(line, "...")) {
                let block = &text[first.len()..end];
                if !is_toml && !is_front_matter(block) {
                    return Ok(whole);
                }
                let map = if is_toml { toml::parse(block) } else { yaml::parse(block) };
                let map = map.map_err(|Invalid { line, message }| Invalid::new(line + 1, message))?;
                let (front, places) = keys::read(map, 1, tags)?;
                return Ok(Self { front, places, content: &text[end + line.len()..] });
            }
            end += line.len();
        }
        if is_toml || is_front_matter(&text[first.len()..]) && !is_blank(&text[first.len()..]) {
            let fence = if is_toml { TOML_FENCE } else { FENCE };
            let message = format!(
                "the front matter that begins here is not closed by a line {fence}. If the file should begin with a \
                 horizontal rule, put an empty line before it"
            );
            return Err(Invalid::new(1, message));
        }
        Ok(whole)
    }
}

/// What a paragraph of lines `Created: May 1, 2024` says, as Notion writes properties under the title of a page.
pub fn properties(lines: &str, tags: Tags) -> FrontMatter {
    let property = |(index, line): (usize, &str)| {
        let (key, value) = line.split_once(':')?;
        Some((key.trim().to_owned(), Node { line: index + 1, value: Value::Text(value.trim().to_owned()) }))
    };
    let map: Option<Map> = lines.lines().enumerate().map(property).collect();
    map.and_then(|map| keys::read(map, 0, tags).ok()).map(|(front, _)| front).unwrap_or_default()
}

/// Returns the text of a file with this front matter and content.
pub fn write(front: &FrontMatter, content: &str) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let yaml = serde_saphyr::to_string_with_options(front, options)?;
    Ok(format!("{FENCE}\n{yaml}{}{FENCE}\n{content}", if yaml.ends_with('\n') { "" } else { "\n" }))
}

fn is_fence(line: &str, fence: &str) -> bool {
    line.strip_prefix(fence).is_some_and(|rest| rest.trim().is_empty())
}

/// Whether what stands between two lines `---` is front matter, and not text between two rules: its first line is a key with
/// a value, or there is none.
fn is_front_matter(block: &str) -> bool {
    let mut lines = block.lines().filter(|line| !is_blank(line));
    let Some(first) = lines.next() else { return true };
    let is_key = |key: &str| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.' | '"' | '\'');
        !key.is_empty() && key.chars().all(plain) && !key.starts_with(['-', ' '])
    };
    match first.split_once(':') {
        Some((key, rest)) => is_key(key) && (rest.is_empty() || rest.starts_with([' ', '\t'])),
        None => false,
    }
}

fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Document<'_>, Invalid> {
        Document::parse(text, Tags::ByComma)
    }

    fn front(yaml: &str) -> FrontMatter {
        parse(&format!("---\n{yaml}\n---\n")).unwrap_or_else(|e| panic!("{yaml}: {e:?}")).front
    }

    #[test]
    fn every_key_is_read() {
        let text = "---\ngenerator: wasiki\ntitle: 'A: \"b\"'\nslug: a-b\naliases: [old]\ntags: [One, two words]\n\
                    author: ada\ncreated: 2026-05-01T12:00:00+02:00\nupdated: 2026-05-02\nprotected: true\n\
                    space: board\nparent: minutes\n\
                    layout: {deep: [1, 2]}\n---\n# Text\n";
        let document = parse(text).unwrap();
        assert_eq!(document.content, "# Text\n");
        let front = FrontMatter {
            generator: Some("wasiki".into()),
            title: Some("A: \"b\"".into()),
            slug: Some("a-b".into()),
            aliases: vec!["old".into()],
            tags: Some(vec!["One".into(), "two words".into()]),
            author: Some("ada".into()),
            created: Some("2026-05-01T12:00:00+02:00".into()),
            updated: Some("2026-05-02".into()),
            protected: Some(true),
            space: Some("board".into()),
            parent: Some("minutes".into()),
            is_draft: false,
            permalink: None,
            unknown: vec!["layout".into()],
        };
        assert_eq!(document.front, front);
        // In other files, these may mean anything.
        let other = parse("---\ntitle: A\nspace: x\nparent: y\n---\n").unwrap().front;
        assert_eq!((other.space, other.parent, other.unknown.len()), (None, None, 2));
        let Places { title, tags, author, created, updated } = document.places;
        let places = [title, tags, author, created, updated].map(|Place { line, key }| format!("{line} {key}"));
        assert_eq!(places, ["3 title", "6 tags", "7 author", "8 created", "9 updated"]);
    }

    #[test]
    fn a_file_without_front_matter_is_all_content() {
        for text in [
            "",
            "# Title\n",
            "--- \ttext",
            "----\n",
            " ---\n---\n",
            "text\n---\na: b\n---\n",
            "---\n",
            "---\n\nA paragraph under a rule.\n\n---\n\nAnother: with a colon\n",
            "---\nSetext\n---\n",
            "---\n- a\n- b\n---\n",
            "---\nhttps://example.org\n---\n",
        ] {
            let document = parse(text).unwrap();
            assert_eq!((document.content, document.front), (text, FrontMatter::default()), "{text:?}");
        }
        assert_eq!(parse("\u{feff}text").unwrap().content, "text");
    }

    #[test]
    fn the_content_begins_after_the_second_fence() {
        for (text, content) in [
            ("---\n---\n", ""),
            ("---\n---", ""),
            ("---\n# nothing\n\n---\n\n\ntext", "\n\ntext"),
            ("---\r\ntitle: x\r\n---\r\n\r\ntext\r\n", "\r\ntext\r\n"),
            ("---  \ntitle: x\n--- \ntext", "text"),
            ("---\ntitle: x\n...\ntext", "text"),
            ("\u{feff}---\ntitle: x\n---\n\u{feff}text", "\u{feff}text"),
            ("---\ntitle: x\n---\n---\nfenced: content\n---\n", "---\nfenced: content\n---\n"),
            ("+++\r\ntitle = 'x'\r\n+++\r\ntext", "text"),
        ] {
            assert_eq!(parse(text).unwrap().content, content, "{text:?}");
        }
    }

    #[test]
    fn values_are_what_people_mean() {
        assert_eq!(front("title: 2026").title.as_deref(), Some("2026"));
        assert_eq!(front("title: One: two").title.as_deref(), Some("One: two"));
        assert_eq!(front("title:").title, None);
        assert_eq!(front("title: ''").title, None);
        assert_eq!(front("title: [a, b]").title.as_deref(), Some("a"));
        assert_eq!(front("title: >\n  folded\n  text").title.as_deref(), Some("folded text"));
        assert_eq!(front("authors:\n- name: Ada\n  url: x\n- Bob").author.as_deref(), Some("Ada"));
        assert_eq!(front("tags: [2026, true, x]").tags.unwrap(), ["2026", "true", "x"]);
        assert_eq!(front("tags: one, two words,").tags.unwrap(), ["one", "two words"]);
        assert_eq!(front("tags:\n- one\n-\n- '#two'\ncategories: three").tags.unwrap(), ["one", "two", "three"]);
        assert_eq!(front("tags: []").tags, Some(Vec::new()));
        assert_eq!(front("tags:").tags, None);
        let spaced = Document::parse("---\ntags: one two\n---\n", Tags::BySpace).unwrap();
        assert_eq!(spaced.front.tags.unwrap(), ["one", "two"]);
        assert_eq!(front("alias: a, b").aliases, ["a", "b"]);
        for draft in ["draft: true", "Draft: yes", "published: false"] {
            assert!(front(draft).is_draft, "{draft}");
        }
        for page in ["draft: false", "published: true", "draft:", "title: draft"] {
            assert!(!front(page).is_draft, "{page}");
        }
        let other = front("generator: pandoc");
        assert_eq!((other.generator, other.unknown), (None, vec!["generator".to_owned()]));
    }

    #[test]
    fn times_have_many_names() {
        for (yaml, created, updated) in [
            ("date: 1", Some("1"), None),
            ("time: 1", Some("1"), None),
            ("created_at: 1\nupdated_at: 2", Some("1"), Some("2")),
            ("date created: 1\ndate modified: 2", Some("1"), Some("2")),
            ("date: 1\nlastmod: 2", Some("1"), Some("2")),
            ("date: 2\ndateCreated: 1", Some("1"), Some("2")),
            ("date: 3\ncreated: 1\nupdated: 2", Some("1"), Some("2")),
            ("published: 2024-05-01", Some("2024-05-01"), None),
            ("published: true\ndate: 1", Some("1"), None),
            ("last_modified_at: 2", None, Some("2")),
            ("created:\ndate: 1", Some("1"), None),
        ] {
            let front = front(yaml);
            assert_eq!((front.created.as_deref(), front.updated.as_deref()), (created, updated), "{yaml}");
            assert!(front.unknown.is_empty(), "{yaml}");
        }
    }

    #[test]
    fn errors_have_their_line() {
        for (text, line, word) in [
            ("---\ntitle: x\n", 1, "---"),
            ("+++\ntitle = 'x'\n", 1, "+++"),
            ("---\n# note\ntitle: {a: b}\n---\n", 3, "title: must be a text"),
            ("---\ntitle: [a\n---\n", 2, "not valid YAML: "),
            ("---\ntitle: x\ntags: {a: b}\n---\n", 3, "tags: must be a list of texts, as in"),
            ("---\ntags:\n- a\n- [b]\n---\n", 4, "tags: must be a list of texts, as in"),
            ("---\ncreated: {a: b}\n---\n", 2, "created: must be a text"),
            ("---\ntitle: x\ntitle: y\n---\n", 3, "`title` occurs twice"),
            ("+++\ntitle = 'x'\ntitle = 'y'\n+++\n", 3, "not valid TOML"),
        ] {
            let found = parse(text).map(|it| panic!("{text:?} is {it:?}")).unwrap_err();
            assert_eq!(found.line, line, "{text:?}: {found:?}");
            assert!(found.message.contains(word) && !found.message.contains('\n'), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn toml_says_the_same() {
        let text = "+++\ntitle = 'x'\ndate = 2024-05-01T12:00:00Z\ndraft = true\n[taxonomies]\ntags = ['a']\n+++\n";
        let front = parse(text).unwrap().front;
        assert_eq!((front.title.as_deref(), front.is_draft), (Some("x"), true));
        assert_eq!((front.created.as_deref(), front.tags), (Some("2024-05-01T12:00:00Z"), Some(vec!["a".to_owned()])));
    }

    #[test]
    fn properties_are_read_like_keys() {
        let front = properties("Created: May 1, 2024 12:00 PM\nTags: one, two words\nStatus: Done", Tags::ByComma);
        assert_eq!(front.created.as_deref(), Some("May 1, 2024 12:00 PM"));
        assert_eq!(front.tags.unwrap(), ["one", "two words"]);
        assert_eq!(properties("No property here", Tags::ByComma), FrontMatter::default());
    }

    /// Texts like those of titles and tags, and harder ones; without control characters.
    fn line() -> impl Strategy<Value = String> {
        let hard = [
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
            "a\u{2028}",
            "\u{feff}b",
            " x ",
            "<<",
            "=",
            "12:30:45",
            "!x",
        ];
        let any = prop_oneof![
            "\\PC{1,60}",
            "[ \\-:'\"{}\\[\\],&*!|>%@`~?\\\\=]{1,12}",
            prop::sample::select(hard.to_vec()).prop_map(str::to_owned),
        ];
        any.prop_filter("the wiki has no blank texts", |text| !wiki_types::rules::is_blank(text))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_written_is_read_back(
            title in prop::option::of(line()), slug in prop::option::of(line()), author in prop::option::of(line()),
            tags in prop::option::of(prop::collection::vec(line(), 0..4)),
            aliases in prop::collection::vec(line(), 0..3), protected in prop::option::of(any::<bool>()),
            content in prop_oneof![any::<String>(), "(---|\r\n|\n|\r|a: b| |\u{feff}){0,12}"],
        ) {
            let created = Some("2026-05-01T12:00:00.123456Z".to_owned());
            let generator = Some(GENERATOR.to_owned());
            let front =
                FrontMatter { generator, title, slug, author, tags, aliases, protected, created, ..FrontMatter::default() };
            let text = write(&front, &content).unwrap();
            let document = parse(&text);
            prop_assert_eq!(document.map(|it| (it.front, it.content)), Ok((front, &*content)), "{}", text);
        }

        #[test]
        fn reading_never_panics(text in "(---\n|\\+\\+\\+\n|[a-z]: |\\PC{0,10}|\n|\\[|\\{|\"|&a|\\*a){0,20}") {
            _ = parse(&format!("---\n{text}\n---\n"));
            _ = parse(&text);
        }
    }
}
