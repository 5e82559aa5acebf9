//! What people do in experiments again and again: open a quick room, meet, found private rooms, talk.

use estoile_engine::{
    AccountCommand, Answer, Command, CommandError, ContactId, ContactState, CreateRoom, LetterId, MessageView,
    OpenRoom, Overview, Past, PrivateCommand, RoomId, RoomSnapshot,
};

use super::{Broken, Done, Who, World, broken};

/// A command that is not answered after this many seconds of virtual time never is.
const MOST_SECONDS: usize = 90;
/// Joining schedules fresh keys within a minute and a half; after that a private room is calm.
const CALM: u64 = 90_000;

/// Two people, or three, in one room.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) who: Vec<Who>,
    pub(crate) rooms: Vec<RoomId>,
}

impl Cast {
    /// The person at a place, and the room as that vault numbers it.
    pub(crate) fn at(&self, index: usize) -> Done<(Who, RoomId)> {
        match (self.who.get(index), self.rooms.get(index)) {
            (Some(who), Some(room)) => Ok((*who, *room)),
            _ => broken(format!("nobody plays part {index}")),
        }
    }
}

impl World {
    /// Asks, lets things happen, and gives the answer; none: it had none within a minute and a half.
    pub(crate) fn try_act(&mut self, who: Who, command: Command) -> Done<Option<Result<Answer, CommandError>>> {
        let id = self.command(who, command)?;
        for _ in 0..MOST_SECONDS {
            self.settle()?;
            if let Some(answer) = self.client(who)?.answers.get(&id) {
                return Ok(Some(answer.clone()));
            }
            self.pass(1_000)?;
        }
        Ok(None)
    }

    /// The same, where an answer must come.
    pub(crate) fn act(&mut self, who: Who, command: Command) -> Done<Result<Answer, CommandError>> {
        let what = format!("{command:?}");
        self.try_act(who, command)?.ok_or_else(|| Broken(format!("{what} is not answered")))
    }

    pub(crate) fn account(&mut self, who: Who, command: AccountCommand) -> Done<Result<Answer, CommandError>> {
        self.act(who, Command::Account(command))
    }

    pub(crate) fn private(&mut self, who: Who, command: PrivateCommand) -> Done<Result<Answer, CommandError>> {
        self.act(who, Command::Private(command))
    }

    // ── Quick rooms ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// How the quick room is opened under this name.
    pub(crate) fn opening(&self, name: &str) -> OpenRoom {
        OpenRoom {
            relay: self.address.clone(),
            name: "garden".into(),
            own_name: name.into(),
            secret: self.secret.clone(),
            passphrase: false,
            ttl: None,
            create: Some(CreateRoom { max_ttl: 0, entry: None }),
            past: Past::All,
            sociable: true,
        }
    }

    /// Opens the quick room.
    pub(crate) fn opens(&mut self, who: Who) -> Done<RoomId> {
        let name = self.client(who)?.name.clone();
        let open = self.opening(&name);
        match self.act(who, Command::Open(Box::new(open)))? {
            Ok(Answer::Room(room)) => Ok(room),
            other => broken(format!("the quick room does not open: {other:?}")),
        }
    }

    /// People in a quick room, live.
    pub(crate) fn quick(&mut self, names: &[&str]) -> Done<Cast> {
        let (mut who, mut rooms) = (Vec::new(), Vec::new());
        for name in names {
            let one = self.new_client(name)?;
            rooms.push(self.opens(one)?);
            who.push(one);
            self.settle()?;
        }
        self.pass(1_000)?;
        Ok(Cast { who, rooms })
    }

    // ── Accounts and private rooms ──────────────────────────────────────────────────────────────────────────────────

    /// A client with an account; and its recovery words.
    pub(crate) fn person(&mut self, name: &str) -> Done<(Who, String)> {
        let who = self.new_client(name)?;
        let relay = self.address.clone();
        let new = AccountCommand::New { name: name.into(), device: "laptop".into(), relay, entry: None };
        match self.account(who, new)? {
            Ok(Answer::Words(words)) => Ok((who, words.to_string())),
            other => broken(format!("no account: {other:?}")),
        }
    }

    pub(crate) fn overview(&self, who: Who) -> Done<Overview> {
        let client = self.client(who)?;
        client.engine.as_ref().map(estoile_engine::Engine::overview).ok_or_else(|| Broken("not running".into()))
    }

    pub(crate) fn contact_link(&mut self, who: Who, rotate: bool) -> Done<String> {
        match self.account(who, AccountCommand::ContactLink { rotate })? {
            Ok(Answer::Link(link)) => Ok(link),
            other => broken(format!("no contact link: {other:?}")),
        }
    }

    /// A contact of this name, and how far it has come.
    pub(crate) fn contact(&self, who: Who, name: &str) -> Done<Option<(ContactId, ContactState)>> {
        Ok(self.overview(who)?.contacts.into_iter().find(|c| c.name == name).map(|c| (c.id, c.state)))
    }

