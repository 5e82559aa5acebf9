//! The account's devices: removing them, and going over to the next generation of its log.

use estoile_mls::hpke;
use estoile_seal::account::{Chain, Generation, HandOver, Proposal, Record, Recovery, Signer};
use estoile_wire::{Id16, PublicKey};

use super::create::seed;
use super::own::Own;
use super::{Accounts, Waits};
use crate::board::Draft;
use crate::channel::{Purpose, StoredChannel};
use crate::command::{Answer, CommandError};
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::room::hex;
use crate::turn::CommandId;

/// HPKE's purpose for a share of a hand-over; the account's id is its associated data.
const INFO_SHARE: &[u8] = b"estoile.v1 account share";
/// A beginning of a device's id that people type has at least this many digits.
const LEAST_DIGITS: usize = 4;

impl Accounts {
    /// Opens the account's log of the generation that this device knows.
    pub(super) fn open_log(&mut self, cx: &mut Cx<'_>) {
        let Some(own) = &self.own else { return };
        let purpose = Purpose::Account(own.stored.generation);
        if self.channel(purpose).is_some() {
            return;
        }
        let mut stored = StoredChannel::new(&own.stored.address.to_address(), purpose, own.stored.secret);
        stored.create = true;
        stored.made = true;
        stored.entry.clone_from(&own.stored.entry);
        self.open_channel(stored, cx);
    }

    /// Removes a device: itself, by the words, or with a second device. Answered when that is kept.
    pub(crate) fn remove_device(
        &mut self,
        which: &str,
        words: Option<&str>,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let own = self.need()?;
        let device = find_device(own, which)?;
        let account = |why: String| CommandError::Account(why);
        if let Some(words) = words {
            let recovery = Recovery::parse(words).map_err(|e| account(e.to_string()))?;
            let root = recovery.root();
            if root.public() != own.chain.root() {
                return Err(account("these words belong to another account; type those of this one".to_owned()));
            }
            let chain =
                own.chain.remove_device(&Signer::Root(&root), &device, cx.now).map_err(|e| account(e.to_string()))?;
            self.next_generation(chain, &recovery, cx)?;
        } else if device == own.device.public() {
            let signer = Signer::Device(&own.device);
            let chain = own.chain.remove_device(&signer, &device, cx.now).map_err(|e| account(e.to_string()))?;
            self.wait_written(command);
            self.take_own_chain(chain, cx);
            return Ok(());
        } else if let Some(proposal) = self.fitting_proposal(&device) {
            let chain = proposal.complete(&own.chain, &own.device).map_err(|e| account(e.to_string()))?;
            self.take_own_chain(chain, cx);
            cx.tell(Draft::new(
                None,
                NoticeKind::Device,
                "the device is removed, but it still holds the keys of the account's own log",
                "Remove it with the recovery words too as soon as you have them at hand: that changes those keys.",
            ));
        } else {
            let proposal =
                Proposal::sign(&own.chain, &own.device, &device, cx.now).map_err(|e| account(e.to_string()))?;
            if let Some(own) = self.own.as_mut() {
                own.stored.proposal = Some(proposal.encode());
                own.stored.proposal_written = false;
            }
            self.keep_own();
            cx.tell(Draft::new(
                None,
                NoticeKind::Device,
                "this device has asked for the removal; a second device of yours must ask for the same",
                "Do the same on another device (estoile device remove), or give the recovery words here.",
            ));
        }
        self.wait_written(command);
        Ok(())
    }

    fn wait_written(&mut self, command: CommandId) {
        let revision = self.own.as_ref().map_or(0, |own| own.stored.revision);
        self.wait(Waits::Written(revision), command, Answer::Done);
    }

    fn fitting_proposal(&self, device: &PublicKey) -> Option<Proposal> {
        let own = self.own.as_ref()?;
        let proposal = Proposal::decode(own.stored.proposal.as_deref()?).ok()?;
        let fits =
            proposal.device == *device && proposal.by != own.device.public() && proposal.check(&own.chain).is_ok();
        fits.then_some(proposal)
    }

    /// Another device asks for a removal.
    pub(super) fn proposed(&mut self, proposal: &Proposal, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        if proposal.check(&own.chain).is_err() {
            return;
        }
        let ours = proposal.by == own.device.public();
        own.stored.proposal = Some(proposal.encode());
        own.stored.proposal_written = true;
        let name = own.device_name(&proposal.device).to_owned();
        self.keep_own();
        if !ours {
            cx.tell(Draft::new(
                None,
                NoticeKind::Device,
                format!("another device of yours asks to remove the device {name} ({}…)", short(&proposal.device)),
                "If that is your wish, do the same here (estoile device remove).",
            ));
        }
    }

