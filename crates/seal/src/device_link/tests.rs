//! A new device comes, alone and with company.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::SenderKey;
use crate::account::Recovery;
use estoile_wire::Millis;

const NOW: Millis = 1_760_000_000_000;

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn chain(seed: u8) -> Chain {
    Chain::create(&Recovery::from_entropy([seed; 32]).root(), &device(seed), 5)
}

fn secret() -> DeviceSecret {
    DeviceSecret::from_bytes([7; 32])
}

/// The old device, number 1, of account 1.
fn inviter(seed: u64) -> Inviter {
    Inviter::new(&secret(), &chain(1), &device(1).public(), NOW, &mut ChaCha20Rng::seed_from_u64(seed))
}

fn joiner(seed: u8) -> Joiner {
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(seed));
    Joiner::new(&secret(), &device(seed), vec![seed; 32], "Laptop".to_owned(), NOW, &mut rng)
}

fn offer(old: &mut Inviter, hello: &Message) -> Message {
    match old.receive(hello, NOW) {
        Ok(InviterStep::Send(message)) => message,
        _ => panic!("no offer"),
    }
}

fn reveal(new: &mut Joiner, offer: &Message) -> (Message, String) {
    match new.receive(offer, NOW) {
        Ok(JoinerStep::Show { message, words }) => (message, words),
        _ => panic!("no reveal"),
    }
}

fn asked(old: &mut Inviter, reveal: &Message) -> String {
    match old.receive(reveal, NOW) {
        Ok(InviterStep::Ask { words, name }) => {
            assert_eq!(name, "Laptop");
            words
        }
        _ => panic!("no question"),
    }
}

fn history() -> crate::history::Offer {
    let part = crate::history::PartRef { hash: [3; 32], size: 70_000 };
    crate::history::Offer { key: crate::history::HistoryKey::from_bytes([4; 32]), messages: 1_204, parts: vec![part] }
}

fn granted(taken: &Taken) -> Granted {
    let link: crate::link::Link = format!("https://relay:7070/#p/x/{}", "A".repeat(43)).parse().unwrap();
    let generation = Recovery::from_entropy([1; 32]).generation(0);
    Granted {
        chain: taken.chain.clone(),
        generation,
        relay: link.relay_url(),
        history: Some(history()),
        later: Later::default(),
    }
}

#[test]
fn a_device_comes_in_when_both_see_the_same_words() {
    let (mut old, mut new) = (inviter(1), joiner(2));
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    // Each message goes through the log, and comes back to its sender, too.
    let mut carry = |message: &Message| secret().open(&secret().seal(message, &mut rng)).unwrap();
    let hello = carry(&new.hello());
    assert!(new.receive(&hello, NOW) == Ok(JoinerStep::Nothing));
    let offer = carry(&offer(&mut old, &hello));
    assert!(old.receive(&offer, NOW) == Ok(InviterStep::Nothing));
    let (message, words) = reveal(&mut new, &offer);
    let message = carry(&message);
    assert!(new.receive(&message, NOW) == Ok(JoinerStep::Nothing));
    assert_eq!(asked(&mut old, &message), words);
    assert_eq!(words.split(' ').count(), WORD_COUNT);

    let taken = old.accept(&chain(1), &device(1), NOW + LIFE_MS).unwrap();
    assert!(taken.chain.is_live(&device(2).public()));
    let text = granted(&taken).encode();
    let grant = carry(&taken.grant(text.to_vec(), &device(1)));
    assert!(old.receive(&grant, NOW) == Ok(InviterStep::Nothing));
    let Ok(JoinerStep::Open { sealed, transcript }) = new.receive(&grant, NOW) else { panic!("not opened") };
    assert_eq!(transcript, taken.transcript);
    assert!(new.accept(&sealed).unwrap() == granted(&taken));
    // Once is enough.
    assert_eq!(new.accept(&sealed).err(), Some(DeviceLinkError::Wrong));
    assert_eq!(old.accept(&chain(1), &device(1), NOW).err(), Some(DeviceLinkError::Used));
}

