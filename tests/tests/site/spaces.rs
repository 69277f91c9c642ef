//! Spaces, groups and access in the site: by forms, without a script.

use blackbox::{ADMIN_PASSWORD, App, PASSWORD, Request, Response, Value, json};

const SPACES: &str = "/wiki/-/spaces";
const GROUPS: &str = "/wiki/-/groups";

/// A wiki that everybody reads, with people who are signed in.
struct Team {
    wiki: App,
    admin: String,
    eve: String,
    otto: String,
    rita: String,
}

async fn team() -> Team {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let admin = wiki.sign_in("admin", PASSWORD).await;
    for (name, role) in [("eve", "editor"), ("otto", "editor"), ("rita", "reader")] {
        wiki.create_account(&admin, name, role).await;
    }
    let [eve, otto, rita] = [
        wiki.sign_in("eve", PASSWORD).await,
        wiki.sign_in("otto", PASSWORD).await,
        wiki.sign_in("rita", PASSWORD).await,
    ];
    Team { wiki, admin, eve, otto, rita }
}

fn in_browser(request: Request, cookie: &str) -> Request {
    let request = request.header("accept", "text/html");
    if cookie.is_empty() { request } else { request.cookie(cookie) }
}

impl Team {
    async fn see(&self, cookie: &str, path: &str) -> Response {
        in_browser(self.wiki.get(path), cookie).await
    }

    async fn page(&self, cookie: &str, path: &str) -> String {
        self.see(cookie, path).await.expect(200).text().to_owned()
    }

    async fn send(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        in_browser(self.wiki.post(path).form(fields), cookie).await
    }

    async fn api(&self, path: &str) -> Value {
        self.wiki.get(path).cookie(&self.admin).await.expect(200).json()
    }

    /// Makes a space that only those see who have a role in it, and a page in it.
    async fn hidden_space(&self) {
        let fields = [("space_name", "Zebrafish"), ("everybody", "none")];
        self.send(&self.admin, SPACES, &fields).await.expect(303);
        let page = json!({"title": "Aardwolf", "content": "x", "space_id": 2});
        self.wiki.post("/posts").cookie(&self.admin).json(page).await.expect(201);
    }
}

fn assert_has(response: &Response, words: &[&str]) {
    for words in words {
        assert!(response.text().contains(words), "{words} in {}", response.text());
    }
}

