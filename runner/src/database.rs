//! Which database the application gets: the one the environment names or, where it names none, the embedded one.

use crate::config::{Environment, database_configured};
use crate::manifest::Manifest;
use crate::settings;

/// The database to hand to [`Application::resolve`](crate::application::Application::resolve). An embedded one runs as
/// long as this lives.
pub struct Database {
    #[cfg(feature = "embedded")]
    embedded: Option<crate::embedded::Database>,
}

impl Database {
    /// Starts the embedded database if the application wants a database (it declares the variable `db_host`) and the
    /// environment configures none.
    #[cfg(feature = "embedded")]
    pub async fn start(manifest: &Manifest, env: &Environment, settings: &settings::Embedded) -> anyhow::Result<Self> {
        if database_configured(env) || !manifest.variables.contains_key("db_host") {
            return Ok(Self { embedded: None });
        }
        let embedded = crate::embedded::Database::start(&settings.data).await?;
        Ok(Self { embedded: Some(embedded) })
    }

    /// Leaves the application the database its environment and its manifest's defaults name.
    #[cfg(not(feature = "embedded"))]
    pub async fn start(manifest: &Manifest, env: &Environment, _: &settings::Embedded) -> anyhow::Result<Self> {
        if !database_configured(env) && manifest.variables.contains_key("db_host") {
            tracing::info!("no database is configured: the manifest's defaults count (set DATABASE_URL or DB_HOST)");
        }
        Ok(Self {})
    }

    /// The address of the embedded database, with its password. `None` when another one is used.
    pub fn embedded_url(&self) -> Option<&str> {
        #[cfg(feature = "embedded")]
        return self.embedded.as_ref().map(crate::embedded::Database::url);
        #[cfg(not(feature = "embedded"))]
        None
    }
}
