//! How far a long command is: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line is written where there is no terminal: a log should not fill with them.
const EVERY: Duration = Duration::from_secs(5);

const BAR: &str = "{bar:30} {human_pos} of {human_len} {msg}  {per_sec}  {eta} left";

/// The progress of `total` things, on standard error.
pub struct Progress {
    bar: ProgressBar,
    lines: Option<Mutex<Instant>>,
    started: Instant,
    total: u64,
    things: &'static str,
}

impl Progress {
    /// Nothing is done yet. `quiet` shows nothing.
    pub fn start(total: usize, things: &'static str, quiet: bool) -> Self {
        let total = total as u64;
        let terminal = std::io::stderr().is_terminal();
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_message(things);
        // The template is a constant: a mistake in it shows in the test below.
        bar.set_style(ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let lines = (!quiet && !terminal).then(|| Mutex::new(Instant::now()));
        Self { bar, lines, started: Instant::now(), total, things }
    }

    /// One more is done.
    pub fn tick(&self) {
        self.bar.inc(1);
        let Some(lines) = &self.lines else { return };
        let mut last = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= EVERY {
            *last = Instant::now();
            eprintln!("{}", self.line(self.bar.position(), self.started.elapsed()));
        }
    }

    fn line(&self, done: u64, elapsed: Duration) -> String {
        let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
        let left = self.total.saturating_sub(done) as f64 / rate.max(0.001);
        format!(
            "{} of {} {}, {rate:.0}/s, {} left",
            HumanCount(done),
            HumanCount(self.total),
            self.things,
            HumanDuration(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX))
        )
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        ProgressStyle::with_template(BAR).unwrap();
        let progress = Progress::start(10_000, "files", true);
        assert_eq!(progress.line(2_500, Duration::from_secs(10)), "2,500 of 10,000 files, 250/s, 30 seconds left");
        assert!(progress.line(0, Duration::ZERO).contains("0 of 10,000"));
    }
}
