//! What requests ask for in the wiki's own terms, read once for the API and the site: drafts, lists, pairs of revisions.

pub mod draft;
pub mod lists;
pub mod revisions;
