//! What a relay or a member does that must not be: refused, and the group is as it was.

use estoile_mls::{
    Group, Incoming, MlsError, OpenError, Plan, ROSTER_EXTENSION, Suite, Validity, inspect_key_package, key_package,
};
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;
use openmls::schedule::{ExternalPsk, PreSharedKeyId, Psk};
use openmls_rust_crypto::OpenMlsRustCrypto;

use crate::people::{Person, adding, all_take, found, letter, now, three};
use crate::raw::{Key, Raw, bytes, capabilities, credential, package};

const PURE: WireFormatPolicy = PURE_CIPHERTEXT_WIRE_FORMAT_POLICY;

/// Alice, Bob and Carol with our crate, and Mallory with bare OpenMLS.
fn with_mallory(policy: WireFormatPolicy) -> (Vec<Group>, Raw<OpenMlsRustCrypto>) {
    let (_, mut groups) = three(Suite::Classic);
    let mallory = Person::new("Mallory", 13);
    let raw = Raw::joins(OpenMlsRustCrypto::default(), &mallory, Suite::Classic, &mut groups, policy);
    (groups, raw)
}

/// The first three still understand each other.
fn as_before(groups: &mut [Group]) {
    let sealed = groups[0].encrypt(b"we go on").unwrap();
    for group in &mut groups[1..] {
        assert_eq!(letter(group, &sealed).1, b"we go on");
    }
    let pending = groups[1].commit(Plan::default()).unwrap();
    all_take(groups, 1, &pending);
}

