//! The runner's settings: flag, environment variable, unit, default and reason of each.
//!
//! A malformed value stops the start with a message that names the setting.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use bytesize::ByteSize;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use humantime::parse_duration;
use ipnet::IpNet;

use super::accepted_hosts::AcceptedHost;

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
    /// Manifest of the application.
    #[arg(short = 'f', long = "from", env = "RUNNER_MANIFEST", value_name = "FILE", default_value = "spin.toml")]
    pub manifest: PathBuf,

    /// Code compiled by `wiki-runner compile`. Runs instead of the manifest's `source`.
    #[arg(long, env = "RUNNER_PRECOMPILED", value_name = "FILE")]
    pub precompiled: Option<PathBuf>,

    /// Component to serve. Its routes alone are answered, and its timers alone run. [default: all]
    // As `spin up --component-id`. The parts of an application can so be scaled, and fail, each by itself.
    #[arg(short = 'c', long, env = "RUNNER_COMPONENT", value_name = "ID")]
    pub component: Option<String>,

    /// Whether the timers of the manifest run.
    // On by default: without them, the application would not do part of its work. Off where something else calls their paths.
    #[arg(long, env = "RUNNER_TIMERS", value_enum, default_value_t = Switch::On)]
    pub timers: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// Where to listen.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Address to listen on, with or without a port. [default: 0.0.0.0 in a container, 127.0.0.1 otherwise]
    #[arg(long = "listen", env = "LISTEN_ADDR", value_name = "ADDR[:PORT]")]
    pub address: Option<String>,

    /// Port to listen on if the address has none. 0 picks a free port.
    // Clients of the service this replaces expect 8000.
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub port: u16,
}

/// TLS for clients. In a cluster, TLS usually ends in front of the service.
#[derive(Debug, Clone, Args)]
pub struct Tls {
    /// Certificate chain (PEM). With it, the server accepts only TLS. Reloaded when it changes.
    #[arg(long, env = "RUNNER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM).
    #[arg(long, env = "RUNNER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// What operators see of the process.
#[derive(Debug, Clone, Args)]
pub struct Admin {
    /// Address of `/livez`, `/readyz` and `/metrics`, or `off`. [default: 0.0.0.0:9090 in a container, 127.0.0.1:9090
    /// otherwise]
    // Separate from the application's address, which may be public.
    #[arg(long, env = "RUNNER_ADMIN", value_name = "ADDR:PORT")]
    pub admin: Option<String>,

    /// Readiness path of the application. 404 counts as ready.
    // The usual path.
    #[arg(long, env = "RUNNER_READY_PATH", value_name = "PATH", default_value = "/ready", value_parser = path)]
    pub ready_path: String,

    /// Log every request.
    // Off by default: a line costs about as much as a small request, and the metrics count every request anyway.
    #[arg(long, env = "RUNNER_ACCESS_LOG", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub access_log: bool,

    /// Where the id of a request is shown besides log lines and errors: nowhere (`log`), in the response's X-Request-Id, or
    /// also in the request's as the guest sees it.
    // Clients can quote it. Guests need it only to pass it on: what they print is logged with it anyway, and Spin does not
    // add it.
    #[arg(long, env = "RUNNER_REQUEST_ID", value_enum, default_value_t = RequestId::Response, value_name = "PLACE")]
    pub request_id: RequestId,

    /// Compress texts with gzip for clients that take it.
    // On by default: a page is a quarter of its size. Off where a proxy in front does it.
    #[arg(long, env = "RUNNER_COMPRESSION", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub compression: bool,
}

/// Where the id of a request is shown. Each place includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum RequestId {
    /// In log lines and in errors of the runner.
    Log,
    /// In the response's X-Request-Id.
    Response,
    /// In the X-Request-Id of the request that the guest sees.
    Guest,
}

