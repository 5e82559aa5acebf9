//! The slash commands: their names, what they take, how they are read and completed. Does none of them.
//!
//! The same words as in the terminal, but for what a page has other ways for (its mouse, its window).

use estoile_engine::Role;

use crate::model::time::Ttl;

/// A command as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slash {
    /// The page of commands and keys.
    Help,
    /// The own name here: shown, or changed.
    Name(Option<String>),
    /// How long messages live: shown, or changed.
    Ttl(Option<Ttl>),
    /// The room's link.
    Link,
    /// The room's link, copied.
    Copy,
    /// Who is here.
    People,
    /// The list of rooms, or one by its name.
    Rooms(Option<String>),
    /// The next room with something unread.
    Next,
    /// Another room.
    Open(String),
    /// Sends again what was not sent.
    Retry,
    /// Gives up the last message not sent.
    Discard,
    /// Tries the relay now.
    Reconnect,
    /// Forgets the room.
    Forget,
    /// Dark or light; none: the other one.
    Theme(Option<bool>),
    /// Contacts, requests, invitations.
    Contacts,
    /// The own contact link.
    Me,
    /// Asks somebody by their contact link.
    Add(String),
    /// Says yes.
    Accept(String),
    /// Compares.
    Verify(Option<String>),
    /// A private room.
    New(String),
    /// A contact into this private room.
    Invite(String),
    /// A link to this private room's door.
    DoorLink,
    /// Knocks.
    Join(String),
    /// Gives a role.
    Role(String, Role),
    /// Takes somebody out.
    Remove(String),
    /// Leaves.
    Leave,
    /// Makes this quick room a private one.
    Private,
    /// Goes along where this quick room turned private.
    Follow,
    /// Goes on elsewhere.
    Move(Option<String>),
    /// The own devices.
    Devices,
    /// Links a new device.
    Device,
}

/// A command as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its word.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn spec(name: &'static str, takes: &'static str, does: &'static str) -> Spec {
    Spec { name, takes, does }
}

/// All commands, in the order in which help shows them: first what a newcomer needs.
pub const COMMANDS: [Spec; 31] = [
    spec("help", "", "this page"),
    spec("link", "", "the invitation link and its QR code"),
    spec("copy", "", "that link into your clipboard"),
    spec("people", "", "who is here, their keys, when last heard"),
    spec("name", "[NAME]", "your name in this room"),
    spec("ttl", "[30s|10m|2h|7d|none]", "how long your messages live from now on"),
    spec("rooms", "[NAME]", "choose a room, or go to it by name"),
    spec("next", "", "the next room with something unread"),
    spec("open", "LINK", "another room"),
    spec("retry", "", "send again what was not sent"),
    spec("discard", "", "give up the last message not sent"),
    spec("reconnect", "", "try the relay now"),
    spec("forget", "", "this room and all that is kept of it here"),
    spec("theme", "[dark|light]", "other colours"),
    spec("contacts", "", "people you know, requests, invitations"),
    spec("me", "", "your contact link and its QR code"),
    spec("add", "LINK", "ask somebody by their contact link"),
    spec("accept", "NAME", "say yes to a request or an invitation"),
    spec("verify", "[NAME]", "compare, so that nobody stands between you"),
    spec("new", "NAME", "a private room"),
    spec("invite", "NAME", "a contact into this private room"),
    spec("doorlink", "", "a link by which people knock at this room"),
    spec("join", "LINK", "knock at a private room by its link"),
    spec("role", "NAME owner|admin|member", "what somebody may do here"),
    spec("remove", "NAME", "somebody out of this room; its keys change"),
    spec("leave", "", "this private room"),
    spec("private", "", "make this quick room a private one"),
    spec("follow", "", "go along where this quick room turned private"),
    spec("move", "[NAME]", "go on elsewhere, without NAME: the way out of a stopped room"),
    spec("devices", "", "your devices"),
    spec("device", "", "link a new device"),
];

/// Commands that are never guessed from their beginning.
const WHOLE: [&str; 7] = ["forget", "discard", "remove", "leave", "move", "private", "device"];

