//! Which tasks a list shows.

use serde_json::Value;
use wiki_types::Time;
use wiki_types::rules;

use crate::store::db::{self, Param};
use crate::store::zones::zone;

/// Conditions on tasks, and their parameters. Everything a client sends is a parameter.
#[derive(Debug, Default)]
pub struct Filter {
    conditions: String,
    pub(super) params: Vec<Param>,
}

impl Filter {
    /// Only those that are done, or only those that are not.
    pub fn done(self, done: bool) -> Self {
        self.and("tasks.done = ${}::boolean", done)
    }

    /// Only those of the user with this username, in any case.
    pub fn assigned_to(self, username: &str) -> Self {
        self.and("tasks.assignee = ${}::text", username.to_ascii_lowercase())
    }

    /// Only those of user `id`.
    pub fn assigned_to_user(self, id: i64) -> Self {
        self.and("tasks.assignee = (SELECT lower(username COLLATE \"C\") FROM users WHERE users.id = ${}::bigint)", id)
    }

    /// Only those that are due before an instant, or before the reader's clocks show it.
    pub fn due_before(self, time: Time, is_local: bool) -> Self {
        self.at("tasks.begins_time <", time, is_local)
    }

    /// Only those that are due after an instant, or after the reader's clocks show it.
    pub fn due_after(self, time: Time, is_local: bool) -> Self {
        self.at("tasks.begins_time >", time, is_local)
    }

    /// Only those of pages with this tag.
    pub fn tagged(self, tag: &str) -> Self {
        // Pages may have tags that are not composed, from when they were kept so.
        let tags = vec![rules::normal_tag(tag), tag.trim().to_lowercase()];
        self.and("posts.tags && ${}::text[]", db::texts(Some(tags)))
    }

    /// Only those of page `id`.
    pub fn of_page(self, id: i64) -> Self {
        self.and("tasks.post_id = ${}::bigint", id)
    }

    /// Only those that lists show after the one with these `keys`.
    pub fn after(mut self, keys: &[Value]) -> Self {
        let id = keys.get(1).and_then(Value::as_i64).unwrap_or_default();
        let due = keys.first().and_then(Value::as_i64);
        self.params.push(due.into());
        let due = format!("coalesce({}, 'infinity'::timestamptz)", db::instant(self.params.len()));
        self.and(
            &format!("(coalesce(tasks.begins_time, 'infinity'::timestamptz), tasks.id) > ({due}, ${{}}::bigint)"),
            id,
        )
    }

    fn at(mut self, condition: &str, time: Time, is_local: bool) -> Self {
        self.params.push(time.micros().into());
        let instant = db::instant(self.params.len());
        let instant = match is_local {
            true => format!("(({instant}) AT TIME ZONE 'UTC') AT TIME ZONE {}", zone!()),
            false => instant,
        };
        self.conditions.push_str(&format!(" AND {condition} {instant}"));
        self
    }

    fn and(mut self, condition: &str, param: impl Into<Param>) -> Self {
        self.params.push(param.into());
        self.conditions.push_str(" AND ");
        self.conditions.push_str(&condition.replace("{}", &self.params.len().to_string()));
        self
    }

    /// What goes behind a WHERE clause.
    pub(super) fn sql(&self) -> &str {
        &self.conditions
    }
}
