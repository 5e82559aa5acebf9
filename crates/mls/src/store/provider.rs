//! The trait that OpenMLS wants, method by method, over the map: nothing here decides anything.

use super::{
    CONFIG, CONTEXT, CURRENT_VERSION, EPOCH, EPOCH_PAIRS, HPKE_PAIR, INTERIM, KEY_PACKAGE, MESSAGES, OWN_INDEX,
    OWN_LEAVES, PROPOSAL, PROPOSAL_REFS, PSK, RESUMPTION, SIGNATURE_PAIR, STATE, StorageProvider, Store, StoreError,
    TAG, TREE, many, one, t,
};

type Done = Result<(), StoreError>;
type Found<T> = Result<Option<T>, StoreError>;

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

    fn write_tree<G: t::GroupId<CURRENT_VERSION>, V: t::TreeSync<CURRENT_VERSION>>(&self, _: &G, value: &V) -> Done {
        self.put(one(TREE), value)
    }
    fn tree<G: t::GroupId<CURRENT_VERSION>, V: t::TreeSync<CURRENT_VERSION>>(&self, _: &G) -> Found<V> {
        self.read(&one(TREE))
    }
    fn delete_tree<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(TREE))
    }

    fn write_interim_transcript_hash<G: t::GroupId<CURRENT_VERSION>, V: t::InterimTranscriptHash<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(INTERIM), value)
    }
    fn interim_transcript_hash<G: t::GroupId<CURRENT_VERSION>, V: t::InterimTranscriptHash<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Found<V> {
        self.read(&one(INTERIM))
    }
    fn delete_interim_transcript_hash<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(INTERIM))
    }

    fn write_context<G: t::GroupId<CURRENT_VERSION>, V: t::GroupContext<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(CONTEXT), value)
    }
    fn group_context<G: t::GroupId<CURRENT_VERSION>, V: t::GroupContext<CURRENT_VERSION>>(&self, _: &G) -> Found<V> {
        self.read(&one(CONTEXT))
    }
    fn delete_context<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(CONTEXT))
    }

    fn write_confirmation_tag<G: t::GroupId<CURRENT_VERSION>, V: t::ConfirmationTag<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(TAG), value)
    }
    fn confirmation_tag<G: t::GroupId<CURRENT_VERSION>, V: t::ConfirmationTag<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Found<V> {
        self.read(&one(TAG))
    }
    fn delete_confirmation_tag<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(TAG))
    }

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

    fn write_message_secrets<G: t::GroupId<CURRENT_VERSION>, V: t::MessageSecrets<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(MESSAGES), value)
    }
    fn message_secrets<G: t::GroupId<CURRENT_VERSION>, V: t::MessageSecrets<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Found<V> {
        self.read(&one(MESSAGES))
    }
    fn delete_message_secrets<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(MESSAGES))
    }

    fn write_resumption_psk_store<G: t::GroupId<CURRENT_VERSION>, V: t::ResumptionPskStore<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(RESUMPTION), value)
    }
    fn resumption_psk_store<G: t::GroupId<CURRENT_VERSION>, V: t::ResumptionPskStore<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Found<V> {
        self.read(&one(RESUMPTION))
    }
    fn delete_all_resumption_psk_secrets<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(RESUMPTION))
    }

    fn write_own_leaf_index<G: t::GroupId<CURRENT_VERSION>, V: t::LeafNodeIndex<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(OWN_INDEX), value)
    }
    fn own_leaf_index<G: t::GroupId<CURRENT_VERSION>, V: t::LeafNodeIndex<CURRENT_VERSION>>(&self, _: &G) -> Found<V> {
        self.read(&one(OWN_INDEX))
    }
    fn delete_own_leaf_index<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(OWN_INDEX))
    }

    fn write_group_epoch_secrets<G: t::GroupId<CURRENT_VERSION>, V: t::GroupEpochSecrets<CURRENT_VERSION>>(
        &self,
        _: &G,
        value: &V,
    ) -> Done {
        self.put(one(EPOCH), value)
    }
    fn group_epoch_secrets<G: t::GroupId<CURRENT_VERSION>, V: t::GroupEpochSecrets<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Found<V> {
        self.read(&one(EPOCH))
    }
    fn delete_group_epoch_secrets<G: t::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Done {
        self.drop_key(one(EPOCH))
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

    fn write_signature_key_pair<K: t::SignaturePublicKey<CURRENT_VERSION>, V: t::SignatureKeyPair<CURRENT_VERSION>>(
        &self,
        key: &K,
        value: &V,
    ) -> Done {
        self.put(many(SIGNATURE_PAIR, key)?, value)
    }
    fn signature_key_pair<K: t::SignaturePublicKey<CURRENT_VERSION>, V: t::SignatureKeyPair<CURRENT_VERSION>>(
        &self,
        key: &K,
    ) -> Found<V> {
        self.read(&many(SIGNATURE_PAIR, key)?)
    }
    fn delete_signature_key_pair<K: t::SignaturePublicKey<CURRENT_VERSION>>(&self, key: &K) -> Done {
        self.drop_key(many(SIGNATURE_PAIR, key)?)
    }

    fn write_encryption_key_pair<K: t::EncryptionKey<CURRENT_VERSION>, V: t::HpkeKeyPair<CURRENT_VERSION>>(
        &self,
        key: &K,
        value: &V,
    ) -> Done {
        self.put(many(HPKE_PAIR, key)?, value)
    }
    fn encryption_key_pair<V: t::HpkeKeyPair<CURRENT_VERSION>, K: t::EncryptionKey<CURRENT_VERSION>>(
        &self,
        key: &K,
    ) -> Found<V> {
        self.read(&many(HPKE_PAIR, key)?)
    }
    fn delete_encryption_key_pair<K: t::EncryptionKey<CURRENT_VERSION>>(&self, key: &K) -> Done {
        self.drop_key(many(HPKE_PAIR, key)?)
    }

    fn write_key_package<K: t::HashReference<CURRENT_VERSION>, V: t::KeyPackage<CURRENT_VERSION>>(
        &self,
        key: &K,
        value: &V,
    ) -> Done {
        self.put(many(KEY_PACKAGE, key)?, value)
    }
    fn key_package<K: t::HashReference<CURRENT_VERSION>, V: t::KeyPackage<CURRENT_VERSION>>(
        &self,
        key: &K,
    ) -> Found<V> {
        self.read(&many(KEY_PACKAGE, key)?)
    }
    fn delete_key_package<K: t::HashReference<CURRENT_VERSION>>(&self, key: &K) -> Done {
        self.drop_key(many(KEY_PACKAGE, key)?)
    }

    fn write_psk<K: t::PskId<CURRENT_VERSION>, V: t::PskBundle<CURRENT_VERSION>>(&self, key: &K, value: &V) -> Done {
        self.put(many(PSK, key)?, value)
    }
    fn psk<V: t::PskBundle<CURRENT_VERSION>, K: t::PskId<CURRENT_VERSION>>(&self, key: &K) -> Found<V> {
        self.read(&many(PSK, key)?)
    }
    fn delete_psk<K: t::PskId<CURRENT_VERSION>>(&self, key: &K) -> Done {
        self.drop_key(many(PSK, key)?)
    }
}
