//! Opening what the log brings, and taking or refusing a commit.

use core::fmt;

use openmls::prelude::tls_codec::DeserializeBytes as _;
use openmls::prelude::{
    ContentType, KeyPackageVerifyError, MlsMessageBodyIn, MlsMessageIn, PrivateMessageIn, ProcessMessageError,
    ProcessedMessageContent, Proposal, ProposalValidationError, ProtocolMessage, Sender, StageCommitError,
    StagedCommit, ValidationError,
};
use openmls::treesync::errors::LeafNodeValidationError;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::crypto::Crypto;
use crate::group::library;
use crate::store::{MESSAGES, PENDING};
use crate::{Group, Leaf, MAX_LEAVES, MAX_MESSAGE, Member, MlsError, OpenError, rules};

/// What was in a record.
#[derive(Debug)]
pub enum Incoming {
    /// An application message and the leaf that signed it.
    Letter {
        /// Its sender's leaf.
        leaf: u32,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// Another's commit: look at its facts, then [`Group::accept`] or [`Group::refuse`].
    Commit(Box<Staged>),
    /// Our own pending commit, byte for byte: [`Group::merge_pending`].
    Pending,
    /// A leaf asks to be removed. From now on it stands: the next commit removes it, and nothing can be encrypted
    /// before. It ends with the epoch: who still wants to leave asks again.
    Leave {
        /// Who leaves.
        leaf: u32,
    },
}

/// What a commit does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The epoch that it leads to.
    pub epoch: u64,
    /// Who made it, as it was before.
    pub committer: Leaf,
    /// The committer after it: the same device and account, perhaps another name or chain.
    pub updated: Member,
    /// Who comes.
    pub adds: Vec<Member>,
    /// From when each of their key packages is good, by their own clocks, in milliseconds: in the same order.
    pub adds_from_ms: Vec<u64>,
    /// Who goes, those who asked to leave among them.
    pub removes: Vec<Leaf>,
    /// The indices of those who asked.
    pub left: Vec<u32>,
    /// The new roster, if it is another.
    pub roster: Option<Vec<u8>>,
    /// Whether it removes us.
    pub self_removed: bool,
}

/// Another's commit, checked by MLS and our rules, not yet taken.
pub struct Staged {
    facts: Facts,
    inner: StagedCommit,
    crypto: Crypto,
    /// The message ratchets before it was opened.
    before: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Staged {
    /// What it does.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A secret of the epoch that it leads to: what [`Group::export`] will give once it is taken. None of ours if it
    /// removes us.
    pub fn export(&self, label: &str, length: usize) -> Result<Zeroizing<Vec<u8>>, MlsError> {
        if self.facts.self_removed {
            return Err(MlsError::Removed);
        }
        self.inner.export_secret(&self.crypto, label, &[], length).map(Zeroizing::new).map_err(library)
    }

    /// The authenticator of the epoch that it leads to, unless it removes us.
    #[must_use]
    pub fn authenticator(&self) -> Option<Vec<u8>> {
        self.inner.epoch_authenticator().map(|a| a.as_slice().to_vec())
    }
}

impl Group {
    /// Opens a record of this epoch. On an error the group is as before, so the same record can be tried again (after a
    /// clock was set right, say).
    pub fn open(&mut self, bytes: &[u8]) -> Result<Incoming, OpenError> {
        if !self.mls.is_active() {
            return Err(OpenError::Removed);
        }
        let message = self.envelope(bytes)?;
        let kind = message.content_type();
        if kind == ContentType::Commit && self.pending_hash().is_some_and(|h| h[..] == Sha256::digest(bytes)[..]) {
            return Ok(Incoming::Pending);
        }
        // An application message is never refused once it is open; for the others the ratchets can be put back.
        let before = if kind == ContentType::Application { None } else { self.provider.store.get(&[MESSAGES]) };
        let message = ProtocolMessage::from(message);
        let processed = self.mls.process_message(&self.provider, message).map_err(|e| match refusal(kind, e) {
            OpenError::OwnCommit => self.own(kind, bytes),
            error => error,
        })?;
        let Sender::Member(sender) = *processed.sender() else { return Err(OpenError::Unwelcome("external sender")) };
        let leaf = sender.u32();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => {
                Ok(Incoming::Letter { leaf, bytes: message.into_bytes() })
            }
            ProcessedMessageContent::StagedCommitMessage(inner) => match rules::facts(&self.mls, &inner, leaf) {
                Ok(facts) => {
                    let crypto = self.provider.crypto;
                    Ok(Incoming::Commit(Box::new(Staged { facts, inner: *inner, crypto, before })))
                }
                Err(reason) => self.undo(before, OpenError::Poison { committer: Some(leaf), reason }),
            },
            ProcessedMessageContent::ProposalMessage(queued) => {
                let own_leave = matches!(queued.proposal(), Proposal::Remove(r) if r.removed() == sender);
                if !own_leave {
                    return self.undo(before, OpenError::Unwelcome("a proposal that is no leave"));
                }
                if self.mls.pending_proposals().count() >= MAX_LEAVES {
                    return self.undo(before, OpenError::Unwelcome("one leave too many"));
                }
                self.mls
                    .store_pending_proposal(&self.provider.store, *queued)
                    .map_err(|e| OpenError::Library(e.to_string()))?;
                Ok(Incoming::Leave { leaf })
            }
            ProcessedMessageContent::OwnPrivateMessage => Err(self.own(kind, bytes)),
            _ => self.undo(before, OpenError::Unwelcome("a message from outside")),
        }
    }

