//! Names of exported files: the slug, if file systems can store it.
//!
//! The name depends on the slug alone, so that a page has the same file in every export, even of another wiki.

use wiki_types::rules;
use wiki_types::slug::{hash, is_slug};

/// The longest beginning of a slug in a name. Most file systems allow names of 255 bytes (NTFS and APFS: 255 UTF-16 units or
/// characters, which is no less); this leaves room for a hash and for suffixes of backup programs.
const MAX_BYTES: usize = 200;

/// Names that Windows reserves for devices, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name of a page's file: `slug.md` or, if a file system could not store that or could confuse it with another name, the
/// beginning of the slug and a hash.
pub fn file_name(slug: &str) -> String {
    // The wiki defines what a slug may contain; that no name leaves the directory is ensured here.
    let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let safe: String = match is_slug(slug) {
        true => slug.to_owned(),
        false => slug.chars().map(|c| if is_safe(c) { c } else { '_' }).collect(),
    };
    let name = &safe[..safe.floor_char_boundary(MAX_BYTES)];
    if name == slug && !name.is_empty() && !is_device(name) && is_one_of_its_case(name) {
        return format!("{name}.md");
    }
    // No slug contains a tilde: this cannot be the name of another page.
    format!("{name}~{:016x}.md", hash(slug))
}

fn is_device(name: &str) -> bool {
    // For Windows, the superscripts of Latin-1 are digits here as well.
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
    let port = |prefix| {
        let mut rest = name.strip_prefix(prefix).unwrap_or_default().chars();
        rest.next().is_some_and(is_digit) && rest.next().is_none()
    };
    DEVICES.contains(&name) || port("com") || port("lpt")
}

/// Whether a file system that ignores case, or how characters are composed, confuses `name` with no other lower-case name,
/// as `straße` with `strasse`.
fn is_one_of_its_case(name: &str) -> bool {
    name.to_uppercase().to_lowercase() == name && rules::composed(name) == name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slug_is_a_file_name_where_it_can_be() {
        for (slug, name) in [
            ("home", "home.md"),
            ("café-日本語", "café-日本語.md"),
            ("เก่า", "เก่า.md"),
            ("\u{1112}\u{1161}", "\u{1112}\u{1161}~"),
            ("console", "console.md"),
            ("con", "con~f604f1190d01642b.md"),
            ("lpt1", "lpt1~"),
            ("com¹", "com¹~"),
            ("lpt³", "lpt³~"),
            ("com⁴", "com⁴.md"),
            ("com12", "com12.md"),
            ("com", "com.md"),
            ("../../etc/passwd", "______etc_passwd~"),
            (".", "_~"),
            ("", "~cbf29ce484222325.md"),
        ] {
            assert!(file_name(slug).starts_with(name), "{slug}: {}", file_name(slug));
        }
    }

    #[test]
    fn long_slugs_are_shortened_between_characters() {
        let name = file_name(&"語".repeat(100));
        assert!(name.starts_with(&format!("{}~", "語".repeat(66))) && name.len() < 255, "{name}");
        assert_eq!(file_name(&"a".repeat(104)), format!("{}.md", "a".repeat(104)));
    }

    #[test]
    fn slugs_that_differ_by_case_only_are_different_files() {
        // The long s is a lower-case letter whose upper case is S.
        for (plain, odd) in [("s", "ſ"), ("strasse", "straße"), ("fi", "ﬁ")] {
            assert_eq!(file_name(plain), format!("{plain}.md"));
            assert!(file_name(odd).starts_with(&format!("{odd}~")), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn names_are_short_and_in_the_folder(slug in "\\PC{0,120}") {
            let name = file_name(&slug);
            prop_assert!(name.len() < 255 && name.ends_with(".md") && !name.starts_with('.'), "{}", name);
            prop_assert!(!name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|', '\0']), "{}", name);
        }

        /// Where names are compared as Unicode's canonical equivalents in lower case, as on macOS.
        #[test]
        fn no_name_replaces_another_on_any_file_system(
            a in "[a-cßſéﬁıiİAÅå\u{300}-\u{303}\u{307}\u{345}\u{212a}\u{2126}ωσςΣ가-]{1,3}",
            b in "[a-cßſéﬁıiİAÅå\u{300}-\u{303}\u{307}\u{345}\u{212a}\u{2126}ωσςΣ가-]{1,3}",
        ) {
            use unicode_normalization::UnicodeNormalization;
            let folded = |slug: &str| {
                let lower = file_name(slug).nfd().collect::<String>().to_lowercase();
                (lower.nfd().collect::<String>(), lower.to_uppercase().nfd().collect::<String>())
            };
            let (one, other) = (folded(&a), folded(&b));
            prop_assert_eq!(one.0 == other.0 || one.1 == other.1, a == b);
        }

        #[test]
        fn different_slugs_have_different_names(a in "[a-zßſéﬁ語-]{1,4}", b in "[a-zßſéﬁ語-]{1,4}") {
            let folded = |slug: &str| file_name(slug).to_uppercase();
            prop_assert_eq!(folded(&a) == folded(&b), a == b);
        }
    }
}
