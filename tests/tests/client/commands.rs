//! The client `wasiki`: import, export, get, put, search, and what it says when something is in the way.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use blackbox::{App, Client, Output, Value, eventually, json};
use tempfile::TempDir;

/// `wasiki` for the wiki at `url`, with nothing of this process's environment that would configure it.
pub(super) fn command(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(blackbox::client());
    command.env_clear().env("WASIKI_URL", url).env("WASIKI_AUTHOR", "ada").args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `wasiki` to its end.
pub(super) async fn wasiki(wiki: &Client, args: &[&str]) -> Output {
    run(command(wiki.url(), args), "").await
}

/// Runs `wasiki` with `input` on its standard input.
async fn wasiki_reading(wiki: &Client, args: &[&str], input: &str) -> Output {
    run(command(wiki.url(), args), input).await
}

pub(super) async fn run(mut command: Command, input: &str) -> Output {
    let input = input.to_owned();
    let work = move || {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("wasiki can be started");
        if let Some(mut stdin) = child.stdin.take() {
            // A command that reads nothing may have ended by now.
            _ = stdin.write_all(input.as_bytes());
        }
        output(child)
    };
    tokio::task::spawn_blocking(work).await.expect("wasiki can be waited for")
}

fn output(child: Child) -> Output {
    child.wait_with_output().expect("what a child wrote can be read").into()
}

pub(super) fn folder() -> TempDir {
    TempDir::with_prefix("wasiki-test-").expect("a temporary folder can be made")
}

pub(super) fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a temporary file can be written");
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// What must survive an export and an import, by slug.
pub(super) async fn pages(wiki: &Client) -> BTreeMap<String, Value> {
    let mut pages = BTreeMap::new();
    for summary in wiki.walk("/posts?limit=200&sort=created", "posts").await {
        let post = wiki.get(&format!("/posts/{}", summary["post_id"])).await.expect(200).json();
        let user = wiki.get(&format!("/users/{}", post["user_id"])).await.expect(200).json();
        let author = if user["username"].is_null() { &user["name"] } else { &user["username"] };
        let slug = post["slug"].as_str().expect("a slug is a string").to_owned();
        let kept = json!([post["title"], post["tags"], post["content"], author, post["created_time"]]);
        pages.insert(slug, kept);
    }
    pages
}

/// Pages that are hard to write into files.
pub(super) async fn hard_pages(wiki: &Client) {
    let ada = wiki.create_user("ada").await;
    let grace = wiki.post("/users").json(json!({"name": "Grace \"Amazing\" Hopper: 1"})).await.expect(201).json();
    let titles = ["It's: a \"test\" #1 🎉", "null", "2026-05-01", "- [x] {y}", " spaces ", "---", "C:\\temp", "日本語"];
    for (number, title) in titles.iter().enumerate() {
        let user = if number % 2 == 0 { &ada } else { &grace };
        let body = json!({"user_id": user["id"], "title": title, "content": "x", "tags": ["a: b", "#c", "no", "é"]});
        wiki.post("/posts").json(body).await.expect(201);
    }
    let contents = [
        "",
        "\n",
        "no newline",
        "a\r\nb\r\n",
        "---\ntitle: not front matter\n---\n",
        "---",
        "\u{feff}mark",
        "\t\u{2028}",
    ];
    for content in contents {
        let old = json!({"user_id": ada["id"], "content": content, "created_time": "2001-02-03T04:05:06.789012Z"});
        wiki.post("/posts").json(old).await.expect(201);
    }
    let long = "語".repeat(100);
    for slug in [long.as_str(), "con", "straße", "strasse"] {
        let body = json!({"user_id": ada["id"], "slug": slug, "content": slug});
        wiki.post("/posts").json(body).await.expect(201);
    }
}

#[tokio::test]
async fn an_export_imported_into_an_empty_wiki_gives_equal_pages() {
    let (from, to, files) = (App::wiki().start().await, App::wiki().start().await, folder());
    hard_pages(&from).await;
    let dir = text(files.path());
    let exported = wasiki(&from, &["export", dir]).await;
    assert_eq!(exported.success(), "20 pages: 20 written, 0 unchanged\n");
    let imported = wasiki(&to, &["import", dir]).await;
    assert_eq!(imported.success(), "20 files: 20 created, 0 updated, 0 unchanged, 0 failed\n");
    let pages_before = pages(&from).await;
    assert_eq!(pages_before.len(), 20);
    assert_eq!(pages(&to).await, pages_before);

    // Neither finds anything left to do.
    assert_eq!(wasiki(&to, &["export", dir]).await.success(), "20 pages: 0 written, 20 unchanged\n");
    assert!(wasiki(&to, &["import", dir]).await.success().contains("20 unchanged"));
    assert_eq!(to.metric("revisions_created_total").await, 20);
}

#[tokio::test]
async fn a_second_import_writes_only_what_changed() {
    let (wiki, files) = (App::wiki().start().await, folder());
    write(&files, "home.md", "# Home\r\nno newline");
    write(&files, "guide/Start here.md", "---\ntags: [One, two]\nauthor: grace\nlayout: x\n---\ntext");
    let dir = text(files.path());
    let first = wasiki(&wiki, &["import", dir, "--comment", "first"]).await;
    assert_eq!(first.success(), "2 files: 2 created, 0 updated, 0 unchanged, 0 failed\n");
    assert!(first.stderr.contains("note: `layout` in the front matter of one file is ignored"), "{first:#?}");
    assert!(wasiki(&wiki, &["import", dir]).await.success().contains("2 unchanged"));

    write(&files, "home.md", "# Home\nagain");
    let dry = wasiki(&wiki, &["import", dir, "--dry-run"]).await;
    assert_eq!(dry.success(), "2 files: would be 0 created, 1 updated, 1 unchanged, 0 failed\n");
    let third = wasiki(&wiki, &["import", dir, "--author", "bob", "--json"]).await;
    let report: Value = serde_json_of(third.success());
    assert_eq!((&report["updated"], &report["unchanged"]), (&json!(1), &json!(1)));

    let pages = pages(&wiki).await;
    assert_eq!(pages["home"][2], "# Home\nagain");
    assert_eq!((&pages["home"][3], &pages["guide-start-here"][3]), (&json!("ada"), &json!("grace")));
    let history = wasiki(&wiki, &["history", "home"]).await;
    let lines: Vec<&str> = history.success().lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("bob") && lines[1].contains("ada") && lines[1].ends_with("first"), "{lines:#?}");
}

