//! Making rosters, and the changes that a commit may carry. Who may is for [`super::check`], which the committer asks too.

use estoile_wire::Millis;
use estoile_wire::limits::MAX_TTL_SECONDS;
use rand_core::CryptoRng;

use super::{
    AccountId, Door, MAX_LINK_USES, MAX_LINKS, MAX_MEMBERS, Member, MovedFrom, Policy, Role, RoomLink, RoomLinkId,
    Roster, ViewKey,
};
use crate::names::is_name;

/// Why a roster can't be changed so: our own user's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The name is none.
    #[error("a room's name has 1 to 64 characters and no control characters; choose another")]
    BadName,
    /// The longest time to live is none.
    #[error("a room keeps its messages for at most ten years; choose less")]
    BadTtl,
    /// Not in the room.
    #[error("this account is not in the room; invite it first")]
    NotHere,
    /// In the room already.
    #[error("this account is in the room already")]
    Here,
    /// No place left.
    #[error("the room is full: it holds {MAX_MEMBERS} accounts; remove somebody first")]
    Full,
    /// The last owner.
    #[error("the room would have no owner; make somebody else an owner first")]
    NoOwner,
    /// Too many links.
    #[error("the room has {MAX_LINKS} links already; end one first")]
    TooManyLinks,
    /// Uses out of bounds.
    #[error("a room link is good for 1 to {MAX_LINK_USES} people; choose a number of those")]
    BadUses,
    /// No such link, or used up, or revoked.
    #[error("this room link is no longer good; ask for a new one")]
    NoSuchLink,
    /// Its time is over.
    #[error("this room link's time is over; ask for a new one")]
    LinkExpired,
}

fn fresh<const N: usize>(rng: &mut dyn CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl Door {
    /// A fresh one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self { access_seed: fresh(rng), ticket: fresh(rng), seal_key: fresh(rng) }
    }
}

impl Roster {
    /// A new room with one account, its owner. `max_ttl` is its log's longest time to live in seconds.
    pub fn found(
        name: &str,
        founder: AccountId,
        max_ttl: u64,
        moved_from: Option<MovedFrom>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ChangeError> {
        if !is_name(name) {
            return Err(ChangeError::BadName);
        }
        if max_ttl > MAX_TTL_SECONDS {
            return Err(ChangeError::BadTtl);
        }
        Ok(Self {
            name: name.to_owned(),
            policy: Policy::default(),
            members: [(founder, Member { role: Role::Owner, since: 0 })].into(),
            links: Vec::new(),
            door: Door::generate(rng),
            view_key: ViewKey(fresh(rng)),
            max_ttl,
            moved_from,
        })
    }

    /// With one more account, which the commit that ends `epoch` adds.
    pub fn with_member(&self, account: AccountId, role: Role, epoch: u64) -> Result<Self, ChangeError> {
        if self.members.contains_key(&account) {
            return Err(ChangeError::Here);
        }
        if self.members.len() >= MAX_MEMBERS {
            return Err(ChangeError::Full);
        }
        let mut after = self.clone();
        after.members.insert(account, Member { role, since: epoch.saturating_add(1) });
        Ok(after)
    }

    /// Without some accounts: with a new door and view key, so that they find the room nowhere, and without its links, which
    /// led to the old door. If no owner stays, the oldest of the highest role becomes one.
    pub fn without_members(&self, accounts: &[AccountId], rng: &mut dyn CryptoRng) -> Result<Self, ChangeError> {
        let mut after = self.clone();
        for account in accounts {
            after.members.remove(account).ok_or(ChangeError::NotHere)?;
        }
        if !after.members.values().any(|m| m.role == Role::Owner) {
            let heir = self.heir(after.members.keys()).ok_or(ChangeError::NoOwner)?;
            if let Some(member) = after.members.get_mut(&heir) {
                member.role = Role::Owner;
            }
        }
        Ok(after.rekeyed(rng))
    }

    /// With a new door and view key: links to the old one are gone.
    #[must_use]
    pub fn rekeyed(&self, rng: &mut dyn CryptoRng) -> Self {
        Self { links: Vec::new(), door: Door::generate(rng), view_key: ViewKey(fresh(rng)), ..self.clone() }
    }

    /// With another role for an account.
    pub fn with_role(&self, account: &AccountId, role: Role) -> Result<Self, ChangeError> {
        let mut after = self.clone();
        after.members.get_mut(account).ok_or(ChangeError::NotHere)?.role = role;
        let owned = after.members.values().any(|m| m.role == Role::Owner);
        if owned { Ok(after) } else { Err(ChangeError::NoOwner) }
    }

    /// With another name.
    pub fn renamed(&self, name: &str) -> Result<Self, ChangeError> {
        if !is_name(name) {
            return Err(ChangeError::BadName);
        }
        Ok(Self { name: name.to_owned(), ..self.clone() })
    }

    /// With another policy.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// With one more link, and its id.
    pub fn with_link(
        &self,
        by: AccountId,
        uses: u32,
        expires: Millis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, RoomLinkId), ChangeError> {
        if self.links.len() >= MAX_LINKS {
            return Err(ChangeError::TooManyLinks);
        }
        if !(1..=MAX_LINK_USES).contains(&uses) {
            return Err(ChangeError::BadUses);
        }
        let mut after = self.clone();
        let id = fresh(rng);
        after.links.push(RoomLink { id, uses, expires, by });
        Ok((after, id))
    }

    /// With one use of a link less: for the commit that adds who came by it.
    pub fn use_link(&self, id: &RoomLinkId, now: Millis) -> Result<Self, ChangeError> {
        let link = self.link(id).ok_or(ChangeError::NoSuchLink)?;
        if link.expires <= now {
            return Err(ChangeError::LinkExpired);
        }
        let mut after = self.clone();
        for link in after.links.iter_mut().filter(|link| link.id == *id) {
            link.uses = link.uses.saturating_sub(1);
        }
        after.links.retain(|link| link.uses > 0);
        Ok(after)
    }

    /// Without a link.
    pub fn without_link(&self, id: &RoomLinkId) -> Result<Self, ChangeError> {
        let mut after = self.clone();
        after.links.retain(|link| link.id != *id);
        if after.links.len() < self.links.len() { Ok(after) } else { Err(ChangeError::NoSuchLink) }
    }
}