#[test]
fn repeats_change_nothing_and_a_used_link_is_dead() {
    let (mut old, mut new) = (inviter(1), joiner(2));
    let hello = new.hello();
    let offer = offer(&mut old, &hello);
    assert!(old.receive(&hello, NOW) == Ok(InviterStep::Nothing));
    let (message, _) = reveal(&mut new, &offer);
    assert!(new.receive(&offer, NOW) == Ok(JoinerStep::Nothing));
    asked(&mut old, &message);
    assert!(old.receive(&message, NOW) == Ok(InviterStep::Nothing));

    // Somebody else has seen the link.
    let late = old.receive(&joiner(3).hello(), NOW).err().unwrap();
    assert_eq!(late, DeviceLinkError::Used);
    assert!(late.reply() == Some(Message::Refused(Why::Used)));
    assert_eq!(old.accept(&chain(1), &device(1), NOW).err(), Some(DeviceLinkError::Used), "a yes comes too late");
    assert_eq!(new.receive(&Message::Refused(Why::Used), NOW).err(), Some(DeviceLinkError::Used));
    assert_eq!(new.receive(&offer, NOW).err(), Some(DeviceLinkError::Wrong), "and it is over");

    // After a device came in: the same again.
    let (mut old, mut new) = (inviter(1), joiner(2));
    let offer = self::offer(&mut old, &new.hello());
    asked(&mut old, &reveal(&mut new, &offer).0);
    old.accept(&chain(1), &device(1), NOW).unwrap();
    assert_eq!(old.receive(&joiner(3).hello(), NOW).err(), Some(DeviceLinkError::Used));
    assert_eq!(joiner(2).receive(&joiner(3).hello(), NOW).err(), Some(DeviceLinkError::Used));
}

#[test]
fn ten_minutes_and_a_no_end_it() {
    let mut old = inviter(1);
    assert_eq!(old.receive(&joiner(2).hello(), NOW + LIFE_MS + 1).err(), Some(DeviceLinkError::Late));
    let mut new = joiner(2);
    let offer = offer(&mut old, &new.hello());
    assert_eq!(joiner(2).receive(&offer, NOW + LIFE_MS + 1).err(), Some(DeviceLinkError::Late));
    asked(&mut old, &reveal(&mut new, &offer).0);
    assert_eq!(old.accept(&chain(1), &device(1), NOW + LIFE_MS + 1).err(), Some(DeviceLinkError::Late));
    let no = old.refuse();
    assert_eq!(new.receive(&no, NOW).err(), Some(DeviceLinkError::Refused));
    assert_eq!(old.accept(&chain(1), &device(1), NOW).err(), Some(DeviceLinkError::Used));
}

/// Somebody with the link runs one handshake with each side.
#[test]
fn who_sits_in_the_middle_makes_other_words() {
    for seed in 0..20 {
        let (mut old, mut new) = (inviter(seed), joiner(2));
        // He must commit to the old device before he hears its nonce …
        let mut his_new = joiner(9);
        let from_old = offer(&mut old, &his_new.hello());
        // … and offer something to the new one before he hears what it committed to: the same account, his own nonce.
        let mut his_old = inviter(seed + 1000);
        let to_new = offer(&mut his_old, &new.hello());
        let (revealed, on_new) = reveal(&mut new, &to_new);
        asked(&mut his_old, &revealed);
        let on_old = asked(&mut old, &reveal(&mut his_new, &from_old).0);
        assert_ne!(on_old, on_new);
        // Passing the true offer on does not help: his key is in the words.
        let mut passed = joiner(2);
        assert_ne!(reveal(&mut passed, &from_old).1, on_old);
        // Nor does the new one's keys in place of his own.
        assert_eq!(inviter_after(seed, &joiner(9).hello()).receive(&revealed, NOW).err(), Some(DeviceLinkError::Wrong));
    }
}