pub(super) fn serde_json_of(text: &str) -> Value {
    text.parse().unwrap_or_else(|e| panic!("not JSON ({e}): {text}"))
}

#[tokio::test]
async fn files_that_cannot_be_pages_are_listed_and_the_rest_goes_on() {
    let (wiki, files) = (App::wiki().start().await, folder());
    write(&files, "good.md", "text");
    write(&files, "bytes.md", b"one\n\xff");
    write(&files, "front.md", "---\ntitle: x\ntime: soon\n---\n");
    write(&files, "large.md", "x".repeat((1 << 20) + 1));
    write(&files, "tags.md", "---\ntags: ['a,b']\n---\n");
    write(&files, "future.md", "---\ntime: 9999-01-01T00:00:00Z\n---\n");
    let output = wasiki(&wiki, &["import", text(files.path())]).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert_eq!(output.stdout, "6 files: 1 created, 0 updated, 0 unchanged, 5 failed\n");
    for start in ["bytes.md:2: ", "front.md:3: time: ", "large.md: ", "tags.md:2: tags: ", "future.md:2: time: "] {
        let line = format!("error: {start}");
        assert!(output.stderr.lines().any(|it| it.starts_with(&line)), "{start} in {output:#?}");
    }
    assert_eq!(pages(&wiki).await.into_keys().collect::<Vec<_>>(), ["good"]);
}

#[tokio::test]
async fn files_with_one_name_are_numbered() {
    let (wiki, files) = (App::wiki().start().await, folder());
    write(&files, "A b.md", "one");
    write(&files, "a-b.md", "two");
    write(&files, "a/b.md", "three");
    let output = wasiki(&wiki, &["import", text(files.path())]).await;
    assert_eq!(output.success(), "3 files: 3 created, 0 updated, 0 unchanged, 0 failed\n");
    assert!(output.stderr.contains("note: a-b.md becomes the page \"a-b-3\", since A b.md has"), "{output:#?}");
    let pages = pages(&wiki).await;
    let contents: Vec<_> = pages.iter().map(|(slug, page)| format!("{slug} {}", page[2].as_str().unwrap())).collect();
    assert_eq!(contents, ["a-b one", "a-b-2 three", "a-b-3 two"]);
}

