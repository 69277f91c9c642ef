//! Every setting of the runner: flag, environment variable, unit, default and why.
//!
//! A wrong value stops the start with a message that names the setting.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use bytesize::ByteSize;
use clap::Args;
use ipnet::IpNet;

/// Options of `wiki-runner serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    #[command(flatten)]
    pub application: Application,

    #[command(flatten)]
    pub listen: Listen,

    #[command(flatten)]
    pub tls: Tls,

    #[command(flatten)]
    pub admin: Admin,

    #[command(flatten)]
    pub clients: Clients,

    #[command(flatten)]
    pub limits: Limits,

    #[command(flatten)]
    pub postgres: Postgres,

    #[command(flatten)]
    pub embedded: Embedded,
}

/// Which application to run.
#[derive(Debug, Clone, Args)]
pub struct Application {
    /// The application's manifest.
    #[arg(short = 'f', long = "from", env = "RUNNER_MANIFEST", value_name = "FILE", default_value = "spin.toml")]
    pub manifest: PathBuf,

    /// Ahead-of-time code made by `wiki-runner compile`, run instead of the manifest's `source`.
    #[arg(long, env = "RUNNER_PRECOMPILED", value_name = "FILE")]
    pub precompiled: Option<PathBuf>,
}

/// Where to listen.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Address to listen on, with or without a port. [default: 0.0.0.0 in a container, 127.0.0.1 otherwise]
    #[arg(long = "listen", env = "LISTEN_ADDR", value_name = "ADDR[:PORT]")]
    pub address: Option<String>,

    /// Port to listen on when the address names none; 0 takes a free one.
    // 8000 is where the clients of the service this replaces look.
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub port: u16,
}

/// TLS to clients. In a cluster it usually ends in front of the service.
#[derive(Debug, Clone, Args)]
pub struct Tls {
    /// The certificate and those between it and an authority (PEM). Clients are then answered with TLS only. Read again
    /// when it changes.
    #[arg(long, env = "RUNNER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, env = "RUNNER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// What operators and their tools see of the process.
#[derive(Debug, Clone, Args)]
pub struct Admin {
    /// Address of `/livez`, `/readyz` and `/metrics`, or `off`. [default: 0.0.0.0:9090 in a container, 127.0.0.1:9090
    /// otherwise]
    // Apart from the application's address, because that is open to the world and this is not.
    #[arg(long, env = "RUNNER_ADMIN", value_name = "ADDR:PORT")]
    pub admin: Option<String>,

    /// Path the application tells at whether it is ready; one it does not have makes it ready.
    // Where the wiki has it, and many others.
    #[arg(long, env = "RUNNER_READY_PATH", value_name = "PATH", default_value = "/ready")]
    pub ready_path: String,

    /// Log a line for every request.
    // Off by default because it costs about as much as a small request, and the metrics count every request anyhow.
    #[arg(long, env = "RUNNER_ACCESS_LOG", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub access_log: bool,
}

/// What clients may do by their addresses, and who tells those of clients behind proxies.
#[derive(Debug, Clone, Args)]
pub struct Clients {
    /// Proxies in front, by address or range (10.0.0.0/8), with commas between: where a request comes from one of them,
    /// its X-Forwarded-For tells the client.
    // None by default: from anybody else that header is a claim.
    #[arg(long, env = "RUNNER_TRUSTED_PROXIES", value_name = "NET,…", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Requests other than GET, HEAD and OPTIONS that one address may make per second on average; further ones are
    /// answered 429. 0 is no limit. Nothing is limited on this machine itself.
    // More than people do, less than a script that has gone wrong. Of IPv6, 2^64 addresses count as one.
    #[arg(long, env = "RUNNER_WRITE_RATE", default_value_t = 20)]
    pub write_rate: u32,

    /// Such requests that may come at once.
    // An import of a small wiki is not slowed down.
    #[arg(long, env = "RUNNER_WRITE_BURST", default_value = "200")]
    pub write_burst: NonZeroU32,
}

/// An address, or a range of them in CIDR notation.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| format!("{text:?} is neither an address nor a range such as 10.0.0.0/8"))
}

