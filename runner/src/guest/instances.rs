//! The instances of a component: one for each request in flight, kept for further requests.
//!
//! An instance is reused only if it responded in time, did not trap, and holds no resource of the host. Any other is
//! discarded with everything the guest held, and so are instances that are idle for too long, or whose memory others need.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::{Request, Response};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::MissedTickBehavior;
use tracing::Instrument as _;
use wasmtime::Store;
use wasmtime::component::Component as Code;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{WasiBody, WasiHttpView};

use super::body::{GuestBody, Running};
use super::buffered::{self, Buffered, Outcome};
use super::engine::{self, Linked};
use super::failure::{Failure, OutOfMemory};
use super::room::{self, Room};
use crate::config::application::Component;
use crate::config::settings::{Limits, Switch};
use crate::host::HostState;
use crate::host::memory::Memory;
use crate::host::postgres::Pools;
use crate::memory::budget::{Budget, Charge, Exhausted, Reclaim};
use crate::memory::buffers::Buffers;
use crate::telemetry::metrics::{Discard, Metrics};
use crate::telemetry::trace;

/// How often idle instances are checked: at least, and at most.
const CHECK_INTERVAL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60));

/// The memory of a new instance until the first one has shown what it takes: what the SDKs build takes less.
const NEW_INSTANCE: u64 = 2 << 20;

/// What all instances of all components share.
#[derive(Clone)]
pub struct Shared {
    pub pools: Arc<Pools>,
    pub budget: Arc<Budget>,
    pub buffers: Arc<Buffers>,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
}

/// The right to be handled now. Dropping it gives the right to another request.
pub struct Admission {
    _permit: OwnedSemaphorePermit,
    /// Whether the request is handled however little memory there is.
    is_reserved: bool,
}

impl Admission {
    pub fn new(permit: OwnedSemaphorePermit, is_reserved: bool) -> Self {
        Self { _permit: permit, is_reserved }
    }
}

/// The instances of one component.
pub struct Instances {
    component: Component,
    linked: Linked,
    shared: Shared,
    /// Idle instances, the one used last at the end. It is reused first: its memory is the likeliest to be in a cache, and
    /// instances that are not needed grow old.
    idle: Mutex<VecDeque<Instance>>,
    busy: AtomicU64,
    /// The memory of an instance when it has been started.
    new_instance: AtomicU64,
    created: Counter,
    reused: Counter,
}

struct Instance {
    store: Store<HostState>,
    streamed: Proxy,
    buffered: Option<Buffered>,
    requests: u32,
    last_used: Instant,
}

type GuestResponse = Result<Response<WasiBody>, ErrorCode>;

impl Instances {
    /// Instances of `component`, whose compiled code is `code`.
    ///
    /// Fails if the code imports an interface that the runner does not have and Spin would not refuse.
    pub fn new(component: Component, code: &Code, shared: Shared) -> anyhow::Result<Arc<Self>> {
        let idle_timeout = shared.limits.instance_idle_timeout;
        let budget = shared.budget.clone();
        let mut linked = engine::link(code, &component)?;
        linked.buffered = linked.buffered.filter(|_| shared.limits.buffered == Switch::On);
        let instances = Arc::new(Self {
            linked,
            idle: Mutex::default(),
            busy: AtomicU64::new(0),
            new_instance: AtomicU64::new(NEW_INSTANCE),
            created: shared.metrics.instances_created(&component.id),
            reused: shared.metrics.instances_reused(&component.id),
            shared,
            component,
        });
        let reclaimable: Weak<dyn Reclaim> = Arc::<Self>::downgrade(&instances);
        budget.add_reclaimable(reclaimable);
        tokio::spawn(discard_idle(Arc::downgrade(&instances), idle_timeout));
        Ok(instances)
    }

    /// The id of the component.
    pub fn component(&self) -> &str {
        &self.component.id
    }

    /// The number of idle instances.
    pub fn idle(&self) -> u64 {
        self.lock_idle().len() as u64
    }

    /// The number of instances that handle a request.
    pub fn busy(&self) -> u64 {
        self.busy.load(Ordering::Relaxed)
    }

    /// The guest's response to `request`, which came over TLS if `secure`.
    ///
    /// The guest may still be writing the body: it continues, within the same time limit, as far as the body can be buffered.
    /// Dropping the future discards the instance. The permit of `admission` is released when the guest has finished.
    pub async fn handle(
        self: &Arc<Self>,
        request: Request<WasiBody>,
        secure: bool,
        admission: Admission,
    ) -> Result<Response<GuestBody>, Failure> {
        let again = room::repeatable(&request);
        let deadline = Instant::now() + self.shared.limits.queue_timeout;
        let mut room = self.expected_room(&request, again.is_none());
        let mut outcome = self.attempt(request, secure, Some(admission), room).await;
        while let (Err(Failure::OutOfMemory(OutOfMemory::Guests(exhausted))), Some(again)) = (&outcome, &again)
            && let Some(more) = room.more(exhausted.wanted, self.largest(), deadline)
        {
            room = more;
            let request = again.clone().map(|()| super::body::no_request_body());
            // Its place is another's meanwhile: how many large guests there can be follows from their memory.
            outcome = self.attempt(request, secure, None, room).await;
        }
        outcome
    }

