//! The files pages load: style sheets, scripts, the icon. Their names contain a hash of their content, so that browsers may
//! keep them forever.

use http::StatusCode;

use crate::auth::Context;
use crate::web::negotiation::takes_gzip;
use crate::web::{Problem, Response, response};

/// A file that is part of the component.
#[derive(Debug)]
pub struct Asset {
    /// What it is called, without its hash: `style.css`.
    pub name: &'static str,
    /// Where it is: `/static/style.0123456789abcdef.css`.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// What that is.
    pub content_type: &'static str,
    /// Whether the bytes are compressed with gzip.
    pub gzipped: bool,
}

/// What a path under `/static/` names.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub asset: &'static Asset,
    /// Whether the path has the hash of the file as it is. Only then may the answer be kept for ever.
    ///
    /// A path with another hash comes from a page of another version, as there are while a new one is rolled out. The
    /// file of this version is the best answer there is.
    pub current: bool,
}

/// Begins the path of every file.
pub const FOLDER: &str = "/static/";

macro_rules! asset {
    ($stem:literal, $extension:literal, $content_type:literal) => {
        asset!($stem, $extension, $content_type, concat!($stem, ".", $extension), false)
    };
    ($stem:literal, $extension:literal, $content_type:literal, gzipped $file:literal) => {
        asset!($stem, $extension, $content_type, $file, true)
    };
    ($stem:literal, $extension:literal, $content_type:literal, $file:expr, $gzipped:literal) => {{
        const BYTES: &[u8] = include_bytes!(concat!("static/", $file));
        const HASH: [u8; 16] = hex(fnv1a(BYTES));
        const PATH: &[u8] = &joined::<{ FOLDER.len() + $stem.len() + $extension.len() + 18 }>([
            FOLDER,
            $stem,
            ".",
            ascii(&HASH),
            ".",
            $extension,
        ]);
        Asset {
            name: concat!($stem, ".", $extension),
            path: ascii(PATH),
            bytes: BYTES,
            content_type: $content_type,
            gzipped: $gzipped,
        }
    }};
}

/// How pages look.
pub static STYLE: Asset = asset!("style", "css", "text/css; charset=utf-8");
/// What pages can do beyond links and forms.
pub static SCRIPT: Asset = asset!("wiki", "js", "text/javascript; charset=utf-8");
/// Search at Ctrl K, which is loaded when it is first opened.
pub static PALETTE: Asset = asset!("palette", "js", "text/javascript; charset=utf-8");
/// How Markdown is written: buttons, lists, menus, and what is pasted.
pub static WRITING_SCRIPT: Asset = asset!("writing", "js", "text/javascript; charset=utf-8");
/// What the editor can do beyond a form.
pub static EDITOR_SCRIPT: Asset = asset!("editor", "js", "text/javascript; charset=utf-8");
/// How the editor looks.
pub static EDITOR_STYLE: Asset = asset!("editor", "css", "text/css; charset=utf-8");
/// The buttons above the text that is edited, by GitHub.
pub static TOOLBAR_SCRIPT: Asset = asset!(
    "markdown-toolbar",
    "js",
    "text/javascript; charset=utf-8",
    gzipped "vendor/markdown-toolbar-element/index.js.gz"
);
/// The wiki's mark.
pub static ICON: Asset = asset!("icon", "svg", "image/svg+xml");
/// Starts Swagger UI.
pub static DOCS_SCRIPT: Asset = asset!("docs", "js", "text/javascript; charset=utf-8");
/// How the page around Swagger UI looks.
pub static DOCS_STYLE: Asset = asset!("docs", "css", "text/css; charset=utf-8");
/// Swagger UI, which shows `/openapi.json`.
pub static SWAGGER_SCRIPT: Asset = asset!(
    "swagger-ui-bundle",
    "js",
    "text/javascript; charset=utf-8",
    gzipped "vendor/swagger-ui/swagger-ui-bundle.js.gz"
);
/// How it looks.
pub static SWAGGER_STYLE: Asset =
    asset!("swagger-ui", "css", "text/css; charset=utf-8", gzipped "vendor/swagger-ui/swagger-ui.css.gz");

/// All of them.
pub static ALL: [&Asset; 12] = [
    &STYLE,
    &SCRIPT,
    &PALETTE,
    &WRITING_SCRIPT,
    &EDITOR_SCRIPT,
    &EDITOR_STYLE,
    &TOOLBAR_SCRIPT,
    &ICON,
    &DOCS_SCRIPT,
    &DOCS_STYLE,
    &SWAGGER_SCRIPT,
    &SWAGGER_STYLE,
];

