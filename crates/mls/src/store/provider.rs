//! The trait that OpenMLS wants, method by method, over the map: nothing here decides anything.

use super::{
    CONFIG, CONTEXT, CURRENT_VERSION, EPOCH, EPOCH_PAIRS, HPKE_PAIR, INTERIM, KEY_PACKAGE, MESSAGES, OWN_INDEX,
    OWN_LEAVES, PROPOSAL, PROPOSAL_REFS, PSK, RESUMPTION, SIGNATURE_PAIR, STATE, StorageProvider, Store, StoreError,
    TAG, TREE, many, one, t,
};

type Done = Result<(), StoreError>;
type Found<T> = Result<Option<T>, StoreError>;

/// The three methods of each value of which a group has one: write, read, delete.
macro_rules! one_value {
    ($($key:ident: $value:ident, $write:ident, $read:ident, $delete:ident;)+) => {$(
        fn $write<G: t::GroupId<CURRENT_VERSION>, V: t::$value<CURRENT_VERSION>>(&self, _: &G, value: &V) -> Done {
            self.put(one($key), value)
        }
        fn $read<G: t::GroupId<CURRENT_VERSION>, V: t::$value<CURRENT_VERSION>>(&self, _: &G) -> Found<V> {
            self.read(&one($key))
        }
        fn $delete<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
            self.drop_key(one($key))
        }
    )+};
}

/// Writing and deleting of each kind of value of which there are many, each under a key of its own.
macro_rules! many_values {
    ($($kind:ident: $key:ident $value:ident, $write:ident, $delete:ident;)+) => {$(
        fn $write<K: t::$key<CURRENT_VERSION>, V: t::$value<CURRENT_VERSION>>(&self, key: &K, value: &V) -> Done {
            self.put(many($kind, key)?, value)
        }
        fn $delete<K: t::$key<CURRENT_VERSION>>(&self, key: &K) -> Done {
            self.drop_key(many($kind, key)?)
        }
    )+};
}

impl StorageProvider<CURRENT_VERSION> for Store {
    type Error = StoreError;

