//! What the service says of itself.

use serde::{Deserialize, Serialize};

use crate::Time;

/// Whether this instance works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "status": "healthy", "timestamp": "2026-11-22T10:00:00.000000Z",
})))]
pub struct Health {
    /// Always the same.
    pub status: String,
    /// The time of the instance's clock.
    pub timestamp: Time,
}

/// Whether requests can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "status": "ready", "schema": 4 })))]
pub struct Readiness {
    /// Always the same.
    pub status: String,
    /// The version of the database's schema.
    #[cfg_attr(feature = "openapi", schema(value_type = usize, minimum = 1))]
    pub schema: i64,
}
