//! Who writes: the users of the wiki that names in files and on the command line stand for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::bail;
use wiki_types::{Account, Role, Scope, User, rules};

use crate::error::Error;
use crate::wiki::Wiki;

/// Users by name, and names by number. Each is requested once.
pub struct Authors<'a> {
    wiki: &'a Wiki,
    numbers: Mutex<Numbers>,
    names: Mutex<HashMap<i64, Option<String>>>,
}

#[derive(Default)]
struct Numbers {
    known: HashMap<String, i64>,
    /// Users without a username, by name; the oldest of those with the same name. Read when first needed.
    without_username: Option<HashMap<String, i64>>,
}

impl<'a> Authors<'a> {
    pub fn new(wiki: &'a Wiki) -> Self {
        Self { wiki, numbers: Mutex::default(), names: Mutex::default() }
    }

    /// The number of the user called `name`, who is created if necessary.
    ///
    /// `name` is a username if it can be one; else it is the name of a user without a username.
    pub fn number(&self, name: &str) -> Result<i64, Error> {
        // Locked during the requests, so that two threads do not create the same user.
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.known.get(name) {
            return Ok(*number);
        }
        let number =
            if rules::username(name).is_ok() { self.by_username(name)? } else { self.by_name(&mut numbers, name)? };
        numbers.known.insert(name.to_owned(), number);
        Ok(number)
    }

    fn by_username(&self, username: &str) -> Result<i64, Error> {
        if let Some(user) = self.wiki.by_username(username)? {
            return Ok(user.id);
        }
        match self.wiki.create_user(username) {
            Ok(user) => Ok(user.id),
            // Created in the meantime: by another client, or by an attempt of ours whose response was lost.
            Err(error) if error.status() == Some(409) => {
                self.wiki.by_username(username)?.map(|user| user.id).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    fn by_name(&self, numbers: &mut Numbers, name: &str) -> Result<i64, Error> {
        let users = match &mut numbers.without_username {
            Some(users) => users,
            unread => {
                let mut users = HashMap::new();
                for user in self.wiki.all_users() {
                    if let User { id, username: None, name, .. } = user? {
                        users.entry(name).or_insert(id);
                    }
                }
                unread.insert(users)
            }
        };
        match users.get(name) {
            Some(number) => Ok(*number),
            None => Ok(self.wiki.create_named_user(name)?.id),
        }
    }

    /// The username of a user, or else the name; `None` if the user was deleted.
    pub fn name(&self, number: i64) -> Result<Option<String>, Error> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match names.entry(number) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(unknown) => {
                let name = self.wiki.user(number)?.map(|user| user.username.unwrap_or(user.name));
                Ok(unknown.insert(name).clone())
            }
        }
    }
}

/// The user as whom this program writes.
///
/// With a token: its owner, unless another author is named; but only an administrator's token writes as others. Without a
/// token: any author, if the wiki allows it.
pub struct Writer<'a> {
    authors: Authors<'a>,
    /// The account of the token.
    account: Option<Account>,
    /// `--author`
    named: Option<&'a str>,
    /// The username on this system, if there is one.
    system: OnceLock<Option<String>>,
}

impl<'a> Writer<'a> {
    /// Fails if `named`, which is `--author`, is not the owner of the token, and the token cannot write as others.
    pub fn new(wiki: &'a Wiki, named: Option<&'a str>) -> anyhow::Result<Self> {
        let writer = Self { authors: Authors::new(wiki), account: wiki.account()?, named, system: OnceLock::default() };
        if let Some((name, owner)) = named.and_then(|name| Some((name, writer.instead_of(name)?))) {
            bail!(
                "--author (WASIKI_AUTHOR) is {name:?}, but the token in WASIKI_TOKEN belongs to {owner:?} and writes only \
                 as {owner:?}. Leave --author out, or use an administrator's token with the scope admin, which writes as \
                 others"
            );
        }
        Ok(writer)
    }

    /// The number of the user as whom this program writes. The user is created if necessary.
    pub fn number(&self) -> Result<i64, Error> {
        match (self.named, &self.account) {
            (Some(name), _) => self.number_of(name),
            (None, Some(account)) => Ok(account.user_id),
            (None, None) => self.authors.number(self.system_username().ok_or(Error::NoAuthor)?),
        }
    }

    /// The number of the user called `name`, who is created if necessary; or of the user who writes
    /// [instead](Self::instead_of).
    pub fn number_of(&self, name: &str) -> Result<i64, Error> {
        match &self.account {
            Some(account) if is_called(account, name) || !writes_as_others(account) => Ok(account.user_id),
            _ => self.authors.number(name),
        }
    }

    /// The username of the token's owner, if the token cannot write as `name`.
    pub fn instead_of(&self, name: &str) -> Option<&str> {
        let account = self.account.as_ref().filter(|it| !is_called(it, name) && !writes_as_others(it));
        account.map(|account| account.username.as_str())
    }

    /// Whether the token may do what only administrators may.
    pub fn administers(&self) -> bool {
        self.account.as_ref().is_some_and(writes_as_others)
    }

    /// Whether the token belongs to a reader.
    pub fn is_reader(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.role == Role::Reader)
    }

    fn system_username(&self) -> Option<&str> {
        let ask = || whoami::username().ok().filter(|name| !name.trim().is_empty());
        self.system.get_or_init(ask).as_deref()
    }
}

/// Whether the token of `account` creates users and writes as them.
fn writes_as_others(account: &Account) -> bool {
    account.role == Role::Administrator && account.scope.is_none_or(|scope| scope == Scope::Admin)
}

