//! A Kafka broker, Kafka Connect with Debezium, and readers of topics, each a process of a test's own.
//!
//! They come from the jars in the folder that `WASIKI_KAFKA` names; `cargo xtask test --kafka` fetches them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use tempfile::TempDir;

use crate::eventually_within;
use crate::process::{Process, free_ports, lock};

/// Time for a broker to start, on a machine that runs other tests too.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A broker with one node, which keeps its records when it is started again.
pub struct Kafka {
    jars: PathBuf,
    folder: TempDir,
    port: u16,
    process: Mutex<Option<Process>>,
}

impl Kafka {
    /// The folder with the jars; `None`, with words, where the tests run without them.
    pub fn jars() -> Option<PathBuf> {
        let jars = std::env::var_os("WASIKI_KAFKA").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        if jars.is_none() {
            println!("skipped: WASIKI_KAFKA names no folder with Kafka; `cargo xtask test --kafka` does");
        }
        jars
    }

    /// Starts a broker, and makes `topics` with some partitions each.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(jars: PathBuf, topics: &[&str], partitions: u32) -> Self {
        let folder = TempDir::with_prefix("wasiki-kafka-").expect("a temporary folder can be made");
        let [port, controller] = free_ports();
        let data = folder.path().join("data");
        let settings = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\nlog.dirs={}\nauto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n",
            data.display()
        );
        fs::write(folder.path().join("broker.properties"), settings).expect("a temporary file can be written");
        let kafka = Self { jars, folder, port, process: Mutex::new(None) };
        let id = kafka.run("kafka.tools.StorageTool", &["random-uuid"]);
        let settings = kafka.settings();
        kafka.run("kafka.tools.StorageTool", &["format", "-t", id.trim(), "-c", &settings]);
        kafka.start_again().await;
        for topic in topics {
            let partitions = partitions.to_string();
            let server = kafka.address();
            let create = ["--bootstrap-server", &server, "--create", "--topic", topic, "--partitions", &partitions];
            kafka.run("org.apache.kafka.tools.TopicCommand", &create);
        }
        kafka
    }

    /// `host:port` for clients.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the broker by a signal, such as `TERM` or `KILL`. Clients are refused until it is started again.
    pub fn end(&self, signal: &str) {
        if let Some(process) = lock(&self.process).take() {
            process.end(signal);
        }
    }

    /// Starts the broker again after its end, and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start_again(&self) {
        let log = self.folder.path().join("broker.log");
        *lock(&self.process) = Some(Process::start(self.java("kafka.Kafka", 256, &[&self.settings()]), &log));
        eventually_within(START_LIMIT, "Kafka takes connections", || async {
            tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok()
        })
        .await;
    }

    /// Starts to read a topic from its beginning.
    pub fn read(&self, topic: &str) -> Reader {
        let log = self.folder.path().join(format!("{topic}.log"));
        let server = self.address();
        let mut args = vec!["--bootstrap-server", &server, "--topic", topic, "--from-beginning"];
        for property in ["print.partition=true", "print.key=true", "key.separator=\t"] {
            args.extend(["--formatter-property", property]);
        }
        let command = self.java("org.apache.kafka.tools.consumer.ConsoleConsumer", 96, &args);
        let (process, output) = Process::start_reading(command, &log);
        let read = Arc::<Mutex<Read>>::default();
        let reading = read.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let record = Record::parse(&line);
                let mut read = lock(&reading);
                read.values.insert(record.value.clone());
                read.records.push(record);
            }
        });
        Reader { read, _process: process }
    }

    fn settings(&self) -> String {
        self.folder.path().join("broker.properties").display().to_string()
    }

    /// A program of Kafka's with this many mebibytes of memory.
    fn java(&self, class: &str, memory: u32, args: &[&str]) -> Vec<OsString> {
        let jars = self.jars.join("*");
        let mut command: Vec<OsString> = vec!["java".into(), format!("-Xmx{memory}m").into()];
        command.push("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn".into());
        command.extend(["-cp".into(), jars.into(), class.into()]);
        command.extend(args.iter().map(OsString::from));
        command
    }

    /// What a program of Kafka's prints.
    fn run(&self, class: &str, args: &[&str]) -> String {
        let command = self.java(class, 96, args);
        let output = Command::new(&command[0]).args(&command[1..]).output().expect("Java is installed");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{class} {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for name in ["broker.log", "connect.log"] {
            let log = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            eprintln!("--- {name} ---\n{log}---");
        }
    }
}

