//! Taking in what the log gives: open, judge the time, ask the transcript, keep, show, tell.
//!
//! Whatever a peer or the relay sends ends here as a message or as a notice, never as an error.

use estoile_seal::letter::{self, Letter as SealLetter, OpenError, Opened, Timely, Written, judge_time};
use estoile_seal::transcript::{Aside, Finding, Hash, Outcome, Verdict};
use estoile_wire::frame::Record;
use estoile_wire::{Cursor, Millis, PublicKey};

use super::Room;
use super::follow::shown_text;
use super::lock::Lock;
use super::send::{observed, stored_letter};
use crate::board::Draft;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::stored::StoredState;

const ADVICE_CLOCK: &str = "Compare this clock and the sender's with a clock that is right.";
const ADVICE_RELAY: &str =
    "The relay, or somebody on the way, does this; what you see stays right. Tell its owner if it goes on.";
const ADVICE_GUEST: &str =
    "Only somebody who has the link can make such a record; what you see stays right. If it goes on, make a new room.";
const ADVICE_ASK: &str = "Ask them in another way what they sent.";

/// Where a letter came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) cursor: Cursor,
    /// It may have been here before: the log is read again.
    pub(super) expected: bool,
    /// 0 in a quick room.
    pub(super) epoch: u64,
}

impl Room {
    /// The one who stands for a sender: in a private room the account, whose devices are one person.
    pub(super) fn person(&self, sender: &PublicKey) -> PublicKey {
        self.devices.get(sender).map_or(*sender, |account| PublicKey(*account))
    }

    /// What to show for a sender's name.
    pub(super) fn shown(&self, name: &str, sender: &PublicKey) -> String {
        self.people.shown(name, &self.person(sender))
    }

    /// A record of the room's log.
    pub(crate) fn record(&mut self, record: &Record<'_>, cx: &mut Cx<'_>) {
        if !self.attach.open() {
            return;
        }
        self.reading_goes_on(cx.now);
        if self.progress.floor.is_none() {
            self.progress.floor = Some(record.cursor.saturating_sub(1));
        }
        let expected = self.attach.rescanning();
        let Lock::Quick { keys, .. } = &self.lock else {
            self.group_record(record, expected, cx);
            return;
        };
        self.progress.cursor = self.progress.cursor.max(record.cursor);
        match letter::open(keys, record.body) {
            Ok(Opened { letter, written, .. }) => {
                let origin = Origin { cursor: record.cursor, expected, epoch: 0 };
                self.take(&letter, &written, origin, cx);
            }
            Err(error) => self.forged(error, cx),
        }
    }

    pub(super) fn forged(&mut self, error: OpenError, cx: &mut Cx<'_>) {
        cx.blab("oracle");
        let detail = match error {
            OpenError::Malformed => "a record of this room is of a kind that this version can't read",
            OpenError::Signature => {
                "a record of this room has a signature that does not hold: somebody with the link pretends to be another"
            }
            OpenError::Time => {
                "a record of this room is stamped with another time outside than inside; it is not shown"
            }
            _ => {
                "a record in this room's log was not made with the room's key, or was altered on the way; it is not shown"
            }
        };
        // What opens under the room's key was made by somebody who has it.
        let advice = match error {
            OpenError::Seal => ADVICE_RELAY,
            _ => ADVICE_GUEST,
        };
        cx.tell(Draft::new(Some(self.id), NoticeKind::Forged, detail, advice));
    }

    pub(super) fn take(&mut self, letter: &SealLetter, written: &Written, origin: Origin, cx: &mut Cx<'_>) {
        let hash = written.hash();
        if letter.sender == self.own {
            self.take_own(letter, written, origin, cx);
            return;
        }
        if self.is_held(&hash) {
            return;
        }
        match judge_time(letter.sent_at, letter.shown_for(), cx.now) {
            Timely::Now => self.admit(letter, written, origin, cx),
            Timely::Held { until } => self.hold_for_future(letter, written, origin, until, cx),
            Timely::Expired { late_ms } => {
                if !(origin.expected && self.transcript.knows(&hash)) {
                    self.refuse_expired(letter, hash, origin.epoch, late_ms, cx);
                }
            }
            Timely::TooFarAhead { by_ms } => {
                self.set_aside(letter, hash, origin.epoch, Aside::Refused, cx.now);
                let who = self.shown(&letter.name, &letter.sender);
                let detail = format!("a message by {who} is stamped {} in the future and was refused", duration(by_ms));
                cx.tell(
                    Draft::new(Some(self.id), NoticeKind::Future, detail, ADVICE_CLOCK)
                        .about(letter.sender, &letter.name)
                        .letter(hash),
                );
            }
        }
    }

