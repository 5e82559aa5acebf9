//! The screens about people: the own account, contacts, comparing, devices, private rooms.

mod account;
mod contact;
mod device;
mod doing;
mod door;
mod leads;
mod listing;
mod member;
mod own_words;
mod room;
mod scan;
mod share;
mod verify;

pub(crate) use account::recovery;
pub(crate) use contact::contact;
pub(crate) use device::devices;
pub(crate) use doing::{Doing, now};
pub(crate) use leads::link;
pub(crate) use listing::people;
pub(crate) use member::members;
pub(crate) use room::{new_private, room_settings};
pub(crate) use share::{copy, qr};
pub(crate) use verify::verify;
