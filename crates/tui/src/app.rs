//! The face's whole state, and how it changes: `update(message) -> acts`. No I/O, no clock, no terminal.
//!
//! What comes in is a [`Msg`]; what must be done outside is an [`Act`]. The same messages give the same screens.

mod complete;
mod engine;
mod keys;
mod mouse;
mod people;
mod room;
mod scroll;
mod slash;

use std::collections::BTreeMap;

use crossterm::event::{KeyEvent, MouseEvent};
use estoile_client::Page;
use estoile_engine::{
    Answer, Command, CommandError, Event, LetterId, MemberView, Notice, Overview, RoomId, RoomSnapshot, RoomView,
};
use jiff::tz::TimeZone;
use zeroize::Zeroizing;

pub(crate) use complete::Popup;
pub(crate) use people::Comparing;
pub(crate) use room::{Room, Scroll};

use crate::backend::OpenFailure;
use crate::editor::Editor;
use crate::options::Options;
use crate::theme::Theme;

/// How long a sentence in the status line stays.
const FLASH_MS: u64 = 8000;

/// Lines of the history that Up brings back.
const HISTORY: usize = 200;

/// Notices about the client as a whole that the first screen shows while there is no room.
const LOBBY_NOTICES: usize = 20;

/// All that can wake the face.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each lives for one update; a box for each would be for nothing")]
pub(crate) enum Msg {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    Resize(u16, u16),
    Focus(bool),
    /// Time has passed.
    Tick,
    Engine(Event),
    Rooms(Vec<RoomView>),
    Snapshot(RoomId, Option<Box<RoomSnapshot>>),
    Older {
        room: RoomId,
        before: LetterId,
        page: Option<Page>,
    },
    Answered(u64, Result<Answer, CommandError>),
    Opened(Result<RoomId, OpenFailure>),
    Overview(Box<Overview>),
    Members(RoomId, Option<Vec<MemberView>>),
    /// The client has ended under us.
    ClientGone,
}

/// All that the face wants done. Its `Debug` says which and nothing more: a passphrase may be in it.
pub(crate) enum Act {
    Call(u64, Command),
    Rooms,
    Overview,
    Members(RoomId),
    Snapshot(RoomId),
    Older {
        room: RoomId,
        before: LetterId,
    },
    Open {
        link: String,
        passphrase: Option<Zeroizing<String>>,
        own_name: String,
    },
    /// Our own text into the terminal's clipboard.
    Copy(String),
    Mouse(bool),
    Redraw,
    Suspend,
    Quit {
        interrupted: bool,
    },
}

/// What a call under way was for.
#[derive(Clone, Debug)]
enum Call {
    Send { room: RoomId, text: String },
    MarkRead(RoomId),
    Tell(String),
    People(people::Asked),
    Silent,
}

/// A page over the rest. Its `Debug` is silent: a passphrase may be in it.
pub(crate) enum Overlay {
    Help {
        scroll: usize,
    },
    Link,
    People {
        scroll: usize,
    },
    Rooms {
        chosen: usize,
    },
    Passphrase {
        link: String,
        room: String,
        entered: Zeroizing<String>,
    },
    Confirm(Confirm),
    Contacts {
        chosen: usize,
    },
    Verify(Box<Comparing>),
    Share {
        title: String,
        about: &'static str,
        link: String,
    },
    /// `history`: the messages come along.
    Device {
        words: String,
        old: bool,
        history: bool,
    },
    Devices,
}

impl core::fmt::Debug for Act {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Call(..) => "Call",
            Self::Rooms => "Rooms",
            Self::Overview => "Overview",
            Self::Members(_) => "Members",
            Self::Snapshot(_) => "Snapshot",
            Self::Older { .. } => "Older",
            Self::Open { .. } => "Open",
            Self::Copy(_) => "Copy",
            Self::Mouse(_) => "Mouse",
            Self::Redraw => "Redraw",
            Self::Suspend => "Suspend",
            Self::Quit { .. } => "Quit",
        })
    }
}

impl core::fmt::Debug for Overlay {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Overlay")
    }
}

/// What is asked before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Confirm {
    Forget(RoomId),
    Leave(RoomId),
    Remove { room: RoomId, account: String, name: String },
    Quit,
}

/// A sentence in the status line for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flash {
    pub(crate) text: String,
    pub(crate) error: bool,
    pub(crate) until: u64,
}

/// Lines sent before, for Up and Down.
#[derive(Debug, Default)]
struct History {
    lines: Vec<String>,
    /// Which one is shown; the draft that was there when the user went up.
    at: Option<(usize, String)>,
}

/// The face.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) now: u64,
    pub(crate) size: (u16, u16),
    pub(crate) zone: TimeZone,
    pub(crate) theme: Theme,
    pub(crate) ascii: bool,
    pub(crate) rooms: Vec<Room>,
    /// The vault has said which rooms there are.
    pub(crate) known: bool,
    pub(crate) current: Option<RoomId>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) popup: Option<Popup>,
    pub(crate) flash: Option<Flash>,
    pub(crate) notes: Vec<String>,
    pub(crate) lobby_notices: Vec<Notice>,
    pub(crate) overview: Overview,
    /// A link is being opened.
    pub(crate) opening: bool,
    pub(crate) hide_rooms: bool,
    pub(crate) hide_people: bool,
    lobby: Editor,
    history: History,
    calls: BTreeMap<u64, Call>,
    next_call: u64,
    focused: bool,
    volatile: bool,
    own_name: String,
    first: Option<RoomId>,
    link: Option<String>,
    /// When Ctrl-C was pressed on an empty input: a second one soon after leaves.
    interrupted_at: Option<u64>,
    /// When the room's others were last told that the user types.
    typed_at: u64,
    acts: Vec<Act>,
}

