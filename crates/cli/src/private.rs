//! `estoile room …` for the rooms of the vault: list, members, invitations, links, roles, leaving, moving.

use estoile_client::OpenOptions;
use estoile_engine::{Answer, Command, MemberView, OpenRoom, PrivateCommand, Role, RoomId, RoomLinkView, RoomView};
use serde::Serialize;

use crate::args::{Common, NewRoom, RoleWord, RoomAction};
use crate::fail::{Failure, Outcome, say};
use crate::plain::line;
use crate::session::Session;
use crate::values::spoken;
use crate::{link, names, pick, qr};

/// A room with `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    room: u32,
    name: &'a str,
    kind: &'static str,
    host: &'a str,
    unread: u32,
    role: Option<&'static str>,
    members: Option<u32>,
    devices: Option<u32>,
    epoch: Option<u64>,
    post_quantum: Option<bool>,
    verified: Option<bool>,
    waiting: bool,
    stopped: Option<&'a str>,
    from: Option<&'a str>,
}

/// A member with `--json`.
#[derive(Serialize)]
struct ShownMember<'a> {
    account: &'a str,
    name: &'a str,
    role: &'static str,
    own: bool,
    verified: bool,
    contact: Option<u32>,
    devices: u32,
    last_heard: Option<u64>,
}

/// A room's link with `--json`.
#[derive(Serialize)]
struct ShownLink<'a> {
    link_id: &'a str,
    uses_left: Option<u32>,
    expires_at: Option<u64>,
}

pub(crate) async fn run(action: RoomAction) -> Outcome {
    match action {
        RoomAction::New(args) => new(args).await,
        RoomAction::List(common) => list(common).await,
        RoomAction::Members(args) => members(&args.common, &args.room).await,
        RoomAction::Invite(args) => invite(&args.common, &args.room, &args.contact).await,
        RoomAction::Link(args) => {
            let expires = args.expires.map(|e| e.0);
            let make = move |room| PrivateCommand::Link { room, uses: args.uses, expires };
            linked(&args.common, &args.room, args.qr, make).await
        }
        RoomAction::Unlink(args) => {
            let revoke = |room| PrivateCommand::RevokeLink { room, link: args.link };
            simple(&args.common, &args.room, revoke).await
        }
        RoomAction::Join(args) => join(&args.common, &args.what).await,
        RoomAction::Remove(args) => {
            let remove = |room, account| PrivateCommand::Remove { room, account };
            about(&args.common, &args.room, &args.person, remove).await
        }
        RoomAction::Role(args) => {
            let role = role_of(args.role);
            let set = move |room, account| PrivateCommand::SetRole { room, account, role };
            about(&args.common, &args.room, &args.person, set).await
        }
        RoomAction::Rename(args) => {
            let rename = |room| PrivateCommand::Rename { room, name: args.name };
            simple(&args.common, &args.room, rename).await
        }
        RoomAction::Leave(args) => simple(&args.common, &args.room, PrivateCommand::Leave).await,
        RoomAction::Refresh(args) => simple(&args.common, &args.room, PrivateCommand::Refresh).await,
        RoomAction::Move(args) => moved(&args.common, &args.room, &args.without, args.classic).await,
        RoomAction::Private(args) => quick(&args.common, &args.room, |room| PrivateCommand::FromQuick { room }).await,
        RoomAction::Follow(args) => quick(&args.common, &args.room, |room| PrivateCommand::FollowQuick { room }).await,
    }
}

async fn new(args: NewRoom) -> Outcome {
    let mut session = Session::begin(&args.common).await?;
    session.own().await?;
    let name = args.name.unwrap_or_else(names::room);
    let ttl = args.ttl.0;
    let command = PrivateCommand::New { name, ttl, max_ttl: ttl.unwrap_or(0), classic: args.classic };
    let answer = session.private(command).await?;
    told_room(&session, &answer).await?;
    session.end(Ok(())).await
}

/// Prints the room that a command answered with.
async fn told_room(session: &Session, answer: &Answer) -> Outcome {
    let Answer::Room(id) = answer else { return Ok(()) };
    match session.rooms().await.iter().find(|room| room.id == *id) {
        Some(room) => session.print(&shown(room), &line(&room.name)),
        None => Ok(()),
    }
}

