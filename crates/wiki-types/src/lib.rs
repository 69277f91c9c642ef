//! The vocabulary of the wiki, shared by the component, its clients and its tests.
//!
//! Pure data and functions: a client can check a text before it sends anything.

#![forbid(unsafe_code)]

pub mod rules;
pub mod slug;
