//! The pages to which the viewer gave a star.

use askama::Template;
use http::StatusCode;
use wiki_types::Suggestion;

use crate::auth::Context;
use crate::input::stars::given;
use crate::site::parts::Linked;
use crate::site::{self, address, missing};
use crate::store::{pages, stars};
use crate::web::forms::Form;
use crate::web::{Problem, Response, response};

#[derive(Debug, Template)]
#[template(path = "starred.html")]
pub struct Starred {
    /// The pages, by title.
    pub pages: Vec<Suggestion>,
}

/// `GET /wiki/-/starred`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let pages = stars::of_user(cx.db, cx.identity.account()?.user_id)?;
    site::show_once(cx, StatusCode::OK, &Starred { pages })
}

/// `POST /wiki/{slug}/star`: gives the page a star, or takes it away
pub fn set(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let form = Form::read(cx.request)?;
    let Some(post) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    given(stars::set(cx.db, post.post_id, user_id, form.text("star") == "yes")?)?;
    Ok(response::see_other(address::local(form.text("next")).unwrap_or(&address::page(&post.slug))))
}
