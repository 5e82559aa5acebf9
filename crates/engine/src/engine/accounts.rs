//! The account part within the engine: its commands, what it wants of rooms, what rooms have done, and its sessions.

mod doors;
mod places;

use super::Engine;
use crate::account::{Waits, Wish};
use crate::board::Draft;
use crate::channel::job::{Act, JobId};
use crate::channel::{ChannelId, Purpose};
use crate::link::{Link, Route};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::{Expected, News, Private};
use crate::room::Room;
use crate::view::{RelayId, RoomId};

/// Rounds of asking each other within one turn; what is left comes with the next.
const ROUNDS: usize = 8;
/// Jobs of one relay that are on their way at a time.
const JOBS_IN_FLIGHT: usize = 32;

impl Engine {
    /// Lets rooms and the account part hear of each other.
    pub(super) fn settle_accounts(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..ROUNDS {
            self.accounts.take_in(cx);
            let touched: Vec<RoomId> = self.touched.iter().copied().collect();
            let mut news = Vec::new();
            // Without an account nobody acts on them.
            let heeded = self.accounts.own.is_some();
            for id in touched.into_iter().filter(|_| heeded) {
                if let Some(private) = self.rooms.get_mut(&id).and_then(Room::private_mut) {
                    news.extend(private.take_news().into_iter().map(|n| (id, n)));
                }
            }
            let wishes = self.accounts.take_wishes();
            if news.is_empty() && wishes.is_empty() {
                break;
            }
            for (room, news) in news {
                self.room_news(room, news, cx);
            }
            for wish in wishes {
                self.grant(wish, cx);
            }
        }
    }

    fn room_news(&mut self, id: RoomId, news: News, cx: &mut Cx<'_>) {
        match news {
            News::Welcome { token, welcome, cursor, .. } => {
                if let Some(place) = self.place(id) {
                    self.accounts.welcome(token, &welcome, cursor, &place, cx);
                }
            }
            News::Added { token } => self.accounts.added(token, cx),
            News::AddFailed { token, why } => self.accounts.add_failed(token, &why, cx),
            News::Door => {
                self.door(id, cx);
                self.note_place(id);
            }
            News::Replaced { from, old } => self.replaced(id, (from, old), cx),
            News::Gone => {
                self.accounts.close_channel(Purpose::Door(id.0), cx);
                self.forget_place(id);
            }
        }
    }

    fn grant(&mut self, wish: Wish, cx: &mut Cx<'_>) {
        match wish {
            Wish::Want { room, intent, answer } => {
                if let Some(private) = self.rooms.get_mut(&room).and_then(Room::private_mut) {
                    private.want(intent, answer, cx);
                    self.touched.insert(room);
                }
            }
            Wish::Chain => {
                let Some(me) = self.accounts.own.as_ref().map(crate::account::Own::me) else { return };
                self.each_private(|private, cx| private.set_me(me.clone(), cx), cx);
            }
            Wish::DevicesRemoved { account, removed } => {
                self.each_private(|private, cx| private.devices_removed(&account, &removed, cx), cx);
            }
            Wish::ContactStopped => self.touch_private(),
            Wish::ContactLooked => {
                for room in self.rooms.values_mut() {
                    room.look();
                }
                self.touch_private();
            }
            Wish::Views { by, views } => {
                let mut split = Vec::new();
                for room in self.rooms.values_mut() {
                    let id = room.id;
                    if let Some(why) = room.private_mut().and_then(|private| private.compare(&views, &by, cx)) {
                        split.push((id, why));
                    }
                }
                if !split.is_empty() {
                    self.accounts.tell_views(&by, cx);
                }
                for (id, why) in split {
                    self.touched.insert(id);
                    if let Some(room) = self.rooms.get_mut(&id) {
                        room.stop(&why, cx);
                    }
                }
            }
            Wish::Join { invitation } => self.join(invitation, cx),
            Wish::Knock { place } => self.knock_back(&place, cx),
            Wish::KnockAgain { room } => self.knock_again(room, cx),
            Wish::Unknock { log } => self.knock_no_more(&log, cx),
            Wish::Places => self.note_places(),
            Wish::Door { room, body } => self.at_door(room, body, cx),
            Wish::Removed => self.each_private(Private::retire, cx),
        }
    }