/// What a file says, what the wiki is asked for the same, and whether it may be a page.
#[tokio::test]
async fn a_dry_run_refuses_what_the_wiki_refuses() {
    let (wiki, files) = (App::wiki().start().await, folder());
    wiki.create_user("ada").await;
    let (long, tags): (_, Vec<String>) = ("x".repeat(201), (0..21).map(|n| n.to_string()).collect());
    let mut said = Vec::new();
    for title in ["x", "Größe & \"Maß\"", "a\nb", "a\u{0}b", &long[..200], &long] {
        said.push(("title", json!(title)));
    }
    for slug in ["fine-slug", "größe", &long[..100]] {
        said.push(("slug", json!(slug)));
    }
    for list in [json!([]), json!(["a", "B c", "d/e"]), json!(tags[..20]), json!(tags)] {
        said.push(("tags", list));
    }
    for tag in ["a,b", "", "..", " . ", "\u{202e}", "a\u{0}", "a\nb", &long[..50], &long[..51]] {
        said.push(("tags", json!(["fine", tag])));
    }
    for author in ["ada", "Ada Lovelace", "a\nb", "a\u{0}", &long[..64], &long[..65], &long] {
        said.push(("author", json!(author)));
    }
    for time in ["2001-02-03T04:05:06.789Z", "0000-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2026-02-30T00:00:00Z"] {
        said.push(("time", json!(time)));
    }
    for content in ["", "tab\tand\r\n", "a\u{0}b", "\u{b}", "\u{7f}\u{85}\u{200b}", "\u{1b}[31m"] {
        said.push(("content", json!(content)));
    }
    let mut refused = Vec::new();
    for (number, (key, value)) in said.iter().enumerate() {
        let name = format!("{number:02}.md");
        let (request, text) = match *key {
            "author" => {
                let name = value.as_str().unwrap_or_default();
                // As the client does: what cannot be a username is a name.
                let plain = |c: char| c.is_ascii_alphanumeric();
                let member =
                    if (1..=64).contains(&name.len()) && name.chars().all(plain) { "username" } else { "name" };
                (wiki.post("/users").json(json!({member: name})), format!("---\nauthor: {value}\n---\nx"))
            }
            "content" => {
                let text = value.as_str().unwrap_or_default();
                (wiki.post("/posts").json(json!({"user_id": 1, "content": text})), text.to_owned())
            }
            _ => {
                let member = if *key == "time" { "created_time" } else { key };
                let body = json!({"user_id": 1, "content": "x", member: value});
                (wiki.post("/posts").json(body), format!("---\n{key}: {value}\n---\nx"))
            }
        };
        write(&files, &name, text);
        let answer = request.await;
        match answer.status() {
            422 => refused.push(name),
            // The user is there already.
            201 | 409 => {}
            _ => panic!("{key}: {value}: {answer:?}"),
        }
    }
    assert!(refused.len() > 15 && refused.len() < said.len() - 12, "{refused:?}");

    let wiki = App::wiki().start().await;
    for arguments in [&["--dry-run"][..], &[]] {
        let args = [&["import", text(files.path()), "--json"], arguments].concat();
        let output = wasiki(&wiki, &args).await;
        assert_eq!(output.code, Some(1), "{output:#?}");
        let report = serde_json_of(&output.stdout);
        let failed = report["failed"].as_array().expect("failures are a list");
        let names: Vec<&str> = failed.iter().map(|failure| failure["file"].as_str().unwrap_or_default()).collect();
        let told = |name: &str| said[name[..2].parse::<usize>().expect("a number")].clone();
        for name in refused.iter().map(String::as_str).chain(names.iter().copied()) {
            let both = refused.iter().any(|it| it == name) && names.contains(&name);
            assert!(both, "{arguments:?} {name}: {:?}: {output:#?}", told(name));
        }
        // Nothing was sent to find that out.
        assert!(failed.iter().all(|failure| failure["line"].is_number()), "{output:#?}");
        assert_eq!(report["created"], json!(said.len() - refused.len()));
    }
    assert_eq!(pages(&wiki).await.len(), said.len() - refused.len());

    for (option, value) in [("--comment", long.repeat(3)), ("--author", "a\nb".to_owned())] {
        let output = wasiki(&wiki, &["import", text(files.path()), "--dry-run", option, &value]).await;
        assert!(output.error().starts_with(&format!("error: {option}: m")), "{output:#?}");
    }
}

