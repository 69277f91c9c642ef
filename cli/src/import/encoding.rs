//! The text of a file, whatever encoding it is in.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::failure::FileError;

/// The text in `bytes`: UTF-8, UTF-16 behind its byte order mark, or else in `other`.
pub fn decode(bytes: Vec<u8>, other: Option<&'static Encoding>) -> Result<String, FileError> {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes).filter(|(encoding, _)| *encoding != UTF_8) {
        return decode_as(&bytes[mark..], encoding);
    }
    if other != Some(UTF_16LE) && other != Some(UTF_16BE) {
        let error = match String::from_utf8(bytes) {
            Ok(text) if !is_utf_16(text.as_bytes()) => return Ok(text),
            Ok(_) => return Err(FileError::at(1, advice("UTF-16 without a byte order mark", "UTF-16LE"))),
            Err(error) => error,
        };
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        return match other {
            Some(encoding) => decode_as(error.as_bytes(), encoding),
            None if is_utf_16(error.as_bytes()) => {
                Err(FileError::at(1, advice("UTF-16 without a byte order mark", "UTF-16LE")))
            }
            None => Err(FileError::at(line, advice("not UTF-8, but perhaps Latin-1", "WINDOWS-1252"))),
        };
    }
    decode_as(&bytes, other.unwrap_or(UTF_8))
}

fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> Result<String, FileError> {
    match encoding.decode_without_bom_handling(bytes) {
        (text, false) => Ok(text.into_owned()),
        (_, true) => Err(FileError::new(format!("is not valid {}", encoding.name()))),
    }
}

/// What a person can do about a file in `encoding`.
fn advice(what: &str, encoding: &str) -> String {
    format!(
        "is {what}. If so, import with --encoding {}, or convert the file: iconv -f {encoding} -t UTF-8 OLD > NEW",
        encoding.to_lowercase()
    )
}

/// Whether every other byte at the beginning is 0, as in UTF-16 that has mostly ASCII.
fn is_utf_16(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(64) / 2 * 2];
    let zeros = |start: usize| beginning.iter().skip(start).step_by(2).filter(|byte| **byte == 0).count();
    beginning.len() >= 4 && zeros(0).max(zeros(1)) * 4 > beginning.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1252;

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn files_are_read_in_the_encodings_that_are_certain() {
        for bytes in [
            "Größe €".as_bytes().to_vec(),
            utf_16("\u{feff}Größe €", u16::to_le_bytes),
            utf_16("\u{feff}Größe €", u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes.clone(), None).as_deref(), Ok("Größe €"), "{bytes:?}");
        }
        // The mark of UTF-8 is the front matter's to look at.
        assert_eq!(decode("\u{feff}x".into(), None).as_deref(), Ok("\u{feff}x"));
        assert_eq!(decode(b"Gr\xf6\xdfe \x80".to_vec(), Some(WINDOWS_1252)).as_deref(), Ok("Größe €"));
        assert_eq!(decode("Größe".into(), Some(WINDOWS_1252)).as_deref(), Ok("Größe"));
        assert_eq!(decode(utf_16("Größe", u16::to_le_bytes), Some(UTF_16LE)).as_deref(), Ok("Größe"));
    }

    #[test]
    fn others_are_refused_with_advice() {
        let error = decode(b"one\nGr\xf6\xdfe".to_vec(), None).unwrap_err();
        assert!(error.line == Some(2) && error.message.contains("iconv -f WINDOWS-1252 -t UTF-8"), "{error:?}");
        assert!(error.message.contains("--encoding windows-1252"), "{error:?}");
        for bytes in [utf_16("plain text", u16::to_le_bytes), utf_16("Größe ist plain", u16::to_le_bytes)] {
            let error = decode(bytes, None).unwrap_err();
            assert!(error.message.contains("--encoding utf-16le"), "{error:?}");
        }
        assert!(decode(b"\xff\xfe\x00\xd8".to_vec(), None).unwrap_err().message.contains("not valid UTF-16LE"));
    }
}
