//! What HTTP lets clients send, beyond what common ones do.

use blackbox::{App, Client, json, send_raw};

use crate::shared;

#[tokio::test]
async fn empty_elements_of_a_precondition_are_ignored() {
    let wiki = shared::wiki().await;
    let user = wiki.create_user("empty-elements").await;
    let post = wiki.create_post(&user, "# Empty elements\n\nText.").await;
    let path = format!("/posts/{}", post["post_id"]);
    let etag = wiki.get(&path).await.expect(200).header("etag").to_owned();
    let known = wiki.get(&path).header("if-none-match", format!(", \"x\",,{etag},")).await;
    assert_eq!(known.status(), 304, "{known:?}");
    let edit = json!({"user_id": user["id"], "content": "# Empty elements\n\nMore text."});
    wiki.put(&path).header("if-match", format!(",, {etag} ,")).json(edit.clone()).await.expect(200);
    wiki.put(&path).header("if-match", ", ,").json(edit).await.problem(412);
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_ignored() {
    let wiki = shared::wiki().await;
    let body = "\u{feff}{\"username\": \"byte-order-mark\"}";
    let user = wiki.post("/users").body("application/json", body).await.expect(201).json();
    assert_eq!(user["username"], "byte-order-mark");
}

#[tokio::test]
async fn the_server_as_a_whole_has_options() {
    let wiki = shared::wiki().await;
    let answer = send_raw(wiki.url(), "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(answer.status, Some(204), "{answer:?}");
}

#[tokio::test]
async fn files_of_pages_are_compressed_for_who_takes_that() {
    let wiki = shared::wiki().await;
    let mut seen = 0;
    for page in ["/docs", "/wiki"] {
        let links = wiki.get(page).header("accept", "text/html").await.expect(200).links();
        for path in links.iter().filter(|link| link.ends_with(".css") || link.ends_with(".js")) {
            let compressed = wiki.get(path).header("accept-encoding", "gzip, br").await.expect(200);
            assert_eq!(compressed.header("content-encoding"), "gzip", "{path}");
            // Most programs that say nothing decompress nothing.
            for encoding in [None, Some("identity"), Some("br"), Some("gzip;q=0"), Some("")] {
                let request = wiki.get(path);
                let request =
                    encoding.into_iter().fold(request, |request, value| request.header("accept-encoding", value));
                let plain = request.await.expect(200);
                assert!(!plain.has_header("content-encoding"), "{path} {encoding:?}");
                assert!(plain.header("vary").eq_ignore_ascii_case("accept-encoding"), "{path} {encoding:?}");
                assert!(plain.bytes().len() > compressed.bytes().len() && plain.text().contains('{'), "{path}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}

/// A form as a browser without Sec-Fetch-Site sends it.
async fn form(wiki: &Client, host: &str, origin: &str, proto: Option<&str>) -> u16 {
    let request = wiki
        .post("/wiki/-/preview")
        .header("host", host)
        .header("origin", origin)
        .body("application/x-www-form-urlencoded", "content=text");
    let request = match proto {
        Some(proto) => request.header("x-forwarded-proto", proto),
        None => request,
    };
    request.await.status()
}

#[tokio::test]
async fn an_origin_is_the_same_however_it_is_written() {
    let wiki = shared::wiki().await;
    for (host, origin, proto) in [
        ("wiki.example:80", "http://wiki.example", None),
        ("wiki.example", "http://wiki.example:80", None),
        ("Wiki.Example", "http://wiki.example", None),
        ("wiki.example:443", "https://wiki.example", Some("https")),
        ("wiki.example", "https://wiki.example", Some("HTTPS, http")),
    ] {
        assert_eq!(form(&wiki, host, origin, proto).await, 200, "{host} {origin}");
    }
    for (host, origin) in [
        ("wiki.example:8000", "http://wiki.example"),
        ("wiki.example", "http://wiki.example.evil"),
        ("wiki.example:80", "http://wiki.example:8080"),
        ("wiki.example", "null"),
    ] {
        assert_eq!(form(&wiki, host, origin, None).await, 403, "{host} {origin}");
    }
}

#[tokio::test]
async fn a_proxy_says_what_the_client_used_in_any_case_and_among_others() {
    let wiki = App::wiki().access("private").start().await;
    let sign_in = async |proto: &str| {
        let fields = [("username", "admin"), ("password", blackbox::ADMIN_PASSWORD)];
        let request = wiki.post("/wiki/-/sign-in").header("x-forwarded-proto", proto).form(&fields);
        request.await.expect(303).header("set-cookie").to_owned()
    };
    for proto in ["https", "HTTPS", "https, http", "https,http"] {
        assert!(sign_in(proto).await.starts_with("__Host-session="), "{proto}");
    }
    for proto in ["http", "http, https"] {
        assert!(sign_in(proto).await.starts_with("session="), "{proto}");
    }
}

#[tokio::test]
async fn a_host_that_is_none_is_refused() {
    let wiki = shared::wiki().await;
    for host in ["me@wiki.example", "wiki.example:http", "wiki.example:65536"] {
        let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(send_raw(wiki.url(), request).await.status, Some(400), "{host}");
    }
}

#[tokio::test]
async fn an_address_to_return_to_leads_back() {
    let wiki = App::wiki().access("private").start().await;
    assert_returns(&wiki, "/wiki/-/search?q=gr%C3%B6%C3%9Fe&x=%20%").await;
}

#[tokio::test]
async fn an_address_to_return_to_is_a_valid_one() {
    let wiki = App::wiki().access("private").start().await;
    for target in ["/wiki/-/search?q=größe&x=%20%", "/wiki/größe?q=日本"] {
        assert_returns(&wiki, target).await;
    }
}

/// Whoever is asked to sign in at `target` comes back there.
async fn assert_returns(wiki: &Client, target: &str) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    let answer = send_raw(wiki.url(), request).await;
    let location = answer.text.lines().find_map(|line| line.strip_prefix("location: "));
    let location = location.unwrap_or_else(|| panic!("{target}: {answer:?}"));
    assert!(answer.status == Some(302) && location.is_ascii(), "{target}: {location}");
    // And it leads there, not to the front page.
    let fields = [("username", "admin"), ("password", blackbox::ADMIN_PASSWORD)];
    let form = wiki.get(location).await.expect(200);
    let next = form.text().split("name=\"next\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.unwrap_or_else(|| panic!("{form:?}")).replace("&amp;", "&");
    let signed_in = wiki.post("/wiki/-/sign-in").form(&[&fields[..], &[("next", &next)]].concat()).await.expect(303);
    assert!(signed_in.header("location").contains("%C3%B6"), "{target}: {:?}", signed_in.header("location"));
}
