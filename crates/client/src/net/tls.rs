//! TLS to relays that may have made their own certificate.
//!
//! The handshake proves that the other side holds the key of the certificate it shows; *which* certificate is right is
//! settled one layer up: links pin the relay's key, and that key signs the certificate's hash in its welcome. So this
//! verifier accepts any certificate, records its hash, and records whether the public authorities vouch for it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use estoile_wire::id::CertificateHash;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

/// What a handshake showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeenCertificate {
    /// SHA-256 of the certificate itself (DER).
    pub(crate) hash: CertificateHash,
    /// Whether a public authority vouches for it, for this host and now.
    pub(crate) publicly_trusted: bool,
}

/// Where one handshake leaves what it saw.
pub(crate) type SeenSlot = Arc<Mutex<Option<SeenCertificate>>>;

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())))
}

/// The public authorities' verifier; none if it can't be built, and then nothing is publicly trusted.
fn authorities() -> Option<Arc<WebPkiServerVerifier>> {
    static VERIFIER: OnceLock<Option<Arc<WebPkiServerVerifier>>> = OnceLock::new();
    VERIFIER
        .get_or_init(|| {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok()
        })
        .clone()
}

#[derive(Debug)]
struct Recorder {
    seen: SeenSlot,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let publicly_trusted = authorities()
            .is_some_and(|v| v.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).is_ok());
        let hash = CertificateHash(Sha256::digest(end_entity.as_ref()).into());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(SeenCertificate { hash, publicly_trusted });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The settings of one handshake, and where it leaves what it saw. Nothing is resumed: a resumed session shows no
/// certificate.
pub(crate) fn handshake() -> Result<(Arc<ClientConfig>, SeenSlot), rustls::Error> {
    let seen = SeenSlot::default();
    let recorder = Recorder { seen: Arc::clone(&seen), provider: provider() };
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(recorder))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), seen))
}
