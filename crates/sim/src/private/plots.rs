//! Longer undertakings in the middle of the trouble: a third device, a device that leaves its account, a member who is
//! removed and asked back. Each begins again until it is done, whatever dies meanwhile.

use estoile_engine::{AccountCommand, Answer, Command, CommandError, CommandId, DeviceLinkView, PrivateCommand};
use estoile_wire::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use super::PEOPLE;
use super::setup::join_device;
use crate::client::Client;
use crate::plan::one_in;
use crate::world::{Happening, World};

/// How often an undertaking goes on.
const STEP: Millis = 5_000;
/// A device link that has not come to an end after so many steps is given up and made anew.
const STEPS: u32 = 30;

/// What is undertaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// A person links a further device, at this place among the clients.
    Third { person: usize },
    /// A device removes itself from its account.
    Resign { client: usize },
    /// Person 0 removes a person, and asks them back.
    Expel { person: usize },
}

/// An undertaking.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    pub(super) aim: Aim,
    stage: u32,
    steps: u32,
    waits: Option<CommandId>,
    client: Option<usize>,
    pub(super) done: bool,
}

impl Plot {
    const fn new(aim: Aim) -> Self {
        Self { aim, stage: 0, steps: 0, waits: None, client: None, done: false }
    }

    /// What this world undertakes. No two of them in one person: they would undo each other.
    pub(super) fn draw(rng: &mut ChaCha20Rng, devices: usize) -> Vec<Self> {
        let mut plots = Vec::new();
        if one_in(rng, 2) && devices > 1 {
            plots.push(Self::new(Aim::Third { person: 0 }));
        }
        if one_in(rng, 2) && devices > 1 {
            plots.push(Self::new(Aim::Resign { client: 1 + PEOPLE }));
        }
        if one_in(rng, 2) {
            plots.push(Self::new(Aim::Expel { person: 2 }));
        }
        plots
    }
}

/// What became of a command that was waited for.
enum Outcome {
    /// Not answered yet.
    Open,
    /// Answered.
    Answered(Result<Answer, CommandError>),
    /// It will never be: its client has died.
    Lost,
}

impl World {
    pub(crate) fn plot(&mut self, number: usize) -> Result<(), String> {
        let Some(mut plot) = self.play()?.plots.get(number).cloned() else { return Ok(()) };
        if plot.done {
            return Ok(());
        }
        plot.steps = plot.steps.saturating_add(1);
        match plot.aim {
            Aim::Third { person } => self.third(&mut plot, person)?,
            Aim::Resign { client } => self.resign(&mut plot, client)?,
            Aim::Expel { person } => self.expel(&mut plot, person)?,
        }
        let (aim, stage, done) = (plot.aim, plot.stage, plot.done);
        self.tell(|| format!("{aim:?}: stage {stage}{}", if done { ", done" } else { "" }));
        if let Some(place) = self.play_mut()?.plots.get_mut(number) {
            *place = plot;
        }
        if !done {
            self.later(STEP, Happening::Plot { plot: number });
        }
        Ok(())
    }

    fn outcome(&self, id: CommandId) -> Outcome {
        let Some(asked) = self.play.as_ref().and_then(|p| p.asked.get(&id)) else { return Outcome::Lost };
        match &asked.answer {
            Some(answer) => Outcome::Answered(answer.clone()),
            None if self.lives_on(asked.client, asked.life) => Outcome::Open,
            None => Outcome::Lost,
        }
    }

    pub(super) fn lives_on(&self, client: usize, life: u64) -> bool {
        self.clients.get(client).is_some_and(|c| c.lives == life && c.life.is_some())
    }

    fn alive(&self, client: usize) -> bool {
        self.clients.get(client).is_some_and(|c| c.life.is_some())
    }

    // ── A third device ──────────────────────────────────────────────────────────────────────────────────────────────

    fn third(&mut self, plot: &mut Plot, old: usize) -> Result<(), String> {
        let new = if let Some(new) = plot.client { new } else { self.newcomer(old) };
        plot.client = Some(new);
        if !self.alive(old) || !self.alive(new) {
            return Ok(());
        }
        if self.has_account(new) {
            plot.done = self.is_in(new);
            return Ok(());
        }
        let over = |link: Option<DeviceLinkView>| matches!(link, Some(DeviceLinkView::Failed { .. }));
        let failed = plot.stage > 0 && (over(self.link_of(old)) || over(self.link_of(new)));
        if failed || plot.steps > STEPS {
            return self.third_again(plot, old, new);
        }
        match (plot.stage, plot.waits.map(|id| self.outcome(id))) {
            (0, None) => {
                let make = Command::Account(AccountCommand::LinkDevice);
                plot.waits = Some(self.request(old, "make a device link", make)?);
            }
            (0, Some(Outcome::Answered(Ok(Answer::Link(link))))) => {
                plot.waits = Some(self.request(new, "use a device link", join_device(link, new))?);
                plot.stage = 1;
            }
            (1, Some(Outcome::Answered(Ok(_)))) => {
                if let (Some(one), Some(other)) = (self.words(old), self.words(new)) {
                    if one != other {
                        return Err("the two devices show different words".to_owned());
                    }
                    let yes = Command::Account(AccountCommand::ConfirmDevice { yes: true, history: false });
                    plot.waits = Some(self.request(old, "confirm the new device", yes)?);
                    plot.stage = 2;
                }
            }
            (2, Some(Outcome::Answered(Ok(_)))) | (_, Some(Outcome::Open)) => {}
            _ => return self.third_again(plot, old, new),
        }
        Ok(())
    }

