//! One request, from its head to the end of its response: identified, limited, routed and passed to an instance.

mod access_log;
mod accounting;
pub mod client_address;
mod compression;
pub mod concurrency_limit;
mod identity;
mod problem;
pub mod rate_limit;
mod request_body;
mod response_body;
pub mod router;
mod spin_headers;
pub mod stall_timeout;
pub mod timers;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use http_body::Body as _;
use http_body_util::Either;
use hyper::body::Incoming;
use ipnet::IpNet;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use self::accounting::{Accounting, Target};
use self::compression::Compression;
use self::concurrency_limit::ConcurrencyLimit;
use self::identity::{Identity, REQUEST_ID};
use self::problem::Problem;
use self::rate_limit::WriteRateLimit;
use self::request_body::{RequestBody, Status};
use self::router::Router;
use crate::config::accepted_hosts::AcceptedHosts;
use crate::config::settings::{Limits, RequestId};
use crate::guest::instances::{Admission, Instances};
use crate::guest::{GuestBody, no_request_body};
use crate::memory::buffers::Buffers;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::{TRACEPARENT, TRACESTATE};

pub use self::problem::details;
pub use self::response_body::ResponseBody;

/// Handles requests with the components of one application.
pub struct Handler {
    pub router: Router,
    /// The instances of each component that the router knows, by its id.
    pub components: BTreeMap<Arc<str>, Arc<Instances>>,
    pub concurrency_limit: ConcurrencyLimit,
    pub write_rate_limit: WriteRateLimit,
    pub accepted_hosts: AcceptedHosts,
    pub trusted_proxies: Vec<IpNet>,
    pub buffers: Arc<Buffers>,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
    /// Whether each request is logged.
    pub access_log: bool,
    pub request_id: RequestId,
    /// Whether texts are compressed for clients that take it.
    pub compresses: bool,
    /// Whether the server is about to stop. Clients are then told to close their connections.
    pub draining: AtomicBool,
}

/// The host of requests by the runner itself.
const OWN_HOST: &str = "localhost";

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    pub address: SocketAddr,
    /// The address that it connected to.
    pub local: SocketAddr,
    /// Whether the connection uses TLS.
    pub secure: bool,
}

