//! A session's outgoing queue: bounded by frames and bytes, so that a slow reader costs no more than that.
//!
//! It does not know who writes it to what; a driver puts it behind its own lock and wakes its own writer.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::config::Config;

/// What a frame is to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A record or a signal: there are other ways to get it (a record) or none is needed (a signal). Refused when the
    /// queue is full.
    Delivery,
    /// An answer, or a word about the session itself. It has the same room again above the bound, and there is no other
    /// way to get it: a session that overflows with answers ends.
    Answer,
}

/// Where a shard or a session puts frames for a client. A driver's is a handle to its session's [`Queue`].
pub trait Outbox: Clone {
    /// Puts a frame into the queue. `false`: there was no room, and the frame is lost. A driver ends a session whose
    /// [`Class::Answer`] was lost. A closed queue answers `true` and drops the frame.
    fn push(&self, frame: Bytes, class: Class) -> bool;

    /// Puts records into the queue, in order, until one finds no room. Says how many got in. A driver overrides this to
    /// lock and wake once for all of them.
    fn push_all(&self, frames: &[Bytes]) -> usize {
        frames.iter().take_while(|frame| self.push((*frame).clone(), Class::Delivery)).count()
    }
}

/// A bounded queue of frames.
#[derive(Debug)]
pub struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    max_frames: usize,
    max_bytes: usize,
    overflowed: bool,
}

impl Queue {
    /// An empty queue with this relay's bounds. It allocates nothing before the first frame.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            max_frames: config.queue_frames,
            max_bytes: config.queue_bytes,
            overflowed: false,
        }
    }

    /// As [`Outbox::push`].
    pub fn push(&mut self, frame: Bytes, class: Class) -> bool {
        let times = match class {
            Class::Delivery => 1,
            Class::Answer => 2,
        };
        let bytes = self.bytes.saturating_add(frame.len());
        if self.frames.len() >= self.max_frames.saturating_mul(times) || bytes > self.max_bytes.saturating_mul(times) {
            self.overflowed |= class == Class::Answer;
            return false;
        }
        self.bytes = bytes;
        self.frames.push_back(frame);
        true
    }

    /// The oldest frame.
    pub fn pop(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.bytes = self.bytes.saturating_sub(frame.len());
        if self.frames.is_empty() {
            // An idle session must not keep the room of its busiest moment.
            self.frames = VecDeque::new();
        }
        Some(frame)
    }

    /// All frames, oldest first; the queue is empty after it and holds no memory.
    pub fn take(&mut self) -> VecDeque<Bytes> {
        self.bytes = 0;
        std::mem::take(&mut self.frames)
    }

    /// Frames waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes waiting.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// At most a quarter full: a page of catching up fits, and a driver that stopped reading from the client because
    /// answers piled up may read on.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.frames.len() <= self.max_frames / 4 && self.bytes <= self.max_bytes / 4
    }

    /// An answer was lost: the session must end.
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }
}
