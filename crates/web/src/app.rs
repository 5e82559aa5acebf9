//! What all screens share: the signals, and the way to the worker.

mod begin;
mod events;
mod room;
mod slash;

use std::collections::BTreeMap;

use estoile_engine::face;
use estoile_engine::{Answer, Command, MemberView, Overview, RoomId};
use estoile_port::{Ask, LinkView, Progress, Reply, Settings, Stage};
use reactive_graph::owner::{LocalStorage, StoredValue};
use reactive_graph::prelude::*;
use reactive_graph::signal::RwSignal;
use wasm_bindgen_futures::spawn_local;

pub(crate) use begin::fine_pointer;
pub use begin::start;

use crate::model::composer::Drafts;
use crate::model::inert;
use crate::model::landing::Trust;
use crate::model::notices::Lobby;
use crate::model::rooms::Rooms;
use crate::model::screen::Screen;
use crate::model::talk::Talk;
use crate::port::Port;

/// A sentence for everybody to see for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flash {
    /// The sentence.
    pub(crate) text: String,
    /// Something went wrong: it stays until it is put away.
    pub(crate) error: bool,
    /// A newer version waits: a button loads it.
    pub(crate) newer: bool,
}

/// A dialog over everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Ctrl-K.
    Switcher,
    /// A link in a message: its true target.
    Target(String),
    /// A link to be shared, with its title and who may have it.
    Share { title: String, about: String, link: String },
    /// Forget this room?
    Forget(RoomId),
    /// Leave this private room?
    Leave(RoomId),
    /// Remove this member?
    Remove { room: RoomId, account: String, name: String },
    /// Who is here, on a narrow page.
    People(RoomId),
    /// What this page's program is, and where from.
    Trust,
}

/// The page's state. It is copied freely: all of it is handles.
#[derive(Clone, Copy)]
pub(crate) struct App {
    /// Where the worker stands.
    pub(crate) stage: RwSignal<Stage>,
    /// The rooms.
    pub(crate) rooms: RwSignal<Rooms>,
    /// Rooms with their timelines, those that were opened.
    pub(crate) talks: RwSignal<BTreeMap<RoomId, Talk>>,
    /// Account, contacts, invitations, a device link under way.
    pub(crate) overview: RwSignal<Overview>,
    /// Members of private rooms, as far as asked for with [`App::need_members`]; kept up to date from then on.
    pub(crate) members: RwSignal<BTreeMap<RoomId, Vec<MemberView>>>,
    /// What is remembered; change it with [`App::remember`].
    pub(crate) settings: RwSignal<Settings>,
    /// What is shown; change it with [`App::go`].
    pub(crate) screen: RwSignal<Screen>,
    /// A sentence for a while; set it with [`App::tell`] and [`App::complain`].
    pub(crate) flash: RwSignal<Option<Flash>>,
    /// A dialog over everything.
    pub(crate) over: RwSignal<Option<Over>>,
    /// What is being written, by room.
    pub(crate) drafts: RwSignal<Drafts>,
    /// Notices about no room.
    pub(crate) lobby: RwSignal<Lobby>,
    /// This clock, changed every second.
    pub(crate) now: RwSignal<u64>,
    /// What readers of the screen are told next.
    pub(crate) said: RwSignal<String>,
    /// Who serves this page.
    pub(crate) trust: RwSignal<Trust>,
    /// One pane at a time, as on a phone.
    pub(crate) narrow: RwSignal<bool>,
    /// A link that the page was opened with, until it is shown.
    pub(crate) link: RwSignal<Option<String>>,
    /// That link, read already.
    pub(crate) read: StoredValue<Option<(String, LinkView)>>,
    port: StoredValue<Option<Port>, LocalStorage>,
}

