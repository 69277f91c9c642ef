//! `spin:postgres` 4.0.0 as Rust types and traits, generated from its WIT file.
#![allow(missing_docs, reason = "generated; the WIT files under wit/deps document each item")]
#![allow(unsafe_code, reason = "generated: the types' layouts in a guest's memory")]

wasmtime::component::bindgen!({
    inline: "
        package runner:postgres;
        world imports {
            import spin:postgres/postgres@4.0.0;
        }
    ",
    path: "../wit/deps/spin-postgres-4.0.0",
    // Trappable: a handle the table does not know is a fault of the host, not an answer to the guest.
    imports: { default: async | trappable },
});

pub use spin::postgres::postgres as v4;
