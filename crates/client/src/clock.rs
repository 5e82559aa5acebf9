//! The wall clock, with the shift that `--clock` asks for. The engine never reads a clock by itself.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use estoile_wire::Millis;

/// This process's idea of the time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    offset_ms: i64,
}

impl Clock {
    pub(crate) const fn shifted(offset_ms: i64) -> Self {
        Self { offset_ms }
    }

    /// Milliseconds since 1970; a clock before that counts as 1970.
    pub(crate) fn now(self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX).saturating_add_signed(self.offset_ms)
    }

    /// How long until a time; nothing if it is over.
    pub(crate) fn until(self, at: Millis) -> Duration {
        Duration::from_millis(at.saturating_sub(self.now()))
    }
}
