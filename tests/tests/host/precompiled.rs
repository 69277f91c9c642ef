//! Code compiled ahead of time.

use std::path::Path;

use blackbox::{App, Output, of_another_engine, wiki_runner};

/// Runs `wiki-runner` without starting a database.
async fn run(args: &[&str]) -> Output {
    wiki_runner(args, &[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")]).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

#[tokio::test]
async fn code_compiled_ahead_of_time_is_run_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = blackbox::manifest_of_the_wiki();
    let code = folder.path().join("wiki.cwasm");
    for portable in [&[][..], &["--portable"]] {
        let compile = ["compile", "--from", text(&manifest), "-o", text(&code)];
        run(&[&compile, portable].concat()).await.success();
        assert!(code.metadata().unwrap().len() > 100_000);

        let wiki = App::of(manifest.clone(), "/ready").arg("--precompiled").arg(&code).start().await;
        wiki.create_user("ada").await;
    }

    let garbage = folder.path().join("garbage.cwasm");
    std::fs::write(&garbage, "this is no machine code").unwrap();
    for file in [text(&garbage), "/no/such/file.cwasm"] {
        let output = run(&["serve", "--from", text(&manifest), "--port", "0", "--precompiled", file]).await;
        assert!(output.error().contains(file), "{}", output.error());
    }
    let older = folder.path().join("older.cwasm");
    let version = run(&["--version"]).await;
    std::fs::write(&older, of_another_engine(std::fs::read(&code).unwrap(), version.success())).unwrap();
    let output = run(&["serve", "--from", text(&manifest), "--port", "0", "--precompiled", text(&older)]).await;
    for part in [text(&older), "compile it again", "wiki-runner compile", "47"] {
        assert!(output.error().contains(part), "{part}: {}", output.error());
    }
    let output = run(&["compile", "--from", text(&manifest), "-o", "/no/such/folder/x.cwasm"]).await;
    assert!(output.error().contains("/no/such/folder"), "{}", output.error());
}
