//! What the slash commands do: the same as in the terminal, where a page has the same.

use estoile_engine::{AccountCommand, Answer, Command, PrivateCommand, RoomId};
use reactive_graph::prelude::*;

use super::{App, Over};
use crate::model::inert;
use crate::model::screen::Screen;
use crate::model::slash::{Slash, one_of};
use crate::model::time::{self, Ttl};

/// A door's link lives a week.
const DOOR_SECONDS: u64 = 7 * 86_400;

impl App {
    /// Does a command that was typed in a room.
    pub(crate) fn slash(self, room: RoomId, slash: Slash) {
        match slash {
            Slash::Help => self.go(Screen::Help),
            Slash::Name(name) => self.name_slash(room, name),
            Slash::Ttl(ttl) => self.ttl_slash(room, ttl),
            Slash::Link => self.share_room(room),
            Slash::Copy => {
                let link = self.rooms.with_untracked(|r| r.get(room).map(|r| r.link.clone())).unwrap_or_default();
                self.copy(link, "The link is in your clipboard.");
            }
            Slash::People => self.over.set(Some(Over::People(room))),
            Slash::Rooms(name) => self.rooms_slash(name),
            Slash::Next => match self.rooms.with_untracked(|r| r.next_unread(Some(room))) {
                Some(next) => self.go(Screen::Room(next)),
                None => self.tell("There is no other room. /open LINK opens one."),
            },
            Slash::Open(link) => self.go(Screen::Link(link)),
            Slash::Retry => self.retry_all(room),
            Slash::Discard => self.discard_last(room),
            Slash::Reconnect => self.run(Command::ReconnectNow { room }),
            Slash::Forget => self.over.set(Some(Over::Forget(room))),
            Slash::Theme(dark) => {
                let dark = dark.unwrap_or_else(|| self.settings.with_untracked(|s| s.dark != Some(true)));
                self.remember(|s| s.dark = Some(dark));
            }
            other => self.people_slash(room, other),
        }
    }

    fn name_slash(self, room: RoomId, name: Option<String>) {
        match name {
            Some(name) => {
                let done = format!("You are {} here from now on.", inert::line(&name));
                self.run_and_tell(Command::SetName { room, name }, done);
            }
            None => {
                let own = self.rooms.with_untracked(|r| r.get(room).map(|r| inert::line(&r.own_name)));
                self.tell(format!("You are {} here. /name NAME changes it.", own.unwrap_or_default()));
            }
        }
    }

    fn ttl_slash(self, room: RoomId, ttl: Option<Ttl>) {
        let (now, most) = self.rooms.with_untracked(|r| r.get(room).map_or((None, None), |r| (r.ttl, r.max_ttl)));
        match ttl {
            None => {
                let most = most.map_or(String::new(), |m| format!(" The room allows at most {}.", time::span(m)));
                let lives = now.map_or_else(|| String::from("as long as the relay keeps them"), time::span);
                self.tell(format!("Your messages live {lives}.{most} /ttl 10m changes it."));
            }
            Some(ttl) => self.set_ttl(room, ttl.seconds()),
        }
    }

    /// Messages live so long from now on.
    pub(crate) fn set_ttl(self, room: RoomId, ttl: Option<u64>) {
        let lives = ttl.map_or_else(|| String::from("as long as the relay keeps them"), time::span);
        let done = format!("Messages that you send from now on live {lives}.");
        self.run_and_tell(Command::SetTtl { room, ttl }, done);
    }

    /// Shows the room's link, or makes one to a private room's door.
    pub(crate) fn share_room(self, room: RoomId) {
        let Some(view) = self.rooms.with_untracked(|r| r.get(room).cloned()) else { return };
        if view.private.is_some() {
            self.door_link(room);
            return;
        }
        if view.link.is_empty() {
            self.complain(
                "the relay's key is not known yet, and the link carries it; wait until the room is connected",
            );
            return;
        }
        let about = crate::model::rooms::invites(&view).to_owned();
        self.over.set(Some(Over::Share { title: String::from("Invite others"), about, link: view.link }));
    }

    fn door_link(self, room: RoomId) {
        let command = PrivateCommand::Link { room, uses: None, expires: Some(DOOR_SECONDS) };
        let about = String::from("Whoever has it can knock for a week; a member who may lets them in.");
        self.ask_link(Command::Private(command), "A link to this room's door", about);
    }

    fn ask_link(self, command: Command, title: &'static str, about: String) {
        self.spawn(async move {
            match self.command(command).await {
                Ok(Answer::Link(link)) => self.over.set(Some(Over::Share { title: title.to_owned(), about, link })),
                Ok(_) => {}
                Err(why) => self.complain(why),
            }
        });
    }

    fn rooms_slash(self, name: Option<String>) {
        let Some(name) = name else {
            self.over.set(Some(Over::Switcher));
            return;
        };
        let found = self.rooms.with_untracked(|r| one_of(&r.list, &name, |r| &r.name).map(|r| r.id));
        match found {
            Some(room) => self.go(Screen::Room(room)),
            None => self.complain("no room here has that name, or several have; /rooms lists them"),
        }
    }

