//! One private room's group as this device has it: keys, roster, the commit under way, wishes, the schedule of fresh keys.
//!
//! It knows no frames, sessions or timelines: a room hands in the bodies of its log's records with the time, and gets to know
//! what they were and what to append next. The log's order decides everything: a commit is merged when the log gives it back,
//! dropped when another of its epoch stands there instead; acknowledgements and refusals decide nothing.
//!
//! Each concern has its file: making and keeping a group ([`life`]), records ([`take`]) and the commits in them ([`judge`]),
//! what follows a merge ([`merge`]), wishes ([`plan`], [`apply`]) and when a commit is due ([`schedule`]), moves ([`moves`]),
//! words for the user ([`tell`]).

mod apply;
mod body;
mod judge;
mod life;
mod merge;
mod moves;
mod plan;
mod schedule;
mod seam;
mod since;
mod stored;
mod take;
mod tell;

use std::collections::BTreeMap;

use estoile_mls::{Group, Suite};
use estoile_seal::access::AccessKey;
use estoile_seal::account::AccountId as Id;
use estoile_seal::letter::Written;
use estoile_seal::roster::{MAX_LINK_USES, Roster};
use estoile_seal::views::{Remembered, Sight, View};
use estoile_wire::{Cursor, LogId, Millis, PublicKey};
use zeroize::Zeroizing;

use crate::book::Book;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::CommandId;
use crate::view::{MemberView, PrivateView, Role, RoomId, RoomLinkView};

pub(crate) use body::sender_trace;
pub(crate) use seam::{
    AccountId, BlobRef, Expected, Founding, Incoming, Intent, JoinError, KeptGroup, Me, News, Outgoing, Secrets, Taken,
};
pub(crate) use since::{ADVICE_REPLACED, REPLACED};
use stored::{StoredGroup, StoredPending};

/// What an epoch's access key is exported under.
const EXPORT_ACCESS: &str = "estoile access";
/// What an epoch's signal key is exported under.
const EXPORT_SIGNAL: &str = "estoile signal";
/// What an epoch's key for addresses of blobs is exported under.
const EXPORT_BLOB: &str = "estoile blob";

/// Who has which leaf in the epoch at hand.
#[derive(Debug, Default)]
struct Tree {
    devices: BTreeMap<PublicKey, (AccountId, u32)>,
    names: BTreeMap<AccountId, String>,
}

/// A commit of the log that can't be judged yet: it lies in a blob, or the clock is wrong.
struct Held {
    body: Vec<u8>,
    cursor: Cursor,
    epoch: u64,
    time: Millis,
    advance: PublicKey,
    /// What to try again.
    again_at: Option<Millis>,
    /// How often the relay gave other bytes than the blob's.
    wrong: u32,
}

/// One private room's group.
pub(crate) struct Private {
    room: RoomId,
    me: Me,
    group: Group,
    state: StoredGroup,
    state_kept: Option<StoredGroup>,
    pending: Option<StoredPending>,
    pending_changed: bool,
    roster: Roster,
    tree: Tree,
    views: Remembered,
    /// Who waits for which wish.
    answers: BTreeMap<u64, Vec<CommandId>>,
    news: Vec<News>,
    /// When somebody's standing leave is committed.
    leave_at: Option<Millis>,
    /// When this device's first fresh keys are due; chosen when it is online.
    join_at: Option<Millis>,
    /// When a removed device's leaves are removed, if nobody else does.
    revoke_at: Option<Millis>,
    /// A commit that can't be judged yet; in memory only, because the room gives it again.
    held: Option<Held>,
    /// This epoch's access key.
    access: AccessKey,
    /// This epoch's signal key.
    signal: Zeroizing<[u8; 32]>,
    /// The group's library failed: what it holds is not kept.
    broken: Option<String>,
}

impl core::fmt::Debug for Private {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Private(..)")
    }
}

/// The key that an exported secret is the seed of.
fn access_key(secret: &[u8]) -> Option<AccessKey> {
    secret.try_into().ok().map(AccessKey::from_seed)
}

