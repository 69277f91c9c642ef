//! Least privilege: the wiki as a role that owns nothing and can only add to the audit trail, and what the owner's
//! migration grants it.

use std::path::PathBuf;

use blackbox::{App, Client, Database, ROLE_PASSWORD, json, password_file, quoted, wiki_runner};

use super::upgrade::migrations_up_to;

/// SQLSTATE of a missing right.
const DENIED: &str = "42501";

fn migrations() -> PathBuf {
    blackbox::repository().join("migrations")
}

/// A session of a role.
async fn session(database: &Database, role: &str) -> tokio_postgres::Client {
    let connecting = tokio_postgres::connect(database.url_as(role).as_str(), tokio_postgres::NoTls).await;
    let (client, connection) = connecting.expect("the role may log in");
    tokio::spawn(connection);
    client
}

/// Why PostgreSQL refuses a statement, as an SQLSTATE; empty if it does not.
async fn refusal(client: &tokio_postgres::Client, sql: &str) -> String {
    match client.batch_execute(sql).await {
        Ok(()) => String::new(),
        Err(error) => error.code().unwrap_or_else(|| panic!("{sql}: {error:?}")).code().to_owned(),
    }
}

/// Who may do what with everything that the migrations made.
async fn rights(database: &Database) -> Vec<String> {
    let sql = "
        SELECT relname || ' ' || coalesce(relacl::text, '') FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT proname || ' ' || coalesce(proacl::text, '') FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'schema ' || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 'public'
        ORDER BY 1";
    database.column(sql).await
}

/// Everything that writes, by one who signs in.
async fn use_all(wiki: &Client) {
    let admin = wiki.administrator().await;
    wiki.create_account(&admin, "ada", "editor").await;
    let token = wiki.create_token(&admin, "write").await;
    let page = json!({"title": "Roles", "content": "one", "tags": ["a", "b"]});
    let page = wiki.post("/posts").token(&token).json(page).await.expect(201).json();
    let path = format!("/posts/{}", page["post_id"]);
    let edit = json!({"title": "Least privilege", "slug": "least-privilege", "content": "two", "tags": ["b", "c"]});
    wiki.put(&path).token(&token).header("if-match", "*").json(edit).await.expect(200);
    assert_eq!(wiki.get("/wiki/roles").await.header("location"), "/wiki/least-privilege");
    wiki.delete(&path).token(&token).await.expect(204);
    wiki.post(&format!("{path}/restore")).token(&token).await.expect(200);
    let found = wiki.get("/search?q=privilege").await.expect(200).json();
    assert_eq!(found["results"].as_array().map(Vec::len), Some(1), "{found}");
    let tags = wiki.walk("/tags", "tags").await;
    assert_eq!(tags.len(), 2, "{tags:?}");
    assert_eq!(wiki.walk(&format!("{path}/revisions"), "revisions").await.len(), 4);
    wiki.post("/wiki/-/sign-in").form(&[("username", "ada"), ("password", "a wrong guess")]).await.expect(401);
    let trail = wiki.get("/audit?limit=200").cookie(&admin).await.expect(200).json();
    let events: Vec<_> = trail["entries"].as_array().unwrap().iter().map(|entry| entry["event"].clone()).collect();
    for event in ["page_deleted", "page_restored", "sign_in_failed", "token_created"] {
        assert!(events.contains(&json!(event)), "{event} in {events:?}");
    }
}

#[tokio::test]
async fn the_wiki_works_as_a_role_that_owns_nothing() {
    if blackbox::is_pooled("sign in as whoever asks") {
        return;
    }
    let wiki = App::wiki().as_role().access("public-read").start().await;
    let roles =
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let users = wiki.database().column(roles).await;
    assert!(users.len() == 1 && users[0].starts_with("wasiki_role"), "{users:?}");
    use_all(&wiki).await;
    assert_eq!(wiki.metric("posts_created_total").await, 1);
}

