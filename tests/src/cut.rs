//! A wire to the database that can be cut, held and mended.

use std::future::{pending, ready};
use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::eventually;

/// A TCP proxy in front of a server.
///
/// While it is cut, its address refuses connections, as when a server is down, and every connection it had is closed.
pub struct Cut {
    address: SocketAddr,
    server: String,
    // While cut: bound, so that nobody else gets the port, but not listening, so that the kernel refuses.
    reserved: Option<TcpSocket>,
    // While mended.
    accepting: Option<JoinHandle<()>>,
    connections: watch::Sender<()>,
    held: watch::Sender<bool>,
}

impl Cut {
    /// A wire to `server` (`host:port`) that lets everything through.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn mended(server: String) -> Self {
        let mut wire = Self::cut_off(server);
        wire.mend();
        wire
    }

    /// A wire to `server` (`host:port`) that is cut from the start.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn cut_off(server: String) -> Self {
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port can be had");
        let address = socket.local_addr().expect("a bound socket has an address");
        let (connections, held) = (watch::Sender::new(()), watch::Sender::new(false));
        Self { address, server, reserved: Some(socket), accepting: None, connections, held }
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and refuses new ones.
    ///
    /// # Panics
    /// When somebody else takes the port meanwhile and keeps it.
    pub async fn cut(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // The listener is closed once its task is gone.
            _ = accepting.await;
            self.connections.send_replace(());
            // Meanwhile a connection of another test may have been given the port; it will not keep it for long.
            let (address, reserved) = (self.address, &mut self.reserved);
            eventually(&format!("{address} can be bound"), || {
                *reserved = bind(address).ok();
                ready(reserved.is_some())
            })
            .await;
        }
    }

    /// Lets nothing through any more, as a network that drops packets: connections stay open, and nothing answers. Cut
    /// it before it is mended.
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Accepts connections again.
    ///
    /// # Panics
    /// When the kernel refuses to listen.
    pub fn mend(&mut self) {
        self.held.send_replace(false);
        if let Some(socket) = self.reserved.take() {
            let listener = socket.listen(1024).expect("a bound socket can listen");
            let (connections, held) = (self.connections.clone(), self.held.clone());
            self.accepting = Some(tokio::spawn(accept(listener, self.server.clone(), connections, held)));
        }
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections that were just closed still occupy the address otherwise.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, server: String, connections: watch::Sender<()>, held: watch::Sender<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let server = server.clone();
        let (mut cut, mut held) = (connections.subscribe(), held.subscribe());
        tokio::spawn(async move {
            let through = async {
                tokio::select! {
                    biased;
                    _ = held.wait_for(|held| *held) => {}
                    () = copy(&mut client, server) => return,
                }
                // The client sees nothing of what became of the server.
                pending().await
            };
            tokio::select! {
                () = through => {}
                _ = cut.changed() => {}
            }
        });
    }
}

/// Lets everything through until either end closes.
async fn copy(client: &mut TcpStream, server: String) {
    if let Ok(mut upstream) = TcpStream::connect(server).await {
        _ = copy_bidirectional(client, &mut upstream).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        address
    }

    async fn answers(stream: &mut TcpStream) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").await.is_ok() && matches!(stream.read(&mut byte).await, Ok(1))
    }

    #[tokio::test]
    async fn a_wire_is_cut_and_mended() {
        let mut wire = Cut::cut_off(echo().await);
        assert!(TcpStream::connect(wire.address()).await.is_err());
        for _ in 0..3 {
            wire.mend();
            let mut stream = TcpStream::connect(wire.address()).await.unwrap();
            assert!(answers(&mut stream).await);
            wire.cut().await;
            assert!(!answers(&mut stream).await);
            assert!(TcpStream::connect(wire.address()).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_wire_that_is_held_answers_nothing_until_it_is_cut() {
        let mut wire = Cut::mended(echo().await);
        let mut before = TcpStream::connect(wire.address()).await.unwrap();
        assert!(answers(&mut before).await);
        wire.hold();
        let mut after = TcpStream::connect(wire.address()).await.unwrap();
        for stream in [&mut before, &mut after] {
            let waited = tokio::time::timeout(Duration::from_millis(100), answers(stream)).await;
            assert!(waited.is_err(), "{waited:?}");
        }
        wire.cut().await;
        assert!(!answers(&mut before).await);
        wire.mend();
        assert!(answers(&mut TcpStream::connect(wire.address()).await.unwrap()).await);
    }
}