    fn people_slash(self, room: RoomId, slash: Slash) {
        match slash {
            Slash::Contacts => self.go(Screen::People),
            Slash::Devices | Slash::Device => self.go(Screen::Devices),
            Slash::Me => {
                let about = String::from("Whoever has it can ask to be your contact; you say yes or no.");
                let command = AccountCommand::ContactLink { rotate: false };
                self.ask_link(Command::Account(command), "Your contact link", about);
            }
            Slash::Add(link) => {
                let command = AccountCommand::AddContact { link, text: String::new() };
                self.run_and_tell(Command::Account(command), "Asked. It is mutual when they say yes.");
            }
            Slash::Accept(name) => self.accept(&name),
            Slash::Verify(None) => self.go(Screen::People),
            Slash::Verify(Some(name)) => {
                let found = self.overview.with_untracked(|o| one_of(&o.contacts, &name, |c| &c.name).map(|c| c.id));
                match found {
                    Some(contact) => self.go(Screen::Verify(contact)),
                    None => self.no_contact(),
                }
            }
            Slash::New(name) => {
                let command = PrivateCommand::New { name, ttl: None, max_ttl: 0, classic: false };
                self.into_room(Command::Private(command), "The room is made. /invite NAME brings your contacts in.");
            }
            Slash::Join(link) => {
                let done = "Knocked. You are let in as soon as somebody there who may is online.";
                self.into_room(Command::Private(PrivateCommand::Knock { link }), done);
            }
            other => self.private_slash(room, other),
        }
    }

    fn private_slash(self, room: RoomId, slash: Slash) {
        let quick = self.rooms.with_untracked(|r| r.get(room).is_some_and(|r| r.private.is_none()));
        match slash {
            Slash::Private if quick => {
                let done = "The room is private from here on. Those present who have accounts are asked to follow.";
                self.into_room(Command::Private(PrivateCommand::FromQuick { room }), done);
            }
            Slash::Follow if quick => {
                let done = "You follow. You are let in as soon as somebody there who may is online.";
                self.into_room(Command::Private(PrivateCommand::FollowQuick { room }), done);
            }
            Slash::Private | Slash::Follow => self.complain("this room is private already"),
            _ if quick => {
                self.complain("that is for private rooms; /private makes this one private, /new NAME makes a fresh one")
            }
            Slash::Leave => self.over.set(Some(Over::Leave(room))),
            Slash::DoorLink => self.door_link(room),
            Slash::Invite(name) => {
                let found = self
                    .overview
                    .with_untracked(|o| one_of(&o.contacts, &name, |c| &c.name).map(|c| (c.id, c.name.clone())));
                let Some((contact, name)) = found else { return self.no_contact() };
                let done = format!("{} is invited.", inert::line(&name));
                self.run_and_tell(Command::Private(PrivateCommand::Invite { room, contact }), done);
            }
            Slash::Move(None) => self.move_room(room, Vec::new()),
            Slash::Move(Some(name)) => {
                if let Some((account, _)) = self.member(room, &name) {
                    self.move_room(room, vec![account]);
                }
            }
            Slash::Role(name, role) => {
                let Some((account, shown)) = self.member(room, &name) else { return };
                let done = format!("{shown} is {} here from now on.", role.word());
                self.run_and_tell(Command::Private(PrivateCommand::SetRole { room, account, role }), done);
            }
            Slash::Remove(name) => {
                if let Some((account, name)) = self.member(room, &name) {
                    self.over.set(Some(Over::Remove { room, account, name }));
                }
            }
            _ => {}
        }
    }

    fn move_room(self, room: RoomId, without: Vec<String>) {
        let done = "The room goes on in a new log; the others follow as soon as they are online.";
        self.run_and_tell(Command::Private(PrivateCommand::Move { room, without, classic: false }), done);
    }

    /// The one member of that name: account, and name as shown; else a complaint.
    fn member(self, room: RoomId, name: &str) -> Option<(String, String)> {
        let found = self.members.with_untracked(|all| {
            one_of(all.get(&room)?, name, |m| &m.shown).map(|m| (m.account.clone(), inert::line(&m.shown)))
        });
        if found.is_none() {
            self.complain("no member of this room has that name, or several have; /people lists them");
        }
        found
    }

    fn no_contact(self) {
        self.complain("no contact has that name, or several have; /contacts lists them");
    }

    fn accept(self, name: &str) {
        let invitation = self.overview.with_untracked(|o| one_of(&o.invitations, name, |i| &i.name).map(|i| i.room));
        if let Some(room) = invitation {
            self.into_room(Command::Private(PrivateCommand::AcceptInvitation(room)), "You are in.");
            return;
        }
        let contact = self
            .overview
            .with_untracked(|o| one_of(&o.contacts, name, |c| &c.name).map(|c| (c.id, inert::line(&c.name))));
        match contact {
            Some((id, name)) => {
                let done = format!("{name} is your contact.");
                self.run_and_tell(Command::Account(AccountCommand::AcceptContact(id)), done);
            }
            None => self.no_contact(),
        }
    }

    /// A command that ends in a room: shows it, and says this.
    pub(crate) fn into_room(self, command: Command, done: &'static str) {
        self.spawn(async move {
            match self.command(command).await {
                Ok(Answer::Room(room)) => {
                    self.go(Screen::Room(room));
                    self.tell(done);
                }
                Ok(_) => self.tell(done),
                Err(why) => self.complain(why),
            }
        });
    }
}
