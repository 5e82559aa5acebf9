//! People with vaults, and one log with the relay's epoch guard.

use std::collections::BTreeMap;

use estoile_mls::{Suite, Validity, key_package};
use estoile_seal::SenderKey;
use estoile_seal::account::{Chain, Recovery, RootKey, Signer, chain};
use estoile_seal::letter::{Letter, Written};
use estoile_wire::{Id16, LogId, Millis, PublicKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::board::Board;
use crate::book::Book;
use crate::names::{self, Tag};
use crate::notice::{Notice, NoticeKind};
use crate::out::{Cx, Out};
use crate::private::life::with_me;
use crate::private::{AccountId, Expected, Founding, Incoming, Intent, KeptGroup, Me, News, Outgoing, Private, Taken};
use crate::turn::{BlobError, CommandId, Effect};
use crate::view::{Event, Role, RoomId};

pub(super) const ROOM: RoomId = RoomId(7);
/// OpenMLS asks this machine's clock, so the tests' time is this machine's.
#[expect(clippy::disallowed_methods, reason = "OpenMLS compares lifetimes with this machine's clock")]
pub(super) fn wall() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// One device of somebody, with its vault.
pub(super) struct Person {
    pub(super) me: Me,
    seed: u8,
    pub(super) private: Option<Private>,
    pub(super) book: Book,
    pub(super) board: Board,
    pub(super) rng: ChaCha20Rng,
    pub(super) now: Millis,
    pub(super) vault: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) cursor: u64,
    pub(super) notices: Vec<Notice>,
    pub(super) answers: Vec<(CommandId, Result<(), String>)>,
    pub(super) news: Vec<News>,
    pub(super) letters: Vec<(AccountId, Vec<u8>)>,
    pub(super) ours: usize,
    pub(super) secrets: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
    pub(super) stopped: Option<String>,
    /// Take the group out of the vault after each step.
    pub(super) reload: bool,
    said: u64,
}

/// A record of the log.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id16: Id16,
    pub(super) epoch: u64,
    pub(super) advance: Option<PublicKey>,
    pub(super) body: Vec<u8>,
}

/// The log: what the relay keeps.
#[derive(Default)]
pub(super) struct Log {
    pub(super) records: Vec<Entry>,
    pub(super) epoch: u64,
    pub(super) blobs: BTreeMap<[u8; 32], Vec<u8>>,
}

impl Log {
    /// Appends, or refuses as stale with the current epoch. A repeat is answered with its first place.
    pub(super) fn append(&mut self, out: &Outgoing) -> Result<u64, u64> {
        if let Some(place) = self.records.iter().position(|r| r.id16 == out.id16) {
            return Ok(place as u64 + 1);
        }
        if out.epoch != self.epoch {
            return Err(self.epoch);
        }
        if let Some((hash, bytes)) = &out.blob {
            self.blobs.insert(*hash, bytes.to_vec());
        }
        let entry = Entry { id16: out.id16, epoch: out.epoch, advance: out.advance, body: out.body.to_vec() };
        self.push(entry);
        Ok(self.records.len() as u64)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.epoch += u64::from(entry.advance.is_some());
        self.records.push(entry);
    }

    /// What somebody with the access key may put there.
    pub(super) fn forge(&mut self, body: Vec<u8>, advance: Option<PublicKey>) {
        let id16 = Id16([u8::try_from(self.records.len()).unwrap(); 16]);
        self.push(Entry { id16, epoch: self.epoch, advance, body });
    }
}

fn root(seed: u8) -> RootKey {
    Recovery::generate(&mut ChaCha20Rng::seed_from_u64(1_000 + u64::from(seed))).root()
}

