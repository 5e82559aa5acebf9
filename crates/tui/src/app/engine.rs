//! What comes from the client: events, snapshots, answers.

use estoile_client::Page;
use estoile_engine::{
    Answer, Command, CommandError, Event, LetterId, MessageView, Notice, RoomId, RoomSnapshot, RoomView,
};
use zeroize::Zeroizing;

use super::{Act, App, Call, LOBBY_NOTICES, Overlay, Room};
use crate::backend::OpenFailure;
use crate::inert;
use crate::timeline::Key;

impl App {
    pub(super) fn engine(&mut self, event: Event) {
        match event {
            Event::Room(view) => self.room_view(view),
            Event::RoomGone(id) => self.room_gone(id),
            Event::Message { message, after } => self.message(message, after),
            Event::State { room, id, state, cursor } => {
                if let Some(room) = self.room_mut(room) {
                    room.timeline.set_state(id, state, cursor);
                }
            }
            Event::Moved { room, id, after } => {
                if let Some(room) = self.room_mut(room) {
                    room.timeline.relocate(id, after);
                }
            }
            Event::Ended { room, id } => self.ended(room, id),
            Event::People { room, people } => {
                if let Some(room) = self.room_mut(room) {
                    room.set_people(people);
                }
            }
            Event::Notice(notice) => self.notice(notice),
            Event::Overview => self.acts.push(Act::Overview),
            Event::Members(room) => self.acts.push(Act::Members(room)),
            Event::DeviceLink(view) => self.device_link(view),
            Event::CaughtUp(_) => {}
            Event::Reload => self.reload(),
        }
    }

    /// The rooms of the vault have come: show one.
    pub(super) fn rooms(&mut self, rooms: Vec<RoomView>) {
        self.known = true;
        let gone: Vec<RoomId> =
            self.rooms.iter().map(|r| r.view.id).filter(|id| rooms.iter().all(|r| r.id != *id)).collect();
        for id in gone {
            self.room_gone(id);
        }
        for view in rooms {
            self.room_view(view);
        }
        if self.current.is_none() {
            let first = self.first.filter(|&id| self.room(id).is_some());
            if let Some(id) = first.or_else(|| self.rooms.first().map(|r| r.view.id)) {
                self.go_to(id);
            }
        }
    }

    fn room_view(&mut self, mut view: RoomView) {
        let id = view.id;
        if let Some(link) = self.link.clone().filter(|_| self.first == Some(id)) {
            view.link = link;
        }
        match self.room_mut(id) {
            Some(room) => room.view = view,
            None => {
                let name = view.name.to_lowercase();
                let at = self.rooms.partition_point(|r| (r.view.name.to_lowercase(), r.view.id) <= (name.clone(), id));
                self.rooms.insert(at, Room::new(view));
                if self.first == Some(id) || (self.known && self.current.is_none()) {
                    self.go_to(id);
                }
            }
        }
    }

    fn room_gone(&mut self, id: RoomId) {
        let at = self.rooms.iter().position(|r| r.view.id == id);
        self.rooms.retain(|r| r.view.id != id);
        if self.current == Some(id) {
            self.current = None;
            let next = at.and_then(|at| self.rooms.get(at).or_else(|| self.rooms.last()));
            if let Some(next) = next.map(|r| r.view.id) {
                self.go_to(next);
            }
        }
    }

    /// Shows a room; the one left keeps its draft.
    pub(super) fn go_to(&mut self, id: RoomId) {
        if self.current == Some(id) {
            return;
        }
        if let Some(left) = self.here_mut() {
            left.timeline.clear_unread_line();
        }
        self.current = Some(id);
        self.popup = None;
        self.history.at = None;
        let Some(room) = self.room_mut(id) else { return };
        if room.loaded {
            room.timeline.mark_unread();
        } else if !room.loading {
            room.loading = true;
            self.acts.push(Act::Snapshot(id));
        }
        if self.room(id).is_some_and(|r| r.view.private.is_some() && r.members.is_empty()) {
            self.acts.push(Act::Members(id));
        }
    }

    pub(super) fn snapshot(&mut self, id: RoomId, snapshot: Option<Box<RoomSnapshot>>) {
        let here = self.current == Some(id);
        let Some(room) = self.room_mut(id) else { return };
        room.loading = false;
        let Some(mut snapshot) = snapshot else { return };
        let link = core::mem::take(&mut room.view.link);
        room.view = RoomView { link, ..snapshot.room.clone() };
        room.set_people(core::mem::take(&mut snapshot.people));
        room.timeline.load(*snapshot);
        if room.scroll.anchor.is_some_and(|(key, _)| room.timeline.position(key).is_none()) {
            room.scroll = super::Scroll::default();
        }
        if here && !room.loaded {
            room.timeline.mark_unread();
        }
        room.loaded = true;
        room.timeline.refresh_all();
    }

