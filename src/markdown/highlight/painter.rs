//! The text of a block on its way to HTML, in colors.

use std::mem;

use super::escape;

/// What a piece of code is, and so its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Keyword,
    String,
    Number,
    Comment,
    /// The name of what is called, or a key of data.
    Name,
}

impl Class {
    fn tag(self) -> &'static str {
        match self {
            Self::Keyword => "<span class=\"k\">",
            Self::String => "<span class=\"s\">",
            Self::Number => "<span class=\"n\">",
            Self::Comment => "<span class=\"c\">",
            Self::Name => "<span class=\"f\">",
        }
    }
}

/// Writes a block of code from its start to its end. It knows what it has written, so that nothing can be lost or come
/// twice, whatever a lexer says of it.
pub struct Painter<'a, 'o> {
    out: &'o mut String,
    source: &'a str,
    /// What was written.
    written: usize,
    /// What was seen: beyond `written`, white space, which is written with what follows.
    seen: usize,
    open: Option<Class>,
    pieces: &'o mut usize,
}

impl<'a, 'o> Painter<'a, 'o> {
    pub fn new(out: &'o mut String, source: &'a str, pieces: &'o mut usize) -> Self {
        Self { out, source, written: 0, seen: 0, open: None, pieces }
    }

    /// The whole block.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// What stands between `start` and `end` is of this class; what was before is text without one.
    pub fn paint(&mut self, start: usize, end: usize, class: Class) {
        self.up_to(start, None);
        self.up_to(end, Some(class));
    }

    /// Writes what is left.
    pub fn finish(mut self) {
        self.up_to(self.source.len(), None);
        self.close();
        escape::push(self.out, &self.source[self.written..]);
    }

    fn up_to(&mut self, end: usize, class: Option<Class>) {
        let end = self.source.ceil_char_boundary(end);
        if end <= self.seen {
            return;
        }
        if class.is_none() && self.source[self.seen..end].trim_ascii().is_empty() {
            self.seen = end;
            return;
        }
        // White space has no color: what comes after it goes on with the one that was before it.
        if class != self.open {
            self.close();
            escape::push(self.out, &self.source[self.written..self.seen]);
            self.written = self.seen;
            self.open = class.filter(|_| *self.pieces > 0);
            if let Some(class) = self.open {
                self.out.push_str(class.tag());
                *self.pieces -= 1;
            }
        }
        escape::push(self.out, &self.source[self.written..end]);
        (self.written, self.seen) = (end, end);
    }

    fn close(&mut self) {
        if mem::take(&mut self.open).is_some() {
            self.out.push_str("</span>");
        }
    }
}
