//! Settings: how it looks, what it tells, what protects what is kept, where the page comes from, and the end of all.

use estoile_port::{Ask, Place, Stage};
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

use super::people::{Doing, copy};
use crate::model::settings::{self as said, ERASE_WORD, LEVELS};
use crate::ui::prelude::*;

/// The screen.
pub(crate) fn settings(app: App) -> AnyView {
    let erasing = RwSignal::new(false);
    div()
        .class("page")
        .child((
            parts::heading("Settings"),
            theme(app),
            notifications(app),
            vault(app),
            origin(app),
            section().class("section").child((
                h2().child("Erase everything"),
                p().child(
                    "Takes all that Estoile keeps out of this browser: messages, keys, contacts, account. For good. With the recovery \
                     words, or another device, you have your account still; without both it is gone.",
                ),
                div().class("actions").child(parts::act("danger", "Erase everything", move || erasing.set(true))),
            )),
            about(),
            parts::dialog(erasing, "Erase everything?", move || erase(app, erasing)),
        ))
        .into_any()
}

fn theme(app: App) -> AnyView {
    let name = parts::fresh_id();
    let choices = [("As the system says", None), ("Light", Some(false)), ("Dark", Some(true))];
    let radios: Vec<AnyView> = choices
        .into_iter()
        .map(|(text, dark)| {
            label()
                .class("tick")
                .child((
                    input()
                        .attr("type", "radio")
                        .attr("name", name.clone())
                        .prop("checked", app.settings.with_untracked(|s| s.dark == dark))
                        .on(ev::change, move |_| app.remember(move |s| s.dark = dark)),
                    span().child(text),
                ))
                .into_any()
        })
        .collect();
    section()
        .class("section")
        .child((
            h2().child("Look"),
            fieldset()
                .child((legend().class("visually-hidden").child("Dark or light"), div().class("radios").child(radios))),
        ))
        .into_any()
}

fn notifications(app: App) -> AnyView {
    let (on, text) = app.settings.with_untracked(|s| (RwSignal::new(s.notify), RwSignal::new(s.notify_text)));
    Effect::new(move |before: Option<(bool, bool)>| {
        let now = (on.get(), text.get());
        if before.is_some_and(|before| before != now) {
            app.remember(move |s| (s.notify, s.notify_text) = now);
            if now.0 {
                allow(app, on);
            }
        }
        now
    });
    section()
        .class("section")
        .child((
            h2().child("Notifications"),
            parts::tick("Tell me of new messages while this page is in the background", on),
            parts::tick("With who wrote and what: whoever sees this screen can read it", text),
            p().class("hint").child("They come from this page alone: while it is closed there are none."),
        ))
        .into_any()
}

/// Asks the browser whether it may.
fn allow(app: App, on: RwSignal<bool>) {
    app.spawn(async move {
        let granted = match web_sys::Notification::request_permission() {
            Ok(asked) => JsFuture::from(asked).await.ok().and_then(|v| v.as_string()).is_some_and(|v| v == "granted"),
            Err(_) => false,
        };
        if !granted {
            on.try_set(false);
            app.complain("This browser does not allow notifications here. Allow them in its settings of this page, and try again.");
        }
    });
}

fn vault(app: App) -> AnyView {
    let place = Memo::new(move |_| match app.stage.get() {
        Stage::Open(place) => Some(place),
        _ => None,
    });
    let changing = RwSignal::new(false);
    let shown = move || {
        place.get().map(|place| {
            let kept = said::kept(&place);
            let class = if kept.warn { "callout warn" } else { "callout" };
            div().class("stack").child((
                div().class(class).child((h3().child(kept.title), p().child(kept.about))),
                said::lasting(&place).map(|text| p().class("muted").child(text)),
                acts(app, &place, changing),
            ))
        })
    };
    section()
        .class("section")
        .child((
            h2().child("What this browser keeps"),
            shown,
            parts::dialog(changing, "Passphrase", move || passphrase(app, changing)),
        ))
        .into_any()
}

fn acts(app: App, place: &Place, changing: RwSignal<bool>) -> Option<AnyView> {
    let Place::Kept { passphrase, persistent } = *place else { return None };
    let keep = (!persistent).then(|| parts::act("", "Ask the browser to keep it", move || persist(app)));
    let set = if passphrase { "Change or remove the passphrase" } else { "Set a passphrase" };
    Some(div().class("actions").child((parts::act("", set, move || changing.set(true)), keep)).into_any())
}

