//! A client's connection as a stream of bytes that are counted, with timeouts for a client that is idle or stalls.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use super::connection_limit::ConnectionLimit;
use crate::config::settings::Limits;
use crate::request::stall_timeout::{MIN_RATE, StallTimeout};
use crate::telemetry::metrics::Metrics;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// It waits for the first byte of another request.
    Idle,
    /// It reads the head of a request.
    Head,
    /// It handles a request. Bodies have timeouts of their own.
    Request,
}

/// The phase of a connection, shared by its stream and its requests.
#[derive(Debug)]
pub struct ConnectionState(AtomicU8);

impl ConnectionState {
    /// The state of a new connection: its first request is due at once.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(Phase::Head as u8)))
    }

    /// To be called when the head of a request is complete. The request ends when the guard is dropped.
    pub fn start_request(self: &Arc<Self>) -> RequestGuard {
        self.set(Phase::Request);
        RequestGuard(self.clone())
    }

    fn set(&self, phase: Phase) {
        // The stream and the requests of a connection run in one task.
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Request,
        }
    }
}

/// A request whose response is not complete.
pub struct RequestGuard(Arc<ConnectionState>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.set(Phase::Idle);
    }
}

/// Held by each connection until its first byte has been received.
pub type AwaitingFirstByte = mpsc::Sender<Infallible>;

/// The most bytes of one read. hyper's buffer has 8 KiB at first. Whenever a read fills it, it doubles, up to the size of the
/// largest head, and stays so until the connection is closed: a body would leave that much behind on each connection.
const MAX_READ: u64 = (8 << 10) - 1;

/// Time after which an idle connection is closed while there are many: others may need its place.
const CROWDED_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// A stream whose reads and writes fail when a timeout elapses.
pub struct TimedStream<S> {
    stream: Take<S>,
    state: Arc<ConnectionState>,
    awaiting_first_byte: Option<AwaitingFirstByte>,
    metrics: Arc<Metrics>,
    limit: Arc<ConnectionLimit>,
    idle_since: Instant,
    idle_timeout: Duration,
    header_timeout: Duration,
    /// The phase for which the timer was set.
    timed: Phase,
    timer: Pin<Box<Sleep>>,
    write_timeout: StallTimeout,
}

impl<S: AsyncRead> TimedStream<S> {
    pub fn new(
        stream: S,
        state: Arc<ConnectionState>,
        awaiting_first_byte: AwaitingFirstByte,
        metrics: Arc<Metrics>,
        limit: Arc<ConnectionLimit>,
        limits: &Limits,
    ) -> Self {
        Self {
            stream: stream.take(MAX_READ),
            state,
            awaiting_first_byte: Some(awaiting_first_byte),
            metrics,
            limit,
            idle_since: Instant::now(),
            idle_timeout: limits.idle_timeout,
            header_timeout: limits.header_timeout,
            timed: Phase::Head,
            timer: Box::pin(tokio::time::sleep(limits.header_timeout)),
            write_timeout: StallTimeout::new(limits.body_timeout, MIN_RATE),
        }
    }

    /// Ready once the timeout of the current phase has elapsed.
    fn poll_read_timeout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let phase = self.state.phase();
        if phase != self.timed {
            self.timed = phase;
            match phase {
                Phase::Idle => {
                    self.idle_since = Instant::now();
                    self.timer.as_mut().reset(self.idle_since + self.idle_timeout.min(CROWDED_IDLE_TIMEOUT));
                }
                Phase::Head => self.timer.as_mut().reset(Instant::now() + self.header_timeout),
                Phase::Request => {}
            }
        }
        match phase {
            Phase::Request => Poll::Pending,
            Phase::Head => self.timer.as_mut().poll(cx),
            Phase::Idle => loop {
                ready!(self.timer.as_mut().poll(cx));
                let end = self.idle_since + self.idle_timeout;
                if Instant::now() >= end || self.limit.is_crowded() {
                    return Poll::Ready(());
                }
                self.timer.as_mut().reset(end.min(Instant::now() + CROWDED_IDLE_TIMEOUT));
            },
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        self.stream.set_limit(MAX_READ);
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(result) => {
                let received = buf.filled().len() - before;
                self.metrics.received.inc_by(received as u64);
                self.awaiting_first_byte = None;
                if received > 0 && self.state.phase() == Phase::Idle {
                    self.state.set(Phase::Head);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.poll_read_timeout(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client sent nothing for too long")))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TimedStream<S> {
    fn written(&mut self, polled: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(sent)) = polled {
            self.metrics.sent.inc_by(sent as u64);
            self.write_timeout.progress(sent);
        }
        self.unless_stalled(polled, cx)
    }

    fn unless_stalled<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_pending() {
            ready!(self.write_timeout.poll_elapsed(cx));
            let error = io::Error::new(io::ErrorKind::TimedOut, "the client received nothing for too long");
            return Poll::Ready(Err(error));
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.stream.get_mut()).poll_write(cx, buf);
        self.written(polled, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.stream.get_mut()).poll_write_vectored(cx, bufs);
        self.written(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes at the end of a response, but does not read again until there is something to read. So the idle
        // timeout starts here.
        if self.state.phase() == Phase::Idle && self.poll_read_timeout(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        let polled = Pin::new(self.stream.get_mut()).poll_flush(cx);
        self.unless_stalled(polled, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.stream.get_mut()).poll_shutdown(cx);
        self.unless_stalled(polled, cx)
    }
}
