//! Sidecars of Dapr, each a process of a test's own, with the settings of `compose/dapr`.
//!
//! The program is the one that `WASIKI_DAPRD` names: `DAPRD=/path cargo xtask test --dapr` passes it on.

use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Process, free_ports, lock};
use crate::{Client, EVENTS_TOKEN, Kafka, eventually_within, paths};

/// Time for a sidecar to start and to reach its broker.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Where the broker is in the settings.
const BROKER: &str = "kafka:9092";
/// Names are looked up by nobody. By default, sidecars would look for each other in the network.
const CONFIGURATION: &str = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: test}\nspec:\n  \
    nameResolution: {component: nameformat, version: v1, configuration: {format: \"{appid}\"}}\n  \
    metrics: {enabled: false}\n";

/// A sidecar.
pub struct Daprd {
    app: String,
    command: Vec<OsString>,
    client: Client,
    folder: TempDir,
    process: Mutex<Option<Process>>,
}

impl Daprd {
    /// The program; `None`, with words, where the tests run without one.
    pub fn program() -> Option<PathBuf> {
        let program = std::env::var_os("WASIKI_DAPRD").filter(|path| !path.is_empty()).map(PathBuf::from);
        if program.is_none() {
            println!("skipped: WASIKI_DAPRD names no daprd; `DAPRD=/path cargo xtask test --dapr` does");
        }
        program
    }

    /// Starts the sidecar of `app`, which consumes what `compose/dapr` says if it listens at a port. Callers of the sidecar send it
    /// `token`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(program: PathBuf, kafka: &Kafka, app: &str, app_port: Option<u16>, token: &str) -> Self {
        let folder = TempDir::with_prefix("wasiki-dapr-").expect("a temporary folder can be made");
        let resources = folder.path().join("resources");
        fs::create_dir(&resources).expect("a folder can be made in a temporary one");
        let settings = paths::repository().join("compose/dapr");
        for file in ["pubsub.yaml", "resiliency.yaml", "subscriptions.yaml"] {
            let text = fs::read_to_string(settings.join(file)).expect("compose/dapr has the settings");
            fs::write(resources.join(file), text.replace(BROKER, &kafka.address())).expect("a file can be written");
        }
        let configuration = folder.path().join("configuration.yaml");
        fs::write(&configuration, CONFIGURATION).expect("a temporary file can be written");

        let [port, grpc, internal] = free_ports();
        // Nothing of this machine's own Dapr.
        let mut command: Vec<OsString> = vec!["env".into(), format!("APP_API_TOKEN={EVENTS_TOKEN}").into()];
        command.push(format!("DAPR_API_TOKEN={token}").into());
        command.push(format!("DAPR_HOST_IP={}", Ipv4Addr::LOCALHOST).into());
        command.push(program.into());
        for (name, value) in [
            ("app-id", app.to_owned()),
            ("resources-path", resources.display().to_string()),
            ("config", configuration.display().to_string()),
            ("dapr-listen-addresses", Ipv4Addr::LOCALHOST.to_string()),
            ("dapr-internal-grpc-listen-address", Ipv4Addr::LOCALHOST.to_string()),
            ("dapr-http-port", port.to_string()),
            ("dapr-grpc-port", grpc.to_string()),
            ("dapr-internal-grpc-port", internal.to_string()),
            ("log-level", "info".to_owned()),
        ] {
            command.push(format!("--{name}={value}").into());
        }
        command.push("--enable-metrics=false".into());
        if let Some(app_port) = app_port {
            command.push(format!("--app-port={app_port}").into());
            // As in compose.yaml.
            command.push("--enable-app-health-check".into());
            command.push("--app-health-check-path=/-/ready".into());
            command.push("--app-health-probe-timeout=4000".into());
        }
        let client = Client::new(&format!("http://127.0.0.1:{port}"));
        let daprd = Self { app: app.to_owned(), command, client, folder, process: Mutex::new(None) };
        daprd.start_again();
        eventually_within(START_LIMIT, &format!("the sidecar of {app} is ready"), || async {
            let ready = daprd.client.get("/v1.0/healthz/outbound").header("dapr-api-token", token).attempt().await;
            ready.is_ok_and(|answer| answer.status() == 204)
        })
        .await;
        daprd
    }

    /// `http://host:port`.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// Ends it at once (SIGKILL).
    pub fn kill9(&self) {
        if let Some(process) = lock(&self.process).take() {
            process.end("KILL");
        }
    }

    /// Starts it again after its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_again(&self) {
        *lock(&self.process) = Some(Process::start(self.command.clone(), &self.folder.path().join("log")));
    }
}

impl Drop for Daprd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(60)..].join("\n");
            eprintln!("--- the sidecar of {} ---\n{last}\n---", self.app);
        }
    }
}
