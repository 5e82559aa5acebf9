//! The promises of a private room, when the trouble is over.

use std::collections::{BTreeMap, BTreeSet};

use estoile_engine::{ConnectionView, DeliveryState, LetterId, MemberView, MessageView, NoticeKind, RoomSnapshot};
use estoile_hub::store::{Reader as _, Store as _};

use super::PEOPLE;
use super::ledger::Ledger;
use super::scan::Needles;
use super::setup::name_of;
use crate::client::ROOM_NAME;
use crate::world::{MARK, World};

/// Notices that blame: never given when everybody is honest and everything comes in the end.
const BLAME: &[NoticeKind] = &[
    NoticeKind::Withheld,
    NoticeKind::Replayed,
    NoticeKind::Reordered,
    NoticeKind::Invented,
    NoticeKind::TwoFaced,
    NoticeKind::Forged,
    NoticeKind::Copied,
    NoticeKind::NameTaken,
    NoticeKind::NoRoom,
    NoticeKind::Poisoned,
    NoticeKind::Split,
];

/// What one device shows in the end.
struct Seen {
    client: usize,
    /// Behind this place it has everything.
    after: u64,
    snapshot: RoomSnapshot,
    members: Vec<MemberView>,
}

/// What all devices must agree upon of a member.
fn agreed(member: &MemberView) -> (String, String, String, u32) {
    (member.account.clone(), member.name.clone(), member.role.word().to_owned(), member.devices)
}

impl World {
    /// After healing.
    pub(super) fn check_private(&mut self) -> Result<(), String> {
        let undone = self.play()?.plots.iter().find(|plot| !plot.done);
        if let Some(plot) = undone {
            return Err(format!("never done: {plot:?}"));
        }
        let ledger = self.ledger()?;
        let mut seen = Vec::new();
        for client in 0..self.clients.len() {
            if self.play()?.out.contains_key(&client) {
                self.check_out(client, &ledger).map_err(|e| format!("member {client}: {e}"))?;
            } else if self.clients.get(client).is_some_and(|c| c.lives > 0) {
                seen.push(self.check_in(client, &ledger).map_err(|e| format!("member {client}: {e}"))?);
            }
        }
        for pair in seen.windows(2) {
            let [one, other] = pair else { continue };
            let (mut a, mut b): (Vec<_>, Vec<_>) =
                (one.members.iter().map(agreed).collect(), other.members.iter().map(agreed).collect());
            a.sort();
            b.sort();
            if a != b {
                return Err(format!("member {} sees {a:?}\nand member {} sees {b:?}", one.client, other.client));
            }
        }
        self.check_transcripts(&seen, &ledger)?;
        self.check_every_kept(&seen, &ledger)?;
        self.check_every_said(&seen)?;
        self.check_answers()?;
        self.check_sealings(&ledger)?;
        self.check_nothing_leaves()
    }

    /// A device of the room: live, in the log's epoch, with a screen that shows what the engine has; nobody is blamed.
    fn check_in(&self, index: usize, ledger: &Ledger) -> Result<Seen, String> {
        let client = self.clients.get(index).ok_or("no such member")?;
        let snapshot = client.snapshot().ok_or("has no room")?;
        let room = &snapshot.room;
        let rooms = client.engine().map(|e| e.rooms().len());
        if rooms != Some(1) {
            return Err(format!("shows {rooms:?} rooms, and there is one"));
        }
        if room.connection != ConnectionView::Online || room.stopped.is_some() {
            return Err(format!("is not online: {:?} {:?}", room.connection, room.stopped));
        }
        let private = room.private.as_ref().ok_or("the room is not private")?;
        if private.epoch != ledger.epoch {
            return Err(format!("is in epoch {} and the log in {}", private.epoch, ledger.epoch));
        }
        let members = client.room.and_then(|room| client.engine()?.members(room)).ok_or("sees no members")?;
        let stay = client.stays.last().filter(|stay| !stay.over).ok_or("was never in")?;
        let after = ledger.begin(stay.from).ok_or_else(|| format!("nobody knows where epoch {} began", stay.from))?;
        let texts: BTreeSet<&str> = snapshot.messages.iter().map(|m| m.text.as_str()).collect();
        if texts.len() != snapshot.messages.len() {
            return Err("a text is there twice".to_owned());
        }
        let has: Vec<LetterId> = snapshot.messages.iter().map(|m| m.id).collect();
        if client.face.screen() != has.as_slice() {
            return Err(format!("its screen shows {} and the engine has {}", client.face.screen().len(), has.len()));
        }
        self.check_told(index)?;
        Ok(Seen { client: index, after, snapshot, members })
    }

