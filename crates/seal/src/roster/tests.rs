//! Who may change what, one rule a test; `chance` tries everything at random.

mod chance;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

pub(super) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(super) fn account(n: u8) -> AccountId {
    AccountId([n; 32])
}

pub(super) fn leaf(account_number: u8, device: u8) -> Leaf {
    let mut key = [account_number; 32];
    key[31] = device;
    Leaf { account: account(account_number), device: estoile_wire::PublicKey(key) }
}

const OWNER: u8 = 1;
const ADMIN: u8 = 2;
const BOB: u8 = 3;
const CAROL: u8 = 4;
const EPOCH: u64 = 9;

/// An owner, an admin and two members, each with a device; the owner with two.
fn room() -> (Roster, Vec<Leaf>) {
    let mut roster = Roster::found("Study", account(OWNER), 86_400, None, &mut rng(1)).unwrap();
    for (n, role) in [(ADMIN, Role::Admin), (BOB, Role::Member), (CAROL, Role::Member)] {
        roster = roster.with_member(account(n), role, u64::from(n)).unwrap();
    }
    (roster, vec![leaf(OWNER, 1), leaf(OWNER, 2), leaf(ADMIN, 1), leaf(BOB, 1), leaf(CAROL, 1)])
}

fn plain(by: u8) -> CommitFacts {
    let by = account(by);
    let leaves = room().1;
    CommitFacts {
        epoch: EPOCH,
        committer: by,
        committer_after: by,
        leaves,
        adds: vec![],
        removes: vec![],
        roster: None,
    }
}

fn removal(leaf: Leaf) -> Removal {
    Removal { leaf, left: false, revoked: false }
}

/// What the judge says of a change of the roster alone.
fn change(by: u8, roster: Roster) -> Result<(), Attempt> {
    judge(&CommitFacts { roster: Some(roster), ..plain(by) })
}

fn judge(facts: &CommitFacts) -> Result<(), Attempt> {
    check(&room().0, facts).map_err(|breach| {
        assert_eq!(breach.by, facts.committer);
        breach.what
    })
}

/// Adds somebody new, with a role.
fn adding(by: u8, n: u8, role: Role) -> CommitFacts {
    let roster = room().0.with_member(account(n), role, EPOCH).unwrap();
    CommitFacts { adds: vec![leaf(n, 1)], roster: Some(roster), ..plain(by) }
}

/// Removes somebody with all devices.
fn removing(by: u8, n: u8) -> CommitFacts {
    let roster = room().0.without_members(&[account(n)], &mut rng(2)).unwrap();
    let removes = room().1.into_iter().filter(|l| l.account == account(n)).map(removal).collect();
    CommitFacts { removes, roster: Some(roster), ..plain(by) }
}

