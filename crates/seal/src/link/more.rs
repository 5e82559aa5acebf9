//! The links of accounts: to a contact, into a private room, to a new device; and any link, by its kind.
//!
//! `#c/RELAY/…`, `#r/NAME/RELAY/…` and `#d/RELAY/…`: what opens stands last. This layer connects to nothing.

use super::*;
use crate::account::AccountId;
use crate::cbor;
use crate::device_link::DeviceSecret;
use crate::fields::{self, Malformed};
use crate::shelf_item::ShelfKey;
use crate::ticket::TicketSecret;
use estoile_wire::LogId;

/// An array and its byte strings.
const MAX_NESTING: usize = 2;

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    /// A quick room, or one that a passphrase opens.
    Room,
    /// A relay's address, with its entry code or pin.
    Relay,
    /// A contact.
    Contact,
    /// A private room's door.
    PrivateRoom,
    /// A device that wants to share its account.
    Device,
}

/// A contact's link: `https://HOST:PORT/#c/RELAY/…`. Some 310 characters for a host of 17; a QR code of version 14 at medium correction.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactLink {
    /// The contact's relay, pinned, without an entry code.
    pub relay: RelayUrl,
    /// Who.
    pub account: AccountId,
    /// Their mailbox.
    pub mailbox: LogId,
    /// Their shelf.
    pub shelf: LogId,
    /// The ticket of links, for both.
    pub ticket: TicketSecret,
    /// What opens the shelf's items.
    pub shelf_key: ShelfKey,
}

/// A private room's link: `https://HOST:PORT/#r/NAME/RELAY/…`. It leads to the door, not into the room.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// The room's relay, pinned, without an entry code.
    pub relay: RelayUrl,
    /// The room's name, normalised.
    pub name: String,
    /// The door's log.
    pub door: LogId,
    /// The door's ticket.
    pub ticket: TicketSecret,
    /// Which of the room's links it is: members count its uses.
    pub id: [u8; 8],
}

/// A device's link: `https://HOST:PORT/#d/RELAY/SECRET`. Good once and for ten minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceLink {
    /// The relay over which the two talk, pinned, without an entry code.
    pub relay: RelayUrl,
    /// What opens the log in which they talk.
    pub secret: DeviceSecret,
}

/// Any link, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyLink {
    /// A quick room, or one that a passphrase opens.
    Room(Link),
    /// A relay.
    Relay(RelayUrl),
    /// A contact.
    Contact(ContactLink),
    /// A private room's door.
    PrivateRoom(RoomLink),
    /// A device that wants to share its account.
    Device(DeviceLink),
}

crate::closed_debug!(ContactLink, RoomLink, DeviceLink);

impl LinkType {
    /// The type that a fragment's first part names.
    pub(super) fn of(part: Option<&str>) -> Option<Self> {
        match part {
            None | Some("" | "e") => Some(Self::Relay),
            Some("q" | "p") => Some(Self::Room),
            Some("c") => Some(Self::Contact),
            Some("r") => Some(Self::PrivateRoom),
            Some("d") => Some(Self::Device),
            Some(_) => None,
        }
    }

    /// The type of a text, if it is a link or an address of any known one.
    pub fn of_text(text: &str) -> Result<Self, LinkError> {
        let base = Base::parse(text)?;
        Self::of(base.fragment.and_then(|fragment| fragment.split('/').next())).ok_or(LinkError::Kind)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Room => "a room's link",
            Self::Relay => "a relay's address",
            Self::Contact => "a contact's link",
            Self::PrivateRoom => "a private room's link",
            Self::Device => "a device's link",
        }
    }

    /// What to do with a text of this type.
    const fn advice(self) -> &'static str {
        match self {
            Self::Room => "open it with `estoile chat LINK`",
            Self::Relay => {
                "make a room there with `estoile room new --relay URL`, or an account with `estoile account new --relay URL`"
            }
            Self::Contact => "add the contact with `estoile contact add LINK`",
            Self::PrivateRoom => "knock with `estoile chat LINK`",
            Self::Device => "take this device into the account with `estoile device join LINK`",
        }
    }
}

/// What [`LinkError::Wrong`] says.
impl Display for WrongLink {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        write!(f, "this is {}, not {}: {}", self.is.name(), self.wanted.name(), self.is.advice())
    }
}

/// A link of one type where another is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLink {
    /// What it is.
    pub is: LinkType,
    /// What is needed.
    pub wanted: LinkType,
}

/// The parts of a fragment behind its type, which must be the wanted one.
fn parts(text: &str, wanted: LinkType) -> Result<(Base<'_>, core::str::Split<'_, char>), LinkError> {
    let base = Base::parse(text)?;
    let mut parts = base.fragment.unwrap_or_default().split('/');
    match LinkType::of(parts.next()) {
        Some(is) if is == wanted => Ok((base, parts)),
        Some(is) => Err(LinkError::Wrong(WrongLink { is, wanted })),
        None => Err(LinkError::Kind),
    }
}

