//! Whether a room may go on elsewhere: the people of the last good epoch less some, by somebody who had the right there.

use super::{AccountId, Attempt, Breach, Role, Roster};

/// Whether `by` may move the room whose last good roster this is, with these people. Owners and admins may; what they make is
/// a room of its own, in which `people` are the only ones who follow.
///
/// # Errors
/// The breach, which names who announced it.
pub fn check_move(last_good: &Roster, by: AccountId, people: &[AccountId]) -> Result<(), Breach> {
    let breach = |what| Err(Breach { by, what });
    if last_good.role(&by).is_none_or(|role| role < Role::Admin) {
        return breach(Attempt::Move);
    }
    match people.iter().find(|account| !last_good.members.contains_key(account)) {
        Some(stranger) => breach(Attempt::MoveWith(*stranger)),
        None => Ok(()),
    }
}

impl Roster {
    /// Whether the roster of the room that it moved to, as a Welcome brings it, is what `by` was allowed to make: nobody in it
    /// who was not in `last_good`, nobody with a higher role than there, but `by`, who is an owner of what it made.
    ///
    /// # Errors
    /// The breach, which names who announced the move.
    pub fn check_moved(&self, last_good: &Self, by: AccountId) -> Result<(), Breach> {
        let people: Vec<_> = self.members.keys().copied().collect();
        check_move(last_good, by, &people)?;
        let raised = |(account, member): &(&AccountId, &super::Member)| {
            **account != by && last_good.role(account).is_none_or(|was| member.role > was)
        };
        match self.members.iter().find(raised) {
            Some((account, member)) => Err(Breach { by, what: Attempt::Role { account: *account, role: member.role } }),
            None => Ok(()),
        }
    }
}
