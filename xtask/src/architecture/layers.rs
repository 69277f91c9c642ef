//! The order of a crate's layers: the numbered list in the documentation of its root.
//!
//! ```text
//! //! 1. [`routes`]: every path and its handler
//! //! 2. [`api`] for programs and [`site`] for people
//! //! 3. [`store`]: rows, nothing of `http`; [`web`]: the reverse
//! ```
//!
//! A line is a layer. Its modules are the words in backquotes, where text after a colon does not count up to the next
//! semicolon: here `store` and `web` are the third layer.

use super::imports::Imports;
use super::source::{Module, Source};

/// One line of the list.
#[derive(Debug, PartialEq, Eq)]
pub struct Layer {
    pub line: usize,
    /// Names of top-level modules.
    pub modules: Vec<String>,
}

/// The layers of a crate, top to bottom; empty when it has no list.
pub fn layers(source: &Source) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut in_item = false;
    for (line, text) in &source.documentation {
        let text = text.strip_prefix(' ').unwrap_or(text);
        let item = text.split_once(". ").filter(|(number, _)| number.parse::<usize>().is_ok());
        if let Some((_, item)) = item {
            layers.push((*line, item.to_owned()));
            in_item = true;
        } else if in_item && text.starts_with(' ') {
            layers.last_mut().into_iter().for_each(|(_, item)| item.push_str(text));
        } else {
            in_item = false;
        }
    }
    layers.into_iter().map(|(line, item)| Layer { line, modules: names(&item) }).collect()
}

fn names(item: &str) -> Vec<String> {
    let named = item.split(';').filter_map(|part| part.split(':').next());
    named.flat_map(|part| part.split('`').skip(1).step_by(2).map(str::to_owned)).collect()
}

/// The layer of a module, as an index; `None` for the crate root and for a module that is in no layer.
pub fn layer_of(layers: &[Layer], module: &Module) -> Option<usize> {
    let top = module.path.first()?;
    layers.iter().position(|layer| layer.modules.contains(top))
}

/// What contradicts the list: modules that it leaves out, names that are no modules, and imports that do not go downwards.
pub fn mistakes(source: &Source, layers: &[Layer], imports: &Imports) -> Vec<String> {
    if layers.is_empty() {
        return Vec::new();
    }
    let root = source.modules[0].file.display();
    let mut mistakes = Vec::new();
    for (number, layer) in (1..).zip(layers) {
        if layer.modules.is_empty() {
            mistakes.push(format!("{root}:{} (layer {number}) names no module", layer.line));
        }
        for name in &layer.modules {
            if !source.modules[0].children.contains_key(name) {
                mistakes.push(format!("{root}:{} (layer {number}) names `{name}`, which is no module", layer.line));
            } else if layers.iter().flat_map(|layer| &layer.modules).filter(|other| *other == name).count() > 1 {
                mistakes.push(format!("{root}:{} (layer {number}) names `{name}`, which is named twice", layer.line));
            }
        }
    }
    for name in source.modules[0].children.keys() {
        if !layers.iter().any(|layer| layer.modules.contains(name)) {
            mistakes.push(format!("{root}: the list of layers leaves out the module `{name}`"));
        }
    }
    for ((from, to), lines) in imports {
        let (from, to) = (&source.modules[*from], &source.modules[*to]);
        // The crate root is above every layer.
        let Some(from_layer) = layer_of(layers, from) else { continue };
        let to_layer = layer_of(layers, to);
        let rule = match to_layer {
            _ if from.path.first() == to.path.first() => continue,
            None if !to.path.is_empty() => continue,
            Some(to_layer) if to_layer > from_layer => continue,
            Some(to_layer) if to_layer == from_layer => "modules of one layer do not import each other",
            _ => "imports go downwards only",
        };
        let place = to_layer.map_or("the crate root".to_owned(), |layer| format!("layer {}", layer + 1));
        mistakes.extend(lines.iter().map(|line| {
            let (from, to) = (from.file.display(), to.file.display());
            format!("{from}:{line} (layer {}) imports {to} ({place}): {rule}", from_layer + 1)
        }));
    }
    mistakes
}
