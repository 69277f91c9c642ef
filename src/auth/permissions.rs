//! Permissions: what a route needs, and whether an identity has it.

use wiki_types::{Mode, Role, Scope};

use crate::auth::Identity;
use crate::auth::identity::unauthenticated;
use crate::web::Problem;

/// What a route needs of the sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing. The sender is not even identified.
    Nothing,
    /// Anyone may; the response depends on who it is.
    Anyone,
    /// Permission to read pages.
    Read,
    /// Permission to write pages.
    Write,
    /// Permission to create users: for administrators, and for anyone in open mode.
    Register,
    /// Permission to change a user: with an account, and for anyone in open mode. The handler checks which user.
    Person,
    /// An account of any role.
    Account,
    /// An account that may read pages.
    Recipient,
    /// The same, and not by a token that may only read.
    Follower,
    /// An account, and not by a token with a narrower scope than its owner has.
    OwnAccount,
    /// The same, even while the password is one that an administrator chose.
    Password,
    /// The role administrator.
    Administer,
}

impl Identity {
    /// 401 or 403 unless they have what `need` says.
    pub fn check(&self, need: Need) -> Result<(), Problem> {
        let is_open = self.mode == Mode::Open;
        let (is_public, role, scope) = match need {
            Need::Nothing | Need::Anyone => return Ok(()),
            Need::Read => (self.mode != Mode::Private, Role::Reader, Scope::Read),
            Need::Write => (is_open, Role::Editor, Scope::Write),
            Need::Register => (is_open, Role::Administrator, Scope::Admin),
            Need::Person => (is_open, Role::Reader, Scope::Admin),
            Need::Account | Need::Recipient => (false, Role::Reader, Scope::Read),
            Need::Follower => (false, Role::Reader, Scope::Write),
            Need::OwnAccount | Need::Password => (false, Role::Reader, Scope::Admin),
            Need::Administer => (false, Role::Administrator, Scope::Admin),
        };
        match &self.account {
            None if is_public => Ok(()),
            None => Err(unauthenticated()),
            // A token is bound by its scope, even where its owner would need no account at all.
            Some(_) if self.scope() < scope => Err(insufficient_scope(scope)),
            Some(account)
                if account.password_is_given && !is_public && !matches!(need, Need::Account | Need::Password) =>
            {
                let problem = Problem::forbidden(
                    "An administrator chose your password. First choose one of your own, on your account page \
                     (/wiki/-/account) or with PUT /account/password.",
                );
                Err(problem.on_page("Choose a new password to continue."))
            }
            Some(account) if is_public || account.role >= role => Ok(()),
            Some(_) if role == Role::Administrator => Err(Problem::forbidden("Only administrators may do this.")),
            Some(account) => {
                let detail =
                    format!("This needs the role {role}; your role is {}. Ask an administrator for it.", account.role);
                let on_page = "You can read this wiki, but not edit it. Ask an administrator for edit access.";
                Err(Problem::forbidden(detail).on_page(on_page))
            }
        }
    }

    /// Whether the account is an administrator's, by whatever session or token they act.
    pub fn is_administrator(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.role >= Role::Administrator)
    }

    /// Whether they may do what only administrators may.
    pub fn administers(&self) -> bool {
        self.check(Need::Administer).is_ok()
    }

    /// The author of an edit: `user_id` if the request names one, else the sender.
    ///
    /// 403 if the request names another user and the sender is not an administrator, except in open mode.
    pub fn author(&self, user_id: Option<i64>) -> Result<Option<i64>, Problem> {
        match user_id {
            Some(other) if self.mode != Mode::Open && !self.is(other) && !self.administers() => {
                Err(Problem::forbidden(
                    "Only administrators may write as another user. Leave \"user_id\" out, or give your own.",
                ))
            }
            Some(id) => Ok(Some(id)),
            None => Ok(self.user_id()),
        }
    }
}

