//! The rules for titles, slugs, tags, names and times.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::invisible::is_ignorable;
pub use crate::normal_form::composed;
use crate::slug;

/// What to change in a text that does not keep to its rule.
pub type Wrong = Cow<'static, str>;

/// The most bytes a page's content may have.
pub const MAX_CONTENT: usize = 1 << 20;
/// The most characters of a title.
pub const MAX_TITLE: usize = 200;
/// The most tags of one page.
pub const MAX_TAGS: usize = 20;
/// The most characters of a tag.
pub const MAX_TAG: usize = 50;
/// The most characters of a comment.
pub const MAX_COMMENT: usize = 500;
/// The most characters of a username.
pub const MAX_USERNAME: usize = 64;
/// The most characters of a user's name.
pub const MAX_NAME: usize = 200;

/// The most items of a page of a list: `?limit=`.
pub const MAX_LIMIT: usize = 200;

/// The most characters of an `Idempotency-Key`, which are visible ASCII.
pub const MAX_IDEMPOTENCY_KEY: usize = 200;

/// What is wrong with a text that shows nothing.
pub const BLANK: &str = "must not be blank";

/// A line of 1 to `MAX` characters, no control characters among them, that shows something.
pub fn line<const MAX: usize>(text: &str) -> Result<(), Wrong> {
    let length = text.chars().count();
    if is_blank(text) {
        Err(BLANK.into())
    } else if length > MAX {
        Err(format!("may have at most {MAX} characters, not {length}").into())
    } else if text.chars().any(char::is_control) {
        Err("must not contain control characters".into())
    } else {
        Ok(())
    }
}

/// Whether `text` shows nothing: it is empty, or all white space, control characters and what fonts leave out.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_ignorable(c))
}

/// Text of any length and any characters but those that [`control`] finds.
pub fn text(text: &str) -> Result<(), Wrong> {
    match control(text) {
        Some((line, code)) => Err(format!("must not contain the control character U+{code:04X} (line {line})").into()),
        None => Ok(()),
    }
}

/// The line, from 1, and the code of the first control character below U+0020 other than tab, line feed and carriage
/// return: PostgreSQL cannot store U+0000, and XML (the feed) none of the others.
pub fn control(text: &str) -> Option<(usize, u8)> {
    let at = text.bytes().position(|b| b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r'))?;
    Some((text[..at].matches('\n').count() + 1, text.as_bytes()[at]))
}

/// A page's title.
pub fn title(text: &str) -> Result<(), Wrong> {
    line::<MAX_TITLE>(text)
}

/// A page's name in URLs, as [`slug::slugify`] makes them or once made them.
pub fn slug(text: &str) -> Result<(), Wrong> {
    if slug::is_accepted(text) {
        Ok(())
    } else {
        Err(format!("is not a slug; {:?} would be", slug::slugify(text)).into())
    }
}

/// Why an edit was made: one line, or nothing.
pub fn comment(text: &str) -> Result<(), Wrong> {
    if text.is_empty() { Ok(()) } else { line::<MAX_COMMENT>(text) }
}

/// One tag: a line without a comma, and no dot segment: browsers take `/wiki/-/tags/..` for `/wiki/-/` before they ask,
/// however the dots are escaped (RFC 3986, 5.2.4, and the URL standard of the WHATWG).
pub fn tag(text: &str) -> Result<(), Wrong> {
    match text.trim() {
        "." | ".." => Err("must not be one or two points alone".into()),
        _ if text.contains(',') => Err("must not contain a comma".into()),
        _ => line::<MAX_TAG>(text),
    }
}

/// A title as people compare titles: in whatever case, with whatever white space.
pub fn folded_title(title: &str) -> String {
    let words: Vec<&str> = title.split_whitespace().collect();
    composed(&composed(&words.join(" ")).to_lowercase()).into_owned()
}

/// A tag as the wiki keeps it: tags differ by more than case and surrounding space.
pub fn normal_tag(tag: &str) -> String {
    composed(&composed(tag.trim()).to_lowercase()).into_owned()
}

/// Tags as the wiki keeps them, each once.
pub fn normal_tags(tags: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = normal_tag(tag);
        if !distinct.contains(&tag) {
            distinct.push(tag);
        }
    }
    distinct
}

/// A username: it goes into URLs as it is.
pub fn username(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=MAX_USERNAME).contains(&text.len()) && text.chars().all(allowed) {
        Ok(())
    } else {
        Err(format!("must be 1 to {MAX_USERNAME} letters, digits, points, underscores or hyphens").into())
    }
}

