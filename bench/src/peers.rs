//! How peers are started.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::database::Database;
use crate::options::Options;
use crate::peer::Peer;
use crate::process::{Process, command};

/// Time a server has for its first answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Interval at which a starting server is asked.
const POLL: Duration = Duration::from_micros(200);

/// The variables with which the wiki and the old service are told their database.
const DATABASE: [&str; 5] = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"];

/// The Python packages of the old service.
pub const REQUIREMENTS: &str = "bench/fastapi/requirements.txt";

/// A peer that runs.
pub struct Running {
    pub peer: Peer,
    /// Where it listens, as in `http://127.0.0.1:8000`.
    pub url: String,
    /// The server; none for pgbench, which is started when it is measured.
    pub process: Option<Process>,
}

impl Running {
    /// Starts a peer on a database and waits for its first answer.
    pub fn start(peer: Peer, options: &Options, database: &Database) -> anyhow::Result<Self> {
        if peer == Peer::Pgbench {
            return Ok(Self { peer, url: String::new(), process: None });
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
        let port = listener.local_addr().context("cannot find a free port")?.port();
        drop(listener);
        let started = Instant::now();
        let mut command = server(peer, options, database, port)?;
        let mut process = Process::start(&mut command, options.out.join(format!("{peer}.log")))?;
        while !is_healthy(port) {
            process.check().with_context(|| peer.to_string())?;
            if started.elapsed() > START_LIMIT {
                bail!("{peer} did not answer GET /health within {START_LIMIT:?}:\n{}", process.output());
            }
            thread::sleep(POLL);
        }
        Ok(Self { peer, url: format!("http://127.0.0.1:{port}"), process: Some(process) })
    }
}

/// The command that serves as a peer on a port of this machine.
fn server(peer: Peer, options: &Options, database: &Database, port: u16) -> anyhow::Result<Command> {
    let port = port.to_string();
    Ok(match peer {
        Peer::Runner | Peer::RunnerFresh => {
            let mut command = command(&options.runner);
            command.args(["serve", "--from", "spin.toml", "--listen", "127.0.0.1", "--port", &port]);
            command.arg("--precompiled").arg(&options.precompiled).env("DATABASE_URL", database.url());
            if peer == Peer::RunnerFresh {
                command.args(["--instance-reuse", "1"]);
            }
            command
        }
        Peer::Native => {
            let mut command = command(std::env::current_exe().context("cannot find this program")?);
            command.args(["native", "--port", &port]).env("DATABASE_URL", database.url());
            command
        }
        Peer::FastApi(workers) => {
            // As its documentation says, but for the access log, which would cost it a line for each request.
            let mut command = command(environment(options).join("bin/uvicorn"));
            command.args(["app.main:app", "--host", "127.0.0.1", "--port", &port, "--no-access-log"]);
            command.args(["--workers", &workers.to_string()]).current_dir("bench/fastapi");
            database.configure(&mut command, DATABASE);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
        Peer::Spin => {
            let spin = options.spin.as_ref();
            let mut command = command(spin.context("the peer spin needs the variable SPIN: the path of the program")?);
            command.args(["up", "--quiet", "--from", "spin.toml", "--listen", &format!("127.0.0.1:{port}")]);
            command.arg("--state-dir").arg(options.out.join("spin"));
            let names = DATABASE.map(|name| format!("SPIN_VARIABLE_{name}"));
            database.configure(&mut command, names.each_ref().map(String::as_str));
            command
        }
        Peer::Pgbench => bail!("pgbench is not a server"),
    })
}

/// The Python environment of the old service.
fn environment(options: &Options) -> PathBuf {
    options.out.join("fastapi-venv")
}

/// Installs the packages of the old service, unless these versions are installed.
pub fn install_fastapi(options: &Options) -> anyhow::Result<()> {
    let wanted = fs::read_to_string(REQUIREMENTS).with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let environment = environment(options);
    let stamp = environment.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing the Python packages of fastapi");
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(&environment);
    let mut install = Command::new(environment.join("bin/pip"));
    install.args(["install", "--quiet", "--requirement", REQUIREMENTS]);
    for mut command in [create, install] {
        let output = command.stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start {command:?}, which the peer fastapi needs"))?;
        ensure!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Whether `GET /health` is answered 200. By hand, because this is timed, and an HTTP client would take a share of it.
fn is_healthy(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(START_LIMIT))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        std::io::Result::Ok(answer.starts_with(b"HTTP/1.1 200 "))
    };
    ask().unwrap_or(false)
}
