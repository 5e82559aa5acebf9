//! Taking an account up again with its recovery words, when every device is lost.

use estoile_seal::SenderKey;
use estoile_seal::account::chain::sign_join;
use estoile_seal::account::summary::Summary;
use estoile_seal::account::{Chain, Record, Recovery, Signer, Standing};

use super::create::{broken, check_relay, fresh, seed};
use super::own::Own;
use super::stored::StoredLogBlob;
use super::{Accounts, Waits, Wish};
use crate::board::Draft;
use crate::channel::{ChannelId, Heard, Purpose, StoredChannel};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::CommandId;

/// Generations are searched up to this one: a device is removed a few times in a life.
const MAX_GENERATION: u32 = 1_000;
/// The search ends after so many generations that are not there: a relay forgets a log some time after its last record has
/// ended, and nobody writes to that of an earlier generation.
const MAX_GAP: u32 = 16;

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
    /// In which generation's log the chain stood.
    chain_from: u32,
    summary: Option<Box<Summary>>,
    /// The newest summary is a blob, which is not here yet.
    pub(super) blob: Option<StoredLogBlob>,
    /// All generations were looked for; the blob is waited for.
    searched: bool,
    /// Go on under this name where nothing of the account is left.
    anew: Option<String>,
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
    pub(crate) anew: Option<String>,
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
        if what.anew.as_deref().is_some_and(|name| !estoile_seal::names::is_name(name)) {
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
            chain_from: 0,
            summary: None,
            blob: None,
            searched: false,
            anew: what.anew,
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
                let ours = chain.root() == restoring.recovery.root().public();
                let known = restoring.chain.as_ref();
                let newer = known.is_none_or(|known| chain.extends(known) == Standing::Longer);
                // The account was begun anew with the same words.
                let other = restoring.chain_from < restoring.generation && known.is_some_and(|k| k.id() != chain.id());
                if ours && other {
                    restoring.summary = None;
                    restoring.blob = None;
                }
                if ours && (newer || other) {
                    restoring.chain = Some(chain);
                    restoring.chain_from = restoring.generation;
                }
            }
            Ok(Record::Summary(summary)) => {
                restoring.summary = Some(summary);
                restoring.blob = None;
            }
            Ok(Record::Blob { hash, size }) => {
                let (generation, epoch) = (restoring.generation, heard.epoch);
                restoring.blob = Some(StoredLogBlob { hash, size, generation, epoch });
            }
            _ => {}
        }
    }

    /// All of a generation was read: look for the next.
    pub(super) fn restored_live(&mut self, cx: &mut Cx<'_>) {
        let Some(restoring) = self.restoring.as_mut() else { return };
        let before = restoring.found.replace(restoring.generation);
        if restoring.generation < MAX_GENERATION {
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
        let Some(restoring) = self.restoring.as_mut() else { return };
        let next = restoring.found.map_or(0, |found| found.saturating_add(1));
        if lost && restoring.generation < next.saturating_add(MAX_GAP) {
            restoring.generation = restoring.generation.saturating_add(1);
            self.search(cx);
            return;
        }
        if lost && restoring.blob.is_some() {
            restoring.searched = true;
            return;
        }
        self.search_over(lost.then_some(()).ok_or(why), cx);
    }

    /// The blob in which the newest summary lies came, or does not come.
    pub(super) fn restored_blob(&mut self, bytes: Option<&[u8]>, cx: &mut Cx<'_>) {
        let Some(restoring) = self.restoring.as_mut() else { return };
        let Some(blob) = restoring.blob.take() else { return };
        let generation = restoring.recovery.generation(blob.generation);
        if let Some(Ok(Record::Summary(summary))) = bytes.map(|bytes| generation.open(blob.epoch, bytes)) {
            restoring.summary = Some(summary);
        } else {
            cx.tell(Draft::new(
                None,
                NoticeKind::Relay,
                "the newest list of contacts and rooms is not at the relay, or was altered there; an older one counts, if there is one",
                "Look through your contacts and rooms, and ask those that are missing again.",
            ));
        }
        if restoring.searched {
            self.search_over(Ok(()), cx);
        }
    }

    fn search_over(&mut self, searched: Result<(), &str>, cx: &mut Cx<'_>) {
        let Some(restoring) = self.restoring.take() else { return };
        let result = match searched {
            Ok(()) => self.take_up(restoring, cx),
            Err(why) => Err(CommandError::Offline(why.to_owned())),
        };
        if let Err(error) = result {
            self.clear(cx);
            self.answer(&Waits::Restored, Some(&error), cx);
        }
    }

    fn take_up(&mut self, restoring: Restoring, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let complete = restoring.found.is_some() && restoring.chain.is_some() && restoring.summary.is_some();
        if !complete && restoring.anew.is_some() {
            return self.begin_anew(restoring, cx);
        }
        let Restoring { recovery, device: name, relay, entry, keep, found, chain, summary, .. } = restoring;
        let account = |why: &str| CommandError::Account(why.to_owned());
        let Some(number) = found else {
            return Err(account(
                "this relay has no account of these words: it is another relay, or it has lost the account's log; try the account's own relay, or, if this is it, go on anew with these words (estoile account restore --anew NAME)",
            ));
        };
        let (Some(chain), Some(summary)) = (chain, summary) else {
            return Err(account(
                "the account's log at this relay holds nothing (any more) that these words open; go on anew with these words (estoile account restore --anew NAME), and ask your contacts again",
            ));
        };
        let root = recovery.root();
        let device = SenderKey::generate(cx.rng);
        let next = certified(&chain, &root, &device, keep, cx.now)?;
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

impl Accounts {
    /// The relay has lost what the account is made of: it goes on with the same root, as far as the chain is left, in a new
    /// log, with nobody and nothing in it.
    fn begin_anew(&mut self, restoring: Restoring, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let Restoring { recovery, device: name, relay, entry, found, chain, anew, .. } = restoring;
        let (root, device) = (recovery.root(), SenderKey::generate(cx.rng));
        let same = chain.is_some();
        let chain = match chain {
            Some(chain) => certified(&chain, &root, &device, false, cx.now)?,
            None => Chain::create(&root, &device, cx.now),
        };
        // Never the log of a generation that a lost device can read and write: where none is left, nobody knows how far the
        // account had come, so it is one of those that were looked for and are not there, and none of the first ones.
        let lot = seed(cx.rng).first().map_or(0, |byte| u32::from(*byte) % (MAX_GAP / 2));
        let number = found.map_or_else(|| MAX_GAP.saturating_sub(lot), |found| found.saturating_add(1));
        let mut stored = fresh(&device, &name, &relay, entry, cx)?;
        stored.chain = chain.encode();
        stored.generation = number;
        stored.secret = *recovery.generation(number).secret();
        stored.name = anew.unwrap_or_default();
        stored.chain_told = chain.len();
        stored.since = Some(cx.now);
        if let Some(found) = found {
            self.close_channel(Purpose::Account(found), cx);
        }
        let own = Own::new(stored).ok_or_else(broken)?;
        cx.book.learn(&own.id().0, &own.stored.chain);
        self.own = Some(own);
        self.open_home(true, cx);
        self.touch();
        let detail = if same {
            "the relay has lost this account's contacts and rooms: the account goes on without them"
        } else {
            "the relay has lost this account's log: the recovery words are good for a new account from now on, with another id"
        };
        let advice = "Ask your contacts again with their links, or give them yours, and verify them; ask to be let into rooms again.";
        cx.tell(Draft::new(None, NoticeKind::Device, detail, advice));
        Ok(())
    }
}

/// The chain with this device in it, by the root's word, and without the others unless they are kept.
fn certified(
    chain: &Chain,
    root: &estoile_seal::account::RootKey,
    device: &SenderKey,
    keep: bool,
    now: estoile_wire::Millis,
) -> Result<Chain, CommandError> {
    let fail = |e: estoile_seal::account::ChainError| CommandError::Account(e.to_string());
    let signer = Signer::Root(root);
    let lost: Vec<_> = if keep { Vec::new() } else { chain.devices().to_vec() };
    let mut next = chain.clone();
    // With eight lost devices there is room for the new one only after one of them has gone.
    let first_gone = lost.first().filter(|_| chain.devices().len() >= estoile_seal::account::chain::MAX_DEVICES);
    if let Some(gone) = first_gone {
        next = next.remove_device(&signer, gone, now).map_err(fail)?;
    }
    let proof = sign_join(&next.id(), &next.head(), device);
    next = next.add_device(&signer, &device.public(), &proof, now).map_err(fail)?;
    for gone in lost.iter().filter(|d| Some(*d) != first_gone) {
        next = next.remove_device(&signer, gone, now).map_err(fail)?;
    }
    Ok(next)
}
