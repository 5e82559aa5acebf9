//! Logs of every kind and their holders' frames, for tests of private rooms' side of the relay.

use ed25519_dalek::{Signer, SigningKey};
use estoile_wire::frame::{
    Append, Attach, Attached, BlobAsk, BlobGrant, Count, Counted, Create, Kept, Live, Post, Put, Record, Refused, Take,
    Ticket, Tickets,
};
use estoile_wire::id::{BlobHash, LogKind, SlotId, TicketSecret};
use estoile_wire::{ClientFrame, Id16, LogId, PublicKey, Refusal, RelayFrame, Signature, proof};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::support::Client;

/// A log and the keys of all its epochs.
pub struct Holder {
    pub kind: LogKind,
    pub log: LogId,
    pub seed: u8,
}

impl Holder {
    pub fn new(kind: LogKind, seed: u8) -> Self {
        let mut holder = Self { kind, log: LogId([0; 32]), seed };
        holder.log = LogId::derive(kind, &holder.access_key(0));
        holder
    }

    fn key(&self, epoch: u64) -> SigningKey {
        SigningKey::from_bytes(&[self.seed ^ epoch.to_le_bytes()[0] ^ 0x80; 32])
    }

    pub fn access_key(&self, epoch: u64) -> PublicKey {
        PublicKey(self.key(epoch).verifying_key().to_bytes())
    }

    pub fn sign(&self, epoch: u64, message: &[u8]) -> Signature {
        Signature(self.key(epoch).sign(message).to_bytes())
    }
}

pub fn secret(n: u8) -> TicketSecret {
    TicketSecret([n; 32])
}

pub fn ticket(n: u8, per_day: u64) -> Ticket {
    Ticket { hash: secret(n).hash(), per_day, bytes_per_day: 1 << 20 }
}

