//! Sessions with the database: what the wiki's statements leave in one, and what it takes to clean it.

use blackbox::{ADMIN_PASSWORD, App, Database, PASSWORD, Request, eventually, json};

/// How many transactions were rolled back so far: the host does that, and makes every plan anew, after a statement that may have
/// changed a session. Ends all sessions, which then tell it.
async fn rollbacks(database: &Database) -> String {
    const SESSIONS: &str = "FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("all sessions have ended", || async {
        database.column(&format!("SELECT pg_terminate_backend(pid) {SESSIONS}")).await;
        database.column(&format!("SELECT count(*) {SESSIONS}")).await == ["0"]
    })
    .await;
    database.column("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()").await.remove(0)
}

#[tokio::test]
async fn plans_last_from_one_statement_to_the_next() {
    let wiki = App::wiki().access("open").with_events().start().await;
    let cookie = wiki.administrator().await;
    wiki.choose_password(&cookie, ADMIN_PASSWORD).await;
    let cookie = wiki.sign_in("admin", PASSWORD).await;
    let signed_in = |request: Request| request.cookie(&cookie);
    let post = |path: &str, body| signed_in(wiki.post(path)).json(body);
    let page = json!({"title": "One", "content": "- [ ] Water the plants repeat:1w due:2026-12-04 @admin\n"});
    let edit = json!({"content": "- [ ] Water all the plants repeat:1w due:2026-12-04 @admin\n\nWords.", "version": 1});
    let mut before = rollbacks(wiki.database()).await;
    for (what, request, status) in [
        ("creating a page", post("/posts", page), 201),
        ("editing a page", signed_in(wiki.put("/posts/1")).json(edit), 200),
        ("completing a task", signed_in(wiki.patch("/tasks/1")).json(json!({"done": true})), 200),
        ("searching", wiki.get("/search?q=plants"), 200),
        ("deleting a page", signed_in(wiki.delete("/posts/1")), 204),
        ("restoring a page", post("/posts/1/restore", json!({})), 200),
        ("making a webhook", post("/webhooks", json!({"url": "http://127.0.0.1:9/"})), 201),
        ("handing on events", wiki.call_relay(), 204),
    ] {
        request.await.expect(status);
        let after = rollbacks(wiki.database()).await;
        assert_eq!(before, after, "rolled back after {what}");
        before = after;
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
