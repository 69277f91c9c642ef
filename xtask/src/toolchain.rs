//! Which toolchain compiles for wasm32-wasip2, found or fetched in a fixed order.
//!
//! 1. The toolchain in use, when it has the target.
//! 2. The same, after `rustup target add`.
//! 3. A distribution's Rust with its library source, for machines where rustup's servers cannot be reached.
//! 4. The same, after installing Debian's packages, when we are root.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};

use crate::cargo::{cargo, prepare};
use crate::progress;
use crate::workspace::Workspace;

/// What a component is compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// How long rustup may take: a refused connection fails at once, a swallowed one never does.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);

/// How long a refusal of rustup's servers is remembered.
const REFUSAL_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Debian's packages with a Rust that knows the target: the compiler, its library source and a C library.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];

/// A toolchain that compiles for [`TARGET`].
#[derive(Debug)]
pub enum Toolchain {
    /// The one in use.
    Own,
    /// A distribution's, which compiles the standard library too.
    Distribution(Distribution),
}

impl Toolchain {
    /// Chooses the first of the ways above that works; fails with the commands that would help.
    pub fn choose(workspace: &Workspace) -> anyhow::Result<Self> {
        if target_installed()? || added_by_rustup(workspace)? {
            return Ok(Self::Own);
        }
        let lacking = match Distribution::find()? {
            Ok(found) => return Ok(Self::Distribution(found)),
            Err(lacking) => lacking,
        };
        if local_postgres::account::is_root() && Path::new("/usr/bin/apt-get").exists() {
            install_packages(workspace)?;
            return match Distribution::find()? {
                Ok(found) => Ok(Self::Distribution(found)),
                Err(lacking) => bail!("the packages {} are installed, but {lacking}", PACKAGES.join(" ")),
            };
        }
        bail!(
            "no toolchain here compiles for {TARGET}: run `rustup target add {TARGET}`; where that download is \
             refused, on Debian 12, run `sudo apt-get install -y --no-install-recommends {}` ({lacking})",
            PACKAGES.join(" ")
        )
    }

    /// Which one it is, in a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::Own => "own toolchain".to_owned(),
            Self::Distribution(found) => format!("distribution toolchain: rustc {}", found.version),
        }
    }

    /// The target folder it builds in.
    ///
    /// A second compiler gets a second folder: in a common one each would wait for the other's lock and throw away
    /// what cargo remembers about the other.
    pub fn target_folder(&self, workspace: &Workspace) -> PathBuf {
        match self {
            Self::Own => workspace.target.clone(),
            Self::Distribution(_) => workspace.target.join("distribution"),
        }
    }

    /// `cargo build --release --locked` for [`TARGET`].
    pub fn cargo_build(&self, workspace: &Workspace) -> Command {
        let mut command = match self {
            Self::Own => cargo(workspace, "build"),
            Self::Distribution(found) => found.cargo_build(workspace, &self.target_folder(workspace)),
        };
        command.args(["--target", TARGET]);
        command
    }
}

/// A distribution's compiler and what it needs from elsewhere.
#[derive(Debug)]
pub struct Distribution {
    version: String,
    /// The folder with the linkers, which rustup's toolchains ship and Debian's do not.
    linkers: PathBuf,
}

impl Distribution {
    const CARGO: &str = "/usr/bin/cargo";
    const RUSTC: &str = "/usr/bin/rustc";
    const LIBC: &str = "/usr/lib/wasm32-wasi";

    /// Looks for the compiler, its source, the C library and the linkers; the inner error says what is lacking.
    fn find() -> anyhow::Result<Result<Self, String>> {
        for file in [Self::CARGO, Self::RUSTC, "/usr/lib/wasm32-wasi/libc.a"] {
            if !Path::new(file).exists() {
                return Ok(Err(format!("{file} is missing")));
            }
        }
        let verbose = output(Command::new(Self::RUSTC).args(["--version", "--verbose"]))?;
        let Some(version) = verbose.lines().find_map(|line| line.strip_prefix("release: ")) else {
            return Ok(Err(format!("{} does not tell its version", Self::RUSTC)));
        };
        let wanted = env!("CARGO_PKG_RUST_VERSION");
        if parts(version) < parts(wanted) {
            return Ok(Err(format!("{} is {version}, and {wanted} is needed", Self::RUSTC)));
        }
        let sysroot = output(Command::new(Self::RUSTC).args(["--print", "sysroot"]))?;
        let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
        if !source.exists() {
            return Ok(Err(format!("{}, the source of the standard library, is missing", source.display())));
        }
        // <sysroot>/lib/rustlib/<host>/lib, and the linkers are beside it.
        let libraries = output(rustc().args(["--print", "target-libdir"]))?;
        let linkers = Path::new(&libraries).with_file_name("bin");
        for linker in ["wasm-component-ld", "gcc-ld/wasm-ld"] {
            let linker = linkers.join(linker);
            if !linker.exists() {
                return Ok(Err(format!("{}, the linker of a rustup toolchain, is missing", linker.display())));
            }
        }
        Ok(Ok(Self { version: version.to_owned(), linkers }))
    }

