//! What stands inside the vault's entries: CBOR maps with integer keys, so that later versions can add fields.
//!
//! These types are never seen by faces, and never cross the wire.

use estoile_wire::{Cursor, LogId, Millis, PublicKey, RelayKeyHash};
use minicbor::{Decode, Encode};

mod marks;

pub(crate) use marks::{StoredBrought, StoredEnd};

/// The engine's own counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredEngine {
    /// The next room's number.
    #[n(0)]
    pub(crate) next_room: u32,
    /// The next notice's number.
    #[n(1)]
    pub(crate) next_notice: u64,
}

/// Where a relay is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredAddress {
    #[n(0)]
    pub(crate) host: String,
    #[n(1)]
    pub(crate) port: u16,
    #[n(2)]
    pub(crate) tls: bool,
    #[n(3)]
    pub(crate) pin: Option<RelayKeyHash>,
}

impl StoredAddress {
    pub(crate) fn of(address: &crate::command::RelayAddress) -> Self {
        Self { host: address.host.clone(), port: address.port, tls: address.tls, pin: address.pin }
    }

    pub(crate) fn to_address(&self) -> crate::command::RelayAddress {
        crate::command::RelayAddress { host: self.host.clone(), port: self.port, tls: self.tls, pin: self.pin }
    }
}

/// How a room's log is made when it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredCreate {
    /// Seconds.
    #[n(0)]
    pub(crate) max_ttl: u64,
    /// The entry code.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) entry: Option<Vec<u8>>,
}

/// How a room is opened: all that its link says, and our own key in it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredRoom {
    #[n(0)]
    pub(crate) host: String,
    #[n(1)]
    pub(crate) port: u16,
    #[n(2)]
    pub(crate) tls: bool,
    #[n(3)]
    pub(crate) pin: Option<RelayKeyHash>,
    #[n(4)]
    pub(crate) name: String,
    #[n(5)]
    pub(crate) own_name: String,
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) secret: [u8; 32],
    #[n(7)]
    pub(crate) passphrase: bool,
    #[n(8)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) sender_seed: [u8; 32],
    /// Seconds; none: as long as the relay keeps them.
    #[n(9)]
    pub(crate) ttl: Option<u64>,
    #[n(10)]
    pub(crate) create: Option<StoredCreate>,
    /// Read only the newest so many of the past.
    #[n(11)]
    pub(crate) newest: Option<u64>,
    #[n(12)]
    pub(crate) sociable: bool,
    /// When this vault opened the room.
    #[n(13)]
    pub(crate) joined: Millis,
    /// Somebody has chosen `ttl`; else the room's own maximum counts, where it has one.
    #[n(14)]
    pub(crate) ttl_chosen: bool,
    /// A private room; its secret and sender key stand elsewhere.
    #[n(15)]
    pub(crate) private: Option<StoredPrivate>,
}

/// What makes a room a private one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPrivate {
    /// The room's log; none while we knock.
    #[n(0)]
    pub(crate) log: Option<LogId>,
    /// Our account.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) account: Option<[u8; 32]>,
    /// This device, as it is in the room.
    #[n(2)]
    pub(crate) own: Option<PublicKey>,
}

impl Drop for StoredRoom {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.secret.zeroize();
        self.sender_seed.zeroize();
    }
}

impl core::fmt::Debug for StoredRoom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoredRoom(..)")
    }
}

/// How far a room was read and written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Progress {
    /// The newest record that was taken in.
    #[n(0)]
    pub(crate) cursor: Cursor,
    /// Records up to here were never asked for; none until the first attachment has said where the log stands.
    #[n(1)]
    pub(crate) floor: Option<Cursor>,
    /// The next letter's local number.
    #[n(2)]
    pub(crate) next_seq: u64,
    /// Letters below this local number are read.
    #[n(3)]
    pub(crate) read_seq: u64,
    /// The past was read once, so letters written from now on have parents.
    #[n(4)]
    pub(crate) caught_up: bool,
    /// The log's own maximum, seconds.
    #[n(5)]
    pub(crate) max_ttl: Option<u64>,
    /// Why the room can't go on.
    #[n(6)]
    pub(crate) stopped: Option<String>,
    /// A letter of ours came back that this vault does not know: nothing more is sent with this key.
    #[n(7)]
    pub(crate) copied: bool,
    /// The next person's local number.
    #[n(8)]
    pub(crate) next_person: u64,
    /// The next held letter's local number.
    #[n(9)]
    pub(crate) next_held: u64,
    /// The log was made with a maximum of its own, which is what its letters get.
    #[n(10)]
    pub(crate) own_max: bool,
    /// The longest maximum, seconds, that the relay ever named: what is missing is judged by it.
    #[n(11)]
    pub(crate) longest_ttl: Option<u64>,
    /// In a private room: the commit (or the Welcome's) that began the epoch in which we are.
    #[n(12)]
    pub(crate) epoch_from: Option<Cursor>,
    /// We are no member any more.
    #[n(13)]
    pub(crate) out: Option<bool>,
    /// The next sealing's local number.
    #[n(14)]
    pub(crate) next_sealed: Option<u64>,
    /// In a private room: the first epoch with all the accounts that are in it now; what was said before is not said again.
    #[n(15)]
    pub(crate) newcomers: Option<u64>,
    /// In a quick room: the private one into which somebody turned it.
    #[n(16)]
    pub(crate) follow: Option<StoredFollow>,
    /// In a private room: the lowest local number in use; those below are free for what another device brings along.
    #[n(17)]
    pub(crate) first_seq: Option<u64>,
}

