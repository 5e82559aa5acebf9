//! Listeners and the little HTTP that a relay speaks: the opening of sessions, blobs, the site for who follows a link
//! with a browser (or a page that says how to go on without), and the metrics. Everything before a session is bounded in time, size and number.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use estoile_hub::rules::Entry;
use estoile_wire::SESSION_PATH;
use getrandom::SysRng;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_VERSION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rand_core::TryRng;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::blobs::{self, Body, Visit};
use crate::core::Core;
use crate::io::{Io, tune};
use crate::log::{self, Connection, Elapsed, Word};
use crate::metrics::Metrics;
use crate::session::Session;
use crate::site::{self, Sending, Site};
use crate::transfer;
use crate::ws::handshake::{self, Problem};

/// A request's head is at most so long: ours is 300 bytes, a browser's with its own headers 2 KiB.
const MAX_HEAD: usize = 16 * 1024;
/// And has at most so many headers.
const MAX_HEADERS: usize = 64;
/// How long the relay accepts nobody after the system could not give it a socket.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The policy of what is no file of the site.
const PLAIN: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page for browsers where there is no site; it says what a link is and how to open it.
const PAGE: &str = include_str!("page.html");

/// A listener that sessions come to, and what they find.
pub(crate) struct Door {
    pub(crate) core: Arc<Core>,
    pub(crate) tls: Option<TlsAcceptor>,
    /// The relay listens on loopback and asks for no entry code: then pages of this machine alone may open sessions.
    pub(crate) local_only: bool,
    /// What browsers load.
    pub(crate) site: Option<Arc<Site>>,
    /// Places for those who take their time over it.
    pub(crate) visits: Arc<Semaphore>,
}

/// Accepts for ever; to be dropped when the relay closes.
pub(crate) async fn accept_sessions(listener: TcpListener, door: Arc<Door>) {
    let most = door.core.sockets.max_handshakes;
    let slots = Arc::new(Semaphore::new(most));
    let mut under_way: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let socket = accept(&listener).await;
        let permit = match slots.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                // Who means it is a session after a round trip or two. So the oldest goes, and those who open connections
                // and say nothing keep nobody else out.
                under_way.retain(|handshake| !handshake.is_finished());
                if let Some(oldest) = under_way.pop_front() {
                    oldest.abort();
                }
                let Ok(permit) = slots.clone().acquire_owned().await else { return };
                permit
            }
        };
        if under_way.len() > most.saturating_mul(2) {
            under_way.retain(|handshake| !handshake.is_finished());
        }
        under_way.push_back(tokio::spawn(shake_hands(door.clone(), socket, permit)).abort_handle());
    }
}

async fn shake_hands(door: Arc<Door>, socket: TcpStream, permit: OwnedSemaphorePermit) {
    let patience = door.core.sockets.handshake;
    let held = door.core.metrics.handshakes.hold();
    let connection = Connection(SysRng.try_next_u64().unwrap_or_default());
    // Boxed: what a handshake needs is freed before the session begins.
    let opened = tokio::time::timeout(patience, Box::pin(open(&door, socket, connection))).await;
    drop((held, permit));
    match opened {
        // A task of its own, as small as it can be.
        Ok(Ok(Opened::Session(session))) => drop(tokio::spawn(session.run())),
        Ok(Ok(Opened::Transfer(http, visit))) => drop(tokio::spawn(transfer::run(door, http, visit))),
        Ok(Ok(Opened::Reader(http, visit))) => drop(tokio::spawn(transfer::read_site(door, http, visit))),
        Ok(Err(why)) => log::handshake_failed(connection, Word(why)),
        Err(_) => log::handshake_failed(connection, Word("took too long")),
    }
}

/// The next connection. What one caller did wrong, or the system's running out of files, never ends this.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            Err(_) => {
                log::accept_failed(Word("the system gives no socket"), Elapsed(ACCEPT_PAUSE));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What a connection turned out to be.
enum Opened {
    /// A session. (Boxed: it is moved into its task at once.)
    Session(Box<Session>),
    /// A blob is put or got.
    Transfer(Box<Http>, Visit),
    /// The site is read.
    Reader(Box<Http>, Visit),
}

/// A connection that speaks HTTP.
pub(crate) type Http = http1::Connection<TokioIo<Io>, Desk>;

