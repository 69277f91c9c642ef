//! The body of a guest's response.
//!
//! A guest that has written it all is done, whatever its client does. One that has not continues by itself, and what it writes is
//! buffered up to a limit: a client that reads slowly holds up neither the guest nor those that wait for its place.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::join;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Empty};
use tracing::Instrument as _;
use wasmtime_wasi_http::{Error, WasiBody};

use super::failure::Failure;
use crate::memory::buffers::{Buffer, Buffers, Client, Full, Waiting};

/// A guest that handles a request.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// The body of a request without one.
pub fn no_request_body() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Bytes of a body that are not counted: the connection's own buffers are as large, and most responses smaller.
const UNCOUNTED: usize = 16 << 10;

pub enum GuestBody {
    Whole(Whole),
    Streamed(Streamed),
}

/// What a guest that is done has written.
pub struct Whole {
    frames: VecDeque<Result<Frame<Bytes>, Error>>,
}

/// What a guest is still writing.
pub struct Streamed {
    buffer: Buffer,
    _waiting: Waiting,
}

impl GuestBody {
    /// Nothing.
    pub fn empty() -> Self {
        Self::Whole(Whole { frames: VecDeque::new() })
    }

    /// The body of a guest that is done. Fails if it is large and there is no room for it.
    pub async fn whole(mut body: WasiBody, buffers: &Arc<Buffers>) -> Result<Self, Full> {
        let mut frames = VecDeque::new();
        while !body.is_end_stream() {
            let Some(frame) = body.frame().await else { break };
            frames.push_back(frame);
        }
        let size = frames.iter().filter_map(|frame| frame.as_ref().ok()?.data_ref()).map(Bytes::len).sum::<usize>();
        if size <= UNCOUNTED {
            return Ok(Self::Whole(Whole { frames }));
        }
        let buffer = Buffer::new(buffers.clone(), Client::Receives);
        let waiting = buffer.wait_for_client();
        let mut failed = false;
        for frame in frames {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => buffer.push(&data).unwrap_or(Err(Full))?,
                Ok(Err(frame)) => frame.into_trailers().into_iter().for_each(|trailers| buffer.push_trailers(trailers)),
                Err(_) => failed = true,
            }
        }
        buffer.end(failed);
        Ok(Self::Streamed(Streamed { buffer, _waiting: waiting }))
    }

    /// The body that `guest` is writing. At most `limit` bytes of it are buffered.
    pub fn streamed(body: WasiBody, guest: Running, buffers: &Arc<Buffers>, limit: u64) -> Self {
        let buffer = Buffer::new(buffers.clone(), Client::Receives);
        let waiting = buffer.wait_for_client();
        tokio::spawn(run(guest, body, buffer.clone(), limit.max(1)).in_current_span());
        Self::Streamed(Streamed { buffer, _waiting: waiting })
    }
}

/// Runs `guest` until it is done, and passes on what it writes.
///
/// It may have work to do after its response, as on Spin. The request timeout still applies, and writes to a client that has
/// gone away fail.
async fn run(guest: Running, mut body: WasiBody, buffer: Buffer, limit: u64) {
    let failed = &AtomicBool::new(false);
    let guest = async {
        if let Err(failure) = guest.await {
            failed.store(true, Ordering::Relaxed);
            tracing::error!("while the response was being sent: {failure}");
        }
    };
    let pass_on = async move {
        let mut is_complete = true;
        while buffer.drained_below(limit).await.is_ok() {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                _ = buffer.gone() => break,
            };
            let Some(frame) = frame else { break };
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => {
                    if buffer.push_when_possible(&data).await.is_err() {
                        break;
                    }
                }
                Ok(Err(frame)) => frame.into_trailers().into_iter().for_each(|trailers| buffer.push_trailers(trailers)),
                Err(_) => {
                    is_complete = false;
                    break;
                }
            }
        }
        // If the guest failed, its body has ended, too.
        buffer.end(!is_complete || failed.load(Ordering::Relaxed));
    };
    let (guest, pass_on) = (pin!(guest), pin!(pass_on));
    // The guest first: whether it failed is then known when its body ends.
    join(guest, pass_on).await;
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut *self {
            Self::Whole(whole) => Poll::Ready(whole.frames.pop_front()),
            // The status has been sent. Aborting the body instead of ending it shows the client that it is incomplete.
            Self::Streamed(streamed) => streamed
                .buffer
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|_| Error::HttpResponseIncomplete))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.frames.is_empty(),
            Self::Streamed(streamed) => streamed.buffer.is_at_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.buffer.abandon();
    }
}
