//! What follows a commit that the log has decided for: the new epoch, what is told, and what becomes of our own wishes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use estoile_mls::{Facts, Staged};
use estoile_seal::account::{AccountId as Id, Chain};
use estoile_seal::roster::{MAX_DEVICES, Roster, WARN_DEVICES};
use estoile_wire::{Cursor, PublicKey};

use super::stored::{StoredCommit, StoredPending};
use super::{AccountId, Intent, News, Private, Taken, tell, to_view};
use crate::book::Learned;
use crate::notice::NoticeKind;
use crate::out::Cx;

/// So many commits are known again by their hash when the relay shows others in their place.
const MAX_COMMITS: usize = 64;

impl Private {
    /// Our own commit stands in the log.
    pub(super) fn merge_own(&mut self, cursor: Cursor, hash: &[u8; 32], cx: &mut Cx<'_>) -> Taken {
        let Some(facts) = self.group.pending() else {
            return self.library(&estoile_mls::MlsError::NothingPending, cx);
        };
        let after = facts.roster.as_deref().and_then(|bytes| Roster::decode(bytes).ok());
        let before = self.shown_all(cx);
        if let Err(error) = self.group.merge_pending() {
            return self.library(&error, cx);
        }
        let pending = self.drop_kept_pending();
        self.schedule_heal(cx);
        let change = Change { facts, after, before };
        let taken = self.merged(change, hash, cx);
        if let Some(pending) = pending {
            self.reward(pending, cursor, cx);
        }
        taken
    }

    /// Another's commit stands in the log, and may be merged.
    pub(super) fn merge_theirs(
        &mut self,
        staged: Staged,
        facts: Facts,
        after: Option<Roster>,
        hash: &[u8; 32],
        cx: &mut Cx<'_>,
    ) -> Taken {
        let before = self.shown_all(cx);
        if let Err(error) = self.group.accept(staged) {
            return self.library(&error, cx);
        }
        // Ours, if there was one, was of the epoch that is over: what it was for is kept as wishes.
        self.drop_kept_pending();
        self.merged(Change { facts, after, before }, hash, cx)
    }

    fn merged(&mut self, change: Change, hash: &[u8; 32], cx: &mut Cx<'_>) -> Taken {
        self.held = None;
        self.leave_at = None;
        self.state.commits.push(StoredCommit { epoch: change.facts.epoch.saturating_sub(1), hash: *hash });
        let surplus = self.state.commits.len().saturating_sub(MAX_COMMITS);
        self.state.commits.drain(..surplus);
        let after = change.after.clone().unwrap_or_else(|| self.roster.clone());
        let old = core::mem::replace(&mut self.roster, after);
        if change.facts.self_removed {
            self.tell_change(&change, &old, cx);
            return self.replaced(&change.facts, cx).unwrap_or_else(|| self.go_out(cx));
        }
        self.read_tree();
        self.note_since(&change.facts);
        self.note_view();
        self.tell_change(&change, &old, cx);
        if old.door != self.roster.door
            || old.may_add(&Id(self.me.account)) != self.roster.may_add(&Id(self.me.account))
        {
            self.news.push(News::Door);
        }
        self.warn_full(cx);
        self.find_revoked(cx);
        if let Some(why) = Self::learn(&change.facts, cx) {
            // The group has gone on like everybody's: only this vault waits for its user.
            return self.stop(NoticeKind::Contact, &why, tell::ADVICE_LOOK, None, cx);
        }
        Taken::Merged
    }

    /// Looks at the chains that a commit shows. Why the room stops until the user has looked, if one contradicts what this
    /// vault knows.
    fn learn(facts: &Facts, cx: &mut Cx<'_>) -> Option<String> {
        let mut forked = None;
        let updated = (facts.updated != facts.committer.member).then_some(&facts.updated);
        for member in facts.adds.iter().chain(updated) {
            if cx.book.learn(&member.account, &member.chain) == Learned::Forked {
                let name = &member.name;
                forked = Some(format!(
                    "{name}'s account shows two different histories of its devices: somebody else may be using the name"
                ));
            }
        }
        forked
    }

    /// We are no member any more.
    pub(super) fn go_out(&mut self, cx: &mut Cx<'_>) -> Taken {
        self.state.gone = true;
        self.news.push(News::Gone);
        self.left(cx);
        self.answer_all("you are not in this room any more", cx);
        Taken::Gone
    }

