//! What holds of every account, however its chain grew; and that its secrets say and leave nothing.
#![expect(clippy::unwrap_used, reason = "a test: what is missing must stop it")]

use estoile_seal::SenderKey;
use estoile_seal::access::AccessKey;
use estoile_seal::account::chain::{MAX_CHAIN, MAX_DEVICES, sign_join};
use estoile_seal::account::{AccountId, Chain, ChainError, Proposal, Recovery, Signer, Standing};
use estoile_seal::device_link::DeviceSecret;
use estoile_seal::link::AnyLink;
use estoile_seal::shelf_item::ShelfKey;
use estoile_seal::ticket::TicketSecret;
use estoile_seal::verify::safety_number;
use proptest::prelude::*;

fn device(seed: u8) -> SenderKey {
    SenderKey::from_seed(&[seed; 32])
}

fn root(seed: u8) -> estoile_seal::account::RootKey {
    Recovery::from_entropy([seed; 32]).root()
}

/// What may happen to an account; places are taken modulo the devices that there are.
#[derive(Clone, Copy, Debug)]
enum Act {
    Add { by: usize },
    AddByRoot,
    RemoveByRoot { device: usize },
    Leave { device: usize },
    RemoveByTwo { first: usize, second: usize, device: usize },
    Rotate,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..8_usize).prop_map(|by| Act::Add { by }),
        1 => Just(Act::AddByRoot),
        1 => (0..8_usize).prop_map(|device| Act::RemoveByRoot { device }),
        1 => (0..8_usize).prop_map(|device| Act::Leave { device }),
        2 => (0..8_usize, 0..8_usize, 0..8_usize).prop_map(|(first, second, device)| Act::RemoveByTwo { first, second, device }),
        1 => Just(Act::Rotate),
    ];
    prop::collection::vec(act, 0..14)
}

/// An account under way: its chain, its living devices' seeds, and which seeds come next.
struct Account {
    chain: Chain,
    devices: Vec<u8>,
    next: u8,
    root: u8,
}

impl Account {
    fn new() -> Self {
        Self { chain: Chain::create(&root(1), &device(10), 5), devices: vec![10], next: 11, root: 1 }
    }

    fn seed(&self, place: usize) -> Option<u8> {
        let count = self.devices.len().max(1);
        self.devices.get(place % count).copied()
    }

    fn add(&mut self, by: &Signer<'_>) -> Result<Chain, ChainError> {
        let new = device(self.next);
        let proof = sign_join(&self.chain.id(), &self.chain.head(), &new);
        let grown = self.chain.add_device(by, &new.public(), &proof, 6)?;
        self.devices.push(self.next);
        self.next += 1;
        Ok(grown)
    }

    fn remove(&mut self, seed: u8, chain: Result<Chain, ChainError>) -> Result<Chain, ChainError> {
        let chain = chain?;
        self.devices.retain(|live| *live != seed);
        Ok(chain)
    }