    /// Events were lost: ask for all that is on screen again.
    fn reload(&mut self) {
        self.acts.push(Act::Rooms);
        self.acts.push(Act::Overview);
        for room in &mut self.rooms {
            if self.current == Some(room.view.id) {
                room.loading = true;
                self.acts.push(Act::Snapshot(room.view.id));
            } else {
                room.loaded = false;
            }
        }
    }

    pub(super) fn older(&mut self, id: RoomId, before: LetterId, page: Option<Page>) {
        let Some(room) = self.room_mut(id) else { return };
        room.paging = false;
        match page {
            Some(page) => room.timeline.prepend(before, page.messages, page.more),
            None => room.timeline.more = false,
        }
    }

    fn message(&mut self, message: MessageView, after: Option<LetterId>) {
        let id = message.room;
        let reading = self.focused && self.current == Some(id);
        let Some(room) = self.room_mut(id) else { return };
        if !room.loaded {
            return;
        }
        let (letter, own, unread) = (message.id, message.own, message.unread);
        let new = room.timeline.position(Key::Message(letter)).is_none();
        let newest = after == room.timeline.last_message().map(|m| m.id);
        if !room.timeline.insert(message, after) {
            if room.timeline.cut {
                room.scroll.below = room.scroll.below.saturating_add(1);
            } else if !room.timeline.more && !room.loading {
                // Its neighbour is gone from here in the meantime: start over.
                room.loading = true;
                self.acts.push(Act::Snapshot(id));
            }
            return;
        }
        if !new {
            return;
        }
        if room.scroll.anchor.is_some() && newest {
            room.scroll.below = room.scroll.below.saturating_add(1);
        }
        let seen = reading && room.scroll.anchor.is_none();
        if unread && !own && !seen && room.timeline.unread_from.is_none() && self.current == Some(id) {
            let room = self.room_mut(id);
            if let Some(room) = room {
                room.timeline.unread_from = Some(letter);
                room.timeline.refresh_all();
            }
        }
    }

    fn ended(&mut self, room: RoomId, id: LetterId) {
        let Some(room) = self.room_mut(room) else { return };
        let neighbour = room.timeline.remove(id);
        if let Some((key, _)) = room.scroll.anchor
            && key == Key::Message(id)
        {
            room.scroll.anchor = neighbour.map(|key| (key, 0));
        }
    }

    fn notice(&mut self, notice: Notice) {
        let target = notice.room.or(self.current);
        match target.and_then(|id| self.room_mut(id)) {
            Some(room) => room.timeline.tell(notice),
            None => {
                if self.lobby_notices.len() == LOBBY_NOTICES {
                    self.lobby_notices.remove(0);
                }
                self.lobby_notices.push(notice);
            }
        }
    }

    pub(super) fn answered(&mut self, id: u64, answer: Result<Answer, CommandError>) {
        let Some(call) = self.calls.remove(&id) else { return };
        match (call, answer) {
            (Call::MarkRead(room), _) => {
                if let Some(room) = self.room_mut(room) {
                    room.marking = false;
                }
            }
            (Call::Send { room, text }, Err(error)) => {
                // Nothing typed is lost: it goes back to where it was written.
                if let Some(room) = self.room_mut(room) {
                    if room.editor.is_empty() {
                        room.editor.set(&text);
                    } else {
                        self.history.lines.push(text);
                    }
                }
                self.complain(sentence(&error.to_string()));
            }
            (Call::People(asked), answer) => self.people_answered(asked, answer),
            (Call::Tell(text), Ok(_)) => self.tell(text),
            (Call::Silent | Call::Send { .. }, Ok(_)) | (Call::Silent, Err(_)) => {}
            (Call::Tell(_), Err(error)) => self.complain(sentence(&error.to_string())),
        }
    }

    pub(super) fn opened(&mut self, result: Result<RoomId, OpenFailure>) {
        self.opening = false;
        match result {
            Ok(id) => {
                self.first = Some(id);
                if self.room(id).is_some() {
                    self.go_to(id);
                } else {
                    self.acts.push(Act::Rooms);
                }
            }
            Err(OpenFailure::NeedsPassphrase { link, room }) => {
                self.overlay =
                    Some(Overlay::Passphrase { link, room: inert::line(&room), entered: Zeroizing::default() });
            }
            Err(OpenFailure::Refused(why)) => self.complain(sentence(&why)),
        }
    }

    /// Tells the engine that what stands on the screen has been read.
    pub(super) fn mark_read(&mut self) {
        let (focused, now) = (self.focused, self.now);
        let Some(room) = self.here_mut() else { return };
        let reading = focused && room.loaded && room.scroll.anchor.is_none();
        if !reading || room.view.unread == 0 || !room.may_mark(now) {
            return;
        }
        room.marking = true;
        room.marked_at = now;
        room.view.unread = 0;
        room.timeline.mark_read();
        let id = room.view.id;
        self.call(Call::MarkRead(id), Command::MarkRead { room: id });
    }
}

/// An error's text as a sentence of its own.
pub(super) fn sentence(text: &str) -> String {
    let text = inert::line(text);
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return text };
    let mut out: String = first.to_uppercase().collect();
    out.push_str(chars.as_str());
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}
