//! A TLS client that remembers which certificate it saw, and a relay that makes its own.

use std::sync::{Arc, Mutex};

use estoile_relay::{RelayConfig, Tls};
use estoile_wire::id::CertificateHash;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{World, soon};

pub fn self_made(config: &mut RelayConfig) {
    config.tls = Tls::SelfMade { names: vec!["relay.example".to_owned()] };
}

/// Believes any certificate and remembers which it was, as a client does before it has the welcome.
#[derive(Debug)]
struct Remember {
    provider: CryptoProvider,
    seen: Mutex<Option<CertificateHash>>,
}

impl ServerCertVerifier for Remember {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap() = Some(CertificateHash(Sha256::digest(end_entity).into()));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

pub async fn connect(world: &World) -> (TlsStream<TcpStream>, CertificateHash) {
    let provider = aws_lc_rs::default_provider();
    let verifier = Arc::new(Remember { provider: provider.clone(), seen: Mutex::default() });
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let port = world.relay.address().port();
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("relay.example").unwrap();
    let stream = soon(TlsConnector::from(Arc::new(config)).connect(name, socket)).await.unwrap();
    let seen = verifier.seen.lock().unwrap().unwrap();
    (stream, seen)
}
