//! Settings: how a wiki calls and shows itself.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::words;
use crate::rules::{self, Wrong};

/// The most characters of the wiki's name.
pub const MAX_NAME: usize = 60;
/// The most characters of its mark.
pub const MAX_MARK: usize = 4;
/// The most characters of the line at the foot of every page.
pub const MAX_FOOTER: usize = 300;
/// The most characters of the name of a time zone.
pub const MAX_TIME_ZONE: usize = 64;
/// The time zone that clocks are compared with.
pub const UTC: &str = "UTC";

/// The color of links and buttons. Each has a shade for light and one for dark pages, which can be read on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// Blue-green, the color of Wasiki itself.
    #[default]
    Teal,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Between blue and purple.
    Indigo,
    /// Purple.
    Purple,
    /// Red.
    Red,
    /// Brown.
    Brown,
    /// Gray.
    Gray,
}

words!(
    Color,
    Teal = "teal",
    Green = "green",
    Blue = "blue",
    Indigo = "indigo",
    Purple = "purple",
    Red = "red",
    Brown = "brown",
    Gray = "gray"
);

/// The settings of a wiki.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "name": "Handbook", "mark": "📘", "color": "indigo", "footer": "For everybody at the workshop", "language": "en", "time_zone": "Europe/Berlin",
    "version": 2,
})))]
pub struct Settings {
    /// What the wiki is called.
    pub name: String,
    /// An emoji or a few letters beside the name; empty for the mark of Wasiki.
    pub mark: String,
    /// The color of links and buttons.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub color: Color,
    /// A line at the foot of every page, or empty.
    pub footer: String,
    /// The language of pages whose text does not tell, as a tag of BCP 47.
    pub language: String,
    /// The time zone that times in pages are in, as the IANA database names it.
    pub time_zone: String,
    /// A number that grows with every change. It is the ETag.
    pub version: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Wasiki".to_owned(),
            mark: String::new(),
            color: Color::default(),
            footer: String::new(),
            language: "en".to_owned(),
            time_zone: UTC.to_owned(),
            version: 1,
        }
    }
}

/// A change of the settings. What is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "name": "Handbook", "color": "indigo" })))]
pub struct SettingsChange {
    /// What the wiki is called, in at most 60 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An emoji or letters, of at most 4 characters; empty for the mark of Wasiki.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The color of links and buttons: `teal`, `green`, `blue`, `indigo`, `purple`, `red`, `brown` or `gray`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// A line at the foot of every page, of at most 300 characters, or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// The language of pages whose text does not tell, as in `en` or `pt-BR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The time zone that times in pages are in, as the IANA database names it: `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Fails unless `text` can be a wiki's name.
pub fn name(text: &str) -> Result<(), Wrong> {
    rules::line::<MAX_NAME>(text)
}

/// Fails unless `text` can be a wiki's mark.
pub fn mark(text: &str) -> Result<(), Wrong> {
    if text.is_empty() { Ok(()) } else { rules::line::<MAX_MARK>(text) }
}

/// Fails unless `text` can be the line at the foot of pages.
pub fn footer(text: &str) -> Result<(), Wrong> {
    if text.is_empty() { Ok(()) } else { rules::line::<MAX_FOOTER>(text) }
}

/// Fails unless `text` has the form of a language tag: letters, then parts of letters and digits, each of at most 8
/// (BCP 47, 2.1).
pub fn language(text: &str) -> Result<(), Wrong> {
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = text.split('-').next().unwrap_or_default();
    let is_tag = text.len() <= 35
        && (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.split('-').all(is_part);
    if is_tag { Ok(()) } else { Err("must be a language tag, as in en or pt-BR".into()) }
}

/// What is wrong with a text that names no time zone.
pub const NO_TIME_ZONE: &str = "must be the name of a time zone, as in Europe/Berlin";

/// Fails unless `text` has the form that names of time zones have in the IANA database. Whether there is one, the database knows.
pub fn time_zone(text: &str) -> Result<(), Wrong> {
    let is_name = text.len() <= MAX_TIME_ZONE
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    if is_name { Ok(()) } else { Err(NO_TIME_ZONE.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_tags() {
        for tag in ["en", "de", "pt-BR", "zh-Hant-TW", "ast"] {
            assert_eq!(language(tag), Ok(()), "{tag}");
        }
        for tag in ["", "e", "en_US", "en-", "-en", "english language", "e1", "en-abcdefghi", "é"] {
            assert!(language(tag).is_err(), "{tag}");
        }
    }

    #[test]
    fn a_mark_is_short() {
        assert_eq!(mark(""), Ok(()));
        assert_eq!(mark("📘"), Ok(()));
        assert!(mark("Handbook").is_err());
    }

    #[test]
    fn time_zones_have_names() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "America/Port-au-Prince"] {
            assert_eq!(time_zone(name), Ok(()), "{name}");
        }
        for name in ["", "+3", "<+03>-3", "Europe/Berlin ", "Europe Berlin", ":UTC", "é", &"a".repeat(65)] {
            assert!(time_zone(name).is_err(), "{name}");
        }
    }
}
