//! What the page and the worker of the web client say to each other: plain data, as JSON over one message port.
//!
//! The worker owns engine, vault and sockets, the page shows and asks. The first word is the worker's ([`Down::Stage`]);
//! an [`Up`] gets one [`Down::Reply`] with its number, and any number of [`Down::Progress`] before it. The page posts one
//! [`Up`] a message, the worker one [`Downs`]: all that a turn led to. This crate knows neither browser nor engine's
//! insides; a face in another medium could speak it too.
#![forbid(unsafe_code)]

use estoile_engine::face;
use estoile_engine::{Event, RoomId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// From the page: a request with its number. Numbers are the page's, each used once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Up {
    /// What the reply carries too.
    pub number: u64,
    /// What is asked.
    pub ask: Ask,
}

/// What a page asks of the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Where this page was loaded from, `https://HOST[:PORT]`: the one relay that may be spoken to. The first of all.
    Begin {
        /// The page's origin.
        origin: String,
        /// Addresses of other relays that may be spoken to, because who serves the page allows it; most often none.
        #[serde(default)]
        relays: Vec<String>,
        /// Take vault and sockets from another tab that has them.
        take_over: bool,
    },
    /// Opens the vault ([`Stage::Locked`]), or makes it ([`Stage::Fresh`]).
    Unlock {
        /// None: a new vault, under a key that the browser keeps.
        passphrase: Option<Zeroizing<String>>,
        /// Keep nothing when the tab closes.
        memory: bool,
    },
    /// Seals the vault's key under another passphrase, or under the browser's key alone.
    Rekey {
        /// None: no passphrase from now on.
        passphrase: Option<Zeroizing<String>>,
    },
    /// What a link is, without opening it.
    ReadLink {
        /// A room, contact, room-invitation or device link; a fragment alone counts for this page's origin.
        link: String,
    },
    /// Opens a quick room by its link; answered with [`Reply::Room`] when the room is in the vault.
    OpenLink {
        /// The room's link.
        link: String,
        /// How the others see this person.
        own_name: String,
        /// For passphrase rooms; stretching it is [`Work::Stretching`].
        passphrase: Option<Zeroizing<String>>,
    },
    /// Makes a quick room on this page's relay; answered with [`Reply::Room`].
    NewRoom {
        /// Its name.
        name: String,
        /// How the others see this person.
        own_name: String,
        /// None: a link with a random secret opens it.
        passphrase: Option<Zeroizing<String>>,
        /// How long the room keeps messages, seconds; none: as long as the relay does.
        ttl: Option<u64>,
        /// The relay's entry code, where it wants one: the code itself, or the whole link that has it (`#e/`).
        entry: Option<String>,
    },
    /// A passphrase of five random words, fit for a room; answered with [`Reply::Passphrase`].
    SuggestPassphrase,
    /// Everything that every face can ask.
    Face(face::Ask),
    /// A QR code in a picture: one byte of brightness a pixel, line by line.
    Scan {
        /// Pixels a line.
        width: u32,
        /// Lines.
        height: u32,
        /// `width * height` bytes, base64.
        luma: String,
    },
    /// Stop the work of that request; what can't be undone is answered as done.
    Cancel(u64),
    /// What the page remembers, none before [`Stage::Open`].
    Settings,
    /// Remembers what the page wants to; kept sealed in the vault.
    Remember(Settings),
    /// Takes everything that this client keeps out of the browser. For good.
    Erase,
}

/// The answer to an [`Ask`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Done.
    Done,
    /// A room was opened.
    Room(RoomId),
    /// To [`Ask::ReadLink`].
    Link(LinkView),
    /// To [`Ask::SuggestPassphrase`].
    Passphrase(Zeroizing<String>),
    /// To [`Ask::Face`].
    Face(face::Reply),
    /// To [`Ask::Scan`]: the texts of the codes in the picture.
    Codes(Vec<String>),
    /// To [`Ask::Settings`].
    Settings(Settings),
}

/// What a page remembers between visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Dark or light; none: as the system says.
    pub dark: Option<bool>,
    /// Show local notifications.
    pub notify: bool,
    /// With the message's text in them.
    pub notify_text: bool,
    /// The name used last.
    pub name: String,
}

/// What a link opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// What it is.
    pub kind: LinkKind,
    /// The room's name, where it has one.
    pub name: String,
    /// The relay's host, with its port where it isn't the usual one.
    pub host: String,
    /// Whether this page may speak to that relay; if not, another program opens it.
    pub here: bool,
    /// The room, if it is open here already.
    pub room: Option<RoomId>,
}

/// The kinds of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkKind {
    /// `#q/`: a quick room with its secret.
    Quick,
    /// `#p/`: a quick room that a passphrase opens.
    Passphrase,
    /// `#c/`: a person.
    Contact,
    /// `#r/`: the door of a private room.
    PrivateRoom,
    /// `#d/`: a device that wants to be linked.
    Device,
    /// `#e/`: a relay, with the entry code that lets rooms be made there.
    Relay,
}

/// One message from the worker: what happened in one turn, in order.
pub type Downs = Vec<Down>;

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Down {
    /// Where things stand; the first word, and again whenever it changes.
    Stage(Stage),
    /// An answer, or a sentence that says why not and what to do.
    Reply(u64, Result<Box<Reply>, String>),
    /// How far the work of that request has come.
    Progress(u64, Progress),
    /// Something happened.
    Event(Box<Event>),
}

/// Where a client stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Waits for [`Ask::Begin`].
    Loaded,
    /// This browser lacks something; the sentence says what, and what to do.
    Unable(String),
    /// Another tab has the vault; [`Ask::Begin`] with `take_over` gets it.
    ElsewhereOpen,
    /// Another tab took the vault from this one.
    Taken,
    /// No vault yet.
    Fresh,
    /// A vault is there, and wants its passphrase. (One under the browser's own key opens by itself at [`Ask::Begin`].)
    Locked,
    /// At work.
    Open(Place),
    /// The store failed for good; the sentence says what happened and what to do.
    Lost(String),
}

/// Where an open vault is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In the browser's store, sealed.
    Kept {
        /// Under a passphrase, not only under a key that the browser keeps.
        passphrase: bool,
        /// The browser promised not to throw it away when space is short.
        persistent: bool,
    },
    /// In this tab's memory: gone when it closes. The sentence says why.
    Memory(String),
}

/// How far something has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done.
    pub work: Work,
    /// Of a thousand; none: nobody knows, but it goes on.
    pub permille: Option<u16>,
}

/// What takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// A passphrase is made expensive to guess.
    Stretching,
    /// Keys are made.
    Keys,
    /// What others wrote is read.
    CatchingUp,
    /// The vault is read.
    Opening,
}
