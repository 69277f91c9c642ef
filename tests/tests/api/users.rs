//! Users: create, read, list, change, delete.

use blackbox::{App, Value, assert_time, json};

use crate::shared;

#[tokio::test]
async fn a_user_is_created_and_read() {
    let wiki = shared::wiki().await;
    let body = json!({"username": "augusta", "name": "Ada Lovelace", "email": "augusta@example.org"});
    let created = wiki.post("/users").json(body).await.expect(201);
    let user = created.json();
    assert_eq!(user["username"], "augusta");
    assert_eq!(user["name"], "Ada Lovelace");
    assert_eq!(user["email"], "augusta@example.org");
    assert!(user["id"].as_i64().is_some_and(|id| id > 0), "{user}");
    assert_time(&user["created_time"]);
    let mut members: Vec<&String> = user.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["created_time", "email", "id", "name", "username"]);

    assert_eq!(created.header("location"), format!("/users/{}", user["id"]));
    let read = wiki.get(created.header("location")).await.expect(200);
    assert_eq!(read.json(), user);
    assert_eq!(read.header("etag"), created.header("etag"));
    assert_eq!(wiki.get(&format!("/user/{}", user["id"])).await.expect(200).json(), user, "the old path");
}

#[tokio::test]
async fn a_name_or_a_username_is_enough() {
    let wiki = shared::wiki().await;
    let create = async |body: Value| wiki.post("/users/").json(body).await.expect(201).json();

    let user = create(json!({"username": "only-a-username"})).await;
    assert_eq!(
        (&user["username"], &user["name"], &user["email"]),
        (&json!("only-a-username"), &json!("only-a-username"), &Value::Null)
    );

    let user = create(json!({"name": "Ada Lovelace"})).await;
    assert_eq!((&user["username"], &user["name"]), (&Value::Null, &json!("Ada Lovelace")));

    // Names need not be unique, and null is the same as absent.
    create(json!({"name": "Ada Lovelace", "username": null, "email": null})).await;
}

#[tokio::test]
async fn every_allowed_form_of_a_name_comes_back_as_it_was_sent() {
    let wiki = shared::wiki().await;
    for username in ["a", "A.b_c-9", "-", &"x".repeat(64)] {
        let user = wiki.post("/users").json(json!({"username": username})).await.expect(201).json();
        assert_eq!(user["username"], username);
    }
    for name in
        ["é", "山田 太郎", "O'Brien; DROP TABLE users", "👩‍💻", " spaced ", &"é".repeat(200), "%00", "\u{202e}abc"]
    {
        let user = wiki.post("/users").json(json!({"name": name})).await.expect(201).json();
        let read = wiki.get(&format!("/users/{}", user["id"])).await.expect(200).json();
        assert_eq!(read["name"], name);
    }
}

#[tokio::test]
async fn unknown_members_are_ignored() {
    let wiki = shared::wiki().await;
    let body =
        json!({"username": "unknown-members", "id": 999, "created_time": "yesterday", "admin": true, "x": {"y": [1]}});
    let user = wiki.post("/users").json(body).await.expect(201).json();
    assert_ne!(user["id"], 999);
    assert!(user.get("admin").is_none());
}

