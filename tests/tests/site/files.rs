//! Files of pages as a browser without scripts adds and sees them.

use blackbox::{ADMIN_PASSWORD, App, Client, PASSWORD, Request, Response, json};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/// A PNG of this size, without its pixels.
fn png(width: u32, height: u32) -> Vec<u8> {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    [&head[..], &width.to_be_bytes(), &height.to_be_bytes(), b"\x08\x06\0\0\0\0\0\0\0"].concat()
}

/// A form of the wiki's own pages with a file at its end, as a browser sends it.
fn form(wiki: &Client, path: &str, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Request {
    let mut body = Vec::new();
    for (name, value) in fields {
        let field = format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(field.into_bytes());
    }
    let (name, media_type, bytes) = file;
    let head = format!(
        "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
    );
    body.extend([head.as_bytes(), bytes, b"\r\n--xyz--\r\n"].concat());
    let request = wiki.post(path).header("accept", BROWSER).header("sec-fetch-site", "same-origin");
    request.body("multipart/form-data; boundary=xyz", body)
}

async fn open(wiki: &Client, path: &str) -> Response {
    wiki.get(path).header("accept", BROWSER).await
}

/// What an element contains, as a browser would show it.
#[track_caller]
fn text(response: &Response, css: &str) -> String {
    let document = scraper::Html::parse_document(response.text());
    let found = document.select(&scraper::Selector::parse(css).unwrap()).next();
    found.unwrap_or_else(|| panic!("{css} in {response:?}")).text().collect::<String>().trim().to_owned()
}

async fn wiki() -> App {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let page = json!({"user_id": 1, "title": "Racks", "slug": "racks", "content": "Text"});
    wiki.post("/posts").json(page).await.expect(201);
    wiki
}

const FIELDS: [(&str, &str); 7] = [
    ("title", "Racks, a new title"),
    ("content", "Typed <b> & \"quoted\"\r\n\r\n"),
    ("tags", "one, two"),
    ("comment", "why"),
    ("author", "Ada"),
    ("page", "1"),
    ("version", "1"),
];

#[tokio::test]
async fn a_file_comes_into_the_text_and_nothing_typed_is_lost() {
    let wiki = wiki().await;
    let form_page = open(&wiki, "/wiki/racks/edit").await.expect(200);
    assert!(form_page.text().contains("formenctype=\"multipart/form-data\""), "{form_page:?}");
    let edit = |file| form(&wiki, "/wiki/racks/edit", &FIELDS, file);
    let picture = png(800, 600);
    let back = edit(("racks [1].png", "image/png", &picture)).await.expect(200);
    let content = "Typed <b> & \"quoted\"\n\n![racks \\[1\\]](/files/1/racks%20%5B1%5D.png)";
    assert_eq!(text(&back, "#_content"), content);
    assert_eq!(
        text(&back, "#_added"),
        "“racks [1].png” is at the end of the text now. Save the page to keep it there."
    );
    for typed in ["Racks, a new title", "one, two", "why", "Ada"] {
        assert!(back.text().contains(&format!("value=\"{typed}\"")), "{typed}: {back:?}");
    }
    // The page itself is as it was, until it is saved.
    assert_eq!(wiki.get("/posts/1").await.json()["version"], 1);
    let mut fields = FIELDS.to_vec();
    fields[1].1 = content;
    fields.push(("slug", "racks"));
    let saved = wiki.post("/wiki/racks/edit").header("accept", BROWSER).form(&fields).await.expect(303);
    let page = open(&wiki, saved.header("location").split('?').next().unwrap()).await.expect(200);
    let picture =
        "<img src=\"/files/1/racks%20%5B1%5D.png\" alt=\"racks [1]\" width=\"800\" height=\"600\" loading=\"lazy\">";
    assert!(page.text().contains(picture), "{page:?}");
    assert!(page.header("content-security-policy").contains("img-src 'self'"));

    // What is no picture is a link.
    let back = edit(("plan.pdf", "application/pdf", b"%PDF-1.7")).await.expect(200);
    assert!(text(&back, "#_content").ends_with("[plan.pdf](/files/2/plan.pdf)"), "{back:?}");
}

#[tokio::test]
async fn a_file_that_is_refused_takes_nothing_along() {
    let wiki = App::wiki().env("SPIN_VARIABLE_MAX_FILE_SIZE", "100kB").start().await;
    wiki.create_user("ada").await;
    let page = json!({"user_id": 1, "title": "Racks", "slug": "racks", "content": "Text"});
    wiki.post("/posts").json(page).await.expect(201);
    let large = vec![0; 12 << 20];
    for (name, media_type, bytes, status, reason) in [
        ("", "application/octet-stream", &b""[..], 422, "Choose a file first."),
        ("a.txt", "text/plain", b"", 422, "The file is empty: it has no bytes."),
        (
            "a.png",
            "image/png",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            422,
            "The file says that it is image/png, but is image/gif; send it as that.",
        ),
        (
            "a/b.png",
            "text/plain",
            b"x",
            422,
            "The name of the file must be a name without folders: leave out / and \\.",
        ),
        ("a.bin", "", &large, 413, "The file is too large: it may have at most 100 kB."),
    ] {
        let back = form(&wiki, "/wiki/racks/edit", &FIELDS, (name, media_type, bytes)).await.expect(status);
        assert_eq!(text(&back, "#_file-error"), reason);
        assert_eq!(text(&back, "#_content"), "Typed <b> & \"quoted\"");
        let back = form(&wiki, "/wiki/racks/files", &[], (name, media_type, bytes)).await.expect(status);
        assert_eq!(text(&back, "#_file-error"), reason);
    }
    // Saved without it, a file that was chosen would be lost unseen.
    let mut fields = FIELDS.to_vec();
    fields.push(("file", "a.png"));
    let back = wiki.post("/wiki/racks/edit").header("accept", BROWSER).form(&fields).await.expect(422);
    assert!(text(&back, "#_file-error").contains("“a.png” is not added yet"), "{back:?}");
    // A page that is not there yet has no place for it.
    let back = form(&wiki, "/wiki/-/new", &FIELDS[..5], ("a.txt", "text/plain", b"x")).await.expect(422);
    assert!(text(&back, "#_errors").contains("Save the page first."), "{back:?}");
    assert_eq!(text(&back, "#_content"), "Typed <b> & \"quoted\"");
    assert!(wiki.walk("/posts/1/files", "files").await.is_empty());
    assert_eq!(wiki.database().column("SELECT count(*)::text FROM blobs").await, ["0"]);
}

#[tokio::test]
async fn a_session_that_ended_loses_nothing_typed_beside_a_file() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let page = json!({"title": "Racks", "slug": "racks", "content": "Text"});
    wiki.post("/posts").cookie(&administrator).json(page).await.expect(201);
    wiki.create_account(&administrator, "eve", "editor").await;
    let back =
        form(&wiki, "/wiki/racks/edit", &FIELDS, ("a.txt", "text/plain", &vec![b'x'; 10 << 20])).await.expect(401);
    assert_eq!(text(&back, "#_content"), "Typed <b> & \"quoted\"");
    assert!(back.text().contains("name=\"sign_in_password\""), "{back:?}");
    // Signed in with the form that brings the file.
    let mut fields = FIELDS.to_vec();
    fields.extend([("sign_in_username", "eve"), ("sign_in_password", blackbox::PASSWORD)]);
    let back = form(&wiki, "/wiki/racks/edit", &fields, ("a.txt", "text/plain", b"x")).await.expect(200);
    assert!(text(&back, "#_content").ends_with("[a.txt](/files/1/a.txt)"), "{back:?}");
    assert!(back.has_header("set-cookie"));
    // From another site, nothing is added.
    let other = wiki.post("/wiki/racks/files").cookie(&administrator).header("sec-fetch-site", "cross-site");
    other.body("multipart/form-data; boundary=x", "--x--").await.expect(403);
}

