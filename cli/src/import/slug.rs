//! The slug of a page whose front matter has none: made from the path of its file.

use std::path::Path;

use wiki_types::slug::{by_old_rule, slugify_name};

/// The slug for a path below the imported directory: its directories and its name without `.md`, joined by hyphens; of a
/// path that is too long the beginning, with a hash.
///
/// `None` if the path has neither letters nor digits, or is not Unicode.
pub fn of_file(relative: &Path) -> Option<String> {
    slugify_name(relative.with_extension("").to_str()?)
}

/// The slug that the file's page has if it was imported before titles made such slugs as now; none if that is the same.
pub fn old_of_file(relative: &Path) -> Option<String> {
    let path = relative.with_extension("");
    let slug = of_file(relative)?;
    Some(by_old_rule(path.to_str()?)).filter(|old| *old != slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_slugs() {
        for (path, slug) in [
            ("home.md", Some("home")),
            ("guide/Getting Started.md", Some("guide-getting-started")),
            ("Größe/日本語.MD", Some("größe-日本語")),
            ("Gro\u{308}ße.md", Some("größe")),
            ("v1.2/notes.draft.md", Some("v1-2-notes-draft")),
            ("a/index.md", Some("a-index")),
            ("???.md", None),
        ] {
            assert_eq!(of_file(Path::new(path)).as_deref(), slug, "{path}");
        }
    }

    #[test]
    fn a_long_path_is_cut_and_keeps_what_it_was() {
        let path = |name: &str| format!("{}/{name}.md", "a".repeat(99));
        let [one, two] = ["b", "c"].map(|name| of_file(Path::new(&path(name))).unwrap());
        assert!(one != two && one.len() == 100 && one.starts_with(&"a".repeat(83)), "{one}");
        assert_eq!(old_of_file(Path::new(&path("b"))), Some("a".repeat(99)));
        assert_eq!(old_of_file(Path::new("guide/Größe.md")), None);
        assert_eq!(old_of_file(Path::new("เก่า.md")).as_deref(), Some("เก-า"));
    }
}
