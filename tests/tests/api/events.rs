//! The log: every change is in it, in order, for whoever may know.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use blackbox::{
    ADMIN_PASSWORD, App, Client, GIVEN_PASSWORD, PASSWORD, POLL, Request, Response, START_LIMIT, Value, at_once, json,
};

const BROWSER: &str = "text/html";

/// An administrator who changes things, and reads in the log what became of it.
struct Follower<'a> {
    wiki: &'a Client,
    cookie: String,
    /// The sequence of the last event seen.
    last: String,
    /// The routes that were tried.
    tried: BTreeSet<String>,
}

impl Follower<'_> {
    /// Sends a request to a route, which must succeed. The log must have these events then, and no others; without `wasiki.`.
    async fn tries(&mut self, route: &str, request: Request, expected: &[&str]) -> Response {
        let response = request.cookie(&self.cookie).await;
        assert!(response.status() < 400, "{route}: {response:?}");
        self.tried.insert(route.to_owned());
        let events = self.new_events(expected.len()).await;
        let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        let expected: Vec<String> = expected.iter().map(|kind| format!("wasiki.{kind}")).collect();
        assert_eq!(types, expected, "{route}: {events:?}");
        // What is logged can be asked for.
        for kind in types {
            self.wiki.get(&format!("/events?limit=1&type={kind}")).cookie(&self.cookie).await.expect(200);
        }
        response
    }

    /// What the log has that was not seen yet, at least `count` events. They are there once all older transactions of the server
    /// have ended, those of other tests among them.
    async fn new_events(&mut self, count: usize) -> Vec<Value> {
        let mut new = Vec::new();
        let began = Instant::now();
        loop {
            let target = format!("/events?after={}&limit=200", self.last);
            let page = self.wiki.get(&target).cookie(&self.cookie).await.expect(200).json();
            new.extend(page["events"].as_array().unwrap().iter().cloned());
            if let Some(last) = new.last() {
                self.last = last["sequence"].as_str().unwrap().to_owned();
            }
            if new.len() >= count || began.elapsed() > START_LIMIT {
                return new;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        self.wiki.post(path).header("accept", BROWSER).form(fields)
    }
}

/// The log from `target` on, once it has `count` events.
async fn settled(wiki: &Client, target: &str, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let events = wiki.walk(target, "events").await;
        if events.len() >= count || began.elapsed() > START_LIMIT {
            return events;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The version of a page, as a form sends it.
async fn version(follower: &Follower<'_>, id: &Value) -> String {
    let page = follower.wiki.get(&format!("/posts/{id}")).cookie(&follower.cookie).await.expect(200).json();
    page["version"].to_string()
}

#[tokio::test]
async fn every_change_is_in_the_log() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let mut log = Follower { wiki: &wiki, cookie, last: "0".repeat(40), tried: BTreeSet::new() };
    assert!(log.new_events(4).await.iter().any(|event| event["type"] == "wasiki.account.account_created"));

    // Pages, by the API.
    let page = json!({"content": "# One\n\ntext", "tags": ["a"]});
    let page = log.tries("POST /posts", wiki.post("/posts").json(page), &["page.created"]).await.json();
    let id = &page["post_id"];
    let at = |rest: &str| format!("/posts/{id}{rest}");
    let edit = json!({"content": "# One\n\nmore text", "version": 1});
    log.tries("PUT /posts/{id}", wiki.put(&at("")).json(edit.clone()), &["page.edited"]).await;
    let edit = json!({"title": "Two", "slug": "two", "content": "# One\n\nmore text", "version": 2});
    log.tries("PUT /posts/{id}", wiki.put(&at("")).json(edit), &["page.renamed"]).await;
    let revert = json!({"version": 1});
    log.tries("POST /posts/{id}/revert", wiki.post(&at("/revert")).json(revert), &["page.renamed"]).await;
    log.tries("DELETE /posts/{id}", wiki.delete(&at("")), &["page.deleted"]).await;
    log.tries("POST /posts/{id}/restore", wiki.post(&at("/restore")).json(json!({})), &["page.restored"]).await;
    let below = json!({"content": "# Below", "parent_id": id});
    log.tries("POST /posts", wiki.post("/posts").json(below), &["page.created"]).await;
    let both = ["page.deleted", "page.deleted"];
    log.tries("DELETE /posts/{id}", wiki.delete(&at("?below=true")), &both).await;
    log.tries("POST /posts/{id}/restore", wiki.post(&at("/restore")).json(json!({})), &["page.restored"]).await;
    log.tries("PUT /posts/{id}/protection", wiki.put(&at("/protection")), &["page.protected"]).await;
    // A second time it changes nothing.
    log.tries("PUT /posts/{id}/protection", wiki.put(&at("/protection")), &[]).await;
    log.tries("DELETE /posts/{id}/protection", wiki.delete(&at("/protection")), &["page.unprotected"]).await;
    log.tries("POST /posts/{id}/move", wiki.post(&at("/move")).json(json!({})), &[]).await;
    // Where it may be read and written, and who may.
    let space = json!({"name": "Space"});
    let space = log.tries("POST /spaces", wiki.post("/spaces").json(space), &["account.space_created"]).await.json();
    let space = format!("/spaces/{}", space["space_id"]);
    let change = wiki.patch(&space).json(json!({"name": "Room"}));
    log.tries("PATCH /spaces/{id}", change, &["account.space_changed"]).await;
    let access = || json!({"everybody": "read", "entries": []});
    let change = wiki.put(&format!("{space}/access")).json(access());
    log.tries("PUT /spaces/{id}/access", change, &["account.space_access_changed"]).await;
    let there = json!({"space_id": space["/spaces/".len()..].parse::<i64>().unwrap()});
    log.tries("POST /posts/{id}/move", wiki.post(&at("/move")).json(there), &["page.moved"]).await;
    let back = json!({"space_id": 1});
    log.tries("POST /posts/{id}/move", wiki.post(&at("/move")).json(back), &["page.moved"]).await;
    let form = [("to", "space:1")];
    log.tries("POST /wiki/{slug}/move", log.form("/wiki/two/move", &form), &[]).await;
    log.tries("DELETE /spaces/{id}", wiki.delete(&space), &["account.space_deleted"]).await;
    let narrow = wiki.put(&at("/access")).json(access());
    log.tries("PUT /posts/{id}/access", narrow, &["account.page_access_narrowed"]).await;
    log.tries("DELETE /posts/{id}/access", wiki.delete(&at("/access")), &["account.page_access_restored"]).await;
    let group = json!({"name": "Group"});
    let group = log.tries("POST /groups", wiki.post("/groups").json(group), &["account.group_created"]).await.json();
    let group = format!("/groups/{}", group["group_id"]);
    let change = wiki.patch(&group).json(json!({"name": "Team"}));
    log.tries("PATCH /groups/{id}", change, &["account.group_changed"]).await;
    let member = format!("{group}/members/{}", page["user_id"]);
    log.tries("PUT /groups/{id}/members/{user_id}", wiki.put(&member), &["account.group_joined"]).await;
    log.tries("PUT /groups/{id}/members/{user_id}", wiki.put(&member), &[]).await;
    log.tries("DELETE /groups/{id}/members/{user_id}", wiki.delete(&member), &["account.group_left"]).await;
    log.tries("DELETE /groups/{id}", wiki.delete(&group), &["account.group_deleted"]).await;
    // Its files. The same one again is none more.
    let file = || wiki.post(&at("/files?name=a.txt")).header("origin", wiki.url()).body("text/plain", "a");
    let added = log.tries("POST /posts/{id}/files", file(), &["file.added"]).await.json();
    log.tries("POST /posts/{id}/files", file(), &[]).await;
    let delete = wiki.delete(&format!("/files/{}", added["id"]));
    log.tries("DELETE /files/{id}", delete, &["file.deleted"]).await;
    // One that waits is told of when its page is saved, and one that nobody waited for is not.
    let waiting =
        |name: &str| wiki.post(&format!("/files?name={name}")).header("origin", wiki.url()).body("text/plain", "w");
    log.tries("POST /files", waiting("unused.txt"), &[]).await;
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.txt\"\r\n\r\nb\r\n--x--\r\n";
    let form = wiki.post("/wiki/two/files").header("origin", wiki.url()).body("multipart/form-data; boundary=x", form);
    log.tries("POST /wiki/{slug}/files", form, &["file.added"]).await;
    let added = wiki.get(&at("/files")).await.expect(200).json()["files"][0]["id"].to_string();
    let delete = log.form("/wiki/two/files/delete", &[("id", &added)]);
    log.tries("POST /wiki/{slug}/files/delete", delete, &["file.deleted"]).await;
    // Who watches it, and what they are told, is their own.
    log.tries("PUT /posts/{id}/watch", wiki.put(&at("/watch")), &[]).await;
    log.tries("DELETE /posts/{id}/watch", wiki.delete(&at("/watch")), &[]).await;
    log.tries("POST /wiki/{slug}/watch", log.form("/wiki/two/watch", &[("watch", "yes")]), &[]).await;
    log.tries("PUT /posts/{id}/star", wiki.put(&at("/star")), &[]).await;
    log.tries("DELETE /posts/{id}/star", wiki.delete(&at("/star")), &[]).await;
    log.tries("POST /wiki/{slug}/star", log.form("/wiki/two/star", &[("star", "yes")]), &[]).await;
    let change = wiki.patch("/settings").json(json!({"name": "Handbook"}));
    log.tries("PATCH /settings", change, &["account.settings_changed"]).await;
    let fields = [("wiki_name", "Notes"), ("color", "red"), ("language", "en")];
    log.tries("POST /wiki/-/settings", log.form("/wiki/-/settings", &fields), &["account.settings_changed"]).await;
    log.tries("POST /inbox/read", wiki.post("/inbox/read").json(json!({"up_to": 1})), &[]).await;
    log.tries("POST /wiki/-/inbox", log.form("/wiki/-/inbox", &[("up_to", "1")]), &[]).await;
    // No page is another one for what leads to it.
    let target = json!({"post_id": id});
    log.tries("PUT /redirects/{slug}", wiki.put("/redirects/uno").json(target), &[]).await;
    log.tries("DELETE /redirects/{slug}", wiki.delete("/redirects/uno"), &[]).await;

    // Tasks are edits of their pages.
    let task = json!({"text": "Call", "post_id": id});
    let task = log.tries("POST /tasks", wiki.post("/tasks").json(task), &["task.created", "page.edited"]).await;
    let task = task.json()["id"].clone();
    let done = || wiki.patch(&format!("/tasks/{task}")).json(json!({"done": true}));
    log.tries("PATCH /tasks/{id}", done(), &["task.completed", "page.edited"]).await;
    log.tries("PATCH /tasks/{id}", done(), &[]).await;
    let fields = [("untick", &*format!("{task}.2"))];
    log.tries("POST /wiki/-/tasks", log.form("/wiki/-/tasks", &fields), &["task.reopened", "page.edited"]).await;
    let current = version(&log, id).await;
    let fields = [("version", current.as_str()), ("tick", "0")];
    let tick = log.form("/wiki/two/tasks", &fields);
    log.tries("POST /wiki/{slug}/tasks", tick, &["task.completed", "page.edited"]).await;

    // Pages, by the site.
    let fields = [("title", "Form"), ("content", "x"), ("tags", ""), ("comment", ""), ("author", "")];
    log.tries("POST /wiki/-/new", log.form("/wiki/-/new", &fields), &["page.created"]).await;
    let form = wiki.get("/posts?slug=form").await.expect(200).json()["posts"][0]["post_id"].clone();
    let fields =
        [("title", "Form"), ("content", "y"), ("slug", "form"), ("tags", ""), ("comment", ""), ("version", "1")];
    log.tries("POST /wiki/{slug}/edit", log.form("/wiki/form/edit", &fields), &["page.edited"]).await;
    let fields = [("version", "1"), ("comment", "")];
    log.tries("POST /wiki/{slug}/revert", log.form("/wiki/form/revert", &fields), &["page.edited"]).await;
    let fields = [("protected", "yes")];
    log.tries("POST /wiki/{slug}/protection", log.form("/wiki/form/protection", &fields), &["page.protected"]).await;
    let current = version(&log, &form).await;
    let fields = [("version", current.as_str()), ("reason", "")];
    log.tries("POST /wiki/{slug}/delete", log.form("/wiki/form/delete", &fields), &["page.deleted"]).await;
    log.tries("POST /wiki/{slug}/restore", log.form("/wiki/form/restore", &[]), &["page.restored"]).await;
    let current = version(&log, &form).await;
    let fields = [("version", current.as_str()), ("reason", "")];
    log.tries("POST /wiki/{slug}/delete", log.form("/wiki/form/delete", &fields), &["page.deleted"]).await;
    let deleted = format!("/wiki/-/deleted/{form}");
    log.tries("POST /wiki/-/deleted/{id}", log.form(&deleted, &[]), &["page.restored"]).await;
    let draft = [("key", "d1"), ("title", "t"), ("content", "c"), ("slug", "form"), ("version", "1")];
    log.tries("POST /wiki/-/drafts", log.form("/wiki/-/drafts", &draft), &[]).await;
    log.tries("POST /wiki/-/drafts/discard", log.form("/wiki/-/drafts/discard", &draft), &[]).await;
    log.tries("POST /wiki/-/preview", log.form("/wiki/-/preview", &[("content", "x")]), &[]).await;

    // Spaces, groups and access, by the site.
    let fields = [("space_name", "Hall"), ("everybody", "write")];
    log.tries("POST /wiki/-/spaces", log.form("/wiki/-/spaces", &fields), &["account.space_created"]).await;
    let hall = "/wiki/-/spaces/hall";
    let save = log.form(&format!("{hall}/settings"), &[("space_name", "Great Hall")]);
    log.tries("POST /wiki/-/spaces/{slug}/settings", save, &["account.space_changed"]).await;
    let set = log.form(&format!("{hall}/access"), &[("everybody", "none"), ("person", "")]);
    log.tries("POST /wiki/-/spaces/{slug}/access", set, &["account.space_access_changed"]).await;
    let delete = log.form(&format!("{hall}/delete"), &[]);
    log.tries("POST /wiki/-/spaces/{slug}/delete", delete, &["account.space_deleted"]).await;
    let narrow = log.form("/wiki/form/access", &[("own", "yes"), ("everybody", "none")]);
    log.tries("POST /wiki/{slug}/access", narrow, &["account.page_access_narrowed"]).await;
    let widen = log.form("/wiki/form/access", &[("own", "no")]);
    log.tries("POST /wiki/{slug}/access", widen, &["account.page_access_restored"]).await;
    let create = log.form("/wiki/-/groups", &[("group_name", "Crew")]);
    log.tries("POST /wiki/-/groups", create, &["account.group_created"]).await;
    let groups = wiki.get("/groups").cookie(&log.cookie).await.expect(200).json();
    let crew = format!("/wiki/-/groups/{}", groups["groups"][0]["group_id"]);
    let save = log.form(&crew, &[("group_name", "The crew")]);
    log.tries("POST /wiki/-/groups/{id}", save, &["account.group_changed"]).await;
    let add = log.form(&format!("{crew}/members"), &[("person", "admin")]);
    log.tries("POST /wiki/-/groups/{id}/members", add, &["account.group_joined"]).await;
    let admin = page["user_id"].to_string();
    let remove = log.form(&format!("{crew}/members/remove"), &[("user", &*admin)]);
    log.tries("POST /wiki/-/groups/{id}/members/remove", remove, &["account.group_left"]).await;
    let delete = log.form(&format!("{crew}/delete"), &[]);
    log.tries("POST /wiki/-/groups/{id}/delete", delete, &["account.group_deleted"]).await;

    // Users and accounts.
    let user = json!({"username": "ada", "password": GIVEN_PASSWORD, "role": "editor"});
    let user = log.tries("POST /users", wiki.post("/users").json(user), &["account.account_created"]).await.json();
    let one = format!("/users/{}", user["id"]);
    let singular = format!("/user/{}", user["id"]);
    let change = json!({"name": "Ada", "role": "reader"});
    let expected = ["account.name_changed", "account.role_changed"];
    let patch = wiki.patch(&one).json(change).cookie(&log.cookie).await.expect(200);
    drop(patch);
    let mut types: Vec<_> = log.new_events(2).await.iter().map(|event| event["type"].clone()).collect();
    types.sort_by_key(Value::to_string);
    assert_eq!(types, expected.map(|kind| json!(format!("wasiki.{kind}"))));
    log.tried.insert("PATCH /users/{id}".to_owned());
    let change = json!({"email": "ada@example.org"});
    log.tries("PATCH /user/{id}", wiki.patch(&singular).json(change), &["account.email_changed"]).await;
    let fields = [("username", "ada"), ("role", "editor")];
    let path = format!("/wiki/-/users/{}/account", user["id"]);
    log.tries("POST /wiki/-/users/{id}/account", log.form(&path, &fields), &["account.role_changed"]).await;
    log.tries("DELETE /users/{id}", wiki.delete(&one), &["account.user_deleted"]).await;
    let fields = [("username", "bob"), ("password", GIVEN_PASSWORD), ("role", "reader")];
    let new = log.form("/wiki/-/users/new", &fields);
    log.tries("POST /wiki/-/users/new", new, &["account.account_created"]).await;
    let bob = wiki.get("/users?username=bob").await.expect(200).json()["users"][0]["id"].clone();
    log.tries("DELETE /user/{id}", wiki.delete(&format!("/user/{bob}")), &["account.user_deleted"]).await;

    // Tokens and sessions.
    let token = json!({"name": "t", "scope": "read"});
    let token = log.tries("POST /tokens", wiki.post("/tokens").json(token), &["account.token_created"]).await.json();
    let revoke = wiki.delete(&format!("/tokens/{}", token["id"]));
    log.tries("DELETE /tokens/{id}", revoke, &["account.token_revoked"]).await;
    let zone = log.form("/wiki/-/account/time-zone", &[("time_zone", "Europe/Berlin")]);
    log.tries("POST /wiki/-/account/time-zone", zone, &["account.time_zone_changed"]).await;
    let fields = [("token", "u"), ("scope", "read"), ("days", "30")];
    let create = log.form("/wiki/-/account/tokens", &fields);
    log.tries("POST /wiki/-/account/tokens", create, &["account.token_created"]).await;
    let token = wiki.get("/tokens").cookie(&log.cookie).await.expect(200).json()["tokens"][0]["id"].to_string();
    let revoke = log.form("/wiki/-/account/tokens/revoke", &[("id", &token)]);
    log.tries("POST /wiki/-/account/tokens/revoke", revoke, &["account.token_revoked"]).await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let fields = [("username", "admin"), ("password", PASSWORD)];
        let sign_in = wiki.post("/wiki/-/sign-in").form(&fields).await.expect(303);
        let cookie = sign_in.header("set-cookie").split(';').next().unwrap().to_owned();
        let listed = wiki.get("/sessions").cookie(&cookie).await.expect(200).json();
        let current = listed["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true).cloned();
        sessions.push(current.unwrap()["id"].to_string());
        let events = log.new_events(1).await;
        assert_eq!((events.len(), &events[0]["type"]), (1, &json!("wasiki.account.sign_in")));
    }
    log.tried.insert("POST /wiki/-/sign-in".to_owned());
    let end = wiki.delete(&format!("/sessions/{}", sessions[0]));
    log.tries("DELETE /sessions/{id}", end, &["account.session_revoked"]).await;
    let end = log.form("/wiki/-/account/sessions", &[("id", &sessions[1])]);
    log.tries("POST /wiki/-/account/sessions", end, &["account.session_revoked"]).await;
    let change = json!({"current": PASSWORD, "new": "five words in a row"});
    let change = wiki.put("/account/password").json(change);
    log.tries("PUT /account/password", change, &["account.password_changed"]).await;
    let fields = [("current", "five words in a row"), ("new", PASSWORD), ("again", PASSWORD)];
    let change = log.form("/wiki/-/account/password", &fields);
    log.tries("POST /wiki/-/account/password", change, &["account.password_changed"]).await;
    let daily = || wiki.put("/account/mail").json(json!({"mail": "daily"}));
    log.tries("PUT /account/mail", daily(), &["account.mail_changed"]).await;
    log.tries("PUT /account/mail", daily(), &[]).await;
    let form = log.form("/wiki/-/account/mail", &[("email", ""), ("mail", "none")]);
    log.tries("POST /wiki/-/account/mail", form, &["account.mail_changed"]).await;
    // All of them, the one that reads the log as well.
    wiki.delete("/sessions").cookie(&log.cookie).await.expect(204);
    log.cookie = wiki.sign_in("admin", PASSWORD).await;
    let events = log.new_events(2).await;
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["wasiki.account.session_revoked", "wasiki.account.sign_in"]);
    log.tried.insert("DELETE /sessions".to_owned());
    // Whoever signs out reads the log no more.
    let other = wiki.sign_in("admin", PASSWORD).await;
    log.new_events(1).await;
    wiki.post("/wiki/-/sign-out").cookie(&other).form(&[]).await.expect(303);
    assert_eq!(log.new_events(1).await[0]["type"], "wasiki.account.sign_out");
    log.tried.insert("POST /wiki/-/sign-out".to_owned());

    // Webhooks, and events that could not be handed on.
    let webhook = json!({"url": "https://hooks.example/"});
    let webhook = log.tries("POST /webhooks", wiki.post("/webhooks").json(webhook), &["account.webhook_created"]).await;
    let one = format!("/webhooks/{}", webhook.json()["id"]);
    let change = json!({"types": ["wasiki.page"]});
    log.tries("PATCH /webhooks/{id}", wiki.patch(&one).json(change), &["account.webhook_changed"]).await;
    let rotate = wiki.post(&format!("{one}/rotate")).json(json!({}));
    log.tries("POST /webhooks/{id}/rotate", rotate, &["account.webhook_secret_rotated"]).await;
    let test = wiki.post(&format!("{one}/test")).json(json!({}));
    let test = log.tries("POST /webhooks/{id}/test", test, &["account.webhook_tested"]).await.json();
    let resend = wiki.post(&format!("{one}/deliveries/{}/resend", test["id"])).json(json!({}));
    let route = "POST /webhooks/{id}/deliveries/{delivery_id}/resend";
    log.tries(route, resend, &["account.webhook_delivery_resent"]).await;
    let path = format!("/wiki/-{one}");
    let fields = [("url", "https://hooks.example/"), ("types", ""), ("active", "yes")];
    log.tries("POST /wiki/-/webhooks/{id}", log.form(&path, &fields), &["account.webhook_changed"]).await;
    let rotate = log.form(&format!("{path}/rotate"), &[]);
    log.tries("POST /wiki/-/webhooks/{id}/rotate", rotate, &["account.webhook_secret_rotated"]).await;
    let test_form = log.form(&format!("{path}/test"), &[]);
    log.tries("POST /wiki/-/webhooks/{id}/test", test_form, &["account.webhook_tested"]).await;
    let delivery = test["id"].to_string();
    let resend = log.form(&format!("{path}/resend"), &[("delivery", delivery.as_str())]);
    log.tries("POST /wiki/-/webhooks/{id}/resend", resend, &["account.webhook_delivery_resent"]).await;
    let delete = log.form(&format!("{path}/delete"), &[]);
    log.tries("POST /wiki/-/webhooks/{id}/delete", delete, &["account.webhook_deleted"]).await;
    let create = log.form("/wiki/-/webhooks", &[("url", "https://hooks.example/"), ("types", "")]);
    log.tries("POST /wiki/-/webhooks", create, &["account.webhook_created"]).await;
    let webhooks = wiki.get("/webhooks").cookie(&log.cookie).await.expect(200).json();
    let one = format!("/webhooks/{}", webhooks["webhooks"][0]["id"]);
    log.tries("DELETE /webhooks/{id}", wiki.delete(&one), &["account.webhook_deleted"]).await;
    let undelivered =
        "INSERT INTO undelivered (topic, key, payload, error, is_dead) VALUES ('none', '', '{}', '', true)
        RETURNING id";
    let undelivered = &wiki.database().column(undelivered).await[0];
    let retry = wiki.post(&format!("/events/undelivered/{undelivered}/retry")).json(json!({}));
    log.tries("POST /events/undelivered/{id}/retry", retry, &["account.event_retried"]).await;
    let discard = wiki.delete(&format!("/events/undelivered/{undelivered}"));
    log.tries("DELETE /events/undelivered/{id}", discard, &["account.event_discarded"]).await;

    let index = wiki.get("/").cookie(&log.cookie).await.expect(200).json();
    // Those that move events change nothing themselves.
    let endpoints = index["endpoints"].as_object().unwrap().iter().filter(|(path, _)| !path.starts_with("/-/"));
    let routes = endpoints.flat_map(|(path, methods)| {
        let changing = methods.as_array().unwrap().iter().filter(|method| **method != "GET");
        changing.map(move |method| format!("{} {path}", method.as_str().unwrap()))
    });
    assert_eq!(routes.collect::<BTreeSet<String>>(), log.tried, "every route that changes something was tried");
}

#[tokio::test]
async fn an_event_says_what_happened_and_follows_cloudevents() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    let page = wiki.create_post(&ada, "# Hello\n\nworld").await;
    let change = json!({"user_id": ada["id"], "title": "Bye", "slug": "bye", "content": "# Hello\n\nworld", "tags": ["x"],
        "comment": "why", "version": 1});
    wiki.put(&format!("/posts/{}", page["post_id"])).json(change).await.expect(200);
    let events = settled(&wiki, "/events?limit=1", 2).await;
    let [created, renamed] = &events[..] else { panic!("{events:?}") };
    assert_eq!(created["type"], "wasiki.page.created");
    assert!(created["sequence"].as_str() < renamed["sequence"].as_str());
    assert_ne!(created["id"], renamed["id"]);
    blackbox::assert_time(&renamed["time"]);
    let members = json!({"specversion": "1.0", "source": "wasiki", "type": "wasiki.page.renamed",
        "subject": format!("/posts/{}", page["post_id"]), "datacontenttype": "application/json"});
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(&renamed[name], value, "{name}");
    }
    let data = json!({"post_id": page["post_id"], "version": 2, "user_id": ada["id"], "title": "Bye", "slug": "bye", "tags": ["x"],
        "comment": "why", "size": 14, "delta": 0, "former_title": "Hello", "former_slug": "hello"});
    assert_eq!(renamed["data"], data);
}

