//! Verification: two people find out that nobody sits between them.
//!
//! Three ways, of the same two account ids: a code to scan, sixty digits, six words. Numbers and words are the same on both
//! sides. This layer does not know cameras, nor what follows from the verdict.
//!
//! The words are worth 77 bits, and who sits in the middle may choose both accounts that he shows, so that he needs one match
//! among all pairs: about 2³⁹ guesses on each side. Each guess of a pair costs Argon2id with 64 MiB, as a passphrase's does. The
//! digits are worth 199 bits and need no such cost.

use core::fmt::{Display, Formatter};
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Decoder;
use sha2::{Digest, Sha256};

use crate::account::{AccountId, Chain, ChainPoint, Standing};
use crate::cbor;
use crate::fields::{self, Fields, Later, Malformed};
use crate::stretch;
use crate::views::{self, Remembered, Sight, View};
use crate::words;

/// Under the safety number.
pub const LABEL_NUMBER: &[u8] = b"estoile.v1 verify number\0";
/// Under the words; what comes of it is stretched.
pub const LABEL_WORDS: &[u8] = b"estoile.v1 verify words\0";
/// Under the salt of the words; the parameters of Argon2id belong to it.
pub const LABEL_STRETCH: &[u8] = b"estoile.v1 verify argon2id m=65536 t=3 p=1\0";
/// A safety number is this many groups of five digits.
pub const NUMBER_GROUPS: usize = 12;
/// So many words are compared.
pub const WORD_COUNT: usize = 6;
/// What a code begins with.
pub const CODE_START: &str = "estoile:v1/verify/";
/// A code has at most this many bytes: a QR code of version 22 at medium correction holds it.
pub const MAX_CODE: usize = 768;
const VERSION: u64 = 1;
/// A map, its views, a view; and what later versions may nest.
const MAX_NESTING: usize = 6;

/// There was no memory to make the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are not 64 MiB of memory to make the words; close something and try again, or compare the number")]
pub struct NoMemory;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same.
    Match,
    /// They are not: see why.
    Mismatch(Mismatch),
}

/// Why two do not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The digits or words differ: somebody may sit in the middle, or one was misread.
    Text,
    /// The code is another account's than the contact's.
    Account,
    /// The contact's devices are not those that are known here.
    Chain,
    /// The contact knows another account under this user's name.
    Me,
    /// The contact knows other devices of this user than there are.
    MyChain,
    /// A room that both share has two histories.
    Split,
}

/// What a verify screen shows as a QR code.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// Who shows it.
    pub account: AccountId,
    /// The length and head of their chain.
    pub point: ChainPoint,
    /// Whom they hold the reader for, as they know them.
    pub peer: Option<(AccountId, ChainPoint)>,
    /// What they see of rooms that both share.
    pub views: Vec<View>,
    /// Of a later version.
    pub later: Later,
}

crate::closed_debug!(Code);

/// Why a text is no code to verify by; each says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// A link or address of another kind.
    #[error(
        "this is a link, not a code to verify by; the code is on the contact's verify screen (`estoile contact verify`)"
    )]
    IsLink,
    /// Something else.
    #[error("this is no code of Estoile to verify by; scan the one on the contact's verify screen")]
    NotCode,
    /// A later version's.
    #[error("this version can't read this code; look for a newer one, or compare the words")]
    Version,
    /// Cut or altered.
    #[error("this code is damaged; scan it again")]
    Damaged,
}

/// Label and both ids, the smaller first.
fn pair(label: &[u8], one: &AccountId, other: &AccountId) -> [u8; 32] {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    Sha256::new().chain_update(label).chain_update(first.0).chain_update(second.0).finalize().into()
}

/// Sixty digits in twelve groups, the same on both sides.
#[must_use]
pub fn safety_number(one: &AccountId, other: &AccountId) -> String {
    words::digits(&pair(LABEL_NUMBER, one, other), NUMBER_GROUPS)
}

/// Six words of the EFF's long list, the same on both sides. Takes about 0.2 s.
pub fn safety_words(one: &AccountId, other: &AccountId) -> Result<String, NoMemory> {
    // As text, because that is what is stretched everywhere else.
    let pair = AccountId(pair(LABEL_WORDS, one, other)).hex();
    let salt = Sha256::digest(LABEL_STRETCH).into();
    let stretched = stretch::stretch(&pair, &salt).map_err(|_| NoMemory)?;
    Ok(words::words(&stretched, WORD_COUNT))
}

