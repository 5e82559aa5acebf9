//! A group's making, joining, keeping and loading.

use estoile_mls::{Group, Joining, MlsError, Suite, Validity};
use estoile_seal::access::AccessKey;
use estoile_seal::account::AccountId as Id;
use estoile_seal::roster::{Leaf, MovedFrom, Roster};
use estoile_seal::views::{Remembered, View};
use estoile_seal::{SenderKey, roster};
use estoile_wire::LogId;
use estoile_wire::id::LogKind;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::judge::verified;
use super::stored::{StoredGroup, StoredPending};
use super::{
    EXPORT_ACCESS, EXPORT_SIGNAL, Expected, Founding, JoinError, KeptGroup, Me, Private, Secrets, Tree, access_key, hex,
};
use crate::book::Learned;
use crate::command::CommandError;
use crate::names::{self, Tag};
use crate::out::Cx;
use crate::stored::{decode, encode};
use crate::view::RoomId;

/// Seconds that a room's records live if its founder does not say: the relay's own default.
const DEFAULT_MAX_TTL: u64 = 30 * 24 * 3600;
/// A private room keeps records for at most this many seconds: a member who was away for so long must still find each Add
/// valid when it is read, and a key package lives 90 days from the day before it was made, less ten in reserve.
pub(super) const MAX_MAX_TTL: u64 = 75 * 24 * 3600;
/// An entry's name in the journal is cut to this many bytes of its hash: a group has some hundred entries.
const NAME: usize = 16;

