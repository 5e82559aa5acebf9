//! The vault's store: one object store of IndexedDB. Sealed entries stand under binary keys, what says how they are sealed
//! under text keys, which no range of binary ones ever meets.
//!
//! Every write is one transaction of strict durability, awaited to its end. It begins by reading whose the store is: a tab
//! that was robbed of it finds so in the very transaction that it would have written in, and nothing of that is kept.

use core::cell::Cell;
use std::rc::Rc;

use estoile_engine::Backend;
use estoile_engine::vault::{BackendError, Batch, Entry};
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use rand_core::{Rng as _, UnwrapErr};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransaction};
use zeroize::Zeroizing;

use super::js;
use super::keys::{self, WrappingKey};
use super::locks::Owner;
use crate::inbox::{Inbox, Incoming};
use crate::outside::Keep;

/// The database, and its one object store.
const DATABASE: &str = "estoile";
const STORE: &str = "vault";
/// The text keys: how the vault's key is found, what wraps it, and whose the store is.
const HEAD: &str = "head";
const WRAPPING: &str = "wrapping key";
const OWNER: &str = "owner";
/// What a write of a robbed tab is told.
const ROBBED: &str = "another tab has taken over";

#[wasm_bindgen]
extern "C" {
    /// A database, with the transactions that `web-sys` does not know yet.
    #[wasm_bindgen(extends = IdbDatabase)]
    #[derive(Clone)]
    type Database;

    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn begin(this: &Database, store: &str, mode: &str, options: &Object) -> Result<IdbTransaction, JsValue>;
}

/// The store. Clones are the same.
#[derive(Clone)]
pub(super) struct Idb {
    database: Database,
    owner: Owner,
    inbox: Inbox,
    /// What this tab wrote into the store when it took it.
    token: JsValue,
    /// The browser closed the store by itself.
    gone: Rc<Cell<bool>>,
}

impl Idb {
    /// Opens the store, or makes it, and claims it for this tab.
    pub(super) async fn open(owner: Owner, inbox: Inbox) -> Result<Self, String> {
        let refused = |error: &JsValue| {
            format!(
                "This browser keeps nothing for this page ({}): it is a private window, or a setting blocks what sites keep. Rooms and messages are gone from here when this tab closes.",
                js::name(error)
            )
        };
        let database = database().await.map_err(|e| refused(&e))?;
        let mut token = [0; 16];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut token);
        let token = JsValue::from(data_encoding::HEXLOWER.encode(&token));
        let gone = Rc::new(Cell::new(false));
        let closed = Closure::once_into_js({
            let (gone, inbox) = (Rc::clone(&gone), inbox.clone());
            move || {
                gone.set(true);
                inbox.push(Incoming::Gone);
            }
        });
        // It happens when the site's data are cleared, or when the disk fails; our own erasing does not close it.
        database.set_onclose(Some(closed.unchecked_ref()));
        let store = Self { database, owner, inbox, token, gone };
        store.claim().await.map_err(|error| refused(&error))?;
        Ok(store)
    }

    async fn claim(&self) -> Result<(), JsValue> {
        let transaction = self.transaction("readwrite")?;
        let done = completed(&transaction);
        transaction.object_store(STORE)?.put_with_key(&self.token, &OWNER.into())?;
        done.await.map(drop).map_err(|_| reason(&transaction))
    }

    fn transaction(&self, mode: &str) -> Result<IdbTransaction, JsValue> {
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &"strict".into())?;
        self.database.begin(STORE, mode, &options)
    }

    fn reading(&self) -> Result<IdbObjectStore, JsValue> {
        self.transaction("readonly")?.object_store(STORE)
    }

    /// Writes, if the store is still this tab's.
    async fn write(&self, writes: impl FnOnce(&IdbObjectStore) -> Result<(), JsValue>) -> Result<(), BackendError> {
        if !self.owner.get() {
            return Err(BackendError(ROBBED.into()));
        }
        let transaction = self.transaction("readwrite").map_err(|e| failed(&e))?;
        let done = completed(&transaction);
        let work = || {
            let store = transaction.object_store(STORE)?;
            let whose = answered(&store.get(&OWNER.into())?);
            writes(&store)?;
            Ok(whose)
        };
        let whose = match work() {
            Ok(whose) => whose,
            Err(error) => {
                // It may have ended by itself.
                let _ = transaction.abort();
                let _ = done.await;
                return Err(failed(&error));
            }
        };
        let ours = match whose.await {
            Ok(whose) => whose == self.token,
            Err(_) => {
                let _ = done.await;
                return Err(failed(&reason(&transaction)));
            }
        };
        if !ours {
            // The owner's answer is the transaction's first: what was asked after it is undone.
            let _ = transaction.abort();
            let _ = done.await;
            if self.owner.replace(false) {
                self.inbox.push(Incoming::Robbed);
            }
            return Err(BackendError(ROBBED.into()));
        }
        done.await.map(drop).map_err(|_| failed(&reason(&transaction)))
    }

    async fn text(&self, key: &str) -> Result<JsValue, BackendError> {
        let request = self.reading().and_then(|store| store.get(&key.into())).map_err(|e| failed(&e))?;
        answered(&request).await.map_err(|e| failed(&e))
    }
}

impl Backend for Idb {
    async fn get(&self, name: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let request = self.reading().and_then(|store| store.get(&bytes(name))).map_err(|e| failed(&e))?;
        Ok(plain(&answered(&request).await.map_err(|e| failed(&e))?))
    }