    fn each_private(&mut self, mut then: impl FnMut(&mut Private, &mut Cx<'_>), cx: &mut Cx<'_>) {
        for room in self.rooms.values_mut() {
            if let Some(private) = room.private_mut() {
                then(private, cx);
                self.touched.insert(room.id);
            }
        }
    }

    fn touch_private(&mut self) {
        self.touched.extend(self.rooms.values().filter(|r| r.is_private()).map(|r| r.id));
    }

    // ── Being invited ───────────────────────────────────────────────────────────────────────────────────────────────

    pub(super) fn next_room(&mut self, cx: &mut Cx<'_>) -> RoomId {
        let id = RoomId(self.counters.next_room);
        self.counters.next_room = self.counters.next_room.saturating_add(1);
        cx.put(crate::names::ENGINE.to_vec(), &self.counters);
        id
    }

    /// A Welcome came: it is taken, or waits for a yes.
    pub(super) fn join(&mut self, number: u64, cx: &mut Cx<'_>) {
        let Some(invitation) = self.accounts.invitations.get(&number).cloned() else { return };
        let existing = self.rooms.values().find(|r| r.log() == Some(invitation.log)).map(|r| r.id);
        let id = match existing.or(invitation.room.map(RoomId)) {
            Some(id) => id,
            None => self.next_room(cx),
        };
        if let Some(stored) = self.accounts.invitations.get_mut(&number) {
            stored.room = Some(id.0);
        }
        self.accounts.keep_invitation(number, cx);
        if !invitation.yes {
            let key = estoile_wire::PublicKey(invitation.from);
            let detail = format!("{} invites you to the room {}", invitation.from_name, invitation.name);
            let advice = "They are no contact of yours: say yes only if you know them, or forget it.";
            cx.tell(Draft::new(None, NoticeKind::Invited, detail, advice).about(key, &invitation.from_name));
            return;
        }
        let (Some(welcome), Some(me)) = (invitation.welcome, self.accounts.own.as_ref().map(crate::account::Own::me))
        else {
            return;
        };
        let shared = self.accounts.own.as_ref().is_some_and(crate::account::Own::is_shared);
        let inside = existing.and_then(|id| self.rooms.get(&id)).is_some_and(|r| r.private().is_some());
        let expected = Expected { room: id, log: invitation.log, by: invitation.from };
        let accounts = &self.accounts;
        let joined = Private::join(&me, &welcome, &mut |reference| accounts.package_secret(reference), &expected, cx);
        let joined = joined.and_then(|(private, used)| match self.fits_move(&private, &invitation.from) {
            Ok(()) => Ok((private, used)),
            Err(error) => Err(crate::private::JoinError::Refused(error)),
        });
        match joined {
            Ok((private, used)) => {
                if let Some(used) = used {
                    self.accounts.used_package(&used, cx);
                }
                let address = invitation.address.to_address();
                self.enter(id, private, &address, invitation.cursor, cx);
                let detail = format!("{} has let you into the room {}", invitation.from_name, invitation.name);
                cx.tell(Draft::new(Some(id), NoticeKind::Invited, detail, "Leave it if you don't want to be there."));
            }
            // Another device's answer, or an old letter read again.
            Err(crate::private::JoinError::NotForUs) if inside || invitation.old || shared => {
                // What we knock for still waits for its answer.
                if let Some(stored) = self.accounts.invitations.get_mut(&number) {
                    stored.room = None;
                }
            }
            Err(error) => {
                let detail = format!("the invitation to {} can't be used: {error}", invitation.name);
                cx.tell(Draft::new(None, NoticeKind::Invited, detail, "Nothing was changed here."));
            }
        }
        self.accounts.invitation_over(number, cx);
    }

    /// A room that says that it goes on from one of ours must be what its mover was allowed to make of that.
    fn fits_move(&self, new: &Private, by: &[u8; 32]) -> Result<(), String> {
        let Some((log, _)) = new.moved_from() else { return Ok(()) };
        let old = self.rooms.values().find(|r| r.log() == Some(log)).and_then(Room::private);
        old.map_or(Ok(()), |old| old.accepts_moved(new, by).map_err(|error| error.to_string()))
    }

    /// A group that we are in now: its room is there, or is made.
    fn enter(
        &mut self,
        id: RoomId,
        private: Private,
        address: &crate::command::RelayAddress,
        cursor: u64,
        cx: &mut Cx<'_>,
    ) {
        self.accounts.knock_no_longer(id, cx);
        let moved = self.rooms.get(&id).is_some_and(|r| r.log().is_some_and(|log| log != private.log()));
        if moved {
            self.go_on(id, private, address, (None, Some(cursor)), cx);
            return;
        }
        if let Some(room) = self.rooms.get_mut(&id) {
            room.enter(private, cursor, cx);
            self.route(id);
        } else {
            let room = Room::join_private(id, RelayId(u32::MAX), address, private, cursor, true, cx);
            self.add(room);
        }
        self.touched.insert(id);
        self.begin(id, cx);
        self.door(id, cx);
        self.note_place(id);
    }

    /// Gives each channel and job its relay, and frames their way back.
    pub(super) fn place_channels(&mut self, cx: &mut Cx<'_>) {
        let none = RelayId(u32::MAX);
        let channels: Vec<_> =
            self.accounts.channels.values().filter(|c| c.relay == none).map(|c| (c.id, c.address())).collect();
        for (id, address) in channels {
            let relay = self.link_to(&address);
            if let Some(channel) = self.accounts.channels.get_mut(&id) {
                channel.relay = relay;
                self.routes.insert((relay, channel.log()), Route::Channel(id));
            }
            self.go_to(relay, cx);
        }
        let jobs: Vec<_> =
            self.accounts.jobs.values().filter(|j| j.relay == none).map(|j| (j.id, j.address())).collect();
        for (id, address) in jobs {
            let relay = self.link_to(&address);
            if let Some(job) = self.accounts.jobs.get_mut(&id) {
                job.relay = relay;
            }
            self.go_to(relay, cx);
        }
    }

    fn go_to(&mut self, relay: RelayId, cx: &mut Cx<'_>) {
        if let Some(link) = self.links.get_mut(&relay).filter(|_| !self.closed) {
            link.want(false, cx);
        }
    }

    /// Answers knocks whose turn has come: before rooms do what is due, so that their commits go out.
    pub(super) fn knocks_due(&mut self, cx: &mut Cx<'_>) {
        for (room, body) in self.accounts.due_knocks(cx) {
            self.answer_knock(room, &body, cx);
        }
    }

    /// What the account part has asked of private rooms in this turn is begun in this turn.
    pub(super) fn rooms_again(&mut self, cx: &mut Cx<'_>) {
        for id in self.touched.clone() {
            let Some(room) = self
                .rooms
                .get_mut(&id)
                .filter(|room| room.private().is_some() || self.turning.iter().any(|t| t.quick == room.id))
            else {
                continue;
            };
            let session = self.links.get_mut(&room.relay).and_then(Link::session);
            room.due(session, cx);
        }
    }

    /// Does what is due at the account's relays.
    pub(super) fn accounts_due(&mut self, cx: &mut Cx<'_>) {
        self.place_channels(cx);
        self.accounts.hold_tickets();
        let ids: Vec<ChannelId> = self.accounts.channels.keys().copied().collect();
        for id in ids {
            let Some(channel) = self.accounts.channels.get_mut(&id) else { continue };
            if let Some(session) = self.links.get_mut(&channel.relay).and_then(Link::session) {
                channel.due(session, cx);
            }
        }
        let home = self.accounts.channels.values().find(|c| matches!(c.stored.purpose, Purpose::Account(_)));
        if let Some(session) = home.map(|c| c.relay).and_then(|r| self.links.get_mut(&r)).and_then(Link::session) {
            self.accounts.write_log(session, cx);
            self.accounts.log_blobs_due(session, cx);
            self.accounts.history_due(session, cx);
            self.accounts.say_farewell(session, cx);
            self.accounts.fill_shelf(session, cx);
        }
        self.bring_past(cx);
        self.jobs_due(cx);
        self.accounts.look_whether_made(cx);
        self.accounts.answer_written(cx);
        self.answer_rooms(cx);
        self.sync(cx);
    }

    fn jobs_due(&mut self, cx: &mut Cx<'_>) {
        let ready = self.accounts.ready_to_post() || self.accounts.own.is_none();
        let ids: Vec<JobId> = self.accounts.jobs.keys().copied().collect();
        let mut flying = std::collections::BTreeMap::<RelayId, usize>::new();
        for id in ids {
            if let Some(job) = self.accounts.jobs.get_mut(&id) {
                job.ripen(cx.now);
            }
            if self.accounts.waits_for_door(id) {
                continue;
            }
            let Some(job) = self.accounts.jobs.get_mut(&id) else { continue };
            // Letters carry tickets of ours, which our other devices must know, and the relay, before anybody uses them.
            if matches!(job.stored.act, Act::Post { .. }) && !ready {
                continue;
            }
            let count = flying.entry(job.relay).or_default();
            *count = count.saturating_add(1);
            if *count > JOBS_IN_FLIGHT {
                continue;
            }
            if let Some(link) = self.links.get_mut(&job.relay) {
                let address = link.address.clone();
                if let Some(session) = link.session() {
                    job.due(&address, session, cx);
                }
            }
        }
    }

    /// Answers who waits for a room to be made, or for a link to be known.
    fn answer_rooms(&mut self, cx: &mut Cx<'_>) {
        let made: Vec<RoomId> = self.accounts.rooms_awaited();
        for id in made {
            if self.rooms.get(&id).is_some_and(Room::made) {
                self.accounts.answer(&Waits::Room(id), None, cx);
            }
        }
        self.answer_links(cx);
        self.turn_private(cx);
    }

    fn sync(&mut self, cx: &mut Cx<'_>) {
        let quiet =
            self.rooms.values().all(|r| r.stopped().is_some() || (r.read_all() && r.all_said()) || r.is_waiting());
        let offline = self.links.values_mut().find_map(|link| match link.view() {
            crate::link::LinkView::Offline { why, .. } => Some(why.to_owned()),
            _ => None,
        });
        self.accounts.synced(quiet, offline.as_deref(), cx);
    }

    /// What we see of private rooms, for letters.
    pub(super) fn note_sights(&mut self) {
        for id in &self.touched {
            let sight = self.rooms.get(id).and_then(Room::private).and_then(|p| Some((p.accounts(), p.sight()?)));
            match sight {
                Some(sight) => self.accounts.sights.insert(*id, sight),
                None => self.accounts.sights.remove(id),
            };
        }
    }
}
