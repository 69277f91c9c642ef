//! One `wiki-runner serve` process.

use crate::{START_LIMIT, TEST_LIMIT, paths};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// How to start a process, `wiki-runner` or Spin: always the same, so that it can be started again.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What comes after the program's name.
    pub args: Vec<OsString>,
    /// The process's environment besides what [`command`] leaves in it.
    pub env: Vec<(String, OsString)>,
    /// The most files it may have open, if not as many as this process.
    pub open_files: Option<u32>,
    /// The file with the ids of the processes of a container that it runs in.
    pub container: Option<PathBuf>,
    /// Whether the program is Spin.
    pub on_spin: bool,
}

/// A running service.
pub struct Runner {
    child: Arc<Mutex<Child>>,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    url: String,
    // Dropped with this: the thread that waits for the end of the test's time ends.
    _watched: Option<mpsc::Sender<()>>,
}

/// `wiki-runner` with nothing of this process's environment that would configure it.
pub fn command(recipe: &Recipe) -> Command {
    let program = if recipe.on_spin { paths::spin().expect("WASIKI_SPIN names Spin") } else { paths::runner() };
    // A process can limit only itself, so a shell does and becomes the service.
    let mut limits = String::new();
    if let Some(count) = recipe.open_files {
        limits.push_str(&format!("ulimit -n {count} && "));
    }
    if let Some(processes) = &recipe.container {
        limits.push_str(&format!("echo $$ >'{}' && ", processes.display()));
    }
    let mut command = if limits.is_empty() {
        Command::new(program)
    } else {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits}exec \"$0\" \"$@\"")]).arg(program);
        shell
    };
    command.args(&recipe.args).env_clear().stdin(Stdio::null());
    // PATH and the folders for temporary and cached files are the machine's business, not the service's configuration.
    let of_the_host: &[&str] = if recipe.on_spin { &["WASIKI_PRECOMPILED", "WASIKI_SPIN_LIKE"] } else { &[] };
    for name in ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"].iter().chain(of_the_host) {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(recipe.env.iter().map(|(name, value)| (name, value)));
    command
}

impl Runner {
    /// Starts a service and returns once it has printed the address it listens on. If it is `limited`, it is killed
    /// after [`TEST_LIMIT`]: whatever the test waits for then fails.
    ///
    /// # Panics
    /// When it ends first or takes longer than [`START_LIMIT`]: with all it printed.
    pub fn start(recipe: &Recipe, limited: bool) -> Self {
        let mut child = command(recipe)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{} cannot be started: {e}", paths::runner().display()));
        let (found, url) = mpsc::channel();
        let stdout = collect(child.stdout.take(), Some(found));
        let stderr = collect(child.stderr.take(), None);
        let child = Arc::new(Mutex::new(child));
        let watched = limited.then(|| kill_when_the_test_hangs(child.clone()));
        let mut runner = Self { child, stdout, stderr, url: String::new(), _watched: watched };
        match url.recv_timeout(START_LIMIT) {
            Ok(url) => runner.url = url,
            Err(reason) => panic!("the host printed no address ({reason}) when started as {recipe:?}"),
        }
        runner
    }

    /// `http://host:port`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://host:port` of probes and metrics.
    ///
    /// # Panics
    /// When it does not log that it has such an address.
    pub fn admin_url(&self) -> String {
        // It was logged before the service listened, but what comes out of two pipes arrives in any order.
        let deadline = std::time::Instant::now() + START_LIMIT;
        loop {
            let log = self.stderr();
            let line = log.lines().find(|line| line.contains("probes and metrics"));
            if let Some(rest) = line.and_then(|line| line.split("127.0.0.1:").nth(1)) {
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                return format!("http://127.0.0.1:{port}");
            }
            assert!(std::time::Instant::now() < deadline, "no address for operators was logged:\n{log}");
            std::thread::sleep(crate::POLL);
        }
    }

