//! What members saw of other rooms, said in letters: a relay that keeps two halves of one room apart is found out in another.
//!
//! Rooms know nothing of each other; what one has heard and what another has seen meets here.

use std::collections::{BTreeMap, BTreeSet};

use estoile_seal::account::Chain;
use estoile_seal::letter::Private as Said;
use estoile_seal::views::{MAX_VIEWS, View};

use super::Room;
use crate::out::Cx;
use crate::private::AccountId;
use crate::view::RoomId;

/// Views that wait to be compared, within one turn.
const MAX_HEARD: usize = 1_024;

/// A chain's length and last entry's hash, with the chain's bytes.
type Point = (Vec<u8>, u64, [u8; 32]);

/// What a room's letters say and have said of other rooms.
#[derive(Default)]
pub(super) struct Views {
    heard: Vec<(AccountId, Vec<View>)>,
    say: Vec<View>,
    /// Where the next letter's choice begins: rooms take turns.
    turn: usize,
    /// What is seen here is another thing now, or another's turn is next.
    dirty: bool,
    /// The epoch in which a letter of ours has said views.
    said_in: Option<u64>,
    /// How long our chain is and what its last entry is.
    point: Option<Point>,
}

impl core::fmt::Debug for Views {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Views(..)")
    }
}

impl Views {
    /// A letter said this.
    pub(super) fn heard(&mut self, by: AccountId, views: &[View]) {
        if !views.is_empty() && self.heard.len() < MAX_HEARD {
            self.heard.push((by, views.to_vec()));
        }
    }

    /// The room's epoch, or its people, are others.
    pub(super) const fn changed(&mut self) {
        self.dirty = true;
    }
}

impl Room {
    /// What a letter of a private room says beside its content; beats, and the first letter of an epoch, say views.
    pub(super) fn say_private(&mut self, beat: bool) -> Option<Said> {
        let private = self.lock.private()?;
        let (chain, epoch) = (&private.me().chain, private.epoch());
        if self.views.point.as_ref().is_none_or(|(of, ..)| of != chain) {
            let point = Chain::verify(chain).ok()?.point();
            self.views.point = Some((chain.clone(), point.len, point.head));
        }
        let (_, chain_length, chain_head) = self.views.point.as_ref()?;
        let (chain_length, chain_head) = (*chain_length, *chain_head);
        let now = beat || self.views.said_in != Some(epoch);
        let views = if now { core::mem::take(&mut self.views.say) } else { Vec::new() };
        if now {
            self.views.said_in = Some(epoch);
            self.views.turn = self.views.turn.saturating_add(views.len());
            self.views.dirty = true;
        }
        Some(Said { chain_length, chain_head, views })
    }
}

/// Once a turn: what letters said is compared with every room, and every room gets what it says next. The rooms that stopped.
pub(crate) fn exchange_views(rooms: &mut BTreeMap<RoomId, Room>, cx: &mut Cx<'_>) -> Vec<RoomId> {
    let mut stopped = Vec::new();
    let ids: Vec<RoomId> = rooms.values().filter(|r| !r.views.heard.is_empty()).map(|r| r.id).collect();
    for id in ids {
        let heard = rooms.get_mut(&id).map(|r| core::mem::take(&mut r.views.heard)).unwrap_or_default();
        for (by, views) in heard {
            for room in rooms.values_mut().filter(|r| r.id != id) {
                let split = room.lock.private_mut().and_then(|private| private.compare(&views, &by, cx));
                if let Some(why) = split {
                    room.group_stopped(&why, cx);
                    stopped.push(room.id);
                }
            }
        }
    }
    if rooms.values().any(|r| r.views.dirty) {
        choose(rooms);
    }
    stopped
}

/// Gives each room the views of those that share somebody with it.
fn choose(rooms: &mut BTreeMap<RoomId, Room>) {
    let others = |room: &Room| -> Option<BTreeSet<AccountId>> {
        let private = room.lock.private()?;
        Some(private.accounts().into_iter().filter(|a| *a != private.me().account).collect())
    };
    let sights: Vec<(RoomId, View, BTreeSet<AccountId>)> =
        rooms.values().filter_map(|r| Some((r.id, r.lock.private()?.sight()?, others(r)?))).collect();
    for room in rooms.values_mut() {
        room.views.dirty = false;
        let Some(people) = others(room) else { continue };
        let shared: Vec<View> = sights
            .iter()
            .filter(|(id, _, theirs)| *id != room.id && !people.is_disjoint(theirs))
            .map(|(_, view, _)| *view)
            .collect();
        let skip = room.views.turn.checked_rem(shared.len()).unwrap_or(0);
        let mut say: Vec<View> = Vec::new();
        for view in shared.iter().cycle().skip(skip).take(shared.len()) {
            // Two rooms of one view key (before and after a move) are one to whoever compares.
            if say.len() < MAX_VIEWS && say.iter().all(|other| other.tag != view.tag) {
                say.push(*view);
            }
        }
        room.views.say = say;
    }
}
