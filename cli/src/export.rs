//! `wasiki export`: every page becomes a Markdown file with front matter, from which `wasiki import` makes the same page.

mod file_name;

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use indicatif::HumanCount;
use serde_json::json;
use wiki_types::PostSummary;

use self::file_name::file_name;
use crate::args::{Export, Global};
use crate::authors::Authors;
use crate::front_matter::{self, FrontMatter, GENERATOR};
use crate::output;
use crate::wiki::Wiki;
use crate::workers;

/// The number of the space that every wiki has.
const FIRST_SPACE: i64 = 1;

/// A page, and the name of its file.
struct ExportItem {
    id: i64,
    file: String,
    /// The slug of the page it is below.
    parent: Option<String>,
    /// The slug of its space, unless that is the first.
    space: Option<String>,
}

enum Outcome {
    Written,
    Unchanged,
    /// Deleted since the pages were listed.
    Gone,
}

#[derive(Default)]
struct Tally {
    written: usize,
    unchanged: usize,
    gone: usize,
    /// The error that ended the export.
    stopped: Option<anyhow::Error>,
}

/// Exports all pages; fails with the first that cannot be read or written.
pub fn run(wiki: &Wiki, global: &Global, args: &Export) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder).with_context(|| format!("cannot create the directory {}", folder.display()))?;
    let pages: Vec<PostSummary> = wiki.all_posts().collect::<Result<_, _>>()?;
    let items = items(wiki, pages)?;
    let authors = Authors::new(wiki);
    let aliases = aliases(wiki)?;
    let work = |item: &ExportItem| {
        let aliases = aliases.get(&item.id).cloned().unwrap_or_default();
        one(wiki, &authors, aliases, folder, item)
    };
    let tally = workers::tally(&items, args.jobs, "pages", work, |tally: &mut Tally, _, outcome| {
        match outcome {
            Ok(Outcome::Written) => tally.written += 1,
            Ok(Outcome::Unchanged) => tally.unchanged += 1,
            Ok(Outcome::Gone) => tally.gone += 1,
            // The wiki is away or the disk is full: the next page would fail as well.
            Err(error) => {
                tally.stopped.get_or_insert(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    let Tally { written, unchanged, gone, stopped } = tally;
    if let Some(error) = stopped {
        return Err(
            error.context(format!("the export failed after {written} pages were written; run it again to continue"))
        );
    }
    if global.json {
        output::json(&json!({"pages": written + unchanged, "written": written, "unchanged": unchanged, "gone": gone}))?;
    } else {
        let count = |number: usize| HumanCount(number as u64);
        let gone = if gone == 0 { String::new() } else { format!(", {} deleted meanwhile", count(gone)) };
        let (pages, written, unchanged) = (count(written + unchanged), count(written), count(unchanged));
        output::line(&format!("{pages} pages: {written} written, {unchanged} unchanged{gone}"))?;
    }
    Ok(())
}

/// The pages with their places.
fn items(wiki: &Wiki, pages: Vec<PostSummary>) -> anyhow::Result<Vec<ExportItem>> {
    let has_spaces = pages.iter().any(|page| page.space_id != FIRST_SPACE);
    let spaces = if has_spaces { wiki.spaces()? } else { HashMap::new() };
    let spaces: HashMap<i64, String> = spaces.into_iter().map(|(slug, id)| (id, slug)).collect();
    let slugs: HashMap<i64, String> = pages.iter().map(|page| (page.post_id, page.slug.clone())).collect();
    let item = |page: PostSummary| ExportItem {
        id: page.post_id,
        file: file_name(&page.slug),
        parent: page.parent_id.and_then(|id| slugs.get(&id).cloned()),
        space: Some(page.space_id).filter(|id| *id != FIRST_SPACE).and_then(|id| spaces.get(&id).cloned()),
    };
    Ok(pages.into_iter().map(item).collect())
}

/// The other slugs that lead to pages, by the numbers of those.
fn aliases(wiki: &Wiki) -> anyhow::Result<HashMap<i64, Vec<String>>> {
    let mut aliases: HashMap<i64, Vec<String>> = HashMap::new();
    for (slug, id) in wiki.redirects()? {
        aliases.entry(id).or_default().push(slug);
    }
    // In an order of their own, so that the files are the same in every export.
    aliases.values_mut().for_each(|slugs| slugs.sort());
    Ok(aliases)
}

fn one(
    wiki: &Wiki,
    authors: &Authors<'_>,
    aliases: Vec<String>,
    folder: &Path,
    item: &ExportItem,
) -> anyhow::Result<Outcome> {
    let post = match wiki.post(item.id) {
        Ok(post) => post,
        Err(error) if error.status() == Some(404) => return Ok(Outcome::Gone),
        Err(error) => return Err(error.into()),
    };
    let front = FrontMatter {
        generator: Some(GENERATOR.to_owned()),
        title: Some(post.title),
        slug: Some(post.slug),
        aliases,
        tags: Some(post.tags),
        author: authors.name(post.user_id)?,
        created: Some(post.created_time.to_string()),
        updated: (post.updated_time != post.created_time).then(|| post.updated_time.to_string()),
        protected: post.protected.then_some(true),
        space: item.space.clone(),
        parent: item.parent.clone(),
        ..FrontMatter::default()
    };
    // First what the text shows.
    for file in wiki.files(item.id)?.unwrap_or_default() {
        keep(wiki, folder, &file).with_context(|| format!("cannot write the file {} of the page", file.name))?;
    }
    let text = front_matter::write(&front, &post.content)?;
    let changed = write(folder, item, text.as_bytes())
        .with_context(|| format!("cannot write {}", folder.join(&item.file).display()))?;
    Ok(if changed { Outcome::Written } else { Outcome::Unchanged })
}

/// Writes a file of a page where its address leads from the directory of the export: `files/12/racks.png`. A file never changes:
/// one that is there is whole.
fn keep(wiki: &Wiki, folder: &Path, file: &wiki_types::File) -> anyhow::Result<()> {
    let path = folder.join("files").join(file.id.to_string());
    let named = path.join(&file.name);
    if named.is_file() {
        return Ok(());
    }
    // The name comes from the wiki: it must not lead elsewhere.
    wiki_types::files::file_name(&file.name).map_err(anyhow::Error::msg)?;
    let bytes = wiki.get(&file.url)?;
    fs::create_dir_all(&path)?;
    let temporary = path.join(".wasiki.tmp");
    fs::write(&temporary, bytes)?;
    Ok(fs::rename(&temporary, &named).inspect_err(|_| _ = fs::remove_file(&temporary))?)
}

/// Replaces the content of the item's file by `bytes`, atomically; returns whether it had other content.
fn write(folder: &Path, item: &ExportItem, bytes: &[u8]) -> std::io::Result<bool> {
    let path = folder.join(&item.file);
    let is_same_size = fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64);
    if is_same_size && fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(false);
    }
    // The name is fixed, so that the next export replaces what an interrupted one leaves behind. It is hidden and not *.md,
    // so that no import reads it. It is not flushed: the next export writes again what a power cut has lost.
    let temporary = folder.join(format!(".wasiki-{}.tmp", item.id));
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, &path).inspect_err(|_| _ = fs::remove_file(&temporary))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> ExportItem {
        ExportItem { id: 1, file: "a.md".into(), parent: None, space: None }
    }

    #[test]
    fn a_file_is_written_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let item = item();
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
        assert!(write(folder.path(), &item(), b"text").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
