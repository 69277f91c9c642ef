//! Spaces, groups, and roles in them.

use blackbox::{ADMIN_PASSWORD, App, Client, PASSWORD, Request, Value, json};

/// A wiki that everybody reads, with an administrator and two editors, as tokens.
struct Team {
    wiki: App,
    admin: String,
    eve: (i64, String),
    otto: (i64, String),
    rita: String,
}

async fn team() -> Team {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let admin = wiki.create_token(&cookie, "admin").await;
    let account = async |name: &str, role: &str| {
        let id = wiki.create_account(&cookie, name, role).await["id"].as_i64().unwrap();
        let own = wiki.sign_in(name, PASSWORD).await;
        (id, wiki.create_token(&own, "admin").await)
    };
    let (eve, otto, rita) =
        (account("eve", "editor").await, account("otto", "editor").await, account("rita", "reader").await);
    Team { eve, otto, rita: rita.1, admin, wiki }
}

impl Team {
    /// Makes a space, and gives its number.
    async fn space(&self, fields: Value) -> i64 {
        self.wiki.post("/spaces").token(&self.admin).json(fields).await.expect(201).json()["space_id"].as_i64().unwrap()
    }

    async fn set(&self, space: i64, everybody: &str, entries: Value) {
        let access = json!({"everybody": everybody, "entries": entries});
        self.wiki.put(&format!("/spaces/{space}/access")).token(&self.admin).json(access).await.expect(200);
    }

    /// Makes a page, as whoever has this token.
    fn write(&self, token: &str, fields: Value) -> Request {
        self.wiki.post("/posts").token(token).json(fields)
    }

    async fn status(&self, token: &str, path: &str) -> u16 {
        self.wiki.get(path).token(token).await.status()
    }
}

#[tokio::test]
async fn a_wiki_has_a_space_in_which_all_is_as_without_spaces() {
    let wiki = App::wiki().start().await;
    let user = wiki.create_user("ada").await;
    let post = wiki.create_post(&user, "# One").await;
    assert_eq!((&post["space_id"], &post["parent_id"]), (&json!(1), &Value::Null));
    let spaces = wiki.get("/spaces").await.expect(200).json();
    let space = &spaces["spaces"][0];
    assert_eq!(spaces["spaces"].as_array().unwrap().len(), 1);
    assert_eq!((&space["slug"], &space["pages"], &space["role"]), (&json!("general"), &json!(1), &json!("write")));
    wiki.get("/spaces/2").await.problem(404);
    wiki.get("/spaces/x").await.problem(404);
}

#[tokio::test]
async fn spaces_are_made_changed_and_deleted() {
    let team = team().await;
    let wiki: &Client = &team.wiki;
    wiki.post("/spaces").token(&team.eve.1).json(json!({"name": "Mine"})).await.problem(403);
    let fields = json!({"name": "People", "description": "Holidays", "icon": "🌴"});
    let made = wiki.post("/spaces").token(&team.admin).json(fields).await.expect(201);
    let (target, space) = (made.header("location").to_owned(), made.json());
    assert_eq!((&space["slug"], &space["role"]), (&json!("people"), &json!("administer")));
    wiki.post("/spaces").token(&team.admin).json(json!({"name": "people"})).await.problem(409);
    for (field, value) in
        [("name", json!(" ")), ("slug", json!("A b")), ("icon", json!("abc")), ("everybody", json!("administer"))]
    {
        let mut fields = json!({"name": "Another"});
        fields[field] = value;
        wiki.post("/spaces").token(&team.admin).json(fields).await.invalid(field);
    }

    let tag = made.header("etag").to_owned();
    let rename = || json!({"name": "Staff", "slug": "staff"});
    wiki.patch(&target).token(&team.eve.1).json(rename()).await.problem(403);
    wiki.patch(&target).token(&team.admin).header("if-match", "\"9.space\"").json(rename()).await.problem(412);
    let renamed =
        wiki.patch(&target).token(&team.admin).header("if-match", &*tag).json(rename()).await.expect(200).json();
    assert_eq!(
        (&renamed["name"], &renamed["slug"], &renamed["description"]),
        (&json!("Staff"), &json!("staff"), &json!("Holidays"))
    );
    wiki.patch(&target).token(&team.admin).json(json!({"slug": "general"})).await.problem(409);

    // It goes once it is empty, and comes back with a page that was in it.
    let post =
        team.write(&team.eve.1, json!({"content": "# In it", "space_id": space["space_id"]})).await.expect(201).json();
    let page = format!("/posts/{}", post["post_id"]);
    wiki.delete(&target).token(&team.eve.1).await.problem(403);
    wiki.delete(&target).token(&team.admin).await.problem(409);
    wiki.delete(&page).token(&team.eve.1).await.expect(204);
    wiki.delete(&target).token(&team.admin).await.expect(204);
    wiki.get(&target).token(&team.admin).await.problem(404);
    wiki.delete(&target).token(&team.admin).await.problem(404);
    wiki.post(&format!("{page}/restore")).token(&team.eve.1).await.expect(200);
    wiki.get(&target).token(&team.admin).await.expect(200);
    wiki.delete("/spaces/1").token(&team.admin).await.problem(403);
}

