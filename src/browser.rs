//! What a person does in a browser: everything under `/wiki`, answered as HTML.
//!
//! The handlers read and write by the same functions as the API's, and differ only in how they are asked and answer.

pub mod account;
pub mod delete;
pub mod edit;
mod form;
pub mod history;
pub mod lists;
pub mod page;
pub mod people;
pub mod sign_in;
pub mod statics;

use crate::pages::parts::{Change, Listed, Name, Person, Rendered, Viewer};
use crate::posts::Summary;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::Request;
use crate::revisions::Entry;
use crate::{markdown, pages};

/// What somebody is called whose name was deleted.
const NOBODY: &str = "deleted user";

/// A view as an answer that browsers may keep and ask about.
fn show(request: &Request, view: &impl askama::Template) -> Result<Response, Problem> {
    Ok(reply::tagged_by_content(request, reply::html(pages::render(view, &Viewer::of(request))?)))
}

fn person(user_id: i64, name: Option<String>) -> Person {
    match name {
        Some(name) => Person { id: Some(user_id), name },
        None => Person { id: None, name: NOBODY.to_owned() },
    }
}

/// Markdown as HTML; `leading` are the slugs of its links that lead to a page.
fn rendered(content: &str, title: &str, leading: &[String]) -> Rendered {
    markdown::render(content, title, |slug| leading.iter().any(|leading| leading == slug))
}

impl From<Summary> for Listed {
    fn from(summary: Summary) -> Self {
        Self {
            page: Name { slug: summary.slug, title: summary.title },
            tags: summary.tags,
            updated: summary.updated_time,
        }
    }
}

impl From<Entry> for Change {
    fn from(entry: Entry) -> Self {
        Self {
            page: Name { slug: entry.page, title: entry.title },
            version: entry.version,
            author: person(entry.user_id, entry.author),
            comment: entry.comment,
            delta: entry.delta,
            time: entry.created_time,
        }
    }
}

impl From<Entry> for pages::history::Entry {
    fn from(entry: Entry) -> Self {
        Self {
            version: entry.version,
            time: entry.created_time,
            author: person(entry.user_id, entry.author),
            comment: entry.comment,
            size: entry.size,
            delta: entry.delta,
        }
    }
}