#[tokio::test]
async fn a_space_is_made_described_opened_and_deleted() {
    let team = team().await;
    // A wiki with one space shows a link to administrators alone.
    assert!(team.page(&team.admin, "/wiki").await.contains("<a href=\"/wiki/-/spaces\">Spaces</a>"));
    let tree = "/wiki/-/pages?view=tree";
    for path in ["/wiki", "/wiki/-/pages", tree] {
        let page = team.page(&team.eve, path).await;
        assert!(!page.contains(SPACES) && !page.contains("aria-label=\"Spaces\""), "{path}: {page}");
    }
    assert!(!team.page(&team.eve, SPACES).await.contains("<form id=\"_make-space\""));

    let fields = [
        ("space_name", "People"),
        ("space_slug", "All People!"),
        ("description", "Holidays & <hiring>"),
        ("icon", "🌴"),
        ("everybody", "read"),
    ];
    let made = team.send(&team.admin, SPACES, &fields).await.expect(303);
    assert_eq!(made.header("location"), "/wiki/-/spaces/all-people");
    let one = "/wiki/-/spaces/all-people";
    let space = team.api("/spaces/2").await;
    assert_eq!(
        (&space["name"], &space["slug"], &space["icon"]),
        (&json!("People"), &json!("all-people"), &json!("🌴"))
    );
    assert_eq!(team.api("/spaces/2/access").await, json!({"everybody": "read", "entries": []}));
    assert!(team.page(&team.eve, tree).await.contains("space=2"), "now there are two");
    assert!(team.page(&team.eve, SPACES).await.contains("Holidays &amp; &lt;hiring&gt;"));

    // The pages at its top, a part of them at a time.
    assert!(team.page("", one).await.contains("There are no pages here yet."));
    for title in ["One", "Two", "Three"] {
        let page = json!({"title": title, "content": "x", "space_id": 2});
        team.wiki.post("/posts").cookie(&team.admin).json(page).await.expect(201);
    }
    let page = json!({"title": "Below", "content": "x", "parent_id": 1});
    team.wiki.post("/posts").cookie(&team.admin).json(page).await.expect(201);
    let first = team.page("", &format!("{one}?limit=2")).await;
    let first = first.split_once("<main").unwrap().1;
    assert!(first.contains("href=\"/wiki/one\"") && first.contains("1 page below"), "{first}");
    assert!(
        !first.contains("/wiki/three") && !first.contains("/wiki/below") && !first.contains("/settings"),
        "{first}"
    );
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert!(team.page("", &next).await.contains("href=\"/wiki/three\""));
    team.see("", &format!("{one}?cursor=00")).await.expect(422);

    // Its fields.
    let settings = format!("{one}/settings");
    let page = team.page(&team.admin, &settings).await;
    assert!(page.contains("value=\"all-people\"") && page.contains("name=\"version\" value=\"1\""), "{page}");
    let change =
        [("space_name", "Staff"), ("space_slug", "staff"), ("description", ""), ("icon", ""), ("version", "1")];
    let saved = team.send(&team.admin, &settings, &change).await.expect(303);
    assert_eq!(saved.header("location"), "/wiki/-/spaces/staff/settings?saved=yes");
    assert!(team.page(&team.admin, saved.header("location")).await.contains("id=\"_saved\""));
    assert_eq!(team.api("/spaces/2").await["description"], "");
    team.see(&team.admin, &settings).await.expect(404);
    let stale = team.send(&team.admin, "/wiki/-/spaces/staff/settings", &change).await.expect(409);
    assert_has(&stale, &["This space has changed", "name=\"version\" value=\"2\""]);

    // It goes once it is empty.
    let delete = "/wiki/-/spaces/staff/delete";
    let page = team.page(&team.admin, delete).await;
    assert!(page.contains("4 pages") && !page.contains("Cancel"), "{page}");
    assert_has(&team.send(&team.admin, delete, &[]).await.expect(409), &["Move or delete them first"]);
    for id in 1..=4 {
        team.wiki.delete(&format!("/posts/{id}")).cookie(&team.admin).await.expect(204);
    }
    assert!(team.page(&team.admin, delete).await.contains("Cancel"));
    let gone = team.send(&team.admin, delete, &[]).await.expect(303);
    assert_eq!(gone.header("location"), SPACES);
    team.see(&team.admin, "/wiki/-/spaces/staff").await.expect(404);
    for (path, method) in [("delete", "GET"), ("delete", "POST"), ("access", "POST")] {
        let path = format!("/wiki/-/spaces/general/{path}");
        let request = if method == "GET" { team.wiki.get(&path) } else { team.wiki.post(&path).form(&[("x", "y")]) };
        in_browser(request, &team.admin).await.expect(403);
    }
    let trail = team.page(&team.admin, "/wiki/-/audit").await;
    for words in ["space created", "space changed", "space deleted"] {
        assert!(trail.contains(words), "{words} in {trail}");
    }
}

