//! One line per step with its seconds; a step that takes longer shows what it is doing.

use std::io::{self, BufRead, BufReader, IsTerminal, Stdout, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// A step that ends sooner shows its one line and nothing else.
const PATIENCE: Duration = Duration::from_secs(1);

/// Silence on a log after which a sign of life is printed; on a terminal the seconds are always to be seen.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// Runs a command as one step, showing its output when it takes longer than a second or fails.
///
/// Fails when the command cannot be started or does not succeed, naming the step.
pub fn run(label: &str, command: &mut Command) -> anyhow::Result<()> {
    watch(label, command, |_| {})
}

/// Runs a command as one step like [`run`] and hands over each line of its output, without its line end.
pub fn watch(label: &str, command: &mut Command, each_line: impl FnMut(&str)) -> anyhow::Result<()> {
    watch_on(Screen::new(label), command, each_line)
}

fn watch_on<W: Write>(
    mut screen: Screen<W>,
    command: &mut Command,
    mut each_line: impl FnMut(&str),
) -> anyhow::Result<()> {
    let label = screen.label.clone();
    // One pipe for both keeps the lines in the order in which they were written.
    let (output, end) = io::pipe().context("cannot make a pipe")?;
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(end.try_clone().context("cannot make a pipe")?).stderr(end);
    let mut child = command.spawn().with_context(|| format!("{label}: cannot start {program}"))?;
    // The command holds the writing end of the pipe, which would then never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err() {
                break;
            }
        }
    });
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                each_line(&line);
                screen.line(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            // A process left behind may hold the pipe for ever: the command's own end is what counts.
            Err(RecvTimeoutError::Timeout) if child.try_wait().context("cannot wait for a process")?.is_some() => break,
            Err(RecvTimeoutError::Timeout) => screen.tick(),
        }
    }
    let status = child.wait().context("cannot wait for a process")?;
    screen.finish(status.success());
    ensure!(status.success(), "{label}: {program} failed with {status}");
    Ok(())
}

/// Runs work of our own as one step.
pub fn step<T>(label: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let screen = Screen::new(label);
    let result = work();
    screen.finish(result.is_ok());
    result.with_context(|| label.to_owned())
}

/// Says something that is not a step, such as what was chosen and why.
pub fn note(text: &str) {
    say(&format!("==> {text}"));
}

/// Prints a line as it stands.
pub fn say(line: &str) {
    // Whoever closed our output does not want the rest of it; that is no reason to stop.
    let _ = writeln!(io::stdout(), "{line}");
}

/// What a step shows, and when.
struct Screen<W: Write> {
    label: String,
    out: W,
    terminal: bool,
    started: Instant,
    /// Lines not shown yet; `None` once the step has taken long enough to show them as they come.
    held: Option<Vec<String>>,
    last_sign: Instant,
}

impl Screen<Stdout> {
    fn new(label: &str) -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        Self::starting_at(Instant::now(), label, out, terminal)
    }
}

impl<W: Write> Screen<W> {
    fn starting_at(started: Instant, label: &str, out: W, terminal: bool) -> Self {
        Self { label: label.to_owned(), out, terminal, started, held: Some(Vec::new()), last_sign: started }
    }

    fn line(&mut self, line: String) {
        if let Some(held) = &mut self.held {
            held.push(line);
            if self.started.elapsed() >= PATIENCE {
                self.open();
            }
            return;
        }
        self.clear();
        self.print(&line);
        self.last_sign = Instant::now();
    }

    /// Shows that a silent step is alive.
    fn tick(&mut self) {
        self.open();
        let seconds = self.started.elapsed().as_secs();
        if self.terminal {
            // Without a line end: the next line takes its place.
            let _ = write!(self.out, "\r\x1b[K    {seconds} s");
            let _ = self.out.flush();
        } else if self.last_sign.elapsed() >= SIGN_OF_LIFE {
            self.print(&format!("    {seconds} s"));
            self.last_sign = Instant::now();
        }
    }

    fn finish(mut self, success: bool) {
        if !success {
            self.open();
        }
        self.clear();
        let outcome = if success { "" } else { "failed after " };
        let line = format!("==> {} … {outcome}{:.1} s", self.label, self.started.elapsed().as_secs_f64());
        self.print(&line);
    }

    /// Starts showing lines as they come.
    fn open(&mut self) {
        if let Some(held) = self.held.take() {
            self.print(&format!("==> {} …", self.label));
            for line in held {
                self.print(&line);
            }
        }
    }

    fn clear(&mut self) {
        if self.terminal && self.held.is_none() {
            let _ = write!(self.out, "\r\x1b[K");
        }
    }

    fn print(&mut self, line: &str) {
        // As in `say`: nobody to read it is no reason to stop.
        let _ = writeln!(self.out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(started: Instant, lines: &[&str], success: bool) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::starting_at(started, "building", &mut out, false);
        for line in lines {
            screen.line((*line).to_owned());
        }
        screen.finish(success);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_quick_step_is_one_line() {
        let shown = shown(Instant::now(), &["Finished"], true);
        assert!(shown.starts_with("==> building … 0.") && shown.ends_with(" s\n"), "{shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }

    #[test]
    fn a_quick_failure_shows_what_it_said() {
        let shown = shown(Instant::now(), &["error: no"], false);
        assert!(shown.starts_with("==> building …\nerror: no\n==> building … failed after 0."), "{shown}");
    }

    #[test]
    fn a_slow_step_shows_its_lines_in_order() {
        let shown = shown(Instant::now() - 2 * PATIENCE, &["one", "two"], true);
        assert!(shown.starts_with("==> building …\none\ntwo\n==> building … 2."), "{shown}");
    }

    /// Runs a script as a step; returns what the step shows, besides how it ended.
    fn run_script(script: &str, each_line: impl FnMut(&str)) -> (anyhow::Result<()>, String) {
        let mut out = Vec::new();
        let screen = Screen::starting_at(Instant::now(), "a script", &mut out, false);
        let result = watch_on(screen, Command::new("sh").args(["-c", script]), each_line);
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn both_outputs_arrive_in_the_order_in_which_they_were_written() {
        let mut lines = Vec::new();
        run_script("echo 1; echo 2 >&2; echo 3", |line| lines.push(line.to_owned())).0.unwrap();
        assert_eq!(lines, ["1", "2", "3"]);
    }

    #[test]
    fn a_failing_command_is_named_with_its_status_and_shown_with_its_words() {
        let (result, shown) = run_script("echo because; exit 3", |_| {});
        let error = result.unwrap_err().to_string();
        assert!(error.contains("a script") && error.contains('3'), "{error}");
        assert!(shown.contains("because"), "{shown}");
    }

    #[test]
    fn a_command_that_leaves_a_process_behind_ends_all_the_same() {
        let started = Instant::now();
        run_script("sleep 20 & exit 0", |_| {}).0.unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
