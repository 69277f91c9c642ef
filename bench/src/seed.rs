//! Databases full of pages. Filling one takes minutes, so each is kept as a template, and what is measured is a copy.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use tokio_postgres::{Client, Row};
use wiki::store::search::{Batch, KEEP};

use crate::database::Database;

/// The database that is measured, and a template that is not complete yet. Each replaces one that was left behind.
const COPY: &str = "wasiki_bench_run";
const DRAFT: &str = "wasiki_bench_new";

/// Pages that a statement inserts. Triggers run once for each statement.
const BATCH: u64 = 1000;

/// The most pages that are edited, and those whose words are searched for.
const EDITED: u64 = 2048;
const SEARCHED: u64 = 500;

/// The secondary indexes of the tables of pages.
const INDEXES: &str =
    "FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ('posts', 'revisions', 'searched', 'vocabulary')
                       AND indexname NOT IN (SELECT conname FROM pg_constraint)";

/// What a database contains.
#[derive(Clone, Copy)]
pub struct Seed {
    pub pages: u64,
    /// Whether each page has a text of its own, as searches need. Otherwise pages share 64 paragraphs: a million of them
    /// then have few different words, and are indexed in minutes. Reading a page costs the same.
    pub own_texts: bool,
}

impl Seed {
    /// Users: one for a hundred pages, and at least a hundred.
    pub fn users(self) -> u64 {
        (self.pages / 100).max(100)
    }

    /// Pages from all parts of the table, `count` of them or a few more.
    fn spread(self, count: u64) -> String {
        format!("generate_series(1, {}, {}) AS spread (id)", self.pages, (self.pages / count).max(1))
    }

    /// A script of `bench/seed/` with its numbers.
    fn script(self, text: &str) -> String {
        let paragraphs = if self.own_texts { 4 * self.pages } else { 64 };
        let numbers = [(":users", self.users()), (":pages", self.pages), (":paragraphs", paragraphs)];
        numbers.iter().fold(text.to_owned(), |text, (name, number)| text.replace(name, &number.to_string()))
    }
}

/// Makes a copy of the template of `seed`, which is filled if there is none.
pub async fn copy(server: &Database, seed: Seed) -> anyhow::Result<Database> {
    let template = template(server, seed).await?;
    server.run(&format!("DROP DATABASE IF EXISTS {COPY}")).await?;
    // Since PostgreSQL 15, each page of the copy would be written to the log unless files are copied.
    let version = server.column("SELECT current_setting('server_version_num')").await?.concat();
    let strategy = if *version >= *"150000" { "STRATEGY FILE_COPY" } else { "" };
    server.run(&format!("CREATE DATABASE {COPY} TEMPLATE {template} {strategy}")).await?;
    Ok(server.sibling(COPY))
}

/// Removes the last copy.
pub async fn remove_copy(server: &Database) -> anyhow::Result<()> {
    server.run(&format!("DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")).await
}

/// The name of the template of `seed`. One of an older schema is replaced.
async fn template(server: &Database, seed: Seed) -> anyhow::Result<String> {
    let scripts = (migrations()?, include_str!("../seed/wiki.sql"), include_str!("../seed/pages.sql"));
    let mut hasher = DefaultHasher::new();
    scripts.hash(&mut hasher);
    let family = format!("wasiki_bench_{}{}_", seed.pages, if seed.own_texts { "_own" } else { "" });
    let name = format!("{family}{:016x}", hasher.finish());
    let pattern = format!("SELECT datname::text FROM pg_database WHERE datname ~ '^{family}[0-9a-f]{{16}}$'");
    let present = server.column(&pattern).await?;
    if present.contains(&name) {
        return Ok(name);
    }
    println!("filling a database with {} pages, once for this schema", seed.pages);
    for old in present.iter().map(String::as_str).chain([DRAFT]) {
        server.run(&format!("DROP DATABASE IF EXISTS {old}")).await?;
    }
    server.run(&format!("CREATE DATABASE {DRAFT}")).await?;
    let draft = server.sibling(DRAFT);
    draft.run(&scripts.0).await?;
    draft.run(&seed.script(scripts.1)).await?;
    fill(&draft, seed, &seed.script(scripts.2)).await?;
    // Only a complete template has its name.
    server.run(&format!("ALTER DATABASE {DRAFT} RENAME TO {name}")).await?;
    Ok(name)
}

/// The statement that brings a database to the schema in `migrations/`.
fn migrations() -> anyhow::Result<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir("migrations").context("cannot read migrations/")? {
        let path = entry.context("cannot read migrations/")?.path();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
    }
    files.sort();
    let migrations: Result<Vec<_>, _> = files.iter().map(|(name, sql)| schema::Migration::new(name, sql)).collect();
    Ok(schema::statement(&migrations?))
}

