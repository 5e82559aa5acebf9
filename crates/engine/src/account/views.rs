//! What faces see of the account.

use estoile_seal::account::chain::Entry as ChainEntry;
use estoile_seal::views::View;
use estoile_wire::PublicKey;

use super::stored::{Stage, StoredContact};
use super::{Accounts, Own};
use crate::book::Book;
use crate::channel::Purpose;
use crate::room::hex;
use crate::stored::StoredAddress;
use crate::view::{AccountView, ContactId, ContactState, ContactView, DeviceView, Overview};

impl Accounts {
    pub(crate) fn overview(&self, book: &Book) -> Overview {
        let mut contacts: Vec<ContactView> = self.contacts.iter().map(|(id, c)| contact_view(*id, c, book)).collect();
        contacts.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Overview {
            account: self.own.as_ref().filter(|own| own.stored.made).map(|own| self.account_view(own)),
            contacts,
            invitations: self.invitation_views(),
            device_link: self.link.as_ref().map(|link| link.view.clone()),
            history: self.history_view(),
        }
    }

    fn account_view(&self, own: &Own) -> AccountView {
        let home = [Purpose::Account(own.stored.generation), Purpose::Mailbox, Purpose::Shelf];
        let caught_up = home.iter().all(|p| self.channel(*p).is_some_and(|c| c.is_live() && c.read_up));
        AccountView {
            name: own.stored.name.clone(),
            id: own.id().hex(),
            host: host(&own.stored.address),
            devices: devices(own),
            stopped: own.stored.stopped.clone(),
            caught_up,
        }
    }

    /// What we see of rooms that we share with an account.
    pub(super) fn views_shared(&self, account: &[u8; 32]) -> Vec<View> {
        let shared = self.sights.values().filter(|(accounts, _)| accounts.contains(account));
        shared.map(|(_, view)| *view).take(estoile_seal::views::MAX_VIEWS).collect()
    }
}

fn devices(own: &Own) -> Vec<DeviceView> {
    let mut devices: Vec<DeviceView> = own
        .chain
        .entries()
        .filter_map(|entry| match entry {
            ChainEntry::Create { device, at, .. } | ChainEntry::Add { device, at, .. } => Some((*device, *at)),
            _ => None,
        })
        .map(|(device, at)| device_view(own, &device, at))
        .collect();
    devices.sort_by_key(|d| (!d.own, d.removed, d.added_at));
    devices
}

fn device_view(own: &Own, device: &PublicKey, added_at: u64) -> DeviceView {
    DeviceView {
        id: hex(&device.0),
        name: own.device_name(device).to_owned(),
        own: *device == own.device.public(),
        added_at,
        removed: !own.chain.is_live(device),
    }
}

fn contact_view(id: ContactId, contact: &StoredContact, book: &Book) -> ContactView {
    let devices = book.verified_chain(&contact.account).map_or(0, |chain| chain.devices().len());
    ContactView {
        id,
        name: contact.name.clone(),
        account: hex(&contact.account),
        state: match contact.stage {
            Stage::Asked => ContactState::Asked,
            Stage::Request => ContactState::Request { text: contact.text.clone() },
            Stage::Accepted => ContactState::Accepted,
            Stage::Stopped => ContactState::Stopped { why: contact.why.clone().unwrap_or_default() },
        },
        verified: contact.verified.is_some(),
        devices: u32::try_from(devices).unwrap_or(u32::MAX),
        host: contact.reach.as_ref().map(|r| host(&r.address)).unwrap_or_default(),
        last_heard: contact.last_heard,
    }
}

fn host(address: &StoredAddress) -> String {
    if address.host.contains(':') {
        format!("[{}]:{}", address.host, address.port)
    } else {
        format!("{}:{}", address.host, address.port)
    }
}
