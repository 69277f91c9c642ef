//! Finding pages: search, suggestions, tags.

use blackbox::{App, Client, Value, at_once, json};

use crate::shared::Shared;

/// [`library`], for tests that only read.
static LIBRARY: Shared = Shared::new("wiki");

async fn write(wiki: &Client, title: &str, content: &str, tags: &[&str]) -> Value {
    let body = json!({"user_id": 1, "title": title, "content": content, "tags": tags});
    wiki.post("/posts").json(body).await.expect(201).json()
}

/// A wiki with a few pages to look for.
async fn library() -> App {
    let wiki = App::wiki().start().await;
    fill(&wiki).await;
    wiki
}

async fn fill(wiki: &Client) {
    wiki.create_user("ada").await;
    wiki.create_user("bob").await;
    write(wiki, "Engines", "The analytical engine weaves algebraic patterns.", &["machines"]).await;
    write(wiki, "Looms", "A loom weaves flowers and leaves. It is no engine.", &["machines", "cloth"]).await;
    write(wiki, "The Who", "A band from London.", &["music"]).await;
    write(wiki, "Größe", "Über die Größe von Seiten, x < y & \"mehr\" davon.", &[]).await;
    let by_bob = json!({"user_id": 2, "content": "# Bob's engine\n\nmade of wood"});
    wiki.post("/posts").json(by_bob).await.expect(201);
}

