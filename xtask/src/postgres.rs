//! PostgreSQL servers for the length of a run, gone afterwards whatever happens. The data may be kept.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use local_postgres::server::Data;
use local_postgres::{Cluster, Installation, Server};

use crate::cargo::prepare;
use crate::progress;
use crate::runner::Runner;
use crate::workspace::Workspace;

/// Several runners with a pool each, several tests at once; PostgreSQL's own default is 100. What is worth nothing after a
/// crash of the machine need not reach the disk.
const SETTINGS: [&str; 2] = ["max_connections=1000", "fsync=off"];

/// Settings of a server whose data are kept: what PostgreSQL's manual advises for a machine with a few gigabytes of memory
/// (19.4, 19.5). The defaults are for one of long ago, and would measure how well they suit a million pages.
const KEPT_SETTINGS: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=30min"];

/// Starts a server on an empty cluster, with the certificate in `certificates` for those that want TLS.
pub fn start(installation: &Installation, certificates: &Path) -> anyhow::Result<Server> {
    // The name ends like nobody else's.
    let name = format!("wasiki-postgres-{}-{}", std::process::id(), installation.major());
    let cluster = Cluster::open(&env::temp_dir().join(name))?;
    // It takes only a key that is its own and nobody else's to read.
    let copy = |name: &str| {
        let from = certificates.join(name);
        let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
        cluster.write_secret(name, &text)
    };
    let (certificate, key) = (copy("first.crt")?, copy("first.key")?);
    let tls = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate.display()),
        format!("ssl_key_file={}", key.display()),
    ];
    let settings = SETTINGS.map(str::to_owned).into_iter().chain(tls).collect();
    progress::step(&format!("starting PostgreSQL {}", installation.version()), || {
        cluster.init(installation, false)?;
        Server::start(cluster.clone(), installation.clone(), settings, Data::Gone)
    })
}

/// Starts a server on the cluster in `folder`, which is made if there is none, and kept.
pub fn start_kept(installation: &Installation, folder: &Path) -> anyhow::Result<Server> {
    let cluster = Cluster::open(folder).with_context(|| folder.display().to_string())?;
    if local_postgres::server::port_of_running(&cluster).is_some() {
        bail!("a PostgreSQL server already runs in {}", folder.display());
    }
    let settings = SETTINGS.into_iter().chain(KEPT_SETTINGS).map(str::to_owned).collect();
    progress::step(&format!("starting PostgreSQL {}", installation.version()), || {
        cluster.init(installation, false)?;
        Server::start(cluster.clone(), installation.clone(), settings, Data::Kept)
    })
}

/// The server of a major version that the runner downloads, or that of its default version.
pub fn downloaded(workspace: &Workspace, runner: &Runner, version: Option<u32>) -> anyhow::Result<Installation> {
    let mut install = Command::new(&runner.program);
    prepare(&mut install, workspace);
    install.args(["database", "install"]);
    if let Some(version) = version {
        install.args(["--version", &version.to_string()]);
    }
    let output = install.output().with_context(|| format!("cannot start {}", runner.program.display()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Installation::at(Path::new(String::from_utf8_lossy(&output.stdout).trim()))
}
