//! Running guests: Wasmtime's engine, components compiled for it, and their instances.

mod body;
mod buffered;
pub mod engine;
mod failure;
pub mod instances;
pub mod precompiled;
mod room;

pub use self::body::{GuestBody, no_request_body};
pub use self::failure::Failure;
