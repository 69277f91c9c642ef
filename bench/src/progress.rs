//! What is going on, on a terminal as a bar and elsewhere as lines.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows everything.
#[derive(Debug, Clone, Default)]
pub struct Progress(MultiProgress);

impl Progress {
    /// Prints a line above whatever moves.
    pub fn say(&self, line: &str) {
        // Nobody to read it is no reason to stop.
        if self.0.is_hidden() {
            println!("{line}");
        } else {
            _ = self.0.println(line);
        }
    }

    /// Begins something whose length nobody knows.
    pub fn step(&self, label: &str) -> Step {
        let bar = self.0.add(ProgressBar::new_spinner());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.begin(bar, "{spinner} {msg} {elapsed}", label)
    }

    /// Begins something of `length` parts.
    pub fn bar(&self, label: &str, length: u64) -> Step {
        let bar = self.0.add(ProgressBar::new(length));
        bar.enable_steady_tick(Duration::from_millis(500));
        self.begin(bar, "{wide_bar} {human_pos}/{human_len} {elapsed}, {eta} left\n{msg}", label)
    }

    fn begin(&self, bar: ProgressBar, template: &str, label: &str) -> Step {
        // The templates above are right; a wrong one would only look different.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        Step { progress: self.clone(), bar, label: label.to_owned(), started: Instant::now() }
    }
}

/// Something that is going on.
#[derive(Debug, Clone)]
pub struct Step {
    progress: Progress,
    bar: ProgressBar,
    label: String,
    started: Instant,
}

impl Step {
    /// So many more parts are done.
    pub fn advance(&self, parts: u64) {
        self.bar.inc(parts);
    }

    /// What is going on now.
    pub fn now(&self, label: &str) {
        self.bar.set_message(label.to_owned());
    }

    /// It is over: a line stays.
    pub fn done(&self) {
        self.bar.finish_and_clear();
        self.progress.say(&format!("==> {} … {:.1} s", self.label, self.started.elapsed().as_secs_f64()));
    }
}
