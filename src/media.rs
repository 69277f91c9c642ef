//! What bytes are, by how they begin. Nothing is decoded.

use imagesize::{ImageError, ImageType};

/// The media types that are recognised, and shown in pages and windows.
const KNOWN: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf"];

/// The most pixels of a picture. A browser takes four bytes of memory for each.
pub const MAX_PIXELS: i64 = 100_000_000;

/// The media type of a file that begins with `head`, if it is one of those that are recognised.
pub fn recognised(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"%PDF-") {
        return Some("application/pdf");
    }
    // Brands of AVIF, at its beginning or among those it is compatible with; others are HEIC.
    let is_avif = || {
        let brands = head.get(8..).unwrap_or_default().chunks(4).take(16);
        head.get(4..8) == Some(b"ftyp") && brands.into_iter().any(|brand| matches!(brand, b"avif" | b"avis"))
    };
    Some(match imagesize::image_type(head) {
        Ok(ImageType::Png) => "image/png",
        Ok(ImageType::Jpeg) => "image/jpeg",
        Ok(ImageType::Gif) => "image/gif",
        Ok(ImageType::Webp) => "image/webp",
        _ if is_avif() => "image/avif",
        _ => return None,
    })
}

/// Whether a file of this media type begins in a way that is recognised.
pub fn is_recognisable(media_type: &str) -> bool {
    KNOWN.contains(&media_type)
}

/// What the beginning of a picture says of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimensions {
    /// Its width and height.
    Known(i64, i64),
    /// They come later.
    Later,
    /// There are none, as in a picture that breaks off.
    Missing,
}

/// The width and height of a picture that begins with `head`. `is_all` is whether nothing comes later.
pub fn dimensions(head: &[u8], is_all: bool) -> Dimensions {
    let known = |size: imagesize::ImageSize| Some((i64::try_from(size.width).ok()?, i64::try_from(size.height).ok()?));
    match imagesize::blob_size(head) {
        Err(ImageError::IoError(_)) if !is_all => Dimensions::Later,
        Err(_) => Dimensions::Missing,
        Ok(size) => match known(size) {
            Some((width, height)) if width > 0 && height > 0 => Dimensions::Known(width, height),
            _ => Dimensions::Missing,
        },
    }
}

/// How a browser may show a file of this media type in a window of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As a picture or text.
    Safely,
    /// With its own viewer.
    ByViewer,
    /// Not at all: it is saved. It may contain scripts, or nobody knows.
    Saved,
}

/// How a browser may show a file of this media type.
pub fn shown(media_type: &str) -> Shown {
    match essence(media_type) {
        "application/pdf" => Shown::ByViewer,
        "text/plain" => Shown::Safely,
        other if KNOWN.contains(&other) => Shown::Safely,
        _ => Shown::Saved,
    }
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// `media_type` in lower case and without parameters, as files have it. None if it is none.
pub fn normal(media_type: &str) -> Option<String> {
    const MAX: usize = 127;
    let essence = essence(media_type).to_ascii_lowercase();
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let (kind, subtype) = essence.split_once('/')?;
    if essence.len() > MAX || !is_token(kind) || !is_token(subtype) {
        return None;
    }
    Some(match essence.as_str() {
        // By which some old programs call them.
        "image/jpg" | "image/pjpeg" => "image/jpeg".to_owned(),
        "image/x-png" => "image/png".to_owned(),
        "application/x-pdf" => "application/pdf".to_owned(),
        _ => essence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of this size, without its pixels.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x06\0\0\0\0\0\0\0");
        bytes
    }

    #[test]
    fn files_are_recognised_by_how_they_begin() {
        assert_eq!(recognised(&png(3, 2)), Some("image/png"));
        assert_eq!(recognised(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01"), Some("image/jpeg"));
        assert_eq!(recognised(b"GIF89a\x01\0\x02\0\0\0\0;"), Some("image/gif"));
        assert_eq!(recognised(b"RIFF\x24\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(recognised(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1"), Some("image/avif"));
        assert_eq!(recognised(b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif"), Some("image/avif"));
        assert_eq!(recognised(b"%PDF-1.7\n"), Some("application/pdf"));
        for other in [&b""[..], b"hello", b"<svg/>", b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", b"PK\x03\x04", b"\x89PN"] {
            assert_eq!(recognised(other), None, "{other:?}");
        }
    }

    #[test]
    fn pictures_have_a_size() {
        assert_eq!(dimensions(&png(1280, 720), true), Dimensions::Known(1280, 720));
        assert_eq!(dimensions(&png(0, 720), true), Dimensions::Missing);
        assert_eq!(dimensions(&png(1, 1)[..18], true), Dimensions::Missing);
        assert_eq!(dimensions(&png(1, 1)[..18], false), Dimensions::Later);
        assert_eq!(dimensions(b"GIF89a\x01\0\x02\0\0\0\0;", true), Dimensions::Known(1, 2));
    }

    #[test]
    fn media_types_are_normal() {
        assert_eq!(normal("Image/JPG; q=1").as_deref(), Some("image/jpeg"));
        assert_eq!(normal("application/vnd.ms-excel").as_deref(), Some("application/vnd.ms-excel"));
        for wrong in ["", "png", "image/", "/png", "image/p ng", "image/png\r\nX: y", "a/b/c"] {
            assert_eq!(normal(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_may_have_scripts_is_saved() {
        for (media_type, how) in [
            ("image/png", Shown::Safely),
            ("text/plain", Shown::Safely),
            ("application/pdf", Shown::ByViewer),
            ("image/svg+xml", Shown::Saved),
            ("text/html", Shown::Saved),
            ("application/xhtml+xml", Shown::Saved),
            ("text/xml", Shown::Saved),
            ("application/octet-stream", Shown::Saved),
        ] {
            assert_eq!(shown(media_type), how, "{media_type}");
        }
    }
}
