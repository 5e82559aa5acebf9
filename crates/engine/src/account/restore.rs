//! Taking an account up again with its recovery words, when every device is lost.

use estoile_seal::SenderKey;
use estoile_seal::account::chain::sign_join;
use estoile_seal::account::summary::Summary;
use estoile_seal::account::{Chain, Record, Recovery, Signer, Standing};

use super::create::{broken, check_relay, fresh};
use super::own::Own;
use super::{Accounts, Waits, Wish};
use crate::board::Draft;
use crate::channel::{ChannelId, Heard, Purpose, StoredChannel};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::CommandId;

/// Generations are searched up to this one: a device is removed a few times in a life.
const MAX_GENERATION: u32 = 1_000;

/// What is looked for. Not in the vault: the words never are, and who is interrupted types them again.
pub(crate) struct Restoring {
    recovery: Recovery,
    device: String,
    relay: RelayAddress,
    entry: Option<Vec<u8>>,
    keep: bool,
    generation: u32,
    /// The newest generation that is there.
    found: Option<u32>,
    chain: Option<Chain>,
    summary: Option<Box<Summary>>,
}

impl core::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Restoring(..)")
    }
}

/// What is to be restored.
pub(crate) struct Restore<'a> {
    pub(crate) words: &'a str,
    pub(crate) device: &'a str,
    pub(crate) relay: &'a RelayAddress,
    pub(crate) entry: Option<Vec<u8>>,
    pub(crate) keep: bool,
}

