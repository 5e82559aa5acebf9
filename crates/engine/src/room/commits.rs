//! The commit on its way: appended until the log has decided, its blob put first, somebody else's blob got.
//!
//! An acknowledgement merges nothing and a refusal drops nothing: only the record decides. So whoever is told *stale*, or
//! hears nothing, reads the log on. What the commit says is the group's.

use estoile_wire::frame::{Append, BlobAsk, BlobGrant, Refused};
use estoile_wire::id::BlobHash;
use estoile_wire::refusal::Retry;
use estoile_wire::{ClientFrame, Cursor, Millis, Refusal};

use super::Room;
use super::attach::{Attach, later, refusal_in_words};
use crate::blob::{Download, Step, Upload};
use crate::board::Draft;
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::BlobRef;
use crate::turn::{BlobError, Effect};
use crate::view::Event;

/// A commit that is kept stands in the log; if its record does not come within this time, the log is attached to anew.
const DECIDE_MS: u64 = 10_000;
/// After a *stale* the commit that made it so is on its way; after this time it is asked for.
const STALE_MS: u64 = 2_000;
/// After a refusal that will not change soon.
const REFUSED_MS: u64 = 60_000;

pub(super) const LEFT_BEHIND: &str = "this device was away for longer than the relay keeps this room's changes, so it can't follow them any more; ask for new keys (estoile room refresh)";

const LEFT_ALONE: &str = "you left this room; what was said while you were in it stays here";

/// What is under way of commits, ours and others'.
#[derive(Debug, Default)]
pub(super) struct Commits {
    request: Option<u64>,
    /// Sent: what becomes of it must be known by then.
    decide_by: Option<Millis>,
    /// Ours is with the relay, so it is not sent again in this attachment.
    kept: bool,
    pause_until: Millis,
    told: Option<Refusal>,
    upload: Option<Upload>,
    download: Option<Download>,
    /// Where the commit stands that can't be merged yet.
    held: Option<Cursor>,
}

impl Commits {
    /// The attachment is a new one.
    pub(super) const fn nothing_in_flight(&mut self) {
        self.request = None;
        self.kept = false;
        self.decide_by = None;
    }

    /// The session is gone.
    pub(super) fn offline(&mut self) {
        self.nothing_in_flight();
        if let Some(upload) = &mut self.upload {
            upload.offline();
        }
    }

    /// The relay has kept something; what it decides stands in the log.
    pub(super) fn kept(&mut self, request: u64, now: Millis) {
        if self.request == Some(request) {
            self.request = None;
            self.kept = true;
            self.told = None;
            self.decide_by = Some(now.saturating_add(DECIDE_MS));
        }
    }

    /// The log has decided: the epoch is another.
    pub(super) fn decided(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn hold(&mut self, cursor: Cursor) {
        self.held = Some(cursor);
    }

    pub(super) fn fetch(&mut self, blob: BlobRef, cursor: Cursor) {
        self.held = Some(cursor);
        if self.download.as_ref().is_none_or(|d| *d.hash() != blob.hash) {
            self.download = Some(Download::new(blob.hash, blob.size));
        }
    }

    pub(super) const fn held(&self) -> Option<Cursor> {
        self.held
    }

    pub(super) const fn under_way(&self) -> bool {
        self.request.is_some() || self.kept || self.upload.is_some() || self.held.is_some()
    }

    pub(super) fn clock_went_back(&mut self, by: u64) {
        self.pause_until = self.pause_until.saturating_sub(by);
        self.decide_by = self.decide_by.map(|at| at.saturating_sub(by));
    }

    /// The log must be asked what became of it.
    pub(super) fn overdue(&self, now: Millis) -> bool {
        self.decide_by.is_some_and(|at| at <= now)
    }
}

impl Room {
    /// The group's own due things: a held commit is tried again, its blob asked for.
    pub(super) fn group_due(&mut self, cx: &mut Cx<'_>) {
        if self.progress.stopped.is_some() {
            return;
        }
        let Some(private) = self.lock.private_mut() else { return };
        let taken = private.due(cx);
        self.taken_held(taken, cx);
        if let Some(Step::Get { hash, size }) = self.commits.download.as_mut().and_then(|d| d.step(cx.now)) {
            let (relay, address) = (self.relay, self.address());
            cx.out.effects.push(Effect::GetBlob { relay, address, hash, size });
        }
    }