fn poison(groups: &mut [Group], commit: &[u8]) -> (Option<u32>, &'static str) {
    let epoch = groups[0].epoch();
    let mut found = vec![];
    for group in groups.iter_mut() {
        // Twice: a refusal is the same for ever.
        for _ in 0..2 {
            match group.open(commit) {
                Err(OpenError::Poison { committer, reason }) => found.push((committer, reason)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(group.epoch(), epoch);
    }
    as_before(groups);
    assert!(found.iter().all(|f| *f == found[0]));
    found[0]
}

#[test]
fn a_relay_that_holds_the_groups_info_does_not_join_by_external_commit() {
    let (mut groups, raw) = with_mallory(PURE);
    let info = raw.group.export_group_info(raw.provider.crypto(), &raw.key, true).unwrap();
    let MlsMessageBodyIn::GroupInfo(info) = MlsMessageIn::tls_deserialize_exact(bytes(&info)).unwrap().extract() else {
        panic!()
    };
    let (relay, bob) = (OpenMlsRustCrypto::default(), Person::new("Bob", 77));
    let config = MlsGroupJoinConfig::builder().wire_format_policy(PURE).build();
    let chain = Extension::Unknown(estoile_mls::CHAIN_EXTENSION, UnknownExtension(b"chain".to_vec()));
    let leaf = LeafNodeParameters::builder()
        .with_capabilities(capabilities(Suite::Classic))
        .with_extensions(Extensions::single(chain).unwrap())
        .build();
    let (_, bundle) = MlsGroup::external_commit_builder()
        .with_config(config)
        .build_group(&relay, info, credential(&bob))
        .unwrap()
        .leaf_node_parameters(leaf)
        .load_psks(relay.storage())
        .unwrap()
        .build(relay.rand(), relay.crypto(), &Key(bob.seed), |_| true)
        .unwrap()
        .finalize(&relay)
        .unwrap();
    let commit = bytes(&bundle.into_commit());
    for group in &mut groups {
        assert_eq!(group.open(&commit).unwrap_err(), OpenError::Unwelcome("a public message"));
        assert_eq!((group.epoch(), group.leaves().len()), (2, 4));
        assert!(group.take_changes().iter().all(|c| !c.key.is_empty()), "and nothing new to keep");
        assert!(matches!(group.open(&commit), Err(OpenError::Unwelcome(_))));
        assert!(group.take_changes().is_empty());
    }
    as_before(&mut groups);
}

#[test]
fn an_external_proposal_is_refused_unseen() {
    let (mut groups, _) = with_mallory(PURE);
    let (relay, eve) = (OpenMlsRustCrypto::default(), Person::new("Eve", 78));
    let offer = package(&relay, &eve, Suite::Classic, now() + 1_000_000_000, Some(b"chain"));
    let id = GroupId::from_slice(groups[0].id());
    let proposal = JoinProposal::new::<openmls_rust_crypto::MemoryStorage>(offer, id, 2.into(), &Key(eve.seed));
    let proposal = bytes(&proposal.unwrap());
    for group in &mut groups {
        assert_eq!(group.open(&proposal).unwrap_err(), OpenError::Unwelcome("a public message"));
        assert!(group.standing_leaves().is_empty());
    }
    as_before(&mut groups);
}

#[test]
fn a_members_public_message_is_refused_unseen() {
    let (mut groups, mut raw) = with_mallory(PURE_PLAINTEXT_WIRE_FORMAT_POLICY);
    let commit = raw.commit(vec![], true);
    for group in &mut groups {
        assert_eq!(group.open(&commit).unwrap_err(), OpenError::Unwelcome("a public message"));
    }
    as_before(&mut groups);
}

#[test]
fn of_standalone_proposals_only_the_own_leave_is_taken() {
    let (mut groups, mut raw) = with_mallory(PURE);
    let update = raw.group.propose_self_update(&raw.provider, &raw.key, LeafNodeParameters::default()).unwrap().0;
    let (remove, _) = raw.group.propose_remove_member(&raw.provider, &raw.key, LeafNodeIndex::new(1)).unwrap();
    let (proposals, all) = ([bytes(&update), bytes(&remove)], &mut groups);
    for group in all.iter_mut() {
        for proposal in &proposals {
            assert_eq!(group.open(proposal).unwrap_err(), OpenError::Unwelcome("a proposal that is no leave"));
        }
        assert!(group.standing_leaves().is_empty());
    }
    // A commit that names them is one that nobody can follow.
    let commit = raw.commit(vec![], true);
    assert_eq!(poison(all, &commit), (None, "MLS refuses it"));
}

#[test]
fn a_commit_may_not_drop_or_add_to_the_group_context() {
    let required = || {
        let ours = [ExtensionType::Unknown(estoile_mls::CHAIN_EXTENSION), ExtensionType::Unknown(ROSTER_EXTENSION)];
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&ours, &[], &[CredentialType::Basic]))
    };
    let roster = || Extension::Unknown(ROSTER_EXTENSION, UnknownExtension(b"mine".to_vec()));
    let fewer = RequiredCapabilitiesExtension::new(&[], &[], &[CredentialType::Basic]);
    let external = ExternalSender::new(
        Person::new("Eve", 78).seed.as_slice().into(),
        credential(&Person::new("Eve", 78)).credential,
    );
    let cases = [
        vec![required()],
        vec![roster()],
        vec![Extension::RequiredCapabilities(fewer), roster()],
        vec![required(), roster(), Extension::ExternalSenders(vec![external])],
    ];
    for extensions in cases {
        let (mut groups, mut raw) = with_mallory(PURE);
        let extensions = Extensions::<GroupContext>::from_vec(extensions).unwrap();
        let bundle = raw
            .group
            .commit_builder()
            .propose_group_context_extensions(extensions)
            .unwrap()
            .load_psks(raw.provider.storage())
            .unwrap()
            .build(raw.provider.rand(), raw.provider.crypto(), &raw.key, |_| true);
        // Some of them OpenMLS does not even make.
        let Ok(bundle) = bundle else { continue };
        let commit = bytes(&bundle.stage_commit(&raw.provider).unwrap().into_commit());
        let told = poison(&mut groups, &commit);
        assert_eq!(told, (Some(3), "a group context without our extensions"));
    }
}

#[test]
fn a_commit_without_new_keys_is_refused() {
    let (mut groups, mut raw) = with_mallory(PURE);
    let dora = package(&raw.provider, &Person::new("Dora", 4), Suite::Classic, now() + 1_000_000_000, Some(b"chain"));
    let commit = raw.commit(vec![dora], false);
    let why = "no path: every commit renews its committer's keys";
    assert_eq!(poison(&mut groups, &commit), (Some(3), why));
}

/// Even where everybody holds the key, which none of ours ever does.
#[test]
fn a_commit_with_a_shared_key_is_refused() {
    let (mut groups, mut raw) = with_mallory(PURE);
    let psk = Psk::External(ExternalPsk::new(b"a key".to_vec()));
    let id = PreSharedKeyId::new(raw.group.ciphersuite(), raw.provider.rand(), psk).unwrap();
    id.store(&raw.provider, &[5; 32]).unwrap();
    let bundle = raw
        .group
        .commit_builder()
        .add_proposal(Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id))))
        .load_psks(raw.provider.storage())
        .unwrap()
        .build(raw.provider.rand(), raw.provider.crypto(), &raw.key, |_| true)
        .unwrap()
        .stage_commit(&raw.provider)
        .unwrap();
    assert_eq!(poison(&mut groups, &bytes(bundle.commit())), (None, "MLS refuses it"));
}