/// A record as a session got it: cursor, epoch, whether it ended its epoch, body.
pub type Got = (u64, u64, bool, Vec<u8>);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// The answer to a request, whatever comes between.
    async fn answer<T>(&mut self, mut find: impl FnMut(RelayFrame<'_>) -> Option<T>) -> T {
        loop {
            if let Some(found) = find(self.next().await.get()) {
                return found;
            }
        }
    }

    fn proof_of(&self) -> (PublicKey, estoile_wire::id::Nonce) {
        (self.welcome.relay_key, self.welcome.nonce)
    }

    pub async fn found(&mut self, holder: &Holder, quota: u64) {
        let (relay, nonce) = self.proof_of();
        let access_key = holder.access_key(0);
        let signature = holder.sign(0, &proof::create(&relay, &nonce, holder.kind, &access_key, 0, quota));
        let frame =
            Create { request: 1, kind: holder.kind as u64, access_key, max_ttl: 0, quota, signature, entry: None };
        self.send(ClientFrame::Create(frame)).await;
        self.answer(|frame| match frame {
            RelayFrame::Created(created) => (created.log == holder.log).then_some(()),
            RelayFrame::Refused(refused) => panic!("{refused:?}"),
            _ => None,
        })
        .await;
    }

    pub async fn enter(&mut self, holder: &Holder, epoch: u64, after: u64) -> Result<Attached, Refused> {
        let (relay, nonce) = self.proof_of();
        let signature = holder.sign(epoch, &proof::attach(&relay, &nonce, &holder.log, epoch));
        let frame = Attach { request: 2, log: holder.log, epoch, after, signature, newest: None };
        self.send(ClientFrame::Attach(frame)).await;
        self.answer(|frame| match frame {
            RelayFrame::Attached(attached) => Some(Ok(attached)),
            RelayFrame::Refused(refused) => Some(Err(refused)),
            _ => None,
        })
        .await
    }

    /// The next record, or that the session is live.
    pub async fn step(&mut self) -> Result<Got, Live> {
        self.answer(|frame| match frame {
            RelayFrame::Record(Record { cursor, epoch, advance, body, .. }) => {
                Some(Ok((cursor, epoch, advance.is_some(), body.to_vec())))
            }
            RelayFrame::Live(live) => Some(Err(live)),
            _ => None,
        })
        .await
    }

    pub async fn write(
        &mut self,
        holder: &Holder,
        id: u8,
        epoch: u64,
        advance: bool,
        body: &[u8],
    ) -> Result<Kept, Refused> {
        let advance = advance.then(|| holder.access_key(epoch + 1));
        let request = 100 + u64::from(id);
        let frame = Append { request, log: holder.log, id16: Id16([id; 16]), epoch, ttl: None, body, advance };
        self.send(ClientFrame::Append(frame)).await;
        self.kept(request).await
    }

    pub async fn post(&mut self, holder: &Holder, by: u8, id: u8, body: &[u8]) -> Result<Kept, Refused> {
        let frame = Post { request: 77, log: holder.log, ticket: secret(by), id16: Id16([id; 16]), ttl: None, body };
        self.send(ClientFrame::Post(frame)).await;
        self.kept(77).await
    }

    async fn kept(&mut self, request: u64) -> Result<Kept, Refused> {
        self.answer(|frame| match frame {
            RelayFrame::Kept(kept) if kept.request == request => Some(Ok(kept)),
            RelayFrame::Refused(refused) if refused.request == Some(request) => Some(Err(refused)),
            _ => None,
        })
        .await
    }

    pub async fn set_tickets(&mut self, holder: &Holder, tickets: Vec<Ticket>) {
        let (relay, nonce) = self.proof_of();
        let signature = holder.sign(0, &proof::tickets(&relay, &nonce, &holder.log, 0, &tickets));
        self.send(ClientFrame::Tickets(Tickets { request: 3, log: holder.log, tickets, signature })).await;
        self.answer(|frame| match frame {
            RelayFrame::Done(done) => (done.request == 3).then_some(()),
            RelayFrame::Refused(refused) => panic!("{refused:?}"),
            _ => None,
        })
        .await;
    }

    pub async fn fill(&mut self, shelf: &Holder, slot: u8, items: &[&[u8]], last: Option<&[u8]>) -> Counted {
        let (relay, nonce) = self.proof_of();
        let slot = SlotId([slot; 16]);
        let message = proof::put(&relay, &nonce, &shelf.log, &slot, false, items, last);
        let signature = shelf.sign(0, &message);
        let items = items.to_vec();
        let frame = Put { request: 4, shelf: shelf.log, slot, clear: false, items, last_resort: last, signature };
        self.send(ClientFrame::Put(frame)).await;
        self.counted().await
    }

    pub async fn count(&mut self, shelf: &Holder) -> Counted {
        let (relay, nonce) = self.proof_of();
        let signature = shelf.sign(0, &proof::count(&relay, &nonce, &shelf.log));
        self.send(ClientFrame::Count(Count { request: 5, shelf: shelf.log, signature })).await;
        self.counted().await
    }

    async fn counted(&mut self) -> Counted {
        self.answer(|frame| match frame {
            RelayFrame::Counted(counted) => Some(counted),
            RelayFrame::Refused(refused) => panic!("{refused:?}"),
            _ => None,
        })
        .await
    }

    /// Takes one item of each slot: slot, item, whether it was the last resort.
    pub async fn take(&mut self, shelf: &Holder, by: u8) -> Result<Vec<(u8, Vec<u8>, bool)>, Refusal> {
        self.send(ClientFrame::Take(Take { request: 6, shelf: shelf.log, ticket: secret(by) })).await;
        let mut items = Vec::new();
        loop {
            let more = self.answer(|frame| match frame {
                RelayFrame::Taken(taken) => {
                    items.push((taken.slot.0[0], taken.item.to_vec(), taken.last_resort));
                    Some(Ok(taken.more))
                }
                RelayFrame::Refused(refused) => Some(Err(refused.code)),
                _ => None,
            });
            if !more.await? {
                return Ok(items);
            }
        }
    }

    pub async fn ask_blob(
        &mut self,
        log: &Holder,
        bytes: &[u8],
        ttl: Option<u64>,
        by: Option<u8>,
    ) -> Result<BlobGrant, Refused> {
        let (hash, size) = (BlobHash::of(bytes), bytes.len() as u64);
        let frame = BlobAsk { request: 7, log: log.log, hash, size, ttl, ticket: by.map(secret) };
        self.send(ClientFrame::BlobAsk(frame)).await;
        self.answer(|frame| match frame {
            RelayFrame::BlobGrant(grant) => Some(Ok(grant)),
            RelayFrame::Refused(refused) => Some(Err(refused)),
            _ => None,
        })
        .await
    }
}