    /// The chain has lost devices by the root's word: those that stay go over to a log that the others can't open.
    pub(super) fn next_generation(
        &mut self,
        chain: Chain,
        recovery: &Recovery,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        let Some(own) = self.own.as_mut() else { return Err(CommandError::NoAccount) };
        let next = recovery.generation(own.stored.generation.saturating_add(1));
        let stays = own.stored.devices.iter().filter(|d| chain.is_live(&d.key) && d.key != own.device.public());
        let share = HandOver::share(&next);
        let shares =
            stays.filter_map(|d| Some((d.key, hpke::seal(&d.hpke, INFO_SHARE, &chain.id().0, &share).ok()?))).collect();
        let over = HandOver::sign(&chain.id(), &recovery.root(), next.number(), shares)
            .map_err(|e| CommandError::Account(e.to_string()))?;
        let last = [Record::Chain(chain.clone()).encode().to_vec(), Record::HandOver(over).encode().to_vec()];
        own.stored.farewell = last.into_iter().map(minicbor::bytes::ByteVec::from).collect();
        self.go_over(&next, true, cx);
        self.take_own_chain(chain, cx);
        Ok(())
    }

    /// Uses the log of another generation from now on.
    fn go_over(&mut self, next: &Generation, first: bool, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        let before = Purpose::Account(own.stored.generation);
        own.stored.generation = next.number();
        own.stored.secret = *next.secret();
        own.stored.chain_written = 0;
        // What the earlier log named last can't be opened any more, and counts no more.
        own.stored.summary_blob = None;
        own.stored.revision = own.stored.revision.saturating_add(1);
        let (address, entry) = (own.stored.address.to_address(), own.stored.entry.clone());
        let farewell = !own.stored.farewell.is_empty();
        self.writing = None;
        let mut stored = StoredChannel::new(&address, Purpose::Account(next.number()), *next.secret());
        stored.create = true;
        stored.made = !first;
        stored.entry = entry;
        self.open_channel(stored, cx);
        if !farewell {
            self.close_channel(before, cx);
        }
        // The devices' own ticket is another now.
        self.set_tickets();
        self.keep_own();
    }

    /// A hand-over that the root has signed.
    pub(super) fn follow(&mut self, over: &HandOver, cx: &mut Cx<'_>) {
        let Some(own) = &self.own else { return };
        let Some(share) = over.share_of(&own.device.public()) else { return };
        let opened = hpke::derive(&own.stored.device_hpke)
            .ok()
            .and_then(|(secret, _)| hpke::open(&secret, INFO_SHARE, &own.id().0, share).ok())
            .and_then(|share| over.open_share(&share).ok());
        if let Some(next) = opened {
            self.go_over(&next, false, cx);
        }
    }

    /// Writes the last records into the earlier generation's log, then lets go of it.
    pub(crate) fn say_farewell(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_ref().filter(|own| !own.stored.farewell.is_empty()) else { return };
        let current = own.stored.generation;
        let old = self
            .channels
            .values()
            .find(|c| matches!(c.stored.purpose, Purpose::Account(g) if g < current) && c.is_live() && !c.busy());
        let Some(old) = old else { return };
        let Purpose::Account(number) = old.stored.purpose else { return };
        let (epoch, advance) = (old.stored.epoch, old.next_access());
        let generation = Generation::from_parts(number, old.stored.seed);
        let Some(Ok(record)) = own.stored.farewell.first().map(|bytes| Record::decode(bytes)) else { return };
        let Ok(body) = generation.seal(epoch, &record, cx.rng) else { return };
        let id16 = Id16(seed(cx.rng).first_chunk().copied().unwrap_or_default());
        if let Some(channel) = self.channel_mut(Purpose::Account(number)) {
            channel.append(id16, &body, advance, session, cx);
        }
    }

    /// One of the last records is kept.
    pub(super) fn farewell_kept(&mut self, number: u32, cx: &mut Cx<'_>) {
        let Some(own) = self.own.as_mut() else { return };
        if !own.stored.farewell.is_empty() {
            own.stored.farewell.remove(0);
        }
        let over = own.stored.farewell.is_empty();
        self.keep_own();
        if over {
            self.close_channel(Purpose::Account(number), cx);
        }
    }
}

fn short(device: &PublicKey) -> String {
    hex(&device.0).chars().take(8).collect()
}

/// The device that somebody means: its name, its id, or a beginning of that.
fn find_device(own: &Own, which: &str) -> Result<PublicKey, CommandError> {
    let typed = which.trim();
    let digits = typed.to_ascii_lowercase();
    let live = own.chain.devices();
    let by_id = |d: &&PublicKey| digits.len() >= LEAST_DIGITS && hex(&d.0).starts_with(&digits);
    let by_name = |d: &&PublicKey| own.device_name(d) == typed;
    let found: Vec<&PublicKey> = match live.iter().filter(by_id).collect::<Vec<_>>() {
        found if !found.is_empty() => found,
        _ => live.iter().filter(by_name).collect(),
    };
    match found.as_slice() {
        [one] => Ok(**one),
        [] => Err(CommandError::Account(format!("this account has no device {typed}; see `estoile device list`"))),
        _ => Err(CommandError::Account(format!(
            "{typed} may be several devices; give more digits of its id (estoile device list)"
        ))),
    }
}
