//! One contact; and adding somebody.

use estoile_engine::{AccountCommand, Answer, Command, ContactId, ContactState, ContactView, PrivateCommand, RoomView};

use crate::model::inert;
use crate::model::people::{contacts, members};
use crate::ui::prelude::*;

use super::{Doing, now, scan};

/// The screen of a contact.
pub(crate) fn contact(app: App, id: ContactId) -> AnyView {
    let found = Memo::new(move |_| app.overview.with(|o| o.contacts.iter().find(|c| c.id == id).cloned()));
    let doing = Doing::new(app);
    let forgetting = RwSignal::new(false);
    (move || match found.get() {
        Some(contact) => shown(app, &contact, doing, forgetting),
        None => gone(app),
    })
    .into_any()
}

/// What stands where a contact was.
pub(super) fn gone(app: App) -> AnyView {
    div()
        .class("page")
        .child((
            parts::heading("No such contact"),
            p().class("lead").child("They were forgotten, or are not here yet."),
            div().class("actions").child(parts::act("", "People", move || app.go(Screen::People))),
        ))
        .into_any()
}

fn shown(app: App, contact: &ContactView, doing: Doing, forgetting: RwSignal<bool>) -> AnyView {
    let (id, name) = (contact.id, contacts::name(contact));
    let known = contact.state == ContactState::Accepted;
    let asks = matches!(contact.state, ContactState::Request { .. });
    let accept = move || doing.command(Command::Account(AccountCommand::AcceptContact(id)), |_| {});
    let trust = known.then(|| trust(app, contact));
    let word = asks.then(|| p().attr("dir", "auto").child(contacts::below(contact, now())));
    let invite = known.then(|| invite(app, id, &name));
    let forget_name = name.clone();
    div()
        .class("page")
        .child((
            parts::heading(name.clone()),
            super::listing::chip(contact),
            word,
            stopped(contact, accept),
            asks.then(|| div().class("actions").child(parts::act("primary", format!("Accept {name}"), accept))),
            doing.shown(),
            trust,
            invite,
            facts(contact),
            div().class("actions").child(parts::act("danger", format!("Forget {name}"), move || forgetting.set(true))),
            parts::dialog(forgetting, "Forget this contact?", move || forget(app, id, &forget_name, forgetting)),
        ))
        .into_any()
}

fn stopped(contact: &ContactView, accept: impl Fn() + 'static) -> Option<AnyView> {
    let said = contacts::stopped(contact)?;
    let name = contacts::name(contact);
    let steps: Vec<AnyView> = said.advice.into_iter().map(|step| li().child(step).into_any()).collect();
    let view = section().class("callout bad").attr("aria-labelledby", "stopped").child((
        h2().attr("id", "stopped").child("Stopped: look before you go on"),
        p().attr("dir", "auto").child(said.what),
        p().attr("dir", "auto").child(said.meaning),
        h3().child("What can I do?"),
        ol().class("steps").child(steps),
        div().class("actions").child(parts::act("danger", format!("Go on with {name}"), accept)),
    ));
    Some(view.into_any())
}

fn trust(app: App, contact: &ContactView) -> AnyView {
    let (id, name) = (contact.id, contacts::name(contact));
    if contact.verified {
        let said = format!("You compared with {name}, and it was the same: nobody stands between you.");
        return div()
            .class("callout good")
            .child((
                p().child((parts::icon("verified"), " ", span().child(said))),
                div().class("actions").child(parts::act("", "Compare again", move || app.go(Screen::Verify(id)))),
            ))
            .into_any();
    }
    div()
        .class("callout")
        .child((
            p().child(format!(
                "Not compared yet. Comparing takes a minute, and shows that nobody stands between you and {name}."
            )),
            div()
                .class("actions")
                .child(parts::act("primary", format!("Compare with {name}"), move || app.go(Screen::Verify(id)))),
        ))
        .into_any()
}

fn facts(contact: &ContactView) -> AnyView {
    let heard = contact.last_heard.map_or_else(|| String::from("never"), |at| contacts::heard(at, now()));
    let rows = [
        ("Last heard", heard),
        ("Devices", contact.devices.to_string()),
        ("Mailbox at", inert::line(&contact.host)),
        ("Account", contact.account.clone()),
    ];
    let rows: Vec<AnyView> = rows.into_iter().map(|(what, is)| (dt().child(what), dd().child(is)).into_any()).collect();
    section().class("section").child((h2().child("About this contact"), dl().class("facts").child(rows))).into_any()
}

/// The private rooms into which they may be brought.
fn invite(app: App, contact: ContactId, name: &str) -> AnyView {
    let manageable =
        |room: &RoomView| room.stopped.is_none() && members::manages(room.private.as_ref().and_then(|p| p.role));
    let rooms = app.rooms.with_untracked(|r| r.list.iter().filter(|r| manageable(r)).cloned().collect::<Vec<_>>());
    let title = format!("Bring {name} into a room");
    let none = rooms
        .is_empty()
        .then(|| p().class("muted").child("You have no private room yet in which you may invite.").into_any());
    let said = format!("{name} is invited.");
    let acts: Vec<AnyView> = rooms
        .into_iter()
        .map(|room| {
            let (id, said) = (room.id, said.clone());
            parts::act("", inert::line(&room.name), move || {
                let said = said.clone();
                app.spawn(async move {
                    match app.command(Command::Private(PrivateCommand::Invite { room: id, contact })).await {
                        Ok(_) => app.tell(said),
                        Err(why) => app.complain(crate::model::people::said(&why)),
                    }
                });
            })
        })
        .collect();
    let new = parts::act("quiet", "Make a private room", move || app.go(Screen::NewPrivate));
    section().class("section").child((h2().child(title), none, div().class("actions").child((acts, new)))).into_any()
}

fn forget(app: App, id: ContactId, name: &str, open: RwSignal<bool>) -> AnyView {
    let yes = move || {
        open.set(false);
        app.go(Screen::People);
        app.run(Command::Account(AccountCommand::ForgetContact(id)));
    };
    div()
        .class("stack")
        .child((
            p().child(format!(
                "{name} can't reach you any more, and is not told. Rooms that you share stay as they are."
            )),
            div()
                .class("actions")
                .child((parts::act("danger primary", "Forget", yes), parts::act("", "Keep", move || open.set(false)))),
        ))
        .into_any()
}

/// Adding somebody whose link is known already.
pub(super) fn add_contact(app: App, link: String) -> AnyView {
    div().class("page").child((parts::heading("Add somebody"), add_form(app, link))).into_any()
}

/// The form: a link, or a QR code of one.
pub(super) fn add_form(app: App, link: String) -> AnyView {
    let doing = Doing::new(app);
    let (link, text) = (RwSignal::new(link), RwSignal::new(String::new()));
    let run = move || {
        let link = link.get_untracked().trim().to_owned();
        if link.is_empty() {
            return doing.complain("Paste their contact link, or scan its QR code.");
        }
        let text = text.get_untracked().trim().to_owned();
        doing.command(Command::Account(AccountCommand::AddContact { link, text }), move |answer| {
            app.tell("Asked. It is mutual when they say yes.");
            if let Answer::Contact(id) = answer {
                app.go(Screen::Contact(id));
            }
        });
    };
    let body = div().class("stack").child((
        parts::field("Their contact link", "text", "The link that they gave you, or a QR code of it.", link),
        scan::scanner(app, move |found| link.set(found)),
        parts::field("A word to them", "text", "So that they know who asks. They see it with your name.", text),
        doing.shown(),
        div().class("actions").child(parts::submit("Ask them", doing.busy)),
    ));
    parts::form_of(run, body.into_any())
}
