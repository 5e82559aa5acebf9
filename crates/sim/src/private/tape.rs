//! All that clients sent, kept until it is known what must not be in it.

use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::id::BlobHash;
use estoile_wire::{ClientFrame, Id16, LogId};

/// A letter or commit in one epoch of one log, as one client sealed it.
pub(crate) type Sealing = (LogId, usize, u64, Id16);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    /// Each different frame once: retries say the same again.
    frames: BTreeSet<Vec<u8>>,
    blobs: BTreeMap<BlobHash, Vec<u8>>,
    /// By what it is, the bodies that it was sealed as.
    sealed: BTreeMap<Sealing, BTreeSet<BlobHash>>,
}

impl Tape {
    pub(crate) fn hear(&mut self, client: usize, bytes: &[u8]) {
        if let Ok(ClientFrame::Append(f)) = ClientFrame::decode(bytes) {
            self.sealed.entry((f.log, client, f.epoch, f.id16)).or_default().insert(BlobHash::of(f.body));
        }
        self.frames.insert(bytes.to_vec());
    }

    pub(crate) fn hear_blob(&mut self, bytes: &[u8]) {
        self.blobs.entry(BlobHash::of(bytes)).or_insert_with(|| bytes.to_vec());
    }

    /// How many different blobs were put.
    pub(crate) fn blobs(&self) -> u64 {
        self.blobs.len() as u64
    }

    /// Everything, frame by frame and blob by blob.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.frames.iter().map(Vec::as_slice).chain(self.blobs.values().map(Vec::as_slice))
    }

    /// What was sealed in two ways in one log, or one body that stands for two things.
    pub(crate) fn sealed_twice(&self, log: &LogId) -> Option<String> {
        let mut bodies: BTreeMap<BlobHash, &Sealing> = BTreeMap::new();
        for (what, sealed) in self.sealed.iter().filter(|((of, ..), _)| of == log) {
            if sealed.len() > 1 {
                return Some(format!("member {} has sealed one thing twice in epoch {}", what.1, what.2));
            }
            for body in sealed {
                if let Some(other) = bodies.insert(*body, what) {
                    return Some(format!("members {} and {} sent one body for two things", what.1, other.1));
                }
            }
        }
        None
    }
}
