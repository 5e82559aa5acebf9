//! What is written: the field, its commands, the time to live.

use estoile_engine::{Command, RoomId};
use web_sys::KeyboardEvent;

use super::prelude::*;
use crate::app::now;
use crate::model::composer::{Enter, enter, length, ttl_choices};
use crate::model::slash::{Candidate, complete};
use crate::model::{inert, time};

/// The others are told at most this often that one types.
const TYPING_EVERY_MS: u64 = 3000;

/// Emoji within reach; every system has a keyboard for the others.
const EMOJI: [&str; 24] = [
    "👍", "❤️", "😂", "😊", "😮", "😢", "😡", "🙏", "🎉", "🔥", "✨", "⭐", "✅", "❌", "👀", "👋", "💪", "🤔", "🙄",
    "😴", "🥳", "🤝", "☕", "🌙",
];

/// One composer.
#[derive(Clone, Copy)]
struct Composer {
    app: App,
    id: RoomId,
    text: RwSignal<String>,
    field: NodeRef<Textarea>,
    candidates: RwSignal<Vec<Candidate>>,
    replaces: RwSignal<usize>,
    chosen: RwSignal<usize>,
    emoji: RwSignal<bool>,
    typed_at: RwSignal<u64>,
}

/// The composer of a room.
pub(crate) fn composer(app: App, id: RoomId) -> AnyView {
    let me = Composer {
        app,
        id,
        text: RwSignal::new(app.drafts.with_untracked(|d| d.get(id))),
        field: NodeRef::new(),
        candidates: RwSignal::default(),
        replaces: RwSignal::default(),
        chosen: RwSignal::default(),
        emoji: RwSignal::new(false),
        typed_at: RwSignal::default(),
    };
    me.follow();
    let view = Memo::new(move |_| app.rooms.with(|r| r.get(id).cloned()));
    let about = move || {
        view.with(|v| {
            let v = v.as_ref()?;
            let lives = v.ttl.map(|ttl| format!(", messages live {}", time::span(ttl))).unwrap_or_default();
            Some(format!("as {}{lives}", inert::line(&v.own_name)))
        })
    };
    let closed = move || view.with(|v| v.as_ref().is_some_and(|v| v.private.as_ref().is_some_and(|p| p.waiting)));
    div()
        .class("composer-place")
        .child((
            me.suggestions(),
            me.emoji(),
            div().class("composer").child((
                me.emoji_button(),
                me.textarea(closed),
                button()
                    .attr("type", "button")
                    .class("icon-button send")
                    .attr("aria-label", "Send")
                    .prop("disabled", move || me.text.with(|t| t.trim().is_empty()))
                    .on(ev::click, move |_| me.enter())
                    .child(parts::icon("send")),
            )),
            div().class("composer-foot").child((
                span().class("muted").attr("dir", "auto").child(about),
                span().class("composer-length").attr("role", "status").child(move || me.text.with(|t| length(t))),
            )),
        ))
        .into_any()
}

impl Composer {
    /// The draft follows what is written; a text that was refused comes back; the field has the focus where that helps.
    fn follow(self) {
        Effect::new(move |_| {
            let kept = self.app.drafts.with(|d| d.get(self.id));
            if self.text.with_untracked(|t| *t != kept) {
                self.text.set(kept);
            }
        });
        Effect::new(move |_| {
            // On a touch screen the keyboard would cover the messages.
            if let Some(field) = self.field.get()
                && crate::app::fine_pointer()
            {
                drop(field.focus());
            }
        });
        Effect::new(move |_| {
            self.text.with(|_| ());
            if let Some(field) = self.field.get() {
                // After the field has got the text.
                self.app.spawn(async move { grow(&field) });
            }
        });
    }

    fn set(self, text: String) {
        self.text.set(text.clone());
        self.app.drafts.update(|d| d.set(self.id, text.clone()));
        let names = self.app.rooms.with_untracked(|r| r.list.iter().map(|r| inert::line(&r.name)).collect::<Vec<_>>());
        let found = complete(&text, names.iter().map(String::as_str));
        self.replaces.set(found.replaces);
        self.candidates.set(found.candidates);
        self.chosen.set(0);
        let now = now();
        let quiet = text.trim().is_empty() || text.starts_with('/');
        if !quiet && now >= self.typed_at.get_untracked() + TYPING_EVERY_MS {
            self.typed_at.set(now);
            let (app, room) = (self.app, self.id);
            app.spawn(async move {
                // Nobody needs to know that the others could not be told.
                drop(app.command(Command::Typing { room }).await);
            });
        }
    }

    fn textarea(self, closed: impl Fn() -> bool + Send + 'static) -> AnyView {
        let active =
            move || self.candidates.with(|c| (!c.is_empty()).then(|| format!("suggest-{}", self.chosen.get())));
        textarea()
            .attr("rows", "1")
            .attr("dir", "auto")
            .attr("id", "composer")
            .attr("aria-label", "Message")
            .attr("aria-autocomplete", "list")
            .attr("aria-controls", "suggest")
            .attr("aria-activedescendant", active)
            .attr("enterkeyhint", "send")
            .attr("placeholder", "Message, or / for commands")
            .prop("disabled", closed)
            .prop("value", move || self.text.get())
            .node_ref(self.field)
            .on_target(ev::input, move |event| self.set(event.target().value()))
            .on(ev::keydown, move |event| self.key(&event))
            .into_any()
    }

