//! `spin:postgres/postgres@4.0.0` for guests.

use wasmtime::component::Resource;

use super::PostgresView;
use super::bindings::v4::{Error, Host, HostConnection, ParameterValue, RowSet};
use super::session::Session;

impl Host for PostgresView<'_> {}

impl HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Session>, Error>> {
        Ok(match self.ctx.open(address).await {
            Ok(session) => Ok(self.table.push(session)?),
            Err(error) => Err(error),
        })
    }

    async fn query(
        &mut self,
        connection: Resource<Session>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        Ok(self.table.get_mut(&connection)?.query(&statement, &params).await)
    }

    async fn execute(
        &mut self,
        connection: Resource<Session>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        Ok(self.table.get_mut(&connection)?.execute(&statement, &params).await)
    }

    async fn drop(&mut self, connection: Resource<Session>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}
