//! What a handler gets: a request, who sent it, and the services that answer it.

use crate::auth::Identity;
use crate::config::Config;
use crate::store::Db;
use crate::web::body::{Incoming, SentFile};
use crate::web::{Problem, Request, outbound};

/// What requests are answered with.
pub struct Services {
    /// The database.
    pub db: Db,
    /// Returns the configuration, or what is wrong with it.
    pub config: fn() -> Result<&'static Config, String>,
    /// Sends requests to other servers, where the manifest lets this component reach them.
    pub send: outbound::Send,
}

impl Services {
    /// The configuration. 500 if the host does not give it, or gives a wrong value.
    pub fn config(&self) -> Result<&'static Config, Problem> {
        (self.config)().map_err(Problem::internal)
    }
}

/// A request with everything its handler needs to know.
pub struct Context<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its body, where the handler reads that itself.
    pub body: &'a dyn Incoming,
    /// The file that arrives with a form.
    pub file: Option<SentFile<'a>>,
    /// Who sent it.
    pub identity: &'a Identity,
    /// The database.
    pub db: &'a Db,
    /// The services that answer it.
    pub services: &'a Services,
}