#[test]
fn a_leaf_that_is_not_like_ours_does_not_come_in() {
    let (mut groups, mut raw) = with_mallory(PURE);
    let far = now() + 1_000_000_000;
    let bare = package(&raw.provider, &Person::new("Dora", 4), Suite::Classic, far, None);
    let name = Person::new(&"x".repeat(300), 5);
    let long_name = package(&raw.provider, &name, Suite::Classic, far, Some(b"chain"));
    let long_chain = package(&raw.provider, &Person::new("Dora", 6), Suite::Classic, far, Some(&[7; 13 * 1024]));
    for offer in [bare, long_name, long_chain] {
        let sent = bytes(&offer);
        assert_eq!(inspect_key_package(&sent, now()).unwrap_err(), MlsError::Invalid("credential"));
        assert!(groups[0].commit(Plan { adds: vec![sent], now_ms: now(), ..Plan::default() }).is_err());
        assert!(groups[0].pending().is_none());
        let commit = raw.commit(vec![offer], true);
        assert_eq!(poison(&mut groups, &commit), (Some(3), "a leaf without account, name, device key or chain"));
        // The others went on in `poison`, without Mallory.
        let (again, fresh) = with_mallory(PURE);
        (groups, raw) = (again, fresh);
    }
}

#[test]
fn a_lifetime_alone_is_told_apart_and_refused_without_harm() {
    let (mut groups, mut raw) = with_mallory(PURE);
    let until = now() + 3000;
    let dora = package(&raw.provider, &Person::new("Dora", 4), Suite::Classic, until, Some(b"chain"));
    let sent = bytes(&dora);
    let view = inspect_key_package(&sent, now()).unwrap();
    assert_eq!(view.ends_at_ms, until / 1000 * 1000);
    assert_eq!(inspect_key_package(&sent, until + 1).unwrap_err(), MlsError::Lifetime);
    let commit = raw.commit(vec![dora], true);
    while now() < until + 1000 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for group in &mut groups {
        assert_eq!(group.open(&commit).unwrap_err(), OpenError::Lifetime);
        assert_eq!(group.open(&commit).unwrap_err(), OpenError::Lifetime, "and again, until the clock is right");
    }
    assert_eq!(inspect_key_package(&sent, now()).unwrap_err(), MlsError::Lifetime);
    as_before(&mut groups);
}

