//! Every check and every test, cheapest first; the first one that fails ends the run.

use std::env;
use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context as _, ensure};
use local_postgres::{Installation, Server};

use crate::bench;
use crate::browser::Browser;
use crate::cargo::{cargo, prepare, without_settings};
use crate::component;
use crate::deny;
use crate::docs;
use crate::k8s;
use crate::kafka;
use crate::postgres;
use crate::progress::{self, note, say, step, watch};
use crate::runner::{self, Runner};
use crate::schemathesis;
use crate::spin;
use crate::tally::Tally;
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;

/// Which databases to test on: the one that DATABASE_URL names, or servers that are started for the run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Major versions of PostgreSQL to test on, downloaded as needed. [default: the one the runner downloads, and one that is
    /// installed]
    #[arg(long, value_delimiter = ',', value_name = "VERSIONS")]
    postgres: Vec<u32>,

    /// Only break things while clients write, and say what was lost.
    #[arg(long)]
    faults: bool,

    /// Only write events to a Kafka with Debezium, which are fetched from Maven Central, while things are started again.
    #[arg(long, conflicts_with_all = ["faults", "spin", "dapr"])]
    kafka: bool,

    /// Only bring events through Kafka and the Dapr sidecars that DAPRD names to services of their own, while each is killed:
    /// DAPRD=/path/to/daprd.
    #[arg(long, conflicts_with_all = ["faults", "spin"])]
    dapr: bool,

    /// Only run what every host has to pass, on PostgreSQL and the Spin that SPIN names: SPIN=/path/to/spin.
    #[arg(long, conflicts_with = "faults")]
    spin: bool,
}

/// Modules of the black-box tests in which wiki-runner itself speaks to the database: they run on every one.
const OF_THE_DRIVER: [&str; 2] = ["database::interface", "database::pooler"];

/// Those that meet errors of statements while they run, which each release of Spin puts into words of its own.
const WITH_ERRORS: [&str; 5] = ["api::accounts", "api::concurrency", "api::errors", "api::posts", "api::users"];

/// Runs everything; fails naming the stage that failed. The last line printed is the sum of all tests.
pub fn test(workspace: &Workspace, commands: &clap::Command, args: &Args) -> anyhow::Result<()> {
    if args.faults {
        return faults(workspace, args);
    }
    if args.kafka {
        return with_kafka(workspace, "kafka::", &[]);
    }
    if args.dapr {
        let daprd = env::var("DAPRD").ok().filter(|path| !path.is_empty());
        let daprd = daprd.context("name the program daprd: DAPRD=/path/to/daprd cargo xtask test --dapr")?;
        let daprd = fs::canonicalize(&daprd).with_context(|| format!("DAPRD names no file: {daprd}"))?;
        return with_kafka(workspace, "dapr::", &[("WASIKI_DAPRD", &daprd)]);
    }
    if args.spin {
        return on_spin(workspace, &spin::Host::real()?, args);
    }
    checks(workspace, commands)?;
    let toolchain = Toolchain::choose(workspace)?;
    lint_components(workspace, &toolchain)?;
    deny::test(workspace)?;
    k8s::test(workspace)?;
    let runner = build(workspace, &toolchain)?;

    let databases = databases(workspace, &runner, args)?;
    let mut suite = Suite { workspace, sum: Tally::default() };
    let mut unit_tests = suite.cargo_test(&["--lib", "--bins"]);
    unit_tests.env("RUNNER_TEST_DATABASE_URL", &databases[0].url);
    let unit = suite.run("unit tests", &mut unit_tests)?;
    ensure!(!unit.is_empty(), "the stage `unit tests` ran no test");
    suite.run("documentation tests", &mut suite.cargo_test(&["--doc"]))?;

    // Everything on our own host and as the owner of the tables; then on another host, with another database where there is
    // one, as a role that owns nothing. What depends on two of these at once is rare, and each run takes minutes.
    let skip = spin::runner_only(workspace)?;
    let (first, others) = databases.split_first().context("there is a database to test on")?;
    let mut results = vec![suite.black_box(first, &runner, &[])?, suite.streamed(first, &runner)?];
    for other in others {
        results.push(suite.black_box(other, &runner, &OF_THE_DRIVER)?);
        results.push(suite.on_spin(&spin::Host::Like("4.0"), other, true, &runner, &[], &skip)?);
    }
    if others.is_empty() {
        results.push(suite.on_spin(&spin::Host::Like("4.0"), first, true, &runner, &[], &skip)?);
    }
    results.push(suite.on_spin(&spin::Host::Like("3.6"), first, false, &runner, &WITH_ERRORS, &skip)?);
    match Browser::find() {
        Ok(browser) => results.push(suite.browser(&browser, &runner)?),
        Err(reason) => note(&format!("the browser tests are left out: {reason}")),
    }
    schemathesis::test(workspace, &runner)?;
    bench::compare(workspace, &runner, &first.url)?;
    results.iter().for_each(|result| say(result));
    say(&suite.sum.to_string());
    Ok(())
}

