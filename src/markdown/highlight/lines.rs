//! Languages whose lines begin with what they are: consoles, differences and YAML.

use super::languages::SHELL;
use super::lexer::Lexer;
use super::painter::{Class, Painter};

/// The lines of a text, each with the place it starts at, without its end.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let at = start;
        start += line.len() + 1;
        (at, line)
    })
}

/// Whether a shell's first line shows the prompt `$`.
pub fn has_prompt(code: &str) -> bool {
    code.trim_start().starts_with("$ ")
}

/// What a console shows: commands after prompts, and what they print.
pub fn console(painter: &mut Painter<'_, '_>) {
    let text = painter.source();
    let mut goes_on = false;
    for (start, line) in lines(text) {
        let length = if goes_on { Some(0) } else { prompt(line) };
        let Some(length) = length else { continue };
        painter.paint(start, start + length, Class::Comment);
        Lexer::new(&SHELL, painter, start + length..start + line.len()).run();
        goes_on = line.trim_end().ends_with('\\');
    }
}

/// The length of the prompt that a line begins with: `$ `, `# `, `% `, `> `, or one of these after a place, such as
/// `ada@host:~$ `, `[ada@host ~]$ ` or `PS C:\> `.
fn prompt(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    let end = rest.find(['$', '#', '%', '>', '❯']).filter(|at| {
        let place = &rest[..*at];
        place.is_empty() || place.starts_with("PS ") || (place.contains('@') && place.matches(' ').count() < 3)
    })?;
    let mark = rest[end..].chars().next()?;
    let after = indent + end + mark.len_utf8();
    match line[after..].chars().next() {
        Some(' ') => Some(after + 1),
        None => Some(after),
        // `#!/bin/sh`, `>>`, `$HOME`
        Some(_) => None,
    }
}

/// Lines that were added and removed.
pub fn diff(painter: &mut Painter<'_, '_>) {
    for (start, line) in lines(painter.source()) {
        let is = |starts: &[&str]| starts.iter().any(|mark| line.starts_with(mark));
        let class = match line.as_bytes().first() {
            _ if is(&[
                "diff ",
                "index ",
                "--- ",
                "+++ ",
                "new file ",
                "deleted file ",
                "rename ",
                "similarity ",
                "\\ ",
            ]) =>
            {
                Class::Comment
            }
            Some(b'@') => Class::Name,
            Some(b'+' | b'>') => Class::String,
            Some(b'-' | b'<') => Class::Keyword,
            _ => continue,
        };
        painter.paint(start, start + line.len(), class);
    }
}

/// Keys and values, and text in blocks that are told by how far they are indented.
pub fn yaml(painter: &mut Painter<'_, '_>) {
    // The indentation of the line whose block of text follows.
    let mut block: Option<usize> = None;
    for (start, line) in lines(painter.source()) {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if let Some(depth) = block {
            if indent > depth || content.trim_ascii().is_empty() {
                painter.paint(start + indent, start + line.len(), Class::String);
                continue;
            }
            block = None;
        }
        let mut value = Value { painter, line, start, at: indent, depth: indent };
        if value.run() {
            block = Some(value.depth);
        }
    }
}

/// A line of YAML.
struct Value<'p, 'l, 'a, 'o> {
    painter: &'p mut Painter<'a, 'o>,
    line: &'l str,
    /// Where it starts.
    start: usize,
    /// How far it was read.
    at: usize,
    /// How far its last key or, without one, its last dash is indented.
    depth: usize,
}

