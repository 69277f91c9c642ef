//! The output of a guest: each line becomes a line in the runner's log.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::{io, mem};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Longest line in bytes; a longer one is split. Log collectors commonly take this much.
const MAX_LINE: usize = 8 * 1024;

/// Standard output or standard error of one instance.
#[derive(Clone)]
pub struct Output {
    component: Arc<str>,
    stream: &'static str,
    /// The current line, not yet ended.
    rest: Arc<Mutex<Vec<u8>>>,
    _counter: Arc<()>,
}

impl Output {
    /// The `stream` (stdout or stderr) of an instance of `component`. References to `counter` count its clones.
    pub fn new(component: Arc<str>, stream: &'static str, counter: Arc<()>) -> Self {
        Self { component, stream, rest: Arc::default(), _counter: counter }
    }

    fn take(&self, bytes: &[u8]) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines(&mut rest, bytes) {
            let (component, stream) = (&*self.component, self.stream);
            // Programs write to standard error what an operator should see.
            match stream {
                "stderr" => tracing::warn!(target: "guest", component, stream, "{line}"),
                _ => tracing::info!(target: "guest", component, stream, "{line}"),
            }
        }
    }

    /// Logs the current line if it has not ended: what follows belongs to another request.
    pub fn end_line(&self) {
        if !self.rest.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            self.take(b"\n");
        }
    }
}

/// The lines that `bytes` complete. `rest` is the start of the first, and afterwards what follows the last.
fn lines(rest: &mut Vec<u8>, bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        for part in piece.chunks(MAX_LINE) {
            rest.extend_from_slice(part);
            if rest.ends_with(b"\n") || rest.len() >= MAX_LINE {
                let line = mem::take(rest);
                lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
    }
    lines
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE)
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut rest = Vec::new();
        assert_eq!(lines(&mut rest, b"one\ntwo\r\nthr"), ["one", "two"]);
        assert_eq!(lines(&mut rest, b"ee"), Vec::<String>::new());
        assert_eq!(lines(&mut rest, b"\n\xff\n"), ["three", "\u{fffd}"]);
        assert_eq!(rest, b"");
    }

    #[test]
    fn a_line_without_end_does_not_grow_without_end() {
        let mut rest = Vec::new();
        let logged = lines(&mut rest, &vec![b'x'; 3 * MAX_LINE + 1]);
        assert_eq!((logged.len(), rest.len()), (3, 1));
        let all: usize = logged.iter().map(String::len).sum();
        assert_eq!(all, 3 * MAX_LINE);
    }
}