/// The relay that a link's host, port and pin name.
fn pinned(base: Base<'_>, pin: RelayKeyHash) -> RelayUrl {
    RelayUrl { tls: base.tls, host: base.host, port: base.port, entry: None, pin: Some(pin) }
}

fn next<'a>(parts: &mut core::str::Split<'a, char>) -> Result<&'a str, LinkError> {
    parts.next().ok_or(LinkError::Parts)
}

fn end(mut parts: core::str::Split<'_, char>) -> Result<(), LinkError> {
    if parts.next().is_none() { Ok(()) } else { Err(LinkError::Parts) }
}

/// The last part: deterministic CBOR, an array of so many byte strings.
fn carried<T>(
    part: &str,
    count: u64,
    read: impl FnOnce(&mut minicbor::Decoder<'_>) -> Result<T, Malformed>,
) -> Result<T, LinkError> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(part).map_err(|_| LinkError::Secret)?);
    let whole =
        fields::whole(&bytes, MAX_NESTING, |d| if d.array()? == Some(count) { read(d) } else { Err(Malformed) });
    whole.map_err(|_| LinkError::Secret)
}

fn pin(relay: &RelayUrl) -> String {
    URL_SAFE_NO_PAD.encode(relay.pin.map(|pin| pin.0).unwrap_or_default())
}

impl FromStr for ContactLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (base, mut parts) = parts(text, LinkType::Contact)?;
        let relay = pinned(base, hash(next(&mut parts)?)?);
        let link = carried(next(&mut parts)?, 5, |d| {
            Ok(Self {
                relay,
                account: AccountId(fields::array(d)?),
                mailbox: fields::log_id(d)?,
                shelf: fields::log_id(d)?,
                ticket: TicketSecret::from_bytes(fields::array(d)?),
                shelf_key: ShelfKey::from_bytes(fields::array(d)?),
            })
        })?;
        end(parts).map(|()| link)
    }
}

impl Display for ContactLink {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let carried = Zeroizing::new(cbor::write(|e| {
            e.array(5)?.bytes(&self.account.0)?.bytes(&self.mailbox.0)?.bytes(&self.shelf.0)?;
            e.bytes(self.ticket.as_bytes())?.bytes(self.shelf_key.as_bytes())?.ok()
        }));
        let carried = Zeroizing::new(URL_SAFE_NO_PAD.encode(carried.as_slice()));
        write!(f, "{}/#c/{}/{}", self.relay.origin(), pin(&self.relay), *carried)
    }
}

impl FromStr for RoomLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (base, mut parts) = parts(text, LinkType::PrivateRoom)?;
        let name = name(next(&mut parts)?)?;
        let relay = pinned(base, hash(next(&mut parts)?)?);
        let link = carried(next(&mut parts)?, 3, |d| {
            let door = fields::log_id(d)?;
            let ticket = TicketSecret::from_bytes(fields::array(d)?);
            Ok(Self { relay, name, door, ticket, id: fields::array(d)? })
        })?;
        end(parts).map(|()| link)
    }
}

impl Display for RoomLink {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let carried = Zeroizing::new(cbor::write(|e| {
            e.array(3)?.bytes(&self.door.0)?.bytes(self.ticket.as_bytes())?.bytes(&self.id)?.ok()
        }));
        let carried = Zeroizing::new(URL_SAFE_NO_PAD.encode(carried.as_slice()));
        let name = utf8_percent_encode(&self.name, IN_NAME);
        write!(f, "{}/#r/{name}/{}/{}", self.relay.origin(), pin(&self.relay), *carried)
    }
}

impl FromStr for DeviceLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (base, mut parts) = parts(text, LinkType::Device)?;
        let relay = pinned(base, hash(next(&mut parts)?)?);
        let secret = bytes32(next(&mut parts)?).ok_or(LinkError::Secret)?;
        let link = Self { relay, secret: DeviceSecret::from_bytes(*secret) };
        end(parts).map(|()| link)
    }
}

impl Display for DeviceLink {
    fn fmt(&self, f: &mut Formatter<'_>) -> core::fmt::Result {
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.secret.as_bytes()));
        write!(f, "{}/#d/{}/{}", self.relay.origin(), pin(&self.relay), *secret)
    }
}

impl FromStr for AnyLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        Ok(match LinkType::of_text(text)? {
            LinkType::Room => Self::Room(text.parse()?),
            LinkType::Relay => Self::Relay(text.parse()?),
            LinkType::Contact => Self::Contact(text.parse()?),
            LinkType::PrivateRoom => Self::PrivateRoom(text.parse()?),
            LinkType::Device => Self::Device(text.parse()?),
        })
    }
}
