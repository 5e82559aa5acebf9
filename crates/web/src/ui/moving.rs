//! Whether somebody scrolls just now.
//!
//! While rows move under a pointer that stands still, it is over another one in each frame. Each of them would show what can
//! be done with it, for a moment in which nobody could: that was a third of a frame's work. So meanwhile rows are not pointed at.

use reactive_graph::owner::LocalStorage;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use super::prelude::*;
use super::timeline::clock;

/// So long after the last movement it is over, milliseconds: sooner than anybody aims, later than the next turn of a wheel.
const QUIET: i32 = 100;

/// Whether a scroller moves.
#[derive(Clone, Copy)]
pub(crate) struct Moving {
    on: RwSignal<bool>,
    last: StoredValue<f64, LocalStorage>,
}

impl Moving {
    pub(crate) fn new() -> Self {
        Self { on: RwSignal::new(false), last: StoredValue::new_local(0.0) }
    }

    pub(crate) fn get(self) -> bool {
        self.on.get()
    }

    /// It moved, or did before it went. Whoever holds a button down inside selects text, which goes on.
    pub(crate) fn moved(self, inside: NodeRef<Div>) {
        _ = self.last.try_set_value(clock());
        let held = || inside.try_get_untracked().flatten().is_some_and(|i| i.matches(":active").unwrap_or(false));
        if self.on.try_get_untracked() == Some(false) && !held() {
            _ = self.on.try_set(true);
            self.rests(QUIET);
        }
    }

    /// Looks after so many milliseconds whether it rests.
    fn rests(self, after: i32) {
        let look = Closure::once_into_js(move || {
            // The scroller may be gone.
            let Some(last) = self.last.try_get_value() else { return };
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds; `as` saturates")]
            match QUIET - (clock() - last) as i32 {
                left @ 1.. => self.rests(left),
                _ => drop(self.on.try_set(false)),
            }
        });
        let timer = web_sys::window()
            .and_then(|w| w.set_timeout_with_callback_and_timeout_and_arguments_0(look.unchecked_ref(), after).ok());
        if timer.is_none() {
            _ = self.on.try_set(false);
        }
    }
}
