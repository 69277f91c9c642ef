//! The author's own HTML elements, written so that each ends where it may.
//!
//! An element ends at its end tag, or with the paragraph, item, quote or other element of Markdown that it began in.

use std::mem;

use pulldown_cmark::{Event, Parser};

use super::{MAX_NESTING, Writer};
use crate::markdown::escape;
use crate::markdown::html::{self, Element, Piece};

impl<F: Fn(&str) -> Option<String>> Writer<'_, F> {
    /// Writes a tag or comment in a line; as text if it is none of the page's.
    pub(super) fn inline_html(&mut self, html: &str) {
        let pieces = html::pieces(html);
        let Some([piece]) = pieces.as_deref() else { return self.inline("", html, "") };
        match *piece {
            Piece::Text(text) => self.inline("", text, ""),
            Piece::Start(Element::Inline(name), _) => self.open(name),
            Piece::End(Element::Inline(name)) => self.close(name),
            Piece::Start(Element::Break("br"), _) => self.inline("<br>\n", "", ""),
            Piece::Start(Element::Break(_), _) if self.alt.is_none() => self.out.push_str("<wbr>"),
            // Of blocks, which have no place in a line, the content is shown.
            Piece::Start(..) | Piece::End(_) | Piece::Comment => {}
        }
    }

    /// Writes the block of HTML that ends here; as code if it has a tag that is none of the page's.
    pub(super) fn html_block(&mut self) {
        let html = mem::take(&mut self.html).replace("\r\n", "\n");
        let Some(pieces) = html::pieces(&html) else {
            self.out.push_str("<pre tabindex=\"0\"><code class=\"language-html\">");
            escape::push(&mut self.out, &html);
            return self.out.push_str("</code></pre>\n");
        };
        let mut block = Block::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.block_text(text, &mut block),
                Piece::Start(Element::Inline(name), _) => {
                    self.begin_line(&mut block);
                    self.open(name);
                }
                Piece::End(Element::Inline(name)) => self.close(name),
                Piece::Start(Element::Break(name), _) => {
                    self.begin_line(&mut block);
                    self.out.extend(["<", name, ">"]);
                }
                Piece::Start(Element::Rule, _) => {
                    self.end_line(&mut block);
                    self.out.push_str("<hr>\n");
                }
                Piece::Start(Element::Details, attributes) => {
                    self.end_line(&mut block);
                    self.open("details");
                    if html::is_open(attributes) && self.out.ends_with("<details>") {
                        self.out.truncate(self.out.len() - 1);
                        self.out.push_str(" open>");
                    }
                    block.details = Some(self.out.len());
                }
                Piece::End(Element::Details) => {
                    self.end_line(&mut block);
                    self.close("details");
                }
                // The first thing of its details, or else it is a block like others.
                Piece::Start(Element::Summary, _) if block.details == Some(self.out.len()) => {
                    block.summary = Some(self.out.len());
                    self.open("summary");
                    block.text = self.out.len();
                }
                Piece::Start(..) | Piece::End(_) if block.summary.is_none() => self.end_line(&mut block),
                Piece::End(Element::Summary) => self.end_line(&mut block),
                Piece::Start(..) | Piece::End(_) | Piece::Comment => {}
            }
        }
        self.end_line(&mut block);
    }

    /// Begins a paragraph, where text would have none.
    fn begin_line(&mut self, block: &mut Block) {
        if !block.in_line && block.summary.is_none() {
            self.out.push_str("<p>");
            block.in_line = true;
        }
    }

    /// Ends the paragraph or the summary.
    fn end_line(&mut self, block: &mut Block) {
        self.close_lines();
        if let Some(start) = block.summary.take() {
            let is_empty = self.out[block.text.min(self.out.len())..].trim().is_empty();
            self.close("summary");
            if is_empty {
                // Nothing to press on: browsers show a word of their own.
                self.out.truncate(start);
            }
        } else if mem::take(&mut block.in_line) {
            self.out.truncate(self.out.trim_end().len());
            self.out.push_str("</p>\n");
        }
    }

    fn block_text(&mut self, text: &str, block: &mut Block) {
        let is_in = block.in_line || block.summary.is_some();
        if text.trim().is_empty() {
            self.out.push_str(if is_in { "\n" } else { "" });
            return;
        }
        self.begin_line(block);
        let text = if is_in { text } else { text.trim_start() };
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            escape::push(&mut self.out, &rest[..at]);
            rest = &rest[at..];
            let end = rest.bytes().take(MAX_REFERENCE).position(|b| b == b';').map_or(1, |end| end + 1);
            let (reference, after) = rest.split_at(end);
            escape::push(&mut self.out, &decoded(reference));
            rest = after;
        }
        escape::push(&mut self.out, rest);
    }

    /// Opens an element of the author's. Not in an image's description, and not too deep.
    fn open(&mut self, name: &'static str) {
        if self.alt.is_none() && self.nesting < MAX_NESTING && self.raw.len() < MAX_OPEN {
            self.raw.push((name, self.depth));
            self.nest(&["<", name, ">"].concat());
        }
    }

    /// Closes the element of that name which was opened last, with all that was opened in it. Nothing if there is none here.
    fn close(&mut self, name: &str) {
        let here = self.raw.iter().rev().take_while(|(_, depth)| *depth == self.depth);
        let Some(inside) = here.map(|(open, _)| *open).position(|open| open == name) else { return };
        for _ in 0..=inside {
            self.pop();
        }
    }

    /// Closes what was opened in the element that ends here.
    pub(super) fn close_raw(&mut self) {
        while self.raw.last().is_some_and(|(_, depth)| *depth >= self.depth) {
            self.pop();
        }
    }

    /// Closes parts of a line, before a block begins.
    pub(super) fn close_lines(&mut self) {
        while self
            .raw
            .last()
            .is_some_and(|(name, depth)| *depth >= self.depth && !matches!(*name, "details" | "summary"))
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((name, _)) = self.raw.pop() {
            let end = if matches!(name, "details" | "summary") { ">\n" } else { ">" };
            self.unnest(&["</", name, end].concat());
        }
    }
}

/// The most elements of the author's that are open at once: one that is never closed leaves room for Markdown's own.
const MAX_OPEN: usize = 20;

/// Where in a block of HTML the writer is.
#[derive(Default)]
struct Block {
    /// Whether a paragraph is open.
    in_line: bool,
    /// Where the output was when details had just begun.
    details: Option<usize>,
    /// Where the open summary starts.
    summary: Option<usize>,
    /// Where its text starts.
    text: usize,
}

/// The longest character reference.
const MAX_REFERENCE: usize = 40;

/// The character that a reference stands for; the text itself if it is none.
fn decoded(reference: &str) -> String {
    if !reference[1..].bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'#' | b';')) {
        return reference.to_owned();
    }
    let mut text = String::new();
    for event in Parser::new(reference) {
        if let Event::Text(piece) = event {
            text.push_str(&piece);
        }
    }
    text
}
