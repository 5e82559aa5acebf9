//! A room that is looked at: its snapshot, older messages, marking it as read, sending.

use estoile_engine::{Command, LetterId, RoomId, face};
use estoile_port::{Ask, Reply};
use reactive_graph::prelude::*;

use super::{App, now};
use crate::model::screen::Screen;
use crate::model::timeline::PAGE;

impl App {
    /// The window is in front, and this room is shown.
    pub(super) fn looking_at(self, room: RoomId) -> bool {
        let focused = web_sys::window().and_then(|w| w.document()).is_some_and(|d| d.has_focus().unwrap_or(false));
        focused && self.screen.with_untracked(|s| *s == Screen::Room(room)) && self.over.with_untracked(Option::is_none)
    }

    /// A room is shown from now on.
    pub(super) fn enter(self, room: RoomId) {
        let known = self.talks.with_untracked(|t| t.get(&room).is_some_and(|t| t.loaded || t.loading));
        if known {
            self.talk(room, crate::model::talk::Talk::entered);
        } else {
            self.load(room);
        }
        self.need_members_of_private(room);
    }

    /// A room is what is shown first: loads it before anything is built.
    pub(super) async fn arrive(self, room: RoomId) {
        self.screen.set(Screen::Room(room));
        self.need_members_of_private(room);
        self.loaded(room).await;
    }

    fn need_members_of_private(self, room: RoomId) {
        if self.rooms.with_untracked(|r| r.get(room).is_some_and(|r| r.private.is_some())) {
            self.need_members(room);
        }
    }

    /// Asks for a room with its newest messages.
    pub(crate) fn load(self, room: RoomId) {
        self.spawn(self.loaded(room));
    }

    async fn loaded(self, room: RoomId) {
        self.talks.update(|t| t.entry(room).or_default().loading = true);
        let answer = self.ask(Ask::Face(face::Ask::Snapshot(room, PAGE))).await;
        let here = self.screen.with_untracked(|s| *s == Screen::Room(room));
        match answer {
            Ok(Reply::Face(face::Reply::Snapshot(Some(snapshot)))) => {
                self.rooms.update(|r| r.put(snapshot.room.clone()));
                self.talk(room, |t| t.snapshot(*snapshot, here));
                self.mark_read();
            }
            Ok(_) => self.talk(room, |t| t.loading = false),
            Err(why) => {
                self.talk(room, |t| t.loading = false);
                self.complain(why);
            }
        }
    }

    /// Asks for older messages, if the reader is near the top and there are any.
    pub(crate) fn page(self, room: RoomId) {
        let wanted = self.talks.try_maybe_update(|talks| {
            let before = talks.get_mut(&room).and_then(crate::model::talk::Talk::want_older);
            (false, before)
        });
        let Some(before) = wanted.flatten() else { return };
        self.spawn(async move {
            let answer = self.ask(Ask::Face(face::Ask::Older(room, before, PAGE))).await;
            let page = match answer {
                Ok(Reply::Face(face::Reply::Older(page))) => page,
                _ => None,
            };
            self.talk(room, |t| t.older(before, page));
        });
    }

    /// Tells the engine that what stands on the screen has been read.
    pub(crate) fn mark_read(self) {
        let Some(room) = self.screen.with_untracked(|s| if let Screen::Room(r) = s { Some(*r) } else { None }) else {
            return;
        };
        let looking = self.looking_at(room);
        let Some(view) = self.rooms.with_untracked(|r| r.get(room).filter(|r| r.unread > 0).cloned()) else { return };
        let due = self
            .talks
            .try_maybe_update(|talks| (false, talks.get_mut(&room).is_some_and(|t| t.mark(&view, looking, now()))));
        if due != Some(true) {
            return;
        }
        self.rooms.update(|r| {
            if let Some(r) = r.get_mut(room) {
                r.unread = 0;
            }
        });
        self.spawn(async move {
            // If it fails, the next message marks both.
            drop(self.command(Command::MarkRead { room }).await);
            self.talk(room, crate::model::talk::Talk::marked);
        });
    }

    /// To the newest message.
    pub(crate) fn to_end(self, room: RoomId) {
        let mut reload = false;
        self.talk(room, |t| reload = t.to_end());
        if reload {
            self.load(room);
        }
        self.mark_read();
    }

    /// Sends a text. One that is refused goes back to where it was written.
    pub(crate) fn send(self, room: RoomId, text: String) {
        self.to_end(room);
        self.spawn(async move {
            if let Err(why) = self.command(Command::Send { room, text: text.clone(), ttl: None }).await {
                self.drafts.update(|d| d.give_back(room, text));
                self.complain(why);
            }
        });
    }

    /// Sends again all that failed here.
    pub(crate) fn retry_all(self, room: RoomId) {
        let (failed, waiting) = self.talks.with_untracked(|t| {
            let Some(talk) = t.get(&room) else { return (Vec::new(), 0) };
            let not_sent = || talk.timeline.not_sent();
            let failed = not_sent().filter(|m| matches!(m.state, estoile_engine::DeliveryState::Failed { .. }));
            (failed.map(|m| m.id).collect::<Vec<LetterId>>(), not_sent().count())
        });
        if failed.is_empty() {
            self.tell(match waiting {
                0 => "Nothing has failed here; there is nothing to send again.",
                _ => "What is not sent yet goes out by itself when the relay is back: /reconnect tries now.",
            });
        }
        for id in failed {
            self.run_and_tell(Command::Retry { room, id }, "Sending again.");
        }
    }

    /// Gives up the last message that was not sent.
    pub(crate) fn discard_last(self, room: RoomId) {
        let last = self.talks.with_untracked(|t| {
            let all: Vec<_> = t.get(&room)?.timeline.not_sent().map(|m| (m.id, m.state.clone())).collect();
            let failed = all.iter().rev().find(|(_, s)| matches!(s, estoile_engine::DeliveryState::Failed { .. }));
            failed.or(all.last()).map(|(id, _)| *id)
        });
        match last {
            Some(id) => {
                self.run_and_tell(Command::Discard { room, id }, "The last message that was not sent is given up.");
            }
            None => self.tell("The relay has all your messages; there is nothing to give up."),
        }
    }
}
