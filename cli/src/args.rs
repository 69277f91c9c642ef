//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use encoding_rs::Encoding;
use ureq::http::Uri;

use crate::http::{Settings, Token};
use crate::retry::Retry;
use crate::text::bytes;

/// The pause before the first retry. With the default of 4 retries, the pauses are 7.5 seconds in all.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "Examples:
  wasiki import ./docs                       Make a page of every *.md file in ./docs
  wasiki export ./backup                     Write every page to a file
  wasiki get home > home.md                  Print the Markdown of the page home
  wasiki put home home.md --comment typo     Create or edit the page home
  wasiki tasks --due-before 2026-12-31       List your open tasks that are due by then
  wasiki search '\"exact words\" -without'     Find pages with these words and without that one

Exit codes: 0 success, 1 failure, 2 usage error, 3 conflict with another edit.
Environment: WASIKI_TOKEN, a token of the wiki, is sent with every request.";

// Doc comments of the fields are the texts of --help.
/// A client of a wiki's HTTP API
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Global {
    /// Address of the wiki
    #[arg(long, global = true, env = "WASIKI_URL", default_value = "http://localhost:8000", value_parser = url)]
    url: String,

    /// Username of the author, who is created if necessary [default: the owner of WASIKI_TOKEN, or else your username on
    /// this system]
    #[arg(long, global = true, env = "WASIKI_AUTHOR", value_name = "NAME")]
    pub author: Option<String>,

    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// Time limit of a request, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// Number of retries when the wiki is unreachable or busy
    #[arg(long, global = true, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=100))]
    retries: u32,
}

