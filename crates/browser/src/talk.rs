//! What a page asks of an open vault: links, rooms, commands and questions, settings.

use estoile_engine::{
    AccountCommand, Command, CreateRoom, Input, MessageView, OpenRoom, Past, PrivateCommand, RelayAddress, RoomView,
    face, known_answers_of_groups,
};
use estoile_port::{Reply, Settings, Stage, Work};
use estoile_seal::link::LinkKind;
use estoile_seal::passphrase;
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

use crate::client::{Client, Want};
use crate::outside::Outside;
use crate::proof::sound;
use crate::relays::{self, Relays};
use crate::settings;
use crate::stages::{Draft, Pending};
use crate::stretch::Job;

/// What is told where no vault is open.
const NOT_OPEN: &str = "what is kept here is not open yet; unlock it first";
const TAKEN: &str = "another tab has taken over; go on there, or take it back";
/// What a cancelled request is answered.
pub(crate) const CANCELLED: &str = "cancelled";

impl<O: Outside> Client<O> {
    /// Why nothing can be done now, and what to do.
    fn closed(&self) -> String {
        match &self.stage {
            Stage::Taken | Stage::ElsewhereOpen => TAKEN.into(),
            Stage::Lost(why) | Stage::Unable(why) => why.clone(),
            _ => NOT_OPEN.into(),
        }
    }

    /// The rooms, and the relays; none before a vault is open.
    fn at_work(&self) -> Result<(Vec<RoomView>, &Relays), String> {
        let (Some(open), Some(relays)) = (&self.open, &self.relays) else { return Err(self.closed()) };
        Ok((open.mind.look().rooms(), relays))
    }

    pub(crate) async fn read_link(&mut self, number: u64, link: &str) {
        self.turns().await;
        let rooms = self.open.as_ref().map(|open| open.mind.look().rooms()).unwrap_or_default();
        let view = match &self.relays {
            Some(relays) => relays.view(link, &rooms),
            None => Err(self.closed()),
        };
        self.reply(number, view.map(Reply::Link));
    }

    pub(crate) fn open_link(
        &mut self,
        number: u64,
        link: &str,
        own_name: String,
        passphrase: Option<Zeroizing<String>>,
    ) {
        let link = match self.at_work().and_then(|(_, relays)| relays.room(link)) {
            Ok(link) => link,
            Err(why) => return self.refuse(number, why),
        };
        let relay = relays::address(&link.relay_url());
        let draft = draft(relay, (link.name.clone(), own_name), link.kind == LinkKind::Passphrase, None);
        match (&link.kind, passphrase) {
            (LinkKind::Quick(secret), _) => self.open_room(number, (draft.0)(secret.clone())),
            (LinkKind::Passphrase, Some(passphrase)) => {
                let job = Job::Room { passphrase, host_port: link.host_port(), room: link.name };
                self.stretch(number, Pending::Room(Box::new(draft)), job);
            }
            (LinkKind::Passphrase, None) => self.refuse(number, "this room opens with a passphrase; type it"),
        }
    }

    pub(crate) fn new_room(
        &mut self,
        number: u64,
        names: (String, String),
        passphrase: Option<Zeroizing<String>>,
        ttl: Option<u64>,
        entry: Option<String>,
    ) {
        let place = self.at_work().and_then(|(rooms, relays)| {
            let (entry, pin) = relays.entry(entry.as_deref().unwrap_or_default())?;
            let own = relays.own();
            let pin = pin.or_else(|| relays.pin(own, &rooms));
            Ok((RelayAddress { pin, ..relays::address(own) }, own.host_port(), entry))
        });
        let (relay, host_port, entry) = match place {
            Ok(place) => place,
            Err(why) => return self.refuse(number, why),
        };
        let create = Some(CreateRoom { max_ttl: ttl.unwrap_or(0), entry });
        let room = names.0.clone();
        let draft = draft(relay, names, passphrase.is_some(), create);
        let Some(passphrase) = passphrase else {
            let secret = RoomSecret::generate(&mut self.out.rng());
            return self.open_room(number, (draft.0)(secret));
        };
        if let Err(weak) = passphrase::check_strength(&passphrase) {
            return self.refuse(number, weak.to_string());
        }
        self.stretch(number, Pending::Room(Box::new(draft)), Job::Room { passphrase, host_port, room });
    }

    /// Hands the opening of a room to the engine.
    pub(crate) fn open_room(&mut self, number: u64, open: OpenRoom) {
        let id = self.asked.command(number, Want::Room);
        self.inputs.push(Input::Command(id, Command::Open(Box::new(open))));
    }

