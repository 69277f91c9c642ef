//! A host for tests that treats a guest as Spin does where wiki-runner is kinder. It is built on wiki-runner's library and
//! takes the arguments of `spin up` that the tests use.
//!
//! - A request goes to the component of its route, which is all that runs: there are no timers. It has a new instance.
//! - As 4.0, a query without a row traps. Spin 4.0.0 to 4.0.2 never answer it (spinframework/spin#3671). As 3.6, its answer
//!   has no columns.
//! - An error while a statement runs is a text: as Spin 3.6 writes it, or 4.0.
//! - Every statement is prepared anew. There are 64 connections: as 4.0, for each component; as 3.6, for all of them.
//! - The headers of the host are appended to those that the client sent.
//! - The headers that WASI HTTP forbids, such as Host, do not reach the guest.
//! - Bodies have no limit. A request without a valid Host gets no response, one with a header that is not UTF-8 a 500, one
//!   with a target that is not ASCII a 400.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use http::header::HOST;
use http::uri::{Authority, Uri};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime::component::{Component as Code, HasData, Linker, Resource};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, WasiBody, WasiHttpView};
use wiki_runner::parts::postgres::{self, Connection, DbError, HostConnection, ParameterValue, QueryError, RowSet};
use wiki_runner::parts::{
    Application, Component, Environment, HostState, Limits, Logging, Manifest, Memory, Metrics, Pools, Postgres,
    PostgresHost, PostgresView, RouteMatch, Router, add_to_linker, engine, logging, precompiled,
};

/// As many connections as Spin keeps.
const POOL_SIZE: u16 = 64;

/// More requests at once than any test sends.
const MAX_INSTANCES: u32 = 300;

#[derive(Parser)]
enum Cli {
    /// Serves an application until the process is ended.
    Up(Up),
}

#[derive(clap::Args)]
struct Up {
    /// The manifest.
    #[arg(long)]
    from: PathBuf,

    #[arg(long)]
    listen: SocketAddr,

    /// The ahead-of-time code of every component.
    #[arg(long, env = "WASIKI_PRECOMPILED")]
    precompiled: Option<PathBuf>,

    /// The release of Spin whose texts errors have: 3.6 or 4.0.
    #[arg(long, env = "WASIKI_SPIN_LIKE", default_value = "4.0")]
    release: String,

    #[command(flatten)]
    logging: Logging,

    #[command(flatten)]
    limits: Limits,

    #[command(flatten)]
    postgres: Postgres,
}

struct Host {
    router: Router,
    components: BTreeMap<String, Linked>,
}

struct Linked {
    component: Component,
    pre: ProxyPre<HostState>,
    pools: Arc<Pools>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Cli::Up(mut up) = Cli::parse();
    let _logging = logging::start(&up.logging)?;
    up.postgres.pg_pool_size = POOL_SIZE;
    let application = Application::resolve(Manifest::load(&up.from)?, &Environment::of_process(), None)?;
    let engine = engine::new(&up.limits, MAX_INSTANCES)?;
    let precompiled = up.precompiled.map(|file| precompiled::load(&engine, &file)).transpose()?;
    let is_3_6 = up.release == "3.6";
    let new_pools = || Pools::new(&up.postgres, Metrics::new().database.clone());
    let shared = new_pools()?;
    let mut components = BTreeMap::new();
    for (id, component) in application.components {
        let code = precompiled.clone().map_or_else(|| engine::load(&engine, &component.source), Ok)?;
        let pools = if is_3_6 { shared.clone() } else { new_pools()? };
        components.insert(id, Linked { component, pre: link(&code, is_3_6)?, pools });
    }
    let host = Arc::new(Host { router: Router::new(application.routes)?, components });
    let listener = TcpListener::bind(up.listen).await?;
    println!("Serving http://{}", listener.local_addr()?);
    loop {
        let (stream, client) = listener.accept().await?;
        let host = host.clone();
        tokio::spawn(async move { host.serve(stream, client).await });
    }
}

fn link(code: &Code, is_3_6: bool) -> anyhow::Result<ProxyPre<HostState>> {
    let mut linker = Linker::<HostState>::new(code.engine());
    add_to_linker(&mut linker)?;
    linker.allow_shadowing(true);
    let view: fn(&mut HostState) -> SpinPostgres<'_> = match is_3_6 {
        true => |state| SpinPostgres { inner: state.postgres(), is_3_6: true },
        false => |state| SpinPostgres { inner: state.postgres(), is_3_6: false },
    };
    postgres::add_to_linker::<_, HasSpinPostgres>(&mut linker, view)?;
    Ok(ProxyPre::new(linker.instantiate_pre(code)?)?)
}

