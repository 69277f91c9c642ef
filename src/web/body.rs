//! Bodies of requests on their way in.

use crate::web::problem::Problem;

/// Bytes that arrive part by part.
pub trait Incoming {
    /// The next part, which is not empty; none at the end.
    fn next(&self) -> Result<Option<Vec<u8>>, Problem>;

    /// How many bytes there are in all, if the client says so.
    fn announced(&self) -> Option<u64> {
        None
    }
}

/// A file that arrives with a form.
#[derive(Clone)]
pub struct SentFile<'a> {
    /// Its name, which is empty if none was chosen.
    pub name: String,
    /// Its media type, if that is given.
    pub content_type: Option<String>,
    /// Its bytes.
    pub bytes: &'a dyn Incoming,
}

/// No bytes.
pub struct Nothing;

impl Incoming for Nothing {
    fn next(&self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(None)
    }
}

/// All of `body`, refused as soon as it is known to be longer than `limit`.
pub fn whole(body: &dyn Incoming, limit: usize) -> Result<Vec<u8>, Problem> {
    // A client may announce more than 32 bits hold, and a `usize` has no more here.
    let announced = body.announced().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > limit) {
        return Err(Problem::body_too_large(limit));
    }
    let mut bytes = Vec::new();
    while let Some(part) = body.next()? {
        if bytes.is_empty() {
            bytes = part;
            // At once: growing step by step takes up to three times the memory.
            bytes.reserve_exact(announced.unwrap_or_default().saturating_sub(bytes.len()));
        } else {
            bytes.extend_from_slice(&part);
        }
        if bytes.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
    }
    Ok(bytes)
}

/// How much is read for nothing, at most.
pub const DRAINED: u64 = 64 << 20;

/// Reads up to `limit` bytes more, for nothing: a browser that is still sending when the connection closes shows no answer.
pub fn drain(body: &dyn Incoming, limit: u64) {
    let mut read = 0;
    while read < limit
        && let Ok(Some(part)) = body.next()
    {
        read += part.len() as u64;
    }
}

#[cfg(test)]
pub mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use super::*;

    /// A body in these parts.
    pub struct Parts(RefCell<VecDeque<Vec<u8>>>);

    impl Parts {
        /// `body` in parts of so many bytes, one after the other, and again from the first.
        pub fn new(body: &[u8], sizes: &[usize]) -> Self {
            let (mut parts, mut rest) = (VecDeque::new(), body);
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (part, later) = rest.split_at((*size).clamp(1, rest.len()));
                parts.push_back(part.to_vec());
                rest = later;
            }
            Self(parts.into())
        }
    }

    impl Incoming for Parts {
        fn next(&self) -> Result<Option<Vec<u8>>, Problem> {
            Ok(self.0.borrow_mut().pop_front())
        }
    }

    #[test]
    fn a_body_is_read_up_to_a_limit() {
        let read = |limit| whole(&Parts::new(b"some bytes", &[3, 1]), limit).map_err(|problem| problem.status.as_u16());
        assert_eq!(read(10), Ok(b"some bytes".to_vec()));
        assert_eq!(read(9), Err(413));
    }
}