    fn refuse_expired(&mut self, letter: &SealLetter, hash: Hash, epoch: u64, late_ms: u64, cx: &mut Cx<'_>) {
        self.set_aside(letter, hash, epoch, Aside::Refused, cx.now);
        let who = self.shown(&letter.name, &letter.sender);
        let age = cx.now.saturating_sub(letter.sent_at);
        let ttl = u64::from(letter.shown_for().unwrap_or_default());
        let detail = format!(
            "a message by {who} was refused: stamped {} ago with {} to live, it came {} too late",
            duration(age),
            duration(ttl.saturating_mul(1_000)),
            duration(late_ms),
        );
        let advice =
            "Ask the sender to send it again; if their message was new, one of the two clocks is wrong: compare them.";
        cx.tell(
            Draft::new(Some(self.id), NoticeKind::Expired, detail, advice)
                .about(letter.sender, &letter.name)
                .letter(hash),
        );
    }

    pub(super) fn set_aside(&mut self, letter: &SealLetter, hash: Hash, epoch: u64, why: Aside, now: Millis) {
        let shows = shown_text(letter).is_some();
        self.transcript.set_aside(&observed(letter, hash, shows, true, epoch), why, now);
    }

    pub(super) fn take_own(&mut self, letter: &SealLetter, written: &Written, origin: Origin, cx: &mut Cx<'_>) {
        let Origin { cursor, expected, epoch } = origin;
        let hash = written.hash();
        let text = shown_text(letter);
        let outcome = self.transcript.observe(&observed(letter, hash, text.is_some(), expected, epoch), cx.now);
        match outcome.verdict {
            Verdict::Copied => self.copied(hash, cx),
            Verdict::Echo => {
                self.echoed(&hash, cursor, cx);
            }
            // Taken back too late: the others have it, so it is shown here as well, and not denied to those who ask.
            Verdict::Forgotten { .. } if self.outbox.was_discarded(&hash) => {
                let outcome = self.transcript.readmit(&observed(letter, hash, text.is_some(), expected, epoch), cx.now);
                let mut stored = stored_letter(letter, written, text, &outcome, StoredState::Kept);
                stored.cursor = Some(cursor);
                let kept = self.keep_letter(stored, cx);
                self.show(kept, &[], cx);
                self.apply(&outcome, cx);
            }
            _ => {}
        }
        self.apply(&outcome, cx);
    }

    pub(super) fn copied(&mut self, hash: Hash, cx: &mut Cx<'_>) {
        if self.progress.copied {
            return;
        }
        if let Some(private) = self.lock.private_mut() {
            let why = private.copied(cx);
            self.progress.copied = true;
            self.group_stopped(&why, cx);
            return;
        }
        let why = "a message signed with this client's own key is in the room, and this vault never wrote it: the vault was copied, or restored from an old backup; forget this room and open it again with its link, which gives you a new key";
        self.progress.copied = true;
        self.progress.stopped = Some(why.to_owned());
        self.refuse_waiting(why, cx);
        let advice = "Nothing more is sent under this key: forget this room and open it again with its link, and tell the others.";
        cx.tell(Draft::new(Some(self.id), NoticeKind::Copied, why, advice).letter(hash));
    }

    /// A letter whose time is right, by somebody else.
    pub(super) fn admit(&mut self, letter: &SealLetter, written: &Written, origin: Origin, cx: &mut Cx<'_>) {
        let Origin { cursor, expected, epoch } = origin;
        let hash = written.hash();
        let text = shown_text(letter);
        let shows = text.is_some() || estoile_wire::weak::is("receipts");
        let outcome = self.transcript.observe(&observed(letter, hash, shows, expected, epoch), cx.now);
        match &outcome.verdict {
            Verdict::New | Verdict::TwoFaced { .. } => {
                self.heard(letter.sender, &letter.name, letter.sent_at.min(cx.now), cx);
                self.people.typed(&self.person(&letter.sender));
                if matches!(outcome.verdict, Verdict::TwoFaced { .. }) {
                    self.two_faced(letter, hash, cx);
                }
                self.heard_turned(letter, hash, cx);
                if let (Some(text), false) = (text, self.reads_context() || self.was_brought(&hash)) {
                    let mut stored = stored_letter(letter, written, Some(text), &outcome, StoredState::Kept);
                    stored.cursor = Some(cursor);
                    stored.written = None;
                    if self.is_private() {
                        stored.account = self.devices.get(&letter.sender).copied();
                        stored.epoch = Some(epoch);
                    }
                    let kept = self.keep_letter(stored, cx);
                    self.show(kept, &letter.parents, cx);
                }
            }
            Verdict::Repeat { tell: true } => self.repeated(letter, hash, "that was here before came again, and", cx),
            Verdict::Forgotten { tell: true } => {
                self.repeated(letter, hash, "that was here before, or comes far too late behind later ones,", cx);
            }
            Verdict::Broken => {
                let who = self.shown(&letter.name, &letter.sender);
                let detail =
                    format!("a message by {who} breaks the rules that every honest program keeps, and was refused");
                cx.tell(
                    Draft::new(Some(self.id), NoticeKind::Forged, detail, ADVICE_ASK)
                        .about(letter.sender, &letter.name),
                );
            }
            Verdict::Copied => self.copied(hash, cx),
            Verdict::Repeat { .. } | Verdict::Forgotten { .. } | Verdict::Echo => {}
        }
        self.apply(&outcome, cx);
        self.show_ready(cx);
    }

