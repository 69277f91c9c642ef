//! The body of a request on its way to a guest, with a size limit and a timeout for pauses.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, WasiBody};

use super::stall_timeout::StallTimeout;
use crate::config::settings::Limits;

/// How much of a body has been received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Incomplete,
    Complete,
    /// It exceeded the size limit.
    TooLarge,
    /// The client paused for too long.
    TimedOut,
}

/// Shares the status of a body with the code that passed the body on.
#[derive(Debug, Clone)]
pub struct StatusHandle(Arc<AtomicU8>);

impl StatusHandle {
    fn new(status: Status) -> Self {
        Self(Arc::new(AtomicU8::new(status as u8)))
    }

    fn set(&self, status: Status) {
        self.0.store(status as u8, Ordering::Relaxed);
    }

    pub fn get(&self) -> Status {
        match self.0.load(Ordering::Relaxed) {
            0 => Status::Incomplete,
            1 => Status::Complete,
            2 => Status::TooLarge,
            _ => Status::TimedOut,
        }
    }
}

pub struct RequestBody<B> {
    body: B,
    status: StatusHandle,
    /// Bytes left of the size limit.
    left: u64,
    timeout: StallTimeout,
}

impl<B: Body> RequestBody<B> {
    pub fn new(body: B, limits: &Limits) -> Self {
        let status = StatusHandle::new(if body.is_end_stream() { Status::Complete } else { Status::Incomplete });
        Self { body, status, left: limits.max_body.as_u64(), timeout: StallTimeout::new(limits.body_timeout) }
    }

    pub fn status(&self) -> StatusHandle {
        self.status.clone()
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> RequestBody<B> {
    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None => {
                self.status.set(Status::TooLarge);
                return Err(Error::HttpRequestBodySize(None));
            }
        }
        if self.body.is_end_stream() {
            self.status.set(Status::Complete);
        }
        Ok(frame)
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
            self.timeout.progress(bytes);
            return Poll::Ready(match frame {
                Some(Ok(frame)) => Some(self.count(frame)),
                Some(Err(error)) => Some(Err(Error::Hyper(error))),
                None => {
                    self.status.set(Status::Complete);
                    None
                }
            });
        }
        ready!(self.timeout.poll_elapsed(cx));
        self.status.set(Status::TimedOut);
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of a body to buffer: nearly every page, and as much as the head of a request may have.
const BUFFER: usize = 64 << 10;

/// Buffers `body` until it is complete, the buffer is full, or it fails. Until then a slow client takes up a connection, but no
/// instance and no place in the concurrency limit.
pub async fn buffer(mut body: WasiBody) -> WasiBody {
    let mut frames = VecDeque::new();
    let mut bytes = 0;
    while bytes < BUFFER && !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        bytes += frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let failed = frame.is_err();
        frames.push_back(frame);
        if failed {
            break;
        }
    }
    if frames.is_empty() { body } else { Buffered { frames, body }.boxed_unsync() }
}

/// A body whose first frames are buffered.
struct Buffered {
    frames: VecDeque<Result<Frame<Bytes>, Error>>,
    body: WasiBody,
}

impl Body for Buffered {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => Pin::new(&mut self.body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.body.is_end_stream()
    }
}