impl Global {
    /// The settings for `jobs` concurrent requests.
    pub fn settings(&self, jobs: usize) -> anyhow::Result<Settings> {
        let token = std::env::var("WASIKI_TOKEN").ok().filter(|token| !token.trim().is_empty());
        let token = token.map(|token| Token::new(&token)).transpose();
        Ok(Settings {
            url: self.url.clone(),
            token: token.map_err(|reason| anyhow::anyhow!("WASIKI_TOKEN cannot be used: {reason}"))?,
            timeout: Duration::from_secs(self.timeout),
            retry: Retry { more: self.retries, first: FIRST_PAUSE },
            jobs,
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create or edit a page for every Markdown file in a directory
    Import(Import),
    /// Write every page to a Markdown file
    Export(Export),
    /// Print the Markdown of a page
    Get(Get),
    /// Create or edit a page
    Put(Put),
    /// Delete a page, which can be restored
    Delete(Delete),
    /// Restore a deleted page
    Restore {
        /// Number of the page
        number: i64,
    },
    /// Find pages by their words
    Search(Search),
    /// List pages by title
    List(List),
    /// List the versions of a page, newest first
    History(History),
    /// List open tasks by due date: yours with a token, else everybody's
    Tasks(Tasks),
    /// Tick a task. One that recurs comes back below it
    Done(Done),
    /// Check the audit trail
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// List what is new for you: mentions, tasks of yours, changes of pages you watch
    Inbox(Inbox),
    /// Print a script that completes commands in your shell
    Completions {
        /// Your shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Check that nobody has changed or removed what happened, by the hashes of the audit chain. For administrators
    Verify(Verify),
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Begin with this entry, and fail unless it is still there: what an earlier check printed last
    #[arg(long, value_name = "NUMBER:HASH", value_parser = known)]
    pub known: Option<Known>,
}

/// An entry of the audit chain that was checked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub number: i64,
    pub hash: [u8; 32],
}

fn known(text: &str) -> Result<Known, String> {
    let (number, hash) = text.split_once(':').unwrap_or_default();
    let number = number.parse().ok().filter(|number| *number > 0);
    let known = number.zip(bytes(hash)).map(|(number, hash)| Known { number, hash });
    known.ok_or_else(|| "must be a number, a colon and 64 hexadecimal digits".to_owned())
}

#[derive(Debug, Args)]
pub struct Import {
    /// Directory to read, with its subdirectories
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Number of concurrent requests
    #[arg(long, default_value_t = 8, value_parser = jobs)]
    pub jobs: usize,
    /// Comment for every new version
    #[arg(long)]
    pub comment: Option<String>,
    /// Import drafts as well: draft: true, published: false, _drafts/
    #[arg(long)]
    pub drafts: bool,
    /// Encoding of files that are neither UTF-8 nor UTF-16, such as windows-1252
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<&'static Encoding>,
    /// Check the files and your permission to write, and print what would be done, without doing it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Directory to write to, created if missing
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Number of concurrent requests
    #[arg(long, default_value_t = 8, value_parser = jobs)]
    pub jobs: usize,
}

#[derive(Debug, Args)]
pub struct Get {
    /// Slug or number of the page
    pub page: String,
    /// Version to print [default: the current one]
    #[arg(long, value_name = "N")]
    pub revision: Option<i64>,
}

#[derive(Debug, Args)]
pub struct Put {
    /// Slug of the page, or number of an existing one
    pub page: String,
    /// File with the Markdown, or - for standard input
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Title [default: unchanged, or the first heading of a new page]
    #[arg(long)]
    pub title: Option<String>,
    /// Tag; repeat it for several. Replaces all tags; an empty tag removes all [default: unchanged]
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Option<Vec<String>>,
    /// Comment for the new version
    #[arg(long)]
    pub comment: Option<String>,
    /// Version that your text is based on [default: the current one]
    #[arg(long, value_name = "N")]
    pub version: Option<i64>,
}

#[derive(Debug, Args)]
pub struct Delete {
    /// Slug or number of the page
    pub page: String,
    /// Delete only if this is the current version
    #[arg(long, value_name = "N")]
    pub version: Option<i64>,
    /// Delete everything below the page as well. Without it, the pages below move up
    #[arg(long)]
    pub below: bool,
}

#[derive(Debug, Args)]
pub struct Search {
    /// Words to find. Write -- before a query that begins with a hyphen
    #[arg(required = true)]
    pub query: Vec<String>,
    /// Maximum number of results
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct List {
    /// List only pages with this tag
    #[arg(long)]
    pub tag: Option<String>,
    /// Maximum number of pages [default: all]
    #[arg(long)]
    pub limit: Option<usize>,
}

#[derive(Debug, Args)]
pub struct History {
    /// Slug or number of the page
    pub page: String,
    /// Maximum number of versions
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct Tasks {
    /// List only tasks of this username [default: the owner of WASIKI_TOKEN]
    #[arg(long, value_name = "NAME")]
    pub assignee: Option<String>,
    /// List everybody's tasks
    #[arg(long, conflicts_with = "assignee")]
    pub all: bool,
    /// List tasks that are done instead
    #[arg(long)]
    pub done: bool,
    /// List only tasks of pages with this tag
    #[arg(long)]
    pub tag: Option<String>,
    /// List only tasks of this page, by slug or number
    #[arg(long)]
    pub page: Option<String>,
    /// List only tasks due before this day, such as 2026-12-31, or time
    #[arg(long, value_name = "DAY")]
    pub due_before: Option<String>,
    /// List only tasks due after this day or time
    #[arg(long, value_name = "DAY")]
    pub due_after: Option<String>,
    /// Maximum number of tasks [default: all]
    #[arg(long)]
    pub limit: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Inbox {
    /// List what you have read as well
    #[arg(long)]
    pub all: bool,
    /// Mark what is listed as read
    #[arg(long)]
    pub read: bool,
    /// Maximum number of entries [default: all]
    #[arg(long)]
    pub limit: Option<usize>,
}

#[derive(Debug, Args)]
pub struct Done {
    /// Number of the task, as `wasiki tasks` prints it
    pub number: i64,
    /// Open it again
    #[arg(long)]
    pub undo: bool,
}

/// Reads the address of a wiki; returns it without a slash at its end.
fn url(text: &str) -> Result<String, String> {
    let address: Uri = text.parse().map_err(|error| format!("{error}"))?;
    if !matches!(address.scheme_str(), Some("http" | "https")) {
        return Err("must begin with http:// or https://".to_owned());
    }
    if address.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("must not contain a username or password; use WASIKI_TOKEN".to_owned());
    }
    if address.query().is_some() {
        return Err("must not contain a query".to_owned());
    }
    Ok(text.split('#').next().unwrap_or(text).trim_end_matches('/').to_owned())
}

/// Reads the name of an encoding.
fn encoding(name: &str) -> Result<&'static Encoding, String> {
    let unknown = || "is no encoding; Latin-1 is windows-1252 (https://encoding.spec.whatwg.org/#names-and-labels)";
    Encoding::for_label(name.as_bytes()).ok_or_else(|| unknown().to_owned())
}

/// Reads a number of concurrent requests. More than 64 gain nothing, and would slow the wiki down for others.
fn jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|jobs| (1..=64).contains(jobs)).ok_or_else(|| "must be from 1 to 64".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(url("http://localhost:8000/").unwrap(), "http://localhost:8000");
        assert_eq!(url("https://example.org/wiki/").unwrap(), "https://example.org/wiki");
        for wrong in ["localhost:8000", "ftp://x", "http://u:p@x", "http://x/?a=b", "", "http://", "http://a b"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }
}
