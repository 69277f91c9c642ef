//! `wasiki export`: every page becomes a Markdown file with front matter, from which `wasiki import` makes the same page.

mod file_name;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use indicatif::HumanCount;
use serde_json::json;

use self::file_name::file_name;
use crate::args::{Export, Global};
use crate::authors::Authors;
use crate::front_matter::{self, FrontMatter};
use crate::output;
use crate::progress::Progress;
use crate::wiki::Wiki;

/// A page, and the file for it.
struct Item {
    id: i64,
    file: String,
}

/// What became of a page.
enum Done {
    Written,
    Unchanged,
    /// It was deleted since the list was made.
    Gone,
}

/// What became of the pages.
#[derive(Default)]
struct Tally {
    written: usize,
    unchanged: usize,
    gone: usize,
    /// Why the export ended early, if it did.
    stopped: Option<anyhow::Error>,
}

/// Exports every page; fails at the first that cannot be read or written.
pub fn run(wiki: &Wiki, global: &Global, args: &Export) -> anyhow::Result<ExitCode> {
    let folder = &args.folder;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut items = Vec::new();
    for page in wiki.all_posts() {
        let page = page?;
        items.push(Item { id: page.post_id, file: file_name(&page.slug) });
    }

    let progress = Progress::start(items.len(), "pages", false);
    let tally = all(wiki, folder, &items, args.jobs, &progress);
    progress.finish();
    let Tally { written, unchanged, gone, stopped } = tally;
    if let Some(error) = stopped {
        return Err(
            error.context(format!("{written} pages were written, then the export failed; run it again to go on"))
        );
    }
    if global.json {
        output::json(&json!({"pages": written + unchanged, "written": written, "unchanged": unchanged, "gone": gone}))?;
    } else {
        let count = |number: usize| HumanCount(number as u64).to_string();
        let gone = if gone == 0 { String::new() } else { format!(", {} deleted meanwhile", count(gone)) };
        output::line(&format!(
            "{} pages: {} written, {} unchanged{gone}",
            count(written + unchanged),
            count(written),
            count(unchanged)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes every item's file, several at once.
fn all(wiki: &Wiki, folder: &Path, items: &[Item], jobs: usize, progress: &Progress) -> Tally {
    let authors = Authors::new(wiki);
    let tally = Mutex::new(Tally::default());
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let outcome = one(wiki, &authors, folder, item);
            progress.tick();
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Ok(Done::Written) => tally.written += 1,
                Ok(Done::Unchanged) => tally.unchanged += 1,
                Ok(Done::Gone) => tally.gone += 1,
                // A wiki that is away or a disk that is full is so for the next page too.
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    tally.stopped.get_or_insert(error);
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

fn one(wiki: &Wiki, authors: &Authors<'_>, folder: &Path, item: &Item) -> anyhow::Result<Done> {
    let post = match wiki.post(item.id) {
        Ok(post) => post,
        Err(error) if error.status() == Some(404) => return Ok(Done::Gone),
        Err(error) => return Err(error.into()),
    };
    let front = FrontMatter {
        title: Some(post.title),
        slug: Some(post.slug),
        tags: Some(post.tags),
        author: authors.name(post.user_id)?,
        time: Some(post.created_time),
        unknown: Vec::new(),
    };
    let text = front_matter::write(&front, &post.content)?;
    let changed = write(folder, item, text.as_bytes())
        .with_context(|| format!("cannot write {}", folder.join(&item.file).display()))?;
    Ok(if changed { Done::Written } else { Done::Unchanged })
}

/// Puts `bytes` into the item's file, all or nothing; returns whether they were not there already.
fn write(folder: &Path, item: &Item, bytes: &[u8]) -> std::io::Result<bool> {
    let path = folder.join(&item.file);
    let is_same_size = fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64);
    if is_same_size && fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(false);
    }
    // Of a fixed name: what an interrupted export leaves, the next one replaces. Hidden and not *.md, so that it is not
    // imported. Not flushed to the disk: after a power cut the next export sees what is missing and writes it again.
    let temporary = folder.join(format!(".wasiki-{}.tmp", item.id));
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, &path).inspect_err(|_| _ = fs::remove_file(&temporary))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let item = Item { id: 1, file: "a.md".into() };
        fs::write(folder.path().join(".wasiki-1.tmp"), "left behind").unwrap();
        assert!(write(folder.path(), &item, b"text").unwrap());
        assert!(!write(folder.path(), &item, b"text").unwrap());
        assert!(write(folder.path(), &item, b"TEXT").unwrap());
        assert_eq!(fs::read(folder.path().join("a.md")).unwrap(), b"TEXT");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_replaced_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a.md/b")).unwrap();
        assert!(write(folder.path(), &Item { id: 1, file: "a.md".into() }, b"text").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