impl App {
    pub(crate) fn new(options: Options, size: (u16, u16), now: u64) -> Self {
        Self {
            now,
            size,
            zone: options.zone,
            theme: Theme::new(options.theme, options.colour, options.ascii),
            ascii: options.ascii,
            rooms: Vec::new(),
            known: false,
            current: None,
            overlay: None,
            popup: None,
            flash: None,
            notes: options.notes,
            lobby_notices: Vec::new(),
            overview: Overview::default(),
            opening: false,
            hide_rooms: false,
            hide_people: false,
            lobby: Editor::default(),
            history: History::default(),
            calls: BTreeMap::new(),
            next_call: 0,
            focused: true,
            volatile: options.volatile,
            own_name: options.own_name,
            first: options.first,
            link: options.link,
            interrupted_at: None,
            typed_at: 0,
            acts: vec![Act::Rooms, Act::Overview],
        }
    }

    /// What must be done before anything has happened.
    pub(crate) fn start(&mut self) -> Vec<Act> {
        core::mem::take(&mut self.acts)
    }

    pub(crate) fn update(&mut self, now: u64, msg: Msg) -> Vec<Act> {
        self.now = now;
        match msg {
            Msg::Key(key) => self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Mouse(event) => self.mouse(event),
            Msg::Resize(width, height) => {
                self.size = (width, height);
                // Even back to the same size: the terminal may have cut what stood there in between.
                self.acts.push(Act::Redraw);
            }
            Msg::Focus(focused) => self.focused = focused,
            Msg::Tick => {}
            Msg::Engine(event) => self.engine(event),
            Msg::Rooms(rooms) => self.rooms(rooms),
            Msg::Snapshot(room, snapshot) => self.snapshot(room, snapshot),
            Msg::Older { room, before, page } => self.older(room, before, page),
            Msg::Answered(call, answer) => self.answered(call, answer),
            Msg::Opened(result) => self.opened(result),
            Msg::Overview(overview) => self.overview_came(*overview),
            Msg::Members(room, members) => self.members_came(room, members),
            Msg::ClientGone => self.quit(false),
        }
        if self.flash.as_ref().is_some_and(|f| f.until <= now) {
            self.flash = None;
        }
        self.mark_read();
        core::mem::take(&mut self.acts)
    }

    pub(crate) fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|r| r.view.id == id)
    }

    fn room_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|r| r.view.id == id)
    }

    pub(crate) fn here(&self) -> Option<&Room> {
        self.current.and_then(|id| self.room(id))
    }

    fn here_mut(&mut self) -> Option<&mut Room> {
        self.current.and_then(|id| self.room_mut(id))
    }

    pub(crate) fn editor(&self) -> &Editor {
        self.here().map_or(&self.lobby, |r| &r.editor)
    }

    fn editor_mut(&mut self) -> &mut Editor {
        match self.current.and_then(|id| self.rooms.iter_mut().find(|r| r.view.id == id)) {
            Some(room) => &mut room.editor,
            None => &mut self.lobby,
        }
    }

    /// Letters not yet read in all rooms, for the terminal's title.
    pub(crate) fn unread(&self) -> u32 {
        self.rooms.iter().fold(0, |sum, r| sum.saturating_add(r.view.unread))
    }

    fn call(&mut self, what: Call, command: Command) {
        let id = self.next_call;
        self.next_call += 1;
        self.calls.insert(id, what);
        self.acts.push(Act::Call(id, command));
    }

    fn tell(&mut self, text: impl Into<String>) {
        self.flash = Some(Flash { text: text.into(), error: false, until: self.now + FLASH_MS });
    }

    fn complain(&mut self, text: impl Into<String>) {
        self.flash = Some(Flash { text: text.into(), error: true, until: self.now + FLASH_MS });
    }

    /// Leaves, unless something would be lost by it.
    fn leave(&mut self) {
        let unsent = self.rooms.iter().any(|r| r.unsent() > 0);
        if self.volatile && unsent {
            self.overlay = Some(Overlay::Confirm(Confirm::Quit));
        } else {
            self.quit(false);
        }
    }

    fn quit(&mut self, interrupted: bool) {
        self.acts.push(Act::Quit { interrupted });
    }

    /// When the screen changes on its own next: a countdown, a sentence that goes.
    pub(crate) fn next_wake(&self) -> Option<u64> {
        let flash = self.flash.as_ref().map(|f| f.until);
        let retry = self.here().and_then(|r| r.retry_at()).filter(|&at| at > self.now);
        // The second in which the number shown changes.
        let retry = retry.map(|at| self.now + 1 + (at - self.now - 1) % 1000);
        let reading = self.here().and_then(|r| r.mark_again_at(self.now));
        [flash, retry, reading, self.countdown()].into_iter().flatten().min()
    }

    /// When a countdown in sight changes.
    fn countdown(&self) -> Option<u64> {
        let room = self.here()?;
        let ends = self.visible(room).into_iter().filter_map(|v| room.timeline.get(v.at)?.message()?.ends_at);
        let first = ends.filter(|&e| e > self.now).min()?;
        let left = first - self.now;
        Some(self.now + if left < 100_000 { 1 + (left - 1) % 1000 } else { 20_000 })
    }
}

#[cfg(test)]
pub(crate) mod tests;
