//! Who writes: names in files and on the command line, and the users of the wiki they belong to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use crate::problem::Error;
use crate::wiki::{User, Wiki};

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

/// Who writes when nobody is named: the user this program runs as.
///
/// Fails when the system does not tell.
pub fn of_the_system() -> anyhow::Result<String> {
    let name = whoami::username().ok().filter(|name| !name.trim().is_empty());
    name.context("who writes? The system does not tell: name somebody with --author or WASIKI_AUTHOR")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};

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
