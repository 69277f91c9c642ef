//! Accounts: signing in and out, passwords, sessions, tokens, limits, and what is noted of them.

use std::time::Duration;

use blackbox::{ADMIN_PASSWORD, App, Client, GIVEN_PASSWORD, PASSWORD, Response, Value, at_once, json};

const WRONG: &str = "not the password";

async fn attempt(wiki: &Client, username: &str, password: &str) -> Response {
    wiki.post("/wiki/-/sign-in").form(&[("username", username), ("password", password)]).await
}

#[tokio::test]
async fn a_user_signs_in_and_out() {
    let wiki = App::wiki().access("private").start().await;
    let fields = [("username", "Admin"), ("password", ADMIN_PASSWORD), ("next", "/wiki/-/tags")];
    let response = wiki.post("/wiki/-/sign-in").form(&fields).await.expect(303);
    assert_eq!(response.header("location"), "/wiki/-/tags");
    let cookie = response.header("set-cookie");
    for part in ["session=", "Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"] {
        assert!(cookie.contains(part) && !cookie.contains("Secure"), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let account = wiki.get("/account").cookie(cookie).await.expect(200).json();
    assert_eq!((account["username"].as_str(), account["role"].as_str()), (Some("admin"), Some("administrator")));
    assert!(wiki.get("/wiki").cookie(cookie).await.expect(200).text().contains("id=\"_sign-out\""));

    let response = wiki.post("/wiki/-/sign-out").cookie(cookie).form(&[]).await.expect(303);
    assert!(response.header("set-cookie").starts_with("session=; Path=/; Max-Age=0"), "{response:?}");
    wiki.get("/account").cookie(cookie).await.problem(401);
    wiki.get("/wiki").cookie(cookie).await.problem(401);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure() {
    let wiki = App::wiki().access("private").start().await;
    let fields = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    let secure = |request: blackbox::Request| request.header("x-forwarded-proto", "https");
    let response = secure(wiki.post("/wiki/-/sign-in")).form(&fields).await.expect(303);
    let cookie = response.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-session=") && cookie.ends_with("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    secure(wiki.get("/account")).cookie(cookie).await.expect(200);
    // Without the prefix anybody on a neighbouring host could have set it.
    secure(wiki.get("/account")).cookie(cookie.trim_start_matches("__Host-")).await.problem(401);
}

#[tokio::test]
async fn sign_in_redirects_only_within_the_wiki() {
    let wiki = App::wiki().access("private").start().await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""] {
        let fields = [("username", "admin"), ("password", ADMIN_PASSWORD), ("next", next)];
        let response = wiki.post("/wiki/-/sign-in").form(&fields).await.expect(303);
        assert_eq!(response.header("location"), "/wiki", "{next}");
    }
    let form = wiki.get("/wiki/-/sign-in?next=https://evil.example/").await.expect(200);
    assert!(!form.text().contains("evil"), "{form:?}");
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_name_are_answered_the_same() {
    let wiki = App::wiki().access("private").start().await;
    wiki.administrator().await;
    let body = |response: &Response, name: &str| response.text().replace(&format!("value=\"{name}\""), "value=\"\"");
    let wrong_password = attempt(&wiki, "admin", WRONG).await.expect(401);
    let no_password = attempt(&wiki, "admin", "").await.expect(401);
    let wrong_name = attempt(&wiki, "nobody", WRONG).await.expect(401);
    let no_name = attempt(&wiki, "no name <at all>\u{7f}", WRONG).await.expect(401);
    assert_eq!(body(&wrong_password, "admin"), body(&wrong_name, "nobody"));
    assert_eq!(body(&wrong_password, "admin"), body(&no_password, "admin"));
    assert!(no_name.text().contains("That is not the username and password of an account"), "{no_name:?}");
    assert!(!wrong_password.has_header("set-cookie"));
    // A name without a password is no account.
    let user = json!({"username": "mere-name"});
    let cookie = wiki.administrator().await;
    wiki.post("/users").cookie(&cookie).json(user).await.expect(201);
    attempt(&wiki, "mere-name", "").await.expect(401);
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let wiki = App::wiki().access("open").start().await;
    // Whoever had the name before is that administrator now: without a password it was nobody's account.
    let before = json!({"username": "Admin", "name": "Mallory", "email": "mallory@example.org"});
    let before = wiki.post("/users").json(before).await.expect(201).json();
    let cookie = wiki.administrator().await;
    let account = wiki.get("/account").cookie(&cookie).await.expect(200).json();
    assert_eq!((account["user_id"].clone(), account["name"].as_str()), (before["id"].clone(), Some("admin")));
    let user = wiki.get("/users/1").cookie(&cookie).await.expect(200).json();
    assert_eq!((user["username"].as_str(), user["email"].is_null()), (Some("Admin"), true));

    // From then on the password is theirs, and the configured one is nothing.
    let change = json!({"current": ADMIN_PASSWORD, "new": PASSWORD});
    wiki.put("/account/password").cookie(&cookie).json(change).await.expect(204);
    attempt(&wiki, "admin", ADMIN_PASSWORD).await.expect(401);
    wiki.sign_in("admin", PASSWORD).await;
    assert_eq!(wiki.get("/users?username=admin").await.expect(200).json()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn several_may_be_the_first_administrator_at_once() {
    let wiki = App::wiki().access("private").replicas(2).start().await;
    let attempts = (0..8).map(|index| {
        let wiki = wiki.replica(index % wiki.replicas()).clone();
        async move { attempt(&wiki, "admin", ADMIN_PASSWORD).await.status() }
    });
    assert_eq!(blackbox::at_once(attempts.collect::<Vec<_>>()).await, [303; 8]);
    let cookie = wiki.administrator().await;
    assert_eq!(wiki.get("/users").cookie(&cookie).await.expect(200).json()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_admin_username_is_reserved() {
    let wiki = App::wiki().access("public-read").env("SPIN_VARIABLE_ADMIN_USERNAME", "root").start().await;
    let root = wiki.sign_in("root", ADMIN_PASSWORD).await;
    wiki.create_account(&root, "eve", "editor").await;
    let change = json!({"username": "boss"});
    wiki.patch("/users/1").cookie(&root).json(change).await.expect(200);
    let eve = wiki.sign_in("eve", PASSWORD).await;
    wiki.patch("/users/2").cookie(&eve).json(json!({"username": "Root"})).await.problem(409);
    wiki.patch("/users/2").cookie(&eve).json(json!({"username": "evelyn"})).await.expect(200);
}

#[tokio::test]
async fn administrators_see_whose_tokens_and_sessions_there_are() {
    let wiki = App::wiki().access("private").start().await;
    let administrator = wiki.administrator().await;
    let eve = wiki.create_account(&administrator, "eve", "editor").await;
    let cookie = wiki.sign_in("eve", PASSWORD).await;
    let token = wiki.create_token(&cookie, "admin").await;
    for (list, name) in [("/tokens", "tokens"), ("/sessions", "sessions")] {
        let target = format!("{list}?user_id={}", eve["id"]);
        let others = wiki.get(&target).cookie(&administrator).await.expect(200).json();
        assert_eq!(others[name].as_array().unwrap().len(), 1, "{others}");
        wiki.get(&target).cookie(&cookie).await.expect(200);
        wiki.get(&format!("{list}?user_id=1")).cookie(&cookie).await.problem(403);
    }
    // A password that somebody else gives takes everything from whoever has it by now.
    let given = json!({"password": "given because of a thief"});
    wiki.patch(&format!("/users/{}", eve["id"])).cookie(&administrator).json(given).await.expect(200);
    wiki.get("/account").token(&token).await.problem(401);
    wiki.get("/account").cookie(&cookie).await.problem(401);
}

#[tokio::test]
async fn a_browser_without_fetch_metadata_says_its_origin() {
    let wiki = App::wiki().access("private").start().await;
    let form = format!("username=admin&password={ADMIN_PASSWORD}");
    let send = |origin: &str| {
        let request = wiki.post("/wiki/-/sign-in").header("origin", origin);
        request.body("application/x-www-form-urlencoded", form.clone())
    };
    send(wiki.url()).await.expect(303);
    for origin in ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"] {
        send(origin).await.problem(403);
    }
}

#[tokio::test]
async fn a_weak_admin_password_creates_no_account() {
    for (password, reason) in [("short", "must have at least 8 characters"), ("password1", "is too common")] {
        let wiki = App::wiki().access("private").env("SPIN_VARIABLE_ADMIN_PASSWORD", password).start().await;
        attempt(&wiki, "admin", password).await.expect(401);
        wiki.runner().logged("variable admin_password:", 1).await;
        assert!(wiki.runner().stderr().contains(reason), "{}", wiki.runner().stderr());
        assert!(!wiki.runner().stderr().contains(password));
    }
    let wiki = App::wiki().env("SPIN_VARIABLE_ACCESS", "private").start().await;
    attempt(&wiki, "admin", "").await.expect(401);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let wiki = App::wiki().access("private").start().await;
    let here = wiki.administrator().await;
    let there = wiki.administrator().await;
    let token = wiki.create_token(&here, "admin").await;
    let change = |current: &str, new: &str| {
        wiki.put("/account/password").cookie(&here).json(json!({"current": current, "new": new}))
    };
    change(WRONG, PASSWORD).await.invalid("current");
    change(ADMIN_PASSWORD, "short").await.invalid("new");
    change(ADMIN_PASSWORD, "password1").await.invalid("new");
    change(ADMIN_PASSWORD, "administrator").await.invalid("new");
    change(ADMIN_PASSWORD, ADMIN_PASSWORD).await.invalid("new");
    change(ADMIN_PASSWORD, "second light of day").await.expect(204);
    wiki.get("/account").cookie(&here).await.expect(200);
    wiki.get("/account").cookie(&there).await.problem(401);
    wiki.get("/account").token(&token).await.expect(200);
    // The same by the page.
    let fields = [("current", "second light of day"), ("new", "admin")];
    wiki.post("/wiki/-/account/password").cookie(&here).form(&fields).await.expect(422);
    let fields = [("current", "second light of day"), ("new", PASSWORD)];
    let page = wiki.post("/wiki/-/account/password").cookie(&here).form(&fields).await.expect(200);
    assert!(page.text().contains("id=\"_changed\""), "{page:?}");
    wiki.sign_in("admin", PASSWORD).await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let wiki = App::wiki().access("private").start().await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        cookies.push(wiki.administrator().await);
    }
    let sessions = wiki.get("/sessions").cookie(&cookies[0]).header("user-agent", "x").await.expect(200).json();
    let sessions = sessions["sessions"].as_array().unwrap();
    assert_eq!(sessions.iter().map(|session| session["current"] == true).collect::<Vec<_>>(), [false, false, true]);
    assert!(sessions.iter().all(|session| session["address"] == "127.0.0.1"), "{sessions:?}");
    wiki.delete(&format!("/sessions/{}", sessions[0]["id"])).cookie(&cookies[0]).await.expect(204);
    wiki.get("/account").cookie(&cookies[2]).await.problem(401);
    wiki.get("/account").cookie(&cookies[1]).await.expect(200);
    // By the page: everywhere but here.
    wiki.post("/wiki/-/account/sessions").cookie(&cookies[0]).form(&[]).await.expect(303);
    wiki.get("/account").cookie(&cookies[1]).await.problem(401);
    wiki.get("/wiki/-/account").cookie(&cookies[0]).await.expect(200);
    wiki.delete("/sessions").cookie(&cookies[0]).await.expect(204);
    wiki.get("/account").cookie(&cookies[0]).await.problem(401);
}

#[tokio::test]
async fn signing_in_again_starts_a_new_session() {
    let wiki = App::wiki().access("private").start().await;
    let first = wiki.administrator().await;
    let fields = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    let again = wiki.post("/wiki/-/sign-in").cookie(&first).form(&fields).await.expect(303);
    assert!(!again.header("set-cookie").starts_with(&first));
    wiki.get("/account").cookie(&first).await.problem(401);
}

#[tokio::test]
async fn forged_sessions_and_tokens_are_refused() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    let token = wiki.create_token(&cookie, "admin").await;
    let (id, secret) = cookie.trim_start_matches("session=").split_once('_').unwrap();
    for forged in [
        format!("session={id}_{}", "A".repeat(secret.len())),
        format!("session={id}_"),
        format!("session={id}"),
        format!("session=99_{secret}"),
        format!("session=-1_{secret}"),
        "session=".to_owned(),
        format!("session={id}_{}", secret.to_lowercase()),
    ] {
        wiki.get("/account").cookie(&forged).await.problem(401);
        // Reading needs nobody: a session that is over makes no difference.
        wiki.get("/posts").cookie(&forged).await.expect(200);
    }
    for forged in [
        &token[..token.len() - 1],
        "wasiki_1_",
        "wasiki_",
        "",
        "x",
        &format!("{token}A"),
        "wasiki_99999999999999999999_x",
    ] {
        let answer = wiki.get("/posts").token(forged).await;
        answer.problem(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"wasiki\", error=\"invalid_token\"");
    }
    // A session is no token, and a token no session.
    wiki.get("/posts").token(cookie.trim_start_matches("session=")).await.problem(401);
    wiki.get("/account").cookie(&format!("session={}", token.trim_start_matches("wasiki_"))).await.problem(401);
}

#[tokio::test]
async fn a_token_is_shown_once_and_does_what_its_scope_says() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let body = json!({"name": "nightly", "scope": "write"});
    let made = wiki.post("/tokens").cookie(&cookie).json(body).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store, no-transform");
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let list = wiki.get("/tokens").cookie(&cookie).await.expect(200);
    assert!(!list.text().contains(&token[token.len() - 20..]), "{list:?}");
    let listed = &list.json()["tokens"][0];
    assert_eq!((listed["name"].as_str(), listed["used_time"].is_null()), (Some("nightly"), true));

    wiki.post("/posts").token(&token).json(json!({"content": "# One"})).await.expect(201);
    let refused = wiki.get("/audit").token(&token).await;
    refused.problem(403);
    assert!(refused.header("www-authenticate").contains("insufficient_scope"), "{refused:?}");
    wiki.post("/tokens").token(&token).json(json!({"name": "wider", "scope": "admin"})).await.problem(403);
    assert!(wiki.get("/tokens").cookie(&cookie).await.expect(200).json()["tokens"][0]["used_time"].is_string());

    for (field, body) in [
        ("scope", json!({"name": "x", "scope": "all"})),
        ("scope", json!({"name": "x"})),
        ("name", json!({"name": "", "scope": "read"})),
        ("expires_time", json!({"name": "x", "scope": "read", "expires_time": "2020-01-01T00:00:00Z"})),
        ("expires_time", json!({"name": "x", "scope": "read", "expires_time": "2999-01-01T00:00:00Z"})),
    ] {
        wiki.post("/tokens").cookie(&cookie).json(body).await.invalid(field);
    }
    wiki.delete(made.header("location")).cookie(&cookie).await.expect(204);
    wiki.get("/posts").token(&token).await.problem(401);
    wiki.delete(made.header("location")).cookie(&cookie).await.problem(404);
}

#[tokio::test]
async fn a_token_is_made_and_revoked_on_the_page() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let fields = [("token", "import <b>"), ("scope", "read"), ("days", "7")];
    let page = wiki.post("/wiki/-/account/tokens").cookie(&cookie).form(&fields).await.expect(201);
    let secret = page.text().split("id=\"_secret\" data-copy>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(wiki.get("/account").token(secret).await.expect(200).json()["scope"], "read");
    let again = wiki.get("/wiki/-/account").cookie(&cookie).await.expect(200);
    assert!(again.text().contains("import &lt;b&gt;") && !again.text().contains(secret), "{again:?}");
    wiki.post("/wiki/-/account/tokens").cookie(&cookie).form(&[("token", " ")]).await.expect(422);
    let id = secret.split('_').nth(1).unwrap();
    wiki.post("/wiki/-/account/tokens/revoke").cookie(&cookie).form(&[("id", id)]).await.expect(303);
    wiki.get("/account").token(secret).await.problem(401);
}

#[tokio::test]
async fn a_role_counts_at_once_and_a_deleted_user_is_out() {
    let wiki = App::wiki().access("private").start().await;
    let administrator = wiki.administrator().await;
    let user = wiki.create_account(&administrator, "eve", "editor").await;
    let target = format!("/users/{}", user["id"]);
    let cookie = wiki.sign_in("eve", PASSWORD).await;
    let token = wiki.create_token(&cookie, "write").await;
    wiki.post("/posts").token(&token).json(json!({"content": "# One"})).await.expect(201);
    wiki.patch(&target).cookie(&administrator).json(json!({"role": "reader"})).await.expect(200);
    wiki.post("/posts").token(&token).json(json!({"content": "# Two"})).await.problem(403);
    wiki.get("/wiki/-/new").cookie(&cookie).await.problem(403);

    // A password by an administrator signs them out.
    wiki.patch(&target).cookie(&administrator).json(json!({"password": "another four words"})).await.expect(200);
    wiki.get("/account").cookie(&cookie).await.problem(401);
    let fields = [("username", "eve"), ("password", "another four words"), ("next", "/wiki/-/tags")];
    let response = wiki.post("/wiki/-/sign-in").form(&fields).await.expect(303);
    assert_eq!(response.header("location"), "/wiki/-/account");
    let cookie = response.header("set-cookie").split(';').next().unwrap();

    // They choose one of their own before anything else.
    assert_eq!(wiki.get("/account").cookie(cookie).await.expect(200).json()["password_is_given"], true);
    for target in ["/posts", "/tokens", "/wiki"] {
        assert!(
            wiki.get(target).cookie(cookie).await.problem(403).detail.contains("choose one of your own"),
            "{target}"
        );
    }
    wiki.get("/posts").token(&token).await.problem(401);
    wiki.choose_password(cookie, "another four words").await;
    wiki.get("/posts").cookie(cookie).await.expect(200);

    wiki.delete(&target).cookie(&administrator).await.expect(204);
    wiki.get("/account").cookie(cookie).await.problem(401);
    wiki.get("/account").token(&token).await.problem(401);
    attempt(&wiki, "eve", PASSWORD).await.expect(401);
}

#[tokio::test]
async fn administrators_look_after_accounts_in_the_browser() {
    let wiki = App::wiki().access("private").start().await;
    let administrator = wiki.administrator().await;
    let make = |fields: &[(&str, &str)]| wiki.post("/wiki/-/users/new").cookie(&administrator).form(fields);
    let weak = make(&[("username", "eve"), ("password", "12345678"), ("role", "reader")]).await.expect(422);
    assert!(weak.text().contains("id=\"_password-error\""), "{weak:?}");
    make(&[("username", "e v e"), ("password", PASSWORD)]).await.expect(422);
    make(&[("username", "eve")]).await.expect(422);
    let made =
        make(&[("username", "eve"), ("name", "Eve"), ("password", PASSWORD), ("role", "reader")]).await.expect(303);
    let eve = wiki.sign_in("eve", PASSWORD).await;
    let change = json!({"current": PASSWORD, "new": "a password of eve's own"});
    wiki.put("/account/password").cookie(&eve).json(change).await.expect(204);
    wiki.get("/wiki/-/new").cookie(&eve).await.problem(403);
    make(&[("username", "EVE"), ("password", PASSWORD), ("role", "reader")]).await.expect(409);
    let account = format!("{}/account", made.header("location"));
    let form = wiki.get(&account).cookie(&administrator).await.expect(200);
    assert!(form.text().contains("value=\"eve\"") && form.text().contains("value=\"Eve\""), "{form:?}");
    let fields = [("username", "eve"), ("name", "Eve"), ("role", "editor"), ("password", "")];
    wiki.post(&account).cookie(&administrator).form(&fields).await.expect(303);
    wiki.get("/wiki/-/new").cookie(&eve).await.expect(200);
    wiki.get(&account).cookie(&eve).await.problem(403);
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing() {
    let wiki = App::wiki().access("public-read").start().await;
    let cookie = wiki.administrator().await;
    let form = "title=Spam&content=Spam";
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("x-nothing", "x")] {
        for target in ["/wiki/-/new", "/wiki/-/sign-out", "/wiki/-/account/tokens", "/wiki/-/users/new"] {
            let request = wiki.post(target).cookie(&cookie).header(header, value);
            request.body("application/x-www-form-urlencoded", form).await.problem(403);
        }
    }
    assert_eq!(wiki.get("/posts").await.expect(200).json()["posts"], json!([]));
    wiki.get("/account").cookie(&cookie).await.expect(200);
}

#[tokio::test]
async fn guessing_a_password_from_100_addresses_is_stopped() {
    let wiki = App::wiki().access("private").env("RUNNER_TRUSTED_PROXIES", "127.0.0.1").replicas(2).start().await;
    let cookie = wiki.administrator().await;
    let (mut tried, mut refused) = (0, 0);
    for guess in 0..100 {
        let replica = wiki.replica(guess % wiki.replicas());
        let password = format!("guess number {guess}");
        let fields = [("username", if guess % 2 == 0 { "admin" } else { "ADMIN" }), ("password", &*password)];
        let from = format!("198.51.100.{guess}");
        let answer = replica.post("/wiki/-/sign-in").header("x-forwarded-for", from).form(&fields).await;
        match answer.status() {
            401 => tried += 1,
            429 => {
                refused += 1;
                let wait: u64 = answer.header("retry-after").parse().unwrap();
                assert!((1..=60).contains(&wait), "{wait}");
            }
            other => panic!("{other}: {answer:?}"),
        }
    }
    // Thirty at once, the administrator's own first among them, and one more for each minute this took.
    assert!((29..=32).contains(&tried), "{tried} guesses were answered, {refused} refused");
    // Nor does the right one get in now from a new address. Who is in stays in, and gets in where they did before.
    let right = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    wiki.post("/wiki/-/sign-in").header("x-forwarded-for", "198.51.100.200").form(&right).await.expect(429);
    wiki.get("/account").cookie(&cookie).await.expect(200);
    let cookie = wiki.administrator().await;
    let trail = wiki_entries(&wiki, &cookie, "/audit").await;
    let events = |event: &str| trail.iter().filter(|entry| entry["event"] == event).count();
    assert_eq!(events("sign_in_failed"), tried);
    assert!(events("sign_in_refused") > 0 && events("sign_in_refused") <= refused + 1, "{trail:?}");
    // The same for a name nobody has, so that it tells nothing.
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(attempt(&wiki, "nobody", WRONG).await.status());
    }
    assert_eq!((statuses[0], statuses[10]), (401, 429), "{statuses:?}");
}

#[tokio::test]
async fn clients_that_hang_up_while_their_password_is_hashed_keep_nobody_out() {
    let wiki = App::wiki().access("private").env("RUNNER_TRUSTED_PROXIES", "127.0.0.1").start().await;
    wiki.administrator().await;
    let hang_up = |address: u64, number: u64| {
        let (name, from) = (format!("somebody-{address}-{number}"), format!("198.51.100.{address}"));
        let fields = [("username", name.as_str()), ("password", WRONG)];
        let answer = wiki.post("/wiki/-/sign-in").header("x-forwarded-for", from).form(&fields).into_future();
        // Each client is a little more patient: some of them hang up while their password is hashed.
        tokio::time::timeout(Duration::from_millis(10 * number), answer)
    };
    let mut cookie = String::new();
    for number in 0..20 {
        _ = at_once((1..=4).map(|address| hang_up(address, number))).await;
        cookie = wiki.administrator().await;
    }
    // Their leases end, and the next attempt finds them. On a slow machine, none of them may have come as far as that.
    let rounds = std::cell::Cell::new(20);
    blackbox::eventually("an attempt without an end is in the audit trail", || async {
        let round = rounds.replace(rounds.get() + 1);
        _ = hang_up(round, round).await;
        _ = hang_up(round, 1000).await;
        let entries = wiki_entries(&wiki, &cookie, "/audit").await;
        entries.iter().any(|entry| {
            entry["event"] == "sign_in_abandoned"
                && entry["address"].as_str().is_some_and(|address| address.starts_with("198.51.100."))
        })
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let second = wiki.create_account(&administrator, "eve", "editor").await;
    let second = format!("/users/{}", second["id"]);
    let last = "/users/1";
    for role in ["editor", "reader"] {
        let problem = wiki.patch(last).cookie(&administrator).json(json!({"role": role})).await.problem(409);
        assert!(problem.detail.contains("only administrator"), "{problem:?}");
    }
    wiki.delete(last).cookie(&administrator).await.problem(409);
    let form = [("username", "admin"), ("role", "reader")];
    let page = wiki.post("/wiki/-/users/1/account").cookie(&administrator).form(&form).await.expect(409);
    assert!(page.text().contains("must stay administrator"), "{page:?}");
    let promote = json!({"role": "administrator"});
    // Each takes the role from the other: one of them keeps it.
    for _ in 0..10 {
        wiki.patch(&second).cookie(&administrator).json(promote.clone()).await.expect(200);
        let eve = wiki.sign_in("eve", PASSWORD).await;
        let demote = |target: &str, cookie: &str| {
            wiki.patch(target).cookie(cookie).json(json!({"role": "editor"})).into_future()
        };
        let answers = at_once([demote(last, &eve), demote(&second, &administrator)]).await;
        let statuses: Vec<u16> = answers.iter().map(Response::status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        if statuses[0] == 200 {
            wiki.patch(last).cookie(&eve).json(promote.clone()).await.expect(200);
        }
    }
    wiki.patch(&second).cookie(&administrator).json(promote).await.expect(200);
    wiki.delete(last).cookie(&administrator).await.expect(204);
}

#[tokio::test]
async fn the_documented_recovery_makes_the_administrator_again_and_ends_what_was_theirs() {
    let wiki = App::wiki().access("private").start().await;
    let old = wiki.administrator().await;
    wiki.choose_password(&old, ADMIN_PASSWORD).await;
    let token = wiki.create_token(&old, "admin").await;
    attempt(&wiki, "admin", ADMIN_PASSWORD).await.expect(401);
    let documents = std::fs::read_to_string(blackbox::repository().join("docs/DEPLOYMENT.md")).unwrap();
    let statement = "UPDATE users SET password = NULL WHERE role = 'administrator'";
    assert!(documents.contains(&format!("```sql\n{statement}\n```")));
    wiki.database().client().await.execute(statement, &[]).await.unwrap();
    let new = wiki.administrator().await;
    wiki.get("/account").cookie(&new).await.expect(200);
    wiki.get("/account").cookie(&old).await.problem(401);
    wiki.get("/account").token(&token).await.problem(401);
}

#[tokio::test]
async fn changes_of_a_user_are_in_the_audit_trail_with_the_old_and_the_new_value() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let eve = wiki.create_account(&administrator, "eve", "editor").await;
    let target = format!("/users/{}", eve["id"]);
    for change in [
        json!({"username": "evelyn", "name": "Evelyn"}),
        json!({"email": "e@example.org"}),
        json!({"email": null}),
        json!({"name": "Evelyn"}),
    ] {
        wiki.patch(&target).cookie(&administrator).json(change).await.expect(200);
    }
    let trail = wiki_entries(&wiki, &administrator, &format!("/audit?user_id={}", eve["id"])).await;
    let changes: Vec<(&str, &str)> = trail
        .iter()
        .map(|entry| (entry["event"].as_str().unwrap(), entry["details"].as_str().unwrap()))
        .filter(|(event, _)| ["username_changed", "name_changed", "email_changed"].contains(event))
        .collect();
    let expected = [
        ("email_changed", "e@example.org → none"),
        ("email_changed", "none → e@example.org"),
        ("name_changed", "eve → Evelyn"),
        ("username_changed", "eve → evelyn"),
    ];
    assert_eq!(changes.iter().rev().collect::<std::collections::BTreeSet<_>>(), expected.iter().collect());
    assert_eq!(changes.len(), expected.len(), "{changes:?}");
}

#[tokio::test]
async fn a_token_makes_none_that_outlasts_it() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let in_days = |days| (chrono::Utc::now() + chrono::TimeDelta::days(days)).to_rfc3339();
    let make = |days: Option<i64>| json!({"name": "x", "scope": "admin", "expires_time": days.map(in_days)});
    let first = wiki.post("/tokens").cookie(&cookie).json(make(Some(5))).await.expect(201).json();
    let token = first["token"].as_str().unwrap();
    wiki.post("/tokens").token(token).json(make(Some(6))).await.invalid("expires_time");
    wiki.post("/tokens").token(token).json(make(Some(4))).await.expect(201);
    let default = wiki.post("/tokens").token(token).json(make(None)).await.expect(201).json();
    assert_eq!(default["expires_time"], first["expires_time"]);
}

#[tokio::test]
async fn changing_the_password_revokes_tokens_only_if_asked_to() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let token = wiki.create_token(&cookie, "read").await;
    let change = |current: &str, new: &str, revoke| json!({"current": current, "new": new, "revoke_tokens": revoke});
    let put = |change| wiki.put("/account/password").cookie(&cookie).json(change);
    put(change(ADMIN_PASSWORD, PASSWORD, json!("yes"))).await.invalid("revoke_tokens");
    put(change(ADMIN_PASSWORD, PASSWORD, json!(false))).await.expect(204);
    wiki.get("/account").token(&token).await.expect(200);
    put(change(PASSWORD, ADMIN_PASSWORD, json!(true))).await.expect(204);
    wiki.get("/account").token(&token).await.problem(401);
    wiki.get("/account").cookie(&cookie).await.expect(200);
    // The form says the same by a check box.
    let token = wiki.create_token(&cookie, "read").await;
    let fields = [("current", ADMIN_PASSWORD), ("new", PASSWORD), ("revoke_tokens", "yes")];
    wiki.post("/wiki/-/account/password").cookie(&cookie).form(&fields).await.expect(200);
    wiki.get("/account").token(&token).await.problem(401);
}

#[tokio::test]
async fn a_form_or_request_that_is_sent_twice_makes_one_user_and_one_token() {
    let wiki = App::wiki().access("private").start().await;
    let cookie = wiki.administrator().await;
    let create = |body: Value| wiki.post("/users").cookie(&cookie).header("idempotency-key", "u-1").json(body);
    let answers = at_once((0..4).map(|_| create(json!({"name": "Bob"})).into_future())).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201).json()["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    create(json!({"username": "bob"})).await.problem(422);
    let make = |key: &str| {
        let body = json!({"name": "import", "scope": "read"});
        wiki.post("/tokens").cookie(&cookie).header("idempotency-key", key).json(body)
    };
    let tokens = at_once((0..4).map(|_| make("t-1").into_future())).await;
    let mut working = 0;
    for token in tokens {
        let token = token.expect(201).json()["token"].as_str().unwrap().to_owned();
        working += i32::from(wiki.get("/account").token(&token).await.status() == 200);
    }
    assert_eq!(working, 1, "one of the tokens takes the place of the others");
    make("t-2").await.expect(201);
    assert_eq!(wiki.get("/tokens").cookie(&cookie).await.expect(200).json()["tokens"].as_array().unwrap().len(), 2);

    // The same of forms.
    let form = wiki.get("/wiki/-/users/new").cookie(&cookie).await.expect(200);
    let key = form.text().split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("key", &*key), ("username", "carol"), ("password", GIVEN_PASSWORD), ("role", "editor")];
    for _ in 0..2 {
        wiki.post("/wiki/-/users/new").cookie(&cookie).form(&fields).await.expect(303);
    }
    let change = [("key", "p-1"), ("current", ADMIN_PASSWORD), ("new", PASSWORD)];
    for _ in 0..2 {
        let page = wiki.post("/wiki/-/account/password").cookie(&cookie).form(&change).await.expect(200);
        assert!(page.text().contains("_changed"), "{page:?}");
    }
}

#[tokio::test]
async fn an_address_that_tries_many_names_is_slowed_down() {
    let wiki = App::wiki().access("private").env("RUNNER_TRUSTED_PROXIES", "127.0.0.1").start().await;
    let try_from = |address: &'static str, name: usize| {
        let name = format!("somebody-{name}");
        let fields = [("username", name.as_str()), ("password", WRONG)];
        wiki.post("/wiki/-/sign-in").header("x-forwarded-for", address).form(&fields)
    };
    // At once: the limit rises again with time, and a slow machine could take longer for one after another.
    let answers = at_once((0..80).map(|name| try_from("198.51.100.7", name).into_future())).await;
    assert!(answers.iter().any(|answer| answer.status() == 429), "80 names were tried from one address");
    try_from("198.51.100.8", 999).await.expect(401);
}

