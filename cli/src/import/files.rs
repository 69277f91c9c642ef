//! Files that a text shows or links to: pictures, and what else is no page. They become files of its page.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use pulldown_cmark::{Event, LinkType, Tag};
use walkdir::{DirEntry, WalkDir};
use wiki_types::files::file_name;

use super::links::has_scheme;
use super::markdown::{is_markdown, parser};

/// Where a text refers to a file that is there.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// The file.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// The part of the text that names it.
    range: Range<usize>,
    /// What stands around its address in the place of that part.
    around: (String, String),
}

/// The files in the directory that is imported.
pub struct Files<'a> {
    root: &'a Path,
    /// Those that are not Markdown by their names: of several, the least deep. Looked up when first needed.
    by_name: OnceLock<HashMap<String, PathBuf>>,
}

impl<'a> Files<'a> {
    /// Those in `root`.
    pub fn new(root: &'a Path) -> Self {
        Self { root, by_name: OnceLock::new() }
    }

    /// The files that `content` refers to, the text of `file`. None of them is outside of the directory.
    pub fn references(&self, content: &str, file: &Path) -> Vec<Reference> {
        let mut references: Vec<Reference> = Vec::new();
        for (event, range) in parser(content).into_offset_iter() {
            let (link_type, destination, title, is_image) = match &event {
                Event::Start(Tag::Image { link_type, dest_url, title, .. }) => (*link_type, dest_url, title, true),
                Event::Start(Tag::Link { link_type, dest_url, title, .. }) => (*link_type, dest_url, title, false),
                _ => continue,
            };
            let destination = destination.strip_suffix('\\').unwrap_or(destination);
            let Some((path, name)) = self.find(destination, file) else { continue };
            let source = &content[range.clone()];
            let (range, around) = match link_type {
                LinkType::Inline => {
                    let Some(middle) = source.rfind("](") else { continue };
                    let title =
                        if title.is_empty() { String::new() } else { format!(" \"{}\"", escaped(title, &['"'])) };
                    (range.start + middle..range.end, ("](".to_owned(), format!("{title})")))
                }
                // As Obsidian writes it.
                LinkType::WikiLink { .. } => {
                    let words = source.trim_end_matches(']').split_once('|').map_or(&*name, |(_, words)| words);
                    // Only the width, of an image.
                    let words = if words.bytes().all(|byte| byte.is_ascii_digit()) { &*name } else { words };
                    let mark = if is_image { "!" } else { "" };
                    (range, (format!("{mark}[{}](", escaped(words, &['[', ']'])), ")".to_owned()))
                }
                _ => continue,
            };
            references.push(Reference { path, name, range, around });
        }
        // An image in a link has its own place.
        references.sort_by_key(|reference| reference.range.start);
        references
    }

    /// Whether `destination`, a link in the text of `file`, leads to a file that is not Markdown.
    pub fn has(&self, destination: &str, file: &Path) -> bool {
        self.find(destination, file).is_some()
    }

    /// The file that `destination` names, and its name.
    fn find(&self, destination: &str, file: &Path) -> Option<(PathBuf, String)> {
        if has_scheme(destination) {
            return None;
        }
        let path = destination.split(['?', '#']).next().unwrap_or_default();
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let (is_from_top, path) = match decoded.strip_prefix('/') {
            Some(path) => (true, path),
            None => (false, &*decoded),
        };
        let name = Path::new(path).file_name()?.to_str()?.to_owned();
        let is_page = is_markdown(Path::new(&name)) && !is_of_page(Path::new(path));
        if is_page || name.starts_with('.') || file_name(&name).is_err() {
            return None;
        }
        // Obsidian writes paths from the top of the vault, or names alone.
        let places = [
            (!is_from_top).then(|| file.parent().map(|folder| folder.join(path))).flatten(),
            Some(self.root.join(path)),
        ];
        let place = places.into_iter().flatten().find(|place| place.is_file());
        let place = place.or_else(|| self.by_name().get(path).cloned())?;
        // Whatever the path says, and wherever links of the file system lead.
        let place = fs::canonicalize(place).ok()?;
        place.starts_with(fs::canonicalize(self.root).ok()?).then_some((place, name))
    }