    fn cargo_build(&self, workspace: &Workspace, target: &Path) -> Command {
        let linkers = self.linkers.display();
        let mut command = Command::new(Self::CARGO);
        command.args(["build", "--release", "--locked", "-Zbuild-std=std,panic_abort", "--target-dir"]).arg(target);
        prepare(&mut command, workspace);
        command
            .env("PATH", path_with(&self.linkers))
            .env("RUSTC", Self::RUSTC)
            // The standard library is compiled from source, which a stable compiler does when told so.
            .env("RUSTC_BOOTSTRAP", "1")
            // Flags for the target alone: build scripts run here. The separator lets paths contain spaces.
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                [
                    format!("-Clinker={linkers}/wasm-component-ld"),
                    format!("-Lnative={}", Self::LIBC),
                    format!("-Clink-arg=--wasm-ld-path={linkers}/gcc-ld/wasm-ld"),
                ]
                .join("\x1f"),
            )
            // `cargo run` put the libraries of the other compiler there.
            .env_remove("LD_LIBRARY_PATH");
        command
    }
}

/// Whether the toolchain in use has the target.
fn target_installed() -> anyhow::Result<bool> {
    let libraries = output(rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(Path::new(&libraries).is_dir())
}

/// Asks rustup for the target; false when there is no rustup, or when its servers refuse or have refused lately.
fn added_by_rustup(workspace: &Workspace) -> anyhow::Result<bool> {
    let memory = workspace.target.join("rustup-refused");
    if fs::metadata(&memory).and_then(|file| file.modified()).is_ok_and(|then| is_fresh(then, SystemTime::now())) {
        progress::note(&format!("rustup could not add {TARGET} lately; delete {} to try again", memory.display()));
        return Ok(false);
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let Ok(child) = rustup.spawn() else { return Ok(false) };
    match progress::step(&format!("adding {TARGET} with rustup"), || finish(child, RUSTUP_LIMIT))? {
        None if target_installed()? => Ok(true),
        refusal => {
            let reason = refusal.unwrap_or_else(|| "rustup added it to another toolchain".to_owned());
            progress::note(&format!("rustup cannot add {TARGET}: {reason}"));
            fs::write(&memory, format!("{reason}\n")).with_context(|| format!("cannot write {}", memory.display()))?;
            Ok(false)
        }
    }
}

/// Waits for a program whose errors are piped; `None` when it succeeds, else why it did not.
fn finish(mut child: Child, limit: Duration) -> anyhow::Result<Option<String>> {
    let mut errors = child.stderr.take().context("rustup's errors are not piped")?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        errors.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().context("cannot wait for rustup")? {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().context("cannot stop rustup")?;
            child.wait().context("cannot wait for rustup")?;
            return Ok(Some(format!("no answer in {} s", limit.as_secs())));
        }
        thread::sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(None);
    }
    let text = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    let reason = text.lines().find_map(|line| line.strip_prefix("error: "));
    Ok(Some(reason.map_or_else(|| status.to_string(), str::to_owned)))
}

fn install_packages(workspace: &Workspace) -> anyhow::Result<()> {
    let packages = PACKAGES.join(" ");
    progress::note(&format!("installing Debian's packages {packages}, since rustup cannot add {TARGET}"));
    let apt = |label: &str, arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").current_dir(&workspace.root);
        progress::run(label, &mut command)
    };
    apt("updating the list of packages", &["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(PACKAGES);
    apt("installing the packages", &arguments)
}

/// The compiler in use.
fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")))
}

/// What a program prints, without the line end.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} failed with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// The search path with one more folder, looked in first.
fn path_with(folder: &Path) -> OsString {
    let mut path = OsString::from(folder);
    if let Some(rest) = env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

/// A version's numbers, to be compared in order.
fn parts(version: &str) -> Vec<u32> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

fn is_fresh(then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).is_ok_and(|age| age < REFUSAL_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(parts("1.96.0") > parts("1.95"));
        assert!(parts("1.100.0") > parts("1.95"));
        assert!(parts("1.85.0") < parts("1.95"));
        assert_eq!(parts("1.96.0-nightly"), [1, 96, 0]);
    }

    #[test]
    fn a_refusal_is_remembered_for_a_day() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert!(is_fresh(then, then));
        assert!(is_fresh(then, then + REFUSAL_LIFETIME - Duration::from_secs(1)));
        assert!(!is_fresh(then, then + REFUSAL_LIFETIME));
        assert!(!is_fresh(then, then - Duration::from_secs(1)), "a time to come is not to be trusted");
    }

    #[test]
    fn a_refusal_gives_the_reason_and_not_the_rest() {
        let child =
            shell("echo 'info: downloading' >&2; echo 'error: download failed' >&2; echo 'Caused by:' >&2; exit 1");
        assert_eq!(finish(child, RUSTUP_LIMIT).unwrap().as_deref(), Some("download failed"));
    }

    #[test]
    fn success_has_no_reason() {
        assert_eq!(finish(shell("echo 'info: done' >&2"), RUSTUP_LIMIT).unwrap(), None);
    }

    #[test]
    fn a_program_that_never_answers_is_stopped() {
        let reason = finish(shell("exec sleep 60"), Duration::from_millis(50)).unwrap();
        assert!(reason.is_some_and(|reason| reason.starts_with("no answer")));
    }
}
