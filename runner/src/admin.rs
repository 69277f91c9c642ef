//! What operators and their tools ask: whether the process lives, whether it can serve, and what it counts.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
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

use crate::handler::{Handler, details};
use crate::host::postgres::Pools;
use crate::server::ACCEPT_PAUSE;
use crate::settings;

/// Connections at once. A scraper and a few probes need one each.
const MAX_CONNECTIONS: usize = 32;
/// Time for a client to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for the application to say whether it is ready. Shorter than the chart's probe waits, so that the answer and the
/// line in the log are there before the probe goes away.
const READY_TIMEOUT: Duration = Duration::from_secs(3);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROBLEM: &str = "application/problem+json";

/// The listener. Dropping it ends it.
#[derive(Debug)]
pub struct Listener(AbortHandle);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts to listen, if that is wanted, for as long as the returned value lives.
///
/// Fails if the address is none or cannot be had. The default one is not worth failing for: a warning says so.
pub async fn start(
    settings: &settings::Admin,
    handler: Arc<Handler>,
    pools: Arc<Pools>,
) -> anyhow::Result<Option<Listener>> {
    let Some(address) = settings.socket_addr()? else { return Ok(None) };
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) if settings.admin.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!("{address} is in use: there are no probes and metrics; choose another with RUNNER_ADMIN");
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot listen on {address} (--admin, RUNNER_ADMIN)")),
    };
    let local = listener.local_addr()?;
    tracing::info!(%local, "probes and metrics");
    let registry = handler.metrics.registry(pools, handler.components.values().cloned().collect());
    let ready_path = settings.ready_path.clone();
    let admin = Arc::new(Admin { handler, registry, ready_path, was_ready: AtomicBool::new(true) });
    Ok(Some(Listener(tokio::spawn(accept(listener, admin)).abort_handle())))
}

async fn accept(listener: TcpListener, admin: Arc<Admin>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let admin = admin.clone();
                tokio::spawn(async move {
                    converse(stream, admin).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection for probes and metrics: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, admin: Arc<Admin>) {
    let service = service_fn(move |request| {
        let admin = admin.clone();
        async move { Ok::<_, Infallible>(admin.answer(&request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!("a connection for probes and metrics closed: {error}");
    }
}

struct Admin {
    handler: Arc<Handler>,
    registry: Registry,
    ready_path: String,
    /// To log when that changes.
    was_ready: AtomicBool,
}

impl Admin {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.");
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
                    Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written."),
                }
            }
            _ => problem(StatusCode::NOT_FOUND, "Here are /livez, /readyz and /metrics."),
        }
    }

    async fn readiness(&self) -> Response<Full<Bytes>> {
        let refusal = self.refusal().await;
        let ready = refusal.is_none();
        if self.was_ready.swap(ready, Ordering::Relaxed) != ready {
            match &refusal {
                Some(why) => tracing::warn!("no longer ready: {why}"),
                None => tracing::info!("ready again"),
            }
        }
        match refusal {
            None => respond(StatusCode::OK, "text/plain; charset=utf-8", "ready\n"),
            Some(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why),
        }
    }

    /// Why no request should be sent here, if none should.
    async fn refusal(&self) -> Option<String> {
        if self.handler.stopping.load(Ordering::Relaxed) {
            return Some("The service is stopping.".into());
        }
        let path = &self.ready_path;
        match tokio::time::timeout(READY_TIMEOUT, self.handler.ask(path)).await {
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
