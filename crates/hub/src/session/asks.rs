//! What a session may ask without being attached: tickets, posts, shelves, blobs.

use estoile_wire::frame::{BlobAsk, BlobGrant, Count, Post, Put, RelayFrame, Take, Tickets};
use estoile_wire::id::LogKind;
use estoile_wire::{LogId, Millis, PublicKey, Refusal, proof};

use super::attach::warm;
use super::{Session, Shards, rate, verify};
use crate::blobs::Blobs;
use crate::log::Place;
use crate::queue::{Class, Outbox};
use crate::rules::Rules;
use crate::shard::{BUSY_WAIT_MS, Door, No};
use crate::store::{Reader, StoreError};

impl<Q: Outbox> Session<Q> {
    fn told(&self, request: u64, log: LogId, outcome: Result<(), No>) {
        if let Err(no) = outcome {
            self.refuse(Some(request), Some(log), no);
        }
    }

    fn ask(&mut self, now: Millis, rules: &Rules) -> Result<(), No> {
        rate(&mut self.asks, now, rules.config.asks)
    }

    fn door<S: Shards<Q>>(log: &LogId, shards: &S) -> Result<Door, No> {
        shards.with(log, |shard| shard.door(log)).ok_or(No::because(Refusal::NoSuchLog))
    }

    pub(super) fn tickets<S: Shards<Q>>(&mut self, now: Millis, f: &Tickets, rules: &Rules, shards: &S) {
        let outcome = self.ask(now, rules).and_then(|()| {
            let Door { access_key, epoch, before, .. } = Self::door(&f.log, shards)?;
            let relay = rules.identity.public();
            let signed = |key: &PublicKey, epoch: u64| {
                verify(key, &proof::tickets(&relay, &self.nonce, &f.log, epoch, &f.tickets), &f.signature)
            };
            if let Err(no) = signed(&access_key, epoch) {
                // Whoever signed while the epoch ended is told so.
                let ended = epoch.checked_sub(1).zip(before);
                let late = ended.is_some_and(|(ended, key)| signed(&key, ended).is_ok());
                return Err(if late { No::above(Refusal::StaleEpoch, epoch) } else { no });
            }
            let asker = self.asker(f.request);
            shards.with(&f.log, |shard| shard.tickets(asker, &f.log, epoch, &f.tickets))
        });
        self.told(f.request, f.log, outcome);
    }

