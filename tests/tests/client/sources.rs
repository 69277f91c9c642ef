//! Imports of what other programs export, from the samples in `tests/fixtures/imports/`.

use blackbox::{App, Client, Output, Value, json, repository};

use super::commands::{folder, pages, serde_json_of, text, wasiki, write};

/// The sample of a program, imported into an empty wiki.
async fn imported(source: &str, options: &[&str]) -> (App, Output) {
    let wiki = App::wiki().start().await;
    let sample = repository().join("tests/fixtures/imports").join(source);
    let output = wasiki(&wiki, &[&["import", text(&sample)], options].concat()).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    // What was imported is as its files.
    let again = wasiki(&wiki, &[&["import", text(&sample)], options].concat()).await;
    assert!(again.success().contains(": 0 created, 0 updated,"), "{again:#?}");
    (wiki, output)
}

/// A page by its slug.
async fn page(wiki: &Client, slug: &str) -> Value {
    let found = wiki.get(&format!("/posts?slug={slug}")).await.expect(200).json();
    let id = found["posts"][0]["post_id"].as_i64().unwrap_or_else(|| panic!("there is no page {slug}"));
    wiki.get(&format!("/posts/{id}")).await.expect(200).json()
}

async fn slugs(wiki: &Client) -> Vec<String> {
    pages(wiki).await.into_keys().collect()
}

/// Whether the page says all of this.
fn assert_says(page: &Value, texts: &[&str]) {
    let content = page["content"].as_str().unwrap();
    for text in texts {
        assert!(content.contains(text), "{text} in {content}");
    }
}

fn assert_left_out(output: &Output, lines: &[&str]) {
    let (_, left_out) = output.stdout.split_once("left out:\n").unwrap_or_else(|| panic!("{output:#?}"));
    assert_eq!(left_out.lines().map(str::trim).collect::<Vec<_>>(), lines, "{output:#?}");
}

