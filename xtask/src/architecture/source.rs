//! Reads the modules of a crate: the files, the names they define, and the paths in their code.
//!
//! Macros are not expanded: paths in their arguments count, those in strings and in templates do not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use proc_macro2::{Ident, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Meta, UseTree, Visibility};

/// The modules of one crate, in the order of their declarations; the crate root is the first.
///
/// Code for tests is left out.
#[derive(Debug)]
pub struct Source {
    pub modules: Vec<Module>,
    /// The lines of the crate root's documentation, each with its number in the file.
    pub documentation: Vec<(usize, String)>,
    /// What is wrong with the declarations of modules.
    pub mistakes: Vec<String>,
}

/// A file, or a module written inside one.
#[derive(Debug, Default)]
pub struct Module {
    /// Empty for the crate root.
    pub path: Vec<String>,
    /// Relative to the folder that everything is read from.
    pub file: PathBuf,
    /// The crate root is its own parent.
    pub parent: usize,
    pub children: BTreeMap<String, usize>,
    /// Names of items.
    pub items: BTreeSet<String>,
    /// Names that `use` brings into scope, with the paths they stand for.
    pub aliases: BTreeMap<String, Vec<String>>,
    /// The paths of `use path::*`.
    pub globs: Vec<Vec<String>>,
    pub mentions: Vec<Mention>,
}

/// A path that the code of a module contains.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    pub path: Vec<String>,
    pub line: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Use,
    /// `use` with a visibility: other modules can name what it imports.
    Reexport,
    /// Anything but `use`.
    Code,
}

impl Source {
    /// Reads the crate whose root is the file `root`, relative to `folder`.
    ///
    /// Fails when a file cannot be read or is not Rust. A missing file of a module is one of the mistakes.
    pub fn read(folder: &Path, root: &Path) -> anyhow::Result<Self> {
        let mut source = Self { modules: vec![Module::default()], documentation: Vec::new(), mistakes: Vec::new() };
        let parent = root.parent().unwrap_or(Path::new("")).to_owned();
        let syntax = source.read_file(folder, root, 0, &parent)?;
        for (attribute, text) in syntax.attrs.iter().filter_map(|it| Some((it, documentation(it)?))) {
            let first = attribute.pound_token.spans[0].start().line;
            source.documentation.extend(text.lines().enumerate().map(|(index, line)| (first + index, line.to_owned())));
        }
        Ok(source)
    }

    /// Reads a file as the module `module`, whose children are in the folder `children`.
    fn read_file(&mut self, folder: &Path, file: &Path, module: usize, children: &Path) -> anyhow::Result<syn::File> {
        let text = fs::read_to_string(folder.join(file)).with_context(|| format!("cannot read {}", file.display()))?;
        let syntax = syn::parse_file(&text)
            .map_err(|error| anyhow::anyhow!("{}:{}: not Rust: {error}", file.display(), error.span().start().line))?;
        self.modules[module].file = file.to_owned();
        if !syntax.attrs.iter().any(is_for_tests) {
            let mut reader =
                Reader { source: self, folder, file, module, children: children.to_owned(), failure: None };
            reader.visit_file(&syntax);
            reader.failure.map_or(Ok(()), Err)?;
        }
        Ok(syntax)
    }
}

