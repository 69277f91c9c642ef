//! The tree in the site: where a page is, what is below it, and moving it.

use blackbox::{App, Client, json};

async fn write(wiki: &Client, title: &str, parent: Option<i64>) -> i64 {
    let draft = json!({"user_id": 1, "title": title, "content": "text", "parent_id": parent});
    wiki.post("/posts").json(draft).await.expect(201).json()["post_id"].as_i64().unwrap()
}

async fn html(wiki: &Client, path: &str) -> String {
    wiki.get(path).header("accept", "text/html").await.expect(200).text().to_owned()
}

async fn parent(wiki: &Client, id: i64) -> Option<i64> {
    wiki.get(&format!("/posts/{id}")).await.expect(200).json()["parent_id"].as_i64()
}

/// The texts of the elements that a selector finds.
fn texts(html: &str, selector: &str) -> Vec<String> {
    let document = scraper::Html::parse_document(html);
    let selector = scraper::Selector::parse(selector).unwrap();
    let text = |element: scraper::ElementRef<'_>| element.text().collect::<String>().trim().to_owned();
    document.select(&selector).map(text).collect()
}

#[tokio::test]
async fn a_page_shows_where_it_is_and_what_is_around_it() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let team = write(&wiki, "Team", None).await;
    let (a, b) = (write(&wiki, "First", Some(team)).await, write(&wiki, "Second", Some(team)).await);
    let deep = write(&wiki, "Deep", Some(b)).await;
    let (top, second) = (html(&wiki, "/wiki/team").await, html(&wiki, "/wiki/second").await);
    assert_eq!(texts(&top, ".crumbs a"), [""; 0]);
    assert_eq!(texts(&top, ".around > ul a"), ["First", "Second"]);
    assert_eq!(texts(&second, ".crumbs a"), ["Team"]);
    assert_eq!(texts(&second, "main .beside a bdi"), ["First"]);
    assert_eq!(texts(&html(&wiki, "/wiki/first").await, "main .beside a[rel=next] bdi"), ["Second"]);
    assert_eq!(texts(&html(&wiki, "/wiki/deep").await, ".crumbs a"), ["Team", "Second"]);

    let tree = html(&wiki, "/wiki/-/pages?view=tree").await;
    assert_eq!(texts(&tree, "#_tree > li > a"), ["Team"]);
    assert_eq!(texts(&tree, "#_tree summary"), ["2 pages below Team"]);
    assert_eq!(texts(&tree, "#_tree ul a"), ["First", "Second"]);
    assert_eq!(texts(&tree, "#_tree ul .count"), ["1 below"]);
    wiki.get("/wiki/-/pages?view=tree&space=9").header("accept", "text/html").await.expect(404);

    assert_eq!(texts(&html(&wiki, "/wiki/deep/delete").await, "#_below"), [""; 0]);
    let asked = html(&wiki, "/wiki/second/delete").await;
    assert_eq!(texts(&asked, "#_below label"), ["Move the page below up", "Delete the page below too"]);
    assert_eq!(texts(&asked, "#_below label:has([checked])"), ["Move the page below up"]);
    let form = [("version", "1"), ("reason", ""), ("author", ""), ("below", "lift")];
    wiki.post("/wiki/second/delete").form(&form).await.expect(303);
    assert_eq!(parent(&wiki, deep).await, Some(team));
    assert_eq!(parent(&wiki, a).await, Some(team));
}

#[tokio::test]
async fn a_page_is_deleted_with_everything_below_it_by_a_form() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let top = write(&wiki, "Top", None).await;
    let middle = write(&wiki, "Middle", Some(top)).await;
    let low = write(&wiki, "Low", Some(middle)).await;
    let asked = html(&wiki, "/wiki/top/delete").await;
    assert_eq!(texts(&asked, "#_below label"), ["Move the 2 pages below up", "Delete the 2 pages below too"]);

    let database = wiki.database().client().await;
    database.batch_execute("UPDATE posts SET protected = true").await.unwrap();
    let send = |version: &'static str| {
        let fields = [("version", version), ("reason", "Old"), ("author", ""), ("below", "delete")];
        wiki.post("/wiki/top/delete").header("accept", "text/html").form(&fields)
    };
    send("1").await.expect(403);
    database.execute("UPDATE posts SET protected = false WHERE id = $1", &[&top]).await.unwrap();
    let refused = send("1").await.expect(403);
    let message = "Nothing was deleted. Only administrators may delete “Middle” and “Low” below this page.";
    assert_eq!(texts(refused.text(), "#_below-error"), [message], "{refused:?}");
    assert_eq!(texts(refused.text(), "#_below label:has([checked])"), ["Delete the 2 pages below too"]);
    assert!(refused.text().contains("value=\"Old\""), "{refused:?}");
    database.batch_execute("UPDATE posts SET protected = false").await.unwrap();
    // What was chosen stays chosen when the page has changed.
    let stale = send("7").await.expect(409);
    assert_eq!(texts(stale.text(), "#_below label:has([checked])"), ["Delete the 2 pages below too"]);

    send("1").await.expect(303);
    for id in [top, middle, low] {
        wiki.get(&format!("/posts/{id}")).await.problem(404);
    }
    assert_eq!(texts(&html(&wiki, "/wiki/-/deleted").await, "main .title"), ["Low", "Middle", "Top"]);
}

