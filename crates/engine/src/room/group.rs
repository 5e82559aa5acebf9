//! What a private room's log gives: the group says what a record was, and the room does what follows from it.
//!
//! It walks epoch by epoch: a commit that was merged ends the attachment, and the next one proves the next key. Nothing of
//! the log is passed over: a commit that can't be merged yet is read again after every restart.

use std::collections::BTreeMap;

use estoile_seal::account::{ChainPoint, Standing};
use estoile_seal::letter::{OpenError, Written};
use estoile_wire::frame::Record;
use estoile_wire::{Cursor, PublicKey};

use super::Room;
use super::attach::Attach;
use super::receive::Origin;
use crate::board::Draft;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::{AccountId, Incoming, Private, Taken};
use crate::view::Event;

const OUT: &str = "you are not in this room any more; what was said while you were stays here";

impl Room {
    /// A room of accounts, whether or not we are in it.
    pub(crate) const fn is_private(&self) -> bool {
        self.stored.private.is_some()
    }

    /// A private room that we knocked at and were not let into yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stored.private.as_ref().is_some_and(|p| p.own.is_none())
    }

    /// The room's group.
    pub(crate) fn private(&self) -> Option<&Private> {
        self.lock.private()
    }

    /// The room's group; whoever calls it touches the room, so that what follows is done and kept.
    pub(crate) fn private_mut(&mut self) -> Option<&mut Private> {
        self.lock.private_mut()
    }

    /// The name of a device's account, as its leaf has it; of one who is not here any more, as it was.
    pub(super) fn leaf_name(&self, sender: &PublicKey) -> String {
        let account = self.devices.get(sender);
        let named = account.and_then(|account| self.lock.private()?.name_of(account));
        let known = || self.people.name_of(&self.person(sender));
        named.unwrap_or_else(known)
    }

    pub(super) fn group_record(&mut self, record: &Record<'_>, expected: bool, cx: &mut Cx<'_>) {
        let cursor = record.cursor;
        let again = cursor <= self.progress.cursor;
        let Some(private) = self.lock.private_mut() else { return };
        let epoch = private.epoch();
        let incoming = Incoming {
            body: record.body,
            cursor,
            epoch: record.epoch,
            time: record.time,
            advance: record.advance,
            again,
        };
        // Keys of other epochs are not kept: only a second commit of one can be told.
        let taken = match record.epoch == epoch || record.advance.is_some() {
            true => private.take(&incoming, cx),
            false => Taken::Nothing,
        };
        let origin = Origin { cursor, expected: expected || again, epoch };
        self.taken(taken, origin, cx);
    }

    fn taken(&mut self, taken: Taken, origin: Origin, cx: &mut Cx<'_>) {
        let cursor = origin.cursor;
        match taken {
            Taken::Letter { sender, account, packet } => {
                self.saw_cursor(cursor);
                self.group_letter(sender, account, &packet, origin, cx);
            }
            Taken::Ours { digest, trace } => {
                self.saw_cursor(cursor);
                self.our_own(&digest, trace.as_ref(), origin, cx);
            }
            Taken::Nothing => self.saw_cursor(cursor),
            Taken::Merged => {
                self.saw_cursor(cursor);
                self.merged(cursor, cx);
            }
            Taken::Fetch(blob) => {
                self.attach = Attach::Held;
                self.commits.fetch(blob, cursor);
            }
            Taken::Waiting => {
                self.attach = Attach::Held;
                self.commits.hold(cursor);
            }
            Taken::Gone => {
                self.saw_cursor(cursor);
                self.out(cx);
            }
            Taken::Stopped(why) => self.group_stopped(&why, cx),
        }
    }

    /// What came of a commit that was held.
    pub(super) fn taken_held(&mut self, taken: Taken, cx: &mut Cx<'_>) {
        let Some(cursor) = self.commits.held() else { return };
        let origin = Origin { cursor, expected: false, epoch: self.lock.epoch() };
        match taken {
            Taken::Nothing => {}
            taken => self.taken(taken, origin, cx),
        }
    }

    fn group_letter(&mut self, sender: PublicKey, account: AccountId, packet: &[u8], origin: Origin, cx: &mut Cx<'_>) {
        let Some(log) = self.lock.log() else { return };
        self.devices.insert(sender, account);
        match Written::from_private_bytes(&log, sender, packet) {
            Ok((written, mut letter)) => {
                letter.name = self.leaf_name(&sender);
                if let Some(private) = &letter.private {
                    self.views.heard(account, &private.views);
                    let point = ChainPoint { len: private.chain_length, head: private.chain_head };
                    self.compare_chains(&account, &point, &letter.name, cx);
                }
                self.take(&letter, &written, origin, cx);
            }
            Err(error) => self.forged(error, cx),
        }
    }

    /// What a letter says of its account's chain, beside what is known of it: one of the two may be a lie.
    fn compare_chains(&self, account: &AccountId, said: &ChainPoint, name: &str, cx: &mut Cx<'_>) {
        let forked = cx.book.verified_chain(account).is_some_and(|known| known.stands_to(said) == Standing::Forked);
        if forked {
            let key = PublicKey(*account);
            let who = self.people.shown(name, &key);
            let detail =
                format!("a device of {who} knows another chain of their account than you: one of the two is forged");
            let advice = "Ask them in another way which devices they have, and compare words with them (verify) before you go on.";
            cx.tell(Draft::new(Some(self.id), NoticeKind::Split, detail, advice).about(key, name));
        }
    }

    /// A record that this device sealed: one that this vault knows, or a copy of it is at work.
    fn our_own(&mut self, digest: &[u8; 32], trace: Option<&[u8; 32]>, origin: Origin, cx: &mut Cx<'_>) {
        let Some(hash) = self.sealed.letter(digest) else {
            // One of ours that was altered on the way: a relay must not be able to make a copy appear that there is not.
            if trace.is_some_and(|trace| self.sealed.left(trace)) && !estoile_wire::weak::is("own traces") {
                self.forged(OpenError::Seal, cx);
                return;
            }
            self.copied([0; 32], cx);
            return;
        };
        self.echoed(&hash, origin.cursor, cx);
        let Some(log) = self.lock.log() else { return };
        let written = self.timeline.get(&hash).and_then(|l| l.stored.written.clone());
        let written = written.and_then(|bytes| Written::restore(&log, self.own, &bytes).ok());
        if let Some((written, mut letter)) = written {
            letter.name.clone_from(&self.stored.own_name);
            self.take_own(&letter, &written, origin, cx);
        }
    }

    /// The group stands in its next epoch, and the log with it.
    fn merged(&mut self, cursor: Cursor, cx: &mut Cx<'_>) {
        self.progress.epoch_from = Some(cursor);
        self.read_up = false;
        self.attach = Attach::Next;
        self.outbox.begin_epoch();
        self.sealed.begin_epoch(self.id, &mut self.outbox, cx);
        self.commits.decided();
        if self.rescan.take().is_some() || self.transcript_asks() {
            // What lay in the epoch that is over can't be read again: the rest is for the authors.
            self.transcript.relay_answered();
            self.show_ready(cx);
        }
        self.learn_leaves(cx);
        self.views.changed();
        let Some(private) = self.lock.private() else { return };
        let (name, own_name) = (private.name().to_owned(), private.me().name.clone());
        if self.stored.name != name || self.stored.own_name != own_name {
            self.stored.name = name;
            self.stored.own_name = own_name;
            self.keep_opening(cx);
        }
        cx.event(Event::Members(self.id));
        self.people.changed = true;
    }

    /// A reading of the log for what is missing was under way.
    const fn transcript_asks(&self) -> bool {
        self.attach.asking()
    }

    /// Who has a leaf now, and who had one until now.
    pub(super) fn learn_leaves(&mut self, cx: &Cx<'_>) {
        let Some(private) = self.lock.private() else { return };
        let now: BTreeMap<PublicKey, AccountId> = private.devices().into_iter().collect();
        for (device, account) in &now {
            if self.leaves.get(device) != Some(account) {
                self.transcript.set_account(*device, estoile_seal::account::AccountId(*account), cx.now);
            }
        }
        for device in self.leaves.keys().filter(|device| !now.contains_key(*device)) {
            self.transcript.set_gone(device);
        }
        if now.values().any(|account| !self.leaves.values().any(|before| before == account)) {
            self.progress.newcomers = Some(private.epoch());
        }
        self.devices.extend(now.iter().map(|(device, account)| (*device, *account)));
        self.leaves = now;
    }

    /// The room can't go on, and its group has told why.
    pub(super) fn group_stopped(&mut self, why: &str, cx: &mut Cx<'_>) {
        self.attach = Attach::Out;
        self.progress.stopped = Some(why.to_owned());
        self.refuse_waiting(why, cx);
    }

    /// We are no member any more.
    fn out(&mut self, cx: &mut Cx<'_>) {
        self.progress.out = Some(true);
        self.group_stopped(OUT, cx);
        for hash in self.outbox.hashes() {
            self.fail(&hash, "you left this room, or were removed from it, before the relay had it".to_owned(), cx);
        }
        cx.event(Event::Members(self.id));
    }

    /// The user has looked at what stopped the room (a contact's chain that changed): it goes on, if that was it.
    pub(crate) fn look(&mut self) -> bool {
        let ends = self.lock.private_mut().is_some_and(Private::look);
        if ends {
            self.progress.stopped = None;
        }
        ends
    }

    /// Everything that waited was read, and no commit is on its way to us.
    pub(crate) fn read_all(&self) -> bool {
        matches!(self.attach, Attach::Live) && self.read_up && self.rescan.is_none()
    }

    /// Nothing of ours waits for the relay.
    pub(crate) fn all_said(&self) -> bool {
        self.outbox.len() == 0 && self.waiting.is_empty() && !self.commits.under_way()
    }

    /// The log is there.
    pub(crate) const fn made(&self) -> bool {
        self.progress.floor.is_some()
    }
}
