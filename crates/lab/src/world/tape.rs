//! All that crossed the wire, for whoever looks for what must not be there, or must not have been answered.

use estoile_wire::{ClientFrame, RelayFrame};

use super::Who;

/// One frame.
#[derive(Clone, Debug)]
pub(crate) struct Crossed {
    pub(crate) who: Who,
    /// Sent by the client, as it left; else as it reached the client.
    pub(crate) up: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Everything, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    frames: Vec<Crossed>,
    /// Sealed blobs, as they were put.
    blobs: Vec<Vec<u8>>,
}

impl Tape {
    pub(crate) fn note(&mut self, who: Who, up: bool, bytes: &[u8]) {
        self.frames.push(Crossed { who, up, bytes: bytes.to_vec() });
    }

    pub(crate) fn note_blob(&mut self, bytes: &[u8]) {
        self.blobs.push(bytes.to_vec());
    }

    /// How much there is by now: a place to look from later.
    pub(crate) fn mark(&self) -> usize {
        self.frames.len()
    }

    /// What was recorded since a mark.
    pub(crate) fn since(&self, mark: usize) -> &[Crossed] {
        self.frames.get(mark..).unwrap_or_default()
    }

    /// The bodies of records as they reached a client, in order.
    pub(crate) fn records_to(&self, who: Who) -> Vec<Vec<u8>> {
        let down = self.frames.iter().filter(|f| !f.up && f.who == who);
        down.filter_map(|f| match RelayFrame::decode(&f.bytes) {
            Ok(RelayFrame::Record(_)) => Some(f.bytes.clone()),
            _ => None,
        })
        .collect()
    }

    /// How many frames a client sent since a mark that say something to others: records, signals, posts, packages.
    pub(crate) fn utterances(&self, who: Who, mark: usize) -> usize {
        let up = self.since(mark).iter().filter(|f| f.up && f.who == who);
        up.filter(|f| {
            !matches!(
                ClientFrame::decode(&f.bytes),
                Ok(ClientFrame::Hello(_) | ClientFrame::Ping(_) | ClientFrame::Attach(_) | ClientFrame::Detach(_))
            )
        })
        .count()
    }

    /// Whether these bytes stand anywhere, as they are, in hexadecimal or in base64.
    pub(crate) fn holds(&self, needle: &[u8]) -> bool {
        let all = self.frames.iter().map(|f| &f.bytes).chain(&self.blobs);
        all.into_iter().any(|bytes| crate::search::holds(bytes, needle))
    }

    /// The lengths of what clients appended, in order.
    pub(crate) fn appended(&self, mark: usize) -> Vec<(Who, usize)> {
        let up = self.since(mark).iter().filter(|f| f.up);
        up.filter_map(|f| match ClientFrame::decode(&f.bytes) {
            Ok(ClientFrame::Append(append)) => Some((f.who, append.body.len())),
            _ => None,
        })
        .collect()
    }
}
