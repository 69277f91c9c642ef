//! Unicode's normalisation form C, in which the wiki keeps what it compares.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A title, slug or tag as the wiki keeps it: composed (Unicode's normalisation form C), as one text that is shown the
/// same can be stored in several ways.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}