    /// Takes another's commit: the group moves to its epoch, and our own pending commit, if any, is dropped.
    pub fn accept(&mut self, staged: Staged) -> Result<(), MlsError> {
        if staged.facts.epoch != self.epoch().saturating_add(1) {
            return Err(MlsError::Plan("a commit of another epoch"));
        }
        self.mls.merge_staged_commit(&self.provider, staged.inner).map_err(library)?;
        self.provider.store.set(vec![PENDING], None);
        Ok(())
    }

    /// Refuses another's commit: the group is as if it had never been opened.
    pub fn refuse(&mut self, staged: Staged) -> Result<(), MlsError> {
        if staged.facts.epoch != self.epoch().saturating_add(1) {
            return Err(MlsError::Plan("a commit of another epoch"));
        }
        self.put_back(MESSAGES, staged.before)
    }

    /// The private message of this group and epoch: everything else is refused before anything is processed.
    fn envelope(&self, bytes: &[u8]) -> Result<PrivateMessageIn, OpenError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(OpenError::Malformed);
        }
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| OpenError::Malformed)?;
        let message = match message.extract() {
            MlsMessageBodyIn::PrivateMessage(message) => message,
            MlsMessageBodyIn::PublicMessage(_) => return Err(OpenError::Unwelcome("a public message")),
            _ => return Err(OpenError::Unwelcome("no message of a group")),
        };
        if message.group_id() != self.mls.group_id() {
            return Err(OpenError::WrongGroup);
        }
        if message.epoch() != self.mls.epoch() {
            return Err(OpenError::WrongEpoch(message.epoch().as_u64()));
        }
        Ok(message)
    }

    /// A message by our own leaf, which can't be opened.
    fn own(&self, kind: ContentType, bytes: &[u8]) -> OpenError {
        match kind {
            // Our pending commit, altered on the way: no sign of a copy.
            ContentType::Commit if self.pending_trace().is_some_and(|t| Some(t) == crate::sender_trace(bytes)) => {
                OpenError::Undecryptable
            }
            ContentType::Commit => OpenError::OwnCommit,
            ContentType::Proposal => OpenError::OwnLeave,
            ContentType::Application => OpenError::OwnMessage,
        }
    }

    fn undo(&mut self, before: Option<Zeroizing<Vec<u8>>>, why: OpenError) -> Result<Incoming, OpenError> {
        self.put_back(MESSAGES, before).map_err(|e| OpenError::Library(e.to_string()))?;
        Err(why)
    }
}

/// Sorts OpenMLS's refusals: what could not be opened, what must not be, and what only a clock forbids.
fn refusal<E: fmt::Display>(kind: ContentType, error: ProcessMessageError<E>) -> OpenError {
    match error {
        ProcessMessageError::ValidationError(ValidationError::KeyPackageVerifyError(
            KeyPackageVerifyError::LifetimeError(_),
        ))
        | ProcessMessageError::InvalidCommit(
            StageCommitError::LeafNodeValidation(LeafNodeValidationError::Lifetime(_))
            | StageCommitError::ProposalValidationError(ProposalValidationError::LeafNodeValidation(
                LeafNodeValidationError::Lifetime(_),
            )),
        ) => OpenError::Lifetime,
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(_)) => OpenError::Undecryptable,
        ProcessMessageError::InvalidCommit(StageCommitError::OwnCommitMismatch) => OpenError::OwnCommit,
        ProcessMessageError::StorageError(e) => OpenError::Library(e.to_string()),
        ProcessMessageError::LibraryError(e) => OpenError::Library(e.to_string()),
        ProcessMessageError::GroupStateError(_) => OpenError::Removed,
        _ if kind == ContentType::Commit => OpenError::Poison { committer: None, reason: "MLS refuses it" },
        _ if kind == ContentType::Proposal => OpenError::Unwelcome("a proposal that MLS refuses"),
        _ => OpenError::Undecryptable,
    }
}
