//! What the group tells its user: names, notices, and why it stops.

use estoile_mls::MlsError;
use estoile_wire::PublicKey;

use super::stored::StoredStop;
use super::{AccountId, Private, Taken, hex};
use crate::board::Draft;
use crate::book::Book;
use crate::command::{Answer, CommandError};
use crate::notice::NoticeKind;
use crate::out::Cx;

pub(super) const ADVICE_MOVE: &str = "An owner or admin moves the room: the same people, less who did this, in a new one; until then nothing more is sent here.";
pub(super) const ADVICE_SPLIT: &str = "Ask the others in another way what they see; then an owner or admin moves the room, to another relay if it goes on.";
pub(super) const ADVICE_COPIED: &str = "Nothing more is sent with this device's keys here. Ask for new ones (estoile room refresh): the device knocks, and comes back as soon as anybody's there is online.";
pub(super) const ADVICE_LOOK: &str = "Ask them in another way whether their account is new, and verify them again; the room goes on when you have looked.";
pub(super) const ADVICE_RELAY: &str = "The relay, or somebody who has the room's keys, made it; what you see stays right. Tell the relay's owner if it goes on.";
pub(super) const ADVICE_CLOCK: &str = "Set this machine's clock right: the room goes on by itself. If it is right, somebody else's is wrong: ask who added whom.";
pub(super) const ADVICE_NONE: &str = "If you did not expect this, ask them some other way.";
pub(super) const ADVICE_OUT: &str = "What was said stays here to be read; ask an owner or admin if this was not meant.";
pub(super) const ADVICE_FULL: &str = "Remove devices and people who are no longer there, or part the room.";
pub(super) const ADVICE_BROKEN: &str =
    "Start the program again: it goes on from what it has kept. If that does not help, ask to be let in again.";

/// A name among the group's: as the user's contacts have it, or as the leaf says, marked where two share one.
impl Private {
    /// What to show for an account: marked `Alice·7f3a` when another member has the name too.
    pub(super) fn shown(&self, account: &AccountId) -> String {
        let Some(name) = self.tree.names.get(account) else { return hex(account).chars().take(8).collect() };
        let twice = self.tree.names.iter().any(|(other, theirs)| other != account && theirs == name);
        if twice { format!("{name}·{}", hex(account).chars().take(4).collect::<String>()) } else { name.clone() }
    }

    /// Whom a sentence is about.
    pub(super) fn who(&self, account: &AccountId, book: &Book) -> String {
        if *account == self.me.account {
            return "you".to_owned();
        }
        match book.contact(account) {
            Some(contact) if !self.tree.names.contains_key(account) => contact.name.clone(),
            _ => self.shown(account),
        }
    }

    pub(super) fn tell(
        &self,
        kind: NoticeKind,
        detail: impl Into<String>,
        advice: &'static str,
        about: Option<&AccountId>,
        cx: &mut Cx<'_>,
    ) {
        let mut draft = Draft::new(Some(self.room), kind, detail, advice);
        if let Some(account) = about {
            let name = self.name_of(account).unwrap_or_default();
            draft = draft.about(PublicKey(*account), &name);
        }
        cx.tell(draft);
    }

    /// Something in the log that is not ours to believe.
    pub(super) fn forged(&self, detail: &str, by: Option<&AccountId>, cx: &mut Cx<'_>) -> Taken {
        self.tell(NoticeKind::Forged, detail, ADVICE_RELAY, by, cx);
        Taken::Nothing
    }

    /// The room can't go on.
    pub(super) fn stop(
        &mut self,
        kind: NoticeKind,
        why: &str,
        advice: &'static str,
        by: Option<&AccountId>,
        cx: &mut Cx<'_>,
    ) -> Taken {
        if let Some(stop) = &self.state.stopped {
            return Taken::Stopped(stop.why.clone());
        }
        self.tell(kind, why, advice, by, cx);
        self.state.stopped = Some(StoredStop {
            why: why.to_owned(),
            look: kind == NoticeKind::Contact,
            back: Some(kind == NoticeKind::Copied),
        });
        self.held = None;
        self.answer_all(&format!("the room has stopped: {why}"), cx);
        Taken::Stopped(why.to_owned())
    }

    /// A record of our own device that this vault never wrote: stopped, and told.
    pub(crate) fn copied(&mut self, cx: &mut Cx<'_>) -> String {
        let why = "this device has said something in this room that this vault does not know: the vault was copied, or restored from an old backup";
        match self.stop(NoticeKind::Copied, why, ADVICE_COPIED, None, cx) {
            Taken::Stopped(why) => why,
            _ => why.to_owned(),
        }
    }

    /// The group's library failed: what it holds in memory is not to be trusted, and not kept.
    pub(super) fn library(&mut self, error: &MlsError, cx: &mut Cx<'_>) -> Taken {
        let why = format!("this device's part in the room's keys failed ({error})");
        let draft = Draft::new(Some(self.room), NoticeKind::Vault, why.clone(), ADVICE_BROKEN);
        cx.tell(draft);
        self.broken = Some(why.clone());
        Taken::Stopped(why)
    }

    /// Every command that waits here is answered with the same error; the wishes are given up.
    pub(super) fn answer_all(&mut self, why: &str, cx: &mut Cx<'_>) {
        for stored in core::mem::take(&mut self.state.intents) {
            self.give_up(stored.id, stored.kind == 0, stored.token, &CommandError::Private(why.to_owned()), cx);
        }
    }

    /// A wish is impossible.
    pub(super) fn give_up(&mut self, id: u64, add: bool, token: u64, why: &CommandError, cx: &mut Cx<'_>) {
        self.state.intents.retain(|stored| stored.id != id);
        for command in self.answers.remove(&id).unwrap_or_default() {
            cx.answer(command, Err(why.clone()));
        }
        if add {
            self.news.push(super::News::AddFailed { token, why: why.to_string() });
        }
    }

    /// A wish is fulfilled.
    pub(super) fn fulfil(&mut self, id: u64, cx: &mut Cx<'_>) {
        let add = self.state.intents.iter().find(|stored| stored.id == id && stored.kind == 0);
        if let Some(stored) = add {
            self.news.push(super::News::Added { token: stored.token });
        }
        self.state.intents.retain(|stored| stored.id != id);
        for command in self.answers.remove(&id).unwrap_or_default() {
            cx.answer(command, Ok(Answer::Done));
        }
    }
}
