//! Invitations: ours on their way into somebody's mailbox, and theirs that came into ours.

mod theirs;

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use estoile_mls::inspect_key_package;
use estoile_seal::mailbox::{self, BlobRef, Kind, Welcome, WelcomeBytes};
use estoile_seal::ticket::TicketSecret;
use estoile_wire::id::BlobHash;
use estoile_wire::{Cursor, LogId, Millis};

use super::contacts::{open_items, take_refused};
use super::jobs::Then;
use super::own::{address_of, relay_url};
use super::stored::{Stage, StoredInvite, StoredReach, StoredTo};
use super::{Accounts, MAX_INVITES, Waits, Wish};
use crate::board::Draft;
use crate::book::Learned;
use crate::channel::job::{Act, Outcome, StoredBlob};
use crate::command::{Answer, CommandError, RelayAddress};
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::private::Intent;
use crate::room::refusal_in_words;
use crate::stored::StoredAddress;
use crate::turn::CommandId;
use crate::view::{ContactId, Role, RoomId};

/// A key package with less time left than this beyond the room's longest is not used: who is away for the whole of it must
/// still be able to take the commit.
const MARGIN_MS: u64 = 10 * 24 * 60 * 60 * 1000;

/// What the engine says of a room into which somebody is invited.
#[derive(Clone, Debug)]
pub(crate) struct Into {
    pub(crate) room: RoomId,
    /// By its number in MLS.
    pub(crate) suite: u16,
    /// Milliseconds that its records live.
    pub(crate) life: u64,
}

/// What a letter with a Welcome says of its room.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) log: LogId,
    pub(crate) address: RelayAddress,
}

impl Accounts {
    pub(crate) fn next_token(&mut self) -> u64 {
        // Never 0, so that a token is told from none.
        self.counters.token = self.counters.token.saturating_add(1);
        self.counters.token
    }

    /// Invites a contact. Answered when the invitation is kept.
    pub(crate) fn invite(
        &mut self,
        into: &Into,
        contact: ContactId,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        self.need()?;
        let there = self.contact(contact)?;
        match there.stage {
            Stage::Accepted => {}
            Stage::Stopped => return Err(CommandError::Account(there.why.clone().unwrap_or_default())),
            Stage::Asked => {
                return Err(CommandError::Account(
                    "they have not answered your request yet; invite them when they have".to_owned(),
                ));
            }
            Stage::Request => {
                return Err(CommandError::Account(
                    "they wait for your yes; accept them first (estoile contact accept)".to_owned(),
                ));
            }
        }
        if self.invites.len() >= MAX_INVITES {
            return Err(CommandError::Offline(format!(
                "{MAX_INVITES} invitations wait to be sent already; try again when the relays are back"
            )));
        }
        let Some(reach) = there.reach.clone() else {
            return Err(CommandError::Account(
                "it is not known here how to reach this contact; ask them for their contact link".to_owned(),
            ));
        };
        let account = there.account;
        let token = self.next_token();
        let invite = StoredInvite {
            room: into.room.0,
            account,
            to: StoredTo::Contact(contact.0),
            wanted: false,
            suite: into.suite,
            life: into.life,
        };
        self.invites.insert(token, invite);
        self.keep_invite(token, cx);
        self.wait(Waits::Invite(token), command, Answer::Done);
        let ticket = TicketSecret::from_bytes(reach.ticket).relay_ticket();
        self.job(&reach.address, Act::Take { shelf: reach.shelf, ticket }, Then::Invite(token), None, cx);
        Ok(())
    }

    /// What lay on the shelf of somebody whom we invite.
    pub(super) fn took_for_invite(&mut self, token: u64, outcome: Outcome, cx: &mut Cx<'_>) {
        let result = match outcome {
            Outcome::Taken(items) => self.packages_for(token, &items, cx),
            Outcome::Refused(code) => Err(take_refused(code)),
            _ => Err("the relay answered with something else".to_owned()),
        };
        match result {
            Ok(intent) => {
                let Some(invite) = self.invites.get_mut(&token) else { return };
                invite.wanted = true;
                let room = RoomId(invite.room);
                self.keep_invite(token, cx);
                self.wish(Wish::Want { room, intent, answer: None });
            }
            Err(why) => self.invite_failed(token, &why, cx),
        }
    }

    fn packages_for(
        &mut self,
        token: u64,
        items: &[crate::channel::job::Item],
        cx: &mut Cx<'_>,
    ) -> Result<Intent, String> {
        let invite = self.invites.get(&token).cloned().ok_or("it was taken back")?;
        let StoredTo::Contact(contact) = invite.to else { return Err("it was taken back".to_owned()) };
        let contact = self.contacts.get(&ContactId(contact)).ok_or("they are no contact any more")?;
        let reach = contact.reach.clone().ok_or("it is not known here how to reach them")?;
        let items = open_items(&reach, &invite.account, items)?;
        for item in &items {
            if cx.book.learn(&invite.account, &item.chain.encode()) == Learned::Forked {
                return Err("the list of their devices contradicts the one that was known; look at this contact first"
                    .to_owned());
            }
        }
        let chain = cx.book.verified_chain(&invite.account).ok_or("their devices are not known")?;
        let until = cx.now.saturating_add(invite.life).saturating_add(MARGIN_MS);
        let (mut packages, mut why) = (Vec::new(), "their program puts no keys there for rooms of this kind");
        for item in items.iter().filter(|item| chain.is_live(&item.device)) {
            for package in &item.key_packages {
                match fits(package, &invite.account, &item.device, invite.suite, until, cx.now) {
                    Ok(true) => packages.push(package.clone()),
                    Ok(false) => {}
                    Err(reason) => why = reason,
                }
            }
        }
        if packages.is_empty() {
            return Err(format!(
                "nothing that lies on their shelf can be used: {why}; ask them to go online, then try again"
            ));
        }
        Ok(Intent::Add { account: invite.account, packages, role: Role::Member, via: None, token })
    }

