//! The memory of an instance: its limit and its size.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

pub struct Memory {
    limits: StoreLimits,
    size: usize,
}

impl Memory {
    /// `max` is the limit in bytes of each linear memory.
    pub fn new(max: usize) -> Self {
        Self { limits: StoreLimitsBuilder::new().memory_size(max).build(), size: 0 }
    }

    /// The size of all linear memories in bytes. It never shrinks.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let granted = self.limits.memory_growing(current, desired, maximum)?;
        if granted {
            self.size = self.size.saturating_add(desired.saturating_sub(current));
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
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

    #[test]
    fn only_what_is_granted_counts() {
        let mut memory = Memory::new(100);
        assert!(memory.memory_growing(0, 60, None).unwrap());
        assert!(memory.memory_growing(0, 30, None).unwrap(), "another memory");
        assert!(memory.memory_growing(60, 100, None).unwrap());
        assert!(!memory.memory_growing(100, 101, None).unwrap());
        assert_eq!(memory.size(), 130);
    }
}
