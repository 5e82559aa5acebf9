//! From the vault: the whole engine at its start, and pages of history later.

use core::future::Future;
use std::collections::{BTreeMap, BTreeSet};

use estoile_wire::Millis;

use super::{Engine, read};
use crate::account::Accounts;
use crate::board::Board;
use crate::book::Book;
use crate::link::Route;
use crate::names::{self, Own, Tag};
use crate::private::KeptGroup;
use crate::room::{AT_HAND, Kept, Letter, Room};
use crate::stored::{Progress, StoredEngine, StoredLetter, StoredRoom, decode};
use crate::turn::Env;
use crate::vault::{Backend, Entries, Near, PAGE, Vault, VaultError};
use crate::view::{LetterId, MessageView, RelayId, RoomId};

/// Why an engine could not be loaded from its vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An entry opens, but says nothing that this version understands.
    #[error(
        "an entry of the vault can't be read by this version of the program; update it, or start a new data folder"
    )]
    Unreadable,
}

/// How much of a vault is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// All of it.
    Whole,
    /// What faces look at, and what comes with it in one page.
    Looks,
}

/// An engine without the transcripts of large rooms. It is there to be looked at while [`Engine::load`] reads all, and takes no
/// input: what it does not know it must not decide.
#[derive(Debug)]
pub struct Glance {
    engine: Engine,
    whole: bool,
}

impl Glance {
    /// What there is to look at.
    #[must_use]
    pub const fn look(&self) -> &Engine {
        &self.engine
    }

    /// [`Engine::older`].
    ///
    /// # Errors
    /// What the vault says.
    pub async fn older<B: Backend>(
        &mut self,
        vault: &Vault<B>,
        room: RoomId,
        before: LetterId,
        limit: usize,
    ) -> Result<Vec<MessageView>, VaultError> {
        self.engine.older(vault, room, before, limit).await
    }

    /// The engine, if nothing had to be left out.
    ///
    /// # Errors
    /// The glance itself: [`Engine::load`] has to read what it left out.
    pub fn whole(self) -> Result<Engine, Box<Self>> {
        if self.whole { Ok(self.engine) } else { Err(Box::new(self)) }
    }
}

impl Engine {
    /// Loads an engine from its vault (an empty one makes a fresh engine). Every room begins offline; hand in a first
    /// [`crate::Input::Timer`] and the engine asks for its connections.
    ///
    /// # Errors
    /// [`LoadError`] when the vault fails or is not readable.
    pub fn load<'v, B: Backend>(
        vault: &'v Vault<B>,
        env: &mut Env<'_>,
    ) -> impl Future<Output = Result<Self, LoadError>> + use<'v, B> {
        let begun = (env.rng.next_u64(), env.now);
        async move { Ok(load(vault, begun, Depth::Whole).await?.0) }
    }

    /// Reads what there is to look at, without the transcripts of large rooms: those take their time, and faces need none of them.
    ///
    /// # Errors
    /// [`LoadError`] when the vault fails or is not readable.
    pub fn glance<'v, B: Backend>(
        vault: &'v Vault<B>,
        env: &mut Env<'_>,
    ) -> impl Future<Output = Result<Glance, LoadError>> + use<'v, B> {
        let begun = (env.rng.next_u64(), env.now);
        async move {
            let (engine, whole) = load(vault, begun, Depth::Looks).await?;
            Ok(Glance { engine, whole })
        }
    }

    /// An engine without rooms.
    fn fresh((id, now): (u64, Millis), counters: StoredEngine, board: Board, book: Book) -> Self {
        Self {
            id,
            turns: 0,
            now,
            counters,
            rooms: BTreeMap::new(),
            links: BTreeMap::new(),
            next_relay: 0,
            routes: BTreeMap::new(),
            board,
            book,
            accounts: Accounts::default(),
            links_awaited: Vec::new(),
            turning: Vec::new(),
            touched: BTreeSet::new(),
            closed: false,
            pages: BTreeMap::new(),
        }
    }

    /// Puts a room where its relay's frames find it.
    pub(super) fn add(&mut self, mut room: Room) {
        room.relay = self.link_to(&room.address());
        let id = room.id;
        self.touched.insert(id);
        self.rooms.insert(id, room);
        self.route(id);
    }

    /// A room's log is known, or is another now.
    pub(super) fn route(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get(&id) else { return };
        let (relay, log) = (room.relay, room.log());
        self.routes.retain(|_, route| *route != Route::Room(id));
        if let Some(log) = log {
            self.routes.insert((relay, log), Route::Room(id));
        }
    }
}

