//! Progress of a long command, on standard error: a bar on a terminal, an occasional line elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// The interval of lines without a terminal, where indicatif prints nothing: few enough for a log.
const EVERY: Duration = Duration::from_secs(5);

const BAR: &str = "{bar:30} {human_pos} of {human_len} {msg}  {per_sec}  {eta} left";

pub struct Progress {
    bar: ProgressBar,
    /// When the last line was printed; `None` on a terminal.
    last_line: Option<Mutex<Instant>>,
    noun: &'static str,
}

impl Progress {
    pub fn start(total: usize, noun: &'static str) -> Self {
        let bar = ProgressBar::new(total as u64).with_message(noun);
        // The template is a constant, and the test below parses it.
        bar.set_style(ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()));
        let last_line = (!std::io::stderr().is_terminal()).then(|| Mutex::new(Instant::now()));
        Self { bar, last_line, noun }
    }

    pub fn tick(&self) {
        self.bar.inc(1);
        let Some(last) = &self.last_line else { return };
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= EVERY {
            *last = Instant::now();
            let total = self.bar.length().unwrap_or_default();
            eprintln!("{}", line(self.bar.position(), total, self.noun, self.bar.elapsed()));
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn line(done: u64, total: u64, noun: &str, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let left = total.saturating_sub(done) as f64 / rate.max(0.001);
    let left = HumanDuration(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX));
    format!("{} of {} {noun}, {rate:.0}/s, {left} left", HumanCount(done), HumanCount(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_count_rate_and_time_left() {
        ProgressStyle::with_template(BAR).unwrap();
        let text = line(2_500, 10_000, "files", Duration::from_secs(10));
        assert_eq!(text, "2,500 of 10,000 files, 250/s, 30 seconds left");
        assert!(line(0, 10_000, "files", Duration::ZERO).contains("0 of 10,000"));
    }
}
