//! Identity: who sends a request.

use wiki_types::{Account, Mode, Scope, Time};

use crate::auth::rate_limit;
use crate::store::{Actor, Reader};
use crate::web::Problem;

/// Who sends a request, as far as the wiki knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The wiki's mode.
    pub mode: Mode,
    /// Their account, if the request proved one.
    pub account: Option<Account>,
    /// The number of the session that proved it.
    pub session: Option<i64>,
    /// When the token that proved it expires.
    pub token_expires_time: Option<Time>,
    /// How many entries of their inbox are unread, as a session knows.
    pub unread: i64,
    /// The address the request comes from.
    pub address: String,
}

impl Identity {
    /// An anonymous identity to which nothing is open: that of a request whose route needs no identity.
    pub const UNKNOWN: Self = Self {
        mode: Mode::Private,
        account: None,
        session: None,
        token_expires_time: None,
        unread: 0,
        address: String::new(),
    };

    /// The account, 401 without one.
    pub fn account(&self) -> Result<&Account, Problem> {
        self.account.as_ref().ok_or_else(unauthenticated)
    }

    /// The subscriber whose address they have.
    pub fn subscriber(&self) -> String {
        rate_limit::subscriber(&self.address)
    }

    /// Whether user `id` is theirs.
    pub fn is(&self, id: i64) -> bool {
        self.user_id() == Some(id)
    }

    /// The number of their user.
    pub fn user_id(&self) -> Option<i64> {
        self.account.as_ref().map(|account| account.user_id)
    }

    /// Who they are to the pages that they read and write.
    pub fn reader(&self) -> Reader {
        match self.user_id() {
            _ if self.is_administrator() => Reader::Administrator,
            Some(id) => Reader::User(id),
            None => Reader::Stranger,
        }
    }

    /// The name of the time zone that they chose.
    pub fn zone(&self) -> Option<&str> {
        self.account.as_ref()?.time_zone.as_deref()
    }

    /// The most they may do: everything by a session, and what its scope says by a token.
    pub(super) fn scope(&self) -> Scope {
        self.account.as_ref().and_then(|account| account.scope).unwrap_or(Scope::Admin)
    }

    /// Who changes something, for the audit trail.
    pub fn actor(&self) -> Actor {
        Actor { user_id: self.user_id(), address: self.address.clone() }
    }
}

/// 401: this needs an account.
pub fn unauthenticated() -> Problem {
    let problem = Problem::new(
        http::StatusCode::UNAUTHORIZED,
        "This needs an account. Send a token, as in \"Authorization: Bearer wasiki_…\", or sign in.",
    );
    Problem { challenge: Some("Bearer realm=\"wasiki\""), ..problem.on_page("Sign in to continue.") }
}

/// The user whose sessions or tokens a request is about: its own, or `user_id` for administrators.
pub fn subject(identity: &Identity, user_id: Option<i64>) -> Result<i64, Problem> {
    let own = identity.account()?.user_id;
    match user_id {
        Some(other) if other != own && !identity.administers() => {
            Err(Problem::forbidden("Only administrators see what others have. Leave \"user_id\" out."))
        }
        Some(user_id) => Ok(user_id),
        None => Ok(own),
    }
}
