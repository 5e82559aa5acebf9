//! The messages of a room: only what is visible and a little around it is in the DOM.
//!
//! Where rows stand is the model's ([`crate::model::window`]). Whatever happens (a turn of the wheel, a message, another
//! width) asks for one frame, and a frame goes: read where the reader is; take rows off and put rows on, as many as fit
//! into its time; read how tall those are; write where all of it stands. What is still missing comes with the next one.

use std::collections::VecDeque;

use estoile_engine::RoomId;
use reactive_graph::owner::LocalStorage;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::HtmlElement;

use super::message::{self, Leaf};
use super::moving::Moving;
use super::prelude::*;
use crate::app::{now, zone};
use crate::model::shown::{self, Look, Row};
use crate::model::talk::Talk;
use crate::model::window::Anchor;

/// What building and measuring rows should take of a frame, milliseconds; drawing them takes about as much again.
const TIME: f64 = 5.0;
/// Rows that are built in one frame: at first, and however long or short they take.
const FIRST: usize = 10;
const FEWEST: usize = 2;
const MOST: usize = 10;

/// The scroller of a room.
pub(crate) fn timeline(app: App, id: RoomId) -> AnyView {
    let sheet = Sheet {
        app,
        id,
        scroller: NodeRef::new(),
        above: NodeRef::new(),
        inside: NodeRef::new(),
        under: NodeRef::new(),
        waits: RwSignal::new(false),
        moving: Moving::new(),
        drawn: StoredValue::new_local(Drawn { limit: FIRST, ..Drawn::default() }),
    };
    Effect::new(move |_| {
        app.talks.with(|_| ());
        if sheet.scroller.get().is_some() {
            sheet.soon();
        }
    });
    sheet.follow_size();
    let bare = Memo::new(move |_| app.talks.with(|t| t.get(&id).is_some_and(Talk::is_bare)));
    div()
        .class(move || if bare.get() { "timeline-place bare" } else { "timeline-place" })
        .child((
            div()
                .class(move || if sheet.moving.get() { "timeline moving" } else { "timeline" })
                .attr("role", "log")
                .attr("aria-live", "off")
                .attr("aria-label", "Messages")
                .attr("tabindex", "0")
                .node_ref(sheet.scroller)
                .on(ev::scroll, move |_| {
                    sheet.soon();
                    sheet.moving.moved(sheet.inside);
                })
                .on(ev::keydown, super::keys::in_timeline)
                .child((
                    div().class("spacer").node_ref(sheet.above),
                    div()
                        .class("rows")
                        .node_ref(sheet.inside)
                        .on(ev::pointermove, move |event| sheet.pointed(event.target()))
                        .on(ev::pointerdown, move |event| sheet.pointed(event.target()))
                        .on(ev::focusin, move |event| sheet.pointed(event.target())),
                    div().class("spacer").node_ref(sheet.under),
                )),
            to_end(app, id),
        ))
        .into_any()
}

fn to_end(app: App, id: RoomId) -> AnyView {
    let below = Memo::new(move |_| app.talks.with(|t| t.get(&id).filter(|t| t.loaded && !t.at_end()).map(|t| t.below)));
    (move || {
        below.get().map(|count| {
            let words = if count == 0 { String::from("To the newest") } else { format!("{count} new below") };
            button()
                .attr("type", "button")
                .class(if count == 0 { "to-end" } else { "to-end new" })
                .on(ev::click, move |_| app.to_end(id))
                .child((parts::icon("down"), span().child(words)))
        })
    })
    .into_any()
}

/// Brings what is drawn and the model together.
#[derive(Clone, Copy)]
struct Sheet {
    app: App,
    id: RoomId,
    scroller: NodeRef<Div>,
    above: NodeRef<Div>,
    inside: NodeRef<Div>,
    under: NodeRef<Div>,
    waits: RwSignal<bool>,
    moving: Moving,
    drawn: StoredValue<Drawn, LocalStorage>,
}

/// What is drawn.
#[derive(Default)]
struct Drawn {
    rows: VecDeque<Leaf>,
    /// The first row's place in the timeline, when it had this version.
    first: usize,
    version: u64,
    /// The scroller's heights, of all and of what is visible, and how far it was scrolled, after the last frame.
    laid: (i32, i32),
    top: i32,
    /// The spacers' heights.
    spacers: (f64, f64),
    /// The height of all rows together, when each was measured.
    tall: f64,
    /// How many rows fit into a frame.
    limit: usize,
}

/// The elements.
struct Nodes {
    scroller: HtmlElement,
    above: HtmlElement,
    inside: HtmlElement,
    under: HtmlElement,
}

/// A row that is wanted: one that stands there, or one to build.
enum Want {
    Same(usize),
    New(Box<Row>),
}

