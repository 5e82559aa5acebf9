//! The relay's welcome: is it who the link says, on the connection that the driver sees, and what does its clock say.

use ed25519_dalek::VerifyingKey;
use estoile_seal::link::is_loopback;
use estoile_wire::frame::Welcome;
use estoile_wire::id::{CertificateHash, Nonce};
use estoile_wire::{Millis, RelayKeyHash, VERSION, proof};

use crate::command::RelayAddress;

/// A clock error up to this is nobody's concern.
pub(crate) const CLOCK_TOLERANCE_MS: i64 = 5_000;

/// Why a relay was not believed. Each says what happened and what one can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreetError {
    /// A welcome that nobody waited for.
    #[error("the relay greeted twice")]
    OutOfOrder,
    /// No version in common.
    #[error("the relay speaks another version of the protocol; update this program, or the relay")]
    Version,
    /// The key's hash is not the pinned one.
    #[error(
        "another relay answers there than the one of the link; ask for a fresh link if the relay was set up anew, and don't trust this network otherwise"
    )]
    WrongKey,
    /// The signature does not hold for this session.
    #[error("the relay could not prove its key; somebody may stand in between, so try from another network")]
    BadSignature,
    /// The certificate seen is not the one that the relay presents.
    #[error("the connection's certificate is not the relay's; somebody stands in between, so try from another network")]
    WrongCertificate,
    /// Nobody vouches for a certificate of its own making, and no link pins the key.
    #[error(
        "nobody vouches for this relay's certificate; use its whole address with the key at its end (https://HOST/#e/CODE/RELAY), or a room's link"
    )]
    Unpinned,
}

impl GreetError {
    /// Whether trying again on the own could end otherwise without anybody's doing.
    pub(crate) const fn retry(self) -> bool {
        matches!(self, Self::OutOfOrder)
    }
}

/// The relay's key hash, if everything fits.
///
/// # Errors
/// [`GreetError`] says what does not fit.
pub fn check(
    welcome: &Welcome,
    challenge: &Nonce,
    seen: Option<&CertificateHash>,
    trusted: bool,
    address: &RelayAddress,
) -> Result<RelayKeyHash, GreetError> {
    if welcome.version != VERSION {
        return Err(GreetError::Version);
    }
    let hash = RelayKeyHash::of(&welcome.relay_key);
    if address.pin.is_some_and(|pin| pin != hash && !estoile_wire::weak::is("pin")) {
        return Err(GreetError::WrongKey);
    }
    let message = proof::welcome(challenge, &welcome.nonce, welcome.time, welcome.certificate.as_ref());
    let signature = ed25519_dalek::Signature::from_bytes(&welcome.signature.0);
    VerifyingKey::from_bytes(&welcome.relay_key.0)
        .and_then(|key| key.verify_strict(&message, &signature))
        .map_err(|_| GreetError::BadSignature)?;
    match (address.tls, seen, welcome.certificate.as_ref()) {
        // Without TLS (loopback only) the relay presents none.
        (false, None, None) => {}
        (true, Some(seen), Some(said)) if seen == said => {
            // On this machine nobody stands in between: the first key seen is pinned from then on.
            if address.pin.is_none() && !trusted && !is_loopback(&address.host) {
                return Err(GreetError::Unpinned);
            }
        }
        // A proxy ends TLS before the relay: only a public authority's word joins the two.
        (true, Some(_), None) if trusted => {}
        // A browser checks the certificate itself and shows it to nobody; the code that says this came the same way.
        (true, None, _) if trusted => {}
        _ => return Err(GreetError::WrongCertificate),
    }
    Ok(hash)
}

/// How far this clock is behind the relay's, as far as the way of the frames lets one say.
pub(super) fn clock_error(theirs: Millis, said_at: Millis, heard_at: Millis) -> i64 {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    if theirs < said_at {
        signed(said_at.saturating_sub(theirs)).saturating_neg()
    } else {
        signed(theirs.saturating_sub(heard_at))
    }
}

/// Above the tolerance, and not what was told last.
pub(super) const fn worth_telling(off: i64, told: Option<i64>) -> bool {
    match told {
        None => off.saturating_abs() > CLOCK_TOLERANCE_MS,
        Some(told) => off.saturating_sub(told).saturating_abs() > CLOCK_TOLERANCE_MS,
    }
}

#[cfg(test)]
mod tests;