#[tokio::test]
async fn an_interrupted_import_goes_on_where_it_was() {
    const FILES: usize = 300;
    let (wiki, files) = (App::wiki().start().await, folder());
    for number in 0..FILES {
        write(&files, &format!("{number}.md"), format!("# Page {number}\n"));
    }
    let dir = text(files.path());
    let mut child = command(wiki.url(), &["import", dir, "--jobs", "2"]).spawn().expect("wasiki can be started");
    eventually("some pages are there", || async { wiki.metric("posts_created_total").await > 10 }).await;
    _ = child.kill();
    let code = tokio::task::spawn_blocking(move || output(child)).await.expect("wasiki can be waited for").code;
    assert_eq!(code, None, "it was killed before its end");
    assert!((wiki.metric("posts_created_total").await as usize) < FILES);

    assert!(wasiki(&wiki, &["import", dir]).await.success().contains("0 failed"));
    assert_eq!(pages(&wiki).await.len(), FILES);
    assert_eq!(wiki.metric("revisions_created_total").await as usize, FILES, "no page was written twice");
}

#[tokio::test]
async fn a_page_comes_back_byte_for_byte() {
    let wiki = App::wiki().start().await;
    let content = "# Höme\r\n\r\nno newline at the end";
    let put = wasiki_reading(&wiki, &["put", "home", "--tag", "a", "--tag", "B", "--title", "My home"], content).await;
    assert_eq!(put.success(), "created home (number 1, version 1)\n");
    for name in ["home", "1"] {
        assert_eq!(wasiki(&wiki, &["get", name]).await.success(), content);
    }
    let edited = wasiki_reading(&wiki, &["put", "home", "-", "--comment", "why"], "text").await;
    assert_eq!(edited.success(), "edited home (number 1, version 2)\n");
    let again = wasiki_reading(&wiki, &["put", "home"], "text").await;
    assert_eq!(again.success(), "unchanged home (number 1, version 2)\n");
    assert_eq!(wasiki(&wiki, &["get", "home", "--revision", "1"]).await.success(), content);
    let page = serde_json_of(wasiki(&wiki, &["get", "home", "--json"]).await.success());
    assert_eq!((&page["title"], &page["tags"]), (&json!("My home"), &json!(["a", "b"])));
}

#[tokio::test]
async fn a_conflict_changes_nothing_and_says_what_happened() {
    let wiki = App::wiki().start().await;
    for text in ["one", "two"] {
        wasiki_reading(&wiki, &["put", "home"], text).await.success();
    }
    let output = wasiki_reading(&wiki, &["put", "home", "--version", "1"], "three").await;
    assert_eq!(output.code, Some(3), "{output:#?}");
    assert!(output.stderr.starts_with("error: nothing was saved: your text is based on version 1"), "{output:#?}");
    assert_eq!(wasiki(&wiki, &["delete", "home", "--version", "1"]).await.code, Some(3));
    assert_eq!(wasiki(&wiki, &["get", "home"]).await.success(), "two");
    wasiki_reading(&wiki, &["put", "home", "--version", "2"], "three").await.success();
}

