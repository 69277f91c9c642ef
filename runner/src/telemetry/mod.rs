//! What the runner records while it works: log lines, metrics and traces.

pub mod logging;
pub mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod trace;