    /// Our wish to leave is in the log, or fulfilled: those who asked for it are answered.
    pub(super) fn left(&mut self, cx: &mut Cx<'_>) {
        let ids: Vec<u64> =
            self.state.intents.iter().filter(|s| (*s).clone().intent() == Some(Intent::Leave)).map(|s| s.id).collect();
        for id in ids {
            for command in self.answers.remove(&id).unwrap_or_default() {
                cx.answer(command, Ok(crate::command::Answer::Done));
            }
        }
    }

    /// What our merged commit was for is done; Welcomes go out only now.
    fn reward(&mut self, pending: StoredPending, cursor: Cursor, cx: &mut Cx<'_>) {
        let welcome: Option<Arc<[u8]>> = pending.welcome.map(Arc::from);
        for id in pending.intents {
            let Some(stored) = self.state.intents.iter().find(|stored| stored.id == id) else { continue };
            if let (Some(Intent::Add { token, .. }), Some(welcome)) = (stored.clone().intent(), &welcome) {
                self.news.push(News::Welcome { token, welcome: Arc::clone(welcome), cursor });
            }
            self.fulfil(id, cx);
        }
    }

    /// Nothing of ours waits for the log any more, as far as this vault keeps it.
    fn drop_kept_pending(&mut self) -> Option<StoredPending> {
        self.pending_changed |= self.pending.is_some();
        self.pending.take()
    }

    /// Nothing of ours waits for the log any more.
    pub(super) fn drop_pending(&mut self) {
        self.drop_kept_pending();
    }

    /// Every name as it is shown, while those who go are still here.
    fn shown_all(&self, cx: &Cx<'_>) -> BTreeMap<AccountId, String> {
        self.tree.names.keys().map(|account| (*account, self.who(account, cx.book))).collect()
    }

    /// Warns when the room nears its greatest size.
    pub(super) fn warn_full(&mut self, cx: &mut Cx<'_>) {
        let devices = self.tree.devices.len();
        if devices < WARN_DEVICES {
            self.state.warned_full = false;
        } else if !self.state.warned_full {
            self.state.warned_full = true;
            let detail = format!(
                "this room has {devices} devices and holds {MAX_DEVICES}: adding and removing people gets slow for all"
            );
            self.tell(NoticeKind::Full, detail, tell::ADVICE_FULL, None, cx);
        }
    }

    /// Looks for leaves of devices that their account has removed, as another leaf of it shows: ours go by us, others' by those
    /// who may remove people.
    pub(super) fn find_revoked(&mut self, cx: &mut Cx<'_>) {
        if !self.revoked_leaves().is_empty() {
            self.schedule_revoke(cx);
        }
    }

    /// The devices here that their account has removed, where removing them is ours to do.
    pub(super) fn revoked_leaves(&self) -> Vec<PublicKey> {
        let leaves = self.group.leaves();
        let mut by_account: BTreeMap<AccountId, BTreeSet<&[u8]>> = BTreeMap::new();
        for leaf in &leaves {
            by_account.entry(leaf.member.account).or_default().insert(&leaf.member.chain);
        }
        let own = |account: &AccountId| *account == self.me.account;
        let may = |account: &AccountId| own(account) || self.roster.may_remove(&Id(self.me.account), &Id(*account));
        // Accounts whose leaves all show one chain have nothing to tell, and are nearly all.
        let telling = |(account, chains): (AccountId, BTreeSet<&[u8]>)| {
            let differ = chains.len() > 1 || (own(&account) && !chains.contains(self.me.chain.as_slice()));
            (differ && may(&account)).then(|| (account, chains.iter().filter_map(|c| Chain::verify(c).ok()).collect()))
        };
        let mut chains: BTreeMap<AccountId, Vec<Chain>> = by_account.into_iter().filter_map(telling).collect();
        if let (Some(own), Ok(chain)) = (chains.get_mut(&self.me.account), Chain::verify(&self.me.chain)) {
            own.push(chain);
        }
        let revoked = |device: &PublicKey, account: &AccountId| {
            chains.get(account).is_some_and(|all| all.iter().any(|chain| chain.knew(device) && !chain.is_live(device)))
        };
        let gone = leaves.iter().filter(|leaf| revoked(&leaf.member.device, &leaf.member.account));
        gone.map(|leaf| leaf.member.device).filter(|device| *device != self.me.device.public()).collect()
    }
}

/// A commit with what was known before it.
struct Change {
    facts: Facts,
    after: Option<Roster>,
    before: BTreeMap<AccountId, String>,
}

impl Change {
    fn name(&self, private: &Private, account: &AccountId, cx: &Cx<'_>) -> String {
        self.before.get(account).cloned().unwrap_or_else(|| private.who(account, cx.book))
    }
}

