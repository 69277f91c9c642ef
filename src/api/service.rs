//! The service itself: health, readiness and metrics.

use std::fmt::Write as _;

use http::StatusCode;
use wiki_types::{Health, Readiness, Time};

use crate::auth::Context;
use crate::store::undelivered::{self, Backlog};
use crate::store::{counters, migrations, search, tasks};
use crate::web::response::{self, METRICS};
use crate::web::{Problem, Response};

/// How often words of waiting pages are made each time, of at most 100 pages: it takes less than a second.
const CATCH_UP: usize = 3;

/// Is this instance healthy?
///
/// Never uses the database.
#[cfg_attr(test, utoipa::path(
    get, path = "/health", operation_id = "readHealth", tag = "Service",
    responses((status = 200, description = "It is.", body = Health, headers(("Cache-Control")))),
))]
pub fn health(_: &Context) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(&Health { status: "healthy".into(), timestamp: Time::now() })))
}

/// Can requests be answered?
///
/// That is, can the database be reached, and does it have the schema that this version needs? An older schema is
/// brought up to date.
#[cfg_attr(test, utoipa::path(
    get, path = "/ready", operation_id = "readReadiness", tag = "Service",
    responses((status = 200, description = "They can.", body = Readiness, headers(("Cache-Control")))),
))]
pub fn ready(cx: &Context) -> Result<Response, Problem> {
    if migrations::version(cx.db)? < migrations::needed_version() {
        migrations::apply(cx.db)?;
    }
    let schema = migrations::version(cx.db)?;
    if schema < migrations::needed_version() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("The database has schema {schema}, but {} is needed.", migrations::needed_version()),
        ));
    }
    // Nobody waits here: after an upgrade, pages get the words they are found by, and their tasks are read.
    search::catch_up(cx.db, CATCH_UP);
    tasks::catch_up(cx.db, CATCH_UP);
    Ok(response::no_store(response::json(&Readiness { status: "ready".into(), schema })))
}

/// Metrics for Prometheus
///
/// In the text format: `users_created_total`, `posts_created_total`, `revisions_created_total`, `wiki_users`,
/// `wiki_posts`, `wiki_revisions`, `wiki_build_info`, `wasiki_events_undelivered`, `wasiki_events_oldest_undelivered_seconds`,
/// `wasiki_events_dead`, `wasiki_webhook_deliveries_waiting`. They are the same from every replica.
#[cfg_attr(test, utoipa::path(
    get, path = "/metrics", operation_id = "readMetrics", tag = "Service",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain",
        headers(("Cache-Control")))),
))]
pub fn metrics(cx: &Context) -> Result<Response, Problem> {
    let mut text = Totals(counters::totals(cx.db)?).exposition();
    text.push_str(&exposition_of(undelivered::backlog(cx.db)?));
    Ok(response::no_store(response::bytes(StatusCode::OK, METRICS, text.into_bytes())))
}

/// The metrics of events on their way.
fn exposition_of(backlog: Backlog) -> String {
    let metrics = [
        ("wasiki_events_undelivered", "Events that have not been handed on, up to 10000.", backlog.events),
        (
            "wasiki_events_oldest_undelivered_seconds",
            "Seconds since the oldest event that has not been handed on.",
            backlog.oldest_seconds,
        ),
        (
            "wasiki_events_dead",
            "Events that could not be handed on and are not tried again, up to 10000.",
            backlog.dead,
        ),
        (
            "wasiki_webhook_deliveries_waiting",
            "Requests to webhooks that are to be sent, up to 10000.",
            backlog.deliveries,
        ),
    ];
    metrics.map(|(name, help, value)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n")).concat()
}

/// Counters and their totals.
struct Totals(Vec<(String, i64)>);

impl Totals {
    fn of(&self, name: &str) -> i64 {
        self.0.iter().find(|(counted, _)| counted == name).map_or(0, |(_, total)| *total)
    }

    fn living(&self, things: &str) -> i64 {
        let of = |what: &str| self.of(&format!("{things}_{what}"));
        of("created") - of("deleted") + of("restored")
    }

    /// The Prometheus text format, version 0.0.4.
    fn exposition(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, value: i64| {
            _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        };
        metric("users_created_total", "counter", "Users ever created.", self.of("users_created"));
        metric("posts_created_total", "counter", "Pages ever created.", self.of("posts_created"));
        metric("revisions_created_total", "counter", "Revisions of pages ever saved.", self.of("revisions_created"));
        metric("wiki_users", "gauge", "Users there are.", self.living("users"));
        // Revisions are never deleted.
        metric(
            "wiki_revisions",
            "gauge",
            "Revisions there are, those of deleted pages included.",
            self.of("revisions_created"),
        );
        metric("wiki_posts", "gauge", "Pages there are, without deleted ones.", self.living("posts"));
        _ = write!(
            text,
            "# HELP wiki_build_info The version that answers.\n# TYPE wiki_build_info gauge\nwiki_build_info{{version=\"{}\"}} 1\n",
            env!("CARGO_PKG_VERSION")
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_follow_from_the_counters() {
        let totals = Totals(vec![
            ("posts_created".into(), 10),
            ("posts_deleted".into(), 4),
            ("posts_restored".into(), 1),
            ("users_created".into(), 2),
        ]);
        let text = totals.exposition();
        for line in [
            "posts_created_total 10",
            "wiki_posts 7",
            "users_created_total 2",
            "wiki_users 2",
            "revisions_created_total 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in {text}");
        }
    }
}
