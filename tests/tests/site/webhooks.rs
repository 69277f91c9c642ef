//! Webhooks in the site: made, changed, tested and deleted by forms, without a script.

use blackbox::{ADMIN_PASSWORD, App, PASSWORD, Receiver, Reply, Request, eventually, json};

const LIST: &str = "/wiki/-/webhooks";

async fn start() -> (App, String) {
    let wiki = App::wiki()
        .access("public-read")
        .with_events()
        .env("SPIN_VARIABLE_WEBHOOK_HOSTS", "http://127.0.0.1:*")
        .start()
        .await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    (wiki, cookie)
}

fn in_browser(request: Request, cookie: &str) -> Request {
    request.header("accept", "text/html").cookie(cookie)
}

#[tokio::test]
async fn a_webhook_is_made_tested_changed_and_deleted() {
    let (wiki, cookie) = start().await;
    let see = async |path: &str| in_browser(wiki.get(path), &cookie).await.expect(200).text().to_owned();
    let send = |path: &str, fields: &[(&str, &str)]| in_browser(wiki.post(path).form(fields), &cookie);
    assert!(see("/wiki").await.contains("<a href=\"/wiki/-/webhooks\">Webhooks</a>"), "administrators find it");
    assert!(see(LIST).await.contains("None yet."));

    let receiver = Receiver::start().await;
    let url = receiver.url("/<hook>".replace('<', "%3C").replace('>', "%3E").as_str());
    let made = send(LIST, &[("url", &url), ("types", "wasiki.page, wasiki.task")]).await.expect(201);
    assert!(made.text().contains("whsec_") && made.header("cache-control") == "no-store, no-transform", "{made:?}");
    let listed = wiki.get("/webhooks").cookie(&cookie).await.expect(200).json()["webhooks"][0].clone();
    assert_eq!((&listed["url"], &listed["types"]), (&json!(url), &json!(["wasiki.page", "wasiki.task"])));
    let one = format!("{LIST}/{}", listed["id"]);
    let page = see(&one).await;
    assert!(!page.contains("whsec_"), "it is shown once");
    assert!(page.contains("value=\"wasiki.page wasiki.task\""), "{page}");
    assert!(see(LIST).await.contains(&one));

    // The test event, what became of it, and once more.
    receiver.reply(Reply { body: "<b>no</b>", ..Reply::of(500) });
    let sent = send(&format!("{one}/test"), &[]).await.expect(303);
    assert_eq!(sent.header("location"), one);
    let tick = async || {
        wiki.call_relay().await.expect(204);
    };
    tick().await;
    let page = see(&one).await;
    for words in ["wasiki.test", "failed, to be sent again", "500 <bdi>&lt;b&gt;no&lt;/b&gt;</bdi>", "id=\"_failing\""]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    let delivery = page.split("name=\"delivery\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    send(&format!("{one}/resend"), &[("delivery", &delivery)]).await.expect(303);
    eventually("it is delivered", || async {
        tick().await;
        see(&one).await.contains("<td>delivered</td>")
    })
    .await;
    send(&format!("{one}/resend"), &[("delivery", "x")]).await.expect(404);

    // Off, and on.
    send(&one, &[("url", &url), ("types", "")]).await.expect(303);
    let page = see(&one).await;
    assert!(page.contains("<p class=\"facts\">Off ·") && !page.contains("Send again"), "{page}");
    send(&format!("{one}/test"), &[]).await.expect(409);
    send(&one, &[("url", &url), ("types", ""), ("active", "yes")]).await.expect(303);
    let rotated = send(&format!("{one}/rotate"), &[]).await.expect(200);
    assert!(
        rotated.text().contains("whsec_") && rotated.text().contains("The secret before works until"),
        "{rotated:?}"
    );
    let gone = send(&format!("{one}/delete"), &[]).await.expect(303);
    assert_eq!(gone.header("location"), LIST);
    in_browser(wiki.get(&one), &cookie).await.expect(404);
    let trail = see("/wiki/-/audit").await;
    for words in ["webhook created", "test event sent", "event sent again", "webhook changed", "webhook deleted"] {
        assert!(trail.contains(words), "{words} in {trail}");
    }
}

#[tokio::test]
async fn what_is_wrong_comes_back_with_what_was_typed() {
    let (wiki, cookie) = start().await;
    let send = |path: &str, fields: &[(&str, &str)]| in_browser(wiki.post(path).form(fields), &cookie);
    send(LIST, &[("url", "https://one.example/"), ("types", "")]).await.expect(201);
    send(LIST, &[("url", "https://two.example/"), ("types", "")]).await.expect(201);
    let one = format!("{LIST}/1");
    for path in [LIST, &one] {
        let form = [("url", "https://ada@example.org/?\"><b>"), ("types", "wasiki.page page"), ("active", "yes")];
        let page = send(path, &form).await.expect(422);
        for words in ["href=\"#_url\"", "href=\"#_types\"", "Address must", "&quot;&gt;&lt;b&gt;", "wasiki.page page"] {
            assert!(page.text().contains(words), "{path}: {words} in {}", page.text());
        }
        let page =
            send(path, &[("url", "https://two.example/"), ("types", "wasiki"), ("active", "yes")]).await.expect(409);
        assert!(page.text().contains("value=\"https://two.example/\""), "{path}: {page:?}");
        assert!(page.text().contains("Address is that of another webhook"), "{path}: {page:?}");
    }
    // Whoever is no administrator does not even see a link.
    wiki.create_account(&cookie, "eve", "editor").await;
    let eve = wiki.sign_in("eve", PASSWORD).await;
    assert!(!in_browser(wiki.get("/wiki"), &eve).await.expect(200).text().contains(LIST));
    for path in [LIST, &one] {
        in_browser(wiki.get(path), &eve).await.expect(403);
    }
}
