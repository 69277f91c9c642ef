//! A page that one may not read: nothing shows that there is one.

use blackbox::{ADMIN_PASSWORD, App, Client, PASSWORD, Request, json};

/// What nobody may see who may not read the pages: their title and slug, former and now, words, tags, reasons and tasks.
const SECRETS: [&str; 8] = ["zebrafish", "aardwolf", "quagga", "okapi", "kakapo", "numbat", "axolotl", "pangolin"];

/// The same requests for what does not exist at all.
const NOTHING: [&str; 8] = ["yebrafish", "bardwolf", "buagga", "bkapi", "bakapo", "bumbat", "bxolotl", "bangolin"];

/// A wiki with a hidden space that has a page, another version of it, a task and a deleted page; and its readers.
struct Hidden {
    wiki: App,
    page: i64,
    task: i64,
    file: i64,
    deleted: i64,
    readers: Vec<(&'static str, Option<String>)>,
    owner: String,
}

async fn hidden() -> Hidden {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let owner = wiki.create_token(&cookie, "admin").await;
    let mut readers = vec![("a stranger", None)];
    for (name, role) in [("rita", "reader"), ("eve", "editor")] {
        wiki.create_account(&cookie, name, role).await;
        let own = wiki.sign_in(name, PASSWORD).await;
        readers.push((name, Some(wiki.create_token(&own, "admin").await)));
    }
    // Numbers that occur nowhere else.
    let database = wiki.database().client().await;
    database
        .batch_execute("ALTER SEQUENCE posts_id_seq RESTART 777001; ALTER SEQUENCE tasks_id_seq RESTART 888001; ALTER SEQUENCE files_id_seq RESTART 666001")
        .await
        .unwrap();
    let post = async |fields| wiki.post("/posts").token(&owner).json(fields).await.expect(201).json();
    let public = post(json!({"title": "Public", "content": "See [[Nothing else]].", "tags": ["seen"]})).await;
    let space = json!({"name": "Kakapo", "description": "kakapo", "everybody": "none"});
    let space = wiki.post("/spaces").token(&owner).json(space).await.expect(201).json()["space_id"].clone();
    let text = "# Aardwolf\n\nquagga quagga [[Public]] @eve\n\n- [ ] numbat @eve due:2026-12-04\n";
    let page = post(json!({"content": text, "tags": ["okapi", "seen"], "comment": "kakapo", "space_id": space})).await;
    let id = page["post_id"].as_i64().unwrap();
    let edit =
        json!({"title": "Zebrafish", "slug": "zebrafish", "content": format!("{text}\nmore quagga"), "version": 1});
    wiki.put(&format!("/posts/{id}")).token(&owner).json(edit).await.expect(200);
    let file = wiki.post(&format!("/posts/{id}/files?name=pangolin.txt")).token(&owner);
    let file = file.body("text/plain", "numbat").await.expect(201).json()["id"].as_i64().unwrap();
    let deleted = post(json!({"title": "Axolotl", "content": "pangolin", "space_id": space})).await;
    let deleted = deleted["post_id"].as_i64().unwrap();
    wiki.delete(&format!("/posts/{deleted}?comment=kakapo")).token(&owner).await.expect(204);
    let task = wiki.get("/tasks").token(&owner).await.expect(200).json()["tasks"][0]["id"].as_i64().unwrap();
    assert_eq!(public["post_id"], 777_001);
    Hidden { wiki, page: id, task, file, deleted, readers, owner }
}

fn identify(request: Request, token: Option<&str>) -> Request {
    match token {
        Some(token) => request.token(token),
        None => request,
    }
}

/// The addresses of every route that is read, with what a reader may put into them: for the hidden pages and, in the same place,
/// for pages that never were.
async fn addresses(hidden: &Hidden) -> Vec<(String, String)> {
    let index = hidden.wiki.get("/").token(&hidden.owner).await.expect(200).json();
    let mut addresses = Vec::new();
    for (path, methods) in index["endpoints"].as_object().unwrap() {
        if !methods.as_array().unwrap().iter().any(|method| method == "GET") {
            continue;
        }
        let ids = match path.split('/').nth(1) {
            Some("tasks") => vec![hidden.task],
            Some("files") => vec![hidden.file],
            _ => vec![hidden.page, hidden.deleted],
        };
        for id in ids {
            for (secret, nothing) in SECRETS.into_iter().zip(NOTHING) {
                let fill = |id: i64, word: &str| {
                    path.replace("{id}", &id.to_string())
                        .replace("{slug}", word)
                        .replace("{tag}", word)
                        .replace("{version}", "1")
                        .replace("{name}", "style.css")
                };
                // Users and groups have numbers as well.
                let is_of_pages = ["/posts", "/tasks", "/files", "/wiki/-/deleted", "/wiki/{"]
                    .iter()
                    .any(|start| path.starts_with(start));
                let other = if is_of_pages || !path.contains("{id}") { 999_999 } else { id };
                addresses.push((fill(id, secret), fill(other, nothing)));
            }
        }
    }
    let queries = [
        "/posts?q={}",
        "/posts?slug={}",
        "/posts?tag={}",
        "/search?q={}",
        "/search?q={}&tag=seen",
        "/search/suggestions?q={}",
        "/search/suggestions?q=x{}",
        "/events?tag={}",
        "/tasks?tag={}",
        "/wiki/-/search?q={}",
        "/wiki/-/search?q={}s",
        "/wiki/-/new?title={}",
        "/wiki/-/pages?view=tree&q={}",
        "/wiki/-/tasks?tag={}",
        "/wiki/-/tasks?whose=everybody&tag={}",
    ];
    for query in queries {
        for (secret, nothing) in SECRETS.into_iter().zip(NOTHING) {
            addresses.push((query.replace("{}", secret), query.replace("{}", nothing)));
        }
    }
    let by_number = [
        "/events?post_id={}",
        "/tasks?post={}",
        "/posts?parent_id={}",
        "/posts/1/compare?from={}&to=1",
        "/posts/{}/compare?from=1&to=2",
        "/posts/{}/watch",
        "/posts/{}/star",
        "/posts/{}/access",
        "/wiki/-/deleted/{}",
        "/spaces/{}",
        "/spaces/{}/children",
        "/spaces/{}/access",
    ];
    for query in by_number {
        for id in [hidden.page, hidden.deleted].into_iter().chain(query.starts_with("/spaces").then_some(2)) {
            addresses.push((query.replace("{}", &id.to_string()), query.replace("{}", "999999")));
        }
    }
    addresses.sort();
    addresses.dedup();
    addresses
}

/// An answer as text, without what is different each time or repeats what the reader wrote.
async fn answer(wiki: &Client, target: &str, token: Option<&str>, accept: &str) -> String {
    let response = identify(wiki.get(target).header("accept", accept), token).await;
    let shown = format!("{response:?}");
    let head = shown.split_once("\n\n").map_or(&*shown, |(head, _)| head);
    let mut text = format!("{head}\n\n{}", String::from_utf8_lossy(response.bytes())).to_lowercase();
    for (secret, nothing) in SECRETS.into_iter().zip(NOTHING) {
        text = text.replace(nothing, secret);
    }
    text
}

/// Lines of an answer that may differ: the request, numbers in it, dates, keys of forms.
fn comparable(answer: &str, ids: &[i64]) -> String {
    let mut text = answer.replace("999999", "#");
    for id in ids {
        text = text.replace(&id.to_string(), "#");
    }
    let is_kept = |line: &&str| {
        !["date:", "etag:", "content-length:", "transfer-encoding:", "name=\"key\"", "x-request-id", "get /"]
            .iter()
            .any(|part| line.contains(part))
    };
    text.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn nothing_shows_a_page_that_one_may_not_read() {
    let hidden = hidden().await;
    let wiki: &Client = &hidden.wiki;
    let ids = [hidden.page, hidden.deleted, hidden.task, hidden.file];
    let addresses = addresses(&hidden).await;
    assert!(addresses.len() > 250, "{} addresses", addresses.len());
    let mut compared = 0;
    for (target, nothing) in &addresses {
        // Lists of everything are the same request twice: they must have none of the words.
        let asked: Vec<&str> = SECRETS.into_iter().filter(|secret| target.contains(secret)).collect();
        for (name, token) in &hidden.readers {
            for accept in ["application/json", "text/html"] {
                if accept == "text/html" && !target.starts_with("/wiki") && target != "/" {
                    continue;
                }
                let seen = answer(wiki, target, token.as_deref(), accept).await;
                for secret in SECRETS.iter().filter(|secret| !asked.contains(secret)) {
                    assert!(!seen.contains(secret), "{name} sees {secret} at {target}:\n{seen}");
                }
                if target != nothing {
                    let unseen = answer(wiki, nothing, token.as_deref(), accept).await;
                    let [seen, unseen] = [&seen, &unseen].map(|text| comparable(text, &ids));
                    assert_eq!(seen, unseen, "{name} can tell {target} from {nothing}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 500, "{compared} answers were compared");
}

#[tokio::test]
async fn nobody_changes_a_page_that_they_may_not_read() {
    let hidden = hidden().await;
    let wiki: &Client = &hidden.wiki;
    let (_, eve) = hidden.readers.last().unwrap();
    let tries = |id: i64, task: i64, slug: &str| {
        let page = |rest: &str| format!("/posts/{id}{rest}");
        let site = |rest: &str| format!("/wiki/{slug}{rest}");
        let form: [(&str, &str); 5] =
            [("version", "2"), ("title", "T"), ("content", "C"), ("slug", "t"), ("watch", "yes")];
        vec![
            wiki.put(&page("")).header("if-match", "*").json(json!({"content": "mine"})),
            wiki.delete(&page("")),
            wiki.delete(&page("?below=true")),
            wiki.post(&page("/restore")),
            wiki.post(&page("/revert")).json(json!({"version": 1})),
            wiki.post(&page("/move")).json(json!({})),
            wiki.put(&page("/watch")),
            wiki.delete(&page("/watch")),
            wiki.put(&page("/star")),
            wiki.delete(&page("/star")),
            wiki.put(&page("/access")).json(json!({"everybody": "write"})),
            wiki.delete(&page("/access")),
            wiki.post("/tasks").json(json!({"text": "Call", "post_id": id})),
            wiki.patch(&format!("/tasks/{task}")).json(json!({"done": true})),
            wiki.post(&page("/files?name=x.txt")).body("text/plain", "x"),
            wiki.delete(&format!("/files/{}", if id == 999_999 { id } else { hidden.file })),
            wiki.put("/redirects/free").json(json!({"post_id": id})),
            wiki.delete("/redirects/aardwolf"),
            wiki.post("/posts").json(json!({"content": "x", "parent_id": id})),
            wiki.post(&format!("/wiki/-/deleted/{id}")).form(&[("version", "2")]),
            wiki.post(&site("/delete")).form(&[("version", "2")]),
            wiki.post(&site("/delete")).form(&[("version", "2"), ("below", "delete")]),
            wiki.post(&site("/restore")).form(&[("id", &id.to_string())]),
            wiki.post(&site("/revert")).form(&[("version", "1")]),
            wiki.post(&site("/tasks")).form(&[("version", "2"), ("tick", "0")]),
            wiki.post(&site("/watch")).form(&form[4..]),
            wiki.post(&site("/star")).form(&[("star", "yes")]),
        ]
    };
    for id in [hidden.page, hidden.deleted] {
        let (real, none) = (tries(id, hidden.task, "zebrafish"), tries(999_999, 999_999, "yebrafish"));
        for (number, (real, none)) in real.into_iter().zip(none).enumerate() {
            let (met, unmet) = (identify(real, eve.as_deref()).await, identify(none, eve.as_deref()).await);
            assert_eq!(met.status(), unmet.status(), "attempt {number} on page {id}: {met:?}");
            let text = |response: &blackbox::Response| String::from_utf8_lossy(response.bytes()).to_lowercase();
            for secret in SECRETS.iter().skip(1) {
                assert!(!text(&met).contains(secret), "attempt {number} on page {id} shows {secret}: {met:?}");
            }
        }
    }
    let page = wiki.get(&format!("/posts/{}", hidden.page)).token(&hidden.owner).await.expect(200).json();
    assert_eq!((&page["version"], &page["title"]), (&json!(2), &json!("Zebrafish")));
    wiki.get("/posts?slug=axolotl").token(&hidden.owner).await.expect(200);

    // A new page gets another address than the hidden one, whose title is nobody's for who cannot read it.
    let draft = json!({"title": "Zebrafish", "content": "mine"});
    let made = identify(wiki.post("/posts"), eve.as_deref()).json(draft).await.expect(201).json();
    assert_ne!(made["slug"], "zebrafish");
}

#[tokio::test]
async fn rights_that_are_given_show_everything_and_are_taken_back_at_once() {
    let hidden = hidden().await;
    let wiki: &Client = &hidden.wiki;
    let eve = hidden.readers.last().unwrap().1.as_deref();
    let access =
        |everybody: &str| wiki.put("/spaces/2/access").token(&hidden.owner).json(json!({"everybody": everybody}));
    let sees = async |target: &str, word: &str| answer(wiki, target, eve, "application/json").await.contains(word);
    let places = [
        ("/posts", "zebrafish"),
        ("/search?q=quagga", "zebrafish"),
        ("/tags", "okapi"),
        ("/tasks", "numbat"),
        ("/changes", "kakapo"),
        ("/posts/777001/backlinks", "zebrafish"),
        ("/redirects", "aardwolf"),
        ("/posts/deleted", "axolotl"),
        ("/spaces", "kakapo"),
        ("/feed.atom", "zebrafish"),
        ("/search/suggestions?q=zebra", "zebrafish"),
        ("/posts/777002/revisions", "aardwolf"),
    ];
    for (everybody, is_seen) in [("read", true), ("none", false)] {
        access(everybody).await.expect(200);
        for (target, word) in places {
            assert_eq!(sees(target, word).await, is_seen, "{target} while everybody may {everybody}");
        }
    }
}
