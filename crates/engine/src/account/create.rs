//! A new account: everything is made at the relay, then the words are shown, once. They never reach the vault.

use estoile_mls::hpke;
use estoile_seal::SenderKey;
use estoile_seal::account::{Chain, Recovery};
use estoile_seal::link::is_loopback;
use estoile_seal::names::is_name;
use rand_core::CryptoRng;

use super::own::Own;
use super::stored::{StoredDevice, StoredKeys, StoredOwn};
use super::{Accounts, Waits};
use crate::channel::{Purpose, StoredChannel};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::out::Cx;
use crate::stored::StoredAddress;
use crate::turn::CommandId;

/// A device of this name stands in the account's log when its owner gave it none.
const UNNAMED: &str = "device";

/// What a new account is made of.
pub(crate) struct NewAccount<'a> {
    pub(crate) name: &'a str,
    pub(crate) device: &'a str,
    pub(crate) relay: &'a RelayAddress,
    pub(crate) entry: Option<Vec<u8>>,
}

impl Accounts {
    /// Makes an account. Answered with the words, later.
    pub(crate) fn create(&mut self, new: NewAccount<'_>, id: CommandId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        check(new.name, new.device, new.relay)?;
        if self.own.as_ref().is_some_and(|own| own.stored.made) || self.restoring.is_some() {
            return Err(CommandError::HasAccount);
        }
        // One that was never finished was shown to nobody.
        self.clear(cx);
        let recovery = Recovery::generate(cx.rng);
        let device = SenderKey::generate(cx.rng);
        let chain = Chain::create(&recovery.root(), &device, cx.now);
        let generation = recovery.generation(0);
        let mut stored = fresh(&device, new.device, new.relay, new.entry, cx)?;
        stored.chain = chain.encode();
        stored.secret = *generation.secret();
        stored.name = new.name.to_owned();
        stored.chain_told = chain.len();
        let own = Own::new(stored).ok_or_else(broken)?;
        cx.book.learn(&own.id().0, &own.stored.chain);
        self.own = Some(own);
        self.open_home(true, cx);
        self.touch();
        self.wait(Waits::Made, id, Answer::Words(recovery.words()));
        Ok(())
    }

    /// Opens the channels at the account's relay. `create`: they may have to be made.
    pub(crate) fn open_home(&mut self, create: bool, cx: &mut Cx<'_>) {
        let Some(own) = &self.own else { return };
        let address = own.stored.address.to_address();
        let plans = [
            (Purpose::Account(own.stored.generation), own.stored.secret),
            (Purpose::Mailbox, own.stored.keys.mailbox),
            (Purpose::Shelf, own.stored.keys.shelf),
        ];
        let entry = own.stored.entry.clone();
        for (purpose, seed) in plans {
            if self.channel(purpose).is_some() {
                continue;
            }
            let mut stored = StoredChannel::new(&address, purpose, seed);
            stored.create = create;
            stored.entry.clone_from(&entry);
            self.open_channel(stored, cx);
        }
        self.set_tickets();
    }

    /// Takes away what an account that was never finished has left.
    pub(crate) fn clear(&mut self, cx: &mut Cx<'_>) {
        if self.own.is_none() && self.channels.is_empty() {
            return;
        }
        for (id, _) in core::mem::take(&mut self.channels) {
            cx.delete(crate::names::channel(id.0));
        }
        for (id, _) in core::mem::take(&mut self.jobs) {
            cx.delete(crate::names::job(id.0));
        }
        for (number, _) in core::mem::take(&mut self.packages) {
            cx.delete(crate::names::own_numbered(crate::names::Own::Package, number));
        }
        self.history.clear_past(cx);
        self.shelf = super::shelf::Shelf::default();
        self.own = None;
        self.keep_own();
    }

    /// Whether everything of a new account is at the relay; answers who waits for that.
    pub(crate) fn look_whether_made(&mut self, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_ref().filter(|own| !own.stored.made) else { return };
        let home = [Purpose::Account(own.stored.generation), Purpose::Mailbox, Purpose::Shelf];
        let there = home.iter().all(|p| self.channel(*p).is_some_and(|c| c.is_live() && c.stored.tickets_set));
        if !there || !own.is_written() || !self.shelf.filled() || own.relay_url().is_none() {
            return;
        }
        // Without somebody who is shown the words the account is nobody's: it is made anew by the next command.
        let shown = self.waits.iter().any(|(w, ..)| matches!(w, Waits::Made | Waits::Restored | Waits::Link));
        if !shown && self.own.as_ref().is_none_or(|own| own.stored.since.is_none()) {
            return;
        }
        if let Some(own) = self.own.as_mut() {
            own.stored.made = true;
        }
        self.keep_own();
        self.answer(&Waits::Made, None, cx);
        self.answer(&Waits::Restored, None, cx);
    }
}

/// What all ways to an account on this device have in common.
pub(crate) fn fresh(
    device: &SenderKey,
    name: &str,
    relay: &RelayAddress,
    entry: Option<Vec<u8>>,
    cx: &mut Cx<'_>,
) -> Result<StoredOwn, CommandError> {
    let device_hpke = seed(cx.rng);
    let (_, hpke) = hpke::derive(&device_hpke).map_err(|_| broken())?;
    let name = if name.trim().is_empty() { UNNAMED } else { name };
    Ok(StoredOwn {
        chain: Vec::new(),
        generation: 0,
        secret: [0; 32],
        device: *device.seed(),
        device_hpke,
        device_name: name.to_owned(),
        name: String::new(),
        address: StoredAddress::of(relay),
        entry,
        keys: keys(cx.rng),
        devices: vec![StoredDevice { key: device.public(), name: name.to_owned(), hpke }],
        made: false,
        revision: 0,
        written: 0,
        written_at: 0,
        stopped: None,
        proposal: None,
        places: Vec::new(),
        last_resort_at: None,
        last_resort_taken: 0,
        farewell: Vec::new(),
        shared: 0,
        chain_written: 0,
        proposal_written: false,
        forgotten: Vec::new(),
        chain_told: 0,
        knocks: Vec::new(),
        joined: false,
        since: None,
        summary_blob: None,
        history: None,
        gone: None,
    })
}

pub(crate) fn keys(rng: &mut dyn CryptoRng) -> StoredKeys {
    StoredKeys { mailbox: seed(rng), shelf: seed(rng), shelf_key: seed(rng), link_ticket: seed(rng), hpke: seed(rng) }
}

pub(crate) fn seed(rng: &mut dyn CryptoRng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}

pub(crate) fn check(name: &str, device: &str, relay: &RelayAddress) -> Result<(), CommandError> {
    if !is_name(name) || !(device.trim().is_empty() || is_name(device)) {
        return Err(CommandError::BadName);
    }
    check_relay(relay)
}

pub(crate) fn check_relay(relay: &RelayAddress) -> Result<(), CommandError> {
    if relay.tls || is_loopback(&relay.host) {
        Ok(())
    } else {
        Err(CommandError::PlainText { host: relay.host.clone() })
    }
}

pub(crate) fn broken() -> CommandError {
    CommandError::Account("a key could not be made; look for a newer version of this program".to_owned())
}
