//! Records that are too long for the log: the sealed bytes are put as a blob, which a short record names, and got from
//! there.
//!
//! What is being put lives in memory: a device that dies seals it anew. What is to be got is in the vault: until it is here,
//! this device writes nothing, so that it takes nothing back that another device has written.

use std::sync::Arc;

use estoile_seal::account::Record;
use estoile_wire::frame::BlobAsk;
use estoile_wire::id::BlobHash;
use estoile_wire::{ClientFrame, Millis};

use super::What;
use crate::account::stored::StoredLogBlob;
use crate::account::{Accounts, Wish};
use crate::blob::{Download, Step, Upload};
use crate::board::Draft;
use crate::channel::{Channel, ChannelId, Purpose};
use crate::link::Session;
use crate::notice::NoticeKind;
use crate::out::Cx;
use crate::turn::{BlobError, Effect};

/// A blob that is not there is looked for again after this long.
const AGAIN_MS: u64 = 5 * 60 * 1000;

/// The log's blobs under way.
#[derive(Debug, Default)]
pub(crate) struct LogBlobs {
    up: Option<Going>,
    down: Option<Download>,
    /// The last that this device has put.
    said: Option<[u8; 32]>,
    /// What is to be got is not there: when it is looked for again.
    again_at: Option<Millis>,
    told: bool,
}

#[derive(Debug)]
struct Going {
    upload: Upload,
    what: What,
    generation: u32,
    epoch: u64,
    size: u64,
}

/// How far a long record is.
pub(super) enum Put {
    /// There is none.
    None,
    /// On its way.
    Going,
    /// The relay has it: the log is to name it.
    There { what: What, hash: [u8; 32], size: u64 },
    /// The relay does not take it.
    Failed,
}

impl LogBlobs {
    /// What another device wrote last is not there.
    pub(crate) const fn is_missing(&self) -> bool {
        self.again_at.is_some()
    }

    pub(crate) fn offline(&mut self) {
        if let Some(going) = &mut self.up {
            going.upload.offline();
        }
    }
}

impl Accounts {
    /// A sealed record is too long: it goes as a blob.
    pub(super) fn put_log_blob(&mut self, what: What, generation: u32, epoch: u64, body: &[u8]) {
        let (hash, size) = (BlobHash::of(body).0, u64::try_from(body.len()).unwrap_or(u64::MAX));
        let upload = Upload::new(hash, Arc::from(body));
        self.log_blobs.up = Some(Going { upload, what, generation, epoch, size });
    }

    /// How far the long record for this epoch is; one of another epoch is given up.
    pub(super) fn log_blob_put(&mut self, generation: u32, epoch: u64) -> Put {
        let Some(going) = &self.log_blobs.up else { return Put::None };
        if (going.generation, going.epoch) != (generation, epoch) {
            self.log_blobs.up = None;
            return Put::None;
        }
        let hash = *going.upload.hash();
        if going.upload.is_done() {
            self.log_blobs.said = Some(hash);
            return Put::There { what: going.what, hash, size: going.size };
        }
        if going.upload.failed().is_some() {
            self.log_blobs.up = None;
            return Put::Failed;
        }
        Put::Going
    }

    /// The log names it now.
    pub(super) fn log_blob_named(&mut self) {
        self.log_blobs.up = None;
    }

    /// Asks for what is to be put, and gets what is to be got.
    pub(crate) fn log_blobs_due(&mut self, session: &mut Session, cx: &mut Cx<'_>) {
        if let Some(going) = &mut self.log_blobs.up {
            let purpose = Purpose::Account(going.generation);
            let channel = self.channels.values().find(|c| c.stored.purpose == purpose && c.is_live());
            if let Some(channel) = channel
                && let Some(Step::Ask { hash, size }) = going.upload.step(cx.now)
            {
                let request = session.request(channel.id);
                let (log, hash) = (channel.log(), BlobHash(hash));
                going.upload.asked(request);
                session.say(&ClientFrame::BlobAsk(BlobAsk { request, log, hash, size, ttl: None, ticket: None }), cx);
            }
        }
        let wanted = match &self.restoring {
            Some(restoring) => restoring.blob.clone(),
            None => self.own.as_ref().and_then(|own| own.stored.summary_blob.clone()),
        };
        let Some(wanted) = wanted.filter(|_| self.log_blobs.again_at.is_none_or(|at| at <= cx.now)) else { return };
        self.log_blobs.again_at = None;
        let fits = self.log_blobs.down.as_ref().is_some_and(|down| *down.hash() == wanted.hash);
        if !fits {
            self.log_blobs.down = Some(Download::new(wanted.hash, wanted.size));
        }
        let Some((relay, address)) = self.log_channel().map(|c| (c.relay, c.address())) else { return };
        if let Some(Step::Get { hash, size }) = self.log_blobs.down.as_mut().and_then(|down| down.step(cx.now)) {
            cx.out.effects.push(Effect::GetBlob { relay, address, hash, size });
        }
    }