impl Person {
    pub(super) fn new(name: &str, seed: u8) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(u64::from(seed));
        let root = root(seed);
        let device = SenderKey::generate(&mut rng);
        let chain = Chain::create(&root, &device, 1);
        let me = Me { account: chain.id().0, name: name.to_owned(), device, chain: chain.encode() };
        Self::with(me, seed, rng)
    }

    fn with(me: Me, seed: u8, rng: ChaCha20Rng) -> Self {
        Self {
            me,
            seed,
            private: None,
            book: Book::default(),
            board: Board::default(),
            rng,
            now: wall(),
            vault: BTreeMap::new(),
            cursor: 0,
            notices: Vec::new(),
            answers: Vec::new(),
            news: Vec::new(),
            letters: Vec::new(),
            ours: 0,
            secrets: BTreeMap::new(),
            stopped: None,
            reload: false,
            said: 0,
        }
    }

    /// Another device of the same account, which both know then.
    pub(super) fn second_device(&mut self, seed: u8) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(u64::from(seed) << 8);
        let device = SenderKey::generate(&mut rng);
        let chain = Chain::verify(&self.me.chain).unwrap();
        let proof = chain::sign_join(&chain.id(), &chain.head(), &device);
        let chain = chain.add_device(&Signer::Device(&self.me.device), &device.public(), &proof, 2).unwrap();
        let me = Me { device, chain: chain.encode(), ..self.me.clone() };
        self.set_chain(&chain);
        Self::with(me, self.seed, rng)
    }

    /// The chain without a device, by the recovery words.
    pub(super) fn without_device(&self, device: &PublicKey) -> Chain {
        Chain::verify(&self.me.chain).unwrap().remove_device(&Signer::Root(&root(self.seed)), device, 3).unwrap()
    }

    pub(super) fn set_chain(&mut self, chain: &Chain) {
        self.me.chain = chain.encode();
        let me = self.me.clone();
        if self.private.is_some() {
            self.act(|private, cx| private.set_me(me, cx));
        }
    }

    pub(super) fn id(&self) -> AccountId {
        self.me.account
    }

    /// One turn with the group: what it changed is in the vault afterwards.
    pub(super) fn act<T>(&mut self, then: impl FnOnce(&mut Private, &mut Cx<'_>) -> T) -> T {
        let mut private = self.private.take().expect("in the room");
        let (value, private) = self.turn(|cx| {
            let value = then(&mut private, cx);
            private.flush(cx);
            (value, private)
        });
        self.private = Some(private);
        let news = self.p().take_news();
        self.news.extend(news);
        if self.reload {
            self.restart();
        }
        value
    }

    pub(super) fn turn<T>(&mut self, then: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        let mut out = Out::default();
        let (board, book) = (&mut self.board, &mut self.book);
        let mut cx = Cx { now: self.now, rng: &mut self.rng, out: &mut out, board, book };
        let value = then(&mut cx);
        for (name, change) in out.changes.iter() {
            match change {
                Some(bytes) => self.vault.insert(name.to_vec(), bytes.to_vec()),
                None => self.vault.remove(name),
            };
        }
        for effect in out.effects {
            match effect {
                Effect::Event(Event::Notice(notice)) => self.notices.push(notice),
                Effect::Answer(id, answer) => {
                    self.answers.push((id, answer.map(|_| ()).map_err(|error| error.to_string())));
                }
                _ => {}
            }
        }
        value
    }

    pub(super) fn p(&mut self) -> &mut Private {
        self.private.as_mut().expect("in the room")
    }

    /// The process dies, and begins again from its vault.
    pub(super) fn restart(&mut self) {
        self.private = Some(self.reloaded());
    }

    /// The group as the vault has it.
    pub(super) fn reloaded(&self) -> Private {
        let journal = names::kind(ROOM, Tag::Group);
        let kept = KeptGroup {
            journal: self
                .vault
                .iter()
                .filter(|(name, _)| name.starts_with(&journal))
                .map(|(name, value)| (name[journal.len()..].to_vec(), Zeroizing::new(value.clone())))
                .collect(),
            state: self.vault.get(&names::kind(ROOM, Tag::Private)).cloned().map(Zeroizing::new),
            pending: self.vault.get(&names::kind(ROOM, Tag::Pending)).cloned().map(Zeroizing::new),
        };
        Private::restore(ROOM, kept).expect("a whole group")
    }

    pub(super) fn found(&mut self, classic: bool) {
        let me = self.me.clone();
        let founding = Founding { room: ROOM, name: "Club".to_owned(), classic, max_ttl: 30 * 86_400 };
        let private = self.turn(|cx| {
            let mut private = Private::found(&me, &founding, cx).unwrap();
            private.flush(cx);
            private
        });
        self.private = Some(private);
    }

    pub(super) fn package_until(&mut self, suite: Suite, validity: Validity) -> Vec<u8> {
        let made = with_me(&self.me, |me| key_package(suite, me, validity, false)).unwrap();
        self.secrets.insert(made.reference, made.secret);
        made.public
    }

    pub(super) fn package(&mut self) -> Vec<u8> {
        let now = self.now;
        self.package_until(Suite::Classic, Validity::at(now))
    }

    pub(super) fn join(&mut self, log: LogId, by: AccountId, news: &News) -> Result<(), String> {
        let News::Welcome { welcome, cursor, .. } = news else { panic!("no welcome") };
        let (me, secrets) = (self.me.clone(), self.secrets.clone());
        let expected = Expected { room: ROOM, log, by };
        let joined = self.turn(|cx| {
            let mut find = |reference: &[u8]| secrets.get(reference).cloned();
            let (mut private, reference) =
                Private::join(&me, welcome, &mut find, &expected, cx).map_err(|why| why.to_string())?;
            private.flush(cx);
            Ok::<_, String>((private, reference))
        });
        let (private, reference) = joined?;
        self.private = Some(private);
        self.cursor = *cursor;
        if let Some(reference) = reference {
            self.secrets.remove(&reference);
        }
        Ok(())
    }

    /// Reads what waits in the log, epoch by epoch.
    pub(super) fn read(&mut self, log: &Log) {
        while let Some(entry) = log.records.get(usize::try_from(self.cursor).unwrap()).cloned() {
            if self.stopped.is_some() || self.p().is_gone() {
                return;
            }
            if !self.take(&entry, log) {
                return;
            }
            self.cursor += 1;
        }
    }

    /// Takes one record; false: it has to be given again later.
    pub(super) fn take(&mut self, entry: &Entry, log: &Log) -> bool {
        let (cursor, now) = (self.cursor + 1, self.now);
        let mut taken = self.act(|private, cx| {
            let Entry { epoch, advance, ref body, .. } = *entry;
            private.take(&Incoming { body, cursor, epoch, time: now, advance, again: false }, cx)
        });
        if let Taken::Fetch(blob) = taken {
            let got = log.blobs.get(&blob.hash).cloned().ok_or_else(|| BlobError::Never("not there".to_owned()));
            if self.reload {
                // A held commit does not survive the process: the record comes again.
                let Entry { epoch, advance, ref body, .. } = *entry;
                let record = Incoming { body, cursor, epoch, time: now, advance, again: false };
                let held = std::mem::take(&mut self.reload);
                self.act(|private, cx| private.take(&record, cx));
                self.reload = held;
            }
            taken = self.act(|private, cx| private.blob_got(&blob.hash, got, cx));
        }
        match taken {
            Taken::Letter { account, packet, .. } => self.letters.push((account, packet.to_vec())),
            Taken::Ours { .. } => self.ours += 1,
            Taken::Stopped(why) => self.stopped = Some(why),
            Taken::Waiting => return false,
            _ => {}
        }
        true
    }

    pub(super) fn want(&mut self, intent: Intent, command: u64) {
        self.act(|private, cx| private.want(intent, Some(CommandId(command)), cx));
    }

    pub(super) fn outgoing(&mut self) -> Option<Outgoing> {
        self.act(Private::commit_to_send)
    }

    /// Sends what is due, if anything is, and reads.
    pub(super) fn sync(&mut self, log: &mut Log) {
        self.read(log);
        for _ in 0..8 {
            if self.stopped.is_some() || self.p().is_gone() {
                return;
            }
            let Some(out) = self.outgoing() else { return };
            let _ = log.append(&out);
            self.read(log);
        }
    }

    /// A letter of these bytes, sealed.
    pub(super) fn say(&mut self, text: &str, log: &mut Log) -> bool {
        let written = self.write(text);
        let epoch = self.p().epoch();
        let Some(body) = self.act(|private, cx| private.seal(&written, cx)) else { return false };
        let mut id = [0; 16];
        self.rng.fill_bytes(&mut id);
        let out = Outgoing { id16: Id16(id), epoch, advance: None, body: body.into(), blob: None };
        log.append(&out).is_ok()
    }

    fn write(&mut self, text: &str) -> Written {
        let chain = Chain::verify(&self.me.chain).unwrap();
        let counter = self.said;
        self.said += 1;
        let letter = Letter {
            content: Some(estoile_seal::mimi::text(text, [3; 16])),
            counter,
            parents: Vec::new(),
            sent_at: self.now,
            ttl: None,
            name: String::new(),
            sender: self.me.device.public(),
            private: Some(estoile_seal::letter::Private {
                chain_length: chain.len(),
                chain_head: chain.head(),
                views: Vec::new(),
            }),
        };
        let log = self.p().log();
        letter.write_private(&log).unwrap()
    }

    pub(super) fn told(&self, kind: NoticeKind) -> Vec<&str> {
        self.notices.iter().filter(|n| n.kind == kind).map(|n| n.detail.as_str()).collect()
    }

    pub(super) fn welcome(&mut self) -> News {
        let place = self.news.iter().position(|n| matches!(n, News::Welcome { .. })).expect("a welcome");
        self.news.remove(place)
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.now += ms;
    }

    pub(super) fn role(&mut self, of: &Self) -> Option<Role> {
        let account = of.id();
        self.p().role_of(&account)
    }
}