#[test]
fn a_roster_reads_what_it_writes_and_nothing_else() {
    let (roster, _) = room();
    let (roster, _) = roster.with_link(account(ADMIN), 3, 77, &mut rng(3)).unwrap();
    let moved_from = Some(MovedFrom { log: LogId([5; 32]), epoch: 4 });
    for roster in [roster.clone(), Roster { moved_from, ..roster }] {
        let bytes = roster.encode();
        assert!(Roster::decode(&bytes).unwrap() == roster);
        for end in 0..bytes.len() {
            assert!(Roster::decode(&bytes[..end]).is_err());
        }
        assert!(Roster::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }
}

#[test]
fn a_roster_out_of_bounds_is_refused() {
    let (roster, _) = room();
    let bad = |change: &dyn Fn(&mut Roster)| {
        let mut roster = roster.clone();
        change(&mut roster);
        Roster::decode(&roster.encode()).is_err()
    };
    assert!(!bad(&|_| ()));
    assert!(bad(&|r| r.name = "a\u{7}".into()));
    assert!(bad(&|r| r.members.retain(|_, m| m.role != Role::Owner)), "no owner");
    assert!(bad(&|r| r.max_ttl = u64::MAX));
    let link = RoomLink { id: [1; 8], uses: 1, expires: 0, by: account(OWNER) };
    assert!(!bad(&|r| r.links = vec![link]));
    assert!(bad(&|r| r.links = vec![link; 2]), "one id twice");
    assert!(bad(&|r| r.links = vec![RoomLink { uses: 0, ..link }]));
    assert!(bad(&|r| r.links = vec![RoomLink { uses: 251, ..link }]));
    assert!(bad(&|r| r.links = (0..65).map(|n| RoomLink { id: [n; 8], ..link }).collect()));
    let many = |count: u16| {
        move |r: &mut Roster| {
            r.members = (0..count)
                .map(|n| {
                    let mut id = [0; 32];
                    id[..2].copy_from_slice(&n.to_be_bytes());
                    (AccountId(id), Member { role: Role::Owner, since: u64::MAX })
                })
                .collect();
        }
    };
    assert!(!bad(&many(250)) && bad(&many(251)));
}

#[test]
fn the_largest_roster_fits_its_bound() {
    let mut roster = room().0;
    roster.name = "🦀".repeat(64);
    roster.moved_from = Some(MovedFrom { log: LogId([5; 32]), epoch: u64::MAX });
    for n in 0..250_u8 {
        roster.members.insert(account(n), Member { role: Role::Owner, since: u64::MAX });
    }
    for n in 0..64 {
        roster.links.push(RoomLink { id: [n; 8], uses: 250, expires: u64::MAX, by: account(n) });
    }
    let bytes = roster.encode();
    assert!(bytes.len() <= MAX_ROSTER, "{} bytes", bytes.len());
    assert!(Roster::decode(&bytes).is_ok());
}

#[test]
fn everybody_may_update_and_change_devices_of_accounts_that_are_here() {
    assert_eq!(judge(&plain(BOB)), Ok(()));
    let add = |by, n, device| judge(&CommitFacts { adds: vec![leaf(n, device)], ..plain(by) });
    assert_eq!(add(BOB, BOB, 2), Ok(()), "an own one");
    assert_eq!(add(BOB, OWNER, 3), Ok(()), "one of somebody who lost the others");
    assert_eq!(add(BOB, BOB, 1), Err(Attempt::Doubled(leaf(BOB, 1))));
    assert_eq!(add(BOB, 9, 1), Err(Attempt::Mismatch(account(9))), "a stranger's");
    let remove = |by, removal| judge(&CommitFacts { removes: vec![removal], ..plain(by) });
    let second = removal(leaf(OWNER, 2));
    assert_eq!(remove(OWNER, second), Ok(()), "an own one");
    assert_eq!(remove(BOB, second), Err(Attempt::RemoveDevice(leaf(OWNER, 2))));
    assert_eq!(remove(ADMIN, second), Err(Attempt::RemoveDevice(leaf(OWNER, 2))));
    assert_eq!(remove(BOB, Removal { revoked: true, ..second }), Ok(()), "the account removed it");
    assert_eq!(remove(BOB, Removal { left: true, ..second }), Ok(()), "it leaves");
    assert_eq!(remove(BOB, removal(leaf(OWNER, 3))), Err(Attempt::NoSuchLeaf(leaf(OWNER, 3))));
    let back = CommitFacts { adds: vec![leaf(CAROL, 1)], removes: vec![removal(leaf(CAROL, 1))], ..plain(BOB) };
    assert_eq!(judge(&back), Ok(()), "the same device with a new leaf");
}

#[test]
fn strangers_and_those_who_pass_as_others_may_nothing() {
    assert_eq!(judge(&plain(9)), Err(Attempt::Stranger));
    assert_eq!(judge(&CommitFacts { committer_after: account(BOB), ..plain(OWNER) }), Err(Attempt::OtherAccount));
}

#[test]
fn adding_takes_the_right_to_add() {
    assert_eq!(judge(&adding(OWNER, 9, Role::Member)), Ok(()));
    assert_eq!(judge(&adding(ADMIN, 9, Role::Member)), Ok(()));
    assert_eq!(judge(&adding(BOB, 9, Role::Member)), Err(Attempt::Add(account(9))));
    let open = Roster { policy: Policy { add: Role::Member, ..Policy::default() }, ..room().0 };
    let roster = open.with_member(account(9), Role::Member, EPOCH).unwrap();
    let facts = CommitFacts { adds: vec![leaf(9, 1)], roster: Some(roster), ..plain(BOB) };
    assert_eq!(check(&open, &facts), Ok(()), "where the policy lets members add");
    // Higher roles are an owner's to give.
    assert_eq!(judge(&adding(OWNER, 9, Role::Admin)), Ok(()));
    let raised = Attempt::Role { account: account(9), role: Role::Admin };
    assert_eq!(judge(&adding(ADMIN, 9, Role::Admin)), Err(raised));
    // Nor as older than they are.
    let mut facts = adding(ADMIN, 9, Role::Member);
    facts.epoch += 1;
    assert_eq!(judge(&facts), Err(Attempt::Since(account(9))));
}

#[test]
fn roster_and_leaves_name_the_same_accounts() {
    let mut facts = adding(OWNER, 9, Role::Member);
    facts.adds.clear();
    assert_eq!(judge(&facts), Err(Attempt::Mismatch(account(9))), "in the roster alone");
    let mut facts = removing(OWNER, BOB);
    facts.removes.clear();
    assert_eq!(judge(&facts), Err(Attempt::Mismatch(account(BOB))), "removed from the roster alone");
    let facts = CommitFacts { removes: vec![removal(leaf(BOB, 1))], ..plain(OWNER) };
    assert_eq!(judge(&facts), Err(Attempt::Mismatch(account(BOB))), "removed from the group alone");
    let (roster, leaves) = room();
    assert_eq!(roster.fits(&leaves), Ok(()));
    assert_eq!(roster.fits(&leaves[..4]), Err(account(CAROL)));
}

#[test]
fn removing_takes_the_right_to_and_admins_remove_members_only() {
    assert_eq!(judge(&removing(OWNER, BOB)), Ok(()));
    assert_eq!(judge(&removing(OWNER, ADMIN)), Ok(()));
    assert_eq!(judge(&removing(ADMIN, BOB)), Ok(()));
    assert_eq!(judge(&removing(BOB, CAROL)), Err(Attempt::Remove(account(CAROL))));
    assert_eq!(judge(&removing(ADMIN, OWNER)), Err(Attempt::Remove(account(OWNER))));
    let (mut before, leaves) = room();
    before.members.insert(account(5), Member { role: Role::Admin, since: 8 });
    let after = before.without_members(&[account(5)], &mut rng(2)).unwrap();
    let leaves = [leaves, vec![leaf(5, 1)]].concat();
    let facts = CommitFacts { leaves, removes: vec![removal(leaf(5, 1))], roster: Some(after), ..plain(ADMIN) };
    assert_eq!(check(&before, &facts).unwrap_err().what, Attempt::Remove(account(5)), "admins don't remove admins");
}

#[test]
fn who_is_removed_keeps_no_key_of_the_door() {
    let new = removing(OWNER, BOB);
    let kept = |change: &dyn Fn(&mut Roster, &Roster)| {
        let mut facts = new.clone();
        change(facts.roster.as_mut().unwrap(), &room().0);
        judge(&facts)
    };
    assert_eq!(kept(&|_, _| ()), Ok(()));
    assert_eq!(kept(&|r, was| r.view_key = was.view_key.clone()), Err(Attempt::KeptKeys));
    assert_eq!(kept(&|r, was| r.door.ticket = was.door.ticket), Err(Attempt::KeptKeys));
    assert_eq!(kept(&|r, was| r.door.access_seed = was.door.access_seed), Err(Attempt::KeptKeys));
    assert_eq!(kept(&|r, was| r.door.seal_key = was.door.seal_key), Err(Attempt::KeptKeys));
    // Otherwise the door is for admins to change.
    let rekeyed = || room().0.rekeyed(&mut rng(5));
    assert_eq!(change(BOB, rekeyed()), Err(Attempt::Keys));
    assert_eq!(change(ADMIN, rekeyed()), Ok(()));
}

#[test]
fn anybody_commits_anothers_leaving_and_the_oldest_inherits() {
    let leaving = |by: u8, n: u8| {
        let mut facts = removing(by, n);
        facts.removes.iter_mut().for_each(|r| r.left = true);
        facts
    };
    assert_eq!(judge(&leaving(BOB, CAROL)), Ok(()));
    let last_owner = leaving(BOB, OWNER);
    assert_eq!(last_owner.roster.as_ref().unwrap().role(&account(ADMIN)), Some(Role::Owner));
    assert_eq!(judge(&last_owner), Ok(()));
    assert_eq!(judge(&removing(OWNER, OWNER)), Err(Attempt::Remove(account(OWNER))), "nobody commits the own leaving");
    // Not somebody else, and not nobody.
    let mut stolen = last_owner.clone();
    let roster = stolen.roster.as_mut().unwrap();
    roster.members.get_mut(&account(ADMIN)).unwrap().role = Role::Admin;
    roster.members.get_mut(&account(BOB)).unwrap().role = Role::Owner;
    assert_eq!(judge(&stolen), Err(Attempt::Role { account: account(BOB), role: Role::Owner }));
    stolen.roster.as_mut().unwrap().members.get_mut(&account(BOB)).unwrap().role = Role::Member;
    assert_eq!(judge(&stolen), Err(Attempt::NoOwner));
    // One device that leaves while the other stays is no leaving of the account.
    let mut half = last_owner;
    half.removes.retain(|r| r.leaf == leaf(OWNER, 1));
    assert_eq!(judge(&half), Err(Attempt::Mismatch(account(OWNER))));
    half.removes.push(removal(leaf(OWNER, 2)));
    assert_eq!(judge(&half), Err(Attempt::Remove(account(OWNER))), "nor is one that others add to it");
}

#[test]
fn the_oldest_of_the_highest_role_is_the_heir() {
    let (roster, _) = room();
    let heir = |staying: &[u8]| roster.heir(&staying.iter().map(|n| account(*n)).collect::<Vec<_>>());
    assert_eq!(heir(&[ADMIN, BOB, CAROL]), Some(account(ADMIN)));
    assert_eq!(heir(&[BOB, CAROL]), Some(account(BOB)));
    assert_eq!(heir(&[]), None);
    assert!(roster.without_members(&[1, 2, 3, 4].map(account), &mut rng(1)) == Err(ChangeError::NoOwner));
}

#[test]
fn roles_are_the_owners_to_give() {
    let make = |n, role| room().0.with_role(&account(n), role).unwrap();
    assert_eq!(change(OWNER, make(BOB, Role::Owner)), Ok(()));
    assert_eq!(change(OWNER, make(ADMIN, Role::Member)), Ok(()));
    let raised = Err(Attempt::Role { account: account(BOB), role: Role::Admin });
    assert_eq!(change(ADMIN, make(BOB, Role::Admin)), raised);
    assert_eq!(change(BOB, make(BOB, Role::Admin)), raised);
    assert_eq!(change(ADMIN, make(ADMIN, Role::Member)), Ok(()), "an own role may be laid down");
    assert!(room().0.with_role(&account(OWNER), Role::Admin) == Err(ChangeError::NoOwner));
    let mut none = room().0;
    none.members.get_mut(&account(OWNER)).unwrap().role = Role::Admin;
    assert_eq!(change(OWNER, none), Err(Attempt::NoOwner));
    let mut older = room().0;
    older.members.get_mut(&account(ADMIN)).unwrap().since = 0;
    assert_eq!(change(OWNER, older), Err(Attempt::Since(account(ADMIN))));
}

#[test]
fn names_policy_and_what_is_fixed() {
    let renamed = || room().0.renamed("Library").unwrap();
    assert_eq!(change(ADMIN, renamed()), Ok(()));
    assert_eq!(change(BOB, renamed()), Err(Attempt::Rename));
    let open = || room().0.with_policy(Policy { add: Role::Member, ..Policy::default() });
    assert_eq!(change(OWNER, open()), Ok(()));
    assert_eq!(change(ADMIN, open()), Err(Attempt::Policy));
    assert_eq!(change(OWNER, Roster { max_ttl: 60, ..room().0 }), Err(Attempt::Fixed));
    let moved_from = Some(MovedFrom { log: LogId([1; 32]), epoch: 1 });
    assert_eq!(change(OWNER, Roster { moved_from, ..room().0 }), Err(Attempt::Fixed));
}

#[test]
fn links_are_made_used_and_ended_by_those_who_may() {
    let link = |by| room().0.with_link(account(by), 2, 1_000, &mut rng(7)).unwrap();
    assert_eq!(change(ADMIN, link(ADMIN).0), Ok(()));
    assert_eq!(change(BOB, link(BOB).0), Err(Attempt::MakeLink));
    assert_eq!(change(ADMIN, link(OWNER).0), Err(Attempt::MakeLink), "in another's name");

    let (before, id) = link(ADMIN);
    let change = |by, after| {
        let facts = CommitFacts { roster: Some(after), ..plain(by) };
        check(&before, &facts).map_err(|breach| breach.what)
    };
    let used = before.use_link(&id, 999).unwrap();
    assert_eq!(used.link(&id).unwrap().uses, 1);
    assert_eq!(change(OWNER, used.clone()), Err(Attempt::ChangeLink), "used for nobody");
    let guest = used.with_member(account(9), Role::Member, EPOCH).unwrap();
    let facts = CommitFacts { adds: vec![leaf(9, 1)], roster: Some(guest), ..plain(OWNER) };
    assert_eq!(check(&before, &facts), Ok(()));
    let mut more = before.clone();
    more.links[0].uses = 3;
    assert_eq!(change(ADMIN, more), Err(Attempt::ChangeLink), "more uses");
    let mut longer = before.clone();
    longer.links[0].expires = 2_000;
    assert_eq!(change(ADMIN, longer), Err(Attempt::ChangeLink), "a longer life");
    assert_eq!(change(OWNER, before.without_link(&id).unwrap()), Ok(()));
    assert_eq!(change(BOB, before.without_link(&id).unwrap()), Err(Attempt::ChangeLink));
    let mut kept = before.rekeyed(&mut rng(8));
    kept.links.clone_from(&before.links);
    assert_eq!(change(OWNER, kept), Err(Attempt::ChangeLink), "a link to a door that is gone");

    assert!(before.use_link(&id, 1_000) == Err(ChangeError::LinkExpired));
    assert!(before.use_link(&[0; 8], 0) == Err(ChangeError::NoSuchLink));
    let used_up = used.use_link(&id, 0).unwrap();
    assert!(used_up.links.is_empty() && used_up.use_link(&id, 0) == Err(ChangeError::NoSuchLink));
    assert!(room().0.with_link(account(OWNER), 0, 0, &mut rng(1)).err() == Some(ChangeError::BadUses));
}

#[test]
fn a_room_is_full_at_250_devices_and_8_an_account() {
    let mut facts = plain(OWNER);
    facts.adds = (2..10).map(|n| leaf(BOB, n)).collect();
    assert_eq!(judge(&facts), Err(Attempt::TooManyDevices(account(BOB))));
    facts.adds.pop();
    assert_eq!(judge(&facts), Ok(()));
    let mut roster = room().0;
    let mut facts = plain(OWNER);
    for n in 5..=250 {
        roster = roster.with_member(account(n), Role::Member, EPOCH).unwrap();
        facts.adds.push(leaf(n, 1));
    }
    facts.roster = Some(roster.clone());
    assert_eq!(judge(&facts), Err(Attempt::Full), "251 devices");
    let last = facts.adds.pop().unwrap().account;
    roster.members.remove(&last);
    facts.roster = Some(roster.clone());
    assert_eq!(judge(&facts), Ok(()), "250 devices");
    let full = roster.with_member(last, Role::Member, EPOCH).unwrap();
    assert!(full.with_member(account(251), Role::Member, EPOCH) == Err(ChangeError::Full));
}

#[test]
fn a_move_is_for_owners_and_admins_with_those_who_were_there() {
    let (last_good, _) = room();
    let people = [ADMIN, BOB].map(account);
    assert_eq!(check_move(&last_good, account(ADMIN), &people), Ok(()));
    assert_eq!(check_move(&last_good, account(BOB), &people).unwrap_err().what, Attempt::Move);
    assert_eq!(check_move(&last_good, account(9), &people).unwrap_err().what, Attempt::Move);
    let stranger = [BOB, 9].map(account);
    assert_eq!(check_move(&last_good, account(ADMIN), &stranger).unwrap_err().what, Attempt::MoveWith(account(9)));

    let from = Some(MovedFrom { log: LogId([1; 32]), epoch: EPOCH });
    let made = Roster::found("Study", account(ADMIN), 60, from, &mut rng(3)).unwrap();
    let with = |n, role| made.with_member(account(n), role, 0).unwrap();
    assert_eq!(with(BOB, Role::Member).check_moved(&last_good, account(ADMIN)), Ok(()));
    assert_eq!(with(OWNER, Role::Owner).check_moved(&last_good, account(ADMIN)), Ok(()));
    let raised = with(BOB, Role::Admin).check_moved(&last_good, account(ADMIN)).unwrap_err();
    assert_eq!(raised.what, Attempt::Role { account: account(BOB), role: Role::Admin });
    let stranger = with(9, Role::Member).check_moved(&last_good, account(ADMIN)).unwrap_err();
    assert_eq!(stranger.what, Attempt::MoveWith(account(9)));
}

#[test]
fn a_breach_names_who_tried_what() {
    let name = |id: &AccountId| if *id == account(BOB) { "Bob".to_owned() } else { "Carol".to_owned() };
    let told = |what| Breach::new(account(BOB), what).sentence(name);
    assert_eq!(told(Attempt::Remove(account(CAROL))), "Bob tried to remove Carol without the right to");
    let role = Attempt::Role { account: account(BOB), role: Role::Admin };
    assert_eq!(told(role), "Bob tried to make Bob an admin without the right to give roles");
}
