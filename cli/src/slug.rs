//! The slug of a file: how a page is named in a URL when its front matter does not say.

use std::path::Path;

/// The most characters a slug may have, as the wiki has it.
const MAX_LENGTH: usize = 100;

/// The slug of a text by the wiki's own rule: letters and digits of any script in lower case, everything between them
/// one hyphen. Nothing if there are none.
fn slugify(text: &str) -> Option<String> {
    let mut slug = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.chars().flat_map(char::to_lowercase) {
        if length == MAX_LENGTH {
            break;
        }
        if c.is_alphanumeric() {
            slug.push(c);
            length += 1;
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\u{307}' && c != '\'' && c != '’' {
            slug.push('-');
            length += 1;
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    (!slug.is_empty()).then_some(slug)
}

/// The slug of a file by its path below the imported folder: its folders and name without `.md`, joined by hyphens.
///
/// Nothing when that leaves neither letter nor digit, or is not Unicode.
pub fn of_file(relative: &Path) -> Option<String> {
    slugify(relative.with_extension("").to_str()?)
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
