//! Finds out the version of Wasmtime, for `wiki-runner --version`: the crate does not say it.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let lock = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let text = fs::read_to_string(&lock)?;
    let version = text
        .split("[[package]]")
        .filter_map(|package| package.trim().strip_prefix("name = \"wasmtime\"\nversion = \""))
        .find_map(|rest| rest.split('"').next())
        .ok_or("Cargo.lock does not name the version of wasmtime")?;
    println!("cargo::rustc-env=WASMTIME_VERSION={version}");
    Ok(())
}
