//! A timeout for transfers that stall: pauses use it up, transferred bytes earn it back.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Bytes per second that stop the timeout from running down. Less than the slowest mobile networks. Otherwise, a client that
/// transfers a byte now and then could hold the resources of a request for any length of time.
pub const MIN_RATE: u64 = 8 << 10;

/// The timeout of one transfer.
pub struct StallTimeout {
    limit: Duration,
    min_rate: u64,
    left: Duration,
    /// Start of the current pause.
    paused: Option<Instant>,
    /// Created at the first pause, which most transfers do not have.
    timer: Option<Pin<Box<Sleep>>>,
}

impl StallTimeout {
    /// A timeout after a pause of `limit`. Pauses add up below `min_rate` bytes per second.
    pub fn new(limit: Duration, min_rate: u64) -> Self {
        Self { limit, min_rate, left: limit, paused: None, timer: None }
    }

    /// To be called whenever nothing can be transferred. Ready once that has lasted too long.
    pub fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.paused.is_none() {
            let now = Instant::now();
            self.paused = Some(now);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(now + self.left),
                None => self.timer = Some(Box::pin(tokio::time::sleep(self.left))),
            }
        }
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(cx))
    }

    /// The time that `bytes` may take.
    fn earned(&self, bytes: usize) -> Duration {
        Duration::from_micros((bytes as u64).saturating_mul(1_000_000) / self.min_rate)
    }

    /// To be called when `bytes` were transferred.
    pub fn progress(&mut self, bytes: usize) {
        if let Some(since) = self.paused.take() {
            self.left = after(self.left, since.elapsed(), self.earned(bytes), self.limit);
        }
    }
}

/// The time left after a pause and the time that was earned by the bytes that ended it.
fn after(left: Duration, pause: Duration, earned: Duration, limit: Duration) -> Duration {
    left.saturating_sub(pause).saturating_add(earned).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);
    const NINE: Duration = Duration::from_secs(9);

    fn left(left: Duration, pause: Duration, bytes: usize) -> Duration {
        let timeout = StallTimeout::new(LIMIT, MIN_RATE);
        after(left, pause, timeout.earned(bytes), LIMIT)
    }

    #[test]
    fn a_byte_now_and_then_is_not_enough() {
        let once = left(LIMIT, NINE, 1);
        assert!((1000..1002).contains(&once.as_millis()), "{once:?}");
        assert!(left(once, NINE, 1) < Duration::from_millis(2));
    }

    #[test]
    fn at_the_minimum_rate_pauses_do_not_add_up() {
        assert_eq!(left(LIMIT, NINE, 9 * 8192), LIMIT);
        assert_eq!(left(Duration::ZERO, Duration::ZERO, usize::MAX), LIMIT);
    }
}
