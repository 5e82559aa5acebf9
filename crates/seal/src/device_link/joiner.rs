//! The new device's side of a device link.
//!
//! It believes nothing until a grant comes whose chain has this device in it and is the one that was offered; whether the words were
//! the same, only people can tell.

use estoile_wire::{LogId, Millis};
use rand_core::CryptoRng;

use super::{
    Candidate, DeviceLinkError, DeviceSecret, Granted, LIFE_MS, Message, Offer, Why, commitment, grant_message, shown,
    transcript,
};
use crate::account::Standing;
use crate::account::chain::sign_join;
use crate::sender::{self, SenderKey};

/// What the new device does next.
#[derive(Clone, PartialEq, Eq)]
pub enum JoinerStep {
    /// Nothing: an echo, or a repeat.
    Nothing,
    /// Send this, and show these words.
    Show {
        /// The message to send.
        message: Message,
        /// The words that the old device must show, too.
        words: String,
    },
    /// Open this with HPKE ([`super::HPKE_INFO`], associated data `transcript`), and give the text to [`Joiner::accept`].
    Open {
        /// The sealed text.
        sealed: Vec<u8>,
        /// HPKE's associated data.
        transcript: [u8; 32],
    },
}

#[derive(Clone)]
enum Stage {
    Said,
    Shown { offer: Offer, transcript: [u8; 32] },
    Over,
}

/// The new device's side of one link.
#[derive(Clone)]
pub struct Joiner {
    log: LogId,
    key: SenderKey,
    candidate: Candidate,
    ends_at: Millis,
    stage: Stage,
}

crate::closed_debug!(JoinerStep, Joiner);

impl Joiner {
    /// Begins: `key` is this device's, made for this account; `hpke` its HPKE public key; `name` what it calls itself.
    #[must_use]
    pub fn new(
        secret: &DeviceSecret,
        key: &SenderKey,
        hpke: Vec<u8>,
        name: String,
        now: Millis,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let candidate = Candidate { device: key.public(), hpke, name, nonce };
        let ends_at = now.saturating_add(LIFE_MS);
        Self { log: secret.log_id(), key: key.clone(), candidate, ends_at, stage: Stage::Said }
    }

    /// When this side gives up.
    #[must_use]
    pub const fn ends_at(&self) -> Millis {
        self.ends_at
    }

    /// The first message.
    #[must_use]
    pub fn hello(&self) -> Message {
        Message::Hello { commitment: commitment(&self.log, &self.candidate) }
    }

    /// Takes a message from the log.
    pub fn receive(&mut self, message: &Message, now: Millis) -> Result<JoinerStep, DeviceLinkError> {
        match message {
            // Our own, back from the log. Another's hello means that two hold the link.
            Message::Hello { .. } if *message == self.hello() => Ok(JoinerStep::Nothing),
            Message::Reveal { candidate, .. } if *candidate == self.candidate => Ok(JoinerStep::Nothing),
            Message::Hello { .. } | Message::Reveal { .. } => Err(self.end(DeviceLinkError::Used)),
            _ if now > self.ends_at => Err(self.end(DeviceLinkError::Late)),
            Message::Refused(why) => {
                let error = match why {
                    Why::No => DeviceLinkError::Refused,
                    Why::Used => DeviceLinkError::Used,
                    Why::Late => DeviceLinkError::Late,
                    Why::Wrong => DeviceLinkError::Wrong,
                };
                Err(self.end(error))
            }
            Message::Offer(offer) => self.offer(offer),
            Message::Grant { sealed, signature } => {
                let Stage::Shown { offer, transcript } = &self.stage else {
                    return Err(self.end(DeviceLinkError::Wrong));
                };
                if !sender::verify(&offer.device, &grant_message(transcript, sealed), signature) {
                    return Err(self.end(DeviceLinkError::Wrong));
                }
                Ok(JoinerStep::Open { sealed: sealed.clone(), transcript: *transcript })
            }
        }
    }

    fn offer(&mut self, offer: &Offer) -> Result<JoinerStep, DeviceLinkError> {
        match &self.stage {
            Stage::Said => {}
            Stage::Shown { offer: known, .. } if known == offer => return Ok(JoinerStep::Nothing),
            _ => return Err(self.end(DeviceLinkError::Wrong)),
        }
        let commitment = commitment(&self.log, &self.candidate);
        let transcript = transcript(&self.log, &commitment, offer, &self.candidate);
        let proof = sign_join(&offer.account, &offer.point.head, &self.key);
        self.stage = Stage::Shown { offer: offer.clone(), transcript };
        let message = Message::Reveal { candidate: self.candidate.clone(), proof };
        Ok(JoinerStep::Show { message, words: shown(&transcript) })
    }

    /// Judges an opened grant: the account that was offered, whose chain goes on from there and has both devices.
    pub fn accept(&mut self, text: &[u8]) -> Result<Granted, DeviceLinkError> {
        let Stage::Shown { offer, .. } = &self.stage else { return Err(DeviceLinkError::Wrong) };
        let granted = Granted::decode(text)?;
        let fits = granted.chain.id() == offer.account
            && granted.chain.stands_to(&offer.point) == Standing::Longer
            && granted.chain.is_live(&self.candidate.device)
            && granted.chain.is_live(&offer.device);
        if !fits {
            return Err(self.end(DeviceLinkError::Wrong));
        }
        self.stage = Stage::Over;
        Ok(granted)
    }

    /// The user said no: the words differ.
    pub fn refuse(&mut self) -> Message {
        self.stage = Stage::Over;
        Message::Refused(Why::No)
    }

    fn end(&mut self, why: DeviceLinkError) -> DeviceLinkError {
        self.stage = Stage::Over;
        why
    }
}
