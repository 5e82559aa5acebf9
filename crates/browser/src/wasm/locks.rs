//! Which tab has the vault: Web Locks. A tab that has it holds the lock until it ends, or until another steals it.

use core::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::js;
use crate::inbox::{Inbox, Incoming};

/// The lock's name, one for an origin.
const NAME: &str = "estoile vault";
/// What a browser without locks is told.
const NONE: &str = "This browser can't keep two tabs from writing over each other (it has no Web Locks). Use a newer browser, over https.";

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`.
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, name: &str, options: &Object, granted: &Function) -> Result<Promise, JsValue>;
}

/// Whether this tab has the vault; shared with the store, which finds out by itself, too.
pub(super) type Owner = Rc<Cell<bool>>;

/// This tab's part in it.
pub(super) struct Locks {
    inbox: Inbox,
    owner: Owner,
    /// A request waits for the other tab's end.
    waits: Rc<Cell<bool>>,
}

impl Locks {
    pub(super) fn new(inbox: Inbox) -> Self {
        Self { inbox, owner: Rc::default(), waits: Rc::default() }
    }

    pub(super) fn owns(&self) -> bool {
        self.owner.get()
    }

    pub(super) fn owner(&self) -> Owner {
        Rc::clone(&self.owner)
    }

    pub(super) async fn own(&mut self, take_over: bool) -> Result<bool, String> {
        if self.owner.get() {
            return Ok(true);
        }
        self.waits.set(false);
        let options = if take_over { "steal" } else { "ifAvailable" };
        let mut asked = Err(JsValue::NULL);
        let answer = js::promised(|resolve, reject| {
            let (resolve, owner) = (resolve.clone(), Rc::clone(&self.owner));
            asked = self.request(Some(options), Some(reject), move |lock| {
                let granted = !lock.is_null();
                owner.set(granted);
                // Nobody waits for what it returns.
                let _ = resolve.call1(&JsValue::NULL, &granted.into());
                granted
            });
        });
        let answer = match asked {
            Ok(()) => answer.await,
            Err(error) => Err(error),
        };
        let granted = match answer {
            Ok(granted) => granted.is_truthy(),
            // The browser is set to keep nothing for this page. Then no other tab has anything either.
            Err(error) if js::name(&error) == "SecurityError" => {
                self.owner.set(true);
                true
            }
            Err(_) => return Err(NONE.to_owned()),
        };
        if !granted {
            self.wait();
        }
        Ok(granted)
    }

    /// Takes the vault when the tab that has it is gone, if it is still wanted then.
    fn wait(&self) {
        self.waits.set(true);
        let (owner, waits, inbox) = (Rc::clone(&self.owner), Rc::clone(&self.waits), self.inbox.clone());
        let asked = self.request(None, None, move |_| {
            let wanted = waits.take();
            if wanted {
                owner.set(true);
                inbox.push(Incoming::Freed);
            }
            wanted
        });
        if asked.is_err() {
            js::fault("the other tab can't be waited for");
        }
    }

    /// Asks for the lock. `granted` says whether to hold it. A lock that is lost while it is held was stolen; `failed` hears of
    /// it, too.
    fn request(
        &self,
        option: Option<&str>,
        failed: Option<&Function>,
        granted: impl FnOnce(JsValue) -> bool + 'static,
    ) -> Result<(), JsValue> {
        let navigator = js::scope().navigator();
        let locks = Reflect::get(&navigator, &"locks".into())?;
        if locks.is_undefined() {
            return Err(JsValue::UNDEFINED);
        }
        let options = Object::new();
        if let Some(option) = option {
            Reflect::set(&options, &option.into(), &true.into())?;
        }
        let granted = Closure::once_into_js(move |lock: JsValue| {
            if granted(lock) {
                // Never settled: the lock is held until this worker ends.
                Promise::new(&mut |_, _| {}).into()
            } else {
                JsValue::UNDEFINED
            }
        });
        let held = locks.unchecked_into::<LockManager>().request(NAME, &options, granted.unchecked_ref())?;
        let (owner, inbox, failed) = (Rc::clone(&self.owner), self.inbox.clone(), failed.cloned());
        spawn_local(async move {
            let Err(error) = JsFuture::from(held).await else { return };
            if owner.replace(false) {
                inbox.push(Incoming::Robbed);
            }
            if let Some(failed) = failed {
                // Nobody waits for what it returns.
                let _ = failed.call1(&JsValue::NULL, &error);
            }
        });
        Ok(())
    }
}
