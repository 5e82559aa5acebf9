//! Blobs by `fetch`.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit,
    RequestRedirect, Response,
};

use super::js;
use crate::blob::{self, Broken, Got, Wire};
use crate::inbox::{Inbox, Incoming};
use crate::outside::{Transfer, Way};

/// A transfer in which nothing moves for so long is broken; of a put nothing is seen before its end, and a relay's grant is
/// good for ten minutes.
const GET_PATIENCE_MS: i32 = 30_000;
const PUT_PATIENCE_MS: i32 = 600_000;
/// The body of an answer to a put is a number.
const SHORT: usize = 64;

/// Does a transfer, and says how it ended.
pub(super) async fn run(round: u64, transfer: Transfer, inbox: Inbox) {
    let Transfer { relay, url, hash, way } = transfer;
    let wire = Fetch { url };
    inbox.push(match way {
        Way::Put { token, from, bytes } => {
            Incoming::BlobPut(round, relay, hash, blob::put(&wire, token, from, &bytes).await)
        }
        Way::Get { size } => Incoming::BlobGot(round, relay, hash, blob::get(&wire, size).await),
    });
}

struct Fetch {
    url: String,
}

impl Wire for Fetch {
    async fn put(&self, headers: &[(&str, String)], part: &[u8]) -> Result<(u16, Vec<u8>), Broken> {
        let watch = Watch::new(PUT_PATIENCE_MS)?;
        let response = self.ask("PUT", headers, Some(part), &watch).await?;
        let mut body = Vec::new();
        read(&response, &mut body, SHORT, &watch).await?;
        Ok((response.status(), body))
    }

    async fn get(&self, from: u64, size: u64, bytes: &mut Vec<u8>) -> Result<Got, Broken> {
        let watch = Watch::new(GET_PATIENCE_MS)?;
        let range = [("range", format!("bytes={from}-"))];
        let headers = if from > 0 { range.as_slice() } else { &[] };
        let response = self.ask("GET", headers, None, &watch).await?;
        let status = response.status();
        if status == 200 {
            bytes.clear();
        }
        let left = size.saturating_sub(bytes.len() as u64);
        let told = response.headers().get("content-length").ok().flatten().and_then(|n| n.parse::<u64>().ok());
        let wrong_length = told != Some(left);
        if matches!(status, 200 | 206) && !wrong_length {
            read(&response, bytes, usize::try_from(size).unwrap_or(usize::MAX), &watch).await?;
        }
        Ok(Got { status, wrong_length })
    }

    async fn pause(&self, milliseconds: u64) {
        js::sleep(milliseconds).await;
    }
}

impl Fetch {
    async fn ask(
        &self,
        method: &str,
        headers: &[(&str, String)],
        body: Option<&[u8]>,
        watch: &Watch,
    ) -> Result<Response, Broken> {
        let all = Headers::new().map_err(|e| broken(&e))?;
        for (name, value) in headers {
            all.set(name, value).map_err(|e| broken(&e))?;
        }
        let init = RequestInit::new();
        init.set_method(method);
        init.set_headers(&all);
        init.set_cache(RequestCache::NoStore);
        init.set_credentials(RequestCredentials::Omit);
        init.set_redirect(RequestRedirect::Error);
        init.set_signal(Some(&watch.controller.signal()));
        if let Some(body) = body {
            init.set_body(&Uint8Array::from(body));
        }
        let answer = JsFuture::from(js::scope().fetch_with_str_and_init(&self.url, &init)).await;
        answer.map_err(|e| broken(&e))?.dyn_into().map_err(|e| broken(&e))
    }
}

/// Reads a body into `bytes`, until it ends or there are so many.
async fn read(response: &Response, bytes: &mut Vec<u8>, most: usize, watch: &Watch) -> Result<(), Broken> {
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        watch.again();
        let step = JsFuture::from(reader.read()).await.map_err(|e| broken(&e))?;
        let field = |name: &str| Reflect::get(&step, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if field("done").is_truthy() {
            return Ok(());
        }
        let part = field("value").dyn_into::<Uint8Array>().map_err(|e| broken(&e))?;
        let room = most.saturating_sub(bytes.len());
        if usize::try_from(part.length()).map_or(true, |length| length > room) {
            watch.controller.abort();
            return Err("the relay sends more than there is".into());
        }
        bytes.extend_from_slice(&part.to_vec());
    }
}

fn broken(error: &JsValue) -> Broken {
    format!("the transfer broke off ({})", js::name(error))
}

/// Breaks a request off in which nothing moves.
struct Watch {
    controller: AbortController,
    patience: i32,
    rings: Closure<dyn FnMut()>,
    handle: Rc<Cell<Option<i32>>>,
}

impl Watch {
    fn new(patience: i32) -> Result<Self, Broken> {
        let controller = AbortController::new().map_err(|e| broken(&e))?;
        let abort = controller.clone();
        let rings = Closure::new(move || abort.abort());
        let watch = Self { controller, patience, rings, handle: Rc::default() };
        watch.again();
        Ok(watch)
    }

    /// Something moved.
    fn again(&self) {
        self.still();
        let rings = self.rings.as_ref().unchecked_ref();
        let set = js::scope().set_timeout_with_callback_and_timeout_and_arguments_0(rings, self.patience);
        self.handle.set(set.ok());
    }

    fn still(&self) {
        if let Some(handle) = self.handle.take() {
            js::scope().clear_timeout_with_handle(handle);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.still();
    }
}