fn persist(app: App) {
    app.spawn(async move {
        let storage = web_sys::window().map(|w| w.navigator().storage());
        let promised = match storage.map(|s| s.persist()) {
            Some(Ok(asked)) => JsFuture::from(asked).await.ok().and_then(|v| v.as_bool()).unwrap_or(false),
            _ => false,
        };
        if promised {
            app.stage.update(|stage| {
                if let Stage::Open(Place::Kept { persistent, .. }) = stage {
                    *persistent = true;
                }
            });
            app.tell("The browser has promised to keep it.");
        } else {
            app.complain(
                "The browser does not promise it yet. Install the page, or allow notifications, and ask again.",
            );
        }
    });
}

fn passphrase(app: App, open: RwSignal<bool>) -> AnyView {
    let doing = Doing::new(app);
    let (first, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let under = move || matches!(app.stage.get_untracked(), Stage::Open(Place::Kept { passphrase: true, .. }));
    let rekey = move |passphrase: Option<Zeroizing<String>>| {
        let done = if passphrase.is_some() { "The passphrase is set." } else { "The passphrase is removed." };
        doing.ask(Ask::Rekey { passphrase }, move |_| {
            app.tell(done);
            open.try_set(false);
        });
    };
    let run = move || {
        let (first, again) = (first.get_untracked(), again.get_untracked());
        match said::passphrase(&first, &again) {
            Ok(phrase) => rekey(Some(Zeroizing::new(phrase.to_owned()))),
            Err(why) => doing.complain(why),
        }
    };
    let remove = under().then(|| parts::act("danger", "Remove it", move || rekey(None)));
    let body = div().class("stack").child((
        p().child("It is asked for whenever Estoile starts in this browser. Nobody can bring a forgotten one back."),
        parts::field("New passphrase", "password", "Five random words are good.", first),
        parts::field("The same again", "password", "", again),
        doing.shown(),
        div().class("actions").child((parts::submit("Set it", doing.busy), remove)),
    ));
    parts::form_of(run, body.into_any())
}

fn origin(app: App) -> AnyView {
    let origin = web_sys::window().and_then(|w| w.location().origin().ok()).unwrap_or_default();
    let command = said::verify_command(&origin);
    let copied = command.clone();
    let levels: Vec<AnyView> = LEVELS
        .into_iter()
        .map(|(title, about)| li().child((strong().child(title), ". ", span().class("muted").child(about))).into_any())
        .collect();
    section()
        .class("section")
        .child((
            h2().child("Where this page comes from"),
            p().child(format!("From {origin}. There are three ways, each with less trust in whoever serves it:")),
            ol().class("steps").child(levels),
            p().child("To compare what is served here with Estoile's own program:"),
            p().child(code().class("code").attr("dir", "ltr").child(command)),
            div().class("actions").child(parts::act("", "Copy the command", move || {
                copy(app, copied.clone(), "The command is in your clipboard.");
            })),
        ))
        .into_any()
}

/// What erases everything, once it is meant.
pub(super) fn erase(app: App, open: RwSignal<bool>) -> AnyView {
    let doing = Doing::new(app);
    let typed = RwSignal::new(String::new());
    let run = move || {
        if !said::means_it(&typed.get_untracked()) {
            return doing.complain(format!("Type {ERASE_WORD}, so that nothing is erased by accident."));
        }
        doing.ask(Ask::Erase, |_| {
            // What main.js cached goes, too, and the page begins again.
            if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::CustomEvent::new("estoile:erased")) {
                let _ = window.dispatch_event(&event);
            }
        });
    };
    let body = div().class("stack").child((
        p().child("Messages, keys, contacts and account are taken out of this browser. Nothing brings them back."),
        parts::field("Type erase", "text", "", typed),
        doing.shown(),
        div().class("actions").child((
            button()
                .attr("type", "submit")
                .class("button danger primary")
                .prop("disabled", move || doing.busy.get())
                .child("Erase everything"),
            parts::act("", "Keep it", move || open.set(false)),
        )),
    ));
    parts::form_of(run, body.into_any())
}

fn about() -> AnyView {
    let document = web_sys::window().and_then(|w| w.document());
    let meta = document.and_then(|d| d.query_selector("meta[name=estoile-bundle]").ok().flatten());
    let bundle = meta.and_then(|m| m.get_attribute("content")).unwrap_or_default();
    section()
        .class("section")
        .child((
            h2().child("About"),
            dl().class("facts").child((
                dt().child("Estoile"),
                dd().child(env!("CARGO_PKG_VERSION")),
                dt().child("Bundle"),
                dd().class("mono").child(bundle),
                dt().child("Licence"),
                dd().child("MIT or Apache-2.0, as you choose"),
            )),
        ))
        .into_any()
}
