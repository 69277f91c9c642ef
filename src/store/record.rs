//! How rows become structs.

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

        fn $read(row: &mut $crate::store::db::Row) -> Result<$type, $crate::store::db::Error> {
            Ok($type { $first: row.column()? $(, $field: row.column()?)* })
        }
    };
}
