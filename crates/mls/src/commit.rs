//! Our own commits: planned, pending, merged or dropped; and our own leave.

use core::fmt;

use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{CreateCommitError, LeafNodeIndex, LeafNodeParameters, Proposal, ProposalValidationError};
use openmls::treesync::errors::LeafNodeValidationError;
use openmls_traits::OpenMlsProvider as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::group::{context, library};
use crate::store::PENDING;
use crate::{Facts, Group, MAX_LEAVES, MAX_MESSAGE, Me, MlsError, key_package, rules};

/// What a commit of ours is to do. Empty, it only renews our own keys (every commit does that too), and removes those
/// whose leave stands.
#[derive(Clone, Default)]
pub struct Plan<'a> {
    /// Key packages of those to add.
    pub adds: Vec<Vec<u8>>,
    /// Leaves to remove.
    pub removes: Vec<u32>,
    /// A new roster.
    pub roster: Option<Vec<u8>>,
    /// A new name or chain in our own leaf; the account and the device stay.
    pub me: Option<Me<'a>>,
    /// The time by which the key packages' lifetimes are judged (OpenMLS judges them by this machine's clock as well).
    pub now_ms: u64,
}

impl fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plan(..)")
    }
}

/// A commit of ours, made and pending.
#[derive(Clone)]
pub struct Pending {
    /// What goes into the log.
    pub commit: Vec<u8>,
    /// What goes to those added, after the merge: one message for all of them.
    pub welcome: Option<Vec<u8>>,
    /// What it does, as others will see it.
    pub facts: Facts,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending(..)")
    }
}

impl Group {
    /// Makes a commit, which is pending from then on. On an error nothing is pending, and nothing changed.
    pub fn commit(&mut self, plan: Plan<'_>) -> Result<Pending, MlsError> {
        self.active()?;
        if self.mls.pending_commit().is_some() {
            return Err(MlsError::CommitPending);
        }
        let standing = self.standing_leaves();
        let own = self.own_index();
        if standing.contains(&own) {
            return Err(MlsError::Leaving);
        }
        if plan.removes.contains(&own) {
            return Err(MlsError::Plan("our own leaf can only be removed by somebody else"));
        }
        let adds = self.check_adds(&plan)?;
        let mut removes = plan.removes;
        removes.sort_unstable();
        removes.dedup();
        removes.retain(|r| !standing.contains(r));
        if removes.iter().any(|r| self.leaf(*r).is_none()) {
            return Err(MlsError::Plan("the removal of a leaf that is not there"));
        }
        let mut builder = self.mls.commit_builder().force_self_update(true).propose_adds(adds);
        builder = builder.propose_removals(removes.into_iter().map(LeafNodeIndex::new));
        if let Some(roster) = &plan.roster {
            builder = builder.propose_group_context_extensions(context(roster)?).map_err(refused)?;
        }
        if let Some(me) = &plan.me {
            me.check()?;
            let same = me.credential().signature_key.as_slice() == self.key.public();
            let parameters = LeafNodeParameters::builder()
                .with_credential_with_key(me.credential())
                .with_extensions(me.leaf_extensions()?)
                .build();
            builder = if same { builder.leaf_node_parameters(parameters) } else { return Err(MlsError::State) };
        }
        let bundle = builder
            .load_psks(&self.provider.store)
            .map_err(refused)?
            .create_group_info(false)
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .map_err(refused)?
            .stage_commit(&self.provider)
            .map_err(library)?;
        let (commit, welcome, _) = bundle.into_messages();
        let commit = commit.tls_serialize_detached().map_err(|_| MlsError::TooLong)?;
        let welcome = welcome.map(|w| w.tls_serialize_detached()).transpose().map_err(|_| MlsError::TooLong)?;
        let mut kept = Sha256::digest(&commit).to_vec();
        kept.extend(crate::sender_trace(&commit).unwrap_or_default());
        self.provider.store.set(vec![PENDING], Some(Zeroizing::new(kept)));
        let fits = commit.len() <= MAX_MESSAGE && welcome.as_ref().is_none_or(|w| w.len() <= MAX_MESSAGE);
        match self.pending() {
            Some(facts) if fits => Ok(Pending { commit, welcome, facts }),
            _ => {
                self.drop_pending()?;
                Err(if fits { MlsError::Plan("against the rules of our groups") } else { MlsError::TooLong })
            }
        }
    }