async fn list(common: Common) -> Outcome {
    let session = Session::begin(&common).await?;
    let invitations = session.overview().await.invitations;
    for room in session.rooms().await {
        session.print(&shown(&room), &human(&room))?;
    }
    for invitation in &invitations {
        let shown =
            Shown { kind: "invitation", from: Some(&invitation.from), ..bare(invitation.room, &invitation.name) };
        let text = format!(
            "{}  {}  invitation by {} ({:.8}); say yes with: estoile room join {}",
            invitation.room.0,
            line(&invitation.name),
            line(&invitation.from),
            invitation.account,
            invitation.room.0
        );
        session.print(&shown, &text)?;
    }
    session.end(Ok(())).await
}

async fn members(common: &Common, room: &str) -> Outcome {
    let session = Session::begin(common).await?;
    let (id, members) = members_of(&session, room).await?;
    for member in &members {
        session.print(&shown_member(member), &human_member(member))?;
    }
    for link in session.handle.room_links(id).await.unwrap_or_default() {
        session.print(&shown_link(&link), &human_link(&link))?;
    }
    session.end(Ok(())).await
}

async fn invite(common: &Common, room: &str, contact: &str) -> Outcome {
    let mut session = Session::begin(common).await?;
    session.own().await?;
    let contacts = session.contacts().await;
    let contact = pick::contact(&contacts, contact)?;
    let rooms = session.rooms().await;
    let room = pick::room(&rooms, room)?;
    session.private(PrivateCommand::Invite { room: room.id, contact: contact.id }).await?;
    say(format_args!("{} is invited to {} and can read from here on.", line(&contact.name), line(&room.name)));
    session.end(Ok(())).await
}

async fn linked(common: &Common, room: &str, qr: bool, make: impl FnOnce(RoomId) -> PrivateCommand) -> Outcome {
    #[derive(Serialize)]
    struct Made<'a> {
        link: &'a str,
    }
    let mut session = Session::begin(common).await?;
    let id = pick::room(&session.rooms().await, room)?.id;
    let Answer::Link(link) = session.private(make(id)).await? else {
        return Err(Failure::new("there is no link; try again"));
    };
    if qr && let Some(code) = qr::code(&link) {
        say(code);
    }
    session.print(&Made { link: &link }, &link)?;
    session.end(Ok(())).await
}

async fn join(common: &Common, what: &str) -> Outcome {
    let mut session = Session::begin(common).await?;
    session.own().await?;
    let answer = if what.contains("#r/") {
        let answer = session.private(PrivateCommand::Knock { link: what.to_owned() }).await?;
        say("Knocked. You are let in as soon as somebody there who may is online.");
        answer
    } else {
        let invitations = session.overview().await.invitations;
        let fits = |i: &&estoile_engine::InvitationView| i.name == what || i.room.0.to_string() == what;
        let found: Vec<_> = invitations.iter().filter(fits).collect();
        let [invitation] = found.as_slice() else {
            return Err(Failure::new(format_args!(
                "there is no invitation, or more than one, by the name {}; see `estoile room list`, and give its number",
                line(what)
            )));
        };
        session.private(PrivateCommand::AcceptInvitation(invitation.room)).await?
    };
    told_room(&session, &answer).await?;
    session.end(Ok(())).await
}

/// A command on one room that prints nothing.
async fn simple(common: &Common, room: &str, command: impl FnOnce(RoomId) -> PrivateCommand) -> Outcome {
    let mut session = Session::begin(common).await?;
    let id = pick::room(&session.rooms().await, room)?.id;
    session.private(command(id)).await?;
    session.end(Ok(())).await
}

/// A command on one member of a room that prints nothing.
async fn about(
    common: &Common,
    room: &str,
    person: &str,
    command: impl FnOnce(RoomId, String) -> PrivateCommand,
) -> Outcome {
    let mut session = Session::begin(common).await?;
    let (id, members) = members_of(&session, room).await?;
    let account = pick::member(&members, person)?.account.clone();
    session.private(command(id, account)).await?;
    session.end(Ok(())).await
}

