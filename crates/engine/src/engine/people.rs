//! What faces ask about the account, contacts and devices.

use super::Engine;
use crate::account::{NewAccount, Packed, Restore, Waits};
use crate::command::{AccountCommand, Answer, CommandError};
use crate::link::Link;
use crate::out::Cx;
use crate::private::Private;
use crate::room::Room;
use crate::turn::CommandId;
use crate::view::RoomId;

impl Engine {
    pub(super) fn account_command(&mut self, id: CommandId, command: AccountCommand, cx: &mut Cx<'_>) {
        match self.obey_account(id, command, cx) {
            Ok(Some(answer)) => cx.answer(id, Ok(answer)),
            Ok(None) => {}
            Err(error) => cx.answer(id, Err(error)),
        }
        self.accounts.changed = true;
    }

    /// None: answered already, or later.
    fn obey_account(
        &mut self,
        id: CommandId,
        command: AccountCommand,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Answer>, CommandError> {
        let accounts = &mut self.accounts;
        match command {
            AccountCommand::New { name, device, relay, entry } => {
                let new = NewAccount { name: &name, device: &device, relay: &relay, entry };
                accounts.create(new, id, cx)?;
            }
            AccountCommand::Restore { words, device, relay, entry, keep_devices, anew } => {
                let what = Restore { words: &words, device: &device, relay: &relay, entry, keep: keep_devices, anew };
                accounts.restore(what, id, cx)?;
            }
            AccountCommand::ContactLink { rotate } => {
                return accounts.contact_link(rotate, cx).map(|l| Some(Answer::Link(l)));
            }
            AccountCommand::AddContact { link, text } => accounts.add_contact(&link, text, id, cx)?,
            AccountCommand::AcceptContact(contact) => accounts.accept(contact, Some((id, Answer::Done)), cx)?,
            AccountCommand::ForgetContact(contact) => {
                accounts.forget_contact(contact, cx)?;
                return Ok(Some(Answer::Done));
            }
            AccountCommand::ShowVerification(contact) => return accounts.show_verification(contact, cx).map(Some),
            AccountCommand::VerifyContact(contact, how) => {
                let account = accounts.contact(contact)?.account;
                let shared = self.rooms.values().filter_map(Room::private).filter(|p| p.accounts().contains(&account));
                let seen: Vec<_> = shared.filter_map(Private::seen).cloned().collect();
                let answer = accounts.verify_contact(contact, &how, &seen, cx)?;
                self.touched.extend(self.rooms.values().filter(|r| r.is_private()).map(|r| r.id));
                return Ok(Some(answer));
            }
            AccountCommand::LinkDevice => accounts.link_device(id, cx)?,
            AccountCommand::ConfirmDevice { yes, history } => {
                let past = if yes && history { self.pack_past(cx.now) } else { Packed::default() };
                self.accounts.confirm_device(yes, past, cx)?;
                return Ok(Some(Answer::Done));
            }
            AccountCommand::JoinDevice { link, device } => accounts.join_device(&link, &device, id, cx)?,
            AccountCommand::CancelDeviceLink => {
                accounts.cancel_link(cx)?;
                return Ok(Some(Answer::Done));
            }
            AccountCommand::RemoveDevice { device, words } => {
                accounts.remove_device(&device, words.as_ref().map(|w| w.as_str()), id, cx)?;
            }
            AccountCommand::Sync => {
                accounts.wait(Waits::Sync, id, Answer::Done);
                // Who asks wants to know now.
                for link in self.links.values_mut() {
                    link.retry_now(cx);
                }
            }
        }
        Ok(None)
    }

    /// A room is forgotten: what the account part keeps of it goes too.
    pub(super) fn forget_in_account(&mut self, id: RoomId, cx: &mut Cx<'_>) {
        self.accounts.forget_room(id, cx);
        self.links_awaited.retain(|(room, ..)| *room != id);
        self.stop_turning(id, cx);
    }
}

impl Link {
    /// Cuts a wait short.
    pub(crate) fn retry_now(&mut self, cx: &mut Cx<'_>) {
        if self.waits() {
            self.want(true, cx);
        }
    }
}