impl Accounts {
    pub(crate) fn restore(
        &mut self,
        what: Restore<'_>,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        if self.own.as_ref().is_some_and(|own| own.stored.made) {
            return Err(CommandError::HasAccount);
        }
        let recovery = Recovery::parse(what.words).map_err(|e| CommandError::Account(e.to_string()))?;
        if !(what.device.trim().is_empty() || estoile_seal::names::is_name(what.device)) {
            return Err(CommandError::BadName);
        }
        check_relay(what.relay)?;
        self.clear(cx);
        self.restoring = Some(Restoring {
            recovery,
            device: what.device.to_owned(),
            relay: what.relay.clone(),
            entry: what.entry,
            keep: what.keep,
            generation: 0,
            found: None,
            chain: None,
            summary: None,
        });
        self.wait(Waits::Restored, command, Answer::Done);
        self.search(cx);
        Ok(())
    }

    /// Looks for the log of the next generation.
    fn search(&mut self, cx: &mut Cx<'_>) {
        let Some(restoring) = &self.restoring else { return };
        let number = restoring.generation;
        let generation = restoring.recovery.generation(number);
        let stored = StoredChannel::new(&restoring.relay, Purpose::Account(number), *generation.secret());
        self.open_channel(stored, cx);
    }

    /// A record of a generation that is being read.
    pub(super) fn restored_record(&mut self, _id: ChannelId, heard: &Heard, _cx: &mut Cx<'_>) {
        let Some(restoring) = self.restoring.as_mut() else { return };
        let generation = restoring.recovery.generation(restoring.generation);
        match generation.open(heard.epoch, &heard.body) {
            Ok(Record::Chain(chain)) => {
                let newer = restoring.chain.as_ref().is_none_or(|known| chain.extends(known) == Standing::Longer);
                let ours = chain.root() == restoring.recovery.root().public();
                if newer && ours {
                    restoring.chain = Some(chain);
                }
            }
            Ok(Record::Summary(summary)) => restoring.summary = Some(summary),
            _ => {}
        }
    }

    /// All of a generation was read: look for the next.
    pub(super) fn restored_live(&mut self, cx: &mut Cx<'_>) {
        let Some(restoring) = self.restoring.as_mut() else { return };
        restoring.found = Some(restoring.generation);
        if restoring.generation < MAX_GENERATION {
            let before = restoring.generation.checked_sub(1);
            restoring.generation = restoring.generation.saturating_add(1);
            if let Some(before) = before {
                self.close_channel(Purpose::Account(before), cx);
            }
            self.search(cx);
        }
    }

    /// There is no log of this generation: the one before is the newest.
    pub(super) fn search_ended(&mut self, id: ChannelId, lost: bool, why: &str, cx: &mut Cx<'_>) {
        if let Some(channel) = self.channels.remove(&id) {
            cx.delete(crate::names::channel(channel.id.0));
        }
        let Some(restoring) = self.restoring.take() else { return };
        let result = if lost { self.take_up(restoring, cx) } else { Err(CommandError::Offline(why.to_owned())) };
        if let Err(error) = result {
            self.clear(cx);
            self.answer(&Waits::Restored, Some(&error), cx);
        }
    }

    fn take_up(&mut self, restoring: Restoring, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let Restoring { recovery, device: name, relay, entry, keep, found, chain, summary, .. } = restoring;
        let account = |why: &str| CommandError::Account(why.to_owned());
        let Some(number) = found else {
            return Err(account(
                "this relay has no account of these words: it is another relay, or it has lost the account's log; try the account's own relay, or make a new account and tell your contacts",
            ));
        };
        let (Some(chain), Some(summary)) = (chain, summary) else {
            return Err(account(
                "the account's log at this relay holds nothing that these words open; it has ended there, so make a new account and tell your contacts",
            ));
        };
        let root = recovery.root();
        let device = SenderKey::generate(cx.rng);
        let proof = sign_join(&chain.id(), &chain.head(), &device);
        let fail = |e: estoile_seal::account::ChainError| CommandError::Account(e.to_string());
        let signer = Signer::Root(&root);
        let lost: Vec<_> = if keep { Vec::new() } else { chain.devices().to_vec() };
        let mut next = chain.clone();
        // With eight lost devices there is room for the new one only after one of them has gone.
        let first_gone = lost.first().filter(|_| chain.devices().len() >= estoile_seal::account::chain::MAX_DEVICES);
        if let Some(gone) = first_gone {
            next = next.remove_device(&signer, gone, cx.now).map_err(fail)?;
        }
        let proof = if first_gone.is_some() { sign_join(&next.id(), &next.head(), &device) } else { proof };
        next = next.add_device(&signer, &device.public(), &proof, cx.now).map_err(fail)?;
        for gone in lost.iter().filter(|d| Some(*d) != first_gone) {
            next = next.remove_device(&signer, gone, cx.now).map_err(fail)?;
        }
        let generation = recovery.generation(number);
        let mut stored = fresh(&device, &name, &relay, entry, cx)?;
        stored.chain = chain.encode();
        stored.generation = number;
        stored.secret = *generation.secret();
        stored.name.clone_from(&summary.name);
        stored.since = Some(cx.now);
        // The search has shown the relay's key.
        if let Some(channel) = self.channel(Purpose::Account(number)) {
            stored.address = channel.stored.address.clone();
        }
        stored.chain_told = chain.len();
        let own = Own::new(stored).ok_or_else(broken)?;
        cx.book.learn(&own.id().0, &own.stored.chain);
        self.own = Some(own);
        self.open_log(cx);
        self.take_summary(&summary, cx);
        if let Some(own) = self.own.as_mut() {
            own.stored.shared = own.stored.revision.saturating_add(1);
        }
        if keep {
            self.take_own_chain(next, cx);
        } else {
            self.next_generation(next, &recovery, cx)?;
        }
        self.open_home(true, cx);
        if let Some(own) = self.own.as_ref() {
            for place in own.stored.places.clone() {
                self.wish(Wish::Knock { place });
            }
        }
        self.touch();
        cx.tell(Draft::new(
            None,
            NoticeKind::Device,
            "the account is taken up again on this device",
            "Its rooms open as soon as somebody there lets this device in; messages from before are not here.",
        ));
        Ok(())
    }
}
