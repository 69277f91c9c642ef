//! The body of a request on its way to a guest: received before the request takes a place, with a limit for its size, and a
//! timeout for pauses.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full as FullBody};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use super::stall_timeout::{MIN_RATE, StallTimeout};
use crate::config::settings::Limits;
use crate::memory::buffers::{Buffer, Buffers, Client, Full};

/// Bytes per second that a client must send of a body that is too large to be buffered: meanwhile its request takes up a place.
/// A body that needs more than the buffer comes from a program, over a connection faster than this.
const STREAMING_RATE: u64 = 256 << 10;

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

/// Why a body was not received.
#[derive(Debug)]
pub enum Unreceived {
    Full(Full),
    /// It was too large or too slow, or broke off.
    Failed,
}

impl From<Full> for Unreceived {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

pub struct RequestBody<B = Incoming> {
    body: B,
    status: StatusHandle,
    /// Bytes left of the size limit.
    left: u64,
    max_pause: Duration,
    timeout: StallTimeout,
}

impl<B: Body> RequestBody<B> {
    pub fn new(body: B, limits: &Limits) -> Self {
        let status = StatusHandle::new(if body.is_end_stream() { Status::Complete } else { Status::Incomplete });
        let max_pause = limits.body_timeout;
        let timeout = StallTimeout::new(max_pause, MIN_RATE);
        Self { body, status, left: limits.max_body.as_u64(), max_pause, timeout }
    }

    pub fn status(&self) -> StatusHandle {
        self.status.clone()
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin + Send + 'static> RequestBody<B> {
    /// Receives the body, up to `limit` bytes of it; the rest is received as the result is read. Until then a slow client takes
    /// up a connection and its share of the buffers, but no instance and no place in the concurrency limit.
    pub async fn receive(mut self, buffers: &Arc<Buffers>, limit: u64) -> Result<WasiBody, Unreceived> {
        let buffer = Buffer::new(buffers.clone(), Client::Sends);
        let mut waiting = None;
        while !self.is_end_stream() && buffer.held() < limit {
            let frame = tokio::select! {
                frame = self.frame() => frame,
                _ = buffer.gone() => return Err(Unreceived::Full(Full)),
            };
            let Some(frame) = frame else { break };
            match frame.map_err(|_| Unreceived::Failed)?.into_data() {
                // All of it at once, as most are.
                Ok(data) if waiting.is_none() && self.is_end_stream() => {
                    let data = buffers.counted(data)?;
                    return Ok(FullBody::new(data).map_err(|never| match never {}).boxed_unsync());
                }
                Ok(data) => buffer.push(&data).unwrap_or(Err(Full))?,
                Err(frame) => frame.into_trailers().into_iter().for_each(|trailers| buffer.push_trailers(trailers)),
            }
            waiting.get_or_insert_with(|| buffer.wait_for_client());
        }
        drop(waiting);
        if buffer.is_gone() {
            return Err(Unreceived::Full(Full));
        }
        // The rest keeps others waiting.
        self.timeout = StallTimeout::new(self.max_pause, STREAMING_RATE);
        Ok(Received { buffer, rest: self }.boxed_unsync())
    }

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

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin + Send + 'static> Body for RequestBody<B> {
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
        // That a body in chunks has ended is known only once that has been read.
        self.status.get() == Status::Complete || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body of which the first part, or all, is buffered.
struct Received<B> {
    buffer: Buffer,
    rest: RequestBody<B>,
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin + Send + 'static> Body for Received<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.buffer.take() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.buffer.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // What is still to come may never come.
        if self.rest.is_end_stream() { SizeHint::with_exact(self.buffer.held()) } else { SizeHint::new() }
    }
}