    /// When something of commits is due.
    pub(super) fn next_commit(&self) -> Option<Millis> {
        let private = self.lock.private().filter(|_| self.progress.stopped.is_none())?;
        let commits = &self.commits;
        let live = matches!(self.attach, Attach::Live);
        let free = live && self.sends() && commits.request.is_none() && !commits.kept;
        let pause = (commits.pause_until > 0).then_some(commits.pause_until);
        let ours = match pause.filter(|_| free) {
            Some(at) => Some(at),
            None => private.next_timeout(free),
        };
        let put = commits.upload.as_ref().and_then(Upload::next_timeout).filter(|_| free && pause.is_none());
        let get = commits.download.as_ref().and_then(Download::next_timeout);
        [ours, put, get, commits.decide_by.filter(|_| live)].into_iter().flatten().min()
    }

    /// Sends our commit, if there is one and the log was read; its blob goes first.
    pub(super) fn pump_commit(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let commits = &mut self.commits;
        let live = matches!(self.attach, Attach::Live) && self.read_up;
        if !live || self.progress.copied || commits.request.is_some() || commits.kept || commits.pause_until > cx.now {
            return;
        }
        commits.pause_until = 0;
        let Some(outgoing) = self.lock.private_mut().and_then(|private| private.commit_to_send(cx)) else {
            self.group_ended(cx);
            return;
        };
        if let Some((hash, bytes)) = &outgoing.blob {
            if self.commits.upload.as_ref().is_none_or(|u| u.hash() != hash) {
                self.commits.upload = Some(Upload::new(*hash, bytes.clone()));
            }
            if !self.blob_is_there(session, cx) {
                return;
            }
        }
        let Some(log) = self.lock.log() else { return };
        let request = session.request(self.id);
        self.commits.request = Some(request);
        let frame = Append {
            request,
            log,
            id16: outgoing.id16,
            epoch: outgoing.epoch,
            ttl: None,
            body: &outgoing.body,
            advance: outgoing.advance,
        };
        session.say(&ClientFrame::Append(frame), cx);
    }

    /// Asked for a commit, the group may say that it is over: who leaves a room alone is out at once, and a group whose
    /// library failed does nothing more.
    fn group_ended(&mut self, cx: &mut Cx<'_>) {
        let Some(private) = self.lock.private().filter(|_| self.progress.stopped.is_none()) else { return };
        let why = private.stopped().map(str::to_owned);
        if private.is_gone() {
            self.progress.out = Some(true);
            self.group_stopped(LEFT_ALONE, cx);
            cx.event(Event::Members(self.id));
        } else if let Some(why) = why {
            self.group_stopped(&why, cx);
        }
    }

    /// Whether the commit's blob is at the relay; else what is next for it is done.
    fn blob_is_there(&mut self, session: &mut Session, cx: &mut Cx<'_>) -> bool {
        let Some(log) = self.lock.log() else { return false };
        let Some(upload) = &mut self.commits.upload else { return true };
        if upload.is_done() {
            return true;
        }
        if let Some(why) = upload.failed() {
            let detail = format!("a change of this room can't be sent, because the relay does not take it: {why}");
            self.commits.upload = None;
            self.commits.pause_until = cx.now.saturating_add(REFUSED_MS);
            cx.tell(Draft::new(Some(self.id), NoticeKind::Relay, detail, ADVICE_OWNER));
            return false;
        }
        if let Some(Step::Ask { hash, size }) = upload.step(cx.now) {
            let request = session.request(self.id);
            upload.asked(request);
            let frame = BlobAsk { request, log, hash: BlobHash(hash), size, ttl: None, ticket: None };
            session.say(&ClientFrame::BlobAsk(frame), cx);
        }
        false
    }