    /// Room for `request`. Only if it `waits` does its guest wait for more.
    fn expected_room(&self, request: &Request<WasiBody>, waits: bool) -> Room {
        let new_instance = self.new_instance.load(Ordering::Relaxed);
        let bytes = new_instance.saturating_add(room::of_body(request)).min(self.largest());
        Room { bytes, patience: self.shared.limits.queue_timeout, waits }
    }

    /// The most memory that an instance may have.
    fn largest(&self) -> u64 {
        self.shared.budget.largest().min(self.shared.limits.max_memory.as_u64())
    }

    /// The guest's response, if the memory that it needs is there within the patience of `room`.
    async fn attempt(
        self: &Arc<Self>,
        request: Request<WasiBody>,
        secure: bool,
        admission: Option<Admission>,
        room: Room,
    ) -> Result<Response<GuestBody>, Failure> {
        let (sender, mut response) = oneshot::channel();
        let span = tracing::debug_span!(target: trace::TARGET, "instance", component = self.component());
        let running = self.clone().run(request, secure, sender, admission, room).instrument(span);
        let mut running: Running = Box::pin(running);

        // The guest is polled first: most have finished, body included, before their response is looked at.
        let outcome = std::future::poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Err(outcome)),
            Poll::Pending => Pin::new(&mut response).poll(cx).map(Ok),
        });
        let (response, guest) = match outcome.await {
            // The sender is gone: there will be no response, only the reason.
            Ok(Err(_)) => return Err(running.await.err().unwrap_or_else(no_response)),
            Ok(Ok(response)) => (response, Some(running)),
            Err(Ok(())) => (response.try_recv().map_err(|_| no_response())?, None),
            Err(Err(failure)) => return Err(failure),
        };
        let (head, body) = response.map_err(|code| Failure::NoResponse(code.to_string()))?.into_parts();
        let (buffers, limit) = (&self.shared.buffers, self.shared.limits.body_buffer.as_u64());
        let body = match guest {
            Some(guest) => GuestBody::streamed(body, guest, buffers, limit),
            None => GuestBody::whole(body, buffers).await.map_err(|full| Failure::OutOfMemory(full.into()))?,
        };
        Ok(Response::from_parts(head, body))
    }

    async fn run(
        self: Arc<Self>,
        request: Request<WasiBody>,
        secure: bool,
        sender: oneshot::Sender<GuestResponse>,
        admission: Option<Admission>,
        room: Room,
    ) -> Result<(), Failure> {
        let limit = self.shared.limits.request_timeout;
        let mut usage = Usage::begin(&self);
        let work = async {
            let is_reserved = admission.as_ref().is_some_and(|admission| admission.is_reserved);
            let mut instance = self.acquire(room, is_reserved).await?;
            instance.handle(request, secure, sender).await?;
            wasmtime::error::Ok(instance)
        };
        let outcome = match tokio::time::timeout(limit, work).await {
            Ok(Ok(instance)) => {
                usage.discard = self.put_back(instance);
                Ok(())
            }
            Ok(Err(error)) => {
                let exhausted = error.downcast_ref::<Exhausted>().copied();
                usage.discard = Some(if exhausted.is_some() { Discard::OutOfMemory } else { Discard::Trapped });
                Err(exhausted.map_or(Failure::Failed(error), |exhausted| Failure::OutOfMemory(exhausted.into())))
            }
            Err(_) => {
                usage.discard = Some(Discard::TimedOut);
                Err(Failure::TimedOut(limit))
            }
        };
        drop(usage);
        // Last: now the instance is idle or its memory free, so that the next request finds room.
        drop(admission);
        outcome
    }

    /// An idle instance, or a new one if there is memory for it. Waits for either, unless `is_reserved`.
    async fn acquire(&self, room: Room, is_reserved: bool) -> wasmtime::Result<Instance> {
        let patience = if room.waits { self.shared.limits.queue_timeout } else { Duration::ZERO };
        let new = || {
            let mut charge = self.shared.budget.charge();
            charge.patience = patience;
            if is_reserved {
                charge.force(room.bytes);
                return Some(charge);
            }
            charge.try_set(room.bytes).then_some(charge)
        };
        let found = self
            .shared
            .budget
            .wait(room.bytes, room.patience, || self.take(room.bytes).map(Ok).or_else(|| new().map(Err)));
        let mut instance = match found.await.ok_or(Exhausted { wanted: room.bytes })? {
            Ok(idle) => idle,
            Err(charge) => self.instantiate(charge).await?,
        };
        instance.store.data_mut().set_patience(patience);
        Ok(instance)
    }

    async fn instantiate(&self, charge: Charge) -> wasmtime::Result<Instance> {
        let memory = Memory::new(self.shared.limits.max_memory.as_u64(), charge);
        let state = HostState::new(&self.component, self.shared.pools.clone(), memory);
        let mut store = Store::new(self.linked.pre.engine(), state);
        store.limiter_async(|state| &mut state.memory);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        let instance = self.linked.pre.instantiate_async(&mut store).await?;
        let streamed = self.linked.streamed.load(&mut store, &instance)?;
        let buffered =
            self.linked.buffered.as_ref().map(|buffered| buffered.load(&mut store, &instance)).transpose()?;
        self.new_instance.store(store.data().memory.size(), Ordering::Relaxed);
        self.created.inc();
        Ok(Instance { store, streamed, buffered, requests: 0, last_used: Instant::now() })
    }

    /// An idle instance, if there is one, and room for it to have `bytes`.
    fn take(&self, bytes: u64) -> Option<Instance> {
        let mut instance = self.lock_idle().pop_back()?;
        if !instance.store.data_mut().memory.reserve(bytes) {
            self.lock_idle().push_back(instance);
            return None;
        }
        self.reused.inc();
        Some(instance)
    }

    /// Keeps the instance, or returns why not.
    fn put_back(&self, mut instance: Instance) -> Option<Discard> {
        if instance.requests >= self.shared.limits.instance_reuse {
            return Some(Discard::Worn);
        }
        if !instance.store.data_mut().holds_nothing() {
            return Some(Discard::Holding);
        }
        if instance.store.data().memory.size() > self.shared.limits.kept_memory.as_u64() {
            return Some(Discard::Large);
        }
        instance.store.data_mut().memory.settle();
        instance.last_used = Instant::now();
        self.lock_idle().push_back(instance);
        self.shared.budget.notify();
        None
    }

    /// Discards instances that have been idle for longer than `timeout`.
    fn discard_idle(&self, timeout: Duration) {
        loop {
            let mut idle = self.lock_idle();
            let Some(expired) = idle.pop_front_if(|instance| instance.last_used.elapsed() > timeout) else { return };
            // Before the lock is released: a request that finds no idle instance needs the place of this one in the engine.
            drop(expired);
            self.shared.metrics.instance_discarded(&self.component.id, Discard::Idle);
        }
    }

    fn lock_idle(&self) -> MutexGuard<'_, VecDeque<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reclaim for Instances {
    /// Discards the instance that has been idle for the longest time.
    fn reclaim(&self) -> bool {
        let mut idle = self.lock_idle();
        let Some(instance) = idle.pop_front() else { return false };
        // Before the lock is released, as above.
        drop(instance);
        self.shared.metrics.instance_discarded(&self.component.id, Discard::Reclaimed);
        true
    }
}

