//! A server from Maven Central, where none is installed: the binaries of zonky.io's embedded PostgreSQL, which are built from
//! PostgreSQL's own sources with all extensions of contrib, for use without installing.
//!
//! Version and digest of every file are fixed here: what is run is what was looked at.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use lzma_rust2::XzReader;
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::RANGE;
use ureq::tls::{RootCerts, TlsConfig};

use crate::installation::{Installation, major};

/// Where releases are.
const REPOSITORY: &str = "https://repo1.maven.org/maven2/io/zonky/test/postgres";

/// Time to connect, and to wait for an answer to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time for one answer, after which the download goes on with another.
const LONGEST: Duration = Duration::from_secs(300);

/// Times to go on with a download that broke off.
const TRIES: usize = 4;

/// A file to download is smaller, and what comes out of it as well: 62 MB and 150 MB.
const LIMIT: u64 = 512 << 20;

/// A version and its file for each platform.
#[derive(Debug)]
pub struct Release {
    /// The version, as in `17.11`.
    pub version: &'static str,
    /// Platform, and the SHA-256 of its file.
    files: &'static [(&'static str, &'static str)],
}

/// What is downloaded unless another version is asked for.
pub const DEFAULT: &Release = &RELEASES[0];

/// All that can be downloaded. Those that are not the default are for tests.
const RELEASES: &[Release] = &[
    Release {
        version: "17.11",
        files: &[
            ("linux-amd64", "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d"),
            ("linux-amd64-alpine", "ace9a6f95b1c98ce84c9841267cd04ebee5d7de5dc7b8fea148ead44f145afbd"),
            ("linux-arm64v8", "8b042e0ea418b1927d95399207950da0734d27fe01e29503ade3bdc464ad4c2b"),
            ("darwin-amd64", "d464ff178e9860ba204662ac23fa547504b7fd392392ff2fb92e3fd73b5bdb64"),
            ("darwin-arm64v8", "a1c2786acb0c398f9b2d76806fc52f5dc8b222cbc8e9383a9b9702084daaf3a5"),
        ],
    },
    Release {
        version: "15.19",
        files: &[("linux-amd64", "95f0b66fe72d4ca66c815773c44cb1196ea38552463e89a35f18114b3ed1565f")],
    },
    Release {
        version: "16.15",
        files: &[("linux-amd64", "653abc065c682b85d3da50168fb95dc524bd85426cdec9ce3695a550ef431df2")],
    },
    Release {
        version: "18.6",
        files: &[("linux-amd64", "008ee189eaa7ca2b58bd01dd950291e638b998392cf982297acd4779ec898ac1")],
    },
];

impl Release {
    /// The release of this major version, if there is one.
    pub fn of_major(number: u32) -> Option<&'static Self> {
        RELEASES.iter().find(|release| release.major() == number)
    }

    /// Its major version.
    pub fn major(&self) -> u32 {
        major(self.version).unwrap_or_default()
    }

    /// Its server in the folder `cache`, if it was downloaded before.
    pub fn cached(&self, cache: &Path) -> Option<Installation> {
        Installation::at(&self.folder(cache).join("bin")).ok()
    }

    /// Its server in `cache`, downloaded if it is not there yet. `progress` is told the bytes that have come, and of how many.
    ///
    /// A download that breaks off goes on where it was, also in a later call. Fails if the file's digest is another, and then
    /// forgets the file.
    pub fn install(&self, cache: &Path, progress: &dyn Fn(u64, u64)) -> anyhow::Result<Installation> {
        self.install_from(REPOSITORY, cache, progress)
    }

    fn install_from(
        &self,
        repository: &str,
        cache: &Path,
        progress: &dyn Fn(u64, u64),
    ) -> anyhow::Result<Installation> {
        make_public(cache).with_context(|| format!("cannot make {}", cache.display()))?;
        // Two programs that start at once download it once.
        let lock_file = cache.join("lock");
        let lock = File::create(&lock_file).with_context(|| format!("cannot write {}", lock_file.display()))?;
        lock.lock().with_context(|| format!("cannot lock {}", lock_file.display()))?;
        let folder = self.folder(cache);
        if folder.exists() {
            return Installation::at(&folder.join("bin"));
        }
        let (platform, digest) = self.file()?;
        let url = format!(
            "{repository}/embedded-postgres-binaries-{platform}/{version}.0/\
             embedded-postgres-binaries-{platform}-{version}.0.jar",
            version = self.version
        );
        let part = cache.join(format!("postgresql-{}.part", self.version));
        download(&url, &part, progress).with_context(|| format!("cannot download {url}"))?;
        let found = digest_of(&part).with_context(|| format!("cannot read {}", part.display()))?;
        if found != digest {
            // Nothing to go on with.
            let _ = fs::remove_file(&part);
            bail!("{url} is not the file it should be: its SHA-256 is {found} instead of {digest}");
        }
        let new = cache.join(format!("postgresql-{}.new", self.version));
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("cannot remove {}", new.display()))?;
        }
        unpack(&part, &new).with_context(|| format!("cannot unpack {} into {}", part.display(), new.display()))?;
        fs::rename(&new, &folder).with_context(|| format!("cannot write {}", folder.display()))?;
        let _ = fs::remove_file(&part);
        Installation::at(&folder.join("bin"))
    }

    fn folder(&self, cache: &Path) -> PathBuf {
        cache.join(format!("postgresql-{}", self.version))
    }

    fn file(&self) -> anyhow::Result<(&'static str, &'static str)> {
        let platform = platform();
        let file = self.files.iter().find(|(name, _)| Some(*name) == platform.as_deref());
        file.copied().with_context(|| {
            format!("there is no PostgreSQL {} to download for {}-{}", self.version, env::consts::OS, env::consts::ARCH)
        })
    }
}