/// A private one.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredFollow {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) by: [u8; 32],
    #[n(1)]
    pub(crate) link: String,
    /// Two accounts say two things.
    #[n(2)]
    pub(crate) split: bool,
}

impl core::fmt::Debug for StoredFollow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoredFollow(..)")
    }
}

impl Progress {
    /// We were a member and are none any more.
    pub(crate) fn is_out(&self) -> bool {
        self.out == Some(true)
    }
}

/// One sealing of a letter of ours in a private room: what the log gives back can't be opened by whoever sealed it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredSealed {
    /// SHA-256 of the sealed body.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) digest: [u8; 32],
    /// The letter.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    #[n(2)]
    pub(crate) epoch: u64,
    /// The sealed body, while the relay may not have it.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) body: Option<Vec<u8>>,
    /// The trace of its sender.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) trace: Option<[u8; 32]>,
}

impl core::fmt::Debug for StoredSealed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoredSealed(..)")
    }
}

/// How far a letter of ours has come.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum StoredState {
    #[n(0)]
    Sending,
    #[n(1)]
    Kept,
    #[n(2)]
    Seen(#[n(0)] u32),
    #[n(3)]
    Failed(#[n(0)] String),
}

/// A letter that lives here.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredLetter {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    #[n(1)]
    pub(crate) sender: PublicKey,
    #[n(2)]
    pub(crate) name: String,
    /// None: it shows nothing (a beat of ours).
    #[n(3)]
    pub(crate) text: Option<String>,
    #[n(4)]
    pub(crate) sent_at: Millis,
    #[n(5)]
    pub(crate) ttl: Option<u32>,
    #[n(6)]
    pub(crate) cursor: Option<Cursor>,
    /// Its place: the latest time before it …
    #[n(7)]
    pub(crate) place_time: Millis,
    /// … and the steps from there.
    #[n(8)]
    pub(crate) place_step: u32,
    #[n(9)]
    pub(crate) state: StoredState,
    /// Ours: its fixed bytes, to be sealed again.
    #[n(10)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) written: Option<Vec<u8>>,
    /// When the relay kept it, by this clock.
    #[n(11)]
    pub(crate) kept_at: Option<Millis>,
    /// In a private room: the sender's account.
    #[n(12)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) account: Option<[u8; 32]>,
    /// In a private room: the epoch in which it was written (ours), or came.
    #[n(13)]
    pub(crate) epoch: Option<u64>,
}

impl core::fmt::Debug for StoredLetter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StoredLetter(..)")
    }
}

/// A letter from the future, until its time has come.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredHeld {
    #[n(0)]
    pub(crate) until: Millis,
    #[n(1)]
    pub(crate) cursor: Cursor,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) written: Vec<u8>,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) hash: [u8; 32],
    /// In a private room: whose device sent it, in which epoch, and whose device that is.
    #[n(4)]
    pub(crate) private: Option<StoredOrigin>,
}

/// Where a private room's letter comes from, as its seal said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredOrigin {
    #[n(0)]
    pub(crate) sender: PublicKey,
    #[n(1)]
    pub(crate) epoch: u64,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) account: [u8; 32],
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredPerson {
    #[n(0)]
    pub(crate) key: PublicKey,
    /// The name last used.
    #[n(1)]
    pub(crate) name: String,
    /// The names (folded) that this key was the first to use here.
    #[n(2)]
    pub(crate) owns: Vec<String>,
    #[n(3)]
    pub(crate) last_heard: Option<Millis>,
}

/// A notice that faces may still show.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct StoredNotice {
    #[n(0)]
    pub(crate) room: Option<u32>,
    #[n(1)]
    pub(crate) kind: u8,
    #[n(2)]
    pub(crate) from: Option<String>,
    #[n(3)]
    pub(crate) count: u64,
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) letter: Option<[u8; 32]>,
    #[n(5)]
    pub(crate) detail: String,
    #[n(6)]
    pub(crate) advice: String,
    #[n(7)]
    pub(crate) at: Millis,
}

/// An entry's bytes.
pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing into a vector can't fail: its error type is `Infallible`.
    let _ = minicbor::encode(value, &mut bytes);
    bytes
}

/// What an entry's bytes say, if this version understands them.
pub(crate) fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().ok()?;
    (decoder.position() == bytes.len()).then_some(value)
}
