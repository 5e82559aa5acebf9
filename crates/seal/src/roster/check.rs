//! The one judge of a commit. Every member asks it, in the log's order, and all get the same answer.
//!
//! What goes in is shared by all members: the roster before, the leaves before, and the commit. No clock, no contact list.
//!
//! Two things every member may do, whatever its role: change the leaves of accounts that are in the room already (their own
//! devices; a new device of somebody who lost the old ones, whose key package proves that the account wants it), and commit
//! what a leaving member proposed. Everything else needs the right to it.

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::PublicKey;

use super::{AccountId, Attempt, Breach, MAX_ACCOUNT_DEVICES, MAX_DEVICES, Role, RoomLink, Roster};

/// One device in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    /// Whose.
    pub account: AccountId,
    /// Its key.
    pub device: PublicKey,
}

/// A leaf that a commit removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub leaf: Leaf,
    /// By its own proposal: it leaves.
    pub left: bool,
    /// Its account removed the device: the chain in a leaf of that account after the commit says so (nothing else counts, for
    /// all members must know the same).
    pub revoked: bool,
}

/// What a commit does, as the group layer read it, with every leaf's credential checked against its account's chain.
#[derive(Clone, Debug)]
pub struct CommitFacts {
    /// The epoch that it ends.
    pub epoch: u64,
    /// Whose leaf made it.
    pub committer: AccountId,
    /// The account of that leaf after it.
    pub committer_after: AccountId,
    /// All leaves before it.
    pub leaves: Vec<Leaf>,
    /// The leaves that it adds.
    pub adds: Vec<Leaf>,
    /// The leaves that it removes.
    pub removes: Vec<Removal>,
    /// The roster that it sets; none: it stays.
    pub roster: Option<Roster>,
}

/// Whether a commit may be merged.
///
/// # Errors
/// The breach, which names the committer.
pub fn check(before: &Roster, facts: &CommitFacts) -> Result<(), Breach> {
    let after = facts.roster.as_ref().unwrap_or(before);
    judge(before, after, facts).map_err(|what| Breach { by: facts.committer, what })
}

fn judge(before: &Roster, after: &Roster, facts: &CommitFacts) -> Result<(), Attempt> {
    let role = before.role(&facts.committer).ok_or(Attempt::Stranger)?;
    if facts.committer_after != facts.committer {
        return Err(Attempt::OtherAccount);
    }
    if (after.max_ttl, after.moved_from) != (before.max_ttl, before.moved_from) {
        return Err(Attempt::Fixed);
    }
    let leaves = leaves_after(facts)?;
    fits(after, &leaves).map_err(Attempt::Mismatch)?;
    let case = Case { before, after, facts, role };
    case.removals()?;
    case.additions()?;
    case.roles()?;
    case.names()?;
    case.links()?;
    case.keys()
}

/// The leaves that the commit leaves, if it takes none away that isn't there and puts none in twice.
fn leaves_after(facts: &CommitFacts) -> Result<Vec<Leaf>, Attempt> {
    let mut leaves: BTreeMap<PublicKey, AccountId> = facts.leaves.iter().map(|l| (l.device, l.account)).collect();
    for removal in &facts.removes {
        if leaves.remove(&removal.leaf.device) != Some(removal.leaf.account) {
            return Err(Attempt::NoSuchLeaf(removal.leaf));
        }
    }
    for leaf in &facts.adds {
        if leaves.insert(leaf.device, leaf.account).is_some() {
            return Err(Attempt::Doubled(*leaf));
        }
    }
    if leaves.len() > MAX_DEVICES {
        return Err(Attempt::Full);
    }
    let leaves: Vec<_> = leaves.into_iter().map(|(device, account)| Leaf { account, device }).collect();
    for added in &facts.adds {
        if leaves.iter().filter(|l| l.account == added.account).count() > MAX_ACCOUNT_DEVICES {
            return Err(Attempt::TooManyDevices(added.account));
        }
    }
    Ok(leaves)
}

/// Whether leaves and roster name the same accounts; one that only one of them names otherwise.
pub(super) fn fits(roster: &Roster, leaves: &[Leaf]) -> Result<(), AccountId> {
    let here: BTreeSet<_> = leaves.iter().map(|l| l.account).collect();
    let said = roster.members.keys().copied().collect();
    here.symmetric_difference(&said).next().map_or(Ok(()), |account| Err(*account))
}

struct Case<'a> {
    before: &'a Roster,
    after: &'a Roster,
    facts: &'a CommitFacts,
    role: Role,
}

