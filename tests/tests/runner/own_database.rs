//! The database that the runner brings: started and ended with it, one folder for one runner, and saved and restored.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use blackbox::{App, START_LIMIT, eventually, open_folder, wiki_runner};
use tempfile::TempDir;
use tokio_postgres::NoTls;

const NOTHING: [(&str, &str); 0] = [];

fn data(folder: &TempDir) -> String {
    folder.path().join("data").to_str().expect("paths of tests are UTF-8").to_owned()
}

async fn wiki_in(folder: &TempDir) -> App {
    App::wiki().without_database().arg("--data").arg(data(folder)).start().await
}

/// The processes of servers that work in `folder`.
fn servers_in(folder: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    processes.filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))).collect()
}

#[tokio::test]
async fn it_needs_no_settings_and_takes_one_runner() {
    let folder = open_folder();
    let mut wiki = wiki_in(&folder).await;
    wiki.create_user("ada").await;
    let printed = wiki.runner().stdout();
    assert!(printed.contains("no database is configured") && printed.contains(&data(&folder)), "{printed}");
    let manifest = blackbox::manifest_of_the_wiki();
    let args = ["serve", "--from", manifest.to_str().unwrap(), "--port", "0", "--data", &data(&folder)];
    let second = wiki_runner(&args, &NOTHING).await;
    assert!(second.error().contains("is in use by another wiki-runner"), "{}", second.error());
    wiki.restart().await;
    assert_eq!(wiki.walk("/users", "users").await.len(), 1);
    // It serves several at once, and none sees what is not meant for it.
    let answers = futures_of(&wiki, 32).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert!(wiki.runner().terminate().await.success());
    assert_eq!(servers_in(folder.path()), Vec::<PathBuf>::new());
}

async fn futures_of(wiki: &App, clients: usize) -> Vec<u16> {
    let requests = (0..clients).map(|_| {
        let client = (**wiki).clone();
        tokio::spawn(async move { client.get("/users/1").await.status() })
    });
    let mut answers = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        answers.push(request.await.expect("a client does not panic"));
    }
    answers
}

#[tokio::test]
async fn it_ends_with_a_runner_that_is_killed() {
    let folder = open_folder();
    let mut wiki = wiki_in(&folder).await;
    wiki.create_user("ada").await;
    wiki.kill9();
    eventually("the server ends", || async { servers_in(folder.path()).is_empty() }).await;
    wiki.start_again().await;
    assert_eq!(wiki.walk("/users", "users").await.len(), 1);
}

#[tokio::test]
async fn a_server_that_ends_is_started_again() {
    let folder = open_folder();
    let wiki = wiki_in(&folder).await;
    wiki.create_user("ada").await;
    let pid_file = folder.path().join("data/postgres/data/postmaster.pid");
    let process = fs::read_to_string(pid_file).unwrap().lines().next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
    wiki.runner().logged("the database server was started again", 1).await;
    eventually("the wiki is back", || async { wiki.get("/users/1").await.status() == 200 }).await;
}

/// `wiki-runner database`, and what it says.
struct Alone {
    process: Child,
    variables: Vec<(String, String)>,
}

impl Alone {
    fn start(folder: &TempDir) -> Self {
        let mut command = Command::new(blackbox::runner_program());
        command.args(["database", "--data", &data(folder)]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("wiki-runner can be started");
        let lines = BufReader::new(process.stdout.take().expect("it has an output")).lines().map_while(Result::ok);
        let said: Vec<String> = lines.take_while(|line| line != "spin up").collect();
        let assignments = said.iter().filter_map(|line| line.strip_prefix("export ")).flat_map(|line| line.split(' '));
        let variables = assignments.filter_map(|word| word.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned()));
        Self { process, variables: variables.collect() }
    }

