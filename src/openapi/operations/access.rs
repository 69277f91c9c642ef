//! Accounts and what belongs to them.

use http::Method;
use serde_json::{Value, json};

use super::Operation;
use crate::openapi::examples;
use crate::openapi::parameters::query;

/// The operations of accounts, sessions, tokens and the audit trail.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/account", "readAccount", "Who am I?")
            .about("Whom the token or the session belongs to, and what it may do.")
            .answers(200, "The account.", "Account", examples::account())
            .with("Cache-Control", "NotStored"),
        Operation::new(Method::PUT, "/account/password", "changePassword", "Change one's password")
            .about("Ends every other session. Tokens stay.")
            .reads("PasswordChange", json!({ "current": "correct horse", "new": "battery staple" }))
            .answers_text(204, "It is changed.", None),
        Operation::new(Method::GET, "/tokens", "listTokens", "List one's tokens")
            .about("The latest first, without the tokens themselves: those are shown once.")
            .asks(of_user())
            .answers(200, "All tokens.", "Tokens", examples::list("tokens", examples::token()))
            .with("Cache-Control", "NotStored")
            .fails(&[403]),
        Operation::new(Method::POST, "/tokens", "createToken", "Make a token")
            .about("The answer is the only one that ever holds `token` itself.")
            .reads("NewToken", json!({ "name": "nightly import", "scope": "write" }))
            .answers(201, "The token.", "MadeToken", examples::made_token())
            .with("Location", "Location")
            .with("Cache-Control", "NotStored")
            .fails(&[409]),
        Operation::new(Method::DELETE, "/tokens/{id}", "revokeToken", "Revoke a token")
            .about("One's own; administrators, anybody's.")
            .takes(&["TokenId"])
            .answers_text(204, "It no longer works.", None)
            .fails(&[404]),
        Operation::new(Method::GET, "/sessions", "listSessions", "List one's sessions")
            .about("Where one is signed in with a browser, the latest first.")
            .asks(of_user())
            .answers(200, "The sessions.", "Sessions", examples::list("sessions", examples::session()))
            .with("Cache-Control", "NotStored")
            .fails(&[403]),
        Operation::new(Method::DELETE, "/sessions", "endSessions", "Sign out everywhere").answers_text(
            204,
            "Every browser is signed out.",
            None,
        ),
        Operation::new(Method::DELETE, "/sessions/{id}", "endSession", "Sign out one browser")
            .about("One's own; administrators, anybody's.")
            .takes(&["SessionId"])
            .answers_text(204, "It is signed out.", None)
            .fails(&[404]),
        Operation::new(Method::GET, "/audit", "listAudit", "Read the audit trail")
            .about("Newest first. For administrators.")
            .takes(&["Limit", "Cursor"])
            .asks(about_user())
            .answers(200, "Entries.", "Trail", examples::list("entries", examples::audit()))
            .cached(),
    ]
}

fn of_user() -> Value {
    query(
        "user_id",
        "Those of this user. For administrators; of others, only for themselves.",
        json!({ "type": "string" }),
    )
}

fn about_user() -> Value {
    query(
        "user_id",
        "Only what this user did, or what was done to their account. What is no user's number is nobody's.",
        json!({ "type": "string" }),
    )
}
