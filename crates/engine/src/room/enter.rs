//! How private rooms begin here: founded by us, joined with a Welcome, waited for at a door, entered at last.

use estoile_seal::transcript::Transcript;
use estoile_wire::{Cursor, PublicKey};

use super::Room;
use super::attach::Attach;
use super::lock::Lock;
use super::past::FREE;
use super::sealed::Sealed;
use crate::command::RelayAddress;
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::private::Private;
use crate::stored::{Progress, StoredCreate, StoredPrivate, StoredRoom};
use crate::view::{RelayId, RoomId};

/// How a private room that we found is to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewPrivate {
    /// The time to live of letters sent from here, seconds.
    pub(crate) ttl: Option<u64>,
    /// Seconds that the log's records may live; 0: the relay's maximum.
    pub(crate) max_ttl: u64,
    /// The relay's entry code.
    pub(crate) entry: Option<Vec<u8>>,
    pub(crate) sociable: bool,
}

impl Room {
    /// A room that we found: its log is made as soon as its relay is there.
    pub(crate) fn found_private(
        id: RoomId,
        relay: RelayId,
        address: &RelayAddress,
        private: Private,
        new: NewPrivate,
        cx: &mut Cx<'_>,
    ) -> Self {
        let mut room = Self::waiting(id, relay, address, private.name(), new.sociable, cx);
        room.stored.ttl = new.ttl;
        room.stored.ttl_chosen = new.ttl.is_some();
        room.stored.create = Some(StoredCreate { max_ttl: new.max_ttl, entry: new.entry });
        room.become_member(private, None, cx);
        room
    }

    /// A room that a Welcome has led into, whose commit stands at this place of the log.
    pub(crate) fn join_private(
        id: RoomId,
        relay: RelayId,
        address: &RelayAddress,
        private: Private,
        after: Cursor,
        sociable: bool,
        cx: &mut Cx<'_>,
    ) -> Self {
        let mut room = Self::waiting(id, relay, address, private.name(), sociable, cx);
        room.become_member(private, Some(after), cx);
        room
    }

    /// A room at whose door we knocked: its log is not known yet.
    pub(crate) fn waiting_private(
        id: RoomId,
        relay: RelayId,
        address: &RelayAddress,
        name: &str,
        sociable: bool,
        cx: &mut Cx<'_>,
    ) -> Self {
        let room = Self::waiting(id, relay, address, name, sociable, cx);
        room.keep_opening(cx);
        room
    }

    fn waiting(id: RoomId, relay: RelayId, address: &RelayAddress, name: &str, sociable: bool, cx: &Cx<'_>) -> Self {
        let stored = StoredRoom {
            host: address.host.clone(),
            port: address.port,
            tls: address.tls,
            pin: address.pin,
            name: name.to_owned(),
            own_name: String::new(),
            secret: [0; 32],
            passphrase: false,
            sender_seed: [0; 32],
            ttl: None,
            create: None,
            newest: None,
            sociable,
            joined: cx.now,
            ttl_chosen: false,
            private: Some(StoredPrivate::default()),
        };
        Self::outside(id, relay, stored)
    }

    /// Lets us in: a room that waited, or one that we were out of. Its route is its log's from now on.
    pub(crate) fn enter(&mut self, private: Private, after: Cursor, cx: &mut Cx<'_>) {
        // What was written before has a number that a copy of this vault may have used too.
        for hash in self.outbox.hashes() {
            let why = "this device got new keys for the room before the relay had it; send it again".to_owned();
            self.fail(&hash, why, cx);
        }
        self.become_member(private, Some(after), cx);
    }

    /// The room goes on in another log, with another group, maybe at another relay: what was said stays. `new`: we have made
    /// it; else `after` is where the Welcome's commit stands. Its relay and route are to be found anew.
    pub(crate) fn go_on(
        &mut self,
        private: Private,
        address: &RelayAddress,
        (new, after): (Option<NewPrivate>, Option<Cursor>),
        cx: &mut Cx<'_>,
    ) {
        for hash in self.outbox.hashes() {
            self.fail(&hash, "the room has moved before the relay had it; send it again".to_owned(), cx);
        }
        self.offline();
        self.relay = RelayId(u32::MAX);
        let s = &mut self.stored;
        (s.host, s.port, s.tls, s.pin) = (address.host.clone(), address.port, address.tls, address.pin);
        s.create = new.map(|new| StoredCreate { max_ttl: new.max_ttl, entry: new.entry });
        self.become_member(private, after, cx);
    }

    /// `after`: where the Welcome's commit stands; none: we have made the group, and the log is to be made.
    fn become_member(&mut self, private: Private, after: Option<Cursor>, cx: &mut Cx<'_>) {
        let own = private.me().device.public();
        let log = private.log();
        let before = self.stored.private.clone().unwrap_or_default();
        // Who comes back with the same device goes on counting where it was: two letters under one number are a lie.
        if before.own != Some(own) || before.log != Some(log) {
            self.own = own;
            self.transcript = Transcript::new(own, 0);
            self.transcript.set_sociable(self.stored.sociable);
            cx.out.changes.clear(names::kind(self.id, Tag::Transcript));
            self.progress = Progress {
                next_seq: self.progress.next_seq,
                read_seq: self.progress.read_seq,
                first_seq: self.progress.first_seq,
                next_person: self.progress.next_person,
                next_held: self.progress.next_held,
                next_sealed: self.progress.next_sealed,
                ..Progress::default()
            };
        }
        self.progress.stopped = None;
        self.progress.out = None;
        self.progress.copied = false;
        if let Some(after) = after {
            self.progress.cursor = after;
            self.progress.floor = Some(after);
            self.progress.epoch_from = Some(after);
        }
        self.transcript.set_first_epoch(private.epoch());
        if after.is_some() {
            self.transcript.begin_run(private.epoch());
        }
        self.stored.private =
            Some(StoredPrivate { log: Some(log), account: Some(private.me().account), own: Some(own) });
        self.stored.name = private.name().to_owned();
        self.stored.own_name.clone_from(&private.me().name);
        self.keep_opening(cx);
        self.sealed = Sealed::default();
        // The group that we were in before, if any, has left its entries: the two must not be read as one.
        for tag in [Tag::Sealed, Tag::Group, Tag::Pending] {
            cx.out.changes.clear(names::kind(self.id, tag));
        }
        self.lock = Lock::Private(Box::new(private));
        self.leaves.clear();
        self.learn_leaves(cx);
        self.commits.decided();
        self.views.changed();
        self.attach = Attach::Out;
        self.read_up = false;
        self.people.changed = true;
    }

    /// A private room without a group.
    fn outside(id: RoomId, relay: RelayId, stored: StoredRoom) -> Self {
        let nobody = PublicKey([0; 32]);
        let progress = Progress::default();
        let mut room = Self::with(id, relay, stored, progress, Lock::Outside(None), Transcript::new(nobody, 0), nobody);
        room.progress.next_seq = FREE;
        room.progress.read_seq = FREE;
        room.progress.first_seq = Some(FREE);
        room
    }
}
