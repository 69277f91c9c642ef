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
    /// What is in it, compressed with gzip or as it is.
    pub bytes: &'static [u8],
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

/// An asset: a file that build.rs prepared, its name and its extension.
macro_rules! asset {
    ($file:literal, $stem:literal, $extension:literal) => {
        Asset {
            name: concat!($stem, ".", $extension),
            path: concat!(
                "/static/",
                $stem,
                ".",
                include_str!(concat!(env!("OUT_DIR"), "/", $file, ".hash")),
                ".",
                $extension
            ),
            bytes: include_bytes!(concat!(env!("OUT_DIR"), "/", $file)),
        }
    };
}

/// How pages look.
pub static STYLE: Asset = asset!("style.css.gz", "style", "css");
/// What pages can do beyond links and forms.
pub static SCRIPT: Asset = asset!("wiki.js.gz", "wiki", "js");
/// Search at Ctrl K, which is loaded when it is first opened.
pub static PALETTE: Asset = asset!("palette.js.gz", "palette", "js");
/// How Markdown is written: buttons, lists, menus, and what is pasted.
pub static WRITING_SCRIPT: Asset = asset!("writing.js.gz", "writing", "js");
/// What the editor can do beyond a form.
pub static EDITOR_SCRIPT: Asset = asset!("editor.js.gz", "editor", "js");
/// How the editor looks.
pub static EDITOR_STYLE: Asset = asset!("editor.css.gz", "editor", "css");
/// The buttons above the text that is edited, by GitHub.
pub static TOOLBAR_SCRIPT: Asset = asset!("index.js.gz", "markdown-toolbar", "js");
/// Finds the diagrams of a page and has them drawn.
pub static DIAGRAMS: Asset = asset!("diagrams.js.gz", "diagrams", "js");
/// Sorts tables.
pub static TABLES: Asset = asset!("tables.js.gz", "tables", "js");
/// Draws a diagram, in a frame.
pub static DIAGRAM_SCRIPT: Asset = asset!("diagram.js.gz", "diagram", "js");
/// Mermaid, which knows how.
pub static MERMAID_SCRIPT: Asset = asset!("mermaid.tiny.js.gz", "mermaid", "js");
/// The wiki's mark.
pub static ICON: Asset = asset!("icon.svg", "icon", "svg");
/// Starts Swagger UI.
pub static DOCS_SCRIPT: Asset = asset!("docs.js.gz", "docs", "js");
/// How the page around Swagger UI looks.
pub static DOCS_STYLE: Asset = asset!("docs.css.gz", "docs", "css");
/// Swagger UI, which shows `/openapi.json`.
pub static SWAGGER_SCRIPT: Asset = asset!("swagger-ui-bundle.js.gz", "swagger-ui-bundle", "js");
/// How it looks.
pub static SWAGGER_STYLE: Asset = asset!("swagger-ui.css.gz", "swagger-ui", "css");

/// All of them.
pub static ALL: [&Asset; 16] = [
    &STYLE,
    &SCRIPT,
    &PALETTE,
    &WRITING_SCRIPT,
    &EDITOR_SCRIPT,
    &EDITOR_STYLE,
    &TOOLBAR_SCRIPT,
    &DIAGRAMS,
    &TABLES,
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
    let response = |bytes| response::bytes(StatusCode::OK, asset.content_type(), bytes);
    let response = if !asset.is_compressed() {
        response(asset.bytes.to_vec())
    } else if takes_gzip(cx.request.headers()) {
        response::gzipped(response(asset.bytes.to_vec()))
    } else {
        response::varying_by_encoding(response(asset.content()?))
    };
    // Only a name with the hash of the content can never mean anything else.
    Ok(if found.current { response::immutable(response) } else { response::tagged_by_content(cx.request, response) })
}

/// How a gzip file without a file name and the like begins (RFC 1952, 2.3), as every one here does, and the length of its header.
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0];
const GZIP_HEADER: usize = 10;

impl Asset {
    /// What its bytes are, once they are decompressed.
    fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        }
    }

    fn is_compressed(&self) -> bool {
        self.bytes.starts_with(GZIP)
    }

    /// What is in it, as it was before it was compressed. Every browser takes it compressed; this is for programs.
    pub fn content(&self) -> Result<Vec<u8>, Problem> {
        match self.bytes.get(GZIP_HEADER..).filter(|_| self.is_compressed()) {
            Some(deflated) => miniz_oxide::inflate::decompress_to_vec(deflated).map_err(Problem::internal),
            None => Ok(self.bytes.to_vec()),
        }
    }
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
        for asset in ALL.into_iter().filter(|asset| asset.name != ICON.name) {
            assert_eq!(asset.bytes[..4], [0x1f, 0x8b, 8, 0], "{}: a header without optional parts", asset.name);
            let text = String::from_utf8(asset.content().unwrap()).unwrap();
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
