//! TLS to clients: a certificate and its key from files, read again when they change.

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

use crate::settings;

/// How often the files are looked at. Certificates are renewed weeks before they end.
const RELOAD: Duration = Duration::from_secs(5);

/// Makes connections of clients secure, with whatever certificate is in the files; none if no files are named.
///
/// Fails if only one file is named, or if they do not hold a certificate and its key.
pub fn acceptor(settings: &settings::Tls) -> Result<Option<TlsAcceptor>> {
    let files = match (&settings.tls_cert, &settings.tls_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => Files { certificate: certificate.clone(), key: key.clone() },
        _ => bail!("RUNNER_TLS_CERT and RUNNER_TLS_KEY belong together: name both files, or none"),
    };
    let current = Arc::new(Current(RwLock::new(files.load()?)));
    tokio::spawn(keep_current(files, current.clone()));
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_cert_resolver(current);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// The certificate that new connections get.
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
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>()?;
        if chain.is_empty() {
            bail!("RUNNER_TLS_CERT: {} has no certificate in the PEM format", self.certificate.display());
        }
        let key = PrivateKeyDer::from_pem_slice(&read("RUNNER_TLS_KEY", &self.key)?)
            .with_context(|| format!("RUNNER_TLS_KEY: {} has no private key in the PEM format", self.key.display()))?;
        // Checks that the key is the certificate's, too.
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        pair.map(Arc::new).context("RUNNER_TLS_KEY: the key does not belong to the certificate")
    }
}

fn read(setting: &str, file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{setting}: cannot read {}", file.display()))
}

/// Looks at the files now and then. Those that do not fit together are not used: the old ones are better than none.
async fn keep_current(files: Files, current: Arc<Current>) {
    let mut complained = false;
    loop {
        tokio::time::sleep(RELOAD).await;
        match files.load() {
            Ok(pair) => {
                complained = false;
                let mut known = current.0.write().unwrap_or_else(PoisonError::into_inner);
                if known.cert != pair.cert {
                    *known = pair;
                    drop(known);
                    tracing::info!("the certificate was renewed");
                }
            }
            // Certificate and key are two files: for a moment they may not fit.
            Err(error) if !complained => {
                complained = true;
                tracing::warn!("the certificate cannot be renewed: {error:#}");
            }
            Err(_) => {}
        }
    }
}
