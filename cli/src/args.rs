//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ureq::http::Uri;

use crate::http::{Settings, Token};
use crate::retry::Retry;

/// The first pause before a request is sent again; with the default of 4 more tries, 7.5 seconds in all.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "Examples:
  wasiki import ./docs                       every *.md file below ./docs becomes a page
  wasiki export ./backup                     every page becomes a file
  wasiki get home > home.md                  the Markdown of the page home
  wasiki put home home.md --comment typo     create the page home, or edit it
  wasiki search '\"exact words\" -without'     pages with these words but not that one

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a conflict with somebody else's edit.
WASIKI_TOKEN, if set, is sent as a bearer token; its owner writes.";

/// A client of a wiki's HTTP API.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 120)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Where the wiki is.
    #[arg(long, global = true, env = "WASIKI_URL", default_value = "http://localhost:8000", value_parser = url)]
    url: String,

    /// Who writes: a username; created if nobody has it. [default: the owner of WASIKI_TOKEN, else the user this runs as]
    #[arg(long, global = true, env = "WASIKI_AUTHOR", value_name = "NAME")]
    pub author: Option<String>,

    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub json: bool,

    /// Seconds one request may take.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,

    /// How often a request is sent again when the wiki is away or busy.
    #[arg(long, global = true, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=100))]
    retries: u32,
}

impl Global {
    /// How to reach the wiki, with so many requests in flight at once.
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

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make pages of the Markdown files below a folder; pages that are the same already are left alone.
    Import(Import),
    /// Write every page into a file; files that are the same already are left alone.
    Export(Export),
    /// Print a page's Markdown.
    Get(Get),
    /// Create or edit a page.
    Put(Put),
    /// Delete a page; it can be restored.
    Delete(Delete),
    /// Bring a deleted page back.
    Restore {
        /// The page's number.
        number: i64,
    },
    /// Find pages by their words.
    Search(Search),
    /// List pages by title.
    List(List),
    /// List the versions of a page, newest first.
    History(History),
}

/// `wasiki import`
#[derive(Debug, Args)]
pub struct Import {
    /// The folder with the files.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Requests in flight at once.
    #[arg(long, default_value_t = 8, value_parser = jobs)]
    pub jobs: usize,
    /// Why: the comment of every version this makes.
    #[arg(long)]
    pub comment: Option<String>,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `wasiki export`
#[derive(Debug, Args)]
pub struct Export {
    /// The folder for the files; made if it is missing.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Requests in flight at once.
    #[arg(long, default_value_t = 8, value_parser = jobs)]
    pub jobs: usize,
}

/// `wasiki get`
#[derive(Debug, Args)]
pub struct Get {
    /// The page's slug or number.
    pub page: String,
    /// As it was in this version.
    #[arg(long, value_name = "N")]
    pub revision: Option<i64>,
}

/// `wasiki put`
#[derive(Debug, Args)]
pub struct Put {
    /// The page's slug, or the number of one there is.
    pub page: String,
    /// The file with its Markdown; - is standard input.
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Its title. [default: the first heading for a new page, the same as before for an edited one]
    #[arg(long)]
    pub title: Option<String>,
    /// A tag; can be given several times. Those given replace those there were; an empty one removes all.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Option<Vec<String>>,
    /// Why.
    #[arg(long)]
    pub comment: Option<String>,
    /// The version your text is based on. [default: the current one]
    #[arg(long, value_name = "N")]
    pub version: Option<i64>,
}

/// `wasiki delete`
#[derive(Debug, Args)]
pub struct Delete {
    /// The page's slug or number.
    pub page: String,
    /// Only if it is still at this version.
    #[arg(long, value_name = "N")]
    pub version: Option<i64>,
}

/// `wasiki search`
#[derive(Debug, Args)]
pub struct Search {
    /// The words to look for. A query that begins with a hyphen comes after `--`.
    #[arg(required = true)]
    pub query: Vec<String>,
    /// The most results.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

/// `wasiki list`
#[derive(Debug, Args)]
pub struct List {
    /// Only those with this tag.
    #[arg(long)]
    pub tag: Option<String>,
    /// The most pages. [default: all]
    #[arg(long)]
    pub limit: Option<usize>,
}

/// `wasiki history`
#[derive(Debug, Args)]
pub struct History {
    /// The page's slug or number.
    pub page: String,
    /// The most versions.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// The address of a wiki, without a slash at its end.
fn url(text: &str) -> Result<String, String> {
    let address: Uri = text.parse().map_err(|error| format!("{error}"))?;
    if !matches!(address.scheme_str(), Some("http" | "https")) {
        return Err("it must begin with http:// or https://".to_owned());
    }
    if address.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("it must not contain a password; set WASIKI_TOKEN".to_owned());
    }
    if address.query().is_some() {
        return Err("it must end before the question mark".to_owned());
    }
    Ok(text.split('#').next().unwrap_or(text).trim_end_matches('/').to_owned())
}

/// Requests in flight. More than this many gain nothing, and a wiki for others too should not notice one client.
fn jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|jobs| (1..=64).contains(jobs)).ok_or_else(|| "must be from 1 to 64".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
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
