//! Files that browsers load from the relay: bytes under paths, with the headers that hold a page to what it needs.
//!
//! The relay does not know what they are. The same is served by whoever serves the files in another way, so that a page
//! meets the same policy everywhere.

mod sending;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HOST, HeaderName, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use sha2::{Digest, Sha256};

pub(crate) use sending::Sending;

/// What stands below this folder is named by its content and never changes.
const UNCHANGING: &str = "a/";
/// A host's name with its port is at most so long (RFC 1035: 253 and a port).
const MAX_HOST: usize = 260;
/// Which [`CSP_NAME`] a page gets; the sources of its connections follow.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
     font-src 'self'; worker-src 'self'; manifest-src 'self'; require-trusted-types-for 'script'; trusted-types estoile; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'; connect-src 'self'";
const CSP_NAME: &str = "content-security-policy";
/// What every answer carries, whatever it is: no other site may embed it, read it, or learn who follows a link.
const HEADERS: [(&str, &str); 6] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(self), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    ),
];

/// One file.
#[derive(Clone)]
struct File {
    plain: Bytes,
    small: Option<Bytes>,
    /// The beginning of its entity tag.
    tag: String,
}

/// Files under paths.
#[derive(Clone, Default)]
pub struct Site {
    bundle: String,
    files: BTreeMap<String, File>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({}, {} files)", self.bundle, self.files.len())
    }
}

impl Site {
    /// An empty one; `bundle` is what `/version` calls it.
    #[must_use]
    pub fn new(bundle: impl Into<String>) -> Self {
        Self { bundle: bundle.into(), files: BTreeMap::new() }
    }

    /// Adds a file, and its bytes as brotli makes them smaller. `index.html` answers for `/` as well.
    pub fn add(&mut self, path: impl Into<String>, plain: impl Into<Bytes>, small: Option<Bytes>) {
        let plain = plain.into();
        let digest = HEXLOWER.encode(&Sha256::digest(&plain));
        let tag = digest.chars().take(32).collect();
        self.files.insert(path.into(), File { plain, small, tag });
    }

    /// What the files are called together.
    #[must_use]
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// The paths, in order, without a slash at the beginning.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The plain bytes of a file.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&Bytes> {
        self.files.get(path).map(|file| &file.plain)
    }

    /// The answer to a request for one of the files; `None` if it is for something else.
    #[must_use]
    pub fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        if *method != Method::GET && *method != Method::HEAD {
            return None;
        }
        let path = match path.strip_prefix('/')? {
            "" => "index.html",
            path => path,
        };
        let file = self.files.get(path)?;
        let small = file.small.as_ref().filter(|_| takes_brotli(headers));
        let tag = format!("\"{}{}\"", file.tag, if small.is_some() { "-br" } else { "" });
        let known = listed(headers, &IF_NONE_MATCH).any(|known| known.trim_start_matches("W/") == tag || known == "*");
        let mut answer = Response::new(if known { Bytes::new() } else { small.unwrap_or(&file.plain).clone() });
        if known {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let told = answer.headers_mut();
        harden(told, &policy(headers));
        told.insert(CONTENT_TYPE, HeaderValue::from_static(kind(path)));
        told.insert(CACHE_CONTROL, HeaderValue::from_static(freshness(path)));
        told.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            told.insert(ETAG, tag);
        }
        if small.is_some() && !known {
            told.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        Some(answer)
    }
}

/// Sets the headers of every answer, and this policy.
pub(crate) fn harden(headers: &mut HeaderMap, policy: &HeaderValue) {
    headers.insert(HeaderName::from_static(CSP_NAME), policy.clone());
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// The names and values of the headers that a page is served with under this host name: what a check of somebody else's
/// server compares.
#[must_use]
pub fn headers(host: &str) -> Vec<(&'static str, String)> {
    let mut asked = HeaderMap::new();
    if let Ok(host) = HeaderValue::from_str(host) {
        asked.insert(HOST, host);
    }
    let mut all: Vec<_> = HEADERS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    all.push((CSP_NAME, policy(&asked).to_str().unwrap_or(CSP).to_owned()));
    all
}

/// A page may speak to where it came from, and to nobody else. Not every browser takes 'self' to mean web sockets too, so
/// they are named; a host that is no name at all is not repeated.
fn policy(headers: &HeaderMap) -> HeaderValue {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
    host.and_then(|host| HeaderValue::from_str(&format!("{CSP} ws://{host} wss://{host}")).ok())
        .unwrap_or_else(|| HeaderValue::from_static(CSP))
}

fn is_host(host: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    !host.is_empty() && host.len() <= MAX_HOST && host.bytes().all(allowed)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("ico") => "image/x-icon",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn freshness(path: &str) -> &'static str {
    if path.starts_with(UNCHANGING) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    listed(headers, &ACCEPT_ENCODING).any(|word| {
        let (name, weight) = word.split_once(';').unwrap_or((word, ""));
        let never = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("br") && !never
    })
}

/// The words of a comma-separated header.
fn listed<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