#[test]
fn key_packages_of_other_suites_and_with_other_faults() {
    let (alice, bob) = (Person::new("Alice", 1), Person::new("Bob", 2));
    let mut group = found(&alice, Suite::XWing, b"roster");
    let classic = bob.offer(Suite::Classic);
    assert_eq!(inspect_key_package(&classic.public, now()).unwrap().suite, Suite::Classic);
    let wrong = MlsError::SuiteMismatch { want: Suite::XWing, got: Suite::Classic };
    assert_eq!(group.commit(adding(&[&classic])).unwrap_err(), wrong);
    let mut foreign = classic.public.clone();
    foreign[3] = 3;
    assert_eq!(inspect_key_package(&foreign, now()).unwrap_err(), MlsError::WrongSuite(3));
    let good = bob.offer(Suite::XWing);
    let view = inspect_key_package(&good.public, now()).unwrap();
    assert_eq!((view.member.name.as_str(), &view.reference, view.last_resort), ("Bob", &good.reference, false));
    assert_eq!(view.ends_at_ms - view.from_ms, 90 * 86_400_000);
    for at in (4..good.public.len()).step_by(97) {
        let mut bad = good.public.clone();
        bad[at] ^= 1;
        assert!(inspect_key_package(&bad, now()).is_err(), "byte {at}");
    }
    assert_eq!(inspect_key_package(&good.public[..100], now()).unwrap_err(), MlsError::Malformed);
    assert_eq!(inspect_key_package(&[good.public.clone(), vec![0]].concat(), now()).unwrap_err(), MlsError::Malformed);
    let old = key_package(Suite::XWing, &bob.me(), Validity::at(now() - 100 * 86_400_000), false).unwrap();
    assert_eq!(inspect_key_package(&old.public, now()).unwrap_err(), MlsError::Lifetime);
    assert_eq!(group.commit(adding(&[&old])).unwrap_err(), MlsError::Lifetime);
    let twice = group.commit(adding(&[&good, &bob.offer(Suite::XWing)])).unwrap_err();
    assert_eq!(twice, MlsError::Plan("a device that is there already"));
    assert!(group.pending().is_none());
    group.commit(adding(&[&good])).unwrap();
}

#[test]
fn noise_is_refused_and_costs_nothing() {
    let (_, mut groups) = three(Suite::XWing);
    let (_, mut others) = three(Suite::XWing);
    let sealed = groups[0].encrypt(b"hello").unwrap();
    assert_eq!(others[1].open(&sealed).unwrap_err(), OpenError::WrongGroup);
    for cut in 0..sealed.len() {
        assert_eq!(groups[1].open(&sealed[..cut]).unwrap_err(), OpenError::Malformed);
    }
    assert_eq!(groups[1].open(&[&sealed[..], b"x"].concat()).unwrap_err(), OpenError::Malformed);
    // A vector that claims a gigabyte.
    assert_eq!(groups[1].open(&[0, 1, 0, 2, 0xBF, 0xFF, 0xFF, 0xFF]).unwrap_err(), OpenError::Malformed);
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 0x40;
        assert!(groups[1].open(&bad).is_err(), "byte {at}");
    }
    assert_eq!(letter(&mut groups[1], &sealed).1, b"hello", "and the true one still opens");
    let pending = groups[0].commit(Plan::default()).unwrap();
    all_take(&mut groups, 0, &pending);
    assert_eq!(groups[1].open(&sealed).unwrap_err(), OpenError::WrongEpoch(1));
    let welcome = adding(&[&Person::new("Dora", 4).offer(Suite::XWing)]);
    let welcome = groups[0].commit(welcome).unwrap().welcome.unwrap();
    assert_eq!(groups[1].open(&welcome).unwrap_err(), OpenError::Unwelcome("no message of a group"));
    assert_eq!(Group::join(&sealed, &[4; 32], &mut |_| None).unwrap_err(), MlsError::Malformed);
}

/// A thousand missing letters of one sender are no lock-out; who is told of the gap is the transcript's matter.
#[test]
fn letters_may_be_missing() {
    let (_, mut groups) = three(Suite::Classic);
    let mut last = vec![];
    for _ in 0..900 {
        last = groups[0].encrypt(b"kept back by the relay").unwrap();
    }
    assert!(matches!(groups[1].open(&last), Ok(Incoming::Letter { leaf: 0, .. })));
    // And some may come late: one that was refused for now goes into the log after the others.
    let late = groups[0].encrypt(b"late").unwrap();
    for _ in 0..60 {
        let next = groups[0].encrypt(b"next").unwrap();
        letter(&mut groups[1], &next);
    }
    assert_eq!(letter(&mut groups[1], &late).1, b"late");
}
