//! Who may do what: every route, for everybody, in every mode.

use std::collections::BTreeSet;

use blackbox::{App, Client, Request, Response, Value, eventually, json};

/// The columns of [`TABLE`]'s words: nobody known; a reader; an editor; another editor; an administrator; somebody with an
/// expired token; with a revoked token; and an administrator with a token of scope `read`.
const EVERYBODY: [&str; 8] =
    ["anonymous", "reader", "editor", "other editor", "administrator", "expired token", "revoked token", "wrong scope"];

/// The columns of [`TABLE`].
const MODES: [&str; 3] = ["open", "public-read", "private"];

/// For each route and mode, what each of [`EVERYBODY`] meets: `.` they get past the door, `1` 401, `3` 403.
///
/// Where a path names a user, it is the editor's. Signing in is tried with a name nobody has.
const TABLE: &[(&str, [&str; 3])] = &[
    ("GET /", [".....11.", ".....11.", "1....11."]),
    ("GET /health", ["........", "........", "........"]),
    ("GET /ready", ["........", "........", "........"]),
    ("GET /metrics", [".....11.", ".....11.", "1....11."]),
    ("GET /users", [".....11.", ".....11.", "1....11."]),
    ("POST /users", [".....113", "1333.113", "1333.113"]),
    ("GET /users/suggestions", [".....11.", ".....11.", "1....11."]),
    ("GET /users/{id}", [".....11.", ".....11.", "1....11."]),
    ("PATCH /users/{id}", ["33.3.113", "13.3.113", "13.3.113"]),
    ("DELETE /users/{id}", ["33.3.113", "13.3.113", "13.3.113"]),
    ("GET /user/{id}", [".....11.", ".....11.", "1....11."]),
    ("PATCH /user/{id}", ["33.3.113", "13.3.113", "13.3.113"]),
    ("DELETE /user/{id}", ["33.3.113", "13.3.113", "13.3.113"]),
    ("GET /posts", [".....11.", ".....11.", "1....11."]),
    ("POST /posts", [".....113", "13...113", "13...113"]),
    ("GET /posts/deleted", [".....11.", ".....11.", "1....11."]),
    ("GET /posts/{id}", [".....11.", ".....11.", "1....11."]),
    ("PUT /posts/{id}", [".....113", "13...113", "13...113"]),
    ("DELETE /posts/{id}", [".....113", "13...113", "13...113"]),
    ("POST /posts/{id}/restore", [".....113", "13...113", "13...113"]),
    ("GET /posts/{id}/revisions", [".....11.", ".....11.", "1....11."]),
    ("GET /posts/{id}/revisions/{version}", [".....11.", ".....11.", "1....11."]),
    ("GET /posts/{id}/compare", [".....11.", ".....11.", "1....11."]),
    ("POST /posts/{id}/revert", [".....113", "13...113", "13...113"]),
    ("GET /posts/{id}/files", [".....11.", ".....11.", "1....11."]),
    ("POST /posts/{id}/files", [".....113", "13...113", "13...113"]),
    ("GET /posts/{id}/backlinks", [".....11.", ".....11.", "1....11."]),
    ("GET /posts/{id}/children", [".....11.", ".....11.", "1....11."]),
    ("POST /posts/{id}/move", [".....113", "13...113", "13...113"]),
    ("GET /posts/{id}/access", ["1333.113", "1333.113", "1333.113"]),
    ("PUT /posts/{id}/access", ["1....113", "1....113", "1....113"]),
    ("DELETE /posts/{id}/access", ["1333.113", "1333.113", "1333.113"]),
    ("GET /posts/{id}/star", ["1....11.", "1....11.", "1....11."]),
    ("PUT /posts/{id}/star", ["1....113", "1....113", "1....113"]),
    ("DELETE /posts/{id}/star", ["1....113", "1....113", "1....113"]),
    ("GET /stars", ["1....11.", "1....11.", "1....11."]),
    ("GET /settings", [".....11.", ".....11.", "1....11."]),
    ("PATCH /settings", ["1333.113", "1333.113", "1333.113"]),
    ("GET /spaces", [".....11.", ".....11.", "1....11."]),
    ("POST /spaces", ["1333.113", "1333.113", "1333.113"]),
    ("GET /spaces/{id}", [".....11.", ".....11.", "1....11."]),
    ("PATCH /spaces/{id}", ["1....113", "1....113", "1....113"]),
    ("DELETE /spaces/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("GET /spaces/{id}/children", [".....11.", ".....11.", "1....11."]),
    ("GET /spaces/{id}/access", ["1....113", "1....113", "1....113"]),
    ("PUT /spaces/{id}/access", ["1....113", "1....113", "1....113"]),
    ("GET /groups", ["1....11.", "1....11.", "1....11."]),
    ("POST /groups", ["1333.113", "1333.113", "1333.113"]),
    ("GET /groups/{id}", ["1....11.", "1....11.", "1....11."]),
    ("PATCH /groups/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("DELETE /groups/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("GET /groups/{id}/members", ["1....11.", "1....11.", "1....11."]),
    ("PUT /groups/{id}/members/{user_id}", ["1333.113", "1333.113", "1333.113"]),
    ("DELETE /groups/{id}/members/{user_id}", ["1333.113", "1333.113", "1333.113"]),
    ("PUT /posts/{id}/protection", ["1333.113", "1333.113", "1333.113"]),
    ("DELETE /posts/{id}/protection", ["1333.113", "1333.113", "1333.113"]),
    ("GET /posts/{id}/watch", ["1....11.", "1....11.", "1....11."]),
    ("PUT /posts/{id}/watch", ["1....113", "1....113", "1....113"]),
    ("DELETE /posts/{id}/watch", ["1....113", "1....113", "1....113"]),
    ("POST /files", ["1....113", "13...113", "13...113"]),
    ("DELETE /files/{id}", [".....113", "13...113", "13...113"]),
    ("GET /files/{id}/{name}", [".....11.", ".....11.", "1....11."]),
    ("GET /inbox", ["1....11.", "1....11.", "1....11."]),
    ("POST /inbox/read", ["1....113", "1....113", "1....113"]),
    ("GET /redirects", [".....11.", ".....11.", "1....11."]),
    ("PUT /redirects/{slug}", [".....113", "13...113", "13...113"]),
    ("DELETE /redirects/{slug}", [".....113", "13...113", "13...113"]),
    ("GET /changes", [".....11.", ".....11.", "1....11."]),
    ("GET /events", [".....11.", ".....11.", "1....11."]),
    ("GET /search", [".....11.", ".....11.", "1....11."]),
    ("GET /search/suggestions", [".....11.", ".....11.", "1....11."]),
    ("GET /tags", [".....11.", ".....11.", "1....11."]),
    ("GET /tasks.ics", [".....11.", ".....11.", "1....11."]),
    ("GET /tasks", [".....11.", ".....11.", "1....11."]),
    ("POST /tasks", [".....113", "13...113", "13...113"]),
    ("GET /tasks/{id}", [".....11.", ".....11.", "1....11."]),
    ("PATCH /tasks/{id}", [".....113", "13...113", "13...113"]),
    ("GET /feed.atom", [".....11.", ".....11.", "1....11."]),
    ("GET /account", ["1....11.", "1....11.", "1....11."]),
    ("PUT /account/password", ["1....113", "1....113", "1....113"]),
    ("GET /account/mail", ["1....11.", "1....11.", "1....11."]),
    ("PUT /account/mail", ["1....113", "1....113", "1....113"]),
    ("GET /sessions", ["1....113", "1....113", "1....113"]),
    ("DELETE /sessions", ["1....113", "1....113", "1....113"]),
    ("DELETE /sessions/{id}", ["1....113", "1....113", "1....113"]),
    ("GET /tokens", ["1....113", "1....113", "1....113"]),
    ("POST /tokens", ["1....113", "1....113", "1....113"]),
    ("DELETE /tokens/{id}", ["1....113", "1....113", "1....113"]),
    ("GET /audit", ["1333.113", "1333.113", "1333.113"]),
    ("GET /audit/chain", ["1333.113", "1333.113", "1333.113"]),
    ("GET /events/undelivered", ["1333.113", "1333.113", "1333.113"]),
    ("POST /events/undelivered/{id}/retry", ["1333.113", "1333.113", "1333.113"]),
    ("DELETE /events/undelivered/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("GET /webhooks", ["1333.113", "1333.113", "1333.113"]),
    ("POST /webhooks", ["1333.113", "1333.113", "1333.113"]),
    ("GET /webhooks/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("PATCH /webhooks/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("DELETE /webhooks/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("POST /webhooks/{id}/rotate", ["1333.113", "1333.113", "1333.113"]),
    ("POST /webhooks/{id}/test", ["1333.113", "1333.113", "1333.113"]),
    ("GET /webhooks/{id}/deliveries", ["1333.113", "1333.113", "1333.113"]),
    ("POST /webhooks/{id}/deliveries/{delivery_id}/resend", ["1333.113", "1333.113", "1333.113"]),
    ("GET /-/ready", ["........", "........", "........"]),
    ("POST /-/relay", ["11111111", "11111111", "11111111"]),
    ("POST /-/consumers/{name}", ["11111111", "11111111", "11111111"]),
    ("GET /openapi.json", [".....11.", ".....11.", "1....11."]),
    ("GET /docs", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/new", [".....113", "13...113", "13...113"]),
    ("POST /wiki/-/new", [".....113", "13...113", "13...113"]),
    ("POST /wiki/-/preview", [".....113", "13...113", "13...113"]),
    ("GET /wiki/-/drafts", ["1....113", "13...113", "13...113"]),
    ("POST /wiki/-/drafts", ["1....113", "13...113", "13...113"]),
    ("POST /wiki/-/drafts/discard", ["1....113", "13...113", "13...113"]),
    ("GET /wiki/-/pages", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/deleted", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/deleted/{id}", [".....11.", ".....11.", "1....11."]),
    ("POST /wiki/-/deleted/{id}", [".....113", "13...113", "13...113"]),
    ("GET /wiki/-/changes", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/tags", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/tags/{tag}", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/tasks", [".....11.", ".....11.", "1....11."]),
    ("POST /wiki/-/tasks", [".....113", "13...113", "13...113"]),
    ("GET /wiki/-/inbox", ["1....11.", "1....11.", "1....11."]),
    ("POST /wiki/-/inbox", ["1....113", "1....113", "1....113"]),
    ("GET /wiki/-/starred", ["1....11.", "1....11.", "1....11."]),
    ("GET /wiki/-/settings", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/settings", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/watched", ["1....11.", "1....11.", "1....11."]),
    ("GET /wiki/-/search", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/users", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/users/new", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/users/new", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/users/{id}", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/users/{id}/account", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/users/{id}/account", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/sign-in", [".....11.", ".....11.", ".....11."]),
    ("POST /wiki/-/sign-in", ["11111111", "11111111", "11111111"]),
    ("POST /wiki/-/sign-out", [".....11.", ".....11.", ".....11."]),
    ("GET /wiki/-/account", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/account/password", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/account/mail", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/account/time-zone", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/account/sessions", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/account/tokens", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/account/tokens/revoke", ["1....113", "1....113", "1....113"]),
    ("GET /wiki/-/audit", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/webhooks", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/webhooks", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/webhooks/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/webhooks/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/webhooks/{id}/rotate", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/webhooks/{id}/test", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/webhooks/{id}/resend", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/webhooks/{id}/delete", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/spaces", [".....11.", ".....11.", "1....11."]),
    ("POST /wiki/-/spaces", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/spaces/{slug}", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/-/spaces/{slug}/settings", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/spaces/{slug}/settings", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/-/spaces/{slug}/access", ["1....113", "1....113", "1....113"]),
    ("GET /wiki/-/spaces/{slug}/delete", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/spaces/{slug}/delete", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/groups", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/groups", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/groups/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/groups/{id}", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/groups/{id}/members", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/groups/{id}/members/remove", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/-/groups/{id}/delete", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/{slug}", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/{slug}/edit", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/edit", [".....113", "13...113", "13...113"]),
    ("GET /wiki/{slug}/history", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/{slug}/history/{version}", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/{slug}/compare", [".....11.", ".....11.", "1....11."]),
    ("POST /wiki/{slug}/revert", [".....113", "13...113", "13...113"]),
    ("GET /wiki/{slug}/files", [".....11.", ".....11.", "1....11."]),
    ("POST /wiki/{slug}/files", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/files/delete", [".....113", "13...113", "13...113"]),
    ("GET /wiki/{slug}/backlinks", [".....11.", ".....11.", "1....11."]),
    ("GET /wiki/{slug}/access", ["1333.113", "1333.113", "1333.113"]),
    ("POST /wiki/{slug}/access", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/{slug}/delete", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/delete", [".....113", "13...113", "13...113"]),
    ("GET /wiki/{slug}/move", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/move", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/restore", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/tasks", [".....113", "13...113", "13...113"]),
    ("POST /wiki/{slug}/star", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/{slug}/watch", ["1....113", "1....113", "1....113"]),
    ("POST /wiki/{slug}/protection", ["1333.113", "1333.113", "1333.113"]),
    ("GET /wiki/-/diagram", ["........", "........", "........"]),
    ("GET /static/{name}", ["........", "........", "........"]),
];

#[tokio::test]
async fn every_route_enforces_its_permissions() {
    for (column, mode) in MODES.into_iter().enumerate() {
        let wiki = App::wiki().access(mode).start().await;
        let people = People::new(&wiki).await;
        assert_eq!(routes(&wiki, &people).await, TABLE.iter().map(|(route, _)| (*route).to_owned()).collect());
        for (route, expected) in TABLE {
            let mut met = String::new();
            for somebody in EVERYBODY {
                let request = people.identify(try_out(&wiki, &people, route, somebody), somebody);
                let response = request.await;
                assert_not_shared(&response, route, somebody != "anonymous");
                met.push(match response.status() {
                    401 => '1',
                    403 => '3',
                    429 | 500.. => '!',
                    _ => '.',
                });
            }
            assert_eq!(met, expected[column], "{route} in a wiki that is {mode}, for {EVERYBODY:?}");
        }
    }
}

/// No cache keeps the response for anybody else; for the sender, only if it is not `personal` or they are asked.
fn assert_not_shared(response: &Response, route: &str, personal: bool) {
    let kept = response.header("cache-control");
    let is_safe = match kept {
        "no-store" | "no-store, no-transform" | "private, no-cache" => true,
        // Files of the site are the same for everybody.
        "no-cache" => !personal || ["GET /static/{name}", "GET /wiki/-/diagram"].contains(&route),
        _ => route == "GET /static/{name}" && kept.starts_with("public, "),
    };
    assert!(is_safe, "{route}: Cache-Control is {kept:?}: {response:?}");
}

#[tokio::test]
async fn caches_keep_nothing_of_a_private_wiki() {
    let wiki = App::wiki().access("private").start().await;
    let people = People::new(&wiki).await;
    for somebody in ["anonymous", "reader"] {
        for path in ["/nothing/here", "/wiki/no-such-page", "/wiki/-/nothing", "/posts/99", "/posts/1/compare", "/"] {
            for accept in ["application/json", "text/html"] {
                let response = people.identify(wiki.get(path).header("accept", accept), somebody).await;
                assert_eq!(response.header("cache-control"), "no-store", "{path} for {somebody}: {response:?}");
            }
        }
        for request in [wiki.post("/health"), wiki.options("/posts/1")] {
            let response = people.identify(request, somebody).await;
            assert_eq!(response.header("cache-control"), "no-store", "{response:?}");
        }
    }
}

/// The routes the wiki says it has.
async fn routes(wiki: &Client, people: &People) -> BTreeSet<String> {
    let index = people.identify(wiki.get("/"), "administrator").await.expect(200).json();
    let endpoints = index["endpoints"].as_object().unwrap().iter();
    endpoints
        .flat_map(|(path, methods)| {
            methods.as_array().unwrap().iter().map(move |method| format!("{} {path}", method.as_str().unwrap()))
        })
        .collect()
}

/// Everybody, with what they show.
struct People {
    tokens: Vec<(&'static str, String)>,
    editor: i64,
}

impl People {
    async fn new(wiki: &Client) -> Self {
        let administrator = wiki.administrator().await;
        let page = json!({"title": "A page", "content": "# One", "slug": "a-page"});
        wiki.post("/posts").cookie(&administrator).json(page).await.expect(201);
        let mut tokens = vec![
            ("administrator", wiki.create_token(&administrator, "admin").await),
            ("wrong scope", wiki.create_token(&administrator, "read").await),
        ];
        let mut editor = 0;
        for (name, username, role) in
            [("reader", "rita", "reader"), ("editor", "eve", "editor"), ("other editor", "otto", "editor")]
        {
            let user = wiki.create_account(&administrator, username, role).await;
            let cookie = wiki.sign_in(username, blackbox::PASSWORD).await;
            tokens.push((name, wiki.create_token(&cookie, "admin").await));
            if name == "editor" {
                editor = user["id"].as_i64().unwrap();
            }
        }
        let revoked = json!({"name": "revoked", "scope": "admin"});
        let revoked = wiki.post("/tokens").cookie(&administrator).json(revoked).await.expect(201);
        wiki.delete(revoked.header("location")).cookie(&administrator).await.expect(204);
        tokens.push(("revoked token", revoked.json()["token"].as_str().unwrap().to_owned()));
        tokens.push(("expired token", expired_token(wiki, &administrator).await));
        Self { tokens, editor }
    }

    fn identify(&self, request: Request, somebody: &str) -> Request {
        match self.tokens.iter().find(|(name, _)| *name == somebody) {
            Some((_, token)) => request.token(token),
            None => request,
        }
    }
}

/// A token whose time is over.
async fn expired_token(wiki: &Client, cookie: &str) -> String {
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(1);
    let body = json!({"name": "short", "scope": "admin", "expires_time": soon.to_rfc3339()});
    let token = wiki.post("/tokens").cookie(cookie).json(body).await.expect(201).json();
    let token = token["token"].as_str().unwrap().to_owned();
    eventually("the token has expired", || async { wiki.get("/account").token(&token).await.status() == 401 }).await;
    token
}

/// A request to a route that changes nothing, whoever gets through: what it asks for is not there, stale or invalid.
fn try_out(wiki: &Client, people: &People, route: &str, somebody: &str) -> Request {
    let (method, path) = route.split_once(' ').unwrap();
    let id = if path.starts_with("/user") || path.starts_with("/wiki/-/users") {
        people.editor
    } else if path.starts_with("/posts") {
        1
    } else {
        // Nobody's token or session.
        999_999
    };
    let target = path
        .replace("{id}", &id.to_string())
        .replace("{delivery_id}", &id.to_string())
        .replace("{user_id}", "999999")
        .replace("{version}", "1")
        .replace("{slug}", "a-page")
        .replace("{tag}", "tag")
        .replace("{name}", "style.css");
    let target = match path {
        "/search" | "/search/suggestions" | "/users/suggestions" => format!("{target}?q=page"),
        _ => target,
    };
    let request = wiki.request(method, &target);
    let stale = path.starts_with("/posts/{id}") && !path.ends_with("protection") || path.starts_with("/user");
    let request = if method != "GET" && stale { request.header("if-match", "\"999\"") } else { request };
    match method {
        "GET" => request,
        // A name for each, so that no limit is met.
        _ if path == "/wiki/-/sign-in" => request.form(&[("username", &somebody.replace(' ', "-")), ("password", "x")]),
        _ if path.starts_with("/wiki/") => request.form(&[("id", "999999"), ("protected", "no")]),
        "DELETE" => request,
        _ => request.json(body(path)),
    }
}

fn body(path: &str) -> Value {
    match path {
        "/posts/{id}" => json!({"content": "changed"}),
        "/posts/{id}/revert" => json!({"version": 1}),
        // The page cannot be below one that is not there.
        "/posts/{id}/move" => json!({"parent_id": 999_999}),
        _ => json!({}),
    }
}

#[tokio::test]
async fn an_invalid_access_mode_denies_everything() {
    let wiki = App::wiki().access("Open").at_once().start().await;
    wiki.get("/health").await.expect(200);
    for path in ["/", "/posts", "/users", "/wiki"] {
        let problem = wiki.get(path).await.problem(500);
        assert!(!problem.detail.contains("access"), "{problem:?}");
    }
    wiki.runner().logged("variable access: must be one of open, public-read and private", 1).await;
}

#[tokio::test]
async fn open_access_on_a_public_address_is_warned_about() {
    const WARNING: &str = "everyone who can reach this address can read and change everything";
    for (listen, mode, warns) in
        [("0.0.0.0", "open", true), ("0.0.0.0", "public-read", false), ("127.0.0.1", "open", false)]
    {
        let wiki = App::wiki().access(mode).env("LISTEN_ADDR", listen).start().await;
        wiki.runner().logged(if warns { WARNING } else { "listening" }, 1).await;
        assert_eq!(wiki.runner().stderr().matches(WARNING).count(), usize::from(warns), "{listen} {mode}");
    }
}

#[tokio::test]
async fn a_private_wiki_redirects_browsers_to_sign_in_and_back() {
    let wiki = App::wiki().access("private").start().await;
    let open = |path: &str| wiki.get(path).header("accept", "text/html,*/*;q=0.8");
    let response = open("/wiki/-/search?q=a%26b").await.expect(302);
    assert_eq!(response.header("location"), "/wiki/-/sign-in?next=%2Fwiki%2F-%2Fsearch%3Fq%3Da%2526b");
    assert_eq!(response.header("cache-control"), "no-store");
    for path in ["/", "/wiki", "/docs", "/wiki/nothing"] {
        assert!(open(path).await.expect(302).header("location").starts_with("/wiki/-/sign-in?next="), "{path}");
    }
    let form = open(response.header("location")).await.expect(200);
    assert!(form.text().contains(r#"name="next" value="/wiki/-/search?q=a%26b""#), "{form:?}");
    // What they sent comes back to them.
    let sent = wiki.post("/wiki/-/new").header("accept", "text/html").form(&[("title", "xyz")]).await.expect(401);
    assert!(sent.text().contains("value=\"xyz\"") && sent.text().contains("sign_in_password"), "{sent:?}");
    wiki.get("/health").await.expect(200);
    wiki.get("/ready").await.expect(200);
}

#[tokio::test]
async fn a_cached_copy_is_not_confirmed_without_access() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let page = wiki.post("/posts").cookie(&cookie).json(json!({"content": "# One"})).await.expect(201);
    let read = wiki.get("/posts/1").cookie(&cookie).await.expect(200);
    assert_eq!(read.header("cache-control"), "no-store");
    wiki.get("/posts/1").cookie(&cookie).header("if-none-match", page.header("etag")).await.expect(304);
    wiki.get("/posts/1").header("if-none-match", page.header("etag")).await.expect(401);
}

#[tokio::test]
async fn only_administrators_change_a_protected_page() {
    for mode in ["open", "public-read"] {
        let wiki = App::wiki().access(mode).start().await;
        let administrator = wiki.administrator().await;
        wiki.create_account(&administrator, "eve", "editor").await;
        let editor = wiki.sign_in("eve", blackbox::PASSWORD).await;
        wiki.post("/posts").cookie(&administrator).json(json!({"content": "# One", "slug": "one"})).await.expect(201);
        let protection = wiki.put("/posts/1/protection").cookie(&administrator).json(json!({})).await.expect(200);
        assert_eq!(
            (protection.json()["protected"].clone(), protection.header("etag")),
            (true.into(), "\"1.protected\"")
        );

        let edit = json!({"content": "# Two", "version": 1});
        wiki.put("/posts/1").cookie(&editor).json(edit.clone()).await.problem(403);
        wiki.delete("/posts/1").cookie(&editor).await.problem(403);
        wiki.post("/posts/1/revert").cookie(&editor).json(json!({"version": 1})).await.problem(403);
        let form = [("title", "One"), ("content", "# Two"), ("version", "1"), ("page", "1"), ("author", "Eve")];
        wiki.post("/wiki/one/edit").cookie(&editor).form(&form).await.expect(403);
        wiki.post("/wiki/one/delete").cookie(&editor).form(&[("version", "1")]).await.expect(403);
        let revert = [("version", "1"), ("author", "Eve")];
        wiki.post("/wiki/one/revert").cookie(&editor).form(&revert).await.expect(403);
        if mode == "open" {
            wiki.put("/posts/1").json(edit.clone()).await.problem(403);
        }
        let page = wiki.get("/wiki/one").cookie(&editor).await.expect(200);
        assert!(page.text().contains("id=\"_protected\"") && !page.text().contains("id=\"_protection\""), "{page:?}");

        wiki.put("/posts/1").cookie(&administrator).json(edit).await.expect(200);
        wiki.delete("/posts/1").cookie(&administrator).await.expect(204);
        wiki.post("/posts/1/restore").cookie(&editor).json(json!({})).await.problem(403);
        wiki.post("/posts/1/restore").cookie(&administrator).json(json!({})).await.expect(200);
        wiki.post("/wiki/one/protection").cookie(&administrator).form(&[("protected", "no")]).await.expect(303);
        let post = wiki.put("/posts/1").cookie(&editor).json(json!({"content": "# Three", "version": 4})).await;
        assert_eq!(post.expect(200).json().get("protected"), None);
    }
}

#[tokio::test]
async fn pages_are_written_under_the_signed_in_user() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let eve = wiki.create_account(&administrator, "eve", "editor").await;
    let editor = wiki.sign_in("eve", blackbox::PASSWORD).await;
    let other = json!({"user_id": 1, "content": "# One"});
    wiki.post("/posts").cookie(&editor).json(other.clone()).await.problem(403);
    let post = wiki.post("/posts").cookie(&editor).json(json!({"content": "# One"})).await.expect(201).json();
    assert_eq!(post["user_id"], eve["id"]);
    wiki.post("/posts").cookie(&administrator).json(json!({"user_id": eve["id"], "content": "x"})).await.expect(201);

    // An edit is by whoever made it, not by the page's creator, and a form's author does not count.
    let theirs = wiki.post("/posts").cookie(&administrator).json(other).await.expect(201).json();
    let target = format!("/posts/{}", theirs["post_id"]);
    let edit = json!({"content": "# Two", "version": 1, "user_id": 1});
    wiki.put(&target).cookie(&editor).json(edit).await.problem(403);
    wiki.put(&target).cookie(&editor).json(json!({"content": "# Two", "version": 1})).await.expect(200);
    let form = [("title", "Two"), ("content", "# Three"), ("version", "2"), ("author", "admin")];
    let slug = theirs["slug"].as_str().unwrap();
    wiki.post(&format!("/wiki/{slug}/edit")).cookie(&editor).form(&form).await.expect(303);
    let revisions = wiki.get(&format!("{target}/revisions")).await.expect(200).json();
    let authors: Vec<_> = revisions["revisions"].as_array().unwrap().iter().map(|r| r["user_id"].clone()).collect();
    assert_eq!(authors, [eve["id"].clone(), eve["id"].clone(), 1.into()]);
}

#[tokio::test]
async fn what_people_look_after_is_theirs() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let mut cookies = Vec::new();
    for name in ["eve", "otto"] {
        wiki.create_account(&administrator, name, "editor").await;
        cookies.push(wiki.sign_in(name, blackbox::PASSWORD).await);
    }
    let (eve, otto) = (&cookies[0], &cookies[1]);
    let token = json!({"name": "eve's", "scope": "read"});
    let token = wiki.post("/tokens").cookie(eve).json(token).await.expect(201);
    wiki.delete(token.header("location")).cookie(otto).await.problem(404);
    assert_eq!(wiki.get("/tokens").cookie(otto).await.expect(200).json()["tokens"], json!([]));
    let sessions = wiki.get("/sessions").cookie(eve).await.expect(200).json();
    let session = format!("/sessions/{}", sessions["sessions"][0]["id"]);
    wiki.delete(&session).cookie(otto).await.problem(404);
    wiki.delete(token.header("location")).cookie(&administrator).await.expect(204);
    wiki.delete(&session).cookie(&administrator).await.expect(204);
    wiki.get("/account").cookie(eve).await.problem(401);

    // Nobody gives themselves a role.
    let me = wiki.get("/account").cookie(otto).await.expect(200).json();
    let target = format!("/users/{}", me["user_id"]);
    wiki.patch(&target).cookie(otto).json(json!({"role": "administrator"})).await.problem(403);
    wiki.patch(&target).cookie(otto).json(json!({"password": "another one of mine"})).await.problem(403);
    let renamed = wiki.patch(&target).cookie(otto).json(json!({"name": "Otto"})).await.expect(200).json();
    assert_eq!((renamed["name"].as_str(), renamed["role"].as_str()), (Some("Otto"), Some("editor")));
    wiki.patch(&target).cookie(otto).json(json!({"username": null})).await.invalid("username");
}

#[tokio::test]
async fn email_addresses_are_private() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let body = json!({"username": "eve", "email": "eve@example.org", "password": blackbox::PASSWORD});
    let user = wiki.post("/users").cookie(&administrator).json(body).await.expect(201);
    let (target, eve) = (user.header("location"), wiki.sign_in("eve", blackbox::PASSWORD).await);
    wiki.get("/posts").cookie(&eve).await.expect(200);
    let stranger = wiki.get(target).await.expect(200);
    assert_eq!((stranger.json()["email"].clone(), stranger.json().get("role")), (Value::Null, None));
    assert!(!wiki.get("/users").await.expect(200).text().contains("example.org"));
    for cookie in [&administrator, &eve] {
        let full = wiki.get(target).cookie(cookie).await.expect(200);
        assert_eq!(
            (full.json()["email"].as_str(), full.json()["role"].as_str()),
            (Some("eve@example.org"), Some("editor"))
        );
        assert_ne!(full.header("etag"), stranger.header("etag"));
    }
}

#[tokio::test]
async fn open_mode_still_protects_accounts() {
    let wiki = App::wiki().access("open").start().await;
    let administrator = wiki.administrator().await;
    let eve = wiki.create_account(&administrator, "eve", "editor").await;
    let target = format!("/users/{}", eve["id"]);
    wiki.patch(&target).json(json!({"name": "Mallory"})).await.problem(403);
    wiki.delete(&target).await.problem(403);
    wiki.post("/users").json(json!({"username": "mallory", "password": blackbox::PASSWORD})).await.problem(403);
    wiki.post("/users").json(json!({"username": "mallory", "role": "administrator"})).await.problem(403);
    // A mere name is anybody's, as it always was.
    let name = wiki.create_user("dockertest").await;
    wiki.patch(&format!("/users/{}", name["id"])).json(json!({"name": "Docker"})).await.expect(200);
    wiki.delete(&format!("/users/{}", name["id"])).await.expect(204);
}

#[tokio::test]
async fn every_response_has_security_headers() {
    let wiki = App::wiki().access("public-read").start().await;
    for target in [
        "/",
        "/health",
        "/posts",
        "/posts/1",
        "/nothing",
        "/wiki",
        "/wiki/-/sign-in",
        "/static/style.css",
        "/feed.atom",
        "/users/x",
    ] {
        for proto in ["http", "https"] {
            let response = wiki.get(target).header("x-forwarded-proto", proto).await;
            assert_eq!(response.header("x-content-type-options"), "nosniff", "{response:?}");
            assert_eq!(response.header("referrer-policy"), "same-origin", "{response:?}");
            assert!(response.header("content-security-policy").contains("frame-ancestors 'none'"), "{response:?}");
            assert_eq!(response.has_header("strict-transport-security"), proto == "https", "{response:?}");
        }
    }
    // What a browser has keeps the policy it came with.
    let page = wiki.get("/wiki").await.expect(200);
    let copy = wiki.get("/wiki").header("if-none-match", page.header("etag")).await.expect(304);
    assert!(!copy.has_header("content-security-policy"), "{copy:?}");
}

#[tokio::test]
async fn the_audit_trail_is_only_added_to() {
    let wiki = App::wiki().access("public-read").start().await;
    wiki.administrator().await;
    let session = wiki.database().client().await;
    for sql in ["UPDATE audit SET event = 'x'", "DELETE FROM audit", "TRUNCATE audit"] {
        let refusal = session.batch_execute(sql).await.expect_err(sql);
        assert!(refusal.as_db_error().unwrap().message().contains("only ever added to"), "{refusal:?}");
    }
    assert_ne!(wiki.database().column("SELECT count(*) FROM audit").await, ["0"]);
}
