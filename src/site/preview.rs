//! What a text would look like: a fragment of HTML for the script, while a person types.

use askama::Template;
use http::StatusCode;
use wiki_types::rules::MAX_CONTENT;

use crate::auth::Context;
use crate::markdown::{self, Rendered};
use crate::site::frame::Frame;
use crate::site::parts;
use crate::store::Db;
use crate::store::links;
use crate::web::forms::Form;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "preview.html")]
pub struct Preview {
    pub text: Rendered,
}

/// `POST /wiki/-/preview`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    let text = of(cx.db, form.text("content"), form.text("title"))?;
    Frame::default().show_once(StatusCode::OK, &Preview { text })
}

/// `content` as HTML, with links to pages that exist, and without pictures that do not. Of each, one statement, however many
/// there are.
pub fn of(db: &Db, content: &str, title: &str) -> Result<Rendered, Problem> {
    let shown = &content[..content.floor_char_boundary(MAX_CONTENT)];
    let targets = links::targets(db, markdown::links(shown))?;
    let pictures = parts::pictures(db, shown, None)?;
    db.release();
    Ok(parts::rendered(shown, title, &targets, &pictures))
}
