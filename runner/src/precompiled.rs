//! Loads ahead-of-time code: the one place in this repository that needs `unsafe`.

use std::path::Path;

use anyhow::Context;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The component whose code [`engine::compile`](crate::engine::compile) put into `file`.
///
/// Fails when the file cannot be read, is not such code, or was made for another version or configuration of the
/// engine or another kind of processor; the message then says to compile it again.
#[allow(unsafe_code, reason = "machine code cannot be checked by looking at it; see below for what stands in for that")]
pub fn load(engine: &Engine, file: &Path) -> anyhow::Result<Component> {
    let again = || {
        format!(
            "cannot load the ahead-of-time code in {}: compile it again with this runner, on this kind of processor (wiki-runner compile)",
            file.display()
        )
    };
    anyhow::ensure!(file.is_file(), "there is no ahead-of-time code at {}", file.display());
    // SAFETY: the file is machine code and will run with this process's rights, so it must be what Wasmtime wrote.
    // Wasmtime checks its own header: the version of the engine, its settings and the processor's features. That nobody
    // changed the code behind the header rests on who may write the file: the operator names it on the command line or
    // in the environment, like the runner's own binary, and no guest has a file system to write it with.
    let component = unsafe { Component::deserialize_file(engine, file) };
    component.map_err(anyhow::Error::from).with_context(again)
}
