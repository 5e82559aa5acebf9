//! Mailbox letters: what one account says to another outside of any room.
//!
//! From the inside out: the *body* (who, what, when), signed by a device; padded; sealed by the caller with HPKE to the
//! recipient account's key, under [`HPKE_INFO`] and the recipient's id; then sealed under the ticket by which it is posted
//! ([`wrap`]), so that even a stolen HPKE key opens nothing without the log's and the ticket's secrets, and a later ticket
//! gives no earlier letter. This layer knows no HPKE, and not whether a letter was read before: its `id` says that.

mod codec;

use estoile_wire::limits::MAX_BODY;
use estoile_wire::{Cursor, LogId, Millis, PublicKey, Signature};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::account::{AccountId, Chain, ChainError, Standing};
use crate::fields::{Later, Malformed};
use crate::link::RelayUrl;
use crate::sealed_box;
use crate::sender::{self, SenderKey};
use crate::ticket::{TicketSecret, TicketTag};
use crate::views::View;

/// Under the device's signature; recipient and body follow.
pub const LABEL_LETTER: &[u8] = b"estoile.v1 mailbox letter\0";
/// In the associated data of the outer seal; the mailbox's log id follows.
pub const LABEL_WRAP: &[u8] = b"estoile.v1 mailbox wrap\0";
/// HPKE's `info` of a mailbox letter; its associated data is the recipient's account id.
pub const HPKE_INFO: &[u8] = b"estoile.v1 mailbox hpke";

/// Packets are padded to a multiple of this: kinds differ in size, and the relay sees sizes.
pub const STEP: usize = 1024;
/// What HPKE may add: an X-Wing ciphertext (1,120) and a tag.
pub const HPKE_OVERHEAD: usize = 1120 + 16;
/// A padded packet has at most this many bytes, so that the body of its record fits.
pub const MAX_PACKET: usize = (MAX_BODY - size_of::<TicketTag>() - sealed_box::OVERHEAD - HPKE_OVERHEAD) / STEP * STEP;
/// A request's text has at most this many bytes: a few sentences from somebody unknown.
pub const MAX_TEXT: usize = 1024;
/// A welcome that is longer travels as a blob: beside it a long chain has room.
pub const MAX_INLINE_WELCOME: usize = 32 * 1024;

const VERSION: u8 = 1;

/// The sender's chain, as far as the letter carries it.
#[derive(Clone, PartialEq, Eq)]
pub enum ChainPart {
    /// All of it.
    Whole(Chain),
    /// What comes after the entries that the recipient is known to have.
    Tail {
        /// Whose chain.
        account: AccountId,
        /// How many entries the recipient has.
        len: u64,
        /// The rest ([`Chain::tail`]).
        entries: Vec<u8>,
    },
}

/// Where a long thing lies: a blob on the relay that is named beside it. Its key is wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct BlobRef {
    /// SHA-256 of the sealed bytes.
    pub hash: [u8; 32],
    /// What seals them.
    pub key: [u8; 32],
    /// How many sealed bytes they are.
    pub size: u64,
}

/// An MLS Welcome, or where it lies.
#[derive(Clone, PartialEq, Eq)]
pub enum WelcomeBytes {
    /// Here, at most [`MAX_INLINE_WELCOME`].
    Inline(Vec<u8>),
    /// In a blob.
    Blob(BlobRef),
}

/// An invitation into a room: the sender's commit added the recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The room's name.
    pub name: String,
    /// Its log.
    pub log: LogId,
    /// Its relay, pinned, without an entry code.
    pub relay: RelayUrl,
    /// The Welcome.
    pub welcome: WelcomeBytes,
    /// The commit's cursor: the new member reads what comes after it.
    pub cursor: Cursor,
    /// Of a later version.
    pub later: Later,
}

