//! The queues of events from the driver to whoever listens: bounded, and told when something was lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use estoile_engine::Event;
use tokio::sync::Notify;

use crate::config::Delivery;

/// An interactive face that is this many events behind reloads instead: a snapshot is cheaper than the backlog.
/// A pipe that is this far behind makes the client stop reading from its relays.
pub(crate) const QUEUE: usize = 4096;

#[derive(Default)]
struct State {
    waiting: VecDeque<Event>,
    closed: bool,
    deaf: bool,
}

struct Shared {
    state: Mutex<State>,
    filled: Notify,
    drained: Arc<Notify>,
    delivery: Delivery,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a face reads; dropping it means that nobody listens any more.
pub struct Events(Arc<Shared>);

impl core::fmt::Debug for Events {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// The next event; none when the client has ended and everything was read. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let filled = self.0.filled.notified();
            {
                let mut state = self.0.lock();
                if let Some(event) = state.waiting.pop_front() {
                    if state.waiting.len() + 1 == QUEUE {
                        self.0.drained.notify_one();
                    }
                    return Some(event);
                }
                if state.closed {
                    return None;
                }
            }
            filled.await;
        }
    }

    /// The next event if one waits.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Event> {
        let mut state = self.0.lock();
        let event = state.waiting.pop_front();
        if state.waiting.len() + 1 == QUEUE {
            self.0.drained.notify_one();
        }
        event
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.deaf = true;
        state.waiting.clear();
        self.0.drained.notify_one();
    }
}

/// The driver's end of one queue.
struct EventSender(Arc<Shared>);

impl EventSender {
    /// Adds an event, or one `Reload` in the place of all that waits.
    fn push(&self, event: Event) {
        let mut state = self.0.lock();
        if state.deaf {
            return;
        }
        if self.0.delivery == Delivery::Interactive && state.waiting.len() >= QUEUE {
            state.waiting.clear();
            state.waiting.push_back(Event::Reload);
        } else {
            state.waiting.push_back(event);
        }
        drop(state);
        self.0.filled.notify_one();
    }

    /// Whether the relays should wait for the face.
    fn full(&self) -> bool {
        self.0.delivery == Delivery::Lossless && self.0.lock().waiting.len() >= QUEUE
    }

    fn hears(&self) -> bool {
        !self.0.lock().deaf
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.filled.notify_one();
    }
}

/// All that listen: this process's face, and commands of others that act through it. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<EventSender>>>, Arc<Notify>);

impl Listeners {
    /// One more, who hears what comes from now on.
    pub(crate) fn add(&self, delivery: Delivery) -> Events {
        let drained = Arc::clone(&self.1);
        let shared = Arc::new(Shared { state: Mutex::default(), filled: Notify::new(), drained, delivery });
        self.lock().push(EventSender(Arc::clone(&shared)));
        Events(shared)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<EventSender>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all of them.
    pub(crate) fn push(&self, event: Event) {
        let mut senders = self.lock();
        senders.retain(EventSender::hears);
        let Some((last, others)) = senders.split_last() else { return };
        for sender in others {
            sender.push(event.clone());
        }
        last.push(event);
    }

    /// Whether the relays should wait for one of them.
    pub(crate) fn full(&self) -> bool {
        self.lock().iter().any(EventSender::full)
    }

    /// Waits until it makes sense to ask [`Self::full`] again.
    pub(crate) async fn drained(&self) {
        self.1.notified().await;
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        self.lock().clear();
    }
}
