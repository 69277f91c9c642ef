//! A crate's modules as a Mermaid graph, which GitHub renders.

use std::collections::BTreeSet;
use std::fmt::Write;

use petgraph::algo::has_path_connecting;
use petgraph::visit::{EdgeFiltered, EdgeRef};

use super::cycles::graph;
use super::imports::Imports;
use super::layers::Layer;
use super::source::Source;

/// With more modules than this, a box is a layer.
const MOST_BOXES: usize = 15;

/// Names of modules on one line of a box.
const NAMES_ON_A_LINE: usize = 4;

/// Top-level modules as boxes from top to bottom, with the modules inside them, and the imports between them.
///
/// An import is left out where others make a longer way between the same boxes.
pub fn draw(source: &Source, layers: &[Layer], imports: &Imports) -> String {
    let boxes = boxes(layers);
    let box_of = |module: usize| {
        let top = source.modules[module].path.first()?;
        boxes.iter().position(|modules| modules.contains(&top))
    };
    let arrows: BTreeSet<_> = imports
        .keys()
        .filter_map(|(from, to)| Some((box_of(*from)?, box_of(*to)?)))
        .filter(|(from, to)| from != to)
        .collect();

    let mut text = "```mermaid\nflowchart TD\n".to_owned();
    for (index, modules) in boxes.iter().enumerate() {
        let _ = writeln!(text, "    {}[\"{}\"]", id(modules, index), label(source, modules));
    }
    let all = graph(arrows.iter().copied());
    for arrow in all.edge_references() {
        let (from, to) = (arrow.source(), arrow.target());
        let others = EdgeFiltered::from_fn(&all, |other| other.id() != arrow.id());
        if !has_path_connecting(&others, from, to, None) {
            let (from, to) = (from.index(), to.index());
            let _ = writeln!(text, "    {} --> {}", id(&boxes[from], from), id(&boxes[to], to));
        }
    }
    text.push_str("```\n");
    text
}

/// The modules of each box, in the order of the layers.
fn boxes(layers: &[Layer]) -> Vec<Vec<&String>> {
    let by_layer = layers.iter().map(|layer| layer.modules.iter().collect());
    if layers.iter().map(|layer| layer.modules.len()).sum::<usize>() > MOST_BOXES {
        by_layer.collect()
    } else {
        layers.iter().flat_map(|layer| &layer.modules).map(|module| vec![module]).collect()
    }
}

/// What Mermaid calls a box. Its own words, such as `end`, cannot be names.
fn id(modules: &[&String], index: usize) -> String {
    match modules {
        [module] => format!("m_{module}"),
        _ => format!("layer_{}", index + 1),
    }
}

fn label(source: &Source, modules: &[&String]) -> String {
    let [name] = modules else { return format!("<b>{}</b>", list(modules)) };
    let module = source.modules[0].children.get(*name).map(|module| &source.modules[*module]);
    match module.map(|module| module.children.keys().collect::<Vec<_>>()) {
        Some(children) if !children.is_empty() => format!("<b>{name}</b><br/>{}", list(&children)),
        _ => format!("<b>{name}</b>"),
    }
}

fn list(names: &[&String]) -> String {
    let lines = names.chunks(NAMES_ON_A_LINE);
    lines
        .map(|line| line.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "))
        .collect::<Vec<_>>()
        .join(",<br/>")
}
