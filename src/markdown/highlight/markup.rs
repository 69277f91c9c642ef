//! HTML and XML: tags with attributes, and the styles and scripts between them.

use super::languages::{self, Syntax};
use super::lexer::Lexer;
use super::painter::{Class, Painter};

/// The longest character reference.
const MAX_REFERENCE: usize = 32;

/// Paints a text of tags.
pub fn run(painter: &mut Painter<'_, '_>) {
    let text = painter.source();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(length) = text[at..].find(['<', '&']) {
        let start = at + length;
        at = start + 1;
        if bytes[start] == b'&' {
            let name = bytes[at..]
                .iter()
                .take(MAX_REFERENCE)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#');
            let end = at + name.count();
            if end > at && bytes.get(end) == Some(&b';') {
                at = end + 1;
                painter.paint(start, at, Class::Number);
            }
            continue;
        }
        let rest = &text[start..];
        if rest.starts_with("<!--") {
            at = end_of(text, at, "-->");
            painter.paint(start, at, Class::Comment);
        } else if rest.starts_with("<![CDATA[") {
            at = end_of(text, at, "]]>");
            painter.paint(start, at, Class::String);
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            at = end_of(text, at, ">");
            painter.paint(start, at, Class::Keyword);
        } else if rest[1..].trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            at = tag(painter, start);
        }
    }
}

/// Where `end` ends, from `at`; the end of the text if it is not there.
fn end_of(text: &str, at: usize, end: &str) -> usize {
    text[at..].find(end).map_or(text.len(), |place| at + place + end.len())
}

/// Paints the tag that starts at `start`, and the style or script in it. Says where they end.
fn tag(painter: &mut Painter<'_, '_>, start: usize) -> usize {
    let text = painter.source();
    let bytes = text.as_bytes();
    let run = |from: usize, is: fn(u8) -> bool| from + bytes[from..].iter().take_while(|byte| is(**byte)).count();
    let name = run(start + 1, |byte| byte == b'/');
    let mut at = run(name, is_name);
    painter.paint(name, at, Class::Keyword);
    let name = &text[start + 1..at];
    while let Some(&byte) = bytes.get(at) {
        let from = at;
        at = match byte {
            b'>' => {
                at += 1;
                break;
            }
            // The next tag; this one is not closed.
            b'<' => return at,
            b'"' | b'\'' => end_of(text, at + 1, if byte == b'"' { "\"" } else { "'" }),
            b'=' => {
                at = run(at + 1, |byte| byte.is_ascii_whitespace());
                let end = run(at, |byte| !byte.is_ascii_whitespace() && !b"\"'<>".contains(&byte));
                painter.paint(at, end, Class::String);
                at = end;
                continue;
            }
            _ if is_name(byte) => run(at, is_name),
            _ => {
                at += 1;
                continue;
            }
        };
        painter.paint(from, at, if matches!(byte, b'"' | b'\'') { Class::String } else { Class::Name });
    }
    let language = match name {
        "script" => "js",
        "style" => "css",
        _ => return at,
    };
    let end =
        text[at..].find(if language == "js" { "</script" } else { "</style" }).map_or(text.len(), |place| at + place);
    if let Some(Syntax::Code(rules)) = languages::find(language).map(|language| language.syntax) {
        Lexer::new(rules, painter, at..end).run();
    }
    end
}

/// What names of tags and attributes are made of, with those of templates, such as `@click` and `v-on:click.once`.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_:.@#*".contains(&byte) || byte >= 0x80
}
