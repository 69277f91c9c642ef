//! pgbench: the same statement without a service in between.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::database::Database;
use crate::native::sql;
use crate::report::{Metric, Sample};
use crate::seed::Seed;
use crate::stats::percentiles;
use crate::workload::Workload;

/// The share of transactions in the log from which percentiles are computed.
const SAMPLED: &str = "0.1";

/// Runs the statement of a workload, prepared, in so many sessions for so many seconds.
pub fn run(
    folder: &Path,
    database: &Database,
    workload: Workload,
    seed: Seed,
    connections: u32,
    seconds: u32,
) -> anyhow::Result<Sample> {
    let folder = tempfile::tempdir_in(folder).context("cannot create a folder")?;
    let script = folder.path().join("script.sql");
    fs::write(&script, statement(workload, seed)?).context("cannot write a script")?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(connections as usize);
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol", "prepared", "--log", "--log-prefix", "log"]);
    command.args(["--sampling-rate", SAMPLED, "--client", &connections.to_string(), "--jobs", &threads.to_string()]);
    command.args(["--time", &seconds.to_string(), "--file"]).arg(&script);
    database.configure(&mut command, ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"]);
    let output = command.current_dir(folder.path()).stdin(Stdio::null()).output().context("cannot start pgbench")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed:\n{printed}{}", String::from_utf8_lossy(&output.stderr));

    let mut latencies = Vec::new();
    for entry in fs::read_dir(folder.path()).context("cannot read the log")? {
        let path = entry.context("cannot read the log")?.path();
        if path != script {
            latencies.extend(fs::read_to_string(&path).context("cannot read the log")?.lines().filter_map(latency_ms));
        }
    }
    let tps = number_after(&printed, "tps = ").with_context(|| format!("pgbench measured nothing:\n{printed}"))?;
    let errors = number_after(&printed, "number of failed transactions: ").unwrap_or_default();
    let [p50, p99, p999] = percentiles(latencies, [0.5, 0.99, 0.999]);
    use Metric::{Errors, P50, P99, P999, Rps};
    Ok(Sample::from([(Rps, tps), (P50, p50), (P99, p99), (P999, p999), (Errors, errors)]))
}

fn statement(workload: Workload, seed: Seed) -> anyhow::Result<String> {
    let (statement, parameter) = match workload {
        Workload::GetUser => (sql::USER, format!("random(1, {})", seed.users())),
        Workload::GetPost => (sql::POST, format!("random(1, {})", seed.pages)),
        Workload::ListPosts => (sql::POSTS, "51".to_owned()),
        _ => bail!("pgbench has no statement for {workload}"),
    };
    Ok(format!("\\set parameter {parameter}\n{};\n", statement.replace("$1", ":parameter")))
}

/// The third field of a line of the log, which is in microseconds.
fn latency_ms(line: &str) -> Option<f64> {
    line.split(' ').nth(2)?.parse::<f64>().ok().map(|micros| micros / 1000.0)
}

fn number_after(text: &str, words: &str) -> Option<f64> {
    text.split_once(words)?.1.split([' ', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_read() {
        let printed = "number of failed transactions: 2 (0.1%)\nlatency average = 0.3 ms\ntps = 1234.5 (without x)\n";
        assert_eq!(number_after(printed, "tps = "), Some(1234.5));
        assert_eq!(number_after(printed, "number of failed transactions: "), Some(2.0));
        assert_eq!(number_after(printed, "absent: "), None);
        assert_eq!(latency_ms("0 199 2241 0 1175850568 995598"), Some(2.241));
    }
}
