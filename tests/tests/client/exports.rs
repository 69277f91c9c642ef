//! That an export has all of a page, and an import takes all of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use blackbox::{App, Client, Output, Value, json};

use super::commands::{command, folder, hard_pages, run, text, write};

/// The names of the files in a folder, with what they say.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap());
    entries.map(read).collect()
}

/// A wiki with an administrator, and their token.
async fn administered() -> (App, String) {
    let wiki = App::wiki().access("open").start().await;
    let cookie = wiki.administrator().await;
    let token = wiki.create_token(&cookie, "admin").await;
    (wiki, token)
}

async fn with_token(wiki: &Client, token: &str, args: &[&str]) -> Output {
    let mut command = command(wiki.url(), args);
    command.env_remove("WASIKI_AUTHOR").env("WASIKI_TOKEN", token);
    run(command, "").await
}

/// Pages of all kinds: renamed, protected, edited, old, and with other random texts in each run.
async fn all_kinds(wiki: &Client, token: &str) {
    hard_pages(wiki).await;
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "x", "slug": "renamed"})).await.expect(200);
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "x", "slug": "again"})).await.expect(200);
    wiki.put("/redirects/%E0%B9%80%E0%B8%81%E0%B9%88%E0%B8%B2").json(json!({"post_id": 2})).await.expect(200);
    wiki.put("/posts/3").header("if-match", "*").json(json!({"content": "[x](again.md) [[again]]"})).await.expect(200);
    for id in [2, 3] {
        wiki.put(&format!("/posts/{id}/protection")).token(token).json(json!({})).await.expect(200);
    }
    let ada = wiki.get("/users?username=ada").await.expect(200).json()["users"][0]["id"].clone();
    for slug in ["com¹", "lpt³", "aux", "οδος", "ǆ"] {
        wiki.post("/posts").json(json!({"user_id": ada, "slug": slug, "content": slug})).await.expect(201);
    }
    let mut random = 0x5eed_u64;
    let mut pick = |from: &[&str]| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from[(random >> 33) as usize % from.len()].to_owned()
    };
    let words =
        ["a", "---", ": ", "#", "\n", "\"", "'", "[x](again.md)", "[[again]]", "ß", "e\u{301}", "- ", "|", "{", " "];
    for number in 0..60 {
        let mut many = |length: usize| (0..length).map(|_| pick(&words)).collect::<String>();
        let (title, tag, content) = (many(6).replace('\n', " "), many(3).replace('\n', " "), many(20));
        let (created, updated) =
            (format!("20{:02}-02-03T04:05:06.7890{number:02}Z", number % 24), "2025-03-04T05:06:07Z");
        let page = json!({"user_id": ada, "title": format!("t{title}"), "tags": [format!("t{tag}")], "content": content,
            "created_time": created, "updated_time": updated, "parent_id": (number % 3 == 1).then_some(number + 3)});
        wiki.post("/posts").json(page).await.expect(201);
    }
}

#[tokio::test]
async fn an_export_of_an_import_of_an_export_has_the_same_files() {
    let ((from, token), (to, other_token)) = (administered().await, administered().await);
    all_kinds(&from, &token).await;
    let (first, second) = (folder(), folder());
    with_token(&from, &token, &["export", text(first.path())]).await.success();
    let imported = with_token(&to, &other_token, &["import", text(first.path())]).await;
    assert!(imported.success().contains("85 created, 0 updated, 0 unchanged, 0 failed"), "{imported:#?}");
    assert!(!imported.stdout.contains("left out"), "{imported:#?}");
    with_token(&to, &other_token, &["export", text(second.path())]).await.success();
    let (first_files, second_files) = (files(first.path()), files(second.path()));
    assert_eq!(first_files.len(), 85);
    for (name, text) in &first_files {
        assert_eq!(second_files.get(name), Some(text), "{name}");
    }
    assert_eq!(second_files.len(), first_files.len());

    let page = &first_files["again.md"];
    assert!(page.contains("aliases:\n- ") && page.contains("renamed") && page.contains("updated: "), "{page}");
    let protected = first_files.values().filter(|text| text.contains("\nprotected: true\n")).count();
    assert_eq!(protected, 2);
    for name in first_files.keys() {
        let stem = name.split(['.', '~']).next().unwrap();
        let is_device = ["com¹.", "lpt³.", "aux.", "con."].iter().any(|device| name.starts_with(device));
        assert!(!is_device, "{name} is a device of Windows, as {stem}");
    }
    let again = with_token(&to, &other_token, &["import", text(first.path())]).await;
    assert!(again.success().contains("0 created, 0 updated, 85 unchanged"), "{again:#?}");
}

