//! Taking an account up again when its log is long, or when the relay has lost some of it, or all.

use estoile_engine::{AccountCommand, Answer, Command, CommandError};
use estoile_wire::RelayFrame;
use estoile_wire::frame::Record;
use zeroize::Zeroizing;

use crate::accounts_devices::compared;
use crate::accounts_world::world;
use crate::world::World;

fn restore(w: &mut World, words: &str, anew: Option<&str>) -> (usize, Result<Answer, CommandError>) {
    let at = w.client();
    let command = AccountCommand::Restore {
        words: Zeroizing::new(words.to_owned()),
        device: "new".into(),
        relay: w.address.clone(),
        entry: None,
        keep_devices: false,
        anew: anew.map(str::to_owned),
    };
    let answer = w.account(at, command);
    (at, answer)
}

fn rooms_named(w: &World, at: usize, part: &str) -> usize {
    w.clients[at].engine.as_ref().unwrap().rooms().iter().filter(|r| r.name.contains(part)).count()
}

#[test]
fn a_list_that_is_too_long_for_the_log_goes_as_a_blob_and_comes_back() {
    let mut w = world(70);
    let (anna, words) = w.person("Anna");
    // A session attaches to 256 logs, and a room has two; names may be long.
    for n in 0..115 {
        w.new_room(anna, &format!("long {n:03} {}", "\u{1f33b}".repeat(55)));
    }
    w.pass(60_000);
    assert!(w.blobs_put > 0, "{:?}", w.told(anna));
    // Another device reads it; nobody is there who could let it in.
    let phone = compared(&mut w, anna);
    w.command(anna, Command::Account(AccountCommand::ConfirmDevice { yes: true, history: false }));
    w.kill(anna);
    w.pass(10_000);
    assert_eq!(rooms_named(&w, phone, "long"), 115, "{:?}", w.told(phone));
    w.kill(phone);
    let (new, answer) = restore(&mut w, &words, None);
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(new));
    w.pass(10_000);
    assert_eq!(rooms_named(&w, new, "long"), 115, "{:?}", w.told(new));
    // What the restored device writes is a blob too, and the next one reads that.
    w.kill(new);
    let (last, answer) = restore(&mut w, &words, None);
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(last));
    w.pass(10_000);
    assert_eq!(rooms_named(&w, last, "long"), 115, "{:?}", w.told(last));
}

#[test]
fn a_missing_generation_is_passed_over() {
    let mut w = world(71);
    let (anna, words) = w.person("Anna");
    w.kill(anna);
    // Restoring removes the lost device, and so begins another generation.
    let (second, answer) = restore(&mut w, &words, None);
    assert_eq!(answer, Ok(Answer::Done));
    w.pass(30_000);
    // The relay loses everything, and the device writes its own generation anew: the first is missing.
    w.lose_store();
    w.start_relay();
    w.pass(120_000);
    w.kill(second);
    let (third, answer) = restore(&mut w, &words, None);
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(third));
    w.pass(10_000);
    let account = w.overview(third).account.unwrap();
    assert_eq!((account.name.as_str(), account.stopped), ("Anna", None));
}

#[test]
fn where_nothing_is_left_the_words_begin_anew_and_say_so() {
    let mut w = world(72);
    let (anna, words) = w.person("Anna");
    w.kill(anna);
    w.lose_store();
    w.start_relay();
    let (plain, answer) = restore(&mut w, &words, None);
    assert!(matches!(&answer, Err(CommandError::Account(why)) if why.contains("--anew")), "{answer:?}");
    assert!(w.overview(plain).account.is_none());
    let (new, answer) = restore(&mut w, &words, Some("Anna"));
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(new));
    w.pass(30_000);
    assert!(w.told(new).iter().any(|told| told.contains("lost this account's log")), "{:?}", w.told(new));
    let id = w.overview(new).account.unwrap().id;
    // People can be met again, and the words are good for it from now on.
    let (ben, _) = w.person("Ben");
    w.befriend(ben, new);
    w.pass(10_000);
    w.kill(new);
    let (again, answer) = restore(&mut w, &words, None);
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(again));
    w.pass(10_000);
    let account = w.overview(again).account.unwrap();
    assert_eq!((account.id, account.name.as_str()), (id, "Anna"));
    assert!(w.contact(again, "Ben").is_some());
}

#[test]
fn who_begins_anew_with_the_same_words_is_known_by_them() {
    let mut w = world(73);
    let (anna, words) = w.person("Anna");
    let (ben, _) = w.person("Ben");
    w.befriend(anna, ben);
    w.kill(anna);
    w.lose_store();
    w.start_relay();
    w.pass(120_000);
    let (new, answer) = restore(&mut w, &words, Some("Anna"));
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(new));
    w.pass(30_000);
    w.befriend(new, ben);
    assert!(
        w.told(ben).iter().any(|told| told.contains("same recovery words as your contact Anna")),
        "{:?}",
        w.told(ben)
    );
}

#[test]
fn where_the_chain_is_left_the_account_stays_the_same() {
    let mut w = world(74);
    let (anna, words) = w.person("Anna");
    let id = w.overview(anna).account.unwrap().id;
    w.kill(anna);
    // Of the account's log the relay leaves the first record as it is, the chain, and no other.
    let mut short = None;
    w.filter = Some(Box::new(move |_, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(record)) if *short.get_or_insert(record.log) == record.log && record.cursor > 1 => {
            vec![RelayFrame::Record(Record { body: b"nothing", ..record }).encode()]
        }
        _ => vec![bytes.to_vec()],
    }));
    let (plain, answer) = restore(&mut w, &words, None);
    assert!(matches!(&answer, Err(CommandError::Account(why)) if why.contains("--anew")), "{answer:?}");
    assert!(w.overview(plain).account.is_none());
    let (new, answer) = restore(&mut w, &words, Some("Anna"));
    assert_eq!(answer, Ok(Answer::Done), "{:?}", w.told(new));
    w.pass(10_000);
    let account = w.overview(new).account.unwrap();
    assert_eq!((account.id, account.stopped), (id, None));
    assert_eq!(account.devices.iter().filter(|d| !d.removed).count(), 1, "the lost device is out");
    assert!(w.told(new).iter().any(|told| told.contains("goes on without them")), "{:?}", w.told(new));
}
