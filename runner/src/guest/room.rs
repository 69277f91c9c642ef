//! The memory that is set aside for a request before it begins.
//!
//! A guest that waits for more keeps what it has from others, which may wait for more as well. So a request with a large body
//! gets what it is likely to need at once, and one that may be repeated does not wait inside of its guest: it gives back what it
//! has, and begins again once there is room for a large guest.

use std::time::{Duration, Instant};

use http::Request;
use http_body::Body as _;
use wasmtime_wasi_http::WasiBody;

/// Bytes of a large body. Nearly all are smaller.
const LARGE_BODY: u64 = 4 << 10;
/// Bytes that a request takes for each byte of a large body. To preview a page, the wiki takes 10 for prose, 27 for emphasis
/// throughout, and 35 for headings alone.
const TIMES_BODY: u64 = 40;

/// Memory for a request.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Bytes that are set aside before it begins.
    pub bytes: u64,
    /// How long it waits for them.
    pub patience: Duration,
    /// Whether its guest waits for more. If not, it fails at once when there is no room.
    pub waits: bool,
}

impl Room {
    /// Room to begin again with, after the guest wanted a charge of `wanted` bytes: half of `largest`, which is the most there
    /// ever is, or all of it. None if there will not be any until `deadline`.
    pub fn more(self, wanted: u64, largest: u64, deadline: Instant) -> Option<Self> {
        let patience = deadline.checked_duration_since(Instant::now())?;
        let bytes = if self.bytes.max(wanted) < largest / 2 { largest / 2 } else { largest };
        (bytes > self.bytes).then_some(Self { bytes, patience, ..self })
    }
}

/// What `request` takes for its body beyond what any request does, if all of it is there.
pub fn of_body(request: &Request<WasiBody>) -> u64 {
    let body = request.body().size_hint().lower();
    if body > LARGE_BODY { body.saturating_mul(TIMES_BODY) } else { 0 }
}

/// `request` without its body, if it may be handled again from its beginning: it is safe (RFC 9110, 9.2.1) and has no body.
pub fn repeatable(request: &Request<WasiBody>) -> Option<Request<()>> {
    if !request.method().is_safe() || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(());
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    *copy.version_mut() = request.version();
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_twice_up_to_the_largest() {
        let deadline = Instant::now() + Duration::from_secs(60);
        let room = Room { bytes: 2, patience: Duration::ZERO, waits: false };
        let half = room.more(3, 50, deadline).unwrap();
        let all = half.more(26, 50, deadline).unwrap();
        assert_eq!((half.bytes, all.bytes), (25, 50));
        assert_eq!(room.more(30, 50, deadline).map(|room| room.bytes), Some(50));
        assert!(all.more(51, 50, deadline).is_none());
        assert!(room.more(3, 50, Instant::now() - Duration::from_secs(1)).is_none());
    }
}
