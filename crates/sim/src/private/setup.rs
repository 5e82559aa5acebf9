//! How everybody comes together: accounts, second devices, contacts, a private room with everybody's devices in it. Nobody
//! dies meanwhile; in half of the worlds connections break and the relay does.

use estoile_engine::{
    AccountCommand, Answer, Command, CommandId, ContactId, ContactState, DeviceLinkView, Input, Overview,
    PrivateCommand,
};
use estoile_wire::Millis;

use super::{Asked, PEOPLE, person_of};
use crate::client::{ROOM_NAME, relay_address};
use crate::plan::one_in;
use crate::world::{MARK, World};

/// Whatever waits for the relay is over in this time, though connections break and the relay is away for a while.
const PATIENCE: Millis = 10 * 60_000;
/// How often somebody looks whether something has come about.
const LOOK: Millis = 100;

/// What a person is called; no relay may hold it in the clear.
pub(crate) fn name_of(person: usize) -> String {
    format!("Person-{person}-Vermeer")
}

/// What a device is called.
fn device_name(client: usize) -> String {
    format!("Device-{client}-Vermeer")
}

impl World {
    /// Asks for something; the answer comes when it comes.
    pub(crate) fn request(&mut self, index: usize, what: &str, command: Command) -> Result<CommandId, String> {
        let id = self.command();
        let life = self.clients.get(index).map_or(0, |c| c.lives);
        self.tell(|| format!("member {index} asks to {what} ({:06})", id.0));
        let asked = Asked { client: index, life, what: format!("member {index}: {what}"), answer: None };
        self.play_mut()?.asked.insert(id, asked);
        self.hand(index, Input::Command(id, command))?;
        Ok(id)
    }

    /// Lets things happen until something is so.
    fn wait_for(&mut self, what: &str, so: impl Fn(&Self) -> bool) -> Result<(), String> {
        let end = self.now.saturating_add(PATIENCE);
        while !so(self) {
            if self.now > end {
                return Err(format!("it never came about that {what}"));
            }
            self.until(self.now.saturating_add(LOOK))?;
        }
        Ok(())
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, index: usize, what: &str, command: Command) -> Result<Answer, String> {
        let id = self.request(index, what, command)?;
        let answer = |world: &Self| world.play.as_ref().and_then(|p| p.asked.get(&id)?.answer.clone());
        self.wait_for(&format!("member {index} has an answer to: {what}"), |world| answer(world).is_some())?;
        match answer(self) {
            Some(Ok(answer)) => Ok(answer),
            other => Err(format!("member {index} could not {what}: {other:?}")),
        }
    }

    pub(crate) fn overview(&self, index: usize) -> Option<Overview> {
        Some(self.clients.get(index)?.engine()?.overview())
    }

    pub(crate) fn has_account(&self, index: usize) -> bool {
        self.overview(index).is_some_and(|o| o.account.is_some())
    }

    /// How a client knows a person.
    pub(crate) fn contact(&self, index: usize, person: usize) -> Option<(ContactId, ContactState)> {
        let name = name_of(person);
        self.overview(index)?.contacts.into_iter().find(|c| c.name == name).map(|c| (c.id, c.state))
    }

    /// A person's contact link, of any of their devices.
    fn befriend(&mut self, one: usize, other: usize) -> Result<(), String> {
        let show = Command::Account(AccountCommand::ContactLink { rotate: false });
        let Answer::Link(link) = self.ask(other, "show the contact link", show)? else {
            return Err("a contact link is no link".to_owned());
        };
        let text = format!("{MARK}: it is me");
        let add = Command::Account(AccountCommand::AddContact { link, text });
        self.ask(one, "use a contact link", add)?;
        let asks = |world: &Self| match world.contact(other, person_of(one)) {
            Some((id, ContactState::Request { .. })) => Some(id),
            _ => None,
        };
        self.wait_for("a request arrives", |world| asks(world).is_some())?;
        let id = asks(self).ok_or("no request")?;
        self.ask(other, "accept a request", Command::Account(AccountCommand::AcceptContact(id)))?;
        let accepted =
            |world: &Self, at, whom| world.contact(at, whom).is_some_and(|(_, state)| state == ContactState::Accepted);
        let (a, b) = (person_of(one), person_of(other));
        self.wait_for("both are contacts", |w| accepted(w, one, b) && accepted(w, other, a))
    }

