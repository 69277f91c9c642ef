//! The operations of the wiki's API that this program needs.

use std::collections::HashMap;

use form_urlencoded::Serializer;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::Method;
use wiki_types::rules::MAX_LIMIT;
use wiki_types::{
    Account, File, InboxReading, Move, Post, PostDraft, PostSummary, Redirect, RedirectTarget, Spaces, User,
};

use crate::error::Error;
use crate::http::{Http, Request};

#[derive(Debug)]
pub struct Wiki {
    http: Http,
}

impl Wiki {
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// The body of the response to `GET target`.
    pub fn get(&self, target: &str) -> Result<Vec<u8>, Error> {
        self.http.send(&Request::new(Method::GET, target))
    }

    /// The account of the token; `None` without a token.
    ///
    /// `None` as well if the token is for a proxy in front of the wiki, not for the wiki: it then receives no token, or
    /// has no accounts yet.
    pub fn account(&self) -> Result<Option<Account>, Error> {
        if !self.http.has_token() {
            return Ok(None);
        }
        match self.get("/account") {
            Ok(body) => parse(&body).map(Some),
            Err(Error::Refused(refusal)) if refusal.status.as_u16() == 404 || refusal.is_without_token() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn by_slug(&self, slug: &str) -> Result<Option<PostSummary>, Error> {
        let target = with_query("/posts", &[("slug", slug)]);
        let post: Option<PostSummary> = self.first(&target, "posts")?;
        match post {
            // A wiki ignores parameters that it does not know.
            Some(post) if post.slug != slug => Err(self.too_old("/posts?slug=")),
            post => Ok(post),
        }
    }

    /// The number of the page that `page` names: by its slug or, if there is none with that slug, by its number. It is not
    /// checked that a page has that number.
    pub fn find_page(&self, page: &str) -> Result<Option<i64>, Error> {
        let number = || page.parse().ok().filter(|number| *number > 0);
        Ok(self.by_slug(page)?.map(|post| post.post_id).or_else(number))
    }

    /// As [`find_page`](Self::find_page), but fails if there is no page.
    pub fn page_number(&self, page: &str) -> Result<i64, Error> {
        self.find_page(page)?.ok_or_else(|| Error::NoPage(page.to_owned()))
    }

    /// The user with this username, in upper or lower case.
    pub fn by_username(&self, username: &str) -> Result<Option<User>, Error> {
        let target = with_query("/users", &[("username", username)]);
        let user: Option<User> = self.first(&target, "users")?;
        match user {
            Some(user) if !user.username.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(username)) => {
                Err(self.too_old("/users?username="))
            }
            user => Ok(user),
        }
    }

    fn first<T: DeserializeOwned>(&self, target: &str, key: &'static str) -> Result<Option<T>, Error> {
        self.list(target.to_owned(), key).next().transpose()?.map(decode).transpose()
    }

    fn too_old(&self, what: &str) -> Error {
        let url = self.http.url();
        Error::Unexpected(format!("the wiki at {url} is older than this client: it does not support {what}"))
    }

    pub fn post(&self, id: i64) -> Result<Post, Error> {
        parse(&self.get(&format!("/posts/{id}"))?)
    }

    /// `None` if the user was deleted.
    pub fn user(&self, id: i64) -> Result<Option<User>, Error> {
        match self.get(&format!("/users/{id}")) {
            Ok(body) => parse(&body).map(Some),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a page; `draft` must have a slug. Returns the page as the wiki's JSON.
    ///
    /// Only one page can have the slug: the request is idempotent, and 409 may mean that an earlier attempt succeeded.
    pub fn create(&self, draft: &PostDraft<'_>) -> Result<Vec<u8>, Error> {
        self.http.send(&Request::new(Method::POST, "/posts").json(encode(draft)?))
    }

    /// Replaces version `version` of a page; returns the page as the wiki's JSON.
    ///
    /// A version is replaced only once: the request is idempotent, and 412 may mean that an earlier attempt succeeded. If
    /// the page is now as the draft, this is a success.
    pub fn update(&self, id: i64, version: i64, draft: &PostDraft<'_>) -> Result<Vec<u8>, Error> {
        let target = format!("/posts/{id}");
        let request = Request::new(Method::PUT, &target).json(encode(draft)?).if_version(Some(version));
        match self.http.send(&request) {
            Err(Error::Refused(refusal))
                if refusal.status.as_u16() == 412 && refusal.current.as_ref().is_some_and(|it| draft.matches(it)) =>
            {
                self.get(&target)
            }
            result => result,
        }
    }

    /// Deletes a page, with everything below it if `below` says so; if `version` is given, only if that is its current version.
    pub fn delete(&self, id: i64, version: Option<i64>, below: bool) -> Result<(), Error> {
        let target = format!("/posts/{id}{}", if below { "?below=true" } else { "" });
        self.http.send(&Request::new(Method::DELETE, target).if_version(version)).map(drop)
    }

    /// Restores a deleted page; returns it as the wiki's JSON.
    pub fn restore(&self, id: i64) -> Result<Vec<u8>, Error> {
        self.http.send(&Request::new(Method::POST, format!("/posts/{id}/restore")))
    }

    /// The numbers of the spaces that the sender may read, by their slugs.
    pub fn spaces(&self) -> Result<HashMap<String, i64>, Error> {
        let Spaces { spaces } = parse(&self.get("/spaces")?)?;
        Ok(spaces.into_iter().map(|space| (space.slug, space.space_id)).collect())
    }

    /// Moves a page below another. 409 if that would make a circle.
    pub fn relocate(&self, id: i64, parent_id: i64) -> Result<(), Error> {
        let body = encode(&Move { parent_id: Some(parent_id), ..Move::default() })?;
        self.http.send(&Request::new(Method::POST, format!("/posts/{id}/move")).json(body)).map(drop)
    }

    /// 409 if the username is taken.
    pub fn create_user(&self, username: &str) -> Result<User, Error> {
        let body = encode(&json!({ "username": username }))?;
        parse(&self.http.send(&Request::new(Method::POST, "/users").json(body))?)
    }

    /// Creates a user without a username. Not idempotent, because names need not be unique.
    pub fn create_named_user(&self, name: &str) -> Result<User, Error> {
        let body = encode(&json!({ "name": name }))?;
        parse(&self.http.send(&Request::new(Method::POST, "/users").json(body).not_idempotent())?)
    }

    /// Fails as every change would: if the wiki is away, or does not accept changes of this caller.
    pub fn check_writing(&self) -> Result<(), Error> {
        // Permissions come first: only who may write learns that this is no page.
        match self.http.send(&Request::new(Method::POST, "/posts").json(b"{}".to_vec())) {
            Err(error) if error.status() == Some(422) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(Error::Unexpected(format!("{} accepts a page without content", self.http.url()))),
        }
    }

    /// The pages that other slugs than theirs lead to.
    pub fn redirects(&self) -> Result<HashMap<String, i64>, Error> {
        let redirects = self.list(format!("/redirects?limit={MAX_LIMIT}"), "redirects");
        let read = |item: Result<Value, Error>| match item {
            Ok(item) => decode(item).map(|Redirect { slug, post_id }| (slug, post_id)),
            Err(error) if error.status() == Some(404) => Err(self.too_old("/redirects")),
            Err(error) => Err(error),
        };
        redirects.map(read).collect()
    }

    /// Makes a slug lead to a page. 409 if it is that of another page, or leads to one.
    pub fn set_redirect(&self, slug: &str, post_id: i64) -> Result<(), Error> {
        let target = format!("/redirects/{}", utf8_percent_encode(slug, NON_ALPHANUMERIC));
        let body = encode(&RedirectTarget { post_id })?;
        self.http.send(&Request::new(Method::PUT, target).json(body)).map(drop)
    }

    /// Sets whether only administrators may change a page.
    pub fn set_protection(&self, id: i64, protected: bool) -> Result<(), Error> {
        let target = format!("/posts/{id}/protection");
        let request = match protected {
            true => Request::new(Method::PUT, target).json(b"{}".to_vec()),
            false => Request::new(Method::DELETE, target),
        };
        self.http.send(&request).map(drop)
    }

    /// The files of a page; `None` if the wiki is older, and has no files.
    pub fn files(&self, id: i64) -> Result<Option<Vec<File>>, Error> {
        let files = self.list(format!("/posts/{id}/files?limit={MAX_LIMIT}"), "files");
        match files.map(|item| item.and_then(decode)).collect() {
            Err(error) if error.status() == Some(404) => Ok(None),
            files => files.map(Some),
        }
    }

    /// Adds a file to a page. The same file again is not added twice: the request is idempotent.
    pub fn add_file(&self, id: i64, name: &str, media_type: &'static str, bytes: Vec<u8>) -> Result<File, Error> {
        let target = with_query(&format!("/posts/{id}/files"), &[("name", name)]);
        parse(&self.http.send(&Request::new(Method::POST, target).bytes(media_type, bytes))?)
    }

    /// Ticks a task, or opens it again, as a user; returns it as the wiki's JSON.
    pub fn set_done(&self, id: i64, done: bool, user_id: i64) -> Result<Vec<u8>, Error> {
        let body = encode(&json!({ "done": done, "user_id": user_id }))?;
        self.http.send(&Request::new(Method::PATCH, format!("/tasks/{id}")).json(body))
    }

    /// Marks entries of the inbox as read.
    pub fn mark_read(&self, reading: &InboxReading) -> Result<(), Error> {
        self.http.send(&Request::new(Method::POST, "/inbox/read").json(encode(reading)?)).map(drop)
    }

    /// The items of the list `key` at `target`, requested as they are needed. Ends after the first error.
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

    /// One page of a list, and the target of the next.
    fn page(&self, target: &str, key: &'static str) -> Result<(Vec<Value>, Option<String>), Error> {
        let mut page: Value = parse(&self.get(target)?)?;
        let Some(Value::Array(items)) = page.get_mut(key).map(Value::take) else {
            return Err(Error::Unexpected(format!("the response to GET {target} has no list \"{key}\"")));
        };
        let next = match page["next"].as_str() {
            None => None,
            // The token must not be sent to another host.
            Some(next) => {
                let path = next.strip_prefix(self.http.url()).unwrap_or(next);
                if !path.starts_with('/') || path.starts_with("//") || path == target {
                    let message = format!("the list at {target} continues at {next:?}, which is not a path");
                    return Err(Error::Unexpected(message));
                }
                Some(path.to_owned())
            }
        };
        Ok((items, next))
    }

    /// All pages, oldest first.
    pub fn all_posts(&self) -> impl Iterator<Item = Result<PostSummary, Error>> {
        let target = format!("/posts?limit={MAX_LIMIT}&sort=created");
        self.list(target, "posts").map(|item| item.and_then(decode))
    }

    /// All users, oldest first.
    pub fn all_users(&self) -> impl Iterator<Item = Result<User, Error>> {
        self.list(format!("/users?limit={MAX_LIMIT}"), "users").map(|item| item.and_then(decode))
    }
}

/// `path` with URL-encoded parameters.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    format!("{path}?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

/// Reads the body of a response. Members that this program does not know are ignored; one that is missing is an error that
/// names it, because a default would be written into files, or compared with them.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(unreadable)
}

/// As [`parse`], for a part of a response.
pub fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(unreadable)
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::Unexpected(format!(
        "the response is not one of a wiki that this client can talk to ({error}). Check that --url is the address of a \
         wiki, and that the wiki and this client have the same version"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Fake, Reply, post, user};
    use crate::http::{Settings, Token};

    fn draft(content: &str) -> PostDraft<'_> {
        let (title, user_id) = (Some("A"), 1);
        PostDraft {
            user_id,
            title,
            slug: None,
            space_id: None,
            parent_id: None,
            content,
            tags: None,
            comment: None,
            created_time: None,
            updated_time: None,
        }
    }

    fn wiki(fake: &Fake) -> Wiki {
        Wiki::new(Http::for_test(fake))
    }

    #[test]
    fn a_filter_that_the_wiki_ignores_is_an_error() {
        let fake = Fake::start([Reply::list("posts", &[post(1, "x")])]);
        let error = wiki(&fake).by_slug("b").unwrap_err();
        assert!(error.to_string().contains("older than this client"), "{error}");
        assert!(fake.requests()[0].starts_with("GET /posts?slug=b "), "{:?}", fake.requests());
    }

    #[test]
    fn the_account_is_requested_only_with_a_token() {
        let (account, fake) = account(Reply::Status(200, "{}"), None);
        assert!(account.unwrap().is_none() && fake.requests().is_empty());

        let (account, fake) = self::account(fake::account("ada", "editor", "write"), Some("wasiki_1_s3cret"));
        assert_eq!(account.unwrap().unwrap().user_id, 7);
        assert!(fake.requests()[0].starts_with("GET /account "), "{:?}", fake.requests());
    }

    #[test]
    fn a_token_for_a_proxy_has_no_account_and_an_invalid_one_is_an_error() {
        let unseen = Reply::With(401, "www-authenticate: Bearer realm=\"wasiki\"\r\n", "{}");
        for reply in [unseen, Reply::Status(404, "{}")] {
            assert!(account(reply, Some("x")).0.unwrap().is_none(), "{reply:?}");
        }
        let invalid = Reply::With(401, "www-authenticate: Bearer realm=\"wasiki\", error=\"invalid_token\"\r\n", "{}");
        assert_eq!(account(invalid, Some("x")).0.unwrap_err().status(), Some(401));
    }

    fn account(reply: Reply, token: Option<&str>) -> (Result<Option<Account>, Error>, Fake) {
        let fake = Fake::start([reply]);
        let token = token.map(|token| Token::new(token).unwrap());
        (Wiki::new(Http::new(Settings { token, ..Settings::for_test(&fake) })).account(), fake)
    }

    #[test]
    fn usernames_are_found_in_any_case() {
        let list = Reply::list("users", &[user(7, Some("Ada"), "Ada L.")]);
        let wiki = wiki(&Fake::start([list, list]));
        assert_eq!(wiki.by_username("ada").unwrap().unwrap().id, 7);
        assert!(wiki.by_username("bob").is_err());
    }

    fn edited_meanwhile(content: &str) -> Reply {
        Reply::json(412, &json!({"detail": "Edited.", "current": post(2, content)}))
    }

    #[test]
    fn an_edit_whose_response_was_lost_is_a_success() {
        let fake = Fake::start([Reply::HangUp, edited_meanwhile("x"), Reply::json(200, &post(2, "x"))]);
        let saved: Post = parse(&wiki(&fake).update(5, 1, &draft("x")).unwrap()).unwrap();
        assert_eq!(saved.version, 2);
        assert!(fake.requests()[0].contains("if-match: \"1\""), "{:?}", fake.requests());
    }

    #[test]
    fn an_edit_of_a_page_that_another_edit_changed_is_a_conflict() {
        let error = wiki(&Fake::start([edited_meanwhile("y")])).update(5, 1, &draft("x")).unwrap_err();
        assert_eq!((error.status(), error.to_string().as_str()), (Some(412), "Edited."));
    }

    #[test]
    fn a_list_is_followed_to_its_end_but_not_to_another_host() {
        let first = json!({"users": [user(1, None, "A")], "next": "/users?cursor=1"});
        let last = Reply::list("users", &[user(2, None, "B"), user(3, None, "C")]);
        let fake = Fake::start([Reply::json(200, &first), last]);
        let ids: Vec<i64> = wiki(&fake).all_users().map(|user| user.unwrap().id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert!(fake.requests()[1].starts_with("GET /users?cursor=1 "), "{:?}", fake.requests());
        for next in [r#"{"users": [], "next": "http://evil.example/"}"#, r#"{"users": [], "next": "//evil.example/"}"#]
        {
            let fake = Fake::start([Reply::Status(200, next)]);
            assert!(wiki(&fake).all_users().next().unwrap().is_err());
        }
    }

    #[test]
    fn responses_of_other_programs_and_versions_are_errors() {
        for body in ["", "<html>", "[]", "{}", r#"{"posts": 5}"#, r#"{"posts": [{"post_id": "x"}]}"#] {
            let error = wiki(&Fake::start([Reply::Status(200, body)])).by_slug("a").unwrap_err();
            assert!(matches!(error, Error::Unexpected(_)), "{body}: {error}");
        }
        let mut page = post(1, "x");
        page["since_the_next_version"] = json!({});
        let newer = Reply::list("posts", &[page.clone()]);
        assert!(wiki(&Fake::start([newer])).by_slug("a").unwrap().is_some());
        page.as_object_mut().unwrap().remove("size");
        let older = Reply::list("posts", &[page]);
        let error = wiki(&Fake::start([older])).by_slug("a").unwrap_err().to_string();
        assert!(error.contains("`size`") && error.contains("same version"), "{error}");
    }

    #[test]
    fn tags_are_compared_as_the_wiki_stores_them() {
        let post: Post = serde_json::from_value(post(2, "x")).unwrap();
        let tags = ["T ".to_owned(), "t".to_owned()];
        assert!(PostDraft { tags: Some(&tags), ..draft("x") }.matches(&post));
        assert!(!PostDraft { tags: Some(&[]), ..draft("x") }.matches(&post));
        assert!(draft("x").matches(&post) && !draft("y").matches(&post));
    }
}
