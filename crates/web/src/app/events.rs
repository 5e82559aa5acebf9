//! What the engine says, into the models.

use estoile_engine::{Event, LetterId, MessageView, Notice, RoomId};
use reactive_graph::prelude::*;

use super::{App, Over};
use crate::model::alerts;
use crate::model::screen::Screen;
use crate::model::talk::{Came, Talk};

impl App {
    pub(super) fn event(self, event: Event) {
        match event {
            Event::Room(view) => self.rooms.update(|rooms| rooms.put(view)),
            Event::RoomGone(room) => self.room_gone(room),
            Event::Message { message, after } => self.message(message, after),
            Event::Moved { room, id, after } => self.talk(room, |t| t.moved(id, after)),
            Event::State { room, id, state, cursor } => self.talk(room, |t| t.state(id, state, cursor)),
            Event::Ended { room, id } => self.talk(room, |t| t.ended(id)),
            Event::People { room, people } => self.talk(room, |t| t.people = people),
            Event::Notice(notice) => self.notice(notice),
            Event::Overview => self.refresh_overview(),
            Event::Members(room) => {
                if self.members.with_untracked(|m| m.contains_key(&room)) {
                    self.need_members(room);
                }
            }
            Event::DeviceLink(view) => self.overview.update(|o| o.device_link = Some(view)),
            Event::CaughtUp(_) => {}
            Event::Reload => self.reload(),
        }
    }

    /// Changes a room that was opened.
    pub(crate) fn talk(self, room: RoomId, change: impl FnOnce(&mut Talk)) {
        self.talks.maybe_update(|talks| talks.get_mut(&room).map(change).is_some());
    }

    fn room_gone(self, room: RoomId) {
        let next = self.rooms.try_update(|rooms| rooms.remove(room)).flatten();
        self.talks.update(|t| drop(t.remove(&room)));
        if self.screen.with_untracked(|s| s.room() == Some(room)) {
            self.go(next.filter(|_| super::begin::wide()).map_or(Screen::Home, Screen::Room));
        }
        let about = |over: &Over| matches!(over, Over::Forget(r) | Over::Leave(r) | Over::People(r) if *r == room);
        if self.over.with_untracked(|o| o.as_ref().is_some_and(about)) {
            self.over.set(None);
        }
    }

    fn message(self, message: MessageView, after: Option<LetterId>) {
        let room = message.room;
        let looking = self.looking_at(room);
        self.alert(&message, looking);
        let said = (!message.own && self.screen.with_untracked(|s| *s == Screen::Room(room)))
            .then(|| alerts::announced(&message));
        let mut came = Came::Known;
        self.talk(room, |t| came = t.message(message, after, looking));
        match came {
            Came::New { newest: true } => {
                if let Some(said) = said {
                    self.said.set(said);
                }
            }
            Came::Reload => self.load(room),
            Came::Known | Came::New { .. } => {}
        }
        self.mark_read();
    }

    /// A local notification, if it is wanted.
    fn alert(self, message: &MessageView, looking: bool) {
        let name = self.rooms.with_untracked(|r| r.get(message.room).map(|r| r.name.clone())).unwrap_or_default();
        let settings = self.settings.get_untracked();
        let Some(alert) = alerts::alert(&settings, message, &name, looking) else { return };
        let window = web_sys::window();
        let known = window.is_some_and(|w| js_sys::Reflect::has(&w, &"Notification".into()).unwrap_or(false));
        if !known || web_sys::Notification::permission() != web_sys::NotificationPermission::Granted {
            return;
        }
        let options = web_sys::NotificationOptions::new();
        options.set_body(&alert.text);
        // One a room: the newest takes the place of the one before.
        options.set_tag(&format!("room-{}", message.room.0));
        let Ok(shown) = web_sys::Notification::new_with_options(&alert.title, &options) else { return };
        let room = message.room;
        let click = wasm_bindgen::closure::Closure::once_into_js(move || {
            if let Some(window) = web_sys::window() {
                drop(window.focus());
            }
            self.go(Screen::Room(room));
        });
        shown.set_onclick(Some(wasm_bindgen::JsCast::unchecked_ref(&click)));
    }

    fn notice(self, notice: Notice) {
        let shown = notice.room.or_else(|| self.screen.with_untracked(Screen::room));
        let opened = shown.filter(|room| self.talks.with_untracked(|t| t.get(room).is_some_and(|t| t.loaded)));
        match (opened, notice.room) {
            (Some(room), _) => self.talk(room, |t| {
                t.timeline.tell(notice);
                t.lay();
            }),
            // The room's snapshot will carry it.
            (None, Some(_)) => {}
            (None, None) => self.lobby.update(|l| l.tell(notice)),
        }
    }

    /// Events were lost: all that is shown is asked for again.
    fn reload(self) {
        self.refresh_overview();
        self.spawn(self.refresh_rooms());
        let here = self.screen.with_untracked(Screen::room);
        self.talks.update(|t| t.retain(|room, _| Some(*room) == here));
        if let Some(room) = here {
            self.load(room);
        }
        let members: Vec<RoomId> = self.members.with_untracked(|m| m.keys().copied().collect());
        members.into_iter().for_each(|room| self.need_members(room));
    }
}
