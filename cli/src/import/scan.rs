//! The files to import. All are read once before the first page is written, so that errors in files are reported first, and
//! links between files are known.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, ensure};
use encoding_rs::Encoding;
use walkdir::{DirEntry, WalkDir};
use wiki_types::rules::MAX_CONTENT;
use wiki_types::slug::MAX_LENGTH;

use super::encoding::decode;
use super::failure::{Failure, FileError};
use super::files::is_of_page;
use super::index::{Entry, Index};
use super::left_out::LeftOut;
use super::markdown::is_markdown;
use super::name::Name;
use super::page::{Habits, Page};
use crate::front_matter::{Document, Tags};

/// The most bytes of front matter: far more than its values can need.
const MAX_FRONT_MATTER: usize = 64 << 10;

/// The most bytes of a file: in UTF-16, most characters take twice as many as in UTF-8.
const MAX_FILE: usize = 2 * (MAX_CONTENT + MAX_FRONT_MATTER);

/// Directories with Markdown that is no page, of Jekyll and of Hugo.
const OF_JEKYLL: [&str; 8] = ["_site", "_layouts", "_includes", "_data", "_sass", "_plugins", "node_modules", "vendor"];
const OF_HUGO: [&str; 10] =
    ["archetypes", "themes", "layouts", "static", "public", "resources", "assets", "data", "i18n", "node_modules"];

/// How to read the files, as the command line says and the directory shows.
#[derive(Debug, Default)]
pub struct Options {
    /// Whether drafts become pages.
    pub drafts: bool,
    /// The encoding of files that are not UTF-8.
    pub encoding: Option<&'static Encoding>,
    habits: Habits,
    /// Directories of the program that makes a site of the files.
    skipped: &'static [&'static str],
    /// The directory with the pages, which is no part of their names; or none.
    root: &'static str,
}

impl Options {
    /// For the files in `folder`.
    pub fn new(folder: &Path, drafts: bool, encoding: Option<&'static Encoding>) -> Self {
        let has = |name: &str| folder.join(name).exists();
        let is_obsidian = has(".obsidian");
        let is_jekyll = has("_config.yml") || has("_config.yaml") || has("_posts");
        let has_one =
            |stem: &str| ["toml", "yaml", "yml", "json"].iter().any(|ending| has(&format!("{stem}.{ending}")));
        let is_hugo = has("content") && (has_one("hugo") || has_one("config"));
        let tags = if is_obsidian || is_jekyll { Tags::BySpace } else { Tags::ByComma };
        let skipped: &[&str] = match (is_jekyll, is_hugo) {
            (true, _) => &OF_JEKYLL,
            (false, true) => &OF_HUGO,
            (false, false) => &[],
        };
        let habits = Habits { tags, titled_by_file: is_obsidian || is_mediawiki(folder) };
        Self { drafts, encoding, habits, skipped, root: if is_hugo { "content" } else { "" } }
    }
}

/// A file that can be imported.
#[derive(Debug, PartialEq, Eq)]
pub struct ImportItem {
    pub path: PathBuf,
    /// The path below the imported directory.
    pub file: PathBuf,
    pub name: Name,
    /// The slug of its page.
    pub slug: String,
    /// The slug that the file asks for. The page has another one if another file has it.
    pub wanted_slug: String,
    has_chosen_slug: bool,
    /// Slugs of its page if that was made by an older version, and of no other file.
    pub old_slugs: Vec<String>,
    /// Slugs that should lead to its page as well.
    pub aliases: Vec<String>,
    permalink: Option<String>,
    /// The slug of the page it is below, where an export says so.
    parent: Option<String>,
    is_export: bool,
}

impl ImportItem {
    /// The slug of the page that its page comes below: of an export, what that says; else the page of its directory.
    pub fn parent<'a>(&'a self, index: &'a Index) -> Option<&'a str> {
        let parent = if self.is_export { self.parent.as_deref() } else { index.of_directory(&self.name) };
        parent.filter(|parent| *parent != self.slug)
    }
}

/// A file whose page has another slug than it asks for, because another file has that one.
#[derive(Debug, PartialEq, Eq)]
pub struct Renamed {
    pub file: PathBuf,
    pub slug: String,
    pub other: PathBuf,
}

