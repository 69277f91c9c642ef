//! The load generator, wrk, with `load.lua`. It can be scripted: an edit needs the version it is based on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::process::cpu_seconds_of_children;
use crate::workload::Workload;

/// Time after which wrk counts an answer as missing. Its own default of two seconds would count a queue.
const TIMEOUT: &str = "10s";

/// What the requests are made of.
#[derive(Debug, Default)]
pub struct Data {
    /// Users and pages there are, numbered from 1.
    pub users: u64,
    pub pages: u64,
    /// Searches, percent-encoded.
    pub searches: Vec<String>,
    /// Pages to edit, with their versions.
    pub edited: Vec<(i64, i64)>,
    /// Some 2 KB of a page, without its heading.
    pub text: String,
}

/// One run of wrk.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    pub workload: Workload,
    pub url: &'a str,
    /// Connections, each with one request at a time.
    pub connections: u32,
    pub seconds: u32,
    /// Whether each status is counted, not only those from 400 on.
    pub every_status: bool,
}

/// What wrk measured.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Outcome {
    pub requests: u64,
    duration_us: f64,
    /// Latencies: 50, 99 and 99.9 %.
    pub percentiles_us: [f64; 3],
    connect: u64,
    read: u64,
    write: u64,
    timeout: u64,
    status: u64,
    /// Answers by status, where they are counted.
    statuses: BTreeMap<u16, u64>,
    /// Processor time of wrk itself.
    #[serde(skip)]
    pub cpu_seconds: f64,
}

impl Outcome {
    pub fn rps(&self) -> f64 {
        if self.duration_us > 0.0 { self.requests as f64 / self.duration_us * 1e6 } else { 0.0 }
    }

    /// Requests with another answer than 2xx, or none.
    pub fn errors(&self) -> u64 {
        let other: u64 = self.statuses.iter().filter(|(status, _)| !(200..300).contains(*status)).map(|(_, n)| n).sum();
        self.connect + self.read + self.write + self.timeout + self.status.max(other)
    }
}

/// Sends requests until the time is over. Writes what they are made of to a file in `folder`.
pub fn run(load: Load<'_>, data: &Data, folder: &Path) -> anyhow::Result<Outcome> {
    let file = folder.join("load-data.lua");
    fs::write(&file, lua(data)?).with_context(|| format!("cannot write {}", file.display()))?;
    // The server and the database need processors, too.
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get() as u32 / 2).clamp(1, 16);
    let (threads, connections) = (threads.min(load.connections).to_string(), load.connections.to_string());
    let mut command = Command::new("wrk");
    command.args(["--threads", &threads, "--connections", &connections, "--duration", &format!("{}s", load.seconds)]);
    command.args(["--timeout", TIMEOUT, "--script", "bench/load.lua", load.url, "--", &load.workload.to_string()]);
    command.args([&*threads, if load.every_status { "all" } else { "errors" }]).arg(&file);
    let cpu_seconds = cpu_seconds_of_children();
    let output = command.stdin(Stdio::null()).output().context("cannot start wrk")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let Some(mut outcome) = parse(&printed) else {
        bail!("wrk failed with {}:\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr));
    };
    outcome.cpu_seconds = cpu_seconds_of_children() - cpu_seconds;
    Ok(outcome)
}

fn parse(printed: &str) -> Option<Outcome> {
    serde_json::from_str(printed.lines().find_map(|line| line.strip_prefix("JSON "))?).ok()
}

/// The data as a Lua file.
fn lua(data: &Data) -> anyhow::Result<String> {
    let run = std::time::UNIX_EPOCH.elapsed().context("the clock is before 1970")?.as_nanos();
    let Data { users, pages, searches, edited, text } = data;
    let searches: String = searches.iter().map(|search| format!("\"{search}\",")).collect();
    let edited: String = edited.iter().map(|(id, version)| format!("{{{id},{version}}},")).collect();
    // Between long brackets Lua has no escapes, so that the text stays as JSON wants it.
    let text = serde_json::to_string(text)?;
    let text = &text[1..text.len() - 1];
    Ok(format!(
        "return {{ users = {users}, rows = {pages}, run = \"{run:x}\", queries = {{{searches}}}, pages = {{{edited}}}, \
         text = [==[{text}]==] }}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_but_2xx_is_an_error() {
        let printed = "Running 1s test\nJSON {\"requests\":100,\"duration_us\":2000000,\"percentiles_us\":[10,20,30],\
            \"connect\":0,\"read\":1,\"write\":0,\"timeout\":2,\"status\":3,\"statuses\":{\"200\":90,\"304\":4,\"412\":3}}\n";
        let outcome = parse(printed).unwrap();
        assert_eq!((outcome.rps(), outcome.errors()), (50.0, 1 + 2 + 7));
        assert_eq!((parse("unable to connect"), parse("JSON {}")), (None, None));
    }

    #[test]
    fn a_text_is_escaped_for_json_alone() {
        let data = Data { text: "\n\"a\"\\ b".to_owned(), edited: vec![(1, 2)], ..Data::default() };
        let lua = lua(&data).unwrap();
        assert!(lua.contains(r#"pages = {{1,2},}, text = [==[\n\"a\"\\ b]==] }"#), "{lua}");
    }
}
