//! Making an account, and taking one up again with its recovery words.

use std::cell::RefCell;

use estoile_engine::{AccountCommand, Answer, Command, RelayAddress};
use reactive_graph::signal::ArcRwSignal;
use wasm_bindgen::JsCast as _;
use zeroize::Zeroizing;

use crate::model::people::account::{device_name, entry, home};
use crate::model::people::words::{self, COUNT};
use crate::ui::prelude::*;

use super::doing::Doing;

thread_local! {
    /// Words that were made and not yet put away: no change of screen may lose them.
    static FRESH: RefCell<Option<ArcRwSignal<Option<Zeroizing<String>>>>> = const { RefCell::new(None) };
}

/// The words that wait to be put away.
pub(super) fn fresh() -> ArcRwSignal<Option<Zeroizing<String>>> {
    FRESH.with_borrow_mut(|kept| kept.get_or_insert_with(|| ArcRwSignal::new(None)).clone())
}

/// A labelled line whose label is made up.
pub(super) fn line(label_text: String, value: RwSignal<String>, hint: &'static str) -> AnyView {
    let id = parts::fresh_id();
    let hint_id = (!hint.is_empty()).then(|| format!("{id}-hint"));
    let below = hint_id.clone().map(|id| p().class("hint").attr("id", id).child(hint));
    div()
        .class("field")
        .child((
            label().attr("for", id.clone()).child(label_text),
            input()
                .attr("id", id)
                .attr("autocomplete", "off")
                .attr("autocapitalize", "none")
                .attr("spellcheck", "false")
                .attr("dir", "auto")
                .attr("aria-describedby", hint_id)
                .prop("value", move || value.get())
                .on_target(ev::input, move |event| value.set(event.target().value())),
            below,
        ))
        .into_any()
}

/// Where accounts of this page live.
fn here() -> Option<RelayAddress> {
    home(&web_sys::window()?.location().origin().ok()?)
}

pub(super) fn this_device() -> String {
    let agent = web_sys::window().and_then(|w| w.navigator().user_agent().ok());
    device_name(&agent.unwrap_or_default())
}

/// What both forms end with: the device's name and, where the relay wants one, the entry code.
fn ending(device: RwSignal<String>, code: RwSignal<String>) -> AnyView {
    div()
        .class("stack")
        .child((
            parts::field(
                "This device",
                "text",
                "So that you know it among your devices. Your contacts don't see it.",
                device,
            ),
            parts::field(
                "Entry code (if this relay asks for one)",
                "text",
                "The code, or the whole address that has it. Whoever runs the relay hands it out.",
                code,
            ),
        ))
        .into_any()
}

/// The relay and the entry code of a form, or a complaint.
fn place(doing: Doing, code: RwSignal<String>) -> Option<(RelayAddress, Option<Vec<u8>>)> {
    let code = match entry(&code.get_untracked()) {
        Ok(code) => code,
        Err(why) => {
            doing.complain(why);
            return None;
        }
    };
    let relay = here();
    if relay.is_none() {
        doing.complain("This page was not loaded from a relay. Load it from one, and try again.");
    }
    Some((relay?, code))
}

/// The form that makes an account.
pub(super) fn make(app: App) -> AnyView {
    let doing = Doing::new(app);
    let name = RwSignal::new(app.settings.with_untracked(|s| s.name.clone()));
    let (device, code) = (RwSignal::new(this_device()), RwSignal::new(String::new()));
    let run = move || {
        let Some((relay, entry)) = place(doing, code) else { return };
        let (name, device) = (name.get_untracked().trim().to_owned(), device.get_untracked().trim().to_owned());
        let command = AccountCommand::New { name, device, relay, entry };
        doing.command(Command::Account(command), |answer| {
            if let Answer::Words(words) = answer {
                fresh().set(Some(words));
            }
        });
    };
    let body = div().class("stack").child((
        parts::field("Your name", "text", "What your contacts and the members of your private rooms see.", name),
        ending(device, code),
        doing.shown(),
        div().class("actions").child(parts::submit("Make an account", doing.busy)),
    ));
    parts::form_of(run, body.into_any())
}

/// The recovery key: coming back with it, or what it is for.
pub(crate) fn recovery(app: App) -> AnyView {
    let has = Memo::new(move |_| app.overview.with(|o| o.account.is_some()));
    (move || if has.get() { about() } else { restore(app) }).into_any()
}