#[tokio::test]
async fn a_client_cannot_say_what_only_the_host_knows() {
    let wiki = App::wiki().access("private").start().await;
    let as_if_from = |number: usize, name: String, password: &'static str| {
        let request = wiki.post("/wiki/-/sign-in").form(&[("username", name.as_str()), ("password", password)]);
        request
            .header("spin-client-addr", format!("198.51.100.{number}:1"))
            .header("spin-full-url", "https://evil.example/")
    };
    let signed_in = as_if_from(0, "admin".to_owned(), ADMIN_PASSWORD).await;
    assert!(!signed_in.has_header("strict-transport-security"), "the connection is not by TLS: {signed_in:?}");
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let sessions = wiki.get("/sessions").cookie(&cookie).await.expect(200).json();
    assert_eq!(sessions["sessions"][0]["address"], "127.0.0.1", "{sessions}");
    // One password guessed at under 70 addresses, and 80 names tried under 80.
    let mut statuses = Vec::new();
    for number in 1..=70 {
        statuses.push(as_if_from(number, "admin".to_owned(), WRONG).await.status());
    }
    assert!(statuses[12..].iter().all(|status| *status == 429), "{statuses:?}");
    let names = (0..80).map(|number| as_if_from(number, format!("somebody-{number}"), WRONG).into_future());
    assert!(at_once(names).await.iter().any(|answer| answer.status() == 429), "80 names were tried from one address");
}

