//! The files to import. All are read once before the first page is written, so that errors in files are reported first.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use walkdir::{DirEntry, WalkDir};
use wiki_types::rules::MAX_CONTENT;

use super::check::check;
use super::failure::{Failure, FileError};
use super::slug;
use crate::front_matter::{Document, FrontMatter};

/// The most bytes of front matter: far more than its values can need.
const MAX_FRONT_MATTER: usize = 64 << 10;

/// A file that can be imported.
#[derive(Debug, PartialEq, Eq)]
pub struct ImportItem {
    pub path: PathBuf,
    /// The path below the imported directory.
    pub file: PathBuf,
    /// The slug of its page.
    pub slug: String,
    /// The slug of its page if that was made by an older version, and is that of no other file.
    pub old_slug: Option<String>,
}

/// The files found. Their texts are not kept, since there may be many.
#[derive(Debug, Default)]
pub struct Scan {
    /// In order of their paths.
    pub items: Vec<ImportItem>,
    pub failures: Vec<Failure>,
    /// The number of files by key of front matter that is ignored.
    pub unknown: BTreeMap<String, usize>,
    /// The number of files by author in front matter.
    pub authors: BTreeMap<String, usize>,
}

/// The text of a file, and what its front matter says.
#[derive(Debug)]
pub struct Source {
    pub slug: String,
    pub old_slug: Option<String>,
    pub front: FrontMatter,
    text: String,
    /// Where in the text the content begins.
    start: usize,
}

impl Source {
    /// The Markdown of the page.
    pub fn content(&self) -> &str {
        &self.text[self.start..]
    }
}

/// Reads every `*.md` file below `folder` except hidden files and directories. Fails if `folder` itself cannot be read.
pub fn scan(folder: &Path) -> anyhow::Result<Scan> {
    let found = folder.metadata().with_context(|| format!("cannot read {}", folder.display()))?;
    ensure!(found.is_dir(), "{} is not a directory", folder.display());
    let mut scan = Scan::default();
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let file = relative(error.path().unwrap_or(folder), folder);
                let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                scan.failures.push(Failure { file, error: FileError::new(message) });
                continue;
            }
        };
        let markdown = entry.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"));
        if !markdown || !entry.file_type().is_file() {
            continue;
        }
        let file = relative(entry.path(), folder);
        match read(entry.path(), &file) {
            Ok(source) => {
                for key in source.front.unknown {
                    *scan.unknown.entry(key).or_default() += 1;
                }
                if let Some(author) = source.front.author {
                    *scan.authors.entry(author).or_default() += 1;
                }
                let (slug, old_slug) = (source.slug, source.old_slug);
                scan.items.push(ImportItem { path: entry.into_path(), file, slug, old_slug });
            }
            Err(error) => scan.failures.push(Failure { file, error }),
        }
    }
    scan.refuse_duplicates();
    Ok(scan)
}

