//! The four seals, and a chat around each that shows what opens.

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use estoile_seal::fernet::{self, Key};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::outcome::Seal;

/// Seconds that a token of the fourth rung is good for.
pub(super) const TTL: u64 = 30;
/// The password from which the second rung's key comes: one that people choose.
const PASSWORD: &str = "sunshine1";
const IV: usize = 16;

/// A chat of one of the lower rungs: everybody has the same key.
pub(super) struct Toy {
    rung: Seal,
    key: Key,
    rng: ChaCha20Rng,
}

impl Toy {
    pub(super) fn new(rung: Seal, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = Key::generate(&mut rng);
        Self { rung, key, rng }
    }

    pub(super) const fn rung(&self) -> Seal {
        self.rung
    }

    /// What a member sends at a time in seconds.
    pub(super) fn seal(&mut self, name: &str, text: &str, now: u64) -> Vec<u8> {
        let line = format!("{name}: {text}");
        match self.rung {
            Seal::AesCtr => {
                let mut iv = [0; IV];
                self.rng.fill_bytes(&mut iv);
                let mut body = line.into_bytes();
                keystream(PASSWORD, &iv).apply_keystream(&mut body);
                [iv.as_slice(), &body].concat()
            }
            Seal::Fernet | Seal::FernetTtl => {
                fernet::encrypt_at(&self.key, line.as_bytes(), now, &mut self.rng).into_bytes()
            }
            _ => line.into_bytes(),
        }
    }

    /// What a member's screen shows of it at a time in seconds, if anything.
    pub(super) fn open(&self, bytes: &[u8], now: u64) -> Option<String> {
        let plain = match self.rung {
            Seal::AesCtr => decrypt(PASSWORD, bytes)?,
            Seal::Fernet => fernet::decrypt_at(&self.key, bytes, None, now).ok()?.to_vec(),
            Seal::FernetTtl => fernet::decrypt_at(&self.key, bytes, Some(i64::try_from(TTL).ok()?), now).ok()?.to_vec(),
            _ => bytes.to_vec(),
        };
        String::from_utf8(plain).ok()
    }
}

fn keystream(password: &str, iv: &[u8; IV]) -> Ctr128BE<Aes128> {
    let digest = Sha256::digest(password.as_bytes());
    let mut key = [0; 16];
    key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Ctr128BE::<Aes128>::new(&key.into(), &(*iv).into())
}

/// Decrypts with a password, which may be a guess.
pub(super) fn decrypt(password: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (iv, body) = bytes.split_first_chunk::<IV>()?;
    let mut body = body.to_vec();
    keystream(password, iv).apply_keystream(&mut body);
    Some(body)
}

/// Passwords that everybody tries first.
pub(super) const GUESSES: [&str; 8] =
    ["123456", "password", "qwerty", "letmein", "sunshine", "iloveyou", "sunshine1", "dragon"];
