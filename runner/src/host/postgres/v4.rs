//! `spin:postgres/postgres@4.0.0` for guests.

use std::time::Instant;

use wasmtime::component::Resource;

use super::PostgresView;
use super::bindings::v4::{Connection, Error, Host, HostConnection, ParameterValue, RowSet};
use super::session::Session;

impl Host for PostgresView<'_> {}

/// The session that a guest's connection stands for. The two have the same number in the table: the generated bindings
/// then need not know the type that is built on them.
fn session(connection: &Resource<Connection>) -> Resource<Session> {
    Resource::new_own(connection.rep())
}

impl HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(match self.ctx.open(address).await {
            Ok(session) => Ok(Resource::new_own(self.table.push(session)?.rep())),
            Err(error) => Err(error),
        })
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let session = self.table.get_mut(&session(&connection))?;
        let begun = Instant::now();
        let result = session.query(&statement, &params, self.ctx.left).await;
        self.ctx.waited(begun);
        // Not an error of the database: the guest ends, as when there is no room for its own memory.
        if let Some(exhausted) = session.out_of_memory() { Err(exhausted.into()) } else { Ok(result) }
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let session = self.table.get_mut(&session(&connection))?;
        let begun = Instant::now();
        let result = session.execute(&statement, &params, self.ctx.left).await;
        self.ctx.waited(begun);
        Ok(result)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(session(&connection))?;
        Ok(())
    }
}
