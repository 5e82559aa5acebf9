//! What a relay says, handed to whom it concerns. Nothing that it sends makes the engine fail.

use estoile_wire::frame::{DecodeError, Refused, Welcome};
use estoile_wire::id::BlobHash;
use estoile_wire::{LogId, Refusal, RelayFrame};

use super::Engine;
use crate::board::Draft;
use crate::channel::Channel;
use crate::channel::job::{Job, Outcome};
use crate::link::{GreetError, Link, Route, Session};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::room::{Room, duration, refusal_in_words};
use crate::turn::BlobError;
use crate::view::RelayId;

impl Engine {
    pub(super) fn frame(&mut self, relay: RelayId, bytes: &[u8], cx: &mut Cx<'_>) {
        let Some(link) = self.links.get_mut(&relay) else { return };
        link.heard();
        let frame = match RelayFrame::decode(bytes) {
            Ok(frame) => frame,
            // A later version's frame that this one has no use for.
            Err(DecodeError::UnknownType(_)) => return,
            Err(DecodeError::TooLarge | DecodeError::Malformed) => {
                self.break_off(relay, "the relay sent something that is no frame of the protocol", cx);
                return;
            }
        };
        match frame {
            RelayFrame::Welcome(welcome) => self.welcome(relay, &welcome, cx),
            RelayFrame::Closing(closing) => {
                self.turned_away(relay, closing.code, cx);
            }
            RelayFrame::Refused(refused) => self.refused(relay, &refused, cx),
            RelayFrame::Pong(_) => {}
            RelayFrame::Created(f) => {
                let request = f.request;
                self.answered(
                    relay,
                    request,
                    cx,
                    |room, session, cx| room.created(session, cx),
                    |channel, session, cx| channel.created(request, session, cx),
                );
            }
            RelayFrame::Attached(f) => self.answered(
                relay,
                f.request,
                cx,
                |room, session, cx| room.attached(&f, session, cx),
                |channel, session, cx| channel.attached(&f, session, cx),
            ),
            RelayFrame::Kept(f) => {
                if !self.job_answered(relay, f.request, cx, |job, _| job.kept(&f)) {
                    self.answered(
                        relay,
                        f.request,
                        cx,
                        |room, session, cx| room.kept(&f, session, cx),
                        |channel, _, cx| channel.kept(&f, cx.now),
                    );
                }
            }
            RelayFrame::Record(f) => self.of_log(
                relay,
                &f.log,
                cx,
                |room, _, cx| room.record(&f, cx),
                |channel, session, cx| channel.record(&f, session, cx),
            ),
            RelayFrame::Live(f) => {
                self.of_log(
                    relay,
                    &f.log,
                    cx,
                    |room, session, cx| room.live(&f, session, cx),
                    |channel, session, cx| channel.live(&f, session, cx),
                );
                if let Some(link) = self.links.get_mut(&relay) {
                    link.settled();
                }
            }
            frame => self.other_frame(relay, frame, cx),
        }
    }

    /// What comes more rarely: a lag, and what only shelves, tickets and blobs bring.
    fn other_frame(&mut self, relay: RelayId, frame: RelayFrame<'_>, cx: &mut Cx<'_>) {
        match frame {
            RelayFrame::Signalled(f) => {
                self.of_log(relay, &f.log, cx, |room, session, cx| room.signalled(&f, session, cx), |_, _, _| {});
            }
            RelayFrame::Lagged(f) => self.of_log(
                relay,
                &f.log,
                cx,
                |room, session, cx| room.lagged(&f, session, cx),
                |channel, session, cx| channel.lagged(session, cx),
            ),
            RelayFrame::Done(f) => {
                self.answered(relay, f.request, cx, |_, _, _| {}, |channel, _, _| channel.done(f.request));
            }
            RelayFrame::Counted(f) => {
                let request = f.request;
                self.answered(relay, request, cx, |_, _, _| {}, |channel, _, _| channel.counted(f));
            }
            RelayFrame::Taken(f) => {
                self.job_answered(relay, f.request, cx, |job, _| job.took(&f));
            }
            RelayFrame::BlobGrant(f) => {
                let address = self.links.get(&relay).map(|link| link.address.clone());
                let granted = self.job_answered(relay, f.request, cx, |job, cx| {
                    if let Some(address) = &address {
                        job.granted(f.request, f.token.0, f.received, address, cx);
                    }
                    None
                });
                if !granted {
                    self.answered(
                        relay,
                        f.request,
                        cx,
                        |room, session, cx| room.blob_granted(&f, session, cx),
                        |channel, _, _| channel.granted(&f),
                    );
                }
            }
            _ => {}
        }
    }

