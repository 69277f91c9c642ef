//! Words: keywords, names of what is called, commands and keys.

use std::mem;

use super::super::languages::Begin;
use super::super::painter::Class;
use super::Lexer;

/// After these words comes the name of what is defined.
const DEFINE: &[&str] = &["def", "defmacro", "defp", "fn", "fun", "func", "function"];

impl Lexer<'_, '_, '_, '_> {
    /// Reads a word.
    pub(super) fn word(&mut self) {
        let start = self.at;
        self.at += self.rest().iter().take_while(|byte| self.is_word(**byte)).count();
        let word = &self.text[start..self.at];
        if self.prefixed(start, word) {
            return;
        }
        let begins = mem::take(&mut self.begins);
        let defines = mem::take(&mut self.defines);
        let class = match self.rules.begin {
            Begin::Command => self.command(begins, word),
            Begin::Instruction => (begins && self.is_keyword(word)).then_some(Class::Keyword),
            Begin::Directive => begins.then_some(Class::Keyword),
            Begin::Property if begins && self.braces > 0 && self.following().first() == Some(&b':') => {
                Some(Class::Name)
            }
            Begin::Target => self.target(begins, start, word),
            _ if defines && !self.is_keyword(word) => Some(Class::Name),
            _ => self.class(start, word),
        };
        self.after_keyword = false;
        if let Some(class) = class {
            self.paint(start, class);
            self.defines = class == Class::Keyword && DEFINE.contains(&word);
        }
    }

    /// What a word is in most languages.
    fn class(&mut self, start: usize, word: &str) -> Option<Class> {
        let next = self.peek(0);
        let is_member =
            self.previous == b'.' && start > 0 && self.bytes[start - 1] == b'.' && !self.text[..start].ends_with("..");
        if self.is_key() {
            return Some(Class::Name);
        }
        if !is_member && self.is_keyword(word) {
            return Some(Class::Keyword);
        }
        if self.rules.has_macros && next == Some(b'!') && self.peek(1) != Some(b'=') {
            self.at += 1;
            return Some(Class::Name);
        }
        let is_called = self.rules.has_calls && next == Some(b'(');
        let is_cmdlet =
            self.rules.has_cmdlets && word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.contains('-');
        // `name :: Type`, at the start of a line.
        let is_typed = self.rules.has_signatures
            && (start == 0 || self.bytes[start - 1] == b'\n')
            && self.following().starts_with(b"::");
        (is_called || is_cmdlet || is_typed).then_some(Class::Name)
    }

    fn is_keyword(&self, word: &str) -> bool {
        if !self.rules.ignores_case {
            return self.keywords.binary_search(&word).is_ok();
        }
        let folded = |keyword: &&str| keyword.bytes().cmp(word.bytes().map(|byte| byte.to_ascii_lowercase()));
        self.keywords.binary_search_by(folded).is_ok()
    }

    /// A word of a shell.
    fn command(&mut self, begins: bool, word: &str) -> Option<Class> {
        if !begins {
            let is_list = self.takes_list && word == "in";
            self.takes_list &= !is_list;
            return is_list.then_some(Class::Keyword);
        }
        if word.contains('=') && !word.starts_with('=') {
            // A variable of the command that follows.
            self.begins = true;
            return None;
        }
        if word.starts_with(['-', '+']) {
            return None;
        }
        if self.is_keyword(word) {
            self.takes_list = matches!(word, "case" | "for" | "select");
            self.begins = !self.takes_list;
            return Some(Class::Keyword);
        }
        self.begins = word == "sudo";
        Some(Class::Name)
    }

    /// A word of a makefile.
    fn target(&self, begins: bool, start: usize, word: &str) -> Option<Class> {
        // What is indented by a tab is for the shell.
        if !begins || self.text[..start].ends_with('\t') {
            return None;
        }
        match self.following() {
            _ if self.is_keyword(word) => Some(Class::Keyword),
            [b':' | b'=', ..] | [b'?' | b'+' | b'!', b'=', ..] => Some(Class::Name),
            _ => None,
        }
    }
}
