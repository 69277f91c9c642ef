//! The admin server: liveness, readiness and metrics for operators.

mod process;
mod registry;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use crate::config::accepted_hosts::{AcceptedHost, AcceptedHosts};
use crate::config::settings;
use crate::guest::instances::Shared;
use crate::request::{Handler, details};
use crate::server::accept::accept;

/// Connections served at once. A scraper and a few probes need one each.
const MAX_CONNECTIONS: usize = 32;
/// Time limit for a client to send the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for the application's response to the readiness probe. Shorter than the timeout of the chart's probe, so that
/// the probe still gets a response and the reason is logged.
const READY_TIMEOUT: Duration = Duration::from_secs(3);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROBLEM: &str = "application/problem+json";

/// The running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts the server, unless it is turned off.
///
/// Fails if its address is malformed or cannot be bound. Only the default address may be in use: then a warning is logged.
pub async fn start(
    settings: &settings::Admin,
    hosts: &[AcceptedHost],
    handler: Arc<Handler>,
    shared: Shared,
) -> anyhow::Result<Option<Server>> {
    let Some(address) = settings.socket_addr()? else { return Ok(None) };
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) if settings.admin.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!("{address} is in use: probes and metrics are off; set another address with RUNNER_ADMIN");
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot listen on {address} (--admin, RUNNER_ADMIN)")),
    };
    let local = listener.local_addr()?;
    tracing::info!(%local, "probes and metrics");
    let registry = registry::registry(shared, handler.components.values().cloned().collect());
    let ready_path = settings.ready_path.clone();
    let accepted_hosts = AcceptedHosts::for_operators(hosts, local.ip());
    let admin = Arc::new(Admin { handler, registry, ready_path, accepted_hosts, was_ready: AtomicBool::new(true) });
    let limit = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let serve = move |stream, _| {
        let (admin, limit) = (admin.clone(), limit.clone());
        async move {
            // Further connections wait. The semaphore is never closed.
            let permit = limit.acquire_owned().await;
            tokio::spawn(async move {
                admin.serve(stream).await;
                drop(permit);
            });
        }
    };
    Ok(Some(Server(tokio::spawn(async move { accept(&listener, serve).await }).abort_handle())))
}

struct Admin {
    handler: Arc<Handler>,
    registry: Registry,
    ready_path: String,
    accepted_hosts: AcceptedHosts,
    /// The last result of the readiness probe, to log changes.
    was_ready: AtomicBool,
}

impl Admin {
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(move |request| {
            let admin = self.clone();
            async move { Ok::<_, Infallible>(admin.answer(&request).await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!("admin connection closed: {error}");
        }
    }

    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        // Without a name, it is a program.
        let host = match request.uri().authority() {
            Some(authority) => Some(authority.as_str()),
            None => request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default()),
        };
        if host.is_some_and(|host| !self.accepted_hosts.accepts(host)) {
            return problem(StatusCode::MISDIRECTED_REQUEST, "This is not the host for operators. Use its address.");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are supported.");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/livez" => respond(StatusCode::OK, "text/plain; charset=utf-8", "live\n"),
            "/readyz" => self.readiness().await,
            "/metrics" => {
                let mut metrics = String::new();
                match text::encode(&mut metrics, &self.registry) {
                    Ok(()) => respond(StatusCode::OK, OPEN_METRICS, metrics),
                    Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be encoded."),
                }
            }
            _ => problem(StatusCode::NOT_FOUND, "The paths are /livez, /readyz and /metrics."),
        }
    }

    async fn readiness(&self) -> Response<Full<Bytes>> {
        let obstacle = self.obstacle().await;
        let ready = obstacle.is_none();
        if self.was_ready.swap(ready, Ordering::Relaxed) != ready {
            match &obstacle {
                Some(reason) => tracing::warn!("no longer ready: {reason}"),
                None => tracing::info!("ready again"),
            }
        }
        match obstacle {
            None => respond(StatusCode::OK, "text/plain; charset=utf-8", "ready\n"),
            Some(reason) => problem(StatusCode::SERVICE_UNAVAILABLE, &reason),
        }
    }

    /// Why the service is not ready, if it is not.
    async fn obstacle(&self) -> Option<String> {
        if self.handler.draining.load(Ordering::Relaxed) {
            return Some("The service is stopping.".into());
        }
        let path = &self.ready_path;
        match tokio::time::timeout(READY_TIMEOUT, self.handler.probe(path)).await {
            Ok(status) if status.is_success() || status == StatusCode::NOT_FOUND => None,
            Ok(status) => Some(format!("The application answers {path} with {}.", status.as_u16())),
            Err(_) => Some(format!("The application did not answer {path} within {READY_TIMEOUT:?}.")),
        }
    }
}

fn problem(status: StatusCode, detail: &str) -> Response<Full<Bytes>> {
    respond(status, PROBLEM, details(status, detail).to_string())
}

fn respond(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
