//! What a chain's entries amount to: the root key, the devices, and every key that was ever named.
//!
//! This layer judges rights; that the signers signed is checked beside it.

use estoile_wire::PublicKey;

use super::{ChainError, Entry, MAX_DEVICES};

#[derive(Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) root: PublicKey,
    /// In the order of their coming.
    pub(super) devices: Vec<PublicKey>,
    /// Every key that the chain names or named: none comes back in any part.
    pub(super) used: Vec<PublicKey>,
}

impl State {
    pub(super) fn begin(root: PublicKey, device: PublicKey) -> Self {
        Self { root, devices: vec![device], used: vec![root, device] }
    }

    pub(super) fn apply(&mut self, entry: &Entry) -> Result<(), ChainError> {
        match entry {
            Entry::Create { .. } => Err(ChainError::Malformed),
            Entry::Add { device, by, .. } => {
                if *by != self.root && !self.devices.contains(by) {
                    return Err(ChainError::NotAllowed);
                }
                if self.devices.len() >= MAX_DEVICES {
                    return Err(ChainError::TooManyDevices);
                }
                self.take(*device)?;
                self.devices.push(*device);
                Ok(())
            }
            Entry::Remove { device, by, .. } => {
                let place = self.devices.iter().position(|live| live == device).ok_or(ChainError::NoDevice)?;
                if !self.may_remove(device, by) {
                    return Err(ChainError::NotAllowed);
                }
                self.devices.remove(place);
                Ok(())
            }
            Entry::Rotate { root, .. } => {
                self.take(*root)?;
                self.root = *root;
                Ok(())
            }
        }
    }

    fn may_remove(&self, device: &PublicKey, by: &[PublicKey]) -> bool {
        match by {
            [one] => one == device || *one == self.root,
            [one, other] => one != other && [one, other].iter().all(|key| *key != device && self.devices.contains(key)),
            _ => false,
        }
    }

    fn take(&mut self, key: PublicKey) -> Result<(), ChainError> {
        if self.used.contains(&key) {
            return Err(ChainError::KeyUsed);
        }
        self.used.push(key);
        Ok(())
    }
}
