//! Wishes and the commits that fulfil them. A wish is kept until it is merged or impossible; a commit lives for one epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use estoile_mls::{MlsError, Plan, inspect_key_package};
use estoile_seal::account::AccountId as Id;
use estoile_seal::roster::Roster;
use estoile_wire::{Id16, Millis, PublicKey};

use super::apply::Fate;
use super::judge::Fault;
use super::life::with_me;
use super::stored::{StoredIntent, StoredPending};
use super::{AccountId, EXPORT_ACCESS, Intent, Me, Outgoing, Private, access_key, body};
use crate::command::CommandError;
use crate::out::Cx;
use crate::turn::CommandId;

/// Wishes that wait in one room: a face or a script that asks for more has lost its way.
pub(super) const MAX_INTENTS: usize = 256;

/// What a commit will do, as it is put together.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) roster: Roster,
    pub(super) adds: Vec<Vec<u8>>,
    pub(super) added: Vec<(AccountId, PublicKey)>,
    pub(super) removes: BTreeSet<u32>,
    pub(super) me: bool,
    pub(super) refresh: bool,
}

/// Why a commit was not made.
enum Undone {
    /// There is nothing to be done now.
    Nothing,
    /// The group's library failed.
    Library(MlsError),
    /// What was asked for can't be done.
    Impossible(CommandError),
}

impl Private {
    /// A commit is wanted. It is kept; `answer` is answered when it is merged or when it turns out impossible.
    pub(crate) fn want(&mut self, intent: Intent, answer: Option<CommandId>, cx: &mut Cx<'_>) {
        let refused = if self.state.gone {
            Some("you are not in this room any more; ask to be let in again".to_owned())
        } else if let Some(stop) = &self.state.stopped {
            Some(format!("the room has stopped: {}", stop.why))
        } else if self.state.intents.len() >= MAX_INTENTS {
            Some("too many changes of this room wait for the relay; try again when it is back".to_owned())
        } else {
            None
        };
        if let Some(why) = refused {
            let why = CommandError::Private(why);
            if let Intent::Add { token, .. } = intent {
                self.news.push(super::News::AddFailed { token, why: why.to_string() });
            }
            if let Some(command) = answer {
                cx.answer(command, Err(why));
            }
            return;
        }
        let alike = matches!(intent, Intent::Refresh | Intent::Chain | Intent::Leave | Intent::RemoveDevices(_))
            && self.wants(&intent);
        let id = match self.state.intents.iter().find(|s| alike && (*s).clone().intent().as_ref() == Some(&intent)) {
            Some(stored) => stored.id,
            None => {
                let id = self.state.next_intent;
                self.state.next_intent = id.saturating_add(1);
                let again = Some(self.comes_again(&intent, cx.now));
                self.state.intents.push(StoredIntent { again, ..StoredIntent::new(id, &intent) });
                id
            }
        };
        if let Some(command) = answer {
            self.answers.entry(id).or_default().push(command);
        }
    }

    /// Whether a device that is to be added has a leaf already.
    fn comes_again(&self, intent: &Intent, now: Millis) -> bool {
        let Intent::Add { packages, .. } = intent else { return false };
        let devices = packages.iter().filter_map(|bytes| Some(inspect_key_package(bytes, now).ok()?.member.device));
        devices.into_iter().any(|device| self.tree.devices.contains_key(&device))
    }

    /// The account's chain or name is another now: it stands in our leaf with our next commit, which is wanted at once.
    pub(crate) fn set_me(&mut self, me: Me, cx: &mut Cx<'_>) {
        if me.account != self.me.account || me.device.public() != self.me.device.public() {
            return;
        }
        let changed = me.name != self.me.name || me.chain != self.me.chain;
        self.state.name.clone_from(&me.name);
        self.state.chain.clone_from(&me.chain);
        self.me = me;
        if changed && self.runs() {
            self.want(Intent::Chain, None, cx);
            self.find_revoked(cx);
        }
    }

    /// This device is out of its account: it adds nobody any more.
    pub(crate) fn retire(&mut self, cx: &mut Cx<'_>) {
        let adds: Vec<u64> = self.state.intents.iter().filter(|stored| stored.kind == 0).map(|s| s.id).collect();
        let why = CommandError::Account("this device was removed from its account".to_owned());
        adds.into_iter().for_each(|id| self.refuse_wish(id, &why, cx));
    }

    /// A longer chain of somebody was seen (anywhere) that removes these devices: they leave this room too, where that is ours
    /// to do, and as soon as a leaf of that account shows it (only what all members know counts).
    pub(crate) fn devices_removed(&mut self, account: &AccountId, removed: &[PublicKey], cx: &mut Cx<'_>) {
        let here: Vec<PublicKey> =
            removed.iter().filter(|device| self.account_of(device) == Some(*account)).copied().collect();
        let own = *account == self.me.account;
        let may = own || self.roster.may_remove(&Id(self.me.account), &Id(*account));
        if !here.is_empty() && may && self.runs() && !here.contains(&self.me.device.public()) {
            self.want(Intent::RemoveDevices(here), None, cx);
        }
    }

