//! A relay that begins to read a room's log out and does not come to an end.

use estoile_wire::Millis;

use super::Room;
use super::attach::Attach;
use crate::board::Draft;
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;

impl Room {
    /// A record came.
    pub(super) fn reading_goes_on(&mut self, now: Millis) {
        if matches!(self.attach, Attach::Reading { .. }) {
            self.patience.goes_on(now);
        }
    }

    /// When to stop waiting for the rest.
    pub(super) fn stalls_at(&self) -> Option<Millis> {
        matches!(self.attach, Attach::Reading { .. }).then(|| self.patience.next_timeout()).flatten()
    }

    /// Nothing came for long: the log is asked for once more.
    pub(super) fn stalled(&mut self, rescan: bool, session: &mut Session, cx: &mut Cx<'_>) {
        if self.patience.is_worth_telling() {
            cx.tell(Draft::new(
                Some(self.id),
                NoticeKind::Relay,
                "the relay says that there is more to read in this room and does not send it",
                "It is asked again and again; if others can read on, it holds messages back from you: take another relay.",
            ));
        }
        self.attach_again(session, rescan, cx);
    }
}
