//! What the path of a file says of its page: its slug and, if the file has no better one, its title.

use std::path::Path;

use wiki_types::slug::{by_old_rule, slugify_name};

/// A path below the imported directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The directories and the name without its ending, as they are called; with slashes between.
    pub raw: String,
    /// The same as a page: without identifiers and dates that programs add, and without `index`.
    pub clean: String,
    /// The title of a page without another one.
    pub title: String,
    /// The day before the name of a post, as in Jekyll's `_posts/2024-05-01-a-post.md`.
    pub day: Option<String>,
    /// Whether an export of Notion has named it.
    pub is_notion: bool,
}

impl Name {
    /// `None` if the path is not Unicode.
    pub fn of(relative: &Path) -> Option<Self> {
        let raw = relative.with_extension("").to_str()?.replace('\\', "/");
        let segments: Vec<&str> = raw.split('/').collect();
        let (stem, directories) = segments.split_last()?;
        let mut clean: Vec<&str> = directories
            .iter()
            .filter(|name| !matches!(**name, "_posts" | "_drafts"))
            .map(|name| without_id(name))
            .collect();
        let dated = directories.contains(&"_posts").then(|| dated(stem)).flatten();
        let (day, title) = match dated {
            Some((day, name)) => (Some(day.to_owned()), sentence(name)),
            None => (None, without_id(stem).to_owned()),
        };
        let is_index = matches!(*stem, "index" | "_index") && !clean.is_empty();
        if !is_index {
            clean.push(dated.map_or(without_id(stem), |(_, name)| name));
        }
        let title = if is_index { clean.last().map_or(title, |name| (*name).to_owned()) } else { title };
        // In names without spaces, as of DokuWiki and MediaWiki, they are written so.
        let title = if title.contains(' ') { title } else { title.replace('_', " ") };
        let is_notion = without_id(stem) != *stem;
        Some(Self { clean: clean.join("/"), title, day, is_notion, raw })
    }

    /// The slug of a page without another one; of a path that is too long the beginning, with a hash. `None` if it has
    /// neither letters nor digits.
    pub fn slug(&self) -> Option<String> {
        slugify_name(&self.clean)
    }

    /// The slugs that the page may have if an older version imported it.
    pub fn old_slugs(&self) -> Vec<String> {
        let slug = self.slug();
        let mut old: Vec<String> = slugify_name(&self.raw).into_iter().chain([by_old_rule(&self.raw)]).collect();
        old.retain(|old| Some(old) != slug.as_ref());
        old.dedup();
        old
    }
}

/// A name without the identifier that Notion adds: 32 hexadecimal digits behind a space.
fn without_id(name: &str) -> &str {
    let Some((rest, id)) = name.rsplit_once(' ') else { return name };
    let digits = id.chars().filter(|c| *c != '-').count();
    let is_id = digits == 32 && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if is_id && !rest.trim().is_empty() { rest.trim_end() } else { name }
}

/// The day and the rest of `2024-05-01-a-post`.
pub fn dated(stem: &str) -> Option<(&str, &str)> {
    let (day, rest) = stem.split_at_checked(10)?;
    let is_day = day.chars().enumerate().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
    rest.strip_prefix('-').filter(|rest| is_day && !rest.is_empty()).map(|rest| (day, rest))
}

/// `a-post` as a title, as Jekyll makes it one.
fn sentence(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Name {
        Name::of(Path::new(path)).unwrap()
    }

    const ID: &str = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";

    #[test]
    fn paths_become_slugs() {
        for (path, slug) in [
            ("home.md", Some("home")),
            ("guide/Getting Started.md", Some("guide-getting-started")),
            ("Größe/日本語.MD", Some("größe-日本語")),
            ("Gro\u{308}ße.md", Some("größe")),
            ("v1.2/notes.draft.md", Some("v1-2-notes-draft")),
            ("index.md", Some("index")),
            ("a/index.md", Some("a")),
            ("a/b/_index.md", Some("a-b")),
            ("_posts/2024-05-01-a-post.md", Some("a-post")),
            ("blog/_posts/2024-05-01-a-post.md", Some("blog-a-post")),
            ("_drafts/idea.md", Some("idea")),
            ("2024-05-01-a-note.md", Some("2024-05-01-a-note")),
            ("2024-05-01.md", Some("2024-05-01")),
            (&format!("Team {ID}/Page {ID}.md"), Some("team-page")),
            ("???.md", None),
        ] {
            assert_eq!(name(path).slug().as_deref(), slug, "{path}");
        }
    }

    #[test]
    fn a_name_is_a_title() {
        for (path, title) in [
            ("Getting started.md", "Getting started"),
            ("a/duty-roster.md", "duty-roster"),
            ("Main_Page.md", "Main Page"),
            ("a b_c.md", "a b_c"),
            ("A guide/index.md", "A guide"),
            ("index.md", "index"),
            ("_posts/2024-05-01-a-post.md", "A post"),
            (&format!("Page {ID}.md"), "Page"),
            ("Page 1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d.md", "Page"),
            (&format!("{ID}.md"), ID),
            ("Part 12345678.md", "Part 12345678"),
        ] {
            assert_eq!(name(path).title, title, "{path}");
        }
        assert!(name(&format!("Page {ID}.md")).is_notion && !name("Page.md").is_notion);
        assert_eq!(name("_posts/2024-05-01-a-post.md").day.as_deref(), Some("2024-05-01"));
    }

    #[test]
    fn a_long_path_is_cut_and_keeps_what_it_was() {
        let path = |name: &str| format!("{}/{name}.md", "a".repeat(99));
        let [one, two] = ["b", "c"].map(|it| name(&path(it)).slug().unwrap());
        assert!(one != two && one.len() == 100 && one.starts_with(&"a".repeat(83)), "{one}");
        assert_eq!(name(&path("b")).old_slugs(), ["a".repeat(99)]);
        assert_eq!(name("guide/Größe.md").old_slugs(), [""; 0]);
        assert_eq!(name("เก่า.md").old_slugs(), ["เก-า"]);
        assert_eq!(name("a/index.md").old_slugs(), ["a-index"]);
    }
}
