//! Checks what the documentation says against the repository: `cargo xtask` commands and relative links.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Folders with no documentation of ours, besides hidden ones: built things, texts that tests send to the wiki, and other
/// people's libraries.
const NOT_DOCUMENTATION: [&str; 4] = ["target", "tests/data", "tests/browser", "tests/fixtures/imports"];

/// Checks every Markdown file below `root`; fails with a line for each mistake.
pub fn check(root: &Path, commands: &clap::Command) -> anyhow::Result<()> {
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    let mut mistakes = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file).display();
        let folder = file.parent().unwrap_or(root);
        for (number, line) in lines(&text) {
            let mistake = match line {
                Line::Code(code) => wrong_command(code, commands),
                Line::Prose(prose) => broken_link(prose, folder)
                    .or_else(|| prose.split('`').skip(1).step_by(2).find_map(|code| wrong_command(code, commands))),
            };
            mistakes.extend(mistake.map(|mistake| format!("{name}:{number}: {mistake}")));
        }
    }
    ensure!(root.join("README.md").exists(), "README.md is missing");
    ensure!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    Ok(())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type().with_context(|| format!("cannot read {}", path.display()))?.is_dir() {
            let excluded =
                path.strip_prefix(root).is_ok_and(|path| NOT_DOCUMENTATION.iter().any(|it| path == Path::new(it)));
            if !hidden && !excluded {
                collect(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Prose(&'a str),
    Code(&'a str),
}

/// The lines of a text with their numbers from 1, without the fences themselves.
fn lines(text: &str) -> impl Iterator<Item = (usize, Line<'_>)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return Some((index + 1, Line::Prose(line))),
            (Some(_), _) => return Some((index + 1, Line::Code(line))),
        }
        None
    })
}

/// What is wrong with the `cargo xtask` command in a piece of code, if there is one and it would not be understood.
fn wrong_command(code: &str, commands: &clap::Command) -> Option<String> {
    let (_, rest) = code.split_once("cargo xtask ")?;
    let mut words =
        rest.split(['#', '|', '&', ';', ')']).next()?.split_whitespace().map(|word| word.trim_matches(['[', ']']));
    let name = words.next()?;
    if name.starts_with('-') || name.starts_with('<') {
        return None;
    }
    let Some(chore) = commands.find_subcommand(name) else {
        return Some(format!("there is no `cargo xtask {name}`"));
    };
    words
        .take_while(|word| *word != "--")
        .filter_map(|word| word.strip_prefix("--"))
        .map(|word| word.split('=').next().unwrap_or(word))
        .find(|option| *option != "help" && !chore.get_arguments().any(|known| known.get_long() == Some(option)))
        .map(|option| format!("`cargo xtask {name}` has no option --{option}"))
}

/// The first relative link in a line that leads nowhere.
fn broken_link(prose: &str, folder: &Path) -> Option<String> {
    // What stands between backquotes is an example, and no link.
    let outside: String = prose.split('`').step_by(2).collect();
    outside.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next()).find_map(|link| {
        let elsewhere = link.is_empty() || link.contains(':');
        (!elsewhere && !folder.join(link).exists()).then(|| format!("the link to {link} is broken"))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn wrong(code: &str) -> Option<String> {
        wrong_command(code, &crate::Cli::command())
    }

    #[test]
    fn commands_that_exist_are_right() {
        for code in [
            "cargo xtask up",
            "$ DATABASE_URL=postgres://me@db/wiki cargo xtask up --port 8080 --data=/tmp/wiki  # then Ctrl-C",
            "cargo xtask up [--port N]",
            "cargo xtask up -- --max-body 1MiB",
            "cargo xtask test --help && echo --fine",
            "cargo xtask <chore>",
            "cargo build --nothing-of-ours",
        ] {
            assert_eq!(wrong(code), None, "{code}");
        }
    }

    #[test]
    fn commands_that_do_not_exist_are_named() {
        assert_eq!(wrong("cargo xtask fly").as_deref(), Some("there is no `cargo xtask fly`"));
        assert_eq!(wrong("cargo xtask up --fly").as_deref(), Some("`cargo xtask up` has no option --fly"));
    }

    #[test]
    fn links_are_followed_from_the_file_s_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for fine in ["[a](main.rs)", "[a](../Cargo.toml#x \"t\")", "[a](#here)", "[a](https://x.y/z)", "none"] {
            assert_eq!(broken_link(fine, &folder), None, "{fine}");
        }
        assert_eq!(
            broken_link("[a](main.rs), [b](gone.md)", &folder).as_deref(),
            Some("the link to gone.md is broken")
        );
    }

    #[test]
    fn code_is_told_from_prose() {
        let text = "a\n```sh\nb\n~~~\n```\nc\n~~~\nd\n~~~";
        let found: Vec<_> = lines(text).collect();
        let expected = [
            (1, Line::Prose("a")),
            (3, Line::Code("b")),
            (4, Line::Code("~~~")),
            (6, Line::Prose("c")),
            (8, Line::Code("d")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_mistake_is_reported_with_its_place() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("README.md"), "fine\n\nrun `cargo xtask fly`, see [it](gone.md)\n").unwrap();
        fs::create_dir(root.path().join("target")).unwrap();
        fs::write(root.path().join("target/built.md"), "[a](gone.md)").unwrap();
        let error = check(root.path(), &crate::Cli::command()).unwrap_err().to_string();
        assert_eq!(error, "README.md:3: the link to gone.md is broken");
    }
}
