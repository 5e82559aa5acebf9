//! A face: the screen of one client, as events and snapshots make it, and all that was ever told on it.

use std::collections::{BTreeMap, BTreeSet};

use estoile_engine::{DeliveryState, Event, LetterId, MessageView, Notice, RoomSnapshot};

/// What one client shows and has shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Face {
    /// In order.
    screen: Vec<LetterId>,
    messages: BTreeMap<LetterId, MessageView>,
    /// Letters of its own that were shown as kept (or seen).
    pub(crate) kept: BTreeSet<LetterId>,
    /// Letters of its own that were shown as failed.
    pub(crate) failed: BTreeSet<LetterId>,
    /// All that was ever shown.
    pub(crate) texts: BTreeMap<LetterId, String>,
    /// All notices, by id.
    pub(crate) notices: BTreeMap<u64, Notice>,
}

impl Face {
    /// The screen is made anew, as after a start.
    pub(crate) fn reload(&mut self, snapshot: RoomSnapshot) -> Result<(), String> {
        self.screen.clear();
        self.messages.clear();
        for message in snapshot.messages {
            if self.screen.contains(&message.id) {
                return Err(format!("a snapshot shows {:?} twice", message.text));
            }
            self.note(message.own, message.id, &message.state);
            self.texts.insert(message.id, message.text.clone());
            self.screen.push(message.id);
            self.messages.insert(message.id, message);
        }
        Ok(())
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Message { message, after } => {
                if self.screen.contains(&message.id) {
                    return Err(format!("{:?} is shown twice", message.text));
                }
                let at = self.place(after, &message.text)?;
                self.note(message.own, message.id, &message.state);
                self.texts.insert(message.id, message.text.clone());
                self.screen.insert(at, message.id);
                self.messages.insert(message.id, message);
            }
            Event::Moved { id, after, .. } => {
                let shown = self.screen.len();
                self.screen.retain(|s| *s != id);
                if self.screen.len() == shown {
                    return Err("a letter moves that is not on the screen".to_owned());
                }
                let what = self.texts.get(&id).cloned().unwrap_or_default();
                let at = self.place(after, &format!("moved: {what}"))?;
                self.screen.insert(at, id);
            }
            Event::State { id, state, .. } => {
                let own = self.messages.get(&id).is_none_or(|m| m.own);
                self.note(own, id, &state);
                if let Some(message) = self.messages.get_mut(&id) {
                    message.state = state;
                }
            }
            Event::Ended { id, .. } => {
                self.screen.retain(|s| *s != id);
                self.messages.remove(&id);
            }
            Event::Notice(notice) => {
                if let Some(earlier) = self.notices.insert(notice.id, notice.clone())
                    && earlier != notice
                {
                    return Err(format!("notice {} says two things", notice.id));
                }
            }
            Event::RoomGone(_) => self.screen.clear(),
            _ => {}
        }
        Ok(())
    }

    fn place(&self, after: Option<LetterId>, what: &str) -> Result<usize, String> {
        let Some(after) = after else { return Ok(0) };
        let at = self.screen.iter().position(|id| *id == after);
        at.map(|at| at.saturating_add(1)).ok_or_else(|| {
            let text = self.texts.get(&after);
            format!("{what:?} stands after a letter that is not shown ({text:?})")
        })
    }

    fn note(&mut self, own: bool, id: LetterId, state: &DeliveryState) {
        if !own {
            return;
        }
        match state {
            DeliveryState::Sending => {}
            DeliveryState::Kept | DeliveryState::Seen { .. } => {
                self.kept.insert(id);
            }
            DeliveryState::Failed { .. } => {
                self.failed.insert(id);
            }
        }
    }

    /// What is on the screen, in order.
    pub(crate) fn screen(&self) -> &[LetterId] {
        &self.screen
    }

    /// Whether a letter on the screen is its own.
    pub(crate) fn wrote(&self, id: &LetterId) -> bool {
        self.messages.get(id).is_some_and(|m| m.own)
    }

    /// A message on the screen.
    pub(crate) fn message(&self, id: &LetterId) -> Option<&MessageView> {
        self.messages.get(id)
    }
}
