//! Migrations: brings the schema up to the version this component was built with, from the files in `migrations/`.

use std::sync::LazyLock;

use schema::Migration;
use wiki_types::Time;

use crate::store::db::Db;
use crate::store::error::Error;

/// Names and texts of the files in migrations/, in order.
const FILES: &[(&str, &str)] = &[
    ("0001_users_posts.sql", include_str!("../../migrations/0001_users_posts.sql")),
    ("0002_history.sql", include_str!("../../migrations/0002_history.sql")),
    ("0003_search_links_tags.sql", include_str!("../../migrations/0003_search_links_tags.sql")),
    ("0004_access.sql", include_str!("../../migrations/0004_access.sql")),
    ("0005_submissions.sql", include_str!("../../migrations/0005_submissions.sql")),
    ("0006_names_and_deletions.sql", include_str!("../../migrations/0006_names_and_deletions.sql")),
    ("0007_natural_order.sql", include_str!("../../migrations/0007_natural_order.sql")),
    ("0008_sign_ins.sql", include_str!("../../migrations/0008_sign_ins.sql")),
    ("0009_submissions_of_accounts.sql", include_str!("../../migrations/0009_submissions_of_accounts.sql")),
    ("0010_drafts.sql", include_str!("../../migrations/0010_drafts.sql")),
    ("0011_words.sql", include_str!("../../migrations/0011_words.sql")),
    ("0012_events.sql", include_str!("../../migrations/0012_events.sql")),
    ("0013_tasks.sql", include_str!("../../migrations/0013_tasks.sql")),
    ("0014_task_events.sql", include_str!("../../migrations/0014_task_events.sql")),
    ("0015_relay.sql", include_str!("../../migrations/0015_relay.sql")),
    ("0016_inbox.sql", include_str!("../../migrations/0016_inbox.sql")),
    ("0017_webhooks.sql", include_str!("../../migrations/0017_webhooks.sql")),
    ("0018_spaces.sql", include_str!("../../migrations/0018_spaces.sql")),
    ("0019_files.sql", include_str!("../../migrations/0019_files.sql")),
    ("0020_sessions.sql", include_str!("../../migrations/0020_sessions.sql")),
    ("0021_stars_and_settings.sql", include_str!("../../migrations/0021_stars_and_settings.sql")),
    ("0022_drafts_of_new_pages.sql", include_str!("../../migrations/0022_drafts_of_new_pages.sql")),
    ("0023_watch_below.sql", include_str!("../../migrations/0023_watch_below.sql")),
    ("0024_mail.sql", include_str!("../../migrations/0024_mail.sql")),
    ("0025_delete_below.sql", include_str!("../../migrations/0025_delete_below.sql")),
    ("0026_pages_of_tags.sql", include_str!("../../migrations/0026_pages_of_tags.sql")),
    ("0027_time_zones.sql", include_str!("../../migrations/0027_time_zones.sql")),
    ("0028_files_of_no_page_yet.sql", include_str!("../../migrations/0028_files_of_no_page_yet.sql")),
    ("0029_events_of_a_page.sql", include_str!("../../migrations/0029_events_of_a_page.sql")),
    ("0030_heartbeat.sql", include_str!("../../migrations/0030_heartbeat.sql")),
    ("0031_alarms_of_restored_pages.sql", include_str!("../../migrations/0031_alarms_of_restored_pages.sql")),
];

static MIGRATIONS: LazyLock<Vec<Migration<'static>>> = LazyLock::new(|| {
    // A file whose name is not a migration's is left out here and found by the test below.
    FILES.iter().filter_map(|(name, sql)| Migration::new(name, sql).ok()).collect()
});

/// The version of the schema the database has, 0 for a new one.
pub fn version(db: &Db) -> Result<i64, Error> {
    db.read_row(schema::CURRENT_VERSION, &[])?.column()
}

/// When the database got its first tables. It stays for as long as there is the wiki, wherever its database is moved.
pub fn first_time(db: &Db) -> Result<Time, Error> {
    db.read_row("SELECT min(applied_time) AT TIME ZONE 'UTC' FROM schema_migrations", &[])?.column()
}

/// The version of the schema this component needs.
pub fn needed_version() -> i64 {
    MIGRATIONS.last().map_or(0, Migration::version)
}

/// Applies the migrations the database does not have.
///
/// Any number of instances may do so at once: one works, the others wait for it and find nothing to do. Fails, saying
/// which command to run, if the wiki's user does not own the tables.
pub fn apply(db: &Db) -> Result<(), Error> {
    match db.execute_raw(&schema::statement(&MIGRATIONS)) {
        Err(Error::Denied(cause)) => Err(Error::Unavailable(outdated(db, &cause))),
        result => result,
    }
}

/// What operators have to do about a schema that the wiki's user may not change.
fn outdated(db: &Db, cause: &str) -> String {
    let user = db.read_row("SELECT current_user::text", &[]).and_then(|mut row| row.column::<String>());
    let user = user.unwrap_or_else(|_| "ROLE".to_owned());
    format!(
        "its schema is older than version {}, which this wiki needs, and the user {user} may not change it; as the owner \
         of the tables, run `wiki-runner migrate migrations --grant-to {user}` ({cause})",
        needed_version()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded_in_order() {
        let mut on_disk: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        on_disk.sort();
        let embedded: Vec<&str> = MIGRATIONS.iter().map(Migration::name).collect();
        assert_eq!(embedded, on_disk);
        assert!(MIGRATIONS.is_sorted_by(|a, b| a.version() < b.version()));
    }
}