    pub(super) fn post<S: Shards<Q>, R: Reader>(
        &mut self,
        now: Millis,
        f: &Post<'_>,
        rules: &Rules,
        shards: &S,
        reader: &R,
    ) {
        let outcome = self.ask(now, rules).and_then(|()| {
            let door = Self::door(&f.log, shards)?;
            // It waits there for the commit.
            self.may_hold(&f.log, rules.config.max_attachments, shards)?;
            self.hold(f.log);
            let asker = self.asker(f.request);
            if let Some(outcome) = shards.with(&f.log, |shard| shard.post(now, asker.clone(), f)) {
                return outcome;
            }
            warm(now, &f.log, &door, shards, reader)?;
            let outcome = shards.with(&f.log, |shard| shard.post(now, asker, f));
            outcome.unwrap_or(Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)))
        });
        self.told(f.request, f.log, outcome);
    }

    /// The owner's proof, and a shelf that is known.
    fn own_shelf<S: Shards<Q>, R: Reader>(
        &self,
        now: Millis,
        id: &LogId,
        signed: (&[u8], &estoile_wire::Signature),
        shards: &S,
        reader: &R,
    ) -> Result<(), No> {
        let door = Self::door(id, shards)?;
        if door.kind != LogKind::Shelf {
            return Err(No::above(Refusal::Unsupported, door.kind as u64));
        }
        verify(&door.access_key, signed.0, signed.1)?;
        warm(now, id, &door, shards, reader)
    }

    pub(super) fn put<S: Shards<Q>, R: Reader>(
        &mut self,
        now: Millis,
        f: &Put<'_>,
        rules: &Rules,
        shards: &S,
        reader: &R,
    ) {
        let outcome = self.ask(now, rules).and_then(|()| {
            let relay = rules.identity.public();
            let message = proof::put(&relay, &self.nonce, &f.shelf, &f.slot, f.clear, &f.items, f.last_resort);
            self.own_shelf(now, &f.shelf, (&message, &f.signature), shards, reader)?;
            let asker = self.asker(f.request);
            shards.with(&f.shelf, |shard| shard.put(now, asker, f))
        });
        self.told(f.request, f.shelf, outcome);
    }

    pub(super) fn count<S: Shards<Q>, R: Reader>(
        &mut self,
        now: Millis,
        f: &Count,
        rules: &Rules,
        shards: &S,
        reader: &R,
    ) {
        let outcome = self.ask(now, rules).and_then(|()| {
            let message = proof::count(&rules.identity.public(), &self.nonce, &f.shelf);
            self.own_shelf(now, &f.shelf, (&message, &f.signature), shards, reader)?;
            let asker = self.asker(f.request);
            shards.with(&f.shelf, |shard| shard.count(now, &asker, &f.shelf))
        });
        self.told(f.request, f.shelf, outcome);
    }

    pub(super) fn take<S: Shards<Q>, R: Reader>(
        &mut self,
        now: Millis,
        f: &Take,
        rules: &Rules,
        shards: &S,
        reader: &R,
    ) {
        let outcome = self.ask(now, rules).and_then(|()| {
            let door = Self::door(&f.shelf, shards)?;
            let reserve = || shards.with(&f.shelf, |shard| shard.reserve(now, f));
            let taken = match reserve() {
                Some(taken) => taken,
                None => {
                    warm(now, &f.shelf, &door, shards, reader)?;
                    reserve().unwrap_or(Err(No::wait(Refusal::Busy, BUSY_WAIT_MS)))
                }
            }?;
            // Nobody else gets these; their bytes are read while the shard goes on.
            let read = taken.places.iter().map(|place| item(now, &f.shelf, place, reader));
            let Ok(items) = read.collect::<Result<Vec<_>, _>>() else {
                shards.with(&f.shelf, |shard| shard.put_back(&f.shelf, &taken));
                return Err(No::because(Refusal::StoreFailed));
            };
            let asker = self.asker(f.request);
            shards.with(&f.shelf, |shard| shard.take_item(asker, f.shelf, taken, &items));
            Ok(())
        });
        self.told(f.request, f.shelf, outcome);
    }

    pub(super) fn blob_ask<S: Shards<Q>, B: Blobs>(
        &mut self,
        now: Millis,
        f: &BlobAsk,
        rules: &Rules,
        shards: &S,
        blobs: &B,
    ) {
        let outcome = self.ask(now, rules).and_then(|()| {
            let (asked, ticket) = shards.with(&f.log, |shard| shard.blob_ask(now, self.id, f))?;
            let (held, ticket) = (blobs.would_count(now, &asked), ticket.as_ref());
            shards.with(&f.log, |shard| shard.blob_hold(now, &asked, ticket, held))?;
            let granted = blobs.grant(now, &asked);
            let counted = granted.as_ref().map_or(0, |granted| granted.counted);
            shards.with(&f.log, |shard| shard.blob_granted(now, &asked, ticket, held, counted));
            let granted = granted?;
            let grant = BlobGrant { request: f.request, token: granted.token, received: granted.received };
            self.outbox.push(RelayFrame::BlobGrant(grant).encode().into(), Class::Answer);
            Ok(())
        });
        self.told(f.request, f.log, outcome);
    }
}

/// The bytes of an item.
fn item<R: Reader>(now: Millis, shelf: &LogId, place: &Place, reader: &R) -> Result<(Place, bytes::Bytes), StoreError> {
    let cursor = place.item.cursor;
    let page = reader.read(shelf, cursor.saturating_sub(1), now, 1, usize::MAX)?;
    let record = page.records.first().filter(|record| record.cursor == cursor);
    let body = record.map(|record| Place::item_of(&record.body));
    Ok((*place, body.ok_or_else(|| StoreError::Failed("an item is not where it was put".to_owned()))?))
}
