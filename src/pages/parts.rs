//! What several views have in common: names, people, changes, lists of pages.

use crate::access::{self, Mode};
pub use crate::markdown::{Heading, Rendered};
use crate::pages::address;
use crate::request::Request;
use crate::time::Time;

/// A page as links name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Its name in addresses.
    pub slug: String,
    /// What a person calls it.
    pub title: String,
}

impl Name {
    /// Where it is.
    pub fn address(&self) -> String {
        address::page(&self.slug)
    }

    /// Where `what` of it is; see [`address::of_page`].
    pub fn of(&self, what: &str) -> String {
        address::of_page(&self.slug, what)
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their number; none for somebody who was deleted and has no page.
    pub id: Option<i64>,
    /// What they are called.
    pub name: String,
}

/// Whom a page is made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// What they are called; none if nobody is signed in.
    pub name: Option<String>,
    /// Whether they may do what only administrators may.
    pub administers: bool,
    /// Whether there is more to see or do for those who sign in.
    pub gains_by_signing_in: bool,
}

impl Viewer {
    /// Whoever `request` is from.
    pub fn of(request: &Request) -> Self {
        let who = access::who(request);
        Self {
            name: who.account.as_ref().map(|account| account.name.clone()),
            administers: who.administers(),
            gains_by_signing_in: who.mode != Mode::Open,
        }
    }
}

/// A page in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The page.
    pub page: Name,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was last edited.
    pub updated: Time,
}

/// A change to a page, in a list of changes to several.
#[derive(Debug, Clone)]
pub struct Change {
    /// The page.
    pub page: Name,
    /// The version it became; the first is the page's creation.
    pub version: i64,
    /// Who did it.
    pub author: Person,
    /// What they say they did; may be empty.
    pub comment: String,
    /// Bytes the page grew by.
    pub delta: i64,
    /// When.
    pub time: Time,
}

impl Change {
    /// What changed, compared to the version before.
    pub fn differences(&self) -> String {
        address::compare(&self.page.slug, self.version - 1, self.version)
    }
}

/// A tag and how many pages have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The tag.
    pub name: String,
    /// Pages that have it.
    pub pages: i64,
}

impl Tag {
    /// The pages that have it.
    pub fn address(&self) -> String {
        address::tag(&self.name)
    }
}

/// `number` with commas between thousands.
pub fn count(number: &i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if *number < 0 { "−".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `number` with its sign, and a true minus.
pub fn signed(number: &i64) -> String {
    match number {
        0 => "±0".to_owned(),
        1.. => format!("+{}", count(number)),
        _ => count(number),
    }
}

/// A class for a number with that sign.
pub fn trend(number: &i64) -> &'static str {
    match number {
        0 => "stayed",
        1.. => "grew",
        _ => "shrank",
    }
}

/// `number` of things, which one of them is called `one` and more are called `many`.
pub fn counted(number: &i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if *number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_for_people() {
        assert_eq!([0, 999, 1000, -1_234_567].map(|n| count(&n)), ["0", "999", "1,000", "−1,234,567"]);
        assert_eq!([0, 1200, -35].map(|n| signed(&n)), ["±0", "+1,200", "−35"]);
        assert_eq!([1, 2].map(|n| counted(&n, "page", "pages")), ["1 page", "2 pages"]);
    }
}
