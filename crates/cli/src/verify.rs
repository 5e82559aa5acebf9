//! `estoile verify`: is what a relay serves to browsers the client that this program carries?
//!
//! It shows what the relay serves to whoever asks like this program. A relay that means to deceive one person could serve
//! another thing to that person alone: who must rule that out uses the terminal or `estoile web`.

use estoile_engine::RelayAddress;
use estoile_relay::site;
use http::StatusCode;
use http::header::CONTENT_ENCODING;

use crate::args::VerifySite;
use crate::fail::{Failure, Outcome};
use crate::web::bundle::{self, Bundle, sum, unpack};
use crate::web::fetch::{self, Fetched};
use crate::{link, out};

/// Differences that are told; the rest is counted.
const TOLD: usize = 20;

pub(crate) async fn run(args: VerifySite) -> Outcome {
    let url = link::parse_relay(&args.url)?;
    let address = RelayAddress { host: url.host, port: url.port, tls: url.tls, pin: url.pin };
    let bundle = bundle::find(args.web.as_deref())?.ok_or_else(bundle::missing)?;
    let faults = compare(&address, &bundle).await?;
    if faults.is_empty() {
        let text = format!("{} serves bundle {}, as this program has it", fetch::host(&address), bundle.site.bundle());
        let _ = out::line(&text)?;
        return Ok(());
    }
    let more = faults.len().saturating_sub(TOLD);
    let mut text = faults.into_iter().take(TOLD).collect::<Vec<_>>().join("\n  ");
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    Err(Failure::new(format_args!(
        "{} does not serve what this program has:\n  {text}\nDon't type or read secrets in its page; use the terminal, or `estoile web`. \
         (A relay of another version differs too: compare {}/version with `estoile --version`.)",
        fetch::host(&address),
        fetch::host(&address),
    )))
}

/// What differs: file by file, in both forms in which they are served.
async fn compare(address: &RelayAddress, bundle: &Bundle) -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    let start = fetch::get(address, "/", "identity").await?;
    faults.extend(judge("/", &start, bundle.sums.get("index.html"), address));
    for (path, want) in &bundle.sums {
        for encoding in ["identity", "br"] {
            let fetched = fetch::get(address, &format!("/{path}"), encoding).await?;
            let found = judge(path, &fetched, Some(want), address);
            let differs = !found.is_empty();
            faults.extend(found);
            if differs {
                break;
            }
        }
    }
    let version = fetch::get(address, "/version", "identity").await?;
    let told: Option<serde_json::Value> = serde_json::from_slice(&version.body).ok();
    let told = told.as_ref().and_then(|v| v.get("bundle")).and_then(|b| b.as_str());
    if told != Some(bundle.site.bundle()) {
        faults.push(format!("/version names another bundle than {}", bundle.site.bundle()));
    }
    Ok(faults)
}

fn judge(path: &str, fetched: &Fetched, want: Option<&String>, address: &RelayAddress) -> Vec<String> {
    if fetched.status != StatusCode::OK {
        return vec![format!("{path} is not there (status {})", fetched.status.as_u16())];
    }
    let mut faults = Vec::new();
    let encoding = fetched.headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes);
    let plain = match encoding {
        None => Some(fetched.body.to_vec()),
        Some(b"br") => unpack(&fetched.body),
        Some(_) => None,
    };
    if plain.map(|plain| sum(&plain)).as_ref() != want {
        let form = if encoding.is_some() { " (compressed)" } else { "" };
        faults.push(format!("{path} differs{form}"));
    }
    for (name, value) in site::headers(&fetch::host(address)) {
        let mut served = fetched.headers.get_all(name).iter();
        let first = served.next().and_then(|v| v.to_str().ok());
        if first.is_none_or(|first| first != value) || served.next().is_some() {
            faults.push(format!("{path} comes with another {name}"));
        }
    }
    // What sets these can do in the page's name what the page may not.
    for name in ["content-security-policy-report-only", "link", "refresh", "service-worker-allowed", "set-cookie"] {
        if fetched.headers.contains_key(name) {
            faults.push(format!("{path} comes with {name}, which does not belong there"));
        }
    }
    faults
}
