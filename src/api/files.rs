//! Files of pages.

use wiki_types::files::file_name;
use wiki_types::{File, Mode};

use crate::auth::{Context, Need};
use crate::errors;
use crate::input::files::{self, Kept};
use crate::input::lists;
use crate::media::{self, Shown};
use crate::store::blobs::Span;
use crate::store::pages;
use crate::web::body::SentFile;
use crate::web::multipart::{self, Multipart};
use crate::web::range::{self, Wanted};
use crate::web::response::FileHead;
use crate::web::{Problem, Response, disposition, etag, response};

/// For files that may contain scripts: none runs, and the file has no part in the wiki's origin.
const SANDBOXED: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                         frame-ancestors 'none'; sandbox";

/// For files that browsers show with their own viewer, which does not work in a sandbox. No script of the file runs in the page.
const VIEWED: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// List the files of a page
///
/// The latest first.
#[cfg_attr(test, utoipa::path(
    get, path = "/posts/{id}/files", operation_id = "listFiles", tag = "Files",
    params(("limit", Query), ("cursor", Query)),
    responses((status = 200, description = "Files.", body = wiki_types::Files, headers(("ETag")))),
))]
pub fn list(cx: &Context, id: i64) -> Result<Response, Problem> {
    pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
    Ok(lists::files(cx.request, cx.db, id)?.response(cx.request, "files"))
}

/// Add a file to a page
///
/// The body is the file itself, with its media type in Content-Type and its name in `name` or in Content-Disposition; or a form
/// (`multipart/form-data`), of which the first file is taken. The same file again, under the same name, is not added twice: the
/// response is 200 then. A picture (PNG, JPEG, GIF, WebP, AVIF) or PDF has to be what its media type says.
#[cfg_attr(test, utoipa::path(
    post, path = "/posts/{id}/files", operation_id = "addFile", tag = "Files",
    params(
        ("name" = Option<String>, Query, description = "The name of the file, unless Content-Disposition has it: a line of up \
            to 200 characters, without `/` and `\\`."),
        ("user_id" = Option<i64>, Query, minimum = 1, description = "Who adds it. By default, the sender, if they have an \
            account. Unless the wiki is open, only administrators name another user."),
    ),
    request_body(content((Vec<u8> = "*/*"))),
    responses(
        (status = 200, description = "The page had this file already.", body = File, headers(("Cache-Control"))),
        (status = 201, description = "The file.", body = File, headers(("Cache-Control"))),
        (status = 413), (status = 415),
    ),
))]
pub fn create(cx: &Context, id: i64) -> Result<Response, Problem> {
    files::changeable(cx, id)?;
    add(cx, Some(id), files::user_id(cx)?)
}

/// Add a file for a page that is not created yet
///
/// As `POST /posts/{id}/files`, but the file waits for its page: the next one that you create or save with a link to the file in its
/// text, `![words](/files/1/racks.png)`. Until then, only you may read it. One that still waits after 30 days is deleted. Needs an
/// account.
#[cfg_attr(test, utoipa::path(
    post, path = "/files", operation_id = "addWaitingFile", tag = "Files",
    params(("name" = Option<String>, Query, description = "The name of the file, unless Content-Disposition has it: a line of up \
        to 200 characters, without `/` and `\\`.")),
    request_body(content((Vec<u8> = "*/*"))),
    responses(
        (status = 200, description = "You have added this file already, and it waits.", body = File, headers(("Cache-Control"))),
        (status = 201, description = "The file.", body = File, headers(("Cache-Control"))),
        (status = 413), (status = 415),
    ),
))]
pub fn create_waiting(cx: &Context) -> Result<Response, Problem> {
    cx.identity.check(Need::Account)?;
    add(cx, None, cx.identity.user_id())
}

