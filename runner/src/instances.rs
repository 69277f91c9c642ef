//! Instances of a component, one per request in flight, kept for further requests.
//!
//! An instance goes back only after it answered in time, did not trap, and let go of every resource the host gave it;
//! any other is dropped, and with it whatever the guest held.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;
use tracing::Instrument as _;
use wasmtime::Store;
use wasmtime::component::Component as Code;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

use crate::application::Component;
use crate::engine;
use crate::host::Guest;
use crate::host::postgres::Pools;
use crate::metrics::{Discard, Metrics};
use crate::settings::Limits;
use crate::slots::Slot;
use crate::trace;

/// Why a guest gave no response.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Too many requests wait already, or this one waited for too long.
    #[error("too many requests are running")]
    Overloaded,
    /// The guest took longer than it may.
    #[error("the guest did not answer within {0:?}")]
    TimedOut(Duration),
    /// The guest trapped, which is how it panics and how it meets its memory limit, or could not be started.
    #[error("the guest failed: {0:#}")]
    Failed(wasmtime::Error),
    /// The guest answered with an error instead of a response, or not at all.
    #[error("the guest gave no response: {0}")]
    NoResponse(String),
}

/// The instances of one component.
pub struct Instances {
    component: Component,
    pre: ProxyPre<Guest>,
    pools: Arc<Pools>,
    /// Instances waiting for a request, the last used on top: its memory is the likeliest to be in a cache.
    idle: Mutex<Vec<Instance>>,
    busy: AtomicU64,
    limits: Limits,
    metrics: Arc<Metrics>,
    created: Counter,
    reused: Counter,
}

struct Instance {
    store: Store<Guest>,
    proxy: Proxy,
    requests: u32,
}

type Outcome = Result<(), Failure>;
type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Answer = Result<Response<WasiBody>, ErrorCode>;

impl Instances {
    /// Instances of `code`, which is `component`'s.
    ///
    /// Fails when the code imports what the runner does not have.
    pub fn new(
        component: Component,
        code: &Code,
        pools: Arc<Pools>,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            pre: engine::link(code)?,
            pools,
            idle: Mutex::default(),
            busy: AtomicU64::new(0),
            limits,
            created: metrics.instances_created(&component.id),
            reused: metrics.instances_reused(&component.id),
            metrics,
            component,
        })
    }

    /// The component's id.
    pub fn component(&self) -> &str {
        &self.component.id
    }

    /// Instances that wait for a request.
    pub fn idle(&self) -> u64 {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Instances that serve one.
    pub fn busy(&self) -> u64 {
        self.busy.load(Ordering::Relaxed)
    }

    /// The guest's response to `request`, which came over TLS if it is `secure`, and has a slot to run in.
    ///
    /// The guest may still be writing the body: it runs on as the body is read, within the same time limit. Dropping the
    /// future before it is done drops the instance.
    pub async fn handle(
        self: &Arc<Self>,
        request: Request<WasiBody>,
        secure: bool,
        slot: Slot,
    ) -> Result<Response<GuestBody>, Failure> {
        let (sender, mut answer) = oneshot::channel();
        let span = tracing::debug_span!(target: trace::TARGET, "instance", component = self.component());
        let mut running: Running = Box::pin(self.clone().run(request, secure, sender, slot).instrument(span));

        // The guest goes first: most have finished, body and all, when their response is looked at.
        let outcome = std::future::poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Err(outcome)),
            Poll::Pending => Pin::new(&mut answer).poll(cx).map(Ok),
        });
        let (answer, guest) = match outcome.await {
            // Without its sender there is no answer to wait for, only the reason.
            Ok(Err(_)) => return Err(running.await.err().unwrap_or_else(no_response)),
            Ok(Ok(answer)) => (answer, Some(running)),
            Err(Ok(())) => (answer.try_recv().map_err(|_| no_response())?, None),
            Err(Err(failure)) => return Err(failure),
        };
        let response = answer.map_err(|code| Failure::NoResponse(code.to_string()))?;
        Ok(response.map(|body| GuestBody { body, guest, failed: false }))
    }

    async fn run(
        self: Arc<Self>,
        request: Request<WasiBody>,
        secure: bool,
        sender: oneshot::Sender<Answer>,
        slot: Slot,
    ) -> Outcome {
        let limit = self.limits.request_timeout;
        let mut usage = Usage::begin(&self);
        let work = async {
            let mut instance = match self.take() {
                Some(instance) => instance,
                None => self.instantiate().await?,
            };
            instance.handle(request, secure, sender).await?;
            wasmtime::error::Ok(instance)
        };
        let outcome = match tokio::time::timeout(limit, work).await {
            Ok(Ok(instance)) => {
                usage.discard = self.put_back(instance);
                Ok(())
            }
            Ok(Err(error)) => {
                usage.discard = Some(Discard::Trapped);
                Err(Failure::Failed(error))
            }
            Err(_) => {
                usage.discard = Some(Discard::TimedOut);
                Err(Failure::TimedOut(limit))
            }
        };
        drop(usage);
        // Only now is there room for another: whatever became of the instance, its memory is free or back.
        drop(slot);
        outcome
    }

    async fn instantiate(&self) -> wasmtime::Result<Instance> {
        let max_memory = usize::try_from(self.limits.max_memory.as_u64()).unwrap_or(usize::MAX);
        let guest = Guest::new(&self.component, self.pools.clone(), max_memory);
        let mut store = Store::new(self.pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        self.created.inc();
        Ok(Instance { store, proxy, requests: 0 })
    }

    fn take(&self) -> Option<Instance> {
        let instance = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        self.reused.inc();
        Some(instance)
    }

    /// Keeps the instance, or tells why not.
    fn put_back(&self, mut instance: Instance) -> Option<Discard> {
        if instance.requests >= self.limits.instance_reuse {
            return Some(Discard::Worn);
        }
        if !instance.store.data_mut().holds_nothing() {
            return Some(Discard::Holding);
        }
        if instance.store.data().memory.size() as u64 > self.limits.kept_memory.as_u64() {
            return Some(Discard::Large);
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        None
    }
}

/// An instance at work. Dropping it counts what became of the instance.
struct Usage<'a> {
    instances: &'a Instances,
    discard: Option<Discard>,
}

