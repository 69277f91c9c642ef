//! The slug of a file: how a page is named in a URL when its front matter does not say.

use std::path::Path;

use wiki_types::slug::slugify;

/// The slug of a file by its path below the imported folder: its folders and name without `.md`, joined by hyphens.
///
/// Nothing when that leaves neither letter nor digit, or is not Unicode.
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
    fn a_slug_has_at_most_100_characters_and_ends_in_none_of_the_hyphens() {
        let slug = of_file(Path::new(&format!("{}-b.md", "a".repeat(99)))).unwrap();
        assert_eq!(slug, "a".repeat(99));
    }
}
