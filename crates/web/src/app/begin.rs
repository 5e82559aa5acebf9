//! How it begins: the worker is taken over, the link is read and cleared, stages follow each other.

use estoile_engine::face;
use estoile_port::{Ask, Down, Reply, Stage};
use reactive_graph::owner::{Owner, provide_context};
use reactive_graph::prelude::*;
use tachys::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Window;

use super::{App, Flash, now};
use crate::model::landing::{self, Trust, Way};
use crate::model::screen::Screen;
use crate::port::Port;
use crate::ui;

/// Begins, with a worker that `main.js` has started, and what it said so far.
#[wasm_bindgen]
pub fn start(worker: web_sys::Worker, early: Vec<JsValue>) {
    // An error means that it was begun already.
    drop(any_spawner::Executor::init_wasm_bindgen());
    let Some(window) = web_sys::window() else { return };
    let Some(body) = window.document().and_then(|d| d.body()) else { return };
    let owner = Owner::new();
    owner.with(|| {
        let app = App::new();
        provide_context(app);
        app.read_link(&window);
        let port = Port::new(worker, early, move |down| app.down(down));
        app.port.set_value(Some(port));
        if app.stage.get_untracked() == Stage::Loaded {
            app.begin(false);
        }
        app.follow_browser(&window);
        body.replace_children_with_node_0();
        let mut shown = ui::shell::shell(app).build();
        shown.mount(&body, None);
        // The page lives as long as its document.
        core::mem::forget(shown);
    });
    core::mem::forget(owner);
}

impl App {
    /// Reads the link behind the page's address, once, and takes it out of the address and of the history's entry.
    pub(super) fn read_link(self, window: &Window) {
        let location = window.location();
        let Some(link) = location.hash().ok().as_deref().and_then(landing::fragment) else { return };
        let path = location.pathname().unwrap_or_else(|_| String::from("/"));
        if let Ok(history) = window.history() {
            drop(history.replace_state_with_url(&JsValue::NULL, "", Some(&path)));
        }
        if matches!(self.stage.get_untracked(), Stage::Open(_)) {
            self.go(Screen::Link(link));
        } else {
            self.link.set(Some(link));
        }
    }

    /// The first word to the worker: where this page is from.
    pub(crate) fn begin(self, take_over: bool) {
        self.spawn(async move {
            let Some(window) = web_sys::window() else { return };
            let origin = window.location().origin().unwrap_or_default();
            // Only a page of one's own machine may speak to relays elsewhere.
            let own =
                window.location().hostname().is_ok_and(|h| matches!(h.as_str(), "127.0.0.1" | "localhost" | "[::1]"));
            let mut relays = Vec::new();
            if own && local(&window).await {
                self.trust.set(Trust::of(true));
                relays =
                    fetched(&window, "/relays").await.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default();
            }
            if let Err(why) = self.ask(Ask::Begin { origin, relays, take_over }).await {
                self.complain(why);
            }
        });
    }

    pub(super) fn down(self, down: Down) {
        match down {
            Down::Stage(stage) => self.staged(stage),
            Down::Event(event) => self.event(*event),
            Down::Reply(..) | Down::Progress(..) => {}
        }
    }

    fn staged(self, stage: Stage) {
        let was_open = matches!(self.stage.get_untracked(), Stage::Open(_));
        let open = matches!(stage, Stage::Open(_));
        if open && !was_open {
            return self.opened(stage);
        }
        let fresh = stage == Stage::Fresh;
        self.stage.set(stage);
        if fresh {
            // No question before one is in: the vault is under a key that the browser keeps. Settings can add more.
            self.unlock(None, false);
        }
    }

    /// Opens or makes the vault.
    pub(crate) fn unlock(self, passphrase: Option<zeroize::Zeroizing<String>>, memory: bool) {
        self.spawn(async move {
            if let Err(why) = self.ask(Ask::Unlock { passphrase, memory }).await {
                self.complain(why);
            }
        });
    }