/// How clients are identified, and how often each may write.
#[derive(Debug, Clone, Args)]
pub struct Clients {
    /// Hosts that requests may name: names (wiki.example), names below one (*.wiki.example), addresses, or `*` for any,
    /// separated by commas. Others are answered with 421. [default: this machine's own if only it can connect, any otherwise]
    // On loopback, every other name comes from a page of another site that has its name resolve to this machine, and would read
    // the answers. A server that others reach has names which only its operator knows.
    #[arg(long, env = "RUNNER_HOSTS", value_name = "HOST,…", value_delimiter = ',')]
    pub hosts: Vec<AcceptedHost>,

    /// Trusted proxies: addresses or ranges (10.0.0.0/8), separated by commas. For requests from them, the client's
    /// address is taken from X-Forwarded-For.
    // None by default: without a trusted proxy, any client can send any value.
    #[arg(long, env = "RUNNER_TRUSTED_PROXIES", value_name = "NET,…", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Writes per second that one client address may make on average: requests other than GET, HEAD and OPTIONS. Further
    /// ones are answered with 429. 0 disables the limit. Loopback addresses have no limit.
    // More than people do, less than a runaway script. An IPv6 /64 counts as one address.
    #[arg(long, env = "RUNNER_WRITE_RATE", default_value_t = 20)]
    pub write_rate: u32,

    /// Number of writes that one client address may make in a burst.
    // Enough for a small bulk import.
    #[arg(long, env = "RUNNER_WRITE_BURST", default_value = "200")]
    pub write_burst: NonZeroU32,
}

/// An address, or a range of addresses in CIDR notation.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| format!("{text:?} is neither an address nor a range such as 10.0.0.0/8"))
}

