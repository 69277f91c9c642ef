//! Which page a path in a link means, among the files of an import.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use wiki_types::rules::composed;
use wiki_types::slug::slugify_name;

use super::name::Name;

/// A file, as links may call it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub name: &'a Name,
    pub slug: &'a str,
    /// The address that its front matter gives it.
    pub permalink: Option<&'a str>,
}

/// The files by their paths and names.
///
/// Paths are compared as slugs, segment by segment: programs write links with other spaces, hyphens and cases than names.
#[derive(Debug, Default)]
pub struct Index {
    slugs: Vec<String>,
    places: Vec<Place>,
    exact: HashMap<String, usize>,
    paths: HashMap<String, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
    /// Directories that addresses begin in, each with a slash.
    roots: Vec<&'static str>,
}

/// Where a file is, to choose among those with one name.
#[derive(Debug)]
struct Place {
    directory: String,
    /// The key of its path.
    key: String,
}

/// Names of files that are those of their directories.
const OF_DIRECTORIES: [&str; 3] = ["index", "_index", "README"];

impl Index {
    pub fn new<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Self {
        let mut index = Self { roots: vec![""], ..Self::default() };
        for Entry { name, slug, permalink } in entries {
            let number = index.slugs.len();
            let raw = composed(&name.raw).into_owned();
            let (directory, stem) = raw.rsplit_once('/').unwrap_or(("", &raw));
            index.slugs.push(slug.to_owned());
            index.places.push(Place { directory: directory.to_owned(), key: key(&raw) });
            let mut paths = vec![key(&raw), key(&name.clean)];
            if OF_DIRECTORIES.contains(&stem) && !directory.is_empty() {
                paths.push(key(directory));
            }
            if let (Some(day), Some((_, title))) = (&name.day, name.clean.rsplit_once('/').or(Some(("", &name.clean))))
            {
                paths.push(key(&format!("{}/{title}", day.replace('-', "/"))));
            }
            if let Some((directory, _)) = name.clean.rsplit_once('/') {
                paths.push(key(&format!("{directory}/{slug}")));
            }
            paths.extend(permalink.map(|it| key(without_ending(it.trim_matches('/')))));
            paths.dedup();
            let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
            let mut names = vec![key(stem), last(&key(&name.clean)), slug.to_owned()];
            names.sort();
            names.dedup();
            for path in paths {
                index.paths.entry(path).or_default().push(number);
            }
            for name in names {
                index.names.entry(name).or_default().push(number);
            }
            if raw.starts_with("content/") && !index.roots.contains(&"content/") {
                index.roots.push("content/");
            }
            index.exact.entry(raw).or_insert(number);
        }
        index
    }

    /// The slug of the page of the directory that a file is in: of the file in it that stands for it, or of the one beside it that
    /// has its name; else of the directory around it. That of a directory's own file is the one around the directory.
    pub fn of_directory(&self, name: &Name) -> Option<&str> {
        let raw = composed(&name.raw);
        let (mut directory, stem) = raw.rsplit_once('/')?;
        if OF_DIRECTORIES.contains(&stem) {
            directory = directory.rsplit_once('/')?.0;
        }
        loop {
            let own = OF_DIRECTORIES.iter().map(|stem| format!("{directory}/{stem}"));
            let found = own.chain([directory.to_owned()]).find_map(|path| self.exact.get(&path));
            match (found, directory.rsplit_once('/')) {
                (Some(number), _) => return Some(&self.slugs[*number]),
                (None, Some((around, _))) => directory = around,
                (None, None) => return None,
            }
        }
    }

