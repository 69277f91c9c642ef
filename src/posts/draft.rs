//! What a client says of a page when it writes one, and the rules for it.

use http::StatusCode;
use wiki_types::rules;
use wiki_types::rules::{MAX_CONTENT, MAX_TAGS, MAX_TITLE};

use crate::json::Body;
use crate::problem::Problem;
use crate::time::Time;

/// A page, or an edit of one, as somebody sends it. What is not given stays as it is, or gets its default.
#[derive(Debug, Default)]
pub struct Draft {
    /// Who writes.
    pub user_id: Option<i64>,
    /// The page's title.
    pub title: Option<String>,
    /// Its name in URLs.
    pub slug: Option<String>,
    /// Its Markdown.
    pub content: String,
    /// Its tags, folded and each once.
    pub tags: Option<Vec<String>>,
    /// Why it is written so, or nothing.
    pub comment: String,
    /// The version this edit is based on.
    pub version: Option<i64>,
    /// When it was written, if that was elsewhere and earlier.
    pub created_time: Option<Time>,
}

impl Draft {
    /// The draft in `body`. 422 names everything that is wrong with it; 413 if the content is too long.
    pub fn read(mut body: Body) -> Result<Self, Problem> {
        let draft = Self {
            user_id: body.integer("user_id"),
            title: body.text("title", rules::title),
            slug: body.text("slug", rules::slug),
            content: body.required_text("content", rules::text).unwrap_or_default(),
            tags: body.texts("tags", MAX_TAGS, rules::tag).map(|tags| rules::normal_tags(&tags)),
            comment: body.text("comment", rules::comment).unwrap_or_default(),
            version: body.integer("version"),
            created_time: body.past("created_time"),
        };
        body.finish()?;
        if draft.content.len() > MAX_CONTENT {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The content has {} bytes; a page may have at most {MAX_CONTENT}. Split it.",
                    draft.content.len()
                ),
            ));
        }
        Ok(draft)
    }
}

/// The title of a page that was given none: its first heading, else its first line with a letter or digit, else its
/// first line that shows anything, else `Untitled`.
pub fn title_of(content: &str) -> String {
    let lines = || content.lines().map(str::trim).filter(|line| !rules::is_blank(line));
    let heading = lines().find_map(|line| {
        let text = line.trim_start_matches('#');
        // One to six hashes and a space (CommonMark, 4.2).
        let level = line.len() - text.len();
        let is_heading = (1..=6).contains(&level) && text.starts_with([' ', '\t']);
        Some(text.trim().trim_end_matches('#').trim()).filter(|text| is_heading && !rules::is_blank(text))
    });
    let words = || lines().find(|line| line.chars().any(char::is_alphanumeric));
    let title = heading.or_else(words).or_else(|| lines().next()).unwrap_or_default();
    let title: String = title.chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect();
    let title = title.trim();
    if rules::is_blank(title) { "Untitled".to_owned() } else { title.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_title_is_the_first_heading_or_line() {
        for (content, title) in [
            ("# Hello\n\ntext", "Hello"),
            ("intro\n\n## Second ##\n", "Second"),
            ("\n\n  first line  \nsecond", "first line"),
            ("#hashtag", "#hashtag"),
            ("####### seven", "####### seven"),
            ("", "Untitled"),
            ("\n \t\n", "Untitled"),
            ("\u{200b}\n\u{202e}", "Untitled"),
            ("# \u{200b}\n\ntext", "text"),
            ("# ##\n\ntext", "text"),
            ("\u{feff}\n***", "***"),
            ("#\u{85}", "#"),
            ("# \n\ntext", "text"),
            ("***\n\ntext", "text"),
            ("🎉\n", "🎉"),
        ] {
            assert_eq!(title_of(content), title, "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn every_content_has_a_valid_title(content in any::<String>()) {
            let title = title_of(&content);
            prop_assert!(rules::title(&title).is_ok(), "{title:?}");
        }
    }
}