/// Limits of a request, a connection and an instance.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Time limit for a guest to handle one request, response body included.
    // Longer than any page takes, shorter than the minute after which load balancers commonly give up.
    #[arg(long, env = "RUNNER_REQUEST_TIMEOUT", default_value = "30s", value_parser = time_limit)]
    pub request_timeout: Duration,

    /// Time limit for a client to send the headers of a request. Starts with their first byte, or with the connection.
    // Otherwise slow clients hold connections (Slowloris).
    #[arg(long, env = "RUNNER_HEADER_TIMEOUT", default_value = "10s", value_parser = time_limit)]
    pub header_timeout: Duration,

    /// Longest pause of a client that sends a body or receives a response. Below 8 KiB per second, pauses add up.
    // On a working connection there is progress more often.
    #[arg(long, env = "RUNNER_BODY_TIMEOUT", default_value = "10s", value_parser = time_limit)]
    pub body_timeout: Duration,

    /// Time after which an idle client connection is closed.
    // Longer than load balancers keep theirs, commonly a minute: if this side closes first, a load balancer may send a
    // request into the closed connection.
    #[arg(long, env = "RUNNER_IDLE_TIMEOUT", default_value = "75s", value_parser = time_limit)]
    pub idle_timeout: Duration,

    /// Maximum number of open client connections. Further ones are answered with 503. [default: 8192, or one for each 256 KiB
    /// of the container's memory limit if that is less]
    // Each takes a file descriptor and 20 kilobytes, and three times as much if its client wants it to. A process can often
    // open only 1,024 files by default, and then accepts fewer connections than this.
    #[arg(long, env = "RUNNER_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: Option<u32>,

    /// Maximum number of open connections from one client address. Further ones are answered with 503. Trusted proxies have
    /// no limit of their own. [default: 1024, or half of all if that is less]
    // One client cannot take every connection. Far more than a browser opens (6), so that a proxy that is not
    // among the trusted ones can serve many clients. An IPv6 /64 counts as one address.
    #[arg(long, env = "RUNNER_MAX_CONNECTIONS_PER_ADDRESS", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_address: Option<u32>,

    /// Maximum size of a request body.
    // Protects the host. Applications set a lower limit of their own; this one has room for a file of 25 MB in a form.
    #[arg(long, env = "RUNNER_MAX_BODY", default_value = "32MiB")]
    pub max_body: ByteSize,

    /// Bytes of a body that are buffered: a request is processed once it has arrived, up to this size, and a guest finishes
    /// although its client reads slowly. Beyond it, a request body is streamed and must arrive with 256 KiB per second.
    // The largest request of the wiki. What is not buffered takes up an instance for as long as its client likes.
    #[arg(long, env = "RUNNER_BODY_BUFFER", default_value = "8MiB")]
    pub body_buffer: ByteSize,

    /// Maximum sum of everything that is buffered for clients: request bodies that arrive or wait, responses that are not read
    /// yet, and large heads. Beyond it, the slowest transfers are ended. [default: an eighth of the container's memory limit,
    /// 256MiB without one]
    // The rest of a container's memory is the runner's own.
    #[arg(long, env = "RUNNER_BUFFER_MEMORY", value_parser = buffer_memory)]
    pub buffer_memory: Option<ByteSize>,

    /// Maximum memory of all guests together, with the results of their statements. Beyond it, requests wait as in the queue,
    /// and are then answered with 503. [default: half of the container's memory limit, 1GiB without one]
    // A process that needs more than its container may have is killed, with every request. A quarter is for guests that have no
    // more than RUNNER_KEPT_MEMORY: a few large ones do not stop all others.
    #[arg(long, env = "RUNNER_GUEST_MEMORY", value_parser = guest_memory)]
    pub guest_memory: Option<ByteSize>,

    /// Maximum linear memory of one instance.
    // Enough for several copies of a document of 1 MiB.
    #[arg(long, env = "RUNNER_MAX_MEMORY", default_value = "128MiB")]
    pub max_memory: ByteSize,

    /// Maximum memory of an idle instance. An instance that has grown larger is discarded after its request.
    // Linear memory never shrinks. Idle instances are discarded when others need their memory; a small request needs a quarter
    // of this.
    #[arg(long, env = "RUNNER_KEPT_MEMORY", default_value = "8MiB")]
    pub kept_memory: ByteSize,

    /// Time after which an idle instance is discarded.
    // Returns the memory of a burst. Longer than the pauses between the requests of one reader, so that a quiet service
    // still answers from a warm instance.
    #[arg(long, env = "RUNNER_INSTANCE_IDLE_TIMEOUT", default_value = "1m", value_parser = duration)]
    pub instance_idle_timeout: Duration,

    /// Maximum number of requests handled at once. Further ones wait in a queue.
    // Each takes an instance and, mostly, a database connection. Eight times the connections: more were no faster with 256
    // clients at once, and took twice the memory (docs/benchmarks.md).
    #[arg(long, env = "RUNNER_MAX_CONCURRENCY", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_concurrency: u32,

    /// Maximum number of requests in the queue. Further ones are answered with 503 at once.
    // Eight times the concurrency limit: at ten thousand requests per second, a tenth of a second of waiting. A longer
    // queue only makes every response late.
    #[arg(long, env = "RUNNER_MAX_QUEUE", default_value_t = 1024)]
    pub max_queue: u32,

    /// Time a request waits in the queue before it is answered with 503.
    // As long as a guest may wait for a database connection. Waiting does not help against longer overload.
    #[arg(long, env = "RUNNER_QUEUE_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub queue_timeout: Duration,

    /// Number of requests one instance serves before it is replaced. 1 gives every request a fresh instance, as Spin does.
    // Starting an instance costs more than a small request. Replacing it now and then bounds memory leaks.
    #[arg(long, env = "RUNNER_INSTANCE_REUSE", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub instance_reuse: u32,

    /// Whether small requests and their responses are passed in one piece to components that can take them so.
    // On by default: it is faster. Off to find out whether a fault is in it: the other way is that of every host.
    #[arg(long, env = "RUNNER_BUFFERED", value_enum, default_value_t = Switch::On)]
    pub buffered: Switch,

    /// Time after SIGTERM or SIGINT in which requests are still accepted, while `/readyz` already fails.
    // Zero on a laptop. In a cluster, the seconds until no more requests are routed here.
    #[arg(long, env = "RUNNER_DRAIN_DELAY", default_value = "0s", value_parser = duration)]
    pub drain_delay: Duration,

    /// Time after the drain delay for requests in flight to finish.
    // Together with the delay, below the 30 s after which Kubernetes kills a pod.
    #[arg(long, env = "RUNNER_GRACE_PERIOD", default_value = "20s", value_parser = duration)]
    pub grace_period: Duration,
}