/// The server itself refuses: what the wiki could be made to do does not matter.
#[tokio::test]
async fn the_role_can_only_add_to_the_audit_trail_and_change_no_schema() {
    let mut database = Database::create().await;
    let role = database.granted().await;
    let client = session(&database, &role).await;
    let add = "INSERT INTO audit (event, address) VALUES ('sign_in', '')";
    assert_eq!(refusal(&client, add).await, "", "{add}");
    assert_eq!(refusal(&client, "SELECT count(*) FROM audit").await, "");
    for sql in [
        "UPDATE audit SET event = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_is_append_only ON audit",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'x', 'x')",
        "DELETE FROM schema_migrations",
        "TRUNCATE posts",
        "DROP TABLE posts",
        "ALTER TABLE posts ADD COLUMN x int",
        "CREATE INDEX x ON posts (id)",
        "CREATE TRIGGER x AFTER INSERT ON posts EXECUTE FUNCTION count_deletions()",
        "CREATE TABLE x (id int)",
        "CREATE VIEW x AS SELECT 1",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA x",
        "CREATE ROLE wasiki_nobody",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('postgresql.conf')",
        "COPY users TO PROGRAM 'cat'",
        "SELECT setval(pg_get_serial_sequence('audit', 'id'), 1)",
    ] {
        assert_eq!(refusal(&client, sql).await, DENIED, "{sql}");
    }
    let owner = database.client().await;
    let kept = owner.query_one("SELECT count(*) FROM audit", &[]).await.unwrap().get::<_, i64>(0);
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn an_old_schema_says_which_command_to_run_and_recovers_by_itself() {
    let mut database = Database::create().await;
    let role = database.granted_by(migrations_up_to(15).path()).await;
    let url = database.url_as(&role);
    let wiki = App::wiki().env("DATABASE_URL", url.as_str()).without_database().at_once().start().await;
    let problem = wiki.get("/ready").await.expect(503);
    assert!(!problem.text().contains(&role), "{}", problem.text());
    let command = format!("`wiki-runner migrate migrations --grant-to {role}`");
    wiki.runner().logged(&command, 1).await;
    let log = wiki.runner().stderr();
    assert!(log.contains("its schema is older than version") && log.contains("may not change it"), "{log}");

    database.migrate(&database.url(), &migrations(), &["--grant-to", &role]).await.success();
    wiki.get("/ready").await.expect(200);
    wiki.create_user("ada").await;
}

#[tokio::test]
async fn an_empty_database_says_which_command_to_run() {
    let mut database = Database::create().await;
    let role = database.new_role();
    let create = format!("CREATE ROLE {} LOGIN PASSWORD '{ROLE_PASSWORD}'", quoted(&role));
    let revoke = "REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    database.client().await.batch_execute(&format!("{create}; {revoke}")).await.unwrap();
    let url = database.url_as(&role);
    let wiki = App::wiki().env("DATABASE_URL", url.as_str()).without_database().at_once().start().await;
    wiki.get("/posts").await.expect(503);
    wiki.runner().logged(&format!("--grant-to {role}`"), 1).await;
    database.migrate(&database.url(), &migrations(), &["--grant-to", &role]).await.success();
    wiki.get("/posts").await.expect(200);
}

/// A dump has the tables, and not the rights on them.
#[tokio::test]
async fn missing_rights_say_which_command_to_run() {
    if blackbox::is_pooled("sign in as whoever asks") {
        return;
    }
    let wiki = App::wiki().as_role().start().await;
    let users = "SELECT DISTINCT usename FROM pg_stat_activity
                 WHERE usename LIKE 'wasiki_role%' AND datname = current_database()";
    let role = wiki.database().column(users).await.remove(0);
    let revoke = format!("REVOKE ALL ON posts FROM {}", quoted(&role));
    wiki.database().client().await.batch_execute(&revoke).await.unwrap();
    wiki.get("/posts").await.expect(503);
    wiki.runner().logged("permission denied for table posts", 1).await;
    wiki.runner().logged("`wiki-runner migrate migrations --grant-to`", 1).await;
    let url = wiki.database().url();
    let again = wiki.database().migrate(&url, &migrations(), &["--grant-to", &role]).await;
    assert!(
        again.success().contains("up to date") && again.stdout.contains(&format!("granted to {role}")),
        "{again:?}"
    );
    wiki.get("/posts").await.expect(200);
}