    async fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, BackendError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let Some(range) = range(prefix, after).map_err(|e| failed(&e))? else { return Ok(Vec::new()) };
        let ask = || {
            let store = self.reading()?;
            let names = store.get_all_keys_with_key_and_limit(&range, limit)?;
            let values = store.get_all_with_key_and_limit(&range, limit)?;
            Ok((answered(&names), answered(&values)))
        };
        let (names, values) = ask().map_err(|e: JsValue| failed(&e))?;
        let names: Array = names.await.map_err(|e| failed(&e))?.unchecked_into();
        let values: Array = values.await.map_err(|e| failed(&e))?.unchecked_into();
        let entry = |(name, value): (JsValue, JsValue)| Some((plain(&name)?, plain(&value)?));
        let entries: Option<Vec<Entry>> = names.iter().zip(values.iter()).map(entry).collect();
        entries.ok_or_else(|| BackendError("the browser's store holds what this program did not write".into()))
    }

    async fn commit(&mut self, batch: Batch) -> Result<(), BackendError> {
        self.write(|store| {
            for prefix in &batch.clear {
                if let Some(range) = range(prefix, None)? {
                    store.delete(&range)?;
                }
            }
            for (name, value) in &batch.writes {
                match value {
                    Some(value) => store.put_with_key(&bytes(value), &bytes(name))?,
                    None => store.delete(&bytes(name))?,
                };
            }
            Ok(())
        })
        .await
    }
}

impl Keep for Idb {
    type Wrapping = WrappingKey;

    async fn head(&self) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(plain(&self.text(HEAD).await?))
    }

    async fn put_head(&mut self, head: Vec<u8>, wrapping: Option<WrappingKey>) -> Result<(), BackendError> {
        self.write(|store| {
            store.put_with_key(&bytes(&head), &HEAD.into())?;
            match &wrapping {
                Some(key) => store.put_with_key(key, &WRAPPING.into())?,
                None => store.delete(&WRAPPING.into())?,
            };
            Ok(())
        })
        .await
    }

    async fn wrap(&self, key: &[u8; 32]) -> Result<(Vec<u8>, WrappingKey), BackendError> {
        keys::wrap(key).await.map_err(|e| failed(&e))
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, BackendError> {
        let key = self.text(WRAPPING).await?;
        keys::unwrap(&key, wrapped).await.map_err(|e| failed(&e))
    }

    fn is_gone(&self) -> bool {
        self.gone.get()
    }

    async fn erase(&mut self) -> Result<(), BackendError> {
        self.write(|store| {
            store.clear()?;
            store.put_with_key(&self.token, &OWNER.into()).map(drop)
        })
        .await
    }
}

/// The database; made where it is missing.
async fn database() -> Result<Database, JsValue> {
    let factory = Reflect::get(&js_sys::global(), &"indexedDB".into())?;
    if !factory.is_object() {
        return Err(JsValue::UNDEFINED);
    }
    let request = factory.unchecked_into::<IdbFactory>().open_with_u32(DATABASE, 1)?;
    let asked = request.clone();
    let make = Closure::<dyn FnMut()>::new(move || {
        let made =
            asked.result().and_then(|database| database.unchecked_into::<IdbDatabase>().create_object_store(STORE));
        if made.is_err() {
            js::fault("the store can't be made");
        }
    });
    request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
    Ok(answered(&request).await?.unchecked_into())
}

/// A request's result. It is listened for at once, not when somebody waits.
fn answered(request: &IdbRequest) -> impl Future<Output = Result<JsValue, JsValue>> + use<> {
    let (request, settled) = (request.clone(), settled(request));
    async move {
        match settled.await {
            Ok(_) => request.result(),
            Err(_) => Err(request.error().ok().flatten().map_or(JsValue::UNDEFINED, JsValue::from)),
        }
    }
}

fn settled(request: &IdbRequest) -> JsFuture {
    js::promised(|resolve, reject| {
        request.set_onsuccess(Some(resolve));
        request.set_onerror(Some(reject));
    })
}

/// A transaction's end.
fn completed(transaction: &IdbTransaction) -> JsFuture {
    js::promised(|resolve, reject| {
        transaction.set_oncomplete(Some(resolve));
        transaction.set_onabort(Some(reject));
    })
}

/// Why a transaction was not done.
fn reason(transaction: &IdbTransaction) -> JsValue {
    transaction.error().map_or(JsValue::UNDEFINED, JsValue::from)
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// Bytes that were kept, or a key of bytes.
fn plain(value: &JsValue) -> Option<Vec<u8>> {
    let array = value.dyn_ref::<Uint8Array>().cloned();
    array.or_else(|| value.dyn_ref::<ArrayBuffer>().map(|buffer| Uint8Array::new(buffer))).map(|array| array.to_vec())
}

/// All names that begin with a prefix, and come after one of them; none if there can be none.
fn range(prefix: &[u8], after: Option<&[u8]>) -> Result<Option<IdbKeyRange>, JsValue> {
    let after = after.filter(|after| *after >= prefix);
    let (lower, open) = (bytes(after.unwrap_or(prefix)), after.is_some());
    let Some(end) = crate::shelf::end_of(prefix) else {
        return IdbKeyRange::lower_bound_with_open(&lower, open).map(Some);
    };
    if after.is_some_and(|after| after >= end.as_slice()) {
        return Ok(None);
    }
    IdbKeyRange::bound_with_lower_open_and_upper_open(&lower, &bytes(&end), open, true).map(Some)
}

/// What went wrong, in a clause.
fn failed(error: &JsValue) -> BackendError {
    BackendError(match js::name(error).as_str() {
        "QuotaExceededError" => "the browser gives this page no more room".into(),
        "InvalidStateError" => "the browser has closed its store, perhaps because its data was cleared".into(),
        other => format!("the browser's store does not work ({other})"),
    })
}
