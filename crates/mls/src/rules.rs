//! What a group of ours may look like, and what a commit may do to it, beyond what MLS itself demands.

use openmls::prelude::{
    Extensions, GroupContext, LeafNodeIndex, MlsGroup, Proposal, ProposalOrRefType, QueuedProposal, Sender,
    StagedCommit,
};

use crate::identity::{able, required};
use crate::{Facts, Leaf, MAX_LEAVES, MAX_ROSTER, Member, ROSTER_EXTENSION, Suite};

/// The roster of a group context that has our two extensions and nothing else.
pub(crate) fn context(extensions: &Extensions<GroupContext>) -> Option<&[u8]> {
    let roster = &extensions.unknown(ROSTER_EXTENSION)?.0;
    let ours = extensions.required_capabilities() == Some(&required()) && extensions.iter().count() == 2;
    (ours && roster.len() <= MAX_ROSTER).then_some(roster)
}

/// Whether every leaf has the shape of ours, and there are not too many.
pub(crate) fn tree(group: &MlsGroup) -> Result<(), &'static str> {
    let mut count = 0_usize;
    for (_, node) in group.treesync().full_leaves() {
        Member::of(node).ok_or("a leaf without account, name, device key or chain")?;
        count = count.saturating_add(1);
    }
    if count > MAX_LEAVES { Err("more leaves than a group may have") } else { Ok(()) }
}

/// What a staged commit does, if every part of it is allowed. `committer` is none for our own.
pub(crate) fn facts(group: &MlsGroup, staged: &StagedCommit, committer: u32) -> Result<Facts, &'static str> {
    let leaf = |index: LeafNodeIndex| -> Option<Leaf> {
        Some(Leaf { index: index.u32(), member: Member::of(group.public_group().leaf(index)?)? })
    };
    let committer = leaf(LeafNodeIndex::new(committer)).ok_or("a sender outside the tree")?;
    let suite = Suite::of(group.ciphersuite()).ok_or("a suite that is not ours")?;
    let node = staged.update_path_leaf_node().ok_or("no path: every commit renews its committer's keys")?;
    let updated = Member::of(node).ok_or("a new leaf without account, name, device key or chain")?;
    if updated.device != committer.member.device || updated.account != committer.member.account {
        return Err("a new leaf of another device or account");
    }
    if !able(node, suite) {
        return Err("a new leaf that can't do what it must");
    }
    let mut facts = Facts {
        epoch: group.epoch().as_u64().saturating_add(1),
        updated,
        adds: vec![],
        adds_from_ms: vec![],
        removes: vec![],
        left: vec![],
        roster: None,
        self_removed: staged.self_removed(),
        committer,
    };
    let roster = context(staged.group_context().extensions()).ok_or("a group context without our extensions")?;
    if context(group.extensions()) != Some(roster) {
        facts.roster = Some(roster.to_vec());
    }
    for queued in staged.queued_proposals() {
        proposal(queued, &mut facts, suite, &leaf)?;
    }
    let before = group.treesync().full_leaves().count();
    if before.saturating_add(facts.adds.len()).saturating_sub(facts.removes.len()) > MAX_LEAVES {
        return Err("more leaves than a group may have");
    }
    Ok(facts)
}

fn proposal(
    queued: &QueuedProposal,
    facts: &mut Facts,
    suite: Suite,
    leaf: &dyn Fn(LeafNodeIndex) -> Option<Leaf>,
) -> Result<(), &'static str> {
    let by_value = queued.proposal_or_ref_type() == ProposalOrRefType::Proposal;
    let Sender::Member(sender) = queued.sender() else { return Err("a proposal from outside the group") };
    match queued.proposal() {
        Proposal::Remove(remove) => {
            let gone = leaf(remove.removed()).ok_or("the removal of a leaf that is not there")?;
            match (by_value, *sender == remove.removed()) {
                (false, true) => facts.left.push(gone.index),
                (true, false) => {}
                _ => return Err("a removal by reference that is no leave"),
            }
            facts.removes.push(gone);
        }
        _ if !by_value => return Err("a proposal by reference that is no leave"),
        Proposal::Add(add) => {
            let node = add.key_package().leaf_node();
            if !able(node, suite) {
                return Err("a leaf that can't do what it must");
            }
            facts.adds.push(Member::of(node).ok_or("a leaf without account, name, device key or chain")?);
            facts.adds_from_ms.push(add.key_package().life_time().not_before().saturating_mul(1_000));
        }
        // Judged by what comes of it: the staged group context.
        Proposal::GroupContextExtensions(_) => {}
        _ => return Err("a kind of proposal that is never allowed"),
    }
    Ok(())
}
