//! Views of accounts: signing in, one's own account, and what administrators make of others'.

use askama::Template;

use crate::access::{Role, Scope};
use crate::pages::address;
use crate::pages::lists::Member;

use crate::pages::write::error;
use crate::problem::FieldError;
use crate::sessions::Session;
use crate::tokens::Token;

/// The form to sign in.
#[derive(Debug, Default, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// What stands in the field for the username.
    pub username: String,
    /// Where they get to afterwards, if not to the front page.
    pub next: Option<String>,
    /// Why they did not get in.
    pub refusal: Option<String>,
}

/// One's own account.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct Account {
    /// The name they sign in with.
    pub username: String,
    /// Their number.
    pub user_id: i64,
    /// What they may do.
    pub role: Role,
    /// Where they are signed in, the latest first.
    pub sessions: Vec<Session>,
    /// Their tokens, the latest first.
    pub tokens: Vec<Token>,
    /// The token that was just made: its name, and what is shown of it this once.
    pub made: Option<(String, String)>,
    /// What stands in the form for a token.
    pub wanted: WantedToken,
    /// Whether their password was just changed.
    pub changed: bool,
    /// Whether somebody else chose their password, and they have to choose another first.
    pub password_is_given: bool,
    /// What is wrong with what was sent, by field.
    pub errors: Vec<FieldError>,
}

/// What stands in the form for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// Days until it expires.
    pub days: i64,
}

impl Default for WantedToken {
    fn default() -> Self {
        Self { name: String::new(), scope: Scope::Read, days: DAYS[1].0 }
    }
}

/// For how long a token can be asked for in the form: days, and what they are called.
pub const DAYS: [(i64, &str); 4] = [(7, "7 days"), (90, "90 days"), (180, "half a year"), (365, "a year")];

/// What a token of each scope may do, in words.
const SCOPES: [(Scope, &str); 3] = [
    (Scope::Read, "Read pages"),
    (Scope::Write, "Read and write pages"),
    (Scope::Admin, "Everything you may, this account included"),
];

/// What an account of each role may do, in words.
const ROLES: [(Role, &str); 3] = [
    (Role::Reader, "Reader: reads pages"),
    (Role::Editor, "Editor: reads and writes pages"),
    (Role::Administrator, "Administrator: does everything"),
];

impl Account {
    fn error(&self, field: &str) -> Option<&str> {
        error(&self.errors, field)
    }
}

/// The form by which administrators make a user, or change what somebody's account may do.
#[derive(Debug, Template)]
#[template(path = "person.html")]
pub struct Person {
    /// Who it is about; a new user if nobody.
    pub member: Option<Member>,
    /// What stands in the field for the username.
    pub username: String,
    /// What stands in the field for the name. (A macro of the templates has a `name` of its own.)
    pub known_as: String,
    /// The role that is chosen.
    pub role: Role,
    /// Whether they have an account already.
    pub has_account: bool,
    /// What is wrong with what was sent, by field.
    pub errors: Vec<FieldError>,
}

impl Person {
    fn error(&self, field: &str) -> Option<&str> {
        error(&self.errors, field)
    }

    fn action(&self) -> String {
        self.member.as_ref().map_or_else(|| address::NEW_USER.to_owned(), |member| address::account_of(member.id))
    }
}