    fn key(self, event: &KeyboardEvent) {
        // While a word is being composed, keys are the input method's.
        if event.is_composing() || event.key_code() == 229 {
            return;
        }
        let offered = self.candidates.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if offered > 0 => self.chosen.update(|c| *c = (*c + 1) % offered),
            "ArrowUp" if offered > 0 => self.chosen.update(|c| *c = (*c + offered - 1) % offered),
            "Tab" if offered > 0 && !event.shift_key() => self.take(self.chosen.get_untracked()),
            "Escape" if offered > 0 => self.candidates.set(Vec::new()),
            "Escape" if self.emoji.get_untracked() => self.emoji.set(false),
            "Enter" if !event.shift_key() && !event.alt_key() && !touch_only() => {
                let exact = self.text.with_untracked(|t| {
                    let words = self.candidates.with_untracked(|c| c.first().map(|c| c.text.trim().to_owned()));
                    words.is_none_or(|w| *t.trim() == w) || t.contains(' ')
                });
                if exact { self.enter() } else { self.take(self.chosen.get_untracked()) }
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    /// Puts a candidate in.
    fn take(self, at: usize) {
        let Some(candidate) = self.candidates.with_untracked(|c| c.get(at).cloned()) else { return };
        let mut text = self.text.get_untracked();
        text.truncate(text.len().saturating_sub(self.replaces.get_untracked()));
        text.push_str(&candidate.text);
        self.set(text);
        if !candidate.text.ends_with(' ') {
            self.candidates.set(Vec::new());
        }
    }

    fn enter(self) {
        match enter(&self.text.get_untracked()) {
            Enter::Nothing => {}
            Enter::Not(why) => self.app.complain(why),
            Enter::Send(text) => {
                self.set(String::new());
                self.app.send(self.id, text);
            }
            Enter::Do(slash) => {
                self.set(String::new());
                self.app.slash(self.id, slash);
            }
        }
    }

    fn suggestions(self) -> AnyView {
        let one = move |(at, candidate): (usize, Candidate)| {
            div()
                .class("suggest-row")
                .attr("role", "option")
                .attr("id", format!("suggest-{at}"))
                .attr("aria-selected", move || if self.chosen.get() == at { "true" } else { "false" })
                .on(ev::mousedown, move |event: web_sys::MouseEvent| {
                    // The field keeps the focus.
                    event.prevent_default();
                    self.take(at);
                })
                .child((
                    strong().class("mono").child(candidate.text.clone()),
                    span().class("mono muted").child(candidate.takes),
                    span().child(candidate.does),
                ))
                .into_any()
        };
        let rows = move || self.candidates.get().into_iter().enumerate().map(one).collect::<Vec<_>>();
        div()
            .class("suggest")
            .attr("id", "suggest")
            .attr("role", "listbox")
            .attr("aria-label", "Commands")
            .prop("hidden", move || self.candidates.with(Vec::is_empty))
            .child(rows)
            .into_any()
    }

    fn emoji_button(self) -> AnyView {
        button()
            .attr("type", "button")
            .class("icon-button")
            .attr("aria-label", "Emoji")
            .attr("aria-expanded", move || if self.emoji.get() { "true" } else { "false" })
            .on(ev::click, move |_| self.emoji.update(|e| *e = !*e))
            .child(parts::icon("emoji"))
            .into_any()
    }

    fn emoji(self) -> AnyView {
        let one = move |emoji: &'static str| {
            button()
                .attr("type", "button")
                .class("emoji")
                .on(ev::click, move |_| {
                    let mut text = self.text.get_untracked();
                    text.push_str(emoji);
                    self.set(text);
                    self.emoji.set(false);
                    if let Some(field) = self.field.get_untracked() {
                        drop(field.focus());
                    }
                })
                .child(emoji)
                .into_any()
        };
        (move || {
            self.emoji.get().then(|| {
                div()
                    .class("emoji-place")
                    .attr("role", "group")
                    .attr("aria-label", "Emoji")
                    .on(ev::keydown, super::keys::arrows)
                    .child(EMOJI.iter().map(|e| one(e)).collect::<Vec<_>>())
            })
        })
        .into_any()
    }
}

/// A phone's keyboard has no Shift-Enter: Enter is a new line there, and the button sends.
fn touch_only() -> bool {
    !crate::app::fine_pointer()
}

/// As tall as its text, up to what the style sheet allows.
fn grow(field: &web_sys::HtmlTextAreaElement) {
    let style = web_sys::HtmlElement::style(field);
    drop(style.set_property("height", "auto"));
    drop(style.set_property("height", &format!("{}px", field.scroll_height())));
}

/// A choice of how long messages live.
pub(crate) fn ttl_choice(label_text: &'static str, most: Option<u64>, ttl: RwSignal<Option<u64>>) -> AnyView {
    let id = parts::fresh_id();
    let choices = ttl_choices(most);
    let options: Vec<AnyView> = choices
        .iter()
        .enumerate()
        .map(|(at, (seconds, words))| {
            let seconds = *seconds;
            option()
                .attr("value", at.to_string())
                .prop("selected", move || ttl.get() == seconds)
                .child(words.clone())
                .into_any()
        })
        .collect();
    div()
        .class("field")
        .child((
            label().attr("for", id.clone()).child(label_text),
            select()
                .attr("id", id)
                .on_target(ev::change, move |event| {
                    let at: usize = event.target().value().parse().unwrap_or_default();
                    if let Some((seconds, _)) = choices.get(at) {
                        ttl.set(*seconds);
                    }
                })
                .child(options),
        ))
        .into_any()
}
