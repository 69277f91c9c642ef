//! The wiki's own words: its users, posts and counters.

use serde_json::{Value, json};

use crate::Client;

impl Client {
    /// Creates a user with this username and returns it.
    ///
    /// # Panics
    /// When the wiki refuses.
    pub async fn create_user(&self, username: &str) -> Value {
        self.post("/users").json(json!({"username": username})).await.expect(201).json()
    }

    /// Creates a post and returns it.
    ///
    /// # Panics
    /// When the wiki refuses.
    pub async fn create_post(&self, user: &Value, content: &str) -> Value {
        self.post("/posts").json(json!({"user_id": user["id"], "content": content})).await.expect(201).json()
    }

    /// The value of a metric without labels.
    ///
    /// # Panics
    /// When the wiki does not export it.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.expect(200).text().to_owned();
        metric(&text, name).unwrap_or_else(|| panic!("no {name} in:\n{text}"))
    }

    /// Every item of a list, following `next` from `target` on.
    ///
    /// # Panics
    /// When a page is not a list called `items`, or the list has more than 100 pages.
    pub async fn walk(&self, target: &str, items: &str) -> Vec<Value> {
        let (mut all, mut next) = (Vec::new(), Some(target.to_owned()));
        for _ in 0..100 {
            let Some(target) = next else { return all };
            let page = self.get(&target).await.expect(200).json();
            all.extend(page[items].as_array().unwrap_or_else(|| panic!("{items} is a list: {page}")).iter().cloned());
            next = page["next"].as_str().map(str::to_owned);
            assert!(page.get("next").is_some(), "a page says where the next one is, or null: {page}");
        }
        panic!("{target} has no end");
    }
}

/// The value of the metric `name` without labels in a text of Prometheus' format, if it is there.
pub fn metric(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Checks that `value` is a time as RFC 3339 writes it, in UTC: `2026-01-31T23:59:59Z`, with or without a fraction.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_time(value: &Value) {
    let shape: String =
        value.as_str().unwrap_or_default().chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let fraction = shape.strip_prefix("0000-00-00T00:00:00").and_then(|rest| rest.strip_suffix('Z'));
    let digits = fraction.and_then(|fraction| if fraction.is_empty() { Some("0") } else { fraction.strip_prefix('.') });
    assert!(
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b == b'0')),
        "not a time: {value}"
    );
}
