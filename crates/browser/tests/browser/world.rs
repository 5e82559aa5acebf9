//! A browser without a browser: tabs over one place's storage, a real relay in memory, virtual time. Tests say what pages ask,
//! and look at what they are told.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};
use std::collections::BTreeMap;
use std::rc::Rc;

use estoile_browser::Client;
use estoile_browser::inbox::{Inbox, Incoming, SocketEvent};
use estoile_browser::outside::{Keep, Outside, Transfer};
use estoile_browser::stretch::Job;
use estoile_engine::vault::{Backend, BackendError, Batch, Entry};
use estoile_engine::{Event, Lost, MemoryBackend, RelayId, face};
use estoile_hub::SessionId;
use estoile_hub::config::Config;
use estoile_hub::hub::Hub;
use estoile_hub::memory::MemoryStore;
use estoile_hub::rules::{Entry as Doorway, Identity, Rules};
use estoile_port::{Ask, Down, Downs, Reply, Stage, Up};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng};
use zeroize::Zeroizing;

pub(crate) const START: u64 = 1_750_000_000_000;
pub(crate) const ORIGIN: &str = "http://127.0.0.1:7070";

/// The relay and the time.
pub(crate) struct Net {
    pub(crate) hub: Hub,
    pub(crate) now: u64,
    rng: ChaCha20Rng,
}

/// What one browser keeps for one origin, and which of its tabs has it.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) entries: MemoryBackend,
    pub(crate) head: Option<Vec<u8>>,
    pub(crate) wrapping: Option<[u8; 32]>,
    /// Who claimed the store last.
    claimed: u64,
    /// Who holds the lock.
    holder: Option<u64>,
    /// No storage here.
    pub(crate) refuses: bool,
    /// So many writes fail.
    pub(crate) full: usize,
    /// It was cleared while it was open, and is closed for whoever had it.
    pub(crate) gone: bool,
    /// Who has written, in order.
    pub(crate) writers: Vec<u64>,
}

impl Place {
    /// All of it is thrown away, while somebody has it open.
    pub(crate) fn clear(&mut self) {
        *self = Self { gone: true, holder: self.holder, ..Self::default() };
    }
}

/// What a tab and its outside share.
#[derive(Default)]
struct Shared {
    posted: RefCell<Vec<Down>>,
    faults: RefCell<Vec<String>>,
    owner: Rc<Cell<bool>>,
    alarm: Cell<Option<u64>>,
    jobs: RefCell<BTreeMap<u64, Job>>,
    dials: RefCell<Vec<(RelayId, u64, String)>>,
    sessions: RefCell<BTreeMap<RelayId, (u64, SessionId)>>,
}

pub(crate) struct World {
    pub(crate) net: Rc<RefCell<Net>>,
    tabs: u64,
}

/// A tab: its worker, and what its page sees.
pub(crate) struct Tab {
    pub(crate) id: u64,
    net: Rc<RefCell<Net>>,
    shared: Rc<Shared>,
    pub(crate) inbox: Inbox,
    worker: Pin<Box<dyn Future<Output = ()>>>,
    asked: u64,
    pub(crate) seen: Vec<Down>,
    /// Every URL that was ever connected to.
    pub(crate) dialled: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let rules = Rules { config: Config::default(), identity: Identity::new(&[9; 32], None), entry: Doorway::Open };
        let hub = Hub::start(START, rules, MemoryStore::new()).unwrap();
        let net = Net { hub, now: START, rng: ChaCha20Rng::seed_from_u64(3) };
        Self { net: Rc::new(RefCell::new(net)), tabs: 0 }
    }

    pub(crate) fn tab(&mut self, place: &Rc<RefCell<Place>>) -> Tab {
        self.tabs += 1;
        let (inbox, shared) = (Inbox::default(), Rc::new(Shared::default()));
        let outside = Scripted {
            id: self.tabs,
            net: Rc::clone(&self.net),
            place: Rc::clone(place),
            shared: Rc::clone(&shared),
            seed: Cell::new(self.tabs << 32),
        };
        let worker = Box::pin(Client::new(outside, inbox.clone()).run());
        let net = Rc::clone(&self.net);
        let mut tab =
            Tab { id: self.tabs, net, shared, inbox, worker, asked: 0, seen: Vec::new(), dialled: Vec::new() };
        tab.settle();
        tab
    }
}

