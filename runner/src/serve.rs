//! `wiki-runner serve`: puts everything together, and starts and stops it in order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use wasmtime::component::Component;

use crate::config::accepted_hosts::AcceptedHosts;
use crate::config::application::{Application, Timer};
use crate::config::environment::Environment;
use crate::config::manifest::{Manifest, TIMER};
use crate::config::settings::{Serve, Switch};
use crate::database_choice::Database;
use crate::guest::instances::{Instances, Shared};
use crate::guest::{engine, precompiled};
use crate::host::postgres::Pools;
use crate::memory::budget::Budget;
use crate::memory::buffers::Buffers;
use crate::memory::container;
use crate::request::Handler;
use crate::request::concurrency_limit::ConcurrencyLimit;
use crate::request::rate_limit::WriteRateLimit;
use crate::request::router::Router;
use crate::request::timers;
use crate::server::tls;
use crate::stop_signal::stop_signal;
use crate::telemetry::metrics::Metrics;
use crate::{admin, server};

/// Runs the application until SIGTERM or SIGINT, and then until its requests have finished or the grace period is over.
///
/// Fails before it listens if the manifest, a variable, the component or an address is wrong, with one line that names it.
/// An unreachable database is not such an error: requests that need it get 503 until it is back.
pub async fn run(settings: Serve) -> anyhow::Result<()> {
    // First, so that a signal during the start is not lost.
    let stop = stop_signal()?;
    // What can be checked at once, before a database is started and a component compiled.
    let address = settings.listen.socket_addr()?;
    settings.admin.socket_addr()?;
    let hosts = AcceptedHosts::for_clients(&settings.clients.hosts, address.ip());
    let tls = tls::acceptor(&settings.tls)?;
    let env = Environment::of_process();
    let mut manifest = Manifest::load(&settings.application.manifest)?;
    // Of all components: one that is not served still has its paths, and its timers.
    let routes = router(&manifest.path, &manifest.routes)?;
    if let Some(timer) = manifest.timers.iter().find(|timer| routes.find(&timer.path).is_none()) {
        bail!("{}: {TIMER} path {:?}: no route leads there", manifest.path.display(), timer.path);
    }
    if let Some(id) = settings.application.component() {
        manifest.select(id)?;
    }
    let database = Database::start(&manifest, &env, &settings.embedded).await?;
    let mut application = Application::resolve(manifest, &env, database.embedded_url())?;
    let components = &application.components;
    let is_served =
        |path: &str| routes.find(path).is_some_and(|found| components.contains_key(&**found.component_id()));
    let runs = |timer: &Timer| settings.application.timers == Switch::On && is_served(&timer.timer.path);
    let timers: Vec<Timer> = application.timers.extract_if(.., |timer| runs(timer)).collect();
    let metrics = Metrics::new();
    let pools = Pools::new(&settings.postgres, metrics.database.clone())?;

    let limit = container::memory_limit();
    let limits = settings.limits.clone();
    let budget = Budget::new(limits.guest_memory(limit), limits.kept_memory.as_u64(), limits.queue_timeout);
    let buffers = Buffers::new(limits.buffer_memory(limit));
    let shared = Shared { pools, budget, buffers, limits, metrics };

    let (name, warnings) = (application.name.clone(), application.warnings.clone());
    let handler = Arc::new(handler(application, &settings, shared.clone(), hosts, timers.len())?);
    let admin = admin::start(&settings.admin, &settings.clients.hosts, handler.clone(), shared).await?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (--listen, LISTEN_ADDR; --port, PORT)"))?;
    let local = listener.local_addr()?;
    println!("{name} runs on {}", url(local, tls.is_some()));
    tracing::info!(%local, "listening");
    for warning in warnings.iter().filter(|_| !local.ip().is_loopback()) {
        tracing::warn!(%local, "{warning}");
    }

    let (stopping, stops) = watch::channel(false);
    let timers = timers::start(&handler, timers, &stops);
    let stop = async {
        stop.await;
        stopping.send_replace(true);
    };
    let served = server::serve(listener, tls, handler, stop, timers).await;
    // Operators can watch the server drain.
    drop(admin);
    served
}

fn handler(
    application: Application,
    settings: &Serve,
    shared: Shared,
    accepted_hosts: AcceptedHosts,
    timers: usize,
) -> anyhow::Result<Handler> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let count = number(application.components.len());
    let router = router(&application.manifest, &application.routes)?;
    // Each component can have as many instances, idle or busy, as requests run at once. Only address space is reserved for
    // them: what they use is limited for all components together.
    let own = ConcurrencyLimit::RESERVED.saturating_add(number(timers));
    let concurrency = settings.limits.max_concurrency.saturating_add(own);
    let engine = engine::new(&settings.limits, concurrency.saturating_mul(count))?;
    let mut components = BTreeMap::new();
    // Components may share a file; it is compiled once.
    let files = application.components.values().map(|component| &component.source).collect::<BTreeSet<_>>().len();
    let mut compiled: BTreeMap<PathBuf, Component> = BTreeMap::new();
    for (id, component) in application.components {
        let code = match &settings.application.precompiled {
            Some(file) if files == 1 => precompiled::load(&engine, file)?,
            Some(_) => {
                bail!("--precompiled takes the code of one file, and the components of this application have {files}")
            }
            None => match compiled.entry(component.source.clone()) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => new.insert(engine::load(&engine, &component.source)?).clone(),
            },
        };
        let instances = Instances::new(component, &code, shared.clone()).with_context(|| format!("component {id}"))?;
        components.insert(id.into(), instances);
    }
    Ok(Handler {
        router,
        components,
        concurrency_limit: ConcurrencyLimit::new(&settings.limits),
        write_rate_limit: WriteRateLimit::new(settings.clients.write_rate, settings.clients.write_burst),
        accepted_hosts,
        trusted_proxies: settings.clients.trusted_proxies.clone(),
        buffers: shared.buffers,
        limits: shared.limits,
        metrics: shared.metrics,
        access_log: settings.admin.access_log,
        compresses: settings.admin.compression,
        request_id: settings.admin.request_id,
        draining: AtomicBool::new(false),
    })
}

/// The router for `routes` of the file `manifest`.
fn router(manifest: &Path, routes: &[(String, String)]) -> anyhow::Result<Router> {
    Router::new(routes.iter().cloned()).with_context(|| format!("{}: [[trigger.http]]", manifest.display()))
}

/// The URL at which a browser on this machine reaches the server.
fn url(local: SocketAddr, secure: bool) -> String {
    let scheme = if secure { "https" } else { "http" };
    if local.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", local.port())
    } else {
        format!("{scheme}://{local}")
    }
}
