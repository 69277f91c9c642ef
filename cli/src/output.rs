//! Standard output: the answer of a command, and nothing else.

use std::io::{self, Write};

use serde_json::Value;

/// Writes `bytes` as they are.
pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a line.
pub fn line(text: &str) -> io::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes JSON on one line.
pub fn json(value: &Value) -> io::Result<()> {
    line(&value.to_string())
}

/// Writes the body of an answer, which is JSON, as a line.
pub fn answer(body: &[u8]) -> io::Result<()> {
    bytes(body)?;
    if body.ends_with(b"\n") { Ok(()) } else { bytes(b"\n") }
}