async fn fill(database: &Database, seed: Seed, pages: &str) -> anyhow::Result<()> {
    // An index of all rows at once is built many times faster, and is smaller.
    let indexes = database.column(&format!("SELECT indexdef {INDEXES}")).await?;
    let drops = database.column(&format!("SELECT format('DROP INDEX %I;', indexname) {INDEXES}")).await?;
    database.run(&drops.concat()).await?;

    // PostgreSQL uses one processor for each session.
    let sessions = std::thread::available_parallelism().map_or(4, usize::from).min(8) as u64;
    try_join_all((0..sessions).map(async |session| {
        let client = database.connect().await?;
        let statement = client.prepare(pages).await?;
        for first in (1 + session * BATCH..=seed.pages).step_by((sessions * BATCH) as usize) {
            let last = (first + BATCH - 1).min(seed.pages);
            let ids = [first.cast_signed(), last.cast_signed()];
            client.execute(&statement, &[&ids[0], &ids[1]]).await?;
            make_words(&client, ids).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let indexes = indexes.iter().map(|index| format!("SET maintenance_work_mem = '128MB'; {index}"));
    try_join_all(indexes.map(async |index| database.run(&index).await)).await?;
    for sql in ["DROP TABLE paragraphs", "VACUUM ANALYZE", "CHECKPOINT"] {
        database.run(sql).await?;
    }
    Ok(())
}

/// Makes the words of the pages with numbers from one to another, as the wiki does for pages of older versions.
async fn make_words(client: &Client, ids: [i64; 2]) -> anyhow::Result<()> {
    let pages = "SELECT id, version, title, content FROM posts WHERE id BETWEEN $1 AND $2 ORDER BY id";
    let rows = client.query(pages, &[&ids[0], &ids[1]]).await.context("cannot read pages")?;
    let page = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
    let batch = Batch::of(rows.iter().map(page).collect::<anyhow::Result<_>>()?);
    let [languages, texts, title_words, title_pairs, words, pairs] = &batch.columns;
    let learnt: Vec<&String> = batch.learnt.iter().collect();
    client
        .query(KEEP, &[&batch.ids, &batch.versions, languages, texts, title_words, title_pairs, words, pairs, &learnt])
        .await
        .context("cannot write words")?;
    Ok(())
}

/// Takes back what writing workloads did: the pages they created, the revisions of those they edited, and the
/// log. Versions stay.
pub async fn take_back(database: &Database, seed: Seed) -> anyhow::Result<()> {
    let (pages, edited) = (seed.pages, seed.spread(EDITED));
    let sql = format!(
        "DELETE FROM revisions WHERE post_id > {pages};
         DELETE FROM revisions USING posts JOIN {edited} USING (id)
           WHERE post_id = posts.id AND revisions.version BETWEEN 2 AND posts.version - 1;
         DELETE FROM searched WHERE post_id > {pages};
         DELETE FROM former_slugs WHERE post_id > {pages};
         DELETE FROM outbox;
         DELETE FROM posts WHERE id > {pages};
         DELETE FROM old_service.posts WHERE id > {pages}"
    );
    database.run(&sql).await?;
    // It takes seconds for a large table, which the rows of one round do not slow down.
    let tables =
        if pages <= 100_000 { &["posts", "revisions", "searched", "outbox", "old_service.posts"][..] } else { &[] };
    for table in tables {
        database.run(&format!("VACUUM {table}")).await?;
    }
    Ok(())
}

/// The pages that are edited, with the versions they have now.
pub async fn edited(database: &Database, seed: Seed) -> anyhow::Result<Vec<(i64, i64)>> {
    let sql = format!("SELECT id::bigint, version FROM posts JOIN {} USING (id)", seed.spread(EDITED));
    let rows = database.connect().await?.query(&sql, &[]).await.context("cannot read versions")?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Words of pages, drawn so that frequent words are drawn as often as they occur. The same in each run.
pub struct Words {
    /// Two words that follow one another on some page, without markup or capitals.
    pairs: Vec<String>,
    random: fastrand::Rng,
}

impl Words {
    pub async fn of(database: &Database, seed: Seed) -> anyhow::Result<Self> {
        let matches = "regexp_matches(content, ' ([a-z]+ [a-z]+)(?= )', 'g') WITH ORDINALITY AS pair (found, place)";
        let from = format!("posts JOIN {} USING (id), {matches}", seed.spread(SEARCHED));
        let pairs = database.column(&format!("SELECT found[1] FROM {from} ORDER BY id, place")).await?;
        ensure!(!pairs.is_empty(), "the pages have no words to search for");
        Ok(Self { pairs, random: fastrand::Rng::with_seed(1) })
    }

    pub fn pair(&mut self) -> String {
        self.random.choice(&self.pairs).cloned().unwrap_or_default()
    }

    pub fn word(&mut self) -> String {
        self.pair().split(' ').next().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_have_only_numbers() {
        let seed = Seed { pages: 1000, own_texts: false };
        assert_eq!(seed.script("SELECT :users, :pages - :paragraphs"), "SELECT 100, 1000 - 64");
        assert_eq!(seed.spread(500), "generate_series(1, 1000, 2) AS spread (id)");
    }
}
