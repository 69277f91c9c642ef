//! What the process may use of its memory: one budget for guests, one for what is buffered for clients.

pub mod budget;
pub mod buffers;
pub mod container;
mod waiters;