    pub(crate) fn command(&mut self, number: u64, mut command: Command) {
        if let Err(why) = self.at_work().and_then(|(rooms, relays)| relays.judge(&mut command, &rooms)) {
            return self.refuse(number, why);
        }
        // What a page without an account does without is asked here: it takes as long as the start of everything else.
        let first = matches!(command, Command::Account(_))
            && self.open.as_ref().is_some_and(|open| open.mind.look().overview().account.is_none());
        if first && let Err(why) = sound(known_answers_of_groups()) {
            return self.refuse(number, why);
        }
        if let Some(work) = work(&command) {
            self.progress(number, work);
        }
        let id = self.asked.command(number, Want::Answer);
        self.inputs.push(Input::Command(id, command));
    }

    /// A question is answered at once, but after what came before it.
    pub(crate) async fn question(&mut self, number: u64, ask: face::Ask) {
        self.turns().await;
        let why = self.closed();
        let Some(open) = &mut self.open else { return self.refuse(number, why) };
        let engine = open.mind.look();
        let reply = match ask {
            // Commands don't come this way.
            face::Ask::Command(_) => return self.refuse(number, NOT_OPEN),
            face::Ask::Rooms => face::Reply::Rooms(engine.rooms()),
            face::Ask::Snapshot(room, newest) => face::Reply::Snapshot(engine.snapshot(room, newest).map(Box::new)),
            face::Ask::Older(room, before, count) => {
                let found = open.mind.older(&open.vault, room, before, count.saturating_add(1)).await;
                face::Reply::Older(found.ok().map(|messages| page(messages, count)))
            }
            face::Ask::Overview => face::Reply::Overview(Box::new(engine.overview())),
            face::Ask::Members(room) => face::Reply::Members(engine.members(room)),
            face::Ask::RoomLinks(room) => face::Reply::RoomLinks(engine.room_links(room)),
        };
        let shown = matches!(reply, face::Reply::Snapshot(_));
        self.reply(number, Ok(Reply::Face(reply)));
        if shown {
            self.looked();
        }
    }

    /// Stretching can be stopped; what the engine has in hand goes on.
    pub(crate) fn cancel(&mut self, number: u64, other: u64) {
        if self.asked.stretching.remove(&other).is_some() {
            self.out.stop(other);
            self.refuse(other, CANCELLED);
        }
        self.reply(number, Ok(Reply::Done));
    }

    pub(crate) async fn settings(&mut self, number: u64) {
        let settings = match &self.open {
            Some(open) => settings::read(&open.shelf, &open.key).await,
            None => Err(self.closed()),
        };
        self.reply(number, settings.map(Reply::Settings));
    }

    pub(crate) async fn remember(&mut self, number: u64, settings: &Settings) {
        let mut rng = self.out.rng();
        let closed = self.closed();
        let kept = match &mut self.open {
            Some(open) => settings::keep(&mut open.shelf, &open.key, settings, &mut rng).await,
            None => Err(closed),
        };
        if kept.is_err() {
            self.taken();
        }
        self.reply(number, kept.map(|()| Reply::Done));
    }
}

/// A room of this name on that relay, for somebody of that name.
fn draft(
    relay: RelayAddress,
    (name, own_name): (String, String),
    passphrase: bool,
    create: Option<CreateRoom>,
) -> Draft {
    Draft(Box::new(move |secret| OpenRoom {
        relay,
        name,
        own_name,
        secret,
        passphrase,
        ttl: None,
        create,
        past: Past::All,
        sociable: true,
    }))
}

/// What of a command takes so long that one wants to know it.
fn work(command: &Command) -> Option<Work> {
    match command {
        Command::Account(AccountCommand::Sync) => Some(Work::CatchingUp),
        Command::Account(
            AccountCommand::New { .. }
            | AccountCommand::Restore { .. }
            | AccountCommand::JoinDevice { .. }
            | AccountCommand::AddContact { .. },
        )
        | Command::Private(
            PrivateCommand::New { .. }
            | PrivateCommand::Invite { .. }
            | PrivateCommand::Move { .. }
            | PrivateCommand::Refresh(_)
            | PrivateCommand::FromQuick { .. },
        ) => Some(Work::Keys),
        _ => None,
    }
}

/// One message more than asked for was read: whether it is there says whether there are older ones.
fn page(mut messages: Vec<MessageView>, count: usize) -> face::Page {
    let surplus = messages.len().saturating_sub(count);
    messages.drain(..surplus);
    face::Page { messages, more: surplus > 0 }
}
