//! Our Fernet against Python's `cryptography`, token by token: what the one accepts the other accepts, to the same bytes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test: what is missing must stop it"
)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use estoile_seal::fernet::{Key, decrypt_at, encrypt_at, encrypt_from_parts};
use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use sha2::Sha256;

struct Python {
    process: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let mut process = common::python(include_str!("fernet_python.py"));
        let to = process.stdin.take();
        let from = BufReader::new(process.stdout.take().unwrap());
        Self { process, to, from }
    }

    /// It reads the whole batch before it answers, so that neither side waits for the other's buffer.
    fn ask(&mut self, batch: &[Value]) -> Vec<Value> {
        let lines: String = batch.iter().map(|case| format!("{case}\n")).collect();
        let to = self.to.as_mut().unwrap();
        to.write_all(lines.as_bytes()).unwrap();
        to.write_all(b"\n").unwrap();
        to.flush().unwrap();
        let answers = (&mut self.from).lines().take(batch.len());
        answers.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.process.wait();
    }
}

fn below(rng: &mut ChaCha20Rng, n: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % n
}

fn bytes(rng: &mut ChaCha20Rng, n: usize) -> Vec<u8> {
    let mut out = vec![0; n];
    rng.fill_bytes(&mut out);
    out
}

/// A token to be judged, and by which key and clock.
struct Case {
    key: String,
    token: Vec<u8>,
    ttl: Option<i64>,
    now: u64,
}

/// A sound token and what is known of it.
struct Sound {
    key: String,
    token: String,
    time: u64,
}

fn key(rng: &mut ChaCha20Rng) -> String {
    Key::generate(rng).to_base64().to_string()
}

/// Half of them made by us, half by Python.
fn sound_tokens(python: &mut Python, rng: &mut ChaCha20Rng) -> Vec<Sound> {
    let mut parts = Vec::new();
    for n in 0..64 {
        let time = match n % 8 {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << 63,
            _ => u64::from(rng.next_u32()),
        };
        let size = below(rng, 70);
        parts.push((key(rng), bytes(rng, size), time));
    }
    let ask: Vec<_> = parts
        .iter()
        .map(|(key, plain, time)| {
            json!({"op": "encrypt", "key": key, "plain": STANDARD.encode(plain), "now": time, "iv": null})
        })
        .collect();
    let theirs = python.ask(&ask);
    let mut tokens = Vec::new();
    for ((key, plain, time), answer) in parts.into_iter().zip(theirs) {
        let ours = encrypt_at(&Key::from_base64(&key).unwrap(), &plain, time, rng);
        tokens.push(Sound { key: key.clone(), token: ours, time });
        tokens.push(Sound { key, token: answer["ok"].as_str().unwrap().to_owned(), time });
    }
    tokens
}

fn respellings(token: &str, rng: &mut ChaCha20Rng) -> Vec<Vec<u8>> {
    let bare = token.trim_end_matches('=');
    let mut out = vec![
        token.to_owned(),
        format!("  {token}\r\n"),
        token.replace('-', "+").replace('_', "/"),
        bare.to_owned(),
        format!("{bare}="),
        format!("{bare}=="),
        format!("{token}===="),
        format!("{token}AAAA"),
        format!("{bare}=A=="),
        format!("é{token}"),
        token[..token.len() - 1].to_owned(),
    ];
    for junk in ["\n", " ", "%%%", "=", "==", "===", ".", "\u{0}", "ü"] {
        let at = below(rng, bare.len());
        out.push(format!("{}{junk}{}", &token[..at], &token[at..]));
    }
    let last = bare.as_bytes()[bare.len() - 1];
    let next = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = next.iter().position(|&c| c == last).unwrap();
    out.push(format!("{}{}{}", &bare[..bare.len() - 1], char::from(next[(place + 1) % 64]), &token[bare.len()..]));
    out.into_iter().map(String::into_bytes).collect()
}

fn damages(token: &str, rng: &mut ChaCha20Rng) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for _ in 0..3 {
        out.push(token.as_bytes()[..below(rng, token.len())].to_vec());
        let mut flipped = token.as_bytes().to_vec();
        let at = below(rng, flipped.len());
        flipped[at] ^= 1 << below(rng, 8);
        out.push(flipped);
        let mut data = URL_SAFE.decode(token).unwrap();
        let at = below(rng, data.len());
        data[at] ^= 1 << below(rng, 8);
        out.push(URL_SAFE.encode(&data).into_bytes());
        data.truncate(below(rng, data.len()));
        out.push(URL_SAFE.encode(&data).into_bytes());
    }
    out
}

