//! Keys of forms and requests: one that is sent twice, after a timeout or by a double click, is done once.

use wiki_types::rules::MAX_IDEMPOTENCY_KEY;

use crate::web::forms::Form;
use crate::web::{Problem, Request};

/// The most characters kept of a form's key, which the wiki made itself.
const MAX_FIELD: usize = 64;

/// The most earlier forms that one continues.
const MAX_CONTINUED: usize = 8;

/// What a key is for. The same text is another key for another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A page.
    Page,
    /// A task.
    Task,
    /// A user.
    User,
    /// A token.
    Token,
    /// A new password.
    Password,
}

impl Purpose {
    /// The key of user `sender`, or of somebody who is not known.
    pub fn key(self, sender: Option<i64>, text: &str) -> String {
        let sender = sender.unwrap_or_default();
        match self {
            Self::Page => format!("{sender}:{text}"),
            Self::Task => format!("task:{sender}:{text}"),
            Self::User => format!("user:{sender}:{text}"),
            Self::Token => format!("token:{sender}:{text}"),
            Self::Password => format!("password:{sender}:{text}"),
        }
    }

    /// The request's `Idempotency-Key`, as one of `sender`'s. 400 if it is not visible ASCII.
    pub fn header(self, request: &Request, sender: Option<i64>) -> Result<Option<String>, Problem> {
        let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim_matches('"');
        let is_valid =
            (1..=MAX_IDEMPOTENCY_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_valid {
            return Err(Problem::bad_request(format!(
                "The header Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters."
            )));
        }
        Ok(Some(self.key(sender, text)))
    }

    /// The key in the hidden field of a form, as one of `sender`'s.
    pub fn field(self, form: &Form, sender: Option<i64>) -> Option<String> {
        Some(field(form)).filter(|text| !text.is_empty()).map(|text| self.key(sender, &text))
    }
}

/// The text in a form's hidden field `key`.
pub fn field(form: &Form) -> String {
    accepted(form.text("key"))
}

/// The keys in a form's hidden field `continues`: those of the forms whose draft it started from.
pub fn continued(form: &Form) -> Vec<String> {
    keys(form.text("continues"))
}

/// The keys in a text that has spaces between them.
pub fn keys(text: &str) -> Vec<String> {
    let mut keys: Vec<String> = text.rsplit(' ').map(accepted).take(MAX_CONTINUED).collect();
    keys.retain(|key| !key.is_empty());
    keys.reverse();
    keys
}

fn accepted(key: &str) -> String {
    key.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(MAX_FIELD).collect()
}

/// 409: what the key made before is there no more.
pub fn deleted_since(what: &str) -> Problem {
    Problem::new(
        http::StatusCode::CONFLICT,
        format!("The {what} that this Idempotency-Key made was deleted since. To make another, use a new key."),
    )
}

/// 422: the key was sent before, with something else.
pub fn used_for_another(what: &str) -> Problem {
    Problem::new(
        http::StatusCode::UNPROCESSABLE_ENTITY,
        format!("This Idempotency-Key was used for another {what}. Use a new one."),
    )
}
