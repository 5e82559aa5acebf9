//! Text from peers and relays, before it reaches a terminal: inert.

pub(crate) use estoile_tui::inert::{block, line};

use estoile_engine::{Notice, NoticeKind};

/// A notice in words, with what one can do.
pub(crate) fn notice(notice: &Notice) -> String {
    let (detail, advice) = (line(&notice.detail), line(&notice.advice));
    let stop = if detail.ends_with(['.', '!', '?', ';', ':']) { "" } else { "." };
    format!("{detail}{stop} {advice}").trim_end().to_owned()
}

/// Whether a notice is told by the command's own end, which says the same.
pub(crate) fn told_at_the_end(notice: &Notice) -> bool {
    matches!(notice.kind, NoticeKind::NoRoom | NoticeKind::Relay)
}
