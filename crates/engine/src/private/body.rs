//! What a record's body of a private room is: an MLS message, or where one too long for a record lies.
//!
//! `1 ‖ message`, or `2 ‖ nonce ‖ XChaCha20-Poly1305` of CBOR `[hash, key, size]` under a key that the epoch exports: the
//! address of a blob is a capability, and the relay gets it from nobody but those who put and get it.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use estoile_wire::LogId;
use estoile_wire::limits::MAX_BODY;
use minicbor::{Decoder, Encoder};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// In front of an MLS message.
const INLINE: u8 = 1;
/// In front of a sealed address.
const POINTER: u8 = 2;
const NONCE: usize = 24;
/// The associated data of an address.
const LABEL_POINTER: &[u8] = b"estoile.v1 group blob\0";
/// The associated data of what lies there.
const LABEL_BLOB: &[u8] = b"estoile.v1 group commit\0";
/// The largest blob that is looked at: a commit of 250 devices is 0.3 MB; MLS's own bound and the relay's is more.
const MAX_BLOB: u64 = 4 * 1024 * 1024;

/// Where a message lies.
pub(super) struct Pointer {
    pub(super) hash: [u8; 32],
    pub(super) size: u64,
    key: [u8; 32],
}

impl Drop for Pointer {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// What a body is.
pub(super) enum Body<'a> {
    /// The message.
    Inline(&'a [u8]),
    /// A sealed address.
    Pointer(&'a [u8]),
    /// Nothing that this version knows.
    Unknown,
}

/// What a message leads to: the record's body, and what must be put first.
pub(super) struct Wrapped {
    pub(super) body: Vec<u8>,
    pub(super) blob: Option<([u8; 32], Vec<u8>)>,
}

/// SHA-256.
pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What a body is.
pub(super) fn parse(body: &[u8]) -> Body<'_> {
    match body.split_first() {
        Some((&INLINE, message)) => Body::Inline(message),
        Some((&POINTER, sealed)) => Body::Pointer(sealed),
        _ => Body::Unknown,
    }
}

/// The trace of its sender that a record's body leaves, if it is a message.
pub(crate) fn sender_trace(body: &[u8]) -> Option<[u8; 32]> {
    match parse(body) {
        Body::Inline(message) => estoile_mls::sender_trace(message),
        _ => None,
    }
}

/// A message that fits into a record.
pub(super) fn inline(message: &[u8]) -> Option<Vec<u8>> {
    (message.len() < MAX_BODY).then(|| [[INLINE].as_slice(), message].concat())
}

fn aad(label: &[u8], log: &LogId) -> Vec<u8> {
    [label, log.as_bytes().as_slice()].concat()
}

/// A message of any size.
pub(super) fn wrap(message: &[u8], epoch_key: &[u8; 32], log: &LogId, rng: &mut dyn CryptoRng) -> Option<Wrapped> {
    if let Some(body) = inline(message) {
        return Some(Wrapped { body, blob: None });
    }
    let mut key = Zeroizing::new([0; 32]);
    rng.fill_bytes(key.as_mut_slice());
    // Each key seals one blob, so its nonce may be fixed.
    let payload = Payload { msg: message, aad: &aad(LABEL_BLOB, log) };
    let blob = XChaCha20Poly1305::new((&*key).into()).encrypt(&XNonce::from([0; NONCE]), payload).ok()?;
    let address = hash(&blob);
    let mut e = Encoder::new(Vec::new());
    // Writing into a vector can't fail.
    let _ = e.array(3).and_then(|e| e.bytes(&address)?.bytes(key.as_slice())?.u64(blob.len() as u64));
    let text = Zeroizing::new(e.into_writer());
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let payload = Payload { msg: &text, aad: &aad(LABEL_POINTER, log) };
    let sealed = XChaCha20Poly1305::new(epoch_key.into()).encrypt(&XNonce::from(nonce), payload).ok()?;
    Some(Wrapped { body: [[POINTER].as_slice(), &nonce, &sealed].concat(), blob: Some((address, blob)) })
}

/// The address in a body.
pub(super) fn pointer(sealed: &[u8], epoch_key: &[u8; 32], log: &LogId) -> Option<Pointer> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: &aad(LABEL_POINTER, log) };
    let text = XChaCha20Poly1305::new(epoch_key.into()).decrypt(&XNonce::from(*nonce), payload).ok()?;
    let text = Zeroizing::new(text);
    let mut d = Decoder::new(&text);
    (d.array().ok()? == Some(3)).then_some(())?;
    let hash = d.bytes().ok()?.try_into().ok()?;
    let key = d.bytes().ok()?.try_into().ok()?;
    let size = d.u64().ok()?;
    (size <= MAX_BLOB && d.position() == text.len()).then_some(Pointer { hash, size, key })
}

impl Pointer {
    /// The message in a blob; none if the blob is another or was not sealed with this key.
    pub(super) fn open(&self, blob: &[u8], log: &LogId) -> Option<Vec<u8>> {
        let payload = Payload { msg: blob, aad: &aad(LABEL_BLOB, log) };
        XChaCha20Poly1305::new((&self.key).into()).decrypt(&XNonce::from([0; NONCE]), payload).ok()
    }
}
