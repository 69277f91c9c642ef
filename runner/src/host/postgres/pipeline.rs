//! Pipelines: connections that many requests send statements to, each without waiting for the answers to those before.
//!
//! With one statement at a time in each connection, the server and the kernel are woken for every one. Statements that are sent one
//! behind the other are read, run and answered together, which halves what small ones take.
//!
//! That is only for statements that only read, and change nothing in a session: nobody can tell which session ran them, or how often. If
//! anything goes wrong, they run again in a session of the request's own, as all others do, and what comes of that counts. And it is
//! only for statements that have been quick, because whoever comes behind a slow one waits for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use deadpool::managed::Object;

use super::connection::{Connection, Prepared};
use super::manager::Loan;

/// Pipelines of a database. One keeps a processor of its server busy, with more small statements than a runner can send.
const MOST: usize = 2;

/// Connections of a pool for each of its pipelines: most are for statements that need a session, or take long.
const CONNECTIONS_EACH: usize = 8;

/// Statements in one pipeline at once: two have room for those of all requests that are processed at once by default. With a quarter of
/// it, 256 clients got a fifth less.
const DEPTH: usize = 64;

/// How long the answer to a quick statement takes at most, on a busy machine, and how often in a row it has to.
const QUICK: Duration = Duration::from_millis(5);
const PROOF: u8 = 8;

/// How long a statement takes, without those before it, that was thought to be quick and is not.
const SLOW: Duration = Duration::from_millis(20);

/// How long a statement waits in a pipeline. After that, something blocks it: it is closed.
pub const PATIENCE: Duration = Duration::from_millis(250);

/// Bytes of the parameters, or of the largest row, of a statement in a pipeline: larger ones take up the connection.
pub const LARGEST: usize = 64 << 10;

/// Statements that are known. An application has tens; at this limit all are forgotten.
const MAX_STATEMENTS: usize = 256;

/// The pipelines of a database, and the statements that may use them.
pub struct Pipelines {
    /// How many there may be.
    most: usize,
    idle_timeout: Duration,
    open: Mutex<Vec<Arc<Pipeline>>>,
    is_opening: AtomicBool,
    known: RwLock<HashMap<Box<str>, Arc<Known>>>,
}

/// A statement that only reads.
#[derive(Default)]
struct Known {
    /// How often in a row it was quick, up to [`PROOF`].
    quick: AtomicU8,
    /// For which pipelines it is prepared.
    prepared: Mutex<Vec<(Weak<Pipeline>, Arc<Prepared>)>>,
}

struct Pipeline {
    /// None when it is dropped.
    loan: Option<Loan>,
    depth: AtomicUsize,
    is_retired: AtomicBool,
    /// When the last answer was read.
    answered: Mutex<Instant>,
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Whatever is the matter with it, or for how long nobody used it.
        if let Some(loan) = self.loan.take() {
            Object::take(loan).abort();
        }
    }
}

impl Pipeline {
    fn is_usable(&self, idle_timeout: Duration) -> bool {
        let is_open = self.loan.as_ref().is_some_and(|loan| !loan.client.is_closed() && !loan.is_unnamed());
        let is_used = self.depth.load(Ordering::Relaxed) > 0 || locked(&self.answered).elapsed() <= idle_timeout;
        is_open && is_used && !self.is_retired.load(Ordering::Relaxed)
    }
}

impl Pipelines {
    /// None yet, of a pool of so many connections.
    pub fn new(pool_size: usize, idle_timeout: Duration) -> Self {
        Self {
            most: (pool_size / CONNECTIONS_EACH).min(MOST),
            idle_timeout,
            open: Mutex::default(),
            is_opening: AtomicBool::default(),
            known: RwLock::default(),
        }
    }

    /// Whether there are any: whoever opens a session may not need a connection of its own.
    pub fn are_open(&self) -> bool {
        !locked(&self.open).is_empty()
    }

    /// How many are open, and nobody uses them.
    pub fn idle(&self) -> usize {
        locked(&self.open).iter().filter(|pipeline| pipeline.depth.load(Ordering::Relaxed) == 0).count()
    }

    /// Closes all of them, after the statements that are under way.
    pub fn close(&self) {
        locked(&self.open).clear();
    }

    /// Closes those that nobody has used for a while.
    pub fn close_unused(&self) {
        drop(self.usable());
    }

