//! Drafts: what a signed-in person has typed into the editor and not saved yet. The script keeps them while they type.

use askama::Template;
use http::StatusCode;
use serde::Serialize;
use wiki_types::rules::MAX_CONTENT;

use crate::auth::Context;
use crate::input::idempotency::{self, Purpose};
use crate::site::edit::FROM_TEMPLATE;
use crate::site::{self, address};
use crate::store::drafts::{self, Kept, Listed, Typed};
use crate::web::forms::Form;
use crate::web::request::query;
use crate::web::{Problem, Response, response};

/// The most bytes of all other fields of a draft together.
const MAX_FIELDS: usize = 16 << 10;

#[derive(Debug, Template)]
#[template(path = "drafts.html")]
pub struct Drafts {
    /// The drafts, the latest first.
    pub drafts: Vec<Listed>,
}

impl Listed {
    /// The form in which it is continued.
    pub(super) fn address(&self) -> String {
        let form = match (&self.page, self.wanted_slug.as_str()) {
            (Some((_, slug)), _) => address::of_page(slug, "edit"),
            (None, "") => address::NEW.to_owned(),
            (None, slug) => address::of_page(slug, "edit"),
        };
        format!("{form}?draft={}", self.id)
    }

    /// What to call it.
    pub(super) fn title(&self) -> &str {
        match (self.title.as_str(), &self.page) {
            ("", Some((title, _))) => title,
            ("", None) => "Untitled",
            (title, _) => title,
        }
    }
}

/// `GET /wiki/-/drafts`
pub fn show(cx: &Context) -> Result<Response, Problem> {
    let drafts = drafts::of_user(cx.db, cx.identity.account()?.user_id, drafts::MAX_DRAFTS)?;
    site::show_once(cx, StatusCode::OK, &Drafts { drafts })
}

/// Who else is at the page.
#[derive(Debug, Serialize)]
struct Others {
    /// Their names.
    editing: Vec<String>,
}

/// `POST /wiki/-/drafts`: keeps what the editor's fields contain, and says who else is editing the page, if somebody is
///
/// 409 if the form was saved before: then it is no draft any more. 412 if there is a draft by another form, which this
/// one did not start from: neither is lost.
pub fn keep(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let form = Form::read(cx.request)?;
    let text = |field: &str| form.text(field).to_owned();
    let typed = Typed {
        post_id: form.number("page"),
        version: form.number("version"),
        wanted_slug: query(cx.request, "slug").unwrap_or_default(),
        parent_id: form.number("parent"),
        space_id: form.number("space"),
        from_template: form.text("template") == FROM_TEMPLATE,
        key: idempotency::field(&form),
        title: text("title"),
        slug: text("slug"),
        content: form.text("content").replace("\r\n", "\n"),
        tags: text("tags"),
        comment: text("comment"),
    };
    let rest = [&typed.title, &typed.slug, &typed.tags, &typed.comment, &typed.wanted_slug];
    if typed.content.len() > MAX_CONTENT || rest.iter().map(|text| text.len()).sum::<usize>() > MAX_FIELDS {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The draft is too long to be kept."));
    }
    let submission = Purpose::Page.key(Some(user_id), &typed.key);
    match drafts::keep(cx.db, user_id, &typed, idempotency::continued(&form), submission)? {
        Kept::Kept => {
            let editing = match typed.post_id {
                Some(page) => drafts::editing(cx.db, page, Some(user_id), cx.identity.administers())?,
                None => Vec::new(),
            };
            Ok(if editing.is_empty() { response::no_content() } else { response::json(&Others { editing }) })
        }
        Kept::Saved => Err(Problem::new(StatusCode::CONFLICT, "This form has been saved.")),
        Kept::Other => Err(Problem::new(StatusCode::PRECONDITION_FAILED, "There is another draft of this page.")),
    }
}

/// `POST /wiki/-/drafts/discard`: one of the person's drafts, by its number or by the forms that wrote it
pub fn discard(cx: &Context) -> Result<Response, Problem> {
    let user_id = cx.identity.account()?.user_id;
    let form = Form::read(cx.request)?;
    match form.number("id") {
        Some(id) => drafts::discard(cx.db, user_id, id)?,
        None => {
            let keys = idempotency::continued(&form).into_iter().chain([idempotency::field(&form)]);
            drafts::discard_of_forms(cx.db, user_id, keys.filter(|key| !key.is_empty()).collect())?;
        }
    }
    Ok(response::see_other(address::local(form.text("next")).unwrap_or(address::DRAFTS)))
}
