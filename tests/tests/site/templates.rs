//! New pages that begin as templates.

use blackbox::{App, Client, PASSWORD, Response, json};

async fn open(wiki: &Client, cookie: &str, path: &str) -> String {
    wiki.get(path).cookie(cookie).await.expect(200).text().to_owned()
}

async fn write(wiki: &Client, cookie: &str, title: &str, content: &str, tags: &[&str]) {
    let page = json!({"title": title, "content": content, "tags": tags});
    wiki.post("/posts").cookie(cookie).json(page).await.expect(201);
}

async fn save(wiki: &Client, cookie: &str, fields: &[(&str, &str)]) -> Response {
    wiki.post("/wiki/-/new").cookie(cookie).header("accept", "text/html").form(fields).await
}

#[tokio::test]
async fn a_new_page_begins_as_a_template() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    let text = "# {{title}}\n\n{{date}}, {{person}}\n\n\\{{title}} {{other}}";
    write(&wiki, &cookie, "Meeting notes", text, &["template", "meeting"]).await;
    write(&wiki, &cookie, "No template", "x", &["meeting"]).await;

    // It is offered where a new page is written, and keeps where that is to be.
    let form = open(&wiki, &cookie, "/wiki/-/new?title=Plan&parent=2").await;
    let link = "/wiki/-/new?template=meeting-notes&amp;title=Plan&amp;parent=2";
    assert!(form.contains(link) && !form.contains("template=no-template"), "{form}");
    let form = open(&wiki, &cookie, "/wiki/-/new?template=meeting-notes&title=Plan&parent=2").await;
    let today = wiki.get("/posts/1").cookie(&cookie).await.json()["created_time"].as_str().unwrap()[..10].to_owned();
    let begun = format!(">\n# {{{{title}}}}\n\n{today}, admin\n\n\\{{{{title}}}} {{{{other}}}}</textarea>");
    assert!(form.contains(&begun), "{form}");
    for expected in
        ["name=\"tags\" value=\"meeting\"", "name=\"template\" value=\"yes\"", "name=\"parent\" value=\"2\""]
    {
        assert!(form.contains(expected), "{expected} in {form}");
    }
    assert!(!form.contains("id=\"_templates\""), "{form}");

    // The title is what it is when the page is saved, whatever was wrong before.
    let content = format!("# {{{{title}}}}\r\n\r\n{today}\r\n\r\n\\{{{{title}}}} {{{{other}}}}");
    let wrong = save(&wiki, &cookie, &[("title", ""), ("content", &content), ("template", "yes")]).await.expect(422);
    assert!(wrong.text().contains("# {{title}}") && wrong.text().contains("name=\"template\""), "{}", wrong.text());
    let fields = [("title", "Kick-off"), ("content", &*content), ("template", "yes"), ("key", "k-1")];
    for _ in 0..2 {
        save(&wiki, &cookie, &fields).await.expect(303);
    }
    let page = wiki.get("/posts/3").cookie(&cookie).await.expect(200).json();
    assert_eq!(page["content"], format!("# Kick-off\n\n{today}\n\n\\{{{{title}}}} {{{{other}}}}"));
    assert_eq!(page["version"], 1);
    // Any other page keeps its braces, and so does the template when it is edited.
    save(&wiki, &cookie, &[("title", "Braces"), ("content", "{{title}}")]).await.expect(303);
    assert_eq!(wiki.get("/posts/4").cookie(&cookie).await.expect(200).json()["content"], "{{title}}");
    let edit = [
        ("title", "Meeting notes"),
        ("content", "{{title}}"),
        ("tags", "template"),
        ("version", "1"),
        ("page", "1"),
        ("template", "yes"),
    ];
    wiki.post("/wiki/meeting-notes/edit").cookie(&cookie).form(&edit).await.expect(303);
    assert_eq!(wiki.get("/posts/1").cookie(&cookie).await.expect(200).json()["content"], "{{title}}");

    // A page at an address that is known, too.
    let missing = open(&wiki, &cookie, "/wiki/road-map/edit?template=meeting-notes").await;
    assert!(missing.contains("{{title}}</textarea>"), "{missing}");
    // A title cannot make a page longer than any may be.
    let long = "{{title}}".repeat(100_000);
    let title = "T".repeat(200);
    save(&wiki, &cookie, &[("title", &title), ("content", &long), ("template", "yes")]).await.expect(422);
}

