//! Which pages a list shows.

use serde_json::Value;
use wiki_types::{Time, rules};

use crate::store::db::{self, Param};
use crate::store::pages::Order;
use crate::store::pages::order::Source;

/// The pages that are not deleted and that the reader may read.
const LIVING: &str = concat!("deleted_time IS NULL AND ", is_readable!("posts"));
/// The same where they are found by a tag: pages that the reader may not read are passed over in the index.
const LIVING_OF_TAG: &str =
    concat!("deleted_time IS NULL AND posts.acl_id = post_tags.acl_id AND ", is_readable!("post_tags"));

/// Conditions on the table `posts`, and their parameters.
///
/// The conditions are literals of this program; everything a client sends is a parameter.
#[derive(Debug)]
pub struct Filter {
    /// Beside those of [`LIVING`].
    conditions: Vec<String>,
    /// The number of the parameter of the tag that all have.
    tag: Option<usize>,
    /// The parameters of the conditions, in order.
    pub(in crate::store) params: Vec<Param>,
}

impl Filter {
    /// Every page that is not deleted and that the reader may read.
    pub fn living() -> Self {
        Self { conditions: Vec::new(), tag: None, params: Vec::new() }
    }

    /// Whether it leaves out pages that are not deleted.
    pub fn is_limited(&self) -> bool {
        !self.conditions.is_empty() || self.tag.is_some()
    }

    /// Only the pages that this user created.
    pub fn by_user(mut self, user_id: i64) -> Self {
        self.add("user_id = ${}", user_id);
        self
    }

    /// Only the pages that a user with this username or name created, in any case.
    pub fn by_author(mut self, name: String) -> Self {
        self.add(
            "user_id IN (SELECT users.id FROM users WHERE users.deleted_time IS NULL
               AND (lower(username COLLATE \"C\") = lower(${}::text COLLATE \"C\")
                 OR lower(name COLLATE \"C\") = lower(${}::text COLLATE \"C\")))",
            name,
        );
        self
    }

    /// Only the pages whose last edit is not before, or not after, the time.
    pub fn edited_since(mut self, time: Time) -> Self {
        self.add("updated_time >= 'epoch'::timestamptz + ${}::bigint * interval '1 microsecond'", time.micros());
        self
    }

    /// See [`Self::edited_since`].
    pub fn edited_until(mut self, time: Time) -> Self {
        self.add("updated_time <= 'epoch'::timestamptz + ${}::bigint * interval '1 microsecond'", time.micros());
        self
    }

    /// Only the pages of this space.
    pub fn in_space(mut self, space_id: i64) -> Self {
        self.add("space_id = ${}", space_id);
        self
    }

    /// Only the pages right below this one.
    pub fn below(mut self, parent_id: i64) -> Self {
        self.add("parent_id = ${}", parent_id);
        self
    }

    /// Only the pages that user `user_id` watches.
    pub fn watched_by(mut self, user_id: i64) -> Self {
        self.add("id IN (SELECT post_id FROM watches WHERE watches.user_id = ${} AND is_on)", user_id);
        self
    }

    /// Only the pages with this tag. Pages may have tags that are not composed, from when they were kept so.
    pub fn tagged(mut self, tag: &str) -> Self {
        let (tag, as_given) = (rules::normal_tag(tag), tag.trim().to_lowercase());
        if tag == as_given {
            self.params.push(db::texts(Some(vec![tag])));
            self.tag = Some(self.params.len());
        } else {
            self.add("tags && ${}", db::texts(Some(vec![tag, as_given])));
        }
        self
    }

    /// Only the page with this slug.
    pub fn with_slug(mut self, slug: String) -> Self {
        let composed = rules::composed(&slug);
        if composed == slug {
            self.add("slug = ${}", slug);
        } else {
            // A page may have a slug that is not composed, from when they were made so.
            let slugs = vec![composed.into_owned(), slug];
            self.add("slug = ANY (${})", db::texts(Some(slugs)));
        }
        self
    }

    /// Only the pages after the one with these `keys` in this order. Any tag comes before.
    pub fn after(mut self, order: Order, keys: &[Value]) -> Self {
        let condition = order.condition(self.source(), keys, &mut self.params);
        self.conditions.push(condition);
        self
    }

    /// Adds a condition with a parameter: `{}` stands for its number.
    pub(in crate::store) fn add(&mut self, condition: &str, param: impl Into<Param>) {
        self.params.push(param.into());
        self.conditions.push(condition.replace("{}", &self.params.len().to_string()));
    }

    /// The table to find the pages in.
    pub(in crate::store) fn source(&self) -> Source {
        if self.tag.is_some() { Source::PostTags } else { Source::Posts }
    }

    /// The condition of the WHERE clause.
    pub(in crate::store) fn sql(&self) -> String {
        self.sql_of(Source::Posts)
    }

    /// The condition of the WHERE clause where the pages are found in this table.
    pub(in crate::store) fn sql_of(&self, source: Source) -> String {
        let mut sql = match source {
            Source::Posts => LIVING,
            Source::PostTags => LIVING_OF_TAG,
        }
        .to_owned();
        if let Some(number) = self.tag {
            sql += &match source {
                Source::Posts => format!(" AND tags && ${number}"),
                Source::PostTags => format!(" AND post_tags.name = (${number}::text[])[1]"),
            };
        }
        for condition in &self.conditions {
            sql += " AND ";
            sql += condition;
        }
        sql
    }
}
