//! What can go wrong: with our own calls ([`MlsError`]) and with other people's bytes ([`OpenError`]).

use crate::Suite;

/// A call that could not be done. Peers' bytes that we were asked to *use* (a key package, a welcome) end here too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MlsError {
    /// Not what it should be: cut, longer than allowed, or with trailing bytes.
    #[error("these bytes are not what they should be")]
    Malformed,
    /// A key package or a welcome for another suite than the group's.
    #[error("made for another cipher suite ({0:#06x})")]
    WrongSuite(u16),
    /// A key package of the wrong suite for this group.
    #[error("made for the suite {got:?}, and the group uses {want:?}")]
    SuiteMismatch {
        /// The group's.
        want: Suite,
        /// The key package's.
        got: Suite,
    },
    /// Signatures, extensions, capabilities or credential are not as they must be; the word says which.
    #[error("not valid: {0}")]
    Invalid(&'static str),
    /// Its lifetime is over or has not begun, by this machine's clock.
    #[error("its lifetime is over or has not begun, by this machine's clock")]
    Lifetime,
    /// A welcome for none of the key packages that we hold.
    #[error("this welcome is for none of our key packages")]
    NotForUs,
    /// A commit is pending already: merge or drop it first.
    #[error("a commit is pending already")]
    CommitPending,
    /// No commit is pending.
    #[error("no commit is pending")]
    NothingPending,
    /// Somebody's leave stands: it has to be committed before anything is encrypted.
    #[error("somebody's leave stands: commit it first")]
    LeaveStands,
    /// We have asked to leave in this epoch: somebody else has to commit it.
    #[error("we are leaving: somebody else has to commit it")]
    Leaving,
    /// We were removed from this group.
    #[error("we were removed from this group")]
    Removed,
    /// The plan removes our own leaf, or one that is not there, or adds somebody twice, or too many.
    #[error("the plan can't be done: {0}")]
    Plan(&'static str),
    /// Longer than [`crate::MAX_MESSAGE`], [`crate::MAX_ROSTER`], [`crate::MAX_CHAIN`] or [`crate::MAX_NAME`].
    #[error("too long")]
    TooLong,
    /// What was kept is not a whole group, or of a version that we don't know.
    #[error("the kept state is not a whole group")]
    State,
    /// The known answers are not the ones computed: this build or machine computes wrongly.
    #[error("this machine computes {0} wrongly")]
    KnownAnswer(&'static str),
    /// OpenMLS failed where it should not; drop the group and restore it.
    #[error("the group's library failed: {0}")]
    Library(String),
}

/// Why a record was not taken. The group is as it was before, except where [`OpenError::Library`] says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No MLS message: cut, too long, or with trailing bytes.
    #[error("no message")]
    Malformed,
    /// A message of another group.
    #[error("a message of another group")]
    WrongGroup,
    /// A message of another epoch than the group's.
    #[error("a message of epoch {0}")]
    WrongEpoch(u64),
    /// No key opens it: forged, damaged, or opened before.
    #[error("no key opens this message")]
    Undecryptable,
    /// An application message with our own leaf as its sender: our own, come back. (It can't be opened, and its sender
    /// is not proven: any member could have written it.)
    #[error("our own message")]
    OwnMessage,
    /// Our own leave, come back.
    #[error("our own leave")]
    OwnLeave,
    /// A commit with our own leaf as its sender that is not the pending one: this state was copied or rolled back, or a
    /// member has made it look so. (Its signature can't be checked: it can't be opened.)
    #[error("a commit from our own leaf that we don't know")]
    OwnCommit,
    /// A commit refused for a key package's lifetime alone: this machine's clock is wrong, or the committer's.
    #[error("a commit adds a key package whose lifetime is over or has not begun, by this machine's clock")]
    Lifetime,
    /// An external commit or proposal, a public message, or a proposal other than the sender's own leave: never allowed.
    #[error("a kind of message that is never allowed: {0}")]
    Unwelcome(&'static str),
    /// A commit that the rules of our groups, or MLS, refuse. Its committer's leaf, if its signature was good.
    #[error("a commit that must be refused: {reason}")]
    Poison {
        /// Who signed it; none if that could not be proven.
        committer: Option<u32>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// We were removed: this group opens nothing more.
    #[error("we were removed from this group")]
    Removed,
    /// OpenMLS failed where it should not; drop the group and restore it.
    #[error("the group's library failed: {0}")]
    Library(String),
}