    fn by_name(&self) -> &HashMap<String, PathBuf> {
        self.by_name.get_or_init(|| {
            let is_shown =
                |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
            let walk =
                WalkDir::new(self.root).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_shown);
            let files = walk.flatten().filter(|entry| entry.file_type().is_file() && !is_markdown(entry.path()));
            let mut files: Vec<(usize, PathBuf)> = files.map(|entry| (entry.depth(), entry.into_path())).collect();
            // What comes later stays: the least deep.
            files.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
            files.into_iter().filter_map(|(_, path)| Some((path.file_name()?.to_str()?.to_owned(), path))).collect()
        })
    }
}

/// `content` with the addresses of files in place of what refers to them.
pub fn replaced(content: &str, addresses: &[(&Reference, String)]) -> String {
    let mut text = String::with_capacity(content.len());
    let mut at = 0;
    for (Reference { range, around: (before, after), .. }, address) in addresses {
        if range.start >= at {
            text.extend([&content[at..range.start], before, address, after]);
            at = range.end;
        }
    }
    text.push_str(&content[at..]);
    text
}

/// Whether the file is one of a page that was exported: `files/12/notes.md`.
pub fn is_of_page(file: &Path) -> bool {
    let parts: Vec<_> = file.iter().filter_map(|part| part.to_str()).collect();
    matches!(parts[..], ["files", number, _] if number.parse::<i64>().is_ok())
}

/// `text` with backslashes before these characters.
fn escaped(text: &str, characters: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\\' || characters.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The media type of a file by its name. What the wiki recognises by itself needs none.
pub fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("svg") => "image/svg+xml",
        Some("txt" | "log") => "text/plain",
        Some("csv") => "text/csv",
        Some("html" | "htm") => "text/html",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("guide/img")).unwrap();
        for file in ["guide/img/a b.png", "plan.pdf", "guide/page.md", ".hidden.png", "../secret.txt"] {
            fs::write(root.join(file), "x").unwrap();
        }
        folder
    }

    /// The text with the files' names in capitals in place of what refers to them.
    fn rewritten(folder: &Path, text: &str) -> String {
        let root = folder.join("root");
        let references = Files::new(&root).references(text, &root.join("guide/page.md"));
        let addresses: Vec<_> = references.iter().map(|it| (it, it.name.to_uppercase().replace(' ', "_"))).collect();
        replaced(text, &addresses)
    }

    #[test]
    fn files_that_are_there_get_other_addresses() {
        let folder = folder();
        for (text, expected) in [
            ("![x](img/a%20b.png)", "![x](A_B.PNG)"),
            ("![x](<img/a b.png> \"A \\\"title\\\"\")", "![x](A_B.PNG \"A \\\"title\\\"\")"),
            ("![x](./img/a%20b.png) and [*y*](../plan.pdf#page=2)", "![x](A_B.PNG) and [*y*](PLAN.PDF)"),
            ("[![x](img/a%20b.png)](https://example.org)", "[![x](A_B.PNG)](https://example.org)"),
            ("![x](/plan.pdf)", "![x](PLAN.PDF)"),
            ("![[img/a b.png]] ![[img/a b.png|300]]", "![a b.png](A_B.PNG) ![a b.png](A_B.PNG)"),
            (
                "[[../plan.pdf|the plan]] ![[plan.pdf]] ![[a b.png]]",
                "[the plan](PLAN.PDF) ![plan.pdf](PLAN.PDF) ![a b.png](A_B.PNG)",
            ),
        ] {
            assert_eq!(rewritten(folder.path(), text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_else_does() {
        let folder = folder();
        for text in [
            "![x](gone.png)",
            "![x](https://example.org/plan.pdf)",
            "[x](page.md) [x](img) [x]()",
            "![x](../.hidden.png)",
            "`![x](/plan.pdf)`",
            // Outside of the directory that is imported.
            "![x](../../secret.txt) ![x](/../secret.txt)",
        ] {
            assert_eq!(rewritten(folder.path(), text), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_of_the_file_system_does_not_lead_outside() {
        let folder = folder();
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), folder.path().join("root/a.txt")).unwrap();
        assert_eq!(rewritten(folder.path(), "[x](/a.txt)"), "[x](/a.txt)");
    }

    proptest! {
        #[test]
        fn any_text_can_be_rewritten(text in "(\\[|\\]|\\(|\\)|!|#|\\||\\\\|\"|<|>| |\n|x|/plan\\.pdf|img/a%20b\\.png|`){0,30}") {
            let folder = folder();
            _ = rewritten(folder.path(), &text);
        }
    }
}
