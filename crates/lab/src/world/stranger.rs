//! Somebody who speaks to the relay by hand: a session of its own, frames as one likes.

use estoile_hub::SessionId;
use estoile_wire::frame::Hello;
use estoile_wire::id::Nonce;
use estoile_wire::{ClientFrame, PublicKey, RelayFrame, VERSION};

use super::{Done, World, broken};

/// A session without a client.
pub(crate) struct Stranger {
    session: SessionId,
    pub(crate) relay_key: PublicKey,
    pub(crate) nonce: Nonce,
}

impl World {
    /// A stranger connects to the relay's first history and says hello.
    pub(crate) fn stranger(&mut self) -> Done<Stranger> {
        let now = self.now;
        let hub = self.relays.first_mut().and_then(|r| r.hub.as_mut());
        let Some(hub) = hub else { return broken("the relay is off") };
        let Ok(session) = hub.connect(now, &mut self.rng) else { return broken("the relay takes nobody") };
        let hello = ClientFrame::Hello(Hello { versions: vec![VERSION], challenge: Nonce([5; 32]) }).encode();
        let _ = hub.receive(now, session, &hello);
        let answers = hub.take(now, session, 8);
        let welcome = answers.iter().find_map(|frame| match RelayFrame::decode(frame) {
            Ok(RelayFrame::Welcome(welcome)) => Some((welcome.relay_key, welcome.nonce)),
            _ => None,
        });
        let Some((relay_key, nonce)) = welcome else { return broken("the relay does not answer") };
        Ok(Stranger { session, relay_key, nonce })
    }

    /// A stranger says something; what the relay answers until nothing more comes.
    pub(crate) fn stranger_says(&mut self, stranger: &Stranger, frame: &[u8]) -> Done<Vec<Vec<u8>>> {
        let now = self.now;
        let hub = self.relays.first_mut().and_then(|r| r.hub.as_mut());
        let Some(hub) = hub else { return broken("the relay is off") };
        let _ = hub.receive(now, stranger.session, frame);
        if hub.commit(now).is_err() {
            return broken("the relay's store fails");
        }
        Ok(hub.take(now, stranger.session, 1_000).into_iter().map(|frame| frame.to_vec()).collect())
    }
}