/// What a user is called.
pub fn name(text: &str) -> Result<(), Wrong> {
    line::<MAX_NAME>(text)
}

/// The instant that RFC 3339 writes as `text`, if it is from 1970 on and not after `now`.
///
/// No page on a computer is older. What says so was read from a clock that was never set, or in the wrong unit.
pub fn past(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Wrong> {
    match DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()) {
        Ok(time) if (DateTime::UNIX_EPOCH..=now).contains(&time) => Ok(time),
        Ok(_) => Err("must not be in the future, or before 1970-01-01T00:00:00Z".into()),
        Err(_) => Err("must be a time as RFC 3339 writes it, as in 2026-01-31T23:59:59Z".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usernames_are_short_and_plain() {
        for name in ["a", "dockertest", "A.b_c-9", &"x".repeat(64)] {
            assert!(username(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "é", "a/b", "a\0", "<b>", &"x".repeat(65)] {
            assert!(username(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_line_shows_something() {
        for text in
            ["", " ", "\u{202e}", "\u{200b}\u{feff}", " \u{3164}\t", "\u{ad}", "\u{e0041}", "\u{a0}\u{2003}", "\0"]
        {
            assert!(is_blank(text), "{text:?}");
            assert_eq!(line::<50>(text), Err("must not be blank".into()), "{text:?}");
        }
        for text in ["a", "\u{202e}a", "👩‍💻", "❤\u{fe0f}", "ـ", "\u{301}", "."] {
            assert_eq!(line::<50>(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_tag_has_an_address_of_its_own() {
        for text in [".", "..", " .. ", "a,b", "", "\u{200b}"] {
            assert!(tag(text).is_err(), "{text:?}");
        }
        for text in ["...", ".net", "c..", "a/b", "%2e", "#"] {
            assert!(tag(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn tags_are_folded_and_kept_in_order() {
        assert_eq!(normal_tags(&["Rust".into(), " wasm ".into(), "rust".into()]), ["rust", "wasm"]);
        assert_eq!(normal_tags(&["E\u{301}tude".into(), "étude".into()]), ["étude"]);
    }

    #[test]
    fn titles_are_compared_as_people_do() {
        for (one, other) in [("Über uns", "  ÜBER\u{a0} uns "), ("Cafe\u{301}", "CAFÉ"), ("ΟΔΟΣ", "οδος")] {
            assert_eq!(folded_title(one), folded_title(other));
            // Both are looked for by their slugs.
            assert_eq!(slug::slugify(one), slug::slugify(other));
        }
        for (one, other) in [("C++", "C#"), ("a b", "ab"), ("a-b", "a b"), ("เก่า", "เก้า")] {
            assert_ne!(folded_title(one), folded_title(other));
        }
    }

    #[test]
    fn a_time_is_past_and_well_written() {
        let now = DateTime::parse_from_rfc3339("2026-11-22T10:00:00Z").unwrap().to_utc();
        for (text, read) in [
            ("2026-01-31T23:59:59+02:00", true),
            ("2026-11-22T10:00:00Z", true),
            ("1970-01-01T00:00:00Z", true),
            ("1970-01-01T01:00:00+02:00", false),
            ("1969-12-31T23:59:59Z", false),
            ("0001-01-01T00:00:00Z", false),
            ("2026-11-22T10:00:00.000001Z", false),
            ("9999-01-01T00:00:00Z", false),
            ("0000-01-01T00:00:00Z", false),
            ("2026-02-30T00:00:00Z", false),
            ("yesterday", false),
        ] {
            assert_eq!(past(text, now).is_ok(), read, "{text}");
        }
    }

    #[test]
    fn a_control_character_is_found_in_its_line() {
        assert_eq!(control("one\n\r\ttwo\n\u{b}"), Some((3, 0xb)));
        assert_eq!(control("\0"), Some((1, 0)));
        assert_eq!(control("é\u{7f}\u{85}\n"), None);
    }

    proptest! {
        #[test]
        fn titles_that_people_take_for_one_have_one_slug(title in "[a-cA-CΣσςßİıé\u{301}ก่ \u{a0}\t#+-]{0,30}") {
            let folded = folded_title(&title);
            prop_assert_eq!(slug::slugify(&folded), slug::slugify(&title));
            prop_assert_eq!(folded_title(&folded), folded);
        }

        #[test]
        fn accepted_lines_hold_no_control_characters(text in any::<String>()) {
            if line::<50>(&text).is_ok() {
                prop_assert!(!text.chars().any(char::is_control) && text.chars().count() <= 50);
            }
        }
    }
}
