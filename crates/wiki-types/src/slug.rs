//! Slugs: how a page is named in a URL.

/// The most characters a slug may have; a number that makes it unique may be added.
pub const MAX_LENGTH: usize = 100;

/// The slug of a title: letters and digits of any script in lower case, everything between them one hyphen.
///
/// A title without any gives `page`.
pub fn slugify(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    let mut length = 0;
    for c in title.chars().flat_map(char::to_lowercase) {
        if length == MAX_LENGTH {
            break;
        }
        // Combining marks that lower-casing splits off (İ becomes i and a dot) are not alphanumeric: no hyphen for them.
        if c.is_alphanumeric() {
            slug.push(c);
            length += 1;
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\u{307}' && c != '\'' && c != '’' {
            slug.push('-');
            length += 1;
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    if slug.is_empty() { "page".to_owned() } else { slug }
}

/// Whether `text` is a slug as [`slugify`] makes them.
pub fn is_slug(text: &str) -> bool {
    slugify(text) == text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn titles_become_readable_slugs() {
        for (title, slug) in [
            ("Hello, World!", "hello-world"),
            ("  Größe & Maß  ", "größe-maß"),
            ("日本語 のページ", "日本語-のページ"),
            ("Don't panic", "dont-panic"),
            ("C++ / C#", "c-c"),
            ("???", "page"),
            ("", "page"),
        ] {
            assert_eq!(slugify(title), slug, "{title:?}");
        }
    }

    #[test]
    fn what_browsers_change_in_an_address_is_no_slug() {
        for text in [".", "..", "-", "%2e", "a/b", "A", ""] {
            assert!(!is_slug(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_slug_is_its_own_slug(title in ".{0,300}") {
            let slug = slugify(&title);
            prop_assert!(is_slug(&slug), "{slug:?}");
            prop_assert!(slug.chars().count() <= MAX_LENGTH);
            prop_assert!(!slug.contains(['/', '?', '#', '%', ' ']));
        }
    }
}
