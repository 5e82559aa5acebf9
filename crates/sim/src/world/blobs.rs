//! Blobs on their way: over connections of their own, which break off where it hurts.

use std::sync::Arc;

use estoile_engine::{BlobError, Input, RelayId};
use estoile_hub::blobs::PutRefused;
use estoile_wire::id::{BlobHash, BlobToken};
use estoile_wire::limits::MAX_FRAME;

use super::{Happening, World};
use crate::plan::{below, one_in};

/// A blob travels in parts of so many bytes.
const PART: usize = MAX_FRAME;
/// One of so many transfers breaks off, while there is trouble that breaks anything.
const BREAKS: u64 = 3;

impl World {
    pub(super) fn put_blob(
        &mut self,
        index: usize,
        relay: RelayId,
        hash: [u8; 32],
        token: [u8; 32],
        from: u64,
        bytes: &Arc<[u8]>,
    ) {
        if let Some(play) = &mut self.play {
            play.tape.hear_blob(bytes);
        }
        self.tell(|| format!("member {index} puts a blob of {} bytes from {from} on", bytes.len()));
        let Some(life) = self.clients.get(index).map(|c| c.lives) else { return };
        let after = below(&mut self.rng, self.plan.latency.saturating_mul(4)).saturating_add(1);
        self.later(after, Happening::Put { client: index, life, relay, hash, token, from, bytes: Arc::clone(bytes) });
    }

    pub(super) fn get_blob(&mut self, index: usize, relay: RelayId, hash: [u8; 32], size: u64) {
        self.tell(|| format!("member {index} wants a blob of {size} bytes"));
        let Some(life) = self.clients.get(index).map(|c| c.lives) else { return };
        let after = below(&mut self.rng, self.plan.latency.saturating_mul(4)).saturating_add(1);
        self.later(after, Happening::Get { client: index, life, relay, hash, size });
    }

    /// Whether a transfer breaks off.
    fn breaks(&mut self) -> bool {
        self.plan.cut != 0 && one_in(&mut self.rng, BREAKS)
    }

    /// The parts of a blob arrive one after the other, all or some of them.
    pub(super) fn blob_arrives(&mut self, token: &[u8; 32], from: u64, bytes: &[u8]) -> Result<(), BlobError> {
        let breaks = self.breaks();
        let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let some = usize::try_from(below(&mut self.rng, rest.len() as u64)).unwrap_or(0);
        let arriving = if breaks { rest.get(..some).unwrap_or_default() } else { rest };
        let hub = self.hub.as_mut().ok_or_else(nobody)?;
        let mut at = from;
        for part in arriving.chunks(PART) {
            at = hub.put_blob(&BlobToken(*token), at, part).map_err(|refused| match refused {
                PutRefused::Elsewhere(_) | PutRefused::Forbidden => BlobError::Later(format!("{refused:?}")),
                PutRefused::TooLong | PutRefused::Wrong => BlobError::Never(format!("{refused:?}")),
            })?;
        }
        if breaks { Err(broken()) } else { Ok(()) }
    }

    pub(super) fn blob_asked(&mut self, hash: &[u8; 32], size: u64) -> Result<Vec<u8>, BlobError> {
        if self.breaks() {
            return Err(broken());
        }
        let hub = self.hub.as_ref().ok_or_else(nobody)?;
        let bytes = hub.get_blob(self.now, &BlobHash(*hash), 0..size);
        bytes.map(|b| b.to_vec()).ok_or_else(|| BlobError::Never("there is no such blob".to_owned()))
    }

    pub(super) fn blob_ends(&mut self, index: usize, life: u64, input: Input) -> Result<(), String> {
        if self.clients.get(index).is_none_or(|c| c.lives != life || c.life.is_none()) {
            return Ok(());
        }
        self.tell(|| format!("member {index}: {input:?}"));
        self.hand(index, input)
    }
}

fn broken() -> BlobError {
    BlobError::Later("the connection broke off".to_owned())
}

fn nobody() -> BlobError {
    BlobError::Later("nobody listens".to_owned())
}
