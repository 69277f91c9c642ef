//! What a file says of its page, by the wiki's rules: what those refuse has its line before anything is sent.

use wiki_types::rules::{self, MAX_TAGS, MAX_TITLE, Wrong};
use wiki_types::slug::slugify_name;

use super::failure::FileError;
use super::markdown::{has_title, under_title};
use super::name::Name;
use super::time;
use crate::front_matter::{Document, FrontMatter, Place, Tags, properties};

/// How to read files, as the directory shows what made them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// How tags in one text are separated.
    pub tags: Tags,
    /// Whether files are titles of their pages unless a heading of the first level is, as in Obsidian and
    /// MediaWiki.
    pub titled_by_file: bool,
}

/// A page as its file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `None` if the wiki finds it in the content.
    pub title: Option<String>,
    pub slug: String,
    /// Whether the slug is in the front matter.
    pub has_chosen_slug: bool,
    /// Other slugs that should lead to it.
    pub aliases: Vec<String>,
    pub tags: Option<Vec<String>>,
    pub author: Option<String>,
    /// RFC 3339
    pub created: Option<String>,
    /// RFC 3339, and not before `created`
    pub updated: Option<String>,
    pub protected: Option<bool>,
    /// The slug of its space; `None` for the first.
    pub space: Option<String>,
    /// The slug of the page it is below, where the file says one.
    pub parent: Option<String>,
    pub is_draft: bool,
    /// Whether it is an export of a wiki like this: its content is taken byte for byte.
    pub is_export: bool,
    pub permalink: Option<String>,
    /// The keys of front matter without a meaning here.
    pub unknown: Vec<String>,
}

impl Page {
    /// Fails with the first thing that the wiki would refuse. `start` is the number of lines before the content.
    pub fn of(document: Document<'_>, start: usize, name: &Name, habits: Habits) -> Result<Self, FileError> {
        let Document { mut front, places, content } = document;
        if name.is_notion {
            add_properties(&mut front, &properties(under_title(content), habits.tags));
        }
        let rule = |place: &Place, result: Result<(), Wrong>| {
            result.map_err(|message| FileError::at(place.line, format!("{}: {message}", place.key)))
        };
        if let Some(title) = &front.title {
            rule(&places.title, rules::title(title))?;
        }
        if let Some(tags) = &front.tags {
            if tags.len() > MAX_TAGS {
                rule(&places.tags, Err(format!("may have at most {MAX_TAGS} items").into()))?;
            }
            for tag in tags {
                let result = rules::tag(tag).map_err(|message| format!("{tag:?} {message}").into());
                rule(&places.tags, result)?;
            }
        }
        if let Some(author) = &front.author {
            rule(&places.author, rules::username(author).or_else(|_| rules::name(author)))?;
        }
        let time = |text: &Option<String>, place: &Place| {
            let read = |text: &String| {
                time::read(text).map_err(|message| FileError::at(place.line, format!("{}: {message}", place.key)))
            };
            text.as_ref().map(read).transpose()
        };
        let day = name.day.clone().filter(|day| time::read(day).is_ok());
        let created = time(&front.created.or(day), &places.created)?;
        let updated = time(&front.updated, &places.updated)?;
        if let Some((line, code)) = rules::control(content) {
            return Err(FileError::at(start + line, format!("must not contain the control character U+{code:04X}")));
        }
        let is_export = front.generator.is_some();
        let own_title = || name.title.chars().take(MAX_TITLE).collect::<String>();
        let title = front.title.or_else(|| (!has_title(content, habits.titled_by_file)).then(own_title));
        let chosen =
            front.slug.and_then(|slug| if rules::slug(&slug).is_ok() { Some(slug) } else { slugify_name(&slug) });
        let has_chosen_slug = chosen.is_some();
        let slug = chosen
            .or_else(|| name.slug())
            .ok_or_else(|| FileError::new("its name has no letter or digit for a slug: set one in its front matter"))?;
        let mut aliases: Vec<String> = front.aliases.iter().filter_map(|alias| alias_slug(alias)).collect();
        aliases.retain(|alias| *alias != slug);
        aliases.sort();
        aliases.dedup();
        Ok(Self {
            title: title.filter(|title| rules::title(title).is_ok()),
            slug,
            has_chosen_slug,
            aliases,
            tags: front.tags,
            author: front.author,
            updated: updated.filter(|updated| created.as_ref().is_none_or(|created| is_after(updated, created))),
            created,
            protected: front.protected,
            space: front.space,
            parent: front.parent,
            is_draft: front.is_draft,
            is_export,
            permalink: front.permalink,
            unknown: front.unknown,
        })
    }
}

/// Takes over what the properties in the text say and the front matter does not. What is no time there is only text.
fn add_properties(front: &mut FrontMatter, properties: &FrontMatter) {
    let time = |text: &Option<String>| text.clone().filter(|text| time::read(text).is_ok());
    front.created = front.created.take().or_else(|| time(&properties.created));
    front.updated = front.updated.take().or_else(|| time(&properties.updated));
    let are_tags = |tags: &Vec<String>| tags.len() <= MAX_TAGS && tags.iter().all(|tag| rules::tag(tag).is_ok());
    front.tags = front.tags.take().or_else(|| properties.tags.clone().filter(are_tags));
}

/// The slug of an alias: a name, or an address with slashes and perhaps an ending.
fn alias_slug(alias: &str) -> Option<String> {
    if rules::slug(alias).is_ok() {
        return Some(alias.to_owned());
    }
    let path = alias.trim_matches('/');
    slugify_name(path.strip_suffix(".html").unwrap_or(path))
}

