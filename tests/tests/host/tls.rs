//! TLS to clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use blackbox::{App, eventually, manifest_of_the_bookshop, repository, wiki_runner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures/tls").join(name)
}

/// What a client that trusts only `certificate` gets for `path`; nothing if the service has another certificate.
async fn get(url: &str, certificate: &Path, path: &str) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(url.trim_start_matches("https://")).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: books.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The service need not say goodbye.
    _ = stream.read_to_end(&mut answer).await;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_certificate_is_used_and_renewed_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::copy(fixture("first.crt"), &certificate).unwrap();
    std::fs::copy(fixture("first.key"), &key).unwrap();
    let shop = App::bookshop().env("RUNNER_TLS_CERT", &certificate).env("RUNNER_TLS_KEY", &key).at_once().start().await;
    let url = shop.runner().url().to_owned();
    assert!(url.starts_with("https://"), "{url}");

    let answer = get(&url, &fixture("first.crt"), "/shelf/a").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(r#""scheme":"https""#) && answer.contains("https://books.example/shelf/a"), "{answer}");
    assert_eq!(get(&url, &fixture("second.crt"), "/health").await, None);

    // Half of a renewal changes nothing.
    std::fs::copy(fixture("second.crt"), &certificate).unwrap();
    shop.runner().logged("the certificate cannot be renewed", 1).await;
    assert!(get(&url, &fixture("first.crt"), "/health").await.is_some());
    std::fs::copy(fixture("second.key"), &key).unwrap();
    shop.runner().logged("the certificate was renewed", 1).await;
    assert!(get(&url, &fixture("second.crt"), "/health").await.is_some());
    assert_eq!(get(&url, &fixture("first.crt"), "/health").await, None);
}

#[tokio::test]
async fn incomplete_tls_handshakes_time_out() {
    let shop = App::bookshop()
        .env("RUNNER_TLS_CERT", fixture("first.crt"))
        .env("RUNNER_TLS_KEY", fixture("first.key"))
        .env("RUNNER_HEADER_TIMEOUT", "1s")
        .at_once()
        .start()
        .await;
    let url = shop.runner().url().to_owned();
    for said in [&b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"[..], &b"\x16\x03\x01"[..], b""] {
        let mut stream = TcpStream::connect(url.trim_start_matches("https://")).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(std::time::Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "the connection was closed after {said:?}");
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    eventually("others are served", || async { get(&url, &fixture("first.crt"), "/health").await.is_some() }).await;
}

#[tokio::test]
async fn mismatched_tls_files_stop_the_start() {
    let manifest = manifest_of_the_bookshop().display().to_string();
    let (first, second) = (fixture("first.crt").display().to_string(), fixture("second.key").display().to_string());
    let nothing = fixture("README.md").display().to_string();
    for (certificate, key, error) in [
        (first.as_str(), "", "RUNNER_TLS_CERT and RUNNER_TLS_KEY belong together"),
        (first.as_str(), second.as_str(), "RUNNER_TLS_KEY: the key does not belong to the certificate"),
        ("/nowhere.crt", second.as_str(), "RUNNER_TLS_CERT: cannot read /nowhere.crt"),
        (nothing.as_str(), second.as_str(), "has no certificate in the PEM format"),
        (first.as_str(), nothing.as_str(), "has no private key in the PEM format"),
    ] {
        let mut env = vec![
            ("RUNNER_TLS_CERT", certificate),
            ("RUNNER_ADMIN", "off"),
            ("PORT", "0"),
            ("SPIN_VARIABLE_MOTTO", "x"),
            ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing"),
        ];
        if !key.is_empty() {
            env.push(("RUNNER_TLS_KEY", key));
        }
        let output = wiki_runner(&["serve", "--from", &manifest], &env).await;
        assert!(output.error().contains(error), "{output:?}");
    }
}
