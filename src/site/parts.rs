//! What several views share: the viewer, links to pages, numbers, and what is wrong with a form.

use wiki_types::{ChangeKind, FieldError, Mode, Post, PostSummary, RevisionEntry, SearchResult, Suggestion};

use crate::auth::{Identity, sign_in_within};
use crate::markdown::{self, Rendered};
use crate::site::address;
use crate::store::links::Targets;
use crate::web::Problem;
use crate::web::forms::Form;

/// The name of a user whose name was deleted.
pub const DELETED_USER: &str = "deleted user";

/// The name of somebody who is not known.
pub const UNKNOWN_USER: &str = "unknown";

/// The person a page is made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Their name; none for an anonymous viewer.
    pub name: Option<String>,
    /// Whether they are an administrator.
    pub administers: bool,
    /// Whether signing in allows more than the wiki allows without an account.
    pub gains_by_signing_in: bool,
}

impl Viewer {
    /// The sender of a request.
    pub fn of(identity: &Identity) -> Self {
        Self {
            name: identity.account.as_ref().map(|account| account.name.clone()),
            administers: identity.administers(),
            gains_by_signing_in: identity.mode != Mode::Open,
        }
    }
}

/// What has the address of a page.
pub trait Linked {
    /// The page's slug.
    fn slug(&self) -> &str;

    /// The page.
    fn address(&self) -> String {
        address::page(self.slug())
    }

    /// What can be done with the page; see [`address::of_page`].
    fn of(&self, what: &str) -> String {
        address::of_page(self.slug(), what)
    }
}

macro_rules! linked {
    ($($type:ty: $slug:ident),+ $(,)?) => {
        $(impl Linked for $type {
            fn slug(&self) -> &str {
                &self.$slug
            }
        })+
    };
}

linked! { Post: slug, PostSummary: slug, SearchResult: slug, Suggestion: slug }

impl Linked for RevisionEntry {
    fn slug(&self) -> &str {
        &self.page
    }

    fn address(&self) -> String {
        if self.is_page_deleted { address::deleted_page(self.post_id) } else { address::page(&self.page) }
    }
}

/// What a list of changes says of one beside its page; nothing of a mere edit.
pub fn badge(kind: &ChangeKind) -> Option<&'static str> {
    match kind {
        ChangeKind::Created => Some("new"),
        ChangeKind::Edited => None,
        ChangeKind::Renamed | ChangeKind::Deleted | ChangeKind::Restored => Some(kind.as_str()),
    }
}

/// Markdown as HTML, whose links lead to `targets`.
pub fn rendered(content: &str, title: &str, targets: &Targets) -> Rendered {
    markdown::render(content, title, |name| targets.get(name).cloned())
}

/// What is wrong with `field`.
pub fn error<'a>(errors: &'a [FieldError], field: &str) -> Option<&'a str> {
    errors.iter().find(|error| error.field == field).map(|error| &*error.message)
}

/// Why a form is shown again.
#[derive(Debug, Clone)]
pub struct Reason {
    /// A sentence a person can act on.
    pub detail: String,
    /// Whether to sign in along with the next try.
    pub signs_in: bool,
    /// The username that was typed for that.
    pub username: String,
}

impl Reason {
    /// What `problem` says of what was typed into `form`.
    pub fn new(form: &Form, problem: &Problem) -> Self {
        let tries_to_sign_in = !form.text(sign_in_within::USERNAME).is_empty();
        Self {
            detail: match problem.status.as_u16() {
                401 if !tries_to_sign_in => {
                    "You are not signed in any more. Sign in below, and it is done at once.".to_owned()
                }
                _ => problem.detail.clone().into_owned(),
            },
            signs_in: problem.status.as_u16() == 401 || tries_to_sign_in,
            username: typed(form.text(sign_in_within::USERNAME)),
        }
    }
}

/// What was typed, without control characters, which HTML cannot hold.
pub fn typed(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect()
}

/// The label of a form's field.
pub fn label(field: &str) -> &str {
    match field {
        "title" => "Title",
        "slug" => "Address",
        "content" => "Text",
        "tags" => "Tags",
        "comment" => "What changed",
        "reason" => "Reason",
        "author" => "Your name",
        "username" => "Username",
        "name" => "Name",
        "password" => "Password",
        "current" => "Current password",
        "new" => "New password",
        "token" => "Name of the token",
        "scope" => "What it may do",
        "days" => "Valid for",
        "role" => "Role",
        other => other,
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

/// The CSS class of a number with that sign.
pub fn trend(number: &i64) -> &'static str {
    match number {
        0 => "stayed",
        1.. => "grew",
        _ => "shrank",
    }
}

/// `number` with the word for one or for more.
pub fn counted(number: &i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if *number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        assert_eq!([0, 999, 1000, -1_234_567].map(|n| count(&n)), ["0", "999", "1,000", "−1,234,567"]);
        assert_eq!([0, 1200, -35].map(|n| signed(&n)), ["±0", "+1,200", "−35"]);
        assert_eq!([1, 2].map(|n| counted(&n, "page", "pages")), ["1 page", "2 pages"]);
    }
}
