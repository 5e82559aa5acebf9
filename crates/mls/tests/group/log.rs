//! What the log does to commits: races, lost acknowledgements, crashes between any two writes.

use crate::people::{self, Kept, adding, agree, all_take, keep, letter, now, restore, take, three};
use estoile_mls::{Group, Incoming, MlsError, OpenError, Plan, Suite};

#[test]
fn of_two_commits_the_log_takes_one_and_the_loser_follows() {
    for suite in [Suite::XWing, Suite::Classic] {
        let (_, mut groups) = three(suite);
        let alices = groups[0].commit(Plan { roster: Some(b"by Alice".to_vec()), ..Plan::default() }).unwrap();
        let bobs = groups[1].commit(Plan { roster: Some(b"by Bob".to_vec()), ..Plan::default() }).unwrap();
        // Alice's stands in the log.
        assert!(matches!(groups[0].open(&alices.commit), Ok(Incoming::Pending)));
        groups[0].merge_pending().unwrap();
        take(&mut groups[1], &alices.commit);
        take(&mut groups[2], &alices.commit);
        assert!(groups[1].pending().is_none(), "what lost is dropped");
        assert_eq!(groups[1].merge_pending().unwrap_err(), MlsError::NothingPending);
        agree(&groups.iter().collect::<Vec<_>>());
        assert_eq!(groups[1].roster(), b"by Alice");
        assert_eq!(groups[2].open(&bobs.commit).unwrap_err(), OpenError::WrongEpoch(1));
        // Bob wants it still, and makes it anew.
        let again = groups[1].commit(Plan { roster: Some(b"by Bob".to_vec()), ..Plan::default() }).unwrap();
        all_take(&mut groups, 1, &again);
        agree(&groups.iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_lost_acknowledgement_and_a_restart_change_nothing() {
    let (people, mut groups) = three(Suite::XWing);
    let mut kept = Kept::new();
    let pending = groups[0].commit(Plan { removes: vec![2], now_ms: now(), ..Plan::default() }).unwrap();
    keep(&mut groups[0], &mut kept);
    let mut alice = restore(&kept, &people[0]);
    assert!(alice.is_pending(&pending.commit));
    assert_eq!(alice.pending().unwrap(), pending.facts);
    let next = alice.pending_export("estoile access", 32).unwrap();
    assert_eq!(next, groups[0].pending_export("estoile access", 32).unwrap());
    assert!(matches!(alice.open(&pending.commit), Ok(Incoming::Pending)));
    alice.merge_pending().unwrap();
    take(&mut groups[1], &pending.commit);
    agree(&[&alice, &groups[1]]);
    assert_eq!(alice.export("estoile access", 32).unwrap(), next);
}

#[test]
fn a_commit_of_ours_that_we_dropped_or_never_made_is_an_alarm() {
    let (people, mut groups) = three(Suite::Classic);
    let mut kept = Kept::new();
    keep(&mut groups[0], &mut kept);
    // Dropped, and then it stands in the log after all.
    let pending = groups[0].commit(Plan::default()).unwrap();
    groups[0].drop_pending().unwrap();
    assert_eq!(groups[0].open(&pending.commit).unwrap_err(), OpenError::OwnCommit);
    // Made by a copy of the vault.
    let mut copy = restore(&kept, &people[0]);
    assert_eq!(copy.open(&pending.commit).unwrap_err(), OpenError::OwnCommit);
    // And with another one pending.
    copy.commit(Plan::default()).unwrap();
    assert_eq!(copy.open(&pending.commit).unwrap_err(), OpenError::OwnCommit);
    assert!(copy.pending().is_some(), "the alarm drops nothing");
}

#[test]
fn what_is_refused_was_never_opened() {
    let (people, mut groups) = three(Suite::XWing);
    let mut kept = Kept::new();
    keep(&mut groups[1], &mut kept);
    let pending = groups[0].commit(Plan { roster: Some(b"doubtful".to_vec()), ..Plan::default() }).unwrap();
    let Incoming::Commit(staged) = groups[1].open(&pending.commit).unwrap() else { panic!() };
    groups[1].refuse(*staged).unwrap();
    keep(&mut groups[1], &mut kept);
    assert_eq!((groups[1].epoch(), groups[1].roster()), (1, &b"roster"[..]));
    // Refusal is not for ever, with or without a restart.
    let mut bob = restore(&kept, &people[1]);
    take(&mut bob, &pending.commit);
    take(&mut groups[1], &pending.commit);
    agree(&[&bob, &groups[1]]);
}

/// Plays a life in which every step is kept, and restores after each step: the restored group is the group.
#[test]
fn what_was_kept_restores_the_same_group_after_every_step() {
    for suite in [Suite::XWing, Suite::Classic] {
        let (people, mut groups) = three(suite);
        let dora = people::Person::new("Dora", 4);
        let mut kept: Vec<Kept> = vec![Kept::new(); 3];
        let checkpoint = |groups: &mut Vec<Group>, kept: &mut Vec<Kept>| {
            for i in 0..3 {
                keep(&mut groups[i], &mut kept[i]);
                let again = restore(&kept[i], &people[i]);
                agree(&[&groups[i], &again]);
                assert_eq!(again.pending(), groups[i].pending());
                assert_eq!(again.standing_leaves(), groups[i].standing_leaves());
                groups[i] = again;
                assert!(groups[i].take_changes().is_empty(), "a restored group has nothing to keep");
            }
        };
        checkpoint(&mut groups, &mut kept);
        let first = groups[0].encrypt(b"one").unwrap();
        checkpoint(&mut groups, &mut kept);
        letter(&mut groups[1], &first);
        checkpoint(&mut groups, &mut kept);
        assert_eq!(groups[1].open(&first).unwrap_err(), OpenError::Undecryptable, "restored, and still opened once");
        let offer = dora.offer(suite);
        let pending = groups[1].commit(adding(&[&offer])).unwrap();
        checkpoint(&mut groups, &mut kept);
        all_take(&mut groups, 1, &pending);
        checkpoint(&mut groups, &mut kept);
        let joined = people::join(&dora, &offer, &pending.welcome.unwrap());
        agree(&[&groups[0], &joined]);
        let pending = groups[2].commit(Plan { removes: vec![3], ..Plan::default() }).unwrap();
        checkpoint(&mut groups, &mut kept);
        groups[2].drop_pending().unwrap();
        checkpoint(&mut groups, &mut kept);
        assert_eq!(groups[2].open(&pending.commit).unwrap_err(), OpenError::OwnCommit);
        let mut joined = joined;
        let leave = joined.leave().unwrap();
        for g in &mut groups {
            assert!(matches!(g.open(&leave), Ok(Incoming::Leave { leaf: 3 })));
        }
        checkpoint(&mut groups, &mut kept);
        let pending = groups[0].commit(Plan::default()).unwrap();
        checkpoint(&mut groups, &mut kept);
        all_take(&mut groups, 0, &pending);
        checkpoint(&mut groups, &mut kept);
        let last = groups[2].encrypt(b"two").unwrap();
        checkpoint(&mut groups, &mut kept);
        assert_eq!(letter(&mut groups[0], &last).1, b"two");
    }
}

/// Why nothing may be sent before its changes are kept: the same state seals twice with the same ratchet key. With the
/// changes kept in between, it never does.
#[test]
fn a_state_kept_before_sending_never_uses_a_key_twice() {
    let (people, mut groups) = three(Suite::Classic);
    let mut kept = Kept::new();
    keep(&mut groups[0], &mut kept);
    let first = restore(&kept, &people[0]).encrypt(b"first").unwrap();
    let second = restore(&kept, &people[0]).encrypt(b"other").unwrap();
    letter(&mut groups[1], &first);
    assert_eq!(groups[1].open(&second).unwrap_err(), OpenError::Undecryptable, "the same generation: refused");
    // As it must be done: kept, then sent; the crash falls between the two.
    let mut alice = restore(&kept, &people[0]);
    let mut sent = vec![];
    for n in 0..20_u8 {
        let sealed = alice.encrypt(&[n]).unwrap();
        keep(&mut alice, &mut kept);
        if n % 3 == 0 {
            alice = restore(&kept, &people[0]);
        }
        sent.push((n, sealed));
    }
    for (n, sealed) in sent {
        assert_eq!(letter(&mut groups[2], &sealed).1, [n]);
    }
}

#[test]
fn half_of_a_state_is_no_group() {
    let (people, mut groups) = three(Suite::XWing);
    let mut kept = Kept::new();
    keep(&mut groups[0], &mut kept);
    assert!(kept.len() >= 10);
    for key in kept.keys() {
        let mut half = kept.clone();
        half.remove(key);
        // Some entries are lists that may be empty; whatever is missing, nothing panics.
        if let Ok(group) = Group::restore(half, &people[0].seed) {
            assert_eq!(group.epoch(), 1);
        }
        let mut cut = kept.clone();
        let value = cut.get_mut(key).unwrap();
        let half = value.len() / 2;
        value.truncate(half);
        // The private keys of the path (kind 16) are read when the next commit comes; all else at once.
        assert!(key[0] == 16 || Group::restore(cut, &people[0].seed).is_err(), "{key:?}");
    }
    assert_eq!(Group::restore(kept, &people[1].seed).unwrap_err(), MlsError::State, "another device's state");
    assert_eq!(Group::restore([], &people[0].seed).unwrap_err(), MlsError::State);
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// What an earlier version kept: Bob's part of a room of three at epoch 2, with a commit of his pending. Written once by
/// this test with `ESTOILE_WRITE_FIXTURE` set; from then on it has to open.
#[test]
fn what_the_first_version_kept_still_opens() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/group-v1");
    if std::env::var_os("ESTOILE_WRITE_FIXTURE").is_some() {
        let (_, mut groups) = three(Suite::XWing);
        let pending = groups[0].commit(Plan::default()).unwrap();
        all_take(&mut groups, 0, &pending);
        let sealed = groups[0].encrypt(b"waiting").unwrap();
        groups[1].commit(Plan { removes: vec![2], ..Plan::default() }).unwrap();
        let mut kept = Kept::new();
        keep(&mut groups[1], &mut kept);
        let entries: Entries = kept.into_iter().map(|(k, v)| (k, v.to_vec())).collect();
        std::fs::write(path, postcard::to_allocvec(&(entries, sealed)).unwrap()).unwrap();
    }
    let bytes = std::fs::read(path).unwrap();
    let (entries, sealed): (Entries, Vec<u8>) = postcard::from_bytes(&bytes).unwrap();
    let entries = entries.into_iter().map(|(k, v)| (k, v.into()));
    let mut bob = Group::restore(entries, &people::Person::new("Bob", 2).seed).unwrap();
    assert_eq!((bob.epoch(), bob.own_index(), bob.suite(), bob.roster()), (2, 1, Suite::XWing, &b"roster"[..]));
    assert_eq!(bob.pending().unwrap().removes[0].member.name, "Carol");
    assert_eq!(letter(&mut bob, &sealed), (0, b"waiting".to_vec()));
    bob.merge_pending().unwrap();
    assert_eq!((bob.epoch(), bob.leaves().len()), (3, 2));
    bob.encrypt(b"and it goes on").unwrap();
}

#[test]
fn a_group_can_go_to_another_thread() {
    fn able<T: Send + Sync>() {}
    able::<Group>();
    able::<estoile_mls::Staged>();
    able::<estoile_mls::Joining>();
}

/// A relay has no keys: whatever it alters of what we sent, it must not look as if a copy of this device had made it.
#[test]
fn what_we_sent_and_a_relay_altered_is_no_alarm() {
    let (_, mut groups) = three(Suite::Classic);
    let letter = groups[0].encrypt(b"a letter").unwrap();
    let commit = groups[0].commit(Plan::default()).unwrap().commit;
    let (mut own_letters, mut own_commits) = (0, 0);
    for at in 0..letter.len() {
        let mut altered = letter.clone();
        altered[at] ^= 1;
        if groups[0].open(&altered).unwrap_err() == OpenError::OwnMessage {
            assert_eq!(estoile_mls::sender_trace(&altered), estoile_mls::sender_trace(&letter), "byte {at}");
            own_letters += 1;
        }
    }
    for at in 0..commit.len() {
        let mut altered = commit.clone();
        altered[at] ^= 1;
        let error = groups[0].open(&altered).unwrap_err();
        assert_ne!(error, OpenError::OwnCommit, "byte {at}");
        own_commits += u32::from(estoile_mls::sender_trace(&altered) == estoile_mls::sender_trace(&commit));
    }
    assert!(own_letters > 100 && own_commits > 100, "altered in many places that leave the sender readable");
    assert!(
        matches!(groups[0].open(&commit), Ok(Incoming::Pending)),
        "and the commit is taken when it comes as it was"
    );
}
