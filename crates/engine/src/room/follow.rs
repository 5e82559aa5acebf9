//! A quick room that goes on as a private one: saying so, and hearing it.
//!
//! Whoever has the quick room's link can say it: the user is told who did, and nothing is followed without a word of theirs.

use estoile_seal::letter::Letter as SealLetter;
use estoile_seal::link::RoomLink;
use estoile_seal::mimi::Content;
use estoile_seal::moving::{self, Announcement};
use estoile_wire::LogId;

use super::Room;
use crate::board::Draft;
use crate::command::CommandError;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::stored::{StoredFollow, StoredState};
use crate::view::{DeliveryState, LetterId};

/// What such a letter shows.
const SHOWN: &str = "[this room goes on as a private room]";
const ADVICE_FOLLOW: &str =
    "If you know that they did, follow: /follow, or estoile room follow ROOM. Here everything goes on as before.";
const ADVICE_TWO: &str =
    "Ask in another way which of them is right, and for that room's link (estoile room join LINK).";
/// Private rooms take no longer life than this, seconds.
const LONGEST_S: u64 = 75 * 24 * 60 * 60;

/// What a private room has from the quick room that it was.
pub(crate) struct Turned {
    pub(crate) log: LogId,
    pub(crate) name: String,
    pub(crate) ttl: Option<u64>,
    pub(crate) max_ttl: u64,
}

impl Room {
    /// What this quick room gives to the private one that it turns into.
    pub(crate) fn to_turn(&self) -> Result<Turned, CommandError> {
        if self.is_private() {
            return Err(CommandError::Private("this is a private room already".to_owned()));
        }
        if let Some(why) = &self.progress.stopped {
            return Err(CommandError::Stopped(why.clone()));
        }
        let log = self.lock.log().ok_or(CommandError::NoSuchRoom)?;
        let own_max = self.progress.max_ttl.filter(|max| self.progress.own_max && *max <= LONGEST_S);
        let max_ttl = own_max.unwrap_or(0);
        let ttl = self.stored.ttl.filter(|ttl| self.stored.ttl_chosen && *ttl <= own_max.unwrap_or(LONGEST_S));
        Ok(Turned { log, name: self.stored.name.clone(), ttl, max_ttl })
    }

    /// Says in a quick room that it goes on as a private one; none: its past was not read yet, so ask again.
    pub(crate) fn say_turned(
        &mut self,
        signed: &[u8],
        said: &Announcement,
        cx: &mut Cx<'_>,
    ) -> Result<Option<LetterId>, CommandError> {
        if let Some(why) = &self.progress.stopped {
            return Err(CommandError::Stopped(why.clone()));
        }
        if !self.progress.caught_up {
            return Ok(None);
        }
        let mut salt = [0; 16];
        cx.rng.fill_bytes(&mut salt);
        let ttl = self.beat_ttl();
        let id = self.write_content(moving::content(signed.to_vec(), salt), Some(SHOWN), ttl, cx.now, cx)?;
        self.progress.follow = follow(said);
        Ok(Some(id))
    }

    /// How far a letter of ours has come; none: it is not at hand (any more).
    pub(crate) fn state_of(&self, id: &LetterId) -> Option<DeliveryState> {
        self.timeline.get(&id.0).map(super::timeline::Letter::state)
    }

    /// The link of the private room that this quick room turned into.
    pub(crate) fn follow(&self) -> Result<String, CommandError> {
        let why = match &self.progress.follow {
            Some(follow) if !follow.split => return Ok(follow.link.clone()),
            Some(_) => {
                "two people turned this room into two private ones; ask in another way which is right, and for its link"
            }
            None if self.is_private() => "this is a private room already",
            None => {
                "nobody has turned this room into a private one; do it yourself (estoile room private), or ask for a private room's link"
            }
        };
        Err(CommandError::Private(why.to_owned()))
    }

    /// Somebody says that this quick room goes on as a private one.
    pub(super) fn heard_turned(&mut self, letter: &SealLetter, hash: [u8; 32], cx: &mut Cx<'_>) {
        let Some(said) = letter.content.as_ref().and_then(moving::announced) else { return };
        if self.is_private() || Some(said.from.log) != self.lock.log() {
            return;
        }
        let Some(mut new) = follow(&said) else { return };
        let before = self.progress.follow.take();
        let split = before.as_ref().is_some_and(|old| old.split || old.by != new.by);
        let again = before.is_some_and(|old| old.link == new.link);
        new.split = split;
        self.progress.follow = Some(new);
        if again {
            return;
        }
        let who = self.shown(&letter.name, &letter.sender);
        let known =
            cx.book.contact(&said.by.0).map(|contact| format!(" (with the account of your contact {})", contact.name));
        let known = known.unwrap_or_default();
        let (detail, advice) = if split {
            let what = "says that this room goes on as another private room than somebody else said";
            (format!("{who}{known} {what}"), ADVICE_TWO)
        } else {
            (format!("{who}{known} has made a private room of this one, called {}", said.name), ADVICE_FOLLOW)
        };
        let draft = Draft::new(Some(self.id), NoticeKind::Moved, detail, advice);
        cx.tell(draft.about(letter.sender, &letter.name).letter(hash));
    }

    /// What a failed letter of ours carried instead of text.
    pub(super) fn carried(&self, hash: &[u8; 32]) -> Option<Content> {
        let letter = self.timeline.get(hash).filter(|l| matches!(l.stored.state, StoredState::Failed(_)))?;
        let (log, bytes) = (self.lock.log()?, letter.stored.written.as_ref()?);
        let (_, letter) = estoile_seal::letter::Written::restore(&log, self.own, bytes).ok()?;
        letter.content.filter(|content| moving::announced(content).is_some())
    }
}

fn follow(said: &Announcement) -> Option<StoredFollow> {
    let link = RoomLink {
        relay: said.relay.clone(),
        name: said.name.clone(),
        door: said.door.log,
        ticket: said.door.ticket.clone(),
        id: said.link?,
    };
    Some(StoredFollow { by: said.by.0, link: link.to_string(), split: false })
}

/// What a letter shows, if anything.
pub(super) fn shown_text(letter: &SealLetter) -> Option<String> {
    let content = letter.content.as_ref()?;
    if moving::announced(content).is_some() {
        return Some(SHOWN.to_owned());
    }
    Some(content.text()).filter(|text| !text.is_empty())
}
