//! Files that are sent to a page.

use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use sha2::{Digest, Sha256};
use wiki_types::files::file_name;
use wiki_types::{File, Post, rules};

use crate::auth::Context;
use crate::errors;
use crate::media::{self, Dimensions, MAX_PIXELS};
use crate::store::access;
use crate::store::blobs::{self, CHUNK, Upload};
use crate::store::files::{self, Added, NewFile, Stored};
use crate::store::pages::{self, Refusal};
use crate::web::Problem;
use crate::web::body::{Incoming, SentFile};
use crate::web::disposition::Disposition;
use crate::web::json::check;
use crate::web::request::{positive, query};

/// What is sent without a media type.
const ANYTHING: &str = "application/octet-stream";

/// What a file became.
#[derive(Debug)]
pub struct Kept {
    pub file: File,
    /// Whether the page had it already.
    pub was_known: bool,
}

/// Page `id`, if the sender may add files to it and remove them.
pub fn changeable(cx: &Context, id: i64) -> Result<Post, Problem> {
    let post = pages::find(cx.db, id)?.ok_or_else(errors::page_not_found)?;
    if post.protected && !cx.identity.administers() {
        return Err(errors::page_refused(Refusal::Protected));
    }
    // Pages without a list are for every writer, which the route has asked for.
    if access::may_write(cx.db, id)? { Ok(post) } else { Err(errors::page_refused(Refusal::ReadOnly)) }
}

/// File `id`, if the sender may read its page or, of one that waits for its page, has added it.
pub fn readable(cx: &Context, id: i64) -> Result<Stored, Problem> {
    let stored = files::find(cx.db, id)?.ok_or_else(errors::file_not_found)?;
    let is_readable = match stored.file.post_id {
        Some(post_id) => pages::find(cx.db, post_id)?.is_some(),
        None => cx.identity.is_administrator() || cx.identity.user_id() == stored.file.user_id,
    };
    if is_readable { Ok(stored) } else { Err(errors::file_not_found()) }
}

/// Removes file `id` from its page.
pub fn delete(cx: &Context, id: i64) -> Result<(), Problem> {
    let stored = readable(cx, id)?;
    if let Some(post_id) = stored.file.post_id {
        changeable(cx, post_id)?;
    }
    let is_deleted = files::delete(cx.db, id, cx.identity.user_id())?;
    if is_deleted { Ok(()) } else { Err(errors::file_not_found()) }
}

/// The file that is the body of the request. Its name is in the query or in Content-Disposition.
pub fn of_body<'a>(cx: &Context<'a>) -> Result<SentFile<'a>, Problem> {
    let header = |name| cx.request.headers().get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let content_type = header(CONTENT_TYPE).map(str::to_owned);
    // What programs send if nobody says what it is, and no media type of a file.
    if content_type.as_deref().is_some_and(|sent| sent.starts_with("application/x-www-form-urlencoded")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the file with the media type that it has, as in \"Content-Type: image/png\".",
        ));
    }
    let disposition = cx.request.headers().get(CONTENT_DISPOSITION).map(|value| value.as_bytes());
    let disposition = disposition.and_then(|value| Disposition::parse(std::str::from_utf8(value).ok()?));
    let name = query(cx.request, "name").or_else(|| disposition?.file_name());
    let missing = "is required: add ?name= to the address, or send the header Content-Disposition";
    let name = name.ok_or_else(|| Problem::invalid_field("name", missing))?;
    Ok(SentFile { name, content_type, bytes: cx.body })
}

/// The user that `?user_id=` names as the one who adds a file; the sender without it.
pub fn user_id(cx: &Context) -> Result<Option<i64>, Problem> {
    let read =
        |text: String| positive(&text).ok_or_else(|| Problem::invalid_field("user_id", "must be a user's number"));
    cx.identity.author(query(cx.request, "user_id").map(read).transpose()?)
}

/// Keeps a file for page `post_id` or, without one, for a page that user `user_id` is going to save. Nothing is left of one that is
/// refused or breaks off.
pub fn keep(cx: &Context, post_id: Option<i64>, user_id: Option<i64>, sent: &SentFile) -> Result<Kept, Problem> {
    let name = rules::composed(sent.name.trim()).into_owned();
    check("name", &name, file_name)?;
    let content_type = match sent.content_type.as_deref() {
        None | Some("") => None,
        Some(text) => {
            let wrong = || Problem::invalid_field("content_type", "must be a media type such as image/png");
            Some(media::normal(text).ok_or_else(wrong)?).filter(|media_type| media_type != ANYTHING)
        }
    };
    let config = cx.services.config()?;
    let limit = config.max_file_size;
    if sent.bytes.announced().is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut upload = blobs::begin(cx.db)?;
    let kept = arrive(cx, &mut upload, sent.bytes, limit).and_then(|arrived| {
        let (content_type, dimensions) = arrived.described(content_type)?;
        let file = NewFile {
            post_id,
            user_id,
            name,
            content_type,
            dimensions,
            size: arrived.size,
            sha256: arrived.sha256,
            space_quota: config.space_file_quota,
            quota: config.file_quota,
        };
        match files::add(cx.db, &upload, file)? {
            Added::Added(file) => Ok(Kept { file, was_known: false }),
            Added::Known(file) => Ok(Kept { file, was_known: true }),
            Added::SpaceFull => Err(full("The space", "its files", config.space_file_quota)),
            Added::Full => Err(full("The wiki", "all files together", config.file_quota)),
            Added::NoSuchUser => Err(errors::user_not_found()),
        }
    });
    if kept.is_err() {
        // If this fails, too, it is removed later.
        _ = blobs::discard(cx.db, &upload);
    }
    kept
}

