//! The title of a text.

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};
use wiki_types::rules::{self, MAX_TITLE};

use super::{emoji, html, parse, unmarked};

/// How many bytes are looked at: a title further down would be none, and a long text is not read for it.
const BEGINNING: usize = 64 << 10;

/// The title of a page that was given none: its first heading, else its first line with a letter or digit, else its
/// first line that shows anything, else `Untitled`. It is text, without markup.
pub fn title_of(content: &str) -> String {
    let content = unmarked(content);
    let content = &content[..content.floor_char_boundary(BEGINNING)];
    let lines = || content.lines().map(str::trim).filter(|line| !rules::is_blank(line));
    let has_word = |line: &&str| line.chars().any(char::is_alphanumeric);
    let title = first_text(content);
    let title = title.as_deref().or_else(|| lines().find(has_word)).or_else(|| lines().next()).unwrap_or_default();
    let title = emoji::replaced(title);
    let title: String = rules::composed(&title).chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect();
    let title = title.trim();
    if rules::is_blank(title) { "Untitled".to_owned() } else { title.to_owned() }
}

/// The text of the first heading that shows anything, or else of the first line that has a letter or digit.
fn first_text(content: &str) -> Option<String> {
    let mut line = None;
    let mut text = String::new();
    let mut in_heading = false;
    // Headings there are not the page's.
    let mut quotes = 0;
    // The open links and images: where in the text they begin, and the page a wiki link names.
    let mut links: Vec<(usize, CowStr<'_>)> = Vec::new();
    for (event, _) in parse(content) {
        match event {
            Event::Text(piece) if in_heading => text.push_str(&piece),
            Event::Text(piece) => {
                // A block of code comes in lines.
                for (number, piece) in piece.split('\n').enumerate() {
                    if number > 0 {
                        keep(&mut line, &mut text);
                    }
                    text.push_str(piece);
                }
            }
            Event::Code(piece) => text.push_str(&piece),
            // As it is written: a title is text.
            Event::InlineMath(piece) => text.extend(["$", &piece, "$"]),
            Event::DisplayMath(piece) => text.extend(["$$", &piece, "$$"]),
            Event::InlineHtml(tag) if html::pieces(&tag).is_none() => text.push_str(&tag),
            Event::InlineHtml(_) => {}
            Event::SoftBreak | Event::HardBreak if in_heading => text.push(' '),
            Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) => {
                let name = if let LinkType::WikiLink { .. } = link_type { dest_url } else { CowStr::Borrowed("") };
                links.push((text.len(), name));
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some((_, name)) = links.pop().filter(|(start, _)| *start == text.len()) {
                    text.push_str(&name);
                }
            }
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
            Event::End(TagEnd::Heading(_)) if in_heading => {
                in_heading = false;
                if !rules::is_blank(&text) {
                    return Some(text);
                }
                text.clear();
            }
            other => {
                keep(&mut line, &mut text);
                match other {
                    Event::Start(Tag::Heading { .. }) => in_heading = quotes == 0,
                    Event::Start(Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)) => quotes += 1,
                    Event::End(TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition) => quotes -= 1,
                    _ => {}
                }
            }
        }
    }
    keep(&mut line, &mut text);
    line
}

/// Takes a line that has ended, if it is the first with a letter or digit.
fn keep(line: &mut Option<String>, text: &mut String) {
    let text = std::mem::take(text);
    if line.is_none() && text.chars().any(char::is_alphanumeric) {
        *line = Some(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::render;
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
            // As the page shows it.
            ("```sh\n# install it\nmake\n```\n\n# Installation", "Installation"),
            ("    # code\n\n~~~\n# code\n~~~\n\ntext", "# code"),
            ("```sh\n# install it\n```", "# install it"),
            ("Set\next\n---\n\n# Later", "Set ext"),
            ("Title\n=====\n", "Title"),
            ("# C#", "C#"),
            ("# C# #", "C#"),
            ("\u{feff}# Marked", "Marked"),
            ("   # Indented\n", "Indented"),
            ("# **Bold** `code` [link](/x) &amp; ![image](/x.png)", "Bold code link & image"),
            ("# [[Page]] and [[Other|text]]", "Page and text"),
            ("> # Quoted\n\nOwn\n", "Quoted"),
            ("> # Quoted\n\n# Own\n", "Own"),
            ("<!-- # hidden -->\n\ntext", "text"),
            ("- *one* item\n- two", "one item"),
            ("# Cafe\u{301}", "Café"),
        ] {
            assert_eq!(title_of(content), title, "{content:?}");
        }
    }

    #[test]
    fn the_heading_that_gives_the_title_is_not_shown_again() {
        for content in ["\u{feff}# C#", "Title\n===\n", "  # *Bold* title ##", "# Cafe\u{301}"] {
            let page = render(&format!("{content}\n\ntext"), &title_of(content), |name| Some(name.to_owned()));
            assert_eq!(page.html, "<p>text</p>\n", "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn every_content_has_a_valid_title(content in any::<String>()) {
            let title = title_of(&content);
            prop_assert!(rules::title(&title).is_ok(), "{title:?}");
        }

        #[test]
        fn so_has_one_with_markup(content in "[#a`~>*=_|\\[\\]()<!\\-\\\\ \n]{0,60}") {
            let title = title_of(&content);
            prop_assert!(rules::title(&title).is_ok(), "{title:?} of {content:?}");
        }
    }
}