/// The folder for downloads that outlive one program: `wasiki` in the user's cache folder (XDG Base Directory Specification),
/// or in the system's for root, whose own folders the server's user cannot enter. `None` if the user has none.
pub fn cache() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/cache/wasiki".into());
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("wasiki"))
}

/// This machine's platform in the names of the files.
fn platform() -> Option<String> {
    let system = match env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let processor = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64v8",
        _ => return None,
    };
    let is_musl = Path::new("/lib/ld-musl-x86_64.so.1").exists() && !Path::new("/lib64/ld-linux-x86-64.so.2").exists();
    Some(format!("{system}-{processor}{}", if is_musl { "-alpine" } else { "" }))
}

/// A folder that everybody may read: the server's user can be another.
fn make_public(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)
}

/// Downloads `url` into `part`, and goes on with what that has.
fn download(url: &str, part: &Path, progress: &dyn Fn(u64, u64)) -> anyhow::Result<()> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(LONGEST))
        .build()
        .into();
    let mut file = File::options().create(true).append(true).open(part)?;
    let mut tries = TRIES;
    loop {
        let before = file.seek(SeekFrom::End(0))?;
        let Err(error) = receive(&agent, url, &mut file, progress) else { return Ok(()) };
        // As long as something comes, it goes on.
        if file.seek(SeekFrom::End(0))? == before {
            tries -= 1;
        }
        if tries == 0 || error.is::<Refused>() {
            return Err(error);
        }
    }
}

/// A status that another try does not change.
#[derive(Debug)]
struct Refused(StatusCode);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the answer is {}", self.0)
    }
}

impl std::error::Error for Refused {}

/// Appends the rest of `url` to `file`.
fn receive(agent: &Agent, url: &str, file: &mut File, progress: &dyn Fn(u64, u64)) -> anyhow::Result<()> {
    let mut had = file.seek(SeekFrom::End(0))?;
    let mut request = agent.get(url);
    if had > 0 {
        request = request.header(RANGE, format!("bytes={had}-"));
    }
    let response = request.call()?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT if had > 0 => {}
        StatusCode::OK => {
            file.set_len(0)?;
            had = 0;
        }
        // It has all there is, or more.
        StatusCode::RANGE_NOT_SATISFIABLE if had > 0 => return Ok(()),
        status => return Err(anyhow!(Refused(status))),
    }
    let length = response.body().content_length();
    let total = had + length.unwrap_or_default();
    ensure!(total <= LIMIT, "it is too large: {total} bytes");
    let mut body = response.into_body().into_reader().take(LIMIT);
    let mut buffer = vec![0; 64 << 10];
    let mut come = had;
    loop {
        let read = body.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        file.write_all(&buffer[..read])?;
        come += read as u64;
        progress(come, total);
    }
    ensure!(length.is_none() || come == total, "the answer broke off after {come} of {total} bytes");
    Ok(file.sync_all()?)
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut reader = BufReader::with_capacity(64 << 10, File::open(path)?);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        hasher.update(bytes);
        let read = bytes.len();
        reader.consume(read);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Unpacks the archive in the archive: a `.txz` in a `.jar`.
