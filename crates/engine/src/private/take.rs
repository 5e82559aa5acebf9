//! What the log gives: letters, wishes to leave, commits; ours and others'.
//!
//! A peer's bytes end here as something taken or as a notice, never as an error. Only somebody with the epoch's access key can
//! make a record that moves the log on; if its body is nothing that we may merge, the room stops.

use estoile_mls::Incoming as Opened;
use estoile_mls::OpenError;
use estoile_wire::PublicKey;
use zeroize::Zeroizing;

use super::body::{self, Body};
use super::{BlobRef, Held, Incoming, Private, Taken, tell};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::BlobError;

/// So often other bytes than the blob's may come before the commit counts as one that can't be opened.
const MAX_WRONG: u32 = 5;
/// After such bytes it is asked for again so much later.
const WRONG_RETRY_MS: u64 = 30_000;
/// Nobody knows who made it: only the access key is proven.
const NOBODY: &str = "somebody who has this room's keys, or the relay with their help, ended the epoch with";

impl Private {
    /// A record of the log, in the log's order.
    pub(crate) fn take(&mut self, record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        if let Some(why) = self.stopped() {
            return Taken::Stopped(why.to_owned());
        }
        if self.state.gone {
            return Taken::Gone;
        }
        if record.epoch < self.epoch() && !estoile_wire::weak::is("old records") {
            return self.old(record, cx);
        }
        if record.epoch > self.epoch() {
            return self.unopened("a record of an epoch that this room has not reached", record, cx);
        }
        let hash = body::hash(record.body);
        if self.pending.as_ref().is_some_and(|p| p.epoch == record.epoch && p.body == record.body) {
            return self.ours(record, &hash, cx);
        }
        match (body::parse(record.body), record.advance) {
            (Body::Inline(message), _) => {
                let message = message.to_vec();
                self.open(&message, &hash, record, cx)
            }
            (Body::Pointer(sealed), Some(advance)) => self.fetch(sealed, advance, record, cx),
            (_, Some(_)) => self.poisoned("something that is no change of this room", cx),
            (_, None) => self.unopened("a record of a kind that this version can't read", record, cx),
        }
    }

    /// What doesn't open, and moves nothing.
    fn unopened(&self, what: &str, record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        if record.again {
            return Taken::Nothing;
        }
        self.forged(&format!("{what} stands in this room's log; it is not shown"), None, cx)
    }

    /// The log has moved on with something that no member may follow.
    fn poisoned(&mut self, what: &str, cx: &mut Cx<'_>) -> Taken {
        self.stop(NoticeKind::Poisoned, &format!("{NOBODY} {what}"), tell::ADVICE_MOVE, None, cx)
    }

    /// A record of an epoch that is over: it can't be opened any more, but a second commit can be told.
    fn old(&mut self, record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        let known = self.state.commits.iter().find(|commit| commit.epoch == record.epoch);
        match known {
            Some(known) if record.advance.is_some() && known.hash != body::hash(record.body) => {
                let why = "the relay shows two changes where this room has one: it keeps people apart";
                self.stop(NoticeKind::Split, why, tell::ADVICE_SPLIT, None, cx)
            }
            _ => Taken::Nothing,
        }
    }

    /// What waited for the log's decision stands there.
    fn ours(&mut self, record: &Incoming<'_>, hash: &[u8; 32], cx: &mut Cx<'_>) -> Taken {
        let expected = self.pending.as_ref().and_then(|pending| pending.advance);
        match (expected, record.advance) {
            (Some(expected), Some(given)) if expected == given => self.merge_own(record.cursor, hash, cx),
            (Some(_), Some(_)) => self.wrong_key(None, cx),
            (Some(_), None) => {
                let why = "the relay shows a change of this room as something that changes nothing";
                self.stop(NoticeKind::Poisoned, why, tell::ADVICE_MOVE, None, cx)
            }
            (None, None) => {
                self.drop_pending();
                self.state.left_in = Some(self.epoch());
                self.left(cx);
                Taken::Nothing
            }
            (None, Some(_)) => self.poisoned("a wish to leave", cx),
        }
    }

    /// The relay reports another access key for the next epoch than the commit gives.
    pub(super) fn wrong_key(&mut self, by: Option<&super::AccountId>, cx: &mut Cx<'_>) -> Taken {
        let who = by.map(|by| format!("the change by {}", self.who(by, cx.book)));
        let why = format!(
            "{} would lock the room with another key than the relay has: whoever made it, or the relay, shuts people out",
            who.as_deref().unwrap_or("our own change")
        );
        self.stop(NoticeKind::Poisoned, &why, tell::ADVICE_MOVE, by, cx)
    }