/// Bytes that have all arrived.
struct Arrived {
    size: i64,
    sha256: Vec<u8>,
    /// How they begin: the first chunk.
    head: Vec<u8>,
}

/// Stores bytes as they arrive. In memory, there are two chunks of them at most.
fn arrive(cx: &Context, upload: &mut Upload, bytes: &dyn Incoming, limit: u64) -> Result<Arrived, Problem> {
    let (mut hash, mut head, mut chunk, mut size) = (Sha256::new(), Vec::new(), Vec::new(), 0);
    loop {
        // The client may be slow: meanwhile, others need the connection.
        cx.db.release();
        let part = bytes.next()?;
        let is_end = part.is_none();
        let part = part.unwrap_or_default();
        size += part.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        hash.update(&part);
        chunk.extend_from_slice(&part);
        while chunk.len() >= CHUNK || (is_end && !chunk.is_empty()) {
            let rest = chunk.split_off(chunk.len().min(CHUNK));
            if head.is_empty() {
                head.clone_from(&chunk);
            }
            blobs::append(cx.db, upload, std::mem::replace(&mut chunk, rest))?;
        }
        if is_end {
            break;
        }
    }
    if size == 0 {
        return Err(Problem::invalid_field("file", "is empty: it has no bytes"));
    }
    let size = i64::try_from(size).map_err(Problem::internal)?;
    Ok(Arrived { size, sha256: hash.finalize().to_vec(), head })
}

impl Arrived {
    /// The media type, and of a picture its width and height. 422 if the bytes are not what the sender says.
    fn described(&self, said: Option<String>) -> Result<(String, Option<(i64, i64)>), Problem> {
        let wrong = |message: String| Problem::invalid_field("file", message);
        let content_type = match (said, media::recognised(&self.head)) {
            (None, found) => found.unwrap_or(ANYTHING).to_owned(),
            (Some(said), Some(found)) if said != found => {
                return Err(wrong(format!("says that it is {said}, but is {found}; send it as that")));
            }
            (Some(said), None) if media::is_recognisable(&said) => {
                return Err(wrong(format!("says that it is {said}, but does not begin like one; it may be damaged")));
            }
            (Some(said), _) => said,
        };
        if !(media::is_recognisable(&content_type) && content_type.starts_with("image/")) {
            return Ok((content_type, None));
        }
        let is_all = self.head.len() as i64 == self.size;
        let dimensions = match media::dimensions(&self.head, is_all) {
            Dimensions::Known(width, height) => Some((width, height)),
            Dimensions::Later => None,
            Dimensions::Missing => {
                return Err(wrong(format!("is damaged: no width and height can be found in this {content_type}")));
            }
        };
        if let Some((width, height)) = dimensions
            && width.saturating_mul(height) > MAX_PIXELS
        {
            let millions = MAX_PIXELS / 1_000_000;
            return Err(wrong(format!(
                "has {width} × {height} pixels; a picture may have at most {millions} million. Make it smaller"
            )));
        }
        Ok((content_type, dimensions))
    }
}

/// Why a file was refused, as a sentence for people.
pub fn sentence(problem: &Problem) -> String {
    match problem.errors.first() {
        Some(error) if error.field == "name" => format!("The name of the file {}.", error.message),
        Some(error) if error.field == "file" => format!("The file {}.", error.message),
        Some(error) if error.field == "content_type" => format!("The media type of the file {}.", error.message),
        _ => problem.for_people().to_owned(),
    }
}

/// `bytes` for people.
pub fn readable_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" });
    }
    let mut amount = bytes as f64 / 1000.0;
    let mut unit = 0;
    while amount >= 999.95 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    let text = format!("{amount:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

/// 413: the file has more than `limit` bytes.
fn too_large(limit: u64) -> Problem {
    let detail = format!("The file is too large: it may have at most {}.", readable_size(limit));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// 413: `what` has as many bytes as it may, so there is no room in `place`.
fn full(place: &str, what: &str, quota: u64) -> Problem {
    let detail = format!(
        "{place} has no room for this file: {what} may have {}. Delete some, or ask an administrator.",
        readable_size(quota)
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1 kB"),
            (48_213, "48.2 kB"),
            (999_960, "1 MB"),
            (25_000_000, "25 MB"),
            (10_000_000_000, "10 GB"),
        ] {
            assert_eq!(readable_size(bytes), text);
        }
    }
}
