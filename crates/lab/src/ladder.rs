//! The classroom's ladder: the four seals below ours, each in a chat as plain as the first one was, and the same attacks.
//!
//! A message is `name: text`, sealed; whatever opens is shown. That is no straw man: it is what most first chats do, and what
//! each rung adds is exactly what its seal gives.

mod attacks;
mod rungs;

pub(crate) use attacks::{attack, rungs};
