//! What goes to standard error: log lines, as text or JSON.

use std::io::{self, IsTerminal as _};

use anyhow::Context;
use clap::{Args, ValueEnum};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

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

/// What must live as long as anything is logged.
#[derive(Default)]
pub struct Guard {
    #[cfg(feature = "otlp")]
    _exporter: Option<crate::otlp::Exporter>,
}

impl Logging {
    /// Starts logging to standard error, and tracing if the environment says where to.
    ///
    /// Fails if the filter is malformed, or the address for traces is.
    pub fn start(&self) -> anyhow::Result<Guard> {
        let filter = EnvFilter::try_new(&self.log).with_context(|| format!("RUNNER_LOG: {:?}", self.log))?;
        // The span of a request puts its id into every line, however little is logged; the spans in it have none, and are
        // for collectors.
        let filter = filter.add_directive(format!("{}=info", crate::trace::TARGET).parse()?);
        let colours = io::stderr().is_terminal();
        let lines = fmt::layer().with_writer(io::stderr).with_ansi(colours);
        let lines = match self.log_format.unwrap_or(if in_container() { Format::Json } else { Format::Text }) {
            Format::Text => lines.boxed(),
            Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        };
        let registry = Registry::default().with(lines.with_filter(filter));
        #[cfg(feature = "otlp")]
        {
            let exporter = crate::otlp::Exporter::from_env()?;
            let only = tracing_subscriber::filter::filter_fn(|metadata| metadata.target() == crate::trace::TARGET);
            registry.with(exporter.as_ref().map(|exporter| exporter.layer().with_filter(only))).init();
            Ok(Guard { _exporter: exporter })
        }
        #[cfg(not(feature = "otlp"))]
        {
            registry.init();
            Ok(Guard::default())
        }
    }
}