    /// What it has printed on its standard output so far.
    pub fn stdout(&self) -> String {
        lock(&self.stdout).clone()
    }

    /// What it has logged so far.
    pub fn stderr(&self) -> String {
        lock(&self.stderr).clone()
    }

    /// Waits until it has logged `text` at least `times` times.
    ///
    /// # Panics
    /// When it has not within [`START_LIMIT`].
    pub async fn logged(&self, text: &str, times: usize) {
        crate::eventually(&format!("{text:?} is logged {times} times"), || async {
            self.stderr().matches(text).count() >= times
        })
        .await;
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// The most memory the process has had in bytes, without what it has only reserved.
    ///
    /// # Panics
    /// When it has ended, or the kernel does not tell.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let peak =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak.map(|kibibytes: u64| kibibytes << 10).expect("a running process has a peak of its memory")
    }

    /// Ends the process at once (SIGKILL) and waits until it is gone.
    pub fn kill9(&self) {
        kill(&mut lock(&self.child));
    }

    /// Asks the process to end (SIGTERM) and returns how it did.
    ///
    /// # Panics
    /// When it has not ended within [`START_LIMIT`].
    pub async fn terminate(&self) -> ExitStatus {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("`kill` can be run");
        assert!(sent.success(), "process {id} cannot be signalled");
        let deadline = tokio::time::Instant::now() + START_LIMIT;
        loop {
            if let Some(status) = lock(&self.child).try_wait().expect("a child process can be waited for") {
                return status;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "wiki-runner did not end within {START_LIMIT:?} of SIGTERM"
            );
            tokio::time::sleep(crate::POLL).await;
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            eprintln!("--- wiki-runner printed ---\n{}--- and logged ---\n{}---", self.stdout(), self.stderr());
        }
    }
}

/// Kills `child` after [`TEST_LIMIT`], unless what is returned is dropped before.
fn kill_when_the_test_hangs(child: Arc<Mutex<Child>>) -> mpsc::Sender<()> {
    let (watched, ended) = mpsc::channel();
    std::thread::spawn(move || {
        if ended.recv_timeout(TEST_LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the test took longer than {TEST_LIMIT:?}: its wiki-runner is stopped");
            kill(&mut lock(&child));
        }
    });
    watched
}

/// Kills `child` and waits until it is gone.
fn kill(child: &mut Child) {
    // `spin up` has a process of its own serve, which would outlive it.
    if paths::spin().is_some() && matches!(child.try_wait(), Ok(None)) {
        _ = Command::new("pkill").args(["-KILL", "-P", &child.id().to_string()]).status();
    }
    _ = child.kill();
    _ = child.wait();
}

/// Gathers what comes out of a pipe, and sends the first address (`http://…` or `https://…`) in it.
fn collect<R: Read + Send + 'static>(pipe: Option<R>, found: Option<mpsc::Sender<String>>) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let gathered = text.clone();
    std::thread::spawn(move || {
        let Some(pipe) = pipe else { return };
        let mut found = found;
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            lock(&gathered).push_str(&format!("{line}\n"));
            if let Some(url) = address_in(&line)
                && let Some(found) = found.take()
            {
                _ = found.send(url);
            }
        }
    });
    text
}

fn address_in(line: &str) -> Option<String> {
    let url = &line[line.find("http://").or_else(|| line.find("https://"))?..];
    let end = url.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ')')).unwrap_or(url.len());
    Some(url[..end].trim_end_matches(['/', '.']).to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_found_in_a_line() {
        assert_eq!(address_in("on https://127.0.0.1:81").as_deref(), Some("https://127.0.0.1:81"));
        for line in
            ["http://127.0.0.1:81", "Open http://127.0.0.1:81/ in a browser", "listening on http://127.0.0.1:81."]
        {
            assert_eq!(address_in(line).as_deref(), Some("http://127.0.0.1:81"));
        }
        assert_eq!(address_in("postgres://127.0.0.1:81"), None);
    }
}
