//! `wasiki import`: every Markdown file in a directory becomes a page.
//!
//! A page is one request, and a page that is as its file is left alone: an interrupted import can be run again.
//!
//! Its modules, top to bottom: `sync`, `scan`, `files`, `links`, `page` and `index`, `name`, `markdown`, `encoding` and `time`,
//! `failure` and `left_out`.

mod encoding;
mod failure;
mod files;
mod index;
mod left_out;
mod links;
mod markdown;
mod name;
mod page;
mod scan;
mod sync;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use indicatif::HumanCount;
use serde_json::json;
use wiki_types::rules;

use self::failure::Failure;
use self::index::Index;
use self::left_out::LeftOut;
use self::scan::{ImportItem, Options, Renamed, Scan};
use self::sync::{Importer, Outcome};
use crate::args::{Global, Import};
use crate::authors::Writer;
use crate::error::Error;
use crate::output;
use crate::text::one_line;
use crate::wiki::Wiki;
use crate::workers;

#[derive(Debug, Default)]
struct Tally {
    created: usize,
    updated: usize,
    unchanged: usize,
    failures: Vec<Failure>,
    left_out: LeftOut,
    /// The slugs of pages that were created, each with the slug of the page it comes below.
    unplaced: Vec<(String, String)>,
    /// Files that are not Markdown and came with a page.
    attached: BTreeSet<PathBuf>,
    /// The error that ended the import.
    stopped: Option<String>,
}

/// Imports a directory. The exit code is 0 if every file is a page now.
pub fn run(wiki: &Wiki, global: &Global, args: &Import) -> anyhow::Result<ExitCode> {
    if let Some(Err(message)) = args.comment.as_deref().map(rules::comment) {
        bail!("--comment: {message}");
    }
    if let Some(Err(message)) = global.author.as_deref().map(|it| rules::username(it).or_else(|_| rules::name(it))) {
        bail!("--author: {message}");
    }
    let options = Options::new(&args.folder, args.drafts, args.encoding);
    let scan = scan::scan(&args.folder, &options)?;
    let index = scan.index();
    let Scan { items, failures, renamed, left_out, unknown, authors } = scan;
    if items.is_empty() && failures.is_empty() {
        eprintln!("note: there are no *.md files to import in {}", args.folder.display());
    }
    note_unknown(&unknown);
    note_renamed(&renamed);
    // Before anything is written: a person who watches can still stop the import.
    failures.iter().for_each(|failure| eprintln!("error: {failure}"));
    let reported = failures.len();
    let total = items.len() + reported;

    let allowed = || if args.dry_run { Ok(wiki.check_writing()?) } else { Ok(()) };
    let writer = Writer::new(wiki, global.author.as_deref());
    let mut tally = match writer.and_then(|writer| allowed().map(|()| writer)) {
        Ok(writer) => {
            if let Some(note) = other_authors(&authors, |name| writer.instead_of(name)) {
                eprintln!("note: {note}");
            }
            let importer = Importer::new(wiki, args, writer, &options, &index);
            let mut tally = import(&items, args.jobs, &importer, &index);
            tally.attached = importer.attached();
            if !args.dry_run && tally.stopped.is_none() {
                place(&importer, &mut tally);
            }
            tally
        }
        // If the wiki is away or refuses the token, the report is the same as if that had begun later.
        Err(error) => Tally { stopped: Some(error.downcast::<Error>()?.to_string()), ..Tally::default() },
    };
    tally.failures.sort_by(|a, b| a.file.cmp(&b.file));
    tally.failures.splice(0..0, failures);
    tally.left_out.add(&left_out);
    let attached = std::mem::take(&mut tally.attached);
    attached.iter().for_each(|path| tally.left_out.not_after_all(&scan::ending(path)));
    report(&tally, reported, total, global.json, args.dry_run)
}

/// Brings new pages below those of their directories, once all are there, from the first to the last. Pages that were there before
/// stay where people have moved them to.
fn place(importer: &Importer<'_>, tally: &mut Tally) {
    tally.unplaced.sort();
    for (slug, parent) in std::mem::take(&mut tally.unplaced) {
        match importer.place(&slug, &parent) {
            Ok(true) => {}
            Ok(false) => tally.left_out.places += 1,
            Err(sync::Error::File(error)) => tally.failures.push(Failure { file: slug.into(), error }),
            Err(sync::Error::All(message)) => {
                tally.stopped = Some(message);
                return;
            }
        }
    }
}