#[tokio::test]
async fn tasks_say_what_happens_to_them_and_nothing_when_they_only_move() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    let page = wiki.create_post(&ada, "- [ ] Call Bob @ada due:2026-12-04 remind:2d\n- [ ] Water the plants\n").await;
    let mut last = "0".repeat(40);
    let mut version = 1;
    let mut happened = async |content: Option<&str>, count: usize| -> Vec<String> {
        if let Some(content) = content {
            let edit = json!({"user_id": ada["id"], "content": content, "version": version});
            wiki.put(&format!("/posts/{}", page["post_id"])).json(edit).await.expect(200);
            version += 1;
        }
        let events = settled(&wiki, &format!("/events?after={last}&post_id={}", page["post_id"]), count).await;
        last = events.last().unwrap()["sequence"].as_str().unwrap().to_owned();
        let text = |event: &Value| event["data"]["text"].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        events.iter().map(|event| format!("{}{}", event["type"].as_str().unwrap(), text(event))).collect()
    };
    let created = ["wiki.task.created Call Bob", "wiki.task.created Water the plants", "wiki.page.created"];
    assert_eq!(happened(None, 3).await, created.map(|event| event.replacen("wiki", "wasiki", 1)));
    let steps = [
        ("- [ ] Water the plants\n- [ ] Call Bob @ada due:2026-12-04 remind:2d\n", &[][..]),
        ("- [ ] Water the plants\n- [ ] Call Bob @ada due:2026-12-05 remind:2d\n", &["updated Call Bob"]),
        ("- [x] Water the plants\n- [ ] Call Bob @ada due:2026-12-05 remind:2d\n", &["completed Water the plants"]),
        ("- [x] Water the plants\n", &["removed Call Bob"]),
        ("- [ ] Call Bob @ada due:2026-12-05 remind:2d\n- [x] Water the plants\n", &["restored Call Bob"]),
        ("- [ ] Call Bob @ada due:2026-12-05 remind:2d\n- [ ] Water the plants\n", &["reopened Water the plants"]),
    ];
    for (content, expected) in steps {
        let expected: Vec<String> = expected.iter().map(|event| format!("wasiki.task.{event}")).collect();
        let mut events = happened(Some(content), expected.len() + 1).await;
        assert_eq!(events.pop().as_deref(), Some("wasiki.page.edited"), "{content}");
        assert_eq!(events, expected, "{content}");
    }
    let tasks = wiki.walk("/events?type=wasiki.task.restored", "events").await;
    let data = json!({"task_id": tasks[0]["data"]["task_id"], "post_id": page["post_id"], "version": 3, "text": "Call Bob",
        "done": false, "due": "2026-12-05", "assignee": "ada", "priority": null, "repeat": null, "remind": "2d",
        "done_by": null});
    assert_eq!(tasks[0]["data"], data);
    assert_eq!(tasks[0]["subject"], format!("/tasks/{}", data["task_id"]));
}

