//! Blobs on their way: asked for, granted, put or got over HTTP by the driver, tried again.

use std::sync::Arc;

use estoile_wire::Millis;

use crate::turn::BlobError;

/// What an [`Upload`] or [`Download`] wants done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask the relay for leave to put it (a BlobAsk frame), then [`Upload::asked`].
    Ask { hash: [u8; 32], size: u64 },
    /// [`crate::Effect::PutBlob`] with these, then [`Upload::ended`].
    Put { token: [u8; 32], from: u64, hash: [u8; 32], bytes: Arc<[u8]> },
    /// [`crate::Effect::GetBlob`] with these, then [`Download::ended`].
    Get { hash: [u8; 32], size: u64 },
}

/// A blob of ours on its way to the relay.
#[derive(Clone)]
pub(crate) struct Upload {
    hash: [u8; 32],
    bytes: Arc<[u8]>,
    state: State,
    failures: u32,
    why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be begun at this time.
    Waiting(Millis),
    /// Asked with this request's number; none: told to ask, not yet asked.
    Asked(Option<u64>),
    /// Travels.
    Travels,
    /// All of it is there.
    Done,
    /// It will not succeed.
    Failed,
}

impl core::fmt::Debug for Upload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Upload({} bytes, {:?})", self.bytes.len(), self.state)
    }
}

/// The first wait after a failure; it doubles with each.
const FIRST_WAIT_MS: u64 = 2_000;
/// A relay that is full or gone is asked again after at most this long.
const LONGEST_WAIT_MS: u64 = 300_000;

fn wait(failures: u32) -> u64 {
    FIRST_WAIT_MS.saturating_mul(1_u64 << failures.min(16)).min(LONGEST_WAIT_MS)
}

impl Upload {
    /// To be put; `hash` is SHA-256 of `bytes`.
    pub(crate) fn new(hash: [u8; 32], bytes: Arc<[u8]>) -> Self {
        Self { hash, bytes, state: State::Waiting(0), failures: 0, why: None }
    }

    /// Its address.
    pub(crate) const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// All of it is at the relay.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Why it will not succeed.
    pub(crate) fn failed(&self) -> Option<&str> {
        (self.state == State::Failed).then(|| self.why.as_deref().unwrap_or("the relay does not take it"))
    }

    /// When [`Self::step`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        if let State::Waiting(at) = self.state { Some(at) } else { None }
    }

    /// What to do now; only with a session that may ask.
    pub(crate) fn step(&mut self, now: Millis) -> Option<Step> {
        if !matches!(self.state, State::Waiting(at) if at <= now) {
            return None;
        }
        self.state = State::Asked(None);
        Some(Step::Ask { hash: self.hash, size: self.bytes.len() as u64 })
    }

    /// The question has gone out under this request's number.
    pub(crate) const fn asked(&mut self, request: u64) {
        self.state = State::Asked(Some(request));
    }

    /// Whether an answer with this number is about this.
    pub(crate) fn awaits(&self, request: u64) -> bool {
        self.state == State::Asked(Some(request))
    }

    /// The relay grants it.
    pub(crate) fn granted(&mut self, token: [u8; 32], received: u64) -> Option<Step> {
        if received >= self.bytes.len() as u64 {
            self.state = State::Done;
            return None;
        }
        self.state = State::Travels;
        Some(Step::Put { token, from: received, hash: self.hash, bytes: Arc::clone(&self.bytes) })
    }

    /// The relay refuses it: for now (after `wait_ms`, if it says so), or for good.
    pub(crate) fn refused(&mut self, later: bool, wait_ms: Option<u64>, why: &str, now: Millis) {
        self.why = Some(why.to_owned());
        if later {
            self.again(wait_ms, now);
        } else {
            self.state = State::Failed;
        }
    }

    /// How the put ended. After a failure the relay is asked anew, and goes on where it stopped.
    pub(crate) fn ended(&mut self, result: &Result<(), BlobError>, now: Millis) {
        match result {
            Ok(()) => self.state = State::Done,
            // A grant that is over or a wrong offset is refused for good, and right with the next grant.
            Err(BlobError::Later(why) | BlobError::Never(why)) => {
                self.why = Some(why.clone());
                self.again(None, now);
            }
        }
    }

    /// The connection is gone: ask anew with the next one.
    pub(crate) fn offline(&mut self) {
        if matches!(self.state, State::Asked(_) | State::Travels) {
            self.state = State::Waiting(0);
        }
    }

    fn again(&mut self, wait_ms: Option<u64>, now: Millis) {
        let wait = wait_ms.unwrap_or_else(|| wait(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting(now.saturating_add(wait));
    }
}

/// Somebody's blob on its way to us.
#[derive(Clone, Debug)]
pub(crate) struct Download {
    hash: [u8; 32],
    size: u64,
    state: State,
    failures: u32,
}

/// So often a blob that is said not to be there is asked for again: its writer may put it after the record.
const MAX_MISSES: u32 = 5;

impl Download {
    /// To be got.
    pub(crate) const fn new(hash: [u8; 32], size: u64) -> Self {
        Self { hash, size, state: State::Waiting(0), failures: 0 }
    }

    /// Its address.
    pub(crate) const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// When [`Self::step`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Millis> {
        if let State::Waiting(at) = self.state { Some(at) } else { None }
    }

    /// What to do now.
    pub(crate) fn step(&mut self, now: Millis) -> Option<Step> {
        if !matches!(self.state, State::Waiting(at) if at <= now) {
            return None;
        }
        self.state = State::Travels;
        Some(Step::Get { hash: self.hash, size: self.size })
    }

    /// How the get ended. With bytes or for good: what to hand on; none: it is tried again.
    pub(crate) fn ended(
        &mut self,
        result: Result<Vec<u8>, BlobError>,
        now: Millis,
    ) -> Option<Result<Vec<u8>, BlobError>> {
        let lasting = matches!(&result, Err(BlobError::Never(_))) && self.failures >= MAX_MISSES;
        if result.is_ok() || lasting {
            self.state = State::Done;
            return Some(result);
        }
        self.state = State::Waiting(now.saturating_add(wait(self.failures)));
        self.failures = self.failures.saturating_add(1);
        None
    }
}

#[cfg(test)]
mod tests;
