//! The database of the application: the one that the environment configures, or else the embedded one.

use crate::config::environment::Environment;
use crate::config::manifest::Manifest;
use crate::config::settings;
use crate::config::variables::database_configured;

/// Runs the embedded database, if the application uses it, as long as this value lives.
pub struct Database {
    #[cfg(feature = "embedded")]
    embedded: Option<crate::embedded::Database>,
}

impl Database {
    /// Starts the embedded database if the application uses a database (it declares the variable `db_host`) and the
    /// environment does not configure one.
    #[cfg(feature = "embedded")]
    pub async fn start(manifest: &Manifest, env: &Environment, settings: &settings::Embedded) -> anyhow::Result<Self> {
        if database_configured(env) || !manifest.variables.contains_key("db_host") {
            return Ok(Self { embedded: None });
        }
        let embedded = crate::embedded::Database::start(settings).await?;
        println!("no database is configured (DATABASE_URL, DB_HOST): {}", embedded.description());
        Ok(Self { embedded: Some(embedded) })
    }

    /// Without an embedded database, the defaults in the manifest apply.
    #[cfg(not(feature = "embedded"))]
    pub async fn start(manifest: &Manifest, env: &Environment, _: &settings::Embedded) -> anyhow::Result<Self> {
        if !database_configured(env) && manifest.variables.contains_key("db_host") {
            tracing::info!(
                "no database is configured: using the defaults of the manifest (set DATABASE_URL or DB_HOST)"
            );
        }
        Ok(Self {})
    }

    /// The address of the embedded database, with its password. `None` if another one is used.
    pub fn embedded_url(&self) -> Option<&str> {
        #[cfg(feature = "embedded")]
        return self.embedded.as_ref().map(crate::embedded::Database::url);
        #[cfg(not(feature = "embedded"))]
        None
    }
}
