//! Search finds what people half remember: other spellings, parts and forms of words, in many languages.

use blackbox::{App, Client, Value, at_once, json};

async fn wiki() -> App {
    let wiki = App::wiki().start().await;
    wiki.create_user("ada").await;
    wiki
}

async fn write(wiki: &Client, title: &str, content: &str) -> i64 {
    let body = json!({"user_id": 1, "title": title, "content": content});
    wiki.post("/posts").json(body).await.expect(201).json()["post_id"].as_i64().unwrap()
}

/// The answer to a search, with further parameters behind a `&`.
async fn search(wiki: &Client, typed: &str, more: &str) -> Value {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", typed).finish();
    wiki.get(&format!("/search?{query}{more}")).await.expect(200).json()
}

/// The titles that a search finds, best first.
async fn found(wiki: &Client, typed: &str) -> Vec<String> {
    let found = search(wiki, typed, "").await;
    found["results"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
}

async fn snippet(wiki: &Client, typed: &str) -> String {
    search(wiki, typed, "").await["results"][0]["snippet"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn misspelt_words_are_found() {
    let wiki = wiki().await;
    write(&wiki, "Engines", "The analytical engine weaves algebraic patterns.").await;
    write(&wiki, "Bread", "Sourdough needs flour and water.").await;
    // A letter left out, added, mistaken, and two exchanged; in one word of two.
    for typed in ["analitical", "analytcal", "analyttical", "analyticla", "algebriac patterns", "pattern anlytical"] {
        assert_eq!(found(&wiki, typed).await, ["Engines"], "{typed}");
    }
    assert!(snippet(&wiki, "sourdogh").await.contains("<mark>Sourdough</mark>"));
    // What is written so is not corrected, and short words are not.
    write(&wiki, "Flower", "A flower.").await;
    assert_eq!(found(&wiki, "flower").await, ["Flower"]);
    assert_eq!(found(&wiki, "ant").await, [""; 0]);
    // A correction keeps what is left out.
    assert_eq!(found(&wiki, "analitical -patterns").await, [""; 0]);
}

#[tokio::test]
async fn beginnings_of_words_are_found_after_whole_words() {
    let wiki = wiki().await;
    write(&wiki, "Long", "About configuration.").await;
    write(&wiki, "Short", "The conf folder.").await;
    assert_eq!(found(&wiki, "configura").await, ["Long"]);
    assert_eq!(found(&wiki, "conf").await, ["Short", "Long"]);
    assert_eq!(found(&wiki, "\"conf\"").await, ["Short"]);
    assert!(snippet(&wiki, "configura").await.contains("<mark>configuration</mark>"));
}

#[tokio::test]
async fn case_and_accents_do_not_count() {
    let wiki = wiki().await;
    write(&wiki, "One", "Un café à Łódź, Smørrebrød, naïve.").await;
    write(&wiki, "Two", "Straße, ΑΘΉΝΑ, ёлка").await;
    for (typed, title) in [
        ("cafe", "One"),
        ("CAFÉ", "One"),
        ("cafe\u{301}", "One"),
        ("lodz", "One"),
        ("smorrebrod", "One"),
        ("naive", "One"),
        ("strasse", "Two"),
        ("αθηνα", "Two"),
        ("елка", "Two"),
    ] {
        assert_eq!(found(&wiki, typed).await, [title], "{typed}");
    }
    assert!(snippet(&wiki, "cafe").await.contains("<mark>café</mark>"));
}

#[tokio::test]
async fn parts_of_joined_words_are_found() {
    let wiki = wiki().await;
    write(&wiki, "One", "Edit config.json for Node.js, then call readUserName.").await;
    for typed in
        ["config", "json", "config.json", "node", "js", "Node.js", "nodejs", "user", "readUserName", "readusername"]
    {
        assert_eq!(found(&wiki, typed).await, ["One"], "{typed}");
    }
    assert!(snippet(&wiki, "json").await.contains("config.<mark>json</mark>"));
    // The parts of another order are other words.
    assert_eq!(found(&wiki, "\"json.config\"").await, [""; 0]);
}

#[tokio::test]
async fn suggestions_have_any_word_of_a_title() {
    let wiki = wiki().await;
    write(&wiki, "The Who", "x").await;
    write(&wiki, "Who is who", "x").await;
    write(&wiki, "Café in Zürich", "x").await;
    write(&wiki, "東京タワー", "x").await;
    write(&wiki, "Other", "who knows").await;
    for (typed, expected) in [
        ("who", &["Who is who", "The Who"][..]),
        ("wh", &["Who is who", "The Who"]),
        ("zur", &["Café in Zürich"]),
        ("zurich caf", &["Café in Zürich"]),
        ("who the", &["The Who"]),
        ("京タ", &["東京タワー"]),
        ("zzz", &[]),
        // A misspelt word is corrected, as the search does; not if there is a title that begins so.
        ("zurihc", &["Café in Zürich"]),
        ("caef zurich", &["Café in Zürich"]),
        ("zürch caf", &["Café in Zürich"]),
        ("zurihc who", &[]),
    ] {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", typed).finish();
        let answer = wiki.get(&format!("/search/suggestions?{query}")).await.expect(200).json();
        let titles: Vec<&str> =
            answer["suggestions"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap()).collect();
        assert_eq!(titles, expected, "{typed}");
    }
}

#[tokio::test]
async fn questions_in_words_are_answered() {
    let wiki = wiki().await;
    write(&wiki, "Password", "To reset the password, write to the office.").await;
    write(&wiki, "Office", "It is open until five.").await;
    // Not all words are there: those that say little are left out.
    assert_eq!(found(&wiki, "How can I reset my password?").await, ["Password"]);
    assert_eq!(found(&wiki, "where do we find a password").await, ["Password"]);
    // No page has all words that say something: those with some of them.
    let mut titles = found(&wiki, "password closed office furniture").await;
    titles.sort();
    assert_eq!(titles, ["Office", "Password"]);
    // All words count if a page has them.
    write(&wiki, "The Who", "A band.").await;
    assert_eq!(found(&wiki, "the who").await, ["The Who"]);
}

#[tokio::test]
async fn chinese_japanese_and_korean_are_found_by_parts() {
    let wiki = wiki().await;
    write(&wiki, "zh", "这是一个维基百科的页面，可以全文搜索。").await;
    write(&wiki, "ja", "データベースの全文検索を設定します。").await;
    write(&wiki, "ko", "한국어 위키백과에서 문서를 검색합니다.").await;
    for (typed, expected) in [
        ("百科", "zh"),
        ("维基百科", "zh"),
        ("搜", "zh"),
        ("全文検索", "ja"),
        ("ベース", "ja"),
        ("設定", "ja"),
        ("위키", "ko"),
        ("문서", "ko"),
        ("\"위키백과\"", "ko"),
    ] {
        assert_eq!(found(&wiki, typed).await, [expected], "{typed}");
    }
    // Pieces that are not next to one another are not the word.
    assert_eq!(found(&wiki, "\"全文設定\"").await, [""; 0]);
    assert!(snippet(&wiki, "全文検索").await.contains("<mark>全文検索</mark>"));
}

#[tokio::test]
async fn german_compounds_are_found_by_their_parts() {
    let wiki = wiki().await;
    let text = "Die Datenbankverbindungen sind in der Datei, und das Hauptmenü ist auf der Seite.";
    write(&wiki, "Eins", text).await;
    write(&wiki, "Zwei", "Eine Verbindung ist mit dem Netz, und das ist für die Wohnung.").await;
    assert_eq!(found(&wiki, "Datenbank").await, ["Eins"]);
    assert_eq!(found(&wiki, "Datenbanken").await, ["Eins"]);
    let mut titles = found(&wiki, "Verbindung").await;
    titles.sort();
    assert_eq!(titles, ["Eins", "Zwei"]);
    assert_eq!(found(&wiki, "Menü").await, ["Eins"]);
    assert!(snippet(&wiki, "Datenbank").await.contains("<mark>Datenbankverbindungen</mark>"));

    // On pages that are too short to tell their language, too.
    write(&wiki, "Drei", "Wenn die Netzwerkanbindung abbricht, bitte den Administrator anrufen.").await;
    write(&wiki, "Netzwerkanbindung", "Kurz.").await;
    let mut titles = found(&wiki, "Anbindung").await;
    titles.sort();
    assert_eq!(titles, ["Drei", "Netzwerkanbindung"]);
    assert!(search(&wiki, "Anbindung", "").await.to_string().contains("<mark>Netzwerkanbindung</mark> abbricht"));
    // The end of a word is not found by a few letters that may mean anything.
    write(&wiki, "Short", "Choose a password.").await;
    assert_eq!(found(&wiki, "word").await, [""; 0]);
}

#[tokio::test]
async fn forms_of_a_word_are_those_of_the_language_of_its_page() {
    let wiki = wiki().await;
    write(&wiki, "de", "Die Häuser sind auf dem Hügel, und der Weg ist nicht für die Wagen.").await;
    write(&wiki, "es", "Las canciones que se cantan en la calle son para los niños del barrio.").await;
    write(&wiki, "ru", "Мы читаем книги и любим эти рассказы, вы тоже.").await;
    write(&wiki, "en", "The engines are in the hall, and that is for the weavers of it.").await;
    for (typed, expected) in
        [("Haus", "de"), ("hauser", "de"), ("canción", "es"), ("книга", "ru"), ("engine", "en"), ("weaver", "en")]
    {
        assert_eq!(found(&wiki, typed).await, [expected], "{typed}");
    }
    // In French, "flower" has the stem of "flow".
    write(&wiki, "flow", "The flow of the river is slow, and that is it for the day.").await;
    assert_eq!(found(&wiki, "flower").await, [""; 0]);
}

#[tokio::test]
async fn excerpts_show_text_without_markdown() {
    let wiki = wiki().await;
    let content = "# A heading\n\nSome **bold** words about [the loom](https://example.org/x), `code` and <b>html</b>.";
    write(&wiki, "One", content).await;
    assert_eq!(snippet(&wiki, "loom").await, "A heading Some bold words about the <mark>loom</mark>, code and html");
    // Where a link leads is found, and not shown.
    assert_eq!(found(&wiki, "example.org").await, ["One"]);
    assert!(!snippet(&wiki, "example.org").await.contains("https"));
}

#[tokio::test]
async fn phrases_are_found_as_they_are_written() {
    let wiki = wiki().await;
    let id = write(&wiki, "State of the art", "To be or not to be: that is the question.").await;
    write(&wiki, "Other", "Be it so, or not; to the art of state.").await;
    for (typed, expected) in [
        ("\"to be or not to be\"", &["State of the art"][..]),
        ("\"state of the art\"", &["State of the art"]),
        ("\"the question\" -\"of the\"", &[]),
        ("\"that is\" \"not to\"", &["State of the art"]),
        ("\"be to\"", &[]),
        ("\"it so\" OR \"to be\"", &["State of the art", "Other"]),
    ] {
        let mut titles = found(&wiki, typed).await;
        titles.sort();
        titles.reverse();
        assert_eq!(titles, expected, "{typed}");
    }
    // The title stays found when only the text is edited.
    let edit = json!({"content": "Quite another text."});
    wiki.put(&format!("/posts/{id}")).header("if-match", "*").json(edit).await.expect(200);
    assert_eq!(found(&wiki, "\"of the art\"").await, ["State of the art"]);
    assert_eq!(found(&wiki, "\"not to be\"").await, [""; 0]);
}

#[tokio::test]
async fn results_are_counted() {
    let wiki = wiki().await;
    at_once((0..30).map(|n| {
        let client = Client::clone(&wiki);
        async move { write(&client, &format!("Page {n}"), "needle").await }
    }))
    .await;
    for more in ["", "&limit=7"] {
        let answer = search(&wiki, "needle", more).await;
        assert_eq!((&answer["total"], &answer["total_is_exact"]), (&json!(30), &json!(true)), "{more}");
    }
    let first = search(&wiki, "needle", "&limit=20").await;
    let rest = wiki.get(first["next"].as_str().unwrap()).await.expect(200).json();
    assert_eq!((rest["results"].as_array().unwrap().len(), &rest["total"]), (10, &json!(30)));
    let none = search(&wiki, "xyzzy", "").await;
    assert_eq!((&none["total"], &none["total_is_exact"]), (&json!(0), &json!(true)));
    let none = search(&wiki, "''", "").await;
    assert_eq!((&none["total"], &none["results"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn a_number_of_results_that_is_not_exact_says_so() {
    let wiki = wiki().await;
    let client = wiki.database().client().await;
    let pages = "INSERT INTO posts (user_id, title, slug, content)
                 SELECT 1, 'Page ' || n, 'page-' || n, 'needle' FROM generate_series(1, 600) AS n";
    client.batch_execute(pages).await.unwrap();
    // They are read as those of an older version, a few at each search.
    while wiki.database().column("SELECT 'x' FROM searched WHERE words IS NULL LIMIT 1").await.len() == 1 {
        search(&wiki, "needle", "").await;
    }
    let answer = search(&wiki, "needle", "").await;
    assert_eq!((&answer["total"], &answer["total_is_exact"]), (&json!(500), &json!(false)));
    let page = wiki.get("/wiki/-/search?q=needle").header("accept", "text/html").await.expect(200);
    assert!(page.text().contains("At least 500 pages"), "{page:?}");
}

#[tokio::test]
async fn results_are_filtered_by_author_tag_and_time() {
    let wiki = wiki().await;
    wiki.post("/users").json(json!({"username": "bob", "name": "Bob Ross"})).await.expect(201);
    for (title, user, tags, time) in [
        ("One", 1, ["red"], "2020-01-31T23:30:00Z"),
        ("Two", 1, ["blue"], "2020-02-01T00:00:00Z"),
        ("Three", 2, ["red"], "2020-03-01T12:00:00Z"),
    ] {
        let body = json!({"user_id": user, "title": title, "content": "needle", "tags": tags, "created_time": time});
        wiki.post("/posts").json(body).await.expect(201);
    }
    for (more, expected) in [
        ("author=ada", &["One", "Two"][..]),
        ("author=BOB", &["Three"]),
        ("author=bob+ross", &["Three"]),
        ("author=nobody", &[]),
        ("tag=red&author=ada", &["One"]),
        ("since=2020-02-01", &["Three", "Two"]),
        ("until=2020-01-31", &["One"]),
        ("since=2020-01-31&until=2020-02-01", &["One", "Two"]),
        ("since=2020-03-01T12:00:00Z", &["Three"]),
        ("since=2020-03-01T14:00:01%2B02:00", &[]),
        ("until=2020-02-01T00:00:00Z", &["One", "Two"]),
    ] {
        for (path, items) in [("/search?q=needle&", "results"), ("/posts?q=needle&", "posts"), ("/posts?", "posts")] {
            let found = wiki.walk(&format!("{path}{more}"), items).await;
            let mut titles: Vec<&str> = found.iter().map(|it| it["title"].as_str().unwrap()).collect();
            titles.sort_unstable();
            assert_eq!(titles, expected, "{path}{more}");
        }
        let page = wiki.get(&format!("/wiki/-/search?q=needle&slug=&{more}")).header("accept", "text/html").await;
        let main = page.text().split_once("<main").unwrap().1;
        let shown = ["One", "Two", "Three"].into_iter().filter(|title| main.contains(&format!(">{title}</a>")));
        assert_eq!(shown.count(), expected.len(), "{more}: {page:?}");
    }
    assert_eq!(search(&wiki, "needle", "&author=ada").await["total"], 2);
}

#[tokio::test]
async fn filters_without_words_list_all_pages_that_pass_them() {
    let wiki = wiki().await;
    for (title, tags, time) in [
        ("Oldest", ["red"], "2020-01-01T12:00:00Z"),
        ("Latest", ["red"], "2020-03-01T12:00:00Z"),
        ("Middle", ["red"], "2020-02-01T12:00:00Z"),
        ("Other", ["blue"], "2020-02-02T12:00:00Z"),
    ] {
        let content = "# Top\n\nSome **text**.";
        let body = json!({"user_id": 1, "title": title, "content": content, "tags": tags, "created_time": time});
        wiki.post("/posts").json(body).await.expect(201);
    }
    let titles = async |target: &str| -> Vec<String> {
        let found = wiki.walk(target, "results").await;
        found.iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
    };
    for limit in ["", "&limit=1", "&limit=2"] {
        assert_eq!(titles(&format!("/search?tag=red{limit}")).await, ["Latest", "Middle", "Oldest"]);
    }
    assert_eq!(titles("/search?author=ada&since=2020-02-01").await, ["Latest", "Other", "Middle"]);
    assert_eq!(titles("/search?tag=green").await, [""; 0]);
    let answer = wiki.get("/search?tag=red&limit=2").await.expect(200).json();
    assert_eq!((&answer["total"], &answer["total_is_exact"]), (&json!(3), &json!(true)));
    assert_eq!(answer["results"][0]["snippet"], "Top Some text");
    let open = async |query: &str| wiki.get(&format!("/wiki/-/search?q=&{query}")).header("accept", "text/html").await;
    let page = open("tag=red&author=&since=&until=").await.expect(200);
    assert!(page.text().contains("3 pages"), "{page:?}");
    let main = page.text().split_once("<main").unwrap().1;
    let places = ["Latest", "Middle", "Oldest"].map(|title| main.find(&format!(">{title}</a>")));
    assert!(places.is_sorted() && places[0].is_some(), "{page:?}");
    assert!(open("tag=green").await.expect(200).text().contains("No pages match these filters"));
    // Without either there is only the form, which says what to type.
    assert!(open("tag=").await.expect(200).text().contains("Put a phrase in quotation marks"));
    // What is wrong with a filter is said once, above the form.
    for (query, sentence) in [
        ("since=yesterday", "Edited since must be a day"),
        ("since=2020-01-02&until=2020-01-01", "The last day must not be before the first."),
    ] {
        let page = open(query).await.expect(422);
        assert_eq!(page.text().matches(sentence).count(), 1, "{page:?}");
        assert!(page.text().contains("id=\"_search-query\""), "{page:?}");
    }
}

#[tokio::test]
async fn filters_that_mean_nothing_are_refused() {
    let wiki = wiki().await;
    let long = "x".repeat(201);
    for (more, field, message) in [
        ("author=", "author", "must not be blank"),
        ("author=%00", "author", "must not be blank"),
        ("author=a%1Bb", "author", "must not contain control characters"),
        (&*format!("author={long}"), "author", "may have at most 200 characters"),
        ("since=", "since", "must be a day"),
        ("since=yesterday", "since", "must be a day"),
        ("since=2020-02-30", "since", "must be a day"),
        ("since=2020-1-1", "since", "must be a day"),
        ("since=0000-01-01", "since", "must be a day"),
        ("until=12020-01-01", "until", "must be a day"),
        ("until=2020-01-01T00:00", "until", "must be a day"),
        ("since=2020-01-02&until=2020-01-01", "until", "must not be before since"),
        ("tag=", "tag", "must not be blank"),
    ] {
        for path in ["/search?q=a&", "/posts?"] {
            let problem = wiki.get(&format!("{path}{more}")).await.invalid(field);
            assert!(format!("{problem:?}").contains(message), "{path}{more}: {problem:?}");
        }
        // The form of the site sends empty fields, which limit nothing.
        let status = if more.ends_with('=') { 200 } else { 422 };
        for query in ["", "q=a&"] {
            wiki.get(&format!("/wiki/-/search?{query}{more}")).header("accept", "text/html").await.expect(status);
        }
    }
}

#[tokio::test]
async fn the_form_shows_what_it_was_sent() {
    let wiki = wiki().await;
    let page = wiki
        .get("/wiki/-/search?q=a&author=%22Ada%22&since=2020-01-31&until=")
        .header("accept", "text/html")
        .await
        .expect(200);
    for part in [
        "name=\"author\" value=\"&quot;Ada&quot;\"",
        "name=\"since\" value=\"2020-01-31\"",
        "<details class=\"limits\" open>",
    ] {
        assert!(page.text().contains(part), "{part}: {page:?}");
    }
    let page = wiki.get("/wiki/-/search?q=a").header("accept", "text/html").await.expect(200);
    assert!(page.text().contains("<details class=\"limits\">"), "{page:?}");
}

#[tokio::test]
async fn pages_with_the_same_new_words_are_saved_at_once() {
    let wiki = App::wiki().replicas(2).start().await;
    wiki.create_user("ada").await;
    let words: Vec<String> = (0..200u32)
        .map(|n| {
            format!(
                "w{}",
                n.to_string().replace(|c: char| c.is_ascii_digit(), "x") + &"abcdefghij"[(n % 10) as usize..]
            )
        })
        .collect();
    let pages = (0..40).map(|n| {
        let client = wiki.replica(n % wiki.replicas()).clone();
        let mut words = words.clone();
        words.rotate_left(n * 5);
        async move { write(&client, &format!("Page {n}"), &words.join(" ")).await }
    });
    assert_eq!(at_once(pages).await.len(), 40);
    assert_eq!(search(&wiki, "page", "").await["total"], 40);
}

#[tokio::test]
async fn no_extension_is_needed() {
    let wiki = wiki().await;
    write(&wiki, "One", "spelling").await;
    assert_eq!(found(&wiki, "speling").await, ["One"]);
    assert_eq!(wiki.database().column("SELECT extname::text FROM pg_extension ORDER BY 1").await, ["plpgsql"]);
}
