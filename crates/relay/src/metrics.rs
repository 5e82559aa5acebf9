//! What the relay counts, and its text for a collector (Prometheus' text exposition, version 0.0.4).
//!
//! Like the logs, it has no place for anything of a user's: numbers, and labels from this program's source.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use estoile_hub::store::Usage;
use estoile_wire::Refusal;

mod process;

/// Upper bounds of the histogram of appends, in microseconds: from one sync of a fast disk to a relay in distress.
const APPEND_BUCKETS: [u64; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// The HTTP statuses that requests for blobs are answered with.
const BLOB_ANSWERS: [u16; 13] = [200, 206, 400, 401, 404, 405, 408, 409, 416, 422, 503, 507, 0];

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn set(&self, n: u64) {
        self.0.store(n.try_into().unwrap_or(i64::MAX), Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed).try_into().unwrap_or_default()
    }

    /// Raises it until the guard is dropped, however that comes.
    pub(crate) fn hold(self: &std::sync::Arc<Self>) -> Held {
        self.0.fetch_add(1, Relaxed);
        Held(self.clone())
    }
}

/// One unit of a [`Gauge`].
#[derive(Debug)]
pub(crate) struct Held(std::sync::Arc<Gauge>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) started: Instant,
    pub(crate) sessions: std::sync::Arc<Gauge>,
    pub(crate) handshakes: std::sync::Arc<Gauge>,
    pub(crate) opened: Counter,
    pub(crate) appends: Counter,
    pub(crate) deliveries: Counter,
    pub(crate) delivered_bytes: Counter,
    pub(crate) signals: Counter,
    pub(crate) lagged: Counter,
    pub(crate) commits: Counter,
    pub(crate) committed_writes: Counter,
    pub(crate) failed_commits: Counter,
    pub(crate) expired: Counter,
    pub(crate) logs: Gauge,
    pub(crate) records: Gauge,
    pub(crate) bytes: Gauge,
    pub(crate) blobs: Gauge,
    pub(crate) blob_uploads: Gauge,
    pub(crate) blob_bytes: Gauge,
    pub(crate) blob_transfers: std::sync::Arc<Gauge>,
    pub(crate) blob_bytes_put: Counter,
    pub(crate) blob_bytes_got: Counter,
    blob_answers: [Counter; BLOB_ANSWERS.len()],
    refusals: Vec<(Refusal, Counter)>,
    other_refusals: Counter,
    ended: Vec<(&'static str, Counter)>,
    append_seconds: [Counter; APPEND_BUCKETS.len()],
    append_slower: Counter,
    append_micros: Counter,
}

