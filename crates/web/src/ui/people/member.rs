//! Members of a private room, and the links to its door.

use estoile_engine::{Answer, Command, ContactState, MemberView, PrivateCommand, Role, RoomId, RoomLinkView, face};
use estoile_port::{Ask, Reply};

use crate::model::inert;
use crate::model::people::members::{self, EXPIRIES, ROLES, USUAL_EXPIRY};
use crate::ui::prelude::*;

use super::{Doing, now, share};

/// The screen.
pub(crate) fn members(app: App, room: RoomId) -> AnyView {
    app.need_members(room);
    let doing = Doing::new(app);
    let removing = RwSignal::new(None::<MemberView>);
    let asked = RwSignal::new(false);
    let role =
        Memo::new(move |_| app.rooms.with(|r| r.get(room).and_then(|r| r.private.as_ref().and_then(|p| p.role))));
    let name = app.rooms.with_untracked(|r| r.get(room).map(|r| inert::line(&r.name))).unwrap_or_default();
    let all = move || app.members.with(|m| m.get(&room).cloned().unwrap_or_default());
    let list = ul().class("list").child(parts::each(
        all,
        move |m| {
            (
                m.account.clone(),
                m.role.word(),
                m.verified,
                m.devices,
                m.last_heard,
                role.get_untracked().map(Role::word),
            )
        },
        move |m| li().child(row(app, room, m, role.get_untracked(), doing, (removing, asked))).into_any(),
    ));
    div()
        .class("page")
        .child((
            parts::heading(format!("Members of {name}")),
            move || {
                role.get().map(|role| {
                    p().class("lead").child(
                        format!("You are {} here: an {0} {1}.", role.word(), members::means(role))
                            .replace("an member", "a member"),
                    )
                })
            },
            doing.shown(),
            list,
            move || members::manages(role.get()).then(|| (invite(app, room), links(app, room))),
            div().class("actions").child((
                parts::act("", "Back to the room", move || app.go(Screen::Room(room))),
                parts::act("", "Room settings", move || app.go(Screen::RoomSettings(room))),
            )),
            parts::dialog(asked, "Remove this member?", move || {
                remove(room, removing.get_untracked(), asked, doing, app)
            }),
        ))
        .into_any()
}

fn row(
    app: App,
    room: RoomId,
    member: MemberView,
    own: Option<Role>,
    doing: Doing,
    (removing, asked): (RwSignal<Option<MemberView>>, RwSignal<bool>),
) -> AnyView {
    let name = members::name(&member);
    let role = members::may_change(own, &member).then(|| role_picker(app, room, &member, doing));
    let verified = member.verified.then(|| span().class("chip good").child("verified"));
    let you = member.own.then(|| span().class("chip").child("you"));
    let below = members::below(&member, now());
    let compare = member
        .contact
        .filter(|_| !member.verified && !member.own)
        .map(|contact| parts::act("", format!("Compare with {name}"), move || app.go(Screen::Verify(contact))));
    let remove = members::may_remove(own, &member).then(|| {
        let label = format!("Remove {name}");
        parts::act("danger", label, move || {
            removing.set(Some(member.clone()));
            asked.set(true);
        })
    });
    div()
        .class("list-row")
        .child((
            div().class("list-main").child((
                p().class("list-title").child((span().attr("dir", "auto").child(name), verified, you)),
                p().class("list-sub").child(below),
            )),
            div().class("list-actions").child((role, compare, remove)),
        ))
        .into_any()
}

fn role_picker(app: App, room: RoomId, member: &MemberView, doing: Doing) -> AnyView {
    let (account, current, name) = (member.account.clone(), member.role, members::name(member));
    let options: Vec<AnyView> = ROLES
        .into_iter()
        .map(|role| option().attr("value", role.word()).prop("selected", role == current).child(role.word()).into_any())
        .collect();
    select()
        .attr("aria-label", format!("What {name} may do"))
        .on_target(ev::change, move |event| {
            let Some(role) = Role::from_word(&event.target().value()) else { return };
            let (account, name) = (account.clone(), name.clone());
            doing.command(Command::Private(PrivateCommand::SetRole { room, account, role }), move |_| {
                app.tell(format!("{name} is {} here from now on.", role.word()));
            });
        })
        .child(options)
        .into_any()
}

