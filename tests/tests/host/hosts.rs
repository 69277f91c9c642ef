//! Which host a request names, and whether the service answers for it.

use blackbox::{App, Client, send_raw};

use crate::shared;

/// The status of a request that names `host`.
async fn status(url: &str, host: &str) -> Option<u16> {
    let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    send_raw(url, request).await.status
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_a_name_that_leads_here() {
    let shop = App::bookshop().without_env("RUNNER_HOSTS").start().await;
    let admin = shop.admin();
    for host in ["localhost", "LocalHost:8000", "127.0.0.1:1", "127.9.9.9", "[::1]", "books.localhost"] {
        assert_eq!(status(shop.url(), host).await, Some(200), "{host}");
        assert_eq!(status(admin.url(), host).await, Some(404), "{host}");
    }
    for host in ["evil.example", "localhost.evil.example:80", "10.0.0.1", "xlocalhost"] {
        assert_eq!(status(shop.url(), host).await, Some(421), "{host}");
        assert_eq!(status(admin.url(), host).await, Some(421), "{host}");
    }
    let absolute = "GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(send_raw(shop.url(), absolute).await.status, Some(421));
    let refused = shop.get("/health").header("host", "evil.example").await;
    assert!(refused.problem(421).detail.contains("RUNNER_HOSTS"), "{refused:?}");
    let refused = Client::new(admin.url()).get("/metrics").header("host", "evil.example").await;
    refused.problem(421);
}

#[tokio::test]
async fn the_hosts_of_a_service_can_be_given() {
    let shop = App::bookshop().env("RUNNER_HOSTS", "books.example, *.shops.example").start().await;
    for host in ["books.example", "BOOKS.example:8000", "a.shops.example", "localhost"] {
        assert_eq!(status(shop.url(), host).await, Some(200), "{host}");
    }
    for host in ["evil.example", "shops.example", "books.example.evil.example"] {
        assert_eq!(status(shop.url(), host).await, Some(421), "{host}");
    }
    // What the service asks itself names no host of a client.
    shop.admin().get("/readyz").await.expect(200);
}

#[tokio::test]
async fn a_host_that_is_none_is_refused() {
    let shop = shared::bookshop().await;
    for host in ["me@x", "me:secret@x:80", "x:http", "x:8o", "x:65536", "x y", "x/y", ""] {
        assert_eq!(status(shop.url(), host).await, Some(400), "{host:?}");
    }
    let absolute = "GET http://me@x/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(send_raw(shop.url(), absolute).await.status, Some(400));
    for host in ["x", "x:", "x:8000", "[2001:db8::1]:80"] {
        assert_eq!(status(shop.url(), host).await, Some(200), "{host:?}");
    }
}

#[tokio::test]
async fn http_1_0_may_name_no_host() {
    let shop = shared::bookshop().await;
    let answer = send_raw(shop.url(), "GET /shelf HTTP/1.0\r\n\r\n").await;
    assert_eq!(answer.status, Some(200), "{answer:?}");
    // The guest sees the address that the client connected to.
    assert!(answer.text.contains(&format!("{}/shelf", shop.url())), "{answer:?}");
    let answer = send_raw(shop.url(), "GET /shelf HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert_eq!(answer.status, Some(400), "{answer:?}");
}

#[tokio::test]
async fn the_server_as_a_whole_has_options() {
    let shop = shared::bookshop().await;
    let answer = send_raw(shop.url(), "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert_eq!(answer.status, Some(204), "{answer:?}");
}