impl Value<'_, '_, '_, '_> {
    /// Paints the line. Says whether a block of text follows.
    fn run(&mut self) -> bool {
        let line = self.line.as_bytes();
        if matches!(&line[self.at..], [b'-', b'-', b'-', ..] | [b'.', b'.', b'.']) && self.at == 0 {
            self.paint(0, 3, Class::Keyword);
            self.at = 3;
        }
        // `- - key: value`
        while line[self.at..].starts_with(b"- ") {
            self.depth = self.at;
            self.at += 1 + line[self.at + 1..].iter().take_while(|byte| **byte == b' ').count();
        }
        self.key();
        // What follows white space, a bracket or a comma begins a value.
        let mut begins = true;
        let mut is_flow = false;
        while let Some(&byte) = line.get(self.at) {
            let from = self.at;
            match byte {
                b' ' | b'\t' | b'\r' => {
                    self.at += 1;
                    continue;
                }
                b'#' if from == 0 || matches!(line[from - 1], b' ' | b'\t') => {
                    self.at = line.len();
                    self.paint(from, self.at, Class::Comment);
                }
                b'"' | b'\'' if begins => {
                    self.quoted(byte);
                    let is_key = is_flow && line.get(self.at) == Some(&b':');
                    self.paint(from, self.at, if is_key { Class::Name } else { Class::String });
                }
                b'[' | b'{' if begins => {
                    is_flow = true;
                    self.at += 1;
                    continue;
                }
                b'[' | b'{' | b']' | b'}' | b',' if is_flow => {
                    self.at += 1;
                    begins = true;
                    continue;
                }
                b'|' | b'>' if begins && is_block(&line[from + 1..]) => {
                    self.at += 1;
                    self.paint(from, self.at, Class::Keyword);
                    return true;
                }
                b'&' | b'*' | b'!' if begins => {
                    self.word(is_flow);
                    self.paint(from, self.at, Class::Keyword);
                    // What has an anchor or a tag is still to come.
                    continue;
                }
                _ => {
                    self.word(is_flow);
                    let word = &self.line[from..self.at];
                    let is_whole = line[self.at..].iter().all(|byte| *byte == b' ') || self.ends_value(is_flow);
                    if is_flow && line.get(self.at) == Some(&b':') {
                        self.paint(from, self.at, Class::Name);
                        self.at += 1;
                        begins = true;
                        continue;
                    }
                    if begins && is_whole {
                        if is_number(word) {
                            self.paint(from, self.at, Class::Number);
                        } else if matches!(word, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "~") {
                            self.paint(from, self.at, Class::Keyword);
                        }
                    }
                }
            }
            begins = is_flow && matches!(line.get(self.at), Some(b':' | b','));
            // The sign after a key.
            self.at += usize::from(begins);
        }
        false
    }

    fn paint(&mut self, from: usize, to: usize, class: Class) {
        self.painter.paint(self.start + from, self.start + to, class);
    }

    /// Reads `key:`, if the line has one.
    fn key(&mut self) {
        let line = self.line.as_bytes();
        let from = self.at;
        match line.get(from) {
            Some(byte @ (b'"' | b'\'')) => self.quoted(*byte),
            Some(b'#' | b'[' | b'{' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`') | None => return,
            Some(_) => {
                let rest = &line[from..];
                let ends = |at: usize| match rest[at] {
                    b':' => rest.get(at + 1).is_none_or(|next| matches!(next, b' ' | b'\t' | b'\r')),
                    b'#' => at > 0 && rest[at - 1] == b' ',
                    _ => false,
                };
                self.at += (0..rest.len()).find(|at| ends(*at)).unwrap_or(rest.len());
            }
        }
        if line.get(self.at) == Some(&b':') {
            self.paint(from, self.at, Class::Name);
            self.depth = from;
            self.at += 1;
        } else {
            self.at = from;
        }
    }

    /// Reads a quoted string, to its end or that of the line.
    fn quoted(&mut self, quote: u8) {
        let line = self.line.as_bytes();
        self.at += 1;
        while let Some(byte) = line.get(self.at) {
            self.at += if *byte == b'\\' && quote == b'"' { 2 } else { 1 };
            if *byte == quote {
                break;
            }
        }
        self.at = self.at.min(line.len());
    }

    /// Reads up to what ends a word.
    fn word(&mut self, is_flow: bool) {
        let line = &self.line.as_bytes()[self.at..];
        let ends = |at: &usize| match line[*at] {
            b' ' | b'\t' | b'\r' => true,
            b',' | b']' | b'}' | b'[' | b'{' => is_flow,
            b':' => is_flow && line.get(at + 1).is_none_or(|next| matches!(next, b' ' | b',' | b'}' | b']')),
            _ => false,
        };
        self.at += (1..line.len()).find(ends).unwrap_or(line.len());
    }

    /// Whether a value ends here.
    fn ends_value(&self, is_flow: bool) -> bool {
        let rest = self.line.as_bytes()[self.at..].trim_ascii_start();
        match rest.first() {
            None | Some(b'#') => true,
            Some(b',' | b']' | b'}') => is_flow,
            Some(_) => false,
        }
    }
}

/// Whether the rest of a line after `|` or `>` leaves the text to the lines that follow.
fn is_block(rest: &[u8]) -> bool {
    let marks = rest.iter().take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9')).count();
    matches!(rest[marks..].trim_ascii_start().first(), None | Some(b'#'))
}

/// Whether a word is a number, a date, a time or an address.
fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches(['-', '+']);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits.starts_with("0x")
            || digits.bytes().all(|byte| byte.is_ascii_digit() || b"._:+-eETZ".contains(&byte)))
}