#[tokio::test]
async fn the_log_is_filtered_by_type_page_and_tag() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    let tagged = json!({"user_id": ada["id"], "content": "a", "tags": ["news"]});
    let first = wiki.post("/posts").json(tagged).await.expect(201).json();
    let second = wiki.create_post(&ada, "b").await;
    wiki.delete(&format!("/posts/{}", second["post_id"])).await.expect(204);
    settled(&wiki, "/events", 3).await;
    let count = async |query: &str| wiki.walk(&format!("/events?limit=1&{query}"), "events").await.len();
    assert_eq!(count("").await, 3);
    assert_eq!(count("type=wasiki.page").await, 3);
    assert_eq!(count("type=wasiki.page.deleted").await, 1);
    assert_eq!(count("type=wasiki").await, 3);
    assert_eq!(count("type=wasiki.task.due").await, 0);
    assert_eq!(count("tag=news").await, 1);
    assert_eq!(count(&format!("post_id={}", second["post_id"])).await, 2);
    assert_eq!(count(&format!("post_id={}&type=wasiki.page.created", first["post_id"])).await, 1);
    assert_eq!(count("post_id=none").await, 0);
    for (query, field) in [
        ("after=1", "after"),
        ("after=zz", "after"),
        ("tag=a,b", "tag"),
        ("type=a%00b", "type"),
        ("type=", "type"),
        ("type=wasiki.pa", "type"),
        ("type=wasiki.page.craeted", "type"),
        ("cursor=00", "cursor"),
        ("limit=0", "limit"),
    ] {
        let problem = wiki.get(&format!("/events?{query}")).await.problem(422);
        assert_eq!(problem.body["errors"][0]["field"], field, "{query}: {problem:?}");
    }
    let problem = wiki.get("/events?type=wasiki.page.craeted").await.problem(422);
    let known = problem.body["errors"][0]["message"].as_str().unwrap();
    assert!(known.contains("created, edited, renamed"), "it says what there is: {known}");
}

