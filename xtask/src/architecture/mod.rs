//! `cargo xtask architecture`: holds the imports between modules to an order, and draws them.
//!
//! In every crate of the workspace, no files import each other in a circle. In a crate whose root documents its layers,
//! imports go from a layer to those below it. Code for tests is free to import what it likes.

mod cycles;
mod drawing;
mod imports;
mod layers;
mod packages;
mod source;

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::progress::say;
use crate::workspace::Workspace;
use imports::Imports;
use layers::Layer;
use source::Source;

/// What to do with the drawing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Put the drawing into docs/ARCHITECTURE.md instead of printing it.
    #[arg(long)]
    write: bool,
}

const DOCUMENT: &str = "docs/ARCHITECTURE.md";
const BEGIN: &str = "<!-- begin: drawn by `cargo xtask architecture --write` -->\n";
const END: &str = "<!-- end -->\n";

/// Draws the modules of every crate that documents its layers; fails when imports are not in order.
pub fn architecture(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let crates = read(&workspace.root)?;
    if args.write {
        let document = workspace.root.join(DOCUMENT);
        let text = fs::read_to_string(&document).with_context(|| format!("cannot read {DOCUMENT}"))?;
        let text = with_drawing(&text, &drawing(&crates))?;
        fs::write(&document, text).with_context(|| format!("cannot write {DOCUMENT}"))?;
    } else {
        say(drawing(&crates).trim_end());
    }
    let mistakes = mistakes(&crates);
    ensure!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    Ok(())
}

/// A crate and what is known of its modules.
struct Crate {
    source: Source,
    imports: Imports,
    layers: Vec<Layer>,
}

impl Crate {
    /// Reads the crate whose root is the file `file`, relative to `folder`.
    fn read(folder: &Path, file: &Path) -> anyhow::Result<Self> {
        let source = Source::read(folder, file)?;
        let (imports, layers) = (imports::imports(&source), layers::layers(&source));
        Ok(Self { source, imports, layers })
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = self.source.mistakes.clone();
        // An upward import often explains a cycle.
        mistakes.extend(layers::mistakes(&self.source, &self.layers, &self.imports));
        mistakes.extend(cycles::cycles(&self.source, &self.imports));
        mistakes
    }
}

/// Reads all crates of the workspace in `root`.
fn read(root: &Path) -> anyhow::Result<Vec<Crate>> {
    packages::crate_roots(root)?.iter().map(|file| Crate::read(root, file)).collect()
}

/// What is wrong in any of the crates. A file that several crates share is reported once.
fn mistakes(crates: &[Crate]) -> Vec<String> {
    let mut mistakes = Vec::new();
    for mistake in crates.iter().flat_map(Crate::mistakes) {
        if !mistakes.contains(&mistake) {
            mistakes.push(mistake);
        }
    }
    mistakes
}

/// The part of the document that is drawn.
fn drawing(crates: &[Crate]) -> String {
    let mut text = "An arrow is an import. It is left out where other arrows lead to the same module.\n".to_owned();
    for it in crates.iter().filter(|it| !it.layers.is_empty()) {
        let folder = it.source.modules[0].file.parent().unwrap_or(Path::new(""));
        text.push_str(&format!("\n`{}/`:\n\n", folder.display()));
        text.push_str(&drawing::draw(&it.source, &it.layers, &it.imports));
    }
    text
}

/// The document with a new drawing between its markers.
fn with_drawing(document: &str, drawing: &str) -> anyhow::Result<String> {
    let parts = document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.with_context(|| format!("{DOCUMENT} lacks the lines between which the drawing goes:\n{BEGIN}{END}"))?;
    Ok(format!("{before}{BEGIN}\n{drawing}\n{END}{after}"))
}

#[cfg(test)]
mod tests;
