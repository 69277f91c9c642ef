//! What people read: order, differences, problems, and what they are offered.

use blackbox::{App, Client, GIVEN_PASSWORD, PASSWORD, Response, json};

/// What browsers accept.
const BROWSER: &str = "text/html,application/xhtml+xml";

async fn open(wiki: &Client, path: &str) -> Response {
    wiki.get(path).header("accept", BROWSER).await
}

/// A page of the site for whoever has `cookie`.
async fn open_as(wiki: &Client, path: &str, cookie: &str) -> Response {
    wiki.get(path).header("accept", BROWSER).cookie(cookie).await
}

#[tokio::test]
async fn titles_are_in_natural_order_and_a_walk_meets_each_once() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let expected = [
        "42",
        "Apfel",
        "Äpfel",
        "apfel 3",
        "Chapter 9",
        "chapter 10",
        "Chapter 010",
        "Éclair",
        "eclair 2",
        "Page 1",
        "Page 2",
        "Page 10",
        "Page 99999999999999999999",
        "Straße 1",
        "strasse 2",
        "Zebra",
        "αβγ",
        "Ωmega",
        "Ёлка",
        "жук",
        "日本",
    ];
    // Written in another order than they are read in.
    let mut titles = expected;
    titles.sort_by_key(|title| title.bytes().rev().collect::<Vec<_>>());
    for title in titles {
        wiki.post("/posts").json(json!({"user_id": 1, "title": title, "content": "x"})).await.expect(201);
    }
    let mut met: Vec<String> = Vec::new();
    let mut next = "/posts?sort=title&limit=2".to_owned();
    loop {
        let page = wiki.get(&next).await.expect(200).json();
        met.extend(page["posts"].as_array().unwrap().iter().map(|post| post["title"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(more) => next = more.to_owned(),
            None => break,
        }
        assert!(met.len() < 100, "{met:?}");
    }
    // Titles of one place are in the order they were written in.
    let place = |title: &str| match title {
        "Äpfel" => "Apfel".to_owned(),
        "Chapter 010" => "chapter 10".to_owned(),
        title => title.to_owned(),
    };
    let places = |titles: &[String]| titles.iter().map(|title| place(title)).collect::<Vec<_>>();
    assert_eq!(places(&met), places(&expected.map(str::to_owned)));

    let backwards = wiki.get("/posts?sort=-title&limit=200").await.expect(200).json();
    let backwards: Vec<_> =
        backwards["posts"].as_array().unwrap().iter().map(|post| post["title"].as_str().unwrap()).collect();
    met.reverse();
    assert_eq!(backwards, met);
    let shown = open(&wiki, "/wiki/-/pages").await.expect(200).text().to_owned();
    let at = |title: &str| shown.rfind(&format!(">{title}</a>")).unwrap();
    assert!(at("Page 2") < at("Page 10") && at("Äpfel") < at("Chapter 9"), "{shown}");
}

#[tokio::test]
async fn ends_of_lines_alone_are_no_change_of_every_line() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let text = "one\r\ntwo\r\nthree\r\n";
    wiki.post("/posts").json(json!({"user_id": 1, "title": "Ends", "content": text})).await.expect(201);
    wiki.put("/posts/1").json(json!({"content": text.replace('\r', ""), "version": 1})).await.expect(200);
    let difference = wiki.get("/posts/1/compare").await.expect(200).json();
    assert_eq!(difference["hunks"], json!([]));
    assert_eq!(difference["line_ends"], json!({"from": "crlf", "to": "lf"}));
    let page = open(&wiki, "/wiki/ends/compare").await.expect(200);
    assert!(page.text().contains("from Windows (CR LF) to Unix (LF)"), "{}", page.text());
    assert!(!page.text().contains("The text is the same"), "{}", page.text());

    wiki.put("/posts/1").json(json!({"content": "one\nTWO\nthree\n", "version": 2})).await.expect(200);
    let difference = wiki.get("/posts/1/compare?from=1&to=3").await.expect(200).json();
    let kinds: Vec<_> =
        difference["hunks"][0]["lines"].as_array().unwrap().iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["unchanged", "removed", "added", "unchanged"]);
    let later = wiki.get("/posts/1/compare?from=2&to=3").await.expect(200).json();
    assert_eq!(later.get("line_ends"), None);
}