#[tokio::test]
async fn groups_have_names_and_members() {
    let team = team().await;
    let wiki: &Client = &team.wiki;
    wiki.post("/groups").token(&team.eve.1).json(json!({"name": "Mine"})).await.problem(403);
    wiki.post("/groups").token(&team.admin).json(json!({})).await.invalid("name");
    let made = wiki.post("/groups").token(&team.admin).json(json!({"name": "Operations"})).await.expect(201);
    let target = made.header("location").to_owned();
    wiki.post("/groups").token(&team.admin).json(json!({"name": "OPERATIONS"})).await.problem(409);
    let other = wiki.post("/groups").token(&team.admin).json(json!({"name": "Design"})).await.expect(201);
    wiki.patch(other.header("location")).token(&team.admin).json(json!({"name": "operations"})).await.problem(409);
    let changed =
        wiki.patch(&target).token(&team.admin).json(json!({"description": "On call"})).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Operations"), &json!("On call")));

    let eve = format!("{target}/members/{}", team.eve.0);
    wiki.put(&eve).token(&team.otto.1).await.problem(403);
    for _ in 0..2 {
        wiki.put(&eve).token(&team.admin).await.expect(204);
    }
    wiki.put(&format!("{target}/members/999")).token(&team.admin).await.problem(404);
    wiki.put(&format!("/groups/999/members/{}", team.eve.0)).token(&team.admin).await.problem(404);
    let members = wiki.get(&format!("{target}/members")).token(&team.rita).await.expect(200).json();
    assert_eq!(members, json!({"members": [{"user_id": team.eve.0, "name": "eve"}]}));
    assert_eq!(wiki.get(&target).token(&team.rita).await.expect(200).json()["members"], 1);
    wiki.get("/groups").await.problem(401);
    let otto = format!("{target}/members/{}", team.otto.0);
    wiki.put(&otto).token(&team.admin).await.expect(204);
    wiki.delete(&format!("/users/{}", team.otto.0)).token(&team.admin).await.expect(204);
    assert_eq!(
        wiki.get(&target).token(&team.rita).await.expect(200).json()["members"],
        1,
        "a deleted user is in no group"
    );
    wiki.delete(&eve).token(&team.admin).await.expect(204);
    assert_eq!(
        wiki.get(&format!("{target}/members")).token(&team.rita).await.expect(200).json(),
        json!({"members": []})
    );
    wiki.delete(&target).token(&team.admin).await.expect(204);
    wiki.delete(&target).token(&team.admin).await.problem(404);
}

