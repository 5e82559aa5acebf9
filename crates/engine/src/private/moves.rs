//! Moves: a room goes on in a new log and a new group, with the same people less some.
//!
//! The mover announces it on the old room's door, which every member of the last good epoch reads; members judge it by their
//! own last good roster, and knock at the new door. This layer does not know doors' logs; it makes and judges what stands
//! there ([`estoile_seal::moving`]).

use estoile_mls::Suite;
use estoile_seal::account::AccountId as Id;
use estoile_seal::door::DoorKeys;
use estoile_seal::link::RelayUrl;
use estoile_seal::moving::Announcement;
use estoile_seal::roster::{self, Leaf, MovedFrom};
use estoile_seal::views::{Sight, View};
use estoile_wire::LogId;

use super::stored::{StoredPromise, role};
use super::{AccountId, Founding, Private};
use crate::command::CommandError;
use crate::out::Cx;
use crate::view::Role;

/// Why an announcement is not followed, in a clause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct MoveError(pub(crate) String);

fn bad(why: &str) -> MoveError {
    MoveError(why.to_owned())
}

impl Private {
    /// All leaves, as a door's opening and an announcement's are judged by.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let leaf = |(device, (account, _)): (&estoile_wire::PublicKey, &(AccountId, u32))| Leaf {
            account: Id(*account),
            device: *device,
        };
        self.tree.devices.iter().map(leaf).collect()
    }

    /// The same people less some in a new group, and the signed announcement for this room's door ([`Private::roster`]'s, the
    /// last good one; [`DoorKeys::tell`] seals it). For owners and admins of the last good epoch.
    pub(crate) fn begin_move(
        &mut self,
        founding: &Founding,
        without: &[AccountId],
        relay: &RelayUrl,
        cx: &mut Cx<'_>,
    ) -> Result<(Self, Vec<u8>), CommandError> {
        let own = Id(self.me.account);
        let people: Vec<Id> = self.roster.members.keys().filter(|id| !without.contains(&id.0)).copied().collect();
        if self.state.gone || !people.contains(&own) {
            return Err(CommandError::Private(
                "you can't move a room that you are not in; ask an owner or admin".to_owned(),
            ));
        }
        roster::check_move(&self.roster, own, &people)
            .map_err(|_| CommandError::NotAllowed("only an owner or admin moves a room; ask one of them".to_owned()))?;
        let from = MovedFrom { log: self.state.log, epoch: self.epoch() };
        let view = View::make(&self.roster.view_key.0, from.epoch, &self.group.authenticator());
        let mut new = Self::found_after(&self.me, founding, Some(from), cx)?;
        let promise = |id: &Id| {
            let role = self.roster.role(id)?;
            (*id != own).then_some(StoredPromise { account: id.0, role: role as u8 })
        };
        new.state.promises = people.iter().filter_map(promise).collect();
        let announcement = Announcement {
            from,
            check: view.check,
            relay: relay.clone(),
            log: new.state.log,
            door: DoorKeys::from(&new.roster.door).address(),
            name: new.roster.name.clone(),
            suite: if founding.classic { Suite::Classic } else { Suite::XWing }.number(),
            people,
            link: None,
            by: own,
            chain: None,
            sent_at: cx.now,
        };
        let signed = announcement.sign(&self.me.device).map_err(|why| CommandError::Private(why.to_string()))?;
        Ok((new, signed))
    }

    /// Judges an announcement that was opened at this room's door (with [`Private::leaves`]), by our own last good roster.
    pub(crate) fn check_move(&self, said: &Announcement) -> Result<(), MoveError> {
        if said.from.log != self.state.log || said.log == self.state.log {
            return Err(bad("an announced move is another room's"));
        }
        roster::check_move(&self.roster, said.by, &said.people)
            .map_err(|breach| MoveError(breach.sentence(|account| self.shown(&account.0))))?;
        let view = View { tag: View::tag(&self.roster.view_key.0), epoch: said.from.epoch, check: said.check };
        if self.views.compare(&view) == Sight::Split {
            return Err(bad("who announced a move saw another history of this room than you"));
        }
        if Suite::from_number(said.suite).is_none() {
            return Err(bad("an announced move is to keys that this program does not know; look for a newer one"));
        }
        if !said.people.contains(&said.by) {
            return Err(bad("an announced move leaves out who announced it"));
        }
        if !said.people.contains(&Id(self.me.account)) {
            return Err(MoveError(format!("{} moved this room without you", self.shown(&said.by.0))));
        }
        Ok(())
    }

    /// Whether the room that a Welcome brought is what `by` was allowed to make of this one.
    pub(crate) fn accepts_moved(&self, new: &Self, by: &AccountId) -> Result<(), MoveError> {
        if new.roster.moved_from.is_none_or(|from| from.log != self.state.log) {
            return Err(bad("it is not the room that this one moved to"));
        }
        new.roster
            .check_moved(&self.roster, Id(*by))
            .map_err(|breach| MoveError(breach.sentence(|account| self.shown(&account.0))))
    }

    /// Who was promised a place with which role when the room moved here: their knock is answered.
    pub(crate) fn expects(&self, account: &AccountId) -> Option<Role> {
        let promise = self.state.promises.iter().find(|promise| promise.account == *account)?;
        if self.role_of(account).is_some() { None } else { role(promise.role) }
    }

    /// Our last word to those who ask what became of the room: where it was before, if it moved here.
    pub(crate) fn moved_from(&self) -> Option<(LogId, u64)> {
        self.roster.moved_from.map(|from| (from.log, from.epoch))
    }
}
