//! One private room's group as this device has it: keys, roster, the commit under way, wishes, the schedule of fresh keys.
//!
//! It knows no frames, sessions or timelines: a room hands in the bodies of its log's records with the time, and gets to know
//! what they were and what to append next. The log's order decides everything: a commit is merged when the log gives it back,
//! dropped when another of its epoch stands there instead; acknowledgements and refusals decide nothing.

mod moves;
mod stored;

use std::sync::Arc;

use estoile_seal::SenderKey;
use estoile_seal::letter::Written;
use estoile_seal::views::View;
use estoile_wire::{Cursor, Id16, LogId, Millis, PublicKey};
use zeroize::Zeroizing;

use crate::command::CommandError;
use crate::out::Cx;
use crate::turn::{BlobError, CommandId};
use crate::view::{MemberView, PrivateView, Role, RoomId, RoomLinkView};

pub(crate) use moves::{Move, MoveError};

/// An account's id.
pub(crate) type AccountId = [u8; 32];

/// This device as it enters groups; the account part gives it.
#[derive(Clone)]
pub(crate) struct Me {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) device: SenderKey,
    pub(crate) chain: Vec<u8>,
}

impl core::fmt::Debug for Me {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Me(..)")
    }
}

/// How a group is made.
#[derive(Clone, Debug)]
pub(crate) struct Founding {
    pub(crate) room: RoomId,
    pub(crate) name: String,
    /// Suite 0x0001 instead of 0x004E.
    pub(crate) classic: bool,
    /// Seconds that the log's records may live: the log must be made with the same.
    pub(crate) max_ttl: u64,
}

/// What a Welcome must lead to: the letter that brought it says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) room: RoomId,
    pub(crate) log: LogId,
    /// Who signed that letter.
    pub(crate) by: AccountId,
}

/// Why a Welcome was not taken, in a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    /// Its key package is none that this vault holds (any more).
    #[error("the invitation is for a key that this device does not have (any more); ask for another one")]
    NotForUs,
    /// It does not lead to what the letter said, or the inviter had no right, or somebody in it is not who they say.
    #[error("the invitation was refused: {0}; ask the inviter what happened")]
    Refused(String),
}

/// A record of the room's log.
#[derive(Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) cursor: Cursor,
    pub(crate) epoch: u64,
    /// The relay's time.
    pub(crate) time: Millis,
    /// The record is a commit, and the next epoch's access key is this.
    pub(crate) advance: Option<PublicKey>,
}

impl core::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Incoming({} bytes)", self.body.len())
    }
}

/// A blob's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobRef {
    pub(crate) hash: [u8; 32],
    pub(crate) size: u64,
}

/// What a record was.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A letter by a member's device: the packet inside, for [`estoile_seal::letter::Written::from_private_bytes`].
    Letter { sender: PublicKey, account: AccountId, packet: Zeroizing<Vec<u8>> },
    /// A letter of our own: SHA-256 of the record's body. Whoever seals knows it, or calls [`Private::copied`].
    Ours([u8; 32]),
    /// Nothing to be done: a wish to leave, an old commit read again, something refused and told.
    Nothing,
    /// A commit was merged: the log stands in [`Private::epoch`] now, and opens with [`Private::access`].
    Merged,
    /// The commit lies in this blob: get it and call [`Private::blob_got`]; nothing of this log is read until then.
    Fetch(BlobRef),
    /// The commit can't be judged now (told): nothing of this log is read until [`Private::due`] says otherwise.
    Waiting,
    /// We are out: removed, or left. Told; also [`News::Gone`].
    Gone,
    /// The room can't go on, and this is why (told too).
    Stopped(String),
}

/// What is to be appended. The same again until the log has decided.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) id16: Id16,
    pub(crate) epoch: u64,
    /// The next epoch's access key; none: a wish to leave, which is no commit.
    pub(crate) advance: Option<PublicKey>,
    pub(crate) body: Arc<[u8]>,
    /// To be put at the relay first, for as long as the log keeps records.
    pub(crate) blob: Option<([u8; 32], Arc<[u8]>)>,
}

impl core::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Outgoing({} bytes)", self.body.len())
    }
}

/// A change of the group that somebody here wants. Kept until it is merged or impossible; survives lost races.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Adds an account's devices (their key packages); a device that has a leaf already gets a new one in its place.
    Add { account: AccountId, packages: Vec<Vec<u8>>, role: Role, via: Option<[u8; 8]>, token: u64 },
    /// Removes a member with all devices.
    RemoveAccount(AccountId),
    /// Removes devices: our own account's, or those that their account's chain has removed.
    RemoveDevices(Vec<PublicKey>),
    SetRole { account: AccountId, role: Role },
    Rename(String),
    AddLink { id: [u8; 8], role: Role, uses: Option<u32>, expires: Option<Millis> },
    /// One link, or all.
    RevokeLink(Option<[u8; 8]>),
    /// Fresh keys for this device.
    Refresh,
    /// Our chain or name has changed: it stands in our leaf.
    Chain,
    /// We want to be removed.
    Leave,
}

