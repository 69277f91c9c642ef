//! `wiki-runner healthcheck`: checks a running server, for container images without curl.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use url::Url;

use crate::config::settings::Listen;

/// Options of `wiki-runner healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// URL to check. [default: http://127.0.0.1:$PORT/health, or the address in LISTEN_ADDR]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// Time limit for the response.
    // Far below the default interval of container engines (30 s), and enough for a busy machine.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,

    #[command(flatten)]
    listen: Listen,
}

/// Succeeds if the server responds with a status from 200 to 299 in time.
pub fn run(args: &Healthcheck) -> anyhow::Result<()> {
    let url = match &args.url {
        Some(url) => url.clone(),
        None => default_url(args.listen.socket_addr()?),
    };
    let status = get(&url, args.timeout).with_context(|| url.clone())?;
    ensure!((200..300).contains(&status), "{url}: the status is {status}");
    Ok(())
}

/// The URL at which this machine reaches a server that listens on `address`.
fn default_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() };
        address.set_ip(loopback);
    }
    format!("http://{address}/health")
}

/// The status of `GET url`, without TLS.
// Only a request line and a status line: no reason to depend on an HTTP client.
fn get(url: &str, timeout: Duration) -> anyhow::Result<u16> {
    let deadline = Instant::now() + timeout;
    let left = || {
        let left = deadline.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "no response within {}", humantime::format_duration(timeout));
        Ok(left)
    };
    let url = Url::parse(url).context("not a URL")?;
    ensure!(url.scheme() == "http", "the URL must begin with http://");
    let host = url.host_str().context("the URL has no host")?;
    let port = url.port().unwrap_or(80);
    let address = (host.trim_matches(['[', ']']), port).to_socket_addrs()?.next().context("the host has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, left()?).context("cannot connect")?;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    stream.set_write_timeout(Some(left()?))?;
    stream
        .write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n").as_bytes())?;

    // Longer than any status line. Without a limit, a server could keep this reading.
    let mut answer = BufReader::new(stream.try_clone()?.take(1024));
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        stream.set_read_timeout(Some(left()?))?;
        let read = match answer.fill_buf() {
            Ok(read) => read,
            // The timeout of the socket. The next iteration reports it.
            Err(error) if [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut].contains(&error.kind()) => {
                continue;
            }
            Err(error) => return Err(error).context("no response"),
        };
        if read.is_empty() {
            break;
        }
        let used = read.iter().position(|byte| *byte == b'\n').map_or(read.len(), |end| end + 1);
        line.extend_from_slice(&read[..used]);
        answer.consume(used);
    }
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next().map(str::parse)) {
        (Some(version), Some(Ok(status))) if version.starts_with("HTTP/1.") => Ok(status),
        _ => bail!("the response is not HTTP"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that answers one connection with `answer` and returns the request it got.
    fn answering(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/health?a=b", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, server)
    }

    fn check(url: &str, timeout: Duration) -> Result<(), String> {
        let listen = Listen { address: None, port: 8000 };
        run(&Healthcheck { url: Some(url.to_owned()), timeout, listen }).map_err(|error| format!("{error:#}"))
    }

    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn a_success_is_well() {
        let (url, server) = answering("HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(check(&url, LONG), Ok(()));
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /health?a=b HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
    }

    #[test]
    fn anything_else_is_not() {
        for (answer, reason) in [
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "the status is 503"),
            ("HTTP/1.1 302 Found\r\n\r\n", "the status is 302"),
            ("", "the response is not HTTP"),
            ("SSH-2.0-OpenSSH\r\n", "the response is not HTTP"),
        ] {
            let (url, server) = answering(answer);
            assert_eq!(check(&url, LONG), Err(format!("{url}: {reason}")));
            server.join().unwrap();
        }
    }

    #[test]
    fn silence_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        assert_eq!(check(&url, Duration::from_millis(20)), Err(format!("{url}: no response within 20ms")));
        drop(listener);
        assert!(check(&url, LONG).unwrap_err().starts_with(&format!("{url}: cannot connect: ")));
    }

    #[test]
    fn only_plain_http_is_asked() {
        assert_eq!(
            check("https://localhost/", LONG).unwrap_err(),
            "https://localhost/: the URL must begin with http://"
        );
        assert!(check("localhost", LONG).unwrap_err().starts_with("localhost: not a URL"));
    }

    #[test]
    fn every_interface_is_reached_through_loopback() {
        for (address, url) in [
            ("0.0.0.0:80", "http://127.0.0.1:80/health"),
            ("[::]:80", "http://[::1]:80/health"),
            ("10.0.0.1:8000", "http://10.0.0.1:8000/health"),
        ] {
            assert_eq!(default_url(address.parse().unwrap()), url);
        }
    }
}
