//! The sidebar: spaces, the open part of the tree, and stars, as far as the reader may see them.

use blackbox::{App, Client, PASSWORD, Value, json};

async fn write(wiki: &Client, fields: Value) -> i64 {
    let mut draft = json!({"user_id": 1, "content": "text"});
    draft.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    wiki.post("/posts").json(draft).await.expect(201).json()["post_id"].as_i64().unwrap()
}

async fn html(wiki: &Client, path: &str) -> String {
    wiki.get(path).header("accept", "text/html").await.expect(200).text().to_owned()
}

/// The texts of the elements that a selector finds.
fn texts(html: &str, selector: &str) -> Vec<String> {
    let document = scraper::Html::parse_document(html);
    let selector = scraper::Selector::parse(selector).unwrap();
    document.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

/// The pages in the sidebar, in their order.
fn pages(html: &str) -> Vec<String> {
    texts(html, "#_branches > ul:not(.last) a")
}

#[tokio::test]
async fn the_way_to_a_page_is_open() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let team = write(&wiki, json!({"title": "Team"})).await;
    write(&wiki, json!({"title": "Zoo"})).await;
    let first = write(&wiki, json!({"title": "First", "parent_id": team})).await;
    write(&wiki, json!({"title": "Second", "parent_id": team})).await;
    write(&wiki, json!({"title": "Deep", "parent_id": first})).await;

    // Nowhere in the tree: the top. Those with pages below say where a program finds them.
    let front = html(&wiki, "/wiki").await;
    assert_eq!(pages(&front), ["Team", "Zoo"]);
    assert!(front.contains(&format!("data-children=\"/posts/{team}/children\"")), "{front}");
    // At a page: what is above, beside and below.
    let page = html(&wiki, "/wiki/first").await;
    assert_eq!(pages(&page), ["Team", "First", "Deep", "Second", "Zoo"]);
    assert_eq!(texts(&page, "#_branches [aria-current=page]"), ["First"]);
    assert_eq!(texts(&page, "#_branches details[open] > summary"), ["Pages below Team", "Pages below First"]);
    // Its other views are beside the same.
    for view in ["edit", "history", "history/1", "files", "backlinks", "move", "delete"] {
        assert_eq!(pages(&html(&wiki, &format!("/wiki/first/{view}")).await), pages(&page), "{view}");
    }
    // A deleted page is in no tree.
    wiki.delete(&format!("/posts/{first}")).header("if-match", "*").await.expect(204);
    assert_eq!(pages(&html(&wiki, "/wiki/second").await), ["Team", "Second", "Deep", "Zoo"]);
}

#[tokio::test]
async fn of_many_pages_a_hundred_are_shown_and_the_one_that_is_read() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    for number in 1..=103 {
        write(&wiki, json!({"title": format!("Page {number}")})).await;
    }
    let front = pages(&html(&wiki, "/wiki").await);
    assert_eq!((front.len(), &*front[99], &*front[100]), (101, "Page 100", "All pages here"));
    let last = html(&wiki, "/wiki/page-103").await;
    let shown = pages(&last);
    assert_eq!((shown.len(), &*shown[100], &*shown[101]), (102, "Page 103", "All pages here"));
    assert!(last.contains("href=\"/wiki/-/pages?view=tree&amp;space=1\">All pages here</a>"), "{last}");
}

#[tokio::test]
async fn a_sidebar_shows_what_its_reader_may_see() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    let read = async |path: &str, cookie: &str| {
        let request = wiki.get(path).header("accept", "text/html").cookie(cookie);
        request.await.expect(200).text().to_owned()
    };
    let create =
        async |path: &str, body: Value| wiki.post(path).cookie(&administrator).json(body).await.expect(201).json();
    create("/posts", json!({"title": "Public", "content": "x"})).await;
    let space = create("/spaces", json!({"name": "Secret", "everybody": "none"})).await["space_id"].clone();
    let above =
        create("/posts", json!({"title": "Hidden", "content": "x", "space_id": space})).await["post_id"].clone();
    create("/posts", json!({"title": "Below", "content": "x", "parent_id": above})).await;

    // One space is not shown as one; two are.
    for cookie in ["", &*eve] {
        assert_eq!(pages(&read("/wiki/public", cookie).await), ["Public"]);
    }
    assert_eq!(pages(&read("/wiki/public", &administrator).await), ["General", "Public", "Secret"]);
    assert_eq!(pages(&read("/wiki/below", &administrator).await), ["General", "Secret", "Hidden", "Below"]);
    let home = read("/wiki", &administrator).await;
    assert_eq!(texts(&home, ".cards a"), ["General", "Secret"]);
    assert!(!read("/wiki", &eve).await.contains("Secret"));

    // Strangers are offered what they may do, and nothing is beside the form to sign in of a private wiki.
    let page = read("/wiki/public", "").await;
    assert!(page.contains("id=\"_sign-in\"") && !page.contains("id=\"_new-page\""), "{page}");
    let private = App::wiki().access("private").start().await;
    let form = html(&private, "/wiki/-/sign-in").await;
    assert!(!form.contains("id=\"_branches\"") && !form.contains("id=\"_search\""), "{form}");
}

