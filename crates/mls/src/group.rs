//! The group: made, restored, asked, and used to encrypt.

use core::fmt;

use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{
    CreateMessageError, Extension, Extensions, GroupContext, GroupId, LeafNodeIndex, MlsGroup, MlsGroupCreateConfig,
    MlsGroupJoinConfig, MlsGroupStateError, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, SenderRatchetConfiguration,
    UnknownExtension,
};
use zeroize::Zeroizing;

use crate::identity::{DeviceKey, capabilities, required};
use crate::store::{Change, META, PENDING, Provider, Store, decode, encode};
use crate::{Leaf, MAX_MESSAGE, MAX_ROSTER, Me, Member, MlsError, PADDING, ROSTER_EXTENSION, Suite, Validity, rules};

/// How kept states are encoded; OpenMLS 0.9's types in postcard.
const STATE_VERSION: u8 = 1;
/// How many messages of one sender may be missing before one that still opens. A letter that the relay withholds must
/// not lock out its sender; noticing the gap is the transcript's work.
const MAX_FORWARD: u32 = 1000;
/// How far messages of one sender may come out of order. A log is in order, but a sender has several appends unanswered,
/// and one that was refused for now goes in after the others. Keys passed over are kept so long, and no longer.
const OUT_OF_ORDER: u32 = 128;

/// Bytes of a SHA-256.
const HASH: usize = 32;

/// One device's part in one group. See the crate's first page for the order of calls.
pub struct Group {
    pub(crate) provider: Provider,
    pub(crate) mls: MlsGroup,
    pub(crate) key: DeviceKey,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

impl Group {
    /// A new group with one leaf, ours, at epoch 0.
    pub fn create(suite: Suite, me: &Me<'_>, validity: Validity, roster: &[u8]) -> Result<Self, MlsError> {
        me.check()?;
        let provider = Provider::default();
        let key = DeviceKey::new(me.device_seed);
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(suite.mls())
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .padding_size(padding())
            .max_past_epochs(0)
            .number_of_resumption_psks(0)
            .use_ratchet_tree_extension(true)
            .sender_ratchet_configuration(ratchets())
            .lifetime(validity.lifetime())
            .capabilities(capabilities(suite))
            .with_group_context_extensions(context(roster)?)
            .with_leaf_node_extensions(me.leaf_extensions()?)
            .map_err(library)?
            .build();
        let mls = MlsGroup::new(&provider, &key, &config, me.credential()).map_err(library)?;
        Self::adopt(provider, mls, key)
    }

    /// Takes a group whose whole state is in its provider's map and has never been kept.
    pub(crate) fn adopt(provider: Provider, mls: MlsGroup, key: DeviceKey) -> Result<Self, MlsError> {
        provider.store.set(vec![META], Some(encode(&(STATE_VERSION, mls.group_id().as_slice()))?));
        provider.store.mark_all_changed();
        Ok(Self { provider, mls, key })
    }

    /// The group that was kept: every entry that [`Group::take_changes`] ever handed out, each at its newest value.
    pub fn restore(
        entries: impl IntoIterator<Item = (Vec<u8>, Zeroizing<Vec<u8>>)>,
        device_seed: &[u8; 32],
    ) -> Result<Self, MlsError> {
        let provider = Provider { store: Store::of(entries), ..Provider::default() };
        let mls = load(&provider.store)?;
        let key = DeviceKey::new(device_seed);
        let ours = mls.own_leaf_node().is_none_or(|leaf| leaf.signature_key().as_slice() == key.public());
        if ours { Ok(Self { provider, mls, key }) } else { Err(MlsError::State) }
    }

    /// What changed since the last time: to be kept in one transaction, before anything leaves the device.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.provider.store.take_changes()
    }

