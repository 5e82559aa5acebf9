//! A world with people who have accounts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use estoile_mls::{Suite, Validity, key_package};
use estoile_seal::SenderKey;
use estoile_seal::account::{Chain, Recovery};
use estoile_wire::ClientFrame;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::world::World;
use crate::command::Command;
use crate::out::Cx;
use crate::private::{Expected, Founding, Intent, Me, News, Private};
use crate::room::{NewPrivate, Room};
use crate::view::{DeliveryState, LetterId, RelayId, Role, RoomId};

pub(super) const ROOM: RoomId = RoomId(0);

/// What was sealed: by letter, epoch and client, each body.
pub(super) type Bodies = Rc<RefCell<BTreeMap<(usize, [u8; 16], u64), Vec<Vec<u8>>>>>;

/// OpenMLS asks this machine's clock, so the world's time is this machine's.
#[expect(clippy::disallowed_methods, reason = "OpenMLS compares lifetimes with this machine's clock")]
fn wall() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

pub(super) struct Star {
    pub(super) world: World,
    pub(super) people: Vec<Me>,
    pub(super) bodies: Bodies,
    tokens: u64,
}

impl Star {
    pub(super) fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        world.kill_relay();
        world.now = wall();
        world.start_relay();
        let bodies = Bodies::default();
        let seen = Rc::clone(&bodies);
        world.watch = Some(Box::new(move |at, bytes| {
            if let Ok(ClientFrame::Append(append)) = ClientFrame::decode(bytes) {
                let mut seen = seen.borrow_mut();
                let bodies = seen.entry((at, append.id16.0, append.epoch)).or_default();
                if !bodies.iter().any(|body| body == append.body) {
                    bodies.push(append.body.to_vec());
                }
            }
        }));
        Self { world, people: Vec::new(), bodies, tokens: 0 }
    }

    /// No letter was sealed twice in one epoch.
    pub(super) fn assert_sealed_once(&self) {
        for ((at, _, epoch), bodies) in self.bodies.borrow().iter() {
            assert_eq!(bodies.len(), 1, "client {at} has sealed a letter anew in epoch {epoch}");
        }
    }

    pub(super) fn person(&mut self, name: &str) -> usize {
        let at = self.world.client();
        let seed = u8::try_from(at + 1).unwrap();
        let rng = &mut ChaCha20Rng::seed_from_u64(u64::from(seed));
        let device = SenderKey::generate(rng);
        let chain = Chain::create(&Recovery::generate(rng).root(), &device, 1);
        self.people.push(Me { account: chain.id().0, name: name.to_owned(), device, chain: chain.encode() });
        at
    }

    pub(super) fn found(&mut self, at: usize) {
        let me = self.people[at].clone();
        let address = self.world.address.clone();
        self.world.turn(at, |engine, env| {
            engine.put_room(env, |id, cx| {
                let founding = Founding { room: id, name: "garden".into(), classic: true, max_ttl: 0 };
                let private = Private::found(&me, &founding, cx).expect("a group of one");
                let new = NewPrivate { sociable: true, ..NewPrivate::default() };
                Some(Room::found_private(id, RelayId(u32::MAX), &address, private, new, cx))
            })
        });
        self.world.settle();
        assert!(self.room(at, |room, _| room.made()), "the log is made");
    }

    pub(super) fn room<T>(&mut self, at: usize, act: impl FnOnce(&mut Room, &mut Cx<'_>) -> T) -> T {
        let mut result = None;
        self.world.turn(at, |engine, env| engine.with_room(ROOM, env, |room, cx| result = Some(act(room, cx))));
        result.expect("the client lives")
    }

    pub(super) fn want(&mut self, at: usize, intent: Intent) {
        self.room(at, |room, cx| room.private_mut().expect("a group").want(intent, None, cx));
    }

    /// A client that may die of it says something.
    pub(super) fn try_say(&mut self, at: usize, text: &str) {
        self.world.command(at, Command::Send { room: ROOM, text: text.into(), ttl: None });
    }

    /// A client that may die of it wants a commit.
    pub(super) fn try_want(&mut self, at: usize, intent: Intent) {
        self.world.turn(at, |engine, env| {
            engine.with_room(ROOM, env, |room, cx| room.private_mut().expect("a group").want(intent, None, cx))
        });
    }

    pub(super) fn epoch(&mut self, at: usize) -> u64 {
        self.room(at, |room, _| room.private().expect("a group").epoch())
    }

    /// Adds somebody, and lets them in.
    pub(super) fn invite(&mut self, by: usize, whom: usize) {
        let me = self.people[whom].clone();
        let chain = me.chain.clone();
        let seed = me.device.seed();
        let mls = estoile_mls::Me { account: me.account, name: &me.name, device_seed: &seed, chain: &chain };
        let made = key_package(Suite::Classic, &mls, Validity::at(self.world.now), false).expect("a key package");
        self.tokens += 1;
        let token = self.tokens;
        let add = Intent::Add {
            account: me.account,
            packages: vec![made.public.clone()],
            role: Role::Member,
            via: None,
            token,
        };
        self.want(by, add);
        self.world.settle();
        let news = self.room(by, |room, _| room.private_mut().unwrap().take_news());
        let welcome = news.into_iter().find_map(|news| match news {
            News::Welcome { token: of, welcome, cursor, .. } if of == token => Some((welcome, cursor)),
            _ => None,
        });
        let (welcome, cursor) = welcome.expect("the commit is merged, and its welcome released");
        let (log, inviter) = self.room(by, |room, _| (room.log().unwrap(), room.private().unwrap().me().account));
        let address = self.world.address.clone();
        self.world.turn(whom, |engine, env| {
            engine.put_room(env, |id, cx| {
                let mut secrets = |reference: &[u8]| {
                    (reference == made.reference.as_slice()).then(|| Zeroizing::new(made.secret.to_vec()))
                };
                let expected = Expected { room: id, log, by: inviter };
                let (private, _) = Private::join(&me, &welcome, &mut secrets, &expected, cx).expect("a good welcome");
                Some(Room::join_private(id, RelayId(u32::MAX), &address, private, cursor, true, cx))
            })
        });
        self.world.settle();
    }

    /// People in one room, the first its owner; the fresh keys that joining asks for are behind them.
    pub(super) fn together(seed: u64, names: &[&str]) -> Self {
        let mut star = Self::new(seed);
        for name in names {
            star.person(name);
        }
        star.found(0);
        for at in 1..names.len() {
            star.invite(0, at);
        }
        star.world.pass(90_000);
        star.world.clients.iter_mut().for_each(|c| c.events.clear());
        star
    }

    pub(super) fn assert_one_epoch(&mut self) -> u64 {
        let epochs: Vec<u64> = (0..self.people.len()).map(|at| self.epoch(at)).collect();
        assert!(epochs.windows(2).all(|w| w[0] == w[1]), "epochs {epochs:?}");
        epochs[0]
    }

    pub(super) fn state(&self, at: usize, id: LetterId) -> DeliveryState {
        self.world.message(at, id).expect("the letter is there").state
    }
}
