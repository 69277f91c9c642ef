//! Forms with files, as browsers and programs send them: `multipart/form-data` (RFC 7578), read part by part.
//!
//! The libraries for this need an asynchronous runtime, which a component of WASI 0.2 has none of.

use std::cell::RefCell;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use crate::web::body::{self, Incoming};
use crate::web::disposition::{self, Disposition};
use crate::web::problem::Problem;

/// The most parts of a form.
const MAX_PARTS: usize = 100;
/// The most bytes of a part's headers.
const MAX_HEAD: usize = 8 << 10;
/// The most characters of a boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The boundary of the form that `headers` announce; none if they announce something else.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    let media_type = Disposition::parse(headers.get(CONTENT_TYPE)?.to_str().ok()?)?;
    let boundary = media_type.get("boundary").unwrap_or_default();
    let fits =
        (1..=MAX_BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (media_type.kind == "multipart/form-data" && fits).then(|| boundary.to_owned())
}

/// The name and type of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The name of its field.
    pub field: String,
    /// The name of its file. None of a field that was typed.
    pub file_name: Option<String>,
    /// The media type of its file, if it is given.
    pub content_type: Option<String>,
}

/// A form that arrives.
pub struct Multipart<'a> {
    body: &'a dyn Incoming,
    reader: RefCell<Reader>,
}

struct Reader {
    /// The line break before a boundary, two hyphens, and the boundary.
    delimiter: Vec<u8>,
    /// What has arrived and was not read yet.
    buffer: Vec<u8>,
    parts: usize,
    /// Whether the last boundary was read.
    ended: bool,
}

impl<'a> Multipart<'a> {
    /// The form in `body`, whose parts `boundary` separates.
    pub fn new(body: &'a dyn Incoming, boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // The first boundary begins the body: as if there were a line before.
        let reader = Reader { delimiter, buffer: b"\r\n".to_vec(), parts: 0, ended: false };
        Self { body, reader: reader.into() }
    }

    /// Skips what is left of a part, and returns the next; none at the end. 400 if the form cannot be read.
    pub fn next_part(&self) -> Result<Option<Part>, Problem> {
        while self.next()?.is_some() {}
        let reader = &mut *self.reader.borrow_mut();
        if reader.ended {
            return Ok(None);
        }
        reader.buffer.drain(..reader.delimiter.len());
        if reader.buffer.starts_with(b"--") {
            reader.ended = true;
            return Ok(None);
        }
        reader.parts += 1;
        if reader.parts > MAX_PARTS {
            return Err(Problem::bad_request(format!("A form may have at most {MAX_PARTS} fields.")));
        }
        let head = reader.head(self.body)?;
        read_head(&head).map(Some).ok_or_else(unreadable)
    }
}

/// Names and values of fields.
pub type Fields = Vec<(String, String)>;

/// The fields of `form` that were typed, up to its first file, which can be read then. 413 if they are longer than `limit`.
///
/// Forms of the site have their file last.
pub fn fields(form: &Multipart, limit: usize) -> Result<(Fields, Option<Part>), Problem> {
    let (mut fields, mut left) = (Vec::new(), limit);
    while let Some(part) = form.next_part()? {
        if part.file_name.is_some() {
            return Ok((fields, Some(part)));
        }
        let value = body::whole(form, left).map_err(|problem| match problem.status {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::body_too_large(limit),
            _ => problem,
        })?;
        left = left.saturating_sub(value.len());
        let value = String::from_utf8(value).map_err(|_| Problem::bad_request("The form is not valid UTF-8."))?;
        fields.push((part.field, value));
    }
    Ok((fields, None))
}

impl Incoming for Multipart<'_> {
    /// The next bytes of the part; none at its end.
    fn next(&self) -> Result<Option<Vec<u8>>, Problem> {
        let reader = &mut *self.reader.borrow_mut();
        if reader.ended {
            return Ok(None);
        }
        loop {
            let (sure, is_boundary) = reader.content();
            if sure == 0 && is_boundary {
                return Ok(None);
            }
            if sure > 0 {
                let rest = reader.buffer.split_off(sure);
                return Ok(Some(std::mem::replace(&mut reader.buffer, rest)));
            }
            reader.fill(self.body)?;
        }
    }
}

impl Reader {
    /// How many bytes in the buffer are content, and whether a boundary follows them. Not counted is what may be the beginning of
    /// one.
    fn content(&self) -> (usize, bool) {
        let mut from = 0;
        while let Some(at) = find(&self.buffer[from..], &self.delimiter) {
            let at = from + at;
            let after = &self.buffer[at + self.delimiter.len()..];
            match after {
                // The last one; one before a line break, or before spaces and a line break (RFC 2046, 5.1.1).
                [b'-', b'-', ..] | [b'\r', b'\n', ..] | [b' ' | b'\t', _, ..] => return (at, true),
                [] | [_] => return (at, false),
                _ => from = at + 1,
            }
        }
        ((self.buffer.len() + 1).saturating_sub(self.delimiter.len()).max(from), false)
    }

    fn fill(&mut self, body: &dyn Incoming) -> Result<(), Problem> {
        let part = body.next()?.ok_or_else(|| Problem::bad_request("The form ended before it was complete."))?;
        self.buffer.extend_from_slice(&part);
        Ok(())
    }

