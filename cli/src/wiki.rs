//! The wiki's API in its own words: pages, revisions, users.

use form_urlencoded::Serializer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::http::Method;
use wiki_types::rules;

use crate::http::{Http, Repeat, Request};
use crate::problem::Error;

/// Items asked for at once where all are wanted: the most the wiki gives.
const PAGE: usize = 200;

/// One wiki.
#[derive(Debug)]
pub struct Wiki {
    http: Http,
}

/// A page in a list: everything but its content.
#[derive(Debug, Clone, Deserialize)]
pub struct Summary {
    /// The page's number.
    pub post_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version.
    pub version: i64,
    /// The bytes of its content.
    pub size: u64,
}

/// A page.
#[derive(Debug, Clone, Deserialize)]
pub struct Post {
    /// The page's number.
    pub post_id: i64,
    /// Who created it.
    pub user_id: i64,
    /// Its title.
    pub title: String,
    /// Its name in URLs.
    pub slug: String,
    /// Its Markdown.
    pub content: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its current version.
    pub version: i64,
    /// When it was created, as RFC 3339 writes it.
    pub created_time: String,
}

/// Somebody who writes.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// Their number.
    pub id: i64,
    /// Their unique name, if they have one.
    pub username: Option<String>,
    /// What they are called.
    pub name: Option<String>,
}

/// The account a token belongs to, and what the token may do.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// The number of its user.
    pub user_id: i64,
    /// The name it signs in with.
    pub username: String,
    role: String,
    /// Nothing if all that its owner may.
    scope: Option<String>,
}

impl Account {
    /// Whether it makes users, and writes as others.
    pub fn administers(&self) -> bool {
        self.role == "administrator" && self.scope.as_deref().is_none_or(|scope| scope == "admin")
    }

    /// Whether it only reads, where not everybody writes.
    pub fn is_reader(&self) -> bool {
        self.role == "reader"
    }

    /// Whether this is its username.
    pub fn is_called(&self, name: &str) -> bool {
        self.username.eq_ignore_ascii_case(name)
    }
}

/// A page as it should be; what is not said stays, or is left to the wiki.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Draft<'a> {
    /// Who writes.
    pub user_id: i64,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// Its name in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<&'a str>,
    /// Its Markdown.
    pub content: &'a str,
    /// Its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<&'a [String]>,
    /// Why it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
    /// When it was created, if not now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_time: Option<&'a str>,
}

impl Draft<'_> {
    /// Whether saving this would leave `post` as it is.
    pub fn is_like(&self, post: &Post) -> bool {
        self.content == post.content && self.is_headed_like(&post.title, &post.tags)
    }

    /// Whether a page with this title and these tags would keep both.
    pub fn is_headed_like(&self, title: &str, tags: &[String]) -> bool {
        self.title.is_none_or(|wanted| wanted == title)
            && self.tags.is_none_or(|wanted| rules::normal_tags(wanted) == tags)
    }
}

impl Wiki {
    /// The wiki at the other end of `http`.
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// The body of the answer to `GET target`.
    pub fn get(&self, target: &str) -> Result<Vec<u8>, Error> {
        self.http.send(&Request::new(Method::GET, target))
    }

