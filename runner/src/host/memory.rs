//! The memory of an instance: its limit, its size, and its part of the budget of all guests.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{ResourceLimiter, ResourceLimiterAsync, StoreLimits, StoreLimitsBuilder};

use crate::memory::budget::{Budget, Charge};

pub struct Memory {
    limits: StoreLimits,
    size: u64,
    charge: Charge,
}

impl Memory {
    /// `max` is the limit in bytes of each linear memory. All of them are charged, `charge` being what is charged already.
    pub fn new(max: u64, charge: Charge) -> Self {
        let max_size = usize::try_from(max).unwrap_or(usize::MAX);
        Self { limits: StoreLimitsBuilder::new().memory_size(max_size).build(), size: 0, charge }
    }

    /// Memory without limits.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX, Budget::unlimited().charge())
    }

    /// The budget that it is charged to.
    pub fn budget(&self) -> &Arc<Budget> {
        self.charge.budget()
    }

    /// The size of all linear memories in bytes. It never shrinks.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How long the guest waits for room to grow.
    pub fn set_patience(&mut self, patience: Duration) {
        self.charge.patience = patience;
    }

    /// Has at least `bytes` charged, so that the guest can grow to them. Returns whether there was room.
    pub fn reserve(&mut self, bytes: u64) -> bool {
        bytes <= self.charge.bytes() || self.charge.try_set(bytes)
    }

    /// Frees what is charged beyond the size.
    pub fn settle(&mut self) {
        if self.charge.bytes() > self.size {
            self.charge.force(self.size);
        }
    }
}

#[async_trait::async_trait]
impl ResourceLimiterAsync for Memory {
    /// Waits for room in the budget. Fails, which ends the guest, if there is none in time.
    async fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if !self.limits.memory_growing(current, desired, maximum)? {
            return Ok(false);
        }
        let size = self.size.saturating_add(desired.saturating_sub(current) as u64);
        // There will never be room for more: as with its own limit, the guest may know what to do.
        if size > self.budget().largest() {
            return Ok(false);
        }
        if size > self.charge.bytes() {
            self.charge.set(size).await?;
        }
        self.size = size;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.memory_grow_failed(error)
    }

    async fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_granted_counts() {
        let budget = Budget::new(1000, 1000, Duration::ZERO);
        let mut memory = Memory::new(100, budget.charge());
        assert!(memory.memory_growing(0, 60, None).await.unwrap());
        assert!(memory.memory_growing(0, 30, None).await.unwrap(), "another memory");
        assert!(memory.memory_growing(60, 100, None).await.unwrap());
        assert!(!memory.memory_growing(100, 101, None).await.unwrap());
        assert_eq!((memory.size(), budget.used()), (130, 130));
        drop(memory);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_guest_beyond_the_budget_fails_alone() {
        let budget = Budget::new(100, 100, Duration::ZERO);
        let mut first = Memory::new(200, budget.charge());
        let mut second = Memory::new(200, budget.charge());
        assert!(first.memory_growing(0, 60, None).await.unwrap());
        assert!(second.memory_growing(0, 40, None).await.unwrap());
        assert!(second.memory_growing(40, 50, None).await.is_err());
        assert!(!second.memory_growing(40, 101, None).await.unwrap(), "more than there ever is");
        drop(first);
        assert!(second.memory_growing(40, 100, None).await.unwrap());
    }

    #[tokio::test]
    async fn what_was_charged_before_is_used_first() {
        let budget = Budget::new(100, 100, Duration::ZERO);
        let mut charge = budget.charge();
        charge.force(80);
        let mut memory = Memory::new(200, charge);
        assert!(memory.memory_growing(0, 50, None).await.unwrap());
        assert_eq!(budget.used(), 80);
        memory.settle();
        assert_eq!(budget.used(), 50);
    }
}
