//! WebSockets to relays.

use core::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use estoile_engine::{Lost, RelayId};
use estoile_wire::SUBPROTOCOL;
use estoile_wire::limits::MAX_FRAME;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

use super::js;
use crate::inbox::{Inbox, Incoming, SocketEvent};

/// Bytes that may wait for one relay. The engine sends within a window far smaller; more means that the relay is stuck.
const OUTGOING_BYTES: u32 = 8 * 1024 * 1024;
/// What is told of a connection that was never made: the browser tells scripts no more.
const UNREACHABLE: &str =
    "the browser gets no connection and does not say why; check this device's network, and that the relay runs";

/// All connections.
pub(super) struct Sockets {
    inbox: Inbox,
    open: BTreeMap<RelayId, Socket>,
}

impl Sockets {
    pub(super) fn new(inbox: Inbox) -> Self {
        Self { inbox, open: BTreeMap::new() }
    }

    pub(super) fn connect(&mut self, relay: RelayId, connection: u64, url: &str) {
        self.disconnect(relay);
        let voice = Voice { inbox: self.inbox.clone(), relay, connection };
        match WebSocket::new_with_str(url, SUBPROTOCOL) {
            Ok(socket) => drop(self.open.insert(relay, Socket::new(socket, voice))),
            Err(error) => {
                let why = format!("the browser does not connect ({}); reload the page", js::name(&error));
                voice.tell(SocketEvent::Down(Lost::Refused(why)));
            }
        }
    }

    pub(super) fn send(&mut self, relay: RelayId, frame: &[u8]) -> Result<(), Lost> {
        let Some(Socket { socket, .. }) = self.open.get(&relay) else { return Ok(()) };
        if socket.buffered_amount() > OUTGOING_BYTES || socket.send_with_u8_array(frame).is_err() {
            return Err(Lost::Closed);
        }
        Ok(())
    }

    pub(super) fn disconnect(&mut self, relay: RelayId) {
        self.open.remove(&relay);
    }
}

/// How a socket speaks to the loop.
#[derive(Clone)]
struct Voice {
    inbox: Inbox,
    relay: RelayId,
    connection: u64,
}

impl Voice {
    fn tell(&self, event: SocketEvent) {
        self.inbox.push(Incoming::Socket(self.relay, self.connection, event));
    }
}

/// One of them; dropped, it is closed and says no more.
struct Socket {
    socket: WebSocket,
    _opened: Closure<dyn FnMut(Event)>,
    _heard: Closure<dyn FnMut(MessageEvent)>,
    _closed: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    fn new(socket: WebSocket, voice: Voice) -> Self {
        socket.set_binary_type(BinaryType::Arraybuffer);
        let made = Rc::new(Cell::new(false));
        let (up, seen, making) = (voice.clone(), socket.clone(), Rc::clone(&made));
        let opened = Closure::<dyn FnMut(Event)>::new(move |_| {
            making.set(true);
            if seen.protocol() == SUBPROTOCOL {
                up.tell(SocketEvent::Up);
            } else {
                end(&seen, &up, Lost::Refused("it does not speak estoile.v1".into()));
            }
        });
        let (hear, seen) = (voice.clone(), socket.clone());
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            match event.data().dyn_into::<ArrayBuffer>() {
                Ok(frame) if usize::try_from(frame.byte_length()).is_ok_and(|length| length <= MAX_FRAME) => {
                    if !hear.inbox.push_frame(hear.relay, hear.connection, Uint8Array::new(&frame).to_vec()) {
                        end(&seen, &hear, Lost::Closed);
                    }
                }
                Ok(_) => end(&seen, &hear, Lost::Refused("it sent more at once than any relay does".into())),
                Err(_) => end(&seen, &hear, Lost::Refused("it sent text, which no relay does".into())),
            }
        });
        let closed = Closure::<dyn FnMut(CloseEvent)>::new(move |_| {
            let why = if made.get() { Lost::Closed } else { Lost::Unreachable(UNREACHABLE.into()) };
            voice.tell(SocketEvent::Down(why));
        });
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Self { socket, _opened: opened, _heard: heard, _closed: closed }
    }
}

/// Ends a connection from this side, and says so once.
fn end(socket: &WebSocket, voice: &Voice, why: Lost) {
    silence(socket);
    voice.tell(SocketEvent::Down(why));
}

/// What comes afterwards is nobody's.
fn silence(socket: &WebSocket) {
    socket.set_onopen(None);
    socket.set_onmessage(None);
    socket.set_onclose(None);
    // It fails for codes that nobody gave.
    let _ = socket.close();
}

impl Drop for Socket {
    fn drop(&mut self) {
        silence(&self.socket);
    }
}