/// An engine of a number and a time; and whether all of it was read.
async fn load<B: Backend>(vault: &Vault<B>, begun: (u64, Millis), depth: Depth) -> Result<(Engine, bool), LoadError> {
    let vault = &Near::read(vault, &[]).await?;
    let counters: StoredEngine = match vault.get(names::ENGINE).await? {
        Some(bytes) => read(&bytes)?,
        None => StoredEngine::default(),
    };
    let mut board = Board::new(counters.next_notice);
    for (name, value) in all(vault, names::NOTICES).await? {
        let id = names::number(&name).ok_or(LoadError::Unreadable)?;
        board.restore(id, &value).ok_or(LoadError::Unreadable)?;
    }
    let mut book = Book::default();
    for (name, value) in all(vault, &names::own(Own::Known)).await? {
        let number = names::number(&name).ok_or(LoadError::Unreadable)?;
        book.restore(number, read(&value)?).ok_or(LoadError::Unreadable)?;
    }
    let accounts = all(vault, names::ACCOUNTS).await?;
    let accounts = Accounts::load(&accounts, &mut book).ok_or(LoadError::Unreadable)?;
    let mut engine = Engine { accounts, ..Engine::fresh(begun, counters, board, book) };
    let mut whole = true;
    for (name, value) in all(vault, names::ROOMS).await? {
        let id = names::opened_room(&name).ok_or(LoadError::Unreadable)?;
        let stored = read(&value)?;
        let (room, all) = load_room(&vault.part(&names::room(id)).await?, id, stored, depth).await?;
        engine.add(room);
        whole &= all;
    }
    // Faces may look before the first turn.
    engine.rooms.values_mut().for_each(|room| room.learn_known(&engine.book));
    Ok((engine, whole))
}

/// All entries under a prefix, a page at a time.
async fn all<B: Backend>(vault: &Near<'_, B>, prefix: &[u8]) -> Result<Entries, VaultError> {
    let mut entries = Entries::new();
    loop {
        let after = entries.last().map(|(name, _)| name.clone());
        let page = vault.scan(prefix, after.as_deref(), PAGE).await?;
        let last = page.len() < PAGE;
        entries.extend(page);
        if last {
            return Ok(entries);
        }
    }
}

/// All numbered entries of one kind.
async fn numbered<B: Backend, T: for<'b> minicbor::Decode<'b, ()>>(
    vault: &Near<'_, B>,
    room: RoomId,
    tag: Tag,
) -> Result<Vec<(u64, T)>, LoadError> {
    let entries = all(vault, &names::kind(room, tag)).await?;
    entries.iter().map(|(name, value)| Ok((names::number(name).ok_or(LoadError::Unreadable)?, read(value)?))).collect()
}

/// A room; and whether all of it was read.
async fn load_room<B: Backend>(
    vault: &Near<'_, B>,
    id: RoomId,
    stored: StoredRoom,
    depth: Depth,
) -> Result<(Room, bool), LoadError> {
    let progress: Progress = match vault.get(&names::kind(id, Tag::Progress)).await? {
        Some(bytes) => read(&bytes)?,
        None => Progress::default(),
    };
    let transcript = load_transcript(vault, id, depth).await?;
    let whole = transcript.is_some();
    let ends = if whole { numbered(vault, id, Tag::End).await? } else { Vec::new() };
    let letters = page_below(vault, id, progress.next_seq, progress.first_seq.unwrap_or(0), AT_HAND).await?;
    let mut outbox = Vec::new();
    for (seq, _) in numbered::<B, u8>(vault, id, Tag::Outbox).await? {
        let bytes = vault.get(&names::numbered(id, Tag::Letter, seq)).await?.ok_or(LoadError::Unreadable)?;
        outbox.push(Letter { seq, stored: read(&bytes)? });
    }
    let kept = Kept {
        transcript: transcript.unwrap_or_default(),
        people: numbered(vault, id, Tag::Person).await?,
        letters,
        outbox,
        future: numbered(vault, id, Tag::Held).await?,
        ends,
        group: load_group(vault, id, &stored).await?,
        sealed: numbered(vault, id, Tag::Sealed).await?,
        brought: numbered(vault, id, Tag::Brought).await?,
    };
    // The relay's number is given when the room is added.
    let room = Room::new(id, RelayId(u32::MAX), stored, progress, kept).ok_or(LoadError::Unreadable)?;
    Ok((room, whole))
}