#[tokio::test]
async fn people_and_groups_get_roles_in_a_space() {
    let team = team().await;
    team.hidden_space().await;
    let one = "/wiki/-/spaces/zebrafish";
    let (settings, target) = (format!("{one}/settings"), format!("{one}/access"));
    team.send(&team.admin, GROUPS, &[("group_name", "Crew")]).await.expect(303);
    let ids = team.api("/users").await;
    let id = |name: &str| {
        ids["users"].as_array().unwrap().iter().find(|user| user["username"] == name).unwrap()["id"].as_i64().unwrap()
    };
    let (eve, otto) = (id("eve"), id("otto"));

    let fields = [
        ("everybody", "none"),
        ("person", "@Eve"),
        ("person_role", "administer"),
        ("group", "1"),
        ("group_role", "read"),
    ];
    let set = team.send(&team.admin, &target, &fields).await.expect(303);
    assert_eq!(set.header("location"), format!("{settings}?saved=yes"));
    let entries = team.api("/spaces/2/access").await["entries"].clone();
    let expected = json!([
        {"group_id": 1, "name": "Crew", "role": "read"}, {"user_id": eve, "name": "eve", "role": "administer"},
    ]);
    assert_eq!(entries, expected);

    // Whoever administers the space, and not the wiki, finds it and changes it.
    let page = team.page(&team.eve, one).await;
    assert!(page.contains(&settings) && page.contains("/wiki/aardwolf/access"), "{page}");
    let page = team.page(&team.eve, &settings).await;
    for words in
        ["<bdi>Crew</bdi> <span class=\"badge\">group</span>", &format!("name=\"user-{eve}\""), "name=\"group-1\""]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("id=\"_delete\""), "only administrators of the wiki delete it");
    let eve_field = format!("user-{eve}");
    let fields = [
        ("everybody", "read"),
        (&*eve_field, "administer"),
        ("group-1", "none"),
        ("person", "otto"),
        ("person_role", "write"),
        ("group", ""),
    ];
    team.send(&team.eve, &target, &fields).await.expect(303);
    let access = || {
        json!({"everybody": "read", "entries": [
            {"user_id": eve, "name": "eve", "role": "administer"}, {"user_id": otto, "name": "otto", "role": "write"},
        ]})
    };
    assert_eq!(team.api("/spaces/2/access").await, access());

    // A form that was opened before takes back neither whom another added nor whom another removed.
    let fields = [("everybody", "read"), (&*eve_field, "administer"), ("group-1", "write"), ("person", "")];
    team.send(&team.eve, &target, &fields).await.expect(303);
    assert_eq!(team.api("/spaces/2/access").await, access());

    // What is wrong comes back with what was typed, and changes nothing.
    let otto_field = format!("user-{otto}");
    for (field, value, words) in [
        ("person", "no<body>", "Username must be"),
        ("person", "nobody", "There is no user with the username “nobody”."),
        ("person_role", "owner", "Choose a role."),
        ("group", "99", "There is no such group any more."),
        ("everybody", "administer", "Choose what everyone may do."),
        ("everybody", "", "Choose what everyone may do."),
        (&*otto_field, "owner", "Choose a role for otto."),
    ] {
        let mut fields = vec![
            ("everybody", "none"),
            (&*eve_field, "none"),
            (&*otto_field, "read"),
            ("person", "rita"),
            ("person_role", "write"),
            ("group", "1"),
            ("group_role", "write"),
        ];
        fields.iter_mut().find(|(name, _)| *name == field).unwrap().1 = value;
        let page = team.send(&team.eve, &target, &fields).await.expect(422);
        let removed = format!("name=\"{eve_field}\">");
        assert_has(&page, &[words, &format!("href=\"#_{field}\""), "Check the form", &removed]);
        let rest = page.text().split(&removed).nth(1).unwrap();
        assert!(rest[..rest.find("</select>").unwrap()].contains("value=\"none\" selected"), "{field}: {rest}");
        if field != "person" {
            assert_has(&page, &["value=\"rita\""]);
        }
    }
    assert_eq!(team.api("/spaces/2/access").await, access());

    // Whoever is deleted is in no list.
    team.wiki.delete(&format!("/users/{otto}")).cookie(&team.admin).await.expect(204);
    let page = team.page(&team.eve, &settings).await;
    assert!(!page.contains(&otto_field), "{page}");
    // Who gives up the space is led to what they may still see.
    let leave = team.send(&team.eve, &target, &[("everybody", "read"), (&*eve_field, "none")]).await.expect(303);
    assert_eq!(leave.header("location"), one);
    team.see(&team.eve, &settings).await.expect(403);
    team.send(&team.eve, &target, &[("everybody", "read")]).await.expect(403);
    assert_eq!(team.api("/spaces/2/access").await, json!({"everybody": "read", "entries": []}));
}

#[tokio::test]
async fn what_is_wrong_with_a_space_comes_back_with_what_was_typed() {
    let team = team().await;
    team.hidden_space().await;
    let settings = "/wiki/-/spaces/zebrafish/settings";
    for path in [SPACES, settings] {
        let fields =
            [("space_name", " "), ("icon", "abc"), ("description", "<b>"), ("everybody", "read"), ("version", "1")];
        let page = team.send(&team.admin, path, &fields).await.expect(422);
        assert_has(
            &page,
            &["href=\"#_space_name\"", "Enter a name.", "href=\"#_icon\"", "value=\"&lt;b&gt;\"", "value=\"abc\""],
        );
        let fields = [("space_name", "Other"), ("space_slug", "General"), ("everybody", "read"), ("version", "1")];
        let page = team.send(&team.admin, path, &fields).await.expect(409);
        assert_has(&page, &["Another space has this address.", "value=\"General\"", "value=\"Other\""]);
    }
    let fields = [("space_name", "Other"), ("everybody", "owner")];
    assert_has(
        &team.send(&team.admin, SPACES, &fields).await.expect(422),
        &["href=\"#_everybody\"", "value=\"Other\""],
    );
    assert_eq!(team.api("/spaces").await["spaces"].as_array().unwrap().len(), 2);
    for cookie in [&team.eve, &team.rita] {
        team.send(cookie, SPACES, &[("space_name", "Mine"), ("everybody", "read")]).await.expect(403);
        team.see(cookie, "/wiki/-/spaces/general/settings").await.expect(403);
    }
}

