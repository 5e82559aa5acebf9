//! The door to this program's second part (`crates/bundle/src/split.rs`): functions that a first visit does without.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `static/later.js` fetches the second part, while all waits, and puts it beside the first.
    #[wasm_bindgen(js_name = estoileLater)]
    fn fetch();
}

/// Called by what a function of the second part left behind, when that part is not there yet.
#[wasm_bindgen]
pub fn later() {
    fetch();
}