#[tokio::test]
async fn invalid_members_are_refused_by_name() {
    let wiki = App::wiki().start().await;
    let long = "x".repeat(300);
    let cases = [
        ("username", json!({})),
        ("username", json!({"email": "ada@example.org"})),
        ("username", json!({"username": null, "name": null})),
        ("username", json!({"username": ""})),
        ("username", json!({"username": "two words"})),
        ("username", json!({"username": "ada/lovelace"})),
        ("username", json!({"username": "adä"})),
        ("username", json!({"username": "ada\u{0}"})),
        ("username", json!({"username": "ada\n"})),
        ("username", json!({"username": &long})),
        ("username", json!({"username": "x".repeat(65)})),
        ("username", json!({"username": 5})),
        ("username", json!({"username": ["ada"]})),
        ("username", json!({"username": {"$ne": ""}})),
        ("username", json!({"username": true})),
        ("name", json!({"name": ""})),
        ("name", json!({"name": "   "})),
        ("name", json!({"name": "\u{202e}"})),
        ("name", json!({"name": " \u{200b}\u{feff}"})),
        ("username", json!({"username": "\u{200b}"})),
        ("name", json!({"name": &long})),
        ("name", json!({"name": "é".repeat(201)})),
        ("name", json!({"name": "Ada\u{0}Lovelace"})),
        ("name", json!({"name": "Ada\nLovelace"})),
        ("name", json!({"name": "Ada\u{7f}"})),
        ("name", json!({"name": "Ada\u{85}"})),
        ("name", json!({"username": "ada", "name": 5})),
        ("email", json!({"username": "ada", "email": "not an address"})),
        ("email", json!({"username": "ada", "email": ""})),
        ("email", json!({"username": "ada", "email": "ada@"})),
        ("email", json!({"username": "ada", "email": "ada@example.org\u{0}"})),
        ("email", json!({"username": "ada", "email": "ada@example.org\r\nBcc: all@example.org"})),
        ("email", json!({"username": "ada", "email": format!("{long}@example.org")})),
        ("email", json!({"username": "ada", "email": {}})),
    ];
    for (field, body) in cases {
        let refused = wiki.post("/users").json(body.clone()).await;
        assert_eq!(refused.status(), 422, "{body}: {refused:?}");
        refused.invalid(field);
    }
    assert_eq!(wiki.walk("/users", "users").await, Vec::<Value>::new(), "nothing was created");
}

#[tokio::test]
async fn all_errors_are_reported_at_once() {
    let wiki = shared::wiki().await;
    let body = json!({"username": "a b", "name": "\u{0}", "email": "x"});
    let problem = wiki.post("/users").json(body).await.problem(422);
    let errors = problem.body["errors"].as_array().unwrap();
    let mut fields: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["email", "name", "username"]);
}

#[tokio::test]
async fn people_are_suggested_by_how_their_names_begin() {
    let wiki = App::wiki().start().await;
    for (username, name) in [
        (json!("grace"), "Grace Hopper"),
        (json!("ada"), "Ada Lovelace"),
        (json!("hop"), "Zoe"),
        (json!(null), "Hopeless"),
        (json!("gone"), "Hop Along"),
    ] {
        wiki.post("/users").json(json!({"username": username, "name": name})).await.expect(201);
    }
    wiki.delete("/users/5").header("if-match", "*").await.expect(204);
    for (typed, expected) in [
        ("HOP", &["hop", "grace"][..]),
        ("gr", &["grace"]),
        ("lovel", &["ada"]),
        ("ove", &[]),
        ("%25", &[]),
        ("_", &[]),
        ("", &[]),
    ] {
        let answer = wiki.get(&format!("/users/suggestions?q={typed}")).await.expect(200).json();
        let found: Vec<&str> =
            answer["suggestions"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{typed}");
    }
    let one = wiki.get("/users/suggestions?q=ada").await.expect(200).json();
    assert_eq!(one, json!({"suggestions": [{"username": "ada", "name": "Ada Lovelace"}]}));
    for number in 0..12 {
        wiki.post("/users").json(json!({"username": format!("zed-{number}")})).await.expect(201);
    }
    let many = wiki.get("/users/suggestions?q=zed").await.expect(200).json();
    assert_eq!(many["suggestions"].as_array().unwrap().len(), 10);
    wiki.get(&format!("/users/suggestions?q={}", "x".repeat(301))).await.invalid("q");
}

#[tokio::test]
async fn a_username_and_an_email_belong_to_one_user() {
    let wiki = App::wiki().start().await;
    wiki.post("/users").json(json!({"username": "ada", "email": "ada@example.org"})).await.expect(201);
    let other = wiki.create_user("grace").await;

    let cases = [
        ("username", json!({"username": "ada"})),
        ("username", json!({"username": "ADA"})),
        ("email", json!({"username": "ada2", "email": "ada@example.org"})),
        ("email", json!({"username": "ada2", "email": "Ada@Example.ORG"})),
    ];
    for (field, body) in cases {
        let problem = wiki.post("/users").json(body.clone()).await.problem(409);
        assert!(problem.detail.contains(field), "{body}: {}", problem.detail);
        let mut change = body;
        if field == "email" {
            change["username"] = json!("grace");
        }
        let path = format!("/users/{}", other["id"]);
        wiki.patch(&path).json(change).await.problem(409);
    }
    assert_eq!(wiki.walk("/users", "users").await.len(), 2);
}

#[tokio::test]
async fn unknown_user_ids_are_not_found() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    for id in [
        "0",
        "-1",
        "2",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "abc",
        "1.0",
        "1e0",
        "+1",
        "%31x",
        "%00",
        "%FF",
        "1;",
        "ada",
        "1'--",
    ] {
        for path in [format!("/users/{id}"), format!("/user/{id}")] {
            wiki.get(&path).await.problem(404);
            wiki.patch(&path).json(json!({"name": "Eve"})).await.problem(404);
            wiki.delete(&path).await.problem(404);
        }
    }
    wiki.get("/users/1").await.expect(200);
}

