//! What goes between the driver and the server, with other names for prepared statements.
//!
//! The driver counts its statements, s0, s1, … in each process. A pooler in transaction mode gives each transaction any of
//! the servers' sessions, where s5 may be a statement of somebody else, which would be run. So here statements get either
//! - names that nobody else has: in a wrong session there is no such statement, which is an error and nothing worse, or
//! - no name: then each use carries the statement's text in the same batch of messages, which no pooler tears apart.
//!
//! Messages are those of PostgreSQL's manual, “Message Formats”.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};
use uuid::Uuid;

/// Bytes of the buffer for sending that are kept. Few statements and their parameters are larger.
const KEPT_BUFFER: usize = 64 * 1024;

/// What the two ends of a connection tell each other beside the protocol.
#[derive(Debug, Default)]
pub struct Signals {
    unnamed: AtomicBool,
    process: AtomicI32,
    description: AtomicU64,
}

impl Signals {
    /// Whether statements are sent without names.
    pub fn is_unnamed(&self) -> bool {
        self.unnamed.load(Ordering::Relaxed)
    }

    /// Sends statements without names from now on, those prepared before too. Nothing may be under way.
    pub fn unname(&self) {
        self.unnamed.store(true, Ordering::Relaxed);
    }

    /// The process that the server, or a pooler in its place, said at the start it is.
    pub fn process(&self) -> i32 {
        self.process.load(Ordering::Relaxed)
    }

    /// A number for the columns that were described last. Others have another.
    pub fn description(&self) -> u64 {
        self.description.load(Ordering::Relaxed)
    }
}

/// A stream to the server.
pub struct Wire<S> {
    stream: S,
    translator: Translator,
    /// Translated but not sent yet, from `sent` on.
    out: Vec<u8>,
    sent: usize,
}

