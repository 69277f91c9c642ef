//! The service itself.

use http::Method;
use serde_json::json;

use super::Operation;
use crate::web::response::METRICS;

/// The operations that are about the service.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/", "readIndex", "List what there is")
            .about(
                "The endpoints for a program; by `Accept`, the wiki's front page for a person, who is also told of problems \
                 by a page.",
            )
            .answers(
                200,
                "The endpoints.",
                "Index",
                json!({ "message": "Welcome to the wiki.", "endpoints": { "/users": ["GET", "POST"] } }),
            )
            .or_as("text/html", "The front page.")
            // Only pages are tagged.
            .takes(&["IfNoneMatch"])
            .fails(&[304]),
        Operation::new(Method::GET, "/health", "readHealth", "Is this instance well?")
            .about("Never touches the database.")
            .answers(
                200,
                "It is.",
                "Health",
                json!({ "status": "healthy", "timestamp": "2026-11-22T10:00:00.000000Z" }),
            )
            .with("Cache-Control", "NotStored")
            .without_database(),
        Operation::new(Method::GET, "/ready", "readReadiness", "Can requests be answered?")
            .about("Can the database be reached, and does it have the schema this version needs? If it has not, it gets it.")
            .answers(200, "They can.", "Readiness", json!({ "status": "ready", "schema": 4 }))
            .with("Cache-Control", "NotStored"),
        Operation::new(Method::GET, "/metrics", "readMetrics", "Metrics for Prometheus")
            .about(
                "The text format: `users_created_total`, `posts_created_total`, `revisions_created_total`, `wiki_users`, \
                 `wiki_posts`, `wiki_revisions`, `wiki_build_info`. The totals are the same from every replica.",
            )
            .answers_text(200, "The metrics.", Some(METRICS))
            .with("Cache-Control", "NotStored"),
        Operation::new(Method::GET, "/openapi.json", "readDescription", "This description")
            .answers_any(200, "This document.")
            .cached()
            .without_database(),
    ]
}
