//! What opens a room: a secret that its link says, or a group of accounts.
//!
//! Everything that differs between the two kinds of key stands here: ids, proofs, signals. It does not know what is sealed.

use estoile_seal::SenderKey;
use estoile_seal::quick::RoomKeys;
use estoile_seal::signal::{SignalError, SignalMessage};
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::{LogId, PublicKey, Signature, proof};
use rand_core::CryptoRng;

use crate::private::Private;

/// What opens a room.
pub(super) enum Lock {
    /// A quick room's secret, and our own key in it.
    Quick { keys: Box<RoomKeys>, sender: SenderKey },
    /// A private room's group.
    Private(Box<Private>),
    /// A private room that we are not in yet (its log is not known then), or were in.
    Outside(Option<LogId>),
}

/// What a `create` says beside its limits.
pub(super) struct Making {
    pub(super) kind: LogKind,
    pub(super) access_key: PublicKey,
    pub(super) signature: Signature,
}

impl Lock {
    /// The room's log, if it is known.
    pub(super) fn log(&self) -> Option<LogId> {
        match self {
            Self::Quick { keys, .. } => Some(keys.log_id()),
            Self::Private(private) => Some(private.log()),
            Self::Outside(log) => *log,
        }
    }

    pub(super) fn private(&self) -> Option<&Private> {
        match self {
            Self::Private(private) => Some(private),
            _ => None,
        }
    }

    pub(super) fn private_mut(&mut self) -> Option<&mut Private> {
        match self {
            Self::Private(private) => Some(private),
            _ => None,
        }
    }

    /// The epoch in which we are; 0 in a quick room.
    pub(super) fn epoch(&self) -> u64 {
        self.private().map_or(0, Private::epoch)
    }

    /// What makes the log; none if it can't be made (any more): a group that has moved on is in no new log.
    pub(super) fn make(&self, relay_key: &PublicKey, nonce: &Nonce, max_ttl: u64) -> Option<Making> {
        match self {
            Self::Quick { keys, .. } => Some(Making {
                kind: LogKind::Fixed,
                access_key: keys.access_public(),
                signature: keys.sign_create(relay_key, nonce, max_ttl, 0),
            }),
            Self::Private(private) if private.epoch() == 0 => {
                let key = private.access();
                let (kind, access_key) = (LogKind::Advancing, key.public());
                let message = proof::create(relay_key, nonce, kind, &access_key, max_ttl, 0);
                Some(Making { kind, access_key, signature: key.sign(&message) })
            }
            _ => None,
        }
    }

    /// What attaches: the epoch, and the proof of its key.
    pub(super) fn prove(&self, relay_key: &PublicKey, nonce: &Nonce) -> Option<(u64, Signature)> {
        match self {
            Self::Quick { keys, .. } => Some((0, keys.sign_attach(relay_key, nonce, 0))),
            Self::Private(private) => {
                let epoch = private.epoch();
                let message = proof::attach(relay_key, nonce, &private.log(), epoch);
                Some((epoch, private.access().sign(&message)))
            }
            Self::Outside(_) => None,
        }
    }

    /// Seals a signal; none if it can't be sealed, which is no loss.
    pub(super) fn seal_signal(&self, message: &SignalMessage, rng: &mut dyn CryptoRng) -> Option<Vec<u8>> {
        match self {
            Self::Quick { keys, sender } => message.seal(keys, sender, rng).ok(),
            Self::Private(private) => {
                message.seal_under(&private.signal_key(), &private.log(), &private.me().device, rng).ok()
            }
            Self::Outside(_) => None,
        }
    }

    /// Opens a signal. In a private room its sender must have a leaf.
    pub(super) fn open_signal(&self, body: &[u8]) -> Result<SignalMessage, SignalError> {
        match self {
            Self::Quick { keys, .. } => SignalMessage::open(keys, body),
            Self::Private(private) => {
                let key = private.signal_key();
                let message = SignalMessage::open_under(&key, &private.log(), body)?;
                if private.account_of(&message.sender).is_some() { Ok(message) } else { Err(SignalError::Signature) }
            }
            Self::Outside(_) => Err(SignalError::Seal),
        }
    }
}
