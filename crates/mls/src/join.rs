//! Joining by a welcome: first looked at, then taken.

use core::fmt;

use openmls::prelude::tls_codec::DeserializeBytes as _;
use openmls::prelude::{MlsMessageBodyIn, MlsMessageIn, StagedWelcome, Welcome, WelcomeError};
use zeroize::Zeroizing;

use crate::group::{join_config, library};
use crate::identity::DeviceKey;
use crate::store::{Provider, encode, key_package_key};
use crate::{Group, MAX_MESSAGE, MlsError, Suite, key_package, rules};

/// Finds what was kept under a key package's reference ([`crate::NewKeyPackage::secret`]).
pub type Finder<'a> = &'a mut dyn FnMut(&[u8]) -> Option<Zeroizing<Vec<u8>>>;

/// A group that a welcome lets us into. Nothing is kept yet: dropping it declines, and the key package stays good.
pub struct Joining {
    group: Group,
    adder: u32,
    reference: Vec<u8>,
    last_resort: bool,
}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Joining(..)")
    }
}

impl Joining {
    /// The group as it would be: its leaves, roster, epoch and secrets. What is encrypted with it must never be sent.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The leaf that added us: it signed the group's state.
    #[must_use]
    pub fn adder(&self) -> u32 {
        self.adder
    }

    /// Which key package was used. It can open this welcome again: delete it in the transaction that keeps the group,
    /// unless it is a [last resort](Joining::last_resort).
    #[must_use]
    pub fn reference(&self) -> &[u8] {
        &self.reference
    }

    /// Whether that key package may be used again.
    #[must_use]
    pub fn last_resort(&self) -> bool {
        self.last_resort
    }

    /// Joins. The whole state is in the next [`Group::take_changes`].
    #[must_use]
    pub fn into_group(self) -> Group {
        self.group
    }
}

impl Group {
    /// Opens a welcome with one of our key packages; `secrets` finds what was kept under a reference. Leaves' lifetimes
    /// are not checked here (who was added long ago and has not committed since would keep everybody out): they were
    /// when each was added.
    pub fn join(welcome: &[u8], device_seed: &[u8; 32], secrets: Finder<'_>) -> Result<Joining, MlsError> {
        let welcome = parse(welcome)?;
        Suite::of(welcome.ciphersuite()).ok_or(MlsError::WrongSuite(welcome.ciphersuite().into()))?;
        let provider = Provider::default();
        let find = |e: &openmls::prelude::EncryptedGroupSecrets| {
            let reference = e.new_member();
            secrets(reference.as_slice()).map(|secret| (reference, secret))
        };
        let (reference, secret) = welcome.secrets().iter().find_map(find).ok_or(MlsError::NotForUs)?;
        let bundle = key_package::open_secret(&secret)?;
        let last_resort = bundle.key_package().last_resort();
        provider.store.set(key_package_key(&reference)?, Some(encode(&bundle)?));
        let key = DeviceKey::new(device_seed);
        if bundle.key_package().leaf_node().signature_key().as_slice() != key.public() {
            return Err(MlsError::State);
        }
        let staged = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome)
            .and_then(|b| b.skip_lifetime_validation().build())
            .map_err(refused)?;
        let adder = staged.welcome_sender_index().u32();
        let mls = staged.into_group(&provider).map_err(refused)?;
        provider.store.forget_key_packages();
        rules::context(mls.extensions()).ok_or(MlsError::Invalid("the group's context"))?;
        rules::tree(&mls).map_err(MlsError::Invalid)?;
        let group = Self::adopt(provider, mls, key)?;
        Ok(Joining { group, adder, reference: reference.as_slice().to_vec(), last_resort })
    }
}

fn parse(bytes: &[u8]) -> Result<Welcome, MlsError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(MlsError::Malformed);
    }
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|_| MlsError::Malformed)?;
    match message.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(MlsError::Malformed),
    }
}

fn refused<E: fmt::Display>(error: WelcomeError<E>) -> MlsError {
    match error {
        WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => MlsError::NotForUs,
        WelcomeError::LibraryError(e) => library(e),
        WelcomeError::StorageError(e) => library(e),
        _ => MlsError::Invalid("welcome"),
    }
}
