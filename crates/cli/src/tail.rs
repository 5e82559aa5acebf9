//! `estoile tail`: what is said in a room, a line each, in causal order, each message once.
//!
//! Messages are printed as the engine tells them. It holds one back while what it answers is missing, so that is causal
//! order already; a line that is printed can't move any more, so nothing else is put in order here.

use std::collections::BTreeSet;

use estoile_client::{Handle, OpenOptions};
use estoile_engine::{ConnectionView, DeliveryState, Event, LetterId, MessageView, Notice, Past, RoomId};
use serde::Serialize;

use crate::args::Tail;
use crate::fail::{Failure, Outcome, say};
use crate::out::{self, Reader};
use crate::patience::Patience;
use crate::plain;
use crate::signals::{Signals, Stop};
use crate::target::{self, Listener, Target, Wanted};

/// Records read first, so that what comes next can be told from what is missing.
const CONTEXT: u64 = 16;
/// Messages of a vault read at a time.
const PAGE: usize = 512;
/// A line of `--json`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told<'a> {
    Message {
        id: String,
        from: &'a str,
        key: &'a str,
        room: &'a str,
        text: &'a str,
        sent_at: u64,
        ttl: Option<u64>,
        cursor: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<&'a str>,
        #[serde(skip_serializing_if = "is_false")]
        verified: bool,
        #[serde(skip_serializing_if = "is_false")]
        own: bool,
    },
    Notice {
        kind: &'static str,
        from: Option<&'a str>,
        count: u64,
        detail: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Why following ends well.
enum End {
    /// Enough messages, or the time is over, or nobody reads any more.
    Done,
}

pub(crate) async fn run(args: Tail) -> Outcome {
    let past = if args.all { Past::All } else { Past::Newest(CONTEXT) };
    let options = OpenOptions { past, ..OpenOptions::default() };
    let (data, clock, wait) = (args.data, args.clock, args.wait);
    let wanted = Wanted { room: args.room, own_name: args.name, data, clock, wait, options };
    let Target { handle, events, room, name } = target::open(wanted).await?;
    // Only now: while a question waits on the terminal, Ctrl-C ends the program by itself.
    let mut signals = Signals::listen()?;
    let time = args.time.map(|time| tokio::time::Instant::now() + core::time::Duration::from_secs(time.0));
    let mut work = Follow {
        room,
        name,
        json: args.json,
        left: args.count,
        patience: Patience::new(args.wait),
        printed: BTreeSet::new(),
        following: false,
    };
    let outcome =
        if args.count == Some(0) { Ok(()) } else { work.run(&handle, events, time, args.all, &mut signals).await };
    handle.close().await;
    outcome
}

struct Follow {
    room: RoomId,
    name: String,
    json: bool,
    /// Messages still to print, if they are counted.
    left: Option<u64>,
    patience: Patience,
    printed: BTreeSet<LetterId>,
    /// All that was waiting has been read.
    following: bool,
}

impl Follow {
    async fn run(
        &mut self,
        handle: &Handle,
        mut events: Listener,
        time: Option<tokio::time::Instant>,
        all: bool,
        signals: &mut Signals,
    ) -> Outcome {
        if all && self.kept_before(handle).await?.is_some() {
            return Ok(());
        }
        self.stands(handle).await?;
        let gone = out::reader_gone();
        tokio::pin!(gone);
        loop {
            tokio::select! {
                biased;
                stop = signals.stop() => return match stop {
                    Stop::Interrupt => Err(Failure::interrupted()),
                    Stop::Terminate => Ok(()),
                },
                () = &mut gone => return Ok(()),
                () = until(time) => return Ok(()),
                event = events.next() => match event {
                    Some(event) => if let Some(End::Done) = self.event(event)? { return Ok(()) },
                    None => return Err(Failure::new("the client ended; try again")),
                },
                () = self.patience.over() => return Err(self.patience.exhausted()),
            }
        }
    }

    /// How the room stands already: another process may have it open, and then nothing new is told of it.
    async fn stands(&mut self, handle: &Handle) -> Outcome {
        let Some(room) = handle.rooms().await.into_iter().find(|room| room.id == self.room) else { return Ok(()) };
        self.patience.note(&room)?;
        if room.connection == ConnectionView::Online {
            self.event(Event::CaughtUp(self.room))?;
        }
        Ok(())
    }

    /// What the vault has from earlier runs.
    async fn kept_before(&mut self, handle: &Handle) -> Result<Option<End>, Failure> {
        let Some(snapshot) = handle.snapshot(self.room, PAGE).await else { return Ok(None) };
        let (mut pages, mut more) = (vec![snapshot.messages], snapshot.more);
        while more {
            let Some(first) = pages.last().and_then(|page| page.first()).map(|m| m.id) else { break };
            let Some(page) = handle.older(self.room, first, PAGE).await else { break };
            more = page.more && !page.messages.is_empty();
            pages.push(page.messages);
        }
        for message in pages.into_iter().rev().flatten() {
            if let Some(end) = self.print(&message)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn event(&mut self, event: Event) -> Result<Option<End>, Failure> {
        match event {
            Event::Room(room) if room.id == self.room => self.patience.note(&room).map(|()| None),
            Event::Message { message, .. } if message.room == self.room => self.print(&message),
            Event::CaughtUp(room) if room == self.room => {
                if !core::mem::replace(&mut self.following, true) {
                    say(format_args!("following {}", plain::line(&self.name)));
                }
                Ok(None)
            }
            Event::Notice(notice) => self.notice(&notice),
            _ => Ok(None),
        }
    }

    fn print(&mut self, message: &MessageView) -> Result<Option<End>, Failure> {
        // What was given up was never said.
        if matches!(message.state, DeliveryState::Failed { .. }) || !self.printed.insert(message.id) {
            return Ok(None);
        }
        let reader = if self.json {
            out::line(&json(&Told::Message {
                id: message.id.to_string(),
                from: &message.from,
                key: &message.key,
                room: &self.name,
                text: &message.text,
                sent_at: message.sent_at,
                ttl: message.ttl,
                cursor: message.cursor,
                account: message.account.as_deref(),
                verified: message.verified,
                own: message.own && message.account.is_some(),
            })?)?
        } else {
            out::line(&human(message))?
        };
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok((reader == Reader::Gone || self.left == Some(0)).then_some(End::Done))
    }

    fn notice(&self, notice: &Notice) -> Result<Option<End>, Failure> {
        let text = plain::notice(notice);
        if !self.json {
            if !plain::told_at_the_end(notice) {
                say(text);
            }
            return Ok(None);
        }
        let told =
            Told::Notice { kind: notice.kind.slug(), from: notice.from.as_deref(), count: notice.count, detail: text };
        Ok((out::line(&json(&told)?)? == Reader::Gone).then_some(End::Done))
    }
}

fn json(told: &Told<'_>) -> Result<String, Failure> {
    serde_json::to_string(told).map_err(Failure::new)
}

/// One message for people: its further lines stand under the first.
fn human(message: &MessageView) -> String {
    let name = plain::line(&message.shown);
    let indent = " ".repeat(name.chars().count() + 2);
    format!("{name}: {}", plain::block(&message.text).replace('\n', &format!("\n{indent}")))
}

async fn until(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => core::future::pending().await,
    }
}
