//! One wish, applied to a commit in the making: planned, fulfilled already, to be kept for later, or impossible and why.
//!
//! Rights are asked of the roster as it is now; what all members will judge ([`super::judge`]) is asked again of the whole.

use estoile_mls::{KeyPackageView, MlsError, inspect_key_package};
use estoile_seal::account::{AccountId as Id, Chain};
use estoile_seal::roster::{self, MAX_ACCOUNT_DEVICES, MAX_DEVICES, MAX_LINK_USES};
use estoile_wire::{Millis, PublicKey};

use super::judge::verified;
use super::plan::Draft;
use super::{AccountId, Intent, Private, from_view};
use crate::book::Learned;
use crate::command::CommandError;
use crate::out::Cx;
use crate::view::Role;

/// A key package must be good for the room's longest time to live and this much more, in milliseconds: whoever was away so
/// long still finds the Add valid when it is read.
const RESERVE_MS: u64 = 10 * 24 * 3600 * 1000;

/// What becomes of a wish.
pub(super) enum Fate {
    /// Part of the commit.
    Planned,
    /// It is so already.
    Fulfilled,
    /// Not yet possible.
    Later,
    /// And why.
    Impossible(CommandError),
}

fn no(why: impl Into<String>) -> Fate {
    Fate::Impossible(CommandError::Private(why.into()))
}

fn not_allowed(why: impl Into<String>) -> Fate {
    Fate::Impossible(CommandError::NotAllowed(why.into()))
}

impl Private {
    /// `again`: devices that have a leaf already get a new one.
    pub(super) fn apply(&self, intent: &Intent, again: bool, draft: &mut Draft, cx: &mut Cx<'_>) -> Fate {
        match intent {
            Intent::Add { account, packages, role, via, .. } => {
                // Several devices, all or none of a wish: a draft that failed half-way is not used.
                let mut tried = draft.clone();
                let fate = self.apply_add((account, again), packages, *role, via.as_ref(), &mut tried, cx);
                if matches!(fate, Fate::Planned) {
                    *draft = tried;
                }
                fate
            }
            Intent::RemoveAccount(account) => self.apply_remove(account, draft, cx),
            Intent::RemoveDevices(devices) => self.apply_devices(devices, draft),
            Intent::SetRole { account, role } => self.apply_role(account, *role, draft),
            Intent::Rename(name) => self.apply_name(name, draft),
            Intent::AddLink { id, uses, expires } => self.apply_link(*id, *uses, *expires, draft, cx),
            Intent::RevokeLink(link) => self.apply_revoke(link.as_ref(), draft),
            Intent::Refresh => {
                draft.refresh = true;
                Fate::Planned
            }
            Intent::Chain => {
                draft.me = true;
                Fate::Planned
            }
            Intent::Leave => Fate::Later,
        }
    }

    fn own(&self) -> Id {
        Id(self.me.account)
    }

    fn apply_add(
        &self,
        (account, again): (&AccountId, bool),
        packages: &[Vec<u8>],
        role: Role,
        via: Option<&[u8; 8]>,
        draft: &mut Draft,
        cx: &mut Cx<'_>,
    ) -> Fate {
        let id = Id(*account);
        if draft.roster.role(&id).is_none() {
            if !self.roster.may_add(&self.own()) {
                return not_allowed("only an owner or admin adds people here; ask one of them to invite");
            }
            if let Some(link) = via {
                match draft.roster.use_link(link, cx.now) {
                    Ok(after) => draft.roster = after,
                    Err(why) => return no(why.to_string()),
                }
            }
            let role = if via.is_some() { Role::Member } else { role };
            match draft.roster.with_member(id, from_view(role), self.epoch()) {
                Ok(after) => draft.roster = after,
                Err(why) => return no(why.to_string()),
            }
        }
        let (mut usable, mut inside) = (0_usize, false);
        let mut why_not = None;
        for bytes in packages {
            match self.judge_package(account, bytes, cx) {
                Ok((view, chain)) => {
                    if draft.added.contains(&(*account, view.member.device)) {
                        continue;
                    }
                    let in_already = self.tree.devices.contains_key(&view.member.device);
                    if in_already && !(again && self.comes_later(&view.member.device, view.from_ms)) {
                        inside = true;
                        continue;
                    }
                    usable = usable.saturating_add(1);
                    self.place(account, bytes, &view, &chain, draft);
                }
                Err(why) => why_not = Some(why),
            }
        }
        if usable == 0 && inside {
            return Fate::Fulfilled;
        }
        if usable == 0 {
            return no(
                why_not.unwrap_or_else(|| "they have no device that could be added; ask them to go online once".into())
            );
        }
        self.caps(account, draft)
    }

