//! Every bound of a relay that its owner may set, each with its reason. Bounds of the protocol itself are in
//! [`estoile_wire::limits`].

use estoile_wire::Limits;
use estoile_wire::limits::{MAX_ATTACHMENTS, MAX_BLOB, MAX_BODY, MAX_FRAME, MAX_TTL_SECONDS, PING_MS, SILENCE_MS};

/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * 3600 * 1000;

/// A rate: so many a second in the long run, so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run, in thousandths a second (so that one a minute can be said).
    pub per_second_milli: u64,
    /// At once.
    pub burst: u64,
}

impl Rate {
    /// So many a second, and as many at once.
    #[must_use]
    pub const fn per_second(n: u64) -> Self {
        Self { per_second_milli: n.saturating_mul(1000), burst: n }
    }

    /// So many a minute, and as many at once.
    #[must_use]
    pub const fn per_minute(n: u64) -> Self {
        Self { per_second_milli: n.saturating_mul(1000) / 60, burst: n }
    }
}

/// What a relay allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Seconds that any record may live: what a stolen disk shows is no older.
    pub max_ttl: u64,
    /// Bytes of the store; above it appends and creations are refused, reading and expiry go on.
    pub max_disk: u64,
    /// Bytes that one log may hold: one room can't take the whole disk.
    pub max_log_bytes: u64,
    /// Logs that one entry code may have at a time: a leaked code costs this much.
    pub logs_per_code: u64,
    /// Bytes that all logs of one entry code may hold together: a leaked code costs this much.
    pub bytes_per_code: u64,
    /// Records on this relay in all: each costs about 60 bytes of memory for as long as it lives, and as many again while its
    /// log is in use, however small it is on the disk.
    pub max_records: u64,
    /// Logs on this relay in all: each costs memory, even if nobody writes.
    pub max_logs: u64,
    /// Bytes of one blob: files are sent in parts, and what is sealed is opened in one piece. 0: this relay takes none.
    pub max_blob: u64,
    /// Creations of one connection: each costs a signature check and a write.
    pub creations: Rate,
    /// Creations of all connections together: who comes back with a new connection for each can't fill the relay with
    /// empty logs, for a day's worth of them is less than `max_logs`, and an empty log lives for a day.
    pub creations_in_all: Rate,
    /// Attach attempts of one connection, the failed ones too: each costs a signature check, and guesses at a
    /// passphrase room go through here.
    pub attaches: Rate,
    /// Appends of one connection: one client can't take the whole disk's bandwidth.
    pub appends: Rate,
    /// Signals of one connection: each goes to everybody in the room.
    pub signals: Rate,
    /// Attach attempts of one connection in advancing logs: who was away walks through epochs one by one, and their keys are
    /// not guessed.
    pub walks: Rate,
    /// Ends of epochs in one log: each takes the next key from everybody who is away, one by one.
    pub advances: Rate,
    /// Posts, puts, takes, counts, asks for blobs and lists of tickets of one connection: each costs a hash, a signature
    /// check or a read.
    pub asks: Rate,
    /// Sessions at a time; the driver lowers it to what the file limit allows.
    pub max_sessions: u64,
    /// Logs that one session may be attached to at a time.
    pub max_attachments: usize,
    /// Milliseconds of silence after which a session ends.
    pub silence_ms: u64,
    /// Milliseconds in which a session must have said hello: who doesn't is no client.
    pub hello_ms: u64,
    /// The relay pings this often.
    pub ping_ms: u64,
    /// Bytes of records and signals that may wait for one session; above it the session lags.
    pub queue_bytes: usize,
    /// Frames that may wait for one session; above it the session lags.
    pub queue_frames: usize,
    /// Bytes of one page of a session's catching up.
    pub page_bytes: usize,
    /// Records of one page of a session's catching up.
    pub page_records: usize,
    /// Bytes of appends that one shard may hold before they are durable; above it appends are refused as busy.
    pub staged_bytes: usize,
    /// Bytes of appends that all shards together may hold before they are durable: what a disk that stalls costs in
    /// memory, however many rooms are written to.
    pub staged_bytes_in_all: usize,
    /// Repeats of one letter that may wait for the first one's acknowledgement.
    pub max_waiting_repeats: usize,
    /// Milliseconds that a log without records lives after it was made or last visited; also the least that a log
    /// outlives its last record, so that a room with a ttl of seconds does not end while its people are at lunch.
    pub idle_log_ms: u64,
    /// Milliseconds after the start in which no log ends: sessions must have time to come back.
    pub start_grace_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_ttl: 30 * 24 * 3600,
            max_disk: 10 << 30,
            max_log_bytes: 1 << 30,
            logs_per_code: 1_000,
            bytes_per_code: 10 << 30,
            max_records: 20_000_000,
            max_logs: 1_000_000,
            max_blob: MAX_BLOB,
            creations: Rate::per_minute(60),
            creations_in_all: Rate { per_second_milli: 10_000, burst: 10_000 },
            attaches: Rate { per_second_milli: 20_000, burst: 512 },
            appends: Rate::per_second(20_000),
            walks: Rate { per_second_milli: 500_000, burst: 5_000 },
            advances: Rate { per_second_milli: 2_000, burst: 300 },
            asks: Rate { per_second_milli: 50_000, burst: 512 },
            signals: Rate { per_second_milli: 50_000, burst: 200 },
            max_sessions: 100_000,
            max_attachments: MAX_ATTACHMENTS,
            silence_ms: SILENCE_MS,
            hello_ms: 20_000,
            ping_ms: PING_MS,
            queue_bytes: 1 << 20,
            queue_frames: 4_096,
            page_bytes: 128 << 10,
            page_records: 256,
            staged_bytes: 16 << 20,
            staged_bytes_in_all: 128 << 20,
            max_waiting_repeats: 64,
            idle_log_ms: DAY_MS,
            start_grace_ms: 600_000,
        }
    }
}

impl Config {
    /// The bounds that a welcome tells.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            max_frame: MAX_FRAME as u64,
            max_body: MAX_BODY as u64,
            max_ttl: self.max_ttl.clamp(1, MAX_TTL_SECONDS),
            max_log_bytes: self.max_log_bytes,
            silence_ms: self.silence_ms,
            max_attachments: self.max_attachments as u64,
            max_blob: (self.max_blob > 0).then_some(self.max_blob),
        }
    }
}