/// What a frame draws.
struct Plan {
    first: usize,
    version: u64,
    wants: Vec<Want>,
}

impl Sheet {
    /// In the next frame.
    fn soon(self) {
        if self.waits.try_get_untracked() != Some(false) {
            return;
        }
        self.waits.set(true);
        let run = Closure::once_into_js(move || {
            // The room may have been left in the meantime.
            if self.waits.try_set(false).is_none() {
                self.drawn.try_update_value(|drawn| self.frame(drawn));
                self.app.page(self.id);
            }
        });
        if let Some(window) = web_sys::window() {
            drop(window.request_animation_frame(run.unchecked_ref()));
        }
    }

    fn nodes(self) -> Option<Nodes> {
        let get = |node: NodeRef<Div>| Some(HtmlElement::from(node.try_get_untracked()??));
        Some(Nodes {
            scroller: get(self.scroller)?,
            above: get(self.above)?,
            inside: get(self.inside)?,
            under: get(self.under)?,
        })
    }

    fn frame(self, drawn: &mut Drawn) {
        let Some(nodes) = self.nodes() else { return };
        let (top, laid) = (nodes.scroller.scroll_top(), heights(&nodes.scroller));
        let moved = drawn.laid != laid;
        let scrolled = (top - drawn.top).abs() > 1;
        // A width has changed, a picture of a letter has come: all is measured anew.
        let tall = nodes.inside.get_bounding_client_rect().height();
        let stale = (tall - drawn.tall).abs() > 0.4 || laid.1 != drawn.laid.1;
        let plan = self.model(|talk| {
            let was = talk.at_end();
            talk.resized(f64::from(laid.1));
            if stale {
                talk.drawn(drawn.place(talk).start, drawn.rows.iter_mut().map(Leaf::measured));
            }
            // Rows came or changed, and the browser moved what it shows: who reads the newest message goes on doing so.
            if scrolled && !(moved && talk.window.anchor == Anchor::End) {
                talk.scrolled(f64::from(top));
            }
            (was != talk.at_end(), drawn.plan(talk))
        });
        let Some(plan) = plan else { return };
        let begun = clock();
        let built = drawn.draw(self.app, self.id, &nodes, plan);
        let still = self.model(|talk| {
            // All is written before anything is read: one layout a frame, but where a guess was wrong.
            drawn.put(talk, &nodes);
            if built > 0 || stale {
                talk.drawn(drawn.first, drawn.rows.iter_mut().map(Leaf::height));
            }
            drawn.put(talk, &nodes);
            let top = drawn.scroll(talk, &nodes);
            if built > 0 {
                drawn.took(built, clock() - begun);
            }
            (false, top)
        });
        drawn.tall = nodes.inside.get_bounding_client_rect().height();
        (drawn.laid, drawn.top) = (heights(&nodes.scroller), nodes.scroller.scroll_top());
        if still == Some(false) {
            self.soon();
        }
        if scrolled {
            self.app.mark_read();
        }
    }

    /// Asks or changes the model, and says whether others want to know.
    fn model<T>(self, change: impl FnOnce(&mut Talk) -> (bool, T)) -> Option<T> {
        let changed = self.app.talks.try_maybe_update(|talks| {
            let Some((news, value)) = talks.get_mut(&self.id).map(change) else { return (false, None) };
            (news, Some(value))
        });
        changed.flatten()
    }

    /// A message is pointed at or has the focus: what can be done with it goes there.
    fn pointed(self, target: Option<web_sys::EventTarget>) {
        let message =
            target.and_then(|t| t.dyn_into::<web_sys::Element>().ok()).and_then(|e| e.closest(".msg").ok()?);
        let Some(message) = message else { return };
        self.drawn.try_update_value(|drawn| {
            if let Some(leaf) = drawn.rows.iter_mut().find(|leaf| leaf.is(&message)) {
                leaf.offer(self.app, self.id);
            }
        });
    }

    /// A page that becomes wider or narrower lays its text out anew.
    fn follow_size(self) {
        let run = Closure::<dyn FnMut()>::new(move || self.soon());
        let Ok(observer) = web_sys::ResizeObserver::new(run.as_ref().unchecked_ref()) else { return };
        let held = StoredValue::new_local((observer.clone(), run));
        Effect::new(move |_| {
            if let Some(scroller) = self.scroller.get() {
                observer.observe(&scroller);
            }
            if let Some(inside) = self.inside.get() {
                observer.observe(&inside);
            }
        });
        on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
    }
}