    /// A contact that must be there.
    pub(crate) fn known(&self, who: Who, name: &str) -> Done<ContactId> {
        self.contact(who, name)?.map(|c| c.0).ok_or_else(|| Broken(format!("{name} is no contact")))
    }

    /// `a` uses `b`'s link, and `b` says yes.
    pub(crate) fn befriend(&mut self, a: Who, b: Who) -> Done {
        let link = self.contact_link(b, false)?;
        let asked = self.account(a, AccountCommand::AddContact { link, text: "hello".into() })?;
        let Ok(Answer::Contact(_)) = asked else { return broken(format!("no request: {asked:?}")) };
        self.settle()?;
        let contacts = self.overview(b)?.contacts;
        let request = contacts.into_iter().find(|c| matches!(c.state, ContactState::Request { .. }));
        let Some(request) = request else { return broken("no request came") };
        match self.account(b, AccountCommand::AcceptContact(request.id))? {
            Ok(_) => self.settle(),
            Err(error) => broken(format!("not accepted: {error}")),
        }
    }

    pub(crate) fn found(&mut self, who: Who, name: &str) -> Done<RoomId> {
        let new = PrivateCommand::New { name: name.into(), ttl: None, max_ttl: 0, classic: true };
        match self.private(who, new)? {
            Ok(Answer::Room(room)) => Ok(room),
            other => broken(format!("no private room: {other:?}")),
        }
    }

    /// Invites a contact; the room as their vault numbers it.
    pub(crate) fn invites(&mut self, who: Who, room: RoomId, guest: Who, called: &str) -> Done<RoomId> {
        let name = self.client(guest)?.name.clone();
        let contact = self.known(who, &name)?;
        if let Err(error) = self.private(who, PrivateCommand::Invite { room, contact })? {
            return broken(format!("{name} is not invited: {error}"));
        }
        self.settle()?;
        self.inside(guest, called)?.ok_or_else(|| Broken(format!("{name} is not in the room")))
    }

    /// The private room of this name, if this client is in it.
    pub(crate) fn inside(&self, who: Who, called: &str) -> Done<Option<RoomId>> {
        let rooms = self.client(who)?.engine.as_ref().map(estoile_engine::Engine::rooms).unwrap_or_default();
        let inside = |r: &estoile_engine::RoomView| r.private.as_ref().is_some_and(|p| !p.waiting);
        Ok(rooms.into_iter().find(|r| r.name == called && inside(r)).map(|r| r.id))
    }

    /// People who know the first one, in a private room of that one's called `study`, calm.
    pub(crate) fn study(&mut self, names: &[&str]) -> Done<Cast> {
        let mut who = Vec::new();
        for name in names {
            who.push(self.person(name)?.0);
        }
        let Some((first, others)) = who.split_first() else { return broken("an empty room") };
        let (first, others) = (*first, others.to_vec());
        let mut rooms = vec![self.found(first, "study")?];
        for other in others {
            self.befriend(first, other)?;
            let own = rooms.first().copied().unwrap_or(RoomId(0));
            rooms.push(self.invites(first, own, other, "study")?);
        }
        self.pass(CALM)?;
        Ok(Cast { who, rooms })
    }

    // ── Both ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Says something; the letter's id.
    pub(crate) fn says(&mut self, (who, room): (Who, RoomId), text: &str) -> Done<LetterId> {
        self.says_for((who, room), text, None)
    }

    /// Says something that lives for so many seconds.
    pub(crate) fn says_for(
        &mut self,
        (who, room): (Who, RoomId),
        text: &str,
        ttl: Option<Option<u64>>,
    ) -> Done<LetterId> {
        let name = self.client(who)?.name.clone();
        self.tell(format!("{name} writes: “{text}”"));
        let id = self.command(who, Command::Send { room, text: text.into(), ttl })?;
        match self.client(who)?.answers.get(&id) {
            Some(Ok(Answer::Letter(letter))) => {
                let letter = *letter;
                self.settle()?;
                Ok(letter)
            }
            other => broken(format!("not sent: {other:?}")),
        }
    }

    /// What a face shows of a room.
    pub(crate) fn shown(&self, (who, room): (Who, RoomId)) -> Done<RoomSnapshot> {
        let client = self.client(who)?;
        let engine = client.engine.as_ref().ok_or_else(|| Broken("not running".into()))?;
        engine.snapshot(room, 10_000).ok_or_else(|| Broken("there is no such room".into()))
    }

    /// The texts of a room's timeline.
    pub(crate) fn texts(&self, at: (Who, RoomId)) -> Done<Vec<String>> {
        Ok(self.shown(at)?.messages.into_iter().map(|m| m.text).collect())
    }

    /// One message of a room's timeline.
    pub(crate) fn message(&self, at: (Who, RoomId), id: LetterId) -> Done<Option<MessageView>> {
        Ok(self.shown(at)?.messages.into_iter().find(|m| m.id == id))
    }

    /// Why a room stands still, if it does.
    pub(crate) fn stopped(&self, at: (Who, RoomId)) -> Done<Option<String>> {
        Ok(self.shown(at)?.room.stopped)
    }
}
