//! Who may do what: the wiki's mode, the roles of accounts and the scopes of tokens, held against what a route needs.

use std::fmt;
use std::str::FromStr;
use wiki_types::rules;

use serde::{Serialize, Serializer};

use crate::db::{Column, Param, Row};
use crate::problem::Problem;
use crate::request::Request;

/// Whom the wiki lets in without an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `open`: anyone reads and writes.
    Open,
    /// `public-read`: anyone reads, editors write.
    PublicRead,
    /// `private`: readers read, editors write.
    Private,
}

/// What an account may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and writes pages.
    Editor,
    /// Does everything: accounts, protected pages, the audit trail.
    Administrator,
}

/// What a token may do at most, of what its owner may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reads.
    Read,
    /// Reads and writes pages.
    Write,
    /// Everything its owner may, their account and tokens included.
    Admin,
}

/// Enums that are written as one word: in JSON, in the database, in forms.
macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Fails with what it must be unless `text` is such a word.
            pub fn rule(text: &str) -> Result<(), rules::Wrong> {
                let words: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                text.parse::<Self>().map(drop).map_err(|()| format!("must be one of: {}", words.join(", ")).into())
            }
        }

        impl FromStr for $type {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(())
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl Column for $type {
            fn from_value(value: crate::db::Value) -> Result<Self, Problem> {
                let text = String::from_value(value)?;
                text.parse().map_err(|()| Problem::internal(format!("a column is {text:?}, not {}", $what)))
            }
        }
    };
}

words!(Mode, "a mode", Open = "open", PublicRead = "public-read", Private = "private");
words!(Role, "a role", Reader = "reader", Editor = "editor", Administrator = "administrator");
words!(Scope, "a scope", Read = "read", Write = "write", Admin = "admin");

/// What a route needs of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: nobody even looks who asks.
    Nothing,
    /// Anybody may; the answer depends on who it is.
    Anybody,
    /// To read pages.
    Read,
    /// To write pages.
    Write,
    /// To make users: administrators, and anybody in open mode.
    Register,
    /// To change a user: with an account, and anybody in open mode. Whose it is, the handler knows.
    Person,
    /// An account, of whatever role.
    Account,
    /// An account, and not a token that may do less than its owner.
    OwnAccount,
    /// The same, even while its password is one that somebody else chose.
    Password,
    /// To administer.
    Administer,
}

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A browser's cookie, of the session with that number.
    Session(i64),
    /// An API token.
    Token {
        /// Its number.
        id: i64,
        /// What it may do.
        scope: Scope,
    },
}

/// Somebody who showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Their number.
    pub user_id: i64,
    /// The name they sign in with.
    pub username: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether somebody else chose their password. Then they choose one of their own before anything else.
    pub password_is_given: bool,
    /// How they showed it.
    pub credential: Credential,
}

impl Account {
    /// The columns of the table `users` that [`Account::read_row`] reads.
    pub const COLUMNS: &'static str = "users.id, users.username, users.name, users.role, users.password_is_given";

    /// From [`Account::COLUMNS`].
    pub fn read_row(row: &mut Row, credential: Credential) -> Result<Self, Problem> {
        Ok(Self {
            user_id: row.column()?,
            username: row.column()?,
            name: row.column()?,
            role: row.column()?,
            password_is_given: row.column()?,
            credential,
        })
    }

    /// Their session, if this is one.
    pub fn session(&self) -> Option<i64> {
        match self.credential {
            Credential::Session(id) => Some(id),
            Credential::Token { .. } => None,
        }
    }

    fn scope(&self) -> Scope {
        match self.credential {
            Credential::Session(_) => Scope::Admin,
            Credential::Token { scope, .. } => scope,
        }
    }
}

/// Who asks, as far as the wiki knows. Each handler finds it in its request by [`who`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The wiki's mode.
    pub mode: Mode,
    /// Their account, if they showed one.
    pub account: Option<Account>,
    /// Where they ask from.
    pub address: String,
}

/// Who `request` is from. Of one that nobody looked at, nobody is known, and nothing is open to them.
pub fn who(request: &Request) -> &Who {
    const NOBODY: &Who = &Who { mode: Mode::Private, account: None, address: String::new() };
    request.extensions().get().unwrap_or(NOBODY)
}

impl Who {
    /// 401 or 403 unless they have what is needed.
    pub fn check(&self, need: Need) -> Result<(), Problem> {
        let is_open = self.mode == Mode::Open;
        let (anybody, role, scope) = match need {
            Need::Nothing | Need::Anybody => return Ok(()),
            Need::Read => (self.mode != Mode::Private, Role::Reader, Scope::Read),
            Need::Write => (is_open, Role::Editor, Scope::Write),
            Need::Register => (is_open, Role::Administrator, Scope::Admin),
            Need::Person => (is_open, Role::Reader, Scope::Admin),
            Need::Account => (false, Role::Reader, Scope::Read),
            Need::OwnAccount | Need::Password => (false, Role::Reader, Scope::Admin),
            Need::Administer => (false, Role::Administrator, Scope::Admin),
        };
        match &self.account {
            None if anybody => Ok(()),
            None => Err(Problem::unauthenticated()),
            // A token says what may be done with it, even where its owner needs none.
            Some(account) if account.scope() < scope => Err(Problem::insufficient_scope(scope)),
            Some(account)
                if account.password_is_given && !anybody && !matches!(need, Need::Account | Need::Password) =>
            {
                Err(Problem::forbidden(
                    "Somebody else chose your password. First choose one of your own, on the page of your account \
                     (/wiki/-/account) or by PUT /account/password.",
                ))
            }
            Some(account) if anybody || account.role >= role => Ok(()),
            Some(account) => Err(Problem::forbidden(match role {
                Role::Administrator => "Only administrators may do this.".to_owned(),
                _ => format!("Your account is a {}'s. Ask an administrator to make it an {role}'s.", account.role),
            })),
        }
    }

