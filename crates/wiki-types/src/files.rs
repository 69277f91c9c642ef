//! Files of pages.

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::path::escaped;
use crate::rules::{self, Wrong};

/// The most characters of a file's name.
pub const MAX_FILE_NAME: usize = 200;

/// A file of a page. It never changes: another content, or another name, is another file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": 1, "post_id": 1, "user_id": 1, "name": "racks.png", "content_type": "image/png", "size": 48213, "width": 1280,
    "height": 720, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "url": "/files/1/racks.png", "created_time": "2026-11-22T10:00:00.000000Z",
})))]
pub struct File {
    /// Its number.
    pub id: i64,
    /// The page it belongs to. Who may read the page may read the file. Null of a file that waits for its page to be saved: only
    /// whoever added it may read it.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub post_id: Option<i64>,
    /// Who added it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub size: i64,
    /// Of a picture, its width in pixels; null of other files.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub width: Option<i64>,
    /// Of a picture, its height in pixels.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub height: Option<i64>,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// Its address.
    #[cfg_attr(feature = "openapi", schema(format = "uri-reference"))]
    pub url: String,
    /// When it was added.
    pub created_time: Time,
}

impl File {
    /// Whether browsers show it in a page.
    pub fn is_picture(&self) -> bool {
        self.content_type.starts_with("image/")
    }
}

/// The address of file `id`, which is called `name`.
pub fn address(id: i64, name: &str) -> String {
    format!("/files/{id}/{}", escaped(name))
}

/// A file's name: a line that is one segment of a path, and shows the letters in the order they have.
pub fn file_name(text: &str) -> Result<(), Wrong> {
    let is_folder = |c| matches!(c, '/' | '\\');
    match text.trim() {
        "." | ".." => Err("must not be one or two points alone".into()),
        _ if text.contains(is_folder) => Err("must be a name without folders: leave out / and \\".into()),
        _ if text.contains(turns_letters_around) => {
            Err("must not contain characters that turn the letters around".into())
        }
        _ => rules::line::<MAX_FILE_NAME>(text),
    }
}

/// Whether `c` changes the direction of what follows: `photo<U+202E>gpj.exe` looks like `photoexe.jpg`.
fn turns_letters_around(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_visible_segment() {
        for name in ["racks.png", "a b.txt", "été.pdf", ".gitignore", "...", "%2F", "a\"b;c.txt", "צילום.jpg"] {
            assert_eq!(file_name(name), Ok(()), "{name}");
        }
        for name in ["", " ", ".", "..", " .. ", "a/b.png", "C:\\a.png", "a\nb", "a\0b", "a\u{202e}gpj.exe", "\u{200b}"]
        {
            assert!(file_name(name).is_err(), "{name:?}");
        }
        assert_eq!(file_name(&"é".repeat(200)), Ok(()));
        assert_eq!(file_name(&"a".repeat(300)).unwrap_err(), "may have at most 200 characters, not 300");
    }

    #[test]
    fn an_address_is_one_segment() {
        assert_eq!(address(7, "a/b ü%.png"), "/files/7/a%2Fb%20%C3%BC%25.png");
    }
}
