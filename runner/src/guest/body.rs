//! The body of a guest's response, which drives the guest until it has finished.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use super::failure::Failure;

/// A guest that handles a request.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

pub struct GuestBody {
    body: WasiBody,
    /// The guest, if it has not finished.
    guest: Option<Running>,
    /// Whether the guest failed before its body was complete.
    failed: bool,
}

impl GuestBody {
    pub fn new(body: WasiBody, guest: Option<Running>) -> Self {
        Self { body, guest, failed: false }
    }

    fn poll_guest(&mut self, cx: &mut Context<'_>) {
        if let Some(guest) = &mut self.guest
            && let Poll::Ready(outcome) = guest.as_mut().poll(cx)
        {
            self.guest = None;
            self.failed = outcome.is_err();
            log_failure(outcome);
        }
    }
}

fn log_failure(outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        tracing::error!("while the response was being sent: {failure}");
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.poll_guest(cx);
        match Pin::new(&mut self.body).poll_frame(cx) {
            // The status has been sent. Aborting the body instead of ending it shows the client that it is incomplete.
            Poll::Ready(None) if self.failed => Poll::Ready(Some(Err(Error::HttpResponseIncomplete))),
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.failed && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for GuestBody {
    fn drop(&mut self) {
        if let Some(guest) = self.guest.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // The guest may have work to do after its response, as on Spin. The request timeout still applies, and writes to
            // a client that has gone away fail.
            runtime.spawn(async { log_failure(guest.await) });
        }
    }
}
