//! Drafts: a page, or an edit of one, in the body of a request.

use http::StatusCode;
use wiki_types::rules::{self, MAX_CONTENT, MAX_TAGS};

use crate::store::pages::Draft;
use crate::web::Problem;
use crate::web::json::Body;

/// The draft in `body`. 422 names everything that is wrong with it; 413 if the content is too long.
pub fn read(mut body: Body) -> Result<Draft, Problem> {
    body.rewrite("title", rules::composed);
    body.rewrite("tags", rules::composed);
    let draft = Draft {
        user_id: body.integer("user_id"),
        title: body.text("title", rules::title),
        // As it is: a page may have a slug that is not composed, from when they were made so.
        slug: body.text("slug", |slug| rules::slug(slug).or_else(|_| rules::slug(&rules::composed(slug)))),
        space_id: body.integer("space_id"),
        parent_id: body.integer("parent_id"),
        content: body.required_text("content", rules::text).unwrap_or_default(),
        tags: body.texts("tags", MAX_TAGS, rules::tag).map(|tags| rules::normal_tags(&tags)),
        comment: body.text("comment", rules::comment).unwrap_or_default(),
        version: body.integer("version"),
        created_time: body.past("created_time"),
        updated_time: body.past("updated_time"),
        owner: None,
        key: None,
    };
    if draft.created_time.zip(draft.updated_time).is_some_and(|(created, updated)| updated < created) {
        body.reject::<()>("updated_time", "must not be before created_time");
    }
    body.finish()?;
    let length = draft.content.len();
    if length > MAX_CONTENT {
        let detail = format!("The content has {length} bytes; a page may have at most {MAX_CONTENT}. Split it.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    Ok(draft)
}
