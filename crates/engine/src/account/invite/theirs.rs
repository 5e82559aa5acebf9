//! Invitations to us.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use estoile_seal::account::AccountId;
use estoile_seal::mailbox::{BlobRef, Welcome, WelcomeBytes};
use estoile_seal::ticket::TicketSecret;

use super::{LABEL_BLOB, NONCE};
use crate::account::jobs::Then;
use crate::account::own::address_of;
use crate::account::stored::{Stage, StoredInvitation};
use crate::account::{Accounts, Entry, MAX_INVITATIONS, Wish};
use crate::board::Draft;
use crate::channel::job::{Act, Outcome};
use crate::names;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::room::hex;
use crate::stored::StoredAddress;
use crate::view::{InvitationView, RoomId};

impl Accounts {
    /// A letter with a Welcome came. `own`: from another device of ours; `old`: written before this device was there.
    pub(in crate::account) fn welcomed(
        &mut self,
        (from, own, old): (AccountId, bool, bool),
        welcome: &Welcome,
        ticket: &TicketSecret,
        cx: &mut Cx<'_>,
    ) {
        let Some(me) = self.own.as_ref() else { return };
        let knocks = me.knock_ticket(&me.device.public()) == *ticket;
        if !knocks && me.chain.devices().iter().any(|d| me.knock_ticket(d) == *ticket) {
            // The answer to a knock of another device of ours.
            return;
        }
        let all = me.stored.knocks.iter();
        let known = all.clone().find(|k| k.log == Some(welcome.log));
        let waiting = all.filter(|k| knocks && k.log.is_none());
        let knock =
            known.or_else(|| waiting.clone().find(|k| k.name == welcome.name)).or_else(|| waiting.clone().next());
        let knock = knock.map(|k| k.room);
        let contact = self.find_contact(&from.0).and_then(|id| self.contacts.get(&id));
        let accepted = contact.is_some_and(|c| c.stage == Stage::Accepted);
        let yes = own || accepted || (knocks && knock.is_some());
        if !yes && self.invitations.len() >= MAX_INVITATIONS {
            let detail = "an invitation came and was dropped, because too many wait already";
            cx.tell(Draft::new(None, NoticeKind::Invited, detail, "Answer those that wait, and ask for it again."));
            return;
        }
        let number = self.counters.invitation;
        self.counters.invitation = number.saturating_add(1);
        let name = contact.map(|c| c.name.clone()).or_else(|| own.then(|| "another device of yours".to_owned()));
        let (bytes, blob) = match &welcome.welcome {
            WelcomeBytes::Inline(bytes) => (Some(bytes.clone()), None),
            WelcomeBytes::Blob(blob) => (None, Some(blob.clone())),
        };
        let home = self.home();
        let invitation = StoredInvitation {
            room: knock,
            from: from.0,
            from_name: name.unwrap_or_else(|| from.short()),
            name: welcome.name.clone(),
            address: StoredAddress::of(&address_of(&welcome.relay)),
            log: welcome.log,
            cursor: welcome.cursor,
            welcome: bytes,
            blob_key: blob.as_ref().map(|b| b.key),
            yes,
            old,
        };
        self.invitations.insert(number, invitation);
        self.keep_invitation(number, cx);
        match (blob, home) {
            (Some(BlobRef { ref hash, size, .. }), Some(home)) => {
                let act = Act::Get { hash: *hash, size };
                self.job(&StoredAddress::of(&home), act, Then::Welcome(number), None, cx);
            }
            _ => self.wish(Wish::Join { invitation: number }),
        }
    }

    /// Invitations that wait for a yes, by somebody who is a contact by now: the user has said it, here or on another device,
    /// whose word came after the invitation.
    pub(in crate::account) fn invitations_again(&mut self, cx: &mut Cx<'_>) {
        let contacts = &self.contacts;
        let accepted = |i: &StoredInvitation| {
            !i.yes && contacts.values().any(|c| c.account == i.from && c.stage == Stage::Accepted)
        };
        let known: Vec<u64> = self.invitations.iter().filter(|(_, i)| accepted(i)).map(|(number, _)| *number).collect();
        for number in known {
            let Some(invitation) = self.invitations.get_mut(&number) else { continue };
            invitation.yes = true;
            // What lies in a blob is joined once that is here.
            if invitation.welcome.is_some() {
                self.wish(Wish::Join { invitation: number });
            }
            self.keep_invitation(number, cx);
            self.changed = true;
        }
    }

    /// A Welcome that lay in a blob came.
    pub(in crate::account) fn welcome_got(&mut self, number: u64, outcome: Outcome, cx: &mut Cx<'_>) {
        let Some(invitation) = self.invitations.get_mut(&number) else { return };
        let opened = match &outcome {
            Outcome::Got(bytes) => invitation.blob_key.and_then(|key| open_blob(&key, bytes)),
            _ => None,
        };
        match opened {
            Some(welcome) => {
                invitation.welcome = Some(welcome);
                self.keep_invitation(number, cx);
                self.wish(Wish::Join { invitation: number });
            }
            None => {
                let detail = format!(
                    "the invitation to {} could not be read: what it needs is not at the relay, or was altered",
                    invitation.name
                );
                self.invitation_over(number, cx);
                cx.tell(Draft::new(None, NoticeKind::Invited, detail, "Ask to be invited again."));
            }
        }
    }

    pub(crate) fn keep_invitation(&self, number: u64, cx: &mut Cx<'_>) {
        let name = names::own_numbered(Entry::Invitation, number);
        match self.invitations.get(&number) {
            Some(invitation) => cx.put(name, invitation),
            None => cx.delete(name),
        }
    }

    /// An invitation was taken, refused or forgotten.
    pub(crate) fn invitation_over(&mut self, number: u64, cx: &mut Cx<'_>) {
        if let Some(invitation) = self.invitations.remove(&number)
            && let Some(room) = invitation.room
            && let Some(own) = self.own.as_mut()
        {
            own.stored.knocks.retain(|k| k.room != room);
            self.own_dirty = true;
            self.set_tickets();
        }
        self.keep_invitation(number, cx);
        self.changed = true;
    }

    pub(crate) fn invitation_views(&self) -> Vec<InvitationView> {
        let waiting = self.invitations.values().filter(|i| !i.yes);
        waiting
            .filter_map(|i| {
                Some(InvitationView {
                    room: RoomId(i.room?),
                    name: i.name.clone(),
                    from: i.from_name.clone(),
                    account: hex(&i.from),
                })
            })
            .collect()
    }
}

fn open_blob(key: &[u8; 32], bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: LABEL_BLOB };
    XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload).ok()
}