    /// The account that the wiki knows this program by; nothing without a token.
    ///
    /// Nothing as well where a token is not for the wiki but for a proxy in front of it: the wiki has no accounts yet, or
    /// got no token.
    pub fn account(&self) -> Result<Option<Account>, Error> {
        if !self.http.has_token() {
            return Ok(None);
        }
        match self.get("/account") {
            Ok(body) => parse(&body).map(Some),
            Err(Error::Refused(problem)) if problem.status.as_u16() == 404 || problem.is_without_token() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The page with this slug, if there is one.
    pub fn by_slug(&self, slug: &str) -> Result<Option<Summary>, Error> {
        let target = with_query("/posts", &[("slug", slug)]);
        let post: Option<Summary> = self.only(&target, "posts")?;
        match post {
            // A wiki that does not know a parameter ignores it.
            Some(post) if post.slug != slug => Err(self.too_old("/posts?slug=")),
            post => Ok(post),
        }
    }

    /// The user with this username, if there is one; usernames differ by more than case.
    pub fn by_username(&self, username: &str) -> Result<Option<User>, Error> {
        let target = with_query("/users", &[("username", username)]);
        let user: Option<User> = self.only(&target, "users")?;
        match user {
            Some(user) if !user.username.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(username)) => {
                Err(self.too_old("/users?username="))
            }
            user => Ok(user),
        }
    }

    /// The first item of the list `key` at `target`.
    fn only<T: DeserializeOwned>(&self, target: &str, key: &'static str) -> Result<Option<T>, Error> {
        self.list(target.to_owned(), key).next().transpose()?.map(decode).transpose()
    }

    fn too_old(&self, what: &str) -> Error {
        Error::Unexpected(format!(
            "the wiki at {} is older than this program: it does not know {what}",
            self.http.url()
        ))
    }

    /// The page of this number.
    pub fn post(&self, id: i64) -> Result<Post, Error> {
        parse(&self.get(&format!("/posts/{id}"))?)
    }

    /// The user of this number; nothing if they were deleted.
    pub fn user(&self, id: i64) -> Result<Option<User>, Error> {
        match self.get(&format!("/users/{id}")) {
            Ok(body) => parse(&body).map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a page under a slug of the caller's choice; returns it as the wiki wrote it.
    ///
    /// Two of the same slug cannot be: that is why trying again is harmless, and why 409 may mean that an earlier try
    /// was carried out.
    pub fn create(&self, draft: &Draft<'_>) -> Result<Vec<u8>, Error> {
        self.http.send(&Request::new(Method::POST, "/posts").json(encode(draft)?))
    }

    /// Replaces version `version` of a page; returns it as the wiki wrote it.
    ///
    /// Trying again is harmless: a version is replaced once, and 412 may mean that an earlier try was carried out. If
    /// the page is by now what it should be, that is a success.
    pub fn update(&self, id: i64, version: i64, draft: &Draft<'_>) -> Result<Vec<u8>, Error> {
        let request = Request::new(Method::PUT, format!("/posts/{id}")).json(encode(draft)?).if_version(Some(version));
        match self.http.send(&request) {
            Err(Error::Refused(problem)) if problem.status.as_u16() == 412 => {
                match problem.current().cloned().map(decode::<Post>) {
                    Some(Ok(post)) if draft.is_like(&post) => self.get(&format!("/posts/{id}")),
                    _ => Err(Error::Refused(problem)),
                }
            }
            answer => answer,
        }
    }

    /// Deletes a page, if it is at `version` where one is given.
    pub fn delete(&self, id: i64, version: Option<i64>) -> Result<(), Error> {
        self.http.send(&Request::new(Method::DELETE, format!("/posts/{id}")).if_version(version)).map(drop)
    }

    /// Brings a deleted page back; returns it as the wiki wrote it.
    pub fn restore(&self, id: i64) -> Result<Vec<u8>, Error> {
        self.http.send(&Request::new(Method::POST, format!("/posts/{id}/restore")))
    }

    /// Creates a user of that username. 409: there is one by now.
    pub fn create_user(&self, username: &str) -> Result<User, Error> {
        let body = encode(&serde_json::json!({ "username": username }))?;
        parse(&self.http.send(&Request::new(Method::POST, "/users").json(body))?)
    }

    /// Creates a user without a username. Names need not be unique, so that a second try could make a second user.
    pub fn create_named_user(&self, name: &str) -> Result<User, Error> {
        let body = encode(&serde_json::json!({ "name": name }))?;
        parse(&self.http.send(&Request::new(Method::POST, "/users").json(body).repeat(Repeat::CouldAct))?)
    }

    /// Every item of the list called `key` at `target`, asked for as they are needed. Ends after the first error.
    pub fn list(&self, target: String, key: &'static str) -> impl Iterator<Item = Result<Value, Error>> {
        let mut next = Some(target);
        let pages = std::iter::from_fn(move || {
            let target = next.take()?;
            Some(self.page(&target, key).map(|(items, following)| {
                next = following;
                items
            }))
        });
        pages.flat_map(|page| match page {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// The items at `target`, and where the list goes on.
    fn page(&self, target: &str, key: &'static str) -> Result<(Vec<Value>, Option<String>), Error> {
        let mut page: Value = parse(&self.get(target)?)?;
        let Some(Value::Array(items)) = page.get_mut(key).map(Value::take) else {
            return Err(Error::Unexpected(format!("the wiki's answer to GET {target} has no list \"{key}\"")));
        };
        let next = match page["next"].as_str() {
            None => None,
            // To another host the token must not go.
            Some(next) => {
                let path = next.strip_prefix(self.http.url()).unwrap_or(next);
                if !path.starts_with('/') || path.starts_with("//") || path == target {
                    return Err(Error::Unexpected(format!(
                        "the list at {target} goes on at {next:?}, which is no path"
                    )));
                }
                Some(path.to_owned())
            }
        };
        Ok((items, next))
    }

    /// Every page, oldest first.
    pub fn all_posts(&self) -> impl Iterator<Item = Result<Summary, Error>> {
        let target = format!("/posts?limit={PAGE}&sort=created");
        self.list(target, "posts").map(|item| item.and_then(decode))
    }

    /// Every user, oldest first.
    pub fn all_users(&self) -> impl Iterator<Item = Result<User, Error>> {
        self.list(format!("/users?limit={PAGE}"), "users").map(|item| item.and_then(decode))
    }
}

/// `path` with these parameters.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    format!("{path}?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

/// The thing an answer's body describes.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(misunderstood)
}

/// The thing a part of an answer describes.
pub fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(misunderstood)
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(misunderstood)
}

fn misunderstood(error: serde_json::Error) -> Error {
    Error::Unexpected(format!("the answer is not one of Wasiki's ({error}). Is --url the address of a wiki's API?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Reply};
    use crate::http::{Settings, Token};

    const POST: &str = r#"{"post_id": 1, "user_id": 1, "title": "A", "slug": "a", "content": "x", "tags": ["t"],
                           "version": 2, "size": 1, "created_time": "2026-05-01T12:00:00Z"}"#;

    fn draft(content: &str) -> Draft<'_> {
        Draft { user_id: 1, title: Some("A"), slug: None, content, tags: None, comment: None, created_time: None }
    }

    #[test]
    fn a_wiki_that_ignores_the_filter_is_not_believed() {
        let list = r#"{"posts": [{"post_id": 1, "title": "B", "slug": "b", "tags": [], "version": 1, "size": 1}], "next": null}"#;
        let fake = Fake::start([Reply::Status(200, list)]);
        let error = Wiki::new(fake.http()).by_slug("a").unwrap_err();
        assert!(error.to_string().contains("older than this program"), "{error}");
        assert!(fake.requests()[0].starts_with("GET /posts?slug=a "), "{:?}", fake.requests());
    }

    #[test]
    fn the_account_is_asked_for_with_a_token_only() {
        let (account, fake) = account(Reply::Status(200, "{}"), None);
        assert!(account.unwrap().is_none() && fake.requests().is_empty());

        let ada = r#"{"user_id": 7, "username": "Ada", "name": "Ada L.", "role": "editor", "scope": "write"}"#;
        let (account, fake) = self::account(Reply::Status(200, ada), Some("wasiki_1_s3cret"));
        let account = account.unwrap().unwrap();
        assert!(account.user_id == 7 && account.is_called("ada") && !account.is_called("Ada L."), "{account:?}");
        assert!(fake.requests()[0].starts_with("GET /account "), "{:?}", fake.requests());
    }

    #[test]
    fn a_token_for_a_proxy_is_nobodys_and_one_that_is_refused_is_told() {
        let unseen = Reply::With(401, "www-authenticate: Bearer realm=\"wasiki\"\r\n", "{}");
        for reply in [unseen, Reply::Status(404, "{}")] {
            assert!(account(reply, Some("x")).0.unwrap().is_none(), "{reply:?}");
        }
        let invalid = Reply::With(401, "www-authenticate: Bearer realm=\"wasiki\", error=\"invalid_token\"\r\n", "{}");
        assert_eq!(account(invalid, Some("x")).0.unwrap_err().status(), Some(401));
    }

    /// Whose token `token` is, by a wiki that answers so.
    fn account(reply: Reply, token: Option<&str>) -> (Result<Option<Account>, Error>, Fake) {
        let fake = Fake::start([reply]);
        let token = token.map(|token| Token::new(token).unwrap());
        (Wiki::new(Http::new(Settings { token, ..fake.settings() })).account(), fake)
    }

    #[test]
    fn only_administrators_with_all_their_rights_administer() {
        for (role, scope, administers) in [
            ("administrator", Some("admin"), true),
            ("administrator", None, true),
            ("administrator", Some("write"), false),
            ("editor", Some("admin"), false),
        ] {
            let scope = scope.map(str::to_owned);
            let account = Account { user_id: 1, username: "ada".into(), role: role.into(), scope };
            assert_eq!(account.administers(), administers, "{account:?}");
        }
    }

    #[test]
    fn usernames_are_found_whatever_their_case() {
        let list = r#"{"users": [{"id": 7, "username": "Ada", "name": "Ada L."}], "next": null}"#;
        let fake = Fake::start([Reply::Status(200, list), Reply::Status(200, list)]);
        let wiki = Wiki::new(fake.http());
        assert_eq!(wiki.by_username("ada").unwrap().unwrap().id, 7);
        assert!(wiki.by_username("bob").is_err());
    }

    #[test]
    fn an_edit_whose_answer_was_lost_is_a_success() {
        let fake = Fake::start([
            Reply::HangUp,
            Reply::Status(
                412,
                concat!(
                    r#"{"detail": "Edited.", "current": {"post_id": 1, "user_id": 1, "title": "A","#,
                    r#""slug": "a", "content": "x", "tags": [], "version": 2, "created_time": ""}}"#
                ),
            ),
            Reply::Status(200, POST),
        ]);
        let saved: Post = parse(&Wiki::new(fake.http()).update(1, 1, &draft("x")).unwrap()).unwrap();
        assert_eq!(saved.version, 2);
        assert!(fake.requests()[0].contains("if-match: \"1\""), "{:?}", fake.requests());
    }

    #[test]
    fn an_edit_of_a_page_that_says_something_else_by_now_is_a_conflict() {
        let fake = Fake::start([Reply::Status(
            412,
            concat!(
                r#"{"detail": "Edited.", "current": {"post_id": 1,"#,
                r#""user_id": 1, "title": "A", "slug": "a", "content": "y", "tags": [], "version": 2, "created_time": ""}}"#
            ),
        )]);
        let error = Wiki::new(fake.http()).update(1, 1, &draft("x")).unwrap_err();
        assert_eq!((error.status(), error.to_string().as_str()), (Some(412), "Edited."));
    }

    #[test]
    fn a_list_is_followed_to_its_end_but_not_to_another_host() {
        let fake = Fake::start([
            Reply::Status(200, r#"{"users": [{"id": 1}], "next": "/users?cursor=1"}"#),
            Reply::Status(200, r#"{"users": [{"id": 2}, {"id": 3}], "next": null}"#),
        ]);
        let ids: Vec<i64> = Wiki::new(fake.http()).all_users().map(|user| user.unwrap().id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert!(fake.requests()[1].starts_with("GET /users?cursor=1 "), "{:?}", fake.requests());
        for next in [r#"{"users": [], "next": "http://evil.example/"}"#, r#"{"users": [], "next": "//evil.example/"}"#]
        {
            let fake = Fake::start([Reply::Status(200, next)]);
            assert!(Wiki::new(fake.http()).all_users().next().unwrap().is_err());
        }
    }

    #[test]
    fn answers_of_something_else_are_not_understood() {
        for body in ["", "<html>", "[]", "{}", r#"{"posts": 5}"#, r#"{"posts": [{"post_id": "x"}]}"#] {
            let fake = Fake::start([Reply::Status(200, body)]);
            let error = Wiki::new(fake.http()).by_slug("a").unwrap_err();
            assert!(matches!(error, Error::Unexpected(_)), "{body}: {error}");
        }
    }

    #[test]
    fn tags_are_compared_as_the_wiki_keeps_them() {
        let post: Post = parse(POST.as_bytes()).unwrap();
        let tags = ["T ".to_owned(), "t".to_owned()];
        assert!(Draft { tags: Some(&tags), ..draft("x") }.is_like(&post));
        assert!(!Draft { tags: Some(&[]), ..draft("x") }.is_like(&post));
        assert!(draft("x").is_like(&post) && !draft("y").is_like(&post));
    }
}
