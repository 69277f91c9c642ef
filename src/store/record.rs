//! How rows become structs, and statements always return one.

/// Defines a macro with the columns of a record, for SQL, and a function that reads them from a row.
///
/// Written together, the two cannot disagree on order or number.
///
/// ```ignore
/// record! {
///     tag_columns, read_tag -> Tag { name: "name", posts: "posts" }
/// }
/// ```
macro_rules! record {
    ($columns:ident, $read:ident -> $type:ident { $first:ident: $first_sql:literal $(, $field:ident: $sql:literal)* $(,)? }) => {
        macro_rules! $columns {
            () => {
                concat!($first_sql $(, ", ", $sql)*)
            };
        }

        fn $read(row: &mut $crate::store::db::Row) -> Result<$type, $crate::store::error::Error> {
            Ok($type { $first: row.column()? $(, $field: row.column()?)* })
        }
    };
}

/// SQL for whether the reader may read the pages in the table of this name. Every statement that shows something of a page, or that
/// there is one, has this condition, but for those of administrators and of the relay.
///
/// PostgreSQL looks up the lists of the reader once in a statement, when it first meets a page that has one.
macro_rules! is_readable {
    ($page:literal) => {
        concat!("(", $page, ".acl_id = 0 OR ", $page, ".acl_id = ANY ((SELECT acls_with($reader, 1))::bigint[]))")
    };
}

/// SQL for whether the reader may change the pages in the table of this name, as far as lists say.
macro_rules! is_writable {
    ($page:literal) => {
        concat!("(", $page, ".acl_id = 0 OR ", $page, ".acl_id = ANY ((SELECT acls_with($reader, 2))::bigint[]))")
    };
}

/// SQL for whether the reader administers the place of the pages in the table of this name, as far as lists say.
macro_rules! is_administered {
    ($page:literal) => {
        concat!("(", $page, ".acl_id <> 0 AND ", $page, ".acl_id = ANY ((SELECT acls_with($reader, 3))::bigint[]))")
    };
}

/// The end of a statement that changes something: the only row of a SELECT, or one of NULLs.
///
/// A statement without a row is never answered by some hosts; see `Db::query_one`.
macro_rules! row_or_nulls {
    ($($select:expr),+ $(,)?) => {
        concat!("SELECT result.* FROM (SELECT) AS always LEFT JOIN (", $($select),+, ") AS result ON true")
    };
}
