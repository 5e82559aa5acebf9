//! The promises, checked when the trouble is over.

use std::collections::{BTreeMap, BTreeSet};

use estoile_engine::{ConnectionView, DeliveryState, LetterId, MessageView, NoticeKind, RoomSnapshot};
use estoile_hub::store::{Reader as _, Store as _};
use estoile_wire::Millis;

use crate::disk::holds;
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
];
/// Ends of life this near may be over by one clock and not by another.
const NEAR: Millis = 120_000;

impl World {
    /// What each client shows in the end.
    fn snapshots(&self) -> Result<Vec<RoomSnapshot>, String> {
        let one = |index: usize| {
            let client = self.clients.get(index).ok_or("no such member")?;
            client.snapshot().ok_or_else(|| format!("member {index} has no room"))
        };
        (0..self.clients.len()).map(one).collect()
    }

    /// Whether a message surely lives, by everybody's clock.
    pub(crate) fn lives(&self, message: &MessageView) -> bool {
        message.ends_at.is_none_or(|end| end > self.now.saturating_add(NEAR))
    }

    /// After healing.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let snapshots = self.snapshots()?;
        for (index, snapshot) in snapshots.iter().enumerate() {
            let at = |what: String| format!("member {index}: {what}");
            if snapshot.room.connection != ConnectionView::Online || snapshot.room.stopped.is_some() {
                return Err(at(format!("is not online: {:?} {:?}", snapshot.room.connection, snapshot.room.stopped)));
            }
            self.check_screen(index, snapshot).map_err(at)?;
            self.check_order(snapshot).map_err(at)?;
            self.check_notices(index).map_err(at)?;
        }
        self.check_agreement(&snapshots)?;
        self.check_kept(&snapshots)?;
        self.check_said(&snapshots)?;
        self.check_secrecy()
    }

    /// The face that followed the events shows what the engine has; nothing twice.
    fn check_screen(&self, index: usize, snapshot: &RoomSnapshot) -> Result<(), String> {
        let face = self.clients.get(index).map(|c| &c.face).ok_or("no such member")?;
        let texts: BTreeSet<&str> = snapshot.messages.iter().map(|m| m.text.as_str()).collect();
        if texts.len() != snapshot.messages.len() {
            return Err("a text is there twice".to_owned());
        }
        let engine: Vec<LetterId> = snapshot.messages.iter().map(|m| m.id).collect();
        if face.screen() == engine.as_slice() {
            return Ok(());
        }
        let name = |id: &LetterId| {
            let message = face.message(id).or_else(|| snapshot.messages.iter().find(|m| m.id == *id));
            message.map_or("?", |m| number(&m.text)).to_owned()
        };
        let shown: Vec<String> = face.screen().iter().map(name).collect();
        let has: Vec<String> = engine.iter().map(name).collect();
        Err(format!("the screen shows {shown:?} and the engine has {has:?}"))
    }

    /// Each sender's messages in the order in which they were said.
    fn check_order(&self, snapshot: &RoomSnapshot) -> Result<(), String> {
        let mut last: BTreeMap<&str, &str> = BTreeMap::new();
        for message in &snapshot.messages {
            let before = last.insert(message.key.as_str(), message.text.as_str());
            if before.is_some_and(|before| before >= message.text.as_str()) {
                return Err(format!("{} stands after {}", number(&message.text), before.map_or("", number)));
            }
        }
        Ok(())
    }

    fn check_notices(&self, index: usize) -> Result<(), String> {
        let face = self.clients.get(index).map(|c| &c.face).ok_or("no such member")?;
        let blame = face.notices.values().find(|n| BLAME.contains(&n.kind));
        blame.map_or(Ok(()), |n| Err(format!("is told {:?} of honest members: {}", n.kind, n.detail)))
    }

    /// All show the same in the same order.
    fn check_agreement(&self, snapshots: &[RoomSnapshot]) -> Result<(), String> {
        let failed: BTreeSet<LetterId> = self.clients.iter().flat_map(|c| c.face.failed.iter().copied()).collect();
        let mut first: Option<Vec<&str>> = None;
        for (index, snapshot) in snapshots.iter().enumerate() {
            let living = snapshot.messages.iter().filter(|m| self.lives(m) && !failed.contains(&m.id));
            let texts: Vec<&str> = living.map(|m| number(&m.text)).collect();
            match &first {
                None => first = Some(texts),
                Some(first) if *first == texts => {}
                Some(first) => {
                    return Err(format!("member 0 shows {first:?}\nand member {index} shows {texts:?}"));
                }
            }
        }
        Ok(())
    }

    /// What was reported kept is with everybody, unless its time is over.
    fn check_kept(&self, snapshots: &[RoomSnapshot]) -> Result<(), String> {
        let there: Vec<BTreeMap<LetterId, &MessageView>> =
            snapshots.iter().map(|s| s.messages.iter().map(|m| (m.id, m)).collect()).collect();
        let ended = self.ended_by_ttl();
        for client in &self.clients {
            for id in client.face.kept.iter().filter(|id| !ended.contains(*id)) {
                if let Some(without) = there.iter().position(|t| !t.contains_key(id)) {
                    let text = client.face.texts.get(id).map_or("?", |text| number(text));
                    return Err(format!(
                        "{text} of member {} was reported kept and member {without} has it not",
                        client.index
                    ));
                }
            }
        }
        Ok(())
    }

    /// Letters that were given a time to live.
    pub(crate) fn ended_by_ttl(&self) -> BTreeSet<LetterId> {
        let brief: BTreeSet<&str> = self.said.values().filter(|s| s.brief).map(|s| s.text.as_str()).collect();
        let shown = self.clients.iter().flat_map(|c| c.face.texts.iter());
        shown.filter(|(_, text)| brief.contains(text.as_str())).map(|(id, _)| *id).collect()
    }

    /// Every letter that an engine promised to send was sent, and is kept.
    fn check_said(&self, snapshots: &[RoomSnapshot]) -> Result<(), String> {
        for said in self.said.values() {
            let (Some(Ok(letter)), false) = (&said.letter, said.brief) else { continue };
            let own = snapshots.get(said.client).and_then(|s| s.messages.iter().find(|m| m.id == *letter));
            let state = own.map(|m| &m.state);
            if !matches!(state, Some(DeliveryState::Kept | DeliveryState::Seen { .. })) {
                return Err(format!("member {} wrote {} and it is {state:?}", said.client, number(&said.text)));
            }
        }
        Ok(())
    }

    /// Nothing of what was said lies or travels in the clear.
    pub(crate) fn check_secrecy(&mut self) -> Result<(), String> {
        let needles = self.clear_texts();
        if self.leaked {
            return Err("a frame carried something in the clear".to_owned());
        }
        if let Some(client) = self.clients.iter().find(|c| c.disk().contains(&needles)) {
            return Err(format!("the disk of member {} holds something in the clear", client.index));
        }
        let now = self.now;
        let hub = self.hub.as_mut().ok_or("the relay is down")?;
        let reader = hub.store().reader();
        for log in reader.logs().map_err(|e| e.to_string())? {
            let page = reader.read(&log.meta.id, 0, now, usize::MAX, usize::MAX).map_err(|e| e.to_string())?;
            if page.records.iter().any(|r| holds(&r.body, &needles)) {
                return Err("the relay holds something in the clear".to_owned());
            }
        }
        Ok(())
    }

    /// Hours later: what had an end is gone everywhere, what hadn't is seen, and still nobody is blamed.
    pub(crate) fn check_later(&mut self) -> Result<(), String> {
        self.check()?;
        let snapshots = self.snapshots()?;
        let brief = self.ended_by_ttl();
        for (index, snapshot) in snapshots.iter().enumerate() {
            if let Some(message) = snapshot.messages.iter().find(|m| brief.contains(&m.id)) {
                return Err(format!("member {index} still has {} whose time is over", number(&message.text)));
            }
            let unseen = snapshot.messages.iter().find(|m| m.own && !matches!(m.state, DeliveryState::Seen { .. }));
            if let Some(message) = unseen {
                return Err(format!(
                    "nobody has seen {} of member {index}: {:?}",
                    number(&message.text),
                    message.state
                ));
            }
        }
        let hub = self.hub.as_mut().ok_or("the relay is down")?;
        let records = hub.store().usage().records;
        let said = self.said.len() as u64;
        let brief = brief.len() as u64;
        // Beats live on: each member sends one an hour at most, and one after each start.
        let beats = 4 * self.clients.len() as u64 + self.starts();
        if records > said.saturating_sub(brief).saturating_add(beats) {
            return Err(format!("the relay holds {records} records of {said} letters, {brief} of which have ended"));
        }
        Ok(())
    }

    fn starts(&self) -> u64 {
        self.clients.iter().map(|c| c.lives).fold(0, u64::saturating_add)
    }
}

/// The number in a text.
fn number(text: &str) -> &str {
    text.strip_prefix(MARK).map_or(text, str::trim)
}