    /// Those that are left when the others are closed.
    fn usable(&self) -> MutexGuard<'_, Vec<Arc<Pipeline>>> {
        let mut open = locked(&self.open);
        open.retain(|pipeline| pipeline.is_usable(self.idle_timeout));
        open
    }

    /// A place for the statement `sql`, if there is a pipeline for it.
    pub fn place(&self, sql: &str) -> Option<Place<'_>> {
        if !self.are_open() {
            return None;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(sql)?.clone();
        if known.quick.load(Ordering::Relaxed) < PROOF {
            return None;
        }
        let open = self.usable();
        let pipeline = open.iter().min_by_key(|pipeline| pipeline.depth.load(Ordering::Relaxed))?.clone();
        if pipeline.depth.load(Ordering::Relaxed) >= DEPTH {
            return None;
        }
        pipeline.depth.fetch_add(1, Ordering::Relaxed);
        Some(Place { pipelines: self, pipeline, known, begun: Instant::now() })
    }

    /// Notes that `sql`, which only reads, took so long in a session of its own, and that its largest message had so many bytes. Returns
    /// whether to [`add`](Self::add) a pipeline, since there is a use for one.
    pub fn note(&self, sql: &str, taken: Duration, largest: usize) -> bool {
        if self.most == 0 {
            return false;
        }
        let is_quick = taken <= QUICK && largest <= LARGEST;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        match known {
            Some(known) if is_quick => {
                let quick = known.quick.load(Ordering::Relaxed).saturating_add(1).min(PROOF);
                known.quick.store(quick, Ordering::Relaxed);
                quick == PROOF && locked(&self.open).len() < self.most && !self.is_opening.swap(true, Ordering::Relaxed)
            }
            Some(known) => {
                known.quick.store(0, Ordering::Relaxed);
                false
            }
            None if is_quick => {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                if known.len() >= MAX_STATEMENTS {
                    known.clear();
                }
                known.entry(sql.into()).or_default().quick.fetch_max(1, Ordering::Relaxed);
                false
            }
            None => false,
        }
    }

    /// Makes a pipeline of this connection, if there is one.
    pub fn add(&self, loan: Option<Loan>) {
        // Behind a pooler, statements have no names, and each carries its text: there is nothing to gain.
        if let Some(loan) = loan.filter(|loan| !loan.is_unnamed()) {
            locked(&self.open).push(Arc::new(Pipeline {
                loan: Some(loan),
                depth: AtomicUsize::new(0),
                is_retired: AtomicBool::new(false),
                answered: Mutex::new(Instant::now()),
            }));
        }
        self.is_opening.store(false, Ordering::Relaxed);
    }
}

/// A place in a pipeline, for one statement. Dropping it leaves the pipeline.
pub struct Place<'a> {
    pipelines: &'a Pipelines,
    pipeline: Arc<Pipeline>,
    known: Arc<Known>,
    begun: Instant,
}

impl Place<'_> {
    /// The connection.
    pub fn connection(&self) -> Option<&Connection> {
        self.pipeline.loan.as_deref()
    }

    /// The statement, prepared now if it was not before; none if it cannot be, or it turns out that it does more than read.
    pub async fn prepare(&self, sql: &str) -> Option<Arc<Prepared>> {
        let known = locked(&self.known.prepared).iter().find(|(pipeline, _)| self.is_in(pipeline)).cloned();
        if let Some((_, prepared)) = known {
            return Some(prepared);
        }
        let prepared = self.connection()?.prepare(sql).await.ok()?;
        if !prepared.only_reads {
            self.known.quick.store(0, Ordering::Relaxed);
            return None;
        }
        let mut known = locked(&self.known.prepared);
        known.retain(|(pipeline, _)| pipeline.strong_count() > 0);
        known.push((Arc::downgrade(&self.pipeline), prepared.clone()));
        Some(prepared)
    }

    fn is_in(&self, pipeline: &Weak<Pipeline>) -> bool {
        std::ptr::eq(pipeline.as_ptr(), &*self.pipeline)
    }

    /// Notes that the statement was answered, and that its largest message had so many bytes.
    pub fn answered(&self, largest: usize) {
        let now = Instant::now();
        let before = std::mem::replace(&mut *locked(&self.pipeline.answered), now);
        // Those in front are answered first.
        if now.saturating_duration_since(before.max(self.begun)) > SLOW || largest > LARGEST {
            self.known.quick.store(0, Ordering::Relaxed);
        }
        if largest > LARGEST {
            // Its buffers stay as large as they were once.
            self.retire();
        }
    }

    /// Prepares the statement again the next time, wherever it runs: it failed.
    pub fn forget(&self, sql: &str) {
        locked(&self.known.prepared).retain(|(pipeline, _)| !self.is_in(pipeline));
        if let Some(connection) = self.connection() {
            connection.forget(sql);
        }
    }

    /// Notes that there was no answer for as long as anybody waits. Whether it was this statement that took so long, or one in front of
    /// it, is not known here.
    pub fn blocked(&self) {
        self.known.quick.store(0, Ordering::Relaxed);
        self.retire();
    }

    /// Closes the pipeline after the statements that are under way.
    fn retire(&self) {
        self.pipeline.is_retired.store(true, Ordering::Relaxed);
        self.pipelines.close_unused();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pipeline.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