const fn to_view(role: estoile_seal::roster::Role) -> Role {
    match role {
        estoile_seal::roster::Role::Member => Role::Member,
        estoile_seal::roster::Role::Admin => Role::Admin,
        estoile_seal::roster::Role::Owner => Role::Owner,
    }
}

const fn from_view(role: Role) -> estoile_seal::roster::Role {
    match role {
        Role::Member => estoile_seal::roster::Role::Member,
        Role::Admin => estoile_seal::roster::Role::Admin,
        Role::Owner => estoile_seal::roster::Role::Owner,
    }
}

fn hex(bytes: &[u8]) -> String {
    crate::room::hex(bytes)
}

impl Private {
    /// This device, as it is in the group.
    pub(crate) const fn me(&self) -> &Me {
        &self.me
    }

    /// The room's log.
    pub(crate) const fn log(&self) -> LogId {
        self.state.log
    }

    /// The epoch of the group, which is the log's as far as we have read.
    pub(crate) fn epoch(&self) -> u64 {
        self.group.epoch()
    }

    /// The access key of this epoch: what attaches; of epoch 0, what creates the log. When we are out: the last one we had.
    pub(crate) fn access(&self) -> AccessKey {
        self.access.clone()
    }

    /// Under which signals are sealed in this epoch.
    pub(crate) fn signal_key(&self) -> Zeroizing<[u8; 32]> {
        self.signal.clone()
    }

    /// All devices here, with their accounts.
    pub(crate) fn devices(&self) -> Vec<(PublicKey, AccountId)> {
        self.tree.devices.iter().map(|(device, (account, _))| (*device, *account)).collect()
    }

    fn blob_key(&self) -> Option<Zeroizing<[u8; 32]>> {
        let secret = self.group.export(EXPORT_BLOB, 32).ok()?;
        <[u8; 32]>::try_from(secret.as_slice()).ok().map(Zeroizing::new)
    }

    /// Who is here, who may do what, and the door's keys.
    pub(crate) const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Suite 0x0001.
    pub(crate) fn classic(&self) -> bool {
        self.group.suite() == Suite::Classic
    }

    /// Whose device this is, if it has a leaf now.
    pub(crate) fn account_of(&self, device: &PublicKey) -> Option<AccountId> {
        self.tree.devices.get(device).map(|(account, _)| *account)
    }

    /// The name in an account's leaves.
    pub(crate) fn name_of(&self, account: &AccountId) -> Option<String> {
        self.tree.names.get(account).cloned()
    }