#[tokio::test]
async fn if_none_match_answers_304_for_the_current_state() {
    let wiki = shared::wiki().await;
    let user = wiki.create_user("not-sent-again").await;
    let path = format!("/users/{}", user["id"]);
    let etag = wiki.get(&path).await.expect(200).header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");

    for tags in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
        let known = wiki.get(&path).header("if-none-match", &tags).await.expect(304);
        assert!(known.bytes().is_empty());
        assert_eq!(known.header("etag"), etag);
    }
    wiki.get(&path).header("if-none-match", "\"other\"").await.expect(200);

    wiki.patch(&path).json(json!({"name": "Ada"})).await.expect(200);
    let changed = wiki.get(&path).header("if-none-match", &etag).await.expect(200);
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn a_change_touches_only_the_members_it_gives() {
    let wiki = App::wiki().start().await;
    let body = json!({"username": "ada", "name": "Ada", "email": "ada@example.org"});
    let user = wiki.post("/users").json(body).await.expect(201).json();
    let path = format!("/users/{}", user["id"]);
    let change = async |body: Value| wiki.patch(&path).json(body).await.expect(200).json();

    let changed = change(json!({"name": "Ada Lovelace"})).await;
    assert_eq!(changed, {
        let mut expected = user.clone();
        expected["name"] = json!("Ada Lovelace");
        expected
    });
    // Null clears, where a value may be missing.
    assert_eq!(change(json!({"email": null})).await["email"], Value::Null);
    assert_eq!(change(json!({"email": "new@example.org", "unknown": 1})).await["email"], "new@example.org");
    assert_eq!(change(json!({})).await["name"], "Ada Lovelace");
    // What a user gave up, another may take.
    wiki.post("/users").json(json!({"username": "eve", "email": "ada@example.org"})).await.expect(201);

    wiki.patch(&path).json(json!({"name": null})).await.invalid("name");
    wiki.patch(&path).json(json!({"username": "a b"})).await.invalid("username");
    wiki.patch(&path).json(json!({"email": 5})).await.invalid("email");
    wiki.patch(&path).json(json!([])).await.problem(422);
    assert_eq!(wiki.get(&path).await.json()["name"], "Ada Lovelace", "refused changes change nothing");
}

#[tokio::test]
async fn if_match_refuses_a_change_to_another_version() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let seen = wiki.get("/users/1").await.header("etag").to_owned();
    let changed = wiki.patch("/users/1").header("if-match", &seen).json(json!({"name": "Ada"})).await.expect(200);
    assert_ne!(changed.header("etag"), seen);

    let problem = wiki.patch("/users/1").header("if-match", &seen).json(json!({"name": "Eve"})).await.problem(412);
    assert_eq!(problem.body["current"]["name"], "Ada");
    wiki.delete("/users/1").header("if-match", &seen).await.problem(412);
    wiki.patch("/users/1").header("if-match", "not a tag").json(json!({"name": "Eve"})).await.problem(400);
    assert_eq!(wiki.get("/users/1").await.json()["name"], "Ada");
    wiki.delete("/users/1").header("if-match", changed.header("etag")).await.expect(204);
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_version() {
    let wiki = App::wiki().start().await;
    let body = json!({"username": "ada", "name": "Ada", "email": "ada@example.org"});
    let user = wiki.post("/users").json(body.clone()).await.expect(201);
    let etag = user.header("etag");
    for change in [json!({}), body, json!({"name": "Ada", "unknown": 1}), json!({"email": "ada@example.org"})] {
        for request in [wiki.patch("/users/1"), wiki.patch("/users/1").header("if-match", etag)] {
            let answer = request.json(change.clone()).await.expect(200);
            assert_eq!((answer.json(), answer.header("etag")), (user.json(), etag), "{change}");
        }
    }
    wiki.get("/users/1").header("if-none-match", etag).await.expect(304);
    // There and back again is two versions, and what was seen before is not what there is now.
    for email in [json!(null), json!("ada@example.org")] {
        wiki.patch("/users/1").json(json!({"email": email})).await.expect(200);
    }
    wiki.patch("/users/1").header("if-match", etag).json(json!({})).await.problem(412);
    wiki.patch("/users/2").json(json!({})).await.problem(404);
}

