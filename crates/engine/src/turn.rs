//! Inputs and turns: what a driver hands in, and what it gets to keep and then to do.
//!
//! The loop of a driver:
//! 1. wait for a command, a frame, a connection's beginning or end, or [`crate::Engine::next_timeout`];
//! 2. `let turn = engine.handle(input, &mut env)` (or [`crate::Engine::handle_all`] for what came together);
//! 3. `let proof = vault.commit(&turn, rng).await?`;
//! 4. `for effect in turn.release(proof)? { … }`.
//!
//! If the commit fails the engine is ahead of its vault: drop it, give the turn's commands their answer by [`Turn::failed`],
//! and load the engine again from the vault.

use alloc::sync::Arc;

use estoile_wire::Millis;
use estoile_wire::id::CertificateHash;
use rand_core::CryptoRng;

use crate::command::{Answer, Command, CommandError, RelayAddress};
use crate::vault::{Changes, Committed};
use crate::view::{Event, RelayId};

/// What the engine must be given, because it has none of its own.
pub struct Env<'a> {
    /// The wall clock, milliseconds since 1970, with the driver's shift if it has one.
    pub now: Millis,
    /// The system's generator; in tests a seeded one.
    pub rng: &'a mut dyn CryptoRng,
}

impl core::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Env({})", self.now)
    }
}

/// A driver's number for a command, given back with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// Why a connection is not there (any more). The texts are clauses without a full stop ("no route to this host").
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// The other side closed it, or it broke.
    Closed,
    /// It was never made: no such host, nobody listens, the network is down. Tried again.
    Unreachable(String),
    /// Somebody answered who is no relay of ours (wrong protocol, refused certificate). Tried again, slowly.
    Refused(String),
}

/// Something that happened.
pub enum Input {
    /// A face asks for something.
    Command(CommandId, Command),
    /// The connection that [`Effect::Connect`] asked for is made (WebSocket handshake done).
    Connected {
        /// Which.
        relay: RelayId,
        /// The hash of the certificate that TLS presented; none without TLS, and where the platform shows it to nobody.
        certificate: Option<CertificateHash>,
        /// Whether a public authority vouches for that certificate and this host. With TLS and no certificate to show: the
        /// platform (a browser) checked it, by its authorities or by its user's word.
        publicly_trusted: bool,
    },
    /// One binary message from a relay.
    Frame {
        /// Which.
        relay: RelayId,
        /// Its bytes, at most [`estoile_wire::limits::MAX_FRAME`].
        bytes: Vec<u8>,
    },
    /// A connection ended, or an attempt failed. Not given for one that [`Effect::Disconnect`] ended.
    Disconnected {
        /// Which.
        relay: RelayId,
        /// Why.
        why: Lost,
    },
    /// How [`Effect::PutBlob`] ended.
    BlobPut {
        /// Which relay.
        relay: RelayId,
        /// The blob's address.
        hash: [u8; 32],
        /// The relay has all of it, or why not.
        result: Result<(), BlobError>,
    },
    /// How [`Effect::GetBlob`] ended.
    BlobGot {
        /// Which relay.
        relay: RelayId,
        /// The blob's address.
        hash: [u8; 32],
        /// Its bytes (the engine checks their hash), or why not.
        result: Result<Vec<u8>, BlobError>,
    },
    /// [`crate::Engine::next_timeout`] has come.
    Timer,
    /// The driver is about to end: rooms are told that we leave, and every relay is let go of. Nothing is sent after it.
    Closing,
}

/// Why a blob did not travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobError {
    /// The relay can't be reached, or broke off: the same may succeed later (a put goes on where it stopped).
    Later(String),
    /// It is not there, or was refused: the same will fail again.
    Never(String),
}