#[tokio::test]
async fn granting_again_changes_nothing_and_takes_back_what_is_too_much() {
    let mut database = Database::create().await;
    let role = database.granted().await;
    let before = rights(&database).await;
    let again = async || database.migrate(&database.url(), &migrations(), &["--grant-to", &role]).await;
    again().await.success();
    assert_eq!(rights(&database).await, before);
    let more = format!(
        "GRANT ALL ON audit, schema_migrations, posts TO {0}; GRANT UPDATE (event) ON audit TO {0};
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {0}; GRANT CREATE ON SCHEMA public TO {0}, PUBLIC",
        quoted(&role)
    );
    database.client().await.batch_execute(&more).await.unwrap();
    assert_ne!(rights(&database).await, before);
    again().await.success();
    assert_eq!(rights(&database).await, before);
}

#[tokio::test]
async fn many_migrations_at_once_grant_alike() {
    let mut database = Database::create().await;
    let role = database.new_role();
    let password = password_file(ROLE_PASSWORD);
    let (url, folder) = (database.url(), migrations());
    let args = ["--grant-to", &role, "--grant-password-file", password.path().to_str().unwrap()];
    let one = || database.migrate(&url, &folder, &args);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    for output in [a, b, c, d] {
        output.success();
    }
    assert_eq!(refusal(&session(&database, &role).await, "SELECT count(*) FROM posts").await, "");
}

/// The chart's own server has a superuser as the owner; those of CloudNativePG and of others have not.
#[tokio::test]
async fn an_owner_without_other_rights_grants_to_a_role_that_is_there() {
    let mut database = Database::create().await;
    let (owner, role) = (database.new_role(), database.new_role());
    let client = database.client().await;
    for name in [&owner, &role] {
        let sql = format!("CREATE ROLE {} LOGIN PASSWORD '{ROLE_PASSWORD}'", quoted(name));
        client.batch_execute(&sql).await.unwrap();
    }
    let name = database.name();
    client.batch_execute(&format!("ALTER DATABASE {} OWNER TO {}", quoted(name), quoted(&owner))).await.unwrap();
    let url = database.url_as(&owner);
    database.migrate(&url, &migrations(), &["--grant-to", &role]).await.success();
    let url = database.url_as(&role);
    let wiki = App::wiki().env("DATABASE_URL", url.as_str()).access("public-read").without_database().start().await;
    use_all(&wiki).await;

    // It may not make roles, and says so.
    let (missing, password) = (database.new_role(), password_file(ROLE_PASSWORD));
    let args = ["--grant-to", &missing, "--grant-password-file", password.path().to_str().unwrap()];
    let refused = database.migrate(&database.url_as(&owner), &migrations(), &args).await;
    let expected = format!("--grant-to {missing}: permission denied to create role");
    assert!(refused.error().contains(&expected), "{}", refused.error());
}