#[tokio::test]
async fn deleting_a_user_keeps_what_they_wrote() {
    let wiki = App::wiki().start().await;
    let body = json!({"username": "ada", "name": "Ada Lovelace", "email": "ada@example.org"});
    let user = wiki.post("/users").json(body.clone()).await.expect(201).json();
    let post = wiki.create_post(&user, "Notes on the engine").await;
    let (user_path, post_path) = (format!("/users/{}", user["id"]), format!("/posts/{}", post["post_id"]));

    let deleted = wiki.delete(&user_path).await.expect(204);
    assert!(deleted.bytes().is_empty());
    wiki.get(&user_path).await.problem(404);
    wiki.patch(&user_path).json(json!({"name": "Eve"})).await.problem(404);
    wiki.delete(&user_path).await.problem(404);
    assert_eq!(wiki.walk("/users", "users").await.len(), 0);

    let kept = wiki.get(&post_path).await.expect(200).json();
    assert_eq!(kept["content"], "Notes on the engine");
    assert_eq!(wiki.walk("/posts", "posts").await.len(), 1);
    // Nobody can write in their name any more, and their username and email are free.
    wiki.post("/posts").json(json!({"user_id": user["id"], "content": "x"})).await.problem(404);
    let successor = wiki.post("/users").json(body).await.expect(201).json();
    assert_ne!(successor["id"], user["id"]);
}

#[tokio::test]
async fn a_list_is_walked_page_by_page() {
    let wiki = App::wiki().start().await;
    for n in 1..=7 {
        wiki.create_user(&format!("user{n}")).await;
    }
    wiki.delete("/users/4").await.expect(204);
    let page = wiki.get("/users?limit=4").await.expect(200).json();
    assert_eq!(page["users"].as_array().unwrap().len(), 4);
    let names: Vec<_> =
        wiki.walk("/users?limit=2", "users").await.iter().map(|user| user["username"].clone()).collect();
    assert_eq!(names, ["user1", "user2", "user3", "user5", "user6", "user7"]);
    // A last page that is exactly full has no next one.
    let page = wiki.get("/users?limit=6").await.expect(200).json();
    assert_eq!(page["next"], Value::Null);
}

#[tokio::test]
async fn invalid_list_parameters_are_refused() {
    let wiki = shared::wiki().await;
    for list in ["/users", "/posts"] {
        for limit in ["0", "-1", "201", "abc", "1.5", "99999999999999999999", "", "%00"] {
            wiki.get(&format!("{list}?limit={limit}")).await.invalid("limit");
        }
        for cursor in ["x", "0", "null", "7b7d", "%00", "..%2f", "5b5d"] {
            wiki.get(&format!("{list}?cursor={cursor}")).await.invalid("cursor");
        }
        wiki.get(&format!("{list}?limit=1")).await.expect(200);
        wiki.get(&format!("{list}?limit=200&unknown=1")).await.expect(200);
    }
}

#[tokio::test]
async fn an_unchanged_list_answers_304() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let etag = wiki.get("/users").await.expect(200).header("etag").to_owned();
    wiki.get("/users").header("if-none-match", &etag).await.expect(304);
    wiki.create_user("grace").await;
    wiki.get("/users").header("if-none-match", &etag).await.expect(200);
}