    fn open(&mut self, message: &[u8], hash: &[u8; 32], record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        match (self.group.open(message), record.advance) {
            (Ok(Opened::Letter { leaf, bytes }), None) => self.letter(leaf, bytes),
            (Ok(Opened::Letter { .. }), Some(_)) => self.poisoned("a letter", cx),
            (Ok(Opened::Commit(staged)), Some(advance)) => self.judge(*staged, advance, hash, cx),
            (Ok(Opened::Commit(staged)), None) if estoile_wire::weak::is("roster") => {
                self.judge(*staged, PublicKey([0; 32]), hash, cx)
            }
            (Ok(Opened::Commit(staged)), None) => {
                let by = staged.facts().committer.member.account;
                if let Err(error) = self.group.refuse(*staged) {
                    return self.library(&error, cx);
                }
                let who = self.who(&by, cx.book);
                self.forged(&format!("a change by {who} that does not end the epoch was refused"), Some(&by), cx)
            }
            (Ok(Opened::Pending), Some(advance)) => {
                let expected = self.pending.as_ref().and_then(|pending| pending.advance);
                if expected == Some(advance) {
                    self.merge_own(record.cursor, hash, cx)
                } else {
                    self.wrong_key(None, cx)
                }
            }
            (Ok(Opened::Pending), None) => self.unopened("a copy of our own change that changes nothing", record, cx),
            (Ok(Opened::Leave { .. }), None) => {
                self.schedule_leave(cx);
                Taken::Nothing
            }
            (Ok(Opened::Leave { .. }), Some(_)) => self.poisoned("a wish to leave", cx),
            (Err(error), Some(advance)) => self.refused_commit(&error, advance, record, cx),
            (Err(error), None) => self.refused(&error, hash, record, cx),
        }
    }

    fn letter(&self, leaf: u32, packet: Vec<u8>) -> Taken {
        let packet = Zeroizing::new(packet);
        match self.tree.devices.iter().find(|(_, (_, index))| *index == leaf) {
            Some((device, (account, _))) => Taken::Letter { sender: *device, account: *account, packet },
            None => Taken::Nothing,
        }
    }

    /// A record that does not end the epoch, and does not open.
    fn refused(&mut self, error: &OpenError, hash: &[u8; 32], record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        match error {
            OpenError::OwnMessage => Taken::Ours { digest: *hash, trace: body::sender_trace(record.body) },
            // Our wish to leave is known by its bytes: this is one that we don't know, or an old one read again.
            OpenError::OwnLeave if record.again || self.left_here() => Taken::Nothing,
            OpenError::OwnLeave => Taken::Stopped(self.copied(cx)),
            OpenError::Removed => Taken::Gone,
            OpenError::Library(what) => self.library(&estoile_mls::MlsError::Library(what.clone()), cx),
            OpenError::Poison { committer: Some(leaf), .. } => {
                let by = self.group.leaf(*leaf).map(|leaf| leaf.member.account);
                let who = by.map_or_else(|| "somebody".to_owned(), |by| self.who(&by, cx.book));
                self.forged(&format!("a change by {who} that nobody may make was refused"), by.as_ref(), cx)
            }
            OpenError::Unwelcome(what) => self.unopened(&format!("{what}, which is refused unseen,"), record, cx),
            _ => self.unopened(
                "a record that was not made with this epoch's keys, or was altered on the way,",
                record,
                cx,
            ),
        }
    }

    /// The log has moved on with a body that does not open.
    pub(super) fn refused_commit(
        &mut self,
        error: &OpenError,
        advance: PublicKey,
        record: &Incoming<'_>,
        cx: &mut Cx<'_>,
    ) -> Taken {
        match error {
            OpenError::OwnCommit => Taken::Stopped(self.copied(cx)),
            OpenError::Lifetime => self.wait_for_clock(advance, record, cx),
            OpenError::Removed => Taken::Gone,
            OpenError::Library(what) => self.library(&estoile_mls::MlsError::Library(what.clone()), cx),
            OpenError::Poison { committer: Some(leaf), reason } => {
                let Some(by) = self.group.leaf(*leaf).map(|leaf| leaf.member.account) else {
                    return self.poisoned("a change that nobody may make", cx);
                };
                let why = format!("{} made a change that must be refused: {reason}", self.who(&by, cx.book));
                self.stop(NoticeKind::Poisoned, &why, tell::ADVICE_MOVE, Some(&by), cx)
            }
            OpenError::Unwelcome(what) => self.poisoned(&format!("{what}, which is refused unseen"), cx),
            _ => self.poisoned("a change that can't be opened", cx),
        }
    }

