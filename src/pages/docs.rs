//! The view of the API's description.

use askama::Template;

use crate::pages::address;

/// The page that shows `/openapi.json` and lets people try it out.
#[derive(Debug, Template)]
#[template(path = "docs.html")]
pub struct Docs;