/// Runs the tests that break something, and shows what they say.
fn faults(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let runner = build(workspace, &Toolchain::choose(workspace)?)?;
    let mut suite = Suite { workspace, sum: Tally::default() };
    for database in databases(workspace, &runner, args)? {
        let mut tests = suite.cargo_test(&["--test", "suite", "--", "faults::", "--nocapture", "--test-threads", "1"]);
        suite.on(&database.url, &runner, &mut tests);
        suite.run(&format!("faults ({})", database.name), &mut tests)?;
    }
    say(&suite.sum.to_string());
    Ok(())
}

/// Runs the tests of a module that needs Kafka, and shows what they say. They start databases of their own.
fn with_kafka(workspace: &Workspace, module: &str, more: &[(&str, &Path)]) -> anyhow::Result<()> {
    let jars = kafka::jars(workspace)?;
    let runner = build(workspace, &Toolchain::choose(workspace)?)?;
    let mut suite = Suite { workspace, sum: Tally::default() };
    let mut tests = suite.cargo_test(&["--test", "suite", "--", module, "--nocapture", "--test-threads", "1"]);
    suite.on("", &runner, &mut tests);
    tests.env("WASIKI_KAFKA", jars).envs(more.iter().copied());
    let label = module.trim_end_matches(':');
    let tally = suite.run(label, &mut tests)?;
    ensure!(!tally.is_empty(), "the stage `{label}` ran no test");
    say(&suite.sum.to_string());
    Ok(())
}

/// Runs what every host has to pass on a Spin, and says what was left out.
fn on_spin(workspace: &Workspace, host: &spin::Host, args: &Args) -> anyhow::Result<()> {
    let runner = build(workspace, &Toolchain::choose(workspace)?)?;
    let databases = databases(workspace, &runner, args)?;
    let skip = spin::runner_only(workspace)?;
    let mut suite = Suite { workspace, sum: Tally::default() };
    let result = suite.on_spin(host, &databases[0], false, &runner, &[], &skip);
    for test in &skip {
        say(&format!("left out: {}: {}", test.name, test.reason));
    }
    say(&result?);
    Ok(())
}

/// Builds everything under test. The runner is the one `up` uses, and everything else has the same features: nothing is
/// compiled twice.
fn build(workspace: &Workspace, toolchain: &Toolchain) -> anyhow::Result<Runner> {
    let component = component::build(workspace, toolchain, "wiki")?;
    let bookshop = component::build(workspace, toolchain, "bookshop")?;
    let program = runner::build(workspace)?;
    progress::run(
        "building the client and the benchmark",
        cargo(workspace, "build").args(["--workspace", "--bin", "wasiki", "--bin", "spin-like", "--bin", "bench"]),
    )?;
    progress::run("building the tests", cargo(workspace, "test").args(["--workspace", "--no-run"]))?;
    let manifest = workspace.root.join("tests/guests/bookshop/spin.toml");
    runner::compile(workspace, &program, &bookshop, &manifest, "shop")?;
    runner::precompile(workspace, program, component)
}

