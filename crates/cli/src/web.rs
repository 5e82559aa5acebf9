//! `estoile web`: the browser client from this machine, for who would rather not trust a relay with what the browser runs.
//!
//! The page has an origin of its own, and relays speak to pages of other origins about nothing. So the page speaks to the
//! relays through this program, which checks their keys and certificates as the terminal client does. The address that
//! the program prints opens once; it gives the browser a cookie, and who has none reaches nothing.

pub(crate) mod bundle;
pub(crate) mod fetch;
mod local;
mod road;

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use estoile_engine::RelayAddress;
use rand_core::Rng as _;
use tokio::net::TcpListener;

use crate::args::Web;
use crate::fail::{Failure, Outcome, say};
use crate::signals::{Signals, Stop};
use crate::{link, out};
use local::Local;
use road::Chosen;

/// Relays that a page may speak to: each is a line in its lists.
const MAX_RELAYS: usize = 32;

pub(crate) async fn run(args: Web) -> Outcome {
    let mut signals = Signals::listen()?;
    if !args.listen.ip().is_loopback() {
        return Err(Failure::usage(
            "`estoile web` serves this machine alone: give --listen an address like 127.0.0.1:7071",
        ));
    }
    if args.relays.len() > MAX_RELAYS {
        return Err(Failure::usage(format_args!("{MAX_RELAYS} relays are the most; give fewer")));
    }
    let relays = args.relays.iter().map(|text| relay(text)).collect::<Result<Vec<_>, _>>()?;
    let site = bundle::find(args.web.as_deref())?.ok_or_else(bundle::missing)?.site;
    let listener = TcpListener::bind(args.listen).await.map_err(|e| {
        Failure::new(format_args!("{} can't be listened on ({e}); choose another with --listen", args.listen))
    })?;
    let address = listener.local_addr().map_err(Failure::new)?;
    let local = Arc::new(Local::new(address, site, relays.into_iter().map(Chosen::new).collect(), secret()));
    let _ = out::line(&local.address_to_open())?;
    say(
        "Open this address in a browser of this machine; it opens once. The rooms' relays see no more than they always do.",
    );
    say("Ctrl-C or SIGTERM ends it.");
    let stop = tokio::select! {
        stop = signals.stop() => stop,
        never = local::serve(listener, local) => never,
    };
    if stop == Stop::Interrupt { Err(Failure::interrupted()) } else { Ok(()) }
}

/// The address of a relay, out of any link to it.
fn relay(text: &str) -> Result<RelayAddress, Failure> {
    match text.parse::<estoile_seal::link::Link>() {
        Ok(link) => Ok(RelayAddress { host: link.host, port: link.port, tls: link.tls, pin: Some(link.relay) }),
        Err(_) => {
            let url = link::parse_relay(text)?;
            Ok(RelayAddress { host: url.host, port: url.port, tls: url.tls, pin: url.pin })
        }
    }
}

/// 128 random bits, as text.
fn secret() -> String {
    let mut bytes = [0; 16];
    rand_core::UnwrapErr(getrandom::SysRng).fill_bytes(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}