impl<S> Wire<S> {
    /// The same stream, translated. Nothing may have been sent but what comes before the startup message.
    pub fn new(stream: S, signals: Arc<Signals>) -> Self {
        Self { stream, translator: Translator::new(signals), out: Vec::new(), sent: 0 }
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out[self.sent..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        self.sent = 0;
        self.out.clear();
        self.out.shrink_to(KEPT_BUFFER);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let new = &mut buf.filled_mut()[before..];
            let is_end = new.is_empty();
            let kept = this.translator.receive(new);
            buf.set_filled(before + kept);
            // Nothing would mean that the stream has ended.
            if kept > 0 || is_end {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        this.translator.send(bytes, &mut this.out);
        match this.poll_send(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // What is left goes with the next call.
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Wire<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// What the server still has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// ParseComplete, for the driver.
    Parsed,
    /// ParseComplete for a statement that was added here, which the driver must not see.
    ParsedHere,
    /// ReadyForQuery. What comes before it and is not answered by then, will not be: there was an error.
    Ready,
}

/// Both directions of one connection.
struct Translator {
    signals: Arc<Signals>,
    /// In front of the driver's names.
    prefix: String,
    /// Whether the startup message has passed, the only one without a type.
    begun: bool,
    /// A message of the driver's that is not complete yet.
    partial: Vec<u8>,
    /// The driver's statements: what comes behind the name in the message that prepared each.
    statements: HashMap<Box<[u8]>, Box<[u8]>>,
    /// The statement that the one without a name is, in this batch.
    current: Option<Box<[u8]>>,
    awaited: VecDeque<Awaited>,
    incoming: Incoming,
}

/// The server's message under way.
#[derive(Default)]
struct Incoming {
    kind: u8,
    /// Bytes of type and length that have come, of five.
    header: u8,
    length: u32,
    /// Bytes that have not come.
    rest: usize,
    is_dropped: bool,
    /// The first four bytes behind the length, as far as they have come.
    number: u32,
    numbers: u8,
    hasher: DefaultHasher,
}

impl Translator {
    fn new(signals: Arc<Signals>) -> Self {
        Self {
            signals,
            // PostgreSQL takes 63 bytes of a name.
            prefix: format!("{}_", Uuid::new_v4().simple()),
            begun: false,
            partial: Vec::new(),
            statements: HashMap::new(),
            current: None,
            awaited: VecDeque::new(),
            incoming: Incoming::default(),
        }
    }

    /// Appends to `out` what the server gets for `bytes` of the driver.
    fn send(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.partial.is_empty() {
            // The driver nearly always writes whole messages.
            let done = self.send_whole(bytes, out);
            self.partial.extend_from_slice(&bytes[done..]);
            return;
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(bytes);
        let done = self.send_whole(&partial, out);
        partial.drain(..done);
        self.partial = partial;
    }

    /// The same for as many messages as are complete; returns their length.
    fn send_whole(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let mut done = 0;
        loop {
            let rest = &bytes[done..];
            let at = usize::from(self.begun);
            let Some(length) = rest.get(at..at + 4).and_then(|length| length.try_into().ok()) else { return done };
            let length = at + (u32::from_be_bytes(length) as usize).max(4);
            let Some(message) = rest.get(..length) else { return done };
            if self.begun {
                self.send_message(message, out);
            } else {
                out.extend_from_slice(message);
                self.begun = true;
            }
            done += length;
        }
    }

    fn send_message(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let (kind, body) = (message[0], &message[5..]);
        match kind {
            // Parse.
            b'P' => {
                if let Some((name, rest)) = cut(body) {
                    self.awaited.push_back(Awaited::Parsed);
                    self.current = Some(name.into());
                    if !name.is_empty() {
                        self.statements.insert(name.into(), rest.into());
                        return self.write(out, kind, &[], name, rest);
                    }
                }
            }
            // Bind: the name of the portal comes first.
            b'B' => {
                if let Some((portal, (name, rest))) = cut(body).and_then(|(portal, rest)| Some((portal, cut(rest)?)))
                    && !name.is_empty()
                {
                    self.parse(name, out);
                    return self.write(out, kind, &[portal, b"\0"], name, rest);
                }
            }
            // Describe or Close a statement, not a portal.
            b'D' | b'C' => {
                if let Some((b'S', body)) = body.split_first()
                    && let Some((name, rest)) = cut(body)
                    && !name.is_empty()
                {
                    if kind == b'D' {
                        self.parse(name, out);
                    } else {
                        self.statements.remove(name);
                        self.current = None;
                    }
                    return self.write(out, kind, &[b"S"], name, rest);
                }
            }
            // Sync or Query: behind it, a pooler may go on in another session.
            b'S' | b'Q' => {
                self.awaited.push_back(Awaited::Ready);
                self.current = None;
            }
            _ => {}
        }
        out.extend_from_slice(message);
    }

    /// Has the server parse the statement `name` in this batch, if statements have no names.
    fn parse(&mut self, name: &[u8], out: &mut Vec<u8>) {
        if !self.signals.is_unnamed() || self.current.as_deref() == Some(name) {
            return;
        }
        let Some(rest) = self.statements.get(name) else { return };
        self.write(out, b'P', &[], name, rest);
        self.awaited.push_back(Awaited::ParsedHere);
        self.current = Some(name.into());
    }

    /// Appends a message with the name that the server knows the driver's statement `name` by.
    fn write(&self, out: &mut Vec<u8>, kind: u8, before: &[&[u8]], name: &[u8], rest: &[u8]) {
        let (prefix, name): (&[u8], &[u8]) =
            if self.signals.is_unnamed() { (b"", b"") } else { (self.prefix.as_bytes(), name) };
        let length =
            4 + before.iter().map(|part| part.len()).sum::<usize>() + prefix.len() + name.len() + 1 + rest.len();
        out.reserve(1 + length);
        out.push(kind);
        // A message has 31 bits of length, and the driver's fit. Its own limits are far below.
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        before.iter().for_each(|part| out.extend_from_slice(part));
        for part in [prefix, name, b"\0", rest] {
            out.extend_from_slice(part);
        }
    }

    /// Leaves in `bytes` of the server what the driver gets of them, in front; returns its length.
    fn receive(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut kept) = (0, 0);
        while at < bytes.len() {
            let count = if self.incoming.header < 5 {
                self.receive_header(bytes[at]);
                1
            } else {
                let count = self.incoming.rest.min(bytes.len() - at);
                self.incoming.read(&bytes[at..at + count]);
                count
            };
            if !self.incoming.is_dropped {
                if kept < at {
                    bytes.copy_within(at..at + count, kept);
                }
                kept += count;
            }
            at += count;
            if self.incoming.header == 5 && self.incoming.rest == 0 {
                self.end_message();
            }
        }
        kept
    }

    fn receive_header(&mut self, byte: u8) {
        let incoming = &mut self.incoming;
        if incoming.header > 0 {
            incoming.length = incoming.length << 8 | u32::from(byte);
            incoming.rest = (incoming.length as usize).saturating_sub(4);
        } else {
            incoming.kind = byte;
            // RowDescription.
            if byte == b'T' {
                incoming.hasher = DefaultHasher::new();
            }
            // ParseComplete.
            let next = self.awaited.front().filter(|next| byte == b'1' && **next != Awaited::Ready).copied();
            if next.is_some() {
                self.awaited.pop_front();
            }
            incoming.is_dropped = next == Some(Awaited::ParsedHere);
        }
        incoming.header += 1;
    }

    fn end_message(&mut self) {
        let incoming = &mut self.incoming;
        match incoming.kind {
            // BackendKeyData.
            b'K' => self.signals.process.store(incoming.number.cast_signed(), Ordering::Relaxed),
            b'T' => self.signals.description.store(incoming.hasher.finish(), Ordering::Relaxed),
            // NoData.
            b'n' => self.signals.description.store(0, Ordering::Relaxed),
            // ReadyForQuery.
            b'Z' => while self.awaited.pop_front().is_some_and(|answered| answered != Awaited::Ready) {},
            _ => {}
        }
        (incoming.header, incoming.length, incoming.number, incoming.numbers) = (0, 0, 0, 0);
        incoming.is_dropped = false;
    }
}

impl Incoming {
    fn read(&mut self, bytes: &[u8]) {
        match self.kind {
            b'T' => self.hasher.write(bytes),
            b'K' => {
                for byte in bytes.iter().take(usize::from(4 - self.numbers)) {
                    self.number = self.number << 8 | u32::from(*byte);
                    self.numbers += 1;
                }
            }
            _ => {}
        }
        self.rest -= bytes.len();
    }
}

/// The text up to the first zero, and what is behind that.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u8, body: &str) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind], &length.to_be_bytes()[..], body.as_bytes()].concat()
    }

    fn messages(of: &[(u8, &str)]) -> Vec<u8> {
        of.iter().flat_map(|(kind, body)| message(*kind, body)).collect()
    }

    /// A connection whose startup is over.
    fn begun() -> Translator {
        let mut translator = Translator::new(Arc::default());
        let startup = [0, 0, 0, 8, 0, 3, 0, 0];
        assert_eq!(sent(&mut translator, &startup), startup);
        let mut key = messages(&[(b'R', "\0\0\0\0"), (b'K', "\0\0\x01\x02abcd"), (b'Z', "I")]);
        let length = key.len();
        assert_eq!(translator.receive(&mut key), length);
        assert_eq!(translator.signals.process(), 0x102);
        translator
    }

    fn sent(translator: &mut Translator, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        translator.send(bytes, &mut out);
        out
    }

    fn received(translator: &mut Translator, mut bytes: Vec<u8>) -> Vec<u8> {
        let kept = translator.receive(&mut bytes);
        bytes.truncate(kept);
        bytes
    }

    const PREPARE: &[(u8, &str)] = &[(b'P', "s0\0SELECT $1\0\0\0"), (b'D', "Ss0\0"), (b'S', "")];
    const RUN: &[(u8, &str)] = &[(b'B', "\0s0\0\0\0rest"), (b'E', "\0\0\0\0\0"), (b'S', "")];

    #[test]
    fn names_are_nobody_elses() {
        let (mut one, mut other) = (begun(), begun());
        let mut name = format!("{}s0", one.prefix);
        assert!(name.len() + 20 < 63 && one.prefix != other.prefix);
        let (parse, describe) = (format!("{name}\0SELECT $1\0\0\0"), format!("S{name}\0"));
        let expected = messages(&[(b'P', &parse), (b'D', &describe), (b'S', "")]);
        assert_eq!(sent(&mut one, &messages(PREPARE)), expected);
        let bind = format!("\0{name}\0\0\0rest");
        let expected = messages(&[(b'B', &bind), (b'E', "\0\0\0\0\0"), (b'S', "")]);
        assert_eq!(sent(&mut one, &messages(RUN)), expected);
        name.insert(0, 'S');
        name.push('\0');
        assert_eq!(sent(&mut one, &message(b'C', "Ss0\0")), message(b'C', &name));
        assert_ne!(sent(&mut one, &messages(PREPARE)), sent(&mut other, &messages(PREPARE)));
    }

    #[test]
    fn without_names_each_use_has_its_text() {
        let mut translator = begun();
        translator.signals.unname();
        let parse = (b'P', "\0SELECT $1\0\0\0");
        assert_eq!(sent(&mut translator, &messages(PREPARE)), messages(&[parse, (b'D', "S\0"), (b'S', "")]));
        let answer = messages(&[(b'1', ""), (b't', "\0\0"), (b'T', "a"), (b'Z', "I")]);
        assert_eq!(received(&mut translator, answer.clone()), answer);
        let description = translator.signals.description();
        for _ in 0..2 {
            let expected = messages(&[parse, (b'B', "\0\0\0\0rest"), (b'E', "\0\0\0\0\0"), (b'S', "")]);
            assert_eq!(sent(&mut translator, &messages(RUN)), expected);
            let answer = [(b'1', ""), (b'2', ""), (b'D', "1111"), (b'C', "SELECT 1\0"), (b'Z', "I")];
            assert_eq!(received(&mut translator, messages(&answer)), messages(&answer[1..]));
        }
        // The driver's own statements without names stay as they are.
        let typed = messages(&[(b'P', "\0SELECT 2\0\0\0"), (b'B', "\0\0"), (b'D', "S\0"), (b'E', "\0"), (b'S', "")]);
        assert_eq!(sent(&mut translator, &typed), typed);
        let answer = messages(&[(b'1', ""), (b'2', ""), (b'T', "b"), (b'Z', "I")]);
        assert_eq!(received(&mut translator, answer.clone()), answer);
        assert_ne!(translator.signals.description(), description);
        assert_eq!(sent(&mut translator, &message(b'C', "Ss0\0")), message(b'C', "S\0"));
        assert!(translator.statements.is_empty());
    }

    #[test]
    fn a_name_can_be_given_up_on_the_way() {
        let mut translator = begun();
        sent(&mut translator, &messages(PREPARE));
        received(&mut translator, messages(&[(b'1', ""), (b'n', ""), (b'Z', "I")]));
        translator.signals.unname();
        let parse = (b'P', "\0SELECT $1\0\0\0");
        let expected = messages(&[parse, (b'B', "\0\0\0\0rest"), (b'E', "\0\0\0\0\0"), (b'S', "")]);
        assert_eq!(sent(&mut translator, &messages(RUN)), expected);
    }

    #[test]
    fn after_an_error_answers_belong_to_the_next_batch() {
        let mut translator = begun();
        translator.signals.unname();
        sent(&mut translator, &messages(PREPARE));
        received(&mut translator, messages(&[(b'1', ""), (b'n', ""), (b'Z', "I")]));
        // Both are sent before the first is answered, with an error for the text that was added.
        sent(&mut translator, &messages(RUN));
        sent(&mut translator, &messages(PREPARE));
        let answer = messages(&[(b'E', "wrong"), (b'Z', "I"), (b'1', ""), (b'n', ""), (b'Z', "I")]);
        assert_eq!(received(&mut translator, answer.clone()), answer);
        assert!(translator.awaited.is_empty());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_what_pieces_it_comes(cuts in prop::collection::vec(1_usize..40, 1..40)) {
            let (mut whole, mut pieces) = (begun(), begun());
            whole.signals.unname();
            pieces.signals.unname();
            let query = messages(&[PREPARE, RUN, &[(b'Q', "SELECT 1\0")], RUN].concat());
            let answer = messages(&[
                (b'1', ""), (b'T', "columns"), (b'Z', "I"), (b'1', ""), (b'2', ""), (b'D', "row"), (b'Z', "I"),
                (b'T', "other"), (b'Z', "I"), (b'1', ""), (b'2', ""), (b'N', "a notice"), (b'Z', "I"),
            ]);
            let split = |bytes: &[u8]| {
                let (mut rest, mut parts, mut cuts) = (bytes.to_vec(), Vec::new(), cuts.iter().cycle());
                while !rest.is_empty() {
                    let part = (*cuts.next().unwrap()).min(rest.len());
                    parts.push(rest.drain(..part).collect::<Vec<u8>>());
                }
                parts
            };
            let expected = sent(&mut whole, &query);
            let mut out = Vec::new();
            for part in split(&query) {
                pieces.send(&part, &mut out);
            }
            prop_assert_eq!(out, expected);
            let expected = received(&mut whole, answer.clone());
            let parts = split(&answer).into_iter();
            let got: Vec<u8> = parts.flat_map(|part| received(&mut pieces, part)).collect();
            prop_assert_eq!(got, expected);
            prop_assert_eq!(whole.signals.description(), pieces.signals.description());
        }

        #[test]
        fn no_bytes_make_it_panic(sent in prop::collection::vec(any::<u8>(), 0..200), mut got in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut translator = begun();
            translator.signals.unname();
            translator.send(&sent, &mut Vec::new());
            translator.receive(&mut got);
        }
    }
}