#[tokio::test]
async fn nothing_shows_that_there_is_a_hidden_space() {
    let team = team().await;
    team.hidden_space().await;
    for cookie in ["", &team.eve, &team.rita] {
        for path in ["/wiki/-/spaces", "/wiki/-/pages?view=tree", "/wiki"] {
            let page = team.page(cookie, path).await;
            assert!(!page.to_lowercase().contains("zebrafish"), "{page}");
        }
        let addresses = |space: &str, page: &str| {
            [
                ("GET", format!("{SPACES}/{space}")),
                ("GET", format!("{SPACES}/{space}/settings")),
                ("POST", format!("{SPACES}/{space}/settings")),
                ("POST", format!("{SPACES}/{space}/access")),
                ("GET", format!("{SPACES}/{space}/delete")),
                ("POST", format!("{SPACES}/{space}/delete")),
                ("GET", format!("/wiki/{page}/access")),
                ("POST", format!("/wiki/{page}/access")),
            ]
        };
        let there = addresses("zebrafish", "aardwolf");
        for ((method, path), (_, nothing)) in there.into_iter().zip(addresses("yebrafish", "bardwolf")) {
            let answer = async |path: &str| {
                let request = match method {
                    "GET" => team.wiki.get(path),
                    _ => team.wiki.post(path).form(&[("space_name", "x"), ("everybody", "read"), ("own", "no")]),
                };
                let response = in_browser(request, cookie).await;
                let location = if response.status() == 303 { response.header("location") } else { "" };
                let text = format!("{} {location} {}", response.status(), response.text()).to_lowercase();
                text.replace("zebrafish", "yebrafish").replace("aardwolf", "bardwolf")
            };
            let (met, expected) = (answer(&path).await, answer(&nothing).await);
            assert_eq!(met, expected, "{method} {path}");
            assert!(!met.starts_with("200"), "{method} {path}: {met}");
            // Only administrators of the wiki delete spaces, and strangers sign in first.
            if !path.ends_with("/delete") && !cookie.is_empty() {
                assert!(met.starts_with("404"), "{method} {path}: {met}");
            }
        }
    }
    assert_eq!(team.api("/spaces/2").await["name"], "Zebrafish");
}

