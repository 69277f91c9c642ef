//! Loads ahead-of-time code. The one place in this repository that needs `unsafe`.

use std::path::Path;

use anyhow::Context;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::engine::name_limits;

/// Loads the code that [`engine::compile`](super::engine::compile) wrote to `file`.
///
/// Fails if the file cannot be read, is not such code, or was compiled for another version or configuration of the engine,
/// or another kind of processor. The message then says to compile it again.
#[allow(unsafe_code, reason = "machine code cannot be verified; the comment below says why this file is trusted")]
pub fn load(engine: &Engine, file: &Path) -> anyhow::Result<Component> {
    let again = || {
        format!(
            "cannot load the ahead-of-time code in {} (--precompiled, RUNNER_PRECOMPILED): compile it again with this runner, on this kind of processor (wiki-runner compile)",
            file.display()
        )
    };
    anyhow::ensure!(
        file.is_file(),
        "there is no ahead-of-time code at {} (--precompiled, RUNNER_PRECOMPILED)",
        file.display()
    );
    // SAFETY: the file is machine code and runs with the rights of this process, so it must be what Wasmtime wrote.
    // Wasmtime checks the header: the version of the engine, its settings and the features of the processor. That the code
    // behind the header is unchanged follows from who can write the file: the operator names it on the command line or in
    // the environment, like the runner's own binary, and guests have no file system.
    let component = unsafe { Component::deserialize_file(engine, file) };
    component.map_err(name_limits).with_context(again)
}
