//! `[[application.tool.wiki-runner.timer]]`: requests that the runner itself makes to the application, again and again.
//!
//! Spin ignores them. There, something else has to call the path, such as a CronJob.

use std::time::Duration;

use http::uri::PathAndQuery;
use serde::Deserialize;

/// The shortest and the longest interval in seconds. One that is longer than a day is for a program that knows the calendar.
const SECONDS: std::ops::RangeInclusive<u32> = 1..=86_400;

/// A timer, as the manifest has it.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    /// Where `POST` is sent to.
    pub path: String,
    /// The time from one request to the next. A request that takes longer delays the next.
    seconds: u32,
    /// The secret variable whose value is sent as a bearer token, so that the application can tell the runner from others.
    pub token: Option<String>,
}

impl Timer {
    /// The time from one request to the next.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// What is wrong with the path or the interval. The text is written to follow the place of the timer in a message.
    pub fn check(&self) -> Result<(), String> {
        let is_path = self.path.parse::<PathAndQuery>().is_ok_and(|path| path.query().is_none());
        if !is_path || !self.path.starts_with('/') || self.path.contains('#') {
            return Err(format!("path {:?} must be a path that begins with /, without a query", self.path));
        }
        if !SECONDS.contains(&self.seconds) {
            return Err(format!("seconds = {} must be {} to {}", self.seconds, SECONDS.start(), SECONDS.end()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, seconds: u32) -> Result<(), String> {
        Timer { path: path.to_owned(), seconds, token: None }.check()
    }

    #[test]
    fn a_timer_has_a_path_and_an_interval() {
        for (path, seconds) in [("/", 1), ("/-/tick", 60), ("/a/b", 86_400)] {
            assert_eq!(check(path, seconds), Ok(()), "{path}");
        }
        for path in ["", "tick", "/a?b=c", "/a#b", "/a b", "http://h/a", "*"] {
            let reason = format!("path {path:?} must be a path that begins with /, without a query");
            assert_eq!(check(path, 1), Err(reason));
        }
        for seconds in [0, 86_401, u32::MAX] {
            assert_eq!(check("/", seconds), Err(format!("seconds = {seconds} must be 1 to 86400")));
        }
    }
}
