//! One device's part in one MLS group (RFC 9420): the only crate that knows OpenMLS.
//!
//! It does not know relays, logs, roles or letters: bytes in, bytes out, and what must be kept in between. The caller
//! decides who may do what; here stands only what MLS itself, and the shape of our groups, allow.
//!
//! - [`Suite`]: the two suites of private rooms;
//! - [`Me`], [`Member`], [`Leaf`]: who a leaf says it is (nobody has checked that against an account's chain here);
//! - [`key_package`], [`inspect_key_package`]: how a device is added;
//! - [`Group`]: create, join, restore; [`Group::encrypt`], [`Group::open`]; [`Group::commit`] and what comes of it;
//! - [`hpke`]: sealing to one public key, with the same X-Wing;
//! - [`known_answers`]: the primitives against published vectors, once at start.
//!
//! # The life of a commit
//! 1. [`Group::commit`] builds it; it stays *pending* and is part of the kept state.
//! 2. [`Group::pending_export`] gives the next epoch's keys before anybody has the commit.
//! 3. The log decides. Our own commit comes back: [`Group::open`] says [`Incoming::Pending`], then
//!    [`Group::merge_pending`]. Another's comes first: [`Incoming::Commit`], judged by its [`Facts`], then
//!    [`Group::accept`] (which drops ours) or [`Group::refuse`] (as if it had never been opened).
//!
//! Letters can be encrypted while a commit is pending; they belong to the old epoch. While somebody's *leave* stands,
//! nothing can be encrypted ([`MlsError::LeaveStands`], a rule of RFC 9420 §12.4 that OpenMLS holds): commit first.
//!
//! # What must be kept, and when
//! Every call that takes `&mut self` changes the state. [`Group::take_changes`] hands out what changed since the last
//! time; written to a store in one transaction, it restores exactly this group ([`Group::restore`]). **Nothing that a
//! call returned may leave the device before its changes are durable:** a process that dies in between comes back with
//! the older state and would use the same ratchet key again. After a call that failed with [`MlsError::Library`] the
//! group may be half changed: drop it and restore it.
//!
//! # What OpenMLS takes by itself
//! Wall time, to check the lifetime of each key package in a commit or an inspection ([`MlsError::Lifetime`],
//! [`OpenError::Lifetime`]); and entropy, for HPKE, keys, and the four bytes of each message's reuse guard. So this
//! crate is not repeatable from a seed: simulations must not let a decision depend on ciphertext bytes, must run at a
//! time near this machine's, and may widen [`Validity`].
#![forbid(unsafe_code)]

mod commit;
mod crypto;
mod error;
mod group;
pub mod hpke;
mod identity;
mod join;
mod kat;
mod key_package;
mod open;
mod rules;
mod store;
mod suite;
mod trace;

pub use commit::{Pending, Plan};
pub use error::{MlsError, OpenError};
pub use group::Group;
pub use identity::{Leaf, Me, Member};
pub use join::{Finder, Joining};
pub use kat::known_answers;
pub use key_package::{KeyPackageView, NewKeyPackage, Validity, inspect_key_package, key_package};
pub use open::{Facts, Incoming, Staged};
pub use store::Change;
pub use suite::Suite;
pub use trace::sender_trace;

/// The longest message that is looked at: the relay's largest blob.
pub const MAX_MESSAGE: usize = 32 * 1024 * 1024;
/// The longest key package that is looked at: a chain of 12 KiB, X-Wing keys of 1,216 bytes, signatures, with room.
pub const MAX_KEY_PACKAGE: usize = 24 * 1024;
/// The most leaves of a group: the room's cap of 250 devices, and six that leave while others come.
pub const MAX_LEAVES: usize = 256;
/// The longest chain in a leaf.
pub const MAX_CHAIN: usize = 12 * 1024;
/// The longest name in a leaf, in bytes: 64 characters of four bytes.
pub const MAX_NAME: usize = 256;
/// The longest roster: 250 members and their links, with room.
pub const MAX_ROSTER: usize = 256 * 1024;
/// Letters are padded to a multiple of this, so that the relay can't tell *yes* from *no*: most letters without
/// attachments are one or two of these.
pub const PADDING: usize = 256;

/// The leaf-node extension that carries the account's chain.
pub const CHAIN_EXTENSION: u16 = 0xF5E1;
/// The group-context extension that carries the roster.
pub const ROSTER_EXTENSION: u16 = 0xF5E2;
