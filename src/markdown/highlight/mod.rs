//! Blocks of code, with their language's name above them and in five colors: comments, strings, numbers, keywords and names
//! that are called.
//!
//! Colors are classes, so that a Content-Security-Policy without inline styles holds. Five of them need no grammar: a
//! language is a row of a table, and a lexer reads its text once, from the start to the end. Where it is wrong, a word
//! has another color; the text is always the author's.

mod languages;
mod lexer;
mod lines;
mod markup;
mod painter;
#[cfg(test)]
mod tests;

use super::escape;
use languages::{Language, Syntax};
use lexer::Lexer;
use painter::Painter;

/// The longest block, in bytes, that gets colors: about 2000 lines. What is longer is data or a log, which is not read
/// for its keywords, and would make the page several times as large.
pub const MAX_COLORED: usize = 64 << 10;

/// The most colored pieces of a page, which are what makes its HTML larger than its text.
pub const MAX_PIECES: usize = 50_000;

/// The longest name of an unknown language, in characters, that is shown.
const MAX_NAME: usize = 24;

/// Languages that say that there is none.
const PLAIN: &[&str] = &["ascii", "none", "plain", "plaintext", "text", "txt"];

/// Writes a block of code. `info` is the first word after the fence, which names the language. `pieces` are those that
/// the page may still have.
pub fn write(out: &mut String, info: Option<&str>, code: &str, pieces: &mut usize) {
    let named = info.map(name).unwrap_or_default();
    let language = languages::find(named);
    let has_name = !named.is_empty() && !PLAIN.iter().any(|plain| plain.eq_ignore_ascii_case(named));
    if has_name {
        out.push_str("<div class=\"code\">\n<div class=\"language\">");
        match language {
            Some(language) => escape::push(out, language.name),
            None => escape::push(out, &named.chars().take(MAX_NAME).collect::<String>()),
        }
        out.push_str("</div>\n");
    }
    out.push_str("<pre tabindex=\"0\"><code");
    if let Some(info) = info {
        out.push_str(" class=\"language-");
        escape::push(out, info);
        out.push('"');
    }
    out.push('>');
    match language.filter(|_| code.len() <= MAX_COLORED) {
        Some(language) => color(out, language, code, pieces),
        None => escape::push(out, code),
    }
    out.push_str("</code></pre>\n");
    if has_name {
        out.push_str("</div>\n");
    }
}

fn color(out: &mut String, language: &Language, code: &str, pieces: &mut usize) {
    let mut painter = Painter::new(out, code, pieces);
    match language.syntax {
        Syntax::Code(rules) => Lexer::new(rules, &mut painter, 0..code.len()).run(),
        Syntax::Shell if !lines::has_prompt(code) => {
            Lexer::new(&languages::SHELL, &mut painter, 0..code.len()).run();
        }
        Syntax::Shell | Syntax::Console => lines::console(&mut painter),
        Syntax::Diff => lines::diff(&mut painter),
        Syntax::Yaml => lines::yaml(&mut painter),
        Syntax::Markup => markup::run(&mut painter),
    }
    painter.finish();
}

/// The language that `info` names, without what some tools write after it, as in `rust,ignore` and `js{1,3}`, or around
/// it, as in `{.python}`.
fn name(info: &str) -> &str {
    let info = info.trim_start_matches(['{', '.']);
    info.split([',', '{', '}', ':', ';', '(']).next().unwrap_or_default()
}
