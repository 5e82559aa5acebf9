//! `estoile send`: one message from the command line, or one a line from stdin.
//!
//! Each line is sent when it is read, many are under way at once, and each is told once: *kept* when the relay has made it
//! durable, *failed* when it has been given up. A relay that goes away and comes back is waited for.

use std::collections::{BTreeMap, VecDeque};

use estoile_client::{Handle, OpenOptions, Pending};
use estoile_engine::{Answer, Command, CommandError, DeliveryState, Event, LetterId, Past, RoomId};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::args::Send;
use crate::fail::{Failure, Outcome, say};
use crate::lines::{self, Line};
use crate::out::{self, Reader};
use crate::patience::{Patience, stopped};
use crate::plain;
use crate::signals::{Signals, Stop};
use crate::target::{self, Listener, Target, Wanted};

/// Messages under way at a time: enough to share the relay's syncs, few enough to be told soon what has failed.
const WINDOW: usize = 256;
/// Records read first, so that the first letter names what its room said last.
const CONTEXT: u64 = 16;

/// What is printed of a message with `--json`.
#[derive(Serialize)]
struct Told {
    id: Option<String>,
    cursor: Option<u64>,
    state: &'static str,
}

pub(crate) async fn run(args: Send) -> Outcome {
    let options = OpenOptions { past: Past::Newest(CONTEXT), ..OpenOptions::default() };
    let (data, clock, wait) = (args.data, args.clock, args.wait);
    let wanted = Wanted { room: args.room, own_name: args.name, data, clock, wait, options };
    let Target { handle, events, room, .. } = target::open(wanted).await?;
    // Only now: while a question waits on the terminal, Ctrl-C ends the program by itself.
    let mut signals = Signals::listen()?;
    let mut work = Work {
        handle: handle.clone(),
        events,
        room,
        ttl: args.ttl.map(|ttl| ttl.0),
        json: args.json,
        patience: Patience::new(args.wait),
        answers: VecDeque::new(),
        waiting: BTreeMap::new(),
        early: BTreeMap::new(),
        failed: 0,
    };
    // Another process may have the room open, and then nothing new is told of it.
    if let Some(view) = handle.rooms().await.iter().find(|view| view.id == room) {
        work.patience.note(view)?;
    }
    let outcome = work.run(lines::source(args.text)?, &mut signals).await;
    handle.close().await;
    outcome
}

struct Work {
    handle: Handle,
    events: Listener,
    room: RoomId,
    ttl: Option<Option<u64>>,
    json: bool,
    patience: Patience,
    /// Commands not yet answered, oldest first.
    answers: VecDeque<Pending>,
    /// Letters not yet kept.
    waiting: BTreeMap<LetterId, ()>,
    /// What was told of letters before their command's answer was read.
    early: BTreeMap<LetterId, (DeliveryState, Option<u64>)>,
    failed: u64,
}

impl Work {
    async fn run(&mut self, mut lines: mpsc::Receiver<Line>, signals: &mut Signals) -> Outcome {
        let mut reading = true;
        while reading || !self.idle() {
            let room_for_more = self.answers.len().saturating_add(self.waiting.len()) < WINDOW;
            tokio::select! {
                biased;
                stop = signals.stop() => return self.stopped(stop),
                answer = answered(&mut self.answers) => self.answer(answer)?,
                event = self.events.next() => match event {
                    Some(event) => self.event(event)?,
                    None => return Err(Failure::new("the client ended before all was sent; try again")),
                },
                line = lines.recv(), if reading && room_for_more => match line {
                    Some(line) => self.line(line).await?,
                    None => reading = false,
                },
                () = self.patience.over() => return self.given_up(),
            }
        }
        match self.failed {
            0 => Ok(()),
            1 => Err(Failure::new("one message was not kept by the relay; its reason stands above")),
            n => Err(Failure::new(format_args!("{n} messages were not kept by the relay; their reasons stand above"))),
        }
    }

