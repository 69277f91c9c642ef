//! Writing: the form that makes and edits pages, its preview, and what happens when two people edit at once.

use http::StatusCode;
use serde_json::{Map, Value};
use wiki_types::rules;
use wiki_types::slug::{is_slug, slugify};

use crate::browser::form::{self, Form};
use crate::browser::{page, person, rendered};
use crate::db::{self, Db};
use crate::json::Body;
use crate::pages::parts::{Name, Rendered, Viewer};
use crate::pages::write::{Conflict, Draft as Typed, Edit, Preview, Target};
use crate::pages::{self, address};
use crate::posts::{self, Draft, Post, Refusal};
use crate::problem::{FieldError, Problem};
use crate::reply::{self, Response};
use crate::request::{Request, path_text, prefilled};
use crate::{access, compare, links, markdown, revisions};

/// The most bytes of a text that is combined with somebody else's edit. Finding out how takes time that grows with the
/// square of the differences.
const MAX_COMBINED: usize = 64 << 10;

/// `GET /wiki/-/new`
pub fn new(request: &Request, _: &Db) -> Result<Response, Problem> {
    let title = prefilled(request, "title").unwrap_or_default();
    blank(request, Target::New, title)
}

/// `GET /wiki/{slug}/edit`
pub fn edit(request: &Request, db: &Db) -> Result<Response, Problem> {
    let slug = path_text(request, 0);
    let Some(post) = page::by_slug(db, slug)? else {
        if !is_slug(slug) || page::renamed(db, slug)?.is_some() {
            return page::absent(request, db);
        }
        let title = prefilled(request, "title").filter(|title| slugify(title) == slug);
        let title = title.unwrap_or_else(|| page::title_from(slug));
        return blank(request, Target::Missing { slug: slug.to_owned() }, title);
    };
    let draft = Typed {
        title: post.title.clone(),
        slug: post.slug.clone(),
        content: post.content,
        tags: post.tags.join(", "),
        comment: String::new(),
        author: form::remembered_author(request),
        page: Some(post.post_id),
        version: Some(post.version),
    };
    let target = Target::Existing(Name { slug: post.slug, title: post.title });
    form(request, StatusCode::OK, &Edit { target, draft, errors: Vec::new(), preview: None, conflict: None })
}

fn blank(request: &Request, target: Target, title: String) -> Result<Response, Problem> {
    let draft = Typed { title, author: form::remembered_author(request), ..Typed::default() };
    form(request, StatusCode::OK, &Edit { target, draft, errors: Vec::new(), preview: None, conflict: None })
}

fn form(request: &Request, status: StatusCode, view: &Edit) -> Result<Response, Problem> {
    // It holds the version it started from: an old copy would only make conflicts.
    Ok(reply::momentary(reply::html_with(status, pages::render(view, &Viewer::of(request))?)))
}

/// `POST /wiki/-/new`
pub fn create(request: &Request, db: &Db) -> Result<Response, Problem> {
    submit(request, db, &Form::read(request)?, Target::New, None)
}

/// `POST /wiki/{slug}/edit`
pub fn save(request: &Request, db: &Db) -> Result<Response, Problem> {
    let (form, slug) = (Form::read(request)?, path_text(request, 0));
    match about(&form, db, slug)? {
        Some(post) => {
            let target = Target::Existing(Name { slug: post.slug.clone(), title: post.title.clone() });
            submit(request, db, &form, target, Some(post))
        }
        None if is_slug(slug) => submit(request, db, &form, Target::Missing { slug: slug.to_owned() }, None),
        None => page::absent(request, db),
    }
}

/// The page a form is about: the one it was opened for or, if that is gone or the form names none, the one at its address.
fn about(form: &Form, db: &Db, slug: &str) -> Result<Option<Post>, Problem> {
    match form.number("page").map(|id| posts::by_id(db, id)) {
        Some(Err(problem)) if problem.status != StatusCode::NOT_FOUND => Err(problem),
        Some(Ok(post)) => Ok(Some(post)),
        Some(Err(_)) | None => page::meant(db, slug),
    }
}