    /// The slug of the page at `path`, a path or an address without query and section, as a file at `from` means it.
    pub fn by_path(&self, from: &Name, path: &str) -> Option<&str> {
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let path = composed(without_ending(decoded.trim_end_matches('/')));
        let directory = from.raw.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut found = None;
        match path.strip_prefix('/') {
            None => {
                // Some programs write links from the address of the page, which ends in a slash; others from the root.
                for base in [directory, &from.raw, ""] {
                    found = found.or_else(|| self.at(&joined(base, &path)));
                }
            }
            Some(absolute) => {
                for root in &self.roots {
                    found = found.or_else(|| self.at(&format!("{root}{absolute}")));
                }
                // Wiki.js has the language before the path.
                let language = absolute
                    .split_once('/')
                    .filter(|(first, _)| first.len() == 2 || first.contains('-') && first.len() == 5);
                found = found.or_else(|| self.at(language?.1));
            }
        }
        found.or_else(|| self.by_address(&path)).map(|number| &*self.slugs[number])
    }

    /// The file at a path below the imported directory.
    fn at(&self, path: &str) -> Option<usize> {
        self.exact.get(path).or_else(|| self.paths.get(&key(path))?.first()).copied().filter(|_| !path.is_empty())
    }

    /// The file that an address of BookStack or Outline means: `/books/a/page/name`, `/doc/name-Xy12345678`.
    fn by_address(&self, path: &str) -> Option<usize> {
        let (rest, name) = path.rsplit_once('/')?;
        let name = match rest.rsplit('/').next()? {
            "page" => name,
            "doc" => {
                let (name, id) = name.rsplit_once('-')?;
                Some(name).filter(|_| id.len() == 10 && id.chars().all(|c| c.is_ascii_alphanumeric()))?
            }
            _ => return None,
        };
        self.names.get(&key(name))?.first().copied()
    }

    /// The slug of the page that `[[target]]` means in a file at `from`, as in Obsidian: by its path or the end of it; of
    /// several the one in the same directory, or else the one least deep.
    pub fn by_name(&self, from: &Name, target: &str) -> Option<&str> {
        let target = composed(without_ending(target.trim().trim_matches('/')));
        let directory = from.raw.rsplit_once('/').map_or("", |(directory, _)| directory);
        let by_path = self.exact.get(&*target).or_else(|| self.exact.get(&joined(directory, &target))).copied();
        let number = by_path.or_else(|| {
            let wanted = key(&target);
            let last = wanted.rsplit('/').next()?;
            let is_end = |number: &usize| {
                let path = &self.places[*number].key;
                *path == wanted || path.ends_with(&format!("/{wanted}")) || !wanted.contains('/')
            };
            let candidates = self.names.get(last)?.iter().copied().filter(is_end);
            candidates.min_by_key(|number| {
                let place = &self.places[*number];
                (place.directory != directory, place.key.matches('/').count())
            })
        })?;
        Some(&self.slugs[number])
    }
}