    fn write_mls_join_config<G: t::GroupId<CURRENT_VERSION>, V: t::MlsGroupJoinConfig<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put_json(one(CONFIG), value)
    }
    fn mls_group_join_config<G: t::GroupId<CURRENT_VERSION>, V: t::MlsGroupJoinConfig<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Found<V> {
        self.read_json(&one(CONFIG))
    }
    fn delete_group_config<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(CONFIG))
    }

    one_value! {
        TREE: TreeSync, write_tree, tree, delete_tree;
        INTERIM: InterimTranscriptHash, write_interim_transcript_hash, interim_transcript_hash,
            delete_interim_transcript_hash;
        CONTEXT: GroupContext, write_context, group_context, delete_context;
        TAG: ConfirmationTag, write_confirmation_tag, confirmation_tag, delete_confirmation_tag;
        MESSAGES: MessageSecrets, write_message_secrets, message_secrets, delete_message_secrets;
        RESUMPTION: ResumptionPskStore, write_resumption_psk_store, resumption_psk_store,
            delete_all_resumption_psk_secrets;
        OWN_INDEX: LeafNodeIndex, write_own_leaf_index, own_leaf_index, delete_own_leaf_index;
        EPOCH: GroupEpochSecrets, write_group_epoch_secrets, group_epoch_secrets, delete_group_epoch_secrets;
    }

    // As those above; only the trait names its types in another order.
    fn write_group_state<V: t::GroupState<CURRENT_VERSION>, G: t::GroupId<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(STATE), value)
    }
    fn group_state<V: t::GroupState<CURRENT_VERSION>, G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Found<V> {
        self.read(&one(STATE))
    }
    fn delete_group_state<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(STATE))
    }

    fn append_own_leaf_node<G: t::GroupId<CURRENT_VERSION>, V: t::LeafNode<CURRENT_VERSION>>(
        &self,
        _: &G,
        leaf: &V,
    ) -> Done {
        self.push(one(OWN_LEAVES), leaf)
    }
    fn own_leaf_nodes<G: t::GroupId<CURRENT_VERSION>, V: t::LeafNode<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<Vec<V>, StoreError> {
        self.pushed(&one(OWN_LEAVES))
    }
    fn delete_own_leaf_nodes<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(OWN_LEAVES))
    }

    fn queue_proposal<
        G: t::GroupId<CURRENT_VERSION>,
        R: t::ProposalRef<CURRENT_VERSION>,
        Q: t::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
        reference: &R,
        proposal: &Q,
    ) -> Done {
        self.put(many(PROPOSAL, reference)?, proposal)?;
        self.push(one(PROPOSAL_REFS), reference)
    }
    fn queued_proposal_refs<G: t::GroupId<CURRENT_VERSION>, R: t::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<Vec<R>, StoreError> {
        self.pushed(&one(PROPOSAL_REFS))
    }
    fn queued_proposals<
        G: t::GroupId<CURRENT_VERSION>,
        R: t::ProposalRef<CURRENT_VERSION>,
        Q: t::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
    ) -> Result<Vec<(R, Q)>, StoreError> {
        let refs: Vec<R> = self.pushed(&one(PROPOSAL_REFS))?;
        let with = |r: R| Ok((self.read(&many(PROPOSAL, &r)?)?, r));
        let found: Vec<(Option<Q>, R)> = refs.into_iter().map(with).collect::<Result<_, StoreError>>()?;
        found.into_iter().map(|(q, r)| Ok((r, q.ok_or(StoreError)?))).collect()
    }
    fn remove_proposal<G: t::GroupId<CURRENT_VERSION>, R: t::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
        reference: &R,
    ) -> Done {
        let gone = postcard::to_allocvec(reference).map_err(|_| StoreError)?;
        let mut refs: Vec<Vec<u8>> = self.list(&one(PROPOSAL_REFS))?;
        refs.retain(|r| *r != gone);
        self.put(one(PROPOSAL_REFS), &refs)?;
        self.drop_key(many(PROPOSAL, reference)?)
    }
    fn clear_proposal_queue<G: t::GroupId<CURRENT_VERSION>, R: t::ProposalRef<CURRENT_VERSION>>(&self, _: &G) -> Done {
        for reference in self.pushed::<R>(&one(PROPOSAL_REFS))? {
            self.drop_key(many(PROPOSAL, &reference)?)?;
        }
        self.drop_key(one(PROPOSAL_REFS))
    }

    fn write_encryption_epoch_key_pairs<
        G: t::GroupId<CURRENT_VERSION>,
        E: t::EpochKey<CURRENT_VERSION>,
        P: t::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[P],
    ) -> Done {
        self.put(many(EPOCH_PAIRS, &(epoch, leaf))?, &pairs)
    }
    fn encryption_epoch_key_pairs<
        G: t::GroupId<CURRENT_VERSION>,
        E: t::EpochKey<CURRENT_VERSION>,
        P: t::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<P>, StoreError> {
        self.list(&many(EPOCH_PAIRS, &(epoch, leaf))?)
    }
    fn delete_encryption_epoch_key_pairs<G: t::GroupId<CURRENT_VERSION>, E: t::EpochKey<CURRENT_VERSION>>(
        &self,
        _: &G,
        epoch: &E,
        leaf: u32,
    ) -> Done {
        self.drop_key(many(EPOCH_PAIRS, &(epoch, leaf))?)
    }

    many_values! {
        SIGNATURE_PAIR: SignaturePublicKey SignatureKeyPair, write_signature_key_pair, delete_signature_key_pair;
        HPKE_PAIR: EncryptionKey HpkeKeyPair, write_encryption_key_pair, delete_encryption_key_pair;
        KEY_PACKAGE: HashReference KeyPackage, write_key_package, delete_key_package;
        PSK: PskId PskBundle, write_psk, delete_psk;
    }

    // Reading is apart: the trait names the types now in one order, now in the other.
    fn signature_key_pair<K: t::SignaturePublicKey<CURRENT_VERSION>, V: t::SignatureKeyPair<CURRENT_VERSION>>(
        &self,
        key: &K,
    ) -> Found<V> {
        self.read(&many(SIGNATURE_PAIR, key)?)
    }
    fn encryption_key_pair<V: t::HpkeKeyPair<CURRENT_VERSION>, K: t::EncryptionKey<CURRENT_VERSION>>(
        &self,
        key: &K,
    ) -> Found<V> {
        self.read(&many(HPKE_PAIR, key)?)
    }
    fn key_package<K: t::HashReference<CURRENT_VERSION>, V: t::KeyPackage<CURRENT_VERSION>>(
        &self,
        key: &K,
    ) -> Found<V> {
        self.read(&many(KEY_PACKAGE, key)?)
    }
    fn psk<V: t::PskBundle<CURRENT_VERSION>, K: t::PskId<CURRENT_VERSION>>(&self, key: &K) -> Found<V> {
        self.read(&many(PSK, key)?)
    }
}