    /// Asks for everything at once (the answers come in the order of the questions), and builds the screen when it is known which
    /// one it is: another one would be built for nothing.
    fn opened(self, stage: Stage) {
        let before = self.stage.get_untracked();
        let settings = self.ask_with(Ask::Settings, None).1;
        let rooms = self.ask_with(Ask::Face(face::Ask::Rooms), None).1;
        let link = self.link.try_update(Option::take).flatten();
        let read = link.map(|link| (self.ask_with(Ask::ReadLink { link: link.clone() }, None).1, link));
        self.refresh_overview();
        self.spawn(async move {
            if let Ok(Reply::Settings(settings)) = settings.await {
                self.settings.set(settings);
            }
            self.load_rooms(rooms.await);
            let screen = match read {
                Some((read, link)) => Some(self.linked(read.await, link)),
                None => self.first_room(),
            };
            match screen {
                Some(Screen::Room(room)) => self.arrive(room).await,
                Some(screen) => self.go(screen),
                None => {}
            }
            // Unless it stands elsewhere by now.
            if self.stage.with_untracked(|now| *now == before) {
                self.stage.set(stage);
            }
            // Another link may have been opened meanwhile.
            if let Some(link) = self.link.try_update(Option::take).flatten() {
                self.go(Screen::Link(link));
            }
        });
    }

    /// What a link opens: its room if it is here, else a screen of its own.
    fn linked(self, read: Result<Reply, String>, link: String) -> Screen {
        let Ok(Reply::Link(view)) = read else { return Screen::Link(link) };
        if let Way::Open(room) = landing::way(&view) {
            return Screen::Room(room);
        }
        self.read.set_value(Some((link.clone(), view)));
        Screen::Link(link)
    }

    /// What a wide page shows beside the list, if nothing else was asked for.
    fn first_room(self) -> Option<Screen> {
        let free = !self.narrow.get_untracked() && self.screen.with_untracked(|screen| *screen == Screen::Home);
        self.rooms.with_untracked(|r| r.list.first().filter(|_| free).map(|r| Screen::Room(r.id)))
    }

    pub(super) async fn refresh_rooms(self) {
        self.load_rooms(self.ask(Ask::Face(face::Ask::Rooms)).await);
    }

    fn load_rooms(self, answer: Result<Reply, String>) {
        if let Ok(Reply::Face(face::Reply::Rooms(rooms))) = answer {
            self.rooms.update(|r| r.load(rooms));
        }
    }

    pub(super) fn refresh_overview(self) {
        self.spawn(async move {
            if let Ok(Reply::Face(face::Reply::Overview(overview))) = self.ask(Ask::Face(face::Ask::Overview)).await {
                self.overview.set(*overview);
            }
        });
    }

    /// The clock, the address, keys and visits of the page, and what `main.js` says.
    fn follow_browser(self, window: &Window) {
        let tick = Closure::<dyn FnMut()>::new(move || {
            self.now.set(now());
            self.mark_read();
        });
        drop(window.set_interval_with_callback_and_timeout_and_arguments_0(tick.as_ref().unchecked_ref(), 1000));
        tick.forget();
        let page = window.clone();
        listen(window, "hashchange", move |_| self.read_link(&page));
        listen(window, "focus", move |_| self.mark_read());
        listen(window, "resize", move |_| {
            if self.narrow.get_untracked() == wide() {
                self.narrow.set(!wide());
            }
        });
        listen(window, "estoile:newer", move |_| {
            let text = String::from("A newer version of this page is ready.");
            self.flash.set(Some(Flash { text, error: false, newer: true }));
        });
        listen(window, "keydown", move |event| {
            if let Ok(key) = event.dyn_into::<web_sys::KeyboardEvent>() {
                ui::keys::pressed(self, &key);
            }
        });
    }
}

/// Whether the page is wide enough for the list of rooms and a room beside each other; the style sheet has the same number.
pub(super) fn wide() -> bool {
    let window = web_sys::window();
    window.and_then(|w| w.match_media("(min-width: 44.001rem)").ok().flatten()).is_none_or(|m| m.matches())
}

/// Whether there is a mouse or the like: else the keyboard comes and goes over the page.
pub(crate) fn fine_pointer() -> bool {
    let window = web_sys::window();
    window.and_then(|w| w.match_media("(pointer: fine)").ok().flatten()).is_none_or(|m| m.matches())
}

fn listen(window: &Window, name: &str, run: impl FnMut(web_sys::Event) + 'static) {
    let listener = Closure::<dyn FnMut(web_sys::Event)>::new(run);
    drop(window.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref()));
    listener.forget();
}

/// Whether the page comes from a program on this machine that lists relays.
async fn local(window: &Window) -> bool {
    fetched(window, "/version").await.is_some_and(|t| t.contains("\"local\":true"))
}

/// A text of the page's own server.
async fn fetched(window: &Window, path: &str) -> Option<String> {
    let answer = JsFuture::from(window.fetch_with_str(path)).await.ok()?;
    let answer: web_sys::Response = answer.dyn_into().ok()?;
    JsFuture::from(answer.ok().then(|| answer.text().ok()).flatten()?).await.ok()?.as_string()
}