/// What one request, one connection and one instance may use.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Time for a guest to answer one request, body included.
    // Longer than any page takes, shorter than the minute after which load balancers commonly give up.
    #[arg(long, env = "RUNNER_REQUEST_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,

    /// Time for a client to send a request's headers, from the first byte on.
    // Slow clients hold a connection otherwise (Slowloris).
    #[arg(long, env = "RUNNER_HEADER_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub header_timeout: Duration,

    /// Time for which a client may pause within a request's body or its answer; below 8 KiB a second, pauses add up.
    // A connection that works has something to give more often.
    #[arg(long, env = "RUNNER_BODY_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub body_timeout: Duration,

    /// Time a connection is kept for a further request.
    // Longer than load balancers keep theirs, commonly a minute: the one that closes first must not be the one that is
    // asked, or requests meet closed connections.
    #[arg(long, env = "RUNNER_IDLE_TIMEOUT", default_value = "75s", value_parser = humantime::parse_duration)]
    pub idle_timeout: Duration,

    /// Connections of clients; further ones are answered 503.
    // Each holds a file descriptor and some kilobytes. Processes may often open 1,024 files without further settings,
    // and then fewer are accepted than this.
    #[arg(long, env = "RUNNER_MAX_CONNECTIONS", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Size of a request's body.
    // Applications set a tighter limit of their own; this one protects the host.
    #[arg(long, env = "RUNNER_MAX_BODY", default_value = "16MiB")]
    pub max_body: ByteSize,

    /// Linear memory of one instance.
    // A page of a mebibyte takes a few copies of itself; nothing needs more.
    #[arg(long, env = "RUNNER_MAX_MEMORY", default_value = "128MiB")]
    pub max_memory: ByteSize,

    /// Memory of an instance that waits for a further request; one that has grown larger is replaced.
    // An instance gives no memory back. This times the requests at once is what all may hold while nothing happens; a
    // small request needs a quarter of it.
    #[arg(long, env = "RUNNER_KEPT_MEMORY", default_value = "8MiB")]
    pub kept_memory: ByteSize,

    /// Requests that run at once; further ones wait for their turn.
    // Each takes an instance and, mostly, a database connection. Eight times the connections: more were no faster with 256
    // clients at once, and took twice the memory (docs/benchmarks.md).
    #[arg(long, env = "RUNNER_MAX_CONCURRENCY", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_concurrency: u32,

    /// Requests that wait for their turn; further ones are answered 503 at once.
    // Eight times what runs: at ten thousand requests a second, a tenth of a second of waiting. A longer queue only makes
    // every answer late.
    #[arg(long, env = "RUNNER_MAX_QUEUE", default_value_t = 1024)]
    pub max_queue: u32,

    /// Time a request waits for its turn before it is answered 503.
    // Half of what those who run may wait for a database connection. Overload that lasts longer does not pass by waiting.
    #[arg(long, env = "RUNNER_QUEUE_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub queue_timeout: Duration,

    /// Requests one instance serves before it is replaced; 1 gives every request a fresh one, as Spin does.
    // Starting an instance costs more than a small request; replacing it now and then bounds what a leak can hold.
    #[arg(long, env = "RUNNER_INSTANCE_REUSE", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub instance_reuse: u32,

    /// Time after SIGTERM or SIGINT for which requests are still accepted, while `/readyz` says no more.
    // Nothing on a laptop; in a cluster, the seconds it takes until no request is sent here any more.
    #[arg(long, env = "RUNNER_DRAIN_DELAY", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain_delay: Duration,

    /// Time that requests in flight get to finish after that.
    // With the delay, below the 30 s after which Kubernetes kills a pod.
    #[arg(long, env = "RUNNER_GRACE_PERIOD", default_value = "20s", value_parser = humantime::parse_duration)]
    pub grace_period: Duration,
}

/// How PostgreSQL is reached.
#[derive(Debug, Clone, Args)]
pub struct Postgres {
    /// Connections kept to one database.
    // About two per core of a small database server (PostgreSQL wiki, "Number Of Database Connections").
    #[arg(long, env = "RUNNER_PG_POOL_SIZE", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub pg_pool_size: u16,

    /// Time to wait for a free connection before the guest gets an error.
    // Under the request timeout, so that the guest can still answer.
    #[arg(long, env = "RUNNER_PG_WAIT_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub pg_wait_timeout: Duration,

    /// Time to open a connection.
    // A database that does not answer within this is away.
    #[arg(long, env = "RUNNER_PG_CONNECT_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    pub pg_connect_timeout: Duration,

    /// Time after which a connection nobody used is closed.
    // Below the 4 minutes after which the first cloud load balancers forget silent connections (Azure's default).
    #[arg(long, env = "RUNNER_PG_IDLE_TIMEOUT", default_value = "3m", value_parser = humantime::parse_duration)]
    pub pg_idle_timeout: Duration,