    /// The group's random id: in each message, so that one of another group is told apart.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        self.mls.group_id().as_slice()
    }

    /// Its suite.
    #[must_use]
    pub fn suite(&self) -> Suite {
        // A group of another suite is neither made, joined nor restored.
        Suite::of(self.mls.ciphersuite()).unwrap_or(Suite::XWing)
    }

    /// Its epoch: that of the last commit merged.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// Whether we are still in it.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.mls.is_active()
    }

    /// The roster, as the group context has it.
    #[must_use]
    pub fn roster(&self) -> &[u8] {
        self.mls.extensions().unknown(ROSTER_EXTENSION).map_or(&[], |e| &e.0)
    }

    /// All leaves, by index.
    #[must_use]
    pub fn leaves(&self) -> Vec<Leaf> {
        let leaf = |(index, node): (LeafNodeIndex, _)| Some(Leaf { index: index.u32(), member: Member::of(node)? });
        self.mls.treesync().full_leaves().filter_map(leaf).collect()
    }

    /// The leaf at an index.
    #[must_use]
    pub fn leaf(&self, index: u32) -> Option<Leaf> {
        let node = self.mls.public_group().leaf(LeafNodeIndex::new(index))?;
        Some(Leaf { index, member: Member::of(node)? })
    }

    /// Our own leaf's index.
    #[must_use]
    pub fn own_index(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// The epoch authenticator: equal for all who agree on the whole history of the group.
    #[must_use]
    pub fn authenticator(&self) -> Vec<u8> {
        self.mls.epoch_authenticator().as_slice().to_vec()
    }

    /// A secret of this epoch for one purpose (RFC 9420 §8.5, empty context).
    pub fn export(&self, label: &str, length: usize) -> Result<Zeroizing<Vec<u8>>, MlsError> {
        self.active()?;
        self.mls.export_secret(&self.provider.crypto, label, &[], length).map(Zeroizing::new).map_err(library)
    }

    /// Seals an application message in this epoch. Its ratchet key is used up: keep the changes first, then send. Refused
    /// while a leave stands ([`Group::standing_leaves`]); allowed while our own commit is pending.
    pub fn encrypt(&mut self, bytes: &[u8]) -> Result<Vec<u8>, MlsError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(MlsError::TooLong);
        }
        if estoile_wire::weak::is("unsealed") {
            return Ok(bytes.to_vec());
        }
        let message = self.mls.create_message(&self.provider, &self.key, bytes).map_err(|e| match e {
            CreateMessageError::GroupStateError(MlsGroupStateError::PendingProposal) => MlsError::LeaveStands,
            CreateMessageError::GroupStateError(MlsGroupStateError::UseAfterEviction) => MlsError::Removed,
            e => library(e),
        })?;
        message.tls_serialize_detached().map_err(|_| MlsError::TooLong)
    }

    pub(crate) fn active(&self) -> Result<(), MlsError> {
        if self.mls.is_active() { Ok(()) } else { Err(MlsError::Removed) }
    }

    /// SHA-256 of the pending commit, if one is pending.
    pub(crate) fn pending_hash(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut kept = self.provider.store.get(&[PENDING])?;
        kept.truncate(HASH);
        Some(kept)
    }

    /// The pending commit's sender trace, if one is pending and it was kept with it.
    pub(crate) fn pending_trace(&self) -> Option<[u8; HASH]> {
        self.provider.store.get(&[PENDING])?.get(HASH..)?.try_into().ok()
    }

    /// Puts one entry back and builds the group anew from the map.
    pub(crate) fn put_back(&mut self, key: u8, value: Option<Zeroizing<Vec<u8>>>) -> Result<(), MlsError> {
        self.provider.store.set(vec![key], value);
        self.mls = load(&self.provider.store)?;
        Ok(())
    }
}

fn load(store: &Store) -> Result<MlsGroup, MlsError> {
    let meta = store.get(&[META]).ok_or(MlsError::State)?;
    let (version, id): (u8, Vec<u8>) = decode(&meta).ok_or(MlsError::State)?;
    if version != STATE_VERSION {
        return Err(MlsError::State);
    }
    let mls = MlsGroup::load(store, &GroupId::from_slice(&id)).map_err(|_| MlsError::State)?.ok_or(MlsError::State)?;
    let whole = Suite::of(mls.ciphersuite()).is_some() && rules::context(mls.extensions()).is_some();
    if whole { Ok(mls) } else { Err(MlsError::State) }
}

/// How a joiner runs its part: the same as the founder.
pub(crate) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(padding())
        .max_past_epochs(0)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(ratchets())
        .build()
}

/// Bytes to whose multiples messages are padded.
fn padding() -> usize {
    if estoile_wire::weak::is("padding") { 0 } else { PADDING }
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(OUT_OF_ORDER, MAX_FORWARD)
}

/// The group context's extensions: what every leaf must be able to do, and the roster.
pub(crate) fn context(roster: &[u8]) -> Result<Extensions<GroupContext>, MlsError> {
    if roster.len() > MAX_ROSTER {
        return Err(MlsError::TooLong);
    }
    let roster = Extension::Unknown(ROSTER_EXTENSION, UnknownExtension(roster.to_vec()));
    Extensions::from_vec(vec![Extension::RequiredCapabilities(required()), roster]).map_err(library)
}

pub(crate) fn library(error: impl fmt::Display) -> MlsError {
    MlsError::Library(error.to_string())
}
