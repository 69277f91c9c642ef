//! The Markdown of the wiki, as far as an import has to understand it.

use std::ops::Range;
use std::path::Path;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use wiki_types::rules;

/// How much of a text is looked at for its title, as in the wiki.
const BEGINNING: usize = 64 << 10;

/// A parser for what the wiki reads as Markdown.
pub fn parser(text: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_WIKILINKS;
    Parser::new_ext(text, options)
}

/// Whether the name of a file says that it is Markdown.
pub fn is_markdown(path: &Path) -> bool {
    let is_ending = |ending: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(ending));
    is_ending("md") || is_ending("markdown")
}

/// Whether a heading gives the text its title; with `only_first_level`, one of level 1.
pub fn has_title(text: &str, only_first_level: bool) -> bool {
    let text = &text[..text.floor_char_boundary(BEGINNING)];
    let (mut in_heading, mut quotes) = (false, 0);
    for event in parser(text) {
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)) => quotes += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition) => quotes -= 1,
            Event::Start(Tag::Heading { level, .. }) => {
                in_heading = quotes == 0 && (level == HeadingLevel::H1 || !only_first_level);
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(text) | Event::Code(text) if in_heading && !rules::is_blank(&text) => return true,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                if in_heading && !rules::is_blank(&dest_url) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// The parts of a text that are code, in order.
pub fn code(text: &str) -> Vec<Range<usize>> {
    let is_code = |event: &Event<'_>| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_)));
    parser(text).into_offset_iter().filter(|(event, _)| is_code(event)).map(|(_, range)| range).collect()
}

/// The lines under a first heading that begins the text, up to an empty line.
pub fn under_title(text: &str) -> &str {
    let Some(rest) = text.trim_start().strip_prefix("# ").and_then(|it| it.split_once('\n')) else { return "" };
    let rest = rest.1.trim_start_matches(['\r', '\n']);
    let end = rest.find("\n\n").or_else(|| rest.find("\n\r\n")).unwrap_or(rest.len());
    &rest[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_give_titles() {
        for (text, any, first) in [
            ("# A", true, true),
            ("text\n\n## B", true, false),
            ("A\n=", true, true),
            ("# \n\ntext", false, false),
            ("> # A", false, false),
            ("```\n# A\n```", false, false),
            ("# [[A]]", true, true),
            ("text", false, false),
        ] {
            assert_eq!((has_title(text, false), has_title(text, true)), (any, first), "{text:?}");
        }
    }

    #[test]
    fn properties_are_under_the_title() {
        assert_eq!(under_title("# A\n\nTags: x\nStatus: y\n\nText"), "Tags: x\nStatus: y");
        assert_eq!(under_title("# A\r\n\r\nTags: x\r\n\r\nText"), "Tags: x\r");
        assert_eq!(under_title("Text\n\nTags: x"), "");
    }
}
