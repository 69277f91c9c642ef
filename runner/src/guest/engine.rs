//! Wasmtime's configuration, and components ready to be instantiated.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context;
#[cfg(feature = "compiler")]
use target_lexicon::Triple;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, PoolingAllocationConfig};
use wasmtime_wasi_http::p2::bindings::ProxyIndices;

use super::buffered::BufferedIndices;
use crate::config::application;
use crate::config::settings::Limits;
use crate::host::{self, HostState};

/// How often a running guest yields, so that its time limit can be enforced and other tasks of the thread can run. Tokio
/// polls for I/O every 61 tasks: guests that loop on every thread delay everything else by that many ticks, an eighth of a
/// second. A shorter tick would wake an idle process more often.
const TICK: Duration = Duration::from_millis(2);

/// Core instances, memories and tables of one component. What the SDKs produce has one memory, one or two tables and, with
/// the adapters around it, half a dozen core instances.
const MAX_CORE_INSTANCES: u32 = 20;
const MAX_MEMORIES: u32 = 2;
const MAX_TABLES: u32 = 5;

/// Elements of a table. Rust's tables hold the functions that are called by pointer, a few thousand in a large component,
/// and never grow.
const MAX_TABLE_ELEMENTS: usize = 20_000;

/// Bytes of a guest's stack, as Wasmtime's default, and of the whole stack with the host functions it calls.
const MAX_GUEST_STACK: usize = 512 << 10;
const MAX_STACK: usize = 2 << 20;

/// The configuration that compiled code and the engine that runs it must share.
fn common_config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config
}

/// An engine for at most `instances` instances within `limits`, with a thread that makes guests yield.
pub fn new(limits: &Limits, instances: u32) -> anyhow::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(MAX_CORE_INSTANCES))
        .total_memories(instances.saturating_mul(MAX_MEMORIES))
        .total_tables(instances.saturating_mul(MAX_TABLES))
        .total_stacks(instances)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(usize::try_from(limits.max_memory.as_u64()).unwrap_or(usize::MAX));
    let mut config = common_config();
    config.max_wasm_stack(MAX_GUEST_STACK).async_stack_size(MAX_STACK);
    config.allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)
        .map_err(anyhow::Error::from)
        .context("cannot reserve address space for the instances: lower RUNNER_MAX_CONCURRENCY or RUNNER_MAX_MEMORY")?;
    tick(&engine)?;
    Ok(engine)
}

fn tick(engine: &Engine) -> anyhow::Result<()> {
    let engine = engine.weak();
    let work = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("epoch".into()).spawn(work).context("cannot start a thread")?;
    Ok(())
}

/// Machine code of the component in `source` for this version of the runner: for this model of processor or, if `portable`,
/// for every processor of its architecture.
#[cfg(feature = "compiler")]
pub fn compile(source: &Path, portable: bool) -> anyhow::Result<Vec<u8>> {
    let wasm = read(source)?;
    let mut config = common_config();
    if portable {
        // Naming the target keeps the compiler from using features of this processor.
        config.target(&Triple::host().to_string())?;
    }
    let engine = Engine::new(&config)?;
    engine.precompile_component(&wasm).map_err(anyhow::Error::from).with_context(|| not_a_component(source))
}

/// Loads and compiles the component in `source`.
#[cfg(feature = "compiler")]
pub fn load(engine: &Engine, source: &Path) -> anyhow::Result<Component> {
    let wasm = read(source)?;
    Component::from_binary(engine, &wasm).map_err(name_limits).with_context(|| not_a_component(source))
}

#[cfg(not(feature = "compiler"))]
pub fn load(_: &Engine, source: &Path) -> anyhow::Result<Component> {
    anyhow::bail!(
        "this build of wiki-runner has no compiler: compile {} ahead of time and name the result with --precompiled",
        source.display()
    )
}

/// `error` from loading code, with the setting that it is about: Wasmtime knows only its own names of limits.
pub fn name_limits(error: wasmtime::Error) -> anyhow::Error {
    let is_limit = format!("{error:#}").contains("pooling allocator");
    let error = anyhow::Error::from(error);
    if is_limit {
        error.context("it needs more than RUNNER_MAX_MEMORY, or than other limits of a guest")
    } else {
        error
    }
}

#[cfg(feature = "compiler")]
fn read(source: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(source).with_context(|| format!("cannot read the component {}", source.display()))
}

#[cfg(feature = "compiler")]
fn not_a_component(source: &Path) -> String {
    format!("{} is not a component this runner can compile", source.display())
}

/// A component that can be instantiated, and where its handlers are.
pub struct Linked {
    /// The component.
    pub pre: InstancePre<HostState>,
    /// `wasi:http/incoming-handler`.
    pub streamed: ProxyIndices,
    /// `wasiki:http/buffered-handler`, if it has that as well.
    pub buffered: Option<BufferedIndices>,
}

/// Links the code of a component with everything it imports. `settings` are what its manifest says about it.
///
/// Fails if the code imports an interface that neither the runner nor Spin has, or one that only Spin has and the manifest
/// grants; or if it does not export `wasi:http/incoming-handler`.
pub fn link(code: &Component, settings: &application::Component) -> anyhow::Result<Linked> {
    let mut linker = Linker::new(code.engine());
    host::add_to_linker(&mut linker)?;
    host::absent::add_to_linker(&mut linker, code, settings)?;
    let pre = linker
        .instantiate_pre(code)
        .map_err(anyhow::Error::from)
        .context("the component imports an interface that this runner does not have")?;
    let streamed = ProxyIndices::new(&pre);
    let streamed = streamed.map_err(anyhow::Error::from).context("the component does not handle HTTP requests")?;
    Ok(Linked { streamed, buffered: BufferedIndices::new(&pre).ok(), pre })
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use clap::Parser;
    use wasmtime::{Instance, Module, Store};

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        limits: Limits,
    }

    #[tokio::test]
    async fn a_table_grows_to_its_limit_and_no_further() {
        let Settings { limits } = Settings::parse_from(["test"]);
        let engine = new(&limits, 1).unwrap();
        let wasm = wat::parse_str(
            r#"(module
                 (table 1 funcref)
                 (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#,
        );
        let module = Module::new(&engine, wasm.unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        store.epoch_deadline_async_yield_and_update(1);
        let instance = Instance::new_async(&mut store, &module, &[]).await.unwrap();
        let grow = instance.get_typed_func::<u32, i32>(&mut store, "grow").unwrap();
        let room = u32::try_from(MAX_TABLE_ELEMENTS).unwrap() - 1;
        for (by, was) in [(u32::MAX, -1), (room + 1, -1), (room, 1), (1, -1)] {
            assert_eq!(grow.call_async(&mut store, by).await.unwrap(), was, "by {by}");
        }
    }
}
