//! TLS for clients, with a certificate and key from files that are reloaded when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::settings;

/// How often the files are read. Certificates are renewed weeks before they expire.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// An acceptor that uses the current certificate in the files, or `None` if no files are configured.
///
/// Fails if only one file is configured, or if they do not contain a certificate and its key.
pub fn acceptor(settings: &settings::Tls) -> Result<Option<TlsAcceptor>> {
    let files = match (&settings.tls_cert, &settings.tls_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => Files { certificate: certificate.clone(), key: key.clone() },
        _ => bail!("RUNNER_TLS_CERT and RUNNER_TLS_KEY belong together: name both files, or none"),
    };
    let current = Arc::new(Current(RwLock::new(files.load()?)));
    tokio::spawn(reload(files, current.clone()));
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_cert_resolver(current);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// The certificate for new connections.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn load(&self) -> Result<Arc<CertifiedKey>> {
        let chain = read("RUNNER_TLS_CERT", &self.certificate)?;
        let no_certificate =
            || format!("RUNNER_TLS_CERT: {} has no certificate in the PEM format", self.certificate.display());
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().with_context(no_certificate)?;
        if chain.is_empty() {
            bail!(no_certificate());
        }
        let key = PrivateKeyDer::from_pem_slice(&read("RUNNER_TLS_KEY", &self.key)?)
            .with_context(|| format!("RUNNER_TLS_KEY: {} has no private key in the PEM format", self.key.display()))?;
        // Also checks that the key belongs to the certificate.
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        pair.map(Arc::new).context("RUNNER_TLS_KEY: the key does not belong to the certificate")
    }
}

fn read(setting: &str, file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{setting}: cannot read {}", file.display()))
}

/// Reloads the files. If they cannot be used, the old certificate is kept.
async fn reload(files: Files, current: Arc<Current>) {
    let mut warned = false;
    loop {
        tokio::time::sleep(RELOAD_INTERVAL).await;
        match files.load() {
            Ok(pair) => {
                warned = false;
                let mut known = current.0.write().unwrap_or_else(PoisonError::into_inner);
                if known.cert != pair.cert {
                    *known = pair;
                    drop(known);
                    tracing::info!("the certificate was renewed");
                }
            }
            // Certificate and key are replaced one after the other: meanwhile they may not match.
            Err(error) if !warned => {
                warned = true;
                tracing::warn!("the certificate cannot be renewed: {error:#}");
            }
            Err(_) => {}
        }
    }
}