/// Kafka Connect with Debezium, which publishes what is written to the table `outbox` of a database.
pub struct Connect {
    command: Vec<OsString>,
    log: PathBuf,
    process: Mutex<Option<Process>>,
    _folder: TempDir,
}

impl Connect {
    /// Starts it for the database at `url`, as a role that may replicate.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(kafka: &Kafka, url: &Url) -> Self {
        let folder = TempDir::with_prefix("wasiki-connect-").expect("a temporary folder can be made");
        let [port] = free_ports();
        let worker = format!(
            "bootstrap.servers={}\nlisteners=http://127.0.0.1:{port}\noffset.storage.file.filename={}\n\
             offset.flush.interval.ms=1000\nplugin.discovery=service_load\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\n",
            kafka.address(),
            folder.path().join("offsets").display()
        );
        let connector = format!(
            "{OUTBOX}database.hostname={}\ndatabase.port={}\ndatabase.dbname={}\ndatabase.user={}\ndatabase.password={}\n",
            url.host_str().unwrap_or_default(),
            url.port().unwrap_or(5432),
            url.path().trim_start_matches('/'),
            url.username(),
            url.password().unwrap_or_default()
        );
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a temporary file can be written");
            path.display().to_string()
        };
        let files = [write("worker.properties", worker), write("connector.properties", connector)];
        let class = "org.apache.kafka.connect.cli.ConnectStandalone";
        let command = kafka.java(class, 512, &[&files[0], &files[1]]);
        let log = kafka.folder.path().join("connect.log");
        let connect = Self { command, log, process: Mutex::new(None), _folder: folder };
        connect.start_again();
        connect
    }

    /// Ends it by a signal.
    pub fn end(&self, signal: &str) {
        if let Some(process) = lock(&self.process).take() {
            process.end(signal);
        }
    }

    /// Starts it again after its end. It goes on where it was.
    pub fn start_again(&self) {
        *lock(&self.process) = Some(Process::start(self.command.clone(), &self.log));
    }
}

/// Debezium's outbox router on the columns that it looks for by default. The payload is the whole event: as text it reaches the topic as
/// it is, with members that are null and lists that are empty.
const OUTBOX: &str = "name=outbox\nconnector.class=io.debezium.connector.postgresql.PostgresConnector\ntasks.max=1\n\
    topic.prefix=wasiki\nplugin.name=pgoutput\nslot.name=wasiki_outbox\npublication.name=wasiki_outbox\n\
    publication.autocreate.mode=filtered\ntable.include.list=public.outbox\ntombstones.on.delete=false\n\
    retriable.restart.connector.wait.ms=1000\ntransforms=outbox\n\
    transforms.outbox.type=io.debezium.transforms.outbox.EventRouter\n\
    transforms.outbox.route.topic.replacement=${routedByValue}\n";

/// One record of a topic.
#[derive(Debug, Clone)]
pub struct Record {
    /// The partition's number.
    pub partition: u32,
    /// The key, as text.
    pub key: String,
    /// The value, as text.
    pub value: String,
}

impl Record {
    /// # Panics
    /// When the line is none of the reader's.
    fn parse(line: &str) -> Self {
        let mut parts = line.splitn(3, '\t');
        let mut part = || parts.next().unwrap_or_else(|| panic!("no record: {line}")).to_owned();
        let partition = part().strip_prefix("Partition:").and_then(|number| number.parse().ok());
        Self { partition: partition.unwrap_or_else(|| panic!("no partition: {line}")), key: part(), value: part() }
    }
}

/// A reader of a topic. It goes on when the broker is back.
pub struct Reader {
    read: Arc<Mutex<Read>>,
    _process: Process,
}

#[derive(Default)]
struct Read {
    records: Vec<Record>,
    values: HashSet<String>,
}

impl Reader {
    /// All records that were read so far, in the order of each partition.
    pub fn records(&self) -> Vec<Record> {
        lock(&self.read).records.clone()
    }

    /// How many different values were read so far.
    pub fn distinct(&self) -> usize {
        lock(&self.read).values.len()
    }
}