    /// Time for one statement.
    // Under the request timeout, so that the guest can still answer.
    #[arg(long, env = "RUNNER_PG_STATEMENT_TIMEOUT", default_value = "20s", value_parser = humantime::parse_duration)]
    pub pg_statement_timeout: Duration,

    /// Size of one result, as rows decoded for the guest.
    // A list of 50 pages of a mebibyte fits; the guest's memory bounds it anyhow.
    #[arg(long, env = "RUNNER_PG_MAX_RESULT", default_value = "64MiB")]
    pub pg_max_result: ByteSize,

    /// Certificate authorities (PEM) for `sslmode=verify-ca` and `verify-full`. [default: the system's]
    #[arg(long, env = "RUNNER_PG_CA_FILE", value_name = "FILE")]
    pub pg_ca_file: Option<PathBuf>,
}

/// The database that needs no installing.
#[derive(Debug, Clone, Args)]
pub struct Embedded {
    /// Folder of the embedded database, used when no other database is configured.
    #[arg(long = "data", env = "RUNNER_DATA", value_name = "DIR", default_value = ".wasiki")]
    pub data: PathBuf,
}

impl Admin {
    /// The address to bind; none if there is to be none. Fails if it is no address.
    pub fn socket_addr(&self) -> anyhow::Result<Option<SocketAddr>> {
        match self.admin.as_deref().filter(|given| !given.is_empty()) {
            None => {
                let ip = if in_container() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
                Ok(Some((ip, 9090).into()))
            }
            Some("off") => Ok(None),
            Some(given) => match given.parse() {
                Ok(address) => Ok(Some(address)),
                Err(_) => bail!("--admin (RUNNER_ADMIN) {given:?} is not an address: write 127.0.0.1:9090 or off"),
            },
        }
    }
}

impl Listen {
    /// The address to bind: an IP address with or without a port, or `localhost` for 127.0.0.1.
    ///
    /// Where none is given it is every interface in a container, where a port must be published to be reached at all,
    /// and only this machine elsewhere. Fails if the address is neither.
    pub fn socket_addr(&self) -> anyhow::Result<SocketAddr> {
        let Some(given) = self.address.as_deref().filter(|given| !given.is_empty()) else {
            let ip = if in_container() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
            return Ok((ip, self.port).into());
        };
        let numeric = match given.strip_prefix("localhost") {
            Some(rest) if rest.is_empty() || rest.starts_with(':') => format!("127.0.0.1{rest}"),
            _ => given.to_owned(),
        };
        if let Ok(address) = numeric.parse() {
            return Ok(address);
        }
        match numeric.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(ip) => Ok((ip, self.port).into()),
            Err(_) => bail!(
                "--listen (LISTEN_ADDR) {given:?} is not an address: write 0.0.0.0:8000, [::]:8000 or an address alone"
            ),
        }
    }
}

/// Whether this process runs in a container: Docker's and Podman's marker files, systemd's `container` variable, or a
/// Kubernetes pod's environment.
pub fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|file| Path::new(file).exists())
        || ["container", "KUBERNETES_SERVICE_HOST"].iter().any(|name| std::env::var_os(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(address: &str) -> Result<String, String> {
        let listen = Listen { address: Some(address.to_owned()), port: 8000 };
        listen.socket_addr().map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_may_leave_the_port_out() {
        for (given, address) in [
            ("0.0.0.0", "0.0.0.0:8000"),
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("::", "[::]:8000"),
            ("[::1]", "[::1]:8000"),
            ("[::1]:80", "[::1]:80"),
            ("localhost", "127.0.0.1:8000"),
            ("localhost:0", "127.0.0.1:0"),
        ] {
            assert_eq!(listen(given).as_deref(), Ok(address));
        }
    }

    #[test]
    fn proxies_are_addresses_or_ranges() {
        for (given, net) in [("10.0.0.1", "10.0.0.1/32"), (" 10.0.0.0/8", "10.0.0.0/8"), ("::1", "::1/128")] {
            assert_eq!(network(given).map(|net| net.to_string()).as_deref(), Ok(net));
        }
        for given in ["", "proxy.example", "10.0.0.0/33", "10.0.0"] {
            assert!(network(given).is_err(), "{given}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for given in ["example.com:80", "0.0.0.0:x", "0.0.0.0:99999", "localhosts", ":80"] {
            let refusal = listen(given).unwrap_err();
            assert!(refusal.starts_with(&format!("--listen (LISTEN_ADDR) {given:?} is not an address")), "{refusal}");
        }
    }
}
