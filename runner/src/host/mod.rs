//! What a guest may import, one file or folder each, and what one instance holds.

pub mod allowed_hosts;
pub mod http;
pub mod memory;
pub mod output;
pub mod postgres;
pub mod variables;

use std::sync::Arc;

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use self::http::Outbound;
use self::memory::Memory;
use self::output::Output;
use self::postgres::{Pools, PostgresCtx, PostgresHost, PostgresView};
use self::variables::{VariablesHost, VariablesView};
use crate::application::Component;

/// The host's side of one instance.
pub struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
    /// Standard output and standard error.
    output: [Output; 2],
    /// Held by each of these two, here and in the guest's hands.
    printing: Arc<()>,
    /// How many of those are here.
    own_printing: usize,
    http: WasiHttpCtx,
    outbound: Outbound,
    postgres: PostgresCtx,
    variables: Arc<variables::Variables>,
    /// What the instance may allocate, and has.
    pub memory: Memory,
}

impl Guest {
    /// The host's side of an instance of `component`: its declared environment, its output in the runner's log, no files,
    /// no arguments and no sockets.
    pub fn new(component: &Component, pools: Arc<Pools>, max_memory: usize) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&component.environment);
        let printing = Arc::new(());
        let output = ["stdout", "stderr"].map(|stream| Output::new(component.id.clone(), stream, printing.clone()));
        wasi.stdout(output[0].clone()).stderr(output[1].clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            output,
            own_printing: Arc::strong_count(&printing),
            printing,
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(component.allowed_hosts.clone()),
            postgres: PostgresCtx::new(pools, component.allowed_hosts.clone()),
            variables: component.variables.clone(),
            memory: Memory::new(max_memory),
        }
    }

    /// Logs what the guest printed last, even without the end of a line, under the request that made it do so.
    pub fn end_lines(&self) {
        self.output.iter().for_each(Output::end_line);
    }

    /// Whether the guest holds nothing of a request: no body, no stream, no database connection. Only then has nothing of
    /// one request a way into the next.
    pub fn holds_nothing(&mut self) -> bool {
        self.table.is_empty() || self.holds_output_only()
    }

    /// Whether all it holds are its standard output and error, and what tells when they can be written to. A guest that
    /// has printed something keeps those (so does wasi-libc), and they lead into the log and nowhere else.
    fn holds_output_only(&mut self) -> bool {
        let entries = self.table.iter_mut().count();
        let (mut seen, mut streams, mut waits) = (0, 0, 0);
        for number in 0.. {
            if seen == entries {
                break;
            }
            seen += usize::from(self.table.get_any_mut(number).is_ok());
            let stream = Resource::<DynOutputStream>::new_borrow(number);
            if self.table.get(&stream).is_ok() {
                streams += 1;
                waits += self.table.iter_children(&stream).map_or(0, Iterator::count);
            }
        }
        // Other streams would be more than those it was given to print to.
        streams == Arc::strong_count(&self.printing) - self.own_printing && entries == streams + waits
    }
}

/// Gives components linked by `linker` every interface the runner has.
pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    postgres::add_to_linker(linker)?;
    variables::add_to_linker(linker)
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

impl PostgresHost for Guest {
    fn postgres(&mut self) -> PostgresView<'_> {
        PostgresView { ctx: &mut self.postgres, table: &mut self.table }
    }
}

impl VariablesHost for Guest {
    fn variables(&mut self) -> VariablesView<'_> {
        VariablesView(&self.variables)
    }
}
