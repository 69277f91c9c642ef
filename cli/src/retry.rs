//! How often a request is sent again, and after which pauses.
//!
//! A retry library would replace only the few lines of [`Retry::pause`]: when a retry is safe, what `Retry-After` means and
//! which requests wait for each other stays with the caller.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The longest pause that is waited for; after a longer one, a person should decide.
const LONGEST: Duration = Duration::from_secs(60);

/// A limited number of attempts, with pauses that double.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// The most attempts after the first.
    pub more: u32,
    /// The pause after the first attempt.
    pub first: Duration,
}

impl Retry {
    /// The pause after attempt number `attempt`, from 1, when the wiki asked for a pause of `asked`; `None` if there are no
    /// attempts left.
    pub fn pause(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        if attempt > self.more || asked.is_some_and(|asked| asked > LONGEST) {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST);
        // Up to a quarter longer, so that clients that failed together do not return together.
        let jitter = doubled.mul_f64(f64::from(RandomState::new().hash_one(attempt) as u8) / 1024.0);
        Some(asked.unwrap_or_default().max(doubled) + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry { more: 3, first: Duration::from_millis(100) };

    #[test]
    fn pauses_double_and_end() {
        for (attempt, at_least) in [(1, 100), (2, 200), (3, 400)] {
            let pause = RETRY.pause(attempt, None).unwrap().as_millis();
            assert!((at_least..=at_least * 5 / 4).contains(&pause), "{attempt}: {pause}");
        }
        assert_eq!(RETRY.pause(4, None), None);
        assert_eq!(Retry { more: 0, ..RETRY }.pause(1, None), None);
    }

    #[test]
    fn pauses_that_the_wiki_asks_for_are_limited() {
        assert!(RETRY.pause(1, Some(Duration::from_secs(5))).unwrap() >= Duration::from_secs(5));
        assert_eq!(RETRY.pause(1, Some(Duration::from_secs(3600))), None);
    }

    #[test]
    fn long_series_do_not_overflow() {
        let patient = Retry { more: u32::MAX, first: Duration::from_secs(1) };
        assert!(patient.pause(u32::MAX, None).unwrap() < 2 * LONGEST);
    }
}