#[tokio::test]
async fn a_template_that_one_may_not_read_is_none() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    write(&wiki, &administrator, "Dismissal", "Between us: {{person}}", &["template", "confidential"]).await;
    let none = json!({"everybody": "none", "entries": []});
    wiki.put("/posts/1/access").cookie(&administrator).json(none).await.expect(200);
    assert!(open(&wiki, &administrator, "/wiki/-/new").await.contains("Dismissal"));
    let without_key = |form: String| {
        let (before, after) = form.split_once("name=\"key\" value=\"").unwrap();
        format!("{before}{}", after.split_once('"').unwrap().1)
    };
    let with = without_key(open(&wiki, &eve, "/wiki/-/new?template=dismissal").await);
    let nothing = without_key(open(&wiki, &eve, "/wiki/-/new?template=dismissed").await);
    assert!(!with.contains("Between us") && !with.contains("Dismissal") && !with.contains("confidential"), "{with}");
    assert_eq!(with.replace("dismissal", "dismissed"), nothing);
    // Nor is one that is deleted, or only a page.
    write(&wiki, &administrator, "Plain", "No template", &[]).await;
    write(&wiki, &administrator, "Gone", "Gone before", &["template"]).await;
    wiki.delete("/posts/3").cookie(&administrator).header("if-match", "*").await.expect(204);
    for (slug, text) in [("plain", "No template"), ("gone", "Gone before")] {
        let form = open(&wiki, &eve, &format!("/wiki/-/new?template={slug}")).await;
        assert!(!form.contains(text) && !form.contains("name=\"template\""), "{form}");
    }
}

#[tokio::test]
async fn tasks_of_a_template_are_nobodys() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    let tasks = async || {
        let tasks = wiki.get("/tasks").cookie(&cookie).await.expect(200).json()["tasks"].as_array().unwrap().clone();
        tasks.iter().map(|task| task["post_id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let text = "- [ ] Follow up @admin due:2026-12-20";
    write(&wiki, &cookie, "Post-mortem", text, &["template"]).await;
    assert!(tasks().await.is_empty());
    let fields = [("title", "Outage"), ("content", text), ("template", "yes")];
    save(&wiki, &cookie, &fields).await.expect(303);
    assert_eq!(tasks().await, [2]);
    // The tag alone decides.
    let edit = async |id: i64, tags: &[&str]| {
        let version = wiki.get(&format!("/posts/{id}")).cookie(&cookie).await.json()["version"].clone();
        let page = json!({"content": text, "tags": tags, "version": version});
        wiki.put(&format!("/posts/{id}")).cookie(&cookie).json(page).await.expect(200);
    };
    edit(1, &[]).await;
    edit(2, &["template"]).await;
    assert_eq!(tasks().await, [1]);
    edit(2, &["template", "other"]).await;
    assert_eq!(tasks().await, [1]);
}

#[tokio::test]
async fn choosing_a_template_goes_on_with_what_was_typed() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    write(&wiki, &cookie, "Post-mortem", "x", &["template"]).await;
    let form = open(&wiki, &cookie, "/wiki/-/new").await;
    let key = form.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let draft = [("key", key), ("title", "Outage of Friday"), ("content", "")];
    let sent = wiki.post("/wiki/-/drafts").cookie(&cookie).form(&draft).await.status();
    assert!([200, 204].contains(&sent), "{sent}");
    assert!(open(&wiki, &cookie, "/wiki/-/drafts").await.contains("draft="));
    let address = format!("/wiki/-/new?template=post-mortem&title=Outage+of+Friday&continues={key}");
    let form = open(&wiki, &cookie, &address).await;
    for expected in ["value=\"Outage of Friday\"", &format!("name=\"continues\" value=\"{key}\"")] {
        assert!(form.contains(expected), "{expected} in {form}");
    }
    let fields =
        [("title", "Outage of Friday"), ("content", "x"), ("template", "yes"), ("key", "new"), ("continues", key)];
    save(&wiki, &cookie, &fields).await.expect(303);
    assert!(!open(&wiki, &cookie, "/wiki/-/drafts").await.contains("draft="));
}
