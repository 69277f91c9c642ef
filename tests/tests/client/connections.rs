//! What the client says when the wiki cannot be reached, and the scripts for shells.

use blackbox::{App, Output, repository};

use super::commands::{command, run, wasiki};

fn certificate(name: &str) -> std::path::PathBuf {
    repository().join("tests/fixtures/tls").join(name)
}

async fn list(url: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = command(url, &["list", "--retries", "1"]);
    command.envs(environment.iter().copied());
    run(command, "").await
}

#[tokio::test]
async fn errors_of_tls_are_told_in_words() {
    let secure = App::wiki()
        .env("RUNNER_TLS_CERT", certificate("first.crt"))
        .env("RUNNER_TLS_KEY", certificate("first.key"))
        .at_once()
        .start()
        .await;
    let url = secure.runner().url().to_owned();
    let unknown = list(&url, &[]).await;
    assert!(unknown.stderr.contains("no authority that this computer trusts"), "{unknown:#?}");
    assert!(unknown.stderr.contains("SSL_CERT_FILE"), "{unknown:#?}");
    let trusted = certificate("first.crt");
    list(&url, &[("SSL_CERT_FILE", trusted.to_str().unwrap())]).await.success();
    let plain = list(&url.replace("https://", "http://"), &[]).await;
    assert!(plain.stderr.contains("begins with https://"), "{plain:#?}");

    let wiki = App::wiki().start().await;
    let not_secure = list(&wiki.url().replace("http://", "https://"), &[]).await;
    assert!(
        not_secure.stderr.contains("does not speak TLS") && not_secure.stderr.contains("http://"),
        "{not_secure:#?}"
    );
}

#[tokio::test]
async fn a_proxy_that_fails_is_named() {
    let wiki = App::wiki().start().await;
    let proxy = "http://ada:s3cret@127.0.0.1:1";
    for variable in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
        let refused = list("http://wiki.example:8000", &[(variable, proxy)]).await;
        assert!(refused.stderr.contains("nothing answers at this address"), "{refused:#?}");
        assert!(
            refused.stderr.contains("the proxy 127.0.0.1:1") && refused.stderr.contains("NO_PROXY"),
            "{refused:#?}"
        );
        assert!(!refused.stderr.contains("s3cret"), "{refused:#?}");
    }
    list(wiki.url(), &[("ALL_PROXY", proxy), ("NO_PROXY", "127.0.0.1")]).await.success();
}

#[tokio::test]
async fn shells_complete_commands() {
    let wiki = App::wiki().start().await;
    for (shell, words) in [
        ("bash", "complete -F _wasiki"),
        ("zsh", "#compdef wasiki"),
        ("fish", "complete -c wasiki"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName 'wasiki'"),
    ] {
        let output = wasiki(&wiki, &["completions", shell]).await;
        let script = output.success();
        for word in [words, "import", "dry-run", "history"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(wasiki(&wiki, &["completions", "ed"]).await.code, Some(2));
}