    /// When a blob is tried again; never without the log's session, which is what begins it.
    pub(crate) fn log_blobs_timeout(&self) -> Option<u64> {
        self.log_channel()?;
        let up = self.log_blobs.up.as_ref().and_then(|going| going.upload.next_timeout());
        let down = self.log_blobs.down.as_ref().and_then(Download::next_timeout);
        up.into_iter().chain(down).chain(self.log_blobs.again_at).filter(|at| *at > 0).min()
    }

    /// A log of the account's that is attached.
    pub(in crate::account) fn log_channel(&self) -> Option<&Channel> {
        self.channels.values().find(|c| matches!(c.stored.purpose, Purpose::Account(_)) && c.is_live())
    }

    /// The relay takes the blob.
    pub(super) fn log_blob_granted(
        &mut self,
        id: ChannelId,
        request: u64,
        (token, received): ([u8; 32], u64),
        cx: &mut Cx<'_>,
    ) {
        let Some(channel) = self.channels.get(&id) else { return };
        let (relay, address) = (channel.relay, channel.address());
        let Some(going) = self.log_blobs.up.as_mut().filter(|g| g.upload.awaits(request)) else { return };
        if let Some(Step::Put { token, from, hash, bytes }) = going.upload.granted(token, received) {
            cx.out.effects.push(Effect::PutBlob { relay, address, hash, token, from, bytes });
        }
    }

    /// The relay does not take what was asked for: now, or never, and why. False: it was not about a blob.
    pub(super) fn blob_refused(&mut self, request: u64, never: Option<&str>, cx: &mut Cx<'_>) -> bool {
        let Some(going) = self.log_blobs.up.as_mut().filter(|going| going.upload.awaits(request)) else {
            return self.history_refused(request, never, cx);
        };
        going.upload.refused(never.is_none(), None, never.unwrap_or("the relay is busy"), cx.now);
        true
    }

    /// The driver has put it, or not. False: it is none of the log's.
    pub(crate) fn log_blob_was_put(&mut self, hash: &[u8; 32], result: &Result<(), BlobError>, cx: &Cx<'_>) -> bool {
        let Some(going) = self.log_blobs.up.as_mut().filter(|g| g.upload.hash() == hash) else {
            return self.history_was_put(hash, result, cx);
        };
        going.upload.ended(result, cx.now);
        true
    }

    /// The log names a record that is a blob.
    pub(super) fn log_blob_heard(&mut self, blob: StoredLogBlob) {
        if self.log_blobs.said == Some(blob.hash) {
            return;
        }
        self.log_blobs.again_at = None;
        if let Some(own) = self.own.as_mut() {
            own.stored.summary_blob = Some(blob);
        }
        self.keep_own();
    }

    /// A newer record makes the one that is still to be got void.
    pub(super) fn log_blob_over(&mut self) {
        self.log_blobs.down = None;
        self.log_blobs.again_at = None;
        if let Some(own) = self.own.as_mut() {
            own.stored.summary_blob = None;
        }
    }

    /// The driver has got it, or not. False: it is none of the log's.
    pub(crate) fn log_blob_was_got(
        &mut self,
        hash: &[u8; 32],
        result: &Result<Vec<u8>, BlobError>,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Some(down) = self.log_blobs.down.as_mut().filter(|down| down.hash() == hash) else {
            return self.history_was_got(hash, result, cx);
        };
        let Some(ended) = down.ended(result.clone(), cx.now) else { return true };
        self.log_blobs.down = None;
        if self.restoring.is_some() {
            self.restored_blob(ended.ok().as_deref(), cx);
            return true;
        }
        let Ok(bytes) = ended else {
            self.log_blob_is_missing(cx);
            return true;
        };
        let Some(own) = self.own.as_mut() else { return true };
        let Some(blob) = own.stored.summary_blob.take() else { return true };
        let fits = own.stored.generation == blob.generation;
        match fits.then(|| own.generation().open(blob.epoch, &bytes)) {
            Some(Ok(Record::Summary(summary))) => {
                self.take_summary(&summary, cx);
                self.set_tickets_again();
                self.wish(Wish::Places);
            }
            Some(Ok(Record::Chain(chain))) => self.own_chain(chain, cx),
            Some(Ok(_)) | None => {}
            Some(Err(error)) => {
                let advice = "If it happens again, look at the list of your devices.";
                cx.tell(Draft::new(None, NoticeKind::Forged, error.to_string(), advice));
            }
        }
        self.keep_own();
        if self.channel(Purpose::Account(blob.generation)).is_some_and(Channel::is_live) {
            self.settle_in(cx);
        }
        true
    }

    /// Until it is here nothing is written: what another device has added would be taken back.
    fn log_blob_is_missing(&mut self, cx: &mut Cx<'_>) {
        self.log_blobs.again_at = Some(cx.now.saturating_add(AGAIN_MS));
        if !core::mem::replace(&mut self.log_blobs.told, true) {
            cx.tell(Draft::new(
                None,
                NoticeKind::Relay,
                "what another device of this account wrote down last is not at the relay, or was altered there; it is looked for again",
                "Open the program on your other devices: what they write down next takes its place. If it lasts, tell the relay's owner.",
            ));
        }
    }
}
