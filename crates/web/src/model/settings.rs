//! What the page says of itself: where it comes from, what protects what it keeps, what it shows.

use estoile_port::Place;

/// How far one has to trust whoever serves this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A relay serves it: its operator is trusted at each load, unless somebody checks.
    Relay,
    /// One's own program serves it, on this machine.
    Local,
}

impl Trust {
    /// By whether `/relays` was answered: only `estoile web` answers it.
    #[must_use]
    pub const fn of(served_by_own_program: bool) -> Self {
        if served_by_own_program { Self::Local } else { Self::Relay }
    }

    /// In one line, for the foot of the page.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Relay => "served by the relay",
            Self::Local => "served by your own program",
        }
    }
}

/// The three levels, each with what it means; the page marks where it stands.
pub const LEVELS: [(&str, &str); 3] = [
    (
        "Served by the relay",
        "Convenient. Messages are sealed here and the relay can't read them, but it hands out the program that seals them: \
         you trust its operator each time this page loads.",
    ),
    (
        "Verified",
        "Estoile's own program compares what the relay serves with what it carries itself. It finds one changed byte. What \
         it can't see is whether the relay serves you something else than it serves the check.",
    ),
    ("Served by your own program", "estoile web serves this same page on your own machine. No relay can change it."),
];

/// What checks the bundle that is served at this origin.
#[must_use]
pub fn verify_command(origin: &str) -> String {
    format!("estoile verify {origin}")
}

/// What is said of where the vault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// In a few words.
    pub title: &'static str,
    /// What protects it, and from what.
    pub about: String,
    /// Something should be done.
    pub warn: bool,
}

/// Where the vault is, and what protects it.
#[must_use]
pub fn kept(place: &Place) -> Kept {
    match place {
        Place::Memory(why) => Kept {
            title: "Nothing is kept",
            about: format!("{} When this tab closes, all of it is gone.", super::inert::sentence(why)),
            warn: true,
        },
        Place::Kept { passphrase: true, .. } => Kept {
            title: "Kept under your passphrase",
            about: String::from(
                "What this browser keeps is sealed, and opens with your passphrase alone. Whoever takes this computer or its \
                 disk has to guess it, and each guess costs them time. Nobody can bring a forgotten passphrase back.",
            ),
            warn: false,
        },
        Place::Kept { passphrase: false, .. } => Kept {
            title: "Kept under this browser's own key",
            about: String::from(
                "What this browser keeps is sealed with a key that no page can take out of the browser. That protects a copied \
                 file, and little more: whoever can use this browser, or has the whole disk, can open it. A passphrase \
                 protects from them, too.",
            ),
            warn: false,
        },
    }
}

/// Whether the browser may throw the vault away.
#[must_use]
pub const fn lasting(place: &Place) -> Option<&'static str> {
    match place {
        Place::Kept { persistent: true, .. } => {
            Some("The browser has promised to keep it until you take it away yourself.")
        }
        Place::Kept { persistent: false, .. } => Some(
            "The browser may throw it away when space is short, or after weeks without a visit. Ask it to keep it; installing \
             the page, or allowing notifications, often decides it.",
        ),
        Place::Memory(_) => None,
    }
}

/// A passphrase as typed twice.
///
/// # Errors
/// What is wrong with it.
pub fn passphrase<'a>(first: &'a str, again: &str) -> Result<&'a str, &'static str> {
    match first {
        _ if first.trim().is_empty() => Err("Type a passphrase: five random words are good, one word is not."),
        _ if first.chars().count() < MIN_PASSPHRASE => Err(
            "This is so short that a program guesses it. Take five random words, or more than ten letters and digits.",
        ),
        _ if first != again => Err("The two are not the same. Type it again in both fields."),
        _ => Ok(first),
    }
}

/// Below this many characters no passphrase is worth stretching: all of them are tried in days.
const MIN_PASSPHRASE: usize = 10;

/// What has to be typed before everything is erased.
pub const ERASE_WORD: &str = "erase";

/// Whether it was typed.
#[must_use]
pub fn means_it(typed: &str) -> bool {
    typed.trim().trim_matches('"').eq_ignore_ascii_case(ERASE_WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_says_what_protects_it() {
        let kept_with = |passphrase, persistent| Place::Kept { passphrase, persistent };
        assert!(kept(&Place::Memory("this window is a private one".into())).warn);
        assert!(kept(&Place::Memory("x".into())).about.ends_with("all of it is gone."));
        assert_ne!(kept(&kept_with(true, true)).about, kept(&kept_with(false, true)).about);
        assert_ne!(lasting(&kept_with(true, true)), lasting(&kept_with(true, false)));
        assert_eq!(lasting(&Place::Memory(String::new())), None);
    }

    #[test]
    fn a_passphrase_is_typed_twice_and_is_none_that_falls_at_once() {
        assert_eq!(passphrase("crab lamp tulip", "crab lamp tulip"), Ok("crab lamp tulip"));
        assert!(passphrase("crab lamp tulip", "crab lamp").is_err());
        assert!(passphrase("short", "short").is_err() && passphrase("            ", "            ").is_err());
    }

    #[test]
    fn erasing_takes_the_word() {
        assert!(means_it(" Erase ") && means_it("\"erase\"") && !means_it("yes") && !means_it(""));
    }

    #[test]
    fn the_check_names_this_relay() {
        assert_eq!(verify_command("https://chat.example:7070"), "estoile verify https://chat.example:7070");
        assert_eq!(Trust::of(true).short(), LEVELS[2].0.to_lowercase());
        assert_eq!(Trust::of(false).short(), LEVELS[0].0.to_lowercase());
    }
}