#[tokio::test]
async fn a_role_says_what_one_may_do_in_a_space() {
    let team = team().await;
    let wiki: &Client = &team.wiki;
    let space = team.space(json!({"name": "Board", "everybody": "none"})).await;
    let draft = || json!({"content": "# Minutes", "space_id": space});
    let post = team.write(&team.admin, draft()).await.expect(201).json()["post_id"].as_i64().unwrap();
    let page = format!("/posts/{post}");
    let group = wiki.post("/groups").token(&team.admin).json(json!({"name": "Board"})).await.expect(201).json();
    wiki.put(&format!("/groups/{}/members/{}", group["group_id"], team.otto.0)).token(&team.admin).await.expect(204);

    // What each may do: read, edit, create below, move away, change the space.
    let able = async |token: &str| {
        let edit = json!({"content": "# Minutes", "version": 1});
        let body = json!({"everybody": "bad"});
        [
            team.status(token, &page).await,
            wiki.put(&page).token(token).json(edit).await.status(),
            team.write(token, json!({"content": " ", "parent_id": post, "title": "x".repeat(999)})).await.status(),
            wiki.post(&format!("{page}/move"))
                .token(token)
                .json(json!({"space_id": space, "position": 0}))
                .await
                .status(),
            wiki.put(&format!("/spaces/{space}/access")).token(token).json(body).await.status(),
            wiki.patch(&format!("/spaces/{space}")).token(token).json(json!({"icon": ""})).await.status(),
        ]
    };
    assert_eq!(able(&team.eve.1).await, [404, 404, 422, 404, 422, 404], "without a role");
    team.set(
        space,
        "none",
        json!([{"user_id": team.eve.0, "role": "read"}, {"group_id": group["group_id"], "role": "write"}]),
    )
    .await;
    assert_eq!(able(&team.eve.1).await, [200, 403, 422, 403, 422, 403], "with the role read");
    assert_eq!(able(&team.otto.1).await, [200, 200, 422, 200, 422, 403], "with the role write, by a group");
    assert_eq!(team.status(&team.rita, &page).await, 404);
    assert_eq!(wiki.get(&page).await.status(), 404);
    team.write(&team.eve.1, draft()).await.problem(403);
    team.write(&team.eve.1, json!({"content": "x", "parent_id": post})).await.problem(403);
    team.write(&team.otto.1, json!({"content": "x", "parent_id": post})).await.expect(201);

    team.set(space, "read", json!([{"user_id": team.eve.0, "role": "administer"}])).await;
    assert_eq!(able(&team.eve.1).await, [200, 200, 422, 200, 422, 200], "with the role administer");
    assert_eq!(able(&team.otto.1).await, [200, 403, 422, 403, 422, 403], "as everybody");
    assert_eq!(team.status(&team.rita, &page).await, 200);
    assert_eq!(wiki.get(&page).await.status(), 200);
    // A reader stays a reader, whatever the space says.
    team.set(space, "write", json!([])).await;
    assert_eq!(able(&team.otto.1).await, [200, 200, 422, 200, 422, 403]);
    assert_eq!(wiki.put(&page).token(&team.rita).json(json!({"content": "x", "version": 1})).await.status(), 403);

    // Who administers it may read and change the roles, and nobody else.
    team.set(space, "none", json!([{"user_id": team.eve.0, "role": "administer"}])).await;
    let target = format!("/spaces/{space}/access");
    let access = json!({"everybody": "none", "entries": [{"user_id": team.eve.0, "role": "administer"}]});
    let read = wiki.get(&target).token(&team.eve.1).await.expect(200).json();
    assert_eq!(read["entries"][0]["name"], "eve");
    wiki.put(&target).token(&team.otto.1).json(access.clone()).await.problem(404);
    wiki.get(&target).token(&team.otto.1).await.problem(404);
    wiki.put(&target).token(&team.eve.1).json(access).await.expect(200);
    for entries in [
        json!([{"user_id": 999, "role": "read"}]),
        json!([{"group_id": 999, "role": "read"}]),
        json!([{"user_id": 1}]),
        json!([{"user_id": 1, "group_id": 1, "role": "read"}]),
        json!([{"user_id": 1, "role": "none"}]),
        json!([{"user_id": 1, "role": "read"}, {"user_id": 1, "role": "write"}]),
        json!("all"),
    ] {
        let body = json!({"everybody": "read", "entries": entries});
        wiki.put(&target).token(&team.eve.1).json(body).await.invalid("entries");
    }
    assert_eq!(wiki.get(&target).token(&team.eve.1).await.expect(200).json(), read, "nothing has changed");
    wiki.put("/spaces/1/access").token(&team.admin).json(json!({"everybody": "none"})).await.problem(403);
}

#[tokio::test]
async fn a_page_narrows_what_may_be_done_with_it_and_below() {
    let team = team().await;
    let wiki: &Client = &team.wiki;
    let space = team.space(json!({"name": "Team"})).await;
    let top =
        team.write(&team.eve.1, json!({"content": "# Top", "space_id": space})).await.expect(201).json()["post_id"]
            .as_i64()
            .unwrap();
    let below =
        team.write(&team.eve.1, json!({"content": "# Below", "parent_id": top})).await.expect(201).json()["post_id"]
            .as_i64()
            .unwrap();
    let (top, below) = (format!("/posts/{top}"), format!("/posts/{below}"));
    let only_eve = json!({"everybody": "none", "entries": [{"user_id": team.eve.0, "role": "write"}]});
    wiki.put(&format!("{top}/access")).token(&team.eve.1).json(only_eve.clone()).await.problem(403);
    wiki.get(&format!("{top}/access")).token(&team.admin).await.problem(404);
    wiki.put(&format!("{top}/access")).token(&team.admin).json(only_eve).await.expect(200);
    for page in [&top, &below] {
        let met = [
            team.status(&team.eve.1, page).await,
            team.status(&team.otto.1, page).await,
            wiki.get(page).await.status(),
        ];
        assert_eq!(met, [200, 404, 404], "{page}");
    }
    // Below, it can only become less.
    let everybody = json!({"everybody": "write"});
    wiki.put(&format!("{below}/access")).token(&team.admin).json(everybody).await.expect(200);
    assert_eq!(team.status(&team.otto.1, &below).await, 404);
    let read_only = json!({"everybody": "read"});
    wiki.put(&format!("{below}/access")).token(&team.admin).json(read_only).await.expect(200);
    wiki.put(&below).token(&team.eve.1).json(json!({"content": "x", "version": 1})).await.problem(403);

    // What comes below it is as narrow, and what is moved away is not.
    let child = team.write(&team.eve.1, json!({"content": "# Child", "parent_id": id(&top)})).await.expect(201).json();
    let child = format!("/posts/{}", child["post_id"]);
    assert_eq!(team.status(&team.otto.1, &child).await, 404);
    wiki.post(&format!("{child}/move")).token(&team.eve.1).json(json!({})).await.expect(200);
    assert_eq!(team.status(&team.otto.1, &child).await, 200);
    wiki.post(&format!("{child}/move")).token(&team.eve.1).json(json!({"parent_id": id(&top)})).await.expect(200);
    assert_eq!(team.status(&team.otto.1, &child).await, 404);

    // If the page goes, those below it stay as narrow as they were, until somebody who may says otherwise.
    wiki.delete(&top).token(&team.eve.1).await.expect(204);
    assert_eq!(team.status(&team.otto.1, &child).await, 404);
    wiki.delete(&format!("{child}/access")).token(&team.admin).await.expect(204);
    assert_eq!(team.status(&team.otto.1, &child).await, 200);
    wiki.post(&format!("{top}/restore")).token(&team.eve.1).await.expect(200);
    wiki.delete(&format!("{top}/access")).token(&team.admin).await.expect(204);
    assert_eq!(team.status(&team.otto.1, &top).await, 200);
}

