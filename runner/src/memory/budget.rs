//! The memory of all guests together. What each guest has, and the results of its statements, are charged to one budget.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as Turn;
use tokio::time::timeout;

use super::waiters::Waiters;

/// Quarters of the budget that large guests may have. The rest is left for usual ones: however much a few guests want, others
/// can be started.
const QUARTERS_FOR_LARGE: u64 = 3;

/// The budget has no room, and none became free in time.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("guests use all the memory that they may have together (RUNNER_GUEST_MEMORY)")]
pub struct Exhausted {
    /// The bytes that one charge wanted to have.
    pub wanted: u64,
}

/// What has no room.
enum Full {
    /// The budget. What is idle may make room.
    All,
    /// The part of it that large guests may have. What is idle is not large.
    Large,
}

/// Something that keeps memory it does not need at the moment.
pub trait Reclaim: Send + Sync {
    /// Frees some of it. Returns whether there was any.
    fn reclaim(&self) -> bool;
}

pub struct Budget {
    limit: u64,
    usual: u64,
    patience: Duration,
    used: Mutex<Used>,
    waiters: Waiters,
    /// Held by whoever waits for room that large guests may have.
    turn: Turn<()>,
    /// Held by the guest that waits for room to grow.
    growing: Turn<()>,
    reclaimable: Mutex<Vec<Weak<dyn Reclaim>>>,
}

/// Charged bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    all: u64,
    /// By large guests.
    large: u64,
}

impl Budget {
    /// A budget of `limit` bytes. A guest with more than `usual` bytes is large; `patience` is how long one waits for room.
    pub fn new(limit: u64, usual: u64, patience: Duration) -> Arc<Self> {
        let (used, waiters, turn, growing, reclaimable) = Default::default();
        Arc::new(Self { limit, usual, patience, used, waiters, turn, growing, reclaimable })
    }

    /// A budget without limit.
    pub fn unlimited() -> Arc<Self> {
        Self::new(u64::MAX, u64::MAX, Duration::ZERO)
    }

    /// Adds something to reclaim memory from when there is no room.
    pub fn add_reclaimable(&self, reclaimable: Weak<dyn Reclaim>) {
        lock(&self.reclaimable).push(reclaimable);
    }

    /// The largest charge there can be, if nobody else has one.
    pub fn largest(&self) -> u64 {
        self.usual.max(self.for_large()).min(self.limit)
    }

    /// The bytes that are charged.
    pub fn used(&self) -> u64 {
        lock(&self.used).all
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The result of `attempt` to get `bytes`, which is made again whenever memory becomes free, or an instance. `None` after
    /// `limit`.
    ///
    /// Large guests are served in the order in which they came: whoever wants less would be faster, each time.
    pub async fn wait<T>(&self, bytes: u64, limit: Duration, attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let began = Instant::now();
        let _turn = match bytes > self.usual {
            true => Some(timeout(limit, self.turn.lock()).await.ok()?),
            false => None,
        };
        self.waiters.wait(Some(limit.saturating_sub(began.elapsed())), attempt).await
    }

    /// To be called when an instance has become free, which may be what others wait for.
    pub fn notify(&self) {
        self.waiters.notify();
    }

    /// Nothing yet.
    pub fn charge(self: &Arc<Self>) -> Charge {
        Charge { budget: self.clone(), bytes: 0, patience: self.patience }
    }

    fn for_large(&self) -> u64 {
        self.limit / 4 * QUARTERS_FOR_LARGE
    }

    fn reclaim(&self) -> bool {
        lock(&self.reclaimable).iter().filter_map(Weak::upgrade).any(|reclaimable| reclaimable.reclaim())
    }
}

/// What one guest is charged. Dropping it frees the bytes.
pub struct Charge {
    budget: Arc<Budget>,
    bytes: u64,
    /// How long its owner waits for room. One that can start again had better not wait.
    pub patience: Duration,
}

impl Charge {
    /// The budget it is a part of.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// The bytes that are charged.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Changes the charge to `bytes`, waiting for room. Fails after a while, or at once if another guest waits for room to grow,
    /// and then changes nothing: two that wait with what they have may wait for each other.
    pub async fn set(&mut self, bytes: u64) -> Result<(), Exhausted> {
        let exhausted = Exhausted { wanted: bytes };
        let budget = self.budget.clone();
        if bytes > budget.largest() {
            return Err(exhausted);
        }
        if self.try_set(bytes) {
            return Ok(());
        }
        let _turn = budget.growing.try_lock().map_err(|_| exhausted)?;
        budget.waiters.wait(Some(self.patience), || self.try_set(bytes).then_some(())).await.ok_or(exhausted)
    }