#[tokio::test]
async fn groups_are_made_filled_and_deleted() {
    let team = team().await;
    assert!(team.page(&team.admin, "/wiki").await.contains("<a href=\"/wiki/-/groups\">Groups</a>"));
    let page = team.send(&team.admin, GROUPS, &[("group_name", ""), ("description", "<On call>")]).await.expect(422);
    assert_has(&page, &["href=\"#_group_name\"", "Enter a name.", "value=\"&lt;On call&gt;\""]);
    let made = team.send(&team.admin, GROUPS, &[("group_name", "Crew"), ("description", "On call")]).await.expect(303);
    let one = made.header("location").to_owned();
    assert!(team.page(&team.admin, GROUPS).await.contains(&one));
    let page = team.send(&team.admin, GROUPS, &[("group_name", "CREW")]).await.expect(409);
    assert_has(&page, &["Another group has this name."]);
    let other = team.send(&team.admin, GROUPS, &[("group_name", "Other")]).await.expect(303);
    let page = team.send(&team.admin, other.header("location"), &[("group_name", "crew")]).await.expect(409);
    assert_has(&page, &["Another group has this name.", "value=\"crew\""]);

    let members = format!("{one}/members");
    for (typed, words) in [("", "Username must be"), ("nobody", "There is no user")] {
        let page = team.send(&team.admin, &members, &[("person", typed)]).await.expect(422);
        assert_has(&page, &[words, "href=\"#_person\"", &format!("value=\"{typed}\"")]);
    }
    for _ in 0..2 {
        team.send(&team.admin, &members, &[("person", "EVE")]).await.expect(303);
    }
    let page = team.page(&team.admin, &one).await;
    assert!(page.contains("1 member ·") && page.contains("<bdi>eve</bdi>"), "{page}");
    let user = page.split("name=\"user\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    team.send(&team.admin, &format!("{members}/remove"), &[("user", &user)]).await.expect(303);
    assert!(team.page(&team.admin, &one).await.contains("There are no members yet."));
    team.send(&team.admin, &format!("{members}/remove"), &[("user", "x")]).await.expect(404);
    // Whoever is deleted is no member any more.
    team.send(&team.admin, &members, &[("person", "eve")]).await.expect(303);
    team.wiki.delete(&format!("/users/{user}")).cookie(&team.admin).await.expect(204);
    assert!(team.page(&team.admin, &one).await.contains("0 members ·"));

    team.send(&team.admin, &one, &[("group_name", "The crew"), ("description", "")]).await.expect(303);
    assert_eq!(team.api("/groups/1").await["description"], "");
    for path in [GROUPS, &one] {
        team.see(&team.otto, path).await.expect(403);
        team.send(&team.otto, path, &[("group_name", "Mine")]).await.expect(403);
    }
    let gone = team.send(&team.admin, &format!("{one}/delete"), &[]).await.expect(303);
    assert_eq!(gone.header("location"), GROUPS);
    team.see(&team.admin, &one).await.expect(404);
    team.send(&team.admin, &members, &[("person", "otto")]).await.expect(404);
}

#[tokio::test]
async fn whoever_administers_a_page_finds_its_access_in_its_menu() {
    let team = team().await;
    team.hidden_space().await;
    let make = async |fields: Value| {
        team.wiki.post("/posts").cookie(&team.admin).json(fields).await.expect(201).json()["post_id"].clone()
    };
    make(json!({"title": "Below", "content": "x", "parent_id": 1})).await;
    let own = make(json!({"title": "Own", "content": "x"})).await;
    make(json!({"title": "Plain", "content": "x"})).await;
    let id = async |name: &str| team.api(&format!("/users?username={name}")).await["users"][0]["id"].clone();
    let (eve, otto, rita) = (id("eve").await, id("otto").await, id("rita").await);
    let entries = json!([{"user_id": eve, "role": "administer"}, {"user_id": otto, "role": "write"}, {"user_id": rita, "role": "read"}]);
    let access = json!({"everybody": "none", "entries": entries});
    team.wiki.put("/spaces/2/access").cookie(&team.admin).json(access).await.expect(200);
    let access = json!({"everybody": "read", "entries": [{"user_id": otto, "role": "administer"}]});
    team.wiki.put(&format!("/posts/{own}/access")).cookie(&team.admin).json(access).await.expect(200);

    let offers = async |cookie: &str, path: &str| {
        let page = team.page(cookie, path).await;
        assert!(page.contains("id=\"_more\""), "{path}: {page}");
        let protects = page.contains("id=\"_protection\"");
        assert_eq!(protects, cookie == team.admin, "{path}: {page}");
        page.contains("id=\"_access-link\"")
    };
    let of_space = ["/wiki/aardwolf", "/wiki/below", "/wiki/aardwolf/history", "/wiki/below/files"];
    // One after the other: what is known of a page is not taken for its sibling's.
    for path in of_space.into_iter().chain(["/wiki/own", "/wiki/plain", "/wiki/own", "/wiki/plain/history"]) {
        let of_eve = of_space.contains(&path);
        let of_otto = path == "/wiki/own";
        assert!(offers(&team.admin, path).await, "{path}");
        assert_eq!(offers(&team.eve, path).await, of_eve, "{path}");
        assert_eq!(offers(&team.otto, path).await, of_otto, "{path}");
        assert!(!offers(&team.rita, path).await, "{path}");
    }
    assert!(!offers("", "/wiki/own").await);
    team.page(&team.eve, "/wiki/below/access").await;
    team.page(&team.otto, "/wiki/own/access").await;
}

#[tokio::test]
async fn a_page_gets_access_of_its_own_and_gives_it_up() {
    let team = team().await;
    let post = async |fields| team.wiki.post("/posts").cookie(&team.admin).json(fields).await.expect(201).json();
    let top = post(json!({"title": "Top", "content": "x"})).await["post_id"].clone();
    post(json!({"title": "Below", "content": "x", "parent_id": top})).await;
    let (one, below) = ("/wiki/top/access", "/wiki/below/access");
    assert!(team.page(&team.admin, "/wiki/top").await.contains(one));
    assert!(!team.page(&team.eve, "/wiki/top").await.contains(one));
    let page = team.page(&team.admin, one).await;
    assert!(page.contains("value=\"no\" checked> <span>As in the space “<bdi>General</bdi>”"), "{page}");
    assert!(team.page(&team.admin, below).await.contains("As for the page above, “<bdi>Top</bdi>”"));
    for cookie in [&team.eve, &team.rita] {
        team.see(cookie, one).await.expect(403);
        team.send(cookie, one, &[("own", "yes"), ("everybody", "none")]).await.expect(403);
    }

    let page = team.send(&team.admin, one, &[("everybody", "none"), ("person", "eve")]).await.expect(422);
    assert_has(&page, &["href=\"#_own\""]);
    let fields = [("own", "yes"), ("everybody", "none"), ("person", "nobody"), ("person_role", "write")];
    let page = team.send(&team.admin, one, &fields).await.expect(422);
    assert_has(&page, &["href=\"#_person\"", "value=\"nobody\"", "value=\"yes\" checked", "value=\"none\" checked"]);
    team.see(&team.otto, "/wiki/top").await.expect(200);

    let fields = [("own", "yes"), ("everybody", "none"), ("person", "eve"), ("person_role", "write")];
    let set = team.send(&team.admin, one, &fields).await.expect(303);
    assert_eq!(set.header("location"), "/wiki/top/access?saved=yes");
    let page = team.page(&team.admin, set.header("location")).await;
    assert!(page.contains("id=\"_saved\"") && page.contains("<bdi>eve</bdi>"), "{page}");
    for path in ["/wiki/top", "/wiki/below"] {
        team.see(&team.eve, path).await.expect(200);
        team.see(&team.otto, path).await.expect(404);
    }
    team.send(&team.admin, one, &[("own", "no"), ("everybody", "none")]).await.expect(303);
    team.see(&team.otto, "/wiki/below").await.expect(200);
    team.wiki.get(&format!("/posts/{top}/access")).cookie(&team.admin).await.problem(404);
}

#[tokio::test]
async fn a_page_begun_in_a_space_comes_into_it() {
    let team = team().await;
    team.hidden_space().await;
    for (title, content, space) in
        [("Salaries", "See [[Bands]] and [[Bonus]].", 2), ("Public", "See [[Bonus]] and [[Weather]].", 1)]
    {
        let page = json!({"title": title, "content": content, "space_id": space});
        team.wiki.post("/posts").cookie(&team.admin).json(page).await.expect(201);
    }

    // Wherever it is begun: by the link to it, or by "New page" beside a page of the space.
    let missing = team.see(&team.admin, "/wiki/bands").await.expect(404);
    assert_has(&missing, &["/wiki/bands/edit?title=Bands&amp;space=2", "href=\"/wiki/-/new?space=2\""]);
    assert!(team.page(&team.admin, "/wiki/salaries").await.contains("href=\"/wiki/-/new?space=2\""));
    assert!(team.page(&team.admin, "/wiki/public").await.contains("href=\"/wiki/-/new?space=1\""));
    for (from, space) in [("salaries", 2), ("public", 1), ("", 2)] {
        let request = in_browser(team.wiki.get("/wiki/bonus"), &team.admin);
        let missing = request.header("referer", format!("{}/wiki/{from}", team.wiki.url())).await.expect(404);
        assert_has(&missing, &[&format!("/wiki/bonus/edit?title=Bonus&amp;space={space}")]);
    }
    // Who may not read where the link is learns nothing of it.
    let missing = team.see(&team.eve, "/wiki/bands").await.expect(404);
    assert_has(&missing, &["/wiki/bands/edit?title=Bands\""]);

    // The form says where, and lets one choose.
    let form = team.page(&team.admin, "/wiki/bands/edit?title=Bands&space=2").await;
    assert!(form.contains("<option value=\"2\" selected>Zebrafish</option>"), "{form}");
    let fields = [("title", "Bands"), ("content", "x"), ("space", "2")];
    let preview = [&fields[..], &[("action", "preview")]].concat();
    let preview = team.send(&team.admin, "/wiki/bands/edit", &preview).await.expect(200);
    assert_has(&preview, &["<option value=\"2\" selected>"]);
    team.send(&team.admin, "/wiki/bands/edit", &fields).await.expect(303);
    team.see(&team.admin, "/wiki/bands").await.expect(200);
    team.see("", "/wiki/bands").await.expect(404);
    // Only where one may write.
    team.send(&team.admin, SPACES, &[("space_name", "Almanac"), ("everybody", "read")]).await.expect(303);
    let form = team.page(&team.eve, "/wiki/-/new").await;
    assert!(form.contains(">General</option>"), "{form}");
    assert!(!form.contains(">Almanac</option>") && !form.contains("Zebrafish"), "{form}");
}