#[tokio::test]
async fn what_happens_to_accounts_is_for_administrators() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.choose_password(&administrator, ADMIN_PASSWORD).await;
    let administrator = wiki.sign_in("admin", PASSWORD).await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    wiki.post("/posts").cookie(&eve).json(json!({"content": "x"})).await.expect(201);
    settled(&wiki, "/events", 1).await;
    let seen = async |request: Request| -> BTreeSet<String> {
        let page = request.await.expect(200).json();
        let types = page["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned());
        types.map(|kind| kind.rsplit_once('.').unwrap().0.to_owned()).collect()
    };
    let pages = BTreeSet::from(["wasiki.page".to_owned()]);
    assert_eq!(seen(wiki.get("/events")).await, pages);
    assert_eq!(seen(wiki.get("/events").cookie(&eve)).await, pages);
    assert_eq!(seen(wiki.get("/events?limit=200").cookie(&administrator)).await.len(), 2);
    assert!(seen(wiki.get("/events?type=wasiki.account")).await.is_empty());
    let stream = wiki.get("/events").header("accept", "text/event-stream").header("last-event-id", "0".repeat(40));
    assert!(!stream.await.expect(200).text().contains("account"));
}

/// What a browser makes of a stream: the last id, and the type and data of each event (WHATWG HTML, 9.2.6).
fn parse_stream(text: &str) -> (Option<String>, Vec<(String, Value)>) {
    let (mut id, mut events) = (None, Vec::new());
    for block in text.split("\n\n") {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned);
        id = field("id").or(id);
        if let Some(data) = field("data") {
            events.push((field("event").unwrap(), serde_json::from_str(&data).unwrap()));
        }
    }
    (id, events)
}

