//! The ways in which a relay misbehaves. Each sees every frame in both directions and says what goes on instead: nothing, the
//! same, another, or several. They compose: each takes what the one before it lets through.

use estoile_wire::RelayFrame;
use estoile_wire::frame::Record;

use crate::world::{Switch, Who};

/// A frame on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing {
    /// Whose connection.
    pub(crate) who: Who,
    /// From the client to the relay.
    pub(crate) up: bool,
}

type Frames = Box<dyn FnMut(&Passing, &[u8]) -> Vec<Vec<u8>>>;

/// One misbehaviour.
pub(crate) struct Misbehaviour {
    name: String,
    frames: Frames,
}

impl Misbehaviour {
    /// Does this with frames.
    pub(crate) fn new(name: &str, frames: impl FnMut(&Passing, &[u8]) -> Vec<Vec<u8>> + 'static) -> Self {
        Self { name: name.to_owned(), frames: Box::new(frames) }
    }

    /// What it does, for the story.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What goes on instead of a frame.
    pub(crate) fn takes(&mut self, passing: &Passing, bytes: &[u8]) -> Vec<Vec<u8>> {
        (self.frames)(passing, bytes)
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