/// Connections to PostgreSQL.
#[derive(Debug, Clone, Args)]
pub struct Postgres {
    /// Maximum number of connections to one database.
    // About two per core of a small database server (PostgreSQL wiki, "Number Of Database Connections").
    #[arg(long, env = "RUNNER_PG_POOL_SIZE", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub pg_pool_size: u16,

    /// Time that one request may wait for the database in all: for connections, and for all of its statements. After
    /// that, each further one fails at once.
    // As long as people wait for an answer. The limits below are for a part of it, and would add up.
    #[arg(long, env = "RUNNER_PG_TIMEOUT", default_value = "10s", value_parser = duration)]
    pub pg_timeout: Duration,

    /// Time a guest waits for a free connection.
    // Waiting does not help against longer overload.
    #[arg(long, env = "RUNNER_PG_WAIT_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub pg_wait_timeout: Duration,

    /// Time limit for opening a connection.
    // A database that takes longer counts as unreachable.
    #[arg(long, env = "RUNNER_PG_CONNECT_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub pg_connect_timeout: Duration,

    /// Time after which an idle connection is closed.
    // Below the 4 minutes after which the first cloud load balancers drop silent connections (Azure's default).
    #[arg(long, env = "RUNNER_PG_IDLE_TIMEOUT", default_value = "3m", value_parser = duration)]
    pub pg_idle_timeout: Duration,

    /// Time limit for one statement.
    // Below the time for all of a request, by more than a second: so the server itself says that it ended the
    // statement.
    #[arg(long, env = "RUNNER_PG_STATEMENT_TIMEOUT", default_value = "8s", value_parser = duration)]
    pub pg_statement_timeout: Duration,

    /// Maximum size of one result, as decoded for the guest.
    // Enough for 50 rows of 1 MiB. The memory limit of the guest applies as well.
    #[arg(long, env = "RUNNER_PG_MAX_RESULT", default_value = "64MiB")]
    pub pg_max_result: ByteSize,

    /// Whether statements are prepared once in each connection, under a name, or sent whole each time.
    // Auto is right everywhere. Statements with names take less time, but behind a pooler in transaction mode the server's
    // session is another each time, and has them only if the pooler sees to it.
    #[arg(long, env = "RUNNER_PG_STATEMENTS", value_enum, default_value_t = Statements::Auto, value_name = "HOW")]
    pub pg_statements: Statements,

    /// Send small statements of several requests through one connection, each without waiting for the answers to those before.
    // Only those that read, and have been quick. It halves what they take of the database.
    #[arg(long, env = "RUNNER_PG_PIPELINING", value_enum, default_value_t = Switch::On)]
    pub pg_pipelining: Switch,

    /// Certificate authorities (PEM) for `sslmode=verify-ca` and `verify-full`. [default: the system's]
    #[arg(long, env = "RUNNER_PG_CA_FILE", value_name = "FILE")]
    pub pg_ca_file: Option<PathBuf>,
}

/// How long a migration waits.
#[derive(Debug, Clone, Args)]
pub struct Waiting {
    /// Time to wait for a database that does not accept connections yet.
    // None by default: at a prompt, a wrong address is likelier than a database that starts.
    #[arg(long, env = "RUNNER_MIGRATE_WAIT", default_value = "0s", value_parser = parse_duration)]
    pub wait: Duration,
}

