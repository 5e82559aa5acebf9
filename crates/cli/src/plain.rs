//! Text from peers and relays, before it reaches a terminal: inert.

pub(crate) use estoile_tui::inert::{block, line};

use estoile_engine::Notice;

/// A notice in words, with what one can do.
pub(crate) fn notice(notice: &Notice) -> String {
    format!("{} {}", line(&notice.detail), line(&notice.advice)).trim_end().to_owned()
}
