//! How many requests are handled at once, and how many wait in a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::settings::Limits;

/// Limits the requests to all components together.
pub struct ConcurrencyLimit {
    permits: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    queued: AtomicU32,
    max_queue: u32,
    queue_timeout: Duration,
}

impl ConcurrencyLimit {
    /// Permits for readiness probes: an overloaded service is still ready. Otherwise all replicas of a cluster would be taken
    /// out of service at once.
    pub const RESERVED: u32 = 2;

    pub fn new(limits: &Limits) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limits.max_concurrency as usize)),
            reserved: Arc::new(Semaphore::new(Self::RESERVED as usize)),
            queued: AtomicU32::new(0),
            max_queue: limits.max_queue,
            queue_timeout: limits.queue_timeout,
        }
    }

    /// A permit to handle a request, which is released when it is dropped.
    ///
    /// `None` if the queue is full, or no permit was released in time: an early error is better than a late response.
    pub async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Some(permit);
        }
        let _place = QueuePlace::new(&self.queued, self.max_queue)?;
        // The semaphore is never closed.
        tokio::time::timeout(self.queue_timeout, self.permits.clone().acquire_owned()).await.ok()?.ok()
    }

    /// A reserved permit, as soon as there is one.
    pub async fn acquire_reserved(&self) -> Option<OwnedSemaphorePermit> {
        self.reserved.clone().acquire_owned().await.ok()
    }
}

struct QueuePlace<'a>(&'a AtomicU32);

impl<'a> QueuePlace<'a> {
    fn new(queued: &'a AtomicU32, max: u32) -> Option<Self> {
        let place = Self(queued);
        (queued.fetch_add(1, Ordering::Relaxed) < max).then_some(place)
    }
}

impl Drop for QueuePlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(concurrency: usize, max_queue: u32, queue_timeout: Duration) -> ConcurrencyLimit {
        let [permits, reserved] = [concurrency, 1].map(|permits| Arc::new(Semaphore::new(permits)));
        ConcurrencyLimit { permits, reserved, queued: AtomicU32::new(0), max_queue, queue_timeout }
    }

    #[tokio::test]
    async fn a_released_permit_goes_to_a_queued_request() {
        let limit = limit(1, 1, Duration::from_secs(60));
        let first = limit.acquire().await.unwrap();
        let (second, ()) = tokio::join!(limit.acquire(), async { drop(first) });
        assert!(second.is_some());
        assert_eq!(limit.queued.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_full_queue_and_a_long_wait_are_refused() {
        let limit = limit(1, 1, Duration::from_millis(20));
        let _running = limit.acquire().await.unwrap();
        let (late, crowded) = tokio::join!(limit.acquire(), limit.acquire());
        assert!(late.is_none() && crowded.is_none());
        assert!(limit.acquire_reserved().await.is_some());
        assert_eq!(limit.queued.load(Ordering::Relaxed), 0);
    }
}
