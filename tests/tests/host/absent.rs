//! Components that import interfaces of Spin that the runner does not have.

use std::path::{Path, PathBuf};

use blackbox::{App, Output, at_once, json, manifest_of_the_bookshop, repository, wiki_runner};
use tempfile::TempDir;

use crate::shared;

#[tokio::test]
async fn a_call_without_a_grant_is_refused_as_on_spin() {
    let shop = shared::bookshop().await;
    for (interface, outcome) in [
        ("key-value", "Error::AccessDenied"),
        ("sqlite", "Error::AccessDenied"),
        ("sqlite3", "Error::AccessDenied"),
        ("redis", "Error::InvalidAddress"),
        ("mqtt", "Error::ConnectionFailed(\"address mqtt://127.0.0.1:1883 is not permitted\")"),
        ("mysql", "Error::ConnectionFailed(\"the component has no access to fermyon:spin/mysql@2.0.0\")"),
        ("postgres2", "Error::ConnectionFailed(\"the component has no access to fermyon:spin/postgres@2.0.0\")"),
        ("postgres3", "Error::ConnectionFailed(\"the component has no access to spin:postgres/postgres@3.0.0\")"),
        ("llm", "Error::InvalidInput(\"the component has no access to fermyon:spin/llm@2.0.0\")"),
    ] {
        let answer = shop.get(&format!("/elsewhere/{interface}")).await.expect(200).json();
        assert_eq!(answer, json!({"outcome": outcome}), "{interface}");
    }
}

#[tokio::test]
async fn refused_calls_are_logged_and_harm_nobody() {
    let shop = App::bookshop().start().await;
    let interfaces = ["key-value", "sqlite3", "redis", "mqtt", "mysql", "postgres3", "llm", "sqlite"];
    let refused = interfaces.into_iter().cycle().take(64).map(|interface| {
        let shop = shop.replica(0).clone();
        async move {
            shop.get(&format!("/elsewhere/{interface}")).await.expect(200);
            shop.get("/health").await.expect(200);
        }
    });
    at_once(refused).await;
    shop.runner().logged("refused a call", 64).await;
    let log = shop.runner().stderr();
    assert!(log.contains("fermyon:spin/mysql@2.0.0") && !log.contains("hunter2"), "{log}");
}

fn write(folder: &TempDir, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, contents).expect("a temporary file can be written");
    path
}

/// An application whose component does nothing but import an interface; returns its manifest.
fn write_application(folder: &TempDir, import: &str, settings: &str) -> PathBuf {
    let component = format!("(component (import {import:?} (instance (export \"open\" (func)))))");
    write(folder, "c.wasm", wat::parse_str(component).expect("the component is valid"));
    let manifest = "spin_manifest_version = 2\n[application]\nname = 'a'\n\
         [[trigger.http]]\nroute = '/...'\ncomponent = 'c'\n[component.c]\nsource = 'c.wasm'\n";
    write(folder, "spin.toml", format!("{manifest}{settings}"))
}

/// Starts an application that cannot be started.
async fn start(manifest: &Path) -> Output {
    let args = ["serve", "--from", manifest.to_str().expect("paths of tests are UTF-8"), "--port", "0"];
    let env = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), ("SPIN_VARIABLE_MOTTO", "-")];
    wiki_runner(&args, &env).await
}

#[tokio::test]
async fn a_grant_stops_the_start_and_names_the_interface() {
    let folder = TempDir::with_prefix("wasiki-test-").unwrap();
    let component = repository().join("target/wasm32-wasip2/release/bookshop.wasm");
    let manifest = std::fs::read_to_string(manifest_of_the_bookshop()).unwrap();
    let manifest = manifest.replace("../../../target/wasm32-wasip2/release/bookshop.wasm", component.to_str().unwrap());
    let source = "[component.shop]\n";
    let hosts = "allowed_outbound_hosts = [";
    for (place, grant, named) in [
        (source, "key_value_stores = ['default']\n", &["key_value_stores", "fermyon:spin/key-value"][..]),
        (source, "sqlite_databases = ['default']\n", &["sqlite_databases", "fermyon:spin/sqlite"]),
        (source, "ai_models = ['llama2-chat']\n", &["ai_models", "fermyon:spin/llm"]),
        (hosts, "'redis://cache.example', ", &["allowed_outbound_hosts", "redis://", "fermyon:spin/redis@2.0.0"]),
        (hosts, "'mqtt://{{ db_host }}:1883', ", &["allowed_outbound_hosts", "mqtt://", "fermyon:spin/mqtt@2.0.0"]),
        (hosts, "'mysql://*.example', ", &["allowed_outbound_hosts", "mysql://", "fermyon:spin/mysql@2.0.0"]),
    ] {
        assert!(manifest.contains(place));
        let path = write(&folder, "spin.toml", manifest.replacen(place, &format!("{place}{grant}"), 1));
        let output = start(&path).await;
        for word in named {
            assert!(output.error().contains(word), "{word:?} in {:?} with {grant:?}", output.error());
        }
    }
    // A host of any protocol does not say that it is for one of these.
    let path = write(&folder, "spin.toml", manifest.replacen(hosts, &format!("{hosts}'*://cache.example:6379', "), 1));
    let shop = App::of(path, "/health").env("SPIN_VARIABLE_MOTTO", "-").start().await;
    let answer = shop.get("/elsewhere/redis").await.expect(200).json();
    assert_eq!(answer, json!({"outcome": "Error::InvalidAddress"}));
}

#[tokio::test]
async fn an_older_interface_for_a_granted_database_stops_the_start() {
    let folder = TempDir::with_prefix("wasiki-test-").unwrap();
    for import in ["spin:postgres/postgres@3.0.0", "fermyon:spin/postgres@2.0.0", "spin:postgres/postgres@4.2.0"] {
        let path = write_application(&folder, import, "allowed_outbound_hosts = ['postgres://db.example']");
        let output = start(&path).await;
        for word in [import, "postgres://", "spin:postgres/postgres@4.0.0"] {
            assert!(output.error().contains(word), "{word:?} in {:?}", output.error());
        }
    }
}

#[tokio::test]
async fn what_spin_does_not_have_either_stops_the_start() {
    let folder = TempDir::with_prefix("wasiki-test-").unwrap();
    for import in ["example:elsewhere/door@1.0.0", "spin:teleport/door@1.0.0", "wasi:http/teleport@0.2.0"] {
        let output = start(&write_application(&folder, import, "")).await;
        assert!(output.error().contains(import), "{}", output.error());
    }
}
