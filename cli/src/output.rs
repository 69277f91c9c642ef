//! Standard output: the result of a command, and nothing else.

use std::io::{self, Write};

use serde_json::Value;

pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

pub fn line(text: &str) -> io::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

pub fn json(value: &Value) -> io::Result<()> {
    line(&value.to_string())
}

/// Writes the JSON body of a response, as a line.
pub fn body(body: &[u8]) -> io::Result<()> {
    bytes(body)?;
    if body.ends_with(b"\n") { Ok(()) } else { bytes(b"\n") }
}