    fn link_device(&mut self, old: usize, new: usize) -> Result<(), String> {
        let make = Command::Account(AccountCommand::LinkDevice);
        let Answer::Link(link) = self.ask(old, "make a device link", make)? else {
            return Err("a device link is no link".to_owned());
        };
        self.ask(new, "use a device link", join_device(link, new))?;
        self.wait_for("both show words", |world| world.words(old).is_some() && world.words(new).is_some())?;
        if self.words(old) != self.words(new) {
            return Err("the two devices show different words".to_owned());
        }
        let yes = Command::Account(AccountCommand::ConfirmDevice { yes: true, history: false });
        self.ask(old, "confirm the new device", yes)?;
        self.wait_for("the new device has the account", |world| world.has_account(new))
    }

    /// The words that a device shows.
    pub(crate) fn words(&self, index: usize) -> Option<String> {
        match self.overview(index)?.device_link? {
            DeviceLinkView::Compare { words, .. } => Some(words),
            _ => None,
        }
    }

    /// How many devices of a person a client sees in the room.
    pub(crate) fn seen_devices(&self, index: usize, person: usize) -> Option<u32> {
        let client = self.clients.get(index)?;
        let members = client.engine()?.members(client.room?)?;
        let name = name_of(person);
        Some(members.iter().filter(|m| m.name == name).map(|m| m.devices).sum())
    }

    /// Whether a client is in the room.
    pub(crate) fn is_in(&self, index: usize) -> bool {
        self.clients.get(index).and_then(|c| c.stays.last()).is_some_and(|stay| !stay.over)
    }

    /// Everybody comes together, in a room.
    pub(crate) fn set_up(&mut self) -> Result<(), String> {
        self.wait_for("everybody is up", |world| {
            world.hub.is_some() && world.clients.iter().all(|c| c.life.is_some())
        })?;
        let relay = relay_address(self.pin());
        for person in 0..PEOPLE {
            let (name, device) = (name_of(person), device_name(person));
            let new = AccountCommand::New { name, device, relay: relay.clone(), entry: None };
            self.ask(person, "make an account", Command::Account(new))?;
        }
        // Second devices come before everybody has met, or when all are in the room already.
        let devices = self.play()?.devices;
        let early = one_in(&mut self.rng, 2);
        if early && devices > 1 {
            self.link_all()?;
        }
        for (one, other) in [(0, 1), (2, 0), (1, 2)] {
            self.befriend(one, other)?;
        }
        self.tell(|| "all have met".to_owned());
        let classic = self.play()?.classic;
        let new = PrivateCommand::New { name: ROOM_NAME.to_owned(), ttl: None, max_ttl: 0, classic };
        let Answer::Room(room) = self.ask(0, "make a private room", Command::Private(new))? else {
            return Err("a room is no room".to_owned());
        };
        for person in 1..PEOPLE {
            let contact = self.contact(0, person).ok_or("no contact")?.0;
            let invite = PrivateCommand::Invite { room, contact };
            self.ask(0, "invite", Command::Private(invite))?;
        }
        if !early && devices > 1 {
            self.wait_for("everybody is in the room", |world| (0..PEOPLE).all(|at| world.is_in(at)))?;
            self.link_all()?;
        }
        let all = PEOPLE.saturating_mul(devices);
        self.wait_for("every device is in the room", |world| (0..all).all(|at| world.is_in(at)))?;
        let each = u32::try_from(devices).unwrap_or(0);
        let sees_all = |world: &Self, at| (0..PEOPLE).all(|person| world.seen_devices(at, person) == Some(each));
        self.wait_for("every device sees all", |world| (0..all).all(|at| sees_all(world, at)))
    }

    fn link_all(&mut self) -> Result<(), String> {
        (0..PEOPLE).try_for_each(|person| self.link_device(person, person + PEOPLE))
    }
}

/// The new device's side of a device link.
pub(crate) fn join_device(link: String, new: usize) -> Command {
    Command::Account(AccountCommand::JoinDevice { link, device: device_name(new) })
}