impl Private {
    /// Tells what a commit has changed, and who did it.
    fn tell_change(&self, change: &Change, old: &Roster, cx: &mut Cx<'_>) {
        let facts = &change.facts;
        let by = facts.committer.member.account;
        let who = change.name(self, &by, cx);
        let mine = facts.committer.member.device == self.me.device.public();
        let by_whom = if mine { String::new() } else { format!(", by {who}") };
        let mut told: BTreeSet<AccountId> = BTreeSet::new();
        for member in &facts.adds {
            if !told.insert(member.account) {
                continue;
            }
            let name = change.name(self, &member.account, cx);
            let again = facts.removes.iter().any(|leaf| leaf.member.device == member.device);
            let new = !old.members.contains_key(&Id(member.account));
            // What this device did for its user, its user knows; what it did by itself is told.
            if mine && (new || member.account == self.me.account) {
                continue;
            }
            let own = member.account == self.me.account;
            let whose = if own { "yours" } else { &name };
            let detail = if new {
                format!("{who} added {name} to this room")
            } else if again {
                format!("a device of {whose} came back with new keys{by_whom}")
            } else {
                let has = if own { "you have" } else { &format!("{name} has") };
                format!("{has} another device in this room{by_whom}")
            };
            self.tell(NoticeKind::Joined, detail, tell::ADVICE_NONE, Some(&member.account), cx);
        }
        for leaf in &facts.removes {
            let account = leaf.member.account;
            let replaced = facts.adds.iter().any(|member| member.device == leaf.member.device);
            let gone = !self.roster.members.contains_key(&Id(account));
            if replaced || (gone && !told.insert(account)) {
                continue;
            }
            let name = change.name(self, &account, cx);
            let left = facts.left.contains(&leaf.index);
            if mine && !left && (gone || account == self.me.account) {
                continue;
            }
            let whose = if account == self.me.account { "yours" } else { &name };
            let detail = match (gone, left) {
                (true, true) => format!("{name} left this room; its keys were changed"),
                (true, false) => format!("{who} removed {name} from this room; its keys were changed"),
                (false, _) => format!("a device of {whose} is out of this room{by_whom}; the room's keys were changed"),
            };
            let own = account == self.me.account && facts.self_removed;
            let advice = if own { tell::ADVICE_OUT } else { tell::ADVICE_NONE };
            self.tell(NoticeKind::Removed, detail, advice, Some(&account), cx);
        }
        if let Some(after) = &change.after {
            self.tell_roster((&who, mine), &by, old, after, cx);
        }
    }

    /// `mine`: this device did it, so that only what came of itself is told.
    fn tell_roster(&self, (who, mine): (&str, bool), by: &AccountId, old: &Roster, after: &Roster, cx: &mut Cx<'_>) {
        let mut tell = |detail: String| self.tell(NoticeKind::Roster, detail, tell::ADVICE_NONE, Some(by), cx);
        let changed = |(account, member): (&Id, &estoile_seal::roster::Member)| {
            old.role(account).filter(|was| *was != member.role).map(|_| (account.0, to_view(member.role)))
        };
        if mine {
            // An owner has left, and the room is ours.
            for (_, role) in after.members.iter().filter_map(changed).filter(|(a, _)| *a == self.me.account) {
                tell(format!("you became {} of this room", with_article(role)));
            }
            return;
        }
        if old.name != after.name {
            tell(format!("{who} renamed this room to {}", after.name));
        }
        if old.policy != after.policy {
            tell(format!("{who} changed who may do what in this room"));
        }
        let made = after.links.iter().filter(|link| old.link(&link.id).is_none()).count();
        if made > 0 {
            tell(format!("{who} made a link by which people may knock at this room"));
        }
        if old.door == after.door && old.links.iter().any(|link| after.link(&link.id).is_none()) {
            tell(format!("a link to this room is no longer good, by {who}"));
        }
        for (account, role) in after.members.iter().filter_map(changed) {
            let name = self.tree.names.get(&account).map_or_else(String::new, |_| self.shown(&account));
            let name = if account == self.me.account { "you".to_owned() } else { name };
            tell(format!("{name} became {} of this room, by {who}", with_article(role)));
        }
    }
}

const fn with_article(role: crate::view::Role) -> &'static str {
    match role {
        crate::view::Role::Member => "a member",
        crate::view::Role::Admin => "an admin",
        crate::view::Role::Owner => "an owner",
    }
}