#[tokio::test]
async fn problems_know_who_is_signed_in() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    for (path, status) in [("/nothing/here", 404), ("/wiki/-/none", 404), ("/wiki/x/restore", 405)] {
        let page = open_as(&wiki, path, &cookie).await.expect(status);
        assert!(
            page.text().contains("id=\"_sign-out\"") && page.text().contains("id=\"_new-page\""),
            "{path}: {page:?}"
        );
        assert!(!page.text().contains("GET /"), "{path}: {page:?}");
        let page = open(&wiki, path).await.expect(status);
        assert!(
            page.text().contains("id=\"_sign-in\"") && !page.text().contains("id=\"_new-page\""),
            "{path}: {page:?}"
        );
    }
}

#[tokio::test]
async fn signing_in_leads_back_to_the_page() {
    let wiki = App::wiki().access("public-read").start().await;
    let page = open(&wiki, "/wiki/-/search?q=a%20b").await.expect(200);
    assert!(page.text().contains("href=\"/wiki/-/sign-in?next=%2Fwiki%2F-%2Fsearch%3Fq%3Da%2520b\""), "{page:?}");
    let page = open(&wiki, "/nothing/here").await.expect(404);
    assert!(page.text().contains("href=\"/wiki/-/sign-in?next=%2Fnothing%2Fhere\""), "{page:?}");
}

#[tokio::test]
async fn nobody_is_offered_what_they_may_not_do() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "rita", "reader").await;
    wiki.create_account(&administrator, "ed", "editor").await;
    let token = wiki.create_token(&administrator, "admin").await;
    for (id, title) in [(1, "Open"), (2, "Closed"), (3, "Gone")] {
        wiki.post("/posts").token(&token).json(json!({"title": title, "content": "[[Nowhere]]"})).await.expect(201);
        wiki.put(&format!("/posts/{id}")).token(&token).json(json!({"content": "y", "version": 1})).await.expect(200);
    }
    wiki.put("/posts/2/protection").token(&token).json(json!({})).await.expect(200);
    wiki.delete("/posts/3").token(&token).header("if-match", "\"2\"").await.expect(204);
    let mut cookies = vec![("stranger", String::new())];
    for name in ["rita", "ed"] {
        cookies.push((name, wiki.sign_in(name, PASSWORD).await));
    }
    cookies.push(("admin", administrator));
    // Where something is offered, and who may do it.
    for (path, offer, may) in [
        ("/wiki", "id=\"_new-page\"", ["ed", "admin"].as_slice()),
        ("/wiki/open", "/open/edit\"", &["ed", "admin"]),
        ("/wiki/open", "/open/delete\"", &["ed", "admin"]),
        ("/wiki/open", "/open/history\"", &["stranger", "rita", "ed", "admin"]),
        ("/wiki/open/history/1", "/open/revert\"", &["ed", "admin"]),
        ("/wiki/closed", "/closed/edit\"", &["admin"]),
        ("/wiki/closed/history/1", "/closed/revert\"", &["admin"]),
        ("/wiki/nowhere", "id=\"_create\"", &["ed", "admin"]),
        ("/wiki/gone", "id=\"_restore\"", &["ed", "admin"]),
        ("/wiki/-/search?q=xyzzy", "id=\"_create\"", &["ed", "admin"]),
        ("/wiki/open", "id=\"_protection\"", &["admin"]),
    ] {
        for (who, cookie) in &cookies {
            let page = open_as(&wiki, path, cookie).await;
            assert_eq!(page.text().contains(offer), may.contains(who), "{offer} at {path} for {who}: {page:?}");
        }
    }
    let refused = open_as(&wiki, "/wiki/-/new", &cookies[1].1).await.expect(403);
    assert!(refused.text().contains("You can read this wiki, but not edit it."), "{refused:?}");
}

#[tokio::test]
async fn a_private_wiki_shows_strangers_only_how_to_sign_in() {
    let wiki = App::wiki().access("private").start().await;
    let page = open(&wiki, "/wiki/-/sign-in").await.expect(200);
    for offer in ["/wiki/-/pages", "role=\"search\"", "/wiki/-/users", "/docs"] {
        assert!(
            !page.text().contains(&format!("href=\"{offer}\"")) && !page.text().contains("role=\"search\""),
            "{page:?}"
        );
    }
}