    /// The newest records of a past that was not asked for: they give our letters parents, and are no messages here.
    const fn reads_context(&self) -> bool {
        self.stored.newest.is_some() && !self.progress.caught_up
    }

    /// A face that opens the room for the first time has not missed what was said before.
    pub(super) fn mark_context_read(&mut self) {
        if self.stored.newest.is_some() {
            self.mark_read();
        }
    }

    fn two_faced(&mut self, letter: &SealLetter, hash: Hash, cx: &mut Cx<'_>) {
        let who = self.shown(&letter.name, &letter.sender);
        let detail =
            format!("two different things were said as message number {} by {who}", letter.counter.saturating_add(1));
        let advice = "Some may have read the one and some the other: ask them in another way, and whether their data folder was copied.";
        cx.tell(
            Draft::new(Some(self.id), NoticeKind::TwoFaced, detail, advice)
                .about(letter.sender, &letter.name)
                .letter(hash),
        );
    }

    fn repeated(&mut self, letter: &SealLetter, hash: Hash, which: &str, cx: &mut Cx<'_>) {
        let who = self.shown(&letter.name, &letter.sender);
        let detail = format!("a message by {who} {which} was dropped");
        cx.tell(
            Draft::new(Some(self.id), NoticeKind::Replayed, detail, ADVICE_RELAY)
                .about(letter.sender, &letter.name)
                .letter(hash),
        );
    }

    /// Somebody has used a name: remembered, and told if it is another's.
    pub(super) fn heard(&mut self, key: PublicKey, name: &str, at: Millis, cx: &mut Cx<'_>) {
        let mut next = self.progress.next_person;
        let person = self.person(&key);
        let taken = self.people.heard(self.id, &mut next, person, name, at, cx);
        self.progress.next_person = next;
        if taken {
            let shown = self.shown(name, &key);
            let detail = if person == self.person(&self.own) {
                format!("the name {name} belongs to somebody who used it here before; others see you as {shown}")
            } else {
                format!("somebody else uses the name {name} too; shown as {shown}")
            };
            let advice =
                "Names prove nothing: ask in another way who it is, and take another name if it is you (/name).";
            cx.tell(Draft::new(Some(self.id), NoticeKind::NameTaken, detail, advice).about(key, name));
        }
    }

    /// What else became known with a letter.
    pub(super) fn apply(&mut self, outcome: &Outcome, cx: &mut Cx<'_>) {
        for (hash, by) in &outcome.seen {
            self.unseen_told = false;
            if let Some(letter) = self.timeline.get_mut(hash) {
                let failed = matches!(letter.stored.state, StoredState::Failed(_));
                if *by > 0 && !failed && letter.stored.state != StoredState::Seen(*by) {
                    letter.stored.state = StoredState::Seen(*by);
                    self.keep_state(hash, cx);
                }
            }
        }
        self.re_place(&outcome.moved, cx);
        for finding in &outcome.findings {
            self.finding(finding, cx);
        }
    }

    /// Tells what the transcript found.
    pub(super) fn finding(&mut self, finding: &Finding, cx: &mut Cx<'_>) {
        let (kind, key, count, letter, says, advice) = match finding {
            Finding::Withheld { sender, count, letter } => (
                NoticeKind::Withheld,
                sender,
                *count,
                *letter,
                "should be here and did not come, though the relay and the sender were asked again: by",
                "Ask them in another way what they sent; if it happens to others too, the relay holds messages back: take another.",
            ),
            Finding::Found { sender, letter } => (
                NoticeKind::Found,
                sender,
                1,
                Some(*letter),
                "that was missing is here now: by",
                "Nothing is to be done; it stands where it belongs.",
            ),
            Finding::Reordered { sender, letter } => (
                NoticeKind::Reordered,
                sender,
                1,
                Some(*letter),
                "came after others that answer it, and stands where it belongs: by",
                "Nothing is lost; if it happens often, tell the relay's owner.",
            ),
            Finding::Disputed { by, letter, .. } => (
                NoticeKind::Invented,
                by,
                1,
                Some(*letter),
                "that its supposed author denies, and that nobody else has spoken for, was named as if it had been here: by",
                "Ask both what was said; one of them, or the relay, is not telling everything.",
            ),
            Finding::Invented { by, letter, .. } => (
                NoticeKind::Invented,
                by,
                1,
                Some(*letter),
                "that nobody knows, not even its supposed author, was named as if it had been here: by",
                "Ask them what they meant; neither the relay nor the supposed author is to blame.",
            ),
        };
        let person = self.person(key);
        let who = self.people.shown_key(&person);
        let name = self.people.name_of(&person);
        let noun = if count == 1 { "a message".to_owned() } else { format!("{count} messages") };
        let mut draft =
            Draft::new(Some(self.id), kind, format!("{noun} {says} {who}"), advice).about(*key, &name).count(count);
        if let Some(letter) = letter {
            draft = draft.letter(letter);
        }
        cx.tell(draft);
    }
}

/// A span of time in words.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