    /// Whether they may do what only administrators may.
    pub fn administers(&self) -> bool {
        self.check(Need::Administer).is_ok()
    }

    /// Whether user `id` is theirs.
    pub fn is(&self, id: i64) -> bool {
        self.account.as_ref().is_some_and(|account| account.user_id == id)
    }

    /// The number of their user.
    pub fn user_id(&self) -> Option<i64> {
        self.account.as_ref().map(|account| account.user_id)
    }

    /// Who writes a page, if a request names `user_id`: that user, else whoever asks.
    ///
    /// 403 when somebody who is not an administrator names somebody else, but in open mode.
    pub fn author(&self, user_id: Option<i64>) -> Result<Option<i64>, Problem> {
        match user_id {
            Some(other) if self.mode != Mode::Open && !self.is(other) && !self.administers() => {
                Err(Problem::forbidden(
                    "Only administrators may write as somebody else. Leave \"user_id\" out, or give your own.",
                ))
            }
            Some(id) => Ok(Some(id)),
            None => Ok(self.user_id()),
        }
    }

    /// Who and where from, as the audit trail's columns `actor_id` and `address` have it.
    pub fn actor(&self) -> [Param; 2] {
        [self.user_id().into(), self.address.clone().into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody(mode: Mode, role: Role, credential: Credential) -> Who {
        let account = Account {
            user_id: 7,
            username: "ada".into(),
            name: "Ada".into(),
            role,
            password_is_given: false,
            credential,
        };
        Who { mode, account: Some(account), address: String::new() }
    }

    fn nobody(mode: Mode) -> Who {
        Who { mode, account: None, address: String::new() }
    }

    fn status(who: &Who, need: Need) -> u16 {
        who.check(need).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn without_an_account_the_mode_decides() {
        for (mode, read, write) in [(Mode::Open, 200, 200), (Mode::PublicRead, 200, 401), (Mode::Private, 401, 401)] {
            let nobody = nobody(mode);
            assert_eq!([Need::Read, Need::Write].map(|need| status(&nobody, need)), [read, write], "{mode}");
            assert_eq!(status(&nobody, Need::Administer), 401, "{mode}");
        }
    }

    #[test]
    fn a_token_does_no_more_than_its_scope_even_where_anybody_may() {
        for (scope, write, own) in [(Scope::Read, 403, 403), (Scope::Write, 200, 403), (Scope::Admin, 200, 200)] {
            for mode in [Mode::Open, Mode::Private] {
                let token = somebody(mode, Role::Administrator, Credential::Token { id: 1, scope });
                assert_eq!(status(&token, Need::Read), 200);
                assert_eq!([Need::Write, Need::OwnAccount].map(|need| status(&token, need)), [write, own], "{scope}");
                assert_eq!(token.administers(), scope == Scope::Admin);
            }
        }
    }

    #[test]
    fn with_a_given_password_one_can_only_choose_another() {
        let mut who = somebody(Mode::PublicRead, Role::Administrator, Credential::Session(1));
        who.account.as_mut().unwrap().password_is_given = true;
        for need in [Need::Read, Need::Anybody, Need::Account, Need::Password] {
            assert_eq!(status(&who, need), 200, "{need:?}");
        }
        for need in [Need::Write, Need::OwnAccount, Need::Administer, Need::Person, Need::Register] {
            assert_eq!(status(&who, need), 403, "{need:?}");
        }
    }

    #[test]
    fn only_administrators_write_as_somebody_else() {
        let session = Credential::Session(1);
        let editor = somebody(Mode::PublicRead, Role::Editor, session);
        assert_eq!(editor.author(None).unwrap(), Some(7));
        assert_eq!(editor.author(Some(7)).unwrap(), Some(7));
        assert_eq!(editor.author(Some(8)).unwrap_err().status.as_u16(), 403);
        assert_eq!(somebody(Mode::Private, Role::Administrator, session).author(Some(8)).unwrap(), Some(8));
        assert_eq!(nobody(Mode::Open).author(Some(8)).unwrap(), Some(8));
        assert_eq!(nobody(Mode::Open).author(None).unwrap(), None);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for mode in Mode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(*mode));
        }
        assert_eq!("Open".parse::<Mode>(), Err(()));
        assert_eq!(Role::rule("owner").unwrap_err(), "must be one of: reader, editor, administrator");
    }
}
