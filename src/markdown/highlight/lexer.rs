//! The lexer of all languages that consist of words, strings and comments, which is most of them.
//!
//! It goes through the bytes once and never back. All that it looks for is ASCII, and every byte beyond is part of a
//! word, so that pieces begin and end between characters.

mod strings;
mod words;

use std::ops::Range;

use super::languages::{Begin, Quote, Raw, Rules};
use super::painter::{Class, Painter};

pub struct Lexer<'r, 'p, 'a, 'o> {
    rules: &'r Rules,
    /// In order.
    keywords: Vec<&'r str>,
    painter: &'p mut Painter<'a, 'o>,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The last byte that is not white space, before the piece at hand.
    previous: u8,
    /// Whether the last piece is a keyword.
    after_keyword: bool,
    /// Whether the next word is the name of what is defined.
    defines: bool,
    /// Whether a statement begins here.
    begins: bool,
    /// Whether a loop of a shell has begun, whose list comes after `in`.
    takes_list: bool,
    /// How many braces are open.
    braces: usize,
    /// The strings that are open around the expression at hand, and how many brackets it has open.
    strings: Vec<(&'r Quote, usize)>,
    /// The word that the text ends with which a shell reads from the next line on.
    here: Option<&'a str>,
}

impl<'r, 'p, 'a, 'o> Lexer<'r, 'p, 'a, 'o> {
    /// A lexer for `part` of the painter's text, by these rules.
    pub fn new(rules: &'r Rules, painter: &'p mut Painter<'a, 'o>, part: Range<usize>) -> Self {
        let text = &painter.source()[..part.end];
        Self {
            rules,
            keywords: rules.keywords.split(' ').collect(),
            painter,
            text,
            bytes: text.as_bytes(),
            at: part.start,
            previous: 0,
            after_keyword: false,
            defines: false,
            begins: true,
            takes_list: false,
            braces: 0,
            strings: Vec::new(),
            here: None,
        }
    }