/// What needs no running program: documentation, format, lints.
fn checks(workspace: &Workspace, commands: &clap::Command) -> anyhow::Result<()> {
    step("checking the documentation's commands and links", || docs::check(&workspace.root, commands))?;

    let mut format = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    prepare(&mut format, workspace);
    progress::run("checking the format (cargo fmt)", format.args(["fmt", "--all", "--check"]))?;

    let lints = |label: &str, options: &[&str]| {
        let mut clippy = cargo(workspace, "clippy");
        clippy.args(["--workspace", "--all-targets"]).args(options).args(["--", "-D", "warnings"]);
        progress::run(label, &mut clippy)
    };
    lints("checking the lints (cargo clippy)", &[])?;
    // The runner as containers get it: no compiler, no database of its own.
    lints("checking the lints without optional features", &["--no-default-features"])
}

/// The lints of what is compiled for the target only.
fn lint_components(workspace: &Workspace, toolchain: &Toolchain) -> anyhow::Result<()> {
    if let Toolchain::Distribution(_) = toolchain {
        note(&format!("the lints for {TARGET} are left out: the distribution toolchain has no clippy"));
        return Ok(());
    }
    let mut clippy = cargo(workspace, "clippy");
    clippy.args(["--target", TARGET, "--package", "wiki", "--package", "bookshop", "--lib", "--", "-D", "warnings"]);
    progress::run(&format!("checking the lints for {TARGET}"), &mut clippy)
}

/// A PostgreSQL server to test on.
struct Database {
    /// What to call it.
    name: String,
    /// How to connect to it as a superuser.
    url: String,
    /// The server, if it is one of our own.
    _server: Option<Server>,
}

/// The servers to test on, one at least.
///
/// The two that a run has by default are the version that the runner downloads, and an installed one of another major version,
/// as on a machine that follows its distribution.
fn databases(workspace: &Workspace, runner: &Runner, args: &Args) -> anyhow::Result<Vec<Database>> {
    if let Some(url) = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
        let understood = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        ensure!(understood, "DATABASE_URL must start with postgres://");
        return Ok(vec![Database { name: "DATABASE_URL".to_owned(), url, _server: None }]);
    }
    let mut installations = Vec::new();
    if args.postgres.is_empty() {
        match postgres::downloaded(workspace, runner, None) {
            Ok(found) => installations.push(found),
            Err(error) => note(&format!("the version that the runner downloads is left out: {error:#}")),
        }
        let is_new = |found: &Installation| installations.iter().all(|known| known.major() != found.major());
        installations.extend(Installation::all().into_iter().find(is_new));
    }
    for version in &args.postgres {
        installations.push(postgres::downloaded(workspace, runner, Some(*version))?);
    }
    ensure!(
        !installations.is_empty(),
        "there is no PostgreSQL to test on: install one, or name a server in DATABASE_URL"
    );
    let certificates = workspace.root.join("tests/fixtures/tls");
    let start = |installation: Installation| {
        let server = postgres::start(&installation, &certificates)?;
        let name = format!("PostgreSQL {}", installation.version());
        Ok(Database { name, url: server.address().url(), _server: Some(server) })
    };
    installations.into_iter().map(start).collect()
}

/// The tests, and how many of them ended how so far.
struct Suite<'a> {
    workspace: &'a Workspace,
    sum: Tally,
}