    fn break_off(&mut self, relay: RelayId, why: &str, cx: &mut Cx<'_>) {
        if let Some(link) = self.links.get_mut(&relay) {
            link.break_off(why.to_owned(), cx);
            self.relay_gone(relay);
        }
    }

    /// The relay ends the session, or does not begin one.
    fn turned_away(&mut self, relay: RelayId, code: Refusal, cx: &mut Cx<'_>) {
        let why = format!("the relay closed the connection: {}", refusal_in_words(code));
        if code == Refusal::UnsupportedVersion {
            self.give_up(relay, why, cx);
        } else {
            self.break_off(relay, &why, cx);
        }
    }

    /// Trying again on our own would change nothing.
    fn give_up(&mut self, relay: RelayId, why: String, cx: &mut Cx<'_>) {
        let Some(link) = self.links.get_mut(&relay) else { return };
        link.refuse(why.clone(), cx);
        self.relay_gone(relay);
        let advice = "This client does not try again on its own: open the room again when that is settled.";
        cx.tell(Draft::new(None, NoticeKind::Relay, why, advice));
    }

    fn welcome(&mut self, relay: RelayId, welcome: &Welcome, cx: &mut Cx<'_>) {
        let Some(link) = self.links.get_mut(&relay) else { return };
        match link.welcome(welcome, cx) {
            Ok(greeted) => {
                if let Some(off) = greeted.clock {
                    cx.tell(clock_notice(off));
                }
                let Some(session) = self.links.get_mut(&relay).and_then(Link::session) else { return };
                for room in self.rooms.values_mut().filter(|room| room.relay == relay) {
                    if room.stored.pin.is_none() {
                        room.stored.pin = Some(greeted.key_hash);
                        room.keep_opening(cx);
                    } else if room.stored.pin != Some(greeted.key_hash) {
                        // Its link came after the connection to this address had been asked for.
                        room.stop(&GreetError::WrongKey.to_string(), cx);
                        continue;
                    }
                    room.begin(session, cx);
                }
                self.accounts.pinned(relay, greeted.key_hash, cx);
                self.touch_relay(relay);
            }
            Err(error) => {
                if error.retry() {
                    self.break_off(relay, &error.to_string(), cx);
                    return;
                }
                self.give_up(relay, error.to_string(), cx);
            }
        }
    }

    fn refused(&mut self, relay: RelayId, frame: &Refused, cx: &mut Cx<'_>) {
        match (frame.request, &frame.log) {
            (Some(request), _) => {
                if !self.job_answered(relay, request, cx, |job, cx| job.refused(frame, cx)) {
                    self.answered(
                        relay,
                        request,
                        cx,
                        |room, session, cx| room.refused(frame, session, cx),
                        |channel, session, cx| channel.refused(frame, session, cx),
                    );
                }
            }
            (None, Some(log)) => self.of_log(
                relay,
                log,
                cx,
                |room, session, cx| room.refused(frame, session, cx),
                |channel, session, cx| channel.refused(frame, session, cx),
            ),
            (None, None) => {
                let Some(link) = self.links.get_mut(&relay) else { return };
                // Within a session it refuses one frame; before it, the session.
                if link.session().is_none() {
                    self.turned_away(relay, frame.code, cx);
                }
            }
        }
    }