    /// Paints the part.
    pub fn run(mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => {
                    self.begins |= self.rules.separators.contains(&b'\n');
                    self.at += 1;
                    self.here_document();
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                _ => {
                    let start = self.at;
                    self.piece(byte);
                    // What ends with this piece, so that the next one sees it.
                    self.previous = self.bytes[self.at.max(start + 1).min(self.bytes.len()) - 1];
                    self.at = self.at.max(start + 1);
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn sees(&self, what: &str) -> bool {
        self.rest().starts_with(what.as_bytes())
    }

    /// Paints from `start` to here.
    fn paint(&mut self, start: usize, class: Class) {
        self.painter.paint(start, self.at, class);
        self.after_keyword = class == Class::Keyword;
    }

    /// What comes after this piece and the spaces after it.
    fn following(&self) -> &'a [u8] {
        let rest = self.rest();
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        &rest[spaces..]
    }

    fn is_word(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 || self.rules.in_words.contains(&byte)
    }

    fn begins_word(&self, byte: u8) -> bool {
        byte.is_ascii_alphabetic()
            || byte == b'_'
            || byte >= 0x80
            || (self.rules.in_words.contains(&byte) && matches!(byte, b'$' | b'/' | b'.' | b'-' | b'~' | b'+'))
    }

    fn skip_while(&mut self, is: impl Fn(u8) -> bool) {
        self.at += self.rest().iter().take_while(|byte| is(**byte)).count();
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| byte != b'\n');
    }

    /// Whether the line begins here, but for what is before this piece in it.
    fn is_first_column(&self) -> bool {
        self.at == 0 || self.bytes[self.at - 1] == b'\n'
    }

    fn piece(&mut self, byte: u8) {
        let start = self.at;
        if let Some((quote, depth)) = self.strings.last_mut() {
            let (open, close) = quote.brackets();
            if byte == close && *depth == 0 {
                let quote = *quote;
                self.strings.pop();
                self.at += 1;
                return self.string(start, quote);
            }
            *depth = if byte == open { *depth + 1 } else { *depth - usize::from(byte == close) };
        }
        if self.comment() {
            return;
        }
        if let Some(quote) = self.rules.quotes.iter().find(|quote| self.sees(quote.open)) {
            self.at += quote.open.len();
            return self.string(start, quote);
        }
        match byte {
            b'0'..=b'9' => self.number(),
            b'-' | b'.' | b'+' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.sign(byte),
            _ if self.begins_word(byte) => self.word(),
            b'\'' if self.rules.has_characters => self.character(start),
            b'/' if self.rules.has_regexes && self.may_be_regex() => self.regex(),
            b'#' if self.rules.has_directives && self.follows_line_start(start) => {
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_alphabetic());
                self.paint(start, Class::Keyword);
            }
            b'#' if self.rules.begin == Begin::Property && !self.begins => self.hex_color(),
            b'[' if self.rules.begin == Begin::Key && self.is_first_column() => {
                self.skip_while(|byte| !matches!(byte, b'\n' | b']'));
                self.skip_while(|byte| byte == b']');
                self.paint(start, Class::Keyword);
            }
            b'@' if self.rules.has_annotations && self.peek(1).is_some_and(|next| self.begins_word(next)) => {
                self.at += 1;
                self.skip_while(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') || byte >= 0x80
                });
                let class = if self.rules.begin == Begin::Property { Class::Keyword } else { Class::Name };
                self.paint(start, class);
                self.begins = false;
            }
            b':' if self.rules.has_symbols
                && self.peek(1).is_some_and(|next| self.begins_word(next))
                && (start == 0 || self.bytes[start - 1] != b':') =>
            {
                self.at += 1;
                self.skip_while(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'?' | b'!') || byte >= 0x80
                });
                self.paint(start, Class::Number);
            }
            b'<' if self.rules.begin == Begin::Command && self.sees("<<") => self.begin_here_document(start),
            b'$' if self.rules.has_variables => self.variable(),
            // It takes the meaning from what follows, and a line's end that follows ends no statement.
            b'\\' if self.rules.has_variables => {
                self.at += 2;
                self.skip_while(|byte| matches!(byte, 0x80..0xc0));
            }
            _ => self.sign(byte),
        }
    }

    fn sign(&mut self, byte: u8) {
        self.at += 1;
        self.after_keyword = false;
        self.defines = false;
        match byte {
            b'{' => self.braces += 1,
            b'}' => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
        let separates = self.rules.separators.contains(&byte);
        // In `! test` a command follows as well.
        self.begins = separates || (self.begins && byte == b'!');
    }

    fn comment(&mut self) -> bool {
        let start = self.at;
        if let Some((open, close)) = self.rules.blocks.iter().find(|(open, _)| self.sees(open)) {
            self.at += open.len();
            let mut depth = 1;
            while depth > 0 && self.at < self.bytes.len() {
                if self.sees(close) {
                    depth -= 1;
                    self.at += close.len();
                } else if self.rules.blocks_nest && self.sees(open) {
                    depth += 1;
                    self.at += open.len();
                } else {
                    self.at += 1;
                }
            }
            self.paint(start, Class::Comment);
            return true;
        }
        if !self.rules.lines.iter().any(|mark| self.sees(mark)) {
            return false;
        }
        // `$#`, `a#b` and the attribute `#[…]` are none.
        let is_apart = start == 0 || matches!(self.bytes[start - 1], b' ' | b'\t' | b'\n' | b'\r' | b';' | b'(' | b')');
        if (self.rules.comments_apart && !is_apart) || (self.rules.has_attributes && self.sees("#[")) {
            return false;
        }
        self.skip_line();
        self.paint(start, Class::Comment);
        true
    }

    /// Whether what was read is a key, by what follows it.
    fn is_key(&self) -> bool {
        match (self.rules.key, self.following()) {
            (Some(b'='), [b'=', b'=' | b'>', ..]) => false,
            (Some(sign), [first, ..]) => sign == *first,
            _ => false,
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let is_hex = self.sees("0x") || self.sees("0X");
        while let Some(byte) = self.peek(0) {
            let next = self.peek(1);
            let goes_on = match byte {
                b'.' => next.is_some_and(|next| next.is_ascii_digit()),
                // A date or a time.
                b':' | b'-' if self.rules.begin == Begin::Key => next.is_some_and(|next| next.is_ascii_digit()),
                b'+' | b'-' => {
                    !is_hex
                        && matches!(self.bytes[self.at - 1], b'e' | b'E')
                        && next.is_some_and(|next| next.is_ascii_digit())
                }
                b'\'' => self.rules.raw == Raw::Cpp && next.is_some_and(|next| next.is_ascii_alphanumeric()),
                b'%' => self.rules.begin == Begin::Property,
                _ => byte.is_ascii_alphanumeric() || byte == b'_',
            };
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        // What goes on with other characters is a name, such as `2fa-token` or `10.md`.
        let end = self.at;
        if self.rules.begin == Begin::Command || self.rules.begin == Begin::Instruction {
            self.skip_while(|byte| {
                !matches!(
                    byte,
                    b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'<' | b'>' | b'"' | b'\'' | b'`'
                )
            });
        }
        if self.is_key() {
            self.paint(start, Class::Name);
        } else if self.at == end {
            self.paint(start, Class::Number);
        }
        self.begins = false;
    }

    fn follows_line_start(&self, start: usize) -> bool {
        let before = self.bytes[..start].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
        before.is_none_or(|byte| *byte == b'\n')
    }

    fn hex_color(&mut self) {
        let start = self.at;
        self.at += 1;
        self.skip_while(|byte| byte.is_ascii_hexdigit());
        let is_color = matches!(self.at - start, 4 | 5 | 7 | 9) && !self.peek(0).is_some_and(|next| self.is_word(next));
        if is_color {
            self.paint(start, Class::Number);
        }
    }

    fn variable(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.peek(0) {
            // Of a makefile; in a shell, a command.
            Some(b'(') if self.rules.begin == Begin::Command => return self.begins = false,
            Some(open @ (b'{' | b'(')) => {
                let close = if open == b'{' { b'}' } else { b')' };
                self.skip_while(|byte| byte != close && byte != b'\n');
                self.at += usize::from(self.peek(0) == Some(close));
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            }
            Some(byte) if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`') => self.at += 1,
            _ => return,
        }
        self.paint(start, Class::Number);
        self.begins = false;
    }
}