    /// The relay grants a blob.
    pub(crate) fn blob_granted(&mut self, frame: &BlobGrant, session: &mut Session, cx: &mut Cx<'_>) {
        let (relay, address) = (self.relay, self.address());
        let upload = self.commits.upload.as_mut().filter(|u| u.awaits(frame.request));
        let Some(upload) = upload else { return };
        if let Some(Step::Put { token, from, hash, bytes }) = upload.granted(frame.token.0, frame.received) {
            cx.out.effects.push(Effect::PutBlob { relay, address, hash, token, from, bytes });
        }
        self.pump_commit(session, cx);
    }

    /// A blob was put, or not. True if it was this room's.
    pub(crate) fn blob_put(&mut self, hash: &[u8; 32], result: &Result<(), BlobError>, cx: &mut Cx<'_>) -> bool {
        let upload = self.commits.upload.as_mut().filter(|u| u.hash() == hash);
        let ours = upload.is_some();
        if let Some(upload) = upload {
            upload.ended(result, cx.now);
        }
        ours
    }

    /// A blob came, or not. True if it was this room's.
    pub(crate) fn blob_got(&mut self, hash: &[u8; 32], result: Result<Vec<u8>, BlobError>, cx: &mut Cx<'_>) -> bool {
        let Some(download) = self.commits.download.as_mut().filter(|d| d.hash() == hash) else { return false };
        if let Some(result) = download.ended(result, cx.now) {
            self.commits.download = None;
            let taken = self.lock.private_mut().map(|private| private.blob_got(hash, result, cx));
            if let Some(taken) = taken {
                self.taken_held(taken, cx);
            }
        }
        true
    }

    /// The relay did not take our commit, or its blob. True if it was about one.
    pub(super) fn commit_refused(&mut self, request: u64, frame: &Refused, cx: &mut Cx<'_>) -> bool {
        let code = frame.code;
        let wait = match code.retry() {
            Retry::Never => REFUSED_MS,
            Retry::Later | Retry::Reconnect => later(frame, cx),
        };
        if let Some(upload) = self.commits.upload.as_mut().filter(|u| u.awaits(request)) {
            let soon = code.retry() != Retry::Never;
            upload.refused(soon, Some(wait), refusal_in_words(code), cx.now);
            return true;
        }
        if self.commits.request != Some(request) {
            return false;
        }
        self.commits.request = None;
        if code == Refusal::StaleEpoch {
            self.stale(cx);
            return true;
        }
        self.commits.pause_until = cx.now.saturating_add(wait);
        if code.retry() == Retry::Never && self.commits.told.replace(code) != Some(code) {
            let detail = format!("the relay does not take a change of this room: {}", refusal_in_words(code));
            cx.tell(Draft::new(Some(self.id), NoticeKind::Relay, detail, ADVICE_OWNER));
        }
        true
    }

    /// The relay says that the epoch is over. If that is true the commit comes; if it is a lie, what we sent is sent again.
    pub(super) fn stale(&mut self, cx: &Cx<'_>) {
        let until = cx.now.saturating_add(STALE_MS);
        self.outbox.pause(until);
        self.commits.pause_until = self.commits.pause_until.max(until);
        let by = self.commits.decide_by.map_or(until, |at| at.min(until));
        self.commits.decide_by = Some(by);
    }

    /// The relay knows nothing of the epoch in which we are.
    pub(super) fn left_behind(&mut self, current: Option<u64>, cx: &mut Cx<'_>) {
        let epoch = self.lock.epoch();
        match current {
            Some(current) if current > epoch => self.stop(LEFT_BEHIND, cx),
            Some(current) if current < epoch => self.stop(super::attach::LOG_IS_OLD, cx),
            _ => {
                let until = cx.now.saturating_add(REFUSED_MS);
                let why = "the relay says that this room is elsewhere, and not where".to_owned();
                self.attach = Attach::Waiting { until, why };
            }
        }
    }
}

const ADVICE_OWNER: &str = "It is tried again; tell the relay's owner if it lasts.";