/// What the account part must do after a turn.
#[derive(Debug)]
pub(crate) enum News {
    /// The Add with this token is merged: this is for the added.
    Welcome { token: u64, welcome: Arc<[u8]>, cursor: Cursor, epoch: u64 },
    /// The Add with this token can't be done, and why.
    AddFailed { token: u64, why: String },
    /// A leaf showed this chain and name.
    Chain { account: AccountId, name: String, chain: Vec<u8> },
    /// The door's keys are others now, or we may answer knocks now, or no more.
    Door,
    /// We are no member any more.
    Gone,
    /// Another commit is wanted for a wish that was not asked for here (a removed device of somebody, a leave).
    Moved,
}

/// What a vault has kept of a group: name suffixes and values, all of [`crate::names::Tag::Group`] and the two beside it.
#[derive(Debug, Default)]
pub(crate) struct KeptGroup {
    pub(crate) journal: Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    pub(crate) state: Option<Zeroizing<Vec<u8>>>,
    pub(crate) pending: Option<Zeroizing<Vec<u8>>>,
}

/// One private room's group.
pub(crate) struct Private {
    room: RoomId,
    me: Me,
}

impl core::fmt::Debug for Private {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Private(..)")
    }
}

impl Private {
    /// A group of one at epoch 0, and its log's first access key.
    pub(crate) fn found(me: &Me, founding: &Founding, cx: &mut Cx<'_>) -> Result<Self, CommandError> {
        let _ = (founding.classic, &founding.name, founding.max_ttl, &cx.now);
        Ok(Self { room: founding.room, me: me.clone() })
    }

    /// Opens a Welcome and judges the group in it: the letter's log, the inviter's right, every leaf's chain. With it comes
    /// the reference of the key package that was used, if it must be deleted in the same turn.
    pub(crate) fn join(
        me: &Me,
        welcome: &[u8],
        secrets: &mut dyn FnMut(&[u8]) -> Option<Zeroizing<Vec<u8>>>,
        expected: &Expected,
        cx: &mut Cx<'_>,
    ) -> Result<(Self, Option<Vec<u8>>), JoinError> {
        let _ = (welcome, secrets(&[]), expected.log, expected.by, &cx.now);
        Ok((Self { room: expected.room, me: me.clone() }, None))
    }

    /// The group as the vault has it; none if that can't be read.
    pub(crate) fn restore(room: RoomId, kept: KeptGroup) -> Option<Self> {
        let _ = (room, kept.journal, kept.state?, kept.pending);
        None
    }

    /// Writes down what changed. At the end of each turn in which anything here was called.
    pub(crate) fn flush(&mut self, cx: &mut Cx<'_>) {
        let _ = (self.room, &cx.now);
    }

    /// This device, as it is in the group.
    pub(crate) fn me(&self) -> &Me {
        &self.me
    }

    /// The room's log.
    pub(crate) fn log(&self) -> LogId {
        LogId([0; 32])
    }

    /// The epoch of the group, which is the log's as far as we have read.
    pub(crate) fn epoch(&self) -> u64 {
        0
    }

    /// The access key of this epoch: what attaches; of epoch 0, what creates the log.
    pub(crate) fn access(&self) -> SenderKey {
        self.me.device.clone()
    }