/// The files found. Their texts are not kept, since there may be many.
#[derive(Debug, Default)]
pub struct Scan {
    /// In order of their paths.
    pub items: Vec<ImportItem>,
    pub failures: Vec<Failure>,
    pub renamed: Vec<Renamed>,
    pub left_out: LeftOut,
    /// The number of files by key of front matter that is ignored.
    pub unknown: BTreeMap<String, usize>,
    /// The number of files by author in front matter.
    pub authors: BTreeMap<String, usize>,
}

/// What a file says of its page, and its Markdown.
#[derive(Debug)]
pub struct Source {
    pub page: Page,
    pub content: String,
}

/// Reads every `*.md` file below `folder` except hidden files and directories. Fails if `folder` itself cannot be read.
pub fn scan(folder: &Path, options: &Options) -> anyhow::Result<Scan> {
    let found = folder.metadata().with_context(|| format!("cannot read {}", folder.display()))?;
    ensure!(found.is_dir(), "{} is not a directory", folder.display());
    let mut scan = Scan::default();
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => scan.add(entry.path(), relative(entry.path(), folder), options),
            Ok(_) => {}
            Err(error) => {
                let file = relative(error.path().unwrap_or(folder), folder);
                let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                scan.failures.push(Failure { file, error: FileError::new(message) });
            }
        }
    }
    scan.give_slugs();
    Ok(scan)
}

impl Scan {
    fn add(&mut self, path: &Path, file: PathBuf, options: &Options) {
        if !is_markdown(path) || is_of_page(&file) {
            *self.left_out.other_files.entry(ending(path)).or_default() += 1;
            return;
        }
        if is_below(&file, options.skipped) {
            self.left_out.generator_files += 1;
            return;
        }
        if !options.drafts && is_below(&file, &["_drafts"]) {
            self.left_out.drafts += 1;
            return;
        }
        let read = name(&file, options).and_then(|name| Ok((read(path, &name, options)?.page, name)));
        match read {
            Ok((page, _)) if page.is_draft && !options.drafts => self.left_out.drafts += 1,
            Ok((page, name)) => {
                for key in page.unknown {
                    *self.unknown.entry(key).or_default() += 1;
                }
                if let Some(author) = page.author {
                    *self.authors.entry(author).or_default() += 1;
                }
                let Page { slug, has_chosen_slug, aliases, permalink, parent, is_export, .. } = page;
                let old_slugs = if has_chosen_slug { Vec::new() } else { name.old_slugs() };
                let (path, wanted_slug) = (path.to_owned(), slug.clone());
                self.items.push(ImportItem {
                    path,
                    file,
                    name,
                    slug,
                    wanted_slug,
                    has_chosen_slug,
                    old_slugs,
                    aliases,
                    permalink,
                    parent,
                    is_export,
                });
            }
            Err(error) => self.failures.push(Failure { file, error }),
        }
    }

    /// Gives each file a slug of its own: of those that ask for the same one, those after the first get a number. The first
    /// is one that names the slug, or else the first by path.
    fn give_slugs(&mut self) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for chosen in [true, false] {
            for (number, item) in self.items.iter().enumerate().filter(|(_, item)| item.has_chosen_slug == chosen) {
                first.entry(item.wanted_slug.clone()).or_insert(number);
            }
        }
        let mut taken: HashSet<String> = first.keys().cloned().collect();
        for number in 0..self.items.len() {
            let holder = first[&self.items[number].wanted_slug];
            if holder == number {
                continue;
            }
            let slug = numbered(&self.items[number].wanted_slug, &taken);
            taken.insert(slug.clone());
            let other = self.items[holder].file.clone();
            self.renamed.push(Renamed { file: self.items[number].file.clone(), slug: slug.clone(), other });
            self.items[number].slug = slug;
        }
        let mut old: HashMap<String, usize> = HashMap::new();
        self.items.iter().flat_map(|item| &item.old_slugs).for_each(|slug| *old.entry(slug.clone()).or_default() += 1);
        let mut led: HashSet<String> = HashSet::new();
        for item in &mut self.items {
            item.old_slugs.retain(|slug| !taken.contains(slug) && old[slug] == 1);
            let wanted = item.aliases.len();
            item.aliases.retain(|alias| !taken.contains(alias) && led.insert(alias.clone()));
            self.left_out.aliases += wanted - item.aliases.len();
        }
    }

    /// The files as links call them.
    pub fn index(&self) -> Index {
        Index::new(self.items.iter().map(|item| Entry {
            name: &item.name,
            slug: &item.slug,
            permalink: item.permalink.as_deref(),
        }))
    }
}