fn import(items: &[ImportItem], jobs: usize, importer: &Importer<'_>, index: &Index) -> Tally {
    workers::tally(
        items,
        jobs,
        "files",
        |item| {
            let mut left_out = LeftOut::default();
            (importer.import(item, &mut left_out), left_out)
        },
        |tally: &mut Tally, item, (outcome, left_out)| {
            tally.left_out.add(&left_out);
            match outcome {
                Ok(Outcome::Created) => {
                    tally.created += 1;
                    tally.unplaced.extend(item.parent(index).map(|parent| (item.slug.clone(), parent.to_owned())));
                }
                Ok(Outcome::Updated) => tally.updated += 1,
                Ok(Outcome::Unchanged) => tally.unchanged += 1,
                Err(sync::Error::File(error)) => tally.failures.push(Failure { file: item.file.clone(), error }),
                Err(sync::Error::All(message)) => {
                    tally.stopped.get_or_insert(message);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        },
    )
}

/// The most notes of one kind: enough to notice a misspelling.
const SHOWN: usize = 20;

/// Prints the keys of front matter that are ignored: once for each key, not for each file.
fn note_unknown(unknown: &BTreeMap<String, usize>) {
    for (key, number) in unknown.iter().take(SHOWN) {
        eprintln!("note: `{}` in the front matter of {} is ignored", one_line(key), files(*number));
    }
    if unknown.len() > SHOWN {
        eprintln!("note: {} more keys are ignored", unknown.len() - SHOWN);
    }
}

/// Prints which files do not get the slugs they ask for.
fn note_renamed(renamed: &[Renamed]) {
    for Renamed { file, slug, other } in renamed.iter().take(SHOWN) {
        let (file, other) = (file.display(), other.display());
        eprintln!("note: {file} becomes the page {slug:?}, since {other} has the same name");
    }
    if renamed.len() > SHOWN {
        eprintln!("note: {} more files have the names of others", renamed.len() - SHOWN);
    }
}

/// A note that the token's owner writes instead of authors in front matter. It comes before anything is written, because the
/// author of a page cannot be changed later.
fn other_authors<'a>(
    authors: &BTreeMap<String, usize>,
    instead_of: impl Fn(&str) -> Option<&'a str>,
) -> Option<String> {
    let replaced: Vec<_> = authors.iter().filter_map(|(name, number)| Some((instead_of(name)?, *number))).collect();
    let (owner, _) = replaced.first()?;
    Some(format!(
        "the author in the front matter of {} is not used: the author of new pages is {owner:?}, who owns the token in \
         WASIKI_TOKEN. Only an administrator's token with the scope admin writes as others",
        files(replaced.iter().map(|(_, number)| number).sum())
    ))
}

fn files(number: usize) -> String {
    if number == 1 { "one file".to_owned() } else { format!("{number} files") }
}

/// Prints the result. The first `reported` failures have been printed before.
fn report(tally: &Tally, reported: usize, total: usize, as_json: bool, dry_run: bool) -> anyhow::Result<ExitCode> {
    let Tally { created, updated, unchanged, failures, left_out, stopped, .. } = tally;
    failures.iter().skip(reported).for_each(|failure| eprintln!("error: {failure}"));
    if let Some(reason) = stopped {
        eprintln!("error: {reason}");
        eprintln!("The import has stopped. Run it again to continue; it skips what is done.");
    }
    if as_json {
        let failed: Vec<_> = failures
            .iter()
            .map(|it| json!({"file": it.file.to_string_lossy(), "line": it.error.line, "error": it.error.message}))
            .collect();
        output::json(&json!({
            "files": total, "created": created, "updated": updated, "unchanged": unchanged, "failed": failed,
            "left_out": left_out, "stopped": stopped, "dry_run": dry_run,
        }))?;
    } else {
        let would = if dry_run { "would be " } else { "" };
        let [total, created, updated, unchanged, failed] =
            [total, *created, *updated, *unchanged, failures.len()].map(|number| HumanCount(number as u64));
        output::line(&format!(
            "{total} files: {would}{created} created, {updated} updated, {unchanged} unchanged, {failed} failed"
        ))?;
        if !left_out.is_empty() {
            output::line(&format!("left out:{left_out}"))?;
        }
    }
    Ok(if failures.is_empty() && stopped.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_authors_are_noted_once() {
        let authors = [("ada", 3), ("bob", 2), ("grace", 4)].map(|(name, files)| (name.to_owned(), files));
        let authors = BTreeMap::from(authors);
        let note = other_authors(&authors, |name| (name != "bob").then_some("bob")).unwrap();
        assert!(note.contains("of 7 files is not used") && note.contains("is \"bob\""), "{note}");
        assert_eq!(other_authors(&authors, |_| None), None);
        assert_eq!(other_authors(&BTreeMap::new(), |_| Some("bob")), None);
    }
}
