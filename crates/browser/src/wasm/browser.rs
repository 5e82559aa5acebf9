//! The browser as an [`Outside`].

use core::cell::Cell;
use std::rc::Rc;

use estoile_engine::{Lost, RelayId};
use estoile_port::Downs;
use estoile_wire::Millis;
use getrandom::SysRng;
use js_sys::{Function, Reflect};
use rand_core::{TryRng as _, UnwrapErr};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::idb::Idb;
use super::locks::Locks;
use super::sockets::Sockets;
use super::stretcher::Stretchers;
use super::{fetch, js};
use crate::inbox::{Inbox, Incoming};
use crate::outside::{Outside, Transfer};
use crate::stretch::Job;

/// A browser's worker.
pub(super) struct Browser {
    inbox: Inbox,
    locks: Locks,
    sockets: Sockets,
    stretchers: Stretchers,
    alarm: Alarm,
}

impl Browser {
    pub(super) fn new(inbox: Inbox, spawn: Function) -> Self {
        Self {
            locks: Locks::new(inbox.clone()),
            sockets: Sockets::new(inbox.clone()),
            stretchers: Stretchers::new(inbox.clone(), spawn),
            alarm: Alarm::new(inbox.clone()),
            inbox,
        }
    }
}

impl Outside for Browser {
    type Store = Idb;
    type Rng = UnwrapErr<SysRng>;

    fn able(&self) -> Result<(), String> {
        let scope = js_sys::global();
        let has = |name: &str| Reflect::get(&scope, &name.into()).is_ok_and(|value| !value.is_undefined());
        let subtle = || {
            js::scope()
                .crypto()
                .is_ok_and(|crypto| Reflect::get(&crypto, &"subtle".into()).is_ok_and(|subtle| !subtle.is_undefined()))
        };
        if SysRng.try_next_u64().is_err() || !has("crypto") {
            return Err(
                "This browser gives no random numbers, and nothing can be sealed without them. Use a newer browser."
                    .into(),
            );
        }
        if !subtle() {
            return Err("This page did not come over a secure connection, so the browser keeps from it what sealing needs. Open it by an https:// link.".into());
        }
        if !has("WebSocket") || !has("fetch") {
            return Err(
                "This browser can't hold a connection to the relay (it has no WebSocket). Use a newer browser.".into(),
            );
        }
        Ok(())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since 1970 fit for millennia"
    )]
    fn now(&self) -> Millis {
        js_sys::Date::now() as Millis
    }

    fn rng(&self) -> Self::Rng {
        UnwrapErr(SysRng)
    }

    fn post(&self, downs: &Downs) {
        match serde_json::to_string(downs) {
            Ok(text) => js::post(&text),
            Err(_) => js::fault("what happened can't be written down"),
        }
    }

    fn fault(&self, what: &str) {
        js::fault(what);
    }

    fn alarm(&mut self, after: u64) {
        self.alarm.set(after);
    }

    async fn pause(&self, milliseconds: u64) {
        js::sleep(milliseconds).await;
    }

    async fn own(&mut self, take_over: bool) -> Result<bool, String> {
        self.locks.own(take_over).await
    }

    fn owns(&self) -> bool {
        self.locks.owns()
    }

    async fn store(&mut self) -> Result<Idb, String> {
        Idb::open(self.locks.owner(), self.inbox.clone()).await
    }

    async fn persistent(&self) -> bool {
        let Ok(promise) = js::scope().navigator().storage().persisted() else { return false };
        JsFuture::from(promise).await.is_ok_and(|answer| answer.is_truthy())
    }

    fn stretch(&mut self, number: u64, job: Job) {
        self.stretchers.begin(number, job);
    }

    fn stop(&mut self, number: u64) {
        self.stretchers.stop(number);
    }

    fn connect(&mut self, relay: RelayId, connection: u64, url: &str) {
        self.sockets.connect(relay, connection, url);
    }

    fn send(&mut self, relay: RelayId, frame: &[u8]) -> Result<(), Lost> {
        self.sockets.send(relay, frame)
    }

    fn disconnect(&mut self, relay: RelayId) {
        self.sockets.disconnect(relay);
    }

    fn transfer(&mut self, round: u64, transfer: Transfer) {
        spawn_local(fetch::run(round, transfer, self.inbox.clone()));
    }
}

/// One timer, set anew each time.
struct Alarm {
    rings: Closure<dyn FnMut()>,
    handle: Rc<Cell<Option<i32>>>,
}

impl Alarm {
    fn new(inbox: Inbox) -> Self {
        let handle = Rc::new(Cell::new(None));
        let rung = Rc::clone(&handle);
        let rings = Closure::new(move || {
            rung.set(None);
            inbox.push(Incoming::Alarm);
        });
        Self { rings, handle }
    }

    fn set(&self, after: u64) {
        if let Some(handle) = self.handle.take() {
            js::scope().clear_timeout_with_handle(handle);
        }
        let after = i32::try_from(after).unwrap_or(i32::MAX);
        let rings = self.rings.as_ref().unchecked_ref();
        match js::scope().set_timeout_with_callback_and_timeout_and_arguments_0(rings, after) {
            Ok(handle) => self.handle.set(Some(handle)),
            Err(_) => js::fault("there is no timer"),
        }
    }
}
