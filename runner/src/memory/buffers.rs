//! Bodies that are buffered on their way from or to clients, with one limit in bytes for all of them.
//!
//! When there is no room, the transfer that its client has made the slowest gives way: its bytes are freed at once, and it fails.
//! So clients that hold their bodies back cannot keep others from being served.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;
use tokio::sync::Notify;

use super::waiters::Waiters;

/// Bytes of a buffered piece. Whatever the size of the parts in which a body arrives, it takes no more memory than this makes
/// of it.
const PIECE: usize = 64 << 10;
/// The capacity of a body's first piece, which grows.
const FIRST_PIECE: usize = 1 << 10;

/// Time for which a transfer has no speed yet, and does not give way.
const WARM_UP: Duration = Duration::from_secs(1);

/// There is no room for more bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("as much is buffered for clients as may be (RUNNER_BUFFER_MEMORY)")]
pub struct Full;

/// The transfer had to give way to others, or its other end is gone.
#[derive(Debug, Clone, Copy)]
pub struct Gone;

/// The bytes that are buffered for all clients.
pub struct Buffers {
    limit: u64,
    used: AtomicU64,
    waiters: Waiters,
    transfers: Mutex<HashMap<u64, Arc<Shared>>>,
    next: AtomicU64,
}

impl Buffers {
    /// Room for `limit` bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        let (used, waiters, transfers, next) = Default::default();
        Arc::new(Self { limit, used, waiters, transfers, next })
    }

    /// The bytes that are buffered.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// `bytes`, which count until they are dropped. Slower transfers give way to them.
    pub fn counted(self: &Arc<Self>, bytes: Bytes) -> Result<Bytes, Full> {
        if self.take(bytes.len() as u64, || None) {
            Ok(Bytes::from_owner(CountedBytes { bytes, buffers: self.clone() }))
        } else {
            Err(Full)
        }
    }

    /// Takes room for `bytes` for a transfer of `speed`; without one, it has just begun, and is not to blame. Returns whether there
    /// was any.
    fn take(&self, bytes: u64, speed: impl Fn() -> Option<u64>) -> bool {
        if bytes > self.limit {
            return false;
        }
        loop {
            let room = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.limit);
            if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok() {
                return true;
            }
            if !self.evict_slower(speed().unwrap_or(u64::MAX)) {
                return false;
            }
        }
    }

    fn free(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.waiters.notify();
    }

    /// Ends the slowest transfer if it is slower than `speed`. Returns whether there was one.
    fn evict_slower(&self, speed: u64) -> bool {
        let now = Instant::now();
        let transfers = lock(&self.transfers);
        let slowest = transfers
            .values()
            .filter_map(|transfer| Some((transfer.speed(now)?, transfer)))
            .min_by_key(|(speed, _)| *speed);
        match slowest {
            Some((slower, transfer)) if slower < speed => {
                transfer.evict();
                true
            }
            _ => false,
        }
    }
}

struct CountedBytes {
    bytes: Bytes,
    buffers: Arc<Buffers>,
}

impl Drop for CountedBytes {
    fn drop(&mut self) {
        self.buffers.free(self.bytes.len() as u64);
    }
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Which end of a buffer is the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    Sends,
    Receives,
}

/// A buffered body: what one side pushes, the other takes out.
///
/// It gives way to faster ones as long as its [`Waiting`] lives.
#[derive(Clone)]
pub struct Buffer(Arc<Shared>);

struct Shared {
    buffers: Arc<Buffers>,
    client: Client,
    started: Instant,
    state: Mutex<State>,
    /// Whether bytes were taken out, or the buffer has ended.
    changed: Notify,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Bytes>,
    /// The last piece, which is not full.
    open: BytesMut,
    trailers: Option<HeaderMap>,
    /// Bytes in the pieces.
    held: u64,
    /// Bytes that the client has sent or received.
    moved: u64,
    end: Option<End>,
    reader: Option<Waker>,
}

