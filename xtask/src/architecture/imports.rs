//! Resolves the paths in a crate's code to the files that define what they name.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Kind, Mention, Module, Source};

/// What imports what: two modules, and the lines of the first that name the second.
///
/// A module stands for its file, so that no two modules here have the same one.
pub type Imports = BTreeMap<(usize, usize), BTreeSet<usize>>;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// An item that the module defines, or that it has from another crate.
    ItemOf(usize),
}

/// The imports between the files of a crate.
///
/// An import counts for the file that defines what is named: a `pub use` of something further down in the same module is
/// followed, and does not count itself. A `mod` does not count either.
pub fn imports(source: &Source) -> Imports {
    let mut imports = Imports::new();
    let mut through_names = Vec::new();
    for (from, module) in source.modules.iter().enumerate() {
        for Mention { path, line, kind } in &module.mentions {
            let Some(target) = Resolver::new(source).walk(from, path) else { continue };
            let arrow = (file_of(source, from), file_of(source, target.module()));
            let goes_down = source.modules[target.module()].path.starts_with(&module.path);
            let is_absolute = ["crate", "self", "super"].contains(&&*path[0]);
            match kind {
                Kind::Reexport if goes_down => {}
                // A variable may have the name of a module.
                Kind::Code if path.len() == 1 && matches!(target, Target::Module(_)) => {}
                _ if arrow.0 == arrow.1 => {}
                Kind::Code if !is_absolute => through_names.push((arrow, *line)),
                Kind::Use | Kind::Reexport | Kind::Code => drop(imports.entry(arrow).or_default().insert(*line)),
            }
        }
    }
    // Where a `use` brings the name into scope, its line is the one to look for.
    let known: BTreeSet<_> = imports.keys().copied().collect();
    for (arrow, line) in through_names.into_iter().filter(|(arrow, _)| !known.contains(arrow)) {
        imports.entry(arrow).or_default().insert(line);
    }
    imports
}

/// The module that a file is, for a module that may be written inside it.
fn file_of(source: &Source, mut module: usize) -> usize {
    let modules = &source.modules;
    while module != 0 && modules[module].file == modules[modules[module].parent].file {
        module = modules[module].parent;
    }
    module
}

impl Target {
    fn module(self) -> usize {
        match self {
            Self::Module(module) | Self::ItemOf(module) => module,
        }
    }
}

struct Resolver<'a> {
    source: &'a Source,
    /// Names being looked up: imports may go in a circle.
    pending: Vec<(usize, String)>,
}

impl<'a> Resolver<'a> {
    fn new(source: &'a Source) -> Self {
        Self { source, pending: Vec::new() }
    }

    fn get(&self, module: usize) -> &'a Module {
        &self.source.modules[module]
    }

    /// Follows a path from a module; `None` when it leads to another crate.
    fn walk(&mut self, scope: usize, path: &[String]) -> Option<Target> {
        let mut names = path.iter().map(String::as_str);
        let mut target = match names.next()? {
            "crate" => Target::Module(0),
            "self" => Target::Module(scope),
            "super" => Target::Module(self.get(scope).parent),
            first => self.look_up(scope, first)?,
        };
        for name in names {
            let Target::Module(module) = target else { break };
            target = match name {
                "super" => Target::Module(self.get(module).parent),
                // A name that only a macro would show belongs to the module, as far as can be seen.
                name => self.look_up(module, name).unwrap_or(Target::ItemOf(module)),
            };
        }
        Some(target)
    }

    /// What a name means in a module; `None` when it has none of this name.
    fn look_up(&mut self, module: usize, name: &str) -> Option<Target> {
        let this = self.get(module);
        if let Some(child) = this.children.get(name) {
            return Some(Target::Module(*child));
        }
        let key = (module, name.to_owned());
        if self.pending.contains(&key) {
            return None;
        }
        self.pending.push(key);
        let found = this.aliases.get(name).map(|path| self.walk(module, path).unwrap_or(Target::ItemOf(module)));
        let found = found.or_else(|| this.items.contains(name).then_some(Target::ItemOf(module))).or_else(|| {
            this.globs.iter().find_map(|path| match self.walk(module, path)? {
                Target::Module(from) => self.look_up(from, name),
                Target::ItemOf(_) => None,
            })
        });
        self.pending.pop();
        found
    }
}
