//! A turn in the making: what every part of the engine writes its changes and effects into.

use estoile_wire::Millis;
use rand_core::CryptoRng;

use crate::board::Board;
use crate::book::Book;
use crate::command::{Answer, CommandError};
use crate::turn::{CommandId, Effect};
use crate::vault::Changes;
use crate::view::{Event, RelayId};

/// What will be the turn.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) changes: Changes,
    pub(crate) effects: Vec<Effect>,
}

/// What every part is given: time, randomness, the turn, and where to tell the user something.
pub(crate) struct Cx<'a> {
    pub(crate) now: Millis,
    pub(crate) rng: &'a mut dyn CryptoRng,
    pub(crate) out: &'a mut Out,
    pub(crate) board: &'a mut Board,
    /// What is known of accounts: their chains, and which are contacts.
    pub(crate) book: &'a mut Book,
}

impl Cx<'_> {
    pub(crate) fn send(&mut self, relay: RelayId, bytes: Vec<u8>) {
        self.out.effects.push(Effect::Send { relay, bytes });
    }

    /// Says something to the relay because of what came, as no client may: in the build that proves the laboratory alone.
    pub(crate) fn blab(&mut self, defence: &str) {
        if estoile_wire::weak::is(defence) {
            self.send(RelayId(0), vec![0]);
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.out.effects.push(Effect::Event(event));
    }

    pub(crate) fn answer(&mut self, id: CommandId, answer: Result<Answer, CommandError>) {
        self.out.effects.push(Effect::Answer(id, answer));
    }

    pub(crate) fn put<T: minicbor::Encode<()>>(&mut self, name: Vec<u8>, value: &T) {
        self.out.changes.put(name, crate::stored::encode(value));
    }

    pub(crate) fn delete(&mut self, name: Vec<u8>) {
        self.out.changes.delete(name);
    }

    /// A random number below `bound`; 0 if that is 0. The bias of the remainder is of no matter for waiting times.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64().checked_rem(bound).unwrap_or(0)
    }
}
