//! Deleting a page, and bringing one back.

use crate::browser::form::Form;
use crate::browser::page;
use crate::db::Db;
use crate::pages::parts::{Name, Viewer};
use crate::pages::write::Delete;
use crate::pages::{self, address};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, path_text};
use crate::{access, links, posts};

/// `GET /wiki/{slug}/delete`: asks first
pub fn ask(request: &Request, db: &Db) -> Result<Response, Problem> {
    let Some(post) = page::living(request, db)? else { return page::absent(request, db) };
    let view = Delete {
        backlinks: links::count(db, post.post_id)?,
        version: post.version,
        page: Name { slug: post.slug, title: post.title },
    };
    Ok(reply::momentary(reply::html(pages::render(&view, &Viewer::of(request))?)))
}

/// `POST /wiki/{slug}/delete`
pub fn delete(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let Some(post) = page::living(request, db)? else { return page::absent(request, db) };
    let version = form.number("version").ok_or_else(|| Problem::invalid_field("version", "is missing"))?;
    match posts::remove(db, access::who(request), post.post_id, Some(vec![version])) {
        // Its address now says that it was deleted, and offers to bring it back.
        Ok(()) => Ok(reply::see_other(&address::page(&post.slug))),
        Err(refusal) => Err(refusal.problem(false)),
    }
}

/// `POST /wiki/{slug}/restore`
pub fn restore(request: &Request, db: &Db) -> Result<Response, Problem> {
    Form::read(request)?;
    let slug = path_text(request, 0);
    if page::living(request, db)?.is_some() {
        return Ok(reply::see_other(&address::page(slug)));
    }
    let Some((id, _)) = page::deleted(db, slug)? else { return page::absent(request, db) };
    Ok(reply::see_other(&address::page(&posts::bring_back(db, access::who(request), id)?.slug)))
}
