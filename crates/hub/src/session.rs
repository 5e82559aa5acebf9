//! One session, from its hello to its end: what it may say, how often, and what it holds.
//!
//! A session knows no socket. Its driver
//!
//! 1. makes one for each connection and puts every binary message into [`Session::receive`];
//! 2. tells it of every sign of life (a message, an answered ping) by [`Session::heard`], and asks [`Session::due`] what
//!    time brings: these two by a clock that nobody sets, if the driver has one, for a wall clock that is put right must
//!    not make everybody look silent;
//! 3. while [`Session::catching_up`] and its queue has room ([`Queue::has_room`](crate::queue::Queue::has_room)): takes
//!    [`Session::next_read`], runs it against a reader, wherever that may block, and gives the answer to [`Session::page`];
//! 4. when the connection ends, for whatever reason, calls [`Session::end`], and all that the session held is freed.

mod asks;
mod attach;
mod catch_up;

pub use catch_up::{ReadAnswer, ReadRequest};

use catch_up::CatchUp;
use ed25519_dalek::VerifyingKey;
use estoile_wire::frame::{Append, Closing, Create, Hello, Pong, RelayFrame, Signal, Welcome};
use estoile_wire::id::{LogKind, Nonce};
use estoile_wire::limits::MAX_ENTRY_CODE;
use estoile_wire::{ClientFrame, DecodeError, LogId, Millis, PublicKey, Refusal, Signature, VERSION, proof};
use rand_core::CryptoRng;

use crate::blobs::Blobs;
use crate::config::Rate;
use crate::log::{Asker, SessionId};
use crate::queue::{Class, Outbox};
use crate::rate::Bucket;
use crate::rules::Rules;
use crate::shard::{Admitted, No, Shard};
use crate::store::Reader;

/// How a session reaches the shard that has a log. A driver locks; nothing else is locked while `with` runs.
pub trait Shards<Q: Outbox> {
    /// Runs `f` on the shard of this log. Always the same shard for the same log.
    fn with<T>(&self, log: &LogId, f: impl FnOnce(&mut Shard<Q>) -> T) -> T;
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It is over: `Closing` with this code is in the outbox; the driver writes what is queued and closes.
    Close(Refusal),
}

/// What time brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing before this moment.
    Wait(Millis),
    /// A ping is to be sent now; it is counted as sent.
    Ping,
    /// The session was silent for too long: as [`Flow::Close`].
    Close(Refusal),
}

/// One session. See the module for the order of calls.
#[derive(Debug)]
pub struct Session<Q> {
    id: SessionId,
    outbox: Q,
    nonce: Nonce,
    open: bool,
    heard: Millis,
    pinged: Millis,
    creations: Bucket,
    attaches: Bucket,
    appends: Bucket,
    signals: Bucket,
    walks: Bucket,
    asks: Bucket,
    serial: u32,
    /// Every log in which something of this session may be.
    holds: Vec<LogId>,
    catching: Vec<CatchUp>,
}

