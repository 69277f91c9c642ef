//! The application's timers: `POST` requests that the runner itself makes while it serves, again and again.
//!
//! They reach the application as a client's do, except that they take no place of a client: there is one more for each timer.
//! They are neither counted as requests of clients nor in the access log, which would otherwise be full of them.

use std::sync::Arc;
use std::time::Instant;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::Span;

use super::identity::Identity;
use super::problem::Problem;
use super::{Handler, OWN_HOST};
use crate::config::application::Timer;
use crate::guest::GuestBody;

/// What became of one request of a timer.
struct Run {
    outcome: Result<(), Failed>,
    /// The span of the request. What is logged about it belongs there.
    span: Span,
}

/// Why it has not done its work.
struct Failed {
    status: StatusCode,
    /// The runner's own reason. Empty if the application responded.
    cause: String,
}

/// Starts `timers`, each with its first request. No request begins once `stopping` is true; the result waits for those that have
/// begun, and dropping it ends them.
pub fn start(
    handler: &Arc<Handler>,
    timers: Vec<Timer>,
    stopping: &watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let repeated = timers.into_iter().map(|timer| repeat(handler.clone(), timer, stopping.clone()));
    let mut tasks: JoinSet<()> = repeated.collect();
    async move { while tasks.join_next().await.is_some() {} }
}

/// Makes the requests of `timer` one after another, until it is told to stop.
async fn repeat(handler: Arc<Handler>, timer: Timer, mut stopping: watch::Receiver<bool>) {
    let path = timer.timer.path.as_str();
    let metrics = handler.metrics.timer(path);
    let mut ticks = tokio::time::interval(timer.timer.interval());
    // Those that were missed meanwhile are not made up for.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        let began = Instant::now();
        let Run { outcome, span } = handler.tick(&timer).await;
        metrics.duration.observe(began.elapsed().as_secs_f64());
        let _entered = span.enter();
        match outcome {
            Ok(()) => {
                metrics.succeeded.inc();
                if is_failing {
                    tracing::info!(path, "the timer works again");
                }
                is_failing = false;
            }
            Err(Failed { status, cause }) => {
                metrics.failed.inc();
                let status = status.as_u16();
                if is_failing {
                    tracing::debug!(path, status, "the timer still fails: {cause}");
                } else if cause.is_empty() {
                    tracing::warn!(path, status, "the timer fails: the application refuses its request");
                } else {
                    tracing::warn!(path, status, "the timer fails: {cause}");
                }
                is_failing = true;
            }
        }
    }
}

impl Handler {
    /// Makes one request of `timer`, and waits until its guest is done, which may be after the response.
    async fn tick(&self, timer: &Timer) -> Run {
        let mut request = Request::post(timer.timer.path.as_str()).header(HOST, OWN_HOST).header(CONTENT_LENGTH, 0);
        if let Some(authorization) = &timer.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        // The path has been checked with the manifest, so this does not fail.
        let (head, ()) = request.body(()).unwrap_or_default().into_parts();
        let identity = Identity::of(&head);
        let place = Arc::new(Semaphore::new(1));
        let outcome = match self.ask(head, &identity, async { place.clone().acquire_owned().await.ok() }).await {
            Ok(response) => read(response).await,
            Err(Problem { status, cause, .. }) => Err(Failed { status, cause }),
        };
        // The guest has it until then.
        _ = place.acquire().await;
        Run { outcome, span: identity.span }
    }
}

/// Reads the response to its end.
async fn read(response: Response<GuestBody>) -> Result<(), Failed> {
    let (head, mut body) = response.into_parts();
    let status = head.status;
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return Err(Failed { status, cause: "the response broke off".into() });
        }
    }
    if status.is_success() { Ok(()) } else { Err(Failed { status, cause: String::new() }) }
}