/// A MAC that holds over what is no Fernet: every length, any padding.
fn signed_nonsense(key: &str, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let size = below(rng, 80);
    let mut parts = bytes(rng, size);
    if let Some(first) = parts.first_mut() {
        *first = 0x80;
    }
    let signing = URL_SAFE.decode(key).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&signing[..16]).unwrap();
    mac.update(&parts);
    parts.extend_from_slice(&mac.finalize().into_bytes());
    URL_SAFE.encode(&parts).into_bytes()
}

/// Both sides of both borders, and the ends of the numbers.
fn moments(time: u64) -> Vec<(Option<i64>, u64)> {
    let mut out = vec![(None, 0), (Some(i64::MAX), u64::MAX), (Some(i64::MIN), 0), (Some(0), u64::MAX), (Some(5), 0)];
    for ttl in [0_i64, 1, 60, 86_400, -1] {
        let end = time.saturating_add_signed(ttl);
        for now in [end.saturating_sub(1), end, end.saturating_add(1)] {
            out.push((Some(ttl), now));
        }
    }
    for ahead in [59, 60, 61] {
        out.push((Some(60), time.saturating_sub(ahead)));
    }
    out
}

fn corpus(sound: &[Sound], rng: &mut ChaCha20Rng) -> Vec<Case> {
    let mut cases = Vec::new();
    for Sound { key, token, time } in sound {
        for (ttl, now) in moments(*time) {
            cases.push(Case { key: key.clone(), token: token.clone().into_bytes(), ttl, now });
        }
        let altered = respellings(token, rng).into_iter().chain(damages(token, rng));
        for token in altered.chain([signed_nonsense(key, rng), vec![]]) {
            let ttl = (below(rng, 2) == 0).then_some(60);
            cases.push(Case { key: key.clone(), token, ttl, now: *time });
        }
        let other = self::key(rng);
        cases.push(Case { key: other, token: token.clone().into_bytes(), ttl: None, now: 0 });
    }
    cases
}

#[test]
fn both_accept_the_same_tokens_to_the_same_texts() {
    let mut rng = ChaCha20Rng::seed_from_u64(2026);
    let mut python = Python::start();
    let sound = sound_tokens(&mut python, &mut rng);
    let cases = corpus(&sound, &mut rng);
    assert!(cases.len() >= 2000, "{} cases", cases.len());
    let ask: Vec<_> = cases
        .iter()
        .map(|c| json!({"op": "decrypt", "key": c.key, "token": STANDARD.encode(&c.token), "ttl": c.ttl, "now": c.now}))
        .collect();
    let mut accepted = 0;
    for (case, theirs) in cases.iter().zip(python.ask(&ask)) {
        let key = Key::from_base64(&case.key).unwrap();
        let ours = decrypt_at(&key, &case.token, case.ttl, case.now).ok().map(|plain| STANDARD.encode(&plain));
        let token = String::from_utf8_lossy(&case.token);
        assert_eq!(ours.as_deref(), theirs["ok"].as_str(), "{theirs} ttl {:?} now {} {token}", case.ttl, case.now);
        accepted += usize::from(ours.is_some());
    }
    assert!(accepted > cases.len() / 4 && accepted < cases.len() * 3 / 4, "{accepted} of {}", cases.len());
}

#[test]
fn both_write_the_same_tokens() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let mut python = Python::start();
    let parts: Vec<(String, Vec<u8>, u64, [u8; 16])> = (0..200)
        .map(|size| (key(&mut rng), bytes(&mut rng, size), rng.next_u64(), bytes(&mut rng, 16).try_into().unwrap()))
        .collect();
    let ask: Vec<_> = parts
        .iter()
        .map(|(key, plain, now, iv)| {
            json!({"op": "encrypt", "key": key, "plain": STANDARD.encode(plain), "now": now, "iv": STANDARD.encode(iv)})
        })
        .collect();
    for ((key, plain, now, iv), theirs) in parts.iter().zip(python.ask(&ask)) {
        let ours = encrypt_from_parts(&Key::from_base64(key).unwrap(), plain, *now, iv);
        assert_eq!(theirs["ok"].as_str(), Some(ours.as_str()));
    }
}

#[test]
fn both_read_the_same_keys() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let mut python = Python::start();
    let mut texts = Vec::new();
    for _ in 0..20 {
        let key = key(&mut rng);
        texts.extend(respellings(&key, &mut rng).into_iter().map(|text| String::from_utf8(text).unwrap()));
    }
    texts.extend([31, 33, 0].map(|size| URL_SAFE.encode(bytes(&mut rng, size))));
    let ask: Vec<_> = texts.iter().map(|text| json!({"op": "key", "text": text})).collect();
    for (text, theirs) in texts.iter().zip(python.ask(&ask)) {
        let ours = Key::from_base64(text).ok().map(|key| key.to_base64().replace('-', "+").replace('_', "/"));
        assert_eq!(ours.as_deref(), theirs["ok"].as_str(), "{theirs} {text:?}");
    }
}