#[tokio::test]
async fn the_files_of_a_page_are_listed_added_and_deleted() {
    let wiki = wiki().await;
    let none = open(&wiki, "/wiki/racks/files").await.expect(200);
    assert!(none.text().contains("This page has no files yet."), "{none:?}");
    assert!(open(&wiki, "/wiki/racks").await.links().contains(&"/wiki/racks/files".to_owned()));
    let file = ("räcks.png", "image/png", &*png(800, 600));
    let added = form(&wiki, "/wiki/racks/files", &[], file).await.expect(303);
    assert_eq!(added.header("location"), "/wiki/racks/files");
    let list = open(&wiki, "/wiki/racks/files").await.expect(200);
    assert_eq!(text(&list, ".files .title"), "räcks.png");
    assert!(text(&list, ".files .facts").starts_with("33 bytes · image/png · 800 × 600"), "{list:?}");
    assert_eq!(text(&list, ".files code"), "![räcks](/files/1/r%C3%A4cks.png)");
    let missing = wiki.post("/wiki/racks/files/delete").header("accept", BROWSER).form(&[("id", "9")]).await;
    assert_eq!(missing.status(), 404);
    let delete = wiki.post("/wiki/racks/files/delete").header("accept", BROWSER).form(&[("id", "1")]);
    assert_eq!(delete.await.expect(303).header("location"), "/wiki/racks/files");
    assert!(open(&wiki, "/wiki/racks/files").await.text().contains("This page has no files yet."));
    open(&wiki, "/wiki/none/files").await.expect(404);
}

