//! The embedded database's door: a TCP port that asks for the password and lets one client in at a time.
//!
//! The library's own server knows no passwords, leaves further clients hanging in the queue of its socket, and ends
//! when a client breaks off. Nobody but this file connects to it.

use std::net::Shutdown;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::backend::Backend;

/// Time to say who one is; PostgreSQL gives a minute (`authentication_timeout`) to clients far away.
const GREETING: Duration = Duration::from_secs(5);

/// Time to wait for the client before. Below the 10 s after which connecting commonly fails without a reason.
const TURN: Duration = Duration::from_secs(8);

/// The longest start-up packet PostgreSQL takes (`MAX_STARTUP_PACKET_LENGTH`).
const MAX_STARTUP: usize = 10_000;

// Codes of start-up packets and authentication, "Message Formats" of the PostgreSQL documentation.
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
const PROTOCOL_3: u32 = 3;
const AUTHENTICATION_CLEARTEXT_PASSWORD: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

/// Who may come in, and where they are led.
pub struct Gate {
    backend: Backend,
    password: String,
    turn: Semaphore,
    // The connection of the client inside, to cut it at the end.
    inside: Mutex<Option<StdUnixStream>>,
}

impl Gate {
    /// A gate in front of `backend`.
    pub fn new(backend: Backend, password: String) -> Self {
        Self { backend, password, turn: Semaphore::new(1), inside: Mutex::new(None) }
    }

    /// Cuts the client's connection and stops the database, which takes as long as the statement that runs.
    pub fn close(&self) {
        self.turn.close();
        if let Some(inside) = self.inside.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It fails if the database has closed the connection already.
            let _ = inside.shutdown(Shutdown::Both);
        }
        self.backend.stop();
    }

    /// Serves one client until either side ends the connection.
    async fn serve(&self, mut client: TcpStream) -> anyhow::Result<()> {
        client.set_nodelay(true)?;
        let Some(startup) = timeout(GREETING, self.greet(&mut client)).await?? else { return Ok(()) };
        let Ok(Ok(_turn)) = timeout(TURN, self.turn.acquire()).await else {
            let message = "the embedded database serves one connection at a time, and that one is in use";
            return refuse(&mut client, "53300", message).await;
        };
        let (mut backend, answer) = match self.introduce(&startup).await {
            Ok(inside) => inside,
            Err(error) => {
                refuse(&mut client, "57P03", "the embedded database cannot be started").await?;
                return Err(error);
            }
        };
        client.write_all(&answer).await?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_backend, mut to_backend) = backend.split();
        let inbound = async {
            let copied = tokio::io::copy(&mut from_client, &mut to_backend).await;
            // The database then rolls back what is open, and closes the session.
            to_backend.shutdown().await.and(copied)
        };
        let outbound = async {
            let copied = tokio::io::copy(&mut from_backend, &mut to_client).await;
            // A client that is gone must not make the database fail to write: that would end its server.
            tokio::io::copy(&mut from_backend, &mut tokio::io::sink()).await.and(copied)
        };
        tokio::pin!(inbound);
        // The database ends every session, after the client or on its own; that is the end of this one.
        let mut client_left = false;
        tokio::pin!(outbound);
        loop {
            tokio::select! {
                _ = &mut inbound, if !client_left => client_left = true,
                _ = &mut outbound => return Ok(()),
            }
        }
    }

    /// Reads who the client is and checks the password. Returns the start-up packet, or `None` if the client wants
    /// nothing that can be given.
    async fn greet(&self, client: &mut TcpStream) -> anyhow::Result<Option<Vec<u8>>> {
        let startup = loop {
            let packet = read_packet(client, 8).await?;
            match u32::from_be_bytes(packet[4..8].try_into()?) {
                SSL_REQUEST | GSSENC_REQUEST => client.write_all(b"N").await?,
                // The database cannot be interrupted.
                CANCEL_REQUEST => return Ok(None),
                version if version >> 16 == PROTOCOL_3 => break packet,
                version => bail!("unknown protocol version {version}"),
            }
        };
        client.write_all(&AUTHENTICATION_CLEARTEXT_PASSWORD).await?;
        ensure!(client.read_u8().await? == b'p', "no password message");
        let answer = read_packet(client, 4).await?;
        if !equal(answer[4..].strip_suffix(b"\0").unwrap_or_default(), self.password.as_bytes()) {
            refuse(client, "28P01", "password authentication failed").await?;
            return Ok(None);
        }
        Ok(Some(startup))
    }

    /// A connection to the database that took the start-up packet, and the beginning of its answer.
    async fn introduce(&self, startup: &[u8]) -> anyhow::Result<(UnixStream, Vec<u8>)> {
        let mut answer = vec![0; 4096];
        for _ in 0..2 {
            let mut backend = self.enter().await?;
            if backend.write_all(startup).await.is_ok()
                && let Ok(length @ 1..) = backend.read(&mut answer).await
            {
                answer.truncate(length);
                return Ok((backend, answer));
            }
            // A server that is just ending still takes connections, and closes them without a word.
            tokio::task::block_in_place(|| self.backend.restart())?;
        }
        bail!("the embedded database ends as soon as it is asked something")
    }

    /// A connection to the database, started anew if it has ended.
    async fn enter(&self) -> anyhow::Result<UnixStream> {
        let stream = match StdUnixStream::connect(&self.backend.socket) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "the embedded database has ended: starting it again");
                tokio::task::block_in_place(|| self.backend.restart())?;
                StdUnixStream::connect(&self.backend.socket).context("cannot connect to the embedded database")?
            }
        };
        stream.set_nonblocking(true)?;
        *self.inside.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream.try_clone()?);
        Ok(UnixStream::from_std(stream)?)
    }
}

/// Accepts clients until this is aborted.
pub async fn accept(gate: Arc<Gate>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move {
                    if let Err(error) = gate.serve(client).await {
                        tracing::debug!(error = format!("{error:#}"), "a connection to the embedded database failed");
                    }
                });
            }
            // Such as too many open files: a matter of this moment, not of the listener.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the embedded database");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// A packet of at least `smallest` bytes that begins with its own length, those four bytes included.
async fn read_packet(client: &mut TcpStream, smallest: usize) -> anyhow::Result<Vec<u8>> {
    let length = client.read_u32().await?;
    let size = usize::try_from(length)?;
    ensure!((smallest..=MAX_STARTUP).contains(&size), "a packet of {size} bytes at start-up");
    let mut packet = vec![0; size];
    packet[..4].copy_from_slice(&length.to_be_bytes());
    client.read_exact(&mut packet[4..]).await?;
    Ok(packet)
}

/// Sends a fatal error.
async fn refuse(client: &mut TcpStream, code: &str, message: &str) -> anyhow::Result<()> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let mut packet = vec![b'E'];
    packet.extend_from_slice(&u32::try_from(fields.len() + 4)?.to_be_bytes());
    packet.extend_from_slice(fields.as_bytes());
    client.write_all(&packet).await?;
    Ok(client.shutdown().await?)
}

/// Compares without telling by the time it takes where the first difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