/// 403: the token's scope is too narrow.
fn insufficient_scope(needed: Scope) -> Problem {
    let challenge = match needed {
        Scope::Read => "Bearer realm=\"wasiki\", error=\"insufficient_scope\", scope=\"read\"",
        Scope::Write => "Bearer realm=\"wasiki\", error=\"insufficient_scope\", scope=\"write\"",
        Scope::Admin => "Bearer realm=\"wasiki\", error=\"insufficient_scope\", scope=\"admin\"",
    };
    let detail = format!("The token's scope is too narrow. This needs a token with scope {needed}.");
    Problem { challenge: Some(challenge), ..Problem::forbidden(detail) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiki_types::Account;

    fn account(mode: Mode, role: Role, scope: Option<Scope>) -> Identity {
        let account = Account {
            user_id: 7,
            username: "ada".into(),
            name: "Ada".into(),
            role,
            scope,
            password_is_given: false,
            time_zone: None,
        };
        Identity { mode, account: Some(account), ..Identity::UNKNOWN }
    }

    fn anonymous(mode: Mode) -> Identity {
        Identity { mode, ..Identity::UNKNOWN }
    }

    fn status(identity: &Identity, need: Need) -> u16 {
        identity.check(need).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn without_an_account_the_mode_decides() {
        for (mode, read, write) in [(Mode::Open, 200, 200), (Mode::PublicRead, 200, 401), (Mode::Private, 401, 401)] {
            let anonymous = anonymous(mode);
            assert_eq!([Need::Read, Need::Write].map(|need| status(&anonymous, need)), [read, write], "{mode}");
            assert_eq!(status(&anonymous, Need::Administer), 401, "{mode}");
        }
    }

    #[test]
    fn a_token_is_bound_by_its_scope_even_where_anyone_may() {
        for (scope, write, own) in [(Scope::Read, 403, 403), (Scope::Write, 200, 403), (Scope::Admin, 200, 200)] {
            for mode in [Mode::Open, Mode::Private] {
                let token = account(mode, Role::Administrator, Some(scope));
                assert_eq!(status(&token, Need::Read), 200);
                assert_eq!([Need::Write, Need::OwnAccount].map(|need| status(&token, need)), [write, own], "{scope}");
                assert_eq!(token.administers(), scope == Scope::Admin);
            }
        }
    }

    #[test]
    fn an_inbox_is_for_accounts_and_marked_by_who_may_change_something() {
        for mode in [Mode::Open, Mode::Private] {
            assert_eq!(
                [Need::Recipient, Need::Follower].map(|need| status(&anonymous(mode), need)),
                [401, 401],
                "{mode}"
            );
            for (scope, follows) in [(Some(Scope::Read), 403), (Some(Scope::Write), 200), (None, 200)] {
                let reader = account(mode, Role::Reader, scope);
                assert_eq!(
                    [Need::Recipient, Need::Follower].map(|need| status(&reader, need)),
                    [200, follows],
                    "{mode}"
                );
            }
        }
    }

    #[test]
    fn a_given_password_can_only_be_changed() {
        let mut identity = account(Mode::PublicRead, Role::Administrator, None);
        identity.account.as_mut().unwrap().password_is_given = true;
        for need in [Need::Read, Need::Anyone, Need::Account, Need::Password] {
            assert_eq!(status(&identity, need), 200, "{need:?}");
        }
        let others = [Need::Write, Need::OwnAccount, Need::Recipient, Need::Follower];
        for need in others.into_iter().chain([Need::Administer, Need::Person, Need::Register]) {
            assert_eq!(status(&identity, need), 403, "{need:?}");
        }
    }

    #[test]
    fn only_administrators_write_as_another_user() {
        let editor = account(Mode::PublicRead, Role::Editor, None);
        assert_eq!(editor.author(None).unwrap(), Some(7));
        assert_eq!(editor.author(Some(7)).unwrap(), Some(7));
        assert_eq!(editor.author(Some(8)).unwrap_err().status.as_u16(), 403);
        assert_eq!(account(Mode::Private, Role::Administrator, None).author(Some(8)).unwrap(), Some(8));
        assert_eq!(anonymous(Mode::Open).author(Some(8)).unwrap(), Some(8));
        assert_eq!(anonymous(Mode::Open).author(None).unwrap(), None);
    }
}
