//! The messages of a room: only what is visible and a little around it is in the DOM.
//!
//! Where rows stand is the model's ([`crate::model::window`]). After each drawing, rows are measured once, the model is
//! told, and the scroller is put where the model says. One reading of the layout and one writing a drawing.

use estoile_engine::RoomId;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::HtmlElement;

use super::message;
use super::prelude::*;
use crate::app::{now, zone};
use crate::model::shown::{self, Row};
use crate::model::timeline::Key;
use crate::model::window::Anchor;

/// The scroller of a room.
pub(crate) fn timeline(app: App, id: RoomId) -> AnyView {
    let (scroller, inside) = (NodeRef::<Div>::new(), NodeRef::<Div>::new());
    let drawn =
        Memo::new(move |_| app.talks.with(|t| t.get(&id).map(|t| t.window.range(&t.timeline)).unwrap_or_default()));
    let rows = move || -> Vec<Row> {
        let range = drawn.get();
        app.talks.with(|t| t.get(&id).map(|t| shown::rows(&t.timeline, range, now(), zone)).unwrap_or_default())
    };
    let above = Memo::new(move |_| {
        let at = drawn.get().start;
        app.talks.with(|t| t.get(&id).map_or(0.0, |t| t.window.top_of(at)))
    });
    let under = Memo::new(move |_| {
        let at = drawn.get().end;
        app.talks.with(|t| t.get(&id).map_or(0.0, |t| t.window.total() - t.window.top_of(at)))
    });
    let settle = Settle { app, id, scroller, inside, waits: RwSignal::new(false), laid: RwSignal::new((0, 0)) };
    Effect::new(move |_| {
        app.talks.with(|_| ());
        if scroller.get().is_some() {
            settle.soon();
        }
    });
    settle.follow_size();
    div()
        .class("timeline-place")
        .child((
            div()
                .class("timeline")
                .attr("role", "log")
                .attr("aria-live", "off")
                .attr("aria-label", "Messages")
                .attr("tabindex", "0")
                .node_ref(scroller)
                .on(ev::scroll, move |_| settle.scrolled())
                .on(ev::keydown, super::keys::in_timeline)
                .child((
                    div().class("spacer").style(("height", move || format!("{}px", above.get()))),
                    div().class("rows").node_ref(inside).child(parts::each(
                        rows,
                        |row: &Row| row.look.clone(),
                        move |row| message::row(app, id, row),
                    )),
                    div().class("spacer").style(("height", move || format!("{}px", under.get().max(0.0)))),
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
struct Settle {
    app: App,
    id: RoomId,
    scroller: NodeRef<Div>,
    inside: NodeRef<Div>,
    waits: RwSignal<bool>,
    /// The scroller's heights, of all and of what is visible, when it was last put where the model says.
    laid: RwSignal<(i32, i32)>,
}

impl Settle {
    /// Before the next frame.
    fn soon(self) {
        if self.waits.try_get_untracked() != Some(false) {
            return;
        }
        self.waits.set(true);
        let run = Closure::once_into_js(move || {
            // The room may have been left in the meantime.
            if self.waits.try_set(false).is_none() {
                self.now();
            }
        });
        if let Some(window) = web_sys::window() {
            drop(window.request_animation_frame(run.unchecked_ref()));
        }
    }

    fn now(self) {
        let Some((scroller, inside)) =
            self.scroller.try_get_untracked().flatten().zip(self.inside.try_get_untracked().flatten())
        else {
            return;
        };
        let heights = measured(&inside);
        let viewport = f64::from(scroller.client_height());
        let Some(to) = self.app.talks.try_maybe_update(|talks| {
            let Some(talk) = talks.get_mut(&self.id) else { return (false, None) };
            let mut news = (talk.window.viewport - viewport).abs() > 0.5;
            talk.window.viewport = viewport;
            for (key, height) in heights {
                news |= talk.timeline.set_drawn(key, height);
            }
            if news {
                talk.lay();
            }
            (news, Some(talk.window.scroll_top(&talk.timeline)))
        }) else {
            return;
        };
        if let Some(to) = to {
            #[expect(clippy::cast_possible_truncation, reason = "a height in pixels; `as` saturates")]
            let to = to.round() as i32;
            if (scroller.scroll_top() - to).abs() > 1 {
                scroller.set_scroll_top(to);
            }
        }
        self.laid.try_set((scroller.scroll_height(), scroller.client_height()));
        self.app.page(self.id);
    }

    fn scrolled(self) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let to = f64::from(scroller.scroll_top());
        let heights = (scroller.scroll_height(), scroller.client_height());
        let moved = self.laid.try_get_untracked().is_some_and(|laid| laid != heights);
        self.app.talks.try_maybe_update(|talks| {
            let Some(talk) = talks.get_mut(&self.id) else { return (false, ()) };
            // Rows came or changed, and the browser moved what it shows: who reads the newest message goes on doing so.
            if moved && talk.window.anchor == Anchor::End {
                self.soon();
                return (false, ());
            }
            // What we set ourselves comes back as an event, and is no news.
            if (talk.window.scroll_top(&talk.timeline) - to).abs() < 1.5 {
                return (false, ());
            }
            talk.scrolled(to);
            (true, ())
        });
        self.app.mark_read();
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
        });
        on_cleanup(move || held.with_value(|(observer, _)| observer.disconnect()));
    }
}

/// The heights of all rows drawn: from one row's upper edge to the next one's, so that margins count.
fn measured(inside: &HtmlElement) -> Vec<(Key, f32)> {
    let rows = inside.children();
    let mut out: Vec<(Key, f32)> = Vec::new();
    let mut last: Option<(Key, f64)> = None;
    for at in 0..rows.length() {
        let Some(row) = rows.item(at) else { continue };
        let Some(key) = row.get_attribute("data-key").as_deref().and_then(message::key_of) else { continue };
        let top = row.get_bounding_client_rect().top();
        push(&mut out, last.replace((key, top)), top);
    }
    push(&mut out, last, inside.get_bounding_client_rect().bottom());
    out
}

fn push(out: &mut Vec<(Key, f32)>, row: Option<(Key, f64)>, next_top: f64) {
    if let Some((key, top)) = row {
        #[expect(clippy::cast_possible_truncation, reason = "a height in pixels")]
        out.push((key, (next_top - top) as f32));
    }
}