    /// What the pending commit does, if one is pending: also after a restart.
    #[must_use]
    pub fn pending(&self) -> Option<Facts> {
        rules::facts(&self.mls, self.mls.pending_commit()?, self.own_index()).ok()
    }

    /// Whether these bytes are the pending commit.
    #[must_use]
    pub fn is_pending(&self, commit: &[u8]) -> bool {
        self.pending_hash().is_some_and(|h| h[..] == Sha256::digest(commit)[..])
    }

    /// A secret of the epoch that the pending commit leads to.
    pub fn pending_export(&self, label: &str, length: usize) -> Result<Zeroizing<Vec<u8>>, MlsError> {
        let pending = self.mls.pending_commit().ok_or(MlsError::NothingPending)?;
        pending.export_secret(&self.provider.crypto, label, &[], length).map(Zeroizing::new).map_err(library)
    }

    /// The authenticator of the epoch that the pending commit leads to.
    #[must_use]
    pub fn pending_authenticator(&self) -> Option<Vec<u8>> {
        self.mls.pending_commit()?.epoch_authenticator().map(|a| a.as_slice().to_vec())
    }

    /// Takes the pending commit: only when the log has given it back.
    pub fn merge_pending(&mut self) -> Result<(), MlsError> {
        self.mls.pending_commit().ok_or(MlsError::NothingPending)?;
        self.mls.merge_pending_commit(&self.provider).map_err(library)?;
        self.provider.store.set(vec![PENDING], None);
        Ok(())
    }

    /// Drops the pending commit: only when another's stands in its place. If the log turns out to hold it after all, it
    /// is [`crate::OpenError::OwnCommit`], and this device can't follow.
    pub fn drop_pending(&mut self) -> Result<(), MlsError> {
        self.mls.clear_pending_commit(&self.provider.store).map_err(library)?;
        self.provider.store.set(vec![PENDING], None);
        Ok(())
    }

    /// Asks to be removed. Refused while a commit is pending (drop or merge it first); afterwards nothing can be
    /// encrypted. It holds for this epoch only: if another commit wins, ask again.
    pub fn leave(&mut self) -> Result<Vec<u8>, MlsError> {
        self.active()?;
        if self.mls.pending_commit().is_some() {
            return Err(MlsError::CommitPending);
        }
        let message = self.mls.leave_group(&self.provider, &self.key).map_err(library)?;
        message.tls_serialize_detached().map_err(|_| MlsError::TooLong)
    }

    /// The leaves that have asked to leave in this epoch, ours among them.
    #[must_use]
    pub fn standing_leaves(&self) -> Vec<u32> {
        let leaf = |p: &Proposal| if let Proposal::Remove(r) = p { Some(r.removed().u32()) } else { None };
        let mut all: Vec<u32> = self.mls.pending_proposals().filter_map(|p| leaf(p.proposal())).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn check_adds(&self, plan: &Plan<'_>) -> Result<Vec<openmls::prelude::KeyPackage>, MlsError> {
        let here = self.leaves();
        let mut packages = vec![];
        let mut devices = vec![];
        for bytes in &plan.adds {
            let package = key_package::read(bytes)?;
            let view = key_package::view(&package, plan.now_ms)?;
            let want = self.suite();
            if view.suite != want {
                return Err(MlsError::SuiteMismatch { want, got: view.suite });
            }
            let stays = |l: &crate::Leaf| l.member.device == view.member.device && !plan.removes.contains(&l.index);
            if here.iter().any(stays) || devices.contains(&view.member.device) {
                return Err(MlsError::Plan("a device that is there already"));
            }
            devices.push(view.member.device);
            packages.push(package);
        }
        let after = here.len().saturating_add(packages.len()).saturating_sub(plan.removes.len());
        if after > MAX_LEAVES { Err(MlsError::Plan("more leaves than a group may have")) } else { Ok(packages) }
    }
}

fn refused(error: CreateCommitError) -> MlsError {
    match error {
        CreateCommitError::ProposalValidationError(ProposalValidationError::LeafNodeValidation(
            LeafNodeValidationError::Lifetime(_),
        )) => MlsError::Lifetime,
        CreateCommitError::ProposalValidationError(_) => MlsError::Plan("MLS refuses a proposal"),
        CreateCommitError::CannotRemoveSelf => MlsError::Leaving,
        e => library(e),
    }
}