#[tokio::test]
async fn a_page_is_made_below_another() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let team = write(&wiki, "Team", None).await;
    let link = format!("/wiki/-/new?parent={team}");
    assert!(html(&wiki, "/wiki/team").await.contains(&format!("href=\"{link}\"")));
    let form = html(&wiki, &link).await;
    assert!(form.contains(&format!("<input type=\"hidden\" name=\"parent\" value=\"{team}\">")), "{form}");
    wiki.get("/wiki/-/new?parent=99").header("accept", "text/html").await.expect(404);
    let id = team.to_string();
    let fields = |parent| {
        [("title", "Below"), ("content", "x"), ("tags", ""), ("comment", ""), ("author", "Ada"), ("parent", parent)]
    };
    wiki.post("/wiki/-/new").form(&fields(&id)).await.expect(303);
    let made = wiki.get("/posts?slug=below").await.expect(200).json()["posts"][0]["parent_id"].as_i64();
    assert_eq!(made, Some(team));

    // The page above is gone meanwhile: nothing typed is lost, and the next try saves it at the top.
    let mut late = fields("99");
    late[0].1 = "Later";
    let again = wiki.post("/wiki/-/new").header("accept", "text/html").form(&late).await.expect(409);
    assert!(again.text().contains("value=\"Later\"") && !again.text().contains("name=\"parent\""), "{again:?}");
    assert!(again.text().contains("The page above it is gone."), "{again:?}");
}

#[tokio::test]
async fn a_page_is_moved_by_a_form() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let team = write(&wiki, "Team", None).await;
    let rota = write(&wiki, "Rota", None).await;
    let form = html(&wiki, "/wiki/rota/move?q=tea").await;
    assert!(form.contains("<input type=\"radio\" name=\"to\" value=\"page:team\">"), "{form}");
    assert_eq!(texts(&form, ".order li > span"), ["Team", "Rota"]);
    let moved = wiki.post("/wiki/rota/move").form(&[("to", "page:team")]).await.expect(303);
    assert_eq!(moved.header("location"), "/wiki/rota");
    assert_eq!(parent(&wiki, rota).await, Some(team));

    let browser = |fields: &[(&str, &str)]| wiki.post("/wiki/team/move").header("accept", "text/html").form(fields);
    for (fields, message) in [
        (&[("to", "page:rota")][..], "A page cannot be below itself."),
        (&[("to", "page:nothing")], "This page is gone."),
        (&[("to", "space:9")], "This place is gone."),
        (&[("to", "elsewhere")], "Choose where to move the page."),
        (&[("q", "typed")], "Choose where to move the page."),
    ] {
        let refused = browser(fields).await.expect(422);
        assert!(refused.text().contains(message), "{fields:?}: {refused:?}");
    }
    let refused = browser(&[("q", "typed")]).await.expect(422);
    assert!(refused.text().contains("value=\"typed\""), "{refused:?}");
    assert_eq!(parent(&wiki, team).await, None);

    wiki.post("/wiki/rota/move").form(&[("to", "space:1")]).await.expect(303);
    assert_eq!(parent(&wiki, rota).await, None);
    wiki.post("/wiki/rota/move").form(&[("place", "0")]).await.expect(303);
    let listed = wiki.walk("/spaces/1/children", "children").await;
    let titles: Vec<&str> = listed.iter().map(|page| page["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Rota", "Team"]);
    wiki.get("/wiki/nothing/move").header("accept", "text/html").await.expect(404);
}