    /// The lines up to an empty one, which follow a boundary.
    fn head(&mut self, body: &dyn Incoming) -> Result<Vec<u8>, Problem> {
        const END: &[u8] = b"\r\n\r\n";
        loop {
            if let Some(end) = find(&self.buffer, END) {
                let rest = self.buffer.split_off(end + END.len());
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(unreadable());
            }
            self.fill(body)?;
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

fn unreadable() -> Problem {
    Problem::bad_request("The form cannot be read: it is not multipart/form-data as RFC 7578 describes it.")
}

fn read_head(head: &[u8]) -> Option<Part> {
    // Spaces may follow a boundary (RFC 2046, 5.1.1).
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    if !lines.next()?.trim_matches([' ', '\t']).is_empty() {
        return None;
    }
    let (mut disposition, mut content_type) = (None, None);
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-disposition") {
            disposition = Some(Disposition::parse(value)?);
        } else if name.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.trim().to_owned());
        }
    }
    let disposition = disposition.filter(|disposition| disposition.kind == "form-data")?;
    let field = disposition::of_form(disposition.get("name")?);
    let file_name = disposition.file_name().map(|name| disposition::of_form(&name));
    Some(Part { field, file_name, content_type })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::body::tests::Parts;
    use crate::web::body::whole;
    use proptest::prelude::*;

    type Read = Vec<(String, Option<String>, Vec<u8>)>;

    fn read(body: &[u8], boundary: &str, sizes: &[usize]) -> Result<Read, u16> {
        let parts = Parts::new(body, sizes);
        let form = Multipart::new(&parts, boundary);
        let mut read = Vec::new();
        let status = |problem: Problem| problem.status.as_u16();
        while let Some(part) = form.next_part().map_err(status)? {
            let bytes = whole(&form, usize::MAX).map_err(status)?;
            read.push((part.field, part.file_name, bytes));
        }
        Ok(read)
    }

    const FORM: &str = "ignored\r\n--b \r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA \u{fc}\r\n--bc\r\n\r\n--b\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a%22b.png\"\r\nContent-Type: image/png\r\n\r\n\0\r\n-\r\n--b--\r\n";

    #[test]
    fn a_form_is_read_however_it_arrives() {
        for size in 1..FORM.len() {
            let expected = vec![
                ("title".to_owned(), None, "A \u{fc}\r\n--bc\r\n".as_bytes().to_vec()),
                ("file".to_owned(), Some("a\"b.png".to_owned()), b"\0\r\n-".to_vec()),
            ];
            assert_eq!(read(FORM.as_bytes(), "b", &[size]), Ok(expected), "{size}");
        }
    }

    #[test]
    fn a_form_that_breaks_off_or_is_none_is_refused() {
        let end = FORM.len() - "--\r\n".len();
        for length in 0..end {
            assert_eq!(read(&FORM.as_bytes()[..length], "b", &[7]), Err(400), "{length}");
        }
        for body in [
            "--b\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
            "--b\r\nnothing\r\n\r\nx\r\n--b--",
        ] {
            assert_eq!(read(body.as_bytes(), "b", &[9]), Err(400), "{body:?}");
        }
        let long = format!("--b\r\nX: {}", "x".repeat(MAX_HEAD + 1));
        assert_eq!(read(long.as_bytes(), "b", &[1000]), Err(400));
        let many = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".repeat(MAX_PARTS + 1);
        assert_eq!(read(many.as_bytes(), "b", &[1000]), Err(400));
    }

    #[test]
    fn a_boundary_is_read_from_the_head() {
        let boundary = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            boundary(&headers)
        };
        assert_eq!(boundary("multipart/form-data; boundary=----WebKit1").as_deref(), Some("----WebKit1"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").as_deref(), Some("a b"));
        for other in
            ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a", "text/plain"]
        {
            assert_eq!(boundary(other), None, "{other}");
        }
    }

    proptest! {
        /// What is between the boundaries comes out as it was, wherever the network cuts it.
        #[test]
        fn what_is_sent_is_read(
            parts in prop::collection::vec(prop::collection::vec(prop::sample::select(b"\r\n-bx\0".to_vec()), 0..40), 0..5),
            sizes in prop::collection::vec(1_usize..20, 1..5),
        ) {
            let boundary = "bxbxbxbxb";
            prop_assume!(parts.iter().all(|part| find(part, boundary.as_bytes()).is_none()));
            let mut body = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{index}\"\r\n\r\n");
                body.extend([head.as_bytes(), part, b"\r\n"].concat());
            }
            body.extend(format!("--{boundary}--\r\n").into_bytes());
            let expected: Read =
                parts.into_iter().enumerate().map(|(index, part)| (index.to_string(), None, part)).collect();
            prop_assert_eq!(read(&body, boundary, &sizes), Ok(expected));
        }

        #[test]
        fn anything_is_read_or_refused(body in prop::collection::vec(prop::sample::select(b"\r\n-b:;=\"form-dataContent-Disposition".to_vec()), 0..200)) {
            _ = read(&body, "b", &[3]);
        }
    }
}