impl App {
    fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::Loaded),
            rooms: RwSignal::default(),
            talks: RwSignal::default(),
            overview: RwSignal::default(),
            members: RwSignal::default(),
            settings: RwSignal::default(),
            screen: RwSignal::default(),
            flash: RwSignal::default(),
            over: RwSignal::default(),
            drafts: RwSignal::default(),
            lobby: RwSignal::default(),
            now: RwSignal::new(now()),
            said: RwSignal::default(),
            trust: RwSignal::new(Trust::Relay),
            narrow: RwSignal::new(!begin::wide()),
            link: RwSignal::default(),
            read: StoredValue::default(),
            port: StoredValue::new_local(None),
        }
    }

    /// Asks the worker.
    pub(crate) async fn ask(self, ask: Ask) -> Result<Reply, String> {
        self.ask_with(ask, None).1.await
    }

    /// Asks the worker, for what takes its time: `progress` follows it, and [`App::cancel`] with the number stops it.
    pub(crate) fn ask_with(
        self,
        ask: Ask,
        progress: Option<RwSignal<Option<Progress>>>,
    ) -> (u64, impl Future<Output = Result<Reply, String>> + 'static) {
        let asked = self.port.with_value(|port| port.as_ref().map(|p| p.ask(ask, progress)));
        let (number, reply) = asked.unzip();
        (number.unwrap_or_default(), async move {
            match reply {
                Some(reply) => reply.await,
                None => Err(String::from("the page is not ready yet; try again in a moment")),
            }
        })
    }

    /// Stops what was asked under this number, if it can still be stopped.
    pub(crate) fn cancel(self, number: u64) {
        self.spawn(async move {
            // What can't be stopped goes on, and says so itself.
            drop(self.ask(Ask::Cancel(number)).await);
        });
    }

    /// Has the engine do something; the error is a sentence.
    pub(crate) async fn command(self, command: Command) -> Result<Answer, String> {
        match self.ask(Ask::Face(face::Ask::Command(Box::new(command)))).await? {
            Reply::Face(face::Reply::Command(result)) => result.map_err(|e| inert::sentence(&e.to_string())),
            _ => Err(String::from("The answer is not the one that was waited for; load the page again.")),
        }
    }

    /// Has the engine do something, and complains if it does not.
    pub(crate) fn run(self, command: Command) {
        self.spawn(async move {
            if let Err(why) = self.command(command).await {
                self.complain(why);
            }
        });
    }

    /// Has the engine do something, and says this when it is done.
    pub(crate) fn run_and_tell(self, command: Command, done: impl Into<String>) {
        let done = done.into();
        self.spawn(async move {
            match self.command(command).await {
                Ok(_) => self.tell(done),
                Err(why) => self.complain(why),
            }
        });
    }

    /// Lets something go on beside the page.
    #[expect(clippy::unused_self, reason = "screens have an app at hand, and nothing else to ask")]
    pub(crate) fn spawn(self, task: impl Future<Output = ()> + 'static) {
        spawn_local(task);
    }

    /// Says a sentence.
    pub(crate) fn tell(self, text: impl Into<String>) {
        self.flash.set(Some(Flash { text: text.into(), error: false, newer: false }));
    }

    /// Says what went wrong.
    pub(crate) fn complain(self, text: impl Into<String>) {
        let text = inert::sentence(&text.into());
        self.flash.set(Some(Flash { text, error: true, newer: false }));
    }

    /// Shows a screen.
    pub(crate) fn go(self, screen: Screen) {
        self.over.set(None);
        let was = self.screen.get_untracked();
        if was == screen {
            return;
        }
        if let Screen::Room(left) = was {
            self.talks.update(|t| {
                if let Some(talk) = t.get_mut(&left) {
                    talk.left();
                }
            });
        }
        if let Screen::Room(room) = screen {
            self.enter(room);
        }
        self.screen.set(screen);
    }

    /// Remembers settings, here and in the vault.
    pub(crate) fn remember(self, change: impl FnOnce(&mut Settings)) {
        self.settings.update(change);
        let settings = self.settings.get_untracked();
        self.spawn(async move {
            if let Err(why) = self.ask(Ask::Remember(settings)).await {
                self.complain(why);
            }
        });
    }

    /// Has [`App::members`] filled for a room, and kept up to date.
    pub(crate) fn need_members(self, room: RoomId) {
        self.spawn(async move {
            if let Ok(Reply::Face(face::Reply::Members(Some(members)))) =
                self.ask(Ask::Face(face::Ask::Members(room))).await
            {
                self.members.update(|all| drop(all.insert(room, members)));
            }
        });
    }

    /// Text into the clipboard.
    pub(crate) fn copy(self, text: String, done: &'static str) {
        let Some(clipboard) = web_sys::window().map(|w| w.navigator().clipboard()) else { return };
        self.spawn(async move {
            match wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&text)).await {
                Ok(_) => self.tell(done),
                Err(_) => self.complain("the browser did not let this page copy; select the text and copy it yourself"),
            }
        });
    }
}

/// This machine's clock, milliseconds since 1970.
pub(crate) fn now() -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a date's milliseconds are whole; `as` saturates"
    )]
    let now = js_sys::Date::now() as u64;
    now
}

/// Minutes east of UTC at a moment, as this machine has it.
pub(crate) fn zone(at: u64) -> i32 {
    /// Clocks are changed at such steps alone.
    const STEP: u64 = 15 * 60_000;
    thread_local! {
        /// The last answer: rows that stand together were sent together, and asking the browser is dear.
        static LAST: core::cell::Cell<Option<(u64, i32)>> = const { core::cell::Cell::new(None) };
    }
    if let Some((step, zone)) = LAST.get()
        && step == at / STEP
    {
        return zone;
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a float for 280,000 years")]
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64));
    #[expect(clippy::cast_possible_truncation, reason = "at most 840; not a number becomes 0")]
    let west = date.get_timezone_offset() as i32;
    LAST.set(Some((at / STEP, -west)));
    -west
}