/// Collects what one file says.
struct Reader<'a> {
    source: &'a mut Source,
    folder: &'a Path,
    file: &'a Path,
    module: usize,
    /// Where the files of the current module's children are.
    children: PathBuf,
    failure: Option<anyhow::Error>,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        &mut self.source.modules[self.module]
    }

    fn mention(&mut self, path: Vec<String>, span: Span, kind: Kind) {
        let line = span.start().line;
        self.module().mentions.push(Mention { path, line, kind });
    }

    fn add_child(&mut self, name: &str) -> usize {
        let index = self.source.modules.len();
        let mut path = self.module().path.clone();
        path.push(name.to_owned());
        self.module().children.insert(name.to_owned(), index);
        let file = self.file.to_owned();
        self.source.modules.push(Module { path, file, parent: self.module, ..Module::default() });
        index
    }

    fn inline_module(&mut self, name: &str, items: &[Item]) {
        let child = self.add_child(name);
        let outer = std::mem::replace(&mut self.module, child);
        self.children.push(name);
        for item in items {
            self.visit_item(item);
        }
        self.children.pop();
        self.module = outer;
    }

    fn module_in_a_file(&mut self, name: &str, item: &syn::ItemMod) -> anyhow::Result<()> {
        // Like mod.rs, a file that `#[path]` names has its children beside it.
        let candidates = match path_attribute(&item.attrs) {
            Some(path) => {
                let file = normal(&self.file.parent().unwrap_or(Path::new("")).join(path));
                vec![(file.clone(), file.parent().unwrap_or(Path::new("")).to_owned())]
            }
            None => {
                let folder = self.children.join(name);
                let beside = self.children.join(format!("{name}.rs"));
                vec![(beside, folder.clone()), (folder.join("mod.rs"), folder)]
            }
        };
        let Some((file, children)) = candidates.iter().find(|(file, _)| self.folder.join(file).exists()) else {
            let line = item.mod_token.span.start().line;
            let files: Vec<_> = candidates.iter().map(|(file, _)| file.display().to_string()).collect();
            let files = files.join(" or ");
            self.source
                .mistakes
                .push(format!("{}:{line} declares the module `{name}`, but there is no {files}", self.file.display()));
            return Ok(());
        };
        let child = self.add_child(name);
        self.source.read_file(self.folder, file, child, children).map(drop)
    }

    /// Notes what a `use` brings into scope.
    fn import(&mut self, tree: &UseTree, mut prefix: Vec<String>, kind: Kind) {
        let (ident, alias) = match tree {
            UseTree::Path(path) => {
                prefix.push(text(&path.ident));
                return self.import(&path.tree, prefix, kind);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, prefix.clone(), kind));
            }
            UseTree::Glob(glob) => {
                self.module().globs.push(prefix.clone());
                return self.mention(prefix, glob.star_token.spans[0], kind);
            }
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        // `use path::{self}` is `use path`.
        if ident != "self" || prefix.is_empty() {
            prefix.push(text(ident));
        }
        let alias = if alias == "self" { prefix.last().cloned() } else { Some(text(alias)) };
        if let Some(alias) = alias.filter(|alias| alias != "_") {
            self.module().aliases.insert(alias, prefix.clone());
        }
        self.mention(prefix, ident.span(), kind);
    }

    /// Notes the paths in the arguments of a macro or an attribute.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            index += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let continued = continues(&tokens[..index - 1]);
                    let mut path = vec![text(first)];
                    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(next), ..] =
                        &tokens[index..]
                        && (one.as_char(), one.spacing(), two.as_char()) == (':', Spacing::Joint, ':')
                    {
                        path.push(text(next));
                        index += 3;
                    }
                    if !continued {
                        self.mention(path, first.span(), Kind::Code);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

/// Whether what follows these tokens is a field, a method, or the rest of a path that begins with `::` or `<T>::`.
fn continues(before: &[TokenTree]) -> bool {
    let mut marks = before.iter().rev().map_while(|token| match token {
        TokenTree::Punct(mark) => Some(mark.as_char()),
        _ => None,
    });
    match (marks.next(), marks.next()) {
        (Some('.'), before) => before != Some('.'),
        (Some(':'), before) => before == Some(':'),
        _ => false,
    }
}

/// Visits a node unless it is only there for tests.
macro_rules! skip_code_for_tests {
    ($($visit:ident: $node:ident),* $(,)?) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !node.attrs.iter().any(is_for_tests) {
                visit::$visit(self, node);
            }
        })*
    };
}

