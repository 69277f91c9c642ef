//! The checker on small crates, and on this workspace.

use std::iter;

use super::*;

/// A crate of these files, of which the first is the root.
fn read_files(files: &[(&str, &str)]) -> Crate {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    Crate::read(folder.path(), Path::new(files[0].0)).unwrap()
}

/// The imports between the files of a crate, as `from:line to`.
fn imports_of(files: &[(&str, &str)]) -> Vec<String> {
    let it = read_files(files);
    assert!(it.source.mistakes.is_empty(), "{:?}", it.source.mistakes);
    let file = |module: usize| it.source.modules[module].file.display();
    let lines = it.imports.iter().flat_map(|(arrow, lines)| lines.iter().map(move |line| (arrow, line)));
    lines.map(|((from, to), line)| format!("{}:{line} {}", file(*from), file(*to))).collect()
}

fn mistakes_of(files: &[(&str, &str)]) -> Vec<String> {
    read_files(files).mistakes()
}

/// The imports of a module `a` with this text, in a crate that also has the files b.rs, c/mod.rs and c/d.rs.
fn imports_of_a(text: &str) -> Vec<String> {
    imports_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", text),
        ("b.rs", "pub fn f() {} pub struct S; pub const C: u8 = 0;"),
        ("c/mod.rs", "pub mod d; pub fn g() {} pub use d::{h, E};"),
        ("c/d.rs", "pub fn h() {} pub enum E { One }"),
    ])
}

#[test]
fn a_cycle_is_named_with_its_files_and_lines() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::f;\npub fn g() { f() }"),
        ("src/b.rs", "\npub fn f() { crate::c::h() }"),
        ("src/c.rs", "\n\nuse super::a;\npub fn h() { a::g() }"),
        ("src/d.rs", "use crate::a::g; fn i() { g() }"),
    ];
    let expected = "import cycle of 3 files: src/a.rs, src/b.rs, src/c.rs
  src/a.rs:1 imports src/b.rs
  src/b.rs:2 imports src/c.rs
  src/c.rs:3 imports src/a.rs";
    assert_eq!(mistakes_of(&files), [expected]);
}

#[test]
fn imports_that_go_downwards_are_right() {
    let files = [
        ("lib.rs", "//! 1. [`a`]: top\n//! 2. [`b`], [`c`]\nmod a; mod b; mod c; pub use a::A;"),
        ("a.rs", "use crate::b::B; use crate::c; pub struct A(B, c::C);"),
        ("b.rs", "pub struct B;"),
        ("c.rs", "pub struct C;"),
    ];
    assert_eq!(mistakes_of(&files), <[String; 0]>::default());
}

#[test]
fn an_upward_import_is_named_with_both_files() {
    let files = [
        ("src/lib.rs", "//! 1. [`a`]: top\n//! 2. [`b`]: bottom\nmod a; mod b;"),
        ("src/a/mod.rs", "pub mod child;"),
        ("src/a/child.rs", "pub struct A;"),
        ("src/b.rs", "\nuse crate::a::child::A;\npub struct B(A);"),
    ];
    let expected = "src/b.rs:2 (layer 2) imports src/a/child.rs (layer 1): imports go downwards only";
    assert_eq!(mistakes_of(&files), [expected]);
}

#[test]
fn modules_of_one_layer_do_not_import_each_other() {
    let files = [
        ("lib.rs", "//! 1. [`a`] for some and [`b`] for others\nmod a; mod b;"),
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "pub struct B;"),
    ];
    let expected = "a.rs:1 (layer 1) imports b.rs (layer 1): modules of one layer do not import each other";
    assert_eq!(mistakes_of(&files), [expected]);
}

#[test]
fn the_crate_root_is_above_all_layers() {
    let files = [("lib.rs", "//! 1. [`a`]\nmod a; pub struct Root;"), ("a.rs", "use crate::Root;")];
    let expected = "a.rs:1 (layer 1) imports lib.rs (the crate root): imports go downwards only";
    assert_eq!(mistakes_of(&files), [expected]);
}

#[test]
fn the_list_of_layers_is_read_from_the_crate_root() {
    let list = "//! Text.\n//!\n//! 1. `a`: turns `x` into `y`\n//! 2. [`b`] for some and [`c`]\n//!    and [`d`] for others\n\
                //! 3. [`e`]: this; [`f`]: that, of `x`;\n//!    [`g`]\n//!\n//! Of `h`.\n";
    let layers = read_files(&[("lib.rs", list)]).layers;
    let read: Vec<_> = layers.iter().map(|layer| (layer.line, layer.modules.join(" "))).collect();
    assert_eq!(read, [(3, "a".to_owned()), (4, "b c d".to_owned()), (6, "e f g".to_owned())]);
}

