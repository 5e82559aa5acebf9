//! `estoile device`: link a new one by words that both show, list, remove.

use std::io::IsTerminal as _;

use estoile_engine::{AccountCommand, Answer, DeviceLinkView};
use serde::Serialize;

use crate::account::{devices, human_devices, words};
use crate::args::{Common, Device, DeviceAction, JoinDevice, LinkDevice, RemoveDevice};
use crate::fail::{Failure, Outcome, say};
use crate::session::Session;
use crate::{out, qr};

/// A step with `--json`.
#[derive(Default, Serialize)]
struct Step<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
}

pub(crate) async fn run(args: Device) -> Outcome {
    match args.action {
        DeviceAction::List(common) => list(common).await,
        DeviceAction::Link(args) => link(args).await,
        DeviceAction::Join(args) => join(args).await,
        DeviceAction::Remove(args) => remove(args).await,
    }
}

async fn list(common: Common) -> Outcome {
    let session = Session::begin(&common).await?;
    let own = session.own().await?;
    for (device, human) in devices(&own).iter().zip(human_devices(&own)) {
        session.print(device, &human)?;
    }
    session.end(Ok(())).await
}

async fn link(args: LinkDevice) -> Outcome {
    let mut session = Session::begin(&args.common).await?;
    session.own().await?;
    let Answer::Link(link) = session.account(AccountCommand::LinkDevice).await? else {
        return Err(Failure::new("there is no link; try again"));
    };
    if args.qr
        && let Some(code) = qr::code(&link)
    {
        say(code);
    }
    session.print(&Step { state: "waiting", link: Some(&link), words: None }, &link)?;
    say("On the new device: estoile device join LINK. The link is good once, for ten minutes; this command waits.");
    loop {
        match session.device_link().await? {
            DeviceLinkView::Compare { words, old: true } => {
                show_words(&session, &words)?;
                let yes = args.yes || agreed().await?;
                session.account(AccountCommand::ConfirmDevice { yes, history: args.history }).await?;
                if !yes {
                    return session
                        .end(Err(Failure::new("the words were not the same: the new device was not let in")))
                        .await;
                }
            }
            DeviceLinkView::Done => {
                session.print(&Step { state: "done", ..Step::default() }, "the new device belongs to your account")?;
                return session.end(Ok(())).await;
            }
            DeviceLinkView::Failed { why } => return session.end(Err(Failure::new(why))).await,
            DeviceLinkView::Waiting { .. } | DeviceLinkView::Compare { .. } => {}
        }
    }
}

async fn join(args: JoinDevice) -> Outcome {
    let mut session = Session::open(&args.common).await?;
    session.account(AccountCommand::JoinDevice { link: args.link, device: args.device }).await?;
    say("Asking the old device.");
    loop {
        match session.device_link().await? {
            DeviceLinkView::Compare { words, .. } => {
                show_words(&session, &words)?;
                say("The old device must show the same words, and say yes.");
            }
            DeviceLinkView::Done => {
                session.print(&Step { state: "done", ..Step::default() }, "this device belongs to your account")?;
                return session.end(Ok(())).await;
            }
            DeviceLinkView::Failed { why } => return session.end(Err(Failure::new(why))).await,
            DeviceLinkView::Waiting { .. } => {}
        }
    }
}

async fn remove(args: RemoveDevice) -> Outcome {
    let mut session = Session::begin(&args.common).await?;
    let own = session.own().await?;
    let this = own.devices.iter().find(|d| d.own);
    let itself =
        this.is_some_and(|d| d.name == args.device || (args.device.len() >= 6 && d.id.starts_with(&args.device)));
    let words = if itself { None } else { Some(words("The 24 recovery words of your account: ")?) };
    session.account(AccountCommand::RemoveDevice { device: args.device, words }).await?;
    say("The device is removed; every room is told and changes its keys.");
    session.end(Ok(())).await
}

fn show_words(session: &Session, words: &str) -> Outcome {
    if session.json {
        return session.print(&Step { state: "compare", words: Some(words), link: None }, "");
    }
    let (out::Reader::There | out::Reader::Gone) = out::line(&format!("words  {words}"))?;
    Ok(())
}

/// Whether the user says that the words are the same.
async fn agreed() -> Result<bool, Failure> {
    if std::io::stdin().is_terminal() {
        say("Does the new device show the same words? Type yes, or anything else to refuse:");
    }
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await.map_err(Failure::new)?.map_err(Failure::new)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "yes" | "y"))
}