#[tokio::test]
async fn a_star_keeps_a_page_at_hand() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "rita", "reader").await;
    let rita = wiki.sign_in("rita", PASSWORD).await;
    for title in ["Rota", "Refunds"] {
        wiki.post("/posts").cookie(&administrator).json(json!({"title": title, "content": "x"})).await.expect(201);
    }
    let read = async |path: &str, cookie: &str| {
        let request = wiki.get(path).header("accept", "text/html").cookie(cookie);
        request.await.expect(200).text().to_owned()
    };
    let press = async |star: &str| {
        let request = wiki.post("/wiki/rota/star").cookie(&rita).form(&[("star", star)]);
        request.await.expect(303).header("location").to_owned()
    };
    assert!(read("/wiki/rota", &rita).await.contains("<span>Star</span>"));
    assert_eq!(press("yes").await, "/wiki/rota");
    assert_eq!(press("yes").await, "/wiki/rota");
    assert_eq!(texts(&read("/wiki/refunds", &rita).await, ".stars a"), ["Rota"]);
    assert!(read("/wiki/rota", &rita).await.contains("<span>Starred<span"));
    assert_eq!(texts(&read("/wiki/-/starred", &rita).await, "#_starred .title"), ["Rota"]);
    // Nobody else sees it.
    assert_eq!(texts(&read("/wiki/refunds", &administrator).await, ".stars a"), [""; 0]);
    assert_eq!(press("no").await, "/wiki/rota");
    assert!(read("/wiki/-/starred", &rita).await.contains("None yet."));
    wiki.post("/wiki/none/star").cookie(&rita).header("accept", "text/html").form(&[("star", "yes")]).await.expect(404);

    // By the API.
    wiki.put("/posts/2/star").cookie(&rita).await.expect(204);
    assert_eq!(wiki.get("/posts/2/star").cookie(&rita).await.expect(200).json(), json!({"starred": true}));
    let stars = wiki.get("/stars").cookie(&rita).await.expect(200).json();
    assert_eq!(stars, json!({"starred": [{"title": "Refunds", "slug": "refunds"}]}));
    wiki.delete("/posts/2/star").cookie(&rita).await.expect(204);
    wiki.put("/posts/99/star").cookie(&rita).await.problem(404);
    wiki.put("/posts/2/star").await.problem(401);
}

#[tokio::test]
async fn changes_of_a_page_are_one_entry_a_day() {
    let wiki = App::wiki().start().await;
    for name in ["ada", "grace"] {
        wiki.create_user(name).await;
    }
    let id = write(&wiki, json!({"title": "Notes", "comment": "Begin"})).await;
    write(&wiki, json!({"title": "Other"})).await;
    for (user, text) in [(1, "one"), (2, "two"), (2, "three")] {
        let edit = json!({"content": text, "user_id": user, "comment": "More"});
        wiki.put(&format!("/posts/{id}")).header("if-match", "*").json(edit).await.expect(200);
    }
    for path in ["/wiki", "/wiki/-/changes"] {
        let shown = html(&wiki, path).await;
        assert_eq!(texts(&shown, ".changes .title"), ["Notes", "Other"], "{path}");
        assert_eq!(texts(&shown, ".changes > li:first-child .author"), ["grace", "ada"], "{path}");
        assert_eq!(texts(&shown, ".changes > li:first-child .comment"), ["More", "Begin"], "{path}");
        assert!(shown.contains("4 changes by ") && shown.contains("compare?from=0&amp;to=4"), "{path}: {shown}");
    }
}