    /// The accounts in the room.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        self.roster.members.keys().map(|account| account.0).collect()
    }

    /// The room's name.
    pub(crate) fn name(&self) -> &str {
        &self.roster.name
    }

    /// The room keeps records so long: seconds.
    pub(crate) const fn max_ttl(&self) -> u64 {
        self.roster.max_ttl
    }

    /// What an account may do here.
    pub(crate) fn role_of(&self, account: &AccountId) -> Option<Role> {
        self.roster.role(&Id(*account)).map(to_view)
    }

    /// The members, as faces see them (`last_heard` is the room's to fill in).
    pub(crate) fn members(&self, book: &Book) -> Vec<MemberView> {
        let view = |(account, member): (&Id, &estoile_seal::roster::Member)| {
            let contact = book.contact(&account.0);
            let devices = self.tree.devices.values().filter(|(whose, _)| *whose == account.0).count();
            MemberView {
                account: hex(&account.0),
                name: self.name_of(&account.0).unwrap_or_default(),
                shown: self.shown(&account.0),
                role: to_view(member.role),
                own: account.0 == self.me.account,
                verified: contact.is_some_and(|c| c.verified),
                contact: contact.map(|c| c.id),
                devices: u32::try_from(devices).unwrap_or(u32::MAX),
                last_heard: None,
            }
        };
        let mut members: Vec<MemberView> = self.roster.members.iter().map(view).collect();
        members.sort_by(|a, b| (b.role, &a.name, &a.account).cmp(&(a.role, &b.name, &b.account)));
        members
    }

    /// The room's links.
    pub(crate) fn links(&self) -> Vec<RoomLinkView> {
        let view = |link: &estoile_seal::roster::RoomLink| RoomLinkView {
            id: hex(&link.id),
            uses_left: (link.uses < MAX_LINK_USES).then_some(link.uses),
            expires_at: (link.expires < Millis::MAX).then_some(link.expires),
        };
        self.roster.links.iter().map(view).collect()
    }

    /// What the room is beyond a room.
    pub(crate) fn view(&self, book: &Book) -> PrivateView {
        let others = || self.roster.members.keys().filter(|account| account.0 != self.me.account);
        PrivateView {
            role: self.role_of(&self.me.account).filter(|_| !self.state.gone),
            members: u32::try_from(self.roster.members.len()).unwrap_or(u32::MAX),
            devices: u32::try_from(self.tree.devices.len()).unwrap_or(u32::MAX),
            epoch: self.epoch(),
            post_quantum: !self.classic(),
            waiting: false,
            verified: others().next().is_some()
                && others().all(|account| book.contact(&account.0).is_some_and(|c| c.verified && c.stopped.is_none())),
        }
    }

    /// Letters can be sealed now: no commit is under way and nobody's leave stands.
    pub(crate) fn can_seal(&self) -> bool {
        self.pending.is_none() && self.runs() && self.held.is_none() && self.group.standing_leaves().is_empty()
    }

    fn runs(&self) -> bool {
        self.state.stopped.is_none() && !self.state.gone && self.broken.is_none()
    }

    /// Seals a letter in this epoch: the record's body. Its SHA-256 is what [`Taken::Ours`] will say.
    pub(crate) fn seal(&mut self, written: &Written, cx: &mut Cx<'_>) -> Option<Vec<u8>> {
        if !self.can_seal() {
            return None;
        }
        let message = match self.group.encrypt(&written.to_bytes()) {
            Ok(message) => message,
            Err(error) => {
                self.library(&error, cx);
                return None;
            }
        };
        self.note_sent(cx);
        body::inline(&message)
    }

    /// What the account part must do; empties it.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        core::mem::take(&mut self.news)
    }

    /// Why the room can't go on.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.state.stopped.as_ref().map(|stop| stop.why.as_str()).or(self.broken.as_deref())
    }

    /// We are no member any more.
    pub(crate) const fn is_gone(&self) -> bool {
        self.state.gone
    }

    /// The user has looked at what stopped the room: it goes on, if it was of that kind.
    pub(crate) fn look(&mut self) -> bool {
        let ends = self.state.stopped.as_ref().is_some_and(|stop| stop.look);
        if ends {
            self.state.stopped = None;
        }
        ends
    }

    /// What we see of this room, to be said in other places.
    pub(crate) fn sight(&self) -> Option<View> {
        self.views.newest().copied().filter(|_| self.runs())
    }

    /// What was seen of this room, to hold against what others see of it.
    pub(crate) fn seen(&self) -> Option<&Remembered> {
        Some(&self.views).filter(|_| self.runs())
    }

    /// Views that somebody said elsewhere: if one is of this room and of another group, the room stops, and this is why.
    pub(crate) fn compare(&mut self, views: &[View], by: &AccountId, cx: &mut Cx<'_>) -> Option<String> {
        let split = views.iter().any(|view| self.views.compare(view) == Sight::Split);
        if !split || !self.runs() || estoile_wire::weak::is("views") {
            return None;
        }
        let who = self.who(by, cx.book);
        let why = format!(
            "{who} and you see two different histories of this room: the relay, or a member, keeps you apart; nothing more is sent or shown here"
        );
        self.stop(NoticeKind::Split, &why, tell::ADVICE_SPLIT, None, cx);
        Some(why)
    }

    /// This clock was set back: what
    /// waits must not wait longer than it would have.
    pub(crate) fn clock_went_back(&mut self, by: u64) {
        for at in [&mut self.leave_at, &mut self.join_at, &mut self.revoke_at, &mut self.state.heal_at] {
            *at = at.map(|at| at.saturating_sub(by));
        }
        if let Some(held) = &mut self.held {
            held.again_at = held.again_at.map(|at| at.saturating_sub(by));
        }
        self.state.healed_at = self.state.healed_at.saturating_sub(by);
    }
}

#[cfg(test)]
mod tests;