/// Saves what was typed, or shows the form again with all of it and the reason why not.
fn submit(request: &Request, db: &Db, form: &Form, target: Target, current: Option<Post>) -> Result<Response, Problem> {
    let mut typed = typed(form, current.as_ref());
    if let Some(post) = current.as_ref().filter(|_| typed.slug == path_text(request, 0)) {
        // The address the form was opened under. If the page was renamed since, nobody asked to take that back.
        typed.slug.clone_from(&post.slug);
    }
    let mut view = Edit { target, draft: typed, errors: Vec::new(), preview: None, conflict: None };
    if form.text("action") == "preview" {
        view.preview = Some(preview_of(db, &view.draft.content, &view.draft.title)?);
        return self::form(request, StatusCode::OK, &view);
    }
    let who = access::who(request);
    let (mut draft, errors) = draft(&view);
    if let (None, Err(message)) = (&who.account, rules::name(&view.draft.author)) {
        view.errors.push(FieldError { field: "author".into(), message });
    }
    view.errors.extend(errors);
    let Some(draft) = draft.as_mut().filter(|_| view.errors.is_empty()) else {
        return self::form(request, StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    let user_id = form::author(db, who, &view.draft.author)?;
    draft.user_id = Some(user_id);
    let result = match &current {
        Some(post) => match view.draft.version.filter(|_| view.draft.page.is_none_or(|id| id == post.post_id)) {
            Some(version) => posts::save(db, who, post.post_id, Some(vec![version]), draft),
            // The page came into being while this one was written, and no version of it was seen.
            None => Err(Refusal::Conflict(Box::new(posts::by_id(db, post.post_id)?))),
        },
        None if view.draft.version.is_some() => {
            (view.draft.page, view.draft.version) = (None, None);
            view.errors.push(FieldError {
                field: "content".into(),
                message: "belongs to a page that was deleted meanwhile; save again to make a new page of it".into(),
            });
            return self::form(request, StatusCode::CONFLICT, &view);
        }
        None => posts::insert(db, user_id, std::mem::take(draft)).map_err(Refusal::Problem),
    };
    match result {
        Ok(post) => {
            let response = reply::see_other(&address::page(&post.slug));
            Ok(form::remembering_author(response, who, &view.draft.author))
        }
        Err(Refusal::Conflict(current)) => conflict(request, db, view, *current),
        Err(Refusal::Problem(problem)) if !problem.errors.is_empty() => {
            let status = problem.status;
            view.errors = problem.errors;
            self::form(request, status, &view)
        }
        Err(Refusal::Problem(problem)) => Err(problem),
    }
}

/// What stands in the form's fields.
fn typed(form: &Form, current: Option<&Post>) -> Typed {
    let mut content = form.text("content").to_owned();
    // Browsers end every line of a text with CR LF. A page keeps the ends of line it has.
    if !current.is_some_and(|post| post.content.contains("\r\n")) {
        content = content.replace("\r\n", "\n");
    }
    Typed {
        title: form.text("title").trim().to_owned(),
        slug: form.text("slug").trim().to_owned(),
        content,
        tags: form.text("tags").to_owned(),
        comment: form.text("comment").trim().to_owned(),
        author: form.text("author").trim().to_owned(),
        page: form.number("page"),
        version: form.number("version"),
    }
}

/// The draft the form amounts to by the rules of the API, or what is wrong with it.
fn draft(view: &Edit) -> (Option<Draft>, Vec<FieldError>) {
    let typed = &view.draft;
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("title", typed.title.as_str().into());
    add("content", typed.content.as_str().into());
    add("comment", typed.comment.as_str().into());
    let tags = typed.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    add("tags", tags.map(Value::from).collect());
    match &view.target {
        Target::Missing { slug } => {
            add("slug", slug.as_str().into());
        }
        Target::Existing(_) if !typed.slug.is_empty() => {
            add("slug", typed.slug.as_str().into());
        }
        Target::New | Target::Existing(_) => {}
    }
    match Draft::read(Body::of(members)) {
        Ok(draft) => (Some(draft), Vec::new()),
        Err(problem) if problem.errors.is_empty() => {
            (None, vec![FieldError { field: "content".into(), message: problem.detail }])
        }
        Err(problem) => (None, problem.errors),
    }
}

/// Shows both texts, and what the person typed ready to be saved on top of the other, combined with it if that is possible.
fn conflict(request: &Request, db: &Db, mut view: Edit, current: Post) -> Result<Response, Problem> {
    let latest = revisions::find(db, current.post_id, current.version)?.entry;
    let is_same = view.draft.page.is_none_or(|id| id == current.post_id);
    let base = match view.draft.version.filter(|_| is_same).map(|version| revisions::find(db, current.post_id, version))
    {
        Some(Ok(revision)) => Some(revision.content),
        // Another page, with fewer versions, has the address by now.
        Some(Err(problem)) if problem.status == StatusCode::NOT_FOUND => None,
        Some(Err(problem)) => return Err(problem),
        None => None,
    };
    let combined = base.and_then(|base| combine(&base, &current.content, &view.draft.content));
    let is_combined = combined.is_some();
    if let Some(combined) = combined {
        view.draft.content = combined;
    }
    (view.draft.page, view.draft.version) = (Some(current.post_id), Some(current.version));
    if view.draft.slug.is_empty() {
        view.draft.slug.clone_from(&current.slug);
    }
    view.target = Target::Existing(Name { slug: current.slug, title: current.title.clone() });
    view.conflict = Some(Conflict {
        author: person(latest.user_id, latest.author),
        time: latest.created_time,
        version: current.version,
        title: current.title,
        tags: current.tags.join(", "),
        difference: compare::difference(&current.content, &view.draft.content),
        content: current.content,
        combined: is_combined,
    });
    form(request, StatusCode::CONFLICT, &view)
}

/// Both edits of `base` in one text, if they are in different places.
fn combine(base: &str, theirs: &str, ours: &str) -> Option<String> {
    let small = [base, theirs, ours].iter().all(|text| text.len() <= MAX_COMBINED);
    small.then(|| diffy::merge(base, theirs, ours).ok()).flatten()
}

/// `POST /wiki/-/preview`: what the script shows while somebody types
pub fn preview(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let text = preview_of(db, form.text("content"), form.text("title"))?;
    Ok(reply::momentary(reply::html(pages::render(&Preview { text }, &Viewer::of(request))?)))
}

fn preview_of(db: &Db, content: &str, title: &str) -> Result<Rendered, Problem> {
    let shown = content.get(..rules::MAX_CONTENT).unwrap_or(content);
    let leading = leading(db, shown)?;
    Ok(rendered(shown, title, &leading))
}

/// Those of the slugs that `content` links to which lead to a page. One statement, however many there are.
pub fn leading(db: &Db, content: &str) -> Result<Vec<String>, Problem> {
    let slugs = markdown::links(content);
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    match db.query_one(&format!("SELECT {}", links::leading("$1::text[]")), &[db::texts(Some(slugs))])? {
        Some(mut row) => row.column(),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_in_different_places_are_combined_and_others_are_not() {
        let base = "one\n\ntwo\n\nthree\n";
        assert_eq!(
            combine(base, "ONE\n\ntwo\n\nthree\n", "one\n\ntwo\n\nTHREE\n").as_deref(),
            Some("ONE\n\ntwo\n\nTHREE\n")
        );
        assert_eq!(combine(base, "a\n\ntwo\n\nthree\n", "b\n\ntwo\n\nthree\n"), None);
        let long = "x\n".repeat(MAX_COMBINED);
        assert_eq!(combine(&long, &long, &long), None);
    }
}
