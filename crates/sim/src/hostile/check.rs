//! What is promised under any relay, once it behaves again.

use std::collections::{BTreeMap, BTreeSet};

use estoile_engine::{Command, ConnectionView, DeliveryState, Input, LetterId, NoticeKind, RoomSnapshot};

use super::Withstood;
use crate::private::{PEOPLE, name_of, person_of};
use crate::world::{MARK, Said, World};

/// Notices that accuse a member: everybody is honest here, and no relay may make one look guilty.
const FRAMED: &[NoticeKind] = &[NoticeKind::Invented, NoticeKind::TwoFaced, NoticeKind::NameTaken, NoticeKind::Copied];
/// Notices that say that something is missing, or that the relay is not to be trusted with it.
const LOSS: &[NoticeKind] =
    &[NoticeKind::Withheld, NoticeKind::Relay, NoticeKind::NoRoom, NoticeKind::Forged, NoticeKind::Split];
/// The same, at whoever wrote it.
const UNHEARD: &[NoticeKind] = &[NoticeKind::Unseen, NoticeKind::NotSent, NoticeKind::Relay, NoticeKind::NoRoom];

/// What one client shows in the end.
struct Shown {
    client: usize,
    snapshot: RoomSnapshot,
    /// By letter: its place on the screen.
    at: BTreeMap<LetterId, usize>,
}

impl World {
    /// Everybody who still can says a last word.
    pub(super) fn last_words(&mut self) -> Result<(), String> {
        for index in 0..self.clients.len() {
            let Some(client) = self.clients.get(index).filter(|c| c.life.is_some()) else { continue };
            let Some(room) = client.room.filter(|_| self.is_inside(index)) else { continue };
            let id = self.command();
            let text = format!("{MARK} {:06} by {index}", id.0);
            self.tell(|| format!("member {index} says {:06}, a last word", id.0));
            self.said.insert(id, Said { client: index, text: text.clone(), letter: None, brief: false });
            self.hand(index, Input::Command(id, Command::Send { room, text, ttl: None }))?;
        }
        Ok(())
    }

    /// The promises.
    pub(super) fn check_hostile(&mut self) -> Result<Withstood, String> {
        let mut shown = Vec::new();
        let mut lived = Withstood { said: self.said.len() as u64, ..Withstood::default() };
        for client in &self.clients {
            lived.told = lived.told.saturating_add(client.face.notices.len() as u64);
            let at = |what: String| format!("member {}: {what}", client.index);
            self.check_foreign(client.index).map_err(at)?;
            let Some(snapshot) = client.snapshot() else { continue };
            self.check_own_screen(client.index, &snapshot).map_err(at)?;
            if let Some(why) = &snapshot.room.stopped {
                if why.trim().is_empty() {
                    return Err(at("its room stands still and does not say why".to_owned()));
                }
                lived.stopped = lived.stopped.saturating_add(1);
            } else if self.is_inside(client.index) {
                if snapshot.room.connection != ConnectionView::Online {
                    return Err(at(format!("is not online: {:?}", snapshot.room.connection)));
                }
                let at = snapshot.messages.iter().enumerate().map(|(at, m)| (m.id, at)).collect();
                shown.push(Shown { client: client.index, snapshot, at });
            }
        }
        self.check_one_order(&shown)?;
        lived.lost = self.check_losses(&shown)?;
        self.check_last_words(&shown)?;
        if self.play.is_some() {
            self.check_nothing_leaves()?
        } else {
            self.check_secrecy()?
        }
        Ok(lived)
    }

    /// Whether a client is in its room, as far as it knows.
    fn is_inside(&self, index: usize) -> bool {
        match &self.play {
            Some(_) => self.is_in(index),
            None => self.clients.get(index).is_some_and(|c| c.room.is_some()),
        }
    }

    /// All that was ever shown was said, by whom it is said to be; nobody honest was accused.
    fn check_foreign(&self, index: usize) -> Result<(), String> {
        let face = self.clients.get(index).map(|c| &c.face).ok_or("no such member")?;
        let said: BTreeSet<&str> = self.said.values().map(|s| s.text.as_str()).collect();
        if let Some(text) = face.texts.values().find(|text| !said.contains(text.as_str())) {
            return Err(format!("was shown what nobody said: {text:?}"));
        }
        let framed = face.notices.values().find(|n| FRAMED.contains(&n.kind));
        framed.map_or(Ok(()), |n| Err(format!("is told {:?} of honest members: {}", n.kind, n.detail)))
    }