    /// Acts; what has no right changes nothing.
    fn act(&mut self, act: Act) -> Option<()> {
        let chain = self.chain.clone();
        let grown = match act {
            Act::Add { by } => self.add(&Signer::Device(&device(self.seed(by)?))),
            Act::AddByRoot => self.add(&Signer::Root(&root(self.root))),
            Act::RemoveByRoot { device: place } => {
                let seed = self.seed(place)?;
                let less = chain.remove_device(&Signer::Root(&root(self.root)), &device(seed).public(), 7);
                self.remove(seed, less)
            }
            Act::Leave { device: place } => {
                let seed = self.seed(place)?;
                let key = device(seed);
                self.remove(seed, chain.remove_device(&Signer::Device(&key), &key.public(), 7))
            }
            Act::RemoveByTwo { first, second, device: place } => {
                let (first, second, seed) = (self.seed(first)?, self.seed(second)?, self.seed(place)?);
                let proposal = Proposal::sign(&chain, &device(first), &device(seed).public(), 7).ok()?;
                let done = Proposal::decode(&proposal.encode()).unwrap().complete(&chain, &device(second));
                self.remove(seed, done)
            }
            Act::Rotate => {
                let rotated = chain.rotate(&root(self.root), &root(self.root + 1), 8);
                self.root += u8::from(rotated.is_ok());
                rotated
            }
        };
        self.chain = grown.ok()?;
        Some(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_says_who_the_devices_are(acts in acts()) {
        let mut account = Account::new();
        let mut before = vec![account.chain.clone()];
        for act in acts {
            if account.act(act).is_some() {
                before.push(account.chain.clone());
            }
            let live: Vec<_> = account.devices.iter().map(|&seed| device(seed).public()).collect();
            prop_assert_eq!(account.chain.devices(), live.as_slice());
            prop_assert!(live.len() <= MAX_DEVICES);
        }
        let bytes = account.chain.encode();
        prop_assert!(bytes.len() <= MAX_CHAIN);
        prop_assert!(Chain::verify(&bytes).unwrap() == account.chain);
        prop_assert_eq!(account.chain.root(), root(account.root).public());
        for earlier in &before {
            prop_assert_eq!(earlier.id(), account.chain.id());
            let standing = if earlier.len() == account.chain.len() { Standing::Same } else { Standing::Longer };
            prop_assert_eq!(account.chain.extends(earlier), standing);
            prop_assert_eq!(account.chain.stands_to(&earlier.point()), standing);
            let tail = account.chain.tail(earlier.len());
            prop_assert!(earlier.with_tail(earlier.len(), &tail).unwrap() == account.chain);
        }
    }

    #[test]
    fn two_ways_to_go_on_are_a_fork(acts in acts(), others in acts()) {
        let (mut one, mut other) = (Account::new(), Account::new());
        other.next = 100;
        acts.into_iter().for_each(|act| { one.act(act); });
        others.into_iter().for_each(|act| { other.act(act); });
        let (there, back) = (one.chain.extends(&other.chain), other.chain.extends(&one.chain));
        match there {
            Standing::Same => prop_assert!(back == Standing::Same && one.chain.encode().len() == other.chain.encode().len()),
            Standing::Longer => prop_assert_eq!(back, Standing::Shorter),
            Standing::Shorter => prop_assert_eq!(back, Standing::Longer),
            Standing::Forked => prop_assert_eq!(back, Standing::Forked),
        }
    }

    #[test]
    fn altered_chains_are_refused(acts in acts(), place in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut account = Account::new();
        acts.into_iter().for_each(|act| { account.act(act); });
        let mut bytes = account.chain.encode();
        bytes[place.index(account.chain.encode().len())] ^= flip;
        prop_assert!(Chain::verify(&bytes).is_err());
    }

    #[test]
    fn words_are_read_as_they_are_written(entropy: [u8; 32]) {
        let recovery = Recovery::from_entropy(entropy);
        prop_assert!(Recovery::parse(&recovery.words()).unwrap() == recovery);
    }

    #[test]
    fn bytes_from_outside_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = (Chain::verify(&bytes), Proposal::decode(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Recovery::parse(&text), text.parse::<AnyLink>().is_ok());
    }

    #[test]
    fn numbers_are_the_same_on_both_sides(one: [u8; 32], other: [u8; 32]) {
        let (one, other) = (AccountId(one), AccountId(other));
        prop_assert_eq!(safety_number(&one, &other), safety_number(&other, &one));
    }
}

#[test]
fn debug_says_the_type_and_nothing_of_the_value() {
    let recovery = Recovery::from_entropy([7; 32]);
    let chain = Chain::create(&recovery.root(), &device(1), 5);
    let said = [
        format!("{recovery:?} {:?} {:?}", recovery.root(), recovery.generation(0)),
        format!("{:?} {chain:?} {:?}", chain.id(), chain.point()),
        format!("{:?} {:?}", TicketSecret::from_bytes([1; 32]), ShelfKey::from_bytes([1; 32])),
        format!("{:?} {:?}", DeviceSecret::from_bytes([1; 32]), AccessKey::from_seed(&[1; 32])),
        format!("{:?}", Signer::Root(&recovery.root())),
    ];
    let expected = [
        "Recovery(..) RootKey(..) Generation(..)",
        "AccountId Chain(..) ChainPoint(..)",
        "TicketSecret(..) ShelfKey(..)",
        "DeviceSecret(..) AccessKey(..)",
        "Root(RootKey(..))",
    ];
    assert_eq!(said, expected);
}