/// Adds somebody and lets them join.
pub(super) fn add(log: &mut Log, by: &mut Person, who: &mut Person, role: Role) {
    let packages = vec![who.package()];
    let account = who.id();
    by.want(Intent::Add { account, packages, role, via: None, token: 1 }, 1);
    by.sync(log);
    let news = by.welcome();
    let (id, log_id) = (by.id(), by.p().log());
    who.join(log_id, id, &news).unwrap();
    who.sync(log);
}

/// A log with a room of these people, the first its owner, the others members.
pub(super) fn room(people: &mut [&mut Person]) -> Log {
    let mut log = Log::default();
    let (owner, others) = people.split_first_mut().unwrap();
    owner.found(true);
    for i in 0..others.len() {
        add(&mut log, owner, others[i], Role::Member);
        for other in &mut others[..i] {
            other.sync(&mut log);
        }
    }
    log
}

/// All read all, and stand in the same place.
pub(super) fn agree(log: &Log, people: &mut [&mut Person]) {
    let mut seen = Vec::new();
    for person in people.iter_mut() {
        person.read(log);
        assert_eq!(person.stopped, None, "{}", person.me.name);
        let private = person.p();
        seen.push((private.epoch(), private.sight(), private.access().public()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "all in one epoch with one view");
    assert_eq!(seen[0].0, log.epoch);
}