impl Case<'_> {
    fn removes_account(&self) -> bool {
        self.before.members.keys().any(|account| !self.after.members.contains_key(account))
    }

    /// How many accounts are new.
    fn added(&self) -> usize {
        self.after.members.keys().filter(|account| !self.before.members.contains_key(account)).count()
    }

    fn removals(&self) -> Result<(), Attempt> {
        for Removal { leaf, left, revoked } in &self.facts.removes {
            let account = &leaf.account;
            if *left {
                continue;
            }
            if self.after.members.contains_key(account) {
                // One and the same device with a new leaf: it lost its state, and asked for it.
                let again = self.facts.adds.contains(leaf);
                let own = *account == self.facts.committer;
                if !(*revoked || again || own) {
                    return Err(Attempt::RemoveDevice(*leaf));
                }
            } else if *account == self.facts.committer || !self.before.may_remove(&self.facts.committer, account) {
                return Err(Attempt::Remove(*account));
            }
        }
        Ok(())
    }

    fn additions(&self) -> Result<(), Attempt> {
        for (account, member) in &self.after.members {
            match self.before.members.get(account) {
                Some(was) if was.since != member.since => return Err(Attempt::Since(*account)),
                Some(_) => {}
                None if !self.before.may_add(&self.facts.committer) => return Err(Attempt::Add(*account)),
                None if member.role > Role::Member && self.role != Role::Owner => {
                    return Err(Attempt::Role { account: *account, role: member.role });
                }
                None if member.since != self.facts.epoch.saturating_add(1) => return Err(Attempt::Since(*account)),
                None => {}
            }
        }
        Ok(())
    }

    fn roles(&self) -> Result<(), Attempt> {
        let staying: Vec<_> = self.before.members.keys().filter(|a| self.after.members.contains_key(a)).collect();
        let owned = staying.iter().any(|a| self.before.role(a) == Some(Role::Owner));
        let heir = if owned { None } else { self.before.heir(staying.iter().copied()) };
        for account in staying {
            let (Some(was), Some(is)) = (self.before.role(account), self.after.role(account)) else { continue };
            let inherits = heir == Some(*account) && is == Role::Owner;
            let lowers_itself = *account == self.facts.committer && is < was;
            if was != is && !inherits && !lowers_itself && self.role != Role::Owner {
                return Err(Attempt::Role { account: *account, role: is });
            }
        }
        let owner = self.after.members.values().any(|m| m.role == Role::Owner);
        let inherited = heir.is_none_or(|heir| self.after.role(&heir) == Some(Role::Owner));
        if owner && inherited { Ok(()) } else { Err(Attempt::NoOwner) }
    }

    fn names(&self) -> Result<(), Attempt> {
        if self.after.name != self.before.name && !self.before.may_rename(&self.facts.committer) {
            return Err(Attempt::Rename);
        }
        if self.after.policy != self.before.policy && self.role != Role::Owner {
            return Err(Attempt::Policy);
        }
        Ok(())
    }

    fn links(&self) -> Result<(), Attempt> {
        if self.after.door != self.before.door && !self.after.links.is_empty() {
            return Err(Attempt::ChangeLink);
        }
        let mut used = 0;
        if self.after.door == self.before.door {
            for link in &self.before.links {
                used += self.used(link)?;
            }
        }
        if used > self.added() {
            return Err(Attempt::ChangeLink);
        }
        let new = self.after.links.iter().filter(|link| self.before.link(&link.id).is_none());
        for link in new {
            if !self.before.may_add(&self.facts.committer) || link.by != self.facts.committer {
                return Err(Attempt::MakeLink);
            }
        }
        Ok(())
    }

    /// How many uses of a link the commit takes away.
    fn used(&self, link: &RoomLink) -> Result<usize, Attempt> {
        let left = match self.after.link(&link.id) {
            Some(now) if (now.expires, now.by) != (link.expires, link.by) => return Err(Attempt::ChangeLink),
            Some(now) => now.uses,
            // Revoked.
            None if link.by == self.facts.committer || self.role >= Role::Admin => return Ok(0),
            None => 0,
        };
        let used = link.uses.checked_sub(left).ok_or(Attempt::ChangeLink)?;
        Ok(usize::try_from(used).unwrap_or(usize::MAX))
    }

    fn keys(&self) -> Result<(), Attempt> {
        let (was, is) = (&self.before.door, &self.after.door);
        let changed = was != is || self.before.view_key != self.after.view_key;
        if !self.removes_account() {
            return if changed && self.role < Role::Admin { Err(Attempt::Keys) } else { Ok(()) };
        }
        let all_new = was.access_seed != is.access_seed
            && was.ticket != is.ticket
            && was.seal_key != is.seal_key
            && self.before.view_key != self.after.view_key;
        if all_new { Ok(()) } else { Err(Attempt::KeptKeys) }
    }
}
