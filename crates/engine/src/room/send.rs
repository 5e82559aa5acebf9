//! Sending: a letter's bytes are fixed once and kept before they are sent; a failed one can be tried again, as a new letter.
//!
//! It does not know when and how often the bytes travel: that is the outbox's.

use estoile_seal::letter::{Letter as SealLetter, WriteError, Written};
use estoile_seal::mimi;
use estoile_seal::transcript::{Observed, Outcome};
use estoile_wire::Millis;
use estoile_wire::limits::MAX_TTL_SECONDS;

use super::Room;
use super::lock::Lock;
use super::outbox::MAX_OUTBOX;
use crate::command::{Answer, CommandError};
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::stored::{StoredLetter, StoredState, encode};
use crate::turn::CommandId;
use crate::view::LetterId;

/// A text to send, and who is waiting for its letter's id.
#[derive(Debug)]
pub(crate) struct SendJob {
    pub(crate) id: CommandId,
    pub(crate) text: String,
    pub(crate) ttl: Option<Option<u64>>,
    pub(crate) at: Millis,
}

impl Room {
    /// A face wants to send a text.
    pub(crate) fn send(&mut self, job: SendJob, cx: &mut Cx<'_>) {
        let waiting = self.outbox.len().saturating_add(self.waiting.len());
        let refusal = if let Some(why) = &self.progress.stopped {
            Some(CommandError::Stopped(why.clone()))
        } else if self.lock.log().is_none() {
            let why = "you knocked at this room and were not let in yet; send when you are in";
            Some(CommandError::Private(why.to_owned()))
        } else if job.text.trim().is_empty() {
            Some(CommandError::Empty)
        } else if job.text.len() > crate::MAX_TEXT {
            Some(CommandError::TooLong { bytes: job.text.len(), limit: crate::MAX_TEXT })
        } else if waiting >= MAX_OUTBOX {
            Some(CommandError::OutboxFull { waiting })
        } else {
            None
        };
        match refusal {
            Some(error) => cx.answer(job.id, Err(error)),
            // Letters need parents, and the newest have not been read yet.
            None if !self.progress.caught_up => self.waiting.push_back(job),
            None => self.write_job(job, cx),
        }
    }

    /// The past was read: what waited for it is written.
    pub(super) fn write_waiting(&mut self, cx: &mut Cx<'_>) {
        while let Some(job) = self.waiting.pop_front() {
            self.write_job(job, cx);
        }
    }

    /// The room can't go on: nobody waits for nothing.
    pub(super) fn refuse_waiting(&mut self, why: &str, cx: &mut Cx<'_>) {
        while let Some(job) = self.waiting.pop_front() {
            cx.answer(job.id, Err(CommandError::Stopped(why.to_owned())));
        }
    }

    fn write_job(&mut self, job: SendJob, cx: &mut Cx<'_>) {
        let answer = self.ttl_of(job.ttl).and_then(|ttl| self.write(Some(&job.text), ttl, job.at, cx));
        cx.answer(job.id, answer.map(Answer::Letter));
    }

    fn ttl_of(&self, asked: Option<Option<u64>>) -> Result<Option<u32>, CommandError> {
        let max = self.progress.max_ttl.unwrap_or(MAX_TTL_SECONDS);
        let seconds = match asked {
            Some(Some(ttl)) if ttl > max => return Err(CommandError::TtlTooLong { max }),
            Some(ttl) => ttl,
            None => self.default_ttl().map(|ttl| ttl.min(max)),
        };
        Ok(seconds.map(|ttl| u32::try_from(ttl.clamp(1, MAX_TTL_SECONDS)).unwrap_or(u32::MAX)))
    }

    /// What a letter gets that has no time to live of its own: what somebody chose, else the room's own maximum.
    pub(super) fn default_ttl(&self) -> Option<u64> {
        let own_max = self.progress.max_ttl.filter(|_| self.progress.own_max);
        if self.stored.ttl_chosen { self.stored.ttl } else { own_max }
    }

    /// A beat lives as long as our letters do.
    pub(super) fn beat_ttl(&self) -> Option<u32> {
        self.ttl_of(None).unwrap_or_default()
    }

    /// Fixes a letter's bytes, keeps them, and puts them into the outbox. Without text it is a beat.
    pub(super) fn write(
        &mut self,
        text: Option<&str>,
        ttl: Option<u32>,
        at: Millis,
        cx: &mut Cx<'_>,
    ) -> Result<LetterId, CommandError> {
        let content = text.map(|text| {
            let mut salt = [0; 16];
            cx.rng.fill_bytes(&mut salt);
            mimi::text(text, salt)
        });
        self.write_what(content, text, ttl, at, cx)
    }

    /// The same for what is no plain text; `text` is what it shows.
    pub(super) fn write_content(
        &mut self,
        content: mimi::Content,
        text: Option<&str>,
        ttl: Option<u32>,
        at: Millis,
        cx: &mut Cx<'_>,
    ) -> Result<LetterId, CommandError> {
        self.write_what(Some(content), text, ttl, at, cx)
    }

