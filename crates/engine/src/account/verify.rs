//! Verification: what two people compare, and what follows.

use estoile_seal::account::AccountId;
use estoile_seal::mailbox::Kind;
use estoile_seal::verify::{self, Code, Mismatch, Verdict};
use estoile_seal::views::Remembered;

use super::jobs::Then;
use super::stored::Stage;
use super::{Accounts, Wish};
use crate::command::{Answer, CommandError, Verify};
use crate::out::Cx;
use crate::view::{ContactId, VerifyView};

impl Accounts {
    pub(crate) fn show_verification(&self, id: ContactId, cx: &Cx<'_>) -> Result<Answer, CommandError> {
        let own = self.need()?;
        let contact = self.contact(id)?;
        let theirs = AccountId(contact.account);
        let words = verify::safety_words(&own.id(), &theirs).map_err(|e| CommandError::Account(e.to_string()))?;
        let number = verify::safety_number(&own.id(), &theirs);
        let views = self.views_shared(&contact.account);
        let qr = Code::new(&own.chain, cx.book.verified_chain(&contact.account), views).to_string();
        Ok(Answer::Verify(Box::new(VerifyView { contact: id, words, number, qr })))
    }

    /// `seen`: what this device has seen of the rooms that it shares with the contact.
    pub(crate) fn verify_contact(
        &mut self,
        id: ContactId,
        how: &Verify,
        seen: &[Remembered],
        cx: &Cx<'_>,
    ) -> Result<Answer, CommandError> {
        let own = self.need()?;
        let contact = self.contact(id)?;
        if contact.stage == Stage::Stopped {
            return Err(CommandError::Account(contact.why.clone().unwrap_or_default()));
        }
        let theirs = AccountId(contact.account);
        let mut views = Vec::new();
        let verdict = match how {
            Verify::Compared => Verdict::Match,
            Verify::Said(said) => compare_said(&own.id(), &theirs, said)?,
            Verify::Qr(text) => {
                let code: Code =
                    text.trim().parse().map_err(|e: verify::CodeError| CommandError::Account(e.to_string()))?;
                let Some(chain) = cx.book.verified_chain(&contact.account) else {
                    return Err(CommandError::Account(
                        "nothing of theirs was read yet; wait for their answer".to_owned(),
                    ));
                };
                let verdict = code.compare(chain, &own.chain, seen);
                views = code.views;
                verdict
            }
        };
        match verdict {
            Verdict::Match => {
                let now = cx.now;
                self.change_contact(id, |c| c.verified = Some(now));
                Ok(Answer::Done)
            }
            Verdict::Mismatch(why) => {
                // Whose code it is stands fast: the room that it shows in another history stops here, and there.
                if why == Mismatch::Split {
                    self.wish(Wish::Views { by: theirs.0, views });
                }
                Err(CommandError::Mismatch(mismatch(why).to_owned()))
            }
        }
    }

    /// Rooms were seen in two histories, ours and this account's: it hears what we see of them, so that they stop there as
    /// well. Before the rooms stop here: of those nothing is said any more.
    pub(crate) fn tell_views(&mut self, account: &[u8; 32], cx: &mut Cx<'_>) {
        let Some(id) = self.find_contact(account) else { return };
        if self.contacts.get(&id).is_some_and(|c| c.stage == Stage::Accepted) {
            self.post_to(id, Kind::Chain, Then::Nothing, None, cx);
        }
    }
}

/// Digits are a number, all else words.
fn compare_said(own: &AccountId, theirs: &AccountId, said: &str) -> Result<Verdict, CommandError> {
    if said.chars().any(|c| c.is_ascii_digit()) {
        return Ok(verify::compare_number(own, theirs, said));
    }
    verify::compare_words(own, theirs, said).map_err(|e| CommandError::Account(e.to_string()))
}

const fn mismatch(why: Mismatch) -> &'static str {
    match why {
        Mismatch::Account => {
            "this is the code of another account than this contact's: somebody may sit between you; don't talk here until you know why, and exchange contact links anew in person"
        }
        Mismatch::Me => {
            "they know another account under your name: somebody may sit between you; exchange contact links anew in person"
        }
        Mismatch::Chain | Mismatch::MyChain => {
            "the devices that they have and those that are known here differ: let both programs go online, then compare again; if it stays so, somebody withholds or adds devices"
        }
        Mismatch::Split => {
            "a room that you share has two histories: the relay shows each of you another one; nothing more is sent there, an owner or admin moves it to another relay"
        }
        _ => {
            "they are not the same: one was misread, or somebody sits between you; read them out once more, and if they stay different exchange contact links anew in person"
        }
    }
}