fn add(cx: &Context, post_id: Option<i64>, user_id: Option<i64>) -> Result<Response, Problem> {
    let kept = match multipart::boundary(cx.request.headers()) {
        Some(boundary) => {
            let form = Multipart::new(cx.body, &boundary);
            let part = loop {
                let part = form.next_part()?;
                let missing = || Problem::invalid_field("file", "is required: the form has no file");
                let part = part.ok_or_else(missing)?;
                if part.file_name.as_deref().is_some_and(|name| !name.is_empty()) {
                    break part;
                }
            };
            let name = part.file_name.unwrap_or_default();
            files::keep(cx, post_id, user_id, &SentFile { name, content_type: part.content_type, bytes: &form })?
        }
        None => files::keep(cx, post_id, user_id, &files::of_body(cx)?)?,
    };
    let Kept { file, was_known } = kept;
    let response = if was_known { response::json(&file) } else { response::created(&file.url, &file) };
    Ok(response::no_store(response))
}

/// Read a file
///
/// Its bytes, or a part of them with `Range`. A file never changes, so that its address stands for its content.
#[cfg_attr(test, utoipa::path(
    get, path = "/files/{id}/{name}", operation_id = "readFile", tag = "Files",
    responses(
        (status = 200, description = "The file.", content((Vec<u8> = "*/*"))),
        (status = 206, description = "The part of it that `Range` names.", content((Vec<u8> = "*/*"))),
        (status = 302, description = "The file has another name."),
        (status = 304),
        (status = 416, description = "The file has no such part."),
    ),
))]
pub fn read(cx: &Context, id: i64, name: &str) -> Result<Response, Problem> {
    let stored = files::readable(cx, id)?;
    let file = &stored.file;
    if file_name(name).is_err() {
        return Err(errors::file_not_found());
    }
    if name != file.name {
        return Ok(response::no_store(response::found(&file.url)));
    }
    let head = head(cx, file);
    if etag::none_match_names(cx.request.headers(), &head.etag) {
        return Ok(response::file_not_modified(&head));
    }
    let part = match range::wanted(cx.request.headers(), head.size, &head.etag) {
        Wanted::Whole => None,
        Wanted::Part(from, to) => Some((from, to)),
        Wanted::Nothing => return Ok(response::range_not_satisfiable(&head)),
    };
    let (from, to) = part.unwrap_or((0, head.size));
    let mut response = response::file(&head, part);
    response.extensions_mut().insert(Span::new(stored.blob_id, from, to));
    Ok(response)
}

fn head(cx: &Context, file: &File) -> FileHead {
    let shown = media::shown(&file.content_type);
    let is_text = file.content_type == "text/plain";
    FileHead {
        size: u64::try_from(file.size).unwrap_or_default(),
        content_type: if is_text { "text/plain; charset=utf-8".to_owned() } else { file.content_type.clone() },
        disposition: disposition::of_file(&file.name, shown != Shown::Saved),
        policy: if shown == Shown::ByViewer { VIEWED } else { SANDBOXED },
        etag: format!("\"{}\"", file.sha256),
        cache_control: match (cx.identity.mode, &cx.identity.account) {
            // The browser asks each time, and so learns if its person may not read it any more.
            (Mode::Private, _) => "private, no-cache",
            (_, Some(_)) => "private, max-age=31536000, immutable",
            // Whoever they are, they may read it.
            (_, None) => "public, max-age=31536000, immutable",
        },
    }
}

/// Delete a file
///
/// Pages that show it, and their versions, show that it is missing from then on. Its bytes are removed a day later, unless
/// another file has them.
#[cfg_attr(test, utoipa::path(
    delete, path = "/files/{id}", operation_id = "deleteFile", tag = "Files",
    responses((status = 204, description = "The file is deleted.")),
))]
pub fn delete(cx: &Context, id: i64) -> Result<Response, Problem> {
    files::delete(cx, id)?;
    Ok(response::no_content())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_viewer_shows_is_not_sandboxed() {
        assert!(SANDBOXED.ends_with("; sandbox") && SANDBOXED.strip_suffix("; sandbox") == Some(VIEWED));
    }
}
