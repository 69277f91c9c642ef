//! The way to a server: plain or encrypted, and always with [`Wire`] in between.
//!
//! The driver hands its socket to a connector for TLS, and to nothing else. So it is told that TLS comes first, before any
//! message of PostgreSQL's, and this connector settles with the server whether there is TLS at all.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::wire::{Signals, Wire};

/// SSLRequest of PostgreSQL's manual, “Message Formats”.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

type Rustls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Makes connectors.
#[derive(Clone)]
pub struct Transport {
    tls: MakeRustlsConnect,
    mode: SslMode,
    is_direct: bool,
    signals: Arc<Signals>,
}

impl Transport {
    /// The way that `config` describes, with `tls` where it wants TLS.
    pub fn new(config: &Config, tls: MakeRustlsConnect) -> Self {
        let is_direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        Self { tls, mode: config.get_ssl_mode(), is_direct, signals: Arc::default() }
    }

    /// `config` as it must be given to the driver together with this.
    pub fn config(config: &Config) -> Config {
        let mut config = config.clone();
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        config
    }

    /// Those of the connection that was made last.
    pub fn signals(&self) -> Arc<Signals> {
        self.signals.clone()
    }
}

impl MakeTlsConnect<Socket> for Transport {
    type Stream = Wire<Link>;
    type TlsConnect = Connector;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Connector> {
        let Ok(tls) = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.tls, host);
        Ok(Connector { tls, mode: self.mode, is_direct: self.is_direct, signals: self.signals.clone() })
    }
}

/// Makes one connection.
pub struct Connector {
    tls: Rustls,
    mode: SslMode,
    is_direct: bool,
    signals: Arc<Signals>,
}

impl Connector {
    async fn link(self, mut socket: Socket) -> io::Result<Wire<Link>> {
        let is_encrypted = match self.mode {
            SslMode::Disable => false,
            _ if self.is_direct => true,
            mode => {
                let offers_tls = offers_tls(&mut socket).await?;
                if !offers_tls && mode != SslMode::Prefer {
                    return Err(io::Error::other("server does not support TLS"));
                }
                offers_tls
            }
        };
        let link =
            if is_encrypted { Link::Encrypted(Box::new(self.tls.connect(socket).await?)) } else { Link::Plain(socket) };
        Ok(Wire::new(link, self.signals))
    }
}

/// Whether the server takes up TLS when it is asked to.
async fn offers_tls(socket: &mut Socket) -> io::Result<bool> {
    socket.write_all(&SSL_REQUEST).await?;
    // No byte more: what follows the answer unencrypted may be an attacker's.
    Ok(socket.read_u8().await? == b'S')
}

impl TlsConnect<Socket> for Connector {
    type Stream = Wire<Link>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Wire<Link>>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(self.link(socket))
    }
}

/// A stream to a server.
pub enum Link {
    /// As it is.
    Plain(Socket),
    /// In TLS.
    Encrypted(Box<Encrypted>),
}

impl AsyncRead for Link {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Link {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}
