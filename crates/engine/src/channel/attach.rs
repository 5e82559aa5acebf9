//! Creating, attaching and reading a channel's log.

use estoile_wire::frame::{Attach as AttachFrame, Attached, Create, Live, Record, Refused};
use estoile_wire::id::LogKind;
use estoile_wire::refusal::Retry;
use estoile_wire::{ClientFrame, Millis, Refusal, proof};

use super::{Channel, ChannelNews, Heard};
use crate::link::Session;
use crate::out::Cx;
use crate::room::refusal_in_words;

/// When the relay says "later" and not when.
const LATER_MS: u64 = 2_000;
/// A relay can't make us wait longer than this before we ask again.
const LONGEST_LATER_MS: u64 = 60_000;

/// Where the attachment stands.
#[derive(Debug)]
pub(crate) enum Attach {
    Out,
    Creating { request: u64 },
    Attaching { request: u64 },
    Reading,
    Live,
    Waiting { until: Millis },
}

impl Attach {
    pub(super) const fn clock_went_back(&mut self, by: u64) {
        if let Self::Waiting { until } = self {
            *until = until.saturating_sub(by);
        }
    }
}

impl Channel {
    /// Does what is due at its relay.
    pub(crate) fn due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if self.stored.stopped.is_some() {
            return;
        }
        match self.attach {
            Attach::Out => self.begin(session, cx),
            Attach::Waiting { until } if until <= cx.now => self.begin(session, cx),
            Attach::Live => self.send_due(session, cx),
            // It began to read the log out and does not come to an end.
            Attach::Reading if self.patience.ends(cx.now) => self.attach(session, cx),
            _ => {}
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        match self.attach {
            Attach::Waiting { until } => Some(until),
            Attach::Reading => self.patience.next_timeout(),
            Attach::Live if self.pause_until > 0 => Some(self.pause_until),
            _ => None,
        }
    }

    fn begin(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if self.stored.create && !self.stored.made {
            self.create(session, cx);
        } else if self.kind() == LogKind::Shelf {
            self.shelf_there(session, cx);
        } else {
            self.attach(session, cx);
        }
    }

    fn create(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let request = session.request(self.id);
        let key = self.key(0);
        let max_ttl = self.stored.max_ttl;
        let signed = proof::create(&session.relay_key, &session.nonce, self.kind(), &key.public(), max_ttl, 0);
        let frame = Create {
            request,
            kind: self.kind() as u64,
            access_key: key.public(),
            max_ttl,
            quota: 0,
            signature: key.sign(&signed),
            entry: self.stored.entry.clone(),
        };
        self.attach = Attach::Creating { request };
        session.say(&ClientFrame::Create(frame), cx);
    }

    fn attach(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let request = session.request(self.id);
        let (log, epoch) = (self.log(), self.stored.epoch);
        let signature = self.access().sign(&proof::attach(&session.relay_key, &session.nonce, &log, epoch));
        self.attach = Attach::Attaching { request };
        self.flights.clear();
        let frame = AttachFrame { request, log, epoch, after: self.stored.cursor, signature, newest: None };
        session.say(&ClientFrame::Attach(frame), cx);
    }

    pub(crate) fn created(&mut self, request: u64, session: &mut Session, cx: &mut Cx<'_>) {
        if !matches!(self.attach, Attach::Creating { request: r } if r == request) {
            return;
        }
        if !self.stored.made {
            self.stored.made = true;
            self.changed = true;
        }
        if self.kind() == LogKind::Shelf {
            self.shelf_there(session, cx);
        } else {
            self.attach(session, cx);
        }
    }

    /// Nothing is to be read on a shelf.
    fn shelf_there(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        self.attach = Attach::Live;
        self.read_up = true;
        self.news.push(ChannelNews::Live);
        self.send_due(session, cx);
    }

    /// The relay does not know the log or shelf (any more): it is made, where that may be.
    pub(super) fn missing(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if !self.stored.create {
            self.stop("the relay does not know it (any more)".to_owned(), true);
            return;
        }
        // Everything in it, its tickets and its epochs are gone too.
        if self.stored.made {
            self.news.push(ChannelNews::Remade);
        }
        self.stored.made = false;
        self.stored.epoch = 0;
        self.stored.cursor = 0;
        self.stored.tickets_set = self.stored.tickets.is_empty();
        self.changed = true;
        self.create(session, cx);
    }