    fn write_what(
        &mut self,
        content: Option<mimi::Content>,
        text: Option<&str>,
        ttl: Option<u32>,
        at: Millis,
        cx: &mut Cx<'_>,
    ) -> Result<LetterId, CommandError> {
        let letter = SealLetter {
            content,
            counter: self.transcript.next_counter(),
            parents: self.transcript.parents(cx.now),
            sent_at: at,
            ttl,
            name: self.stored.own_name.clone(),
            sender: self.own,
            private: None,
        };
        let (letter, written) = self.fix(letter, text.map_or(0, str::len))?;
        let epoch = self.lock.epoch();
        let outcome = self.transcript.wrote(&observed(&letter, written.hash(), text.is_some(), false, epoch), cx.now);
        let mut stored = stored_letter(&letter, &written, text.map(str::to_owned), &outcome, StoredState::Sending);
        if self.is_private() {
            stored.account = self.devices.get(&self.own).copied();
            stored.epoch = Some(epoch);
        }
        self.heard(self.own, &letter.name, at, cx);
        let letter = self.keep_letter(stored, cx);
        cx.out.changes.put(names::numbered(self.id, Tag::Outbox, letter.seq), encode(&0_u8));
        self.outbox.push(letter.seq, written);
        let id = letter.id();
        self.show(letter, &[], cx);
        self.apply(&outcome, cx);
        Ok(id)
    }

    /// Fixes a letter's bytes for this kind of room. What comes back has our name, also where the bytes have none.
    fn fix(&mut self, mut letter: SealLetter, bytes: usize) -> Result<(SealLetter, Written), CommandError> {
        let too_long = CommandError::TooLong { bytes, limit: crate::MAX_TEXT };
        let outside =
            || CommandError::Private("this device is not in the room (any more); ask to be let in".to_owned());
        match &self.lock {
            Lock::Quick { keys, sender } => {
                let written = letter.write(sender, &keys.log_id()).map_err(|e| match e {
                    WriteError::BadName => CommandError::BadName,
                    _ => too_long,
                })?;
                Ok((letter, written))
            }
            Lock::Private(private) => {
                let log = private.log();
                letter.name = String::new();
                letter.private = Some(self.say_private(letter.content.is_none()).ok_or_else(outside)?);
                let written = letter.write_private(&log).map_err(|_| too_long)?;
                letter.name.clone_from(&self.stored.own_name);
                Ok((letter, written))
            }
            Lock::Outside(_) => Err(outside()),
        }
    }

    /// Tries a failed letter again, as a new one: its counter was given up.
    pub(crate) fn retry(&mut self, id: LetterId, cx: &mut Cx<'_>) -> Result<LetterId, CommandError> {
        let failed = self.timeline.get(&id.0).filter(|l| matches!(l.stored.state, StoredState::Failed(_)));
        let (text, ttl) = match failed.map(|l| (l.stored.text.clone(), l.stored.ttl)) {
            Some((Some(text), ttl)) => (text, ttl),
            _ => return Err(CommandError::NoSuchLetter),
        };
        let ttl = self.ttl_of(Some(ttl.map(u64::from))).or_else(|_| self.ttl_of(None))?;
        let new = match self.carried(&id.0) {
            Some(content) => self.write_content(content, Some(&text), ttl, cx.now, cx)?,
            None => self.write(Some(&text), ttl, cx.now, cx)?,
        };
        self.remove_letter(&id.0, cx);
        Ok(new)
    }

    /// Takes a letter back that the relay was not asked to keep, or did not take.
    pub(crate) fn discard(&mut self, id: LetterId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let letter = self.timeline.get(&id.0).ok_or(CommandError::NoSuchLetter)?;
        match letter.stored.state {
            StoredState::Failed(_) => {}
            StoredState::Sending => {
                // Once it is on its way it can't be taken back.
                let seq = self.outbox.discard(&id.0).ok_or(CommandError::NoSuchLetter)?;
                cx.delete(names::numbered(self.id, Tag::Outbox, seq));
                self.transcript.gave_up(&id.0, cx.now);
            }
            StoredState::Kept | StoredState::Seen(_) => return Err(CommandError::NoSuchLetter),
        }
        self.remove_letter(&id.0, cx);
        Ok(())
    }
}

/// What the transcript needs of a letter.
pub(super) fn observed(letter: &SealLetter, hash: [u8; 32], shows: bool, expected: bool, epoch: u64) -> Observed<'_> {
    Observed {
        hash,
        sender: letter.sender,
        counter: letter.counter,
        epoch,
        sent_at: letter.sent_at,
        ends_at: letter.ends_at(),
        parents: if estoile_wire::weak::is("parents") { &[] } else { &letter.parents },
        shows,
        expected,
    }
}

/// A letter as the vault keeps it. Only our own keep their bytes: only their author may send them again.
pub(super) fn stored_letter(
    letter: &SealLetter,
    written: &Written,
    text: Option<String>,
    outcome: &Outcome,
    state: StoredState,
) -> StoredLetter {
    StoredLetter {
        hash: written.hash(),
        sender: letter.sender,
        name: letter.name.clone(),
        text,
        sent_at: letter.sent_at,
        ttl: letter.shown_for(),
        cursor: None,
        place_time: outcome.place.map_or(letter.sent_at, |p| p.time),
        place_step: outcome.place.map_or(0, |p| p.step),
        state,
        written: Some(written.to_bytes()),
        kept_at: None,
        account: None,
        epoch: None,
    }
}
