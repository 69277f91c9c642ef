//! `wasiki import`: the Markdown files below a folder become pages.
//!
//! Every page is one request, and a page that is as its file says is left alone. That is what makes it safe to interrupt
//! an import, and enough to run it again.

mod check;
mod scan;
mod sync;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use wiki_types::rules;

use anyhow::bail;
use indicatif::HumanCount;
use serde_json::json;

use self::scan::{Item, Scan};
use self::sync::{Done, Sync};
use crate::args::{Global, Import};
use crate::authors::Writer;
use crate::output;
use crate::problem::Error;
use crate::progress::Progress;
use crate::wiki::Wiki;

/// A file that was not imported, and why.
#[derive(Debug)]
struct Failure {
    /// Below the imported folder.
    file: PathBuf,
    /// Where in the file, from 1, if it is about a place.
    line: Option<usize>,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What became of the files.
#[derive(Debug, Default)]
struct Tally {
    created: usize,
    updated: usize,
    unchanged: usize,
    failures: Vec<Failure>,
    /// Why the import ended early, if it did.
    stopped: Option<String>,
}

/// Imports a folder; the exit code says whether every file is a page now.
pub fn run(wiki: &Wiki, global: &Global, args: &Import) -> anyhow::Result<ExitCode> {
    if let Some(Err(message)) = args.comment.as_deref().map(rules::comment) {
        bail!("--comment: {message}");
    }
    if let Some(Err(message)) = global.author.as_deref().map(|it| rules::username(it).or_else(|_| rules::name(it))) {
        bail!("--author: {message}");
    }
    let Scan { items, failures, unknown, authors } = scan::scan(&args.folder)?;
    if items.is_empty() && failures.is_empty() {
        eprintln!("note: there is no *.md file below {}", args.folder.display());
    }
    note_unknown(&unknown);
    // Before anything is written, so that who watches can stop here.
    failures.iter().for_each(|failure| eprintln!("error: {failure}"));
    let early = failures.len();
    let total = items.len() + early;

    let mut tally = match Writer::new(wiki, global.author.as_deref()) {
        Ok(writer) => {
            if let Some(note) = other_authors(&authors, |name| writer.instead_of(name)) {
                eprintln!("note: {note}");
            }
            let sync = Sync::new(wiki, args, writer);
            let progress = Progress::start(items.len(), "files", false);
            let tally = all(&items, args.jobs, &sync, &progress);
            progress.finish();
            tally
        }
        // A wiki that is away, or refuses the token, is told as it is when that begins later.
        Err(error) => Tally { stopped: Some(error.downcast::<Error>()?.to_string()), ..Tally::default() },
    };
    tally.failures.sort_by(|a, b| a.file.cmp(&b.file));
    tally.failures.splice(0..0, failures);
    report(&tally, early, total, global.json, args.dry_run)
}

/// Brings every item's page up to date, several at once.
fn all(items: &[Item], jobs: usize, sync: &Sync<'_>, progress: &Progress) -> Tally {
    let tally = Mutex::new(Tally::default());
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let outcome = sync.item(item);
            progress.tick();
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Ok(Done::Created) => tally.created += 1,
                Ok(Done::Updated) => tally.updated += 1,
                Ok(Done::Unchanged) => tally.unchanged += 1,
                Err(sync::Failure::File { line, message }) => {
                    tally.failures.push(Failure { file: item.file.clone(), line, message });
                }
                Err(sync::Failure::Everything(message)) => {
                    stop.store(true, Ordering::Relaxed);
                    tally.stopped.get_or_insert(message);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(work);
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Keys of front matter that mean nothing here: once for each key, not for each file.
fn note_unknown(unknown: &BTreeMap<String, usize>) {
    /// Enough to notice a misspelling.
    const SHOWN: usize = 20;
    for (key, number) in unknown.iter().take(SHOWN) {
        eprintln!("note: `{}` in the front matter of {} is ignored", crate::text::one_line(key), files(*number));
    }
    if unknown.len() > SHOWN {
        eprintln!("note: so are {} more keys", unknown.len() - SHOWN);
    }
}

/// That somebody else writes than files say, if so: once, and before anything is written, because the author of a page
/// stays who created it.
fn other_authors<'a>(
    authors: &BTreeMap<String, usize>,
    instead_of: impl Fn(&str) -> Option<&'a str>,
) -> Option<String> {
    let replaced: Vec<_> = authors.iter().filter_map(|(name, number)| Some((instead_of(name)?, *number))).collect();
    let (owner, _) = replaced.first()?;
    Some(format!(
        "the author in the front matter of {} is not used: what this import creates is by {owner:?}, whose token \
         WASIKI_TOKEN is. Only an administrator's token with the scope admin writes as others",
        files(replaced.iter().map(|(_, number)| number).sum())
    ))
}

fn files(number: usize) -> String {
    if number == 1 { "one file".to_owned() } else { format!("{number} files") }
}

/// Says what was done. The first `early` failures were told before.
fn report(tally: &Tally, early: usize, total: usize, as_json: bool, dry_run: bool) -> anyhow::Result<ExitCode> {
    let Tally { created, updated, unchanged, failures, stopped } = tally;
    failures.iter().skip(early).for_each(|failure| eprintln!("error: {failure}"));
    if let Some(reason) = stopped {
        eprintln!("error: {reason}");
        eprintln!("The import ended early. Run it again to go on: what was imported is left alone.");
    }
    if as_json {
        let failed: Vec<_> = failures
            .iter()
            .map(|it| json!({"file": it.file.to_string_lossy(), "line": it.line, "error": it.message}))
            .collect();
        output::json(&json!({
            "files": total, "created": created, "updated": updated, "unchanged": unchanged, "failed": failed,
            "stopped": stopped, "dry_run": dry_run,
        }))?;
    } else {
        let would = if dry_run { "would be " } else { "" };
        let count = |number: &usize| HumanCount(*number as u64).to_string();
        output::line(&format!(
            "{} files: {would}{} created, {} updated, {} unchanged, {} failed",
            count(&total),
            count(created),
            count(updated),
            count(unchanged),
            count(&failures.len())
        ))?;
    }
    Ok(if failures.is_empty() && stopped.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_somebody_else_writes_is_told_once() {
        let authors = [("ada", 3), ("bob", 2), ("grace", 4)].map(|(name, files)| (name.to_owned(), files));
        let authors = BTreeMap::from(authors);
        let note = other_authors(&authors, |name| (name != "bob").then_some("bob")).unwrap();
        assert!(note.contains("of 7 files is not used") && note.contains("by \"bob\""), "{note}");
        assert_eq!(other_authors(&authors, |_| None), None);
        assert_eq!(other_authors(&BTreeMap::new(), |_| Some("bob")), None);
    }
}