async fn titles(wiki: &Client, query: &str) -> Vec<String> {
    let results = wiki.walk(&format!("/search?{query}"), "results").await;
    results.iter().map(|found| found["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn text_that_is_slow_to_parse_is_saved_and_found_in_bounded_time() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    // Each had the database's parser begin again at every character.
    for (number, pattern) in ["<!--", "a_", ".a-a", "a-1-", "@1a", "/~", "1e@", "<a "].into_iter().enumerate() {
        let began = std::time::Instant::now();
        let text = format!("{} findable{number}", pattern.repeat(100_000 / pattern.len()));
        write(&wiki, &pattern.repeat(40), &text, &[]).await;
        assert_eq!(titles(&wiki, &format!("q=findable{number}")).await.len(), 1, "{pattern:?}");
        // Reading it once takes milliseconds; reading it from every character on took minutes.
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{pattern:?} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn no_query_takes_long_on_an_ordinary_page() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let words: Vec<&str> = "a the of engine wiki page to and in we is it that for on with".split(' ').collect();
    // Each 1,000 times, and never in the same order.
    let text: Vec<&str> = (0..16_000).map(|n| words[(n * 7 + n / 16 * (n / 256 % 16)) % 16]).collect();
    write(&wiki, "Prose", &text.join(" "), &[]).await;
    let each = |begin: &str, end: &str| words.iter().map(|word| format!("{begin}{word}{end}")).collect::<String>();
    let pairs: String = words.chunks(2).map(|pair| format!("\"{}\" ", pair.join(" "))).collect();
    for query in [
        "a ".repeat(150),
        "A a\u{301} ".repeat(75),
        "\"a\" ".repeat(75),
        words.join(" "),
        format!("{} {}", words.join(" "), each("", "s ")),
        format!("\"{}\"", words.join(" ")),
        format!("\"{}", "a ".repeat(149)),
        pairs.clone(),
        each("\"a ", "\" "),
        each("", " OR "),
        pairs.replace(" \"", " OR \""),
        format!("a {}", "-x".repeat(149)),
        format!("a {}", "- ".repeat(149)),
        format!("a{}", each(" -", "z")),
        format!("a -\"{}\"", words.join(" ")),
        "a OR -".repeat(50),
    ] {
        let query: String = query.chars().take(300).collect();
        for path in ["/search", "/wiki/-/search", "/posts"] {
            let began = std::time::Instant::now();
            let parameters = form_urlencoded::Serializer::new(String::new()).append_pair("q", &query).finish();
            wiki.get(&format!("{path}?{parameters}")).await.expect(200);
            // Milliseconds; some of these took half a minute.
            assert!(began.elapsed() < std::time::Duration::from_secs(2), "{path} {query}: {:?}", began.elapsed());
        }
    }
}

#[tokio::test]
async fn the_site_cuts_a_query_that_is_too_long() {
    let wiki = LIBRARY.client(fill).await;
    let page = wiki.get(&format!("/wiki/-/search?q=engine{}", "+engine".repeat(100))).await.expect(200);
    assert!(page.text().contains("Engines"), "{page:?}");
}

#[tokio::test]
async fn words_joined_by_signs_are_found_apart_and_together() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    write(&wiki, "A well-known page", "Uses snake_case in src/main.rs, see <b>me@example.org</b>.", &[]).await;
    for query in [
        "known",
        "well-known",
        "snake",
        "snake_case",
        "case",
        "src",
        "src/main.rs",
        "%22src/main.rs%22",
        "me@example.org",
    ] {
        assert_eq!(titles(&wiki, &format!("q={query}")).await, ["A well-known page"], "{query}");
    }
    let found = wiki.get("/search?q=snake").await.expect(200).json();
    let snippet = found["results"][0]["snippet"].as_str().unwrap();
    assert!(snippet.contains("<mark>snake</mark>_case in src/main.rs, see me@example.org"), "{snippet}");
    assert_eq!(titles(&wiki, "q=known+-snake").await, [""; 0]);
}

#[tokio::test]
async fn words_phrases_alternatives_and_exclusions_are_understood() {
    let wiki = LIBRARY.client(fill).await;
    for (query, expected) in [
        ("q=weaving", &["Engines", "Looms"][..]),
        ("q=%22algebraic+patterns%22", &["Engines"]),
        ("q=%22patterns+algebraic%22", &[]),
        ("q=flowers+OR+london", &["Looms", "The Who"]),
        ("q=weaves+-loom", &["Engines"]),
        // No word is too common to be found.
        ("q=%22the+who%22", &["The Who"]),
        ("q=gr%C3%B6%C3%9Fe", &["Größe"]),
        ("q=ENGINE&tag=cloth", &["Looms"]),
        ("q=engine&user_id=2", &["Bob's engine"]),
        ("q=engine&user_id=7", &[]),
        ("q=nowhere", &[]),
        ("q=%27%29%3B--+%26+%7C+%21", &[]),
    ] {
        let mut found = titles(&wiki, query).await;
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_match_in_the_title_ranks_first() {
    let wiki = library().await;
    for n in 0..5 {
        write(&wiki, &format!("Other {n}"), "engine engine engine engine, and nothing but engine", &[]).await;
    }
    let found = titles(&wiki, "q=engine").await;
    assert_eq!(found.len(), 8);
    assert!(found[..2].contains(&"Engines".to_owned()) && found[..2].contains(&"Bob's engine".to_owned()), "{found:?}");
    // The same, page by page.
    assert_eq!(titles(&wiki, "q=engine&limit=3").await, found);
}

#[tokio::test]
async fn every_page_is_found_once_although_many_rank_equally() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    // Ranks whose digits differ in what JSON keeps of them: a word more makes another rank.
    for group in 0..30 {
        let content = format!("needle {}", "hay ".repeat(group * 3));
        for _ in 0..4 {
            write(&wiki, "x", &content, &[]).await;
        }
    }
    let all = wiki.get("/search?q=needle&limit=200").await.expect(200).json();
    let all: Vec<i64> = all["results"].as_array().unwrap().iter().map(|it| it["post_id"].as_i64().unwrap()).collect();
    assert_eq!(all.len(), 120);
    for limit in [2, 3, 7, 50] {
        let found = wiki.walk(&format!("/search?q=needle&limit={limit}"), "results").await;
        let found: Vec<i64> = found.iter().map(|it| it["post_id"].as_i64().unwrap()).collect();
        assert_eq!(found, all, "{limit} at a time");
    }
}

#[tokio::test]
async fn snippets_show_the_words_and_are_safe_as_html() {
    let wiki = LIBRARY.client(fill).await;
    let results = wiki.get("/search?q=seiten").await.expect(200).json();
    let snippet = results["results"][0]["snippet"].as_str().unwrap();
    assert_eq!(snippet, "Über die Größe von <mark>Seiten</mark>, x &lt; y &amp; &quot;mehr&quot; davon");
}

#[tokio::test]
async fn search_follows_edits_deletions_and_restores() {
    let wiki = library().await;
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "Only steam."})).await.expect(200);
    assert_eq!(titles(&wiki, "q=algebraic").await, [""; 0]);
    assert_eq!(titles(&wiki, "q=steam").await, ["Engines"]);
    wiki.delete("/posts/1").await.expect(204);
    assert_eq!(titles(&wiki, "q=steam").await, [""; 0]);
    wiki.post("/posts/1/restore").await.expect(200);
    assert_eq!(titles(&wiki, "q=steam").await, ["Engines"]);
    // The list of pages can be narrowed in the same way, in its own order.
    let listed = wiki.walk("/posts?q=weaves+OR+steam&sort=title&limit=1", "posts").await;
    assert_eq!(listed.iter().map(|post| &post["title"]).collect::<Vec<_>>(), ["Engines", "Looms"]);
}