    /// A commit that this machine's clock forbids and nothing else: it is tried again, never passed over.
    fn wait_for_clock(&mut self, advance: PublicKey, record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        if !self.holds(record) {
            let detail =
                "somebody was added with keys that are over or not yet good by this machine's clock: the room waits";
            self.tell(NoticeKind::Clock, detail, tell::ADVICE_CLOCK, None, cx);
        }
        let again_at = Some(cx.now.saturating_add(super::schedule::LIFETIME_RETRY_MS));
        self.hold(record, advance, again_at, 0);
        Taken::Waiting
    }

    fn holds(&self, record: &Incoming<'_>) -> bool {
        self.held.as_ref().is_some_and(|held| held.cursor == record.cursor)
    }

    fn hold(&mut self, record: &Incoming<'_>, advance: PublicKey, again_at: Option<u64>, wrong: u32) {
        let Incoming { body, cursor, epoch, time, .. } = *record;
        self.held = Some(Held { body: body.to_vec(), cursor, epoch, time, advance, again_at, wrong });
    }

    /// The commit lies in a blob.
    fn fetch(&mut self, sealed: &[u8], advance: PublicKey, record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        let pointer = self.blob_key().and_then(|key| body::pointer(sealed, &key, &self.state.log));
        let Some(pointer) = pointer else { return self.poisoned("a change that can't be opened", cx) };
        let wrong = self.held.as_ref().filter(|held| held.cursor == record.cursor).map_or(0, |held| held.wrong);
        self.hold(record, advance, None, wrong);
        Taken::Fetch(BlobRef { hash: pointer.hash, size: pointer.size })
    }

    /// The blob of [`Taken::Fetch`] came, or will not.
    pub(crate) fn blob_got(&mut self, hash: &[u8; 32], result: Result<Vec<u8>, BlobError>, cx: &mut Cx<'_>) -> Taken {
        let Some(held) = self.held.take() else { return Taken::Nothing };
        let key = self.blob_key();
        let pointer = match (body::parse(&held.body), key) {
            (Body::Pointer(sealed), Some(key)) => body::pointer(sealed, &key, &self.state.log),
            _ => None,
        };
        let Some(pointer) = pointer.filter(|pointer| pointer.hash == *hash) else {
            self.held = Some(held);
            return Taken::Nothing;
        };
        let blob = match result {
            Ok(blob) if body::hash(&blob) == *hash => blob,
            Err(BlobError::Never(_)) => {
                return self
                    .poisoned("a change whose body is nowhere: the relay has lost it, or it was never put there", cx);
            }
            _ if held.wrong >= MAX_WRONG => return self.poisoned("a change that the relay does not give out", cx),
            _ => {
                let again_at = Some(cx.now.saturating_add(WRONG_RETRY_MS));
                self.held = Some(Held { again_at, wrong: held.wrong.saturating_add(1), ..held });
                return Taken::Waiting;
            }
        };
        let Some(message) = pointer.open(&blob, &self.state.log) else {
            return self.poisoned("a change that can't be opened", cx);
        };
        let record = Incoming {
            body: &held.body,
            cursor: held.cursor,
            epoch: held.epoch,
            time: held.time,
            advance: Some(held.advance),
            again: false,
        };
        self.open(&message, &body::hash(&held.body), &record, cx)
    }

    /// What is due by time: a held commit is tried again.
    pub(crate) fn due(&mut self, cx: &mut Cx<'_>) -> Taken {
        if !self.runs() || self.held.as_ref().is_none_or(|held| held.again_at.is_none_or(|at| at > cx.now)) {
            return Taken::Nothing;
        }
        // Put back while it is tried, so that a clock that is wrong still is told once.
        let Some(held) = &self.held else { return Taken::Nothing };
        let body = held.body.clone();
        let record = Incoming {
            body: &body,
            cursor: held.cursor,
            epoch: held.epoch,
            time: held.time,
            advance: Some(held.advance),
            again: false,
        };
        self.take(&record, cx)
    }
}