#[tokio::test]
async fn administrators_set_what_the_wiki_is_called_and_how_it_looks() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    let fields = |name: &'static str, color: &'static str, version: &'static str| {
        [
            ("wiki_name", name),
            ("mark", "📘"),
            ("color", color),
            ("footer", "Ask <us>"),
            ("language", "de"),
            ("version", version),
        ]
    };
    let send = |fields: &[(&str, &str)], cookie: &str| {
        wiki.post("/wiki/-/settings").header("accept", "text/html").cookie(cookie).form(fields)
    };
    send(&fields("Mine", "red", "1"), &eve).await.expect(403);
    assert_eq!(
        send(&fields("Hand & book", "indigo", "1"), &administrator).await.expect(303).header("location"),
        "/wiki/-/settings?saved=yes"
    );
    let page = html(&wiki, "/wiki").await;
    for expected in [
        "<html lang=\"en\" data-color=\"indigo\">",
        "<title>Home · Hand &amp; book</title>",
        "Ask &lt;us&gt;</p>",
        ">📘</span>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(html(&wiki, "/feed.atom").await.contains("Hand &amp; book"));
    // The language of a text that does not tell.
    wiki.post("/posts").cookie(&administrator).json(json!({"title": "Short", "content": "x"})).await.expect(201);
    assert!(html(&wiki, "/wiki/short").await.contains(" lang=\"de\""));

    // A form that somebody else was faster than, and fields that cannot be, come back with what was typed.
    let stale = send(&fields("Late", "red", "1"), &administrator).await.expect(409);
    assert!(stale.text().contains("The settings have changed") && stale.text().contains("value=\"Late\""), "{stale:?}");
    let wrong = send(&fields(" ", "pink", "2"), &administrator).await.expect(422);
    assert!(wrong.text().contains("Enter a name.") && wrong.text().contains("Color must be one of"), "{wrong:?}");

    let settings = wiki.get("/settings").await.expect(200);
    assert_eq!(settings.json()["name"], "Hand & book");
    wiki.get("/settings").header("if-none-match", settings.header("etag")).await.expect(304);
    let change = |tag: &str| {
        wiki.patch("/settings").cookie(&administrator).header("if-match", tag).json(json!({"name": "Handbook"}))
    };
    let changed = change(settings.header("etag")).await.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["color"], &changed["version"]),
        (&json!("Handbook"), &json!("indigo"), &json!(3))
    );
    change(settings.header("etag")).await.problem(412);
    for (field, value) in
        [("name", ""), ("mark", "too long"), ("color", "#fff"), ("language", "english language"), ("footer", "\u{7}")]
    {
        let change = wiki.patch("/settings").cookie(&administrator).json(json!({field: value}));
        assert_eq!(change.await.problem(422).body["errors"][0]["field"], field);
    }
}

/// What stands around a page of an open wiki.
async fn around(wiki: &App, slug: &str) -> String {
    let page = wiki.get(&format!("/wiki/{slug}")).header("accept", "text/html").await.expect(200);
    let text = page.text();
    let (from, to) = (text.find("id=\"_side\"").unwrap(), text.find("<div class=\"middle\">").unwrap());
    text[from..to].to_owned()
}

#[tokio::test]
async fn what_was_read_beside_one_page_is_shown_beside_another_only_while_nothing_changes() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    let id = &ada["id"];
    for number in 1..=120 {
        let page = json!({"user_id": id, "title": format!("Page {number}"), "content": "x"});
        wiki.post("/posts").json(page).await.expect(201);
    }
    for number in [2, 3] {
        let page = json!({"user_id": id, "title": format!("Below {number}"), "content": "x", "parent_id": 1});
        wiki.post("/posts").json(page).await.expect(201);
    }
    let change = async |number: usize| {
        match number {
            0 => wiki
                .put("/posts/2")
                .json(json!({"user_id": id, "title": "Renamed", "content": "x", "version": 1}))
                .await
                .expect(200),
            1 => wiki.post("/posts/3/move").json(json!({"parent_id": 1, "position": 0})).await.expect(200),
            2 => wiki.delete("/posts/5").await.expect(204),
            3 => wiki.post("/posts/5/restore").await.expect(200),
            _ => wiki.post("/posts/7/move").json(json!({"space_id": 1, "position": 0})).await.expect(200),
        };
    };
    for number in 0..5 {
        change(number).await;
        // Of two, the second is known from the first; after any change, it is read again.
        for (first, second) in
            [("page-4", "page-8"), ("page-8", "page-120"), ("below-2", "below-3"), ("page-1", "page-6")]
        {
            around(&wiki, first).await;
            let known = around(&wiki, second).await;
            // Beside other views, it is read for each.
            assert_eq!(
                known,
                around(&wiki, &format!("{second}/history")).await,
                "change {number}: {second} after {first}"
            );
        }
    }
    assert!(around(&wiki, "page-8").await.contains(">Renamed</a>"));
}