    /// Hands an answer to the job whose request it was; false: it was no job's.
    fn job_answered(
        &mut self,
        relay: RelayId,
        request: u64,
        cx: &mut Cx<'_>,
        then: impl FnOnce(&mut Job, &mut Cx<'_>) -> Option<Outcome>,
    ) -> bool {
        let Some(session) = self.links.get_mut(&relay).and_then(Link::session) else { return false };
        let Some(Route::Job(id)) = session.route(request) else { return false };
        if let Some(job) = self.accounts.jobs.get_mut(&id)
            && let Some(outcome) = then(job, cx)
        {
            self.accounts.job_done(id, outcome, cx);
        }
        true
    }

    /// The driver has put a blob at a relay, or not.
    pub(super) fn blob_put(&mut self, hash: &[u8; 32], result: &Result<(), BlobError>, cx: &mut Cx<'_>) {
        for room in self.rooms.values_mut() {
            if room.blob_put(hash, result, cx) {
                self.touched.insert(room.id);
                return;
            }
        }
        if self.accounts.log_blob_was_put(hash, result, cx) {
            return;
        }
        let Some((id, job)) = self.accounts.jobs.iter_mut().find(|(_, job)| job.carries(hash)) else { return };
        let id = *id;
        if let Some(outcome) = job.blob_put(result, cx) {
            self.accounts.job_done(id, outcome, cx);
        }
    }

    /// The driver has got a blob, or not.
    pub(super) fn blob_got(&mut self, hash: &[u8; 32], result: &Result<Vec<u8>, BlobError>, cx: &mut Cx<'_>) {
        let result = match result {
            Ok(bytes) if BlobHash::of(bytes).0 != *hash => {
                &Err(BlobError::Never("the relay gave something else than what was put there".to_owned()))
            }
            result => result,
        };
        for room in self.rooms.values_mut() {
            if room.blob_got(hash, result.clone(), cx) {
                self.touched.insert(room.id);
                return;
            }
        }
        if self.accounts.log_blob_was_got(hash, result, cx) {
            return;
        }
        let Some((id, job)) = self.accounts.jobs.iter_mut().find(|(_, job)| job.carries(hash)) else { return };
        let id = *id;
        if let Some(outcome) = job.blob_got(result, cx) {
            self.accounts.job_done(id, outcome, cx);
        }
    }

    /// Hands an answer to the room or channel whose request it was.
    fn answered(
        &mut self,
        relay: RelayId,
        request: u64,
        cx: &mut Cx<'_>,
        room: impl FnOnce(&mut Room, &mut Session, &mut Cx<'_>),
        channel: impl FnOnce(&mut Channel, &mut Session, &mut Cx<'_>),
    ) {
        let Some(route) = self.links.get_mut(&relay).and_then(Link::session).and_then(|s| s.answered(request)) else {
            return;
        };
        self.routed(relay, route, cx, room, channel);
    }

    /// Hands a frame to the room or channel whose log it names.
    fn of_log(
        &mut self,
        relay: RelayId,
        log: &LogId,
        cx: &mut Cx<'_>,
        room: impl FnOnce(&mut Room, &mut Session, &mut Cx<'_>),
        channel: impl FnOnce(&mut Channel, &mut Session, &mut Cx<'_>),
    ) {
        if let Some(route) = self.routes.get(&(relay, *log)).copied() {
            self.routed(relay, route, cx, room, channel);
        }
    }

    fn routed(
        &mut self,
        relay: RelayId,
        route: Route,
        cx: &mut Cx<'_>,
        room: impl FnOnce(&mut Room, &mut Session, &mut Cx<'_>),
        channel: impl FnOnce(&mut Channel, &mut Session, &mut Cx<'_>),
    ) {
        let Some(session) = self.links.get_mut(&relay).and_then(Link::session) else { return };
        match route {
            Route::Room(id) => {
                if let Some(there) = self.rooms.get_mut(&id) {
                    self.touched.insert(id);
                    room(there, session, cx);
                }
            }
            Route::Channel(id) => {
                if let Some(there) = self.accounts.channels.get_mut(&id) {
                    channel(there, session, cx);
                }
            }
            Route::Job(_) => {}
        }
    }
}

/// This clock against the relay's.
fn clock_notice(off: i64) -> Draft {
    let by = duration(off.unsigned_abs());
    let right = off.unsigned_abs() <= 5_000;
    let (detail, advice) = if right {
        ("this clock and the relay's agree again".to_owned(), "Nothing is to be done.")
    } else {
        let how = if off > 0 { "behind" } else { "ahead of" };
        let detail = format!("this clock is {by} {how} the relay's");
        (
            detail,
            "Set the clock of this machine; with a wrong one, messages with a short life are refused here or by others.",
        )
    };
    Draft::new(None, NoticeKind::Clock, detail, advice)
}