    fn check_told(&self, index: usize) -> Result<(), String> {
        let face = self.clients.get(index).map(|c| &c.face).ok_or("no such member")?;
        let blame = face.notices.values().find(|n| BLAME.contains(&n.kind));
        blame.map_or(Ok(()), |n| Err(format!("is told {:?} of honest members: {}", n.kind, n.detail)))
    }

    /// A device that was removed: nothing that was said after it.
    fn check_out(&self, index: usize, ledger: &Ledger) -> Result<(), String> {
        let last = self.play()?.out.get(&index).copied().ok_or("not out")?;
        let client = self.clients.get(index).ok_or("no such member")?;
        if self.is_in(index) {
            return Err("is still in the room".to_owned());
        }
        let Some(snapshot) = client.snapshot() else { return Ok(()) };
        let later = snapshot.messages.iter().find(|m| !m.own && ledger.place(&m.id).is_some_and(|at| at > last));
        later.map_or(Ok(()), |m| Err(format!("has {} that was said after its removal", number(&m.text))))
    }

    /// Everything that any two devices both must have stands in the same order at both.
    fn check_transcripts(&self, seen: &[Seen], ledger: &Ledger) -> Result<(), String> {
        let failed: BTreeSet<LetterId> = self.clients.iter().flat_map(|c| c.face.failed.iter().copied()).collect();
        let counts = |m: &&MessageView, after: u64| {
            self.lives(m) && !failed.contains(&m.id) && ledger.place(&m.id).is_some_and(|at| at > after)
        };
        for one in seen {
            for other in seen.iter().filter(|other| other.client > one.client) {
                let after = one.after.max(other.after);
                let texts = |s: &'_ Seen| -> Vec<String> {
                    let messages = s.snapshot.messages.iter().filter(|m| counts(m, after));
                    messages.map(|m| number(&m.text).to_owned()).collect()
                };
                let (a, b) = (texts(one), texts(other));
                if a != b {
                    let (only_a, only_b) = differ(&a, &b);
                    return Err(format!(
                        "members {} and {} differ: only there {only_a:?}, only here {only_b:?};\n{a:?}\n{b:?}",
                        one.client, other.client
                    ));
                }
            }
        }
        Ok(())
    }

    /// What was reported kept is on every device that was there, unless its time is over.
    fn check_every_kept(&self, seen: &[Seen], ledger: &Ledger) -> Result<(), String> {
        let ended = self.ended_by_ttl();
        for client in &self.clients {
            let out = self.play()?.out.get(&client.index);
            for id in client.face.kept.iter().filter(|id| !ended.contains(*id)) {
                let text = client.face.texts.get(id).map_or("?", |text| number(text));
                let place = ledger.place(id);
                let place = place.ok_or_else(|| format!("{text} was reported kept, and the relay has it not"))?;
                let lacks = |s: &&Seen| place > s.after && !s.snapshot.messages.iter().any(|m| m.id == *id);
                if let Some(without) = seen.iter().find(lacks) {
                    return Err(format!(
                        "{text} of member {} (out: {out:?}) was reported kept at {place} and member {} has it not",
                        client.index, without.client
                    ));
                }
            }
        }
        Ok(())
    }

    /// Every letter that an engine promised to send is kept, or its author was told why not.
    fn check_every_said(&self, seen: &[Seen]) -> Result<(), String> {
        for said in self.said.values() {
            let (Some(Ok(letter)), false) = (&said.letter, said.brief) else { continue };
            let Some(own) = seen.iter().find(|s| s.client == said.client) else { continue };
            let message = own.snapshot.messages.iter().find(|m| m.id == *letter);
            let stays = self.clients.get(said.client).map_or(0, |c| c.stays.len());
            match message.map(|m| &m.state) {
                Some(DeliveryState::Kept | DeliveryState::Seen { .. }) => {}
                // Who was out of the room for a while could not say it there.
                Some(DeliveryState::Failed { .. }) if stays > 1 => {}
                other => {
                    return Err(format!("member {} wrote {} and it is {other:?}", said.client, number(&said.text)));
                }
            }
        }
        Ok(())
    }

    /// Whoever asked and lived on was answered.
    fn check_answers(&self) -> Result<(), String> {
        let open = self.play()?.asked.values().find(|a| a.answer.is_none() && self.lives_on(a.client, a.life));
        open.map_or(Ok(()), |asked| Err(format!("never answered: {}", asked.what)))
    }

    /// No key of a ratchet was used for two things, as far as the wire shows: what was sealed once in an epoch is sent as
    /// it is, and no body stands for two things. (That each opens at the others is the transcripts' matter.)
    fn check_sealings(&self, ledger: &Ledger) -> Result<(), String> {
        self.play()?.tape.sealed_twice(&ledger.log).map_or(Ok(()), Err)
    }

    /// What no relay may ever see.
    fn needles(&self) -> Needles {
        let mut needles = Needles::default();
        needles.add("a text", MARK.as_bytes());
        needles.add("the room's name", ROOM_NAME.as_bytes());
        needles.add("a name", b"-Vermeer");
        for person in 0..PEOPLE {
            needles.add("a name", name_of(person).as_bytes());
        }
        for index in 0..self.clients.len() {
            let Some(account) = self.overview(index).and_then(|o| o.account) else { continue };
            needles.add("an account's id", &unhex(&account.id));
            for device in account.devices {
                needles.add("a device's id", &unhex(&device.id));
            }
        }
        needles
    }

    /// Nothing that the relay ever received, and nothing that it holds, says who is who or what is said.
    pub(crate) fn check_nothing_leaves(&mut self) -> Result<(), String> {
        let needles = self.needles();
        if let Some(what) = self.play()?.tape.all().find_map(|bytes| needles.find(bytes)) {
            return Err(format!("a client sent {what} in the clear"));
        }
        let now = self.now;
        let hub = self.hub.as_mut().ok_or("the relay is down")?;
        let reader = hub.store().reader();
        for log in reader.logs().map_err(|e| e.to_string())? {
            let page = reader.read(&log.meta.id, 0, now, usize::MAX, usize::MAX).map_err(|e| e.to_string())?;
            if let Some(what) = page.records.iter().find_map(|record| needles.find(&record.body)) {
                return Err(format!("the relay holds {what} in the clear"));
            }
            if let Some(what) = needles.find(format!("{:?}", log.meta).as_bytes()) {
                return Err(format!("the relay knows {what} of a log"));
            }
        }
        // The whole of it, as it describes itself: sessions, queues, shelves, tickets, blobs.
        if let Some(what) = needles.find(format!("{hub:?}").as_bytes()) {
            return Err(format!("the relay holds {what} somewhere"));
        }
        for client in &self.clients {
            if client.disk().contains(&[MARK.into(), ROOM_NAME.into(), b"-Vermeer".to_vec()]) {
                return Err(format!("the disk of member {} holds something in the clear", client.index));
            }
        }
        Ok(())
    }

    /// Hours later somebody else has seen everything.
    pub(super) fn check_seen(&self) -> Result<(), String> {
        let mut unseen: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for client in self.clients.iter().filter(|c| self.is_in(c.index)) {
            let Some(snapshot) = client.snapshot() else { continue };
            for message in snapshot.messages.iter().filter(|m| m.own) {
                // What was said right before being removed may be confirmed by the others while one is out.
                let before = client.stays.len() > 1 && matches!(message.state, DeliveryState::Kept);
                if !before && !matches!(message.state, DeliveryState::Seen { .. } | DeliveryState::Failed { .. }) {
                    let line = format!("{} {:?}", number(&message.text), message.state);
                    unseen.entry(client.index).or_default().push(line);
                }
            }
        }
        if unseen.is_empty() { Ok(()) } else { Err(format!("nobody has seen {unseen:?}")) }
    }
}

fn differ<'a>(a: &'a [String], b: &'a [String]) -> (Vec<&'a String>, Vec<&'a String>) {
    (a.iter().filter(|t| !b.contains(t)).collect(), b.iter().filter(|t| !a.contains(t)).collect())
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |n: u8, d| n.wrapping_shl(4) | d)).collect()
}

/// The number in a text.
fn number(text: &str) -> &str {
    text.strip_prefix(MARK).map_or(text, str::trim)
}
