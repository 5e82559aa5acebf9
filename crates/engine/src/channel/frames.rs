//! What a channel sends once it is there: its tickets, and the letters that wait in it.

use estoile_wire::frame::{Append, Counted, Kept, Refused, Ticket, Tickets};
use estoile_wire::id::{LogKind, TicketHash};
use estoile_wire::refusal::Retry;
use estoile_wire::{ClientFrame, Id16, Millis, PublicKey, Refusal, proof};

use super::attach::{Attach, later};
use super::{Channel, ChannelNews};
use crate::link::Session;
use crate::out::Cx;

impl Channel {
    pub(super) fn send_due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if self.pause_until > cx.now {
            return;
        }
        self.pause_until = 0;
        if !self.stored.tickets_set && self.tickets_request.is_none() && !self.tickets_wait {
            self.send_tickets(session, cx);
        }
        // The account's log has its appends from the account part, with what the epoch asks for.
        if self.kind() != LogKind::Fixed {
            return;
        }
        for waiting in self.stored.outgoing.clone() {
            if self.flights.iter().any(|(_, id)| *id == waiting.id16) {
                continue;
            }
            let request = session.request(self.id);
            self.flights.push((request, waiting.id16));
            let (log, id16, body) = (self.log(), waiting.id16, waiting.body.as_slice());
            let frame = Append { request, log, id16, epoch: 0, ttl: None, body, advance: None };
            session.say(&ClientFrame::Append(frame), cx);
        }
    }

    fn send_tickets(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let request = session.request(self.id);
        let ticket = |t: &super::StoredTicket| Ticket {
            hash: TicketHash(t.hash),
            per_day: t.per_day,
            bytes_per_day: t.bytes_per_day,
        };
        let tickets: Vec<Ticket> = self.stored.tickets.iter().map(ticket).collect();
        let (log, epoch) = (self.log(), self.stored.epoch);
        let signed = proof::tickets(&session.relay_key, &session.nonce, &log, epoch, &tickets);
        let signature = self.access().sign(&signed);
        self.tickets_request = Some(request);
        session.say(&ClientFrame::Tickets(Tickets { request, log, tickets, signature }), cx);
    }

    /// Appends to the account's own log, and moves its epoch on. None if that can't be done now.
    pub(crate) fn append(
        &mut self,
        id16: Id16,
        body: &[u8],
        advance: PublicKey,
        session: &mut Session,
        cx: &mut Cx<'_>,
    ) -> Option<u64> {
        if !self.is_live() || self.pause_until > cx.now {
            return None;
        }
        let request = session.request(self.id);
        let (log, epoch) = (self.log(), self.stored.epoch);
        let frame = Append { request, log, id16, epoch, ttl: None, body, advance: Some(advance) };
        session.say(&ClientFrame::Append(frame), cx);
        self.flights.push((request, id16));
        self.appended_in = epoch;
        Some(request)
    }

    /// The relay has done what was asked: the tickets are in force.
    pub(crate) fn done(&mut self, request: u64) {
        if self.tickets_request == Some(request) {
            self.tickets_request = None;
            self.stored.tickets_set = true;
            self.changed = true;
            self.news.push(ChannelNews::TicketsSet);
        }
    }

    /// The relay takes a blob.
    pub(crate) fn granted(&mut self, frame: &estoile_wire::frame::BlobGrant) {
        let (request, token, received) = (frame.request, frame.token.0, frame.received);
        self.news.push(ChannelNews::Granted { request, token, received });
    }

    pub(crate) fn counted(&mut self, frame: Counted) {
        self.news.push(ChannelNews::Counted { request: frame.request, frame: Box::new(frame) });
    }

    pub(crate) fn kept(&mut self, frame: &Kept, now: Millis) {
        let Some(at) = self.flights.iter().position(|(request, _)| *request == frame.request) else { return };
        let (request, id16) = self.flights.remove(at);
        if self.kind() == LogKind::Fixed {
            self.stored.outgoing.retain(|o| o.id16 != id16);
            self.changed = true;
            self.news.push(ChannelNews::Kept);
        } else {
            // Nothing more is written before the commit itself has come, and the next epoch's key was proven.
            if self.is_live() && self.appended_in == self.stored.epoch {
                self.attach = Attach::Reading;
                self.patience.goes_on(now);
            }
            self.news.push(ChannelNews::Appended { request });
        }
    }

    pub(super) fn request_refused(&mut self, request: u64, frame: &Refused, session: &mut Session, cx: &mut Cx<'_>) {
        let flight = self.flights.iter().position(|(r, _)| *r == request).map(|at| self.flights.remove(at));
        if self.tickets_request == Some(request) {
            self.tickets_request = None;
        }
        if frame.code == Refusal::StaleEpoch {
            // Somebody of ours was quicker: what they wrote comes, and then it is written anew.
            self.news.push(ChannelNews::Stale);
            self.read_on(session, cx);
            return;
        }
        if frame.code == Refusal::NotAttached && self.kind() == LogKind::Advancing {
            // The epoch has ended while it was on its way: written anew when the next one is there.
            self.news.push(ChannelNews::Later { request });
            return;
        }
        if frame.code == Refusal::NoSuchLog && self.kind() == LogKind::Shelf {
            self.news.push(ChannelNews::Later { request });
            self.missing(session, cx);
            return;
        }
        let never = frame.code.retry() == Retry::Never;
        self.pause_until = cx.now.saturating_add(later(frame, cx));
        match flight {
            Some((_, id16)) if never && self.kind() == LogKind::Fixed => {
                self.stored.outgoing.retain(|o| o.id16 != id16);
                self.changed = true;
            }
            _ => {}
        }
        let why = crate::room::refusal_in_words(frame.code).to_owned();
        self.news.push(if never { ChannelNews::Refused { request, why } } else { ChannelNews::Later { request } });
    }
}
