//! What a log's tickets may still be used for today. Counts live in memory: a relay that restarts begins anew.

use std::sync::Arc;

use estoile_wire::frame::Ticket;
use estoile_wire::id::TicketHash;
use estoile_wire::{Millis, Refusal};

use super::Log;
use crate::config::DAY_MS;
use crate::queue::Outbox;
use crate::shard::No;

/// What a ticket was used for in one day (of UTC).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    day: u64,
    count: u64,
    bytes: u64,
}

impl<Q: Outbox> Log<Q> {
    /// The ticket with this hash.
    pub(crate) fn ticket(&self, hash: &TicketHash) -> Result<Ticket, No> {
        let found = self.meta.tickets.iter().rev().find(|ticket| ticket.hash == *hash);
        found.copied().ok_or(No::because(Refusal::BadTicket))
    }

    fn used(&self, now: Millis, hash: &TicketHash) -> Usage {
        let day = now / DAY_MS;
        self.usage.get(hash).copied().filter(|used| used.day == day).unwrap_or(Usage { day, count: 0, bytes: 0 })
    }

    /// Whether a ticket is good for one more use of so many bytes.
    pub(crate) fn may_use(&self, now: Millis, ticket: &Ticket, bytes: u64) -> Result<(), No> {
        let used = self.used(now, &ticket.hash);
        if used.count < ticket.per_day && used.bytes.saturating_add(bytes) <= ticket.bytes_per_day {
            return Ok(());
        }
        Err(No::wait(Refusal::TicketUsedUp, DAY_MS.saturating_sub(now % DAY_MS)))
    }

    /// A ticket was used.
    pub(crate) fn use_ticket(&mut self, now: Millis, ticket: &Ticket, bytes: u64) {
        let Usage { day, count, bytes: before } = self.used(now, &ticket.hash);
        let used = Usage { day, count: count.saturating_add(1), bytes: before.saturating_add(bytes) };
        self.usage.insert(ticket.hash, used);
    }

    /// What a ticket was used for today came to nothing.
    pub(crate) fn unuse_ticket(&mut self, now: Millis, hash: &TicketHash, bytes: u64) {
        if let Some(used) = self.usage.get_mut(hash).filter(|used| used.day == now / DAY_MS) {
            used.count = used.count.saturating_sub(1);
            used.bytes = used.bytes.saturating_sub(bytes);
        }
    }

    /// New tickets are durable. What the old ones among them were used for stays.
    pub(crate) fn set_tickets(&mut self, tickets: Arc<[Ticket]>) {
        self.usage.retain(|hash, _| tickets.iter().any(|ticket| ticket.hash == *hash));
        self.meta.tickets = tickets;
    }
}
