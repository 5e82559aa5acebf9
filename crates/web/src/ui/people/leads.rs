//! Where a link leads that is not a quick room's.

use estoile_port::{LinkKind, LinkView};

use crate::ui::prelude::*;

use super::{account, contact, device, door, own_words};

/// What a link of a person, a door, a device or a relay is, and the button that follows it.
pub(crate) fn link(app: App, link: String, view: LinkView) -> AnyView {
    if !view.here && view.kind != LinkKind::Relay && view.kind != LinkKind::Contact {
        return elsewhere(app, &view);
    }
    match view.kind {
        LinkKind::Device => device::join_device(app, link),
        LinkKind::PrivateRoom => {
            with_account(app, "In a private room everybody has an account. Make yours, and knock with it.", move || {
                door::knock(app, link.clone())
            })
        }
        LinkKind::Contact => {
            with_account(app, "To have contacts you need an account. Make yours, and then ask them.", move || {
                contact::add_contact(app, link.clone())
            })
        }
        LinkKind::Relay => relay(app, &view),
        LinkKind::Quick | LinkKind::Passphrase => ().into_any(),
    }
}

/// Shows something that takes an account, after one was made.
fn with_account(app: App, why: &'static str, then: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    let has = Memo::new(move |_| app.overview.with(|o| o.account.is_some()));
    let words = account::fresh();
    (move || match words.get() {
        Some(made) => own_words::shown(app, &made, || account::fresh().set(None)),
        None if has.get() => then(),
        None => div()
            .class("page")
            .child((parts::heading("An account first"), p().class("lead").child(why), account::make(app)))
            .into_any(),
    })
    .into_any()
}

fn elsewhere(app: App, view: &LinkView) -> AnyView {
    let host = crate::model::inert::line(&view.host);
    div()
        .class("page")
        .child((
            parts::heading("At another relay"),
            p().class("lead")
                .child(format!("This link leads to {host}, and this page speaks to the relay alone that serves it.")),
            p().child("Open it in a browser at that relay, in estoile web, or in the terminal."),
            div().class("actions").child(parts::act("", "Home", move || app.go(Screen::Home))),
        ))
        .into_any()
}

fn relay(app: App, view: &LinkView) -> AnyView {
    let host = crate::model::inert::line(&view.host);
    div()
        .class("page")
        .child((
            parts::heading("A relay's address"),
            p().class("lead").child(format!("With its entry code you may make rooms and an account at {host}. It asks for the code when you do: paste this link there.")),
            div().class("actions").child((
                parts::act("primary", "Make a room", move || app.go(Screen::NewRoom)),
                parts::act("", "Make an account", move || app.go(Screen::People)),
            )),
        ))
        .into_any()
}
