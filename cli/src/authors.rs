//! Who writes: names in files and on the command line, and the users of the wiki they belong to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, OnceLock, PoisonError};
use wiki_types::rules;

use anyhow::bail;

use crate::problem::Error;
use crate::wiki::{Account, User, Wiki};

/// The users of a wiki by name, and their names by number; each is asked for once.
pub struct Authors<'a> {
    wiki: &'a Wiki,
    numbers: Mutex<Numbers>,
    names: Mutex<HashMap<i64, Option<String>>>,
}

#[derive(Default)]
struct Numbers {
    known: HashMap<String, i64>,
    /// Users without a username, by name; of those with the same name the first. Read when first needed.
    nameless: Option<HashMap<String, i64>>,
}

impl<'a> Authors<'a> {
    /// Nobody is known yet.
    pub fn new(wiki: &'a Wiki) -> Self {
        Self { wiki, numbers: Mutex::default(), names: Mutex::default() }
    }

    /// The number of the user called `name`, who is created if there is none.
    ///
    /// What can be a username is one; anything else is the name of a user without a username.
    pub fn number(&self, name: &str) -> Result<i64, Error> {
        // Held while the wiki is asked, so that two threads do not create one user.
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
            // Somebody else created them in between, or we did and the answer was lost.
            Err(error) if error.status() == Some(409) => {
                self.wiki.by_username(username)?.map(|user| user.id).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    fn by_name(&self, numbers: &mut Numbers, name: &str) -> Result<i64, Error> {
        let nameless = match &mut numbers.nameless {
            Some(nameless) => nameless,
            unread => {
                let mut found = HashMap::new();
                for user in self.wiki.all_users() {
                    if let User { id, username: None, name: Some(name) } = user? {
                        found.entry(name).or_insert(id);
                    }
                }
                unread.insert(found)
            }
        };
        match nameless.get(name) {
            Some(number) => Ok(*number),
            None => Ok(self.wiki.create_named_user(name)?.id),
        }
    }

    /// The username, or else the name, of the user of this number; nothing if they were deleted.
    pub fn name(&self, number: i64) -> Result<Option<String>, Error> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match names.entry(number) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(unknown) => {
                let name = self.wiki.user(number)?.and_then(|user| user.username.or(user.name));
                Ok(unknown.insert(name).clone())
            }
        }
    }
}

/// As whom this program writes.
///
/// With a token as its owner, unless somebody is named; but only an administrator's token writes as others. Without one,
/// anybody can be named, and the wiki says whether it will have that.
pub struct Writer<'a> {
    authors: Authors<'a>,
    /// The token's, if there is a token.
    account: Option<Account>,
    /// Who is named on the command line.
    named: Option<&'a str>,
    /// The user this program runs as, if the system tells.
    system: OnceLock<Option<String>>,
}

impl<'a> Writer<'a> {
    /// As `named`, who is `--author`, or else as whoever this program runs for. Fails if the token does not write as them.
    pub fn new(wiki: &'a Wiki, named: Option<&'a str>) -> anyhow::Result<Self> {
        let writer = Self { authors: Authors::new(wiki), account: wiki.account()?, named, system: OnceLock::default() };
        if let Some((name, owner)) = named.and_then(|name| Some((name, writer.instead_of(name)?))) {
            bail!(
                "--author (WASIKI_AUTHOR) is {name:?}, but the token in WASIKI_TOKEN is {owner:?}'s and writes as them. \
                 Leave --author out; to write as others, take an administrator's token with the scope admin"
            );
        }
        Ok(writer)
    }

    /// The number of who runs this program. They are created if there is nobody of that name.
    pub fn number(&self) -> Result<i64, Error> {
        match (self.named, &self.account) {
            (Some(name), _) => self.number_of(name),
            (None, Some(account)) => Ok(account.user_id),
            (None, None) => self.authors.number(self.of_the_system().ok_or(Error::Nobody)?),
        }
    }

    /// The number of the user called `name`, who is created if there is none; or of who writes [instead of
    /// them](Self::instead_of).
    pub fn number_of(&self, name: &str) -> Result<i64, Error> {
        match &self.account {
            Some(account) if account.is_called(name) || !account.administers() => Ok(account.user_id),
            _ => self.authors.number(name),
        }
    }

    /// The username of the token's owner, if what should be by `name` will be by them.
    pub fn instead_of(&self, name: &str) -> Option<&str> {
        let account = self.account.as_ref().filter(|account| !account.is_called(name) && !account.administers());
        account.map(|account| account.username.as_str())
    }

    /// Whether the token's owner only reads, where not everybody writes.
    pub fn is_reader(&self) -> bool {
        self.account.as_ref().is_some_and(Account::is_reader)
    }

    fn of_the_system(&self) -> Option<&str> {
        let ask = || whoami::username().ok().filter(|name| !name.trim().is_empty());
        self.system.get_or_init(ask).as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};
    use crate::http::{Http, Settings, Token};