/// Whether these digits, however grouped, are the two accounts' safety number.
#[must_use]
pub fn compare_number(one: &AccountId, other: &AccountId, typed: &str) -> Verdict {
    let same = words::only_digits(&safety_number(one, other)) == words::only_digits(typed);
    verdict(same || estoile_wire::weak::is("compare"), Mismatch::Text)
}

/// Whether these words, however spaced and in either case, are the two accounts'. Takes about 0.2 s.
pub fn compare_words(one: &AccountId, other: &AccountId, typed: &str) -> Result<Verdict, NoMemory> {
    let same = words::letters(&safety_words(one, other)?) == words::letters(typed);
    Ok(verdict(same, Mismatch::Text))
}

const fn verdict(same: bool, why: Mismatch) -> Verdict {
    if same { Verdict::Match } else { Verdict::Mismatch(why) }
}

impl Code {
    /// The code of `own`, shown to `peer`.
    #[must_use]
    pub fn new(own: &Chain, peer: Option<&Chain>, views: Vec<View>) -> Self {
        let peer = peer.map(|peer| (peer.id(), peer.point()));
        Self { account: own.id(), point: own.point(), peer, views, later: Later::default() }
    }

    /// What a scanned code says about a contact: `known` is the contact's chain as it is known here, `own` this account's, `seen`
    /// what was seen of each room that is this user's.
    pub fn compare<'a>(
        &self,
        known: &Chain,
        own: &Chain,
        seen: impl IntoIterator<Item = &'a Remembered> + Clone,
    ) -> Verdict {
        let split = |view: &View| seen.clone().into_iter().any(|room| room.compare(view) == Sight::Split);
        let peer = self.peer.as_ref();
        let why = if self.account != known.id() {
            Mismatch::Account
        } else if known.stands_to(&self.point) == Standing::Forked {
            Mismatch::Chain
        } else if peer.is_some_and(|(account, _)| *account != own.id()) {
            Mismatch::Me
        } else if peer.is_some_and(|(_, point)| own.stands_to(point) == Standing::Forked) {
            Mismatch::MyChain
        } else if self.views.iter().any(split) {
            Mismatch::Split
        } else {
            return Verdict::Match;
        };
        Verdict::Mismatch(why)
    }

    /// The map that the text carries.
    fn encode(&self) -> Vec<u8> {
        cbor::write(|e| {
            e.map(4 + u64::from(self.peer.is_some()) + self.later.len())?.u8(0)?.u64(VERSION)?;
            e.u8(1)?.bytes(&self.account.0)?.u8(2)?.array(2)?.u64(self.point.len)?.bytes(&self.point.head)?;
            if let Some((account, point)) = &self.peer {
                e.u8(3)?.array(3)?.bytes(&account.0)?.u64(point.len)?.bytes(&point.head)?;
            }
            e.u8(4)?;
            views::put(e, &self.views)?;
            self.later.put(e)
        })
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodeError> {
        let mut newer = false;
        let code = fields::whole(bytes, MAX_NESTING, |d| {
            let mut map = Fields::begin(d)?;
            newer = map.need(0)?.u64()? != VERSION;
            if newer {
                return Err(Malformed);
            }
            let account = AccountId(fields::array(map.need(1)?)?);
            let d = map.need(2)?;
            if d.array()? != Some(2) {
                return Err(Malformed);
            }
            let point = ChainPoint { len: d.u64()?, head: fields::array(d)? };
            let peer = map.may(3)?.map(peer).transpose()?;
            let views = views::get(map.need(4)?).ok_or(Malformed)?;
            Ok(Self { account, point, peer, views, later: map.later(4)? })
        });
        code.map_err(|_| if newer { CodeError::Version } else { CodeError::Damaged })
    }
}

/// Whom the shower holds the reader for.
fn peer(d: &mut Decoder<'_>) -> Result<(AccountId, ChainPoint), Malformed> {
    if d.array()? != Some(3) {
        return Err(Malformed);
    }
    let account = AccountId(fields::array(d)?);
    Ok((account, ChainPoint { len: d.u64()?, head: fields::array(d)? }))
}

impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        write!(f, "{CODE_START}{}", URL_SAFE_NO_PAD.encode(self.encode()))
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let Some(carried) = text.strip_prefix(CODE_START) else {
            return Err(match text.split_once(':') {
                Some(("http" | "https", _)) => CodeError::IsLink,
                Some(("estoile", rest)) if !rest.starts_with("v1/") => CodeError::Version,
                _ => CodeError::NotCode,
            });
        };
        if text.len() > MAX_CODE {
            return Err(CodeError::Damaged);
        }
        Self::decode(&URL_SAFE_NO_PAD.decode(carried).map_err(|_| CodeError::Damaged)?)
    }
}

#[cfg(test)]
mod tests;