    fn variable(&self, name: &str) -> &str {
        let name = format!("SPIN_VARIABLE_DB_{name}");
        let found = self.variables.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("{name} in {:?}", self.variables)).1
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn it_runs_alone_and_says_how_to_reach_it() {
    let folder = open_folder();
    let alone = Alone::start(&folder);
    let address = format!(
        "host={} port={} dbname={} user={} password={}",
        alone.variable("HOST"),
        alone.variable("PORT"),
        alone.variable("NAME"),
        alone.variable("USER"),
        alone.variable("PASSWORD")
    );
    let (client, connection) = tokio::time::timeout(START_LIMIT, tokio_postgres::connect(&address, NoTls))
        .await
        .expect("it answers")
        .expect("the variables are right");
    tokio::spawn(connection);
    assert_eq!(client.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
    // The variables are what Spin reads, and the runner as well.
    let mut app = App::wiki().without_database();
    for (name, value) in &alone.variables {
        app = app.env(name, value);
    }
    let wiki = app.start().await;
    wiki.create_user("ada").await;
    drop(alone);
    assert_eq!(servers_in(folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn it_is_saved_while_it_runs_and_restored_elsewhere() {
    let (folder, other) = (open_folder(), open_folder());
    let dump = folder.path().join("wiki.dump");
    let dump = dump.to_str().unwrap();
    let wiki = wiki_in(&folder).await;
    let ada = wiki.create_user("ada").await;
    wiki.create_post(&ada, "# Kept\n\nText.").await;
    let saved = wiki_runner(&["database", "--data", &data(&folder), "dump", dump], &NOTHING).await;
    if saved.stderr.contains("install the package postgresql-client") {
        return println!("skipped: there is no pg_dump for this server");
    }
    assert!(saved.success().contains("saved to"), "{saved:#?}");
    let again = wiki_runner(&["database", "--data", &data(&folder), "dump", dump], &NOTHING).await;
    assert!(again.error().contains("wiki.dump exists"), "{}", again.error());
    let onto = wiki_runner(&["database", "--data", &data(&folder), "restore", dump], &NOTHING).await;
    assert!(onto.error().contains("has data: restore into another folder"), "{}", onto.error());
    let restored = wiki_runner(&["database", "--data", &data(&other), "restore", dump], &NOTHING).await;
    assert!(restored.success().contains("restored from"), "{restored:#?}");
    let copy = wiki_in(&other).await;
    let pages = copy.walk("/posts", "posts").await;
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0]["title"], "Kept");
    // And it goes on where the other was.
    copy.create_user("grace").await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let folder = open_folder();
    let run = async |args: &[&str]| {
        let data = data(&folder);
        let args = [&["database", "--data", data.as_str()], args].concat();
        let output = wiki_runner(&args, &NOTHING).await;
        output.error().to_owned()
    };
    assert!(run(&["install", "--version", "9"]).await.contains("PostgreSQL 9 cannot be downloaded"));
    assert!(run(&["restore", "/no/such/file"]).await.contains("cannot read /no/such/file"));
    let error = run(&["dump", "/no/such/folder/file"]).await;
    assert!(error.contains("/no/such/folder/file") || error.contains("postgresql-client"), "{error}");
    let nowhere = [("RUNNER_POSTGRES_BIN", "/nowhere")];
    let output = wiki_runner(&["database", "--data", &data(&folder)], &nowhere).await;
    let error = output.error();
    assert!(error.contains("RUNNER_POSTGRES_BIN") && error.contains("/nowhere has no program"), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = wiki_runner(&["database", "--data", file.to_str().unwrap()], &NOTHING).await;
    assert!(output.error().contains("cannot be made"), "{}", output.error());
    // A folder that belongs to nobody we know.
    let foreign = folder.path().join("foreign/postgres");
    fs::create_dir_all(&foreign).unwrap();
    if std::os::unix::fs::chown(&foreign, Some(4_000_000), None).is_ok() {
        let output = wiki_runner(&["database", "--data", foreign.parent().unwrap().to_str().unwrap()], &NOTHING).await;
        assert!(output.error().contains("belongs to another user"), "{}", output.error());
    }
}