    /// Puts a device in, and out what it replaces: its own old leaf, and devices that its chain says are removed.
    fn place(&self, account: &AccountId, bytes: &[u8], view: &KeyPackageView, chain: &Chain, draft: &mut Draft) {
        for (device, (whose, index)) in &self.tree.devices {
            let replaced = *device == view.member.device;
            let revoked = chain.knew(device) && !chain.is_live(device);
            if whose == account && (replaced || revoked) && *device != self.me.device.public() {
                draft.removes.insert(*index);
            }
        }
        draft.adds.push(bytes.to_vec());
        draft.added.push((*account, view.member.device));
    }

    fn caps(&self, account: &AccountId, draft: &Draft) -> Fate {
        let staying = |whose: Option<&AccountId>| {
            let stays = |(owner, index): &&(AccountId, u32)| {
                whose.is_none_or(|whose| whose == owner) && !draft.removes.contains(index)
            };
            self.tree.devices.values().filter(stays).count()
        };
        let added = |whose: Option<&AccountId>| {
            draft.added.iter().filter(|(owner, _)| whose.is_none_or(|whose| whose == owner)).count()
        };
        if staying(None).saturating_add(added(None)) > MAX_DEVICES {
            return no(format!("the room is full: it holds {MAX_DEVICES} devices; remove somebody, or part the room"));
        }
        if staying(Some(account)).saturating_add(added(Some(account))) > MAX_ACCOUNT_DEVICES {
            return no(format!(
                "they would have more than {MAX_ACCOUNT_DEVICES} devices here; let them remove one first"
            ));
        }
        Fate::Planned
    }