/// What a letter says.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// I would like to be your contact.
    Request {
        /// My card, signed, with a ticket for you.
        card: Vec<u8>,
        /// A few words.
        text: String,
    },
    /// Yes, and here is my card, signed, with a ticket for you.
    Answer {
        /// The card.
        card: Vec<u8>,
    },
    /// Come into this room.
    Welcome(Box<Welcome>),
    /// My chain has grown: the letter's `from` says how.
    Chain,
    /// Use this ticket from now on; the one before ends.
    Ticket(TicketSecret),
    /// Nothing but the views.
    Views,
    /// My card has changed.
    Card {
        /// The card, signed.
        card: Vec<u8>,
    },
    /// What a later version says.
    Unknown(u64),
}

/// A letter from account to account.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The sender's chain.
    pub from: ChainPart,
    /// The sender's device, which signs.
    pub device: PublicKey,
    /// What it says.
    pub kind: Kind,
    /// What the sender sees of rooms that both share, at most `MAX_VIEWS`.
    pub views: Vec<View>,
    /// When it was signed.
    pub sent_at: Millis,
    /// The letter's own: a repeat has the same.
    pub id: [u8; 16],
}

/// A letter whose signature and chain hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The letter.
    pub letter: Letter,
    /// The sender's chain: theirs or the one that was known, whichever is longer.
    pub chain: Chain,
    /// How the letter's chain stands to the known one; never `Forked`.
    pub standing: Option<Standing>,
}

crate::closed_debug!(ChainPart, BlobRef, WelcomeBytes, Welcome, Kind, Letter, Opened);

/// Why a letter can't be made, or is none. About a peer's letter nothing is shown but these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxError {
    /// Our own breaks a bound.
    #[error(
        "the letter breaks the bounds of its format: a text of at most {MAX_TEXT} bytes, few views, a welcome that fits"
    )]
    Bounds,
    /// Not posted under this ticket, or altered.
    #[error("a letter in the mailbox does not open: it was altered, or posted under a ticket that has ended")]
    Seal,
    /// Authentic, but not as this version knows it.
    #[error("a letter in the mailbox is none that this version can read; look for a newer one")]
    Malformed,
    /// The sender's chain does not hold.
    #[error("the chain of a letter's sender does not hold: {0}")]
    Chain(ChainError),
    /// The letter leaves out entries that the reader does not have.
    #[error("a letter names devices that are not known here yet; it waits until its sender's chain has come")]
    ChainMissing,
    /// The sender's chain contradicts the one that is known.
    #[error(
        "the sender's list of devices contradicts the one that was known: nothing is done with this contact until you have looked"
    )]
    Forked,
    /// Signed by none of the sender's devices.
    #[error("a letter is signed by a device that is not its sender's; it is left out")]
    Device,
    /// Signed by a device that its account has removed since, or that writes on though it was removed.
    #[error("a letter came from a device that its account has removed; it is left out")]
    Removed,
    /// The signature does not hold, or is for somebody else.
    #[error("a letter's signature does not hold, or the letter was meant for somebody else; it is left out")]
    Signature,
}

impl From<Malformed> for MailboxError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl ChainPart {
    /// Whose chain it is said to be.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        match self {
            Self::Whole(chain) => chain.id(),
            Self::Tail { account, .. } => *account,
        }
    }

    /// The verified chain, and how the part stands to the known one.
    fn join(&self, known: Option<&Chain>) -> Result<(Chain, Option<Standing>), MailboxError> {
        let known = known.filter(|known| known.id() == self.account());
        let theirs = match self {
            Self::Whole(chain) => chain.clone(),
            Self::Tail { len, entries, .. } => {
                let known = known.filter(|known| *len <= known.len()).ok_or(MailboxError::ChainMissing)?;
                known.with_tail(*len, entries).map_err(MailboxError::Chain)?
            }
        };
        let Some(known) = known else { return Ok((theirs, None)) };
        let standing = theirs.extends(known);
        match standing {
            Standing::Forked if !estoile_wire::weak::is("fork") => Err(MailboxError::Forked),
            Standing::Forked => Ok((theirs, Some(standing))),
            Standing::Longer => Ok((theirs, Some(standing))),
            Standing::Same | Standing::Shorter => Ok((known.clone(), Some(standing))),
        }
    }
}