pub(super) fn with_me<T>(me: &Me, then: impl FnOnce(&estoile_mls::Me<'_>) -> T) -> T {
    let seed = me.device.seed();
    then(&estoile_mls::Me { account: me.account, name: &me.name, device_seed: &seed, chain: &me.chain })
}

fn fresh<const N: usize>(cx: &mut Cx<'_>) -> [u8; N] {
    let mut bytes = [0; N];
    cx.rng.fill_bytes(&mut bytes);
    bytes
}

fn failed(error: &MlsError) -> CommandError {
    CommandError::Private(format!(
        "the room's keys could not be made: {error}; try again, and tell us if it happens twice"
    ))
}

impl Private {
    /// A group of one at epoch 0. Its log is made with [`Private::access`] and lives in [`Private::log`].
    pub(crate) fn found(me: &Me, founding: &Founding, cx: &mut Cx<'_>) -> Result<Self, CommandError> {
        Self::found_after(me, founding, None, cx)
    }

    pub(super) fn found_after(
        me: &Me,
        founding: &Founding,
        moved_from: Option<MovedFrom>,
        cx: &mut Cx<'_>,
    ) -> Result<Self, CommandError> {
        let max_ttl = if founding.max_ttl == 0 { DEFAULT_MAX_TTL } else { founding.max_ttl };
        if max_ttl > MAX_MAX_TTL {
            return Err(CommandError::Private(format!(
                "a private room keeps messages for at most {} days, because the keys by which people are added live 90; choose less",
                MAX_MAX_TTL / 86_400
            )));
        }
        let roster = Roster::found(&founding.name, Id(me.account), max_ttl, moved_from, cx.rng)
            .map_err(|why| CommandError::Private(why.to_string()))?;
        let suite = if founding.classic { Suite::Classic } else { Suite::XWing };
        let group = with_me(me, |me| Group::create(suite, me, Validity::at(cx.now), &roster.encode()))
            .map_err(|error| failed(&error))?;
        let access = group.export(EXPORT_ACCESS, 32).map_err(|error| failed(&error))?;
        let access = access_key(&access).ok_or_else(|| failed(&MlsError::State))?;
        let log = LogId::derive(LogKind::Advancing, &access.public());
        let mut private = Self::assemble(founding.room, me.clone(), group, roster, log, cx);
        // A group of one has nobody to heal against; the first Add renews its keys.
        private.schedule_heal(cx);
        Ok(private)
    }

    /// Opens a Welcome and judges the group in it: the inviter's right, every leaf's chain, roster and leaves. With it comes
    /// the reference of the key package that was used, if it must be deleted in the same turn.
    pub(crate) fn join(
        me: &Me,
        welcome: &[u8],
        secrets: &mut Secrets<'_>,
        expected: &Expected,
        cx: &mut Cx<'_>,
    ) -> Result<(Self, Option<Vec<u8>>), JoinError> {
        let joining = Group::join(welcome, &me.device.seed(), secrets).map_err(|error| match error {
            MlsError::NotForUs => JoinError::NotForUs,
            error => JoinError::Refused(format!("its welcome does not hold ({error})")),
        })?;
        let roster = judge_joining(&joining, me, expected, cx)?;
        let reference = (!joining.last_resort()).then(|| joining.reference().to_vec());
        let group = joining.into_group();
        let mut private = Self::assemble(expected.room, me.clone(), group, roster, expected.log, cx);
        private.news.push(super::News::Door);
        private.warn_full(cx);
        Ok((private, reference))
    }

    fn assemble(room: RoomId, me: Me, group: Group, roster: Roster, log: LogId, cx: &mut Cx<'_>) -> Self {
        let state = StoredGroup {
            account: me.account,
            name: me.name.clone(),
            device_seed: *me.device.seed(),
            chain: me.chain.clone(),
            log,
            salt: fresh(cx),
            stopped: None,
            gone: false,
            intents: Vec::new(),
            next_intent: 0,
            heal_at: None,
            healed_at: cx.now,
            sent_since: false,
            commits: Vec::new(),
            views: Vec::new(),
            promises: Vec::new(),
            left_in: None,
            warned_full: false,
            since: None,
        };
        let mut private = Self::with(room, me, group, state, None, roster);
        private.begin_since(cx.now);
        private.note_view();
        private
    }

    fn with(
        room: RoomId,
        me: Me,
        group: Group,
        state: StoredGroup,
        pending: Option<StoredPending>,
        roster: Roster,
    ) -> Self {
        let mut private = Self {
            room,
            me,
            views: Remembered::from_bytes(&state.views).unwrap_or_default(),
            group,
            state,
            state_kept: None,
            pending,
            pending_changed: false,
            roster,
            tree: Tree::default(),
            answers: std::collections::BTreeMap::new(),
            news: Vec::new(),
            leave_at: None,
            join_at: None,
            revoke_at: None,
            held: None,
            access: AccessKey::from_seed(&[0; 32]),
            signal: Zeroizing::new([0; 32]),
            broken: None,
        };
        private.read_tree();
        private
    }

    /// The group as the vault has it; none if that can't be read.
    pub(crate) fn restore(room: RoomId, kept: KeptGroup) -> Option<Self> {
        let state: StoredGroup = decode(&kept.state?)?;
        let pending: Option<StoredPending> = match kept.pending {
            Some(bytes) => Some(decode(&bytes)?),
            None => None,
        };
        let entries: Option<Vec<_>> = kept.journal.iter().map(|(_, value)| split_entry(value)).collect();
        let group = Group::restore(entries?, &state.device_seed).ok()?;
        let roster = Roster::decode(group.roster()).ok()?;
        let me = Me {
            account: state.account,
            name: state.name.clone(),
            device: SenderKey::from_seed(&state.device_seed),
            chain: state.chain.clone(),
        };
        let mut private = Self::with(room, me, group, state.clone(), pending, roster);
        private.state_kept = Some(state);
        // Its leave was in the log: others wait for somebody who commits it, so do we.
        private.leave_at = (!private.others_leaving().is_empty()).then_some(0);
        Some(private)
    }

    /// Writes down what changed. At the end of each turn in which anything here was called, before its effects.
    pub(crate) fn flush(&mut self, cx: &mut Cx<'_>) {
        let changes = self.group.take_changes();
        if self.broken.is_some() {
            return;
        }
        for change in changes {
            let digest = Sha256::new().chain_update(self.state.salt).chain_update(&change.key).finalize();
            let mut name = names::kind(self.room, Tag::Group);
            name.extend(digest.iter().take(NAME));
            match change.value {
                Some(value) => cx.out.changes.put(name, join_entry(&change.key, &value)),
                None => cx.delete(name),
            }
        }
        if self.state_kept.as_ref() != Some(&self.state) {
            cx.put(names::kind(self.room, Tag::Private), &self.state);
            self.state_kept = Some(self.state.clone());
        }
        if core::mem::take(&mut self.pending_changed) {
            let name = names::kind(self.room, Tag::Pending);
            match &self.pending {
                Some(pending) => cx.out.changes.put(name, encode(pending)),
                None => cx.delete(name),
            }
        }
    }

    /// Reads who has which leaf, and the epoch's keys.
    pub(super) fn read_tree(&mut self) {
        self.tree = Tree::default();
        for leaf in self.group.leaves() {
            let member = leaf.member;
            self.tree.devices.insert(member.device, (member.account, leaf.index));
            self.tree.names.insert(member.account, member.name);
        }
        // Who was removed keeps the keys of the last epoch: there is nothing after it.
        if let Some(access) = self.group.export(EXPORT_ACCESS, 32).ok().and_then(|secret| access_key(&secret)) {
            self.access = access;
        }
        let signal = self.group.export(EXPORT_SIGNAL, 32).ok();
        if let Some(signal) = signal.and_then(|secret| <[u8; 32]>::try_from(secret.as_slice()).ok()) {
            self.signal = Zeroizing::new(signal);
        }
    }

    /// Remembers what this epoch looks like from here.
    pub(super) fn note_view(&mut self) {
        let view = View::make(&self.roster.view_key.0, self.group.epoch(), &self.group.authenticator());
        self.views.note(view);
        self.state.views = self.views.to_bytes();
    }
}

/// Whether a group may be joined.
fn judge_joining(joining: &Joining, me: &Me, expected: &Expected, cx: &mut Cx<'_>) -> Result<Roster, JoinError> {
    let refused = |why: &str| JoinError::Refused(why.to_owned());
    let group = joining.group();
    let roster = Roster::decode(group.roster()).map_err(|_| refused("its roster can't be read"))?;
    let leaves = group.leaves();
    let adder = leaves.iter().find(|leaf| leaf.index == joining.adder());
    let adder = adder.ok_or_else(|| refused("nobody in it has signed it"))?;
    if adder.member.account != expected.by {
        return Err(refused("somebody else added this device than the one who wrote"));
    }
    if roster.role(&Id(expected.by)).is_none() || roster.role(&Id(me.account)).is_none() {
        return Err(refused("its roster does not name you, or not the inviter"));
    }
    for leaf in &leaves {
        let member = &leaf.member;
        let name = &member.name;
        if verified(&member.account, &member.device, &member.chain).is_none() {
            return Err(JoinError::Refused(format!("a device in it is not {name}'s, as it says")));
        }
        if cx.book.learn(&member.account, &member.chain) == Learned::Forked {
            return Err(JoinError::Refused(format!("{name}'s account in it is not the one that you know")));
        }
    }
    let shown: Vec<Leaf> =
        leaves.iter().map(|l| Leaf { account: Id(l.member.account), device: l.member.device }).collect();
    roster.fits(&shown).map_err(|who| {
        JoinError::Refused(format!("its roster and its devices name different people ({})", hex(&who.0)))
    })?;
    if leaves.len() > roster::MAX_DEVICES {
        return Err(refused("it has more devices than a room may have"));
    }
    Ok(roster)
}

fn join_entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    let size = u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes();
    [size.as_slice(), key, value].concat()
}

fn split_entry(entry: &[u8]) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    let (size, rest) = entry.split_first_chunk::<2>()?;
    let (key, value) = rest.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
    Some((key.to_vec(), Zeroizing::new(value.to_vec())))
}
