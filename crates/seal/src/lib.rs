//! Estoile's seals: what the ends do so that nothing in the middle can read, forge or hide.
//!
//! This layer does no I/O, knows no clock and draws no randomness of its own: times and a [`rand_core::CryptoRng`] are
//! arguments. It does not know relays' rules, sockets, vaults on disk or what a user sees. `docs/seal.md` numbers the
//! formats that stand here.
//!
//! - [`quick`]: the keys of a quick room, all from one secret;
//! - [`passphrase`]: that secret from words that people can say;
//! - [`link`]: the text that opens a room, leads to a contact, or takes in a device;
//! - [`fernet`]: the seal of a quick room's letters, compatible with Python's `cryptography`;
//! - [`letter`]: what a seal contains: content, counter, parents, times, name and signature;
//! - [`mimi`]: a letter's content, after the IETF's draft-ietf-mimi-content;
//! - [`names`]: what may be a name, and which names look the same;
//! - [`signal`]: sealed and never stored: presence, typing, questions;
//! - [`transcript`]: the graph that letters build through their parents;
//! - [`account`]: who somebody is: recovery words, the chain of devices, the account's own log;
//! - [`card`], [`shelf_item`], [`mailbox`]: how accounts reach each other, by [`ticket`];
//! - [`device_link`]: how an account takes in a new device, and [`history`]: the messages that come along;
//! - [`verify`]: how two people find out that nobody sits between them;
//! - [`access`]: the keys that open logs;
//! - [`vault_key`]: the seal of what a client keeps;
//! - [`known_answers`]: the primitives against published vectors, once at start;
//! - [`views`]: what members tell each other of a private room's group, elsewhere.
#![forbid(unsafe_code)]

/// `Debug` that says the type's name and nothing of the value: for holders of secrets and of what people say.
macro_rules! closed_debug {
    ($($name:ident),+ $(,)?) => {
        $(impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        })+
    };
}
pub(crate) use closed_debug;

pub mod access;
pub mod account;
pub mod card;
mod cbor;
pub mod device_link;
pub mod door;
pub mod fernet;
mod fields;
pub mod history;
mod known;
pub mod letter;
pub mod link;
pub mod mailbox;
pub mod mimi;
pub mod moving;
pub mod names;
pub mod passphrase;
pub mod quick;
pub mod roster;
mod sealed_box;
mod secret;
mod sender;
pub mod shelf_item;
pub mod signal;
mod signed;
mod stretch;
pub mod ticket;
pub mod transcript;
pub mod vault_key;
pub mod verify;
pub mod views;
mod words;

pub use fields::{Later, Malformed};
pub use known::{WrongAnswer, known_answers};
pub use sender::SenderKey;
