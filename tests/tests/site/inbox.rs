//! The inbox on the site: watching, being told, and marking as read, all by forms.

use blackbox::{App, PASSWORD, json};

#[tokio::test]
async fn a_reader_watches_a_page_and_reads_what_changed() {
    let wiki = App::wiki().access("private").with_events().start().await;
    let administrator = wiki.administrator().await;
    for (name, role) in [("ada", "editor"), ("rita", "reader")] {
        wiki.create_account(&administrator, name, role).await;
    }
    let (ada, rita) = (wiki.sign_in("ada", PASSWORD).await, wiki.sign_in("rita", PASSWORD).await);
    let read = async |path: &str| wiki.get(path).cookie(&rita).await.expect(200).text().to_owned();
    let press = async |path: &str, fields: &[(&str, &str)]| {
        wiki.post(path).cookie(&rita).form(fields).await.expect(303).header("location").to_owned()
    };
    let page = json!({"slug": "plan", "title": "The plan", "content": "# The plan\n\none"});
    let page = wiki.post("/posts").cookie(&ada).json(page).await.expect(201).json();
    let at = format!("/posts/{}", page["post_id"]);

    // Nothing yet, and a button that works without script.
    let empty = read("/wiki/-/inbox").await;
    assert!(empty.contains("Nothing here yet.") && !empty.contains("Mark all as read"), "{empty}");
    assert!(read("/wiki/-/watched").await.contains("You do not watch any page."));
    let html = read("/wiki/plan").await;
    assert!(html.contains("action=\"/wiki/plan/watch\"") && html.contains("<span>Watch</span></button>"), "{html}");
    assert!(html.contains("Updates</a>"), "no number where nothing is unread: {html}");
    assert_eq!(press("/wiki/plan/watch", &[("watch", "yes")]).await, "/wiki/plan");
    assert!(read("/wiki/plan").await.contains(">Watching<span"));
    let watched = read("/wiki/-/watched").await;
    assert!(watched.contains(">The plan</a>") && !watched.contains("and everything below</p>"), "{watched}");
    // Everything below as well, from the page's menu.
    let html = read("/wiki/plan").await;
    assert!(html.contains("value=\"below\">Watch everything below</button>"), "{html}");
    assert_eq!(press("/wiki/plan/watch", &[("watch", "below")]).await, "/wiki/plan");
    assert!(read("/wiki/-/watched").await.contains("and everything below</p>"));
    let html = read("/wiki/plan").await;
    assert!(html.contains("value=\"only\">Stop watching everything below</button>"), "{html}");
    press("/wiki/plan/watch", &[("watch", "only")]).await;
    assert!(!read("/wiki/-/watched").await.contains("and everything below</p>"));
    assert!(read("/wiki/plan").await.contains(">Watching<span"));

    for content in ["two", "three"] {
        let edit = json!({"content": content, "comment": "Shorter"});
        wiki.put(&at).header("if-match", "*").cookie(&ada).json(edit).await.expect(200);
    }
    let edit = json!({"content": "- [ ] Call @rita due:2020-01-01\n\n@rita"});
    wiki.post("/posts").cookie(&ada).json(edit).await.expect(201);
    wiki.relay().await;
    let html = read("/wiki/plan").await;
    assert!(html.contains("<span class=\"count\">3<span class=\"hidden\"> unread</span></span>"), "{html}");
    let inbox = read("/wiki/-/inbox").await;
    for expected in [
        "2 changes, the last by <a class=\"author\"",
        "href=\"/wiki/plan/compare?from=1&amp;to=3\"",
        "<p class=\"comment\" dir=\"auto\">Shorter</p>",
        "mentioned you",
        "assigned this task to you",
        "days late</bdi>",
        "name=\"up_to\"",
    ] {
        assert!(inbox.contains(expected), "{expected}: {inbox}");
    }

    // One is marked as read, then all that were seen.
    let id = |html: &str| html.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("id", &*id(&inbox)), ("next", "/wiki/-/inbox?unread=true")];
    assert_eq!(press("/wiki/-/inbox", &fields).await, "/wiki/-/inbox?unread=true");
    assert_eq!(read("/wiki/-/inbox?unread=true").await.matches("Mark read").count(), 2);
    let latest = inbox.split("name=\"up_to\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(press("/wiki/-/inbox", &[("up_to", &latest), ("next", "//evil.example")]).await, "/wiki/-/inbox");
    let html = read("/wiki/-/inbox?unread=true").await;
    assert!(html.contains("Nothing unread.") && !html.contains("class=\"count\""), "{html}");
    assert_eq!(read("/wiki/-/inbox").await.matches("Mark read").count(), 0);

    // A page that was deleted is shown as such, and its tasks are not.
    wiki.delete(&at).cookie(&ada).await.expect(204);
    wiki.relay().await;
    let html = read("/wiki/-/inbox").await;
    let deleted = format!("href=\"/wiki/-/deleted/{}\"", page["post_id"]);
    assert!(html.contains("deleted by <a") && html.contains("deleted page") && html.contains(&deleted), "{html}");
    wiki.post("/wiki/plan/watch").cookie(&rita).form(&[("watch", "no")]).await.expect(404);

    // Nobody without an account has an inbox, or a button.
    let signed_out = wiki.get("/wiki/-/inbox").header("accept", "text/html").await.expect(302);
    assert!(signed_out.header("location").starts_with("/wiki/-/sign-in"), "{signed_out:?}");
}