#[tokio::test]
async fn a_picture_that_is_missing_is_said_to_be() {
    let wiki = wiki().await;
    form(&wiki, "/wiki/racks/files", &[], ("a.png", "image/png", &png(4, 3))).await.expect(303);
    let content = "![one](/files/1/a.png) ![two](/files/2/b.png) ![three](https://example.org/files/2/c.png)";
    for (slug, size) in [("racks", " width=\"4\" height=\"3\""), ("other", "")] {
        let page = json!({"user_id": 1, "title": slug, "slug": slug, "content": content});
        let request = if slug == "racks" { wiki.put("/posts/1").header("if-match", "*") } else { wiki.post("/posts") };
        assert!(request.json(page).await.status() < 300);
        let shown = open(&wiki, &format!("/wiki/{slug}")).await.expect(200);
        for html in [
            // Of another page's file, nothing is told.
            format!("<img src=\"/files/1/a.png\" alt=\"one\"{size} loading=\"lazy\">"),
            "<span class=\"no-picture\">Missing picture: two</span>".to_owned(),
            "<img src=\"https://example.org/files/2/c.png\" alt=\"three\" loading=\"lazy\">".to_owned(),
        ] {
            assert!(shown.text().contains(&html), "{html} in {shown:?}");
        }
    }
}

#[tokio::test]
async fn a_new_page_takes_files_of_people_with_accounts() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    wiki.choose_password(&administrator, ADMIN_PASSWORD).await;
    let administrator = wiki.sign_in("admin", PASSWORD).await;
    wiki.create_account(&administrator, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    let new = wiki.get("/wiki/-/new").cookie(&eve).header("accept", BROWSER).await.expect(200);
    assert!(new.text().contains("formenctype=\"multipart/form-data\"") && new.text().contains("data-files=\"/files\""));

    let fields = [("title", "Racks"), ("content", "Typed")];
    let back = form(&wiki, "/wiki/-/new", &fields, ("racks.png", "image/png", &png(80, 60))).cookie(&eve);
    let back = back.await.expect(200);
    let content = "Typed\n\n![racks](/files/1/racks.png)";
    assert_eq!(text(&back, "#_content"), content);
    assert!(back.text().contains("value=\"Racks\""), "{back:?}");
    let typed = [("title", "Racks"), ("content", content)];
    let preview = wiki.post("/wiki/-/preview").cookie(&eve).form(&typed).await.expect(200);
    assert!(preview.text().contains("width=\"80\" height=\"60\""), "{preview:?}");
    let saved = wiki.post("/wiki/-/new").cookie(&eve).header("accept", BROWSER);
    saved.form(&typed).await.expect(303);
    let page = open(&wiki, "/wiki/racks").await.expect(200);
    assert!(page.text().contains("width=\"80\" height=\"60\""), "{page:?}");
    wiki.get("/files/1/racks.png").await.expect(200);

    // Without an account, a file would be nobody's until then.
    let open_wiki = App::wiki().start().await;
    let new = open(&open_wiki, "/wiki/-/new").await.expect(200);
    assert!(!new.text().contains("multipart/form-data") && !new.text().contains("data-files"));
}
