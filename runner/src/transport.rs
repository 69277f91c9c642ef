//! A client's connection as bytes: counted, and given up when the client takes too long to say or to take something.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::metrics::Metrics;
use crate::patience::Patience;
use crate::settings::Limits;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// The first byte of a further request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// Its answer. Bodies have their own time limit.
    Answer,
}

/// Where the exchange on one connection stands: shared by the transport and the requests on it.
#[derive(Debug)]
pub struct Exchange(AtomicU8);

impl Exchange {
    /// A connection that has just been made: its first request is due at once.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(Phase::Head as u8)))
    }

    /// The head of a request is here.
    pub fn begin(&self) {
        self.set(Phase::Answer);
    }

    /// Its answer is complete, or given up.
    pub fn end(&self) {
        self.set(Phase::Idle);
    }

    fn set(&self, phase: Phase) {
        // The transport and the requests of a connection run in one task.
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Answer,
        }
    }
}

/// Held by each connection on which nothing has come yet.
pub type Unheard = mpsc::Sender<Infallible>;

/// A connection whose reads fail once the client has been silent for longer than it may, and whose writes fail once it
/// takes nothing.
pub struct Transport<S> {
    stream: S,
    unheard: Option<Unheard>,
    exchange: Arc<Exchange>,
    metrics: Arc<Metrics>,
    idle: Duration,
    head: Duration,
    /// What the timer was set for.
    timed: Phase,
    timer: Pin<Box<Sleep>>,
    /// With a client that does not read.
    patience: Patience,
}

impl<S> Transport<S> {
    /// `stream` within the times of `limits`.
    pub fn new(stream: S, unheard: Unheard, exchange: Arc<Exchange>, metrics: Arc<Metrics>, limits: &Limits) -> Self {
        let (idle, head) = (limits.idle_timeout, limits.header_timeout);
        let timer = Box::pin(tokio::time::sleep(head));
        let patience = Patience::new(limits.body_timeout);
        Self { stream, unheard: Some(unheard), exchange, metrics, idle, head, timed: Phase::Head, timer, patience }
    }

    /// Sets the timer when what is waited for has changed; tells whether the time for it is over.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let phase = self.exchange.phase();
        if phase != self.timed {
            self.timed = phase;
            match phase {
                Phase::Idle => self.timer.as_mut().reset(Instant::now() + self.idle),
                Phase::Head => self.timer.as_mut().reset(Instant::now() + self.head),
                Phase::Answer => {}
            }
        }
        if phase == Phase::Answer { Poll::Pending } else { self.timer.as_mut().poll(cx) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Transport<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(result) => {
                let received = buf.filled().len() - before;
                self.metrics.received.inc_by(received as u64);
                self.unheard = None;
                if received > 0 && self.exchange.phase() == Phase::Idle {
                    self.exchange.set(Phase::Head);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.poll_deadline(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client was silent for too long")))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Transport<S> {
    fn sent(&mut self, polled: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(sent)) = polled {
            self.metrics.sent.inc_by(sent as u64);
            self.patience.progress(sent);
        }
        self.in_time(polled, cx)
    }

    fn in_time<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_pending() {
            ready!(self.patience.poll_end(cx));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client took nothing for too long")));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.sent(polled, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.sent(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.in_time(polled, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.in_time(polled, cx)
    }
}
