//! People with one device each, and a vault that keeps what a group hands out.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use estoile_mls::{Group, Incoming, Me, NewKeyPackage, Pending, Plan, Suite, Validity, key_package};
use zeroize::Zeroizing;

pub(crate) type Kept = BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>;

/// OpenMLS judges lifetimes by this machine's clock: so do the tests.
pub(crate) fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) seed: [u8; 32],
    pub(crate) chain: Vec<u8>,
}

impl Person {
    pub(crate) fn new(name: &str, number: u8) -> Self {
        Self { name: name.to_owned(), seed: [number; 32], chain: format!("chain of {name}").into_bytes() }
    }

    pub(crate) fn me(&self) -> Me<'_> {
        Me { account: self.account(), name: &self.name, device_seed: &self.seed, chain: &self.chain }
    }

    pub(crate) fn account(&self) -> [u8; 32] {
        let mut account = [0xAC; 32];
        account[0] = self.seed[0];
        account[1] = self.seed[1];
        account
    }

    pub(crate) fn offer(&self, suite: Suite) -> NewKeyPackage {
        key_package(suite, &self.me(), Validity::at(now()), false).unwrap()
    }
}

pub(crate) fn found(person: &Person, suite: Suite, roster: &[u8]) -> Group {
    Group::create(suite, &person.me(), Validity::at(now()), roster).unwrap()
}

pub(crate) fn adding(packages: &[&NewKeyPackage]) -> Plan<'static> {
    Plan { adds: packages.iter().map(|p| p.public.clone()).collect(), now_ms: now(), ..Plan::default() }
}

pub(crate) fn join(person: &Person, offer: &NewKeyPackage, welcome: &[u8]) -> Group {
    let mut find = |r: &[u8]| (r == offer.reference).then(|| offer.secret.clone());
    Group::join(welcome, &person.seed, &mut find).unwrap().into_group()
}

/// Alice's group with all others added by one commit.
pub(crate) fn together(suite: Suite, people: &[Person]) -> Vec<Group> {
    let mut founder = found(&people[0], suite, b"roster");
    let offers: Vec<NewKeyPackage> = people[1..].iter().map(|p| p.offer(suite)).collect();
    let pending = founder.commit(adding(&offers.iter().collect::<Vec<_>>())).unwrap();
    founder.merge_pending().unwrap();
    let welcome = pending.welcome.unwrap();
    let joined = people[1..].iter().zip(&offers).map(|(p, o)| join(p, o, &welcome));
    let mut all = vec![founder];
    all.extend(joined);
    all
}

pub(crate) fn three(suite: Suite) -> (Vec<Person>, Vec<Group>) {
    let people = vec![Person::new("Alice", 1), Person::new("Bob", 2), Person::new("Carol", 3)];
    let groups = together(suite, &people);
    (people, groups)
}

/// The log gives `commit` to everybody but its maker, who merges.
pub(crate) fn all_take(groups: &mut [Group], maker: usize, pending: &Pending) {
    for (i, group) in groups.iter_mut().enumerate() {
        if i == maker {
            assert!(matches!(group.open(&pending.commit), Ok(Incoming::Pending)));
            group.merge_pending().unwrap();
        } else {
            take(group, &pending.commit);
        }
    }
}

pub(crate) fn take(group: &mut Group, commit: &[u8]) {
    match group.open(commit).unwrap() {
        Incoming::Commit(staged) => group.accept(*staged).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn letter(group: &mut Group, sealed: &[u8]) -> (u32, Vec<u8>) {
    match group.open(sealed).unwrap() {
        Incoming::Letter { leaf, bytes } => (leaf, bytes),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn keep(group: &mut Group, kept: &mut Kept) {
    for change in group.take_changes() {
        match change.value {
            Some(value) => kept.insert(change.key, value),
            None => kept.remove(&change.key),
        };
    }
}

pub(crate) fn restore(kept: &Kept, person: &Person) -> Group {
    Group::restore(kept.clone(), &person.seed).unwrap()
}

/// All see the same group.
pub(crate) fn agree(groups: &[&Group]) {
    for g in groups {
        assert_eq!(g.epoch(), groups[0].epoch());
        assert_eq!(g.authenticator(), groups[0].authenticator());
        assert_eq!(g.leaves(), groups[0].leaves());
        assert_eq!(g.roster(), groups[0].roster());
        assert_eq!(g.export("estoile access", 32).unwrap(), groups[0].export("estoile access", 32).unwrap());
    }
}