/// Whether a text is a command: it begins with one slash, and not with two.
#[must_use]
pub fn is_command(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// Reads a command.
///
/// # Errors
/// What is wrong with it, and what to type instead.
pub fn parse(text: &str) -> Result<Slash, String> {
    let text = text.trim().strip_prefix('/').unwrap_or_default();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let given = (!rest.is_empty()).then(|| rest.to_owned());
    let spec =
        find(word).ok_or("There is no such command; /help lists them. To send a text that begins with /, type //.")?;
    let with = |make: fn(String) -> Slash, missing: &str| given.clone().map(make).ok_or_else(|| missing.to_owned());
    Ok(match spec.name {
        "link" => Slash::Link,
        "copy" => Slash::Copy,
        "people" => Slash::People,
        "name" => Slash::Name(given),
        "ttl" => Slash::Ttl(match given {
            None => None,
            Some(ttl) => Some(Ttl::parse(&ttl).ok_or("A time to live is 30s, 10m, 2h, 7d or none.")?),
        }),
        "rooms" => Slash::Rooms(given),
        "next" => Slash::Next,
        "open" => with(Slash::Open, "Type the room's link after /open.")?,
        "retry" => Slash::Retry,
        "discard" => Slash::Discard,
        "reconnect" => Slash::Reconnect,
        "forget" => Slash::Forget,
        "theme" => Slash::Theme(match given.as_deref() {
            None => None,
            Some("dark") => Some(true),
            Some("light") => Some(false),
            Some(_) => return Err(String::from("Themes are dark and light.")),
        }),
        "contacts" => Slash::Contacts,
        "me" => Slash::Me,
        "add" => with(Slash::Add, "Type the contact link that they gave you after /add.")?,
        "accept" => with(Slash::Accept, "Type after /accept whose request it is; /contacts lists them.")?,
        "verify" => Slash::Verify(given),
        "new" => with(Slash::New, "Type the new room's name after /new.")?,
        "invite" => with(Slash::Invite, "Type after /invite who; /contacts lists whom you know.")?,
        "doorlink" => Slash::DoorLink,
        "join" => with(Slash::Join, "Type the private room's link after /join.")?,
        "role" => role(rest)?,
        "remove" => with(Slash::Remove, "Type after /remove who; /people lists them.")?,
        "leave" => Slash::Leave,
        "private" => Slash::Private,
        "follow" => Slash::Follow,
        "move" => Slash::Move(given),
        "devices" => Slash::Devices,
        "device" => Slash::Device,
        _ => Slash::Help,
    })
}

/// A name, which may have blanks, and a role behind it.
fn role(text: &str) -> Result<Slash, String> {
    let usage = || String::from("Type /role NAME owner, /role NAME admin or /role NAME member.");
    let (name, role) = text.rsplit_once(char::is_whitespace).ok_or_else(usage)?;
    Ok(Slash::Role(name.trim().to_owned(), Role::from_word(role).ok_or_else(usage)?))
}

/// A command by its name, or by a beginning that only it has. What can't be undone is never guessed.
fn find(word: &str) -> Option<&'static Spec> {
    if let Some(exact) = COMMANDS.iter().find(|s| s.name == word) {
        return Some(exact);
    }
    let mut starts = COMMANDS.iter().filter(|s| !word.is_empty() && s.name.starts_with(word));
    match (starts.next(), starts.next()) {
        (Some(one), None) if !WHOLE.contains(&one.name) => Some(one),
        _ => None,
    }
}

/// One thing to put in the place of what is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What is put there.
    pub text: String,
    /// What it takes.
    pub takes: &'static str,
    /// What it does.
    pub does: &'static str,
}

/// What can stand at the end of what is typed, and how many bytes of it that replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Bytes.
    pub replaces: usize,
    /// What fits.
    pub candidates: Vec<Candidate>,
}