#[tokio::test]
async fn the_log_is_a_stream_that_goes_on_where_it_ended() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "before").await;
    let read = async |last: Option<&str>| {
        let mut request = wiki.get("/events").header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.await.expect(200);
        assert_eq!(response.header("content-type"), "text/event-stream");
        assert_eq!((response.header("cache-control"), response.header("vary")), ("no-store", "Accept"));
        assert!(response.text().starts_with("retry: 2000\n"), "{response:?}");
        parse_stream(response.text())
    };
    settled(&wiki, "/events", 1).await;
    let (start, events) = read(None).await;
    assert!(events.is_empty(), "it begins now: {events:?}");
    let start = start.expect("a place to go on from");
    let after = wiki.create_post(&ada, "after").await;
    settled(&wiki, "/events", 2).await;
    let (last, events) = read(Some(&start)).await;
    assert_eq!(
        (events.len(), &*events[0].0, &events[0].1["data"]["post_id"]),
        (1, "wasiki.page.created", &after["post_id"])
    );
    let (unchanged, events) = read(last.as_deref()).await;
    assert!(unchanged.is_none() && events.is_empty());
    // Who wants none of it need not look at it again, and still misses nothing.
    let wanted = "/events?type=wasiki.page.renamed";
    let renamed = async |last: &str| {
        let request = wiki.get(wanted).header("accept", "text/event-stream").header("last-event-id", last);
        parse_stream(request.await.expect(200).text())
    };
    let (end, events) = renamed(&start).await;
    assert_eq!((end.clone(), events), (last, Vec::new()));
    let rename = json!({"title": "Other", "content": "after", "version": 1});
    wiki.put(&format!("/posts/{}", after["post_id"])).json(rename).await.expect(200);
    settled(&wiki, "/events", 3).await;
    let (_, events) = renamed(&end.unwrap()).await;
    assert_eq!(events.len(), 1, "{events:?}");
    wiki.get("/events").header("accept", "text/event-stream").header("last-event-id", "x").await.problem(422);
}