/// How a buffer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing follows what is in it.
    Complete,
    /// What is in it is all there is, and not all there should be.
    Failed,
    /// It had to give way, or is not read any more.
    Gone,
}

/// Has a buffer give way to faster ones, until it is dropped.
pub struct Waiting {
    buffers: Arc<Buffers>,
    key: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let transfer = lock(&self.buffers.transfers).remove(&self.key);
        // Not under the lock: it may be the last one.
        drop(transfer);
    }
}

impl Buffer {
    pub fn new(buffers: Arc<Buffers>, client: Client) -> Self {
        let (started, state, changed) = (Instant::now(), Mutex::default(), Notify::new());
        Self(Arc::new(Shared { buffers, client, started, state, changed }))
    }

    /// Has the buffer wait for its client: meanwhile it gives way to faster ones.
    pub fn wait_for_client(&self) -> Waiting {
        let buffers = self.0.buffers.clone();
        let key = buffers.next.fetch_add(1, Ordering::Relaxed);
        lock(&buffers.transfers).insert(key, self.0.clone());
        Waiting { buffers, key }
    }

    /// Appends `data`. If there is no room, nothing is appended.
    pub fn push(&self, data: &[u8]) -> Result<Result<(), Full>, Gone> {
        let shared = &*self.0;
        let has_room = shared.buffers.take(data.len() as u64, || shared.speed(Instant::now()));
        let mut state = lock(&shared.state);
        if state.end == Some(End::Gone) {
            drop(state);
            if has_room {
                shared.buffers.free(data.len() as u64);
            }
            return Err(Gone);
        }
        if !has_room {
            return Ok(Err(Full));
        }
        state.append(data);
        state.held += data.len() as u64;
        if shared.client == Client::Sends {
            state.moved += data.len() as u64;
        }
        state.wake();
        Ok(Ok(()))
    }

    /// The same, part by part as soon as there is room.
    pub async fn push_when_possible(&self, data: &[u8]) -> Result<(), Gone> {
        for part in data.chunks(PIECE) {
            let attempt = || match self.push(part) {
                Ok(Ok(())) => Some(Ok(())),
                Ok(Err(Full)) => None,
                Err(Gone) => Some(Err(Gone)),
            };
            self.0.buffers.waiters.wait(None, attempt).await.unwrap_or(Err(Gone))?;
        }
        Ok(())
    }