impl<'a> Usage<'a> {
    fn begin(instances: &'a Instances) -> Self {
        instances.busy.fetch_add(1, Ordering::Relaxed);
        // Unless it is said otherwise: then nobody waits for the guest any more.
        Self { instances, discard: Some(Discard::Abandoned) }
    }
}

impl Drop for Usage<'_> {
    fn drop(&mut self) {
        self.instances.busy.fetch_sub(1, Ordering::Relaxed);
        if let Some(reason) = self.discard {
            self.instances.metrics.instance_discarded(&self.instances.component.id, reason);
        }
    }
}

fn no_response() -> Failure {
    Failure::NoResponse("it returned without one".into())
}

impl Instance {
    async fn handle(
        &mut self,
        request: Request<WasiBody>,
        secure: bool,
        sender: oneshot::Sender<Answer>,
    ) -> wasmtime::Result<()> {
        self.requests += 1;
        // While the instance was idle its deadline has passed; a request begins with a whole tick.
        self.store.set_epoch_deadline(1);
        let mut http = self.store.data_mut().http();
        let scheme = if secure { Scheme::Https } else { Scheme::Http };
        let request = http.new_incoming_request(scheme, request)?;
        let response = http.new_response_outparam(sender)?;
        let called = self.proxy.wasi_http_incoming_handler().call_handle(&mut self.store, request, response).await;
        self.store.data().end_lines();
        called
    }
}

/// A response's body, with the guest if it has not finished writing it.
pub struct GuestBody {
    body: WasiBody,
    guest: Option<Running>,
    /// Whether the guest failed before its body was read to the end.
    failed: bool,
}

impl GuestBody {
    /// Lets the guest work, and notes how it ended.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(guest) = &mut self.guest
            && let Poll::Ready(outcome) = guest.as_mut().poll(cx)
        {
            self.guest = None;
            self.failed = outcome.is_err();
            note(outcome);
        }
    }
}

fn note(outcome: Outcome) {
    if let Err(failure) = outcome {
        tracing::error!("while the response was being sent: {failure}");
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.drive(cx);
        match Pin::new(&mut self.body).poll_frame(cx) {
            // The client has the status already. That the body is broken off, and not ended, tells it the rest.
            Poll::Ready(None) if self.failed => Poll::Ready(Some(Err(Error::HttpResponseIncomplete))),
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.failed && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for GuestBody {
    fn drop(&mut self) {
        if let Some(guest) = self.guest.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // The guest may have work to do after its response, as on Spin; the time limit still holds. One that is
            // writing to a client that has gone away is told so by its stream.
            runtime.spawn(async { note(guest.await) });
        }
    }
}
