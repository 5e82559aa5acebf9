//! The client's brain: inputs in, turns out; no I/O.
//!
//! [`Engine::handle`] takes one [`Input`] (a command, a frame, a timer) and answers with one [`Turn`]: changes to keep in the
//! [`vault`], and effects that come free only against the proof that they are kept. See [`turn`] for the driver's loop.
//!
//! This layer knows no sockets, files, threads, clocks or generators: time and randomness stand in [`Env`], bytes come and go.
//! Faces see the plain data of [`view`] and [`notice`], and ask with [`command`].
#![forbid(unsafe_code)]

extern crate alloc;
// The tests of rooms share the world of the tests at the public door.
#[cfg(test)]
extern crate self as estoile_engine;

mod account;
mod blob;
mod board;
mod book;
mod channel;
pub mod command;
mod engine;
pub mod face;
mod known;
mod link;
mod names;
pub mod notice;
mod out;
mod patience;
mod private;
mod room;
mod stored;
pub mod turn;
pub mod vault;
pub mod view;

pub use command::{
    AccountCommand, Answer, Command, CommandError, CreateRoom, OpenRoom, Past, PrivateCommand, RelayAddress, Verify,
};
pub use engine::{Engine, Glance, LoadError, MAX_ROOMS};
pub use estoile_seal::WrongAnswer;
pub use known::{known_answers, known_answers_of_groups, known_answers_of_seals};
pub use link::greeting::{GreetError, check as check_welcome};
pub use notice::{Notice, NoticeKind};
pub use turn::{BlobError, CommandId, Effect, Env, Input, Lost, Turn, WrongProof};
pub use vault::{Backend, Changes, Committed, MemoryBackend, Vault, VaultError};
pub use view::{
    AccountView, ConnectionView, ContactId, ContactState, ContactView, DeliveryState, DeviceLinkView, DeviceView,
    Event, HistoryView, InvitationView, LetterId, MemberView, MessageView, Overview, PersonView, PrivateView, RelayId,
    Role, RoomId, RoomLinkView, RoomSnapshot, RoomView, VerifyView,
};

/// A message's text is at most this many bytes: its letter, sealed, fits in one record.
pub const MAX_TEXT: usize = 32 * 1024;
