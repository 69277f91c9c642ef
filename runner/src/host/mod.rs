//! The interfaces a guest may import, one file or folder each, and the host's state of one instance.

pub mod absent;
mod http;
pub mod memory;
mod output;
pub mod postgres;
mod variables;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use self::http::Outbound;
use self::memory::Memory;
use self::output::Output;
use self::postgres::{Pools, PostgresCtx, PostgresHost, PostgresView};
use self::variables::VariablesView;
use crate::config::application::Component;
use crate::config::variables::Variables;

/// The host's state of one instance.
pub struct HostState {
    table: ResourceTable,
    wasi: WasiCtx,
    /// Standard output and standard error.
    output: [Output; 2],
    /// Counts the output streams: each of them has a clone, here and in the guest's resource table.
    streams: Arc<()>,
    /// The number of clones here.
    own_streams: usize,
    http: WasiHttpCtx,
    outbound: Outbound,
    postgres: PostgresCtx,
    variables: Arc<Variables>,
    pub memory: Memory,
}

impl HostState {
    /// The state of a new instance of `component`: it has the environment that the manifest declares, its output goes to the
    /// runner's log, and it has no files, arguments or sockets.
    pub fn new(component: &Component, pools: Arc<Pools>, memory: Memory) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&component.environment);
        let streams = Arc::new(());
        let output = ["stdout", "stderr"].map(|stream| Output::new(component.id.clone(), stream, streams.clone()));
        wasi.stdout(output[0].clone()).stderr(output[1].clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            output,
            own_streams: Arc::strong_count(&streams),
            streams,
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(component.allowed_hosts.clone()),
            postgres: PostgresCtx::new(pools, component.allowed_hosts.clone(), memory.budget().clone()),
            variables: component.variables.clone(),
            memory,
        }
    }

    /// How long the guest waits for memory that others have.
    pub fn set_patience(&mut self, patience: Duration) {
        self.memory.set_patience(patience);
        self.postgres.patience = patience;
    }

    /// Begins a request.
    pub fn begin_request(&mut self) {
        self.postgres.begin_request();
    }

    /// Logs output that does not end with a line break, so that it is logged with the request that caused it.
    pub fn end_lines(&self) {
        self.output.iter().for_each(Output::end_line);
    }

    /// Whether the guest holds no resource of a request, such as a body, a stream or a database connection. Only then can
    /// nothing of one request reach the next.
    pub fn holds_nothing(&mut self) -> bool {
        self.table.is_empty() || self.holds_output_only()
    }

    /// Whether the guest holds only its standard output and error, and pollables for them. A guest that has printed
    /// something keeps these (wasi-libc does), and they lead only to the log.
    fn holds_output_only(&mut self) -> bool {
        let entries = self.table.iter_mut().count();
        let (mut seen, mut streams, mut pollables) = (0, 0, 0);
        for number in 0.. {
            if seen == entries {
                break;
            }
            seen += usize::from(self.table.get_any_mut(number).is_ok());
            let stream = Resource::<DynOutputStream>::new_borrow(number);
            if self.table.get(&stream).is_ok() {
                streams += 1;
                pollables += self.table.iter_children(&stream).map_or(0, Iterator::count);
            }
        }
        // With any other stream there are more of them than clones of standard output and error.
        streams == Arc::strong_count(&self.streams) - self.own_streams && entries == streams + pollables
    }
}

/// Adds every interface that the runner has.
pub fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    postgres::add_to_linker(linker)?;
    variables::add_to_linker(linker, |state| VariablesView(&state.variables))
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

impl PostgresHost for HostState {
    fn postgres(&mut self) -> PostgresView<'_> {
        PostgresView { ctx: &mut self.postgres, table: &mut self.table }
    }
}
