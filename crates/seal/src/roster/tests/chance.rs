//! Random commits by everybody, honest or not: what is accepted never gives rights that nobody with the right gave.

use rand_core::Rng;

use super::*;

/// People who may turn up.
const PEOPLE: u8 = 7;

struct World {
    roster: Roster,
    leaves: Vec<Leaf>,
    epoch: u64,
}

fn below(rng: &mut ChaCha20Rng, n: u8) -> u8 {
    u8::try_from(rng.next_u64() % u64::from(n)).unwrap()
}

fn role(rng: &mut ChaCha20Rng) -> Role {
    Role::from_number(u64::from(below(rng, 3))).unwrap()
}

/// A few changes of roster and leaves, most of them coherent, some not; by a random member.
fn attempt(world: &World, rng: &mut ChaCha20Rng) -> CommitFacts {
    let present: Vec<_> = world.roster.members.keys().copied().collect();
    let by = present[usize::from(below(rng, 250)) % present.len()];
    let mut roster = world.roster.clone();
    let (mut adds, mut removes) = (vec![], vec![]);
    for _ in 0..=below(rng, 3) {
        let n = 1 + below(rng, PEOPLE);
        let who = account(n);
        match below(rng, 10) {
            0 | 1 => {
                roster = roster.with_member(who, role(rng), world.epoch).unwrap_or(roster);
                adds.push(leaf(n, below(rng, 3)));
            }
            2 => adds.push(leaf(n, below(rng, 3))),
            3 | 4 => {
                let left = below(rng, 3) == 0;
                let leaves = world.leaves.iter().filter(|l| l.account == who);
                removes.extend(leaves.map(|leaf| Removal { leaf: *leaf, left, revoked: false }));
                roster = roster.without_members(&[who], rng).unwrap_or(roster);
            }
            5 => {
                if let Some(leaf) = world.leaves.iter().find(|l| l.account == who) {
                    let (left, revoked) = (below(rng, 2) == 0, below(rng, 2) == 0);
                    removes.push(Removal { leaf: *leaf, left, revoked });
                }
            }
            6 => {
                if let Some(member) = roster.members.get_mut(&who) {
                    member.role = role(rng);
                }
            }
            7 => roster.policy = Policy { add: role(rng), remove: role(rng), rename: role(rng) },
            8 => roster = roster.with_link(account(n), 2, 0, rng).map_or(roster.clone(), |(r, _)| r),
            _ => {
                if let Some(link) = roster.links.first().map(|l| l.id) {
                    roster = roster.without_link(&link).unwrap_or(roster);
                }
            }
        }
    }
    let leaves = world.leaves.clone();
    CommitFacts { epoch: world.epoch, committer: by, committer_after: by, leaves, adds, removes, roster: Some(roster) }
}

/// The rules once more, from what people may expect, not from the judge's code.
fn assert_given(before: &Roster, after: &Roster, facts: &CommitFacts) {
    let by = before.role(&facts.committer).expect("only members commit");
    let owners: Vec<_> = before.members.iter().filter(|(_, m)| m.role == Role::Owner).map(|(a, _)| a).collect();
    let owner_left = owners.iter().all(|a| !after.members.contains_key(a));
    for (who, now) in &after.members {
        let was = before.role(who);
        if was.is_none() {
            assert!(by >= before.policy.add, "who adds may add");
        }
        if was.unwrap_or(Role::Member) < now.role {
            let oldest = || {
                let rest = before.members.iter().filter(|(a, _)| after.members.contains_key(a));
                rest.min_by_key(|(a, m)| (core::cmp::Reverse(m.role), m.since, **a)).map(|(a, _)| *a)
            };
            assert!(
                by == Role::Owner || owner_left && oldest() == Some(*who),
                "roles come from owners, or by succession"
            );
        }
        if was.is_some_and(|was| was > now.role) {
            assert!(by == Role::Owner || *who == facts.committer, "roles are taken by owners, or laid down");
        }
    }
    for (who, was) in before.members.iter().filter(|(who, _)| !after.members.contains_key(who)) {
        let left = facts.removes.iter().filter(|r| r.leaf.account == *who).all(|r| r.left);
        let may = by == Role::Owner || was.role == Role::Member && by >= before.policy.remove;
        assert!(left || may, "who removes may remove");
        assert!(before.door.ticket != after.door.ticket && before.view_key != after.view_key);
    }
    if before.policy != after.policy {
        assert_eq!(by, Role::Owner);
    }
    for link in after.links.iter().filter(|link| before.link(&link.id).is_none()) {
        assert!(by >= before.policy.add && link.by == facts.committer);
    }
    assert!(after.members.values().any(|m| m.role == Role::Owner), "somebody owns it");
    for removal in facts.removes.iter().filter(|r| after.members.contains_key(&r.leaf.account)) {
        let again = facts.adds.contains(&removal.leaf);
        assert!(removal.left || removal.revoked || again || removal.leaf.account == facts.committer);
    }
}

#[test]
fn no_sequence_of_commits_gives_what_nobody_may_give() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..200 {
        let mut rng = rng(seed);
        let roster = Roster::found("Study", account(1), 60, None, &mut rng).unwrap();
        let mut world = World { roster, leaves: vec![leaf(1, 0)], epoch: 0 };
        for _ in 0..200 {
            let facts = attempt(&world, &mut rng);
            if check(&world.roster, &facts).is_err() {
                refused += 1;
                continue;
            }
            accepted += 1;
            let after = facts.roster.clone().unwrap();
            assert_given(&world.roster, &after, &facts);
            assert!(Roster::decode(&after.encode()).unwrap() == after, "what is accepted can be read");
            world.leaves.retain(|l| facts.removes.iter().all(|r| r.leaf != *l));
            world.leaves.extend(&facts.adds);
            assert_eq!(after.fits(&world.leaves), Ok(()));
            world.roster = after;
            world.epoch += 1;
        }
    }
    assert!(accepted > 3_000 && refused > 3_000, "{accepted} accepted, {refused} refused: both are tried");
}
