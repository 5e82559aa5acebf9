//! The worker's global scope, and promises as futures.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, DomException, MessageEvent};

/// This worker.
pub(super) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Something that must never happen has happened.
pub(super) fn fault(what: &str) {
    web_sys::console::error_1(&JsValue::from(format!("estoile: {what}")));
}

/// Says something to the page.
pub(super) fn post(text: &str) {
    if scope().post_message(&JsValue::from(text)).is_err() {
        fault("the page can't be told");
    }
}

/// Hears what the page says, for as long as this worker lives.
pub(super) fn on_message(mut hear: impl FnMut(String) + 'static) {
    let closure = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| match event.data().as_string() {
        Some(text) => hear(text),
        None => fault("the page said something that is no text"),
    });
    scope().set_onmessage(Some(closure.as_ref().unchecked_ref()));
    closure.forget();
}

/// A promise that others settle, as a future: they are given what resolves and what rejects it.
pub(super) fn promised(settle: impl FnOnce(&Function, &Function)) -> JsFuture {
    let mut settle = Some(settle);
    JsFuture::from(Promise::new(&mut |resolve, reject| {
        if let Some(settle) = settle.take() {
            settle(&resolve, &reject);
        }
    }))
}

/// Waits.
pub(super) async fn sleep(milliseconds: u64) {
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    let slept = promised(|resolve, _| {
        if scope().set_timeout_with_callback_and_timeout_and_arguments_0(resolve, milliseconds).is_err() {
            fault("there is no timer");
        }
    });
    // Nobody rejects it.
    let _ = slept.await;
}

/// What a thrown thing is called; nothing of what it says.
pub(super) fn name(error: &JsValue) -> String {
    match error.dyn_ref::<DomException>() {
        Some(error) => error.name(),
        None => error.dyn_ref::<js_sys::Error>().map_or_else(|| "no reason".into(), |error| error.name().into()),
    }
}
