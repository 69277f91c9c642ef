//! The orders a list of pages can be had in.

use serde_json::Value;
use wiki_types::{PostSummary, Time, rules};

use crate::store::db::{self, Param};

/// An order. All end in the id, so that no two pages have the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    key: Key,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Created,
    Updated,
    Title,
}

/// The table whose index has pages in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Source {
    /// All pages.
    Posts,
    /// The pages of a tag: `post_tags`, joined to `posts`.
    PostTags,
}

impl Source {
    /// What to write behind FROM.
    pub(in crate::store) const fn tables(self) -> &'static str {
        match self {
            Self::Posts => "posts",
            Self::PostTags => "post_tags JOIN posts ON posts.id = post_tags.post_id",
        }
    }

    const fn id(self) -> &'static str {
        match self {
            Self::Posts => "id",
            Self::PostTags => "post_tags.post_id",
        }
    }

    const fn updated(self) -> &'static str {
        match self {
            Self::Posts => "updated_time",
            Self::PostTags => "post_tags.edited_time",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Posts => "title_order(title) COLLATE \"C\"",
            Self::PostTags => "post_tags.title_key",
        }
    }
}

impl Order {
    /// By title, for people: `Page 2` before `Page 10`, `Äpfel` beside `Apfel`.
    pub const TITLE: Self = Self { key: Key::Title, descending: false };
    /// Latest edit first.
    pub const LATEST: Self = Self { key: Key::Updated, descending: true };
    /// Newest page first.
    pub const NEWEST: Self = Self { key: Key::Created, descending: true };

    /// The order with this name: `created`, `updated` or `title`, with a hyphen before it for the opposite order.
    pub fn named(text: &str) -> Option<Self> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let key = match name {
            "created" => Key::Created,
            "updated" => Key::Updated,
            "title" => Key::Title,
            _ => return None,
        };
        Some(Self { key, descending })
    }

    /// The columns of ORDER BY.
    pub(in crate::store) fn sql(self) -> String {
        self.sql_of(Source::Posts)
    }

    /// The columns of ORDER BY where the pages are found in this table.
    pub(in crate::store) fn sql_of(self, source: Source) -> String {
        let (id, direction) = (source.id(), if self.descending { " DESC" } else { "" });
        match self.key {
            Key::Created => format!("{id}{direction}"),
            Key::Updated => format!("{}{direction}, {id}{direction}", source.updated()),
            Key::Title => format!("{}{direction}, {id}{direction}", source.title()),
        }
    }

    /// The sort keys of a page: the list goes on after them.
    pub fn keys(self, page: &PostSummary) -> Vec<Value> {
        match self.key {
            Key::Created => vec![page.post_id.into()],
            Key::Updated => vec![page.updated_time.micros().into(), page.post_id.into()],
            Key::Title => vec![page.title.clone().into(), page.post_id.into()],
        }
    }

    /// Whether `keys` can be those of a page in this order.
    pub fn fits(self, keys: &[Value]) -> bool {
        match (self.key, keys) {
            (Key::Created, [id]) => id.is_i64(),
            (Key::Updated, [micros, id]) => micros.as_i64().is_some_and(Time::is_storable) && id.is_i64(),
            // Any text that can be stored: the rule for titles may be stricter now than it was.
            (Key::Title, [title, id]) => title.as_str().is_some_and(|title| rules::text(title).is_ok()) && id.is_i64(),
            _ => false,
        }
    }

    /// The condition that a page of this table comes after `keys`, which are added to `params`.
    pub(super) fn condition(self, source: Source, keys: &[Value], params: &mut Vec<Param>) -> String {
        for key in keys {
            params.push(match key.as_str() {
                Some(text) => text.to_owned().into(),
                None => key.as_i64().unwrap_or_default().into(),
            });
        }
        let comparison = if self.descending { '<' } else { '>' };
        let (first, second) = (params.len() - keys.len() + 1, params.len());
        let id = source.id();
        match self.key {
            Key::Created => format!("{id} {comparison} ${second}"),
            Key::Updated => format!("({}, {id}) {comparison} ({}, ${second})", source.updated(), db::instant(first)),
            Key::Title => format!("({}, {id}) {comparison} (title_order(${first}), ${second})", source.title()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_orders_are_refused() {
        for (sort, known) in [("created", true), ("-title", true), ("--title", false), ("id", false), ("", false)] {
            assert_eq!(Order::named(sort).is_some(), known, "{sort}");
        }
    }

    #[test]
    fn keys_of_another_order_do_not_fit() {
        let title = Order { key: Key::Title, descending: false };
        assert!(title.fits(&[json!("a"), json!(1)]));
        for keys in [
            vec![json!(1)],
            vec![json!(1), json!(1)],
            vec![json!("\0"), json!(1)],
            vec![json!("a"), json!("b")],
            vec![],
        ] {
            assert!(!title.fits(&keys), "{keys:?}");
        }
        assert!(Order::LATEST.fits(&[json!(0), json!(1)]));
        assert!(!Order::LATEST.fits(&[json!(i64::MAX), json!(1)]), "PostgreSQL has no such time");
    }
}
