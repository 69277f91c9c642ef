//! What the wiki's component imports from its host: only what every host has.

use std::path::Path;
use std::process::Command;

use wasmparser::{Parser, Payload};

/// The interfaces a component imports and exports at its outermost level.
fn interfaces(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("the component is valid") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

/// Whether every host has it: Spin 3.6.3, which SpinKube's shim embeds, is the oldest.
fn is_allowed(import: &str) -> bool {
    const OTHERS: [&str; 3] =
        ["spin:postgres/postgres@4.0.0", "fermyon:spin/variables@2.0.0", "fermyon:spin/key-value@2.0.0"];
    const PACKAGES: [&str; 7] = ["io", "http", "cli", "clocks", "filesystem", "random", "sockets"];
    let wasi = || {
        let (package, rest) = import.strip_prefix("wasi:")?.split_once('/')?;
        let patch: u32 = rest.split_once("@0.2.")?.1.parse().ok()?;
        Some(PACKAGES.contains(&package) && patch <= 6)
    };
    OTHERS.contains(&import) || wasi().unwrap_or(false)
}

#[test]
fn the_list_of_allowed_imports_is_strict() {
    for import in
        ["wasi:http/types@0.2.0", "wasi:io/poll@0.2.6", "wasi:cli/stderr@0.2.3", "spin:postgres/postgres@4.0.0"]
    {
        assert!(is_allowed(import), "{import}");
    }
    for import in [
        "wasi:http/types@0.3.0",
        "wasi:io/poll@0.2.7",
        "wasi:keyvalue/store@0.2.0",
        "wasi:http/types",
        "spin:postgres/postgres@4.1.0",
        "spin:postgres/postgres@3.0.0",
        "fermyon:spin/llm@2.0.0",
        "fermyon:spin/variables",
        "wiki:host/fast-lane@1.0.0",
    ] {
        assert!(!is_allowed(import), "{import}");
    }
}

#[test]
fn the_wiki_imports_only_what_every_host_has() {
    let (imports, exports) = interfaces(&read(&blackbox::component()));
    assert!(imports.iter().any(|import| import == "spin:postgres/postgres@4.0.0"), "{imports:?}");
    let refused: Vec<_> = imports.iter().filter(|import| !is_allowed(import)).collect();
    assert!(refused.is_empty(), "not every host has {refused:?}");
    assert!(exports.iter().any(|export| export.starts_with("wasi:http/incoming-handler@0.2.")), "{exports:?}");
}

/// People of this ecosystem try `cargo component build`; see CONTRIBUTING.
#[test]
fn cargo_component_builds_a_component_with_the_same_interfaces() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let is_installed = Command::new(&cargo).args(["component", "--version"]).output().is_ok_and(|o| o.status.success());
    if !is_installed {
        println!("skipped: cargo-component is not installed");
        return;
    }
    let target = blackbox::repository().join("target/cargo-component");
    let built = Command::new(&cargo)
        .args(["component", "build", "--release", "--target", "wasm32-wasip2", "--package", "wiki", "--lib"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(blackbox::repository())
        .output()
        .expect("cargo can be started");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let sorted = |path: &Path| {
        let (mut imports, mut exports) = interfaces(&read(path));
        imports.sort();
        exports.sort();
        (imports, exports)
    };
    assert_eq!(sorted(&target.join("wasm32-wasip2/release/wiki.wasm")), sorted(&blackbox::component()));
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}: build the component first", path.display()))
}
