//! The old device's side of a device link.
//!
//! It hands nothing over before its user said yes to the words, and serves one candidate: a second one ends the link for both.

use estoile_wire::{LogId, Millis, PublicKey, Signature};
use rand_core::CryptoRng;

use super::{
    Candidate, DeviceLinkError, DeviceSecret, LIFE_MS, Message, Offer, Why, commitment, grant_message, shown,
    transcript,
};
use crate::account::chain::join_holds;
use crate::account::{Chain, ChainError, Signer};
use crate::sender::SenderKey;

/// What the old device does next.
#[derive(Clone, PartialEq, Eq)]
pub enum InviterStep {
    /// Nothing: an echo, or a repeat.
    Nothing,
    /// Send this.
    Send(Message),
    /// Show these words and the name, and ask: is it the same on the new device?
    Ask {
        /// The words.
        words: String,
        /// What the new device calls itself.
        name: String,
    },
}

crate::closed_debug!(InviterStep);

/// What was shown, and fits.
#[derive(Clone)]
struct Shown {
    candidate: Candidate,
    proof: Signature,
    transcript: [u8; 32],
}

/// The old device's side of one link.
#[derive(Clone)]
pub struct Inviter {
    log: LogId,
    offer: Offer,
    ends_at: Millis,
    /// Whose commitment was taken: the first one's.
    commitment: Option<[u8; 32]>,
    /// What it showed.
    shown: Option<Shown>,
    /// The link is used, for good or ill.
    over: bool,
}

crate::closed_debug!(Inviter);

/// What the old device needs to hand the account over, after a yes.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// The chain with the new device, to be appended to the account's log.
    pub chain: Chain,
    /// The new device.
    pub candidate: Candidate,
    /// HPKE's associated data.
    pub transcript: [u8; 32],
}

crate::closed_debug!(Taken);

impl Inviter {
    /// Begins: `chain` is the account's, `device` this one.
    #[must_use]
    pub fn new(secret: &DeviceSecret, chain: &Chain, device: &PublicKey, now: Millis, rng: &mut dyn CryptoRng) -> Self {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let offer = Offer { account: chain.id(), point: chain.point(), device: *device, nonce };
        Self {
            log: secret.log_id(),
            offer,
            ends_at: now.saturating_add(LIFE_MS),
            commitment: None,
            shown: None,
            over: false,
        }
    }

    /// When the link ends.
    #[must_use]
    pub const fn ends_at(&self) -> Millis {
        self.ends_at
    }

    /// Takes a message from the log. After an error the link is of no use; see [`DeviceLinkError::reply`].
    pub fn receive(&mut self, message: &Message, now: Millis) -> Result<InviterStep, DeviceLinkError> {
        if now > self.ends_at && !matches!(message, Message::Offer(_) | Message::Grant { .. }) {
            return Err(DeviceLinkError::Late);
        }
        match message {
            // Our own, back from the log. Another's offer means that two hold the link.
            Message::Offer(offer) if *offer != self.offer => Err(self.end(DeviceLinkError::Used)),
            Message::Offer(_) | Message::Grant { .. } => Ok(InviterStep::Nothing),
            Message::Refused(_) => Err(self.end(DeviceLinkError::Refused)),
            Message::Hello { commitment } => self.hello(commitment),
            Message::Reveal { candidate, proof } => self.reveal(candidate, proof),
        }
    }

    fn hello(&mut self, commitment: &[u8; 32]) -> Result<InviterStep, DeviceLinkError> {
        match &self.commitment {
            Some(known) if known == commitment => Ok(InviterStep::Nothing),
            None if !self.over => {
                self.commitment = Some(*commitment);
                Ok(InviterStep::Send(Message::Offer(self.offer.clone())))
            }
            // Two hold the link, and one of them should not.
            _ => Err(self.end(DeviceLinkError::Used)),
        }
    }

    fn reveal(&mut self, candidate: &Candidate, proof: &Signature) -> Result<InviterStep, DeviceLinkError> {
        if self.over || self.shown.as_ref().is_some_and(|shown| shown.candidate == *candidate) {
            return Ok(InviterStep::Nothing);
        }
        let promised = self.commitment.filter(|_| self.shown.is_none());
        let fits = promised == Some(commitment(&self.log, candidate))
            && join_holds(&self.offer.account, &self.offer.point.head, &candidate.device, proof);
        let Some(promised) = promised.filter(|_| fits) else { return Err(self.end(DeviceLinkError::Wrong)) };
        let transcript = transcript(&self.log, &promised, &self.offer, candidate);
        self.shown = Some(Shown { candidate: candidate.clone(), proof: *proof, transcript });
        Ok(InviterStep::Ask { words: shown(&transcript), name: candidate.name.clone() })
    }

    /// The user said no.
    pub fn refuse(&mut self) -> Message {
        self.end(DeviceLinkError::Refused);
        Message::Refused(Why::No)
    }

    /// The user said yes: takes the device into `chain`, which must still be the one of the offer.
    pub fn accept(&mut self, chain: &Chain, device: &SenderKey, now: Millis) -> Result<Taken, DeviceLinkError> {
        let Some(Shown { candidate, proof, transcript }) = self.shown.as_ref().filter(|_| !self.over) else {
            return Err(DeviceLinkError::Used);
        };
        if now > self.ends_at {
            return Err(DeviceLinkError::Late);
        }
        if chain.point() != self.offer.point || chain.id() != self.offer.account {
            return Err(DeviceLinkError::Chain(ChainError::Stale));
        }
        let chain = chain.add_device(&Signer::Device(device), &candidate.device, proof, now)?;
        let taken = Taken { chain, candidate: candidate.clone(), transcript: *transcript };
        self.over = true;
        Ok(taken)
    }

    const fn end(&mut self, why: DeviceLinkError) -> DeviceLinkError {
        self.over = true;
        why
    }
}

impl Taken {
    /// The last message: `sealed` is [`super::Granted::encode`] under HPKE, with [`super::HPKE_INFO`] and the transcript.
    #[must_use]
    pub fn grant(&self, sealed: Vec<u8>, device: &SenderKey) -> Message {
        let signature = device.sign(&grant_message(&self.transcript, &sealed));
        Message::Grant { sealed, signature }
    }
}