/// A path to compare.
fn key(path: &str) -> String {
    let segment = |segment: &str| slugify_name(segment).unwrap_or_else(|| segment.to_lowercase());
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// `path` relative to `directory`, without `.` and `..`.
fn joined(directory: &str, path: &str) -> String {
    let mut segments: Vec<&str> = directory.split('/').filter(|it| !it.is_empty()).collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// Without the ending of a file that may be a page.
fn without_ending(path: &str) -> &str {
    let endings = [".md", ".markdown", ".html", ".htm"];
    let cut = |ending: &&str| {
        let at = path.len().checked_sub(ending.len()).filter(|at| path.is_char_boundary(*at))?;
        path[at..].eq_ignore_ascii_case(ending).then_some(&path[..at])
    };
    endings.iter().find_map(cut).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const ID: &str = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d";

    fn name(path: &str) -> Name {
        Name::of(Path::new(path)).unwrap()
    }

    /// The slug of each path is the path itself.
    fn index(paths: &[&str]) -> Index {
        let names: Vec<Name> = paths.iter().map(|path| name(path)).collect();
        let entries = names.iter().zip(paths).map(|(name, slug)| Entry { name, slug, permalink: None });
        Index::new(entries)
    }

    #[test]
    fn a_file_belongs_to_its_directory() {
        let index = index(&[
            "team.md",
            "team/a.md",
            "team/sub/b.md",
            "guide/index.md",
            "guide/c.md",
            "guide/deep/README.md",
            "guide/deep/d.md",
            "alone/e.md",
            "top.md",
        ]);
        for (file, parent) in [
            ("team/a.md", Some("team.md")),
            ("team/sub/b.md", Some("team.md")),
            ("guide/c.md", Some("guide/index.md")),
            ("guide/deep/d.md", Some("guide/deep/README.md")),
            ("guide/deep/README.md", Some("guide/index.md")),
            ("guide/index.md", None),
            ("alone/e.md", None),
            ("top.md", None),
        ] {
            assert_eq!(index.of_directory(&name(file)), parent, "{file}");
        }
    }

    #[test]
    fn paths_are_found_from_the_file_and_from_the_root() {
        let notion = format!("Team/Sub page {ID}.md");
        let index = index(&[
            "other.md",
            "guide/Getting started.md",
            "guide/deep/a.md",
            "guide/index.md",
            "_posts/2024-05-01-hello.md",
            "content/posts/b.md",
            &notion,
        ]);
        let from = name("guide/deep/x.md");
        for (path, slug) in [
            ("a.md", Some("guide/deep/a.md")),
            ("./a.md", Some("guide/deep/a.md")),
            ("../../other.md", Some("other.md")),
            ("../Getting%20started.md", Some("guide/Getting started.md")),
            ("../getting_started", Some("guide/Getting started.md")),
            ("..", Some("guide/index.md")),
            ("/guide/", Some("guide/index.md")),
            ("other.md", Some("other.md")),
            ("guide/deep/a", Some("guide/deep/a.md")),
            ("../a/", Some("guide/deep/a.md")),
            ("/other", Some("other.md")),
            ("/en/guide/getting-started", Some("guide/Getting started.md")),
            ("/posts/b/", Some("content/posts/b.md")),
            ("/2024/05/01/hello.html", Some("_posts/2024-05-01-hello.md")),
            ("/_posts/2024-05-01-hello.md", Some("_posts/2024-05-01-hello.md")),
            (&format!("/Team/Sub%20page%20{ID}.md"), Some(&*notion)),
            ("/books/a-book/page/getting-started", Some("guide/Getting started.md")),
            ("/doc/getting-started-Ab12Cd34Ef", Some("guide/Getting started.md")),
            ("missing.md", None),
            ("../../../../etc/passwd", None),
            ("", None),
            ("/", None),
        ] {
            assert_eq!(index.by_path(&from, path), slug, "{path}");
        }
    }

    #[test]
    fn the_same_path_in_another_case_is_another_file() {
        let index = index(&["A b.md", "a-b.md"]);
        assert_eq!(index.by_path(&name("x.md"), "a-b.md"), Some("a-b.md"));
        assert_eq!(index.by_path(&name("x.md"), "A%20b.md"), Some("A b.md"));
    }

    #[test]
    fn names_are_found_wherever_the_file_is() {
        let index = index(&["Projects/Alpha.md", "Archive/2020/Alpha.md", "Archive/Beta.md", "Gamma.md"]);
        let root = name("x.md");
        for (from, target, slug) in [
            (&root, "Alpha", Some("Projects/Alpha.md")),
            (&root, "alpha.md", Some("Projects/Alpha.md")),
            (&name("Archive/2020/y.md"), "Alpha", Some("Archive/2020/Alpha.md")),
            (&root, "2020/Alpha", Some("Archive/2020/Alpha.md")),
            (&root, "Projects/Alpha", Some("Projects/Alpha.md")),
            (&root, "Other/Alpha", None),
            (&root, "Gamma", Some("Gamma.md")),
            (&root, "Missing", None),
        ] {
            assert_eq!(index.by_name(from, target), slug, "{target}");
        }
    }

    #[test]
    fn addresses_of_front_matter_are_found() {
        let page = name("a.md");
        let index = Index::new([Entry { name: &page, slug: "a", permalink: Some("/about/us.html") }]);
        assert_eq!(index.by_path(&name("x.md"), "/about/us"), Some("a"));
    }
}