impl Letter {
    /// Signs for one recipient: the padded packet, which is HPKE's plaintext.
    pub fn sign(&self, to: &AccountId, device: &SenderKey) -> Result<Zeroizing<Vec<u8>>, MailboxError> {
        let body = Zeroizing::new(codec::encode(self));
        if self.device != device.public() || codec::decode(&body).map_or(true, |read| read != *self) {
            return Err(MailboxError::Bounds);
        }
        let signature = device.sign(&message(to, &body));
        let packet = Zeroizing::new([[VERSION].as_slice(), &signature.0, &body].concat());
        let padded = sealed_box::pad(&packet, STEP);
        if padded.len() > MAX_PACKET { Err(MailboxError::Bounds) } else { Ok(padded) }
    }

    /// Reads an opened packet and checks it. `me` is the recipient; `known` is the sender's chain ([`claimed_sender`]), if one
    /// is known.
    pub fn open(packet: &[u8], me: &AccountId, known: Option<&Chain>) -> Result<Opened, MailboxError> {
        let (signature, body) = parts(packet)?;
        let letter = codec::decode(body)?;
        let (chain, standing) = letter.from.join(known)?;
        if !chain.knew(&letter.device) {
            return Err(MailboxError::Device);
        }
        if !sender::verify(&letter.device, &message(me, body), &signature) {
            return Err(MailboxError::Signature);
        }
        if !chain.is_live(&letter.device) {
            return Err(MailboxError::Removed);
        }
        Ok(Opened { letter, chain, standing })
    }
}

/// Who an opened packet says to be from: for looking up what is known, before anything is believed.
pub fn claimed_sender(packet: &[u8]) -> Result<AccountId, MailboxError> {
    let (_, body) = parts(packet)?;
    Ok(codec::decode(body)?.from.account())
}

fn message(to: &AccountId, body: &[u8]) -> Vec<u8> {
    [LABEL_LETTER, &to.0, body].concat()
}

fn parts(packet: &[u8]) -> Result<(Signature, &[u8]), MailboxError> {
    if packet.len() > MAX_PACKET {
        return Err(MailboxError::Malformed);
    }
    let packet = sealed_box::unpad(packet, STEP).ok_or(MailboxError::Malformed)?;
    let Some((&VERSION, rest)) = packet.split_first() else { return Err(MailboxError::Malformed) };
    let (signature, body) = rest.split_first_chunk().ok_or(MailboxError::Malformed)?;
    Ok((Signature(*signature), body))
}

/// The record's body: the ticket's tag, and the HPKE-sealed packet under the ticket's seal key.
#[must_use]
pub fn wrap(ticket: &TicketSecret, mailbox: &LogId, hpke_sealed: &[u8], rng: &mut dyn CryptoRng) -> Vec<u8> {
    let tag = ticket.tag();
    let sealed = sealed_box::seal(&ticket.seal_key(), LABEL_WRAP, &[&mailbox.0, &tag], hpke_sealed, rng);
    [tag.as_slice(), &sealed].concat()
}

/// Which ticket a record was posted under.
#[must_use]
pub fn tag_of(body: &[u8]) -> Option<TicketTag> {
    body.first_chunk().copied()
}

/// The HPKE-sealed packet in a record's body.
pub fn unwrap(ticket: &TicketSecret, mailbox: &LogId, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, MailboxError> {
    if body.len() > MAX_BODY {
        return Err(MailboxError::Seal);
    }
    let (tag, sealed) = body.split_first_chunk::<8>().ok_or(MailboxError::Seal)?;
    if *tag != ticket.tag() {
        return Err(MailboxError::Seal);
    }
    sealed_box::open(&ticket.seal_key(), LABEL_WRAP, &[&mailbox.0, tag], sealed).ok_or(MailboxError::Seal)
}

#[cfg(test)]
mod tests;