fn unpack(jar: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut jar = zip::ZipArchive::new(BufReader::new(File::open(jar)?))?;
    let is_packed = |name: &str| name.ends_with(".txz");
    let mut index = 0..jar.len();
    let found =
        index.find(|index| jar.by_index(*index).is_ok_and(|file| file.name().is_ok_and(|name| is_packed(&name))));
    let packed = jar.by_index(found.context("it holds no .txz file")?)?;
    make_public(folder)?;
    let plain = XzReader::new(BufReader::new(packed), false).take(LIMIT);
    let mut archive = tar::Archive::new(plain);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(false);
    Ok(archive.unpack(folder)?)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    use super::*;

    /// Serves these responses, one for each connection, and returns the heads of the requests.
    fn serve(responses: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let serving = thread::spawn(move || {
            let mut heads = Vec::new();
            for response in responses {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                heads.push(String::from_utf8(head).unwrap().to_lowercase());
                stream.write_all(&response).unwrap();
            }
            heads
        });
        (url, serving)
    }

    fn response(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn a_download_goes_on_where_it_broke_off() {
        let (url, serving) = serve(vec![
            response("200 OK", 10, b"0123"),
            response("206 Partial Content", 6, b"45"),
            response("206 Partial Content", 4, b"6789"),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("part");
        let last = Cell::new((0, 0));
        download(&url, &part, &|come, total| last.set((come, total))).unwrap();
        assert_eq!(fs::read(&part).unwrap(), b"0123456789");
        assert_eq!(last.get(), (10, 10));
        let heads = serving.join().unwrap();
        assert!(!heads[0].contains("range:"), "{}", heads[0]);
        assert!(heads[1].contains("range: bytes=4-") && heads[2].contains("range: bytes=6-"), "{heads:?}");
    }

    #[test]
    fn a_server_that_knows_no_ranges_begins_again() {
        let (url, serving) = serve(vec![response("200 OK", 4, b"0123")]);
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("part");
        fs::write(&part, "half of another file").unwrap();
        download(&url, &part, &|_, _| ()).unwrap();
        assert_eq!(fs::read(&part).unwrap(), b"0123");
        serving.join().unwrap();
    }

    #[test]
    fn a_refusal_and_silence_end_a_download() {
        let folder = tempfile::tempdir().unwrap();
        let (url, serving) = serve(vec![response("404 Not Found", 0, b"")]);
        let error = download(&url, &folder.path().join("part"), &|_, _| ()).unwrap_err().to_string();
        assert_eq!(error, "the answer is 404 Not Found");
        serving.join().unwrap();
        // Nobody listens there any more.
        assert!(download(&url, &folder.path().join("other"), &|_, _| ()).is_err());
    }

    #[test]
    fn a_file_with_another_digest_is_refused_and_forgotten() {
        if DEFAULT.file().is_err() {
            return;
        }
        let (url, serving) = serve(vec![response("200 OK", 4, b"0123")]);
        let folder = tempfile::tempdir().unwrap();
        let error = DEFAULT.install_from(&url, folder.path(), &|_, _| ()).unwrap_err().to_string();
        assert!(error.contains("is not the file it should be: its SHA-256 is 1be2e452"), "{error}");
        assert!(serving.join().unwrap()[0].contains("/embedded-postgres-binaries-"));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = format!("{:#}", DEFAULT.install(&file.path().join("cache"), &|_, _| ()).unwrap_err());
        assert!(error.starts_with("cannot make /"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_archive_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "no archive").unwrap();
        assert!(unpack(&file, &folder.path().join("new")).is_err());
    }

    #[test]
    fn releases_are_found_by_their_major_version() {
        assert_eq!(DEFAULT.major(), 17);
        assert_eq!(
            [15, 16, 17, 18, 19].map(|number| Release::of_major(number).is_some()),
            [true, true, true, true, false]
        );
        for release in RELEASES {
            assert!(release.files.iter().all(|(_, digest)| digest.len() == 64));
        }
    }
}
