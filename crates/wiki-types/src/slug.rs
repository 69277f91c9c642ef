//! Slugs: how a page is named in a URL.

use unicode_normalization::char::is_combining_mark;

use crate::invisible::is_ignorable;
use crate::normal_form::composed;

/// The most characters of a slug that is made.
pub const MAX_LENGTH: usize = 100;

/// The most characters of a slug that is accepted: 100 and a page's number, which were made once.
pub const MAX_ACCEPTED: usize = MAX_LENGTH + 20;

/// The slug of a title: letters with their marks and digits of any script in lower case, everything between them one
/// hyphen. Titles that Unicode calls equivalent have one slug.
///
/// A title without any gives `page`.
pub fn slugify(title: &str) -> String {
    let slug = cut(&slugify_whole(title), MAX_LENGTH).to_owned();
    if slug.is_empty() { "page".to_owned() } else { slug }
}

/// Whether `c` is part of a word: a letter, a mark of one, or a digit.
pub fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// The slug of a title as long as it gets, which may be empty.
fn slugify_whole(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for c in composed(&composed(title).to_lowercase()).chars() {
        let after_letter = !slug.is_empty() && !slug.ends_with('-');
        if c.is_alphanumeric() && !is_ignorable(c) {
            slug.push(c);
        } else if is_combining_mark(c) || c == '\'' || c == '’' {
            // İ is i and a dot in lower case: without it, it is the same as i. What nobody sees makes no other word.
            let is_hidden = is_ignorable(c) || (c == '\u{307}' && slug.ends_with('i'));
            if after_letter && !is_hidden && c != '\'' && c != '’' {
                slug.push(c);
            }
        } else if after_letter {
            slug.push('-');
        }
    }
    // What was left out may have stood between a letter and its mark.
    composed(slug.trim_end_matches('-')).into_owned()
}

/// The first `length` characters of a slug, without a hyphen at their end.
fn cut(slug: &str, length: usize) -> &str {
    let end = slug.char_indices().nth(length).map_or(slug.len(), |(end, _)| end);
    slug[..end].trim_end_matches('-')
}

/// The slug that `title` had by the rule before marks were kept: pages that were written then have such slugs.
pub fn by_old_rule(title: &str) -> String {
    let slug = by_old_rule_up_to(title, MAX_LENGTH);
    if slug.is_empty() { "page".to_owned() } else { slug }
}

