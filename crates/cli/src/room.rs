//! `estoile room new`, and making a room for `up`.

use estoile_client::{Delivery, Events, Handle};
use estoile_engine::{
    Answer, Command, ConnectionView, CreateRoom, Event, NoticeKind, OpenRoom, Past, RelayAddress, RoomId,
};
use estoile_seal::link::RelayUrl;
use estoile_seal::passphrase;
use estoile_seal::quick::RoomSecret;
use zeroize::Zeroizing;

use crate::args::{NewRoom, Room, RoomAction};
use crate::fail::{Failure, Outcome, say};
use crate::link::{ROOM_VARIABLE, parse_relay};
use crate::patience::Patience;
use crate::signals::{Signals, Stop};
use crate::unlock::{question, terminal, variable};
use crate::values::{Seconds, Ttl};
use crate::{names, out, plain, private, unlock};

pub(crate) async fn run(args: Room) -> Outcome {
    match args.action {
        RoomAction::New(args) if !args.private => Box::pin(new(args)).await,
        action => Box::pin(private::run(action)).await,
    }
}

async fn new(args: NewRoom) -> Outcome {
    let relay = parse_relay(args.relay.as_deref().unwrap_or_default())?;
    let name = args.name.unwrap_or_else(names::room);
    let common = args.common;
    let (handle, mut events) = unlock::client(common.data, common.clock, Delivery::Lossless).await?;
    let secret = if args.passphrase {
        let passphrase = new_passphrase()?;
        handle.stretch(&passphrase, &relay.host_port(), &name).await.map_err(Failure::new)?
    } else {
        RoomSecret::generate(&mut rand_core::UnwrapErr(getrandom::SysRng))
    };
    // Only now: while a question waits on the terminal, Ctrl-C ends the program by itself.
    let mut signals = Signals::listen()?;
    let room = creation(&relay, &name, secret, args.passphrase, args.ttl);
    let room_name = name;
    let link = tokio::select! {
        link = create(&handle, &mut events, room, common.wait) => link?,
        stop = signals.stop() => {
            return Err(if stop == Stop::Interrupt { Failure::interrupted() } else { Failure::new("ended before the room was made") });
        }
    };
    let text = if common.json {
        serde_json::to_string(&serde_json::json!({ "link": link, "name": room_name })).map_err(Failure::new)?
    } else {
        link
    };
    let _ = out::line(&text)?;
    handle.close().await;
    Ok(())
}

/// The command that makes a room.
pub(crate) fn creation(relay: &RelayUrl, name: &str, secret: RoomSecret, passphrase: bool, ttl: Ttl) -> OpenRoom {
    OpenRoom {
        relay: RelayAddress { host: relay.host.clone(), port: relay.port, tls: relay.tls, pin: relay.pin },
        name: name.to_owned(),
        own_name: names::person(),
        secret,
        passphrase,
        ttl: None,
        create: Some(CreateRoom { max_ttl: ttl.0.unwrap_or(0), entry: relay.entry.clone() }),
        past: Past::Newest(0),
        sociable: false,
    }
}

/// Makes a room and answers with its link, when the relay has it.
pub(crate) async fn create(
    handle: &Handle,
    events: &mut Events,
    room: OpenRoom,
    wait: Seconds,
) -> Result<String, Failure> {
    let mut patience = Patience::new(wait);
    let id = opened(handle, room).await?;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Room(room)) if room.id == id => {
                    patience.note(&room)?;
                    if room.connection == ConnectionView::Online && !room.link.is_empty() {
                        return Ok(room.link);
                    }
                }
                Some(Event::Notice(notice)) if notice.kind == NoticeKind::Clock => say(plain::notice(&notice)),
                Some(_) => {}
                None => return Err(Failure::new("the client ended before the room was made; try again")),
            },
            () = patience.over() => return Err(patience.exhausted()),
        }
    }
}

/// Opens a room and answers with its number.
pub(crate) async fn opened(handle: &Handle, room: OpenRoom) -> Result<RoomId, Failure> {
    match handle.command(Command::Open(Box::new(room))).await.map_err(Failure::new)? {
        Answer::Room(id) => Ok(id),
        _ => Err(Failure::new("the room was not opened; try again")),
    }
}

/// From the environment, from the terminal, or five words, which are printed.
fn new_passphrase() -> Result<Zeroizing<String>, Failure> {
    let given = match variable(ROOM_VARIABLE) {
        Some(given) => Some(given),
        None if terminal() => question("A passphrase for the room (nothing: five words are made): "),
        None => None,
    };
    if let Some(given) = given {
        passphrase::check_strength(&given).map_err(Failure::new)?;
        return Ok(given);
    }
    let made = passphrase::suggest(&mut rand_core::UnwrapErr(getrandom::SysRng));
    say("The room's passphrase; tell it to those who may read, by another way than the link:");
    say(made.as_str());
    Ok(made)
}
