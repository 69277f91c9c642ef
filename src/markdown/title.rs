//! The title of a text.

use wiki_types::rules::{self, MAX_TITLE};

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