    /// The same without waiting. Returns whether there was room.
    pub fn try_set(&mut self, bytes: u64) -> bool {
        loop {
            match self.change(bytes, false) {
                Ok(()) => return true,
                Err(Full::All) if self.budget.reclaim() => {}
                Err(_) => return false,
            }
        }
    }

    /// The same, whether there is room or not.
    pub fn force(&mut self, bytes: u64) {
        _ = self.change(bytes, true);
    }

    fn change(&mut self, bytes: u64, force: bool) -> Result<(), Full> {
        let budget = &self.budget;
        let large = |bytes: u64| if bytes > budget.usual { bytes } else { 0 };
        let mut used = lock(&budget.used);
        let all = (used.all - self.bytes).saturating_add(bytes);
        let by_large = (used.large - large(self.bytes)).saturating_add(large(bytes));
        if bytes > self.bytes && !force {
            if large(bytes) > 0 && by_large > budget.for_large() {
                return Err(Full::Large);
            }
            if all > budget.limit {
                return Err(Full::All);
            }
        }
        *used = Used { all, large: by_large };
        drop(used);
        if bytes < self.bytes {
            budget.waiters.notify();
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        _ = self.change(0, true);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);

    fn charge(budget: &Arc<Budget>, bytes: u64) -> Option<Charge> {
        let mut charge = budget.charge();
        charge.try_set(bytes).then_some(charge)
    }

    #[test]
    fn charges_share_one_limit() {
        let budget = Budget::new(100, 100, PATIENCE);
        let first = charge(&budget, 60).unwrap();
        assert!(charge(&budget, 41).is_none());
        let second = charge(&budget, 40).unwrap();
        drop(first);
        assert_eq!((budget.used(), second.bytes()), (40, 40));
        assert!(charge(&budget, 60).is_some());
    }

    #[test]
    fn a_quarter_is_left_for_usual_guests() {
        let budget = Budget::new(100, 10, PATIENCE);
        assert_eq!(budget.largest(), 75);
        let large = charge(&budget, 75).unwrap();
        assert!(charge(&budget, 11).is_none(), "another large one");
        let usual = [10, 10].map(|bytes| charge(&budget, bytes).unwrap());
        assert!(charge(&budget, 6).is_none(), "beyond the limit");
        drop((large, usual));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_forced_counts() {
        let budget = Budget::new(100, 100, PATIENCE);
        let _all = charge(&budget, 100).unwrap();
        let mut forced = budget.charge();
        forced.force(10);
        assert_eq!(budget.used(), 110);
        assert!(forced.try_set(5), "less is always possible");
        drop(forced);
        assert_eq!(budget.used(), 100);
    }

    #[tokio::test]
    async fn one_waits_for_room_but_not_for_ever() {
        let budget = Budget::new(100, 100, Duration::from_secs(60));
        let all = charge(&budget, 100).unwrap();
        let mut waiting = budget.charge();
        let (outcome, ()) = tokio::join!(waiting.set(50), async { drop(all) });
        assert!(outcome.is_ok() && waiting.bytes() == 50);

        let budget = Budget::new(100, 100, PATIENCE);
        let _all = charge(&budget, 100).unwrap();
        let mut waiting = budget.charge();
        assert_eq!(waiting.set(1).await.unwrap_err().wanted, 1);
        assert_eq!(waiting.bytes(), 0);
    }

    #[tokio::test]
    async fn only_one_guest_waits_for_room_to_grow() {
        let budget = Budget::new(100, 100, Duration::from_secs(60));
        let (mut first, mut second) = (charge(&budget, 50).unwrap(), charge(&budget, 50).unwrap());
        let (first, second) = tokio::join!(first.set(60), async {
            let outcome = second.set(60).await;
            drop(second);
            outcome
        });
        assert!(first.is_ok() && second.is_err());
    }

    #[test]
    fn what_is_not_needed_makes_room() {
        struct Idle(Mutex<Vec<Charge>>);
        impl Reclaim for Idle {
            fn reclaim(&self) -> bool {
                lock(&self.0).pop().is_some()
            }
        }
        let budget = Budget::new(100, 100, PATIENCE);
        let idle = Arc::new(Idle((0..3).map(|_| charge(&budget, 30).unwrap()).collect::<Vec<_>>().into()));
        let weak: Weak<dyn Reclaim> = Arc::<Idle>::downgrade(&idle);
        budget.add_reclaimable(weak);
        let _new = charge(&budget, 50).unwrap();
        assert_eq!(lock(&idle.0).len(), 1, "no more than it took");
        assert!(charge(&budget, 90).is_none());
    }
}
