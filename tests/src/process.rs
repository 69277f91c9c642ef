//! Programs that a test starts beside the wiki, and ends.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ends a program by the signal that it reads, and at once when its standard input ends: when the test does, however that may be.
const KEEPER: &str = r#"
"$@" </dev/null &
program=$!
read -r signal || signal=KILL
kill "-$signal" "$program"
wait "$program"
"#;

/// A program that ends with this.
pub struct Process(Child);

impl Process {
    /// Starts a program. What it says is added to the file `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: Vec<OsString>, log: &Path) -> Self {
        Self::spawn(command, added_to(log), added_to(log))
    }

    /// The same for a program whose output is read.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_reading(command: Vec<OsString>, log: &Path) -> (Self, ChildStdout) {
        let mut process = Self::spawn(command, Stdio::piped(), added_to(log));
        let output = process.0.stdout.take().expect("its output is a pipe");
        (process, output)
    }

    fn spawn(command: Vec<OsString>, output: Stdio, errors: Stdio) -> Self {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).args(command);
        keeper.stdin(Stdio::piped()).stdout(output).stderr(errors);
        Self(keeper.spawn().expect("sh can be started"))
    }

    /// Sends a signal, and waits until the program has ended.
    pub fn end(mut self, signal: &str) {
        if let Some(mut input) = self.0.stdin.take() {
            _ = writeln!(input, "{signal}");
        }
        _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        _ = self.0.wait();
    }
}

fn added_to(log: &Path) -> Stdio {
    File::options().append(true).create(true).open(log).expect("a log can be written").into()
}

/// Ports that nobody listens at.
///
/// # Panics
/// When there are none.
pub fn free_ports<const N: usize>() -> [u16; N] {
    // All at once, so that they differ.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("there is a free port"));
    listeners.map(|listener| listener.local_addr().expect("it has an address").port())
}

/// What a mutex has, whatever became of who had it before.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