impl Scan {
    /// Moves files with the same slug to the failures: only a person knows which of them is meant.
    fn refuse_duplicates(&mut self) {
        let mut files: HashMap<String, Vec<PathBuf>> = HashMap::new();
        for item in &self.items {
            files.entry(item.slug.clone()).or_default().push(item.file.clone());
        }
        self.items.retain(|item| {
            let other = files[&item.slug].iter().find(|file| **file != item.file);
            if let Some(other) = other {
                let message = format!("has the same slug as {}, {:?}; change one of them", other.display(), item.slug);
                self.failures.push(Failure { file: item.file.clone(), error: FileError::new(message) });
            }
            other.is_none()
        });
        let mut old: HashMap<String, usize> = HashMap::new();
        self.items.iter().filter_map(|item| item.old_slug.clone()).for_each(|slug| *old.entry(slug).or_default() += 1);
        for item in &mut self.items {
            item.old_slug.take_if(|slug| files.contains_key(slug) || old[slug] > 1);
        }
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn relative(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

/// Reads a file whose path below the imported directory is `relative`.
pub fn read(path: &Path, relative: &Path) -> Result<Source, FileError> {
    let too_large = |size: String| {
        FileError::new(format!("has {size} bytes of content; the limit for a page is {MAX_CONTENT}. Split the file"))
    };
    let unreadable = |error: std::io::Error| FileError::new(format!("cannot be read: {error}"));
    // The length is not asked for beforehand: the file may grow, or be a device.
    let limit = MAX_CONTENT + MAX_FRONT_MATTER;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(too_large(format!("more than {limit}")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        FileError::at(line, "is not UTF-8")
    })?;
    let document = Document::parse(&text).map_err(|invalid| FileError::at(invalid.line, invalid.message))?;
    let start = text.len() - document.content.len();
    if document.content.len() > MAX_CONTENT {
        return Err(too_large(document.content.len().to_string()));
    }
    check(&document, &text[..start])?;
    let front = document.front;
    let old_slug = if front.slug.is_none() { slug::old_of_file(relative) } else { None };
    let slug = match &front.slug {
        Some(slug) => slug.clone(),
        None => slug::of_file(relative)
            .ok_or_else(|| FileError::new("its name has no letter or digit for a slug: set one in its front matter"))?,
    };
    Ok(Source { slug, old_slug, front, text, start })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn failures(scan: &Scan) -> Vec<String> {
        scan.failures.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn markdown_files_are_found_in_order_with_their_slugs() {
        let folder = folder(&[
            ("b.md", b"---\nauthor: ada\n---\nx"),
            ("a/Deep Page.MD", b"---\nauthor: ada\n---\nx"),
            ("c.md", b"---\nslug: other\nlayout: x\n---\n"),
            ("d.txt", b"x"),
            (".hidden/e.md", b"x"),
            (".f.md", b"x"),
        ]);
        let scan = scan(folder.path()).unwrap();
        let slugs: Vec<_> = scan.items.iter().map(|item| item.slug.as_str()).collect();
        assert_eq!(slugs, ["a-deep-page", "b", "other"]);
        assert_eq!(scan.unknown, BTreeMap::from([("layout".to_owned(), 1)]));
        assert_eq!(scan.authors, BTreeMap::from([("ada".to_owned(), 2)]));
        assert!(scan.failures.is_empty());
    }

    #[test]
    fn invalid_files_are_reported_with_their_line() {
        let large = vec![b'x'; MAX_CONTENT + 1];
        let huge = vec![b'x'; MAX_CONTENT + MAX_FRONT_MATTER + 1];
        let folder = folder(&[
            ("bad.md", b"one\ntwo \xff"),
            ("front.md", b"---\ntitle: x\ntime: soon\n---\n"),
            ("huge.md", &huge),
            ("large.md", &large),
            ("\u{2026}.md", b"x"),
            ("fine.md", b"x"),
        ]);
        let scan = scan(folder.path()).unwrap();
        assert_eq!(scan.items.len(), 1);
        let failures = failures(&scan);
        for (failure, start) in failures.iter().zip([
            "bad.md:2: is not UTF-8",
            "front.md:3: time: must be a time",
            "huge.md: has more than",
            "large.md: has 1048577 bytes",
            "\u{2026}.md: its name has no letter or digit",
        ]) {
            assert!(failure.starts_with(start), "{failures:#?}");
        }
        assert_eq!(failures.len(), 5);
    }

    #[test]
    fn front_matter_does_not_count_as_content() {
        let text = format!("---\ntitle: x\n---\n{}", "x".repeat(MAX_CONTENT));
        let folder = folder(&[("a.md", text.as_bytes())]);
        assert_eq!(read(&folder.path().join("a.md"), Path::new("a.md")).unwrap().content().len(), MAX_CONTENT);
    }

    #[test]
    fn files_with_the_same_slug_are_all_refused() {
        let folder = folder(&[("A b.md", b"x"), ("a-b.md", b"x"), ("c.md", b"x"), ("d.md", b"---\nslug: a-b\n---\n")]);
        let scan = scan(folder.path()).unwrap();
        assert_eq!(scan.items.len(), 1);
        assert_eq!(
            failures(&scan),
            [
                "A b.md: has the same slug as a-b.md, \"a-b\"; change one of them",
                "a-b.md: has the same slug as A b.md, \"a-b\"; change one of them",
                "d.md: has the same slug as A b.md, \"a-b\"; change one of them",
            ]
        );
    }

    #[test]
    fn an_old_slug_is_kept_if_it_is_that_of_one_file() {
        let folder = folder(&[("เก่า.md", b"x"), ("เก้า.md", b"x"), ("เข่า.md", b"x"), ("b.md", b"x")]);
        let old: Vec<_> = scan(folder.path()).unwrap().items.into_iter().map(|item| item.old_slug).collect();
        assert_eq!(old, [None, None, None, Some("เข-า".to_owned())]);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let folder = folder(&[("a.md", b"x")]);
        for path in [folder.path().join("gone"), folder.path().join("a.md")] {
            let error = format!("{:#}", scan(&path).unwrap_err());
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_cycles() {
        let folder = folder(&[("a/b.md", b"x")]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/circle")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("a/b.md"), folder.path().join("link.md")).unwrap();
        let scan = scan(folder.path()).unwrap();
        assert_eq!(scan.items.len(), 2);
        assert_eq!(scan.failures.len(), 1);
    }
}
