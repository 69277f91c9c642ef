//! The body of a response, a guest's or the runner's own. Its end is the end of the request.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};

use super::accounting::Accounting;
use super::compression::MaybeCompressed;
use crate::guest::GuestBody;

pub struct ResponseBody<G> {
    body: MaybeCompressed<Either<GuestBody, Full<Bytes>>>,
    accounting: Accounting,
    _guard: G,
}

impl<G> ResponseBody<G> {
    /// `guard` is dropped together with the body.
    pub fn new(body: MaybeCompressed<Either<GuestBody, Full<Bytes>>>, accounting: Accounting, guard: G) -> Self {
        Self { body, accounting, _guard: guard }
    }
}

impl<G: Unpin> Body for ResponseBody<G> {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self { body, accounting, .. } = &mut *self;
        // The guest may still be running, and what it logs belongs to this request.
        let _entered = accounting.span.enter();
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            accounting.sent += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