#[tokio::test]
async fn changes_from_one_address_are_limited_by_the_runner() {
    let wiki = App::wiki()
        .env("RUNNER_TRUSTED_PROXIES", "127.0.0.0/8")
        .env("RUNNER_WRITE_RATE", "1")
        .env("RUNNER_WRITE_BURST", "5")
        .start()
        .await;
    let create = |from: &str| wiki.post("/users").header("x-forwarded-for", from).json(json!({"name": "x"}));
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(create("198.51.100.7").await.status());
    }
    assert!(statuses[..5].iter().all(|status| *status == 201) && statuses.contains(&429), "{statuses:?}");
    let refused = create("203.0.113.1, 198.51.100.7").await;
    refused.problem(429);
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|wait| wait >= 1), "{refused:?}");
    create("198.51.100.8").await.expect(201);
    wiki.get("/users").header("x-forwarded-for", "198.51.100.7").await.expect(200);
    wiki.post("/users").json(json!({"name": "from this machine"})).await.expect(201);
    let metrics = wiki.admin().get("/metrics").await.expect(200).text().to_owned();
    let limited = blackbox::metric(&metrics, "wiki_runner_requests_rate_limited_total");
    assert!(limited.is_some_and(|limited| limited >= 1), "{metrics}");
}

#[tokio::test]
async fn accounts_and_pages_leave_an_audit_trail() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    attempt(&wiki, "admin", WRONG).await.expect(401);
    let user = wiki.create_account(&administrator, "eve", "reader").await;
    let target = format!("/users/{}", user["id"]);
    wiki.patch(&target).cookie(&administrator).json(json!({"role": "editor"})).await.expect(200);
    let eve = wiki.sign_in("eve", PASSWORD).await;
    wiki.create_token(&eve, "write").await;
    wiki.post("/posts").cookie(&eve).json(json!({"content": "# A page"})).await.expect(201);
    wiki.put("/posts/1/protection").cookie(&administrator).json(json!({})).await.expect(200);
    wiki.delete("/posts/1/protection").cookie(&administrator).await.expect(200);
    let rename = json!({"content": "# A page", "title": "The page", "version": 1});
    wiki.put("/posts/1").cookie(&eve).json(rename).await.expect(200);
    let moved = json!({"content": "# A page", "slug": "elsewhere", "version": 2});
    wiki.put("/posts/1").cookie(&eve).json(moved).await.expect(200);
    wiki.delete("/posts/1").cookie(&eve).await.expect(204);
    // It leads people to pages they can read: here the notice, and the page once it is back.
    let trail = wiki.get("/wiki/-/audit").cookie(&administrator).await.expect(200);
    assert!(trail.text().contains("<a href=\"/wiki/-/deleted/1\"><bdi>The page</bdi></a>"), "{}", trail.text());
    assert!(trail.text().contains(&format!("<a href=\"/wiki/-{target}\"><bdi>eve</bdi></a>")), "{}", trail.text());
    assert!(!trail.text().contains("\"/posts/"), "{}", trail.text());
    wiki.post("/posts/1/restore").cookie(&administrator).json(json!({})).await.expect(200);
    let trail = wiki.get("/wiki/-/audit").cookie(&administrator).await.expect(200);
    assert!(trail.text().contains("<a href=\"/wiki/elsewhere\"><bdi>The page</bdi></a>"), "{}", trail.text());
    wiki.delete(&target).cookie(&administrator).await.expect(204);

    let entries = wiki_entries(&wiki, &administrator, "/audit?limit=3").await;
    let events: Vec<&str> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(
        events,
        [
            "user_deleted",
            "page_restored",
            "page_deleted",
            "page_renamed",
            "page_renamed",
            "page_unprotected",
            "page_protected",
            "token_created",
            "sign_in",
            "role_changed",
            "sign_out",
            "password_changed",
            "sign_in",
            "account_created",
            "sign_in_failed",
            "sign_in",
            "account_created",
        ]
    );
    assert_eq!((entries[2]["actor_id"].clone(), entries[2]["post_id"].clone()), (user["id"].clone(), 1.into()));
    let details = |at: usize| entries[at]["details"].as_str().unwrap();
    assert_eq!((details(4), details(3)), ("A page → The page", "a-page → elsewhere"));
    assert_eq!((entries[9]["actor_id"].clone(), details(9)), (1.into(), "reader → editor"));
    assert!(entries.iter().take(16).all(|entry| entry["address"] == "127.0.0.1"), "{entries:?}");
    let about = wiki_entries(&wiki, &administrator, &format!("/audit?user_id={}", user["id"])).await;
    assert_eq!(about.len(), 11, "{about:?}");
    let page = wiki.get("/wiki/-/audit").cookie(&administrator).await.expect(200);
    assert!(page.text().contains("failed sign-in"), "{page:?}");
}

