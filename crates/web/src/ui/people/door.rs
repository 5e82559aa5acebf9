//! Knocking at a private room by its link.

use estoile_engine::{Answer, Command, PrivateCommand};

use crate::ui::prelude::*;

use super::Doing;

/// The screen of a private room's link, for somebody who has an account.
pub(super) fn knock(app: App, link: String) -> AnyView {
    let doing = Doing::new(app);
    let run = move || {
        let link = link.clone();
        doing.command(Command::Private(PrivateCommand::Knock { link }), move |answer| {
            app.tell("Knocked. You are let in as soon as somebody there who may is online.");
            if let Answer::Room(room) = answer {
                app.go(Screen::Room(room));
            }
        });
    };
    let body = div().class("stack").child((
        doing.shown(),
        div()
            .class("actions")
            .child((parts::submit("Knock", doing.busy), parts::act("", "Not now", move || app.go(Screen::Home)))),
    ));
    div()
        .class("page")
        .child((
            parts::heading("A private room"),
            p().class("lead").child("A member who may lets you in. They see your name and your account."),
            parts::form_of(run, body.into_any()),
        ))
        .into_any()
}
