//! From a page that has just loaded to an open vault, and back: which tab has it, where it lies, what opens it.

use estoile_engine::{Engine, Env, LoadError, OpenRoom, Vault, VaultError};
use estoile_port::{Place, Reply, Stage, Work};
use estoile_seal::quick::RoomSecret;
use estoile_seal::vault_key::{VaultKey, VaultSalt};
use rand_core::Rng as _;
use zeroize::Zeroizing;

use crate::client::{Client, Open};
use crate::head::{Head, HeadError};
use crate::mind::Mind;
use crate::outside::{Keep, Outside};
use crate::relays::Relays;
use crate::shelf::Shelf;
use crate::stretch::Job;

/// Why what is kept does not open, when it is neither the passphrase nor the version.
const DAMAGED: &str = "What this browser keeps for Estoile is damaged, or part of it was thrown away. Erase it, then open your rooms again with their links, or take your account up again with its recovery words.";
/// The same, for a store of a later version.
const NEWER: &str =
    "What this browser keeps was written by a later version of this page. Reload the page, so that it is the newest.";
/// Why a vault is in memory.
const CHOSEN: &str = "You chose to keep nothing: rooms and messages are gone from here when this tab closes.";
/// What an unlocking that was given the wrong passphrase is told.
const WRONG: &str = "this is not the passphrase of what is kept here; try again";

/// What a stretched passphrase is for.
pub(crate) enum Pending {
    /// Opens the vault that is there.
    Existing,
    /// Opens a new vault, with this salt.
    New(VaultSalt),
    /// Seals the open vault's key anew.
    Rekey(VaultSalt),
    /// Opens a room.
    Room(Box<Draft>),
}

/// A room to open, but for its secret.
pub(crate) struct Draft(pub(crate) Box<dyn FnOnce(RoomSecret) -> OpenRoom>);

impl<O: Outside> Client<O> {
    pub(crate) async fn begin(&mut self, number: u64, origin: &str, relays: &[String], take_over: bool) {
        if matches!(self.stage, Stage::Fresh | Stage::Locked | Stage::Open(_)) {
            return self.refuse(number, "this page has begun already; reload it to begin anew");
        }
        match Relays::new(origin, relays) {
            Ok(relays) => self.relays = Some(relays),
            Err(why) => return self.refuse(number, why),
        }
        if let Err(lack) = self.out.able() {
            self.enter(Stage::Unable(lack));
            return self.reply(number, Ok(Reply::Done));
        }
        match self.out.own(take_over).await {
            Ok(true) => self.find(number).await,
            Ok(false) => self.enter(Stage::ElsewhereOpen),
            Err(lack) => self.enter(Stage::Unable(lack)),
        }
        self.reply(number, Ok(Reply::Done));
        // The page builds its screen meanwhile. No word of theirs was sealed yet, and none is before the answers are right.
        self.flush();
        if self.open.is_none() {
            self.prove();
        }
    }

    /// The other tab is gone.
    pub(crate) async fn freed(&mut self) {
        if self.stage == Stage::ElsewhereOpen {
            self.find(0).await;
        }
    }

    /// Looks what is kept here.
    async fn find(&mut self, number: u64) {
        self.refused = None;
        let store = match self.out.store().await {
            Ok(store) => store,
            Err(why) => {
                self.refused = Some(why);
                return self.enter(Stage::Fresh);
            }
        };
        let head = match store.head().await {
            Ok(head) => head,
            Err(error) => return self.lose(error.to_string()),
        };
        let head = head.map(|bytes| Head::from_bytes(&bytes)).transpose();
        match head {
            Err(HeadError::Damaged) => self.lose(DAMAGED.into()),
            Err(HeadError::Newer(_)) => self.lose(NEWER.into()),
            Ok(None) => {
                self.store = Some(store);
                self.enter(Stage::Fresh);
            }
            Ok(Some(head @ Head::Passphrase { .. })) => {
                (self.store, self.head) = (Some(store), Some(head));
                self.enter(Stage::Locked);
            }
            Ok(Some(Head::Browser { wrapped })) => match store.unwrap(&wrapped).await {
                Ok(key) => {
                    self.store = Some(store);
                    if let Err(why) = Box::pin(self.open_kept(number, VaultKey::from_bytes(*key), false)).await {
                        self.lose(why);
                    }
                }
                Err(_) => self.lose(DAMAGED.into()),
            },
        }
    }

