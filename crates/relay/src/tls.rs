//! TLS towards the sessions: a certificate that the relay makes itself, or one from files.
//!
//! A certificate of our own says nothing to a browser's roots: clients trust it because the relay's key, which links pin,
//! signs its hash in every welcome. So it may be made anew whenever its names change, and it never runs out.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use estoile_wire::id::CertificateHash;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::config::Tls;
use crate::error::StartError;
use crate::folder::Folder;

/// The certificate of our own: a line with its names, its key and itself, in one file so that they can't part.
const OWN_FILE: &str = "tls.pem";
const OWN_HEADER: &str = "estoile certificate v1 ";

/// How this relay speaks TLS.
#[derive(Clone)]
pub(crate) struct Secure {
    pub(crate) config: Arc<ServerConfig>,
    /// What every welcome signs.
    pub(crate) certificate: CertificateHash,
}

/// What the configuration asks for at this address; `None` is plain.
pub(crate) fn prepare(tls: &Tls, listen: SocketAddr, folder: &Folder) -> Result<Option<Secure>, StartError> {
    match tls {
        Tls::ByAddress { .. } if listen.ip().is_loopback() => Ok(None),
        Tls::ByAddress { names } | Tls::SelfMade { names } => own(names, listen, folder).map(Some),
        Tls::Files { cert, key } => from_files(cert, key).map(Some),
    }
}

fn from_files(cert: &Path, key: &Path) -> Result<Secure, StartError> {
    let bad = |path: &Path, e: rustls::pki_types::pem::Error| {
        StartError::Certificate(format!("{}: {e}; it must be a PEM file", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| bad(cert, e))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, e))?;
    secure(chain, key)
}

fn own(names: &[String], listen: SocketAddr, folder: &Folder) -> Result<Secure, StartError> {
    let mut names = names.to_vec();
    if !listen.ip().is_unspecified() {
        names.push(listen.ip().to_string());
    }
    names.push("localhost".to_owned());
    names.sort();
    names.dedup();
    let header = format!("{OWN_HEADER}{}\n", names.join(","));
    let kept = folder.read(OWN_FILE)?.map(Zeroizing::new);
    let pem = match kept.filter(|pem| pem.starts_with(header.as_bytes())) {
        Some(pem) => pem,
        None => {
            let pem = Zeroizing::new(format!("{header}{}", *make(names)?).into_bytes());
            folder.write(OWN_FILE, &pem)?;
            pem
        }
    };
    let damaged = |_| StartError::Damaged { path: folder.file(OWN_FILE), what: "it holds no certificate and key" };
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(damaged)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(damaged)?;
    secure(vec![certificate], key)
}

/// A key and a certificate for it, as PEM. Its lifetime is without bounds that matter: a clock that is off must not make
/// a relay unreachable, and what ends trust in it is the relay's key.
fn make(names: Vec<String>) -> Result<Zeroizing<String>, StartError> {
    let bad = |e: rcgen::Error| StartError::Certificate(format!("{e}; check the names given to it"));
    let key = KeyPair::generate().map_err(bad)?;
    let mut params = CertificateParams::new(names).map_err(bad)?;
    params.distinguished_name.push(DnType::CommonName, "Estoile relay");
    let certificate = params.self_signed(&key).map_err(bad)?;
    let key = Zeroizing::new(key.serialize_pem());
    Ok(Zeroizing::new(format!("{}{}", *key, certificate.pem())))
}

fn secure(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Secure, StartError> {
    let bad = |e: rustls::Error| StartError::Certificate(format!("{e}; certificate and key must belong together"));
    let first = chain.first().ok_or_else(|| StartError::Certificate("the file holds no certificate".to_owned()))?;
    let certificate = CertificateHash(Sha256::digest(first).into());
    // aws-lc-rs, with X25519MLKEM768 first (the feature `prefer-post-quantum`). Both ends are ours: TLS 1.3 alone.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(bad)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(bad)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session lives long and resumes never: no tickets to send, nothing to remember for those who left.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Secure { config: Arc::new(config), certificate })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::take(dir.path()).unwrap();
        (dir, folder)
    }

    #[test]
    fn loopback_is_plain_and_the_rest_is_not() {
        let (_dir, folder) = take();
        let tls = Tls::ByAddress { names: vec![] };
        for plain in ["127.0.0.1:1", "[::1]:1", "127.8.8.8:1"] {
            assert!(prepare(&tls, plain.parse().unwrap(), &folder).unwrap().is_none());
        }
        for secure in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
            assert!(prepare(&tls, secure.parse().unwrap(), &folder).unwrap().is_some());
        }
    }

    #[test]
    fn its_own_certificate_is_kept_until_its_names_change() {
        let (_dir, folder) = take();
        let listen = "192.0.2.1:1".parse().unwrap();
        let with = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            prepare(&Tls::SelfMade { names }, listen, &folder).unwrap().unwrap().certificate
        };
        let first = with(&["a.example"]);
        assert_eq!(with(&["a.example"]), first);
        assert_ne!(with(&["b.example"]), first);
    }

    #[test]
    fn files_that_do_not_fit_are_told() {
        let (dir, folder) = take();
        let listen = "192.0.2.1:1".parse().unwrap();
        let (cert, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
        let tls = Tls::Files { cert: cert.clone(), key: key.clone() };
        let refused = |tls: &Tls| prepare(tls, listen, &folder).err().unwrap().to_string();
        assert!(refused(&tls).contains("c.pem"));
        let pem = make(vec!["a.example".to_owned()]).unwrap();
        let other = make(vec!["a.example".to_owned()]).unwrap();
        std::fs::write(&cert, pem.as_bytes()).unwrap();
        std::fs::write(&key, other.as_bytes()).unwrap();
        assert!(refused(&tls).contains("belong together"));
        std::fs::write(&key, pem.as_bytes()).unwrap();
        assert!(prepare(&tls, listen, &folder).is_ok());
    }
}
