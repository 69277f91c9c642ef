//! The latest changes as an Atom feed (RFC 4287).

use std::fmt::{self, Write};

use askama::Template;
use askama::filters::Escaper;

use crate::time::Time;

/// The feed. Its addresses are absolute.
#[derive(Debug, Template)]
#[template(path = "feed.atom")]
pub struct Feed {
    /// Its own address.
    pub address: String,
    /// The wiki's.
    pub front: String,
    /// When anything in it changed last.
    pub updated: Time,
    /// The changes, newest first.
    pub entries: Vec<Entry>,
}

/// A change.
#[derive(Debug)]
pub struct Entry {
    /// The page's title.
    pub title: String,
    /// Where the change can be seen.
    pub link: String,
    /// What names the change for ever.
    pub id: String,
    /// When it was made.
    pub updated: Time,
    /// By whom.
    pub author: String,
    /// What they say they did.
    pub summary: String,
}

/// Escapes text for XML.
///
/// XML 1.0 has no way to write most control characters, so they are left out: one in a title would make the feed
/// unreadable.
#[derive(Debug, Clone, Copy, Default)]
pub struct Xml;

impl Escaper for Xml {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        for c in string.chars() {
            match c {
                '&' => dest.write_str("&amp;")?,
                '<' => dest.write_str("&lt;")?,
                '>' => dest.write_str("&gt;")?,
                '"' => dest.write_str("&quot;")?,
                '\'' => dest.write_str("&#39;")?,
                '\t' | '\n' | '\r' => dest.write_char(c)?,
                '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {}
                c => dest.write_char(c)?,
            }
        }
        Ok(())
    }
}
