//! Every operation of the API, in the groups the page shows them in.

mod access;
mod find;
mod history;
mod posts;
mod service;
mod users;

use super::operation::Operation;

/// A group of operations.
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What its operations have in common, in Markdown.
    pub description: &'static str,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// All of them.
pub fn all() -> Vec<Group> {
    vec![
        Group {
            name: "Posts",
            description: "The wiki's pages: Markdown with a title, a name in URLs, and tags.",
            operations: posts::operations(),
        },
        Group {
            name: "History",
            description: "Every state a page has had, and the way back.",
            operations: history::operations(),
        },
        Group { name: "Finding", description: "Pages by their words, tags and links.", operations: find::operations() },
        Group { name: "Users", description: "Who wrote what.", operations: users::operations() },
        Group {
            name: "Access",
            description: "Accounts, sessions, tokens, and what happened to them.",
            operations: access::operations(),
        },
        Group { name: "Service", description: "What the service says of itself.", operations: service::operations() },
    ]
}
