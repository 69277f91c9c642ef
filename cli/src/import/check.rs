//! The wiki's rules, checked before anything is sent, so that an error has its line.

use wiki_types::Time;
use wiki_types::rules::{self, MAX_TAGS, Wrong};

use super::failure::FileError;
use crate::front_matter::Document;

/// Returns the first thing in a file that the wiki would refuse. `front_matter` is the text before the content.
pub fn check(document: &Document<'_>, front_matter: &str) -> Result<(), FileError> {
    let Document { front, lines, content } = document;
    let rule = |line: usize, field: &str, result: Result<(), Wrong>| {
        result.map_err(|message| FileError::at(line, format!("{field}: {message}")))
    };
    if let Some(title) = &front.title {
        rule(lines.title, "title", rules::title(title))?;
    }
    if let Some(slug) = &front.slug {
        rule(lines.slug, "slug", rules::slug(slug))?;
    }
    if let Some(tags) = &front.tags {
        if tags.len() > MAX_TAGS {
            rule(lines.tags, "tags", Err(format!("may have at most {MAX_TAGS} items").into()))?;
        }
        for tag in tags {
            rule(lines.tags, "tags", rules::tag(tag).map_err(|message| format!("{tag:?} {message}").into()))?;
        }
    }
    if let Some(author) = &front.author {
        rule(lines.author, "author", rules::username(author).or_else(|_| rules::name(author)))?;
    }
    if let Some(time) = &front.time {
        rule(lines.time, "time", Time::past(time).map(drop))?;
    }
    if let Some((line, code)) = rules::control(content) {
        let line = front_matter.matches('\n').count() + line;
        return Err(FileError::at(line, format!("must not contain the control character U+{code:04X}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<FileError> {
        let document = Document::parse(text).unwrap();
        let start = text.len() - document.content.len();
        check(&document, &text[..start]).err()
    }

    #[test]
    fn errors_have_their_line() {
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
            ("---\ntitle: x\ntime: yesterday\n---\n".into(), 3, "time: must be a time as RFC 3339"),
            ("---\ntime: 2026-05-01\n---\n".into(), 2, "time: must be a time as RFC 3339"),
            ("---\ntitle: x\n---\none\ntwo\0\n".into(), 5, "must not contain the control character U+0000"),
            ("one\n\u{1b}[31m".into(), 2, "must not contain the control character U+001B"),
        ] {
            let FileError { line: found, message } = error(&text).unwrap_or_else(|| panic!("{text:?} is accepted"));
            assert!(found == Some(line) && message.starts_with(start), "{text:?}: {found:?} {message}");
        }
    }

    #[test]
    fn valid_files_are_accepted() {
        for text in [
            "",
            "text\twith\r\nends\u{85}",
            "---\ntitle: x\nslug: größe\ntags: [a b, c/d]\nauthor: Ada Lovelace\ntime: 2001-02-03T04:05:06+02:00\n---\n",
            "---\ntags: []\nauthor: ada\n---\n",
        ] {
            assert_eq!(error(text), None, "{text:?}");
        }
    }
}