impl Suite<'_> {
    /// The black-box tests, or those of some modules, on one database; returns the line that sums them up.
    fn black_box(&mut self, database: &Database, runner: &Runner, modules: &[&str]) -> anyhow::Result<String> {
        let mut tests = self.cargo_test(&["--test", "suite", "--", "--skip", "image::"]);
        tests.args(modules);
        self.on(&database.url, runner, &mut tests);
        self.sum_up(&format!("blackbox ({})", database.name), &mut tests)
    }

    /// What a host owes its guests, with all requests streamed: whatever reaches the guests of the other tests in one piece.
    fn streamed(&mut self, database: &Database, runner: &Runner) -> anyhow::Result<String> {
        let mut tests = self.cargo_test(&["--test", "suite", "--", "host::", "--skip", "host::buffered"]);
        self.on(&database.url, runner, &mut tests);
        tests.env("WASIKI_TEST_BUFFERED", "off");
        self.sum_up(&format!("blackbox (streamed, {})", database.name), &mut tests)
    }

    /// The black-box tests, or those of some modules, on a host that takes the arguments of `spin up`, without those to `skip`. With `as_role`, a wiki owns
    /// nothing in its database, as in a cluster.
    fn on_spin(
        &mut self,
        host: &spin::Host,
        database: &Database,
        as_role: bool,
        runner: &Runner,
        modules: &[&str],
        skip: &[spin::RunnerOnly],
    ) -> anyhow::Result<String> {
        let mut tests = self.cargo_test(&["--test", "suite", "--"]);
        tests.args(modules);
        for test in skip {
            tests.args(["--skip", &test.name]);
        }
        self.on(&database.url, runner, &mut tests);
        host.choose(self.workspace, &mut tests);
        let mut label = format!("{}, {}", host.label(), database.name);
        if as_role {
            tests.env("WASIKI_TEST_ROLE", "1");
            label += ", as a role that owns nothing";
        }
        self.sum_up(&format!("blackbox ({label})"), &mut tests)
    }

    /// Runs black-box tests; returns the line that sums them up.
    fn sum_up(&mut self, label: &str, tests: &mut Command) -> anyhow::Result<String> {
        // One more at once than there are processors: there is always a test that waits for a timeout.
        let threads = thread::available_parallelism().map_or(2, NonZero::get) + 1;
        tests.args(["--test-threads", &threads.to_string()]);
        let tally = self.run(label, tests)?;
        ensure!(!tally.is_empty(), "the stage `{label}` ran no test");
        Ok(format!("{label}: {tally}"))
    }

    /// Has black-box tests start this runner, on this database.
    fn on(&self, database: &str, runner: &Runner, tests: &mut Command) {
        tests
            .env("WASIKI_TEST_DATABASE", database)
            .env("WASIKI_RUNNER", &runner.program)
            .env("WASIKI_CLI", self.workspace.target.join("release/wasiki"))
            .env("WASIKI_MANIFEST", self.workspace.manifest())
            .env("WASIKI_COMPONENT", &runner.component)
            .env("WASIKI_PRECOMPILED", &runner.precompiled)
            .env("WASIKI_PRECOMPILED_BOOKSHOP", self.workspace.target.join("shop.cwasm"));
    }

    /// What a person sees, in a browser; returns the line that sums it up.
    fn browser(&mut self, browser: &Browser, runner: &Runner) -> anyhow::Result<String> {
        browser.prepare(self.workspace)?;
        let mut tests = browser.tests(self.workspace, runner);
        let tally = self.run("browser tests", &mut tests)?;
        ensure!(!tally.is_empty(), "the stage `browser tests` ran no test");
        Ok(format!("browser tests: {tally}"))
    }

    /// `cargo test` over the whole workspace, for the same features everywhere, untouched by the user's settings.
    fn cargo_test(&self, targets: &[&str]) -> Command {
        let mut command = cargo(self.workspace, "test");
        command.args(["--workspace", "--no-fail-fast"]).args(targets);
        without_settings(&mut command);
        command
    }

    /// Runs some of the tests and counts them.
    fn run(&mut self, label: &str, command: &mut Command) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        let mut count = |line: &str| {
            // The harness has written the test's name on the same line.
            if let Some((_, fault)) = line.split_once("fault: ") {
                say(&format!("fault: {fault}"));
            }
            if let Some(counts) = Tally::read(line) {
                tally += counts;
            }
        };
        let outcome = watch(label, command, &mut count);
        self.sum += tally;
        if tally.has_failures() {
            say(&format!("{label}: {tally}"));
            say(&self.sum.to_string());
        }
        outcome.map(|()| tally)
    }
}
