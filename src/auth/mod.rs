//! Authorization: who sends a request, and what they may do.

pub mod accounts;
pub mod context;
pub mod identify;
pub mod identity;
pub mod password;
pub mod permissions;
pub mod rate_limit;
mod secret;
pub mod sessions;
pub mod sign_in_within;
pub mod tokens;

pub use context::{Context, Services};
pub use identify::identify;
pub use identity::Identity;
pub use permissions::Need;
pub use secret::unique;
