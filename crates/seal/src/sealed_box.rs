//! One way to seal a message under a key that both ends have: `1 ‖ nonce ‖ XChaCha20-Poly1305`, padded inside.
//!
//! Each use has its own label, which stands first in the associated data with what the message belongs to. This layer does not
//! know where keys come from.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
/// What a seal adds to its padded text.
pub(crate) const OVERHEAD: usize = 1 + NONCE + TAG;

/// Seals; the associated data is label and context, whose sizes must be fixed by the label.
pub(crate) fn seal(key: &[u8; 32], label: &[u8], context: &[&[u8]], text: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let aad = [label, &context.concat()].concat();
    // The cipher refuses only what is longer than 256 GiB.
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad });
    [[VERSION].as_slice(), &nonce, &sealed.unwrap_or_default()].concat()
}

/// Opens what [`seal`] made under the same key, label and context.
pub(crate) fn open(key: &[u8; 32], label: &[u8], context: &[&[u8]], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (&VERSION, rest) = sealed.split_first()? else { return None };
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
    let aad = [label, &context.concat()].concat();
    let payload = Payload { msg: sealed, aad: &aad };
    XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
}

/// The text, 0x80, and zeros up to a multiple of `step`: sizes say less.
pub(crate) fn pad(text: &[u8], step: usize) -> Zeroizing<Vec<u8>> {
    let size = (text.len() + 1).next_multiple_of(step);
    let mut padded = Zeroizing::new(Vec::with_capacity(size));
    padded.extend_from_slice(text);
    padded.push(0x80);
    padded.resize(size, 0);
    padded
}

/// What [`pad`] was given; nothing if this is not its result.
pub(crate) fn unpad(padded: &[u8], step: usize) -> Option<&[u8]> {
    let end = padded.iter().rposition(|&b| b != 0)?;
    let text = padded.get(..end)?;
    (padded.get(end) == Some(&0x80) && (end + 1).next_multiple_of(step) == padded.len()).then_some(text)
}

/// HKDF-SHA-256 without salt, 32 bytes.
pub(crate) fn expand(secret: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // Only a length over 255 hashes is refused, and 32 bytes are one.
    let _ = Hkdf::<Sha256>::new(None, secret).expand_multi_info(info, out.as_mut_slice());
    out
}
