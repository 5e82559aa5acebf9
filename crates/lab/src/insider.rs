//! Members with a program of their own: they hold what a member holds, and keep no rule.
//!
//! A guest of a quick room has its secret. An insider of a private room has a member's whole vault, and uses MLS by hand.

use estoile_engine::vault::ready;
use estoile_engine::{RoomId, Vault};
use estoile_mls::Group;
use estoile_seal::fernet;
use estoile_seal::letter::{self, Letter};
use estoile_seal::mimi;
use estoile_seal::quick::{LABEL_FERNET, RoomKeys};
use estoile_seal::{SenderKey, vault_key::VaultKey};
use estoile_wire::frame::Record;
use estoile_wire::{Id16, LogId, Millis, RelayFrame};
use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::world::{Broken, Done, Who, World};

/// Far above any cursor of an experiment: what is given under it comes last.
const LATE: u64 = 1_000_000;
/// Entries of a vault that are read at once.
const ALL: usize = 1_000_000;

/// Somebody with the link of the quick room.
pub(crate) struct Guest {
    pub(crate) key: SenderKey,
    pub(crate) keys: RoomKeys,
    fernet: fernet::Key,
    name: String,
    next: u64,
}

/// A record that nobody appended, as a frame.
pub(crate) fn record(log: LogId, cursor: u64, now: Millis, id16: Id16, body: &[u8]) -> Vec<u8> {
    let expires = now.saturating_add(30 * 24 * 3_600_000);
    RelayFrame::Record(Record { log, cursor, time: now, expires, epoch: 0, id16, body, advance: None }).encode()
}

impl Guest {
    pub(crate) fn new(world: &World, name: &str, seed: u8) -> Self {
        let mut fernet = Zeroizing::new([0; 32]);
        // 32 bytes are never too many for HKDF-SHA-256.
        let _ = Hkdf::<Sha256>::new(None, world.secret.as_bytes()).expand(LABEL_FERNET, &mut *fernet);
        Self {
            key: SenderKey::from_seed(&[seed; 32]),
            keys: RoomKeys::derive(&world.secret),
            fernet: fernet::Key::from_bytes(&fernet),
            name: name.to_owned(),
            next: 0,
        }
    }

    /// A letter as an honest program would write it.
    pub(crate) fn letter(&mut self, text: &str, now: Millis) -> Letter {
        let counter = self.next;
        self.next = counter.saturating_add(1);
        Letter {
            content: Some(mimi::text(text, [7; 16])),
            counter,
            parents: Vec::new(),
            sent_at: now,
            ttl: None,
            name: self.name.clone(),
            sender: self.key.public(),
            private: None,
        }
    }

    /// Signs and seals a letter for the room, or for another one's log.
    pub(crate) fn seals(&self, letter: &Letter, log: &LogId, world: &mut World) -> Done<Vec<u8>> {
        let written = letter.write(&self.key, log).map_err(|error| Broken(error.to_string()))?;
        Ok(letter::seal(&self.keys, &written, &mut world.rng))
    }

    /// Opens a token of the room without any check of what is inside, as every guest can.
    pub(crate) fn unseals(&self, body: &[u8]) -> Done<Zeroizing<Vec<u8>>> {
        let token = fernet::decode_strict(&self.fernet, body).map_err(|error| Broken(error.to_string()))?;
        Ok(token.plaintext)
    }

    /// Seals whatever bytes in a token with this time.
    pub(crate) fn seals_bytes(&self, bytes: &[u8], seconds: u64, world: &mut World) -> Vec<u8> {
        fernet::encrypt_at(&self.fernet, bytes, seconds, &mut world.rng).into_bytes()
    }

    /// Has the relay give a body to a client as the log's next record.
    pub(crate) fn sends(&self, body: &[u8], number: u64, to: Who, world: &mut World) -> Done {
        let id16 = Id16([u8::try_from(number & 0xff).unwrap_or(0); 16]);
        let frame = record(self.keys.log_id(), LATE.saturating_add(number), world.now, id16, body);
        world.relay_says(to, frame)
    }

    /// Writes, seals and sends a letter, changed as one likes.
    pub(crate) fn says(&mut self, text: &str, to: Who, world: &mut World, change: impl FnOnce(&mut Letter)) -> Done {
        let mut letter = self.letter(text, world.now);
        change(&mut letter);
        let number = self.next;
        let body = self.seals(&letter, &self.keys.log_id(), world)?;
        world.tell(format!("{} puts a letter of their own making into the log", self.name));
        self.sends(&body, number, to, world)
    }
}

/// What of a private room's state in a vault is needed here: see `StoredGroup` in the engine.
#[derive(Decode, Encode)]
#[cbor(map)]
struct Stored {
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    seed: [u8; 32],
    #[n(4)]
    log: LogId,
}

/// A member of a private room who uses MLS by hand.
pub(crate) struct Insider {
    pub(crate) group: Group,
    pub(crate) log: LogId,
    /// The member's device.
    pub(crate) device: SenderKey,
}

impl World {
    /// Ends a member's program and takes over with what its vault holds.
    pub(crate) fn insider(&mut self, (who, room): (Who, RoomId)) -> Done<Insider> {
        self.kill(who)?;
        let (disk, key) = {
            let client = self.client(who)?;
            (client.disk.clone(), client.key)
        };
        let opened = ready(Vault::open(disk, VaultKey::from_bytes(key), &mut self.rng));
        let Some(Ok(vault)) = opened else { return Err(Broken("the insider's vault does not open".into())) };
        let mut prefix = b"r".to_vec();
        prefix.extend_from_slice(&room.0.to_be_bytes());
        let state = [prefix.as_slice(), b"q"].concat();
        let Some(Ok(Some(state))) = ready(vault.get(&state)) else { return Err(Broken("no group is kept".into())) };
        let stored: Stored = minicbor::decode(&state).map_err(|error| Broken(error.to_string()))?;
        let entries = [prefix.as_slice(), b"g"].concat();
        let Some(Ok(entries)) = ready(vault.scan(&entries, None, ALL)) else {
            return Err(Broken("no group is kept".into()));
        };
        let entries = entries.iter().filter_map(|(_, value)| split(value));
        let group = Group::restore(entries, &stored.seed).map_err(|error| Broken(error.to_string()))?;
        let name = self.client(who)?.name.clone();
        self.tell(format!("{name} goes on with a program of their own"));
        Ok(Insider { group, log: stored.log, device: SenderKey::from_seed(&stored.seed) })
    }
}

/// An entry of a group's state, as the engine keeps it: the length of its name, the name, the value.
fn split(entry: &[u8]) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    let (size, rest) = entry.split_first_chunk::<2>()?;
    let (key, value) = rest.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
    Some((key.to_vec(), Zeroizing::new(value.to_vec())))
}
