//! Moves: a room goes on in a new log and a new group, with the same people less some.

use estoile_wire::LogId;

use super::AccountId;

/// What an announcement says that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    /// The new room's log.
    pub(crate) log: LogId,
    /// The relay of the new room, as the mover wrote it.
    pub(crate) relay: String,
    /// Who moves.
    pub(crate) by: AccountId,
    /// The new door: where to knock.
    pub(crate) door_log: LogId,
    pub(crate) door_ticket: [u8; 32],
    pub(crate) door_seal: [u8; 32],
    /// Who comes along.
    pub(crate) people: Vec<AccountId>,
    /// The suite, so that a key package of it is made.
    pub(crate) classic: bool,
}

/// Why an announcement is not followed, in a clause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct MoveError(pub(crate) String);

pub(super) fn read(_announcement: &[u8]) -> Result<Move, MoveError> {
    Err(MoveError("it can't be read".to_owned()))
}