    /// What is to be appended now, if anything: only while the room is attached and has read all. The same until the log has
    /// decided.
    pub(crate) fn commit_to_send(&mut self, cx: &mut Cx<'_>) -> Option<Outgoing> {
        if !self.runs() || self.held.is_some() {
            return None;
        }
        if self.pending.is_none() && !self.left_here() {
            self.prepare(cx);
        }
        let pending = self.pending.as_ref().filter(|_| self.runs())?;
        let blob = pending.blob_hash.zip(pending.blob.as_deref().map(Arc::from));
        Some(Outgoing {
            id16: pending.id16,
            epoch: pending.epoch,
            advance: pending.advance,
            body: Arc::from(pending.body.as_slice()),
            blob,
        })
    }

    /// Makes what is due, if anything is.
    fn prepare(&mut self, cx: &mut Cx<'_>) {
        if self.wants(&Intent::Leave) {
            self.prepare_leave(cx);
            return;
        }
        if self.revoke_at.is_some_and(|at| at <= cx.now) {
            self.revoke_at = None;
            let gone = self.revoked_leaves();
            if !gone.is_empty() {
                self.want(Intent::RemoveDevices(gone), None, cx);
            }
        }
        let leaves_due = self.leave_at.is_some_and(|at| at <= cx.now);
        let heal = self.heal_due(cx);
        let ids: Vec<u64> = self.state.intents.iter().map(|stored| stored.id).collect();
        if ids.is_empty() && !heal && !leaves_due {
            return;
        }
        if let Err(error) = self.prepare_these(&ids, heal || leaves_due, cx) {
            self.library(&error, cx);
        }
    }

    /// One commit for all of these wishes; if that can't be, for the first that can.
    fn prepare_these(&mut self, ids: &[u64], forced: bool, cx: &mut Cx<'_>) -> Result<(), MlsError> {
        match self.attempt(ids, forced, cx) {
            Ok(()) | Err(Undone::Nothing) => return Ok(()),
            Err(Undone::Library(error)) => return Err(error),
            Err(Undone::Impossible(_)) => {}
        }
        // Something is wrong with one of them.
        for id in ids {
            match self.attempt(&[*id], false, cx) {
                Ok(()) => return Ok(()),
                Err(Undone::Nothing) => {}
                Err(Undone::Library(error)) => return Err(error),
                Err(Undone::Impossible(why)) => self.refuse_wish(*id, &why, cx),
            }
        }
        match self.attempt(&[], forced, cx) {
            Err(Undone::Library(error)) => Err(error),
            Ok(()) | Err(Undone::Nothing) => Ok(()),
            // Not even without any wish: when the keys are due anew.
            Err(Undone::Impossible(_)) => {
                self.leave_at = None;
                self.schedule_heal(cx);
                Ok(())
            }
        }
    }

    pub(super) fn refuse_wish(&mut self, id: u64, why: &CommandError, cx: &mut Cx<'_>) {
        let stored = self.state.intents.iter().find(|stored| stored.id == id);
        let (add, token) = stored.map_or((false, 0), |stored| (stored.kind == 0, stored.token));
        self.give_up(id, add, token, why, cx);
    }

    /// Makes one commit for these wishes, or none.
    fn attempt(&mut self, ids: &[u64], forced: bool, cx: &mut Cx<'_>) -> Result<(), Undone> {
        let mut draft = Draft {
            roster: self.roster.clone(),
            adds: Vec::new(),
            added: Vec::new(),
            removes: BTreeSet::new(),
            me: false,
            refresh: false,
        };
        self.apply_leaves(&mut draft, cx)?;
        let mut done = Vec::new();
        for id in ids {
            let Some(stored) = self.state.intents.iter().find(|s| s.id == *id).cloned() else { continue };
            let again = stored.again.unwrap_or(true);
            let Some(intent) = stored.intent() else { continue };
            match self.apply(&intent, again, &mut draft, cx) {
                Fate::Planned => done.push(*id),
                Fate::Fulfilled => self.fulfil(*id, cx),
                Fate::Later => {}
                Fate::Impossible(why) => self.refuse_wish(*id, &why, cx),
            }
        }
        if done.is_empty() && !forced {
            return Err(Undone::Nothing);
        }
        self.commit(draft, done, cx)
    }

    /// Those whose leave stands go with the next commit, whatever it is for.
    fn apply_leaves(&self, draft: &mut Draft, cx: &mut Cx<'_>) -> Result<(), Undone> {
        let leaving = self.others_leaving();
        let devices: BTreeMap<u32, AccountId> =
            self.tree.devices.values().map(|(account, index)| (*index, *account)).collect();
        draft.removes.extend(leaving.iter().copied());
        let accounts: BTreeSet<AccountId> = leaving.iter().filter_map(|index| devices.get(index).copied()).collect();
        let whole: Vec<Id> = accounts
            .into_iter()
            .filter(|account| devices.iter().all(|(index, whose)| whose != account || leaving.contains(index)))
            .map(Id)
            .collect();
        if !whole.is_empty() {
            draft.roster = draft
                .roster
                .without_members(&whole, cx.rng)
                .map_err(|why| Undone::Impossible(CommandError::Private(why.to_string())))?;
        }
        Ok(())
    }