async fn moved(common: &Common, room: &str, without: &[String], classic: bool) -> Outcome {
    let mut session = Session::begin(common).await?;
    let (id, members) = members_of(&session, room).await?;
    let without = without
        .iter()
        .map(|person| pick::member(&members, person).map(|m| m.account.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    session.private(PrivateCommand::Move { room: id, without, classic }).await?;
    say("The room goes on in a new log; the others follow as soon as they are online.");
    session.end(Ok(())).await
}

/// A command on a quick room, which may be named by its link.
async fn quick(common: &Common, room: &str, command: impl FnOnce(RoomId) -> PrivateCommand) -> Outcome {
    let mut session = Session::begin(common).await?;
    let own = session.own().await?;
    let id = if room.contains("://") {
        let link = link::parse(room)?;
        let open: OpenRoom = link::open(&session.handle, &link, &own.name, OpenOptions::default()).await?;
        match session.ask(Command::Open(Box::new(open))).await? {
            Answer::Room(id) => id,
            _ => return Err(Failure::new("the room was not opened; try again")),
        }
    } else {
        pick::room(&session.rooms().await, room)?.id
    };
    session.sync().await?;
    let answer = session.private(command(id)).await?;
    told_room(&session, &answer).await?;
    session.end(Ok(())).await
}

async fn members_of(session: &Session, room: &str) -> Result<(RoomId, Vec<MemberView>), Failure> {
    let rooms = session.rooms().await;
    let room = pick::room(&rooms, room)?;
    let members = session.handle.members(room.id).await.ok_or_else(|| {
        Failure::new(format_args!(
            "{} is a quick room: whoever has its link is in it; make it private with `estoile room private`",
            line(&room.name)
        ))
    })?;
    Ok((room.id, members))
}

const fn role_of(word: RoleWord) -> Role {
    match word {
        RoleWord::Owner => Role::Owner,
        RoleWord::Admin => Role::Admin,
        RoleWord::Member => Role::Member,
    }
}

const fn bare(room: RoomId, name: &str) -> Shown<'_> {
    Shown {
        room: room.0,
        name,
        kind: "quick",
        host: "",
        unread: 0,
        role: None,
        members: None,
        devices: None,
        epoch: None,
        post_quantum: None,
        verified: None,
        waiting: false,
        stopped: None,
        from: None,
    }
}

fn shown(room: &RoomView) -> Shown<'_> {
    let private = room.private.as_ref();
    Shown {
        kind: if private.is_some() { "private" } else { "quick" },
        host: &room.host,
        unread: room.unread,
        role: private.and_then(|p| p.role).map(Role::word),
        members: private.map(|p| p.members),
        devices: private.map(|p| p.devices),
        epoch: private.map(|p| p.epoch),
        post_quantum: private.map(|p| p.post_quantum),
        verified: private.map(|p| p.verified),
        waiting: private.is_some_and(|p| p.waiting),
        stopped: room.stopped.as_deref(),
        ..bare(room.id, &room.name)
    }
}

fn human(room: &RoomView) -> String {
    let mut text = format!("{}  {}", room.id.0, line(&room.name));
    match &room.private {
        None => text.push_str("  quick"),
        Some(p) if p.waiting => text.push_str("  private, waits to be let in"),
        Some(p) => {
            let role = p.role.map_or("", Role::word);
            let mark = if p.verified { ", all verified ✓" } else { "" };
            text.push_str(&format!("  private, {} people, {role}{mark}", p.members));
        }
    }
    if room.unread > 0 {
        text.push_str(&format!(", {} unread", room.unread));
    }
    if let Some(why) = &room.stopped {
        text.push_str(&format!("  stopped: {}", line(why)));
    }
    text
}

fn shown_member(member: &MemberView) -> ShownMember<'_> {
    ShownMember {
        account: &member.account,
        name: &member.name,
        role: member.role.word(),
        own: member.own,
        verified: member.verified,
        contact: member.contact.map(|c| c.0),
        devices: member.devices,
        last_heard: member.last_heard,
    }
}

fn human_member(member: &MemberView) -> String {
    let mark = match (member.own, member.verified) {
        (true, _) => ", you",
        (false, true) => ", verified ✓",
        (false, false) => "",
    };
    let devices = if member.devices == 1 { "1 device".to_owned() } else { format!("{} devices", member.devices) };
    let heard = match (member.own, member.last_heard) {
        (true, _) => String::new(),
        (false, Some(at)) => format!(", last heard {} ago", ago(at)),
        (false, None) => ", not heard yet".to_owned(),
    };
    format!("{}  {:.8}  {}, {devices}{heard}{mark}", line(&member.shown), member.account, member.role.word())
}

/// How long ago, in the largest unit that fits.
fn ago(at: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seconds = u64::try_from(now.as_millis()).unwrap_or(u64::MAX).saturating_sub(at) / 1000;
    let unit = [86_400, 3600, 60].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    spoken(seconds / unit * unit)
}

fn shown_link(link: &RoomLinkView) -> ShownLink<'_> {
    ShownLink { link_id: &link.id, uses_left: link.uses_left, expires_at: link.expires_at }
}

fn human_link(link: &RoomLinkView) -> String {
    let uses = link.uses_left.map_or_else(|| "any number of people".to_owned(), |n| format!("{n} more people"));
    format!("link {}  good for {uses}", link.id)
}
