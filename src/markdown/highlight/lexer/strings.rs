//! Strings of all kinds: with expressions in them, raw, of one character, regular expressions and those of a shell that
//! end with a word.

use super::super::languages::{Begin, Quote, Raw};
use super::super::painter::Class;
use super::Lexer;

/// The longest delimiter of a raw string of C++, with the quote and the parenthesis.
const MAX_DELIMITER: usize = 18;

impl<'r, 'a> Lexer<'r, '_, 'a, '_> {
    /// Goes on with a string, to its end or to an expression in it.
    pub(super) fn string(&mut self, start: usize, quote: &'r Quote) {
        let close = quote.close.as_bytes()[0];
        while let Some(byte) = self.peek(0) {
            if byte == close && self.sees(quote.close) {
                self.at += quote.close.len();
                break;
            } else if !quote.expression.is_empty() && self.sees(quote.expression) {
                self.at += quote.expression.len();
                self.paint(start, Class::String);
                self.strings.push((quote, 0));
                self.begins = true;
                return;
            } else if quote.escape == Some(byte) {
                self.at += 2;
            } else if byte == b'\n' && !quote.has_lines {
                break;
            } else {
                self.at += 1;
            }
        }
        self.at = self.at.min(self.bytes.len());
        let is_key = self.is_key();
        self.paint(start, if is_key { Class::Name } else { Class::String });
        // In a shell, `A="b" make` begins with a value.
        self.begins &= self.rules.begin == Begin::Command && start > 0 && self.bytes[start - 1] == b'=';
    }

    /// Reads the string that `word` is the beginning of, if it is that.
    pub(super) fn prefixed(&mut self, start: usize, word: &str) -> bool {
        let next = self.peek(0);
        if self.rules.raw != Raw::None && self.raw(start, word) {
            return true;
        }
        if self.rules.prefixes.is_empty() || !next.is_some_and(|next| matches!(next, b'"' | b'\'')) {
            return false;
        }
        if !self.rules.prefixes.split(' ').any(|prefix| prefix == word) {
            return false;
        }
        match self.rules.quotes.iter().find(|quote| self.sees(quote.open)) {
            Some(quote) => {
                self.at += quote.open.len();
                self.string(start, quote);
            }
            None if self.rules.has_characters => self.character(start),
            None => return false,
        }
        true
    }

    /// Reads a raw string, `r#"…"#` of Rust or `R"x(…)x"` of C++, if it is one.
    fn raw(&mut self, start: usize, word: &str) -> bool {
        let rest = &self.text[self.at..];
        let next = self.peek(0);
        let (opening, end) = match self.rules.raw {
            Raw::Rust if matches!(word, "r" | "br" | "cr") => {
                let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
                if rest.as_bytes().get(hashes) != Some(&b'"') {
                    return false;
                }
                (hashes + 1, format!("\"{}", &rest[..hashes]))
            }
            Raw::Cpp if word.ends_with('R') && next == Some(b'"') => {
                let Some(length) = rest.bytes().take(MAX_DELIMITER).position(|byte| byte == b'(') else { return false };
                (length + 1, format!("){}\"", &rest[1..length]))
            }
            _ => return false,
        };
        // Whatever follows, it is not looked at again.
        let length = rest[opening..].find(&end).map_or(rest.len(), |at| opening + at + end.len());
        self.at += length;
        self.paint(start, Class::String);
        true
    }

    /// A character in quotes, or a lifetime.
    pub(super) fn character(&mut self, start: usize) {
        let mut characters = self.text[self.at + 1..].chars();
        match characters.next() {
            Some('\\') => {
                self.at += 3;
                self.skip_while(|byte| !matches!(byte, b'\'' | b'\n'));
                self.at = (self.at + usize::from(self.peek(0) == Some(b'\''))).min(self.bytes.len());
                self.paint(start, Class::String);
            }
            Some(character) if character != '\n' && characters.next() == Some('\'') => {
                self.at += character.len_utf8() + 2;
                self.paint(start, Class::String);
            }
            _ => {
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            }
        }
    }

    /// Whether a `/` begins a regular expression: where a value cannot have ended.
    pub(super) fn may_be_regex(&self) -> bool {
        self.after_keyword
            || matches!(
                self.previous,
                0 | b'('
                    | b','
                    | b'='
                    | b':'
                    | b'['
                    | b'!'
                    | b'&'
                    | b'|'
                    | b'?'
                    | b'{'
                    | b';'
                    | b'~'
                    | b'+'
                    | b'*'
                    | b'%'
            )
    }

    pub(super) fn regex(&mut self) {
        let start = self.at;
        let mut in_set = false;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => break,
                b'\\' if self.peek(1) != Some(b'\n') => self.at += 1,
                b'[' => in_set = true,
                b']' => in_set = false,
                b'/' if !in_set => {
                    self.at += 1;
                    self.skip_while(|byte| byte.is_ascii_alphabetic());
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(self.bytes.len());
        self.paint(start, Class::String);
    }

    /// Reads `<<'END'`, after which the next lines are a text.
    pub(super) fn begin_here_document(&mut self, start: usize) {
        self.skip_while(|byte| byte == b'<');
        // `<<<` is followed by a string like others.
        if self.at != start + 2 {
            return;
        }
        self.skip_while(|byte| byte == b'-');
        self.skip_while(|byte| byte == b' ');
        self.skip_while(|byte| matches!(byte, b'"' | b'\''));
        let word = self.at;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.here = Some(&self.text[word..self.at]).filter(|word| !word.is_empty());
        self.skip_while(|byte| matches!(byte, b'"' | b'\''));
    }

    /// Reads the text, from the start of a line on, if one begins here.
    pub(super) fn here_document(&mut self) {
        let Some(word) = self.here.take() else { return };
        let start = self.at;
        for line in self.text[start..].split_inclusive('\n') {
            self.at += line.len();
            if line.trim_ascii() == word {
                break;
            }
        }
        self.paint(start, Class::String);
    }
}