#[tokio::test]
async fn a_given_password_leads_to_the_form_that_changes_it() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let body = json!({"username": "ed", "password": GIVEN_PASSWORD, "role": "editor"});
    wiki.post("/users").cookie(&administrator).json(body).await.expect(201);
    let cookie = wiki.sign_in("ed", GIVEN_PASSWORD).await;
    let answer = open_as(&wiki, "/wiki/-/new", &cookie).await.expect(302);
    assert_eq!(answer.header("location"), "/wiki/-/account");
    let account = open_as(&wiki, "/wiki/-/account", &cookie).await.expect(200);
    assert!(account.text().contains("Choose a new password to continue."), "{account:?}");
}

#[tokio::test]
async fn what_is_mistyped_is_made_to_fit() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    wiki.post("/posts").json(json!({"user_id": 1, "title": "Rota", "content": "x"})).await.expect(201);
    let form = |slug: &str, content: &str| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("title", "Rota"),
                ("content", content),
                ("slug", slug),
                ("author", "ada"),
                ("page", "1"),
                ("version", "1"),
            ])
            .finish()
    };
    let save = |body: String| {
        let request = wiki.post("/wiki/rota/edit").header("accept", BROWSER).header("sec-fetch-site", "same-origin");
        request.body("application/x-www-form-urlencoded", body)
    };
    let long = save(form("rota", &"x".repeat((1 << 20) + (50 << 10)))).await.expect(422);
    assert!(long.text().contains("This page is too long: 1.05 MB, at most 1 MB. Split it."), "{long:?}");
    let wrong = save(form("???", "y")).await.expect(422);
    assert!(wrong.text().contains("Address"), "{wrong:?}");
    let saved = save(form("Duty Roster", "y")).await.expect(303);
    assert!(saved.header("location").starts_with("/wiki/duty-roster?"), "{saved:?}");
    let query = "word ".repeat(200);
    open(&wiki, &format!("/wiki/-/search?q={}", query.replace(' ', "+"))).await.expect(200);
    wiki.get(&format!("/search?q={}", query.replace(' ', "+"))).await.problem(422);
    wiki.get("/posts?sort=x").await.problem(422);
}

/// One instance serves all of these requests, and keeps the HTML that it made.
#[tokio::test]
async fn what_an_instance_keeps_of_a_page_is_never_out_of_date() {
    let wiki = App::wiki().env("RUNNER_MAX_CONCURRENCY", "1").access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, blackbox::ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let make = async |title: &str, content: &str| {
        let page = json!({"title": title, "content": content});
        wiki.post("/posts").cookie(&cookie).json(page).await.expect(201).json()["post_id"].as_i64().unwrap()
    };
    let change = async |id: i64, title: &str, content: &str| {
        let change = json!({"title": title, "content": content, "slug": title.to_lowercase()});
        wiki.put(&format!("/posts/{id}")).cookie(&cookie).header("if-match", "*").json(change).await.expect(200);
    };
    // Twice each time: what is kept is what comes the second time.
    let text = async |cookie: Option<&str>| {
        let mut texts = Vec::new();
        for _ in 0..2 {
            let request = wiki.get("/wiki/start").header("accept", BROWSER);
            let page = match cookie {
                Some(cookie) => request.cookie(cookie).await,
                None => request.await,
            };
            let page = page.expect(200).text().to_owned();
            let (_, rest) = page.split_once("<article").expect("a text");
            texts.push(rest.split_once("</article>").expect("its end").0.to_owned());
        }
        assert_eq!(texts[0], texts[1]);
        texts.swap_remove(0)
    };
    let start = make("Start", "See [[Target]]. - one").await;
    let missing = text(None).await;
    let target = make("Target", "It.").await;
    let found = text(None).await;
    assert_ne!(found, missing);
    assert!(found.contains("\"/wiki/target\""), "{found}");
    change(target, "Goal", "It.").await;
    assert!(text(None).await.contains("\"/wiki/goal\""), "renamed");
    // What one reader may see is not what another is shown.
    let access = json!({"everybody": "none"});
    wiki.put(&format!("/posts/{target}/access")).cookie(&cookie).json(access).await.expect(200);
    assert_eq!(text(None).await, missing);
    assert!(text(Some(&cookie)).await.contains("\"/wiki/goal\""));
    assert_eq!(text(None).await, missing);
    wiki.delete(&format!("/posts/{target}/access")).cookie(&cookie).await.expect(204);
    assert!(text(None).await.contains("\"/wiki/goal\""), "allowed again");
    wiki.delete(&format!("/posts/{target}")).cookie(&cookie).await.expect(204);
    assert_eq!(text(None).await, missing);
    change(start, "Start", "Another text.").await;
    assert!(text(None).await.contains("Another text."));
}