    /// Under which signals are sealed in this epoch.
    pub(crate) fn signal_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new([0; 32])
    }

    /// Whose device this is, if it has a leaf now.
    pub(crate) fn account_of(&self, device: &PublicKey) -> Option<AccountId> {
        (*device == self.me.device.public()).then_some(self.me.account)
    }

    /// The name in a device's leaf.
    pub(crate) fn name_of(&self, account: &AccountId) -> Option<String> {
        (*account == self.me.account).then(|| self.me.name.clone())
    }

    /// The accounts in the room.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        vec![self.me.account]
    }

    /// The room's name.
    pub(crate) fn name(&self) -> &str {
        &self.me.name
    }

    /// The members, as faces see them (`last_heard` is the room's to fill in).
    pub(crate) fn members(&self, cx: &crate::book::Book) -> Vec<MemberView> {
        let _ = cx;
        Vec::new()
    }

    /// The room's links.
    pub(crate) fn links(&self) -> Vec<RoomLinkView> {
        Vec::new()
    }

    /// What the room is beyond a room.
    pub(crate) fn view(&self, book: &crate::book::Book) -> PrivateView {
        let _ = book;
        PrivateView {
            role: None,
            members: 0,
            devices: 0,
            epoch: 0,
            post_quantum: true,
            waiting: false,
            verified: false,
        }
    }

    /// What an account may do here.
    pub(crate) fn role_of(&self, account: &AccountId) -> Option<Role> {
        let _ = account;
        None
    }

    /// Letters can be sealed now: no commit is under way and nobody's leave stands.
    pub(crate) fn can_seal(&self) -> bool {
        true
    }

    /// Seals a letter in this epoch: the record's body. Its hash is what [`Taken::Ours`] will say.
    pub(crate) fn seal(&mut self, written: &Written, cx: &mut Cx<'_>) -> Option<Vec<u8>> {
        let _ = (written, &cx.now);
        None
    }

    /// A record of the log, in the log's order.
    pub(crate) fn take(&mut self, record: &Incoming<'_>, cx: &mut Cx<'_>) -> Taken {
        let _ = (record, &cx.now);
        Taken::Nothing
    }

    /// The blob of [`Taken::Fetch`] came, or not.
    pub(crate) fn blob_got(&mut self, hash: &[u8; 32], result: Result<Vec<u8>, BlobError>, cx: &mut Cx<'_>) -> Taken {
        let _ = (hash, result, &cx.now);
        Taken::Nothing
    }

    /// A record of our own device that this vault never wrote: stopped, and told; the same sentence again.
    pub(crate) fn copied(&mut self, cx: &mut Cx<'_>) -> String {
        let _ = &cx.now;
        String::new()
    }

    /// What is due by time: held records are tried again. Call it when [`Self::next_timeout`] has come, and after a restart.
    pub(crate) fn due(&mut self, cx: &mut Cx<'_>) -> Taken {
        let _ = &cx.now;
        Taken::Nothing
    }

    /// When [`Self::due`] or [`Self::commit_to_send`] has something to do; `online`: the room is attached and has read all.
    pub(crate) fn next_timeout(&self, online: bool) -> Option<Millis> {
        let _ = online;
        None
    }

    /// A commit is wanted. It is kept; `answer` is answered when it is merged or when it turns out impossible.
    pub(crate) fn want(&mut self, intent: Intent, answer: Option<CommandId>, cx: &mut Cx<'_>) {
        let _ = (intent, answer, &cx.now);
    }

    /// What is to be appended now, if anything: only while the room is attached and has read all. The same until the log has
    /// decided.
    pub(crate) fn commit_to_send(&mut self, cx: &mut Cx<'_>) -> Option<Outgoing> {
        let _ = &cx.now;
        None
    }

    /// What the account part must do; empties it.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        Vec::new()
    }

    /// The account's chain or name is another now.
    pub(crate) fn set_me(&mut self, me: Me, cx: &mut Cx<'_>) {
        self.me = me;
        let _ = &cx.now;
    }

    /// A longer chain of somebody was seen (anywhere) that removes these devices: they leave this room too.
    pub(crate) fn devices_removed(&mut self, account: &AccountId, removed: &[PublicKey], cx: &mut Cx<'_>) {
        let _ = (account, removed, &cx.now);
    }

    /// Why the room can't go on.
    pub(crate) fn stopped(&self) -> Option<&str> {
        None
    }

    /// What we see of this room, to be said in other places.
    pub(crate) fn sight(&self) -> Option<View> {
        None
    }

    /// Views that somebody said elsewhere: if one is of this room and another group, the room stops, and this is why.
    pub(crate) fn compare(&mut self, views: &[View], by: &AccountId, cx: &mut Cx<'_>) -> Option<String> {
        let _ = (views, by, &cx.now);
        None
    }

    /// The same people less some in a new group, and what to announce on this room's door. For owners and admins of the last
    /// good epoch.
    pub(crate) fn begin_move(
        &mut self,
        founding: &Founding,
        without: &[AccountId],
        relay: &str,
        cx: &mut Cx<'_>,
    ) -> Result<(Self, Vec<u8>), CommandError> {
        let _ = (without, relay);
        Ok((Self::found(&self.me, founding, cx)?, Vec::new()))
    }

    /// Judges an announcement that stood on this room's door.
    pub(crate) fn check_move(&self, announcement: &[u8]) -> Result<Move, MoveError> {
        moves::read(announcement)
    }

    /// Who was promised a place with which role when the room moved here: their knock is answered.
    pub(crate) fn expects(&self, account: &AccountId) -> Option<Role> {
        let _ = account;
        None
    }
}
