//! `estoile serve`: the relay alone, until it is asked to end.

use std::net::SocketAddr;
use std::path::PathBuf;

use data_encoding::BASE64URL_NOPAD;
use estoile_relay::{Entry, Relay, RelayConfig, Tls};
use estoile_seal::link::RelayUrl;

use crate::args::{Bounds, Serve, TlsArgs};
use crate::fail::{Failure, Outcome, say};
use crate::reach::{self, Reach, reach};
use crate::signals::{Signals, Stop};
use crate::{out, places, web};

pub(crate) async fn run(args: Serve) -> Outcome {
    let mut signals = Signals::listen()?;
    let public = args.public.as_deref();
    let mut config = config(args.listen, places::relay(args.data)?, public, &args.tls, &args.bounds)?;
    config.metrics = args.metrics;
    config.site = web::bundle::site(args.web.as_deref())?;
    config.entry = match (args.open, args.entry) {
        (true, _) => Entry::Open,
        (_, true) => Entry::Required,
        _ => Entry::ByAddress,
    };
    let relay = Relay::start(config).map_err(Failure::new)?;
    if args.rotate_entry {
        relay.rotate_entry().map_err(Failure::new)?;
    }
    announce(&relay, public)?;
    wait(relay, &mut signals).await
}

/// The first line says that sessions are accepted; a second, off loopback, is for whoever may make rooms.
fn announce(relay: &Relay, public: Option<&str>) -> Outcome {
    let _ = out::line(&format!("listening on {}", relay.url()))?;
    let reach = reach(public, relay.address(), relay.is_secure())?;
    if relay.entry_code().is_some() || !relay.address().ip().is_loopback() {
        let _ = out::line(&for_creators(relay, &reach)?.to_string())?;
        say(format_args!(
            "The second line is for whoever may make rooms here (estoile room new --relay URL). It reaches {}.",
            reach.whom
        ));
    }
    if let Some(metrics) = relay.metrics_address() {
        say(format_args!("Metrics are told at http://{metrics}/metrics."));
    }
    say(format_args!("Up to {} sessions fit. Ctrl-C or SIGTERM ends the relay.", relay.capacity()));
    Ok(())
}

/// The URL that lets somebody make rooms: the address, the entry code if one is asked for, and the key's hash.
pub(crate) fn for_creators(relay: &Relay, reach: &Reach) -> Result<RelayUrl, Failure> {
    Ok(RelayUrl {
        tls: reach.tls,
        host: reach.host.clone(),
        port: reach.port,
        entry: entry_code(relay)?,
        pin: Some(relay.key_hash()),
    })
}

fn entry_code(relay: &Relay) -> Result<Option<Vec<u8>>, Failure> {
    relay.entry_code().map(|code| BASE64URL_NOPAD.decode(code.as_bytes())).transpose().map_err(|_| {
        Failure::new("the relay's entry code is not what this program writes; start it with --rotate-entry")
    })
}

/// Runs until somebody asks the relay to end, or it can't go on.
pub(crate) async fn wait(relay: Relay, signals: &mut Signals) -> Outcome {
    let stop = tokio::select! {
        stop = signals.stop() => Some(stop),
        () = relay.failed() => None,
    };
    relay.shutdown().await.map_err(Failure::new)?;
    match stop {
        Some(Stop::Terminate) => Ok(()),
        Some(Stop::Interrupt) => Err(Failure::interrupted()),
        None => Err(Failure::new("the relay can't write its store any more; check the disk, then start it again")),
    }
}

/// A relay's settings from the flags.
pub(crate) fn config(
    listen: SocketAddr,
    data: PathBuf,
    public: Option<&str>,
    tls: &TlsArgs,
    bounds: &Bounds,
) -> Result<RelayConfig, Failure> {
    let mut config = RelayConfig::new(listen, data);
    config.tls = match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Tls::Files { cert: cert.clone(), key: key.clone() },
        _ => Tls::ByAddress { names: reach::names(public, listen)? },
    };
    apply(bounds, &mut config.hub)?;
    Ok(config)
}

fn apply(bounds: &Bounds, hub: &mut estoile_hub::config::Config) -> Outcome {
    use estoile_hub::config::Rate;
    hub.max_ttl = bounds.max_ttl.0.max(1);
    hub.max_disk = bounds.max_disk.0;
    hub.max_log_bytes = bounds.max_log.0;
    hub.logs_per_code = bounds.max_logs;
    hub.bytes_per_code = bounds.max_code.0;
    hub.max_records = bounds.max_records;
    hub.max_logs = bounds.max_all_logs;
    hub.max_blob = bounds.max_blob.0.min(estoile_wire::limits::MAX_BLOB);
    hub.creations = Rate::per_minute(bounds.creations);
    hub.creations_in_all.per_second_milli = bounds.all_creations.saturating_mul(1000);
    hub.attaches.per_second_milli = bounds.attaches.saturating_mul(1000);
    hub.appends = Rate::per_second(bounds.appends);
    hub.signals.per_second_milli = bounds.signals.saturating_mul(1000);
    hub.max_sessions = bounds.max_sessions;
    hub.max_attachments = bounds.max_attachments;
    hub.queue_bytes = usize::try_from(bounds.queue.0).unwrap_or(usize::MAX);
    hub.silence_ms = bounds.silence.0.saturating_mul(1000);
    hub.ping_ms = bounds.ping.0.saturating_mul(1000);
    hub.idle_log_ms = bounds.idle_log.0.saturating_mul(1000);
    if hub.ping_ms == 0 || hub.ping_ms >= hub.silence_ms {
        return Err(Failure::usage(
            "--ping must be shorter than --silence, or living sessions are closed; change one of them",
        ));
    }
    Ok(())
}
