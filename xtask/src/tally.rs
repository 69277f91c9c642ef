//! Counts of tests, read from what Rust's test harness and Node.js's print.

use std::fmt;
use std::ops::AddAssign;

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// The counts in a harness's closing line, or in one of its closing lines; `None` for any other line.
    pub fn read(line: &str) -> Option<Self> {
        Self::read_rust(line).or_else(|| Self::read_node(line))
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …`
    fn read_rust(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let mut tally = Self::default();
        for part in counts.split("; ") {
            match part.split_once(' ')? {
                (count, "passed") => tally.passed = count.parse().ok()?,
                (count, "failed") => tally.failed = count.parse().ok()?,
                (count, "ignored") => tally.skipped = count.parse().ok()?,
                _ => {}
            }
        }
        Some(tally)
    }

    /// One line for each count: `ℹ pass 3`, `ℹ fail 0`, … What was cancelled, as by a limit of time, has failed.
    fn read_node(line: &str) -> Option<Self> {
        let (kind, count) = line.strip_prefix("ℹ ")?.split_once(' ')?;
        let mut tally = Self::default();
        let counted = match kind {
            "pass" => &mut tally.passed,
            "fail" | "cancelled" => &mut tally.failed,
            "skipped" | "todo" => &mut tally.skipped,
            _ => return None,
        };
        *counted = count.parse().ok()?;
        Some(tally)
    }

    /// Whether no test was run at all, which a suite must not mistake for success.
    pub fn is_empty(self) -> bool {
        self.passed + self.failed == 0
    }

    /// Whether a test failed.
    pub fn has_failures(self) -> bool {
        self.failed > 0
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_closing_line_plain_and_in_colour() {
        let plain = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.01s";
        let coloured = "test result: \x1b[32mok\x1b(B\x1b[m. 3 passed; 1 failed; 2 ignored; 0 measured";
        for line in [plain, coloured] {
            assert_eq!(Tally::read(line), Some(Tally { passed: 3, failed: 1, skipped: 2 }), "{line}");
        }
    }

    #[test]
    fn counts_are_read_from_several_closing_lines() {
        let mut sum = Tally::default();
        for line in
            ["ℹ tests 9", "ℹ pass 3", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 2", "ℹ todo 0", "ℹ duration_ms 9.5"]
        {
            if let Some(tally) = Tally::read(line) {
                sum += tally;
            }
        }
        assert_eq!(sum, Tally { passed: 3, failed: 2, skipped: 2 });
    }

    #[test]
    fn other_lines_are_not_counts() {
        for line in [
            "",
            "test result: ok",
            "test a_test ... ok",
            "test result: ok. x passed; 0 failed",
            "running 3 tests",
            "ℹ pass",
            "pass 3",
        ] {
            assert_eq!(Tally::read(line), None, "{line}");
        }
    }

    #[test]
    fn sums_are_shown_with_what_was_skipped_only_if_something_was() {
        let mut sum = Tally { passed: 1, failed: 0, skipped: 0 };
        assert_eq!(sum.to_string(), "1 passed, 0 failed");
        sum += Tally { passed: 2, failed: 3, skipped: 4 };
        assert_eq!(sum.to_string(), "3 passed, 3 failed, 4 skipped");
    }
}