#[tokio::test]
async fn who_follows_the_log_misses_nothing_that_many_write_at_once() {
    const WRITERS: usize = 8;
    const PAGES: usize = 25;
    let wiki = App::wiki().replicas(2).start().await;
    let ada = wiki.create_user("ada").await;
    let writers = (0..WRITERS).map(|writer| {
        let (wiki, ada) = (wiki.replica(writer % 2).clone(), ada.clone());
        async move {
            for page in 0..PAGES {
                wiki.create_post(&ada, &format!("{writer} {page}")).await;
            }
        }
    });
    let follow = async {
        let (mut last, mut seen) = ("0".repeat(40), Vec::new());
        let began = Instant::now();
        while seen.len() < WRITERS * PAGES {
            if began.elapsed() > Duration::from_secs(60) {
                let all = wiki.walk("/events?limit=200", "events").await;
                panic!(
                    "only {} of them were seen; the log has {}, and ends with {:?}",
                    seen.len(),
                    all.len(),
                    all.last()
                );
            }
            let page = wiki.get(&format!("/events?after={last}&limit=7")).await.expect(200).json();
            for event in page["events"].as_array().unwrap() {
                last = event["sequence"].as_str().unwrap().to_owned();
                seen.push(event["data"]["post_id"].as_i64().unwrap());
            }
        }
        seen
    };
    let (_, seen) = tokio::join!(at_once(writers), follow);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "none twice");
}

