//! Accounts, contacts, private rooms and devices: what the slash commands about them do, and what comes back.

use crossterm::event::{KeyCode, KeyEvent};
use estoile_engine::{
    AccountCommand, Answer, Command, CommandError, ContactId, ContactState, ContactView, DeviceLinkView, MemberView,
    Overview, PrivateCommand, RoomId, Verify, VerifyView,
};
use zeroize::Zeroizing;

use super::engine::sentence;
use super::{Act, App, Call, Confirm, Overlay};
use crate::commands::People;
use crate::inert;

/// What is typed to be compared is at most this long: sixty digits with blanks are far less.
const MAX_SAID: usize = 400;

/// What a call about people was for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// A link to show, with its title and who may have it.
    Link { title: String, about: &'static str },
    /// What to compare with somebody.
    Verify { name: String },
    /// A room to go to, and what to say then.
    Room(&'static str),
    /// The device link.
    Device,
}

/// The page on which two people compare.
pub(crate) struct Comparing {
    pub(crate) name: String,
    pub(crate) view: VerifyView,
    pub(crate) said: Zeroizing<String>,
}

impl App {
    pub(super) fn people_slash(&mut self, people: People) {
        match people {
            People::Contacts => self.overlay = Some(Overlay::Contacts { chosen: 0 }),
            People::Me => {
                let about = "Whoever has it can ask to be your contact; you say yes or no.";
                let asked = Asked::Link { title: String::from("Your contact link"), about };
                self.ask_account(asked, AccountCommand::ContactLink { rotate: false });
            }
            People::Add(link) => {
                let text = String::from("Asked. It is mutual when they say yes.");
                self.account(text, AccountCommand::AddContact { link, text: String::new() });
            }
            People::Accept(name) => self.accept_named(&name),
            People::Verify(name) => self.verify(name),
            People::Devices => self.overlay = Some(Overlay::Devices),
            People::LinkDevice => self.ask_account(Asked::Device, AccountCommand::LinkDevice),
            People::New(name) => {
                let command = PrivateCommand::New { name, ttl: None, max_ttl: 0, classic: false };
                self.ask(
                    Asked::Room("The room is made. /invite NAME brings your contacts in."),
                    Command::Private(command),
                );
            }
            People::Join(link) => {
                let said = "Knocked. You are let in as soon as somebody there who may is online.";
                self.ask(Asked::Room(said), Command::Private(PrivateCommand::Knock { link }));
            }
            other => match self.current {
                Some(room) => self.private_slash(room, other),
                None => self.complain("That is for a room, and none is open."),
            },
        }
    }

    fn private_slash(&mut self, room: RoomId, people: People) {
        let quick = self.here().is_some_and(|r| r.view.private.is_none());
        match people {
            People::Private if quick => {
                let said = "The room is private from here on. Those present who have accounts are asked to follow.";
                self.ask(Asked::Room(said), Command::Private(PrivateCommand::FromQuick { room }));
            }
            People::Follow if quick => {
                let said = "You follow. You are let in as soon as somebody there who may is online.";
                self.ask(Asked::Room(said), Command::Private(PrivateCommand::FollowQuick { room }));
            }
            People::Private | People::Follow => self.complain("This room is private already."),
            _ if quick => {
                self.complain(
                    "That is for private rooms. /private makes this one private; /new NAME makes a fresh one.",
                );
            }
            People::Invite(name) => {
                let Some(contact) = self.contact(&name) else { return };
                let text = format!("{} is invited.", inert::line(&contact.name));
                let contact = contact.id;
                self.private(text, PrivateCommand::Invite { room, contact });
            }
            People::RoomLink => {
                let about = "Whoever has it can knock for a week; a member who may lets them in.";
                let asked = Asked::Link { title: String::from("A link to this room's door"), about };
                let command = PrivateCommand::Link { room, uses: None, expires: Some(7 * 86_400) };
                self.ask(asked, Command::Private(command));
            }
            People::Remove(name) => {
                if let Some(member) = self.member(&name) {
                    self.overlay =
                        Some(Overlay::Confirm(Confirm::Remove { room, account: member.account, name: member.shown }));
                }
            }
            People::Role(name, role) => {
                let Some(member) = self.member(&name) else { return };
                let text = format!("{} is {} here from now on.", inert::line(&member.shown), role.word());
                self.private(text, PrivateCommand::SetRole { room, account: member.account, role });
            }
            People::Leave => self.overlay = Some(Overlay::Confirm(Confirm::Leave(room))),
            People::Move(None) => self.moved(room, Vec::new()),
            People::Move(Some(name)) => {
                if let Some(member) = self.member(&name) {
                    self.moved(room, vec![member.account]);
                }
            }
            _ => {}
        }
    }

    fn moved(&mut self, room: RoomId, without: Vec<String>) {
        let text = String::from("The room goes on in a new log; the others follow as soon as they are online.");
        self.private(text, PrivateCommand::Move { room, without, classic: false });
    }

    pub(super) fn removed(&mut self, room: RoomId, account: String, name: &str) {
        let text = format!("{} is removed, and the room's keys are changed.", inert::line(name));
        self.private(text, PrivateCommand::Remove { room, account });
    }

    pub(super) fn left(&mut self, room: RoomId) {
        let text = String::from("You asked to leave; the next member who is online sees to it.");
        self.private(text, PrivateCommand::Leave(room));
    }

    fn account(&mut self, text: String, command: AccountCommand) {
        self.call(Call::Tell(text), Command::Account(command));
    }

    fn private(&mut self, text: String, command: PrivateCommand) {
        self.call(Call::Tell(text), Command::Private(command));
    }

    fn ask_account(&mut self, asked: Asked, command: AccountCommand) {
        self.ask(asked, Command::Account(command));
    }

    fn ask(&mut self, asked: Asked, command: Command) {
        self.call(Call::People(asked), command);
    }

    /// The one contact of that name, or of that beginning; else a complaint.
    fn contact(&mut self, name: &str) -> Option<ContactView> {
        let found = one_of(&self.overview.contacts, name, |c| &c.name).cloned();
        if found.is_none() {
            self.complain("No contact has that name, or several have; /contacts lists them.");
        }
        found
    }

    /// The one member of that name in this room; else a complaint.
    fn member(&mut self, name: &str) -> Option<MemberView> {
        let found = self.here().and_then(|room| one_of(&room.members, name, |m| &m.shown).cloned());
        if found.is_none() {
            self.complain("No member of this room has that name, or several have; /people lists them.");
        }
        found
    }

    fn accept_named(&mut self, name: &str) {
        if let Some(invitation) = one_of(&self.overview.invitations, name, |i| &i.name) {
            let room = invitation.room;
            self.ask(Asked::Room("You are in."), Command::Private(PrivateCommand::AcceptInvitation(room)));
        } else if let Some(contact) = self.contact(name) {
            self.say_yes(&contact);
        }
    }

    fn say_yes(&mut self, contact: &ContactView) {
        let text = format!("{} is your contact.", inert::line(&contact.name));
        self.account(text, AccountCommand::AcceptContact(contact.id));
    }

    fn verify(&mut self, name: Option<String>) {
        let Some(name) = name else {
            self.overlay = Some(Overlay::Contacts { chosen: 0 });
            return;
        };
        if let Some(contact) = self.contact(&name) {
            self.show_verification(contact.id, &contact.name);
        }
    }

    fn show_verification(&mut self, contact: ContactId, name: &str) {
        let name = inert::line(name);
        self.ask_account(Asked::Verify { name }, AccountCommand::ShowVerification(contact));
    }

    /// Enter or `a` on the page of contacts: requests and invitations get their yes, contacts are compared with.
    pub(super) fn chosen_contact(&mut self, chosen: usize) {
        let overview = &self.overview;
        if let Some(contact) = overview.contacts.get(chosen).cloned() {
            match contact.state {
                ContactState::Request { .. } | ContactState::Stopped { .. } => self.say_yes(&contact),
                ContactState::Accepted => self.show_verification(contact.id, &contact.name),
                ContactState::Asked => self.tell("They have not answered yet; their client asks them."),
            }
            return;
        }
        let at = chosen.saturating_sub(overview.contacts.len());
        if let Some(room) = overview.invitations.get(at).map(|i| i.room) {
            self.ask(Asked::Room("You are in."), Command::Private(PrivateCommand::AcceptInvitation(room)));
        }
    }

    /// What was typed on the page on which two people compare.
    pub(super) fn compare(&mut self, contact: ContactId, name: &str, how: Verify) {
        let text = format!("It is the same: {name} is verified.");
        self.account(text, AccountCommand::VerifyContact(contact, how));
    }

    /// Types on that page.
    pub(super) fn said(comparing: &mut Comparing, c: char) {
        if comparing.said.len() < MAX_SAID {
            comparing.said.push(c);
        }
    }

    /// The old device's user answers.
    pub(super) fn confirm_device(&mut self, yes: bool, history: bool) {
        let text = if yes { "The new device is let in." } else { "The new device was not let in." };
        self.account(text.to_owned(), AccountCommand::ConfirmDevice { yes, history });
    }

    pub(super) fn cancel_device(&mut self) {
        self.account(String::from("The device link is given up."), AccountCommand::CancelDeviceLink);
    }

    /// A key on one of the pages about people.
    pub(super) fn people_key(&mut self, key: KeyEvent, ctrl: bool) {
        let last = self.overview.contacts.len().saturating_add(self.overview.invitations.len()).saturating_sub(1);
        match &mut self.overlay {
            Some(Overlay::Contacts { chosen }) => match key.code {
                KeyCode::Up | KeyCode::Char('k') => *chosen = chosen.saturating_sub(1),
                KeyCode::Down | KeyCode::Char('j') => *chosen = chosen.saturating_add(1).min(last),
                KeyCode::Enter | KeyCode::Char('a') => {
                    let chosen = *chosen;
                    self.close_overlay();
                    self.chosen_contact(chosen);
                }
                _ => self.close_overlay(),
            },
            Some(Overlay::Verify(page)) => match key.code {
                KeyCode::Char('s') if ctrl => self.compared(Some(Verify::Compared)),
                KeyCode::Char(c) => Self::said(page, c),
                KeyCode::Backspace => drop(page.said.pop()),
                KeyCode::Enter if !page.said.trim().is_empty() => self.compared(None),
                KeyCode::Esc => self.close_overlay(),
                _ => {}
            },
            Some(Overlay::Share { link, .. }) => {
                if key.code == KeyCode::Char('c') {
                    let link = link.clone();
                    self.acts.push(Act::Copy(link));
                    self.tell("The link is in your clipboard, if your terminal allows that.");
                }
                self.close_overlay();
            }
            Some(Overlay::Device { old, history, .. }) => match (key.code, *old) {
                (KeyCode::Char('h' | 'H' | ' '), true) => *history = !*history,
                (KeyCode::Char('y' | 'Y'), true) => {
                    let history = *history;
                    self.close_overlay();
                    self.confirm_device(true, history);
                }
                (KeyCode::Char('n' | 'N'), true) => {
                    self.close_overlay();
                    self.confirm_device(false, false);
                }
                (KeyCode::Esc, _) => {
                    self.close_overlay();
                    self.cancel_device();
                }
                _ => {}
            },
            _ => self.close_overlay(),
        }
    }

    fn compared(&mut self, how: Option<Verify>) {
        let Some(Overlay::Verify(page)) = self.overlay.take() else { return };
        let how = how.unwrap_or_else(|| Verify::Said(page.said.to_string()));
        self.compare(page.view.contact, &page.name, how);
    }

    pub(super) fn people_answered(&mut self, asked: Asked, answer: Result<Answer, CommandError>) {
        match (asked, answer) {
            (_, Err(error)) => self.complain(sentence(&error.to_string())),
            (Asked::Link { title, about }, Ok(Answer::Link(link))) => {
                self.overlay = Some(Overlay::Share { title, about, link });
            }
            (Asked::Device, Ok(Answer::Link(link))) => {
                let about = "On the new device: estoile device join LINK. It is good once, for ten minutes.";
                self.overlay = Some(Overlay::Share { title: String::from("A link for your new device"), about, link });
            }
            (Asked::Verify { name }, Ok(Answer::Verify(view))) => {
                let comparing = Comparing { name, view: *view, said: Zeroizing::default() };
                self.overlay = Some(Overlay::Verify(Box::new(comparing)));
            }
            (Asked::Room(said), Ok(Answer::Room(room))) => {
                self.first = Some(room);
                self.acts.push(Act::Rooms);
                if self.room(room).is_some() {
                    self.go_to(room);
                }
                self.tell(said);
            }
            (_, Ok(_)) => {}
        }
    }

    pub(super) fn overview_came(&mut self, overview: Overview) {
        self.overview = overview;
    }

    pub(super) fn members_came(&mut self, room: RoomId, members: Option<Vec<MemberView>>) {
        if let Some(room) = self.room_mut(room) {
            room.members = members.unwrap_or_default();
        }
    }

    pub(super) fn device_link(&mut self, view: DeviceLinkView) {
        match view {
            DeviceLinkView::Waiting { .. } => {}
            DeviceLinkView::Compare { words, old } => {
                self.overlay = Some(Overlay::Device { words, old, history: true });
            }
            DeviceLinkView::Done => {
                self.close_device_pages();
                self.tell("The new device belongs to your account.");
            }
            DeviceLinkView::Failed { why } => {
                self.close_device_pages();
                self.complain(sentence(&why));
            }
        }
    }

    fn close_device_pages(&mut self) {
        if matches!(self.overlay, Some(Overlay::Device { .. } | Overlay::Share { .. })) {
            self.close_overlay();
        }
    }
}

/// The only one with that name, or else the only one whose name begins so; capitals don't matter.
fn one_of<'a, T>(all: &'a [T], wanted: &str, name: impl Fn(&T) -> &String) -> Option<&'a T> {
    let wanted = wanted.trim().trim_start_matches('@').to_lowercase();
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut found = all.iter().filter(|t| fits(&inert::line(name(t)).to_lowercase()));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        }
    };
    only(&|n| n == wanted).or_else(|| only(&|n| n.starts_with(&wanted)))
}
