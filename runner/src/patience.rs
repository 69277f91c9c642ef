//! How long a client is waited for in the middle of a transfer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Bytes per second below which a client uses its patience up: slower than the slowest of mobile networks. Whoever sends
/// or takes a byte now and then would hold what a request holds for as long as they like.
const PACE: u64 = 8 << 10;

/// What is left of it for one transfer: pauses take from it, bytes add to it.
pub struct Patience {
    most: Duration,
    left: Duration,
    /// Since when nothing can be transferred.
    waiting: Option<Instant>,
    /// Made when something is waited for at all, which is seldom.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// One that bears a pause of `most`.
    pub fn new(most: Duration) -> Self {
        Self { most, left: most, waiting: None, timer: None }
    }

    /// To be asked whenever nothing can be transferred; ready when that has been so for too long.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.is_none() {
            let now = Instant::now();
            self.waiting = Some(now);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(now + self.left),
                None => self.timer = Some(Box::pin(tokio::time::sleep(self.left))),
            }
        }
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(cx))
    }

    /// To be told when so many bytes were transferred.
    pub fn progress(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.left = after(self.left, since.elapsed(), bytes, self.most);
        }
    }
}

/// What is left of a patience of `most` after a pause, and the bytes that ended it.
fn after(left: Duration, pause: Duration, bytes: usize, most: Duration) -> Duration {
    let earned = Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / PACE);
    left.saturating_sub(pause).saturating_add(earned).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(10);
    const NINE: Duration = Duration::from_secs(9);

    #[test]
    fn a_byte_now_and_then_is_not_enough() {
        let left = after(MOST, NINE, 1, MOST);
        assert!((1000..1002).contains(&left.as_millis()), "{left:?}");
        assert!(after(left, NINE, 1, MOST) < Duration::from_millis(2));
    }

    #[test]
    fn who_keeps_pace_may_pause_again() {
        assert_eq!(after(MOST, NINE, 9 * 8192, MOST), MOST);
        assert_eq!(after(Duration::ZERO, Duration::ZERO, usize::MAX, MOST), MOST);
    }
}
