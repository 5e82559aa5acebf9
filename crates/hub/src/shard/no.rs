//! A refusal on its way into a frame. It knows no reasons; those who refuse give them.

use bytes::Bytes;
use estoile_wire::frame::{Refused, RelayFrame};
use estoile_wire::{LogId, Refusal};

/// A refusal with the numbers that explain it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct No {
    /// Why.
    pub code: Refusal,
    /// The limit exceeded, or the current epoch.
    pub limit: Option<u64>,
    /// When trying again makes sense.
    pub wait_ms: Option<u64>,
}

impl No {
    /// Without numbers.
    #[must_use]
    pub const fn because(code: Refusal) -> Self {
        Self { code, limit: None, wait_ms: None }
    }

    /// With the limit that was exceeded.
    #[must_use]
    pub const fn above(code: Refusal, limit: u64) -> Self {
        Self { code, limit: Some(limit), wait_ms: None }
    }

    /// With the time to wait.
    #[must_use]
    pub const fn wait(code: Refusal, wait_ms: u64) -> Self {
        Self { code, limit: None, wait_ms: Some(wait_ms) }
    }

    /// The frame that tells it.
    #[must_use]
    pub fn frame(self, request: Option<u64>, log: Option<LogId>) -> Bytes {
        let Self { code, limit, wait_ms } = self;
        RelayFrame::Refused(Refused { request, code, limit, wait_ms, log }).encode().into()
    }
}