impl Tab {
    /// Lets everything happen that happens by itself, without time passing.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let _ = self.worker.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let moved = self.dial() | self.hear();
            let posted = core::mem::take(&mut *self.shared.posted.borrow_mut());
            let quiet = posted.is_empty() && !moved;
            self.seen.extend(posted);
            if quiet {
                assert_eq!(*self.shared.faults.borrow(), Vec::<String>::new());
                return;
            }
        }
        panic!("this tab never comes to rest");
    }

    fn dial(&mut self) -> bool {
        let dials = core::mem::take(&mut *self.shared.dials.borrow_mut());
        for (relay, connection, url) in &dials {
            self.dialled.push(url.clone());
            let net = &mut *self.net.borrow_mut();
            let session = net.hub.connect(net.now, &mut net.rng).unwrap();
            self.shared.sessions.borrow_mut().insert(*relay, (*connection, session));
            self.inbox.push(Incoming::Socket(*relay, *connection, SocketEvent::Up));
        }
        !dials.is_empty()
    }

    fn hear(&mut self) -> bool {
        let net = &mut *self.net.borrow_mut();
        net.hub.commit(net.now).unwrap();
        let mut heard = false;
        for (relay, (connection, session)) in self.shared.sessions.borrow().iter() {
            for frame in net.hub.take(net.now, *session, 64) {
                heard = true;
                assert!(self.inbox.push_frame(*relay, *connection, frame.to_vec()));
            }
        }
        heard
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, milliseconds: u64) {
        let end = self.net.borrow().now + milliseconds;
        loop {
            let next = self.shared.alarm.get().filter(|at| *at <= end);
            self.net.borrow_mut().now = next.unwrap_or(end);
            if next.is_none() {
                return self.settle();
            }
            self.shared.alarm.set(None);
            self.inbox.push(Incoming::Alarm);
            self.settle();
        }
    }

    /// Says something to the worker; the answer may come later.
    pub(crate) fn say(&mut self, ask: Ask) -> u64 {
        let number = self.put(ask);
        self.settle();
        number
    }

    /// Says something, and something more before the worker has heard it.
    pub(crate) fn put(&mut self, ask: Ask) -> u64 {
        self.asked += 1;
        let text = serde_json::to_string(&Up { number: self.asked, ask }).unwrap();
        self.inbox.push(Incoming::Up(Zeroizing::new(text)));
        self.asked
    }

    /// The answer to a request, if it has come.
    pub(crate) fn answer(&mut self, number: u64) -> Option<Result<Reply, String>> {
        let at = self.seen.iter().position(|down| matches!(down, Down::Reply(n, _) if *n == number))?;
        let Down::Reply(_, reply) = self.seen.remove(at) else { unreachable!() };
        Some(reply.map(|reply| *reply))
    }

    /// Asks, stretches what is to be stretched, and answers.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Reply, String> {
        let number = self.say(ask);
        self.stretch();
        self.answer(number).expect("an answer")
    }

    /// Asks for what needs no stretching, and leaves other jobs alone.
    pub(crate) fn ask_unstretched(&mut self, ask: Ask) -> Result<Reply, String> {
        let number = self.say(ask);
        self.answer(number).expect("an answer")
    }

    /// The browser tells this tab that its lock was stolen.
    pub(crate) fn rob(&mut self) {
        self.shared.owner.set(false);
        self.inbox.push(Incoming::Robbed);
        self.settle();
    }

    /// The browser grants this tab the lock that it waits for.
    pub(crate) fn freed(&mut self) {
        self.shared.owner.set(true);
        self.inbox.push(Incoming::Freed);
        self.settle();
    }

    /// Does the jobs of stretching that wait.
    pub(crate) fn stretch(&mut self) {
        for (number, job) in core::mem::take(&mut *self.shared.jobs.borrow_mut()) {
            self.inbox.push(Incoming::Stretched(number, job.run()));
        }
        self.settle();
    }

    pub(crate) fn jobs(&self) -> usize {
        self.shared.jobs.borrow().len()
    }

    pub(crate) fn begin(&mut self, take_over: bool) {
        self.begin_at(ORIGIN, take_over);
    }

    pub(crate) fn begin_at(&mut self, origin: &str, take_over: bool) {
        assert!(matches!(self.ask(begin(origin, take_over)), Ok(Reply::Done)));
    }

    pub(crate) fn unlock(&mut self, passphrase: Option<&str>) -> Result<Reply, String> {
        let passphrase = passphrase.map(|text| Zeroizing::new(text.to_owned()));
        self.ask(Ask::Unlock { passphrase, memory: false })
    }

    pub(crate) fn face(&mut self, ask: face::Ask) -> face::Reply {
        match self.ask(Ask::Face(ask)) {
            Ok(Reply::Face(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn rooms(&mut self) -> Vec<estoile_engine::RoomView> {
        match self.face(face::Ask::Rooms) {
            face::Reply::Rooms(rooms) => rooms,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn stage(&self) -> &Stage {
        let stages = self.seen.iter().rev().find_map(|down| match down {
            Down::Stage(stage) => Some(stage),
            _ => None,
        });
        stages.expect("the worker's first word")
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.seen.iter().filter_map(|down| match down {
            Down::Event(event) => Some(&**event),
            _ => None,
        })
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.events()
            .filter_map(|event| match event {
                Event::Message { message, .. } => Some(message.text.clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.sessions.borrow().len()
    }
}

/// A page's first word.
pub(crate) fn begin(origin: &str, take_over: bool) -> Ask {
    Ask::Begin { origin: origin.into(), relays: Vec::new(), take_over }
}

/// The outside of one tab.
struct Scripted {
    id: u64,
    net: Rc<RefCell<Net>>,
    place: Rc<RefCell<Place>>,
    shared: Rc<Shared>,
    seed: Cell<u64>,
}

impl Outside for Scripted {
    type Store = Drawer;
    type Rng = ChaCha20Rng;

    fn able(&self) -> Result<(), String> {
        Ok(())
    }

    fn now(&self) -> u64 {
        self.net.borrow().now
    }

    fn rng(&self) -> ChaCha20Rng {
        self.seed.set(self.seed.get() + 1);
        ChaCha20Rng::seed_from_u64(self.seed.get())
    }

    fn post(&self, downs: &Downs) {
        let text = serde_json::to_string(downs).unwrap();
        self.shared.posted.borrow_mut().extend(serde_json::from_str::<Downs>(&text).unwrap());
    }

    fn fault(&self, what: &str) {
        self.shared.faults.borrow_mut().push(what.to_owned());
    }

    fn alarm(&mut self, after: u64) {
        self.shared.alarm.set(Some(self.now() + after));
    }

    async fn pause(&self, milliseconds: u64) {
        self.net.borrow_mut().now += milliseconds;
    }

    async fn own(&mut self, take_over: bool) -> Result<bool, String> {
        let mut place = self.place.borrow_mut();
        let free = take_over || place.holder.is_none_or(|holder| holder == self.id);
        if free {
            place.holder = Some(self.id);
            self.shared.owner.set(true);
        }
        Ok(free)
    }

    fn owns(&self) -> bool {
        self.shared.owner.get()
    }

    async fn store(&mut self) -> Result<Drawer, String> {
        let mut place = self.place.borrow_mut();
        if place.refuses {
            return Err("This window keeps nothing.".into());
        }
        place.claimed = self.id;
        let (place, owner) = (Rc::clone(&self.place), Rc::clone(&self.shared.owner));
        Ok(Drawer { place, owner, id: self.id })
    }

    async fn persistent(&self) -> bool {
        true
    }

    fn stretch(&mut self, number: u64, job: Job) {
        self.shared.jobs.borrow_mut().insert(number, job);
    }

    fn stop(&mut self, number: u64) {
        self.shared.jobs.borrow_mut().remove(&number);
    }

    fn connect(&mut self, relay: RelayId, connection: u64, url: &str) {
        self.shared.dials.borrow_mut().push((relay, connection, url.to_owned()));
    }

    fn send(&mut self, relay: RelayId, frame: &[u8]) -> Result<(), Lost> {
        let sessions = self.shared.sessions.borrow();
        let (_, session) = sessions.get(&relay).ok_or(Lost::Closed)?;
        let net = &mut *self.net.borrow_mut();
        let _ = net.hub.receive(net.now, *session, frame);
        Ok(())
    }

    fn disconnect(&mut self, relay: RelayId) {
        self.shared.dials.borrow_mut().retain(|(dialled, ..)| *dialled != relay);
        if let Some((_, session)) = self.shared.sessions.borrow_mut().remove(&relay) {
            let net = &mut *self.net.borrow_mut();
            net.hub.disconnect(net.now, session);
        }
    }

    fn transfer(&mut self, _: u64, transfer: Transfer) {
        panic!("no test moves a blob, and this one does: {transfer:?}");
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let mut place = self.place.borrow_mut();
        if place.holder == Some(self.id) {
            place.holder = None;
        }
    }
}

/// A place's store, for one tab.
#[derive(Clone)]
pub(crate) struct Drawer {
    place: Rc<RefCell<Place>>,
    owner: Rc<Cell<bool>>,
    id: u64,
}

impl Drawer {
    /// As a browser's does it: whether the store is still one's own stands in the transaction that writes.
    fn write(&self, write: impl FnOnce(&mut Place)) -> Result<(), BackendError> {
        let mut place = self.place.borrow_mut();
        if place.gone {
            return Err(BackendError("the browser has closed its store".into()));
        }
        if place.claimed != self.id {
            self.owner.set(false);
            return Err(BackendError("another tab has taken over".into()));
        }
        if place.full > 0 {
            place.full -= 1;
            return Err(BackendError("the browser gives this page no more room".into()));
        }
        place.writers.push(self.id);
        write(&mut place);
        Ok(())
    }
}

impl Backend for Drawer {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.place.borrow().entries.entries().get(name).cloned())
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        let entries = self.place.borrow().entries.clone();
        entries.scan(prefix, after, limit).await
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        self.write(|place| {
            let entries = place.entries.entries_mut();
            entries.retain(|name, _| !batch.clear.iter().any(|prefix| name.starts_with(prefix)));
            for (name, value) in batch.writes {
                match value {
                    Some(value) => drop(entries.insert(name, value)),
                    None => drop(entries.remove(&name)),
                }
            }
        })
    }
}

impl Keep for Drawer {
    type Wrapping = [u8; 32];

    async fn head(&self) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.place.borrow().head.clone())
    }

    async fn put_head(&mut self, head: Vec<u8>, wrapping: Option<[u8; 32]>) -> Result<(), BackendError> {
        self.write(|place| (place.head, place.wrapping) = (Some(head), wrapping))
    }

    async fn wrap(&self, key: &[u8; 32]) -> Result<(Vec<u8>, [u8; 32]), BackendError> {
        let mut pad = [0; 32];
        ChaCha20Rng::seed_from_u64(77).fill_bytes(&mut pad);
        Ok((key.iter().zip(pad).map(|(k, p)| k ^ p).collect(), pad))
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, BackendError> {
        let pad = self.place.borrow().wrapping.ok_or(BackendError("the key is gone".into()))?;
        let key: Vec<u8> = wrapped.iter().zip(pad).map(|(w, p)| w ^ p).collect();
        Ok(Zeroizing::new(key.try_into().map_err(|_| BackendError("no key".into()))?))
    }

    fn is_gone(&self) -> bool {
        self.place.borrow().gone
    }

    async fn erase(&mut self) -> Result<(), BackendError> {
        self.write(|place| (place.entries, place.head, place.wrapping) = (MemoryBackend::default(), None, None))
    }
}
