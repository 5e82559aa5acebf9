//! People: the own account, invitations, requests, contacts.

use estoile_engine::{AccountCommand, AccountView, Answer, Command, ContactView, InvitationView, PrivateCommand};

use crate::model::inert;
use crate::model::people::contacts::{self, Group, Mark};
use crate::ui::prelude::*;

use super::{Doing, account, now, own_words, share};

/// The screen.
pub(crate) fn people(app: App) -> AnyView {
    let words = account::fresh();
    let has = Memo::new(move |_| app.overview.with(|o| o.account.is_some()));
    (move || match words.get() {
        Some(made) => own_words::shown(app, &made, || account::fresh().set(None)),
        None if has.get() => with_account(app),
        None => without(app),
    })
    .into_any()
}

fn without(app: App) -> AnyView {
    let making = RwSignal::new(false);
    let choices = move || {
        if making.get() {
            return account::make(app);
        }
        div()
            .class("choices")
            .child((
                choice(
                    "star",
                    "Make an account",
                    "For private rooms, contacts and several devices. It asks for no number and no address.",
                    move || {
                        making.set(true);
                    },
                ),
                choice("key", "Take mine up again", "With the 24 recovery words.", move || app.go(Screen::Recovery)),
                choice(
                    "devices",
                    "Link this device to mine",
                    "With a link that another device of yours shows.",
                    move || {
                        app.go(Screen::Devices);
                    },
                ),
            ))
            .into_any()
    };
    div()
        .class("page")
        .child((
            parts::heading("People"),
            p().class("lead").child(
                "There is no account here yet. Rooms that a link opens need none; with one you have contacts, and private \
                 rooms in which everybody is who they say they are.",
            ),
            choices,
        ))
        .into_any()
}

/// A large button with a picture and what it means.
pub(super) fn choice(
    icon: &'static str,
    title: &'static str,
    about: &'static str,
    run: impl Fn() + 'static,
) -> AnyView {
    button()
        .attr("type", "button")
        .class("choice")
        .on(ev::click, move |_| run())
        .child((parts::icon(icon), strong().child(title), span().child(about)))
        .into_any()
}

fn with_account(app: App) -> AnyView {
    let adding = RwSignal::new(false);
    let linking = RwSignal::new(false);
    let own = move || app.overview.with(|o| o.account.clone()).map(|a| own(app, &a, linking));
    let invitations = move || app.overview.with(|o| o.invitations.clone());
    let invited = move || {
        app.overview.with(|o| !o.invitations.is_empty()).then(|| {
            section().class("section").child((
                h2().child("Invitations"),
                ul().class("list").child(parts::each(
                    invitations,
                    |i| i.room,
                    move |i| li().child(invitation(app, &i)).into_any(),
                )),
            ))
        })
    };
    let groups: Vec<AnyView> = Group::ALL.into_iter().map(|group| group_section(app, group)).collect();
    let nobody = move || {
        app.overview.with(|o| o.contacts.is_empty() && o.invitations.is_empty()).then(|| {
            div().class("empty").child((
                p().child("Nobody yet."),
                p().class("muted").child("Give somebody your contact link, or add them by theirs."),
            ))
        })
    };
    div()
        .class("page")
        .child((
            parts::heading("People"),
            own,
            div().class("actions").child((
                parts::act("primary", "Add somebody", move || adding.set(true)),
                parts::act("", "My contact link", move || linking.set(true)),
                parts::act("", "Devices", move || app.go(Screen::Devices)),
                parts::act("", "Recovery words", move || app.go(Screen::Recovery)),
            )),
            invited,
            groups,
            nobody,
            parts::dialog(adding, "Add somebody", move || super::contact::add_form(app, String::new())),
            parts::dialog(linking, "Your contact link", move || own_link(app)),
        ))
        .into_any()
}

fn own(_app: App, account: &AccountView, _linking: RwSignal<bool>) -> AnyView {
    let stopped = account
        .stopped
        .as_ref()
        .map(|why| div().class("callout bad").attr("role", "alert").child(p().child(crate::model::people::said(why))));
    let devices = account.devices.iter().filter(|d| !d.removed).count();
    let devices = if devices == 1 { String::from("1 device") } else { format!("{devices} devices") };
    let below = format!("{devices}, mailbox at {}", inert::line(&account.host));
    div()
        .class("card")
        .child((
            p().class("list-title")
                .child((parts::icon("person"), span().attr("dir", "auto").child(inert::line(&account.name)))),
            p().class("list-sub").child(below),
            stopped,
        ))
        .into_any()
}