/// The titles of the pages that link to a page.
async fn backlinks(wiki: &Client, page: &Value) -> Vec<String> {
    let linking = wiki.walk(&format!("/posts/{}/backlinks?sort=title&limit=50", page["post_id"]), "posts").await;
    linking.iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_vault_of_obsidian() {
    let (wiki, output) = imported("obsidian", &[]).await;
    let all = ["archive-2020-alpha", "daily-2024-05-01", "home", "projects-alpha", "projects-beta"];
    assert_eq!(slugs(&wiki).await, all);
    let alpha = page(&wiki, "projects-alpha").await;
    assert_eq!(alpha["title"], "Alpha: the first project");
    assert_eq!(alpha["tags"], json!(["project", "active"]));
    assert_eq!(alpha["created_time"], "2024-05-01T09:30:00.000000Z");
    assert_eq!(alpha["updated_time"], "2024-06-02T10:00:00.000000Z");
    assert_says(&alpha, &["## Plan\n\nBack to [[Home]]. It's before [[projects-beta|Beta]].\n"]);
    assert_eq!(backlinks(&wiki, &alpha).await, ["2024-05-01", "Home"]);
    for alias in ["project-a", "a1"] {
        let redirect = wiki.get(&format!("/wiki/{alias}")).await;
        assert!(redirect.header("location").ends_with("/wiki/projects-alpha"), "{redirect:?}");
    }

    let beta = page(&wiki, "projects-beta").await;
    assert_eq!((&beta["title"], &beta["tags"]), (&json!("Beta"), &json!(["project", "idea"])));
    assert_says(&beta, &["[[archive-2020-alpha|Alpha]]"]);
    // The rule above it is no front matter.
    let daily = page(&wiki, "daily-2024-05-01").await;
    assert_eq!(daily["title"], "2024-05-01");
    assert_says(&daily, &["---\n\n## Tasks\n\n- [x] Write to [[projects-alpha|Alpha]]\n"]);
    assert_says(
        &page(&wiki, "home").await,
        &[
            // What leads there as it is, stays.
            "[[projects-alpha|the first one]], [[Projects/Beta#Milestones]], [[projects-beta|Beta]].",
            "Projects: [[projects-alpha|Alpha]], ",
            "[[projects-alpha#Plan|plan]] and [[Not written yet]].",
            "| [[projects-beta\\|Beta]] | Ada |",
            "\n[[projects-alpha|Alpha]]\n\n![plan.png](/files/1/plan.png)\n",
        ],
    );
    assert!(output.stderr.contains("`cssclasses` in the front matter of one file is ignored"), "{output:#?}");
    assert_left_out(&output, &["1 page shown in another: now a link"]);
}

#[tokio::test]
async fn an_export_of_notion() {
    let (wiki, output) = imported("notion", &[]).await;
    let notes = ["team-onboarding-untitled", "team-onboarding-untitled-2"];
    assert_eq!(slugs(&wiki).await, ["team", "team-onboarding", notes[0], notes[1]]);
    let onboarding = page(&wiki, "team-onboarding").await;
    assert_eq!((&onboarding["title"], &onboarding["tags"]), (&json!("Onboarding"), &json!(["people", "first day"])));
    assert_eq!(onboarding["created_time"], "2024-05-01T12:00:00.000000Z");
    assert_eq!(onboarding["updated_time"], "2024-05-02T08:15:00.000000Z");
    assert_says(&onboarding, &["Owner: Ada", "Back to [[Team]]."]);
    // Of two pages with one name, each link leads to its own.
    assert_says(&onboarding, &["[[team-onboarding-untitled|a note]] and [[team-onboarding-untitled-2|another]]"]);
    for (slug, first_word) in [(notes[0], "First"), (notes[1], "Second")] {
        let note = page(&wiki, slug).await;
        assert_eq!(note["title"], "Untitled");
        assert_says(&note, &[first_word]);
    }
    assert_says(&page(&wiki, "team").await, &["[[team-onboarding|Onboarding]]"]);
    assert!(output.stderr.contains("becomes the page \"team-onboarding-untitled-2\", since"), "{output:#?}");
    // What a page shows or links to came along.
    assert!(!output.stdout.contains("left out"), "{output:#?}");
    let files = format!("/posts/{}/files?limit=1", page(&wiki, "team").await["post_id"]);
    assert_eq!(wiki.walk(&files, "files").await.len(), 2);
}

#[tokio::test]
async fn a_blog_of_jekyll() {
    let (wiki, output) = imported("jekyll", &[]).await;
    assert_eq!(slugs(&wiki).await, ["about", "contact", "hello-world", "second-post"]);
    let hello = page(&wiki, "hello-world").await;
    assert_eq!((&hello["title"], &hello["tags"]), (&json!("Hello: world"), &json!(["one", "two", "news"])));
    assert_eq!(hello["created_time"], "2024-05-01T10:00:00.000000Z");
    assert_eq!(hello["updated_time"], "2024-05-03T00:00:00.000000Z");
    assert_eq!(pages(&wiki).await["hello-world"][3], "Ada Lovelace");
    assert_says(&hello, &["Read [[about#contact|about us]]."]);
    assert!(wiki.get("/wiki/old-hello").await.header("location").ends_with("/wiki/hello-world"));
    let second = page(&wiki, "second-post").await;
    assert_eq!(
        (&second["title"], &second["created_time"]),
        (&json!("Second post"), &json!("2024-06-01T00:00:00.000000Z"))
    );
    assert_says(&second, &["After [[hello-world|the first]], or [[hello-world|by its address]].", "({% post_url 2024"]);
    assert_says(&page(&wiki, "contact").await, &["[[about#contact|us]]"]);
    assert_left_out(
        &output,
        &["2 drafts: --drafts imports them", "1 file of the site generator", "1 file that is not Markdown: 1 .yml"],
    );

    let (wiki, _) = imported("jekyll", &["--drafts"]).await;
    assert_eq!(slugs(&wiki).await, ["about", "contact", "hello-world", "idea", "second-post", "unpublished"]);
}

#[tokio::test]
async fn a_site_of_hugo() {
    let (wiki, output) = imported("hugo", &[]).await;
    assert_eq!(slugs(&wiki).await, ["guide-upgrade", "index", "setup"]);
    let install = page(&wiki, "setup").await;
    assert_eq!(install["title"], "Install: the \"short\" way");
    assert_eq!(install["tags"], json!(["guide", "first steps"]));
    assert_eq!(install["created_time"], "2024-05-01T10:00:00.000000Z");
    assert_eq!(install["updated_time"], "2024-06-01T00:00:00.000000Z");
    assert_says(&install, &["```sh\n# install it\nmake install\n```", "[[guide-upgrade#from-one-to-two|upgrade]]"]);
    assert!(wiki.get("/wiki/old-install").await.header("location").ends_with("/wiki/setup"));
    assert_says(&page(&wiki, "index").await, &["Start with [[setup|the guide]]."]);
    assert_says(&page(&wiki, "guide-upgrade").await, &["See [[setup#x|install]] and [[setup|the guide]]."]);
    assert_left_out(
        &output,
        &["1 draft: --drafts imports them", "1 file of the site generator", "1 file that is not Markdown: 1 .toml"],
    );
}

#[tokio::test]
async fn a_book_of_bookstack() {
    let (wiki, _) = imported("bookstack", &[]).await;
    assert_eq!(slugs(&wiki).await, ["handbook-first-steps", "handbook-on-call"]);
    let steps = page(&wiki, "handbook-first-steps").await;
    assert_eq!(steps["title"], "First steps");
    assert_says(
        &steps,
        &["[[handbook-on-call#bkmrk-first|on call]]", "[![image.png](https://books.example.org/uploads"],
    );
    assert_says(
        &page(&wiki, "handbook-on-call").await,
        &["Back to [[handbook-first-steps|First steps]], or [elsewhere](https://other.example.org/page/first-steps)."],
    );
}

#[tokio::test]
async fn a_repository_of_wiki_js() {
    let (wiki, output) = imported("wikijs", &[]).await;
    assert_eq!(slugs(&wiki).await, ["guides-install", "home"]);
    let home = page(&wiki, "home").await;
    assert_eq!((&home["title"], &home["tags"]), (&json!("Welcome"), &json!(["start", "first steps"])));
    assert_eq!(home["created_time"], "2024-05-01T09:30:00.000000Z");
    assert_eq!(home["version"], 2, "the address of the logo came later");
    let logo = wiki.get(&format!("/posts/{}/files", home["post_id"])).await.json()["files"][0].clone();
    assert_eq!(
        (&logo["name"], &logo["content_type"], &logo["width"]),
        (&json!("logo.png"), &json!("image/png"), &json!(1))
    );
    let link = format!("[logo]({})", logo["url"].as_str().unwrap());
    assert_says(&home, &["[[guides-install|guide]], [[guides-install#second|in English]], ", &link]);
    let install = page(&wiki, "guides-install").await;
    assert_eq!((&install["title"], &install["tags"]), (&json!("Installing: all steps"), &json!([])));
    assert_says(&install, &["Back [[home]]."]);
    assert_left_out(&output, &["1 draft: --drafts imports them"]);
}

#[tokio::test]
async fn a_collection_of_outline() {
    let (wiki, output) = imported("outline", &[]).await;
    assert_eq!(slugs(&wiki).await, ["engineering-runbook", "engineering-runbook-restart-the-database"]);
    let runbook = page(&wiki, "engineering-runbook").await;
    assert_eq!(runbook["title"], "Runbook");
    let restart = "[[engineering-runbook-restart-the-database|Restart]]";
    assert_says(&runbook, &[restart, "[[engineering-runbook-restart-the-database|restart]]"]);
    assert_says(&page(&wiki, "engineering-runbook-restart-the-database").await, &["[[engineering-runbook|Runbook]]"]);
    assert!(!output.stdout.contains("left out"), "{output:#?}");
    assert_says(&runbook, &["![A plan](/files/1/3f1c2a44-plan.png \" =400x300\")"]);
}

#[tokio::test]
async fn pages_of_dokuwiki_from_pandoc() {
    let (wiki, _) = imported("dokuwiki", &[]).await;
    let all = ["ops-duty-roster", "ops-escalation", "people-ada", "policy", "start", "wiki-syntax"];
    assert_eq!(slugs(&wiki).await, all);
    let roster = page(&wiki, "ops-duty-roster").await;
    assert_eq!(roster["title"], "Duty roster");
    assert_says(
        &roster,
        &[
            "see [[wiki-syntax|the syntax]] and [[start]] and [[ops-escalation#second_step|escalation]] or [[policy]].",
            "[[people-ada\\|Ada]]",
        ],
    );
    assert_eq!(page(&wiki, "people-ada").await["title"], "ada");
    assert_says(&page(&wiki, "start").await, &["[[ops-duty-roster|Roster]]"]);
}

#[tokio::test]
async fn pages_of_mediawiki_from_pandoc() {
    let (wiki, output) = imported("mediawiki", &[]).await;
    assert_eq!(slugs(&wiki).await, ["ada-lovelace", "duty-roster", "escalation-policy", "main-page"]);
    let roster = page(&wiki, "duty-roster").await;
    assert_eq!(roster["title"], "Duty roster");
    assert_says(
        &roster,
        &[
            "is for [[Main Page]] and [[escalation-policy#Second_step|escalation]].",
            "See [[Help:Contents]] or [outside](https://example.org) or [[Missing page]].",
            "[[ada-lovelace\\|Ada]]",
        ],
    );
    assert_eq!(page(&wiki, "ada-lovelace").await["title"], "Ada Lovelace");
    assert_says(&page(&wiki, "main-page").await, &["See the [[Duty roster]], or [[duty-roster|who is on call]]."]);
    assert_left_out(&output, &["1 link or image of files that are not Markdown"]);
}

#[tokio::test]
async fn files_in_other_encodings_are_read_or_refused_with_advice() {
    let (wiki, files) = (App::wiki().start().await, folder());
    let utf_16: Vec<u8> = "\u{feff}# Größe\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(&files, "utf-16.md", utf_16);
    write(&files, "mark.md", "\u{feff}---\r\ntitle: Größe\r\n---\r\ntext\r\n");
    write(&files, "latin.md", b"one\nGr\xf6\xdfe");
    let dir = text(files.path());
    let refused = wasiki(&wiki, &["import", dir]).await;
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("error: latin.md:2: is not UTF-8, but perhaps Latin-1"), "{refused:#?}");
    assert!(refused.stderr.contains("iconv -f WINDOWS-1252 -t UTF-8"), "{refused:#?}");
    let read = wasiki(&wiki, &["import", dir, "--encoding", "windows-1252", "--json"]).await;
    assert_eq!(serde_json_of(read.success())["created"], 1);
    let pages = pages(&wiki).await;
    assert_eq!((&pages["utf-16"][0], &pages["utf-16"][2]), (&json!("Größe"), &json!("# Größe\r\n")));
    assert_eq!((&pages["mark"][0], &pages["mark"][2]), (&json!("Größe"), &json!("text\r\n")));
    assert_eq!(pages["latin"][2], "one\nGröße");
    assert_eq!(wasiki(&wiki, &["import", dir, "--encoding", "klingon"]).await.code, Some(2));
}
