//! Contacts in order of what they want of the user, and what is said of each.

use estoile_engine::{ContactState, ContactView};

use super::said;
use crate::model::{inert, time};

/// What stands under one heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Wait for a yes, or for a look.
    Waiting,
    /// Both said yes.
    Known,
    /// Were asked.
    Asked,
}

impl Group {
    /// All of them, as they stand on the screen.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Known, Self::Asked];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for you",
            Self::Known => "Contacts",
            Self::Asked => "Asked, no answer yet",
        }
    }

    /// Where a contact belongs.
    #[must_use]
    pub const fn of(contact: &ContactView) -> Self {
        match contact.state {
            ContactState::Request { .. } | ContactState::Stopped { .. } => Self::Waiting,
            ContactState::Accepted => Self::Known,
            ContactState::Asked => Self::Asked,
        }
    }
}

/// How much stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Compared, and the same.
    Verified,
    /// Nothing wrong, nothing sure.
    Plain,
    /// Wants an answer.
    Asks,
    /// Stopped.
    Stopped,
}

impl Mark {
    /// Its mark.
    #[must_use]
    pub const fn of(contact: &ContactView) -> Self {
        match contact.state {
            ContactState::Accepted if contact.verified => Self::Verified,
            ContactState::Accepted | ContactState::Asked => Self::Plain,
            ContactState::Request { .. } => Self::Asks,
            ContactState::Stopped { .. } => Self::Stopped,
        }
    }

    /// What the chip says, and its class.
    #[must_use]
    pub const fn chip(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Verified => Some(("verified", "chip good")),
            Self::Plain => None,
            Self::Asks => Some(("asks", "chip warn")),
            Self::Stopped => Some(("stopped", "chip bad")),
        }
    }
}

/// The name, fit to be shown.
#[must_use]
pub fn name(contact: &ContactView) -> String {
    inert::line(&contact.name)
}

/// What a list says below the name.
#[must_use]
pub fn below(contact: &ContactView, now: u64) -> String {
    let heard = contact.last_heard.map(|at| format!("last heard {}", heard(at, now)));
    let first = match &contact.state {
        ContactState::Accepted if contact.verified => String::from("Verified"),
        ContactState::Accepted => String::from("Not compared yet"),
        ContactState::Asked => return String::from("Asked, has not answered yet"),
        ContactState::Request { text } if text.is_empty() => return String::from("Asks to be your contact"),
        ContactState::Request { text } => return format!("Asks to be your contact: {}", inert::line(text)),
        ContactState::Stopped { .. } => return String::from("Stopped until you have looked"),
    };
    heard.map_or(first.clone(), |heard| format!("{first}, {heard}"))
}

/// How long ago somebody was heard, as a sentence goes on.
#[must_use]
pub fn heard(at: u64, now: u64) -> String {
    match time::ago(at, now).as_str() {
        "now" => String::from("just now"),
        ago => format!("{ago} ago"),
    }
}

/// A stopped contact, for somebody who has never heard of a chain: what happened, what it can mean, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What happened.
    pub what: String,
    /// What it can mean.
    pub meaning: String,
    /// What one can do, the safest first.
    pub advice: Vec<String>,
}

/// What to say of a stopped contact; none if it goes on.
#[must_use]
pub fn stopped(contact: &ContactView) -> Option<Stopped> {
    let ContactState::Stopped { why } = &contact.state else { return None };
    let name = name(contact);
    let what = if why.trim().is_empty() {
        format!("{name}'s list of devices changed in a way that it can't.")
    } else {
        said(why)
    };
    Some(Stopped {
        what,
        meaning: format!(
            "Nothing goes to {name} and nothing is taken from them until you say so. Often somebody set their account up \
             again. It can also mean that somebody else, or the relay between you, pretends to be {name}."
        ),
        advice: vec![
            format!("Call {name}, or meet, and ask whether they set up their account again or lost a device."),
            format!("If so, say “Go on with {name}”, and then compare the words again."),
            format!("If not, forget this contact, and ask {name} for their contact link on another way."),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use estoile_engine::ContactId;

    fn contact(state: ContactState) -> ContactView {
        ContactView {
            id: ContactId(1),
            name: "Ann\u{202e}".into(),
            account: "a".repeat(64),
            state,
            verified: false,
            devices: 1,
            host: "chat.example:443".into(),
            last_heard: Some(60_000),
        }
    }

    #[test]
    fn who_wants_something_stands_first() {
        let request = contact(ContactState::Request { text: "it is me".into() });
        assert_eq!(Group::of(&request), Group::ALL[0]);
        assert_eq!(below(&request, 0), "Asks to be your contact: it is me");
        assert_eq!(Mark::of(&request).chip(), Some(("asks", "chip warn")));
        assert_eq!(Group::of(&contact(ContactState::Asked)), Group::Asked);
    }

    #[test]
    fn a_known_contact_says_when_it_was_heard() {
        let mut known = contact(ContactState::Accepted);
        assert_eq!(below(&known, 61_000), "Not compared yet, last heard just now");
        known.verified = true;
        assert_eq!(below(&known, 60_000 + 7_200_000), "Verified, last heard 2h ago");
        known.last_heard = None;
        assert_eq!(below(&known, 0), "Verified");
    }

    #[test]
    fn a_stopped_contact_says_what_to_do_and_its_name_can_do_nothing() {
        let stopped = stopped(&contact(ContactState::Stopped { why: "their chain forked".into() })).unwrap();
        assert!(stopped.what.starts_with("Their chain forked") && stopped.advice.len() == 3);
        assert!(!format!("{stopped:?}").contains('\u{202e}'));
        assert!(super::stopped(&contact(ContactState::Accepted)).is_none());
        assert!(!super::stopped(&contact(ContactState::Stopped { why: " ".into() })).unwrap().what.is_empty());
    }
}
