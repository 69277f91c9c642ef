//! Bodies on their way out.

use wasi::io::streams::{OutputStream, StreamError};

/// Sends all of a body.
pub fn send(stream: &OutputStream, body: &[u8]) -> Result<(), StreamError> {
    let mut rest = body;
    while !rest.is_empty() {
        match usize::try_from(stream.check_write()?).unwrap_or(usize::MAX) {
            0 => stream.subscribe().block(),
            permitted => {
                let (now, later) = rest.split_at(rest.len().min(permitted));
                stream.write(now)?;
                rest = later;
            }
        }
    }
    stream.flush()
}
