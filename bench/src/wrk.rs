//! The load generator, wrk, with `load.lua`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::usage::Stat;
use crate::workload::Workload;

/// Time after which wrk counts an answer as missing. Its own default of two seconds would count a queue.
const TIMEOUT: &str = "10s";

/// wrk and what it needs.
#[derive(Debug)]
pub struct Wrk {
    script: PathBuf,
    data: PathBuf,
}

/// What the requests are made of.
#[derive(Debug, Default)]
pub struct Data {
    /// Users there are, numbered from 1.
    pub users: u64,
    /// Pages there are, numbered from 1.
    pub rows: u64,
    /// What is searched for, percent-encoded.
    pub queries: Vec<String>,
    /// Pages to edit, with their versions.
    pub pages: Vec<(i64, i64)>,
    /// Some 2 KB of a page, behind its heading.
    pub text: String,
    /// A word that no earlier run had.
    pub run: String,
}

/// One run of wrk.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// What is asked.
    pub workload: Workload,
    /// Where, as in `http://127.0.0.1:8000`.
    pub url: &'a str,
    /// Connections, each with one request at a time.
    pub connections: u32,
    /// How long.
    pub seconds: u32,
    /// Whether each status is counted, and not only those from 400 on.
    pub every_status: bool,
}

/// What wrk found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Outcome {
    /// Answers.
    pub requests: u64,
    duration_us: f64,
    /// Latencies.
    pub p50_us: f64,
    /// See above.
    pub p99_us: f64,
    /// See above.
    pub p999_us: f64,
    connect: u64,
    read: u64,
    write: u64,
    timeout: u64,
    status: u64,
    /// Answers by status, if they were counted.
    pub statuses: BTreeMap<u16, u64>,
    /// Seconds of processor time of wrk itself.
    #[serde(skip)]
    pub cpu_seconds: f64,
}

impl Outcome {
    /// Requests in a second.
    pub fn rps(&self) -> f64 {
        if self.duration_us > 0.0 { self.requests as f64 / self.duration_us * 1e6 } else { 0.0 }
    }

    /// Requests that had another answer than 2xx, or none.
    pub fn errors(&self) -> u64 {
        let other: u64 = self.statuses.iter().filter(|(status, _)| !(200..300).contains(*status)).map(|(_, n)| n).sum();
        self.connect + self.read + self.write + self.timeout + self.status.max(other)
    }

    /// The errors in words.
    pub fn complaint(&self) -> String {
        let Self { connect, read, write, timeout, status, statuses, .. } = self;
        format!(
            "{} of {} requests failed: {connect} to connect, {read} to read, {write} to write, {timeout} in time, {status} with a status from 400 on; statuses {statuses:?}",
            self.errors(),
            self.requests
        )
    }
}

impl Wrk {
    /// Looks for wrk; fails with how to install it. Needs a folder for a file of its own.
    pub fn find(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let found = Command::new("wrk").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_err() {
            bail!("wrk is not installed; on Debian and Ubuntu: apt-get install wrk");
        }
        Ok(Self { script: root.join("bench/load.lua"), data: folder.join("load-data.lua") })
    }

    /// Its version, as in `4.1.0`.
    pub fn version() -> String {
        let said = Command::new("wrk").arg("--version").output();
        let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        said.split_whitespace().nth(1).unwrap_or("unknown").trim_start_matches("debian/").to_owned()
    }

    /// Sends requests and waits until it is over.
    pub fn run(&self, load: Load<'_>, data: &Data) -> anyhow::Result<Outcome> {
        fs::write(&self.data, lua(data)).with_context(|| format!("cannot write {}", self.data.display()))?;
        let threads = threads().min(load.connections);
        let mut command = Command::new("wrk");
        command
            .args(["--threads", &threads.to_string(), "--connections", &load.connections.to_string()])
            .args(["--duration", &format!("{}s", load.seconds), "--timeout", TIMEOUT, "--script"])
            .arg(&self.script)
            .args([load.url, "--", load.workload.name(), &threads.to_string()])
            .arg(if load.every_status { "all" } else { "errors" })
            .arg(&self.data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (mut said, mut complained) = (String::new(), String::new());
        child.stdout.take().context("wrk has no output")?.read_to_string(&mut said).context("cannot read wrk")?;
        child.stderr.take().context("wrk has no output")?.read_to_string(&mut complained).context("cannot read wrk")?;
        let cpu_seconds = cpu_of_ended(child.id());
        let status = child.wait().context("cannot wait for wrk")?;
        let Some(mut outcome) = parse(&said) else {
            bail!("wrk ended with {status} and without a result:\n{said}{complained}");
        };
        outcome.cpu_seconds = cpu_seconds;
        Ok(outcome)
    }
}

/// Threads of wrk: half of the processors, so that the server and the database have some.
fn threads() -> u32 {
    let processors = thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(processors / 2).unwrap_or(1).clamp(1, 16)
}

/// The processor time of a child that is about to end, in seconds. The system keeps it until the child is waited for.
fn cpu_of_ended(pid: u32) -> f64 {
    for _ in 0..200 {
        match Stat::of(pid) {
            Some(stat) if stat.state == 'Z' => return stat.seconds(),
            Some(_) => thread::sleep(Duration::from_millis(5)),
            None => break,
        }
    }
    0.0
}

fn parse(said: &str) -> Option<Outcome> {
    serde_json::from_str(said.lines().find_map(|line| line.strip_prefix("JSON "))?).ok()
}

/// The data as a Lua file. Texts have only characters that Lua and JSON escape alike.
fn lua(data: &Data) -> String {
    let Data { users, rows, run, .. } = data;
    let mut lua = format!("return {{ users = {users}, rows = {rows}, run = \"{run}\", queries = {{");
    for query in &data.queries {
        _ = write!(lua, "\"{query}\",");
    }
    lua.push_str("}, pages = {");
    for (id, version) in &data.pages {
        _ = write!(lua, "{{{id},{version}}},");
    }
    // Twice: what Lua reads is still escaped as JSON wants it.
    let text = quoted(&data.text);
    _ = writeln!(lua, "}}, text = {} }}", quoted(text.get(1..text.len() - 1).unwrap_or_default()));
    lua
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 1s test\nJSON {\"requests\":100,\"duration_us\":2000000,\"bytes\":1,\"p50_us\":10,\"p99_us\":20,\
        \"p999_us\":30,\"max_us\":40,\"connect\":0,\"read\":1,\"write\":0,\"timeout\":2,\"status\":3,\"statuses\":{\"200\":90,\"304\":4,\"412\":3}}\n";

    #[test]
    fn every_status_but_2xx_is_an_error() {
        let outcome = parse(SAID).unwrap();
        assert_eq!(outcome.rps(), 50.0);
        assert_eq!(outcome.errors(), 1 + 2 + 7);
        assert!(outcome.complaint().contains("412: 3"), "{}", outcome.complaint());
    }

    #[test]
    fn what_is_no_result_is_none() {
        assert_eq!(parse("unable to connect"), None);
        assert_eq!(parse("JSON {}"), None);
    }

    #[test]
    fn a_text_reaches_the_server_as_json() {
        let data = Data { text: "\n\n\"a\"\\".to_owned(), pages: vec![(1, 2)], ..Data::default() };
        let lua = lua(&data);
        assert!(lua.contains(r#"text = "\\n\\n\\\"a\\\"\\\\""#), "{lua}");
        assert!(lua.contains("pages = {{1,2},}"), "{lua}");
    }
}
