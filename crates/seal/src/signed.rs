//! What letters and signals share: `1 ‖ sender ‖ signature ‖ body`, the signature over `label ‖ log id ‖ sender ‖ body`.
//!
//! The label keeps a letter from being taken for a signal, the log id keeps it in its room, the sender's key stands in
//! what is signed so that no second key can fit. This layer does not know what a body says.

use estoile_wire::{LogId, PublicKey, Signature};

use crate::sender::{self, SenderKey};

/// The one version of the packet's layout.
const VERSION: u8 = 1;
/// What a packet adds to its body.
pub(crate) const OVERHEAD: usize = 1 + 32 + 64;

/// A packet's parts, with a signature that held.
pub(crate) struct Signed<'a> {
    pub(crate) sender: PublicKey,
    pub(crate) signature: Signature,
    pub(crate) body: &'a [u8],
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// Too short, or another version's.
    Malformed,
    /// The signature does not hold.
    Signature,
}

/// `label ‖ log id ‖ sender ‖ body`: what is signed, and under other labels hashed.
pub(crate) fn labelled(label: &[u8], log: &LogId, sender: &PublicKey, body: &[u8]) -> Vec<u8> {
    [label, &log.0, &sender.0, body].concat()
}

pub(crate) fn sign(key: &SenderKey, label: &[u8], log: &LogId, body: &[u8]) -> Signature {
    key.sign(&labelled(label, log, &key.public(), body))
}

pub(crate) fn pack(sender: &PublicKey, signature: &Signature, body: &[u8]) -> Vec<u8> {
    [[VERSION].as_slice(), &sender.0, &signature.0, body].concat()
}

pub(crate) fn unpack<'a>(label: &[u8], log: &LogId, packet: &'a [u8]) -> Result<Signed<'a>, Unsigned> {
    let Some((&VERSION, rest)) = packet.split_first() else { return Err(Unsigned::Malformed) };
    let (sender, rest) = rest.split_first_chunk().ok_or(Unsigned::Malformed)?;
    let (signature, body) = rest.split_first_chunk().ok_or(Unsigned::Malformed)?;
    let (sender, signature) = (PublicKey(*sender), Signature(*signature));
    let signed = sender::verify(&sender, &labelled(label, log, &sender, body), &signature);
    if signed || estoile_wire::weak::is("altered") {
        Ok(Signed { sender, signature, body })
    } else {
        Err(Unsigned::Signature)
    }
}
