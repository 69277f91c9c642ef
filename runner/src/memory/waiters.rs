//! Tasks that wait until something is free.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub struct Waiters {
    freed: Notify,
    count: AtomicUsize,
}

impl Waiters {
    /// The result of `attempt` as soon as it has one: it is made at once, and again after each [`Waiters::notify`]. `None` if
    /// it still has none after `limit`; without a limit, it is waited for.
    pub async fn wait<T>(&self, limit: Option<Duration>, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        if let Some(result) = attempt() {
            return Some(result);
        }
        let deadline = limit.map(|limit| Instant::now() + limit);
        let _counted = Counted::new(&self.count);
        loop {
            let mut freed = pin!(self.freed.notified());
            // Before the attempt: what is freed after it is not missed.
            freed.as_mut().enable();
            if let Some(result) = attempt() {
                return Some(result);
            }
            match deadline {
                None => freed.await,
                Some(deadline) => tokio::time::timeout_at(deadline, freed).await.ok()?,
            }
        }
    }

    /// To be called whenever something has become free. Costs next to nothing while nobody waits.
    pub fn notify(&self) {
        if self.count.load(Ordering::SeqCst) > 0 {
            self.freed.notify_waiters();
        }
    }
}

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