fn about() -> AnyView {
    div()
        .class("page")
        .child((
            parts::heading("Recovery words"),
            p().class("lead").child(words::WHY),
            div().class("callout").child((
                p().child("They were shown when this account was made, and are kept nowhere: nobody can show them again."),
                p().child(
                    "If your note is lost, link a second device now: as long as you have one, you have your account. Whoever \
                     may have found the note can take the account; then make a new one and tell your contacts.",
                ),
            )),
        ))
        .into_any()
}

fn restore(app: App) -> AnyView {
    let doing = Doing::new(app);
    let fields = RwSignal::new(vec![Zeroizing::new(String::new()); COUNT]);
    let wrong = RwSignal::new(None::<usize>);
    let (device, code) = (RwSignal::new(this_device()), RwSignal::new(String::new()));
    let (keep, name) = (RwSignal::new(false), RwSignal::new(String::new()));
    // The engine names the place of a wrong word in its sentence.
    Effect::new(move |_| {
        let named = words::named(&doing.why.get());
        wrong.set(named);
        if let Some(n) = named {
            focus(n);
        }
    });
    let run = move || {
        let words = match fields.with_untracked(|f| words::joined(f)) {
            Ok(words) => words,
            Err(n) => return doing.complain(format!("Word {} is missing. Type it, and try again.", n + 1)),
        };
        let Some((relay, entry)) = place(doing, code) else { return };
        let device = device.get_untracked().trim().to_owned();
        let keep_devices = keep.get_untracked();
        let anew = Some(name.get_untracked().trim().to_owned()).filter(|name| !name.is_empty());
        let command = AccountCommand::Restore { words, device, relay, entry, keep_devices, anew };
        doing.command(Command::Account(command), move |_| {
            app.tell("The account is yours again. Rooms let you in as soon as somebody there who may is online.");
            app.go(Screen::People);
        });
    };
    let each: Vec<AnyView> = (0..COUNT).map(|n| word_field(n, fields, wrong)).collect();
    let body = div().class("stack").child((
        fieldset().child((
            legend().child("Your 24 recovery words"),
            p().class("hint")
                .attr("id", "words-hint")
                .child("Type them in order, or paste all of them into one of the fields."),
            div().class("words").child(each),
        )),
        parts::tick("My other devices are not lost: leave them in", keep),
        p().class("hint").child("Without this they are removed: whoever has found one reads no more."),
        parts::field(
            "Your name (only if the relay has lost your account)",
            "text",
            "Leave it empty. If you are told that nothing of your account is left, a name here goes on with the words alone: \
             contacts and rooms are to be met again.",
            name,
        ),
        ending(device, code),
        div().attr("id", "words-error").child(doing.shown()),
        div().class("actions").child(parts::submit("Take my account up again", doing.busy)),
    ));
    div()
        .class("page")
        .child((
            parts::heading("Take your account up again"),
            p().class("lead").child("With the 24 words that you wrote down when you made it."),
            div().class("restore").child(parts::form_of(run, body.into_any())),
        ))
        .into_any()
}

fn focus(n: usize) {
    let field = web_sys::window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id(&format!("word-{n}")));
    if let Some(field) = field.and_then(|f| f.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A field that can't be focused is still there to be typed in.
        let _ = field.focus();
    }
}

fn word_field(n: usize, fields: RwSignal<Vec<Zeroizing<String>>>, wrong: RwSignal<Option<usize>>) -> AnyView {
    let id = format!("word-{n}");
    let put = move |text: &str| {
        let mut next = n;
        fields.update(|fields| next = words::typed(fields, n, text));
        if next != n {
            focus(next);
        }
    };
    let bad = move || wrong.get() == Some(n);
    div()
        .class("field")
        .child((
            label().attr("for", id.clone()).child(format!("Word {}", n + 1)),
            input()
                .attr("id", id)
                .attr("autocomplete", "off")
                .attr("autocapitalize", "none")
                .attr("spellcheck", "false")
                .attr("aria-describedby", move || if bad() { "words-error" } else { "words-hint" })
                .attr("aria-invalid", move || if bad() { "true" } else { "false" })
                .prop("value", move || fields.with(|f| f.get(n).map(|w| w.to_string()).unwrap_or_default()))
                .on(ev::paste, move |event: web_sys::ClipboardEvent| {
                    // A line takes no line breaks: without this the words of a list would run together.
                    let text = event.clipboard_data().and_then(|data| data.get_data("text").ok());
                    if let Some(text) = text.filter(|t| words::spread(t).len() > 1) {
                        event.prevent_default();
                        put(&Zeroizing::new(text));
                    }
                })
                .on_target(ev::input, move |event| put(&Zeroizing::new(event.target().value()))),
        ))
        .into_any()
}
