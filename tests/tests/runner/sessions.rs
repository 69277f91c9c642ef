//! Sessions with the database: what the wiki's statements leave in one, and what it takes to clean it.

use blackbox::{ADMIN_PASSWORD, App, PASSWORD, Request, eventually, json};

/// The host's words after a statement that may have written rows and nothing else. After one that may have changed settings, it says
/// more: then every plan of the session is made anew.
const AFTER_A_WRITE: &str = "DISCARD SEQUENCES";

#[tokio::test]
async fn plans_last_from_one_change_to_the_next() {
    let wiki = App::wiki().access("open").with_events().env("RUNNER_PG_POOL_SIZE", "1").start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let signed_in = |request: Request| request.cookie(&cookie);
    let last = "SELECT query FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'";
    let post = |path: &str, body| signed_in(wiki.post(path)).json(body);
    let page = json!({"title": "One", "content": "- [ ] Water the plants repeat:1w due:2026-12-04 @admin\n"});
    let edit = json!({"content": "- [ ] Water all the plants repeat:1w due:2026-12-04 @admin\n\nWords.", "version": 1});
    for (what, request, status) in [
        ("creating a page", post("/posts", page), 201),
        ("editing a page", signed_in(wiki.put("/posts/1")).json(edit), 200),
        ("completing a task", signed_in(wiki.patch("/tasks/1")).json(json!({"done": true})), 200),
        ("moving a page", post("/posts", json!({"title": "Below", "content": "x", "parent_id": 1})), 201),
        ("deleting a page", signed_in(wiki.delete("/posts/1")), 204),
        ("restoring a page", post("/posts/1/restore", json!({})), 200),
        ("making a webhook", post("/webhooks", json!({"url": "https://example.org/"})), 201),
        ("handing on events", wiki.call_relay(), 204),
    ] {
        request.await.expect(status);
        // It is cleaned after the response.
        let cleaned = || async {
            let queries = wiki.database().column(last).await;
            let found = queries.iter().find(|query| query.contains("DISCARD"));
            assert!(found.is_none_or(|query| query == AFTER_A_WRITE), "{what}: {queries:?}");
            found.is_some()
        };
        eventually(&format!("the session is cleaned after {what}"), cleaned).await;
    }
}

/// Every statement that reads a page calls one of these functions: were they not known to be harmless, each would be planned anew.
#[tokio::test]
async fn functions_that_statements_call_leave_sessions_as_they_are() {
    let wiki = App::wiki().start().await;
    wiki.get("/posts").await.expect(200);
    let unknown = "SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype AND proparallel <> 's'
          AND coalesce(obj_description(oid, 'pg_proc'), '') NOT LIKE '%It leaves its session as it was.'
        ORDER BY proname";
    // Only other functions call these.
    let internal = ["alarms_of", "locked_subtree", "log_event", "log_task", "replace_acl", "set_entries", "task_data"];
    assert_eq!(wiki.database().column(unknown).await, internal);
}