fn id(page: &str) -> i64 {
    page.rsplit('/').next().unwrap().parse().unwrap()
}

/// The titles in a list, followed to its end.
async fn listed(team: &Team, token: &str, list: &str) -> Vec<String> {
    let (mut titles, mut next) = (Vec::new(), Some(list.to_owned()));
    while let Some(target) = next {
        let page = team.wiki.get(&target).token(token).await.expect(200).json();
        titles.extend(page["posts"].as_array().unwrap().iter().map(|post| post["title"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    titles
}

#[tokio::test]
async fn the_pages_of_a_tag_are_those_of_all_pages_that_have_it_whatever_becomes_of_them() {
    let team = team().await;
    let (wiki, admin) = (&team.wiki, &team.admin);
    let space = team.space(json!({"name": "Closed"})).await;
    team.set(space, "none", json!([{"user_id": team.eve.0, "role": "read"}])).await;
    for (title, tags) in [
        ("Page 10", json!(["ops"])),
        ("page 2", json!(["ops", "red"])),
        ("Äpfel", json!(["ops"])),
        ("banana", json!(["red"])),
        ("Page 3", json!(["ops"])),
    ] {
        team.write(admin, json!({"title": title, "content": "x", "tags": tags})).await.expect(201);
    }
    team.write(admin, json!({"title": "below", "content": "x", "tags": ["ops"], "parent_id": 2})).await.expect(201);
    let same = async |after: &str, of_admin: usize, of_otto: usize| {
        for (token, expected) in [(admin, of_admin), (&team.eve.1, of_admin), (&team.otto.1, of_otto)] {
            for sort in ["created", "-created", "title", "-title", "updated", "-updated"] {
                let all = wiki.get(&format!("/posts?sort={sort}")).token(token).await.expect(200).json();
                let tagged = all["posts"].as_array().unwrap().iter();
                let tagged = tagged.filter(|post| post["tags"].as_array().unwrap().contains(&json!("ops")));
                let tagged: Vec<_> = tagged.map(|post| post["title"].as_str().unwrap().to_owned()).collect();
                let list = format!("/posts?tag=ops&limit=2&sort={sort}");
                assert_eq!(listed(&team, token, &list).await, tagged, "{sort} {after}");
                assert_eq!(tagged.len(), expected, "{after}");
            }
        }
    };
    same("at first", 5, 5).await;
    let change = async |id: i64, mut fields: Value| {
        fields["content"] = json!("y");
        wiki.put(&format!("/posts/{id}")).token(admin).header("if-match", "*").json(fields).await.expect(200);
    };
    change(1, json!({"title": "Aardvark"})).await;
    same("a change of the title", 5, 5).await;
    change(3, json!({"tags": ["red"]})).await;
    change(4, json!({"title": "Cherry", "tags": ["red", "ops"]})).await;
    same("a change of tags", 5, 5).await;
    change(5, json!({})).await;
    same("an edit of the text", 5, 5).await;
    wiki.delete("/posts/5").token(admin).await.expect(204);
    same("a deletion", 4, 4).await;
    wiki.post("/posts/5/restore").token(admin).await.expect(200);
    same("its undoing", 5, 5).await;
    wiki.post("/posts/2/move").token(admin).json(json!({"space_id": space})).await.expect(200);
    same("a move to where few may read", 5, 3).await;
    change(6, json!({"title": "Above"})).await;
    same("a change there", 5, 3).await;
    wiki.post("/posts/6/move").token(admin).json(json!({"space_id": 1})).await.expect(200);
    same("a move back", 5, 4).await;
}
