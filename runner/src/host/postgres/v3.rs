//! `spin:postgres/postgres@3.0.0` for guests: version 4.0.0 with fewer types and errors as text.

use wasmtime::component::Resource;

use super::PostgresView;
use super::bindings::v3::{Column, DbDataType, DbValue, Error, Host, HostConnection, ParameterValue, RowSet};
use super::bindings::v4;
use super::session::Session;

impl Host for PostgresView<'_> {}

impl HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Session>, Error>> {
        Ok(v4::HostConnection::open(self, address).await?.map_err(Error::from))
    }

    async fn query(
        &mut self,
        connection: Resource<Session>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let params = params.into_iter().map(Into::into).collect();
        let result = v4::HostConnection::query(self, connection, statement, params).await?;
        Ok(result.map(RowSet::from).map_err(Error::from))
    }

    async fn execute(
        &mut self,
        connection: Resource<Session>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let params = params.into_iter().map(Into::into).collect();
        let result = v4::HostConnection::execute(self, connection, statement, params).await?;
        Ok(result.map_err(Error::from))
    }

    async fn drop(&mut self, connection: Resource<Session>) -> wasmtime::Result<()> {
        v4::HostConnection::drop(self, connection).await
    }
}

impl From<ParameterValue> for v4::ParameterValue {
    fn from(value: ParameterValue) -> Self {
        match value {
            ParameterValue::Boolean(v) => Self::Boolean(v),
            ParameterValue::Int8(v) => Self::Int8(v),
            ParameterValue::Int16(v) => Self::Int16(v),
            ParameterValue::Int32(v) => Self::Int32(v),
            ParameterValue::Int64(v) => Self::Int64(v),
            ParameterValue::Floating32(v) => Self::Floating32(v),
            ParameterValue::Floating64(v) => Self::Floating64(v),
            ParameterValue::Str(v) => Self::Str(v),
            ParameterValue::Binary(v) => Self::Binary(v),
            ParameterValue::Date(v) => Self::Date(v),
            ParameterValue::Time(v) => Self::Time(v),
            ParameterValue::Datetime(v) => Self::Datetime(v),
            ParameterValue::Timestamp(v) => Self::Timestamp(v),
            ParameterValue::DbNull => Self::DbNull,
        }
    }
}

impl From<v4::DbValue> for DbValue {
    /// Values of types that came with version 4 are unsupported, as in Spin.
    fn from(value: v4::DbValue) -> Self {
        match value {
            v4::DbValue::Boolean(v) => Self::Boolean(v),
            v4::DbValue::Int8(v) => Self::Int8(v),
            v4::DbValue::Int16(v) => Self::Int16(v),
            v4::DbValue::Int32(v) => Self::Int32(v),
            v4::DbValue::Int64(v) => Self::Int64(v),
            v4::DbValue::Floating32(v) => Self::Floating32(v),
            v4::DbValue::Floating64(v) => Self::Floating64(v),
            v4::DbValue::Str(v) => Self::Str(v),
            v4::DbValue::Binary(v) => Self::Binary(v),
            v4::DbValue::Date(v) => Self::Date(v),
            v4::DbValue::Time(v) => Self::Time(v),
            v4::DbValue::Datetime(v) => Self::Datetime(v),
            v4::DbValue::Timestamp(v) => Self::Timestamp(v),
            v4::DbValue::DbNull => Self::DbNull,
            v4::DbValue::Uuid(_)
            | v4::DbValue::Jsonb(_)
            | v4::DbValue::Decimal(_)
            | v4::DbValue::RangeInt32(_)
            | v4::DbValue::RangeInt64(_)
            | v4::DbValue::RangeDecimal(_)
            | v4::DbValue::ArrayInt32(_)
            | v4::DbValue::ArrayInt64(_)
            | v4::DbValue::ArrayDecimal(_)
            | v4::DbValue::ArrayStr(_)
            | v4::DbValue::Interval(_)
            | v4::DbValue::Unsupported(_) => Self::Unsupported,
        }
    }
}

impl From<v4::DbDataType> for DbDataType {
    fn from(data_type: v4::DbDataType) -> Self {
        match data_type {
            v4::DbDataType::Boolean => Self::Boolean,
            v4::DbDataType::Int8 => Self::Int8,
            v4::DbDataType::Int16 => Self::Int16,
            v4::DbDataType::Int32 => Self::Int32,
            v4::DbDataType::Int64 => Self::Int64,
            v4::DbDataType::Floating32 => Self::Floating32,
            v4::DbDataType::Floating64 => Self::Floating64,
            v4::DbDataType::Str => Self::Str,
            v4::DbDataType::Binary => Self::Binary,
            v4::DbDataType::Date => Self::Date,
            v4::DbDataType::Time => Self::Time,
            v4::DbDataType::Datetime => Self::Datetime,
            v4::DbDataType::Timestamp => Self::Timestamp,
            v4::DbDataType::Uuid
            | v4::DbDataType::Jsonb
            | v4::DbDataType::Decimal
            | v4::DbDataType::RangeInt32
            | v4::DbDataType::RangeInt64
            | v4::DbDataType::RangeDecimal
            | v4::DbDataType::ArrayInt32
            | v4::DbDataType::ArrayInt64
            | v4::DbDataType::ArrayDecimal
            | v4::DbDataType::ArrayStr
            | v4::DbDataType::Interval
            | v4::DbDataType::Other(_) => Self::Other,
        }
    }
}

impl From<v4::RowSet> for RowSet {
    fn from(set: v4::RowSet) -> Self {
        let column = |column: v4::Column| Column { name: column.name, data_type: column.data_type.into() };
        Self {
            columns: set.columns.into_iter().map(column).collect(),
            rows: set.rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect(),
        }
    }
}

impl From<v4::Error> for Error {
    fn from(error: v4::Error) -> Self {
        match error {
            v4::Error::ConnectionFailed(text) => Self::ConnectionFailed(text),
            v4::Error::BadParameter(text) => Self::BadParameter(text),
            v4::Error::QueryFailed(v4::QueryError::Text(text)) => Self::QueryFailed(text),
            v4::Error::QueryFailed(v4::QueryError::DbError(error)) => Self::QueryFailed(error.as_text),
            v4::Error::ValueConversionFailed(text) => Self::ValueConversionFailed(text),
            v4::Error::Other(text) => Self::Other(text),
        }
    }
}