#[tokio::test]
async fn pages_are_found_listed_deleted_and_restored() {
    let wiki = App::wiki().start().await;
    wasiki_reading(&wiki, &["put", "home", "--tag", "x"], "# Home\n\nA zebra & <b>friends</b>.").await.success();
    wasiki_reading(&wiki, &["put", "other"], "# Other\n\nNothing.").await.success();
    let found = wasiki(&wiki, &["search", "zebra"]).await;
    assert!(found.success().starts_with("Home (home)\n") && found.stdout.contains("zebra &"), "{found:#?}");
    assert!(!found.stdout.contains("mark>") && !found.stdout.contains('\u{1b}'), "{found:#?}");
    assert_eq!(serde_json_of(wasiki(&wiki, &["search", "zebra", "--json"]).await.success())[0]["slug"], "home");
    assert_eq!(wasiki(&wiki, &["search", "okapi"]).await.success(), "");
    assert_eq!(wasiki(&wiki, &["list"]).await.success(), "     1  Home (home) #x\n     2  Other (other)\n");
    assert_eq!(wasiki(&wiki, &["list", "--tag", "X"]).await.success(), "     1  Home (home) #x\n");

    wasiki(&wiki, &["delete", "home"]).await.success();
    assert_eq!(wasiki(&wiki, &["get", "home"]).await.error(), "error: there is no page \"home\"");
    assert_eq!(wasiki(&wiki, &["restore", "1"]).await.success(), "restored home (number 1, version 3)\n");
    wasiki(&wiki, &["get", "home"]).await.success();

    wiki.post("/posts/2/move").json(json!({"parent_id": 1})).await.expect(200);
    assert_eq!(wasiki(&wiki, &["delete", "home", "--below", "--version", "1"]).await.code, Some(3));
    let deleted = wasiki(&wiki, &["delete", "home", "--below"]).await;
    assert_eq!(deleted.success(), "deleted home and everything below it; to restore it: wasiki restore 1\n");
    assert_eq!(wasiki(&wiki, &["list"]).await.success(), "");
}

#[tokio::test]
async fn every_error_has_its_exit_code() {
    let (wiki, files) = (App::wiki().start().await, folder());
    for args in [&[][..], &["fly"], &["get"], &["list", "--url", "localhost"], &["import", ".", "--jobs", "0"]] {
        assert_eq!(wasiki(&wiki, args).await.code, Some(2), "{args:?}");
    }
    assert!(wasiki(&wiki, &["import", "/no/such/folder"]).await.error().contains("/no/such/folder"));
    assert_eq!(wasiki(&wiki, &["get", "7"]).await.error(), "error: there is no page \"7\"");
    assert!(
        wasiki_reading(&wiki, &["put", "x", "--title", " "], "text").await.error().contains("title: must not be blank")
    );

    for tag in [".", ".."] {
        let refused = wasiki_reading(&wiki, &["put", "x", "--tag", tag], "text").await;
        assert!(refused.error().contains("must not be one or two points alone"), "{refused:#?}");
    }

    write(&files, "a.md", "x");
    let mut away = command("http://127.0.0.1:1", &["import", text(files.path()), "--retries", "1"]);
    away.env("WASIKI_TOKEN", "s3cret");
    let output = run(away, "").await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stderr.contains("cannot reach the wiki at http://127.0.0.1:1"), "{output:#?}");
    assert!(output.stderr.contains("Run it again") && !output.stderr.contains("s3cret"), "{output:#?}");
}

/// `cargo test --release -p blackbox --test suite client:: -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes a minute or two: 10,000 pages in, out, and in again"]
async fn ten_thousand_files_go_in_and_out() {
    const FILES: usize = 10_000;
    let (wiki, from, to) = (App::wiki().start().await, folder(), folder());
    let paragraph = "A paragraph of ordinary length, with [[Page 7]] and some words to look for. ".repeat(30);
    for number in 0..FILES {
        let text = format!("---\ntags: [number]\n---\n# Page {number}\n\n{paragraph}");
        write(&from, &format!("{}/page-{number}.md", number % 100), text);
    }
    let timed = async |args: &[&str]| {
        let start = Instant::now();
        let output = wasiki(&wiki, args).await;
        let rate = FILES as f64 / start.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        println!("{args:?}: {:.1?}, {rate:.0} pages/s: {}", start.elapsed(), output.success().trim_end());
        output
    };
    let (source, copy) = (text(from.path()), text(to.path()));
    assert!(timed(&["import", source]).await.stdout.starts_with("10,000 files: 10,000 created"));
    assert!(timed(&["import", source]).await.stdout.contains("10,000 unchanged"));
    assert!(timed(&["export", copy]).await.stdout.starts_with("10,000 pages: 10,000 written"));
    assert!(timed(&["export", copy]).await.stdout.contains("10,000 unchanged"));
    assert!(timed(&["import", copy]).await.stdout.contains("10,000 unchanged"));
}

