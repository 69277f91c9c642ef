//! What there is to import: every Markdown file is read once before the first page is written, so that what is wrong with
//! the files themselves is known at once.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, ensure};
use walkdir::{DirEntry, WalkDir};
use wiki_types::rules::MAX_CONTENT;

use super::Failure;
use super::check::check;
use crate::front_matter::{Document, FrontMatter};
use crate::slug;

/// The most bytes front matter may have: far more than its texts can be.
const MAX_FRONT_MATTER: usize = 64 << 10;

/// A file that can be imported.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub path: PathBuf,
    /// Where it is below the imported folder.
    pub file: PathBuf,
    /// The slug of its page.
    pub slug: String,
}

/// What there is. The texts themselves are not kept: there may be many.
#[derive(Debug, Default)]
pub struct Scan {
    /// The files that can be imported, by path.
    pub items: Vec<Item>,
    /// Those that cannot.
    pub failures: Vec<Failure>,
    /// Keys of front matter that mean nothing here, and in how many files they are.
    pub unknown: BTreeMap<String, usize>,
    /// Authors that front matter names, and in how many files it does.
    pub authors: BTreeMap<String, usize>,
}

/// A file's text and what it means.
#[derive(Debug)]
pub struct Source {
    /// The slug of its page.
    pub slug: String,
    /// What it says of its page.
    pub front: FrontMatter,
    text: String,
    start: usize,
}

impl Source {
    /// The page's Markdown.
    pub fn content(&self) -> &str {
        &self.text[self.start..]
    }
}

/// What is wrong with a file, and in which line of it if it is about one.
pub type Reason = (Option<usize>, String);

/// Looks at every `*.md` file below `folder`, but not at hidden files and folders.
///
/// Fails when the folder itself cannot be read.
pub fn scan(folder: &Path) -> anyhow::Result<Scan> {
    let found = folder.metadata().with_context(|| format!("cannot read {}", folder.display()))?;
    ensure!(found.is_dir(), "{} is not a folder", folder.display());
    let mut scan = Scan::default();
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(folder);
                let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                scan.fail(relative(path, folder), (None, message));
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
                scan.items.push(Item { path: entry.into_path(), file, slug: source.slug });
            }
            Err(reason) => scan.fail(file, reason),
        }
    }
    scan.refuse_duplicates();
    Ok(scan)
}

impl Scan {
    fn fail(&mut self, file: PathBuf, (line, message): Reason) {
        self.failures.push(Failure { file, line, message });
    }

    /// Of several files for one page none is imported: which is meant, only a person knows.
    fn refuse_duplicates(&mut self) {
        let mut files: HashMap<&str, (usize, &Path)> = HashMap::new();
        for item in &self.items {
            files.entry(&item.slug).or_insert((0, &item.file)).0 += 1;
        }
        let mut failures = Vec::new();
        for item in &self.items {
            if let Some((2.., first)) = files.get(item.slug.as_str()) {
                let other = self.items.iter().find(|it| it.slug == item.slug && it.file != item.file);
                let other = if item.file == *first { other.map_or(*first, |it| &it.file) } else { first };
                let message =
                    format!("has the slug {:?} like {}; give one of them another", item.slug, other.display());
                failures.push(Failure { file: item.file.clone(), line: None, message });
            }
        }
        let refused: Vec<&Path> = failures.iter().map(|failure| failure.file.as_path()).collect();
        // Both are in the order of the walk.
        let mut refused = refused.into_iter().peekable();
        self.items.retain(|item| refused.next_if(|file| *file == item.file).is_none());
        self.failures.extend(failures);
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn relative(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

/// Reads a file whose path below the imported folder is `relative`.
pub fn read(path: &Path, relative: &Path) -> Result<Source, Reason> {
    let too_large = |size: String| {
        let message = format!("has {size} bytes of content; a page may have at most {MAX_CONTENT}. Split it");
        (None, message)
    };
    let unreadable = |error: std::io::Error| (None, format!("cannot be read: {error}"));
    // Not by its length beforehand: the file may grow, or be a device.
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
        (Some(line), "is not UTF-8".to_owned())
    })?;
    let document = Document::parse(&text).map_err(|it| (Some(it.line), it.message))?;
    let start = text.len() - document.content.len();
    if document.content.len() > MAX_CONTENT {
        return Err(too_large(document.content.len().to_string()));
    }
    check(&document, &text[..start], SystemTime::now().into())?;
    let front = document.front;
    let slug = match &front.slug {
        Some(slug) => slug.clone(),
        None => slug::of_file(relative)
            .ok_or_else(|| (None, "no slug can be made of its name: give it one in its front matter".to_owned()))?,
    };
    Ok(Source { slug, front, text, start })
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
    fn what_cannot_be_a_page_is_refused_with_its_place() {
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
            "front.md:3: time: \"soon\"",
            "huge.md: has more than",
            "large.md: has 1048577 bytes",
            "\u{2026}.md: no slug",
        ]) {
            assert!(failure.starts_with(start), "{failures:#?}");
        }
        assert_eq!(failures.len(), 5);
    }

    #[test]
    fn a_mebibyte_below_front_matter_is_a_page() {
        let text = format!("---\ntitle: x\n---\n{}", "x".repeat(MAX_CONTENT));
        let folder = folder(&[("a.md", text.as_bytes())]);
        assert_eq!(read(&folder.path().join("a.md"), Path::new("a.md")).unwrap().content().len(), MAX_CONTENT);
    }

    #[test]
    fn files_for_the_same_page_are_all_refused() {
        let folder = folder(&[("A b.md", b"x"), ("a-b.md", b"x"), ("c.md", b"x"), ("d.md", b"---\nslug: a-b\n---\n")]);
        let scan = scan(folder.path()).unwrap();
        assert_eq!(scan.items.len(), 1);
        assert_eq!(
            failures(&scan),
            [
                "A b.md: has the slug \"a-b\" like a-b.md; give one of them another",
                "a-b.md: has the slug \"a-b\" like A b.md; give one of them another",
                "d.md: has the slug \"a-b\" like A b.md; give one of them another",
            ]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = folder(&[("a.md", b"x")]);
        for path in [folder.path().join("gone"), folder.path().join("a.md")] {
            let error = format!("{:#}", scan(&path).unwrap_err());
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        let folder = folder(&[("a/b.md", b"x")]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/circle")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("a/b.md"), folder.path().join("link.md")).unwrap();
        let scan = scan(folder.path()).unwrap();
        assert_eq!(scan.items.len(), 2);
        assert_eq!(scan.failures.len(), 1);
    }
}