    fn idle(&self) -> bool {
        self.answers.is_empty() && self.waiting.is_empty()
    }

    async fn line(&mut self, line: Line) -> Outcome {
        match line {
            Line::Text(text) => {
                if self.idle() {
                    self.patience.stuck();
                }
                let command = Command::Send { room: self.room, text, ttl: self.ttl };
                self.answers.push_back(self.handle.submit(command).await);
                Ok(())
            }
            Line::Bad(why) => self.fail(None, &why),
        }
    }

    fn answer(&mut self, answer: Result<Answer, CommandError>) -> Outcome {
        match answer {
            Ok(Answer::Letter(id)) => match self.early.remove(&id) {
                Some((state, cursor)) => self.settle(id, &state, cursor),
                None => {
                    self.waiting.insert(id, ());
                    Ok(())
                }
            },
            Ok(_) => Ok(()),
            Err(error @ (CommandError::Stopped(_) | CommandError::NoSuchRoom)) => Err(stopped(&error.to_string())),
            Err(error) => self.fail(None, &error.to_string()),
        }
    }

    fn event(&mut self, event: Event) -> Outcome {
        match event {
            Event::Room(room) if room.id == self.room => {
                self.patience.note(&room)?;
                if !self.idle() {
                    self.patience.stuck();
                }
                Ok(())
            }
            Event::State { room, id, state, cursor } if room == self.room => self.settle(id, &state, cursor),
            Event::Notice(notice) if !plain::told_at_the_end(&notice) => {
                say(plain::notice(&notice));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes note of how far a letter has come.
    fn settle(&mut self, id: LetterId, state: &DeliveryState, cursor: Option<u64>) -> Outcome {
        if *state == DeliveryState::Sending {
            return Ok(());
        }
        if self.waiting.remove(&id).is_none() {
            // Either told already (then it is not ours to tell again), or its command's answer comes next.
            if !self.answers.is_empty() {
                self.early.insert(id, (state.clone(), cursor));
            }
            return Ok(());
        }
        self.patience.moved(!self.idle());
        match state {
            DeliveryState::Failed { why } => self.fail(Some(id), why),
            _ => self.tell(Some(id), cursor, "kept"),
        }
    }

    fn fail(&mut self, id: Option<LetterId>, why: &str) -> Outcome {
        self.failed = self.failed.saturating_add(1);
        say(format_args!("not sent: {}", plain::block(why)));
        self.tell(id, None, "failed")
    }

    fn tell(&self, id: Option<LetterId>, cursor: Option<u64>, state: &'static str) -> Outcome {
        if !self.json {
            return Ok(());
        }
        let told = Told { id: id.map(|id| id.to_string()), cursor, state };
        let text = serde_json::to_string(&told).map_err(Failure::new)?;
        // Whether anybody reads the answers does not matter: the messages are what was asked for.
        let (Reader::There | Reader::Gone) = out::line(&text)?;
        Ok(())
    }

    /// The relay stayed away: what is not kept has failed, and is told as such.
    fn given_up(&mut self) -> Outcome {
        let waiting = core::mem::take(&mut self.waiting);
        for id in waiting.into_keys() {
            self.tell(Some(id), None, "failed")?;
        }
        for _ in 0..self.answers.len() {
            self.tell(None, None, "failed")?;
        }
        Err(self.patience.exhausted())
    }

    fn stopped(&self, stop: Stop) -> Outcome {
        match stop {
            Stop::Interrupt => Err(Failure::interrupted()),
            Stop::Terminate if self.idle() && self.failed == 0 => Ok(()),
            Stop::Terminate => Err(Failure::new("ended before all messages were kept by the relay; send them again")),
        }
    }
}

/// The oldest command's answer; for ever if there is none. Cancel-safe.
async fn answered(answers: &mut VecDeque<Pending>) -> Result<Answer, CommandError> {
    match answers.front_mut() {
        Some(pending) => {
            let answer = pending.await;
            answers.pop_front();
            answer
        }
        None => core::future::pending().await,
    }
}