    fn check_own_screen(&self, index: usize, snapshot: &RoomSnapshot) -> Result<(), String> {
        let face = self.clients.get(index).map(|c| &c.face).ok_or("no such member")?;
        let by_text: BTreeMap<&str, &Said> = self.said.values().map(|s| (s.text.as_str(), s)).collect();
        let (mut texts, mut last) = (BTreeSet::new(), BTreeMap::<&str, &str>::new());
        for message in &snapshot.messages {
            let said = by_text.get(message.text.as_str()).ok_or("shows what nobody said")?;
            let name = match &self.play {
                Some(_) => name_of(person_of(said.client)),
                None => self.clients.get(said.client).map(crate::client::Client::name).unwrap_or_default(),
            };
            if message.from != name {
                return Err(format!("shows {:?} as said by {}", message.text, message.from));
            }
            if !texts.insert(message.text.as_str()) {
                return Err(format!("shows {:?} twice", message.text));
            }
            let receipts = self.check_receipts(message.own && said.client == index, message.id, &message.state);
            receipts.map_err(|what| format!("{:?}: {what}", message.text))?;
            if self.knows_of_holes(index) {
                continue;
            }
            let before = last.insert(message.key.as_str(), message.text.as_str());
            if before.is_some_and(|before| before >= message.text.as_str()) {
                return Err(format!("shows {:?} behind {before:?}: {:?}", message.text, message.state));
            }
        }
        let engine: Vec<LetterId> = snapshot.messages.iter().map(|m| m.id).collect();
        if face.screen() == engine.as_slice() {
            return Ok(());
        }
        Err(format!("its screen shows {} messages and the engine has {}", face.screen().len(), engine.len()))
    }

    /// Nobody is said to have seen what was never before their eyes, except who was told that it is missing: a letter confirms
    /// all that stands before it, and does not say where its author knows of a hole.
    fn check_receipts(&self, own: bool, id: LetterId, state: &DeliveryState) -> Result<(), String> {
        let DeliveryState::Seen { by } = state else { return Ok(()) };
        let others = self.clients.iter().filter(|c| !(own && c.face.texts.contains_key(&id) && c.face.wrote(&id)));
        let may = others.filter(|c| c.face.texts.contains_key(&id) || self.was_told(c.index, LOSS)).count();
        if own && *by as usize > may {
            return Err(format!("a letter is seen by {by} others, and only {may} had it or know of the hole"));
        }
        Ok(())
    }

    /// What two clients both show stands in the same order, unless one was told of a hole, or that something of its own was
    /// refused, or came later: the order hangs on what stands before.
    fn check_one_order(&self, shown: &[Shown]) -> Result<(), String> {
        let whole: Vec<&Shown> =
            shown.iter().filter(|s| !self.knows_of_holes(s.client) && !self.comes_and_goes(s.client)).collect();
        for one in &whole {
            for other in whole.iter().filter(|other| other.client > one.client) {
                let mut before = None;
                for message in &one.snapshot.messages {
                    let Some(at) = other.at.get(&message.id) else { continue };
                    if before.is_some_and(|before| before > at) {
                        return Err(format!(
                            "members {} and {} show {:?} in another order",
                            one.client, other.client, message.text
                        ));
                    }
                    before = Some(at);
                }
            }
        }
        Ok(())
    }

    /// What the relay acknowledged is with everybody who was there, or its loss was told.
    fn check_losses(&self, shown: &[Shown]) -> Result<u64, String> {
        let ended = self.ended_by_ttl();
        let mut lost: u64 = 0;
        for author in shown {
            let kept = author.snapshot.messages.iter().filter(|m| {
                m.own && matches!(m.state, DeliveryState::Kept | DeliveryState::Seen { .. }) && !ended.contains(&m.id)
            });
            for message in kept {
                let without = shown.iter().filter(|other| !other.at.contains_key(&message.id));
                for other in without.filter(|other| !self.comes_and_goes(other.client)) {
                    if !self.was_told(other.client, LOSS) && !self.was_told(author.client, UNHEARD) {
                        return Err(format!(
                            "{:?} of member {} is kept, member {} has it not, and neither was told",
                            message.text, author.client, other.client
                        ));
                    }
                    lost = lost.saturating_add(1);
                }
            }
        }
        Ok(lost)
    }

    /// In a private room, who comes or comes back later has nothing of before.
    fn comes_and_goes(&self, index: usize) -> bool {
        let began = self.play.as_ref().map(|play| PEOPLE.saturating_mul(play.devices));
        let stays = self.clients.get(index).map_or(0, |c| c.stays.len());
        began.is_some_and(|began| index >= began || stays > 1)
    }

    fn knows_of_holes(&self, index: usize) -> bool {
        self.was_told(index, LOSS) || self.was_told(index, &[NoticeKind::NotSent])
    }

    fn was_told(&self, index: usize, kinds: &[NoticeKind]) -> bool {
        let face = self.clients.get(index).map(|c| &c.face);
        face.is_some_and(|face| face.notices.values().any(|n| kinds.contains(&n.kind)))
    }

    /// Everybody who is in the room has everybody's last word.
    fn check_last_words(&self, shown: &[Shown]) -> Result<(), String> {
        for author in shown {
            let last = self.said.values().rev().find(|s| s.client == author.client);
            let Some(Said { letter: Some(Ok(letter)), text, .. }) = last else { continue };
            if let Some(deaf) = shown.iter().find(|other| !other.at.contains_key(letter)) {
                return Err(format!(
                    "{text:?}, a last word of member {}, is not with member {}",
                    author.client, deaf.client
                ));
            }
        }
        Ok(())
    }
}
