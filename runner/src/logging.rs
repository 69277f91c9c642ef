//! What goes to standard error: log lines, as text or JSON.

use std::io::{self, IsTerminal as _};

use anyhow::Context;
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::settings::in_container;

/// How to log.
#[derive(Debug, Args)]
pub struct Logging {
    /// Form of the log lines. [default: json in a container, text otherwise]
    #[arg(long, env = "RUNNER_LOG_FORMAT", value_enum, global = true, value_name = "FORMAT")]
    log_format: Option<Format>,

    /// What to log: a level (error, warn, info, debug, trace), or levels by module as in info,wiki_runner=debug.
    // Not what the driver passes on of the server's notices, such as that there was no transaction to roll back.
    #[arg(long, env = "RUNNER_LOG", default_value = "info,tokio_postgres=warn", global = true, value_name = "FILTER")]
    log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For log collectors: one object a line.
    Json,
}

impl Logging {
    /// Starts logging to standard error. Fails if the filter is malformed.
    pub fn start(&self) -> anyhow::Result<()> {
        let filter = EnvFilter::try_new(&self.log).with_context(|| format!("RUNNER_LOG: {:?}", self.log))?;
        let colours = io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colours).with_env_filter(filter);
        match self.log_format.unwrap_or(if in_container() { Format::Json } else { Format::Text }) {
            Format::Text => lines.init(),
            Format::Json => lines.json().flatten_event(true).with_span_list(false).init(),
        }
        Ok(())
    }
}