    const NOBODY: Reply = Reply::Status(200, r#"{"users": [], "next": null}"#);

    #[test]
    fn a_user_is_asked_for_once() {
        let fake = Fake::start([Reply::Status(
            200,
            r#"{"users": [{"id": 3, "username": "ada", "name": "A"}], "next": null}"#,
        )]);
        let wiki = Wiki::new(fake.http());
        let authors = Authors::new(&wiki);
        assert_eq!((authors.number("ada").unwrap(), authors.number("ada").unwrap()), (3, 3));
    }

    #[test]
    fn a_user_whose_creation_was_answered_to_nobody_is_found() {
        let found = r#"{"users": [{"id": 4, "username": "bob", "name": "bob"}], "next": null}"#;
        let taken = Reply::Status(409, r#"{"detail": "The username \"bob\" is already taken."}"#);
        let fake = Fake::start([NOBODY, Reply::HangUp, taken, Reply::Status(200, found)]);
        let wiki = Wiki::new(fake.http());
        assert_eq!(Authors::new(&wiki).number("bob").unwrap(), 4);
    }

    #[test]
    fn names_that_cannot_be_usernames_belong_to_users_without_one() {
        let users = r#"{"users": [{"id": 1, "username": "x", "name": "Ada Lovelace"},
            {"id": 2, "username": null, "name": "Ada Lovelace"}], "next": null}"#;
        let created = Reply::Status(201, r#"{"id": 5, "username": null, "name": "Grace Hopper"}"#);
        let fake = Fake::start([Reply::Status(200, users), created]);
        let wiki = Wiki::new(fake.http());
        let authors = Authors::new(&wiki);
        assert_eq!(authors.number("Ada Lovelace").unwrap(), 2);
        assert_eq!(authors.number("Grace Hopper").unwrap(), 5);
        assert_eq!(authors.number("Grace Hopper").unwrap(), 5);
    }

    const EDITOR: Reply =
        Reply::Status(200, r#"{"user_id": 7, "username": "ada", "name": "A", "role": "editor", "scope": "write"}"#);
    const ADMINISTRATOR: Reply = Reply::Status(
        200,
        r#"{"user_id": 7, "username": "ada", "name": "A", "role": "administrator", "scope": "admin"}"#,
    );
    const GRACE: Reply =
        Reply::Status(200, r#"{"users": [{"id": 3, "username": "grace", "name": "G"}], "next": null}"#);

    fn with_token(fake: &Fake) -> Wiki {
        Wiki::new(Http::new(Settings { token: Some(Token::new("wasiki_1_s3cret").unwrap()), ..fake.settings() }))
    }

    #[test]
    fn with_a_token_its_owner_writes() {
        for account in [EDITOR, ADMINISTRATOR] {
            let fake = Fake::start([account, account]);
            let wiki = with_token(&fake);
            for named in [None, Some("Ada")] {
                let writer = Writer::new(&wiki, named).unwrap();
                assert_eq!((writer.number().unwrap(), writer.number_of("ada").unwrap()), (7, 7));
                assert_eq!(writer.instead_of("ada"), None);
            }
            assert_eq!(fake.requests().len(), 2, "nobody is looked for: {:?}", fake.requests());
        }
    }

    #[test]
    fn an_administrators_token_writes_as_others_and_makes_them() {
        let created = Reply::Status(201, r#"{"id": 4, "username": "bob", "name": "bob"}"#);
        let fake = Fake::start([ADMINISTRATOR, GRACE, NOBODY, created]);
        let wiki = with_token(&fake);
        let writer = Writer::new(&wiki, Some("grace")).unwrap();
        assert_eq!((writer.number().unwrap(), writer.number_of("bob").unwrap()), (3, 4));
        assert_eq!(writer.instead_of("bob"), None);
    }

    #[test]
    fn any_other_token_writes_as_its_owner_alone() {
        let fake = Fake::start([EDITOR, EDITOR]);
        let wiki = with_token(&fake);
        let writer = Writer::new(&wiki, None).unwrap();
        assert_eq!((writer.number_of("grace").unwrap(), writer.instead_of("grace")), (7, Some("ada")));
        // Who is named on the command line is meant.
        let text = format!("{:#}", Writer::new(&wiki, Some("grace")).err().unwrap());
        assert!(text.contains("\"grace\"") && text.contains("\"ada\"'s") && text.contains("administrator"), "{text}");
        assert!(fake.requests().iter().all(|it| it.starts_with("GET /account ")), "{:?}", fake.requests());
    }

    #[test]
    fn without_a_token_whoever_is_named_writes() {
        let created = Reply::Status(201, r#"{"id": 4, "username": "bob", "name": "bob"}"#);
        let fake = Fake::start([GRACE, NOBODY, created]);
        let wiki = Wiki::new(fake.http());
        let writer = Writer::new(&wiki, Some("grace")).unwrap();
        assert_eq!((writer.number().unwrap(), writer.number_of("bob").unwrap()), (3, 4));
        assert_eq!(writer.instead_of("bob"), None);
        assert!(!fake.requests().iter().any(|it| it.contains("/account")), "{:?}", fake.requests());
    }

    #[test]
    fn the_name_of_a_deleted_user_is_nothing() {
        let fake = Fake::start([
            Reply::Status(404, ""),
            Reply::Status(200, r#"{"id": 2, "username": null, "name": "Ada L."}"#),
        ]);
        let wiki = Wiki::new(fake.http());
        let authors = Authors::new(&wiki);
        assert_eq!((authors.name(1).unwrap(), authors.name(1).unwrap()), (None, None));
        assert_eq!(authors.name(2).unwrap().as_deref(), Some("Ada L."));
    }
}
