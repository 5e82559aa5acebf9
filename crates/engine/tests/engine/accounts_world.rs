//! People with accounts: what tests of accounts do again and again.

use estoile_engine::{
    AccountCommand, Answer, Command, CommandError, ContactId, ContactState, Event, Overview, PrivateCommand, RoomId,
};

use crate::world::World;

/// A world at about this machine's time: MLS holds key packages against that clock by itself.
#[expect(clippy::disallowed_methods, reason = "OpenMLS reads that clock itself")]
pub(crate) fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    world.kill_relay();
    world.now = u64::try_from(now).expect("fits");
    world.start_relay();
    world.filter = Some(Box::new(|at, bytes| {
        let said = estoile_wire::RelayFrame::decode(bytes).map_or_else(|e| format!("{e:?}"), |f| format!("{f:?}"));
        FRAMES.with_borrow_mut(|frames| frames.push(format!("{at}: {}", said.chars().take(160).collect::<String>())));
        vec![bytes.to_vec()]
    }));
    world
}

std::thread_local! {
    /// What relays said last, for failing tests' sake.
    static FRAMES: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl World {
    /// Asks, lets things happen, and gives the answer.
    pub(crate) fn act(&mut self, at: usize, command: Command) -> Result<Answer, CommandError> {
        let id = self.command(at, command);
        for _ in 0..60 {
            self.settle();
            if let Some(answer) = self.clients[at].answers.get(&id) {
                return answer.clone();
            }
            self.pass(1_000);
        }
        let told: Vec<_> = (0..self.clients.len()).map(|at| self.told(at)).collect();
        panic!("not answered within a minute; told: {told:#?}; frames: {:#?}", self.frames());
    }

    pub(crate) fn account(&mut self, at: usize, command: AccountCommand) -> Result<Answer, CommandError> {
        self.act(at, Command::Account(command))
    }

    pub(crate) fn private(&mut self, at: usize, command: PrivateCommand) -> Result<Answer, CommandError> {
        self.act(at, Command::Private(command))
    }

    /// A client with an account; and its words.
    pub(crate) fn person(&mut self, name: &str) -> (usize, String) {
        let at = self.client();
        let relay = self.address.clone();
        let new = AccountCommand::New { name: name.into(), device: "laptop".into(), relay, entry: None };
        match self.account(at, new) {
            Ok(Answer::Words(words)) => (at, words.to_string()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn overview(&self, at: usize) -> Overview {
        self.clients[at].engine.as_ref().unwrap().overview()
    }

    pub(crate) fn contact_link(&mut self, at: usize, rotate: bool) -> String {
        match self.account(at, AccountCommand::ContactLink { rotate }) {
            Ok(Answer::Link(link)) => link,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn contact(&self, at: usize, name: &str) -> Option<(ContactId, ContactState)> {
        self.overview(at).contacts.into_iter().find(|c| c.name == name).map(|c| (c.id, c.state))
    }

    pub(crate) fn state(&self, at: usize, name: &str) -> ContactState {
        self.contact(at, name).expect("a contact").1
    }

    /// `a` uses `b`'s link, and `b` says yes.
    pub(crate) fn befriend(&mut self, a: usize, b: usize) {
        let link = self.contact_link(b, false);
        let asked = self.account(a, AccountCommand::AddContact { link, text: "hello".into() });
        assert!(matches!(asked, Ok(Answer::Contact(_))), "{asked:?}");
        self.settle();
        let request = self
            .overview(b)
            .contacts
            .into_iter()
            .find(|c| matches!(c.state, ContactState::Request { .. }))
            .expect("a request");
        assert_eq!(self.account(b, AccountCommand::AcceptContact(request.id)), Ok(Answer::Done));
        self.settle();
    }

    pub(crate) fn new_room(&mut self, at: usize, name: &str) -> RoomId {
        let new = PrivateCommand::New { name: name.into(), ttl: None, max_ttl: 0, classic: true };
        match self.private(at, new) {
            Ok(Answer::Room(room)) => room,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn invite(&mut self, at: usize, room: RoomId, name: &str) -> Result<Answer, CommandError> {
        let contact = self.contact(at, name).expect("a contact").0;
        self.private(at, PrivateCommand::Invite { room, contact })
    }

    /// The private room of this name, if this client is in it.
    pub(crate) fn inside(&self, at: usize, name: &str) -> Option<RoomId> {
        let rooms = self.clients[at].engine.as_ref()?.rooms();
        rooms.into_iter().find(|r| r.name == name && r.private.as_ref().is_some_and(|p| !p.waiting)).map(|r| r.id)
    }

    pub(crate) fn texts_in(&self, at: usize, room: RoomId) -> Vec<String> {
        let engine = self.clients[at].engine.as_ref().unwrap();
        engine.snapshot(room, 1_000).expect("the room").messages.into_iter().map(|m| m.text).collect()
    }

    pub(crate) fn tell(&mut self, at: usize, room: RoomId, text: &str) {
        let said = self.act(at, Command::Send { room, text: text.into(), ttl: None });
        assert!(matches!(said, Ok(Answer::Letter(_))), "{said:?}");
    }

    /// The last frames of the relay.
    fn frames(&self) -> Vec<String> {
        FRAMES.with_borrow(|frames| frames.iter().rev().take(40).rev().cloned().collect())
    }

    /// What this client was told, all of it, for failing tests' sake.
    pub(crate) fn told(&self, at: usize) -> Vec<String> {
        let notice = |e: &Event| match e {
            Event::Notice(n) => Some(format!("{}: {}", n.kind.slug(), n.detail)),
            _ => None,
        };
        self.clients[at].events.iter().filter_map(notice).collect()
    }
}

impl World {
    /// Whoever died comes back, and everything settles.
    pub(crate) fn revive(&mut self, died: &mut bool) {
        for _ in 0..2 {
            for at in 0..self.clients.len() {
                if self.clients[at].engine.is_none() {
                    *died = true;
                    self.clients[at].death = None;
                    self.start(at);
                }
            }
            self.pass(2_000);
        }
    }

    /// Asks, and does not mind if the client dies of it.
    pub(crate) fn try_act(&mut self, at: usize, make: impl Fn(&Self) -> Command, died: &mut bool) {
        let command = make(self);
        self.command(at, command);
        self.pass(3_000);
        self.revive(died);
    }

    pub(crate) fn contact_link_of(&mut self, at: usize, died: &mut bool) -> String {
        loop {
            let id = self.command(at, Command::Account(AccountCommand::ContactLink { rotate: false }));
            self.settle();
            if let Some(Ok(Answer::Link(link))) = self.clients[at].answers.get(&id) {
                return link.clone();
            }
            self.revive(died);
        }
    }
}