impl Host {
    async fn serve(&self, stream: TcpStream, client: SocketAddr) {
        let service = service_fn(|request| self.handle(request, client));
        // An error is the end of a connection: the client sees it.
        _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn handle(&self, request: Request<Incoming>, client: SocketAddr) -> io::Result<Response<WasiBody>> {
        if !request.uri().to_string().is_ascii() {
            return Ok(empty(400, "the target is not ASCII"));
        }
        let path = request.uri().path().to_owned();
        let route = self.router.find(&path);
        let linked = route.as_ref().and_then(|route| self.components.get(&**route.component_id()));
        let Some((route, Linked { component, pre, pools })) = route.as_ref().zip(linked) else {
            return Ok(empty(404, "no route leads to a component"));
        };
        let request = as_spin_passes_it_on(request, route, client)?;
        if request.headers().values().any(|value| str::from_utf8(value.as_bytes()).is_err()) {
            return Ok(empty(500, "a header is not UTF-8"));
        }
        let mut store = Store::new(pre.engine(), HostState::new(component, pools.clone(), Memory::unlimited()));
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        let (sender, response) = oneshot::channel();
        let pre = pre.clone();
        let running = tokio::spawn(async move {
            let mut http = store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let outparam = http.new_response_outparam(sender)?;
            let proxy = pre.instantiate_async(&mut store).await?;
            proxy.wasi_http_incoming_handler().call_handle(&mut store, request, outparam).await
        });
        match response.await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(code)) => Ok(empty(500, &format!("the guest answered {code}"))),
            // The sender is gone with the guest.
            Err(_) => {
                let reason = match running.await {
                    Ok(Err(error)) => format!("{error:?}"),
                    Ok(Ok(())) => "it returned without a response".to_owned(),
                    Err(error) => error.to_string(),
                };
                Ok(empty(500, &format!("the guest failed: {reason}")))
            }
        }
    }
}

/// A response of the host's own. The reason goes to the log.
fn empty(status: u16, reason: &str) -> Response<WasiBody> {
    eprintln!("{reason}");
    let body = http_body_util::Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// The request with an absolute URI, and the headers of the host behind the client's.
fn as_spin_passes_it_on(
    request: Request<Incoming>,
    route: &RouteMatch<'_>,
    client: SocketAddr,
) -> io::Result<Request<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    let host = parts.headers.get(HOST).map(|host| host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()));
    // Spin ends the connection. A target may name the host, too.
    let host = match (host, parts.uri.authority()) {
        (None, Some(authority)) => authority.clone(),
        (Some(Some(host)), authority) if authority.is_none_or(|authority| *authority == host) => host,
        _ => return Err(io::Error::other("no valid Host")),
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let full = format!("http://{host}{path}");
    parts.uri = Uri::try_from(&full).map_err(io::Error::other)?;
    for name in &DEFAULT_FORBIDDEN_HEADERS {
        parts.headers.remove(name);
    }
    for (name, value) in [("spin-full-url", full.as_str()), ("spin-client-addr", &client.to_string())] {
        let value = HeaderValue::try_from(value).map_err(io::Error::other)?;
        parts.headers.append(HeaderName::from_static(name), value);
    }
    for (name, value) in route.headers() {
        parts.headers.append(name, value);
    }
    let body = body.map_err(wasmtime_wasi_http::Error::Hyper).boxed_unsync();
    Ok(Request::from_parts(parts, body))
}

struct HasSpinPostgres;

impl HasData for HasSpinPostgres {
    type Data<'a> = SpinPostgres<'a>;
}

/// The runner's databases, with what Spin makes of their results.
struct SpinPostgres<'a> {
    inner: PostgresView<'a>,
    /// Whether it is as 3.6, where errors are flat and a query without a row is answered.
    is_3_6: bool,
}

impl postgres::Host for SpinPostgres<'_> {}

impl HostConnection for SpinPostgres<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, postgres::Error>> {
        self.inner.open(address).await
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, postgres::Error>> {
        let result = self.inner.query(connection, anew(statement.clone()), params).await?;
        match result {
            Ok(rows) if rows.rows.is_empty() && self.is_3_6 => Ok(Ok(RowSet { columns: Vec::new(), rows: Vec::new() })),
            Ok(rows) if rows.rows.is_empty() => {
                Err(wasmtime::Error::msg(format!("Spin 4.0 never answers a query without a row: {statement}")))
            }
            Err(postgres::Error::QueryFailed(QueryError::DbError(error))) if !is_found_in_preparation(&error) => {
                let text = if self.is_3_6 { text_of_3_6(&error) } else { text_of_4_0(error) };
                Ok(Err(postgres::Error::QueryFailed(QueryError::Text(text))))
            }
            result => Ok(result),
        }
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, postgres::Error>> {
        self.inner.execute(connection, anew(statement), params).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.inner.drop(connection).await
    }
}

/// The statement in a form that was never prepared.
fn anew(mut statement: String) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Writing into memory that grows does not fail.
    _ = write!(statement, "\n-- {}", COUNT.fetch_add(1, Ordering::Relaxed));
    statement
}

/// Whether PostgreSQL says so before the statement runs: syntax errors and unknown names, classes 42 and 3F.
fn is_found_in_preparation(error: &DbError) -> bool {
    error.code.starts_with("42") || error.code.starts_with("3F")
}

/// The chain of errors as `anyhow` prints it, of which tokio-postgres 0.7.12 writes each with its cause.
fn text_of_3_6(error: &DbError) -> String {
    let detail = error.detail.as_ref().map(|detail| format!("\nDETAIL: {detail}")).unwrap_or_default();
    let cause = format!("{}: {}{detail}", error.severity, error.message);
    format!("db error: {cause}\n\nCaused by:\n    {}", cause.replace('\n', "\n    "))
}

/// The Rust debug format of the error.
fn text_of_4_0(error: DbError) -> String {
    format!("{:?}", postgres::Error::QueryFailed(QueryError::DbError(error)))
}