#[test]
fn the_list_of_layers_has_every_module_once() {
    let list = "//! 1. [`a`]\n//! 2. [`a`], [`gone`]\n//! 3. nothing\n\nmod a; mod b; #[cfg(test)] mod c;";
    let expected = [
        "lib.rs:1 (layer 1) names `a`, which is named twice",
        "lib.rs:2 (layer 2) names `a`, which is named twice",
        "lib.rs:2 (layer 2) names `gone`, which is no module",
        "lib.rs:3 (layer 3) names no module",
        "lib.rs: the list of layers leaves out the module `b`",
    ];
    assert_eq!(mistakes_of(&[("lib.rs", list), ("a.rs", ""), ("b.rs", ""), ("c.rs", "")]), expected);
}

#[test]
fn without_a_list_modules_may_import_in_any_direction() {
    let files = [("lib.rs", "mod a; mod b; pub struct Root;"), ("a.rs", "use crate::Root;"), ("b.rs", "use crate::a;")];
    assert_eq!(mistakes_of(&files), <[String; 0]>::default());
}

#[test]
fn imports_are_found_wherever_code_names_a_module() {
    for text in [
        "use crate::b::S;",
        "use crate::b;",
        "use crate::b::S as _;",
        "use super::b::{S};",
        "use super::{b::{self, S}};",
        "use crate::{b as other};",
        "use crate::b::*;",
        "fn x() { crate::b::f() }",
        "fn x() { use crate::b::f; f() }",
        "fn x(_: &[Option<super::b::S>]) {}",
        "impl Iterator for X { type Item = <crate::b::S as T>::U; }",
        "struct X { y: crate::b::S }",
        "const X: u8 = crate::b::C;",
        "fn x() { match 0 { crate::b::C => (), _ => () } }",
        "fn x() { println!(\"{}\", crate::b::C) }",
        "fn x() { vec![X { y: super::b::C }] }",
        "macro_rules! x { () => { $crate::b::f() } }",
        "#[serde(with(crate::b::S))] struct X;",
        "mod inner { use super::super::b::S; }",
        "#[cfg(not(test))] use crate::b::S;",
        "#[cfg(any(test, unix))] use crate::b::S;",
        "#[cfg_attr(unix, x(crate::b::S))] struct X;",
    ] {
        assert_eq!(imports_of_a(text), ["a.rs:1 b.rs"], "{text}");
    }
}

#[test]
fn what_is_not_code_of_the_crate_is_no_import() {
    for text in [
        "/// See [`f`](crate::b::f).\nfn x() {}",
        "//! See [`f`](crate::b::f).",
        "// use crate::b::f;",
        "const X: &str = \"crate::b::f\";",
        "const X: &str = r#\"use crate::b::f;\"#;",
        "fn x() { println!(\"crate::b::f()\") }",
        "pub(in crate::b) fn x() {}",
        "#[cfg(test)] use crate::b::S;",
        "#[cfg(test)] mod tests { use crate::b::S; }",
        "#[cfg(all(test, unix))] mod tests { use crate::b::S; }",
        "#[cfg(any(test, all(unix, test)))] use crate::b::S;",
        "#![cfg(test)] use crate::b::S;",
        "#[test] fn x() { crate::b::f() }",
        "struct X { #[cfg(test)] y: crate::b::S }",
        "impl X { #[cfg(test)] fn y() { crate::b::f() } }",
        "fn x() { #[cfg(test)] crate::b::f!(); }",
        "fn x() { #[cfg(test)] let _ = crate::b::f(); }",
        "fn x() { #[cfg(test)] { crate::b::f() } }",
        "#[cfg_attr(test, x(crate::b::S))] struct X;",
        "use b::S;",
        "use crate::a::x; fn x() { self::x() }",
    ] {
        assert_eq!(imports_of_a(text), <[String; 0]>::default(), "{text}");
    }
}

#[test]
fn names_in_scope_lead_to_their_modules() {
    let both = ["a.rs:1 c/mod.rs", "a.rs:2 c/d.rs"];
    assert_eq!(imports_of_a("use crate::c;\nfn x() { c::d::h() }"), both);
    assert_eq!(imports_of_a("use super::c as other;\nfn x() { y!(other::d::h()) }"), both);
    // The line of the `use` is enough.
    assert_eq!(imports_of_a("use crate::b;\nfn x() { b::f() }"), ["a.rs:1 b.rs"]);
}