/// The file at `path`.
pub fn find(path: &str) -> Option<Found> {
    if let Some(asset) = ALL.into_iter().find(|asset| asset.path == path) {
        return Some(Found { asset, current: true });
    }
    let (stem, rest) = path.strip_prefix(FOLDER)?.split_once('.')?;
    // The name without a hash is an address, too.
    let extension = rest.split_once('.').map_or(rest, |(_, extension)| extension);
    let asset = ALL.into_iter().find(|asset| asset.name.split_once('.') == Some((stem, extension)))?;
    Some(Found { asset, current: false })
}

/// `GET /static/{name}`
pub fn read(cx: &Context) -> Result<Response, Problem> {
    let path = cx.request.uri().path();
    let found = find(path).ok_or_else(|| Problem::not_found(format!("There is no file at {path}.")))?;
    let asset = found.asset;
    let as_stored = !asset.gzipped || takes_gzip(cx.request.headers());
    let bytes = if as_stored { asset.bytes.to_vec() } else { decompressed(asset)? };
    let response = response::bytes(StatusCode::OK, asset.content_type, bytes);
    let response = match (asset.gzipped, as_stored) {
        (true, true) => response::gzipped(response),
        (true, false) => response::varying_by_encoding(response),
        (false, _) => response,
    };
    // Only a name with the hash of the content can never mean anything else.
    Ok(if found.current { response::immutable(response) } else { response::tagged_by_content(cx.request, response) })
}

/// The length of a gzip header without a file name and the like (RFC 1952, 2.3), as every file here has.
const GZIP_HEADER: usize = 10;

/// What is compressed in `asset`. Every browser takes it as it is; this is for programs.
fn decompressed(asset: &Asset) -> Result<Vec<u8>, Problem> {
    let deflated = asset.bytes.get(GZIP_HEADER..).unwrap_or_default();
    miniz_oxide::inflate::decompress_to_vec(deflated).map_err(Problem::internal)
}

/// FNV-1a, the 64-bit variant: it tells versions of a file apart and guards nothing.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    hash
}

const fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let mut index = 0;
    while index < 16 {
        digits[index] = b"0123456789abcdef"[(number >> (60 - 4 * index) & 0xf) as usize];
        index += 1;
    }
    digits
}

const fn joined<const LENGTH: usize>(parts: [&str; 6]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            bytes[length] = parts[part].as_bytes()[index];
            length += 1;
            index += 1;
        }
        part += 1;
    }
    assert!(length == LENGTH, "the length given is that of the parts");
    bytes
}

const fn ascii(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("made of ASCII"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_content() {
        assert_eq!(hex(fnv1a(b"")), *b"cbf29ce484222325");
        assert_eq!(hex(fnv1a(b"foobar")), *b"85944171f73967e8");
    }

    #[test]
    fn files_are_found_by_their_current_name_and_by_older_ones() {
        for asset in ALL {
            let found = find(asset.path).unwrap();
            assert!(found.current && found.asset.path == asset.path, "{}", asset.path);
        }
        for path in ["/static/style.0000000000000000.css", "/static/style.css"] {
            assert!(find(path).is_some_and(|found| !found.current && found.asset.name == "style.css"), "{path}");
        }
        for path in ["/static/", "/static/style", "/static/style.js", "/static/../style.css", "/style.css", ""] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn compressed_files_can_be_decompressed() {
        for asset in ALL.into_iter().filter(|asset| asset.gzipped) {
            assert_eq!(asset.bytes[..4], [0x1f, 0x8b, 8, 0], "{}: a header without optional parts", asset.name);
            let text = String::from_utf8(decompressed(asset).unwrap()).unwrap();
            assert!(text.len() > asset.bytes.len(), "{}", asset.name);
        }
    }

    #[test]
    fn scripts_are_small() {
        assert!(SCRIPT.bytes.len() < 20 << 10, "{} bytes", SCRIPT.bytes.len());
        // What a person loads who edits, as it is on the wire where it is compressed.
        let compressed = |asset: &Asset| match asset.gzipped {
            true => asset.bytes.len(),
            false => miniz_oxide::deflate::compress_to_vec(asset.bytes, 6).len(),
        };
        let all: usize = [&SCRIPT, &WRITING_SCRIPT, &EDITOR_SCRIPT, &TOOLBAR_SCRIPT].map(compressed).iter().sum();
        assert!(all < 40 << 10, "{all} bytes");
    }
}