/// Whom a migration grants the rights of the application.
#[derive(Debug, Clone, Args)]
pub struct Granting {
    /// Role that the application connects as. It gets the rights that the application needs, and no others.
    // None by default: on a laptop, the application migrates its database itself, as the owner.
    #[arg(long, env = "RUNNER_GRANT_TO", value_name = "ROLE", value_parser = NonEmptyStringValueParser::new())]
    pub grant_to: Option<String>,

    /// File with the role's password. The role is created if it does not exist, and gets this password.
    #[arg(long, env = "RUNNER_GRANT_PASSWORD_FILE", value_name = "FILE", requires = "grant_to")]
    pub grant_password_file: Option<PathBuf>,
}

/// The embedded database.
#[derive(Debug, Clone, Args)]
pub struct Embedded {
    /// Folder of the embedded database, which is used if no other database is configured.
    #[arg(long = "data", env = "RUNNER_DATA", value_name = "DIR", default_value = ".wasiki")]
    pub data: PathBuf,

    /// Folder with the programs of the PostgreSQL server to run. [default: one that is installed, or else downloaded]
    // The first of: this one, the search path, where distributions put it, the user's cache folder, Maven Central.
    #[arg(long, env = "RUNNER_POSTGRES_BIN", value_name = "DIR")]
    pub postgres_bin: Option<PathBuf>,
}

/// What to log, and how.
#[derive(Debug, Args)]
pub struct Logging {
    /// Format of log lines. [default: json in a container, text otherwise]
    #[arg(long, env = "RUNNER_LOG_FORMAT", value_enum, global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What to log: a level (error, warn, info, debug, trace), or levels by module as in info,wiki_runner=debug.
    // tokio_postgres logs server notices at info, for example that there was no transaction to roll back.
    #[arg(long, env = "RUNNER_LOG", default_value = "info,tokio_postgres=warn", global = true, value_name = "FILTER")]
    pub log: String,
}

/// How statements are sent to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Statements {
    /// Named, unless there is a pooler in front of the server.
    Auto,
    /// Prepared once in each connection.
    Named,
    /// Whole each time.
    Unnamed,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For log collectors: one object per line.
    Json,
}

/// The longest time that a setting may have. Far more than any needs, and few enough seconds to be added to any other time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(duration) if duration > LONGEST => Err("it must be at most a year".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write 500ms, 20s or 3m")),
    }
}

/// The least that all guests, or all buffers, can do with: one guest that the SDKs build with a large request.
const LEAST_GUEST_MEMORY: ByteSize = ByteSize::mib(16);
const LEAST_BUFFER_MEMORY: ByteSize = ByteSize::mib(1);

fn guest_memory(text: &str) -> Result<ByteSize, String> {
    at_least(LEAST_GUEST_MEMORY, text)
}

fn buffer_memory(text: &str) -> Result<ByteSize, String> {
    at_least(LEAST_BUFFER_MEMORY, text)
}

fn at_least(least: ByteSize, text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse()?;
    if size < least { Err(format!("it must be at least {least}")) } else { Ok(size) }
}

/// A duration within which something must happen: with none at all, it never could.
fn time_limit(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|duration| match duration {
        Duration::ZERO => Err("it must be longer than 0".to_owned()),
        limit => Ok(limit),
    })
}

fn path(text: &str) -> Result<String, &'static str> {
    let is_path = text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok();
    if is_path { Ok(text.to_owned()) } else { Err("it must be a path that begins with /") }
}

impl Application {
    /// The component to serve, if it is not all of them. Set to nothing, as a template may set it, it is not set.
    pub fn component(&self) -> Option<&str> {
        self.component.as_deref().filter(|id| !id.is_empty())
    }
}