#[tokio::test]
async fn roles_that_could_do_more_are_refused() {
    let mut database = Database::create().await;
    let mine = database.granted().await;
    let (role, group) = (database.new_role(), database.new_role());
    let client = database.client().await;
    let owner = client.query_one("SELECT current_user::text", &[]).await.unwrap().get::<_, String>(0);
    let grant = async |to: &str| database.migrate(&database.url(), &migrations(), &["--grant-to", to]).await;
    let before = rights(&database).await;

    let missing = grant(&role).await;
    assert!(missing.error().contains(&format!("role {role} does not exist")), "{}", missing.error());
    assert!(missing.error().contains("CREATE ROLE"), "{}", missing.error());
    let itself = grant(&owner).await;
    assert!(itself.error().contains(&format!("role {owner} owns the table ")), "{}", itself.error());

    client
        .batch_execute(&format!("CREATE ROLE {}; CREATE ROLE {} LOGIN", quoted(&group), quoted(&role)))
        .await
        .unwrap();
    for (more, less, reason) in [
        (format!("ALTER ROLE {role} CREATEROLE"), format!("ALTER ROLE {role} NOCREATEROLE"), "run ALTER ROLE"),
        (format!("ALTER ROLE {role} SUPERUSER"), format!("ALTER ROLE {role} NOSUPERUSER"), "run ALTER ROLE"),
        (
            format!("ALTER TABLE tags OWNER TO {group}; GRANT {group} TO {role}"),
            format!("ALTER TABLE tags OWNER TO {owner}; REVOKE {group} FROM {role}"),
            "is a member of the owner of the table tags",
        ),
        (
            "GRANT UPDATE ON audit TO PUBLIC".to_owned(),
            "REVOKE UPDATE ON audit FROM PUBLIC".to_owned(),
            "could still change rows of audit",
        ),
        (
            format!("GRANT CREATE ON SCHEMA public TO {group}; GRANT {group} TO {role}"),
            format!("REVOKE CREATE ON SCHEMA public FROM {group}; REVOKE {group} FROM {role}"),
            "could still create objects in the schema public",
        ),
        (
            format!("GRANT pg_write_all_data TO {role}"),
            format!("REVOKE pg_write_all_data FROM {role}"),
            "could still change rows of audit",
        ),
    ] {
        client.batch_execute(&more).await.unwrap_or_else(|error| panic!("{more}: {error:?}"));
        let refused = grant(&role).await;
        assert!(refused.error().contains(reason), "{more}: {}", refused.error());
        client.batch_execute(&less).await.unwrap_or_else(|error| panic!("{less}: {error:?}"));
    }
    // Nothing was granted, not even in part.
    assert_eq!(rights(&database).await, before);
    grant(&role).await.success();
    grant(&mine).await.success();
}

#[tokio::test]
async fn a_password_is_set_anew_and_never_shown() {
    let none: [(&str, &str); 0] = [];
    let manifest = blackbox::manifest_of_the_wiki();
    let args = ["migrate", "migrations", "--from", manifest.to_str().unwrap(), "--grant-password-file", "x"];
    let output = wiki_runner(&args, &none).await;
    assert_eq!(output.code, Some(2), "a password is for a role: {output:#?}");
    let mut database = Database::create().await;
    let role = database.granted().await;
    let known = async || {
        let sql = format!("SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'");
        database.column(&sql).await.remove(0)
    };
    let first = known().await;
    assert!(first.starts_with("SCRAM-SHA-256$"), "{first}");
    let url = database.url();
    database.migrate(&url, &migrations(), &["--grant-to", &role]).await.success();
    assert_eq!(known().await, first, "without a file, the password stays");
    let password = password_file("another secret");
    let file = password.path().to_str().unwrap();
    let output = database.migrate(&url, &migrations(), &["--grant-to", &role, "--grant-password-file", file]).await;
    assert!(output.success().contains(&role) && !format!("{output:?}").contains("another secret"), "{output:?}");
    assert_ne!(known().await, first);
    let output =
        database.migrate(&url, &migrations(), &["--grant-to", &role, "--grant-password-file", "/nowhere"]).await;
    assert!(output.error().contains("RUNNER_GRANT_PASSWORD_FILE") && output.error().contains("/nowhere"), "{output:?}");
}

/// What was there before there were roles: a wiki whose user owns everything.
#[tokio::test]
async fn a_wiki_moves_from_one_user_to_two() {
    let mut database = Database::create().await;
    let url = database.url();
    let wiki = App::wiki().env("DATABASE_URL", url.as_str()).without_database().start().await;
    let user = wiki.create_user("ada").await;
    wiki.create_post(&user, "# Kept").await;
    // The wiki of before goes on while the migration grants, and until its pods are replaced.
    let role = database.granted().await;
    wiki.create_post(&user, "# Also kept").await;
    let url = database.url_as(&role);
    let wiki = App::wiki().env("DATABASE_URL", url.as_str()).without_database().start().await;
    assert_eq!(wiki.walk("/posts", "posts").await.len(), 2);
    wiki.create_post(&user, "# New").await;
}