impl Handler {
    /// The response to `request`: a component's, or problem details that say why there is none.
    ///
    /// `guard` is dropped once the response is complete or abandoned.
    pub async fn handle<G>(&self, request: Request<Incoming>, peer: Peer, guard: G) -> Response<ResponseBody<G>> {
        let (mut head, body) = request.into_parts();
        let compression = Compression::of(&head.method, &mut head.headers, self.compresses);
        let address = client_address::client_address(&self.trusted_proxies, peer.address, &head.headers);
        let peer = Peer { address, ..peer };
        let identity = Identity::of(&head);
        let log = self.access_log.then(|| access_log::Entry { path: head.uri.path().to_owned(), client: address });
        let mut accounting = Accounting::start(self.metrics.clone(), head.method.clone(), log, identity.span.clone());

        // With Content-Length as well, a body's end is ambiguous, which is how requests are smuggled (RFC 9112, 11.2). What
        // follows such a body is not read.
        let ambiguous = head.headers.contains_key(TRANSFER_ENCODING);
        let body = RequestBody::new(body, &self.limits);
        let body_status = body.status();
        let request = Request::from_parts(head, body);
        let answer = self.answer(request, peer, &identity, &mut accounting.target);
        let answer = answer.instrument(identity.span.clone()).await;
        // If the body failed, that is the reason for whatever the guest made of it.
        let answer = match body_status.get() {
            Status::TooLarge => Err(self.body_too_large()),
            Status::TimedOut => Err(Problem::body_timeout()),
            Status::Complete | Status::Incomplete => answer,
        };
        let mut response = match answer {
            Ok(response) => response.map(Either::Left),
            Err(problem) => {
                if problem.status.is_server_error() {
                    let status = problem.status.as_u16();
                    identity.span.in_scope(|| tracing::error!(status, "{}", problem.cause));
                }
                problem.response(&identity.id).map(Either::Right)
            }
        };

        if self.request_id >= RequestId::Response
            && let Ok(id) = HeaderValue::try_from(identity.id)
        {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        // After an incomplete body, the next bytes on the connection are not a request.
        if ambiguous || body_status.get() != Status::Complete || self.draining.load(Ordering::Relaxed) {
            // Without this header, the client would send its next request into a closed connection (RFC 9112, 9.6).
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        accounting.status = response.status();
        let response = compression.apply(response);
        response.map(|body| ResponseBody::new(body, accounting, guard))
    }

    /// The status of the response to `GET path`, requested by the runner itself.
    pub async fn probe(&self, path: &str) -> StatusCode {
        let Ok(request) = Request::get(path).header(HOST, OWN_HOST).body(()) else { return StatusCode::BAD_REQUEST };
        let (head, ()) = request.into_parts();
        let identity = Identity::of(&head);
        match self.ask(head, &identity, self.concurrency_limit.acquire_reserved()).await {
            Ok(response) => response.status(),
            Err(problem) => problem.status,
        }
    }

    /// The response to a request without a body that the runner makes itself, once there is a `place` for it. It takes none of
    /// the clients' places, and is handled however little memory there is.
    async fn ask(
        &self,
        head: request::Parts,
        identity: &Identity,
        place: impl Future<Output = Option<OwnedSemaphorePermit>>,
    ) -> Result<Response<GuestBody>, Problem> {
        let url = spin_headers::full_url(OWN_HOST, &head.uri, false)?;
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let peer = Peer { address: local, local, secure: false };
        let mut target = Target::default();
        let admission = async { Some(Admission::new(place.await?, true)) };
        let answer = self.forward(Request::from_parts(head, None), url, peer, identity, &mut target, admission);
        answer.instrument(identity.span.clone()).await
    }

    async fn answer(
        &self,
        mut request: Request<RequestBody>,
        peer: Peer,
        identity: &Identity,
        target: &mut Target,
    ) -> Result<Response<GuestBody>, Problem> {
        if let Err(wait) = self.write_rate_limit.check(request.method(), peer.address.ip()) {
            self.metrics.rate_limited.inc();
            return Err(Problem::rate_limited(wait));
        }
        let host = spin_headers::host(&request, peer.local)?;
        if !self.accepted_hosts.accepts(&host) {
            return Err(Problem::misdirected(&host));
        }
        if request.method() == Method::OPTIONS && request.uri().path() == "*" {
            // About the server as a whole, and so about no component (RFC 9110, 9.3.7).
            let mut response = Response::new(GuestBody::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Ok(response);
        }
        let url = spin_headers::full_url(&host, request.uri(), peer.secure)?;
        if request.uri().authority().is_none() && !request.headers().contains_key(HOST) {
            // WASI HTTP has no requests without an authority.
            let host = HeaderValue::try_from(&*host).map_err(|_| Problem::internal())?;
            request.headers_mut().insert(HOST, host);
        }
        let permit = self.concurrency_limit.acquire();
        let admission = async { Some(Admission::new(permit.await?, false)) };
        self.forward(request.map(Some), url, peer, identity, target, admission).await
    }

    /// Passes `request` to an instance of the component it is routed to, once it has been received and has `admission`.
    async fn forward(
        &self,
        mut request: Request<Option<RequestBody>>,
        url: HeaderValue,
        peer: Peer,
        identity: &Identity,
        target: &mut Target,
        admission: impl Future<Output = Option<Admission>>,
    ) -> Result<Response<GuestBody>, Problem> {
        let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > self.limits.max_body.as_u64()) {
            return Err(self.body_too_large());
        }
        let path = request.uri().path().to_owned();
        let found = self.router.find(&path);
        let found =
            found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("No component answers {path}.")))?;
        *target = Target { component: found.component_id().clone(), route: found.route().clone() };
        // Router and components come from the same application.
        let instances = self.components.get(found.component_id()).ok_or_else(Problem::internal)?;

        let headers = request.headers_mut();
        spin_headers::remove_forged(headers);
        if !identity.is_joined {
            // It means nothing without its trace.
            headers.remove(TRACESTATE);
        }
        headers.extend(found.headers());
        headers.insert(spin_headers::FULL_URL, url);
        let shows_id = self.request_id >= RequestId::Guest;
        for (name, value) in [
            (spin_headers::CLIENT_ADDR, HeaderValue::try_from(peer.address.to_string()).ok()),
            (REQUEST_ID, HeaderValue::try_from(&identity.id).ok().filter(|_| shows_id)),
            (TRACEPARENT, identity.trace.header()),
        ] {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        let (head, body) = request.into_parts();
        let body = match body {
            // Boxed: the future of each connection has room for it otherwise, and most requests have no body.
            Some(body) if !body.is_end_stream() => {
                Box::pin(body.receive(&self.buffers, self.limits.body_buffer.as_u64())).await?
            }
            _ => no_request_body(),
        };
        let admission = admission.await.ok_or_else(Problem::overloaded)?;
        Ok(instances.handle(Request::from_parts(head, body), peer.secure, admission).await?)
    }

    fn body_too_large(&self) -> Problem {
        Problem::body_too_large(self.limits.max_body.as_u64())
    }
}
