//! Work on many items at once: a few threads, one tally, one progress bar.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::progress::Progress;

/// Calls `work` for every item on `jobs` threads, and `add` with each result, one at a time; returns the tally.
///
/// Items are started in order: this is why it is not a `rayon` iterator. None is started after `add` returned `Break`.
/// `noun` is what progress calls the items.
pub fn tally<T: Sync, R, A: Default + Send>(
    items: &[T],
    jobs: usize,
    noun: &'static str,
    work: impl Fn(&T) -> R + Sync,
    add: impl Fn(&mut A, &T, R) -> ControlFlow<()> + Sync,
) -> A {
    let progress = Progress::start(items.len(), noun);
    let tally = Mutex::new(A::default());
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let run = || {
        while !stopped.load(Ordering::Relaxed)
            && let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let result = work(item);
            progress.tick();
            if add(&mut tally.lock().unwrap_or_else(PoisonError::into_inner), item, result).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(run);
        }
    });
    progress.finish();
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_tallied_until_one_breaks() {
        let items: Vec<usize> = (1..=100).collect();
        let sum = |total: &mut usize, _: &usize, number| {
            *total += number;
            ControlFlow::Continue(())
        };
        assert_eq!(tally(&items, 8, "items", |item| *item, sum), 5_050);
        let until_two = |count: &mut usize, _: &usize, ()| {
            *count += 1;
            if *count < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        assert_eq!(tally(&items, 1, "items", |_| (), until_two), 2);
    }
}