#[test]
fn variables_methods_and_other_crates_may_have_the_name_of_a_module() {
    let imports = |code| {
        let text = format!("mod b; pub use b::f;\nfn x() {{ {code} }}");
        imports_of(&[("lib.rs", "mod a;"), ("a.rs", &text), ("a/b.rs", "pub fn f() {}")])
    };
    for code in [
        "let b = 1; b;",
        "use ::b::f as g;",
        "::b::f(); <X>::b::f(); y.f(); y.f::<X>();",
        "x!(b, ::b::f(), <X>::b::f(), y.f(), y.f::<X>());",
    ] {
        assert_eq!(imports(code), <[String; 0]>::default(), "{code}");
    }
    for code in ["f()", "b::f()", "x!(f())", "x!(b::f())", "x!(0..b::f())", "x!(y: b::f())"] {
        assert_eq!(imports(code), ["a.rs:2 a/b.rs"], "{code}");
    }
}

#[test]
fn an_import_through_another_module_leads_to_the_definition() {
    let definition = ["a.rs:1 c/d.rs"];
    assert_eq!(imports_of_a("use crate::c::h;"), definition);
    assert_eq!(imports_of_a("use crate::c::E::One;"), definition);
    assert_eq!(imports_of_a("use super::c::{E as Other};"), definition);
    assert_eq!(imports_of_a("use crate::c::{g, h};"), ["a.rs:1 c/mod.rs", "a.rs:1 c/d.rs"]);
    let files = |root| {
        [("lib.rs", root), ("a.rs", "use crate::S;"), ("b.rs", "pub struct S;"), ("c.rs", "pub use crate::b::*;")]
    };
    assert_eq!(imports_of(&files("mod a; mod b; pub use b::S;")), ["a.rs:1 b.rs"]);
    assert_eq!(imports_of(&files("mod a; mod b; pub use b::*;")), ["a.rs:1 b.rs"]);
    assert_eq!(imports_of(&files("mod a; mod b; mod c; pub use c::*;")), ["a.rs:1 b.rs", "c.rs:1 b.rs"]);
}

#[test]
fn a_module_that_collects_its_children_does_not_import_them() {
    let files = [
        ("lib.rs", "mod pages;"),
        ("pages/mod.rs", "mod draft; mod write; pub use draft::Draft; pub(crate) use self::write::*;"),
        ("pages/draft.rs", "pub struct Draft;"),
        ("pages/write.rs", "use super::Draft; pub fn save(_: Draft) {}"),
    ];
    assert_eq!(imports_of(&files), ["pages/write.rs:1 pages/draft.rs"]);
    assert_eq!(mistakes_of(&files), <[String; 0]>::default());
}

#[test]
fn a_child_may_use_its_parent_unless_the_parent_uses_the_child() {
    let files = |parent| [("lib.rs", "mod a;"), ("a.rs", parent), ("a/b.rs", "use super::A; pub fn f(_: A) {}")];
    let cycle = "import cycle of 2 files: a.rs, a/b.rs\n  a.rs:2 imports a/b.rs\n  a/b.rs:1 imports a.rs";
    assert_eq!(mistakes_of(&files("pub mod b;\npub struct A;")), <[String; 0]>::default());
    assert_eq!(mistakes_of(&files("pub mod b;\nuse b::f;\npub struct A;")), [cycle]);
    assert_eq!(mistakes_of(&files("pub mod b;\nfn x() { b::f(A) }\npub struct A;")), [cycle]);
    assert_eq!(mistakes_of(&files("pub mod b; pub use b::f;\nfn x() { f(A) }\npub struct A;")), [cycle]);
}

#[test]
fn an_import_from_elsewhere_counts_with_any_visibility() {
    assert_eq!(imports_of_a("pub use crate::b::S;"), ["a.rs:1 b.rs"]);
}

#[test]
fn imports_in_a_circle_end() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "macro_rules! m { () => {} } pub(crate) use m; pub use crate::b::x; pub use crate::b::*;"),
        ("b.rs", "pub use crate::a::x; pub use crate::a::*; fn f() { y() }"),
    ];
    assert_eq!(imports_of(&files), ["a.rs:1 b.rs", "b.rs:1 a.rs"]);
}

#[test]
fn an_exported_macro_is_imported_from_its_file() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "fn x() { crate::m!() }"),
        ("b.rs", "#[macro_export] macro_rules! m { () => {} }"),
    ];
    assert_eq!(imports_of(&files), ["a.rs:1 b.rs"]);
}