    pub(crate) async fn unlock(&mut self, number: u64, passphrase: Option<Zeroizing<String>>, memory: bool) {
        if !matches!(self.stage, Stage::Fresh | Stage::Locked) {
            return self.refuse(number, "nothing here waits to be unlocked; reload the page if it seems so");
        }
        if !self.asked.stretching.is_empty() {
            return self.refuse(number, "a passphrase is being checked already; wait for it, or cancel it");
        }
        let why = if memory { Some(CHOSEN.to_owned()) } else { self.refused.clone() };
        let result = match (why, &self.head, passphrase) {
            (Some(why), ..) => self.open_memory(number, why).await,
            (None, Some(Head::Passphrase { salt, .. }), Some(passphrase)) => {
                return self.stretch(number, Pending::Existing, Job::Vault(passphrase, *salt));
            }
            (None, None, Some(passphrase)) => {
                let salt = self.salt();
                return self.stretch(number, Pending::New(salt), Job::Vault(passphrase, salt));
            }
            (None, None, None) => self.make_by_browser(number).await,
            (None, Some(_), _) => Err("what is kept here opens with its passphrase; type it".into()),
        };
        self.reply(number, result.map(|()| Reply::Done));
    }

    fn salt(&self) -> VaultSalt {
        let mut salt = VaultSalt::default();
        self.out.rng().fill_bytes(&mut salt);
        salt
    }

    pub(crate) fn stretch(&mut self, number: u64, pending: Pending, job: Job) {
        self.asked.stretching.insert(number, pending);
        self.progress(number, Work::Stretching);
        self.out.stretch(number, job);
    }

