//! Who a leaf is: credential, device key, chain; ours to sign with, and others' as the tree says.

use ed25519_dalek::{Signer as _, SigningKey};
use estoile_wire::PublicKey;
use minicbor::{Decoder, Encoder};
use openmls::prelude::{
    BasicCredential, Capabilities, Credential, CredentialType, CredentialWithKey, Extension, ExtensionType, Extensions,
    LeafNode, RequiredCapabilitiesExtension, SignatureScheme, UnknownExtension,
};
use openmls_traits::signatures::{Signer, SignerError};
use zeroize::Zeroizing;

use crate::{CHAIN_EXTENSION, MAX_CHAIN, MAX_NAME, MlsError, ROSTER_EXTENSION, Suite};

/// This device, as it enters a group. Its key is an Ed25519 key and the MLS signature key of all its leaves.
#[derive(Clone, Copy)]
pub struct Me<'a> {
    /// The account's id.
    pub account: [u8; 32],
    /// The account's name, as others see it.
    pub name: &'a str,
    /// The seed of the device's Ed25519 key.
    pub device_seed: &'a [u8; 32],
    /// The account's chain, opaque here.
    pub chain: &'a [u8],
}

impl core::fmt::Debug for Me<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Me(..)")
    }
}

/// Somebody's device as its leaf or key package says. Signed by that device; **not** checked against the chain: the
/// caller does that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The account that it claims.
    pub account: [u8; 32],
    /// The name that it claims.
    pub name: String,
    /// The device's Ed25519 key.
    pub device: PublicKey,
    /// The chain that it shows.
    pub chain: Vec<u8>,
}

/// A leaf of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its index; it stays with the device until the device is removed, then goes to another.
    pub index: u32,
    /// Whose it is.
    pub member: Member,
}

impl Me<'_> {
    pub(crate) fn check(&self) -> Result<(), MlsError> {
        let fits = self.name.len() <= MAX_NAME && self.chain.len() <= MAX_CHAIN;
        if fits { Ok(()) } else { Err(MlsError::TooLong) }
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        let mut e = Encoder::new(Vec::new());
        // Writing into a Vec can't fail.
        let _ = e.array(2).and_then(|e| e.bytes(&self.account)).and_then(|e| e.str(self.name));
        CredentialWithKey {
            credential: BasicCredential::new(e.into_writer()).into(),
            signature_key: DeviceKey::new(self.device_seed).public().as_slice().into(),
        }
    }

    pub(crate) fn leaf_extensions(&self) -> Result<Extensions<LeafNode>, MlsError> {
        Extensions::single(Extension::Unknown(CHAIN_EXTENSION, UnknownExtension(self.chain.to_vec())))
            .map_err(|_| MlsError::Invalid("leaf extensions"))
    }
}

impl Member {
    /// What a leaf says, if it has the shape of ours.
    pub(crate) fn of(leaf: &LeafNode) -> Option<Self> {
        let device: [u8; 32] = leaf.signature_key().as_slice().try_into().ok()?;
        let (account, name) = read_credential(leaf.credential())?;
        let chain = &leaf.extensions().unknown(CHAIN_EXTENSION)?.0;
        (chain.len() <= MAX_CHAIN).then(|| Self { account, name, device: PublicKey(device), chain: chain.clone() })
    }
}

/// Account and name: CBOR `[bytes .size 32, text]`, written as we write it and in no other way.
fn read_credential(credential: &Credential) -> Option<([u8; 32], String)> {
    let bytes = credential.serialized_content();
    if credential.credential_type() != CredentialType::Basic || bytes.len() > MAX_NAME + 64 {
        return None;
    }
    let mut d = Decoder::new(bytes);
    (d.array().ok()? == Some(2)).then_some(())?;
    let account: [u8; 32] = d.bytes().ok()?.try_into().ok()?;
    let name = d.str().ok()?.to_owned();
    let me = Me { account, name: &name, device_seed: &[0; 32], chain: &[] };
    let same = me.credential().credential.serialized_content() == bytes;
    (same && name.len() <= MAX_NAME).then_some((account, name))
}

/// What every leaf of ours says that it can do: the one suite, our two extensions, no proposals beyond MLS's own.
pub(crate) fn capabilities(suite: Suite) -> Capabilities {
    Capabilities::new(
        None,
        Some(&[suite.mls()]),
        Some(&[
            ExtensionType::LastResort,
            ExtensionType::Unknown(CHAIN_EXTENSION),
            ExtensionType::Unknown(ROSTER_EXTENSION),
        ]),
        None,
        Some(&[CredentialType::Basic]),
    )
}

/// Whether a leaf can do what ours must; that it can do more is its own matter (a later version of us may).
pub(crate) fn able(leaf: &LeafNode, suite: Suite) -> bool {
    let required = required();
    required.extension_types().iter().all(|e| leaf.capabilities().extensions().contains(e))
        && leaf.capabilities().ciphersuites().contains(&suite.mls().into())
}

/// What the group context of every group of ours requires.
pub(crate) fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(CHAIN_EXTENSION), ExtensionType::Unknown(ROSTER_EXTENSION)],
        &[],
        &[CredentialType::Basic],
    )
}

/// The device's key, as OpenMLS signs with it.
#[derive(Clone)]
pub(crate) struct DeviceKey(Zeroizing<[u8; 32]>);

impl DeviceKey {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*seed))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        SigningKey::from_bytes(&self.0).verifying_key().to_bytes()
    }
}

impl Signer for DeviceKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(SigningKey::from_bytes(&self.0).sign(payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
