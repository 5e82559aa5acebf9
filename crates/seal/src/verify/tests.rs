//! Two people compare, and one who sits between them.

use super::*;
use crate::SenderKey;
use crate::account::chain::sign_join;
use crate::account::{Recovery, Signer};

const ALICE: AccountId = AccountId([1; 32]);
const BOB: AccountId = AccountId([2; 32]);
const EVE: AccountId = AccountId([3; 32]);

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn chain(seed: u8) -> Chain {
    Chain::create(&Recovery::from_entropy([seed; 32]).root(), &device(seed), 5)
}

fn grown(chain: &Chain, by: u8, new: u8) -> Chain {
    let proof = sign_join(&chain.id(), &chain.head(), &device(new));
    chain.add_device(&Signer::Device(&device(by)), &device(new).public(), &proof, 6).unwrap()
}

#[test]
fn both_sides_read_the_same_number() {
    let number = safety_number(&ALICE, &BOB);
    assert_eq!(number, safety_number(&BOB, &ALICE));
    assert_eq!(number.split(' ').map(str::len).collect::<Vec<_>>(), [5; NUMBER_GROUPS]);
    for typed in [number.clone(), number.replace(' ', ""), number.replace(' ', "-"), format!("\n{number} ")] {
        assert_eq!(compare_number(&BOB, &ALICE, &typed), Verdict::Match, "{typed}");
    }
    let mut one_off = number.into_bytes();
    one_off[0] = if one_off[0] == b'0' { b'1' } else { b'0' };
    for typed in [String::from_utf8(one_off).unwrap(), safety_number(&ALICE, &EVE), String::new()] {
        assert_eq!(compare_number(&ALICE, &BOB, &typed), Verdict::Mismatch(Mismatch::Text));
    }
}

#[test]
fn both_sides_read_the_same_words() {
    let words = safety_words(&ALICE, &BOB).unwrap();
    assert_eq!(words, safety_words(&BOB, &ALICE).unwrap());
    assert_ne!(words, safety_words(&ALICE, &EVE).unwrap());
    assert_eq!(words.split(' ').count(), WORD_COUNT);
    let typed = format!(" {} ", words.to_uppercase().replace(' ', ",  "));
    assert_eq!(compare_words(&ALICE, &BOB, &typed), Ok(Verdict::Match));
    assert_eq!(compare_words(&ALICE, &EVE, &typed), Ok(Verdict::Mismatch(Mismatch::Text)));
    assert_eq!(compare_words(&ALICE, &BOB, words.rsplit_once(' ').unwrap().0), Ok(Verdict::Mismatch(Mismatch::Text)));
}

#[test]
fn a_code_is_written_and_read() {
    let (alice, bob) = (chain(1), chain(2));
    let views = (0..4).map(|n| View { tag: [n; 8], epoch: u64::MAX, check: [n; 16] }).collect();
    let code = Code::new(&alice, Some(&bob), views);
    let text = code.to_string();
    assert!(text.starts_with("estoile:v1/verify/") && text.len() <= MAX_CODE, "{}", text.len());
    assert!(format!(" {text}\n").parse::<Code>().unwrap() == code);
    let alone = Code::new(&alice, None, vec![]);
    assert!(alone.to_string().parse::<Code>().unwrap() == alone);
}

#[test]
fn a_code_tells_right_from_wrong() {
    let (alice, bob, eve) = (chain(1), chain(2), chain(3));
    let key = [7; 32];
    let mut seen = Remembered::default();
    seen.note(View::make(&key, 4, b"authenticator"));
    let seen = [seen];
    let verdict = |code: &Code, known: &Chain, own: &Chain| code.compare(known, own, &seen);
    let code = Code::new(&alice, Some(&bob), vec![View::make(&key, 4, b"authenticator")]);
    assert_eq!(verdict(&code, &alice, &bob), Verdict::Match);
    assert_eq!(verdict(&code, &eve, &bob), Verdict::Mismatch(Mismatch::Account), "Bob was given Eve's link");
    assert_eq!(verdict(&code, &alice, &eve), Verdict::Mismatch(Mismatch::Me), "Alice was given Eve's link");

    // Alice knows more or less of each chain: no contradiction.
    let longer = grown(&alice, 1, 11);
    assert_eq!(verdict(&code, &longer, &bob), Verdict::Match);
    assert_eq!(verdict(&Code::new(&longer, Some(&bob), vec![]), &alice, &grown(&bob, 2, 12)), Verdict::Match);
    // Two continuations of one chain.
    let forked = grown(&alice, 1, 13);
    let told = Code::new(&longer, Some(&bob), vec![]);
    assert_eq!(verdict(&told, &forked, &bob), Verdict::Mismatch(Mismatch::Chain));
    let told = Code::new(&alice, Some(&grown(&bob, 2, 12)), vec![]);
    assert_eq!(verdict(&told, &alice, &grown(&bob, 2, 14)), Verdict::Mismatch(Mismatch::MyChain));

    let split = Code::new(&alice, Some(&bob), vec![View::make(&key, 4, b"another")]);
    assert_eq!(verdict(&split, &alice, &bob), Verdict::Mismatch(Mismatch::Split));
    let elsewhere = Code::new(&alice, Some(&bob), vec![View::make(&[8; 32], 4, b"another")]);
    assert_eq!(verdict(&elsewhere, &alice, &bob), Verdict::Match);
}

#[test]
fn what_is_no_code_says_what_it_is() {
    let text = Code::new(&chain(1), None, vec![]).to_string();
    for (why, other) in [
        (CodeError::IsLink, "https://relay:7070/#c/x".to_owned()),
        (CodeError::NotCode, "estoile:v1/pay/x".to_owned()),
        (CodeError::NotCode, String::new()),
        (CodeError::NotCode, "WIFI:S:guest;;".to_owned()),
        (CodeError::Version, text.replace("v1", "v2")),
        (CodeError::Damaged, text.get(..text.len() - 1).unwrap().to_owned()),
        (CodeError::Damaged, format!("{text}A")),
        (CodeError::Damaged, format!("{CODE_START}{}", "A".repeat(MAX_CODE))),
        (CodeError::Version, format!("{CODE_START}{}", URL_SAFE_NO_PAD.encode([0xa1, 0, 2]))),
    ] {
        assert_eq!(other.parse::<Code>().err(), Some(why), "{other}");
    }
}
