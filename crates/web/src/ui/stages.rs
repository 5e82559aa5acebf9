//! What is shown while there is no open vault: each a screen with a way out.

use estoile_port::Stage;

use super::prelude::*;

/// The screen of a stage.
pub(crate) fn stage(app: App) -> AnyView {
    main()
        .class("main landing")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(move || match app.stage.get() {
            Stage::Loaded | Stage::Fresh | Stage::Open(_) => waiting(),
            Stage::Locked => locked(app),
            Stage::ElsewhereOpen => elsewhere(app, "Estoile is open in another tab", OPEN_ELSEWHERE),
            Stage::Taken => elsewhere(app, "Another tab took over", TAKEN),
            Stage::Unable(why) => stopped("This browser can't do it", &why, ().into_any()),
            Stage::Lost(why) => stopped("What this browser keeps can't be reached", &why, erasing(app)),
        })
        .into_any()
}

const OPEN_ELSEWHERE: &str = "Only one tab at a time has your rooms, so that nothing is written twice. Go on there, or take \
                              them over here: the other tab then stops.";
const TAKEN: &str = "Your rooms are open in the tab that you used last. Go on there, or take them back here.";

fn waiting() -> AnyView {
    div()
        .class("page")
        .child((
            div().class("boot-star").attr("aria-hidden", "true"),
            p().class("lead").attr("role", "status").child("Opening…"),
        ))
        .into_any()
}

fn elsewhere(app: App, title: &'static str, text: &'static str) -> AnyView {
    div()
        .class("card")
        .child((
            parts::heading(title),
            p().class("lead").child(text),
            div().class("actions").child(parts::act("primary", "Use it here", move || app.begin(true))),
        ))
        .into_any()
}

fn stopped(title: &'static str, why: &str, last: AnyView) -> AnyView {
    div()
        .class("card")
        .child((
            parts::heading(title),
            p().class("lead").attr("dir", "auto").child(crate::model::inert::sentence(why)),
            div().class("actions").child((
                parts::act("primary", "Load the page again", || {
                    if let Some(window) = web_sys::window() {
                        drop(window.location().reload());
                    }
                }),
                last,
            )),
        ))
        .into_any()
}

/// The last way out, where what is kept does not open any more.
fn erasing(app: App) -> AnyView {
    let open = RwSignal::new(false);
    (
        parts::act("quiet", "Erase it and begin anew", move || open.set(true)),
        parts::dialog(open, "Erase everything?", move || super::settings::erase(app, open)),
    )
        .into_any()
}

fn locked(app: App) -> AnyView {
    let (passphrase, why, busy) = (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(false));
    let progress = RwSignal::new(None);
    let number = RwSignal::new(0_u64);
    let unlock = move || {
        let given = passphrase.get_untracked();
        if given.is_empty() {
            why.set(String::from("Type the passphrase."));
            return;
        }
        busy.set(true);
        why.set(String::new());
        let ask = estoile_port::Ask::Unlock { passphrase: Some(given.into()), memory: false };
        let (asked, reply) = app.ask_with(ask, Some(progress));
        number.set(asked);
        app.spawn(async move {
            let result = reply.await;
            busy.try_set(false);
            progress.try_set(None);
            match result {
                Ok(_) => drop(passphrase.try_set(String::new())),
                Err(error) => drop(why.try_set(crate::model::inert::sentence(&error))),
            }
        });
    };
    let fields = (
        parts::field("Passphrase", "password", "", passphrase),
        parts::complaint(why),
        super::landing::progress(app, progress, number),
        div().class("actions").child(parts::submit("Open", busy)),
    );
    div()
        .class("card")
        .child((
            parts::heading("Open your rooms"),
            p().class("lead")
                .child("What is kept in this browser is sealed with your passphrase. Nobody can recover it for you."),
            parts::form_of(unlock, fields.into_any()),
            div().class("actions").child(erasing(app)),
        ))
        .into_any()
}