#[tokio::test]
async fn queries_that_cannot_be_answered_are_refused() {
    let wiki = LIBRARY.client(fill).await;
    let long = format!("/search?q={}", "x".repeat(301));
    for (target, field) in [
        ("/search", "q"),
        ("/search?q=", "q"),
        ("/search?q=+", "q"),
        ("/search?q=%00", "q"),
        (&long, "q"),
        ("/search?q=a&limit=0", "limit"),
        ("/search?q=a&limit=201", "limit"),
        ("/search?q=a&cursor=zz", "cursor"),
        ("/search?q=a&tag=%00", "tag"),
        ("/posts?q=", "q"),
        ("/search/suggestions?q=%00", "q"),
    ] {
        wiki.get(target).await.invalid(field);
    }
    // A cursor of another list does not fit.
    let posts = wiki.get("/posts?limit=1").await.json();
    let cursor = posts["next"].as_str().unwrap().split("cursor=").nth(1).unwrap().to_owned();
    wiki.get(&format!("/search?q=a&cursor={cursor}")).await.invalid("cursor");
}

#[tokio::test]
async fn a_page_with_too_many_words_to_index_is_still_saved_and_found() {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    let numbers: String = (0..130_000).map(|n| format!("{:x} ", n * 7919 + 4096)).collect();
    // What takes most room in the index: compounds of different ideographs, which count as a whole and in their parts.
    let ideograph = |n: u32| char::from_u32(0x4e00 + n % 20_000).unwrap();
    let astral = |n: u32| char::from_u32(0x20000 + n % 40_000).unwrap();
    let compounds: String =
        (0..60_000).map(|n| format!("{}-{} ", ideograph(n), ideograph(n * 7 + n / 20_000 + 1))).collect();
    let rare: String = (0..60_000).map(|n| format!("{}-{} ", astral(n), astral(n * 7 + n / 40_000 + 1))).collect();
    let letters: String = (0..200_000).map(|n| format!("{:x}-{:x} ", n % 256, n / 256)).collect();
    let urls: String = (0..60_000).map(|n| format!("a{n:x}.de/{n:x} ")).collect();
    for (index, words) in [numbers, compounds, rare, letters, urls].into_iter().enumerate() {
        let mut content = format!("needle{index} {words}");
        let end = (0..=1 << 20).rev().find(|end| content.is_char_boundary(*end)).unwrap();
        content.truncate(end);
        let title = format!("Many words {index}");
        write(&wiki, &title, &content, &[]).await;
        assert_eq!(titles(&wiki, &format!("q=needle{index}")).await, [title]);
    }
    assert_eq!(titles(&wiki, "q=many").await.len(), 5);
}

