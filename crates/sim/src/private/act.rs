//! What people do beside talking: keys made fresh, roles given, the room renamed, links made and revoked, long sleeps.

use estoile_engine::{AccountCommand, Command, PrivateCommand, Role};
use estoile_wire::Millis;

use super::{PEOPLE, person_of};
use crate::client::{Fate, ROOM_NAME};
use crate::plan::{below, one_in, pick};
use crate::world::{Happening, World};

/// A client that sleeps is back after up to so long.
const SLEEP: Millis = 6 * 60_000;

impl World {
    pub(super) fn plan_act(&mut self, client: usize) {
        let pause = self.play.as_ref().map_or(0, |p| p.pause);
        let after = below(&mut self.rng, pause.saturating_mul(2)).saturating_add(1);
        self.later(after, Happening::Act { client });
    }

    pub(crate) fn act(&mut self, index: usize) -> Result<(), String> {
        if self.quiet {
            return Ok(());
        }
        self.plan_act(index);
        let choice = below(&mut self.rng, 12);
        let Some(client) = self.clients.get(index).filter(|c| c.life.is_some()) else { return Ok(()) };
        let Some(room) = client.room else { return Ok(()) };
        let (what, command) = match choice {
            0..3 => ("make fresh keys", Command::Private(PrivateCommand::Refresh(room))),
            3..6 => {
                let whom = pick(&mut self.rng, &[1, 2]);
                let role = if one_in(&mut self.rng, 2) { Role::Admin } else { Role::Member };
                let account = self.clients.get(index).and_then(|_| self.account_seen(index, whom));
                let Some(account) = account else { return Ok(()) };
                ("give a role", Command::Private(PrivateCommand::SetRole { room, account, role }))
            }
            6 => {
                let play = self.play_mut()?;
                play.renamed = play.renamed.saturating_add(1);
                let name = format!("{ROOM_NAME} {}", play.renamed);
                ("rename the room", Command::Private(PrivateCommand::Rename { room, name }))
            }
            7 => ("make a link", Command::Private(PrivateCommand::Link { room, uses: Some(2), expires: Some(600) })),
            8 => ("revoke all links", Command::Private(PrivateCommand::RevokeLink { room, link: None })),
            9 => ("read and say everything", Command::Account(AccountCommand::Sync)),
            10 => ("type", Command::Typing { room }),
            _ if self.plan.dies != 0 => {
                self.client_dies(index, Fate::After(0), SLEEP);
                return Ok(());
            }
            _ => ("connect now", Command::ReconnectNow { room }),
        };
        self.request(index, what, command).map(drop)
    }

    /// A person's account as a client's members show it.
    pub(super) fn account_seen(&self, index: usize, person: usize) -> Option<String> {
        let client = self.clients.get(index)?;
        let members = client.engine()?.members(client.room?)?;
        let name = super::setup::name_of(person);
        members.into_iter().find(|m| m.name == name).map(|m| m.account)
    }

    /// Clients of a person.
    pub(super) fn devices_of(&self, person: usize) -> Vec<usize> {
        (0..self.clients.len()).filter(|at| person_of(*at) == person && person < PEOPLE).collect()
    }
}
