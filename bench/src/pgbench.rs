//! pgbench: the same statement without a service in between.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::database::Database;
use crate::native::sql;
use crate::seed::Seed;
use crate::stats::percentile;
use crate::workload::Workload;

/// One transaction in so many is written to the log that percentiles are read from.
const SAMPLED: f64 = 0.1;

/// What it found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Transactions in a second.
    pub tps: f64,
    /// Latencies in milliseconds: 50, 99 and 99.9 of a hundred.
    pub percentiles_ms: [f64; 3],
    /// Transactions that failed.
    pub failed: u64,
}

/// Finds pgbench in a folder, or else where the search path leads; fails with how to install it.
pub fn find(folder: Option<&Path>) -> anyhow::Result<PathBuf> {
    let starts = |program: &PathBuf| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let candidates = folder.map(|folder| folder.join("pgbench")).into_iter().chain(["pgbench".into()]);
    let Some(program) = candidates.into_iter().find(starts) else {
        bail!("pgbench is not installed; on Debian and Ubuntu: apt-get install postgresql");
    };
    Ok(program)
}

/// Runs the statement of a workload, prepared, in so many sessions for so many seconds.
pub fn run(
    program: &Path,
    folder: &Path,
    database: &Database,
    workload: Workload,
    seed: Seed,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir_in(folder).context("cannot make a folder")?;
    let script = folder.path().join("script.sql");
    fs::write(&script, statement(workload, seed)?).context("cannot write a script")?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(connections as usize);
    let mut command = Command::new(program);
    command.args(["--no-vacuum", "--protocol", "prepared", "--log", "--log-prefix", "log"]);
    command.args(["--sampling-rate", &SAMPLED.to_string(), "--client", &connections.to_string()]);
    command.args(["--jobs", &threads.to_string(), "--time", &seconds.to_string(), "--file"]).arg(&script);
    database.configure(&mut command);
    let output = command.current_dir(folder.path()).stdin(Stdio::null()).output().context("cannot start pgbench")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed:\n{said}{}", String::from_utf8_lossy(&output.stderr));

    let mut latencies = Vec::new();
    for entry in fs::read_dir(folder.path()).context("cannot read the log")? {
        let path = entry.context("cannot read the log")?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log.")) {
            let log = fs::read_to_string(&path).context("cannot read the log")?;
            latencies.extend(log.lines().filter_map(latency_ms));
        }
    }
    let tps = number_after(&said, "tps = ").with_context(|| format!("pgbench came to no transaction:\n{said}"))?;
    let failed = number_after(&said, "number of failed transactions: ").unwrap_or(0.0) as u64;
    let at = |share| percentile(latencies.iter().copied(), share).unwrap_or(0.0);
    Ok(Outcome { tps, percentiles_ms: [at(0.5), at(0.99), at(0.999)], failed })
}

fn statement(workload: Workload, seed: Seed) -> anyhow::Result<String> {
    let (statement, parameter) = match workload {
        Workload::GetUser => (sql::USER, format!("random(1, {})", seed.users())),
        Workload::GetPost => (sql::POST, format!("random(1, {})", seed.rows)),
        Workload::ListPosts => (sql::POSTS, "51".to_owned()),
        _ => bail!("pgbench has no statement for {workload}"),
    };
    Ok(format!("\\set parameter {parameter}\n{};\n", statement.replace("$1", ":parameter")))
}

/// The third field of a line of the log, in microseconds there.
fn latency_ms(line: &str) -> Option<f64> {
    line.split(' ').nth(2)?.parse::<f64>().ok().map(|micros| micros / 1000.0)
}

fn number_after(text: &str, words: &str) -> Option<f64> {
    let rest = text.split_once(words)?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_are_understood() {
        let said = "number of failed transactions: 2 (0.1%)\nlatency average = 0.3 ms\ntps = 1234.5 (without x)\n";
        assert_eq!(number_after(said, "tps = "), Some(1234.5));
        assert_eq!(number_after(said, "number of failed transactions: "), Some(2.0));
        assert_eq!(number_after(said, "absent: "), None);
        assert_eq!(latency_ms("0 199 2241 0 1175850568 995598"), Some(2.241));
    }

    #[test]
    fn it_has_the_statements_that_are_one_query() {
        let seed = Seed { kind: crate::text::Kind::Shared, rows: 1000 };
        let script = statement(Workload::GetPost, seed).unwrap();
        assert!(script.starts_with("\\set parameter random(1, 1000)\nSELECT id") && script.contains("id = :parameter"));
        assert!(statement(Workload::CreatePost, seed).is_err());
    }
}