/// The slug with the first number that is not in `taken`.
fn numbered(slug: &str, taken: &HashSet<String>) -> String {
    let with = |number: usize| {
        let number = format!("-{number}");
        let beginning: String = slug.chars().take(MAX_LENGTH - number.len()).collect();
        format!("{}{number}", beginning.trim_end_matches('-'))
    };
    (2..).map(with).find(|slug| !taken.contains(slug)).unwrap_or_else(|| slug.to_owned())
}

/// Whether pandoc has made the files of pages of MediaWiki, whose titles are not in their texts.
fn is_mediawiki(folder: &Path) -> bool {
    /// Enough to find one with a link.
    const FILES: usize = 100;
    const BYTES: u64 = 64 << 10;
    let files = WalkDir::new(folder).max_depth(2).into_iter().filter_map(Result::ok);
    files.filter(|entry| is_markdown(entry.path()) && entry.file_type().is_file()).take(FILES).any(|entry| {
        let mut text = Vec::new();
        let read = File::open(entry.path()).and_then(|file| file.take(BYTES).read_to_end(&mut text));
        read.is_ok() && String::from_utf8_lossy(&text).contains(" \"wikilink\")")
    })
}

/// What the name of a file that is not Markdown ends with.
pub fn ending(path: &Path) -> String {
    let ending = path.extension().map(|it| format!(".{}", it.to_string_lossy()).to_lowercase());
    ending.unwrap_or_else(|| "without an ending".to_owned())
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// Whether one of these directories is in the path.
fn is_below(file: &Path, directories: &[&str]) -> bool {
    let mut parts = file.parent().into_iter().flat_map(Path::components);
    parts.any(|part| matches!(part, Component::Normal(name) if directories.iter().any(|it| name == *it)))
}

fn relative(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

fn name(file: &Path, options: &Options) -> Result<Name, FileError> {
    let below = file.strip_prefix(options.root).unwrap_or(file);
    let names = Name::of(file).zip(Name::of(below));
    let (whole, below) = names.ok_or_else(|| FileError::new("its name is not Unicode"))?;
    Ok(Name { raw: whole.raw, ..below })
}

/// Reads the file at `path`, which is called `name`.
pub fn read(path: &Path, name: &Name, options: &Options) -> Result<Source, FileError> {
    let too_large = |size: String| {
        FileError::new(format!("has {size} bytes of content; the limit for a page is {MAX_CONTENT}. Split the file"))
    };
    let unreadable = |error: std::io::Error| FileError::new(format!("cannot be read: {error}"));
    // The length is not asked for beforehand: the file may grow, or be a device.
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MAX_FILE {
        return Err(too_large(format!("more than {MAX_FILE}")));
    }
    let text = decode(bytes, options.encoding)?;
    let document =
        Document::parse(&text, options.habits.tags).map_err(|invalid| FileError::at(invalid.line, invalid.message))?;
    let content = document.content;
    if content.len() > MAX_CONTENT {
        return Err(too_large(content.len().to_string()));
    }
    let start = text[..text.len() - content.len()].matches('\n').count();
    Ok(Source { page: Page::of(document, start, name, options.habits)?, content: content.to_owned() })
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

    fn scan(folder: &Path) -> anyhow::Result<Scan> {
        super::scan(folder, &Options::new(folder, false, None))
    }

    fn slugs(scan: &Scan) -> Vec<&str> {
        scan.items.iter().map(|item| &*item.slug).collect()
    }

    fn failures(scan: &Scan) -> Vec<String> {
        scan.failures.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn markdown_files_are_found_in_order_with_their_slugs() {
        let folder = folder(&[
            ("b.md", b"---\nauthor: ada\n---\nx"),
            ("a/Deep Page.MD", b"---\nauthor: ada\n---\nx"),
            ("c.markdown", b"---\nslug: other\nlayout: x\n---\n"),
            ("d.txt", b"x"),
            (".hidden/e.md", b"x"),
            (".f.md", b"x"),
        ]);
        let scan = scan(folder.path()).unwrap();
        assert_eq!(slugs(&scan), ["a-deep-page", "b", "other"]);
        assert_eq!(scan.unknown, BTreeMap::from([("layout".to_owned(), 1)]));
        assert_eq!(scan.authors, BTreeMap::from([("ada".to_owned(), 2)]));
        assert_eq!(scan.left_out.other_files, BTreeMap::from([(".txt".to_owned(), 1)]));
        assert!(scan.failures.is_empty());
    }

    #[test]
    fn invalid_files_are_reported_with_their_line() {
        let large = vec![b'x'; MAX_CONTENT + 1];
        let huge = vec![b'x'; MAX_FILE + 1];
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
        let name = Name::of(Path::new("a.md")).unwrap();
        let source = read(&folder.path().join("a.md"), &name, &Options::default()).unwrap();
        assert_eq!(source.content.len(), MAX_CONTENT);
    }

    #[test]
    fn files_with_the_same_slug_are_numbered() {
        let folder = folder(&[
            ("A b.md", b"x"),
            ("a-b-2.md", b"x"),
            ("a-b.md", b"x"),
            ("c.md", b"x"),
            ("d.md", b"---\nslug: a-b\n---\n"),
        ]);
        let scan = scan(folder.path()).unwrap();
        assert_eq!(slugs(&scan), ["a-b-3", "a-b-2", "a-b-4", "c", "a-b"]);
        let renamed = |file: &str, slug: &str| Renamed { file: file.into(), slug: slug.into(), other: "d.md".into() };
        assert_eq!(scan.renamed, [renamed("A b.md", "a-b-3"), renamed("a-b.md", "a-b-4")]);
        assert!(scan.failures.is_empty());
        let long = "a".repeat(100);
        let cut = numbered(&long, &HashSet::from([long.clone()]));
        assert_eq!((cut.len(), cut.ends_with("a-2")), (100, true));
    }

    #[test]
    fn aliases_lead_to_one_page() {
        let folder = folder(&[
            ("a.md", b"---\naliases: [b, old, A]\n---\n"),
            ("b.md", b"x"),
            ("c.md", b"---\nalias: old\n---\n"),
        ]);
        let scan = scan(folder.path()).unwrap();
        let aliases: Vec<_> = scan.items.iter().map(|item| item.aliases.join(" ")).collect();
        assert_eq!((aliases, scan.left_out.aliases), (vec!["old".to_owned(), String::new(), String::new()], 2));
    }

    #[test]
    fn an_old_slug_is_kept_if_it_is_that_of_one_file() {
        let folder = folder(&[("เก่า.md", b"x"), ("เก้า.md", b"x"), ("เข่า.md", b"x"), ("b.md", b"x")]);
        let old: Vec<_> = scan(folder.path()).unwrap().items.into_iter().map(|item| item.old_slugs.concat()).collect();
        assert_eq!(old, ["", "", "", "เข-า"]);
    }

    #[test]
    fn drafts_are_left_out_unless_they_are_asked_for() {
        let folder = folder(&[
            ("_config.yml", b"title: x"),
            ("_drafts/idea.md", b"x"),
            ("_layouts/README.md", b"x"),
            ("_posts/2024-05-01-post.md", b"---\ntags: one two\n---\nx"),
            ("draft.md", b"---\ndraft: true\n---\nx"),
            ("unpublished.md", b"---\npublished: false\n---\nx"),
        ]);
        let found = scan(folder.path()).unwrap();
        assert_eq!(slugs(&found), ["post"]);
        assert_eq!((found.left_out.drafts, found.left_out.generator_files), (3, 1));
        let options = Options::new(folder.path(), true, None);
        let with_drafts = super::scan(folder.path(), &options).unwrap();
        assert_eq!(slugs(&with_drafts), ["idea", "post", "draft", "unpublished"]);
        let post = read(&with_drafts.items[1].path, &with_drafts.items[1].name, &options).unwrap().page;
        assert_eq!(post.tags.unwrap(), ["one", "two"]);
    }

    #[test]
    fn the_directory_of_the_pages_is_no_part_of_their_names() {
        let folder = folder(&[
            ("hugo.toml", b""),
            ("archetypes/default.md", b"x"),
            ("content/_index.md", b"x"),
            ("content/posts/one.md", b"x"),
        ]);
        assert_eq!(slugs(&scan(folder.path()).unwrap()), ["index", "posts-one"]);
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
