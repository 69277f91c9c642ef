//! Access: the modes of a wiki, the roles of accounts and the scopes of tokens.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rules::Wrong;

/// What the wiki allows without an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `open`: anyone reads and writes.
    Open,
    /// `public-read`: anyone reads, editors write.
    PublicRead,
    /// `private`: readers read, editors write.
    Private,
}

/// The most that an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads pages.
    Reader,
    /// Reads and writes pages.
    Editor,
    /// Manages accounts, protected pages and the audit trail as well.
    Administrator,
}

/// The most that a token may do, within the role of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reads pages.
    Read,
    /// Reads and writes pages.
    Write,
    /// Everything its owner may do, account and tokens included.
    Admin,
}

/// Enums that are written as one word in JSON, in the database and in forms.
macro_rules! words {
    ($type:ident, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// All variants, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for this variant.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Fails with the list of valid words unless `text` is one of them.
            pub fn rule(text: &str) -> Result<(), Wrong> {
                let words: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                text.parse::<Self>().map(drop).map_err(|()| format!("must be one of: {}", words.join(", ")).into())
            }
        }

        impl FromStr for $type {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(())
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|()| D::Error::unknown_variant(&text, &[$($word),+]))
            }
        }
    };
}

pub(crate) use words;

words!(Mode, Open = "open", PublicRead = "public-read", Private = "private");
words!(Role, Reader = "reader", Editor = "editor", Administrator = "administrator");
words!(Scope, Read = "read", Write = "write", Admin = "admin");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for mode in Mode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(*mode));
            let json = serde_json::to_string(mode).unwrap();
            assert_eq!(serde_json::from_str::<Mode>(&json).unwrap(), *mode);
        }
        assert_eq!("Open".parse::<Mode>(), Err(()));
        assert_eq!(Role::rule("owner").unwrap_err(), "must be one of: reader, editor, administrator");
        assert!(serde_json::from_str::<Role>("\"owner\"").is_err());
    }
}