impl Drawn {
    /// What is drawn now, at the places that the timeline has today; nothing is drawn where it came too far apart.
    fn place(&self, talk: &Talk) -> core::ops::Range<usize> {
        let range = self.first..self.first + self.rows.len();
        if self.version == talk.version {
            return range;
        }
        let near = self.rows.len() + crate::model::timeline::PAGE * 2;
        let at = |(i, leaf): (usize, &Leaf)| talk.timeline.position_near(leaf.look.key, self.first + i, near);
        let first = self.rows.iter().enumerate().find_map(at);
        let last = self.rows.iter().enumerate().rev().find_map(at);
        first.zip(last).map(|(a, b)| a..b + 1).filter(|r| r.len() <= self.rows.len() + MOST).unwrap_or_default()
    }

    /// What is to be drawn, and what of it stands there.
    fn plan(&self, talk: &mut Talk) -> Plan {
        talk.laid();
        let range = talk.window.draw(self.place(talk), self.limit);
        let (now, same) = (now(), self.version == talk.version);
        let mut wants = Vec::with_capacity(range.len());
        for at in range.clone() {
            let old = at.checked_sub(self.first).filter(|i| same && *i < self.rows.len());
            let want = old.map(Want::Same).or_else(|| {
                let look = shown::look(&talk.timeline, at, now, zone)?;
                self.find(&look)
                    .map(Want::Same)
                    .or_else(|| Some(Want::New(Box::new(shown::row(&talk.timeline, at, look, zone)?))))
            });
            wants.extend(want);
        }
        Plan { first: range.start, version: talk.version, wants }
    }

    /// Building so many rows took so long: the next frame builds more or fewer.
    fn took(&mut self, built: usize, time: f64) {
        if time > TIME * 1.4 {
            self.limit -= self.limit / 4 + 1;
        } else if time < TIME && built >= self.limit {
            self.limit += self.limit / 8 + 1;
        }
        self.limit = self.limit.clamp(FEWEST, MOST);
    }

    fn find(&self, look: &Look) -> Option<usize> {
        self.rows.iter().position(|leaf| leaf.look == *look)
    }

    /// Takes rows off and puts rows on; how many are new.
    fn draw(&mut self, app: App, room: RoomId, nodes: &Nodes, plan: Plan) -> usize {
        let mut old: Vec<Option<Leaf>> = self.rows.drain(..).map(Some).collect();
        let mut stays = vec![false; old.len()];
        for want in &plan.wants {
            if let Want::Same(at) = want
                && let Some(stays) = stays.get_mut(*at)
            {
                *stays = true;
            }
        }
        old.iter_mut().zip(stays).filter(|(_, stays)| !stays).for_each(|(leaf, _)| drop(leaf.take()));
        let (mut built, mut before, mut order) = (0, None::<web_sys::Node>, usize::MAX);
        for want in plan.wants.into_iter().rev() {
            let leaf = match want {
                Want::Same(at) => {
                    let Some(leaf) = old.get_mut(at).and_then(Option::take) else { continue };
                    if at > order {
                        leaf.put(&nodes.inside, before.as_ref());
                    }
                    order = order.min(at);
                    leaf
                }
                Want::New(row) => {
                    let Some(leaf) = message::row(app, room, *row) else { continue };
                    leaf.put(&nodes.inside, before.as_ref());
                    built += 1;
                    leaf
                }
            };
            before = Some(leaf.node());
            self.rows.push_front(leaf);
        }
        (self.first, self.version) = (plan.first, plan.version);
        built
    }

    /// Says how much stands above and below what is drawn.
    fn put(&mut self, talk: &mut Talk, nodes: &Nodes) {
        let window = talk.laid();
        let above = window.top_of(self.first);
        let under = (window.total() - window.top_of(self.first + self.rows.len())).max(0.0);
        if (self.spacers.0 - above).abs() > 0.01 {
            drop(nodes.above.style().set_property("height", &format!("{above}px")));
        }
        if (self.spacers.1 - under).abs() > 0.01 {
            drop(nodes.under.style().set_property("height", &format!("{under}px")));
        }
        self.spacers = (above, under);
    }

    /// Puts the scroller where the model says; whether all is drawn that should be.
    fn scroll(&self, talk: &mut Talk, nodes: &Nodes) -> bool {
        let window = talk.laid();
        #[expect(clippy::cast_possible_truncation, reason = "a height in pixels; `as` saturates")]
        let to = window.scroll_top().round() as i32;
        if (nodes.scroller.scroll_top() - to).abs() > 1 {
            nodes.scroller.set_scroll_top(to);
        }
        window.is_drawn(&(self.first..self.first + self.rows.len()))
    }
}

fn heights(scroller: &HtmlElement) -> (i32, i32) {
    (scroller.scroll_height(), scroller.client_height())
}

/// Milliseconds, for differences.
pub(super) fn clock() -> f64 {
    web_sys::window().and_then(|w| w.performance()).map_or(0.0, |p| p.now())
}
