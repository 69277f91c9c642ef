//! Running guests: Wasmtime's engine, components compiled for it, and their instances.

mod body;
pub mod engine;
mod failure;
pub mod instances;
pub mod precompiled;

pub use self::body::GuestBody;
pub use self::failure::Failure;
