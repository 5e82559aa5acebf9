//! The little server of `estoile web`: who may ask, and what is answered.

use core::convert::Infallible;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use estoile_relay::{Site, site};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use subtle::ConstantTimeEq as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::road::{self, Chosen};
use super::secret;
use crate::fail::say;
use crate::out;

/// Connections at a time: a browser has six for files, and one for each relay.
const MAX_CONNECTIONS: usize = 128;
/// A request's head must have come after so long.
const HEAD: Duration = Duration::from_secs(20);
/// A request's head is at most so long.
const MAX_HEAD: usize = 16 << 10;
/// Browsers that have opened it, and may come back; the oldest goes first.
const MAX_BROWSERS: usize = 16;
/// How long to wait when the system gives no socket.
const PAUSE: Duration = Duration::from_millis(100);
/// What opens it once.
const OPEN: &str = "/open/";
/// What leads to relays.
const ROAD: &str = "/relay/";

/// An answer's body.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;

/// What opens it, and who has.
struct Doors {
    once: String,
    browsers: Vec<String>,
}

/// What is served, and to whom.
pub(super) struct Local {
    host: String,
    cookie: String,
    site: Site,
    relays: Vec<Chosen>,
    doors: Mutex<Doors>,
}

impl Local {
    pub(super) fn new(address: SocketAddr, site: Site, relays: Vec<Chosen>, once: String) -> Self {
        // Cookies don't know ports: another program's must not be taken for ours.
        let cookie = format!("estoile-{}", address.port());
        Self { host: address.to_string(), cookie, site, relays, doors: Mutex::new(Doors { once, browsers: vec![] }) }
    }

    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to open in a browser next.
    pub(super) fn address_to_open(&self) -> String {
        format!("http://{}{OPEN}{}", self.host, self.doors().once)
    }

    /// Only pages of this very address may ask: a name that somebody points here is another address, and so is a page of
    /// another site.
    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).is_some_and(|host| host.as_bytes() == self.host.as_bytes());
        let origin = headers.get_all(ORIGIN).iter().all(|o| o.as_bytes() == format!("http://{}", self.host).as_bytes());
        host && origin
    }

    /// Whether the browser has opened the printed address.
    fn has_opened(&self, headers: &HeaderMap) -> bool {
        let doors = self.doors();
        let cookies = headers.get_all(COOKIE).iter().filter_map(|c| c.to_str().ok()).flat_map(|c| c.split(';'));
        let mut ours = cookies.filter_map(|c| c.trim().strip_prefix(self.cookie.as_str())?.strip_prefix('='));
        ours.any(|cookie| doors.browsers.iter().any(|known| same(known, cookie)))
    }

    /// Takes the word that opens it, gives a cookie for it, and makes another word.
    fn open(&self, word: &str) -> Option<String> {
        let browser = secret();
        {
            let mut doors = self.doors();
            if !same(&doors.once, word) {
                return None;
            }
            doors.once = secret();
            if doors.browsers.len() >= MAX_BROWSERS {
                doors.browsers.remove(0);
            }
            doors.browsers.push(browser.clone());
        }
        say("It was opened. Another browser opens:");
        // Who reads no longer needs no further address.
        let _ = out::line(&self.address_to_open());
        Some(browser)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (method, path, headers) = (request.method(), request.uri().path(), request.headers());
        if !self.is_ours(headers) {
            return self.text(StatusCode::FORBIDDEN, "This is for pages of this address alone.\n");
        }
        if let Some(word) = path.strip_prefix(OPEN) {
            return match self.open(word) {
                Some(browser) => self.opened(&browser),
                None => self.text(
                    StatusCode::FORBIDDEN,
                    "This address opens once, and was opened. `estoile web` has printed another one.\n",
                ),
            };
        }
        let guarded = path == "/" || path == "/index.html" || path == "/relays" || path.starts_with(ROAD);
        if guarded && !self.has_opened(headers) {
            return self.text(StatusCode::FORBIDDEN, "Open the address that `estoile web` has printed.\n");
        }
        if let Some(rest) = path.strip_prefix(ROAD) {
            let (relay, tail) = rest.split_once('/').unwrap_or((rest, ""));
            let Some(relay) = self.relays.iter().find(|r| r.name == relay) else {
                return self.text(StatusCode::NOT_FOUND, "This relay was not chosen: start `estoile web` with it.\n");
            };
            let tail = format!("/{tail}");
            let mut answer = match road::forward(relay, &tail, request).await {
                Ok(answer) => answer,
                Err((status, why)) => return self.text(status, why + "\n"),
            };
            self.harden(answer.headers_mut());
            return answer;
        }
        if let Some(file) = self.site.answer(method, path, headers) {
            return file.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed());
        }
        match (method, path) {
            (&Method::GET | &Method::HEAD, "/relays") => {
                self.json(&self.relays.iter().map(Chosen::url).collect::<Vec<_>>())
            }
            (&Method::GET | &Method::HEAD, "/version") => {
                let (version, bundle) = (env!("CARGO_PKG_VERSION"), self.site.bundle());
                self.json(&serde_json::json!({"version": version, "bundle": bundle, "local": true}))
            }
            _ => self.text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
        }
    }

    fn opened(&self, browser: &str) -> Response<Body> {
        let mut answer = self.text(StatusCode::SEE_OTHER, "Go on to /.\n");
        let cookie = format!("{}={browser}; HttpOnly; SameSite=Strict; Path=/", self.cookie);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().insert(SET_COOKIE, cookie);
        }
        answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
        answer
    }

    fn json(&self, value: &impl serde::Serialize) -> Response<Body> {
        let mut answer = self.text(StatusCode::OK, serde_json::to_string(value).unwrap_or_default());
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    fn text(&self, status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
        let mut answer = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed());
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.harden(headers);
        answer
    }

    fn harden(&self, headers: &mut HeaderMap) {
        for (name, value) in site::headers(&self.host) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Compares without telling by its time where two differ.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Answers for ever.
pub(super) async fn serve<T>(listener: TcpListener, local: Arc<Local>) -> T {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await.ok();
        match listener.accept().await {
            Ok((socket, _)) => drop(tokio::spawn(converse(socket, Arc::clone(&local), place))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn converse(socket: TcpStream, local: Arc<Local>, place: Option<OwnedSemaphorePermit>) {
    let service = service_fn(move |request| {
        let local = Arc::clone(&local);
        async move { Ok::<_, Infallible>(local.answer(request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MAX_HEAD);
    // What breaks off was the browser's to break.
    let _ = builder.serve_connection(TokioIo::new(socket), service).with_upgrades().await;
    drop(place);
}
