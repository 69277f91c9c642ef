//! A request's body on its way to a guest: no longer than it may be, no slower, and known for whether all of it came.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

use crate::settings::Limits;

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// Some of it has not been received.
    Unfinished,
    /// All of it was received.
    Whole,
    /// It was longer than it may be.
    TooLarge,
    /// The client paused for longer than it may.
    TooSlow,
}

/// The fate of a body that was given away.
#[derive(Debug, Clone)]
pub struct Outcome(Arc<AtomicU8>);

impl Outcome {
    fn new(fate: Fate) -> Self {
        Self(Arc::new(AtomicU8::new(fate as u8)))
    }

    fn set(&self, fate: Fate) {
        self.0.store(fate as u8, Ordering::Relaxed);
    }

    /// What became of the body so far.
    pub fn fate(&self) -> Fate {
        match self.0.load(Ordering::Relaxed) {
            0 => Fate::Unfinished,
            1 => Fate::Whole,
            2 => Fate::TooLarge,
            _ => Fate::TooSlow,
        }
    }
}

/// The body as the guest reads it.
pub struct Received<B> {
    body: B,
    outcome: Outcome,
    /// Bytes it may still have.
    left: u64,
    pause: Duration,
    /// Runs while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body> Received<B> {
    /// `body` within `limits`.
    pub fn new(body: B, limits: &Limits) -> Self {
        let outcome = Outcome::new(if body.is_end_stream() { Fate::Whole } else { Fate::Unfinished });
        Self { body, outcome, left: limits.max_body.as_u64(), pause: limits.body_timeout, timer: None }
    }

    /// To ask for its fate later.
    pub fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Received<B> {
    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None => {
                self.outcome.set(Fate::TooLarge);
                return Err(Error::HttpRequestBodySize(None));
            }
        }
        if self.body.is_end_stream() {
            self.outcome.set(Fate::Whole);
        }
        Ok(frame)
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for Received<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(match frame {
                Some(Ok(frame)) => Some(self.count(frame)),
                Some(Err(error)) => Some(Err(Error::Hyper(error))),
                None => {
                    self.outcome.set(Fate::Whole);
                    None
                }
            });
        }
        let pause = self.pause;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        ready!(timer.as_mut().poll(cx));
        self.outcome.set(Fate::TooSlow);
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
