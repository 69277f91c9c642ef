//! Commands of `wiki-runner` that end by themselves.

use std::ffi::OsString;
use std::process::Stdio;

use crate::runner::{Recipe, command};
use crate::{POLL, START_LIMIT};

/// What a command left.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; nothing if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it logged or complained of.
    pub stderr: String,
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Output {
    /// The one line a command that failed with exit code 1 wrote.
    ///
    /// # Panics
    /// When it ended otherwise, or wrote more or less than one line.
    #[track_caller]
    pub fn error(&self) -> &str {
        assert_eq!(self.code, Some(1), "{self:#?}");
        let errors: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        let [error] = errors[..] else { panic!("expected one line that begins with `error: `: {self:#?}") };
        assert_eq!(self.stderr.lines().last(), Some(error), "the error comes last: {self:#?}");
        error
    }

    /// What a command that succeeded printed.
    ///
    /// # Panics
    /// When it failed.
    #[track_caller]
    pub fn success(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:#?}");
        &self.stdout
    }
}

/// Runs `wiki-runner` with these arguments and environment, and nothing else of the environment that configures it.
///
/// # Panics
/// When it has not ended within [`START_LIMIT`].
pub async fn wiki_runner<A: Into<OsString> + Clone, V: Into<OsString> + Clone>(
    args: &[A],
    env: &[(&str, V)],
) -> Output {
    let recipe = Recipe {
        args: args.iter().cloned().map(Into::into).collect(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect(),
        open_files: None,
        container: None,
        on_spin: false,
    };
    let mut child = command(&recipe)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("wiki-runner cannot be started: {e}"));
    let deadline = tokio::time::Instant::now() + START_LIMIT;
    let mut hangs = false;
    while child.try_wait().expect("a child process can be waited for").is_none() {
        if tokio::time::Instant::now() > deadline {
            hangs = true;
            _ = child.kill();
        }
        tokio::time::sleep(POLL).await;
    }
    let output = Output::from(child.wait_with_output().expect("what a child wrote can be read"));
    assert!(!hangs, "{recipe:?} did not end within {START_LIMIT:?}: {output:#?}");
    output
}