#[tokio::test]
async fn a_database_that_was_moved_begins_another_era() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "before").await;
    let client = wiki.database().client().await;
    // As if another server had counted many more transactions.
    client.execute("UPDATE outbox SET transaction = '9000000000000'::xid8", &[]).await.unwrap();
    let before = wiki.walk("/events", "events").await;
    assert_eq!(before.len(), 1, "{before:?}");
    let last = before[0]["sequence"].as_str().unwrap().to_owned();
    for content in ["one", "two"] {
        wiki.create_post(&ada, content).await;
    }
    let events = settled(&wiki, &format!("/events?after={last}"), 2).await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().all(|event| event["sequence"].as_str().unwrap().starts_with("00000001")), "{events:?}");
}

#[tokio::test]
async fn events_are_kept_for_30_days() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    for _ in 0..5 {
        wiki.create_post(&ada, "old").await;
    }
    let client = wiki.database().client().await;
    let ages = "UPDATE outbox SET created_time = now() - interval '1 day' * (27 + number)";
    client.execute(ages, &[]).await.unwrap();
    // Some of what is added removes what is too old.
    for _ in 0..16 {
        wiki.create_post(&ada, "new").await;
    }
    let kept = settled(&wiki, "/events?limit=200", 18).await;
    assert_eq!(kept.len(), 2 + 16, "{kept:?}");
}