    /// A passphrase is stretched; nothing if nobody waits for it any more.
    pub(crate) async fn stretched(&mut self, number: u64, result: Result<Zeroizing<[u8; 32]>, String>) {
        self.out.stop(number);
        let Some(pending) = self.asked.stretching.remove(&number) else { return };
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(why) => return self.refuse(number, why),
        };
        let stretched = VaultKey::from_bytes(*bytes);
        let result = match pending {
            Pending::Existing => self.open_existing(number, &stretched).await,
            Pending::New(salt) => self.make_by_passphrase(number, &stretched, salt).await,
            Pending::Rekey(salt) => self.seal_key(&stretched, salt).await,
            Pending::Room(draft) => {
                let open = (draft.0)(RoomSecret::from_bytes(*bytes));
                return self.open_room(number, open);
            }
        };
        self.reply(number, result.map(|()| Reply::Done));
    }

    async fn open_existing(&mut self, number: u64, stretched: &VaultKey) -> Result<(), String> {
        let Some(Head::Passphrase { sealed, .. }) = &self.head else { return Err(DAMAGED.into()) };
        let key = Head::unseal(sealed, stretched).ok_or(WRONG)?;
        let opened = Box::pin(self.open_kept(number, key, true)).await;
        if let Err(why) = &opened {
            self.lose(why.clone());
        }
        opened
    }

    async fn make_by_passphrase(&mut self, number: u64, stretched: &VaultKey, salt: VaultSalt) -> Result<(), String> {
        let mut rng = self.out.rng();
        let key = VaultKey::generate(&mut rng);
        let head = Head::by_passphrase(stretched, salt, &key, &mut rng);
        let store = self.store.as_mut().ok_or(DAMAGED)?;
        store.put_head(head.to_bytes(), None).await.map_err(|e| e.to_string())?;
        Box::pin(self.open_kept(number, key, true)).await
    }

    async fn make_by_browser(&mut self, number: u64) -> Result<(), String> {
        let key = VaultKey::generate(&mut self.out.rng());
        self.wrap_key(&key).await?;
        Box::pin(self.open_kept(number, key, false)).await
    }

    /// The browser's key wraps the vault's, and no passphrase opens it.
    async fn wrap_key(&mut self, key: &VaultKey) -> Result<(), String> {
        let store = self.store.as_mut().ok_or(DAMAGED)?;
        let (wrapped, wrapping) = store.wrap(key.as_bytes()).await.map_err(|e| e.to_string())?;
        let head = Head::Browser { wrapped };
        store.put_head(head.to_bytes(), Some(wrapping)).await.map_err(|e| e.to_string())
    }

    async fn open_memory(&mut self, number: u64, why: String) -> Result<(), String> {
        let key = VaultKey::generate(&mut self.out.rng());
        Box::pin(self.open_vault(number, key, Shelf::memory(), Place::Memory(why))).await
    }

    async fn open_kept(&mut self, number: u64, key: VaultKey, passphrase: bool) -> Result<(), String> {
        let shelf = Shelf::Kept(self.store.clone().ok_or(DAMAGED)?);
        let place = Place::Kept { passphrase, persistent: self.out.persistent().await };
        self.open_vault(number, key, shelf, place).await
    }

    async fn open_vault(
        &mut self,
        number: u64,
        key: VaultKey,
        shelf: Shelf<O::Store>,
        place: Place,
    ) -> Result<(), String> {
        self.progress(number, Work::Opening);
        let mut rng = self.out.rng();
        let vault = Vault::open(shelf.clone(), key.clone(), &mut rng).await.map_err(|e| unopened(&e))?;
        let mut env = Env { now: self.out.now(), rng: &mut rng };
        let glance = Engine::glance(&vault, &mut env).await.map_err(|error| unloaded(&error))?;
        let account = glance.look().overview().account.is_some();
        let mind = glance.whole().map_or_else(Mind::Waking, |all| Mind::Awake(Box::new(all)));
        let waking = matches!(mind, Mind::Waking(_));
        self.open = Some(Open { mind, vault, shelf, key, place: place.clone(), failures: 0 });
        if waking {
            self.wake();
        }
        self.first_turn(account, waking);
        self.enter(Stage::Open(place));
        // Who only looks need not wait for the first turn.
        self.flush();
        Ok(())
    }

    pub(crate) async fn rekey(&mut self, number: u64, passphrase: Option<Zeroizing<String>>) {
        let Some(Open { key, place: Place::Kept { .. }, .. }) = &self.open else {
            return self.refuse(number, "nothing is kept here, so there is nothing to lock");
        };
        let key = key.clone();
        if let Some(passphrase) = passphrase {
            let salt = self.salt();
            return self.stretch(number, Pending::Rekey(salt), Job::Vault(passphrase, salt));
        }
        let result = self.wrap_key(&key).await;
        let result = self.relocked(result, false);
        self.reply(number, result.map(|()| Reply::Done));
    }

    async fn seal_key(&mut self, stretched: &VaultKey, salt: VaultSalt) -> Result<(), String> {
        let Some(Open { key, .. }) = &self.open else { return Err(DAMAGED.into()) };
        let head = Head::by_passphrase(stretched, salt, key, &mut self.out.rng());
        let store = self.store.as_mut().ok_or(DAMAGED)?;
        let result = store.put_head(head.to_bytes(), None).await.map_err(|e| e.to_string());
        self.relocked(result, true)
    }

    /// The head was written anew, or not.
    fn relocked(&mut self, result: Result<(), String>, by: bool) -> Result<(), String> {
        if let Err(why) = result {
            self.taken();
            return Err(why);
        }
        if let Some(Open { place: Place::Kept { passphrase, .. }, .. }) = &mut self.open {
            *passphrase = by;
        }
        if let Some(place) = self.open.as_ref().map(|open| open.place.clone()) {
            self.enter(Stage::Open(place));
        }
        Ok(())
    }

    /// Takes everything out of the browser; begins anew with nothing.
    pub(crate) async fn erase(&mut self, number: u64) {
        if !matches!(self.stage, Stage::Fresh | Stage::Locked | Stage::Open(_) | Stage::Lost(_)) {
            return self.refuse(number, "this tab does not have what is kept here; take it over first");
        }
        self.let_go("everything here was erased");
        let mut store = match self.out.store().await {
            Ok(store) => store,
            Err(why) => {
                // Where nothing can be kept there is nothing to take out.
                self.refused = Some(why);
                self.enter(Stage::Fresh);
                return self.reply(number, Ok(Reply::Done));
            }
        };
        match store.erase().await {
            Ok(()) => {
                self.store = Some(store);
                self.enter(Stage::Fresh);
                self.reply(number, Ok(Reply::Done));
            }
            Err(error) => {
                self.refuse(number, format!("not everything could be erased: {error}"));
                self.lose(error.to_string());
            }
        }
    }
}

/// Why all of it could not be read, in the user's words.
pub(crate) fn unloaded(error: &LoadError) -> String {
    match error {
        LoadError::Vault(error) => unopened(error),
        _ => NEWER.into(),
    }
}

/// What the vault said, in the user's words.
pub(crate) fn unopened(error: &VaultError) -> String {
    match error {
        VaultError::Newer(_) => NEWER.into(),
        VaultError::Backend(error) => error.to_string(),
        _ => DAMAGED.into(),
    }
}