fn is_called(account: &Account, name: &str) -> bool {
    account.username.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply, account, user};
    use crate::http::{Http, Settings, Token};

    const NO_USER: Reply = Reply::Status(200, r#"{"users": [], "next": null}"#);

    fn found(id: i64, username: &str) -> Reply {
        Reply::list("users", &[user(id, Some(username), username)])
    }

    fn created(id: i64, username: &str) -> Reply {
        Reply::json(201, &user(id, Some(username), username))
    }

    fn wiki(fake: &Fake) -> Wiki {
        Wiki::new(Http::for_test(fake))
    }

    fn with_token(fake: &Fake) -> Wiki {
        let token = Some(Token::new("wasiki_1_s3cret").unwrap());
        Wiki::new(Http::new(Settings { token, ..Settings::for_test(fake) }))
    }

    #[test]
    fn a_user_is_requested_once() {
        let wiki = wiki(&Fake::start([found(3, "ada")]));
        let authors = Authors::new(&wiki);
        assert_eq!((authors.number("ada").unwrap(), authors.number("ada").unwrap()), (3, 3));
    }

    #[test]
    fn a_user_is_found_although_the_response_to_the_creation_was_lost() {
        let taken = Reply::Status(409, r#"{"detail": "The username \"bob\" is already taken."}"#);
        let wiki = wiki(&Fake::start([NO_USER, Reply::HangUp, taken, found(4, "bob")]));
        assert_eq!(Authors::new(&wiki).number("bob").unwrap(), 4);
    }

    #[test]
    fn names_that_cannot_be_usernames_belong_to_users_without_one() {
        let users = [user(1, Some("x"), "Ada Lovelace"), user(2, None, "Ada Lovelace")];
        let grace = Reply::json(201, &user(5, None, "Grace Hopper"));
        let wiki = wiki(&Fake::start([Reply::list("users", &users), grace]));
        let authors = Authors::new(&wiki);
        assert_eq!(authors.number("Ada Lovelace").unwrap(), 2);
        assert_eq!(authors.number("Grace Hopper").unwrap(), 5);
        assert_eq!(authors.number("Grace Hopper").unwrap(), 5);
    }

    #[test]
    fn with_a_token_its_owner_writes() {
        for account in [account("ada", "editor", "write"), account("ada", "administrator", "admin")] {
            let fake = Fake::start([account, account]);
            let wiki = with_token(&fake);
            for named in [None, Some("Ada")] {
                let writer = Writer::new(&wiki, named).unwrap();
                assert_eq!((writer.number().unwrap(), writer.number_of("ada").unwrap()), (7, 7));
                assert_eq!(writer.instead_of("ada"), None);
            }
            assert_eq!(fake.requests().len(), 2, "no user is requested: {:?}", fake.requests());
        }
    }

    #[test]
    fn an_administrators_token_writes_as_others_and_creates_them() {
        let administrator = account("ada", "administrator", "admin");
        let wiki = with_token(&Fake::start([administrator, found(3, "grace"), NO_USER, created(4, "bob")]));
        let writer = Writer::new(&wiki, Some("grace")).unwrap();
        assert_eq!((writer.number().unwrap(), writer.number_of("bob").unwrap()), (3, 4));
        assert_eq!(writer.instead_of("bob"), None);
    }

    #[test]
    fn any_other_token_writes_only_as_its_owner() {
        let editor = account("ada", "editor", "write");
        let fake = Fake::start([editor, editor]);
        let wiki = with_token(&fake);
        let writer = Writer::new(&wiki, None).unwrap();
        assert_eq!((writer.number_of("grace").unwrap(), writer.instead_of("grace")), (7, Some("ada")));
        // An author on the command line is never replaced.
        let text = format!("{:#}", Writer::new(&wiki, Some("grace")).err().unwrap());
        assert!(text.contains("\"grace\"") && text.contains("to \"ada\"") && text.contains("administrator"), "{text}");
        assert!(fake.requests().iter().all(|it| it.starts_with("GET /account ")), "{:?}", fake.requests());
    }

    #[test]
    fn only_administrators_with_the_scope_admin_write_as_others() {
        for (role, scope, expected) in [
            (Role::Administrator, Some(Scope::Admin), true),
            (Role::Administrator, None, true),
            (Role::Administrator, Some(Scope::Write), false),
            (Role::Editor, Some(Scope::Admin), false),
        ] {
            let (username, name) = ("Ada".to_owned(), "Ada L.".to_owned());
            let account =
                Account { user_id: 1, username, name, role, scope, password_is_given: false, time_zone: None };
            assert_eq!(writes_as_others(&account), expected, "{account:?}");
            assert!(is_called(&account, "ada") && !is_called(&account, "Ada L."));
        }
    }

    #[test]
    fn without_a_token_the_named_author_writes() {
        let fake = Fake::start([found(3, "grace"), NO_USER, created(4, "bob")]);
        let wiki = wiki(&fake);
        let writer = Writer::new(&wiki, Some("grace")).unwrap();
        assert_eq!((writer.number().unwrap(), writer.number_of("bob").unwrap()), (3, 4));
        assert_eq!(writer.instead_of("bob"), None);
        assert!(!fake.requests().iter().any(|it| it.contains("/account")), "{:?}", fake.requests());
    }

    #[test]
    fn a_deleted_user_has_no_name() {
        let ada = Reply::json(200, &user(2, None, "Ada L."));
        let wiki = wiki(&Fake::start([Reply::Status(404, ""), ada]));
        let authors = Authors::new(&wiki);
        assert_eq!((authors.name(1).unwrap(), authors.name(1).unwrap()), (None, None));
        assert_eq!(authors.name(2).unwrap().as_deref(), Some("Ada L."));
    }
}