#[tokio::test]
async fn a_token_opens_a_private_wiki_to_the_client() {
    let wiki = App::wiki().access("private").start().await;
    let administrator = wiki.administrator().await;
    let eve = wiki.create_account(&administrator, "eve", "editor").await;
    let cookie = wiki.sign_in("eve", blackbox::PASSWORD).await;
    let token = wiki.create_token(&cookie, "write").await;
    let with_token = |token: &str, args: &[&str]| {
        let mut command = command(wiki.url(), args);
        command.env_remove("WASIKI_AUTHOR").env("WASIKI_TOKEN", token);
        run(command, "")
    };
    let notes = folder();
    write(&notes, "one.md", "# One\n\nBy whoever the token belongs to.");
    let path = notes.path().to_str().unwrap();

    let refused = with_token("", &["import", path]).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("WASIKI_TOKEN"), "{refused:?}");
    let reader = wiki.create_token(&cookie, "read").await;
    let refused = with_token(&reader, &["import", path]).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("scope"), "{refused:?}");
    assert_eq!(wiki.get("/posts").token(&token).await.expect(200).json()["posts"], json!([]));

    let imported = with_token(&token, &["import", path]).await;
    imported.success();
    let posts = wiki.get("/posts").token(&token).await.expect(200).json();
    assert_eq!(posts["posts"][0]["user_id"], eve["id"]);

    let export = folder();
    let exported = with_token(&token, &["export", export.path().to_str().unwrap()]).await;
    exported.success();
    let mut written = format!("{exported:?}{imported:?}{refused:?}");
    for entry in fs::read_dir(export.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            written.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    assert!(written.contains("By whoever the token belongs to."), "{written}");
    for secret in [&token[token.len() - 20..], &reader[reader.len() - 20..], blackbox::PASSWORD] {
        assert!(!written.contains(secret), "{secret} is in what the client wrote");
    }
}

#[tokio::test]
async fn tasks_are_listed_and_ticked() {
    let wiki = App::wiki().start().await;
    let ada = wiki.create_user("ada").await;
    let content = "- [ ] Call @bob due:2026-12-05\n- [ ] Renew due:2026-12-04 repeat:1w\n- [x] over\n";
    let page = json!({"user_id": ada["id"], "slug": "list", "tags": ["ops"], "content": content});
    wiki.post("/posts").json(page).await.expect(201);
    let listed = wasiki(&wiki, &["tasks"]).await;
    let expected = "     2  [ ] 2026-12-04        Renew (list)\n     1  [ ] 2026-12-05        Call @bob (list)\n";
    assert_eq!(listed.success(), expected);
    for (args, numbers) in [
        (&["tasks", "--assignee", "BOB"][..], &[1][..]),
        (&["tasks", "--done"], &[3]),
        (&["tasks", "--tag", "none"], &[]),
        (&["tasks", "--page", "list", "--due-before", "2026-12-05"], &[2]),
        (&["tasks", "--due-after", "2026-12-04", "--limit", "1", "--all"], &[1]),
    ] {
        let args = [args, &["--json"]].concat();
        let listed = serde_json_of(wasiki(&wiki, &args).await.success());
        let found: Vec<i64> = listed.as_array().unwrap().iter().map(|task| task["id"].as_i64().unwrap()).collect();
        assert_eq!(found, numbers, "{args:?}");
    }
    assert_eq!(wasiki(&wiki, &["done", "2"]).await.success(), "done: Renew (list, line 2)\n");
    let content = wasiki(&wiki, &["get", "list"]).await.success().to_owned();
    assert!(content.contains("[x] Renew due:2026-12-04 repeat:1w\n- [ ] Renew due:2026-12-11"), "{content}");
    let opened = wasiki(&wiki, &["done", "2", "--undo"]).await;
    assert_eq!(opened.success(), "open again: Renew (list, line 2)\n");
    assert!(wasiki(&wiki, &["done", "99"]).await.stderr.contains("there is no task 99"));
}