    /// Whether a key package may be added: the right suite, long enough good, its account's, and of a device that the account
    /// has.
    fn judge_package(
        &self,
        account: &AccountId,
        bytes: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<(KeyPackageView, Chain), String> {
        let view = inspect_key_package(bytes, cx.now).map_err(|error| match error {
            MlsError::WrongSuite(_) => {
                "their program uses keys that this room does not know; ask them to update it".to_owned()
            }
            MlsError::Lifetime => {
                "their key package is over, or one of the two clocks is wrong; ask them to go online once".to_owned()
            }
            error => format!("their key package does not hold ({error}); ask them to go online once"),
        })?;
        let name = &view.member.name;
        if view.suite != self.group.suite() {
            return Err(format!(
                "{name}'s key package is of another suite than this room's; ask them to update their program"
            ));
        }
        let chain = verified(account, &view.member.device, &view.member.chain).ok_or_else(|| {
            format!("a key package given for {name} is of a device that is not theirs; it was refused")
        })?;
        let needed = cx.now.saturating_add(self.roster.max_ttl.saturating_mul(1_000)).saturating_add(RESERVE_MS);
        if view.ends_at_ms < needed {
            return Err(format!("{name}'s key package is too old for this room; ask them to go online once"));
        }
        let removed = |known: &Chain| known.knew(&view.member.device) && !known.is_live(&view.member.device);
        if cx.book.verified_chain(account).is_some_and(removed) {
            return Err(format!("{name} has removed that device; ask them to go online with another one"));
        }
        match cx.book.learn(account, &view.member.chain) {
            Learned::Forked | Learned::Invalid => Err(format!(
                "{name}'s account shows two different histories; ask them in another way before you add them"
            )),
            _ => Ok((view, chain)),
        }
    }

    fn apply_remove(&self, account: &AccountId, draft: &mut Draft, cx: &mut Cx<'_>) -> Fate {
        let id = Id(*account);
        if *account == self.me.account {
            return no("you can't remove yourself; leave the room instead");
        }
        if self.roster.role(&id).is_none() || draft.roster.role(&id).is_none() {
            return Fate::Fulfilled;
        }
        if !self.roster.may_remove(&self.own(), &id) {
            return not_allowed("only an owner, or for members an admin, removes people here; ask one of them");
        }
        match draft.roster.without_members(&[id], cx.rng) {
            Ok(after) => draft.roster = after,
            Err(why) => return no(why.to_string()),
        }
        let theirs = self.tree.devices.values().filter(|(whose, _)| whose == account).map(|(_, index)| *index);
        draft.removes.extend(theirs);
        Fate::Planned
    }

    fn apply_devices(&self, devices: &[PublicKey], draft: &mut Draft) -> Fate {
        let here: Vec<(&PublicKey, AccountId, u32)> = devices
            .iter()
            .filter_map(|d| self.tree.devices.get(d).map(|(account, index)| (d, *account, *index)))
            .collect();
        if here.is_empty() {
            return Fate::Fulfilled;
        }
        let revoked = self.revoked_leaves();
        let mut planned = false;
        for (device, account, index) in here {
            let own = account == self.me.account && *device != self.me.device.public();
            if own || revoked.contains(device) {
                draft.removes.insert(index);
                planned = true;
            }
        }
        // Another's device goes when a leaf of that account shows it; until then the wish waits.
        if planned { Fate::Planned } else { Fate::Later }
    }

    fn apply_role(&self, account: &AccountId, role: Role, draft: &mut Draft) -> Fate {
        let id = Id(*account);
        let (role, was) = (from_view(role), draft.roster.role(&id));
        if was == Some(role) {
            return Fate::Fulfilled;
        }
        let lowers_itself = *account == self.me.account && was.is_some_and(|was| role < was);
        if self.roster.role(&self.own()) != Some(roster::Role::Owner) && !lowers_itself {
            return not_allowed("only an owner gives roles here; ask one of them");
        }
        match draft.roster.with_role(&id, role) {
            Ok(after) => {
                draft.roster = after;
                Fate::Planned
            }
            Err(why) => no(why.to_string()),
        }
    }

    fn apply_name(&self, name: &str, draft: &mut Draft) -> Fate {
        if draft.roster.name == name {
            return Fate::Fulfilled;
        }
        if !self.roster.may_rename(&self.own()) {
            return not_allowed("only an owner or admin renames this room; ask one of them");
        }
        match draft.roster.renamed(name) {
            Ok(after) => {
                draft.roster = after;
                Fate::Planned
            }
            Err(why) => no(why.to_string()),
        }
    }

    fn apply_link(
        &self,
        id: [u8; 8],
        uses: Option<u32>,
        expires: Option<Millis>,
        draft: &mut Draft,
        cx: &mut Cx<'_>,
    ) -> Fate {
        if draft.roster.link(&id).is_some() {
            return Fate::Fulfilled;
        }
        if !self.roster.may_add(&self.own()) {
            return not_allowed("only an owner or admin makes links to this room; ask one of them");
        }
        let uses = uses.unwrap_or(MAX_LINK_USES);
        match draft.roster.with_link(self.own(), uses, expires.unwrap_or(Millis::MAX), cx.rng) {
            Ok((mut after, made)) => {
                // The link's id is the asker's: it stands in a link that was shown already.
                for link in after.links.iter_mut().filter(|link| link.id == made) {
                    link.id = id;
                }
                draft.roster = after;
                Fate::Planned
            }
            Err(why) => no(why.to_string()),
        }
    }

    fn apply_revoke(&self, link: Option<&[u8; 8]>, draft: &mut Draft) -> Fate {
        let admin = self.roster.role(&self.own()).is_some_and(|role| role >= roster::Role::Admin);
        let named: Vec<(roster::RoomLinkId, bool)> = draft
            .roster
            .links
            .iter()
            .filter(|there| link.is_none_or(|link| there.id == *link))
            .map(|there| (there.id, admin || there.by == self.own()))
            .collect();
        if named.is_empty() {
            // Gone, or never there; one that was there has ended with a change of the door.
            return Fate::Fulfilled;
        }
        if !named.iter().any(|(_, may)| *may) {
            return not_allowed("only an owner or admin revokes a link that somebody else made; ask one of them");
        }
        for (id, _) in named.into_iter().filter(|(_, may)| *may) {
            if let Ok(after) = draft.roster.without_link(&id) {
                draft.roster = after;
            }
        }
        Fate::Planned
    }
}
