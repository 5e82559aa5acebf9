//! Forgetting: blobs whose time is over, uploads that nobody goes on with, keys of hours that are over.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use estoile_hub::store::ExpiredFrom;
use estoile_wire::{LogId, Millis};

use super::upload::Upload;
use super::{Blobs, State, Whole};

impl Blobs {
    /// Takes what is over from the answers and from the disk. Gives what each log has got back since the last time.
    pub(crate) fn expire(&self, now: Millis) -> io::Result<Vec<ExpiredFrom>> {
        let mut state = self.state();
        let dropped = std::mem::take(&mut state.dropped);
        let gone = self.take(&mut state, |whole| whole.expires <= now || dropped.contains(&whole.log));
        let given_up = |upload: &Upload| {
            upload.until.load(Ordering::SeqCst).min(upload.expires) <= now || dropped.contains(&upload.log)
        };
        let uploads: Vec<_> = state.uploads.values().filter(|upload| given_up(upload)).cloned().collect();
        state.grants.retain(|_, grant| now < grant.until);
        drop(state);
        let removed = self.remove(&gone, &uploads);
        let hours = self.hours();
        if hours.any_before(now) {
            hours.wipe_before(now)?;
        }
        drop(hours);
        removed?;
        Ok(std::mem::take(&mut self.state().freed))
    }

    /// Logs are no more: their blobs go with the next look for what is over.
    pub(crate) fn dropped(&self, logs: impl Iterator<Item = LogId>) {
        let mut logs = logs.peekable();
        if logs.peek().is_some() {
            self.state().dropped.extend(logs);
        }
    }

    /// Removes the blobs of all logs but these.
    pub(crate) fn keep_only(&self, logs: &BTreeSet<LogId>) -> io::Result<()> {
        let mut state = self.state();
        let gone = self.take(&mut state, |whole| !logs.contains(&whole.log));
        drop(state);
        self.remove(&gone, &[])
    }

    /// Takes blobs from the answers and gives back what they counted.
    fn take(&self, state: &mut State, over: impl Fn(&Whole) -> bool) -> Vec<Arc<Whole>> {
        let mut gone = Vec::new();
        state.whole.retain(|_, copies| {
            gone.extend(copies.extract_if(.., |whole| over(whole)));
            !copies.is_empty()
        });
        state.count = state.count.saturating_sub(gone.len());
        for whole in &gone {
            self.release(state, whole.log, whole.charge());
        }
        self.tell(state);
        gone
    }

    fn remove(&self, gone: &[Arc<Whole>], uploads: &[Arc<Upload>]) -> io::Result<()> {
        for upload in uploads {
            self.throw_away(upload);
        }
        let mut result = Ok(());
        for whole in gone {
            match std::fs::remove_file(&whole.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => result = Err(error),
                _ => {}
            }
        }
        result
    }
}
