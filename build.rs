//! Prepares the files that pages load, in src/site/static: leaves out comments and indentation of style sheets and scripts, which
//! are a seventh of what would be sent; compresses them, so that the component can send them as they are; and takes the hash of each
//! file, which becomes a part of its name.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

const FOLDER: &str = "src/site/static";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    for path in files(Path::new(FOLDER))? {
        let Some(name) = path.file_name() else { continue };
        let content = fs::read(&path)?;
        let (name, content) = match path.extension().and_then(|extension| extension.to_str()) {
            Some("css") => (with(name, ".gz"), compressed(&lines(&without_comments(&content)))?),
            Some("js") => (with(name, ".gz"), compressed(&lines(&content))?),
            // Compressed already, of a library; or too small.
            Some("gz" | "svg") => (name.to_owned(), content),
            _ => continue,
        };
        fs::write(out.join(with(&name, ".hash")), hash(&content))?;
        fs::write(out.join(name), content)?;
    }
    Ok(())
}

/// All files in a folder and in those below it.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn with(name: impl Into<OsString>, ending: &str) -> OsString {
    let mut name = name.into();
    name.push(ending);
    name
}

/// The lines of a style sheet or a script without indentation, and without those that are comments. No text of ours goes over several
/// lines.
fn lines(content: &[u8]) -> Vec<u8> {
    let lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"//")).collect::<Vec<_>>().join(&b'\n')
}

/// A style sheet without its comments.
fn without_comments(content: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::new(), content);
    let find = |text: &[u8], mark: &[u8]| text.windows(2).position(|two| two == mark);
    while let Some(start) = find(rest, b"/*") {
        kept.extend_from_slice(&rest[..start]);
        rest = find(&rest[start..], b"*/").map_or(&[], |end| &rest[start + end + 2..]);
    }
    kept.extend_from_slice(rest);
    kept
}

fn compressed(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

/// 16 digits: they tell versions of a file apart and guard nothing.
fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).fold(String::new(), |mut digits, byte| {
        _ = write!(digits, "{byte:02x}");
        digits
    })
}