    pub(super) fn invite_failed(&mut self, token: u64, why: &str, cx: &mut Cx<'_>) {
        self.invites.remove(&token);
        self.keep_invite(token, cx);
        let error = CommandError::Private(why.to_owned());
        let waited = self.waits.iter().any(|(w, ..)| *w == Waits::Invite(token));
        self.answer_waits_invite(token, Some(&error), cx);
        if !waited {
            cx.tell(Draft::new(
                None,
                NoticeKind::Invited,
                format!("an invitation was not sent: {why}"),
                "Invite them again when that is settled.",
            ));
        }
    }

    /// The room can't add them.
    pub(crate) fn add_failed(&mut self, token: u64, why: &str, cx: &mut Cx<'_>) {
        if self.invites.contains_key(&token) {
            self.invite_failed(token, why, cx);
        }
    }

    /// They are in. Unless a Welcome of ours is on its way to them, nothing more is to be done.
    pub(crate) fn added(&mut self, token: u64, cx: &mut Cx<'_>) {
        let under_way = |job: &crate::channel::job::Job| job.stored.then == Then::Invited(token);
        if self.invites.contains_key(&token) && !self.jobs.values().any(under_way) {
            self.invited(token, &Outcome::Kept, cx);
        }
    }

    /// The room's log has the commit that adds them: the Welcome goes into their mailbox.
    pub(crate) fn welcome(&mut self, token: u64, welcome: &Arc<[u8]>, cursor: Cursor, place: &Place, cx: &mut Cx<'_>) {
        let Some(invite) = self.invites.get(&token).cloned() else { return };
        let reach = match &invite.to {
            StoredTo::Contact(id) => self.contacts.get(&ContactId(*id)).and_then(|c| c.reach.clone()),
            StoredTo::Knocker { reach, .. } => Some(reach.clone()),
        };
        let (Some(reach), Some(relay)) = (reach, relay_url(&place.address)) else {
            self.invite_failed(token, "it is not known any more how to reach them", cx);
            return;
        };
        let (welcome, blob) = if welcome.len() > mailbox::MAX_INLINE_WELCOME {
            let (reference, blob) = seal_blob(welcome, cx.rng);
            (WelcomeBytes::Blob(reference), Some(blob))
        } else {
            (WelcomeBytes::Inline(welcome.to_vec()), None)
        };
        let letter = Welcome {
            name: place.name.clone(),
            log: place.log,
            relay,
            welcome,
            cursor,
            later: estoile_seal::Later::default(),
        };
        let kind = Kind::Welcome(Box::new(letter));
        self.post(&invite.account, &reach, kind, blob, Then::Invited(token), None, cx);
    }

    /// The invitation is kept in their mailbox, or will never be.
    pub(super) fn invited(&mut self, token: u64, outcome: &Outcome, cx: &mut Cx<'_>) {
        match outcome {
            Outcome::Refused(code) => {
                let why = format!(
                    "they are in the room now, but their mailbox did not take the letter that lets them in: {}; remove them and invite them again by a new contact link",
                    refusal_in_words(*code)
                );
                self.invite_failed(token, &why, cx);
            }
            Outcome::NoBlob(why) => self.invite_failed(token, why, cx),
            _ => {
                self.invites.remove(&token);
                self.keep_invite(token, cx);
                self.answer_waits_invite(token, None, cx);
            }
        }
    }
}

/// Whether a key package serves; an error says why not.
fn fits(
    package: &[u8],
    account: &[u8; 32],
    device: &estoile_wire::PublicKey,
    suite: u16,
    until: Millis,
    now: Millis,
) -> Result<bool, &'static str> {
    let view = inspect_key_package(package, now).map_err(|e| match e {
        estoile_mls::MlsError::Lifetime => "the keys there have ended, or this clock is wrong",
        _ => "the keys there are damaged",
    })?;
    if view.suite.number() != suite {
        return Ok(false);
    }
    if view.member.account != *account || view.member.device != *device {
        return Err("the keys there belong to somebody else");
    }
    if view.ends_at_ms < until {
        return Err("the keys there end too soon");
    }
    Ok(true)
}

/// Where a Welcome for a knocker goes.
pub(super) fn reach_of(answer: &estoile_seal::door::Answer) -> StoredReach {
    StoredReach {
        address: StoredAddress::of(&address_of(&answer.relay)),
        mailbox: answer.mailbox,
        shelf: LogId([0; 32]),
        ticket: *answer.ticket.as_bytes(),
        shelf_key: [0; 32],
        hpke: Some(answer.hpke.clone()),
    }
}

/// In the associated data of a Welcome's seal.
const LABEL_BLOB: &[u8] = b"estoile.v1 welcome blob\0";
/// Before the sealed bytes.
const NONCE: usize = 24;

/// Seals a long Welcome under a key of its own: `nonce ‖ XChaCha20-Poly1305`.
fn seal_blob(welcome: &[u8], rng: &mut dyn rand_core::CryptoRng) -> (BlobRef, StoredBlob) {
    let (mut key, mut nonce) = ([0; 32], [0; NONCE]);
    rng.fill_bytes(&mut key);
    rng.fill_bytes(&mut nonce);
    let payload = Payload { msg: welcome, aad: LABEL_BLOB };
    // The cipher refuses only what is longer than 256 GiB.
    let sealed = XChaCha20Poly1305::new(&key.into()).encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
    let bytes = [nonce.as_slice(), &sealed].concat();
    let hash = BlobHash::of(&bytes).0;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    (BlobRef { hash, key, size }, StoredBlob { hash, bytes })
}
