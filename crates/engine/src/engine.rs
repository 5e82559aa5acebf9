//! The engine: rooms, links to relays, and the one door through which everything enters.

use estoile_wire::Millis;

use crate::turn::{Env, Input, Turn, TurnNumber};
use crate::vault::{Backend, Changes, Vault, VaultError};
use crate::view::{LetterId, MessageView, RoomId, RoomSnapshot, RoomView};

/// Why an engine could not be loaded from its vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An entry opens, but says nothing that this version understands.
    #[error(
        "an entry of the vault can't be read by this version of the program; update it, or start a new data folder"
    )]
    Unreadable,
}

/// The client's brain.
#[derive(Debug)]
pub struct Engine {
    id: u64,
    turns: u64,
}

impl Engine {
    /// Loads an engine from its vault (an empty one makes a fresh engine). Every room begins offline; hand in a first
    /// [`Input::Timer`] and the engine asks for its connections.
    ///
    /// # Errors
    /// [`LoadError`] when the vault fails or is not readable.
    pub async fn load<B: Backend>(vault: &Vault<B>, env: &mut Env<'_>) -> Result<Self, LoadError> {
        let _ = vault;
        Ok(Self { id: env.rng.next_u64(), turns: 0 })
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, env: &mut Env<'_>) -> Turn {
        self.handle_all([input], env)
    }

    /// Takes what came together, in order, as one turn: one commit for all of it.
    pub fn handle_all(&mut self, inputs: impl IntoIterator<Item = Input>, env: &mut Env<'_>) -> Turn {
        let _ = (inputs.into_iter().count(), env);
        self.turns = self.turns.saturating_add(1);
        Turn::new(TurnNumber { engine: self.id, turn: self.turns }, Changes::default(), Vec::new())
    }

    /// When [`Input::Timer`] must be handed in at the latest; none: not on its own. It changes with every turn.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Millis> {
        None
    }

    /// All rooms, in the order in which they were first opened.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomView> {
        Vec::new()
    }

    /// A room with its newest messages (at most 1,000 are at hand; older ones by [`Engine::older`]).
    #[must_use]
    pub fn snapshot(&self, room: RoomId, newest: usize) -> Option<RoomSnapshot> {
        let _ = (room, newest);
        None
    }

    /// Up to `limit` messages that stand before one, in timeline order, from the vault where they are not at hand.
    ///
    /// # Errors
    /// What the vault says.
    pub async fn older<B: Backend>(
        &mut self,
        vault: &Vault<B>,
        room: RoomId,
        before: LetterId,
        limit: usize,
    ) -> Result<Vec<MessageView>, VaultError> {
        let _ = (vault, room, before, limit);
        Ok(Vec::new())
    }
}