/// Whether one time as RFC 3339 writes it is after another.
fn is_after(later: &str, earlier: &str) -> bool {
    let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
    time(later) > time(earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn page_at(path: &str, text: &str, habits: Habits) -> Result<Page, FileError> {
        let document = Document::parse(text, habits.tags).unwrap();
        let start = text[..text.len() - document.content.len()].matches('\n').count();
        Page::of(document, start, &Name::of(Path::new(path)).unwrap(), habits)
    }

    fn page(text: &str) -> Result<Page, FileError> {
        page_at("a file.md", text, Habits::default())
    }

    #[test]
    fn errors_have_their_line() {
        let long = |n| "x".repeat(n);
        for (text, line, start) in [
            (format!("---\ntitle: {}\n---\n", long(201)), 2, "title: may have at most 200"),
            ("---\nslug: a\ntitle: \"a\\0b\"\n---\n".into(), 3, "title: must not contain control"),
            ("---\ntags: [a, 'b,c']\n---\n".into(), 2, "tags: \"b,c\" must not contain a comma"),
            ("---\nslug: a\ntags: ..\n---\n".into(), 3, "tags: \"..\" must not be one or two points"),
            (format!("---\ntags: [{}]\n---\n", "a, ".repeat(21)), 2, "tags: may have at most 20"),
            ("---\nauthor: \"a\\nb\"\n---\n".into(), 2, "author: must not contain control"),
            ("---\nlayout: x\ntime: 9999-01-01T00:00:00Z\n---\n".into(), 3, "time: must not be in the future"),
            ("---\ntitle: x\nlastmod: yesterday\n---\n".into(), 3, "lastmod: must be a time, as in"),
            ("---\ntitle: x\n---\none\ntwo\0\n".into(), 5, "must not contain the control character U+0000"),
            ("one\n\u{1b}[31m".into(), 2, "must not contain the control character U+001B"),
        ] {
            let Err(FileError { line: found, message }) = page(&text) else { panic!("{text:?} is accepted") };
            assert!(found == Some(line) && message.starts_with(start), "{text:?}: {found:?} {message}");
        }
    }

    #[test]
    fn valid_files_are_accepted() {
        for text in [
            "",
            "text\twith\r\nends\u{85}",
            "---\ntitle: x\nslug: größe\ntags: [a b, c/d]\nauthor: Ada Lovelace\ntime: 2001-02-03T04:05:06+02:00\n---\n",
            "---\ntags: []\nauthor: ada\ntitle: ' '\nslug: '-'\ndate:\n---\n",
        ] {
            assert!(page(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_page_has_one_title() {
        let title = |text: &str, habits| page_at("a/Some name.md", text, habits).unwrap().title;
        let obsidian = Habits { titled_by_file: true, ..Habits::default() };
        assert_eq!(title("---\ntitle: A title\n---\n# A heading", obsidian).as_deref(), Some("A title"));
        assert_eq!(title("text\n\n## A heading", Habits::default()), None);
        assert_eq!(title("text\n\n## A heading", obsidian).as_deref(), Some("Some name"));
        assert_eq!(title("# A heading", obsidian), None);
        assert_eq!(title("text", Habits::default()).as_deref(), Some("Some name"));
        let long = format!("{}.md", "é".repeat(220));
        let page = page_at(&long, "text", Habits::default()).unwrap();
        assert_eq!(page.title.map(|title| title.chars().count()), Some(200));
    }

    #[test]
    fn names_become_slugs() {
        let slug = |text: &str| page(text).unwrap().slug;
        assert_eq!(slug("x"), "a-file");
        assert_eq!(slug("---\nslug: other\n---\n"), "other");
        assert_eq!(slug("---\nslug: Not A Slug\n---\n"), "not-a-slug");
        assert_eq!(slug("---\nslug: '-'\n---\n"), "a-file");
        let aliases = page("---\naliases: [Old Name, /2024/05/old-name.html, /a-file/, old-name, 'A, b']\n---\n")
            .unwrap()
            .aliases;
        assert_eq!(aliases, ["2024-05-old-name", "a-b", "old-name"]);
    }

    #[test]
    fn times_are_in_order() {
        let times = |text: &str| page(text).map(|page| (page.created, page.updated)).unwrap();
        let time = |day: &str| Some(format!("2024-05-{day}T00:00:00Z"));
        assert_eq!(times("---\ndate: 2024-05-01\nlastmod: 2024-05-02\n---\n"), (time("01"), time("02")));
        assert_eq!(times("---\ndate: 2024-05-02\nlastmod: 2024-05-01\n---\n"), (time("02"), None));
        assert_eq!(times("---\nlastmod: 2024-05-01\n---\n"), (None, time("01")));
        let post = page_at("_posts/2024-05-03-post.md", "x", Habits::default()).unwrap();
        assert_eq!(post.created, time("03"));
    }

    #[test]
    fn notion_writes_properties_into_the_text() {
        let path = "Task 1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d.md";
        let text = "# Task\n\nCreated: May 1, 2024 12:00 PM\nLast Edited Time: @Yesterday\nTags: one, two words\nStatus: Done\n\nText";
        let page = page_at(path, text, Habits::default()).unwrap();
        assert_eq!(page.created.as_deref(), Some("2024-05-01T12:00:00Z"));
        assert_eq!((page.updated, page.tags), (None, Some(vec!["one".to_owned(), "two words".to_owned()])));
        assert!(page.unknown.is_empty());
    }
}
