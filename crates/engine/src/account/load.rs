//! From the vault: the account part at an engine's start; and what happens to a relay's sessions.

use estoile_seal::history::RoomPast;
use estoile_wire::RelayKeyHash;

use super::own::Own;
use super::{Accounts, contacts};
use crate::book::Book;
use crate::channel::job::{Job, JobId};
use crate::channel::{Channel, ChannelId};
use crate::names::{self, Own as Entry};
use crate::out::Cx;
use crate::stored::decode;
use crate::view::{ContactId, RelayId};

type Entries = Vec<(Vec<u8>, zeroize::Zeroizing<Vec<u8>>)>;

impl Accounts {
    /// The account part as the vault has it; none if that can't be read.
    pub(crate) fn load(entries: &Entries, book: &mut Book) -> Option<Self> {
        let mut accounts = Self::default();
        for (name, value) in entries {
            accounts.load_one(name, value)?;
        }
        accounts.counters_kept = accounts.counters.clone();
        for (id, contact) in &accounts.contacts {
            book.set_contact(contact.account, Some(contacts::flags(*id, contact)));
        }
        if let Some(own) = &accounts.own {
            book.learn(&own.id().0, &own.stored.chain);
        }
        accounts.set_tickets_again();
        Some(accounts)
    }

    fn load_one(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        let is = |what: Entry| name.starts_with(&names::own(what));
        let number = || names::number(name);
        let small = || number().and_then(|n| u32::try_from(n).ok());
        if is(Entry::Account) {
            self.own = Some(Own::new(decode(value)?)?);
        } else if is(Entry::Counters) {
            self.counters = decode(value)?;
        } else if is(Entry::Contact) {
            self.contacts.insert(ContactId(small()?), decode(value)?);
        } else if is(Entry::Channel) {
            let id = ChannelId(small()?);
            self.channels.insert(id, Channel::new(id, decode(value)?));
        } else if is(Entry::Job) {
            let id = JobId(number()?);
            self.jobs.insert(id, Job::new(id, decode(value)?));
        } else if is(Entry::Invite) {
            self.invites.insert(number()?, decode(value)?);
        } else if is(Entry::Invitation) {
            self.invitations.insert(number()?, decode(value)?);
        } else if is(Entry::Package) {
            self.packages.insert(number()?, decode(value)?);
        } else if is(Entry::Seen) {
            self.seen.insert(number()?, decode::<super::StoredSeen>(value)?.id);
        } else if is(Entry::Part) {
            self.history.restore_part(number()?, decode(value)?);
        } else if is(Entry::Past) {
            self.history.restore_past(number()?, RoomPast::decode(value).ok()?);
        } else if is(Entry::Want) {
            self.pending.insert(number()?, decode(value)?);
        }
        Some(())
    }

    /// A connection is gone.
    pub(crate) fn offline(&mut self, relay: RelayId) {
        let mut any = false;
        for channel in self.channels.values_mut().filter(|c| c.relay == relay) {
            channel.offline();
            any = true;
        }
        for job in self.jobs.values_mut().filter(|j| j.relay == relay) {
            job.offline();
        }
        if any {
            self.set_tickets_again();
            self.shelf.offline();
            self.writing = None;
            self.log_blobs.offline();
            self.history.offline();
            self.changed = true;
        }
    }

    /// A relay has shown its key: what knew none knows it from now on.
    pub(crate) fn pinned(&mut self, relay: RelayId, key: RelayKeyHash, cx: &mut Cx<'_>) {
        let _ = &cx.now;
        for channel in self.channels.values_mut().filter(|c| c.relay == relay) {
            match channel.stored.address.pin {
                None => {
                    channel.stored.address.pin = Some(key);
                    channel.changed();
                }
                Some(pin) if pin != key => channel.stop(crate::link::GreetError::WrongKey.to_string(), false),
                Some(_) => {}
            }
        }
        let places: Vec<_> =
            self.channels.values().filter(|c| c.relay == relay).map(|c| c.stored.address.clone()).collect();
        if let Some(own) = self.own.as_mut().filter(|own| own.stored.address.pin.is_none()) {
            let address = &mut own.stored.address;
            if places.iter().any(|p| (&p.host, p.port, p.tls) == (&address.host, address.port, address.tls)) {
                address.pin = Some(key);
                self.own_dirty = true;
            }
        }
    }
}
