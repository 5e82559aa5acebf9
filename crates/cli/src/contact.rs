//! `estoile contact`: links, requests, verification.

use std::path::Path;

use estoile_engine::{AccountCommand, Answer, ContactState, ContactView, Verify as How, VerifyView};
use serde::Serialize;

use crate::account::words;
use crate::args::{AddContact, Common, Contact, ContactAction, ContactLink, OneContact, Verify};
use crate::fail::{Failure, Outcome, say};
use crate::plain::line;
use crate::session::Session;
use crate::{pick, qr, scan};

/// A contact with `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    contact: u32,
    name: &'a str,
    account: &'a str,
    state: &'static str,
    verified: bool,
    devices: u32,
    host: &'a str,
    last_heard: Option<u64>,
    detail: Option<&'a str>,
}

pub(crate) async fn run(args: Contact) -> Outcome {
    match args.action {
        ContactAction::Link(args) => link(args).await,
        ContactAction::Add(args) => add(args).await,
        ContactAction::List(common) => list(common, |_| true).await,
        ContactAction::Requests(common) => list(common, |c| matches!(c.state, ContactState::Request { .. })).await,
        ContactAction::Accept(args) => with(args, AccountCommand::AcceptContact).await,
        ContactAction::Forget(args) => with(args, AccountCommand::ForgetContact).await,
        ContactAction::Verify(args) => verify(args).await,
    }
}

async fn link(args: ContactLink) -> Outcome {
    #[derive(Serialize)]
    struct Made<'a> {
        link: &'a str,
    }
    let mut session = Session::begin(&args.common).await?;
    let Answer::Link(link) = session.account(AccountCommand::ContactLink { rotate: args.new }).await? else {
        return Err(Failure::new("there is no link; try again"));
    };
    if args.qr
        && let Some(code) = qr::code(&link)
    {
        say(code);
    }
    session.print(&Made { link: &link }, &link)?;
    session.end(Ok(())).await
}

async fn add(args: AddContact) -> Outcome {
    let mut session = Session::begin(&args.common).await?;
    let command = AccountCommand::AddContact { link: args.link, text: args.text };
    let Answer::Contact(id) = session.account(command).await? else {
        return Err(Failure::new("the contact was not added; try again"));
    };
    let contacts = session.contacts().await;
    if let Some(contact) = contacts.iter().find(|c| c.id == id) {
        if contact.state == ContactState::Asked {
            say(format_args!("{} is asked; it is mutual when they say yes.", line(&contact.name)));
        }
        session.print(&shown(contact), &line(&contact.name))?;
    }
    session.end(Ok(())).await
}

async fn list(common: Common, which: impl Fn(&ContactView) -> bool) -> Outcome {
    let session = Session::begin(&common).await?;
    session.own().await?;
    for contact in session.contacts().await.iter().filter(|c| which(c)) {
        session.print(&shown(contact), &human(contact))?;
    }
    session.end(Ok(())).await
}

async fn with(args: OneContact, command: impl Fn(estoile_engine::ContactId) -> AccountCommand) -> Outcome {
    let mut session = Session::begin(&args.common).await?;
    session.own().await?;
    let contacts = session.contacts().await;
    let contact = pick::contact(&contacts, &args.contact)?.id;
    session.account(command(contact)).await?;
    if session.json
        && let Some(now) = session.contacts().await.iter().find(|c| c.id == contact)
    {
        session.print(&shown(now), "")?;
    }
    session.end(Ok(())).await
}

async fn verify(args: Verify) -> Outcome {
    let mut session = Session::begin(&args.common).await?;
    session.own().await?;
    let contacts = session.contacts().await;
    let contact = pick::contact(&contacts, &args.contact)?;
    let (id, name) = (contact.id, line(&contact.name));
    let how = if let Some(image) = &args.image {
        Some(How::Qr(scanned(image)?))
    } else if args.words {
        Some(How::Said(words(&format!("The words, or the number, that {name} reads out: "))?.to_string()))
    } else {
        None
    };
    match how {
        Some(how) => {
            session.account(AccountCommand::VerifyContact(id, how)).await?;
            say(format_args!("It is the same: {name} is verified."));
        }
        None => {
            let Answer::Verify(view) = session.account(AccountCommand::ShowVerification(id)).await? else {
                return Err(Failure::new("there is nothing to compare; try again"));
            };
            show(&session, &view, &name)?;
        }
    }
    session.end(Ok(())).await
}

fn show(session: &Session, view: &VerifyView, name: &str) -> Outcome {
    #[derive(Serialize)]
    struct Compared<'a> {
        words: &'a str,
        number: &'a str,
        qr: &'a str,
    }
    let mut text = format!("words   {}\nnumber  {}", view.words, view.number);
    if let Some(code) = qr::code(&view.qr) {
        text.push('\n');
        text.push_str(&code);
    }
    session.print(&Compared { words: &view.words, number: &view.number, qr: &view.qr }, &text)?;
    say(format_args!(
        "Both of you see the same words and the same number. Ask {name} to read theirs out, on the phone or in person, and type them: estoile contact verify {name} --words"
    ));
    Ok(())
}

fn scanned(image: &Path) -> Result<String, Failure> {
    scan::qr(image).map_err(|why| Failure::new(format_args!("{}: {why}", image.display())))
}

fn state(contact: &ContactView) -> (&'static str, Option<&str>) {
    match &contact.state {
        ContactState::Asked => ("asked", None),
        ContactState::Request { text } => ("request", Some(text)),
        ContactState::Accepted => ("accepted", None),
        ContactState::Stopped { why } => ("stopped", Some(why)),
    }
}

fn shown(contact: &ContactView) -> Shown<'_> {
    let (state, detail) = state(contact);
    Shown {
        contact: contact.id.0,
        name: &contact.name,
        account: &contact.account,
        state,
        verified: contact.verified,
        devices: contact.devices,
        host: &contact.host,
        last_heard: contact.last_heard,
        detail,
    }
}

fn human(contact: &ContactView) -> String {
    let mark = if contact.verified { " ✓ verified" } else { "" };
    let (state, detail) = state(contact);
    let detail = detail.filter(|d| !d.is_empty()).map(|d| format!(": {}", line(d))).unwrap_or_default();
    format!("{}  {}  {:.8}  {state}{mark}{detail}", contact.id.0, line(&contact.name), contact.account)
}