async fn wiki_entries(wiki: &Client, cookie: &str, target: &str) -> Vec<blackbox::Value> {
    let (mut all, mut next) = (Vec::new(), Some(target.to_owned()));
    while let Some(target) = next {
        let page = wiki.get(&target).cookie(cookie).await.expect(200).json();
        all.extend(page["entries"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
    }
    all
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let wiki = App::wiki()
        .access("public-read")
        .env("RUNNER_LOG", "trace,h2=off")
        .env("RUNNER_ACCESS_LOG", "true")
        .start()
        .await;
    let cookie = wiki.administrator().await;
    let token = wiki.create_token(&cookie, "admin").await;
    wiki.create_account(&cookie, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    wiki.post("/posts").token(&token).json(json!({"content": "# One"})).await.expect(201);
    let mistyped = "my password in the wrong field";
    let mut answers = vec![
        attempt(&wiki, "admin", WRONG).await,
        attempt(&wiki, "eve", "not eve's password").await,
        wiki.get("/posts?token=x").token(&format!("{token}x")).await,
        wiki.put("/account/password").cookie(&eve).json(json!({"current": WRONG, "new": PASSWORD})).await,
        wiki.put("/account/password").cookie(&eve).json(json!({"current": PASSWORD, "new": "x"})).await,
        wiki.post("/users").cookie(&cookie).json(json!({"username": "eve", "password": PASSWORD})).await,
    ];
    attempt(&wiki, mistyped, WRONG).await.expect(401);
    for target in [
        "/metrics",
        "/audit",
        "/users",
        "/users/1",
        "/account",
        "/tokens",
        "/sessions",
        "/wiki/-/account",
        "/wiki/-/audit",
        "/wiki/-/users/1/account",
        "/posts",
        "/changes",
        "/feed.atom",
    ] {
        answers.push(wiki.get(target).cookie(&cookie).await.expect(200));
    }
    answers.push(wiki.admin().get("/metrics").await.expect(200));
    wiki.post("/wiki/-/sign-out").cookie(&eve).form(&[]).await.expect(303);

    let half = |credential: &str| credential[credential.len() - 20..].to_owned();
    let secrets = [
        ADMIN_PASSWORD.to_owned(),
        PASSWORD.to_owned(),
        GIVEN_PASSWORD.to_owned(),
        WRONG.to_owned(),
        mistyped.to_owned(),
        half(&cookie),
        half(&eve),
        half(&token),
    ];
    let logs = format!("{}{}", wiki.runner().stdout(), wiki.runner().stderr());
    assert!(logs.contains("/wiki/-/sign-in"), "the log says something: {}", logs.len());
    for secret in &secrets {
        assert!(!logs.contains(secret), "{secret:?} is in the log");
        for answer in &answers {
            assert!(!answer.text().contains(secret), "{secret:?} is in {answer:?}");
        }
    }
    let database = wiki.database();
    for table in ["users", "sessions", "tokens", "audit", "limits"] {
        let rows = database.column(&format!("SELECT t::text FROM {table} t")).await.join("\n");
        assert!(!rows.is_empty(), "{table}");
        for secret in &secrets {
            assert!(!rows.contains(secret.as_str()), "{secret:?} is in the table {table}");
        }
    }
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let wiki = App::wiki().access("private").start().await;
    for (column, days, status) in
        [("used_time", 6, 200), ("used_time", 8, 401), ("created_time", 29, 200), ("created_time", 31, 401)]
    {
        let cookie = wiki.administrator().await;
        let sql = format!("UPDATE sessions SET {column} = now() - interval '{days} days'");
        wiki.database().client().await.batch_execute(&sql).await.unwrap();
        wiki.get("/account").cookie(&cookie).await.expect(status);
    }
    // Those that are over are swept when their owner signs in again.
    wiki.administrator().await;
    let expired = "SELECT count(*) FROM sessions WHERE created_time < now() - interval '30 days'";
    assert_eq!(wiki.database().column(expired).await, ["0"]);
}

#[tokio::test]
async fn a_denied_request_is_logged() {
    let wiki = App::wiki().access("public-read").start().await;
    let administrator = wiki.administrator().await;
    let eve = wiki.create_account(&administrator, "eve", "editor").await;
    let cookie = wiki.sign_in("eve", PASSWORD).await;
    wiki.get("/audit").cookie(&cookie).await.problem(403);
    wiki.runner().logged(&format!("denied: user {}: GET /audit", eve["id"]), 1).await;
}
