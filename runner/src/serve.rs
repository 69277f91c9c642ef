//! `wiki-runner serve`: everything put together, started and stopped in order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use wasmtime::component::Component;

use crate::application::Application;
use crate::clients::Clients;
use crate::config::Environment;
use crate::database::Database;
use crate::handler::Handler;
use crate::host::postgres::Pools;
use crate::instances::Instances;
use crate::manifest::Manifest;
use crate::metrics::Metrics;
use crate::settings::Serve;
use crate::slots::Slots;
use crate::{admin, engine, precompiled, server, tls};

/// Runs the application until SIGTERM or SIGINT, then until its requests have finished or the grace period is over.
///
/// Fails, before it listens, with one line that names what is wrong: the manifest, a variable, the component, the
/// address. A database that cannot be reached is no such thing: requests that need it are answered 503 until it is back.
pub async fn run(settings: Serve) -> anyhow::Result<()> {
    // First of all, so that a signal during the start is not lost.
    let stop = stop()?;
    let env = Environment::of_process();
    let manifest = Manifest::load(&settings.application.manifest)?;
    let database = Database::start(&manifest, &env, &settings.embedded).await?;
    let application = Application::resolve(manifest, &env, database.embedded_url())?;
    let mut postgres = settings.postgres.clone();
    if database.embedded_url().is_some() {
        // It serves one connection at a time.
        postgres.pg_pool_size = 1;
        println!(
            "no database is configured (DATABASE_URL, DB_HOST): an embedded PostgreSQL keeps the data in {}",
            settings.embedded.data.display()
        );
    }
    let metrics = Metrics::new();
    let pools = Pools::new(&postgres, metrics.database.clone())?;

    let (name, warnings) = (application.name.clone(), application.warnings.clone());
    let handler = Arc::new(handler(application, &settings, pools.clone(), metrics)?);
    let admin = admin::start(&settings.admin, handler.clone(), pools).await?;
    let tls = tls::acceptor(&settings.tls)?;
    let address = settings.listen.socket_addr()?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let local = listener.local_addr()?;
    println!("{name} runs on {}", url(local, tls.is_some()));
    tracing::info!(%local, "listening");
    for warning in warnings.iter().filter(|_| !local.ip().is_loopback()) {
        tracing::warn!(%local, "{warning}");
    }

    let served = server::serve(listener, tls, handler, stop).await;
    // Up to here: that the service stops can be seen.
    drop(admin);
    served
}

fn handler(
    application: Application,
    settings: &Serve,
    pools: Arc<Pools>,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Handler> {
    let count = u32::try_from(application.components.len()).unwrap_or(u32::MAX);
    // Every component may come to hold as many idle instances as requests can run at once.
    let at_once = settings.limits.max_concurrency.saturating_add(Slots::RESERVED);
    let engine = engine::new(&settings.limits, at_once.saturating_mul(count))?;
    let slots = Slots::new(&settings.limits);
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
        let (pools, limits) = (pools.clone(), settings.limits.clone());
        let instances = Instances::new(component, &code, pools, limits, metrics.clone())
            .with_context(|| format!("component {id}"))?;
        components.insert(id.into(), Arc::new(instances));
    }
    Ok(Handler {
        router: application.router,
        components,
        slots,
        clients: Clients::new(&settings.clients),
        limits: settings.limits.clone(),
        metrics,
        access_log: settings.admin.access_log,
        stopping: AtomicBool::new(false),
    })
}

/// Where a person on this machine finds what listens on `local`.
fn url(local: SocketAddr, secure: bool) -> String {
    let scheme = if secure { "https" } else { "http" };
    if local.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", local.port())
    } else {
        format!("{scheme}://{local}")
    }
}

/// Completes at the first SIGTERM (from an orchestrator) or SIGINT (from a terminal).
fn stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