/// A room's transcript, under its own keys; none if it is left out.
async fn load_transcript<B: Backend>(
    vault: &Near<'_, B>,
    id: RoomId,
    depth: Depth,
) -> Result<Option<Vec<(Vec<u8>, Vec<u8>)>>, VaultError> {
    let prefix = names::kind(id, Tag::Transcript);
    let entries = match depth {
        Depth::Whole => all(vault, &prefix).await?,
        Depth::Looks => vault.scan(&prefix, None, PAGE).await?,
    };
    if depth == Depth::Looks && entries.len() >= PAGE {
        return Ok(None);
    }
    let own = |name: &[u8]| name.get(prefix.len()..).unwrap_or_default().to_vec();
    Ok(Some(entries.into_iter().map(|(name, value)| (own(&name), value.to_vec())).collect()))
}

/// A private room's group; a quick room has none.
async fn load_group<B: Backend>(vault: &Near<'_, B>, id: RoomId, stored: &StoredRoom) -> Result<KeptGroup, VaultError> {
    if stored.private.is_none() {
        return Ok(KeptGroup::default());
    }
    let prefix = names::kind(id, Tag::Group);
    let suffix = |name: &[u8]| name.get(prefix.len()..).unwrap_or_default().to_vec();
    let journal = all(vault, &prefix).await?.into_iter().map(|(name, value)| (suffix(&name), value)).collect();
    let state = vault.get(&names::kind(id, Tag::Private)).await?;
    let pending = vault.get(&names::kind(id, Tag::Pending)).await?;
    Ok(KeptGroup { journal, state, pending })
}

/// Up to `limit` letters that show something with local numbers below one, the newest of those, in timeline order; there are
/// none below `first`.
pub(super) async fn page_below<B: Backend>(
    vault: &Near<'_, B>,
    room: RoomId,
    below: u64,
    first: u64,
    limit: usize,
) -> Result<Vec<Letter>, VaultError> {
    let mut found = Vec::new();
    let mut below = below;
    while below > first && found.len() < limit {
        let (from, letters) = span_below(vault, room, below).await?;
        below = from;
        found.extend(letters.into_iter().rev().filter(|l| l.stored.text.is_some()));
    }
    found.truncate(limit);
    found.sort_by_key(Letter::place);
    Ok(found)
}

/// The local number of a letter below one, looking backwards.
pub(super) async fn find<B: Backend>(
    vault: &Near<'_, B>,
    room: RoomId,
    below: u64,
    first: u64,
    id: LetterId,
) -> Result<Option<u64>, VaultError> {
    let mut below = below;
    while below > first {
        let (from, letters) = span_below(vault, room, below).await?;
        if let Some(letter) = letters.iter().find(|l| l.id() == id) {
            return Ok(Some(letter.seq));
        }
        below = from;
    }
    Ok(None)
}

/// The letters of one page of local numbers right below one; where the page begins, and what lives in it.
async fn span_below<B: Backend>(
    vault: &Near<'_, B>,
    room: RoomId,
    below: u64,
) -> Result<(u64, Vec<Letter>), VaultError> {
    let from = below.saturating_sub(PAGE as u64);
    // Names are ordered by number: everything after the one before `from` has a number of at least `from`.
    let after = from.checked_sub(1).map(|seq| names::numbered(room, Tag::Letter, seq));
    let entries = vault.scan(&names::kind(room, Tag::Letter), after.as_deref(), PAGE).await?;
    let mut letters = Vec::new();
    for (name, value) in entries {
        let Some(seq) = names::number(&name).filter(|seq| *seq < below) else { break };
        let stored: StoredLetter = decode(&value).ok_or(VaultError::Damaged)?;
        letters.push(Letter { seq, stored });
    }
    Ok((from, letters))
}