    fn link_of(&self, client: usize) -> Option<DeviceLinkView> {
        self.clients.get(client)?.link.clone()
    }

    fn third_again(&mut self, plot: &mut Plot, old: usize, new: usize) -> Result<(), String> {
        for at in [old, new] {
            self.request(at, "give the device link up", Command::Account(AccountCommand::CancelDeviceLink))?;
            if let Some(client) = self.clients.get_mut(at) {
                client.link = None;
            }
        }
        (plot.stage, plot.steps, plot.waits) = (0, 0, None);
        Ok(())
    }

    /// A further client, of this person.
    fn newcomer(&mut self, person: usize) -> usize {
        while super::person_of(self.clients.len()) != person {
            let at = self.clients.len();
            self.clients.push(Client::new(at, 0, self.rng.next_u64()));
        }
        let at = self.clients.len();
        let seed = self.rng.next_u64();
        self.clients.push(Client::new(at, 0, seed));
        self.later(1, Happening::Start { client: at });
        self.plan_say(at);
        at
    }

    // ── A device that leaves its account ────────────────────────────────────────────────────────────────────────────

    fn resign(&mut self, plot: &mut Plot, client: usize) -> Result<(), String> {
        let other = super::person_of(client);
        if !self.alive(client) || !self.alive(0) || !self.alive(other) {
            return Ok(());
        }
        if plot.stage == 2 || self.seen_devices(0, other) == Some(1) {
            plot.stage = 2;
            if !self.is_in(client) && self.seen_devices(0, other) == Some(1) {
                plot.done = self.is_out(client)?;
            }
            return Ok(());
        }
        match plot.waits.map(|id| self.outcome(id)) {
            Some(Outcome::Open) => {}
            Some(Outcome::Answered(Ok(_))) => plot.stage = 1,
            None | Some(Outcome::Lost | Outcome::Answered(Err(_))) => {
                let devices = self.overview(client).and_then(|o| o.account).map(|a| a.devices).unwrap_or_default();
                let Some(own) = devices.into_iter().find(|d| d.own && !d.removed) else { return Ok(()) };
                let remove = AccountCommand::RemoveDevice { device: own.id, words: None };
                plot.waits = Some(self.request(client, "remove itself", Command::Account(remove))?);
            }
        }
        Ok(())
    }

    /// From here on a client may have nothing of the room. False: while the relay is down nothing new comes, and nobody knows
    /// the last cursor: looked at later.
    fn is_out(&mut self, client: usize) -> Result<bool, String> {
        let Ok(last) = self.ledger().map(|ledger| ledger.last) else { return Ok(false) };
        self.play_mut()?.out.insert(client, last);
        Ok(true)
    }

    // ── A member who is removed, and asked back ─────────────────────────────────────────────────────────────────────

    fn expel(&mut self, plot: &mut Plot, person: usize) -> Result<(), String> {
        let all = self.devices_of(person);
        if !self.alive(0) || !all.iter().all(|at| self.alive(*at)) {
            return Ok(());
        }
        let Some(room) = self.clients.first().and_then(|c| c.room) else { return Ok(()) };
        let there = self.account_seen(0, person);
        let waits = plot.waits.map(|id| self.outcome(id));
        if matches!(waits, Some(Outcome::Open)) {
            return Ok(());
        }
        match (plot.stage, there) {
            (0, Some(account)) => {
                let remove = Command::Private(PrivateCommand::Remove { room, account });
                plot.waits = Some(self.request(0, "remove a member", remove)?);
            }
            (0, None) => {
                // Everything that they have by now was said before.
                if all.iter().all(|at| !self.is_in(*at)) {
                    (plot.stage, plot.steps, plot.waits) = (1, 0, None);
                }
            }
            (_, None) => {
                // Asked back after a while; again, should the asking get lost.
                if plot.steps.checked_rem(6) == Some(5) {
                    let contact = self.contact(0, person).ok_or("a contact is gone")?.0;
                    let invite = Command::Private(PrivateCommand::Invite { room, contact });
                    plot.waits = Some(self.request(0, "ask a member back", invite)?);
                }
            }
            (_, Some(_)) => plot.done = all.iter().all(|at| self.is_in(*at)),
        }
        Ok(())
    }
}