/// From a socket to a session or a transfer; or why not, which most often is that somebody only read the page.
async fn open(door: &Arc<Door>, socket: TcpStream, connection: Connection) -> Result<Opened, &'static str> {
    tune(&socket);
    let io = match &door.tls {
        None => Io::Plain(socket),
        Some(tls) => Io::Tls(Box::new(tls.accept(socket).await.map_err(|_| "tls failed")?)),
    };
    let (upgraded, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let visit = Visit::new(Arc::clone(&door.core.blobs));
    let desk = Desk {
        door: Arc::clone(door),
        upgraded: Arc::clone(&upgraded),
        visit: visit.clone(),
        reads: Arc::clone(&reads),
        place: Mutex::default(),
    };
    let mut http = Box::new(server().serve_connection(TokioIo::new(io), desk));
    let ended = std::future::poll_fn(|cx| match http.poll_without_shutdown(cx) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if visit.begun.load(Ordering::Relaxed) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match ended.await {
        None if reads.load(Ordering::Relaxed) => return Ok(Opened::Reader(http, visit)),
        None => return Ok(Opened::Transfer(http, visit)),
        Some(ended) => ended.map_err(|_| "http failed")?,
    }
    let parts = http.into_parts();
    let io = parts.io.into_inner();
    if upgraded.load(Ordering::Relaxed) {
        return Ok(Opened::Session(Box::new(Session::new(door.core.clone(), io, connection, &parts.read_buf))));
    }
    transfer::goodbye(io, door.core.sockets.goodbye).await;
    Err("no session was asked for")
}

/// Who answers the requests of one connection.
pub(crate) struct Desk {
    door: Arc<Door>,
    upgraded: Arc<AtomicBool>,
    visit: Visit,
    /// It has a place among those who read the site.
    reads: Arc<AtomicBool>,
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Service<Request<Incoming>> for Desk {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if blobs::is_blob(request.uri().path()) {
            let visit = self.visit.clone();
            return Box::pin(async { Ok(blobs::answer(request, visit).await) });
        }
        let response = match (request.uri().path(), &self.door.site) {
            // Whoever reads the site opens another connection for a session: this one is counted otherwise.
            (SESSION_PATH, _) if self.reads.load(Ordering::Relaxed) => {
                text(StatusCode::BAD_REQUEST, "A session takes a connection of its own.\n")
            }
            (path, Some(site)) => match site.answer(request.method(), path, request.headers()) {
                Some(file) => self.send(file),
                None => answer(&request, &self.door, &self.upgraded),
            },
            _ => answer(&request, &self.door, &self.upgraded),
        };
        Box::pin(std::future::ready(Ok(response)))
    }
}

impl Desk {
    /// Gives a file, and the time that it takes, to who finds a place; else it must do in the time of a handshake.
    fn send(&self, file: Response<Bytes>) -> Response<Body> {
        let mut response = file.map(|bytes| Body::Site(Sending::new(bytes, Arc::clone(&self.visit.progress))));
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = Arc::clone(&self.door.visits).try_acquire_owned().ok();
        }
        if place.is_some() {
            self.reads.store(true, Ordering::Relaxed);
            self.visit.begun.store(true, Ordering::Relaxed);
        } else {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn server() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS).half_close(false);
    builder
}

fn answer(request: &Request<Incoming>, door: &Door, upgraded: &AtomicBool) -> Response<Body> {
    match (request.method(), request.uri().path()) {
        (_, SESSION_PATH) => {
            let (method, version, headers) = (request.method(), request.version(), request.headers());
            match handshake::accept(method, version, headers, door.local_only) {
                Ok(accept) => {
                    upgraded.store(true, Ordering::Relaxed);
                    handshake::switching(accept)
                }
                Err(problem) => refuse(problem),
            }
        }
        (&Method::GET | &Method::HEAD, "/") => page(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        (&Method::GET | &Method::HEAD, "/health") => text(StatusCode::OK, "ok\n"),
        (&Method::GET | &Method::HEAD, "/version") => {
            page(StatusCode::OK, "application/json", version(door.site.as_deref()))
        }
        (&Method::GET | &Method::HEAD, _) => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.\n"),
    }
}

/// Which program this is, and which bundle it serves.
fn version(site: Option<&Site>) -> String {
    let bundle = site.map_or_else(|| "null".to_owned(), |site| format!("{:?}", site.bundle()));
    format!("{{\"version\":\"{}\",\"bundle\":{bundle}}}\n", env!("CARGO_PKG_VERSION"))
}

fn refuse(problem: Problem) -> Response<Body> {
    let mut response = text(problem.status(), problem.text());
    if problem.status() == StatusCode::UPGRADE_REQUIRED {
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}

pub(crate) fn text(status: StatusCode, body: &'static str) -> Response<Body> {
    page(status, "text/plain; charset=utf-8", body)
}

/// An answer that a browser may show and nothing else: no scripts, no frames, nothing from elsewhere.
pub(crate) fn page(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Page(Full::new(body.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    site::harden(headers, &HeaderValue::from_static(PLAIN));
    response
}

/// Whether pages of this machine alone may open sessions.
pub(crate) fn is_local_only(listen: std::net::SocketAddr, entry: &Entry) -> bool {
    listen.ip().is_loopback() && matches!(entry, Entry::Open)
}

// ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Collectors at once: one or two are usual.
const MAX_COLLECTORS: usize = 16;

/// Tells the metrics for ever; to be dropped when the relay closes.
pub(crate) async fn tell_metrics(listener: TcpListener, metrics: Arc<Metrics>, patience: Duration) {
    let slots = Arc::new(Semaphore::new(MAX_COLLECTORS));
    loop {
        let Ok(permit) = slots.clone().acquire_owned().await else { return };
        let socket = accept(&listener).await;
        let metrics = metrics.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let response = match (request.method(), request.uri().path()) {
                    (&Method::GET, "/metrics") => {
                        page(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics.render())
                    }
                    _ => text(StatusCode::NOT_FOUND, "The metrics are at /metrics.\n"),
                };
                std::future::ready(Ok::<_, Infallible>(response))
            });
            let _ = tokio::time::timeout(patience, server().serve_connection(TokioIo::new(socket), service)).await;
            drop(permit);
        });
    }
}
