//! The browser around the client: what a dedicated worker has of it. Small, because only a real browser can test it.

mod browser;
mod fetch;
mod idb;
mod js;
mod keys;
mod later;
mod locks;
mod sockets;
mod stretcher;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use zeroize::Zeroizing;

use crate::Client;
use crate::inbox::{Inbox, Incoming};
use crate::stretch::Job;
use browser::Browser;

pub use later::later;

/// Starts the client in this worker. `spawn` makes a further worker of the same code, for [`stretch`]: a URL of a script needs
/// a policy of Trusted Types, which the worker's own script has.
#[wasm_bindgen]
pub fn start(spawn: js_sys::Function) {
    std::panic::set_hook(Box::new(|info| {
        js::fault(&info.to_string());
        js::post(LOST);
    }));
    let inbox = Inbox::default();
    let up = inbox.clone();
    js::on_message(move |text| up.push(Incoming::Up(Zeroizing::new(text))));
    spawn_local(Client::new(Browser::new(inbox.clone(), spawn), inbox).run());
}

/// What the page is told when this worker broke: after a panic nothing of it may be used any more.
const LOST: &str = r#"[{"Stage":{"Lost":"The program has a fault and stopped, before it could do harm. Reload the page; what was kept is kept."}}]"#;

/// Does a job of stretching, given as text; for the further worker.
///
/// # Errors
/// Why not, in a sentence.
#[wasm_bindgen]
pub fn stretch(job: &str) -> Result<Vec<u8>, JsValue> {
    let job: Job = serde_json::from_str(job).map_err(|_| JsValue::from("the passphrase did not arrive; try again"))?;
    job.run().map(|bytes| bytes.to_vec()).map_err(JsValue::from)
}