impl Limits {
    /// The memory of all guests in bytes, given the limit of the container.
    pub fn guest_memory(&self, container: Option<u64>) -> u64 {
        let default = container.map_or(ByteSize::gib(1).as_u64(), |limit| limit / 2);
        self.guest_memory.map_or(default.max(LEAST_GUEST_MEMORY.as_u64()), |size| size.as_u64())
    }

    /// The number of connections, given the limit of the container.
    pub fn max_connections(&self, container: Option<u64>) -> u32 {
        let default = container.map_or(u32::MAX, |limit| u32::try_from(limit >> 18).unwrap_or(u32::MAX));
        self.max_connections.unwrap_or(default.clamp(64, 8192))
    }

    /// The number of connections from one address, given the number of all.
    pub fn max_connections_per_address(&self, all: u32) -> u32 {
        self.max_connections_per_address.unwrap_or((all / 2).clamp(1, 1024))
    }

    /// The memory of all buffers in bytes, given the limit of the container.
    pub fn buffer_memory(&self, container: Option<u64>) -> u64 {
        let default = container.map_or(ByteSize::mib(256).as_u64(), |limit| limit / 8);
        self.buffer_memory.map_or(default.max(LEAST_BUFFER_MEMORY.as_u64()), |size| size.as_u64())
    }
}

impl Admin {
    /// The address to bind; `None` for `off`.
    pub fn socket_addr(&self) -> anyhow::Result<Option<SocketAddr>> {
        match self.admin.as_deref().filter(|given| !given.is_empty()) {
            None => Ok(Some((default_ip(), 9090).into())),
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
    pub fn socket_addr(&self) -> anyhow::Result<SocketAddr> {
        let Some(given) = self.address.as_deref().filter(|given| !given.is_empty()) else {
            return Ok((default_ip(), self.port).into());
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

/// Every interface in a container, where a port is reachable only once it is published, and loopback elsewhere.
fn default_ip() -> Ipv4Addr {
    if in_container() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST }
}

/// Whether this process runs in a container, according to the marker files of Docker and Podman, systemd's variable
/// `container`, or the environment of a Kubernetes pod.
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
    fn memory_is_divided_by_the_containers_limit() {
        #[derive(clap::Parser)]
        struct Settings {
            #[command(flatten)]
            limits: Limits,
        }
        let limits = |args: &[&str]| <Settings as clap::Parser>::parse_from([&["test"], args].concat()).limits;
        let divided = |limits: &Limits, limit| {
            [limits.guest_memory(limit) >> 20, limits.buffer_memory(limit) >> 20, limits.max_connections(limit).into()]
        };
        assert_eq!(divided(&limits(&[]), None), [1024, 256, 8192]);
        assert_eq!(divided(&limits(&[]), Some(256 << 20)), [128, 32, 1024]);
        assert_eq!(divided(&limits(&[]), Some(1 << 20)), [16, 1, 64]);
        let given = limits(&["--guest-memory=64MiB", "--buffer-memory=8MiB", "--max-connections=10"]);
        assert_eq!(divided(&given, Some(256 << 20)), [64, 8, 10]);
        for (text, is_enough) in [("16MiB", true), ("15MiB", false), ("much", false)] {
            assert_eq!(guest_memory(text).is_ok(), is_enough, "{text}");
        }
    }

    #[test]
    fn durations_have_bounds() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(time_limit("1ms"), Ok(Duration::from_millis(1)));
        assert!(time_limit("0s").is_err());
        for given in ["", "20", "-1s", "366days", "584000000000years"] {
            assert!(duration(given).is_err(), "{given}");
        }
    }

    #[test]
    fn a_path_begins_with_a_slash() {
        assert_eq!(path("/ready?deep=1").as_deref(), Ok("/ready?deep=1"));
        for given in ["", "ready", "http://h/ready", "/a b"] {
            assert!(path(given).is_err(), "{given}");
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
