//! Log lines on standard error, as text or JSON.

use std::io::{self, IsTerminal as _};

use anyhow::Context;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

use super::trace;
use crate::config::settings::{LogFormat, Logging, in_container};

/// Must live as long as anything is logged or traced.
#[derive(Default)]
pub struct Guard {
    #[cfg(feature = "otlp")]
    _exporter: Option<super::otlp::Exporter>,
}

/// Starts logging, and exporting traces if the environment names a collector.
///
/// Fails if the filter or the collector's address is malformed.
pub fn start(settings: &Logging) -> anyhow::Result<Guard> {
    let filter: Targets = settings.log.parse().with_context(|| format!("RUNNER_LOG: {:?}", settings.log))?;
    // The span of a request puts its id into every line, at any log level. Spans below it have no id: they are for
    // collectors, and debug.
    let filter = filter.with_target(trace::TARGET, LevelFilter::INFO);
    let colours = io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(colours);
    let lines = match settings.log_format.unwrap_or(if in_container() { LogFormat::Json } else { LogFormat::Text }) {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let registry = Registry::default().with(lines.with_filter(filter));
    #[cfg(feature = "otlp")]
    {
        let exporter = super::otlp::Exporter::from_env()?;
        let only = tracing_subscriber::filter::filter_fn(|metadata| metadata.target() == trace::TARGET);
        registry.with(exporter.as_ref().map(|exporter| exporter.layer().with_filter(only))).init();
        Ok(Guard { _exporter: exporter })
    }
    #[cfg(not(feature = "otlp"))]
    {
        registry.init();
        Ok(Guard::default())
    }
}