impl<Q: Outbox> Session<Q> {
    /// A session that has said nothing yet. `now` is by the clock of [`Session::heard`] and [`Session::due`].
    #[must_use]
    pub fn new(id: SessionId, outbox: Q, now: Millis, rng: &mut dyn CryptoRng) -> Self {
        let mut nonce = Nonce([0; 32]);
        rng.fill_bytes(&mut nonce.0);
        Self {
            id,
            outbox,
            nonce,
            open: false,
            heard: now,
            pinged: now,
            creations: Bucket::default(),
            attaches: Bucket::default(),
            appends: Bucket::default(),
            signals: Bucket::default(),
            walks: Bucket::default(),
            asks: Bucket::default(),
            serial: 0,
            holds: Vec::new(),
            catching: Vec::new(),
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whether the hello was exchanged.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    fn close(&self, code: Refusal) -> Flow {
        self.outbox.push(RelayFrame::Closing(Closing { code }).encode().into(), Class::Answer);
        Flow::Close(code)
    }

    /// Ends the session from the relay's side (shutdown, too many sessions): tells the client.
    pub fn dismiss(&self, code: Refusal) -> Flow {
        self.close(code)
    }

    fn refuse(&self, request: Option<u64>, log: Option<LogId>, no: No) {
        self.outbox.push(no.frame(request, log), Class::Answer);
    }

    fn asker(&self, request: u64) -> Asker<Q> {
        Asker { session: self.id, outbox: self.outbox.clone(), request }
    }

    // ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// A sign of life: a message that was received, or one of the transport's own.
    pub fn heard(&mut self, now: Millis) {
        // Whoever has not said hello doesn't live on pongs.
        if self.open {
            self.heard = self.heard.max(now);
        }
    }

    /// What time brings. To be asked when the moment comes that it said last.
    pub fn due(&mut self, now: Millis, rules: &Rules) -> Due {
        let config = &rules.config;
        // A clock that was set back must not keep the silent alive until it is where it was.
        (self.heard, self.pinged) = (self.heard.min(now), self.pinged.min(now));
        let patience = if self.open { config.silence_ms } else { config.hello_ms };
        let silent = self.heard.saturating_add(patience);
        if silent <= now {
            let _ = self.close(Refusal::Silent);
            return Due::Close(Refusal::Silent);
        }
        let ping = self.pinged.saturating_add(config.ping_ms);
        if ping <= now {
            self.pinged = now;
            return Due::Ping;
        }
        Due::Wait(silent.min(ping))
    }

    // ── Receiving ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Takes one binary message from the client. Answers go into the outbox, at once or after the commit.
    ///
    /// An attach may read the store (the ids of a log's live records, the first time in a while).
    pub fn receive<S: Shards<Q>, R: Reader, B: Blobs>(
        &mut self,
        now: Millis,
        bytes: &[u8],
        rules: &Rules,
        shards: &S,
        reader: &R,
        blobs: &B,
    ) -> Flow {
        let frame = match ClientFrame::decode(bytes) {
            Ok(frame) => frame,
            Err(DecodeError::TooLarge) => return self.close(Refusal::FrameTooLarge),
            Err(DecodeError::UnknownType(n)) if self.open => {
                self.refuse(None, None, No::above(Refusal::Unsupported, n));
                return Flow::Continue;
            }
            Err(DecodeError::UnknownType(_)) => return self.close(Refusal::OutOfOrder),
            Err(DecodeError::Malformed) => return self.close(Refusal::Malformed),
        };
        match (self.open, &frame) {
            (false, ClientFrame::Hello(hello)) => return self.hello(now, hello, rules),
            (false, _) | (true, ClientFrame::Hello(_)) => return self.close(Refusal::OutOfOrder),
            (true, _) => {}
        }
        match frame {
            ClientFrame::Hello(_) => {}
            ClientFrame::Create(f) => self.create(now, &f, rules, shards),
            ClientFrame::Attach(f) => self.attach(now, &f, rules, shards, reader),
            ClientFrame::Detach(f) => self.detach(now, &f.log, shards),
            ClientFrame::Append(f) => self.append(now, &f, rules, shards),
            ClientFrame::Signal(f) => self.signal(now, &f, rules, shards),
            ClientFrame::Ping(f) => {
                let pong = Pong { request: f.request, time: now };
                self.outbox.push(RelayFrame::Pong(pong).encode().into(), Class::Answer);
            }
            ClientFrame::Tickets(f) => self.tickets(now, &f, rules, shards),
            ClientFrame::Post(f) => self.post(now, &f, rules, shards, reader),
            ClientFrame::Put(f) => self.put(now, &f, rules, shards, reader),
            ClientFrame::Take(f) => self.take(now, &f, rules, shards, reader),
            ClientFrame::Count(f) => self.count(now, &f, rules, shards, reader),
            ClientFrame::BlobAsk(f) => self.blob_ask(now, &f, rules, shards, blobs),
        }
        Flow::Continue
    }

    fn hello(&mut self, now: Millis, hello: &Hello, rules: &Rules) -> Flow {
        if !hello.versions.contains(&VERSION) {
            return self.close(Refusal::UnsupportedVersion);
        }
        self.open = true;
        let identity = &rules.identity;
        let welcome = Welcome {
            version: VERSION,
            relay_key: identity.public(),
            nonce: self.nonce,
            time: now,
            signature: identity.sign_welcome(&hello.challenge, &self.nonce, now),
            certificate: identity.certificate(),
            limits: rules.config.limits(),
        };
        self.outbox.push(RelayFrame::Welcome(welcome).encode().into(), Class::Answer);
        Flow::Continue
    }

    fn create<S: Shards<Q>>(&mut self, now: Millis, f: &Create, rules: &Rules, shards: &S) {
        match self.admit(now, f, rules) {
            Ok(new) => {
                // It may wait for the commit there.
                if let Err(no) = self.may_hold(&new.id, rules.config.max_attachments, shards) {
                    return self.refuse(Some(f.request), Some(new.id), no);
                }
                self.hold(new.id);
                let asker = self.asker(f.request);
                shards.with(&new.id, |shard| shard.create(now, asker, &new));
            }
            Err(no) => self.refuse(Some(f.request), None, no),
        }
    }

    /// Everything about a creation that needs no log: rate, entry code, kind, signature.
    fn admit(&mut self, now: Millis, f: &Create, rules: &Rules) -> Result<Admitted, No> {
        let Rules { config, identity, entry } = rules;
        rate(&mut self.creations, now, config.creations)?;
        if f.entry.as_ref().is_some_and(|code| code.len() > MAX_ENTRY_CODE) {
            return Err(No::because(Refusal::EntryWrong));
        }
        let entry = entry.admit(f.entry.as_deref()).map_err(No::because)?;
        let kind = LogKind::from_wire(f.kind).ok_or(No::above(Refusal::Unsupported, f.kind))?;
        let message = proof::create(&identity.public(), &self.nonce, kind, &f.access_key, f.max_ttl, f.quota);
        verify(&f.access_key, &message, &f.signature)?;
        let (max_ttl, quota) = (config.limits().max_ttl, config.max_log_bytes);
        Ok(Admitted {
            id: LogId::derive(kind, &f.access_key),
            kind,
            access_key: f.access_key,
            max_ttl: if f.max_ttl == 0 { max_ttl } else { f.max_ttl.min(max_ttl) },
            quota: if f.quota == 0 { quota } else { f.quota.min(quota) },
            entry,
        })
    }

    /// Room for one more log, after those were let go that the relay has ended or this session lagged in.
    fn may_hold<S: Shards<Q>>(&mut self, log: &LogId, most: usize, shards: &S) -> Result<(), No> {
        if self.holds.len() >= most && !self.holds.contains(log) {
            let id = self.id;
            self.holds.retain(|log| shards.with(log, |shard| shard.holds(id, log)));
            if self.holds.len() >= most {
                return Err(No::above(Refusal::TooManyAttachments, most as u64));
            }
        }
        Ok(())
    }

    fn hold(&mut self, log: LogId) {
        if !self.holds.contains(&log) {
            self.holds.push(log);
        }
    }

    fn detach<S: Shards<Q>>(&mut self, now: Millis, log: &LogId, shards: &S) {
        self.catching.retain(|c| c.log != *log);
        if self.holds.contains(log) && !shards.with(log, |shard| shard.detach(now, self.id, log)) {
            self.holds.retain(|held| held != log);
        }
    }

    fn append<S: Shards<Q>>(&mut self, now: Millis, f: &Append<'_>, rules: &Rules, shards: &S) {
        match rate(&mut self.appends, now, rules.config.appends) {
            Ok(()) => {
                let asker = self.asker(f.request);
                shards.with(&f.log, |shard| shard.append(now, asker, f));
            }
            Err(no) => self.refuse(Some(f.request), Some(f.log), no),
        }
    }

    fn signal<S: Shards<Q>>(&mut self, now: Millis, f: &Signal<'_>, rules: &Rules, shards: &S) {
        match rate(&mut self.signals, now, rules.config.signals) {
            Ok(()) => shards.with(&f.log, |shard| shard.signal(self.id, &self.outbox, f)),
            Err(no) => self.refuse(None, Some(f.log), no),
        }
    }

    // ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Frees all that the session held.
    pub fn end<S: Shards<Q>>(self, now: Millis, shards: &S) {
        for log in &self.holds {
            shards.with(log, |shard| shard.release(now, self.id, log));
        }
    }

    /// Logs in which something of this session may be.
    #[must_use]
    pub fn held(&self) -> usize {
        self.holds.len()
    }
}

fn rate(bucket: &mut Bucket, now: Millis, rate: Rate) -> Result<(), No> {
    bucket.take(now, rate).map_err(|wait| No::wait(Refusal::RateLimited, wait))
}

/// Checks a signature by RFC 8032, refusing keys and signatures that would verify more than one message.
fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), No> {
    let key = VerifyingKey::from_bytes(&key.0).map_err(|_| No::because(Refusal::BadProof))?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    let proven = key.verify_strict(message, &signature).is_ok() || estoile_wire::weak::is("proof");
    proven.then_some(()).ok_or_else(|| No::because(Refusal::BadProof))
}
