//! How templates escape text, by the kind of document. `askama.toml` refers to these types.

use std::fmt::{self, Write};

use askama::filters::Escaper;
use wiki_types::html::write_escaped;

/// Escapes text for elements and quoted attributes of HTML.
#[derive(Debug, Clone, Copy, Default)]
pub struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        write_escaped(&mut dest, string)
    }
}

/// Escapes text for XML.
///
/// XML 1.0 cannot express most control characters, so they are left out: one in a title would make the feed unreadable.
#[derive(Debug, Clone, Copy, Default)]
pub struct Xml;

impl Escaper for Xml {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let is_forbidden =
            |c: char| matches!(c, '\0'..' ' | '\u{fffe}' | '\u{ffff}') && !matches!(c, '\t' | '\n' | '\r');
        string.split(is_forbidden).try_for_each(|allowed| write_escaped(&mut dest, allowed))
    }
}
