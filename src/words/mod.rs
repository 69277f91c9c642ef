//! Words: what a text is found by, and what a query looks for. Text in, text out.
//!
//! A page and a query are split and folded by the same rules, so that they meet: case and accents do not count, parts of
//! joined words are words, and Chinese, Japanese and Korean, which have no spaces, are read in pieces of two characters.
//! PostgreSQL keeps what comes of it as `tsvector` and never parses a text itself: its parser depends on the locale, has
//! no accents to fold on servers without extensions, and takes minutes for some texts.

mod excerpt;
mod fold;
mod index;
mod query;
mod split;
mod stem;
mod stop_words;

pub use excerpt::excerpt;
pub use fold::folded;
pub use index::{Index, MAX_TEXT, beginning, index};
pub use query::{Loose, Query, Suggested, suggested};

/// The most characters of a word that count: longer ones that begin alike are the same.
const MAX_WORD: usize = 64;
