//! Why a guest gave no response, or not a complete one.

use std::time::Duration;

use crate::memory::budget::Exhausted;
use crate::memory::buffers::Full;

/// Which memory was used up.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub enum OutOfMemory {
    #[error(transparent)]
    Guests(#[from] Exhausted),
    #[error(transparent)]
    Buffers(#[from] Full),
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("the guest did not respond within {0:?}")]
    TimedOut(Duration),
    /// The guest trapped, for example because it panicked or ran out of memory, or it could not be started.
    #[error("the guest failed: {0:#}")]
    Failed(wasmtime::Error),
    /// The guest, or its response, needed more memory than there was.
    #[error("{0}")]
    OutOfMemory(OutOfMemory),
    /// The guest responded with an error, or not at all.
    #[error("the guest gave no response: {0}")]
    NoResponse(String),
}
