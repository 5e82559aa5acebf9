//! Key packages: how a device offers itself to be added, and how others judge that.

use openmls::prelude::tls_codec::{DeserializeBytes as _, Serialize as _};
use openmls::prelude::{KeyPackage, KeyPackageBundle, KeyPackageIn, KeyPackageVerifyError, Lifetime, ProtocolVersion};
use openmls_traits::OpenMlsProvider as _;
use zeroize::Zeroizing;

use crate::crypto::Crypto;
use crate::identity::{DeviceKey, able, capabilities};
use crate::store::{Provider, decode, encode};
use crate::{MAX_KEY_PACKAGE, Me, Member, MlsError, Suite};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// From when until when a key package may be used. OpenMLS holds it against the wall clock of each member that
/// processes the Add, also when that member catches up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Milliseconds since 1970; rounded down to seconds.
    pub from_ms: u64,
    /// Milliseconds since 1970; rounded down to seconds.
    pub until_ms: u64,
}

impl Validity {
    /// From one day before now (clocks differ), 90 days long.
    #[must_use]
    pub const fn at(now_ms: u64) -> Self {
        let from_ms = now_ms.saturating_sub(DAY_MS);
        Self { from_ms, until_ms: from_ms.saturating_add(90 * DAY_MS) }
    }

    pub(crate) fn lifetime(self) -> Lifetime {
        Lifetime::init(self.from_ms / 1000, self.until_ms / 1000)
    }
}

/// A new key package of ours.
#[derive(Clone)]
pub struct NewKeyPackage {
    /// What others get.
    pub public: Vec<u8>,
    /// All that joining with it needs: one blob for the vault, kept under `reference`.
    pub secret: Zeroizing<Vec<u8>>,
    /// What a welcome names it by.
    pub reference: Vec<u8>,
}

impl core::fmt::Debug for NewKeyPackage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("NewKeyPackage(..)")
    }
}

/// What a key package says, after every check that can be made without its account's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackageView {
    /// Its suite.
    pub suite: Suite,
    /// Whose it is.
    pub member: Member,
    /// What a welcome will name it by.
    pub reference: Vec<u8>,
    /// From when it may be used.
    pub from_ms: u64,
    /// Until when it may be used.
    pub ends_at_ms: u64,
    /// Whether it may be used more than once.
    pub last_resort: bool,
}

/// Makes a key package of ours.
pub fn key_package(
    suite: Suite,
    me: &Me<'_>,
    validity: Validity,
    last_resort: bool,
) -> Result<NewKeyPackage, MlsError> {
    me.check()?;
    let provider = Provider::default();
    let builder = KeyPackage::builder()
        .key_package_lifetime(validity.lifetime())
        .leaf_node_capabilities(capabilities(suite))
        .leaf_node_extensions(me.leaf_extensions()?);
    let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
    let bundle: KeyPackageBundle = builder
        .build(suite.mls(), &provider, &DeviceKey::new(me.device_seed), me.credential())
        .map_err(|e| MlsError::Library(e.to_string()))?;
    let public = bundle.key_package().tls_serialize_detached().map_err(|_| MlsError::TooLong)?;
    let reference = bundle.key_package().hash_ref(provider.crypto()).map_err(|e| MlsError::Library(e.to_string()))?;
    Ok(NewKeyPackage { public, secret: encode(&bundle)?, reference: reference.as_slice().to_vec() })
}

/// Judges somebody's key package: signatures, lifetime (at `now_ms` and, by OpenMLS, at this machine's clock), extensions, capabilities.
pub fn inspect_key_package(bytes: &[u8], now_ms: u64) -> Result<KeyPackageView, MlsError> {
    view(&read(bytes)?, now_ms)
}

/// A key package that OpenMLS has checked.
pub(crate) fn read(bytes: &[u8]) -> Result<KeyPackage, MlsError> {
    if bytes.len() > MAX_KEY_PACKAGE {
        return Err(MlsError::Malformed);
    }
    // Version and suite stand first: a foreign suite gets its own answer even if the rest can't be read.
    if let Some(&[_, _, a, b]) = bytes.first_chunk::<4>() {
        let number = u16::from_be_bytes([a, b]);
        Suite::from_number(number).ok_or(MlsError::WrongSuite(number))?;
    }
    let incoming = KeyPackageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| MlsError::Malformed)?;
    incoming.validate(&Crypto, ProtocolVersion::Mls10).map_err(|e| match e {
        KeyPackageVerifyError::LifetimeError(_) => MlsError::Lifetime,
        KeyPackageVerifyError::UnsupportedExtension => MlsError::Invalid("extensions"),
        KeyPackageVerifyError::InvalidSignature | KeyPackageVerifyError::InvalidLeafNodeSignature => {
            MlsError::Invalid("signature")
        }
        _ => MlsError::Invalid("key package"),
    })
}

/// What a checked key package says, if it has the shape of ours.
pub(crate) fn view(package: &KeyPackage, now_ms: u64) -> Result<KeyPackageView, MlsError> {
    let suite = Suite::of(package.ciphersuite()).ok_or(MlsError::WrongSuite(package.ciphersuite().into()))?;
    let leaf = package.leaf_node();
    if !able(leaf, suite) {
        return Err(MlsError::Invalid("capabilities"));
    }
    let member = Member::of(leaf).ok_or(MlsError::Invalid("credential"))?;
    let life = package.life_time();
    let (from_ms, ends_at_ms) = (life.not_before().saturating_mul(1000), life.not_after().saturating_mul(1000));
    if now_ms < from_ms || now_ms >= ends_at_ms {
        return Err(MlsError::Lifetime);
    }
    let reference = package.hash_ref(&Crypto).map_err(|e| MlsError::Library(e.to_string()))?;
    let reference = reference.as_slice().to_vec();
    Ok(KeyPackageView { suite, member, reference, from_ms, ends_at_ms, last_resort: package.last_resort() })
}

/// Our own key package, out of the vault.
pub(crate) fn open_secret(secret: &[u8]) -> Result<KeyPackageBundle, MlsError> {
    decode(secret).ok_or(MlsError::State)
}
