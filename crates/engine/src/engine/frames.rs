//! What a relay says, handed to whom it concerns. Nothing that it sends makes the engine fail.

use std::collections::BTreeMap;

use estoile_wire::frame::{DecodeError, Refused, Welcome};
use estoile_wire::{LogId, Refusal, RelayFrame};

use super::Engine;
use crate::board::Draft;
use crate::link::{GreetError, Link, Route, Session};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::room::{Room, duration, refusal_in_words};
use crate::view::{RelayId, RoomId};

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
                self.answered(relay, f.request, cx, |room, session, cx| room.created(session, cx))
            }
            RelayFrame::Attached(f) => {
                self.answered(relay, f.request, cx, |room, session, cx| room.attached(&f, session, cx));
            }
            RelayFrame::Kept(f) => self.answered(relay, f.request, cx, |room, session, cx| room.kept(&f, session, cx)),
            RelayFrame::Record(f) => self.of_log(relay, &f.log, cx, |room, _, cx| room.record(&f, cx)),
            RelayFrame::Live(f) => {
                self.of_log(relay, &f.log, cx, |room, session, cx| room.live(&f, session, cx));
                if let Some(link) = self.links.get_mut(&relay) {
                    link.settled();
                }
            }
            RelayFrame::Signalled(f) => {
                self.of_log(relay, &f.log, cx, |room, session, cx| room.signalled(&f, session, cx));
            }
            RelayFrame::Lagged(f) => {
                self.of_log(relay, &f.log, cx, |room, session, cx| room.lagged(&f, session, cx));
            }
            RelayFrame::BlobGrant(f) => {
                self.answered(relay, f.request, cx, |room, session, cx| room.blob_granted(&f, session, cx));
            }
            // Nothing of this version asks for these yet.
            RelayFrame::Done(_) | RelayFrame::Counted(_) | RelayFrame::Taken(_) => {}
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
                self.answered(relay, request, cx, |room, session, cx| room.refused(frame, session, cx));
            }
            (None, Some(log)) => self.of_log(relay, log, cx, |room, session, cx| room.refused(frame, session, cx)),
            (None, None) => {
                let Some(link) = self.links.get_mut(&relay) else { return };
                // Within a session it refuses one frame; before it, the session.
                if link.session().is_none() {
                    self.turned_away(relay, frame.code, cx);
                }
            }
        }
    }

    /// Hands an answer to the room whose request it was.
    fn answered(
        &mut self,
        relay: RelayId,
        request: u64,
        cx: &mut Cx<'_>,
        then: impl FnOnce(&mut Room, &mut Session, &mut Cx<'_>),
    ) {
        let Some(session) = self.links.get_mut(&relay).and_then(Link::session) else { return };
        if let Some(room) = session.answered(request).and_then(|route| room_of(&mut self.rooms, route)) {
            self.touched.insert(room.id);
            then(room, session, cx);
        }
    }

    /// Hands a frame to the room whose log it names.
    fn of_log(
        &mut self,
        relay: RelayId,
        log: &LogId,
        cx: &mut Cx<'_>,
        then: impl FnOnce(&mut Room, &mut Session, &mut Cx<'_>),
    ) {
        let Some(session) = self.links.get_mut(&relay).and_then(Link::session) else { return };
        if let Some(room) = self.routes.get(&(relay, *log)).and_then(|route| room_of(&mut self.rooms, *route)) {
            self.touched.insert(room.id);
            then(room, session, cx);
        }
    }
}

fn room_of(rooms: &mut BTreeMap<RoomId, Room>, route: Route) -> Option<&mut Room> {
    match route {
        Route::Room(id) => rooms.get_mut(&id),
        Route::Channel(_) => None,
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