/// Discards idle instances as long as there are `instances`.
async fn discard_idle(instances: Weak<Instances>, timeout: Duration) {
    let (shortest, longest) = CHECK_INTERVAL;
    let mut ticks = tokio::time::interval((timeout / 4).clamp(shortest, longest));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(instances) = instances.upgrade() else { return };
        instances.discard_idle(timeout);
    }
}

/// An instance that handles a request. Dropping it counts the instance as discarded, unless it was kept.
struct Usage<'a> {
    instances: &'a Instances,
    discard: Option<Discard>,
}

impl<'a> Usage<'a> {
    fn begin(instances: &'a Instances) -> Self {
        instances.busy.fetch_add(1, Ordering::Relaxed);
        // If the request is dropped, its client has gone away.
        Self { instances, discard: Some(Discard::Abandoned) }
    }
}

impl Drop for Usage<'_> {
    fn drop(&mut self) {
        self.instances.busy.fetch_sub(1, Ordering::Relaxed);
        if let Some(reason) = self.discard {
            self.instances.shared.metrics.instance_discarded(&self.instances.component.id, reason);
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
        sender: oneshot::Sender<GuestResponse>,
    ) -> wasmtime::Result<()> {
        self.requests += 1;
        // The deadline of an idle instance has passed. A request starts with a whole tick.
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin_request();
        let called = self.call(request, secure, sender).await;
        self.store.data().end_lines();
        called
    }

    async fn call(
        &mut self,
        mut request: Request<WasiBody>,
        secure: bool,
        sender: oneshot::Sender<GuestResponse>,
    ) -> wasmtime::Result<()> {
        if let Some(guest) = &self.buffered {
            match buffered::handle(guest, &mut self.store, request, secure).await? {
                Outcome::Done(response) => {
                    // If nobody waits for it, the client has gone away.
                    _ = sender.send(response);
                    return Ok(());
                }
                Outcome::Streamed(whole) => request = whole,
            }
        }
        let mut http = self.store.data_mut().http();
        let scheme = if secure { Scheme::Https } else { Scheme::Http };
        let request = http.new_incoming_request(scheme, request)?;
        let response = http.new_response_outparam(sender)?;
        self.streamed.wasi_http_incoming_handler().call_handle(&mut self.store, request, response).await
    }
}
