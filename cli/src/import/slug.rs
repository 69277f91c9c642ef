//! The slug of a page whose front matter has none: made from the path of its file.

use std::path::Path;

use wiki_types::slug::slugify;

/// The slug for a path below the imported directory: its directories and its name without `.md`, joined by hyphens.
///
/// `None` if the path has neither letters nor digits, or is not Unicode.
pub fn of_file(relative: &Path) -> Option<String> {
    let path = relative.with_extension("");
    let path = path.to_str()?;
    path.contains(char::is_alphanumeric).then(|| slugify(path))
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
            ("v1.2/notes.draft.md", Some("v1-2-notes-draft")),
            ("a/index.md", Some("a-index")),
            ("???.md", None),
        ] {
            assert_eq!(of_file(Path::new(path)).as_deref(), slug, "{path}");
        }
    }

    #[test]
    fn a_long_slug_is_cut_before_a_hyphen() {
        let slug = of_file(Path::new(&format!("{}-b.md", "a".repeat(99)))).unwrap();
        assert_eq!(slug, "a".repeat(99));
    }
}
