//! Values on their way between a guest and PostgreSQL: `params` out, `columns` back.

pub mod calendar;
pub mod columns;
pub mod numeric;
pub mod params;

use postgres_types::{Kind, Type};

/// Bytes that are not what the type says; only a fault in the server or here makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The type a value is written as: that of a domain is the one it is made of.
fn base(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => base(inner),
        _ => ty,
    }
}

/// Whether the type's binary form is plain UTF-8.
fn is_text(ty: &Type) -> bool {
    matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN)
        || matches!(ty.kind(), Kind::Enum(_))
        // An extension's type has no fixed number.
        || (ty.name() == "citext" && matches!(ty.kind(), Kind::Simple))
}