    /// Waits until it holds less than `bytes`.
    pub async fn drained_below(&self, bytes: u64) -> Result<(), Gone> {
        loop {
            {
                let state = lock(&self.0.state);
                if state.end == Some(End::Gone) {
                    return Err(Gone);
                }
                if state.held < bytes {
                    return Ok(());
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// Waits until it has to give way.
    pub async fn gone(&self) -> Gone {
        while !self.is_gone() {
            self.0.changed.notified().await;
        }
        Gone
    }

    /// The bytes in it.
    pub fn held(&self) -> u64 {
        lock(&self.0.state).held
    }

    pub fn push_trailers(&self, trailers: HeaderMap) {
        lock(&self.0.state).trailers = Some(trailers);
    }

    /// Nothing follows; `failed` is whether something should have.
    pub fn end(&self, failed: bool) {
        let mut state = lock(&self.0.state);
        state.end.get_or_insert(if failed { End::Failed } else { End::Complete });
        state.wake();
    }

    /// The next part of the body, if it is there. Its bytes count until they are dropped.
    pub fn take(&self) -> Option<Frame<Bytes>> {
        self.0.take(&mut lock(&self.0.state))
    }

    /// The next part of the body, as soon as it is there. Fails if the body is not complete.
    pub fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        let mut state = lock(&self.0.state);
        match (self.0.take(&mut state), state.end) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, Some(End::Complete)) => Poll::Ready(None),
            (None, Some(End::Failed | End::Gone)) => Poll::Ready(Some(Err(Gone))),
            (None, None) => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Whether it is empty now.
    pub fn is_empty(&self) -> bool {
        let state = lock(&self.0.state);
        state.held == 0 && state.trailers.is_none()
    }

    /// Whether it had to give way.
    pub fn is_gone(&self) -> bool {
        lock(&self.0.state).end == Some(End::Gone)
    }

    /// Whether nothing follows.
    pub fn is_at_end(&self) -> bool {
        let is_complete = lock(&self.0.state).end == Some(End::Complete);
        is_complete && self.is_empty()
    }

    /// Frees everything in it. Who pushes learns that it is gone.
    pub fn abandon(&self) {
        self.0.evict();
    }
}

impl Shared {
    fn take(self: &Arc<Self>, state: &mut State) -> Option<Frame<Bytes>> {
        let piece = match state.pieces.pop_front() {
            None if !state.open.is_empty() => Some(std::mem::take(&mut state.open).freeze()),
            piece => piece,
        };
        let Some(bytes) = piece else { return state.trailers.take().map(Frame::trailers) };
        let length = bytes.len() as u64;
        state.held -= length;
        if self.client == Client::Receives {
            state.moved += length;
        }
        self.changed.notify_one();
        Some(Frame::data(Bytes::from_owner(CountedBytes { bytes, buffers: self.buffers.clone() })))
    }

    /// Bytes per second that the client has made of it; `None` if it holds nothing. The most there is at its beginning.
    fn speed(&self, now: Instant) -> Option<u64> {
        let state = lock(&self.state);
        let elapsed = now.saturating_duration_since(self.started);
        let speed = if elapsed < WARM_UP { u64::MAX } else { state.moved * 1000 / elapsed.as_millis().max(1) as u64 };
        (state.held > 0).then_some(speed)
    }

    fn evict(&self) {
        let mut state = lock(&self.state);
        let (pieces, open) = (std::mem::take(&mut state.pieces), std::mem::take(&mut state.open));
        let held = std::mem::take(&mut state.held);
        state.end = Some(End::Gone);
        state.wake();
        drop(state);
        drop((pieces, open));
        self.buffers.free(held);
        self.changed.notify_one();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let held = std::mem::take(&mut lock(&self.state).held);
        self.buffers.free(held);
    }
}

impl State {
    fn append(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            if self.open.len() == self.open.capacity() {
                if self.open.len() >= PIECE {
                    let full = std::mem::replace(&mut self.open, BytesMut::with_capacity(PIECE));
                    self.pieces.push_back(full.freeze());
                } else {
                    let wanted = (self.open.len() * 2).max(FIRST_PIECE).max(data.len().min(PIECE)).min(PIECE);
                    let mut larger = BytesMut::with_capacity(wanted);
                    larger.extend_from_slice(&self.open);
                    self.open = larger;
                }
            }
            let (now, later) = data.split_at(data.len().min(self.open.capacity() - self.open.len()));
            self.open.extend_from_slice(now);
            data = later;
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use proptest::prelude::*;

    use super::*;

    fn buffer(buffers: &Arc<Buffers>, client: Client) -> Buffer {
        Buffer::new(buffers.clone(), client)
    }

    /// As if it had begun ten seconds earlier.
    fn aged(buffers: &Arc<Buffers>, client: Client) -> Buffer {
        let mut buffer = buffer(buffers, client);
        let started = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        Arc::get_mut(&mut buffer.0).unwrap().started = started;
        buffer
    }

    async fn next(buffer: &Buffer) -> Option<Result<Frame<Bytes>, Gone>> {
        poll_fn(|cx| buffer.poll_frame(cx)).await
    }

    fn fits(pushed: Result<Result<(), Full>, Gone>) -> bool {
        matches!(pushed, Ok(Ok(())))
    }

    #[tokio::test]
    async fn bytes_count_until_they_are_dropped() {
        let buffers = Buffers::new(100);
        let body = buffer(&buffers, Client::Sends);
        assert!(fits(body.push(&[1; 60])));
        assert!(matches!(body.push(&[1; 60]), Ok(Err(Full))));
        assert!(buffers.counted(Bytes::from_static(&[0; 41])).is_err());
        let frame = next(&body).await.unwrap().unwrap();
        assert_eq!((buffers.used(), body.held()), (60, 0));
        drop(frame);
        assert_eq!(buffers.used(), 0);
        assert!(fits(body.push(&[1; 60])));
        drop(body);
        assert_eq!(buffers.used(), 0);
    }

    #[tokio::test]
    async fn the_slowest_gives_way() {
        let buffers = Buffers::new(100);
        let [slow, slower] = [50, 40].map(|bytes| {
            let body = aged(&buffers, Client::Sends);
            assert!(fits(body.push(&vec![1; bytes])));
            (body.wait_for_client(), body)
        });
        let fast = buffer(&buffers, Client::Sends);
        assert!(fits(fast.push(&[1; 30])));
        assert!(slower.1.push(&[1]).is_err(), "it is gone");
        assert!(matches!(next(&slower.1).await, Some(Err(Gone))));
        assert_eq!(buffers.used(), 80);
        // A slow one does not make a faster one give way.
        let (_slow, slow) = slow;
        let _fast = fast.wait_for_client();
        assert!(matches!(slow.push(&[1; 30]), Ok(Err(Full))));
        assert!(fits(fast.push(&[1; 30])));
        assert!(matches!(slow.gone().await, Gone));
    }

    #[tokio::test]
    async fn a_complete_body_does_not_give_way() {
        let buffers = Buffers::new(100);
        let body = aged(&buffers, Client::Sends);
        let waiting = body.wait_for_client();
        assert!(fits(body.push(&[1; 90])));
        drop(waiting);
        assert!(!fits(buffer(&buffers, Client::Sends).push(&[1; 30])));
        assert_eq!(body.held(), 90);
    }

    #[tokio::test]
    async fn a_body_arrives_as_it_was_pushed() {
        let buffers = Buffers::new(1 << 20);
        let body = buffer(&buffers, Client::Receives);
        let sent: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        sent.chunks(7).for_each(|chunk| assert!(fits(body.push(chunk))));
        body.push_trailers(HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())]));
        body.end(false);
        let mut received = Vec::new();
        let mut trailers = 0;
        while let Some(frame) = next(&body).await {
            match frame.unwrap().into_data() {
                Ok(data) => {
                    assert!(data.len() <= PIECE);
                    received.extend_from_slice(&data);
                }
                Err(_) => trailers += 1,
            }
        }
        assert!(received == sent && trailers == 1 && body.is_at_end());
        assert_eq!(buffers.used(), 0);
    }

    #[tokio::test]
    async fn who_pushes_waits_for_room() {
        let buffers = Buffers::new(10);
        let body = buffer(&buffers, Client::Receives);
        assert!(fits(body.push(&[1; 10])));
        let (pushed, ()) = tokio::join!(body.push_when_possible(&[2; 10]), async { drop(next(&body).await) });
        assert!(pushed.is_ok());
        let (pushed, ()) = tokio::join!(body.push_when_possible(&[3; 10]), async { body.abandon() });
        assert!(pushed.is_err());
    }

    #[tokio::test]
    async fn a_failure_comes_after_what_is_there() {
        let buffers = Buffers::new(100);
        let body = buffer(&buffers, Client::Receives);
        assert!(fits(body.push(&[1; 10])));
        body.end(true);
        assert!(matches!(next(&body).await, Some(Ok(_))));
        assert!(matches!(next(&body).await, Some(Err(Gone))));
    }

    proptest! {
        #[test]
        fn small_parts_take_no_more_than_they_are(parts in proptest::collection::vec(1_usize..3000, 0..200)) {
            let mut state = State::default();
            for part in &parts {
                state.append(&vec![0; *part]);
            }
            let total: usize = parts.iter().sum();
            let capacity = state.pieces.iter().map(Bytes::len).sum::<usize>() + state.open.capacity();
            prop_assert!(capacity <= (total * 2).max(FIRST_PIECE) + PIECE);
        }
    }
}