fn own_link(app: App) -> AnyView {
    let doing = Doing::new(app);
    let link = RwSignal::new(String::new());
    let get = move |rotate| {
        doing.command(Command::Account(AccountCommand::ContactLink { rotate }), move |answer| {
            if let Answer::Link(made) = answer {
                link.try_set(made);
            }
        });
    };
    get(false);
    let about = "Whoever has it can ask to be your contact; you say yes or no.";
    let shown = move || Some(link.get()).filter(|l| !l.is_empty()).map(|l| share::link(app, l, about));
    div()
        .class("stack")
        .child((
            shown,
            doing.shown(),
            p().class("hint")
                .child("With a new link the old one is dead from then on, and your contacts don't notice."),
            div().class("actions").child(parts::act("", "Make a new link", move || get(true))),
        ))
        .into_any()
}

fn group_section(app: App, group: Group) -> AnyView {
    let these = move || {
        let of = |o: &estoile_engine::Overview| {
            o.contacts.iter().filter(|c| Group::of(c) == group).cloned().collect::<Vec<_>>()
        };
        app.overview.with(of)
    };
    let any = Memo::new(move |_| app.overview.with(|o| o.contacts.iter().any(|c| Group::of(c) == group)));
    (move || {
        any.get().then(|| {
            section().class("section").child((
                h2().child(group.title()),
                ul().class("list").child(parts::each(
                    these,
                    // What a row says is part of its key: a contact that changed gets another row.
                    |c| (c.id, c.verified, c.last_heard, format!("{:?}", c.state), c.name.clone()),
                    move |c| li().child(row(app, &c)).into_any(),
                )),
            ))
        })
    })
    .into_any()
}

/// The chip of a contact.
pub(super) fn chip(contact: &ContactView) -> Option<AnyView> {
    Mark::of(contact).chip().map(|(text, class)| span().class(class).child(text).into_any())
}

fn row(app: App, contact: &ContactView) -> AnyView {
    let (id, name) = (contact.id, contacts::name(contact));
    let said = format!("{name} is your contact.");
    let asks = Mark::of(contact) == Mark::Asks;
    let yes = move || {
        let said = said.clone();
        app.spawn(async move {
            match app.command(Command::Account(AccountCommand::AcceptContact(id))).await {
                Ok(_) => app.tell(said),
                Err(why) => app.complain(crate::model::people::said(&why)),
            }
        });
    };
    let acts = asks.then(|| {
        (
            parts::act("primary", format!("Accept {name}"), yes),
            parts::act("", "Forget", move || app.run(Command::Account(AccountCommand::ForgetContact(id)))),
        )
    });
    let compare = (Group::of(contact) == Group::Known && !contact.verified)
        .then(|| parts::act("", format!("Compare with {name}"), move || app.go(Screen::Verify(id))));
    div()
        .class("list-row")
        .child((
            div().class("list-main").child((
                p().class("list-title").child((
                    button()
                        .attr("type", "button")
                        .class("as-link")
                        .attr("dir", "auto")
                        .on(ev::click, move |_| app.go(Screen::Contact(id)))
                        .child(name),
                    chip(contact),
                )),
                p().class("list-sub").attr("dir", "auto").child(contacts::below(contact, now())),
            )),
            div().class("list-actions").child((acts, compare)),
        ))
        .into_any()
}

fn invitation(app: App, invitation: &InvitationView) -> AnyView {
    let (room, name) = (invitation.room, inert::line(&invitation.name));
    let from = inert::line(&invitation.from);
    let join = move || {
        app.spawn(async move {
            match app.command(Command::Private(PrivateCommand::AcceptInvitation(room))).await {
                Ok(Answer::Room(room)) => app.go(Screen::Room(room)),
                Ok(_) => app.tell("You are in."),
                Err(why) => app.complain(crate::model::people::said(&why)),
            }
        });
    };
    div()
        .class("list-row")
        .child((
            div().class("list-main").child((
                p().class("list-title").attr("dir", "auto").child(name.clone()),
                p().class("list-sub")
                    .attr("dir", "auto")
                    .child(format!("{from} invites you, and is none of your contacts")),
            )),
            div().class("list-actions").child(parts::act("primary", format!("Join {name}"), join)),
        ))
        .into_any()
}
