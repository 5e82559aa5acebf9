//! A member that runs bare OpenMLS, with any provider, and so can do what our crate never does.

use ed25519_dalek::{Signer as _, SigningKey};
use estoile_mls::{CHAIN_EXTENSION, Group, ROSTER_EXTENSION, Suite};
use minicbor::Encoder;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use openmls_traits::signatures::{Signer, SignerError};

use crate::people::{Person, adding, all_take, now};

pub(crate) struct Key(pub(crate) [u8; 32]);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(SigningKey::from_bytes(&self.0).sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

pub(crate) struct Raw<P: OpenMlsProvider> {
    pub(crate) provider: P,
    pub(crate) key: Key,
    pub(crate) group: MlsGroup,
}

pub(crate) fn suite(suite: Suite) -> Ciphersuite {
    Ciphersuite::try_from(suite.number()).unwrap()
}

pub(crate) fn credential(person: &Person) -> CredentialWithKey {
    let mut e = Encoder::new(vec![]);
    e.array(2).unwrap().bytes(&person.account()).unwrap().str(&person.name).unwrap();
    CredentialWithKey {
        credential: BasicCredential::new(e.into_writer()).into(),
        signature_key: SigningKey::from_bytes(&person.seed).verifying_key().to_bytes().as_slice().into(),
    }
}

pub(crate) fn capabilities(of: Suite) -> Capabilities {
    let ours = [ExtensionType::Unknown(CHAIN_EXTENSION), ExtensionType::Unknown(ROSTER_EXTENSION)];
    let extensions = [&[ExtensionType::LastResort][..], &ours].concat();
    Capabilities::new(None, Some(&[suite(of)]), Some(&extensions), None, Some(&[CredentialType::Basic]))
}

/// A key package as our crate makes it; `until_ms` and the chain can be what they should not.
pub(crate) fn package<P: OpenMlsProvider>(
    provider: &P,
    person: &Person,
    of: Suite,
    until_ms: u64,
    chain: Option<&[u8]>,
) -> KeyPackage {
    let chain = chain.map(|c| Extension::Unknown(CHAIN_EXTENSION, UnknownExtension(c.to_vec())));
    KeyPackage::builder()
        .key_package_lifetime(Lifetime::init(now() / 1000 - 3600, until_ms / 1000))
        .leaf_node_capabilities(capabilities(of))
        .leaf_node_extensions(Extensions::from_vec(chain.into_iter().collect()).unwrap())
        .build(suite(of), provider, &Key(person.seed), credential(person))
        .unwrap()
        .key_package()
        .clone()
}

pub(crate) fn bytes(message: &impl tls_codec::Serialize) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

impl<P: OpenMlsProvider> Raw<P> {
    /// Bare OpenMLS, added to a group of ours by `groups[0]`; `policy` is how it writes.
    pub(crate) fn joins(
        provider: P,
        person: &Person,
        of: Suite,
        groups: &mut [Group],
        policy: WireFormatPolicy,
    ) -> Self {
        let offer = package(&provider, person, of, now() + 1_000_000_000, Some(&person.chain));
        let mut plan = adding(&[]);
        plan.adds = vec![bytes(&offer)];
        let pending = groups[0].commit(plan).unwrap();
        all_take(groups, 0, &pending);
        let config = MlsGroupJoinConfig::builder().wire_format_policy(policy).use_ratchet_tree_extension(true).build();
        let welcome = MlsMessageIn::tls_deserialize_exact(pending.welcome.unwrap()).unwrap();
        let MlsMessageBodyIn::Welcome(welcome) = welcome.extract() else { panic!() };
        let staged = StagedWelcome::new_from_welcome(&provider, &config, welcome, None).unwrap();
        let group = staged.into_group(&provider).unwrap();
        Self { provider, key: Key(person.seed), group }
    }

    /// A commit of its own, merged at once.
    pub(crate) fn commit(&mut self, adds: Vec<KeyPackage>, path: bool) -> Vec<u8> {
        let bundle = self
            .group
            .commit_builder()
            .force_self_update(path)
            .propose_adds(adds)
            .load_psks(self.provider.storage())
            .unwrap()
            .build(self.provider.rand(), self.provider.crypto(), &self.key, |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        let commit = bytes(bundle.commit());
        self.group.merge_pending_commit(&self.provider).unwrap();
        commit
    }

    pub(crate) fn write(&mut self, text: &[u8]) -> Vec<u8> {
        bytes(&self.group.create_message(&self.provider, &self.key, text).unwrap())
    }

    /// Takes a commit, or gives back a letter.
    pub(crate) fn read(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        let message = MlsMessageIn::tls_deserialize_exact(sealed).unwrap().try_into_protocol_message().unwrap();
        match self.group.process_message(&self.provider, message).unwrap().into_content() {
            ProcessedMessageContent::ApplicationMessage(a) => Some(a.into_bytes()),
            ProcessedMessageContent::StagedCommitMessage(c) => {
                self.group.merge_staged_commit(&self.provider, *c).unwrap();
                None
            }
            other => panic!("{other:?}"),
        }
    }
}
