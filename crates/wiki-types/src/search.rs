//! Search: what was found, and where.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Time;
use crate::html::escaped;

/// A page that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Found, example = json!({
    "post_id": 1, "user_id": 1, "title": "Hello", "slug": "hello", "tags": [],
    "updated_time": "2026-11-22T10:00:00.000000Z", "snippet": "<mark>First</mark> page.", "rank": 0.4,
})))]
pub struct SearchResult {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was last edited.
    pub updated_time: Time,
    /// Where the words occur.
    pub snippet: Snippet,
    /// How well it matches: more is better, and only comparable within one search.
    pub rank: f64,
}

/// Some words of a page, in parts that match and parts that do not.
///
/// As JSON it is HTML: escaped text with `<mark>` around matches.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Snippet(pub Vec<SnippetPart>);

/// A part of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnippetPart {
    /// The text, unescaped.
    pub text: String,
    /// Whether it matches what was searched for.
    pub matched: bool,
}

const MARK: &str = "<mark>";
const MARK_END: &str = "</mark>";

impl Serialize for Snippet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut html = String::new();
        for part in &self.0 {
            let text = escaped(&part.text);
            html.push_str(&if part.matched { format!("{MARK}{text}{MARK_END}") } else { text });
        }
        serializer.serialize_str(&html)
    }
}

impl<'de> Deserialize<'de> for Snippet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let html = String::deserialize(deserializer)?;
        let mut parts = Vec::new();
        for piece in html.split_inclusive(MARK_END) {
            let (before, matched) = piece.split_once(MARK).unwrap_or((piece, ""));
            for (text, is_match) in [(before, false), (matched.trim_end_matches(MARK_END), true)] {
                if !text.is_empty() {
                    parts.push(SnippetPart { text: crate::html::unescaped(text), matched: is_match });
                }
            }
        }
        Ok(Self(parts))
    }
}

/// The pages whose titles begin with what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "suggestions": [{ "title": "Hello", "slug": "hello", "place": ["Handbook"] }],
})))]
pub struct Suggestions {
    /// The pages, by title.
    pub suggestions: Vec<PlacedSuggestion>,
}

/// A page that is suggested, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SuggestedPage))]
pub struct PlacedSuggestion {
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// The name of its space, unless that is the first one, and the titles of the pages above it, from the top: those that
    /// the reader may read.
    #[serde(default)]
    pub place: Vec<String>,
}

/// People whose usernames or names begin with what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SuggestedUsers, example = json!({
    "suggestions": [{ "username": "ada", "name": "Ada Lovelace" }],
})))]
pub struct UserSuggestions {
    /// The people, those first whose usernames begin so.
    pub suggestions: Vec<UserSuggestion>,
}

/// Somebody who can be mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SuggestedUser))]
pub struct UserSuggestion {
    /// What stands after the `@`.
    pub username: String,
    /// The name shown to readers.
    pub name: String,
}

/// A page whose title begins with what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suggestion {
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn matches_are_marked_and_text_is_escaped() {
        let part = |text: &str, matched| SnippetPart { text: text.into(), matched };
        let snippet = Snippet(vec![part("a <b>", false), part("wiki", true), part(" & more", false)]);
        assert_eq!(serde_json::to_value(&snippet).unwrap(), "a &lt;b&gt;<mark>wiki</mark> &amp; more");
    }

    proptest! {
        #[test]
        fn a_snippet_survives_its_json(texts in proptest::collection::vec(".{1,12}", 0..5)) {
            let parts = texts.into_iter().enumerate().map(|(at, text)| SnippetPart { text, matched: at % 2 == 1 });
            let snippet = Snippet(parts.collect());
            let json = serde_json::to_string(&snippet).unwrap();
            prop_assert_eq!(serde_json::from_str::<Snippet>(&json).unwrap(), snippet);
        }
    }
}