impl Metrics {
    pub(crate) fn new(ends: &[&'static str]) -> Self {
        Self {
            started: Instant::now(),
            sessions: Default::default(),
            handshakes: Default::default(),
            opened: Counter::default(),
            appends: Counter::default(),
            deliveries: Counter::default(),
            delivered_bytes: Counter::default(),
            signals: Counter::default(),
            lagged: Counter::default(),
            commits: Counter::default(),
            committed_writes: Counter::default(),
            failed_commits: Counter::default(),
            expired: Counter::default(),
            logs: Gauge::default(),
            records: Gauge::default(),
            bytes: Gauge::default(),
            blobs: Gauge::default(),
            blob_uploads: Gauge::default(),
            blob_bytes: Gauge::default(),
            blob_transfers: Default::default(),
            blob_bytes_put: Counter::default(),
            blob_bytes_got: Counter::default(),
            blob_answers: Default::default(),
            refusals: Refusal::ALL.iter().map(|&code| (code, Counter::default())).collect(),
            other_refusals: Counter::default(),
            ended: ends.iter().map(|&why| (why, Counter::default())).collect(),
            append_seconds: Default::default(),
            append_slower: Counter::default(),
            append_micros: Counter::default(),
        }
    }

    pub(crate) fn refused(&self, code: Refusal) {
        let known = self.refusals.iter().find(|(known, _)| *known == code);
        known.map_or(&self.other_refusals, |(_, counter)| counter).add(1);
    }

    pub(crate) fn session_ended(&self, why: &'static str) {
        if let Some((_, counter)) = self.ended.iter().find(|(known, _)| *known == why) {
            counter.add(1);
        }
    }

    /// An append was acknowledged, this long after its frame came.
    pub(crate) fn append_took(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = APPEND_BUCKETS.iter().zip(&self.append_seconds).find(|(bound, _)| micros <= **bound);
        bucket.map_or(&self.append_slower, |(_, counter)| counter).add(1);
        self.append_micros.add(micros);
        self.appends.add(1);
    }

    /// A request for a blob was answered.
    pub(crate) fn blob_answered(&self, status: u16) {
        let mut answers = BLOB_ANSWERS.iter().zip(&self.blob_answers);
        if let Some((_, counter)) = answers.find(|(known, _)| **known == status || **known == 0) {
            counter.add(1);
        }
    }

    pub(crate) fn set_usage(&self, usage: Usage) {
        self.logs.set(usage.logs);
        self.records.set(usage.records);
        self.bytes.set(usage.bytes);
    }

    /// The text for a collector.
    pub(crate) fn render(&self) -> String {
        let mut text = Text(String::with_capacity(8 << 10));
        text.gauge("estoile_sessions", "Sessions open now.", self.sessions.get());
        text.gauge("estoile_handshakes", "Connections on their way to become sessions.", self.handshakes.get());
        text.counter("estoile_sessions_opened_total", "Sessions ever opened.", self.opened.get());
        text.gauge("estoile_logs", "Logs kept.", self.logs.get());
        text.gauge("estoile_records", "Records kept.", self.records.get());
        text.gauge("estoile_bytes", "Bytes of the store on disk.", self.bytes.get());
        text.counter("estoile_appends_total", "Appends made durable and acknowledged.", self.appends.get());
        text.counter("estoile_deliveries_total", "Frames written to sessions.", self.deliveries.get());
        text.counter("estoile_delivered_bytes_total", "Bytes written to sessions.", self.delivered_bytes.get());
        text.counter("estoile_signals_total", "Signals taken to forward.", self.signals.get());
        text.counter("estoile_lagged_total", "Times that a session's queue overflowed.", self.lagged.get());
        text.counter("estoile_commits_total", "Batches made durable.", self.commits.get());
        text.counter("estoile_committed_writes_total", "Writes in those batches.", self.committed_writes.get());
        text.counter("estoile_failed_commits_total", "Batches that the store refused.", self.failed_commits.get());
        text.counter("estoile_expired_total", "Records deleted because their time was over.", self.expired.get());
        text.head("estoile_refusals_total", "Frames refused, by reason.", "counter");
        for (code, counter) in &self.refusals {
            text.line("estoile_refusals_total", "code", code.slug(), counter.get());
        }
        text.line("estoile_refusals_total", "code", "unknown", self.other_refusals.get());
        text.head("estoile_sessions_ended_total", "Sessions ended, by cause.", "counter");
        for (why, counter) in &self.ended {
            text.line("estoile_sessions_ended_total", "why", why, counter.get());
        }
        self.render_appends(&mut text);
        self.render_blobs(&mut text);
        process::render(&mut text, self.started);
        text.0
    }

    fn render_blobs(&self, text: &mut Text) {
        text.gauge("estoile_blobs", "Blobs kept.", self.blobs.get());
        text.gauge("estoile_blob_uploads", "Blobs granted and not whole.", self.blob_uploads.get());
        text.gauge(
            "estoile_blob_bytes",
            "Bytes of blobs, the unfinished ones by their whole size.",
            self.blob_bytes.get(),
        );
        text.gauge("estoile_blob_transfers", "Blobs being put or got now.", self.blob_transfers.get());
        text.counter("estoile_blob_put_bytes_total", "Bytes of blobs taken.", self.blob_bytes_put.get());
        text.counter("estoile_blob_got_bytes_total", "Bytes of blobs given.", self.blob_bytes_got.get());
        text.head("estoile_blob_answers_total", "Requests for blobs answered, by status.", "counter");
        for (status, counter) in BLOB_ANSWERS.iter().zip(&self.blob_answers) {
            let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
            text.line("estoile_blob_answers_total", "status", &status, counter.get());
        }
    }

    fn render_appends(&self, text: &mut Text) {
        let name = "estoile_append_seconds";
        text.head(name, "From an append's arrival to its acknowledgement.", "histogram");
        let mut sum = 0;
        for (bound, counter) in APPEND_BUCKETS.iter().zip(&self.append_seconds) {
            sum += counter.get();
            text.line("estoile_append_seconds_bucket", "le", &seconds(*bound), sum);
        }
        sum += self.append_slower.get();
        text.line("estoile_append_seconds_bucket", "le", "+Inf", sum);
        text.value("estoile_append_seconds_sum", &seconds(self.append_micros.get()));
        text.value("estoile_append_seconds_count", &sum.to_string());
    }
}

/// Microseconds as seconds, without rounding.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The text as it grows. Writing into a string can't fail.
pub(crate) struct Text(String);

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn line(&mut self, name: &str, label: &str, value: &str, n: u64) {
        let _ = writeln!(self.0, "{name}{{{label}=\"{value}\"}} {n}");
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, n: u64) {
        self.head(name, help, "gauge");
        self.value(name, &n.to_string());
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, n: u64) {
        self.head(name, help, "counter");
        self.value(name, &n.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histogram_is_cumulative_and_sums_up() {
        let metrics = Metrics::new(&["quiet"]);
        for micros in [50, 100, 101, 700_000, 99_000_000] {
            metrics.append_took(Duration::from_micros(micros));
        }
        let text = metrics.render();
        for line in [
            "estoile_append_seconds_bucket{le=\"0.0001\"} 2",
            "estoile_append_seconds_bucket{le=\"0.00025\"} 3",
            "estoile_append_seconds_bucket{le=\"1\"} 4",
            "estoile_append_seconds_bucket{le=\"5\"} 4",
            "estoile_append_seconds_bucket{le=\"+Inf\"} 5",
            "estoile_append_seconds_sum 99.700251",
            "estoile_append_seconds_count 5",
            "estoile_appends_total 5",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in:\n{text}");
        }
    }

    #[test]
    fn refusals_ends_and_held_gauges_are_counted() {
        let metrics = Metrics::new(&["quiet", "goodbye"]);
        metrics.refused(Refusal::DiskFull);
        metrics.refused(Refusal::Unknown(999));
        metrics.session_ended("goodbye");
        let held = metrics.sessions.hold();
        let text = metrics.render();
        for line in [
            "estoile_refusals_total{code=\"disk-full\"} 1",
            "estoile_refusals_total{code=\"unknown\"} 1",
            "estoile_sessions_ended_total{why=\"goodbye\"} 1",
            "estoile_sessions 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in:\n{text}");
        }
        drop(held);
        assert!(metrics.render().contains("estoile_sessions 0\n"));
    }
}
