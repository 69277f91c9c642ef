//! TLS to PostgreSQL: what each `sslmode` verifies, and against which certificate authorities.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, bail, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What is verified about the server's certificate, where the connection is encrypted at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// Nothing: keeps listeners out, not impostors (`sslmode` `prefer` and `require`).
    Nothing,
    /// That an authority vouches for it (`verify-ca`).
    Chain,
    /// That an authority vouches for it and it is for this host (`verify-full`).
    ChainAndName,
}

/// The authorities that may vouch for servers.
#[derive(Debug)]
pub struct Authorities {
    configured: Option<Arc<RootCertStore>>,
    system: OnceLock<Arc<RootCertStore>>,
}

impl Authorities {
    /// Those in the PEM file `configured`; without one, the system's. Fails if the file cannot be read or has none.
    pub fn load(configured: Option<&Path>) -> Result<Self> {
        let configured = configured
            .map(|path| {
                let pem = std::fs::read(path);
                pem.map_err(Into::into)
                    .and_then(|pem| parse(&pem))
                    .with_context(|| format!("RUNNER_PG_CA_FILE: cannot use {}", path.display()))
            })
            .transpose()?;
        Ok(Self { configured: configured.map(Arc::new), system: OnceLock::new() })
    }

    /// The connector that verifies `verify`. `system` asks for the system's authorities even if others are configured;
    /// `direct` for TLS without PostgreSQL's request for it first. Reads files when it first needs the system's
    /// authorities. Fails if there are none.
    pub fn connector(&self, verify: Verify, system: bool, direct: bool) -> Result<MakeRustlsConnect> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let verifier: Arc<dyn ServerCertVerifier> = match verify {
            Verify::Nothing => Arc::new(Unverified(algorithms)),
            Verify::Chain => Arc::new(ChainVerified { roots: self.roots(system)?, algorithms }),
            Verify::ChainAndName => {
                WebPkiServerVerifier::builder_with_provider(self.roots(system)?, provider.clone()).build()?
            }
        };
        Ok(MakeRustlsConnect::new(client_config(provider, verifier, direct)?))
    }

    fn roots(&self, system: bool) -> Result<Arc<RootCertStore>> {
        if let Some(configured) = self.configured.as_ref().filter(|_| !system) {
            return Ok(configured.clone());
        }
        let roots = self.system.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate authority of the system is unusable");
            }
            roots.add_parsable_certificates(found.certs);
            Arc::new(roots)
        });
        ensure!(
            !roots.is_empty(),
            "the system has no certificate authorities to verify the database with; name a file of them in RUNNER_PG_CA_FILE"
        );
        Ok(roots.clone())
    }
}

fn parse(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.context("it is not in the PEM format")?)?;
    }
    if roots.is_empty() {
        bail!("it has no certificate");
    }
    Ok(roots)
}

fn client_config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    direct: bool,
) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    if direct {
        // The server insists on the protocol's name where TLS comes first.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}

/// Accepts every certificate; the handshake still proves that the server has its key.
#[derive(Debug)]
struct Unverified(WebPkiSupportedAlgorithms);

/// Accepts every certificate that an authority vouches for, whatever host it is for.
#[derive(Debug)]
struct ChainVerified {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ChainVerified {
    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, others, now, self.algorithms.all)
    }
}

/// The parts that do not differ between verifiers.
macro_rules! verify_signatures_with {
    ($algorithms:tt) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.$algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.$algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.$algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    verify_signatures_with!(0);
}

impl ServerCertVerifier for ChainVerified {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(certificate, others, now).map(|()| ServerCertVerified::assertion())
    }

    verify_signatures_with!(algorithms);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_pem_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("empty.pem", ""), ("text.pem", "hello"), ("key.pem", PRIVATE_KEY)] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let error = format!("{:#}", Authorities::load(Some(&path)).unwrap_err());
            assert!(error.contains("RUNNER_PG_CA_FILE") && error.contains(name), "{error}");
        }
        assert!(Authorities::load(Some(Path::new("/nowhere/ca.pem"))).is_err());
    }

    #[test]
    fn verifying_needs_authorities_and_the_rest_does_not() {
        let none = Authorities { configured: None, system: OnceLock::from(Arc::new(RootCertStore::empty())) };
        assert!(none.connector(Verify::Nothing, false, false).is_ok());
        for verify in [Verify::Chain, Verify::ChainAndName] {
            let error = none.connector(verify, false, false).map(drop).unwrap_err().to_string();
            assert!(error.contains("RUNNER_PG_CA_FILE"), "{error}");
        }
    }

    #[test]
    fn a_certificate_nobody_vouches_for_is_refused() {
        let verifier = ChainVerified {
            roots: Arc::new(RootCertStore::empty()),
            algorithms: ring::default_provider().signature_verification_algorithms,
        };
        assert!(verifier.verify(&CertificateDer::from(vec![0x30, 0x00]), &[], UnixTime::now()).is_err());
    }

    const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
}