    pub(crate) fn attached(&mut self, frame: &Attached, session: &mut Session, cx: &mut Cx<'_>) {
        if !matches!(self.attach, Attach::Attaching { request } if request == frame.request) {
            return;
        }
        if !self.stored.made {
            self.stored.made = true;
            self.changed = true;
        }
        self.attach = Attach::Reading;
        self.patience.goes_on(cx.now);
        if frame.last < self.stored.cursor {
            // The relay was put back, or the log made anew: read all of it; letters are told by their ids.
            self.stored.cursor = 0;
            self.changed = true;
            self.attach(session, cx);
        }
    }

    pub(crate) fn record(&mut self, frame: &Record<'_>, session: &mut Session, cx: &mut Cx<'_>) {
        if !matches!(self.attach, Attach::Reading | Attach::Live) || frame.cursor <= self.stored.cursor {
            return;
        }
        self.patience.goes_on(cx.now);
        self.stored.cursor = frame.cursor;
        self.changed = true;
        let heard = Heard { cursor: frame.cursor, epoch: frame.epoch, body: frame.body.to_vec() };
        self.news.push(ChannelNews::Record(heard));
        if frame.advance.is_some() && frame.epoch == self.stored.epoch && self.kind() == LogKind::Advancing {
            self.stored.epoch = self.stored.epoch.saturating_add(1);
            self.attach(session, cx);
        }
    }

    pub(crate) fn live(&mut self, frame: &Live, session: &mut Session, cx: &mut Cx<'_>) {
        if !matches!(self.attach, Attach::Reading) {
            return;
        }
        self.attach = Attach::Live;
        self.patience.over();
        self.read_up = true;
        if frame.cursor > self.stored.cursor {
            self.stored.cursor = frame.cursor;
            self.changed = true;
        }
        self.news.push(ChannelNews::Live);
        self.send_due(session, cx);
    }

    /// We read too slowly: go on after what we have.
    pub(crate) fn lagged(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if matches!(self.attach, Attach::Reading | Attach::Live) {
            self.attach(session, cx);
        }
    }

    pub(crate) fn refused(&mut self, frame: &Refused, session: &mut Session, cx: &mut Cx<'_>) {
        let ours = |request: u64| frame.request == Some(request);
        match self.attach {
            Attach::Creating { request } if ours(request) => match frame.code {
                Refusal::Exists => self.created(request, session, cx),
                _ => self.later_or_stop(frame, cx),
            },
            Attach::Attaching { request } if ours(request) => self.attach_refused(frame, session, cx),
            _ => {
                if let Some(request) = frame.request {
                    self.request_refused(request, frame, session, cx);
                }
                if frame.code == Refusal::NotAttached && matches!(self.attach, Attach::Reading | Attach::Live) {
                    self.attach(session, cx);
                }
            }
        }
    }

    fn attach_refused(&mut self, frame: &Refused, session: &mut Session, cx: &mut Cx<'_>) {
        match (frame.code, frame.limit) {
            (Refusal::StaleEpoch, Some(epoch)) if self.kind() == LogKind::Advancing && epoch != self.stored.epoch => {
                self.stored.epoch = epoch;
                self.changed = true;
                self.attach(session, cx);
            }
            (Refusal::NoSuchLog, _) => self.missing(session, cx),
            _ => self.later_or_stop(frame, cx),
        }
    }

    fn later_or_stop(&mut self, frame: &Refused, cx: &mut Cx<'_>) {
        if frame.code.retry() == Retry::Never && frame.code != Refusal::TooManyAttachments {
            let why = match frame.code {
                Refusal::EntryNeeded | Refusal::EntryWrong => {
                    "this relay lets only those keep something there who have its entry code, and the code was missing or wrong: ask its owner for the relay's whole address (https://HOST/#e/CODE)".to_owned()
                }
                code => format!("the relay refused it: {}", refusal_in_words(code)),
            };
            self.stop(why, false);
        } else {
            self.attach = Attach::Waiting { until: cx.now.saturating_add(later(frame, cx)) };
        }
    }

    /// Reads on at the log's newest epoch, which a refusal named.
    pub(super) fn read_on(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        self.attach(session, cx);
    }
}

/// How long to wait after a refusal.
pub(super) fn later(frame: &Refused, cx: &mut Cx<'_>) -> u64 {
    let wait = frame.wait_ms.unwrap_or(LATER_MS).clamp(50, LONGEST_LATER_MS);
    wait.saturating_add(cx.below(wait / 4))
}
