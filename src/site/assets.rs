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

/// An asset, prepared by build.rs: of this folder as it is, of a library as it came, compressed, or of this folder and compressed.
macro_rules! asset {
    (plain $stem:literal, $extension:literal, $content_type:literal) => {
        asset!(
            $stem,
            $extension,
            $content_type,
            false,
            include_bytes!(concat!("static/", $stem, ".", $extension)),
            include_str!(concat!(env!("OUT_DIR"), "/", $stem, ".", $extension, ".hash"))
        )
    };
    (vendored $folder:literal, $file:literal, $stem:literal, $extension:literal, $content_type:literal) => {
        asset!(
            $stem,
            $extension,
            $content_type,
            true,
            include_bytes!(concat!("static/vendor/", $folder, "/", $file)),
            include_str!(concat!(env!("OUT_DIR"), "/", $file, ".hash"))
        )
    };
    ($stem:literal, $extension:literal, $content_type:literal) => {
        asset!(
            $stem,
            $extension,
            $content_type,
            true,
            include_bytes!(concat!(env!("OUT_DIR"), "/", $stem, ".", $extension, ".gz")),
            include_str!(concat!(env!("OUT_DIR"), "/", $stem, ".", $extension, ".gz.hash"))
        )
    };
    ($stem:literal, $extension:literal, $content_type:literal, $gzipped:literal, $bytes:expr, $($hash:tt)+) => {
        Asset {
            name: concat!($stem, ".", $extension),
            path: concat!("/static/", $stem, ".", $($hash)+, ".", $extension),
            bytes: $bytes,
            content_type: $content_type,
            gzipped: $gzipped,
        }
    };
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
    vendored "markdown-toolbar-element",
    "index.js.gz",
    "markdown-toolbar",
    "js",
    "text/javascript; charset=utf-8"
);
/// Finds the diagrams of a page and has them drawn.
pub static DIAGRAMS: Asset = asset!("diagrams", "js", "text/javascript; charset=utf-8");
/// Draws a diagram, in a frame.
pub static DIAGRAM_SCRIPT: Asset = asset!("diagram", "js", "text/javascript; charset=utf-8");
/// Mermaid, which knows how.
pub static MERMAID_SCRIPT: Asset = asset!(
    vendored "mermaid",
    "mermaid.tiny.js.gz",
    "mermaid",
    "js",
    "text/javascript; charset=utf-8"
);
/// The wiki's mark.
pub static ICON: Asset = asset!(plain "icon", "svg", "image/svg+xml");
/// Starts Swagger UI.
pub static DOCS_SCRIPT: Asset = asset!("docs", "js", "text/javascript; charset=utf-8");
/// How the page around Swagger UI looks.
pub static DOCS_STYLE: Asset = asset!("docs", "css", "text/css; charset=utf-8");
/// Swagger UI, which shows `/openapi.json`.
pub static SWAGGER_SCRIPT: Asset = asset!(
    vendored "swagger-ui",
    "swagger-ui-bundle.js.gz",
    "swagger-ui-bundle",
    "js",
    "text/javascript; charset=utf-8"
);
/// How it looks.
pub static SWAGGER_STYLE: Asset =
    asset!(vendored "swagger-ui", "swagger-ui.css.gz", "swagger-ui", "css", "text/css; charset=utf-8");

/// All of them.
pub static ALL: [&Asset; 15] = [
    &STYLE,
    &SCRIPT,
    &PALETTE,
    &WRITING_SCRIPT,
    &EDITOR_SCRIPT,
    &EDITOR_STYLE,
    &TOOLBAR_SCRIPT,
    &DIAGRAMS,
    &DIAGRAM_SCRIPT,
    &MERMAID_SCRIPT,
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
    let response = |bytes| response::bytes(StatusCode::OK, asset.content_type, bytes);
    let response = if !asset.gzipped {
        response(asset.bytes.to_vec())
    } else if takes_gzip(cx.request.headers()) {
        response::gzipped(response(asset.bytes.to_vec()))
    } else {
        response::varying_by_encoding(response(decompressed(asset)?))
    };
    // Only a name with the hash of the content can never mean anything else.
    Ok(if found.current { response::immutable(response) } else { response::tagged_by_content(cx.request, response) })
}

/// The length of a gzip header without a file name and the like (RFC 1952, 2.3), as every file here has.
const GZIP_HEADER: usize = 10;

/// What is compressed in `asset`. Every browser takes it as it is; this is for programs.
pub(super) fn decompressed(asset: &Asset) -> Result<Vec<u8>, Problem> {
    let deflated = asset.bytes.get(GZIP_HEADER..).unwrap_or_default();
    miniz_oxide::inflate::decompress_to_vec(deflated).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn pages_are_small() {
        let size = |assets: &[&Asset]| assets.iter().map(|asset| asset.bytes.len()).sum::<usize>();
        let everywhere = size(&[&STYLE, &SCRIPT, &ICON]);
        assert!(everywhere < 18 << 10, "{everywhere} bytes");
        let of_who_edits = size(&[&SCRIPT, &WRITING_SCRIPT, &EDITOR_SCRIPT, &TOOLBAR_SCRIPT]);
        assert!(of_who_edits < 40 << 10, "{of_who_edits} bytes");
    }
}
