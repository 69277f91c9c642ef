//! A request's body on its way to a guest: no longer than it may be, no slower, and known for whether all of it came.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::patience::Patience;
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
    /// With a client that does not send.
    patience: Patience,
}

impl<B: Body> Received<B> {
    /// `body` within `limits`.
    pub fn new(body: B, limits: &Limits) -> Self {
        let outcome = Outcome::new(if body.is_end_stream() { Fate::Whole } else { Fate::Unfinished });
        Self { body, outcome, left: limits.max_body.as_u64(), patience: Patience::new(limits.body_timeout) }
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
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
            self.patience.progress(bytes);
            return Poll::Ready(match frame {
                Some(Ok(frame)) => Some(self.count(frame)),
                Some(Err(error)) => Some(Err(Error::Hyper(error))),
                None => {
                    self.outcome.set(Fate::Whole);
                    None
                }
            });
        }
        ready!(self.patience.poll_end(cx));
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

/// Bytes of a body that are waited for before anything is done for it: those of nearly every page, and as much as a head
/// may have.
const AHEAD: usize = 64 << 10;

/// `body` once it is here, or much of it, or cannot come: who sends slowly then holds a connection, and neither an instance
/// nor one of the places of those who do not.
pub async fn ahead(mut body: WasiBody) -> WasiBody {
    let mut frames = VecDeque::new();
    let mut bytes = 0;
    while bytes < AHEAD && !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        bytes += frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let broken = frame.is_err();
        frames.push_back(frame);
        if broken {
            break;
        }
    }
    if frames.is_empty() { body } else { Ahead { frames, body }.boxed_unsync() }
}

/// A body of which some is here.
struct Ahead {
    frames: VecDeque<Result<Frame<Bytes>, Error>>,
    body: WasiBody,
}

impl Body for Ahead {
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
