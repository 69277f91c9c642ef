//! What a page shows, as text without markup: what a search looks at, and what its excerpts show.

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

use super::wiki_link::Target;
use super::{emoji, html, parse, split};

/// The text of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plain {
    /// What it shows, a line for each block.
    pub text: String,
    /// What it has, but does not show: where links lead and the languages of code.
    pub aside: String,
}

/// The text that `markdown` shows.
pub fn plain(markdown: &str) -> Plain {
    let (formatted, rest) = split(markdown);
    let mut plain = Plain::default();
    // The open links and images: where in the text they begin, and the page a wiki link names.
    let mut links: Vec<(usize, CowStr<'_>)> = Vec::new();
    let mut in_code = false;
    for (event, _) in parse(formatted) {
        match event {
            Event::Text(piece) if in_code => plain.text.push_str(&piece),
            Event::Text(piece) => plain.text.push_str(&emoji::replaced(&piece)),
            Event::Code(piece) | Event::InlineMath(piece) | Event::DisplayMath(piece) => plain.text.push_str(&piece),
            Event::Html(html) | Event::InlineHtml(html) => plain.html(&html),
            Event::SoftBreak | Event::HardBreak => plain.text.push(' '),
            Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) => {
                let name = if let LinkType::WikiLink { .. } = link_type {
                    dest_url
                } else {
                    plain.note(&dest_url);
                    CowStr::Borrowed("")
                };
                links.push((plain.text.len(), name));
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some((_, name)) = links.pop().filter(|(start, _)| *start == plain.text.len()) {
                    let target = Target::parse(&name);
                    let words = target.and_then(|target| target.words);
                    plain.text.push_str(words.as_deref().unwrap_or(&name));
                }
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                if let pulldown_cmark::CodeBlockKind::Fenced(language) = kind {
                    plain.note(&language);
                }
                plain.end_line();
            }
            Event::End(TagEnd::CodeBlock) => {
                in_code = false;
                plain.end_line();
            }
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
            _ => plain.end_line(),
        }
    }
    plain.end_line();
    plain.text.push_str(rest);
    plain
}

impl Plain {
    /// Ends a line, unless it is empty.
    fn end_line(&mut self) {
        let end = self.text.trim_end_matches([' ', '\n']).len();
        self.text.truncate(end);
        if end > 0 {
            self.text.push('\n');
        }
    }

    fn note(&mut self, text: &str) {
        if !text.is_empty() {
            self.aside.push_str(text);
            self.aside.push('\n');
        }
    }

    /// Adds what raw HTML shows. What is no HTML for a page is shown as it is written.
    fn html(&mut self, html: &str) {
        let Some(pieces) = html::pieces(html) else { return self.text.push_str(html) };
        for piece in pieces {
            match piece {
                html::Piece::Text(text) => self.text.push_str(text),
                html::Piece::Start(html::Element::Inline(_) | html::Element::Span, _)
                | html::Piece::End(html::Element::Inline(_) | html::Element::Span)
                | html::Piece::Comment => {}
                html::Piece::Start(..) | html::Piece::End(_) => self.end_line(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_what_a_page_shows() {
        for (markdown, text, aside) in [
            ("# A *title*\n\nSome **bold** `code`,\nand more.", "A title\nSome bold code, and more.\n", ""),
            (
                "See [the docs](https://example.org/x) and [[Home]].",
                "See the docs and Home.\n",
                "https://example.org/x\n",
            ),
            ("- one\n- [ ] two\n\n| a | b |\n|---|---|\n| c | d |", "one\ntwo\na\nb\nc\nd\n", ""),
            ("```rust\nfn main() {}\n```", "fn main() {}\n", "rust\n"),
            ("<b>me</b><!-- not --> :tada: <T>", "me 🎉 <T>\n", ""),
            ("![a cat](cat.png)", "a cat\n", "cat.png\n"),
            ("", "", ""),
        ] {
            assert_eq!(plain(markdown), Plain { text: text.into(), aside: aside.into() }, "{markdown}");
        }
    }

    proptest! {
        #[test]
        fn any_markdown_has_a_text(markdown in "[-#*_`<>\\[\\]()!|:a\\n ]{0,80}") {
            prop_assert!(plain(&markdown).text.len() <= 4 * markdown.len() + 1);
        }
    }
}