fn inviter_after(seed: u64, hello: &Message) -> Inviter {
    let mut old = inviter(seed);
    offer(&mut old, hello);
    old
}

#[test]
fn what_was_promised_must_be_shown() {
    let new = joiner(2);
    let Message::Reveal { candidate, proof } = reveal(&mut joiner(2), &offer(&mut inviter(1), &new.hello())).0 else {
        panic!("no reveal")
    };
    for (candidate, proof) in [
        (Candidate { name: "Phone".to_owned(), ..candidate.clone() }, proof),
        (Candidate { hpke: vec![9; 32], ..candidate.clone() }, proof),
        (Candidate { device: device(9).public(), ..candidate.clone() }, proof),
        (Candidate { nonce: [0; 32], ..candidate.clone() }, proof),
        (candidate.clone(), crate::account::chain::sign_join(&chain(1).id(), &chain(1).head(), &device(9))),
        (candidate.clone(), crate::account::chain::sign_join(&chain(2).id(), &chain(1).head(), &device(2))),
    ] {
        let mut old = inviter_after(1, &new.hello());
        let error = old.receive(&Message::Reveal { candidate, proof }, NOW).err();
        assert_eq!(error, Some(DeviceLinkError::Wrong));
        assert_eq!(old.accept(&chain(1), &device(1), NOW).err(), Some(DeviceLinkError::Used));
    }
    let early = inviter(1).receive(&Message::Reveal { candidate, proof }, NOW).err();
    assert_eq!(early, Some(DeviceLinkError::Wrong), "without a promise");
}

#[test]
fn a_grant_is_for_this_device_in_this_account() {
    let start = || {
        let (mut old, mut new) = (inviter(1), joiner(2));
        let offer = offer(&mut old, &new.hello());
        asked(&mut old, &reveal(&mut new, &offer).0);
        let taken = old.accept(&chain(1), &device(1), NOW).unwrap();
        (new, taken)
    };
    let (mut new, taken) = start();
    let forged = taken.grant(vec![1], &device(9));
    assert_eq!(new.receive(&forged, NOW).err(), Some(DeviceLinkError::Wrong), "another's signature");
    assert_eq!(
        joiner(2).receive(&taken.grant(vec![1], &device(1)), NOW).err(),
        Some(DeviceLinkError::Wrong),
        "too early"
    );
    for wrong in [chain(1), chain(2)] {
        let (mut new, taken) = start();
        let granted = Granted { chain: wrong, ..granted(&taken) };
        assert_eq!(new.accept(&granted.encode()).err(), Some(DeviceLinkError::Wrong));
    }
    let (mut new, _) = start();
    assert_eq!(new.accept(b"").err(), Some(DeviceLinkError::Malformed));
    // The chain moved on while people compared: nothing is handed over.
    let (mut old, mut new) = (inviter(1), joiner(2));
    let offer = offer(&mut old, &new.hello());
    asked(&mut old, &reveal(&mut new, &offer).0);
    let stale = old.accept(&taken.chain, &device(1), NOW).err();
    assert_eq!(stale, Some(DeviceLinkError::Chain(ChainError::Stale)));
}

#[test]
fn messages_open_in_their_own_log_only() {
    let body = secret().seal(&joiner(2).hello(), &mut ChaCha20Rng::seed_from_u64(1));
    assert!(secret().open(&body).unwrap() == joiner(2).hello());
    assert_eq!(DeviceSecret::from_bytes([8; 32]).open(&body).err(), Some(DeviceLinkError::Seal));
    for i in 0..body.len() {
        assert_eq!(secret().open(&body[..i]).err(), Some(DeviceLinkError::Seal));
    }
    assert_ne!(secret().log_id(), DeviceSecret::from_bytes([8; 32]).log_id());
}