/// The same for items, whose names are noted.
macro_rules! note_items {
    ($($visit:ident: $node:ident, $($name:ident).+);* $(;)?) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            if !node.attrs.iter().any(is_for_tests) {
                let name = text(&node.$($name).+);
                self.module().items.insert(name);
                visit::$visit(self, node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Reader<'_> {
    note_items! {
        visit_item_const: ItemConst, ident;
        visit_item_enum: ItemEnum, ident;
        visit_item_fn: ItemFn, sig.ident;
        visit_item_static: ItemStatic, ident;
        visit_item_struct: ItemStruct, ident;
        visit_item_trait: ItemTrait, ident;
        visit_item_trait_alias: ItemTraitAlias, ident;
        visit_item_type: ItemType, ident;
        visit_item_union: ItemUnion, ident;
    }

    skip_code_for_tests! {
        visit_arm: Arm,
        visit_expr_block: ExprBlock,
        visit_expr_macro: ExprMacro,
        visit_field: Field,
        visit_field_value: FieldValue,
        visit_impl_item_const: ImplItemConst,
        visit_impl_item_fn: ImplItemFn,
        visit_impl_item_macro: ImplItemMacro,
        visit_impl_item_type: ImplItemType,
        visit_item_foreign_mod: ItemForeignMod,
        visit_item_impl: ItemImpl,
        visit_local: Local,
        visit_stmt_macro: StmtMacro,
        visit_trait_item_const: TraitItemConst,
        visit_trait_item_fn: TraitItemFn,
        visit_trait_item_macro: TraitItemMacro,
        visit_trait_item_type: TraitItemType,
        visit_variant: Variant,
    }

    fn visit_item_macro(&mut self, node: &'ast syn::ItemMacro) {
        if node.attrs.iter().any(is_for_tests) {
            return;
        }
        if let Some(name) = &node.ident {
            let name = text(name);
            // An exported macro is an item of the crate root, wherever it is written.
            if self.module != 0 && node.attrs.iter().any(|it| it.path().is_ident("macro_export")) {
                let mut path = vec!["crate".to_owned()];
                path.extend(self.module().path.iter().cloned());
                path.push(name.clone());
                self.source.modules[0].aliases.insert(name.clone(), path);
            }
            self.module().items.insert(name);
        }
        visit::visit_item_macro(self, node);
    }

    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        if self.failure.is_some() || node.attrs.iter().any(is_for_tests) {
            return;
        }
        let name = text(&node.ident);
        match &node.content {
            Some((_, items)) => self.inline_module(&name, items),
            None => self.failure = self.module_in_a_file(&name, node).err(),
        }
    }

    fn visit_item_use(&mut self, node: &'ast syn::ItemUse) {
        if node.leading_colon.is_none() && !node.attrs.iter().any(is_for_tests) {
            let kind = match node.vis {
                Visibility::Inherited => Kind::Use,
                _ => Kind::Reexport,
            };
            self.import(&node.tree, Vec::new(), kind);
        }
    }

    fn visit_path(&mut self, node: &'ast syn::Path) {
        if node.leading_colon.is_none() {
            let path = node.segments.iter().map(|segment| text(&segment.ident)).collect();
            if let Some(first) = node.segments.first() {
                self.mention(path, first.ident.span(), Kind::Code);
            }
        }
        visit::visit_path(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        self.tokens(node.tokens.clone());
        visit::visit_macro(self, node);
    }

    fn visit_attribute(&mut self, node: &'ast Attribute) {
        if let Meta::List(list) = &node.meta
            && !list.path.is_ident("cfg")
            && !(list.path.is_ident("cfg_attr") && first_condition(&list.tokens).is_some_and(|it| needs_test(&it)))
        {
            self.tokens(list.tokens.clone());
        }
    }

    /// `pub(in path)` is a permission and no use.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            syn::parse2(list.tokens.clone()).is_ok_and(|condition| needs_test(&condition))
        }
        _ => false,
    }
}

/// Whether a condition of `cfg` holds in tests only.
fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    let Ok(parts) = parts.parse2(list.tokens.clone()) else { return false };
    if list.path.is_ident("all") {
        parts.iter().any(needs_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
    }
}

/// The condition of `cfg_attr`.
fn first_condition(tokens: &TokenStream) -> Option<Meta> {
    let first = tokens
        .clone()
        .into_iter()
        .take_while(|token| !matches!(token, TokenTree::Punct(it) if it.as_char() == ','))
        .collect();
    syn::parse2(first).ok()
}

/// The value of `#[name = "value"]`.
fn string_value(attribute: &Attribute, name: &str) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident(name) => match &meta.value {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn documentation(attribute: &Attribute) -> Option<String> {
    string_value(attribute, "doc")
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| string_value(attribute, "path"))
}

/// The path without `..`, so that a file has one name.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}
