//! One component of an application that has several, served by itself.

use blackbox::{App, json, manifest_of_the_bookshop, wiki_runner};

/// A timer for each component.
const TIMERS: &str = "[[application.tool.wiki-runner.timer]]\npath = '/counter/shop'\nseconds = 1\n\
                      [[application.tool.wiki-runner.timer]]\npath = '/clerk/tick'\nseconds = 1\n";

#[tokio::test]
async fn only_the_routes_and_timers_of_the_component_are_served() {
    for (component, path, timer, other_path, other_timer) in [
        ("clerk", "/clerk/a", "/clerk/tick", "/shelf/a", "/counter/shop"),
        ("shop", "/shelf/a", "/counter/shop", "/health", "/clerk/tick"),
    ] {
        // Not ready when `/health` answers: that is a route of one of them.
        let app = App::bookshop_with(TIMERS).env("RUNNER_COMPONENT", component).at_once().start().await;
        app.wait_until_ready(path).await;
        app.get(other_path).await.problem(404);
        blackbox::eventually("its timer runs", || async {
            let metrics = app.admin().get("/metrics").await.expect(200).text().to_owned();
            let runs = format!("wiki_runner_timer_runs_total{{path=\"{timer}\",result=\"succeeded\"}}");
            assert!(!metrics.contains(other_timer), "{metrics}");
            blackbox::metric(&metrics, &runs).is_some_and(|runs| runs > 0)
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_chooses_all_components() {
    let app = App::bookshop().env("RUNNER_COMPONENT", "").start().await;
    app.get("/shelf/a").await.expect(200);
    assert_eq!(app.get("/clerk/a").await.expect(200).json()["badge"], json!("clerk"));
}

#[tokio::test]
async fn an_unknown_component_stops_the_start() {
    let manifest = manifest_of_the_bookshop().display().to_string();
    let env = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), ("SPIN_VARIABLE_MOTTO", "-")];
    for args in [["-c", "cellar"], ["--component", "cellar"]] {
        let output = wiki_runner(&["serve", "--from", &manifest, args[0], args[1]], &env).await;
        assert!(output.error().contains("has no component \"cellar\": it has clerk, shop"), "{}", output.error());
    }
}