/// Something to do, after the turn's changes are durable; in order.
#[derive(Clone, PartialEq, Eq)]
pub enum Effect {
    /// Connect to a relay at the time given (a time that is over: at once). Takes the place of an earlier one that still waits.
    Connect {
        /// Which.
        relay: RelayId,
        /// Where.
        address: RelayAddress,
        /// When.
        at: Millis,
    },
    /// Send one binary message.
    Send {
        /// Where to.
        relay: RelayId,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// End the connection, or forget the attempt; no further frame of it may be handed in.
    Disconnect {
        /// Which.
        relay: RelayId,
    },
    /// Put a sealed file to a relay over HTTP (docs/protocol.md), from a position on; answered with [`Input::BlobPut`].
    PutBlob {
        /// Where to.
        relay: RelayId,
        /// How it is reached; the certificate must be the one that the relay's session presented.
        address: RelayAddress,
        /// The hash of `bytes`: its address.
        hash: [u8; 32],
        /// The relay's grant.
        token: [u8; 32],
        /// How many bytes the relay has.
        from: u64,
        /// All of it.
        bytes: Arc<[u8]>,
    },
    /// Get a sealed file from a relay over HTTP; answered with [`Input::BlobGot`].
    GetBlob {
        /// Where from.
        relay: RelayId,
        /// How it is reached.
        address: RelayAddress,
        /// Its address.
        hash: [u8; 32],
        /// How long it is; a longer answer is broken off.
        size: u64,
    },
    /// A command's answer: exactly one each.
    Answer(CommandId, Result<Answer, CommandError>),
    /// Something for the faces.
    Event(Event),
}

impl core::fmt::Debug for Input {
    /// What kind of input it is, and nothing of what it says.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Command(id, _) => write!(f, "Command({})", id.0),
            Self::Connected { relay, .. } => write!(f, "Connected({})", relay.0),
            Self::Frame { relay, bytes } => write!(f, "Frame({}, {} bytes)", relay.0, bytes.len()),
            Self::Disconnected { relay, .. } => write!(f, "Disconnected({})", relay.0),
            Self::BlobPut { relay, result, .. } => write!(f, "BlobPut({}, {})", relay.0, result.is_ok()),
            Self::BlobGot { relay, result, .. } => write!(f, "BlobGot({}, {})", relay.0, result.is_ok()),
            Self::Timer => f.write_str("Timer"),
            Self::Closing => f.write_str("Closing"),
        }
    }
}

impl core::fmt::Debug for Effect {
    /// What kind of effect it is, and nothing of what it says.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Connect { relay, at, .. } => write!(f, "Connect({}, {at})", relay.0),
            Self::Send { relay, bytes } => write!(f, "Send({}, {} bytes)", relay.0, bytes.len()),
            Self::Disconnect { relay } => write!(f, "Disconnect({})", relay.0),
            Self::PutBlob { relay, bytes, .. } => write!(f, "PutBlob({}, {} bytes)", relay.0, bytes.len()),
            Self::GetBlob { relay, size, .. } => write!(f, "GetBlob({}, {size} bytes)", relay.0),
            Self::Answer(id, answer) => write!(f, "Answer({}, {})", id.0, answer.is_ok()),
            Self::Event(_) => f.write_str("Event"),
        }
    }
}

impl core::fmt::Debug for Turn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Turn({} changes, {} effects)", self.changes.len(), self.effects.len())
    }
}

/// A turn's number, unique in this process: which engine, and which of its turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnNumber {
    pub(crate) engine: u64,
    pub(crate) turn: u64,
}

/// The proof belongs to another turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this proof of a commit belongs to another turn")]
pub struct WrongProof;

/// What one input, or one batch of inputs, leads to.
#[must_use = "a turn's changes must be committed and its effects released"]
pub struct Turn {
    number: TurnNumber,
    changes: Changes,
    effects: Vec<Effect>,
}

impl Turn {
    pub(crate) const fn new(number: TurnNumber, changes: Changes, effects: Vec<Effect>) -> Self {
        Self { number, changes, effects }
    }

    /// What to keep.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Which turn this is.
    #[must_use]
    pub const fn number(&self) -> TurnNumber {
        self.number
    }

    /// Nothing to keep and nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty()
    }

    /// The effects, against the proof that the changes are durable.
    ///
    /// # Errors
    /// [`WrongProof`] if the proof is another turn's; the effects are gone with the turn then.
    pub fn release(self, proof: Committed) -> Result<Vec<Effect>, WrongProof> {
        if proof.turn() == self.number { Ok(self.effects) } else { Err(WrongProof) }
    }

    /// The answers that this turn's commands get when its changes could not be kept: none of them was done.
    #[must_use]
    pub fn failed(self, why: &str) -> Vec<(CommandId, CommandError)> {
        self.effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Answer(id, _) => Some((id, CommandError::Vault(why.to_owned()))),
                _ => None,
            })
            .collect()
    }
}
