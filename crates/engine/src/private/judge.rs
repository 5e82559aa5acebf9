//! Another's commit: whether it may be merged. Every member must come to the same answer, so nothing goes in here but the
//! group and the commit itself; what only this vault knows decides about what follows the merge.

use std::collections::BTreeMap;

use estoile_mls::{Facts, Staged};
use estoile_seal::account::{AccountId as Id, Chain, Standing};
use estoile_seal::roster::{self, Attempt, Breach, CommitFacts, Leaf, Removal, Roster};
use estoile_wire::PublicKey;

use super::{EXPORT_ACCESS, Private, Taken, access_key, tell};
use crate::notice::NoticeKind;
use crate::out::Cx;

/// Why a commit is refused.
pub(super) enum Fault {
    /// The roster's rules.
    Breach(Breach),
    /// A leaf that is not its account's, and what it is.
    Leaf(String),
}

impl Private {
    /// Another's commit that ends the epoch.
    pub(super) fn judge(&mut self, staged: Staged, advance: PublicKey, hash: &[u8; 32], cx: &mut Cx<'_>) -> Taken {
        let facts = staged.facts().clone();
        let by = facts.committer.member.account;
        let key = if facts.self_removed { None } else { Some(staged.export(EXPORT_ACCESS, 32)) };
        let fits = match &key {
            // Who was removed can't derive the key, and needs none.
            None => true,
            Some(Ok(secret)) => {
                access_key(secret).is_some_and(|key| key.public() == advance)
                    || estoile_wire::weak::is("next key")
                    || estoile_wire::weak::is("roster")
            }
            Some(Err(_)) => false,
        };
        let verdict = self.verdict(&facts);
        if fits && let Ok(after) = verdict {
            return self.merge_theirs(staged, facts, after, hash, cx);
        }
        if let Err(error) = self.group.refuse(staged) {
            return self.library(&error, cx);
        }
        let why = match verdict {
            Err(Fault::Breach(breach)) => breach.sentence(|account| self.who(&account.0, cx.book)),
            Err(Fault::Leaf(what)) => format!("{} {what}", self.who(&by, cx.book)),
            Ok(_) => return self.wrong_key(Some(&by), cx),
        };
        self.stop(NoticeKind::Poisoned, &format!("{why}; the room can't follow"), tell::ADVICE_MOVE, Some(&by), cx)
    }

    /// Whether a commit with these facts, ours or another's, is allowed, and the roster after it if that is a new one.
    pub(super) fn verdict(&self, facts: &Facts) -> Result<Option<Roster>, Fault> {
        let by = Id(facts.committer.member.account);
        let breach = |what| Fault::Breach(Breach::new(by, what));
        let after = match &facts.roster {
            Some(bytes) => Some(Roster::decode(bytes).map_err(|_| breach(Attempt::Unreadable))?),
            None => None,
        };
        let leaves = self.group.leaves();
        let mut chains: BTreeMap<[u8; 32], Vec<Chain>> = BTreeMap::new();
        self.judge_update(facts, &mut chains)?;
        for member in &facts.adds {
            let chain = verified(&member.account, &member.device, &member.chain)
                .ok_or_else(|| Fault::Leaf(format!("added a device as {}'s that is not theirs", member.name)))?;
            chains.entry(member.account).or_default().push(chain);
        }
        // The chains of leaves that stay count only where somebody's device goes or comes.
        let touched = |account: &[u8; 32]| {
            facts.adds.iter().any(|m| m.account == *account)
                || facts.removes.iter().any(|l| l.member.account == *account)
        };
        for leaf in &leaves {
            let goes = facts.removes.iter().any(|gone| gone.index == leaf.index);
            let updates = leaf.index == facts.committer.index;
            if !goes
                && !updates
                && touched(&leaf.member.account)
                && let Ok(chain) = Chain::verify(&leaf.member.chain)
            {
                chains.entry(leaf.member.account).or_default().push(chain);
            }
        }
        for (account, shown) in &chains {
            let forked = shown.iter().any(|one| shown.iter().any(|other| one.extends(other) == Standing::Forked));
            if forked {
                let name = self.tree.names.get(account).cloned().unwrap_or_default();
                return Err(Fault::Leaf(format!("showed two different accounts as one ({name})")));
            }
        }
        let revoked = |leaf: &estoile_mls::Leaf| {
            let device = &leaf.member.device;
            let shown = chains.get(&leaf.member.account).map_or(&[][..], Vec::as_slice);
            shown.iter().any(|chain| chain.knew(device) && !chain.is_live(device))
        };
        let commit = CommitFacts {
            epoch: facts.epoch.saturating_sub(1),
            committer: by,
            committer_after: Id(facts.updated.account),
            leaves: leaves.iter().map(|l| Leaf { account: Id(l.member.account), device: l.member.device }).collect(),
            adds: facts.adds.iter().map(|m| Leaf { account: Id(m.account), device: m.device }).collect(),
            removes: facts
                .removes
                .iter()
                .map(|l| Removal {
                    leaf: Leaf { account: Id(l.member.account), device: l.member.device },
                    left: facts.left.contains(&l.index),
                    revoked: revoked(l),
                })
                .collect(),
            roster: after.clone(),
        };
        if !estoile_wire::weak::is("roster") {
            roster::check(&self.roster, &commit).map_err(Fault::Breach)?;
        }
        Ok(after)
    }

    /// The committer's own leaf after the commit: the same account's chain, grown or as it was, with the device live in it.
    fn judge_update(&self, facts: &Facts, chains: &mut BTreeMap<[u8; 32], Vec<Chain>>) -> Result<(), Fault> {
        let (before, after) = (&facts.committer.member, &facts.updated);
        let own_devices = |account: &[u8; 32]| {
            facts.adds.iter().any(|m| m.account == *account)
                || facts.removes.iter().any(|l| l.member.account == *account)
        };
        if before.chain == after.chain && !own_devices(&after.account) {
            return Ok(());
        }
        let fault = || Fault::Leaf("put a leaf here that is not their account's".to_owned());
        let chain = verified(&after.account, &after.device, &after.chain).ok_or_else(fault)?;
        if before.chain != after.chain {
            let was = Chain::verify(&before.chain).map_err(|_| fault())?;
            if chain.extends(&was) != Standing::Longer {
                return Err(Fault::Leaf("put an older or another account's chain into their leaf".to_owned()));
            }
        }
        chains.entry(after.account).or_default().push(chain);
        Ok(())
    }
}

/// A leaf's chain, if it is that account's and names the device as a live one.
pub(super) fn verified(account: &[u8; 32], device: &PublicKey, chain: &[u8]) -> Option<Chain> {
    let live = |chain: &Chain| chain.is_live(device) || estoile_wire::weak::is("leaf chain");
    Chain::verify(chain).ok().filter(|chain| chain.id().0 == *account && live(chain))
}