fn by_old_rule_up_to(title: &str, max: usize) -> String {
    let mut slug = String::with_capacity(title.len());
    let mut length = 0;
    for c in title.chars().flat_map(char::to_lowercase) {
        if length == max {
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
    slug
}

/// The slug of a name of any length. A hash of the rest is at the end of one that is too long, so that it is not the
/// slug of another name with the same beginning. None if the name has no letter or digit.
pub fn slugify_name(name: &str) -> Option<String> {
    /// A hyphen and 16 hexadecimal digits.
    const HASH: usize = 17;
    let slug = slugify_whole(name);
    match slug.chars().count() {
        0 => None,
        length if length <= MAX_LENGTH => Some(slug),
        _ => Some(format!("{}-{:016x}", cut(&slug, MAX_LENGTH - HASH), hash(&slug))),
    }
}

/// FNV-1a with 64 bits. It must be the same in every version, as it is in names that are kept, and need not be secure.
pub fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The slug for page `id` if other pages have `slug` and the `number` - 1 that come before this one: with the page's number
/// behind it, and from the second on a number more. As the component's statements make them.
pub fn numbered(slug: &str, id: i64, number: u32) -> String {
    let suffix = match number {
        0 => return slug.to_owned(),
        1 => format!("-{id}"),
        _ => format!("-{id}-{number}"),
    };
    format!("{}{suffix}", cut(slug, MAX_LENGTH.saturating_sub(suffix.len())))
}

/// Whether page `id` has `slug` from its title, with or without a number behind it.
pub fn is_of_title(slug: &str, title: &str, id: i64) -> bool {
    [slugify(title), by_old_rule(title)].iter().any(|made| (0..=9).any(|number| numbered(made, id, number) == slug))
}

/// Whether `text` is a slug as [`slugify`] makes them.
pub fn is_slug(text: &str) -> bool {
    slugify(text) == text
}

/// Whether a page may have `text` as its slug: as [`slugify`] makes them, or as they were made once.
pub fn is_accepted(text: &str) -> bool {
    let was_slug = || text.chars().count() <= MAX_ACCEPTED && by_old_rule_up_to(text, MAX_ACCEPTED) == text;
    is_slug(text) || (!text.is_empty() && was_slug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

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
            ("İstanbul", "istanbul"),
            ("I\u{307}stanbul", "istanbul"),
            ("ΟΔΟΣ Α", "οδος-α"),
            ("เก่า", "เก่า"),
            ("हिन्दी", "हिन्दी"),
            ("❤\u{fe0f} a\u{fe0f}b", "ab"),
            ("\u{301}a - \u{301}b", "a-b"),
        ] {
            assert_eq!(slugify(title), slug, "{title:?}");
        }
    }

    #[test]
    fn marks_belong_to_letters() {
        assert_ne!(slugify("เก่า"), slugify("เก้า"));
        for (composed, decomposed) in
            [("Café", "Cafe\u{301}"), ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}")]
        {
            assert_eq!(slugify(composed), slugify(decomposed));
            assert!(is_slug(&slugify(decomposed)) && slugify(composed).nfc().eq(slugify(composed).chars()));
        }
    }

    #[test]
    fn what_browsers_change_in_an_address_is_no_slug() {
        for text in [".", "..", "-", "%2e", "a/b", "A", "", "a--b", "-a", "a-", "e\u{301}"] {
            assert!(!is_slug(text) && !is_accepted(text), "{text:?}");
        }
    }

    #[test]
    fn slugs_that_were_made_once_are_accepted() {
        let long = format!("{}-1234", "a".repeat(100));
        for slug in [&long, "เก-า", "οδοσ", "\u{1112}\u{1161}"] {
            assert!(is_accepted(slug), "{slug:?}");
        }
        assert!(!is_slug(&long) && !is_accepted(&"a".repeat(121)));
    }

    #[test]
    fn slugs_of_titles_are_known_with_and_without_numbers() {
        for slug in ["deploying", "deploying-7", "deploying-7-2"] {
            assert!(is_of_title(slug, "Deploying!", 7), "{slug}");
        }
        for slug in ["deploying-8", "how-we-deploy", "deploying-7-", "deploy"] {
            assert!(!is_of_title(slug, "Deploying!", 7), "{slug}");
        }
        assert!(is_of_title("เก-า", "เก่า", 7));
        let long = "a".repeat(150);
        assert_eq!(numbered(&slugify(&long), 1234, 1), format!("{}-1234", "a".repeat(95)));
        assert!(is_of_title(&numbered(&slugify(&long), 1234, 2), &long, 1234));
    }

    #[test]
    fn long_names_have_slugs_of_their_own() {
        let name = |last: &str| format!("{}/{last}", "folder/".repeat(20));
        let (one, two) = (slugify_name(&name("one")).unwrap(), slugify_name(&name("two")).unwrap());
        assert_ne!(one, two);
        assert!(is_slug(&one) && one.starts_with("folder-folder-"), "{one}");
        assert_eq!(slugify_name("a/b").as_deref(), Some("a-b"));
        assert_eq!(slugify_name("???"), None);
    }

    proptest! {
        #[test]
        fn a_slug_is_its_own_slug(title in proptest::collection::vec(any::<char>(), 0..300)) {
            check(&title.into_iter().collect::<String>())?;
        }

        #[test]
        fn so_is_one_with_marks(title in "[a-eIİiΣσßเก่้áé'’한가\u{300}-\u{30f}\u{323}\u{34f}\u{fe0f} -]{0,150}") {
            check(&title)?;
        }
    }

    fn check(title: &str) -> Result<(), TestCaseError> {
        let slug = slugify(title);
        prop_assert!(is_slug(&slug), "{slug:?} of {title:?}");
        prop_assert!(slug.chars().count() <= MAX_LENGTH);
        prop_assert!(!slug.contains(['/', '?', '#', '%', ' ']));
        prop_assert!(is_accepted(&by_old_rule(title)));
        // As the wiki adds numbers to slugs.
        for number in 0..3 {
            let numbered = numbered(&slug, 1234, number);
            prop_assert!(is_slug(&numbered) && is_of_title(&numbered, title, 1234), "{numbered:?}");
        }
        if let Some(slug) = slugify_name(title) {
            prop_assert!(is_slug(&slug), "{slug:?} of {title:?}");
        }
        // Titles that Unicode calls equivalent are one.
        prop_assert_eq!(slugify(&title.nfd().collect::<String>()), slug);
        Ok(())
    }
}
