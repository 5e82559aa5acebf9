//! The page's end of the port: numbers, who waits for which, and how far it is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use estoile_port::{Ask, Down, Downs, Progress, Reply, Stage, Up};
use futures_channel::oneshot;
use reactive_graph::signal::RwSignal;
use reactive_graph::traits::Set;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker};

/// Somebody who waits for a reply.
struct Waiting {
    reply: oneshot::Sender<Result<Reply, String>>,
    progress: Option<RwSignal<Option<Progress>>>,
}

struct Inner {
    worker: Worker,
    next: Cell<u64>,
    waiting: RefCell<BTreeMap<u64, Waiting>>,
}

/// The worker, as the page sees it.
#[derive(Clone)]
pub(crate) struct Port(Rc<Inner>);

impl Port {
    /// Takes over a worker; `early` is what it said before the page listened.
    pub(crate) fn new(worker: Worker, early: Vec<JsValue>, take: impl Fn(Down) + 'static) -> Self {
        let port = Self(Rc::new(Inner { worker, next: Cell::new(1), waiting: RefCell::default() }));
        let take = Rc::new(take);
        port.watch(Rc::clone(&take));
        let own = port.clone();
        let mut hear = move |data: JsValue| {
            let Some(text) = data.as_string() else { return };
            match serde_json::from_str::<Downs>(&text) {
                Ok(downs) => downs.into_iter().for_each(|down| own.hear(down, &*take)),
                Err(error) => web_sys::console::error_2(
                    &"the worker said what is not understood:".into(),
                    &error.to_string().into(),
                ),
            }
        };
        early.into_iter().for_each(&mut hear);
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| hear(event.data()));
        port.0.worker.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
        port
    }

    /// A worker that has a fault does not go on: nobody waits any more, and the page says so.
    fn watch(&self, take: Rc<impl Fn(Down) + 'static>) {
        let own = self.clone();
        let listener = Closure::<dyn FnMut()>::new(move || {
            own.0.waiting.borrow_mut().clear();
            take(Down::Stage(Stage::Lost(String::from(
                "the part of this page that keeps and sends has ended by a fault; load the page again, and what the \
                 relay has acknowledged is there",
            ))));
        });
        self.0.worker.set_onerror(Some(listener.as_ref().unchecked_ref()));
        listener.forget();
    }

    /// What this module answers itself; the rest is for the page.
    fn hear(&self, down: Down, take: &impl Fn(Down)) {
        match down {
            Down::Reply(number, result) => {
                let waiting = self.0.waiting.borrow_mut().remove(&number);
                if let Some(waiting) = waiting {
                    // Nobody may wait any more: the screen that asked is gone.
                    let _ = waiting.reply.send(result.map(|reply| *reply));
                }
            }
            Down::Progress(number, progress) => {
                let signal = self.0.waiting.borrow().get(&number).and_then(|w| w.progress);
                if let Some(signal) = signal {
                    signal.set(Some(progress));
                }
            }
            other => take(other),
        }
    }

    /// Asks; the number is for [`Ask::Cancel`].
    pub(crate) fn ask(
        &self,
        ask: Ask,
        progress: Option<RwSignal<Option<Progress>>>,
    ) -> (u64, impl Future<Output = Result<Reply, String>> + 'static + use<>) {
        let number = self.0.next.replace(self.0.next.get() + 1);
        let (reply, answer) = oneshot::channel();
        let sent = serde_json::to_string(&Up { number, ask })
            .is_ok_and(|text| self.0.worker.post_message(&JsValue::from_str(&text)).is_ok());
        if sent {
            self.0.waiting.borrow_mut().insert(number, Waiting { reply, progress });
        }
        let ended = move || String::from("the part of this page that keeps and sends has ended; load the page again");
        (number, async move { answer.await.unwrap_or_else(|_| Err(ended())) })
    }
}