fn remove(room: RoomId, member: Option<MemberView>, open: RwSignal<bool>, doing: Doing, app: App) -> AnyView {
    let Some(member) = member else { return ().into_any() };
    let name = members::name(&member);
    let text = format!(
        "{name} reads nothing that is written from then on: the room's keys are changed. What was written before they keep."
    );
    let yes = move || {
        open.set(false);
        let (account, name) = (member.account.clone(), name.clone());
        doing.command(Command::Private(PrivateCommand::Remove { room, account }), move |_| {
            app.tell(format!("{name} is removed, and the room's keys are changed."));
        });
    };
    div()
        .class("stack")
        .child((
            p().child(text),
            div()
                .class("actions")
                .child((parts::act("danger primary", "Remove", yes), parts::act("", "Keep", move || open.set(false)))),
        ))
        .into_any()
}

fn invite(app: App, room: RoomId) -> AnyView {
    let doing = Doing::new(app);
    let others = move || {
        let inside: Vec<String> = app
            .members
            .with(|m| m.get(&room).map(|m| m.iter().map(|m| m.account.clone()).collect()).unwrap_or_default());
        app.overview.with(|o| {
            o.contacts
                .iter()
                .filter(|c| c.state == ContactState::Accepted && !inside.contains(&c.account))
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let acts = parts::each(
        others,
        |c| c.id,
        move |contact| {
            let (id, name) = (contact.id, inert::line(&contact.name));
            parts::act("", format!("Invite {name}"), move || {
                let name = name.clone();
                doing.command(Command::Private(PrivateCommand::Invite { room, contact: id }), move |_| {
                    app.tell(format!("{name} is invited."));
                });
            })
        },
    );
    section()
        .class("section")
        .child((
            h2().child("Invite"),
            p().class("muted").child("Your contacts who are not here yet. They join when their Estoile next runs."),
            div().class("actions").child(acts),
            doing.shown(),
        ))
        .into_any()
}

fn links(app: App, room: RoomId) -> AnyView {
    let list = RwSignal::new(Vec::<RoomLinkView>::new());
    let load = move || {
        app.spawn(async move {
            if let Ok(Reply::Face(face::Reply::RoomLinks(Some(links)))) =
                app.ask(Ask::Face(face::Ask::RoomLinks(room))).await
            {
                list.try_set(links);
            }
        });
    };
    // Links come and go with the members' events.
    Effect::new(move |_| {
        app.members.with(|_| ());
        load();
    });
    let (doing, made) = (Doing::new(app), RwSignal::new(String::new()));
    let (uses, expiry) = (RwSignal::new(String::new()), RwSignal::new(USUAL_EXPIRY));
    let run = move || {
        let uses = match members::uses(&uses.get_untracked()) {
            Ok(uses) => uses,
            Err(why) => return doing.complain(why),
        };
        let expires = EXPIRIES.get(expiry.get_untracked()).and_then(|(_, seconds)| *seconds);
        doing.command(Command::Private(PrivateCommand::Link { room, uses, expires }), move |answer| {
            if let Answer::Link(link) = answer {
                made.try_set(link);
                load();
            }
        });
    };
    let options: Vec<AnyView> = EXPIRIES
        .iter()
        .enumerate()
        .map(|(n, (text, _))| {
            option().attr("value", n.to_string()).prop("selected", n == USUAL_EXPIRY).child(*text).into_any()
        })
        .collect();
    let id = parts::fresh_id();
    let body = div().class("stack").child((
        parts::field("How many people may use it", "text", "Empty: any number.", uses),
        div().class("field").child((
            label().attr("for", id.clone()).child("Good for"),
            select()
                .attr("id", id)
                .on_target(ev::change, move |event| expiry.set(event.target().value().parse().unwrap_or(USUAL_EXPIRY)))
                .child(options),
        )),
        doing.shown(),
        div().class("actions").child(parts::submit("Make a link", doing.busy)),
    ));
    let about = "Whoever has it can knock; a member who may lets them in.";
    section()
        .class("section")
        .child((
            h2().child("Links to the door"),
            ul().class("list").child(parts::each(
                move || list.get(),
                |l| (l.id.clone(), l.uses_left),
                move |l| link_row(room, &l, doing, load),
            )),
            move || Some(made.get()).filter(|l| !l.is_empty()).map(|l| share::link(app, l, about)),
            parts::form_of(run, body.into_any()),
        ))
        .into_any()
}

fn link_row(room: RoomId, link: &RoomLinkView, doing: Doing, load: impl Fn() + Copy + 'static) -> AnyView {
    let id = link.id.clone();
    let short: String = id.chars().take(6).collect();
    let revoke = move || {
        let link = Some(id.clone());
        doing.command(Command::Private(PrivateCommand::RevokeLink { room, link }), move |_| load());
    };
    li().child(div().class("list-row").child((
        div().class("list-main").child((
            p().class("list-title mono").child(short.clone()),
            p().class("list-sub").child(members::link(link, now())),
        )),
        div().class("list-actions").child(parts::act("danger", format!("Revoke {short}"), revoke)),
    )))
    .into_any()
}
