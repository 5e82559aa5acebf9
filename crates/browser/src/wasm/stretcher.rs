//! Passphrases are stretched in a short-lived worker of their own: it can be stopped, and its 64 MiB are given back.

use std::collections::BTreeMap;

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Event, MessageEvent, Worker};
use zeroize::Zeroizing;

use super::js;
use crate::inbox::{Inbox, Incoming};
use crate::stretch::Job;

/// All that work.
pub(super) struct Stretchers {
    inbox: Inbox,
    spawn: Function,
    working: BTreeMap<u64, Stretcher>,
}

/// One of them; dropped, it ends.
struct Stretcher {
    worker: Worker,
    _answered: Closure<dyn FnMut(MessageEvent)>,
    _failed: Closure<dyn FnMut(Event)>,
}

impl Drop for Stretcher {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl Stretchers {
    pub(super) fn new(inbox: Inbox, spawn: Function) -> Self {
        Self { inbox, spawn, working: BTreeMap::new() }
    }

    pub(super) fn begin(&mut self, number: u64, job: Job) {
        // Those that have answered are done with.
        let Ok(text) = serde_json::to_string(&job).map(Zeroizing::new) else {
            return js::fault("a passphrase can't be written down");
        };
        let spawned = self.spawn.call0(&JsValue::NULL).and_then(JsCast::dyn_into::<Worker>);
        let Ok(worker) = spawned else { return here(number, &job, &self.inbox) };
        let inbox = self.inbox.clone();
        let answered = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            inbox.push(Incoming::Stretched(number, answer(&event.data())));
        });
        let inbox = self.inbox.clone();
        let failed = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            here(number, &job, &inbox);
        });
        worker.set_onmessage(Some(answered.as_ref().unchecked_ref()));
        worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
        // The code that is compiled already, and the job.
        let message = Array::of2(&wasm_bindgen::module(), &JsValue::from(text.as_str()));
        if worker.post_message(&message).is_err() {
            js::fault("a passphrase's worker can't be told");
        }
        self.working.insert(number, Stretcher { worker, _answered: answered, _failed: failed });
    }

    pub(super) fn stop(&mut self, number: u64) {
        self.working.remove(&number);
    }
}

/// What the worker says: the bytes, or a sentence.
fn answer(said: &JsValue) -> Result<Zeroizing<[u8; 32]>, String> {
    if let Some(why) = said.as_string() {
        return Err(why);
    }
    let bytes = said.dyn_ref::<Uint8Array>().map(|bytes| Zeroizing::new(bytes.to_vec()));
    let bytes = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
    bytes.map(Zeroizing::new).ok_or_else(|| "the passphrase could not be checked; try again".into())
}

/// Where no further worker can be had it is done in this one, which hears nothing else meanwhile.
fn here(number: u64, job: &Job, inbox: &Inbox) {
    inbox.push(Incoming::Stretched(number, job.run()));
}
