//! A file on its way, in steps, so that a slow reader's progress is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

/// Bytes that are given at once.
const STEP: usize = 16 << 10;

/// The rest of a file that is being sent.
#[derive(Debug)]
pub(crate) struct Sending {
    left: Bytes,
    progress: Arc<AtomicU64>,
}

impl Sending {
    pub(crate) const fn new(bytes: Bytes, progress: Arc<AtomicU64>) -> Self {
        Self { left: bytes, progress }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left.len() as u64
    }

    /// The next bytes.
    pub(crate) fn step(&mut self) -> Option<Bytes> {
        let step = self.left.split_to(self.left.len().min(STEP));
        self.progress.fetch_add(step.len() as u64, Ordering::Relaxed);
        (!step.is_empty()).then_some(step)
    }
}