#[test]
fn the_files_of_modules_are_found() {
    let files = [
        ("src/main.rs", "mod a; mod b; mod inner { mod c; } #[path = \"../shared/d.rs\"] mod d;"),
        ("src/a.rs", "mod e;"),
        ("src/a/e.rs", "use crate::b;"),
        ("src/b/mod.rs", "mod f;"),
        ("src/b/f.rs", "use crate::b;"),
        ("src/inner/c.rs", "use crate::b;"),
        ("shared/d.rs", "mod g;"),
        ("shared/g.rs", "use crate::b;"),
    ];
    let from = ["src/a/e.rs", "src/b/f.rs", "src/inner/c.rs", "shared/g.rs"];
    assert_eq!(imports_of(&files), from.map(|file| format!("{file}:1 src/b/mod.rs")));
}

#[test]
fn a_missing_file_is_a_mistake() {
    let expected = "src/lib.rs:2 declares the module `gone`, but there is no src/gone.rs or src/gone/mod.rs";
    assert_eq!(mistakes_of(&[("src/lib.rs", "\nmod gone;")]), [expected]);
}

#[test]
fn a_file_that_is_not_rust_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lib.rs"), "\nfn {").unwrap();
    let error = Crate::read(folder.path(), Path::new("lib.rs")).err().unwrap().to_string();
    assert!(error.starts_with("lib.rs:2: not Rust: "), "{error}");
}

#[test]
fn a_drawing_leaves_out_arrows_that_others_make_up_for() {
    let files = [
        ("lib.rs", "//! 1. [`a`]\n//! 2. [`b`]\n//! 3. [`c`], [`d`]\nmod a; mod b; mod c; mod d;"),
        ("a/mod.rs", "mod one; mod two; use crate::{b, c, d};"),
        ("a/one.rs", ""),
        ("a/two.rs", "use crate::d;"),
        ("b.rs", "use crate::c;"),
        ("c.rs", ""),
        ("d.rs", ""),
    ];
    let expected = r#"An arrow is an import. It is left out where other arrows lead to the same module.

`src/`:

```mermaid
flowchart TD
    m_a["<b>a</b><br/>one, two"]
    m_b["<b>b</b>"]
    m_c["<b>c</b>"]
    m_d["<b>d</b>"]
    m_a --> m_b
    m_a --> m_d
    m_b --> m_c
```
"#;
    assert_eq!(drawing(&[read_files(&files.map(|(name, text)| (&*format!("src/{name}").leak(), text)))]), expected);
}

#[test]
fn a_drawing_of_many_modules_has_a_box_for_each_layer() {
    let names: Vec<_> = ('a'..='p').map(String::from).collect();
    let list = format!("//! 1. `{}`\n//! 2. `p`\n", names[..15].join("`, `"));
    let root = names.iter().fold(list, |text, name| text + &format!("mod {name};"));
    let files: Vec<_> = names.iter().map(|name| (format!("{name}.rs"), "")).collect();
    let files = files.iter().map(|(name, text)| (&**name, *text));
    let files: Vec<_> = iter::once(("lib.rs", &*root)).chain(files).collect();
    let expected =
        "    layer_1[\"<b>a, b, c, d,<br/>e, f, g, h,<br/>i, j, k, l,<br/>m, n, o</b>\"]\n    m_p[\"<b>p</b>\"]\n";
    let drawn = drawing(&[read_files(&files)]);
    assert!(drawn.contains(expected), "{drawn}");
}

#[test]
fn a_drawing_is_put_between_its_markers() {
    let document = format!("before\n\n{BEGIN}old\n{END}\nafter\n");
    let renewed = with_drawing(&document, "new\n").unwrap();
    assert_eq!(renewed, format!("before\n\n{BEGIN}\nnew\n\n{END}\nafter\n"));
    assert_eq!(with_drawing(&renewed, "new\n").unwrap(), renewed);
    assert!(with_drawing("no markers", "new\n").unwrap_err().to_string().contains(BEGIN));
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[test]
fn the_imports_of_the_workspace_are_in_order() {
    let mistakes = mistakes(&read(workspace()).unwrap());
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn the_drawing_in_the_document_is_up_to_date() {
    let document = fs::read_to_string(workspace().join(DOCUMENT)).unwrap();
    let renewed = with_drawing(&document, &drawing(&read(workspace()).unwrap())).unwrap();
    assert!(document == renewed, "{DOCUMENT} is out of date: renew it with `cargo xtask architecture --write`");
}
