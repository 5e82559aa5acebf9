//! The way from a link into a room: what the link is, what must still be asked, and what to say when it does not go.

use estoile_engine::RoomId;
use estoile_port::{LinkKind, LinkView};

use crate::model::inert;

/// Longer than this no link is.
pub const MAX_LINK: usize = 8 * 1024;

/// Characters of a name.
const MAX_NAME: usize = 64;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A quick room: a name, and for some a passphrase, and one is in.
    Join {
        /// The room's name.
        room: String,
        /// Its relay.
        host: String,
        /// It opens with a passphrase.
        passphrase: bool,
    },
    /// It is open here already.
    Open(RoomId),
    /// Another program opens it, because this page may not speak to that relay.
    Elsewhere {
        /// The relay.
        host: String,
    },
    /// A person: the screen of people takes it.
    Contact,
    /// The door of a private room.
    Door {
        /// The room's name.
        room: String,
    },
    /// A device that wants to be linked.
    Device,
    /// A relay with an entry code: a room can be made there.
    Relay,
}

/// Where a link leads.
#[must_use]
pub fn way(link: &LinkView) -> Way {
    if let Some(room) = link.room {
        return Way::Open(room);
    }
    let host = inert::line(&link.host);
    if !link.here {
        return Way::Elsewhere { host };
    }
    let room = inert::line(&link.name);
    match link.kind {
        LinkKind::Quick => Way::Join { room, host, passphrase: false },
        LinkKind::Passphrase => Way::Join { room, host, passphrase: true },
        LinkKind::Contact => Way::Contact,
        LinkKind::PrivateRoom => Way::Door { room },
        LinkKind::Device => Way::Device,
        LinkKind::Relay => Way::Relay,
    }
}

/// A link as pasted or as it stands behind the page's address: trimmed, and none when it can be none.
#[must_use]
pub fn pasted(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"']).trim();
    let inside = !text.is_empty() && text.len() <= MAX_LINK && !text.contains(char::is_whitespace);
    inside.then(|| text.to_owned())
}

/// What stands behind the page's address, if it is a link at all: `#q/…` and its like.
#[must_use]
pub fn fragment(hash: &str) -> Option<String> {
    let inside = hash.strip_prefix('#')?;
    if inside.is_empty() { None } else { Some(pasted(hash).unwrap_or_else(|| String::from("#?"))) }
}

/// What is wrong with a name; none: nothing.
#[must_use]
pub fn wrong_name(name: &str) -> Option<&'static str> {
    let name = name.trim();
    if name.is_empty() {
        return Some("Say how the others shall see you.");
    }
    (name.chars().count() > MAX_NAME || name.contains(char::is_control))
        .then_some("A name has 1 to 64 characters and no control characters.")
}

/// How a page came to this browser, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Served by a relay.
    Relay,
    /// Served by one's own program on this machine.
    Local,
}

impl Trust {
    /// By the page's host, and by whether its server is one that lists relays (`estoile web`).
    #[must_use]
    pub const fn of(lists_relays: bool) -> Self {
        if lists_relays { Self::Local } else { Self::Relay }
    }

    /// In a few words, for the foot of the page.
    #[must_use]
    pub fn short(self, host: &str) -> String {
        match self {
            Self::Relay => format!("Program from {host}"),
            Self::Local => String::from("Program from this machine"),
        }
    }

    /// In whole sentences.
    #[must_use]
    pub const fn long(self) -> &'static str {
        match self {
            Self::Relay => {
                "This page's program comes from the relay each time it is loaded: you trust whoever runs the relay to \
                 serve an honest one. `estoile verify` compares it with a program of your own; `estoile web` serves it \
                 from your own machine."
            }
            Self::Local => {
                "This page's program comes from the estoile program on this machine. No relay can change it."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(kind: LinkKind) -> LinkView {
        LinkView { kind, name: "Gar\u{202e}den".into(), host: "chat.example".into(), here: true, room: None }
    }

    #[test]
    fn every_link_leads_somewhere() {
        let (room, host) = (String::from("Garden"), String::from("chat.example"));
        let join = |passphrase| Way::Join { room: room.clone(), host: host.clone(), passphrase };
        assert_eq!(way(&link(LinkKind::Quick)), join(false));
        assert_eq!(way(&link(LinkKind::Passphrase)), join(true));
        assert_eq!(way(&link(LinkKind::Contact)), Way::Contact);
        assert_eq!(way(&link(LinkKind::PrivateRoom)), Way::Door { room });
        assert_eq!(way(&link(LinkKind::Device)), Way::Device);
        assert_eq!(way(&link(LinkKind::Relay)), Way::Relay);
        assert_eq!(way(&LinkView { here: false, ..link(LinkKind::Quick) }), Way::Elsewhere { host });
        assert_eq!(way(&LinkView { room: Some(RoomId(4)), ..link(LinkKind::Quick) }), Way::Open(RoomId(4)));
    }

    #[test]
    fn what_is_pasted_is_trimmed() {
        assert_eq!(pasted(" <https://h/#q/a/b>\n").as_deref(), Some("https://h/#q/a/b"));
        assert_eq!(pasted("two words"), None);
        assert_eq!(pasted(&"x".repeat(MAX_LINK + 1)), None);
        assert_eq!((fragment(""), fragment("#")), (None, None));
        assert_eq!(fragment("#q/a/b").as_deref(), Some("#q/a/b"));
        assert!(fragment("#a b").is_some(), "a damaged one is told, not passed over");
    }

    #[test]
    fn names_are_checked_before_they_are_sent() {
        assert_eq!(wrong_name(" Ann Lee "), None);
        for bad in ["", "  ", "a\u{7}b", &"x".repeat(65)] {
            assert!(wrong_name(bad).is_some(), "{bad}");
        }
    }
}
