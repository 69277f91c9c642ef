//! How many requests run at once, and how many may wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::settings::Limits;

/// The right to run one request; dropping it lets another run.
pub type Slot = OwnedSemaphorePermit;

/// Slots for requests, over all components.
pub struct Slots {
    free: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    waiting: AtomicU32,
    max_waiting: u32,
    wait: Duration,
}

impl Slots {
    /// Slots that clients do not get: with those the runner asks whether the application is ready, which it is even if it
    /// has more to do than it can. All replicas would otherwise leave a cluster's service together.
    pub const RESERVED: u32 = 2;

    /// As many as `limits` say, and those reserved.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(limits.max_concurrency as usize)),
            reserved: Arc::new(Semaphore::new(Self::RESERVED as usize)),
            waiting: AtomicU32::new(0),
            max_waiting: limits.max_queue,
            wait: limits.queue_timeout,
        })
    }

    /// A slot. None if too many wait already, or if none becomes free in time: the client is better told at once than
    /// answered when it has gone.
    pub async fn take(&self) -> Option<Slot> {
        if let Ok(slot) = self.free.clone().try_acquire_owned() {
            return Some(slot);
        }
        let _turn = Turn::new(&self.waiting, self.max_waiting)?;
        // The semaphore is never closed.
        tokio::time::timeout(self.wait, self.free.clone().acquire_owned()).await.ok()?.ok()
    }

    /// One of the reserved slots, as soon as there is one.
    pub async fn take_reserved(&self) -> Option<Slot> {
        self.reserved.clone().acquire_owned().await.ok()
    }
}

/// A place in the queue.
struct Turn<'a>(&'a AtomicU32);

impl<'a> Turn<'a> {
    fn new(waiting: &'a AtomicU32, most: u32) -> Option<Self> {
        let turn = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(concurrency: usize, max_waiting: u32, wait: Duration) -> Slots {
        let [free, reserved] = [concurrency, 1].map(|permits| Arc::new(Semaphore::new(permits)));
        Slots { free, reserved, waiting: AtomicU32::new(0), max_waiting, wait }
    }

    #[tokio::test]
    async fn a_slot_that_is_given_back_goes_to_who_waits() {
        let slots = slots(1, 1, Duration::from_secs(60));
        let first = slots.take().await.unwrap();
        let (second, ()) = tokio::join!(slots.take(), async { drop(first) });
        assert!(second.is_some());
        assert_eq!(slots.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn who_would_wait_too_long_or_behind_too_many_is_told_at_once() {
        let slots = slots(1, 1, Duration::from_millis(20));
        let _running = slots.take().await.unwrap();
        let (late, crowded) = tokio::join!(slots.take(), slots.take());
        assert!(late.is_none() && crowded.is_none());
        assert!(slots.take_reserved().await.is_some());
        assert_eq!(slots.waiting.load(Ordering::Relaxed), 0);
    }
}
