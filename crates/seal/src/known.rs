//! Known answers: this crate's primitives against published vectors, in a few milliseconds. A build or a machine that
//! computes wrongly must not seal anything.
//!
//! Which vectors they are stands at each; what MLS computes with is checked by the crate that knows MLS.

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use crate::fernet;
use crate::sender::{self, SenderKey};

/// A primitive whose answer is not the published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this machine computes {0} wrongly, and what it would seal with that is safe from nobody; install estoile again, and have the machine's memory checked if that does not help"
)]
pub struct WrongAnswer(
    /// The primitive's name.
    pub &'static str,
);

/// Computes a known answer; whether it is right.
type Answer = fn() -> Option<bool>;

const ALL: [(&str, Answer); 5] = [
    ("SHA-256 and HKDF", hashes),
    ("Fernet", tokens),
    ("XChaCha20-Poly1305", boxes),
    ("Ed25519", signatures),
    ("Argon2id", stretched),
];

/// Computes them; called once when a client starts, before anything is opened or sealed.
pub fn known_answers() -> Result<(), WrongAnswer> {
    judge(&ALL)
}

fn judge(all: &[(&'static str, Answer)]) -> Result<(), WrongAnswer> {
    match all.iter().find(|(_, answer)| answer() != Some(true)) {
        Some((name, _)) => Err(WrongAnswer(name)),
        None => Ok(()),
    }
}

/// FIPS 180-4: "abc". RFC 5869, case 1.
fn hashes() -> Option<bool> {
    let hash = !estoile_wire::weak::is("primitive")
        && is(&Sha256::digest(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let salt: Vec<u8> = (0..=0x0c).collect();
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let mut okm = [0; 42];
    Hkdf::<Sha256>::new(Some(&salt), &[0x0b; 22]).expand(&info, &mut okm).ok()?;
    Some(hash && is(&okm, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
}

/// The Fernet specification's `generate.json`; and the same token under another key must not open.
fn tokens() -> Option<bool> {
    let key = fernet::Key::from_base64("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").ok()?;
    let want = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    let iv = core::array::from_fn(|n| u8::try_from(n).unwrap_or(0));
    let made = fernet::encrypt_from_parts(&key, b"hello", 499_162_800, &iv);
    let read = fernet::decode_strict(&key, want.as_bytes()).ok()?;
    let strange = fernet::decode_strict(&fernet::Key::from_bytes(&[0; 32]), want.as_bytes());
    Some(made == want && read.plaintext.as_slice() == b"hello" && strange.is_err())
}

/// draft-irtf-cfrg-xchacha-03, A.3.1 (its tag stands over all of the ciphertext); and an altered text must not open.
fn boxes() -> Option<bool> {
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let key: [u8; 32] = bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f").try_into().ok()?;
    let nonce: [u8; 24] = bytes("404142434445464748494a4b4c4d4e4f5051525354555657").try_into().ok()?;
    let aad = bytes("50515253c0c1c2c3c4c5c6c7");
    let (cipher, nonce) = (XChaCha20Poly1305::new(&key.into()), XNonce::from(nonce));
    let mut sealed = cipher.encrypt(&nonce, Payload { msg: text, aad: &aad }).ok()?;
    let tag = sealed.split_at_checked(text.len())?.1;
    let right = is(tag, "c0875924c1c7987947deafd8780acf49")
        && cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &aad }).ok()? == text;
    sealed.first_mut().into_iter().for_each(|b| *b ^= 1);
    Some(right && cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &aad }).is_err())
}

/// RFC 8032, test 1; and another text must not verify.
fn signatures() -> Option<bool> {
    let seed: [u8; 32] = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").try_into().ok()?;
    let key = SenderKey::from_seed(&seed);
    let signature = key.sign(b"");
    let want = concat!(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b",
        "d25bf5f0595bbe24655141438e7a100b"
    );
    let holds = |text: &[u8]| sender::verify(&key.public(), text, &signature);
    let public = is(&key.public().0, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    Some(public && is(&signature.0, want) && holds(b"") && !holds(b"x"))
}

/// RFC 9106, 5.3: 32 KiB instead of our 64 MiB, so that it costs nothing; the code is the same.
fn stretched() -> Option<bool> {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(argon2::AssociatedData::new(&[4; 12]).ok()?);
    let params = params.build().ok()?;
    let secret = [3; 8];
    let argon = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).ok()?;
    let mut out = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut out).ok()?;
    Some(is(&out, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"))
}

fn is(got: &[u8], want: &str) -> bool {
    got == bytes(want).as_slice()
}

/// Hexadecimal, of constants only.
fn bytes(hex: &str) -> Vec<u8> {
    let nibble = |c: &u8| u8::try_from(char::from(*c).to_digit(16).unwrap_or(0)).unwrap_or(0);
    hex.as_bytes().chunks(2).map(|two| two.iter().fold(0, |n, c| (n << 4) | nibble(c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_answers_are_right_here() {
        for (name, answer) in ALL {
            assert_eq!(answer(), Some(true), "{name}");
        }
    }

    #[test]
    fn a_wrong_answer_and_none_are_told_by_name() {
        let right: Answer = || Some(true);
        for wrong in [(|| Some(false)) as Answer, || None] {
            let told = judge(&[("one", right), ("another", wrong), ("a third", right)]);
            assert_eq!(told, Err(WrongAnswer("another")));
            assert!(told.unwrap_err().to_string().starts_with("this machine computes another wrongly"));
        }
        assert_eq!(judge(&[("one", right)]), Ok(()));
    }
}