#[tokio::test]
async fn titles_are_suggested_by_how_they_begin() {
    let wiki = library().await;
    write(&wiki, "100% of it", "x", &[]).await;
    write(&wiki, "100 years", "x", &[]).await;
    for n in 0..12 {
        write(&wiki, &format!("Zebra {n:02}"), "x", &[]).await;
    }
    for (query, expected) in [
        ("eng", &["Engines", "Bob's engine"][..]),
        ("LO", &["Looms"]),
        ("the+w", &["The Who"]),
        ("100%25", &["100% of it", "100 years"]),
        ("_", &[]),
        ("", &[]),
        ("who", &["The Who"]),
    ] {
        let answer = wiki.get(&format!("/search/suggestions?q={query}")).await.expect(200).json();
        let found: Vec<&str> =
            answer["suggestions"].as_array().unwrap().iter().map(|s| s["title"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    let many = wiki.get("/search/suggestions?q=zebra").await.expect(200).json();
    assert_eq!(many["suggestions"].as_array().unwrap().len(), 10);
    assert_eq!(many["suggestions"][0], json!({"title": "Zebra 00", "slug": "zebra-00", "place": []}));
    // Titles are told apart by what is above them.
    let zebra = many["suggestions"][0]["slug"].as_str().unwrap();
    let above = wiki.get(&format!("/posts?slug={zebra}")).await.expect(200).json()["posts"][0]["post_id"].clone();
    for (title, parent) in [("Stripes", &above), ("Stripes of foals", &json!(null))] {
        let page = json!({"user_id": 1, "title": title, "content": "x", "parent_id": parent});
        wiki.post("/posts").json(page).await.expect(201);
    }
    let placed = wiki.get("/search/suggestions?q=stripes").await.expect(200).json();
    assert_eq!(
        placed["suggestions"],
        json!([
            {"title": "Stripes", "slug": "stripes", "place": ["Zebra 00"]},
            {"title": "Stripes of foals", "slug": "stripes-of-foals", "place": []},
        ])
    );
}

#[tokio::test]
async fn tags_are_counted_as_pages_come_change_and_go() {
    let wiki = library().await;
    let tags = async |wiki: &Client| {
        let tags = wiki.walk("/tags?limit=2", "tags").await;
        tags.iter().map(|tag| format!("{}={}", tag["name"].as_str().unwrap(), tag["posts"])).collect::<Vec<_>>()
    };
    assert_eq!(tags(&wiki).await, ["cloth=1", "machines=2", "music=1"]);
    wiki.put("/posts/1").header("if-match", "*").json(json!({"content": "x", "tags": ["cloth"]})).await.expect(200);
    wiki.delete("/posts/3").await.expect(204);
    assert_eq!(tags(&wiki).await, ["cloth=2", "machines=1"]);
    wiki.post("/posts/3/restore").await.expect(200);
    wiki.post("/posts/1/revert").json(json!({"version": 1})).await.expect(200);
    assert_eq!(tags(&wiki).await, ["cloth=1", "machines=2", "music=1"]);
    wiki.get("/tags?cursor=zz").await.invalid("cursor");
    wiki.get("/tags?limit=0").await.invalid("limit");
}

#[tokio::test]
async fn concurrent_tagging_is_counted_exactly() {
    let wiki = App::wiki().replicas(2).start().await;
    wiki.create_user("ada").await;
    let posts = (0..40).map(|n| {
        let client = wiki.replica(n % wiki.replicas()).clone();
        // In both orders, which must not make two of them wait for each other.
        let tags = if n % 2 == 0 { ["a", "b", "c"] } else { ["c", "b", "a"] };
        async move { write(&client, &format!("Page {n}"), "x", &tags).await }
    });
    at_once(posts).await;
    let tags = wiki.get("/tags").await.expect(200).json();
    assert_eq!(tags["tags"], json!(["a", "b", "c"].map(|name| json!({"name": name, "posts": 40}))));
}