/// Completes a command or its argument. `rooms` are names as shown.
pub fn complete<'a>(before: &str, rooms: impl Iterator<Item = &'a str>) -> Completion {
    if !is_command(before) || before.contains('\n') {
        return Completion::default();
    }
    let typed = before.get(1..).unwrap_or_default();
    let Some((word, argument)) = typed.split_once(' ') else {
        let fits = COMMANDS.iter().filter(|s| s.name.starts_with(typed));
        let candidates = fits.map(|s| Candidate {
            text: if s.takes.is_empty() { format!("/{}", s.name) } else { format!("/{} ", s.name) },
            takes: s.takes,
            does: s.does,
        });
        return Completion { replaces: before.len(), candidates: candidates.collect() };
    };
    let plain = |values: &[&'static str]| values.iter().map(|&v| (v.to_owned(), "")).collect::<Vec<_>>();
    let values: Vec<(String, &'static str)> = match word {
        "theme" => plain(&["dark", "light"]),
        "ttl" => {
            let mut values = plain(&["30s", "10m", "2h", "1d", "7d"]);
            values.push((String::from("none"), "as long as the relay keeps them"));
            values
        }
        "rooms" => rooms.map(|r| (r.to_owned(), "")).collect(),
        _ => Vec::new(),
    };
    let fits = values.into_iter().filter(|(v, _)| v.starts_with(argument));
    let candidates = fits.map(|(text, does)| Candidate { text, takes: "", does });
    Completion { replaces: argument.len(), candidates: candidates.collect() }
}

/// The one thing of that name, or of that beginning; none if there is none, or several.
#[must_use]
pub fn one_of<'a, T>(all: &'a [T], name: &str, named: impl Fn(&T) -> &str) -> Option<&'a T> {
    let lower = name.trim().to_lowercase();
    let of = |exact: bool| {
        all.iter()
            .filter(|t| {
                let n = crate::model::inert::line(named(t)).to_lowercase();
                if exact { n == lower } else { n.starts_with(&lower) }
            })
            .collect::<Vec<_>>()
    };
    let found = Some(of(true)).filter(|f| !f.is_empty()).unwrap_or_else(|| of(false));
    match found.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_reads() {
        for spec in &COMMANDS {
            let argument = match spec.name {
                "ttl" => "10m",
                "theme" => "dark",
                "role" => "Bob admin",
                _ if spec.takes.is_empty() => "",
                _ => "Bob",
            };
            assert!(parse(&format!("/{} {argument}", spec.name)).is_ok(), "{}", spec.name);
        }
        assert_eq!(parse("/ttl 10m"), Ok(Slash::Ttl(Some(Ttl::Seconds(600)))));
        assert_eq!(parse("/ttl none"), Ok(Slash::Ttl(Some(Ttl::Kept))));
        assert_eq!(parse("/name Ann Lee "), Ok(Slash::Name(Some("Ann Lee".into()))));
        assert_eq!(parse("/role Ann Lee admin"), Ok(Slash::Role("Ann Lee".into(), Role::Admin)));
        assert_eq!(parse("/he"), Ok(Slash::Help));
    }

    #[test]
    fn what_cannot_be_undone_is_not_guessed() {
        for text in ["/f", "/d", "/forge", "/", "/nope", "/ttl soon", "/theme pink", "/open", "/lea", "/role Ann king"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn completion_offers_what_fits() {
        let names = |c: &Completion| c.candidates.iter().map(|c| c.text.clone()).collect::<Vec<_>>();
        assert_eq!(names(&complete("/re", [].into_iter())), ["/retry", "/reconnect", "/remove "]);
        assert_eq!(names(&complete("/theme l", [].into_iter())), ["light"]);
        assert_eq!(names(&complete("/rooms ga", ["garden", "kitchen"].into_iter())), ["garden"]);
        assert_eq!(complete("//re", [].into_iter()), Completion::default());
        assert_eq!(complete("hello", [].into_iter()), Completion::default());
    }

    #[test]
    fn a_name_means_one() {
        let all = ["Ann", "Anna", "Bob"];
        assert_eq!(one_of(&all, "ann", |n| n), Some(&"Ann"));
        assert_eq!(one_of(&all, "an", |n| n), None);
        assert_eq!(one_of(&all, "B", |n| n), Some(&"Bob"));
        assert_eq!(one_of(&all, "x", |n| n), None);
    }
}