#[tokio::test]
async fn folders_are_a_tree_and_what_is_hidden_stays_so() {
    let (wiki, token) = administered().await;
    let vault = folder();
    for (file, content) in [
        ("team.md", "# Team\n"),
        ("team/rota.md", "# Rota\n"),
        ("team/rota/nights.md", "# Nights\n"),
        ("guide/index.md", "# Guide\n"),
        ("guide/setup.md", "# Setup\n"),
        ("alone/note.md", "# Note\n"),
    ] {
        write(&vault, file, content);
    }
    let import = async || with_token(&wiki, &token, &["import", text(vault.path())]).await.success().to_owned();
    assert!(import().await.contains("6 created"));
    let page = async |title: &str| {
        let posts = wiki.walk("/posts?limit=200", "posts").await;
        posts.into_iter().find(|post| post["title"] == title).unwrap()
    };
    let parent = async |title: &str| page(title).await["parent_id"].clone();
    let id = async |title: &str| page(title).await["post_id"].clone();
    assert_eq!(parent("Rota").await, id("Team").await);
    assert_eq!(parent("Nights").await, id("Rota").await);
    assert_eq!(parent("Setup").await, id("Guide").await);
    assert_eq!(parent("Note").await, Value::Null);
    // What people have moved stays there.
    let moved = format!("/posts/{}/move", id("Nights").await);
    wiki.post(&moved).token(&token).json(json!({})).await.expect(200);
    assert!(import().await.contains("6 unchanged"));
    assert_eq!(parent("Nights").await, Value::Null);

    let space = json!({"name": "Board", "everybody": "none"});
    let space = wiki.post("/spaces").token(&token).json(space).await.expect(201).json()["space_id"].clone();
    let secret = json!({"content": "# Minutes\n", "space_id": space});
    wiki.post("/posts").token(&token).json(secret).await.expect(201);
    let export = folder();
    with_token(&wiki, &token, &["export", text(export.path())]).await.success();
    assert!(files(export.path())["minutes.md"].contains("\nspace: board\n"));
    let (other, other_token) = administered().await;
    let import = async || with_token(&other, &other_token, &["import", text(export.path())]).await;
    let refused = import().await;
    assert!(refused.stderr.contains("the wiki has no space \"board\": create it first"), "{refused:#?}");
    other.get("/posts?slug=minutes").token(&other_token).await.expect(200);
    assert_eq!(other.walk("/posts?slug=minutes", "posts").await.len(), 0);
    let space = json!({"name": "Board", "everybody": "none"});
    other.post("/spaces").token(&other_token).json(space).await.expect(201);
    import().await.success();
    assert_eq!(other.walk("/posts?slug=minutes", "posts").await.len(), 0, "for strangers");
    let found = other.get("/posts?slug=minutes").token(&other_token).await.expect(200).json();
    assert_eq!(found["posts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn files_of_pages_go_along() {
    let ((from, token), (to, other_token)) = (administered().await, administered().await);
    let ada = from.create_user("ada").await;
    to.create_user("ada").await;
    // So that the numbers differ.
    to.create_post(&json!({"id": 1}), "other").await;
    to.post("/posts/1/files?name=x").body("text/plain", "x").await.expect(201);
    from.create_post(&ada, "# One").await;
    for (name, text) in [("a b.txt", "first"), ("notes.md", "second"), ("unused.txt", "third")] {
        let name = blackbox::percent_encoded(name);
        from.post(&format!("/posts/1/files?name={name}")).body("text/plain", text).await.expect(201);
    }
    let content = "# One\n\n![x](/files/1/a%20b.txt) [y](/files/2/notes.md) [z](/files/9/gone.txt)";
    from.put("/posts/1").header("if-match", "*").json(json!({"content": content})).await.expect(200);
    let copy = folder();
    with_token(&from, &token, &["export", text(copy.path())]).await.success();
    for (file, text) in [("1/a b.txt", "first"), ("2/notes.md", "second"), ("3/unused.txt", "third")] {
        assert_eq!(fs::read_to_string(copy.path().join("files").join(file)).unwrap(), text);
    }
    let again = with_token(&from, &token, &["export", text(copy.path())]).await;
    assert!(again.success().contains("0 written, 1 unchanged"), "{again:#?}");

    let import = async || with_token(&to, &other_token, &["import", text(copy.path())]).await;
    let imported = import().await;
    assert!(imported.success().contains("1 files: 1 created"), "{imported:#?}");
    assert!(imported.stdout.contains("left out:\n  1 file that is not Markdown: 1 .txt"), "{imported:#?}");
    let page = to.get("/posts/2").await.expect(200).json();
    let expected = "# One\n\n![x](/files/2/a%20b.txt) [y](/files/3/notes.md) [z](/files/9/gone.txt)";
    assert_eq!(page["content"], expected);
    assert_eq!(to.get("/files/3/notes.md").await.expect(200).text(), "second");
    assert!(import().await.success().contains("0 created, 0 updated, 1 unchanged"));
    assert_eq!(to.walk("/posts/2/files", "files").await.len(), 2);

    // One that the wiki does not take is left out, and its page is there.
    fs::write(copy.path().join("two.md"), "# Two\n\n![x](broken.png)").unwrap();
    fs::write(copy.path().join("broken.png"), "GIF89a").unwrap();
    fs::write(copy.path().join("empty.txt"), "").unwrap();
    fs::write(copy.path().join("three.md"), "# Three\n\n[x](empty.txt)").unwrap();
    let imported = import().await;
    assert!(imported.success().contains("2 created, 0 updated, 1 unchanged, 0 failed"), "{imported:#?}");
    assert!(imported.stderr.contains("empty.txt is left out: "), "{imported:#?}");
}

#[tokio::test]
async fn what_needs_an_administrator_is_counted_for_others() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let cookie = wiki.sign_in("eve", blackbox::PASSWORD).await;
    let token = wiki.create_token(&cookie, "write").await;
    wiki.post("/posts").cookie(&administrator).json(json!({"slug": "taken", "content": "x"})).await.expect(201);
    wiki.post("/posts").cookie(&administrator).json(json!({"slug": "other", "content": "x"})).await.expect(201);
    wiki.put("/redirects/led").cookie(&administrator).json(json!({"post_id": 2})).await.expect(200);
    let files = folder();
    write(&files, "one.md", "---\nprotected: true\naliases: [taken, led, free]\n---\nx");
    let output = with_token(&wiki, &token, &["import", text(files.path()), "--json"]).await;
    let report: Value = output.success().parse().unwrap();
    assert_eq!((&report["left_out"]["protections"], &report["left_out"]["aliases"]), (&json!(1), &json!(2)));
    assert!(wiki.get("/wiki/free").await.header("location").ends_with("/wiki/one"));
    assert!(wiki.get("/wiki/led").await.header("location").ends_with("/wiki/other"));

    // An administrator's import sets what was left out.
    let token = wiki.create_token(&administrator, "admin").await;
    let output = with_token(&wiki, &token, &["import", text(files.path())]).await;
    assert!(output.success().contains("0 created, 1 updated"), "{output:#?}");
    assert_eq!(wiki.get("/posts/3").await.expect(200).json()["protected"], true);
}

#[tokio::test]
async fn a_dry_run_checks_the_right_to_write() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.create_account(&administrator, "rita", "reader").await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let (rita, eve) = (wiki.sign_in("rita", blackbox::PASSWORD).await, wiki.sign_in("eve", blackbox::PASSWORD).await);
    let reader = wiki.create_token(&rita, "write").await;
    let (narrow, editor) = (wiki.create_token(&eve, "read").await, wiki.create_token(&eve, "write").await);
    let files = folder();
    write(&files, "one.md", "x");
    let dry = ["import", text(files.path()), "--dry-run"];
    for (token, words) in [
        ("", "Make a token on your account page"),
        (&*reader, "your role is reader"),
        (&*narrow, "scope is too narrow"),
    ] {
        let refused = with_token(&wiki, token, &dry).await;
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{refused:#?}");
    }
    let allowed = with_token(&wiki, &editor, &dry).await;
    assert!(allowed.success().contains("would be 1 created"), "{allowed:#?}");
    assert_eq!(wiki.get("/posts").await.expect(200).json()["posts"], json!([]));
}