    /// Who asks to leave, but ourselves.
    pub(super) fn others_leaving(&self) -> Vec<u32> {
        let own = self.group.own_index();
        self.group.standing_leaves().into_iter().filter(|index| *index != own).collect()
    }

    fn commit(&mut self, draft: Draft, intents: Vec<u64>, cx: &mut Cx<'_>) -> Result<(), Undone> {
        let roster = (draft.roster != self.roster).then(|| draft.roster.encode());
        let (adds, removes) = (draft.adds, draft.removes.into_iter().collect());
        let now_ms = cx.now;
        let me = self.me.clone();
        let in_leaf = self.group.leaf(self.group.own_index()).map(|leaf| leaf.member);
        let changed = draft.me || in_leaf.is_none_or(|leaf| leaf.name != me.name || leaf.chain != me.chain);
        let made =
            with_me(&me, |me| self.group.commit(Plan { adds, removes, roster, me: changed.then_some(*me), now_ms }));
        let made = made.map_err(|error| match error {
            MlsError::Library(_) | MlsError::State | MlsError::CommitPending => Undone::Library(error),
            error => Undone::Impossible(CommandError::Private(format!("the change can't be made: {error}"))),
        })?;
        // What others would refuse is not sent.
        if let Err(fault) = self.verdict(&made.facts) {
            self.group.drop_pending().map_err(Undone::Library)?;
            return Err(Undone::Impossible(self.in_words(&fault, cx)));
        }
        let access = self.group.pending_export(EXPORT_ACCESS, 32).map_err(Undone::Library)?;
        let key = self.blob_key();
        let wrapped = key.and_then(|key| body::wrap(&made.commit, &key, &self.state.log, cx.rng));
        let (Some(access), Some(wrapped)) = (access_key(&access), wrapped) else {
            self.group.drop_pending().map_err(Undone::Library)?;
            return Err(Undone::Impossible(CommandError::Private("the change is too large to be sent".to_owned())));
        };
        let (blob_hash, blob) = wrapped.blob.unzip();
        self.set_pending(StoredPending {
            id16: fresh_id(cx),
            epoch: self.epoch(),
            advance: Some(access.public()),
            body: wrapped.body,
            blob_hash,
            blob,
            welcome: made.welcome,
            intents,
        });
        Ok(())
    }

    fn set_pending(&mut self, pending: StoredPending) {
        self.pending = Some(pending);
        self.pending_changed = true;
    }

    fn in_words(&self, fault: &Fault, cx: &Cx<'_>) -> CommandError {
        match fault {
            Fault::Breach(breach) => {
                let what = breach.sentence(|account| self.who(&account.0, cx.book));
                CommandError::NotAllowed(format!("the others would refuse it: {what}; ask an owner or admin"))
            }
            Fault::Leaf(what) => CommandError::Private(format!("the others would refuse it: it {what}")),
        }
    }

    /// Asks to be removed: our other devices first, for a leave is of one leaf.
    fn prepare_leave(&mut self, cx: &mut Cx<'_>) {
        let own = self.me.device.public();
        let alone = self.roster.members.len() == 1;
        if alone {
            // Nobody is there to commit it, and nobody to tell.
            self.state.intents.retain(|stored| stored.clone().intent() == Some(Intent::Leave));
            self.go_out(cx);
            return;
        }
        let others: Vec<PublicKey> = self
            .tree
            .devices
            .iter()
            .filter(|(device, (account, _))| *account == self.me.account && **device != own)
            .map(|(device, _)| *device)
            .collect();
        if !others.is_empty() || !self.others_leaving().is_empty() {
            let wish = Intent::RemoveDevices(others.clone());
            if !others.is_empty() {
                self.want(wish, None, cx);
            }
            let ids: Vec<u64> = self.state.intents.iter().map(|s| s.id).collect();
            if let Err(Undone::Library(error)) = self.attempt(&ids, true, cx) {
                self.library(&error, cx);
            }
            return;
        }
        match self.group.leave() {
            Ok(message) => {
                let Some(body) = body::inline(&message) else { return };
                let epoch = self.epoch();
                self.set_pending(StoredPending {
                    id16: fresh_id(cx),
                    epoch,
                    advance: None,
                    body,
                    blob_hash: None,
                    blob: None,
                    welcome: None,
                    intents: Vec::new(),
                });
            }
            Err(error) => {
                self.library(&error, cx);
            }
        }
    }
}

fn fresh_id(cx: &mut Cx<'_>) -> Id16 {
    let mut id = [0; 16];
    cx.rng.fill_bytes(&mut id);
    Id16(id)
}
