//! The ways in which a relay misbehaves. Each sees every frame in both directions and says what goes on instead: nothing, the
//! same, another, or several. They compose: each takes what the one before it lets through.

use estoile_wire::frame::Record;
use estoile_wire::{ClientFrame, Millis, RelayFrame};

use crate::world::{Switch, Who};

/// A frame on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing {
    /// Whose connection.
    pub(crate) who: Who,
    /// From the client to the relay.
    pub(crate) up: bool,
    pub(crate) now: Millis,
}

type Frames = Box<dyn FnMut(&Passing, &[u8]) -> Vec<Vec<u8>>>;
type Blobs = Box<dyn FnMut(&[u8; 32], Option<Vec<u8>>) -> Option<Vec<u8>>>;

/// One misbehaviour.
pub(crate) struct Misbehaviour {
    name: String,
    frames: Option<Frames>,
    blobs: Option<Blobs>,
}

impl Misbehaviour {
    /// Does this with frames.
    pub(crate) fn new(name: &str, frames: impl FnMut(&Passing, &[u8]) -> Vec<Vec<u8>> + 'static) -> Self {
        Self { name: name.to_owned(), frames: Some(Box::new(frames)), blobs: None }
    }

    /// Does this with blobs that are asked for.
    pub(crate) fn with_blobs(
        name: &str,
        blobs: impl FnMut(&[u8; 32], Option<Vec<u8>>) -> Option<Vec<u8>> + 'static,
    ) -> Self {
        Self { name: name.to_owned(), frames: None, blobs: Some(Box::new(blobs)) }
    }

    /// What it does, for the story.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn takes(&mut self, passing: &Passing, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.frames.as_mut().map_or_else(|| vec![bytes.to_vec()], |frames| frames(passing, bytes))
    }

    pub(crate) fn serves(&mut self, hash: &[u8; 32], blob: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match self.blobs.as_mut() {
            Some(blobs) => blobs(hash, blob),
            None => blob,
        }
    }
}

/// Does something with each record on its way to a client, and leaves everything else as it is.
pub(crate) fn records(
    name: &str,
    mut what: impl FnMut(&Passing, Record<'_>) -> Vec<Vec<u8>> + 'static,
) -> Misbehaviour {
    Misbehaviour::new(name, move |passing, bytes| match RelayFrame::decode(bytes) {
        Ok(RelayFrame::Record(record)) if !passing.up => what(passing, record),
        _ => vec![bytes.to_vec()],
    })
}

/// Drops the records to one client for which this holds, while the switch is on.
pub(crate) fn withhold(from: Who, on: &Switch, mut which: impl FnMut(&Record<'_>) -> bool + 'static) -> Misbehaviour {
    let on = on.clone();
    records("it withholds records", move |passing, record| {
        if passing.who == from && on.is_on() && which(&record) { Vec::new() } else { vec![again(&record)] }
    })
}

/// A record as a frame, as it came.
pub(crate) fn again(record: &Record<'_>) -> Vec<u8> {
    RelayFrame::Record(record.clone()).encode()
}

/// The same record with another body.
pub(crate) fn with_body(record: &Record<'_>, body: &[u8]) -> Vec<u8> {
    RelayFrame::Record(Record { body, ..record.clone() }).encode()
}

/// Drops what one client appends while the switch is on, and says that it was kept.
pub(crate) fn swallow(by: Who, on: &Switch) -> Misbehaviour {
    let on = on.clone();
    Misbehaviour::new("it swallows what is appended", move |passing, bytes| {
        let append =
            passing.up && passing.who == by && matches!(ClientFrame::decode(bytes), Ok(ClientFrame::Append(_)));
        if append && on.is_on() { Vec::new() } else { vec![bytes.to_vec()] }
    })
}
