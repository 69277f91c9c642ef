//! What requests ask for in the wiki's own terms, read once for the API and the site: drafts, lists,
//! revisions, tasks, users.

pub mod draft;
pub mod files;
pub mod idempotency;
pub mod lists;
pub mod revisions;
pub mod settings;
pub mod spaces;
pub mod stars;
pub mod tasks;
pub mod users;
pub mod webhooks;
