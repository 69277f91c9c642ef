//! Import cycles: files that cannot be understood, tested or moved without each other.

use std::fmt::Write;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::imports::Imports;
use super::source::Source;

/// A description of each group of files that import each other in a circle, with the imports inside it.
pub fn cycles(source: &Source, imports: &Imports) -> Vec<String> {
    let groups = tarjan_scc(&graph(imports.keys().copied()));
    let groups = groups.into_iter().filter(|group| group.len() > 1);
    let mut cycles: Vec<_> = groups
        .map(|group| {
            let mut files: Vec<_> = group.iter().map(|node| node.index()).collect();
            files.sort_unstable();
            describe(source, imports, &files)
        })
        .collect();
    cycles.sort_unstable();
    cycles
}

/// A graph whose nodes have the indices that the arrows use.
pub fn graph(arrows: impl IntoIterator<Item = (usize, usize)>) -> DiGraph<(), ()> {
    let index = |index: usize| u32::try_from(index).expect("no crate has four thousand million modules");
    DiGraph::from_edges(arrows.into_iter().map(|(from, to)| (index(from), index(to))))
}

fn describe(source: &Source, imports: &Imports, files: &[usize]) -> String {
    let name = |module: usize| source.modules[module].file.display();
    let names: Vec<_> = files.iter().map(|file| name(*file).to_string()).collect();
    let mut text = format!("import cycle of {} files: {}", files.len(), names.join(", "));
    for ((from, to), lines) in imports {
        if files.contains(from) && files.contains(to) {
            for line in lines {
                let _ = write!(text, "\n  {}:{line} imports {}", name(*from), name(*to));
            }
        }
    }
    text
}
