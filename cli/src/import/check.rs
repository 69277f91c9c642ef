//! What the wiki would refuse, found before anything is sent: its own rules, with the file's line.

use chrono::{DateTime, Utc};
use wiki_types::rules;
use wiki_types::rules::{MAX_TAGS, Wrong};

use super::scan::Reason;
use crate::front_matter::Document;

/// The first thing in a file that the wiki would refuse, when it is `now`.
pub fn check(document: &Document<'_>, front_matter: &str, now: DateTime<Utc>) -> Result<(), Reason> {
    let Document { front, lines, content } = document;
    let said = |line: usize, field: &str, result: Result<(), Wrong>| {
        result.map_err(|message| (Some(line), format!("{field}: {message}")))
    };
    if let Some(title) = &front.title {
        said(lines.title, "title", rules::title(title))?;
    }
    if let Some(slug) = &front.slug {
        said(lines.slug, "slug", rules::slug(slug))?;
    }
    if let Some(tags) = &front.tags {
        if tags.len() > MAX_TAGS {
            said(lines.tags, "tags", Err(format!("may have at most {MAX_TAGS} items").into()))?;
        }
        for tag in tags {
            said(lines.tags, "tags", rules::tag(tag).map_err(|message| format!("{tag:?} {message}").into()))?;
        }
    }
    if let Some(author) = &front.author {
        said(lines.author, "author", rules::username(author).or_else(|_| rules::name(author)))?;
    }
    if let Some(time) = &front.time {
        said(lines.time, "time", rules::past(time, now).map(drop))?;
    }
    if let Some((line, code)) = rules::control(content) {
        let line = front_matter.matches('\n').count() + line;
        return Err((Some(line), format!("must not contain the control character U+{code:04X}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn reason(text: &str) -> Option<Reason> {
        let document = Document::parse(text).unwrap();
        let start = text.len() - document.content.len();
        check(&document, &text[..start], SystemTime::now().into()).err()
    }

    #[test]
    fn what_the_wiki_refuses_is_found_in_its_line() {
        let long = |n| "x".repeat(n);
        for (text, line, start) in [
            (format!("---\ntitle: {}\n---\n", long(201)), 2, "title: may have at most 200"),
            ("---\ntitle: ''\n---\n".into(), 2, "title: must not be blank"),
            ("---\nslug: a\ntitle: \"a\\0b\"\n---\n".into(), 3, "title: must not contain control"),
            ("---\n\nslug: Not A Slug\n---\n".into(), 3, "slug: is not a slug; \"not-a-slug\" would be"),
            ("---\ntags: [a, 'b,c']\n---\n".into(), 2, "tags: \"b,c\" must not contain a comma"),
            ("---\nslug: a\ntags: ..\n---\n".into(), 3, "tags: \"..\" must not be one or two points"),
            (format!("---\ntags: [{}]\n---\n", "a, ".repeat(21)), 2, "tags: may have at most 20"),
            ("---\nauthor: \"a\\nb\"\n---\n".into(), 2, "author: must not contain control"),
            ("---\nauthor: ''\n---\n".into(), 2, "author: must not be blank"),
            ("---\nlayout: x\ntime: 9999-01-01T00:00:00Z\n---\n".into(), 3, "time: must not be in the future"),
            ("---\ntitle: x\n---\none\ntwo\0\n".into(), 5, "must not contain the control character U+0000"),
            ("one\n\u{1b}[31m".into(), 2, "must not contain the control character U+001B"),
        ] {
            let (found, message) = reason(&text).unwrap_or_else(|| panic!("{text:?} is taken"));
            assert!(found == Some(line) && message.starts_with(start), "{text:?}: {found:?} {message}");
        }
    }

    #[test]
    fn what_the_wiki_takes_is_taken() {
        for text in [
            "",
            "text\twith\r\nends\u{85}",
            "---\ntitle: x\nslug: größe\ntags: [a b, c/d]\nauthor: Ada Lovelace\ntime: 2001-02-03T04:05:06+02:00\n---\n",
            "---\ntags: []\nauthor: ada\n---\n",
        ] {
            assert_eq!(reason(text), None, "{text:?}");
        }
    }
}
