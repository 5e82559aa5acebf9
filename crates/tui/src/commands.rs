//! The slash commands: their names, what they take, how they are read and completed. Does none of them.

mod people;

pub(crate) use people::People;

use crate::theme::ThemeName;
use crate::time;

/// A command as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slash {
    Help,
    Name(Option<String>),
    /// Outer none: only tell; inner none: as long as the relay keeps them.
    Ttl(Option<Option<u64>>),
    Link,
    Copy,
    People,
    Rooms(Option<String>),
    Next,
    Open(String),
    Retry,
    Discard,
    Reconnect,
    Forget,
    Theme(Option<ThemeName>),
    Mouse(Option<bool>),
    Private(People),
    Quit,
}

/// A command as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) takes: &'static str,
    pub(crate) does: &'static str,
}

const fn spec(name: &'static str, takes: &'static str, does: &'static str) -> Spec {
    Spec { name, takes, does }
}

/// All commands, in the order in which help shows them: first what a newcomer needs.
pub(crate) const COMMANDS: [Spec; 16] = [
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
    spec("reconnect", "", "try the relay now (Ctrl-R)"),
    spec("forget", "", "this room and all that is kept of it here"),
    spec("theme", "[dark|light|contrast]", "other colours"),
    spec("mouse", "[on|off]", "off: the terminal selects text itself"),
    spec("quit", "", "leave; your rooms stay"),
];

/// Those about people too, behind the others.
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    COMMANDS.iter().chain(&people::COMMANDS)
}

/// Whether a text is a command: it begins with one slash, and not with two.
pub(crate) fn is_command(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// Reads a command.
///
/// # Errors
/// What is wrong with it, and what to type instead.
pub(crate) fn parse(text: &str) -> Result<Slash, String> {
    let text = text.trim().strip_prefix('/').unwrap_or_default();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let given = (!rest.is_empty()).then(|| rest.to_owned());
    let Some(spec) = find(word) else {
        return Err(String::from(
            "There is no such command; /help lists them. To send a text that begins with /, type //.",
        ));
    };
    if let Some(people) = people::parse(spec.name, given.clone()) {
        return people.map(Slash::Private);
    }
    Ok(match spec.name {
        "help" => Slash::Help,
        "link" => Slash::Link,
        "copy" => Slash::Copy,
        "people" => Slash::People,
        "name" => Slash::Name(given),
        "ttl" => Slash::Ttl(match given {
            None => None,
            Some(ttl) => Some(time::parse_ttl(&ttl).ok_or("A time to live is 30s, 10m, 2h, 7d or none.")?),
        }),
        "rooms" => Slash::Rooms(given),
        "next" => Slash::Next,
        "open" => Slash::Open(given.ok_or("Type the room's link after /open.")?),
        "retry" => Slash::Retry,
        "discard" => Slash::Discard,
        "reconnect" => Slash::Reconnect,
        "forget" => Slash::Forget,
        "theme" => Slash::Theme(match given {
            None => None,
            Some(theme) => Some(ThemeName::parse(&theme).ok_or("Themes are dark, light and contrast.")?),
        }),
        "mouse" => Slash::Mouse(match given.as_deref() {
            None => None,
            Some("on") => Some(true),
            Some("off") => Some(false),
            Some(_) => return Err(String::from("Type /mouse on or /mouse off.")),
        }),
        _ => Slash::Quit,
    })
}

/// A command by its name, or by a beginning that only it has.
fn find(word: &str) -> Option<&'static Spec> {
    if let Some(exact) = all().find(|s| s.name == word) {
        return Some(exact);
    }
    // Leaving and forgetting are never guessed.
    let mut starts = all().filter(|s| !word.is_empty() && s.name.starts_with(word));
    match (starts.next(), starts.next()) {
        (Some(one), None)
            if !matches!(one.name, "quit" | "forget" | "discard") && !people::WHOLE.contains(&one.name) =>
        {
            Some(one)
        }
        _ => None,
    }
}

/// One thing to put in the place of what is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// What is put there.
    pub(crate) text: String,
    /// What it takes.
    pub(crate) takes: &'static str,
    /// What it does.
    pub(crate) does: &'static str,
}

/// What can stand where the cursor is, and how many bytes before it that replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) replaces: usize,
    pub(crate) candidates: Vec<Candidate>,
}

/// Completes a command or its argument. `rooms` are names as shown.
pub(crate) fn complete<'a>(before: &str, rooms: impl Iterator<Item = &'a str>) -> Completion {
    if !is_command(before) || before.contains('\n') {
        return Completion::default();
    }
    let typed = before.get(1..).unwrap_or_default();
    let Some((word, argument)) = typed.split_once(' ') else {
        let fits = all().filter(|s| s.name.starts_with(typed));
        let candidates = fits.map(|s| Candidate {
            text: if s.takes.is_empty() { format!("/{}", s.name) } else { format!("/{} ", s.name) },
            takes: s.takes,
            does: s.does,
        });
        return Completion { replaces: before.len(), candidates: candidates.collect() };
    };
    let values: Vec<(String, &'static str)> = match word {
        "theme" => ThemeName::ALL.iter().map(|t| (t.word().to_owned(), "")).collect(),
        "mouse" => vec![("on".into(), "click and scroll"), ("off".into(), "select text with the terminal")],
        "ttl" => {
            [("30s", ""), ("10m", ""), ("2h", ""), ("1d", ""), ("7d", ""), ("none", "as long as the relay keeps them")]
                .map(|(v, d)| (v.to_owned(), d))
                .to_vec()
        }
        "rooms" => rooms.map(|r| (r.to_owned(), "")).collect(),
        _ => Vec::new(),
    };
    let fits = values.into_iter().filter(|(v, _)| v.starts_with(argument));
    let candidates = fits.map(|(text, does)| Candidate { text, takes: "", does });
    Completion { replaces: argument.len(), candidates: candidates.collect() }
}

/// Completes a person's name in a message: the bytes it replaces, and the names that fit.
pub(crate) fn complete_name<'a>(before: &str, names: impl Iterator<Item = &'a str>) -> Completion {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let bare = word.strip_prefix('@').unwrap_or(word);
    if bare.is_empty() {
        return Completion::default();
    }
    let first = word.len() == before.len();
    let lower = bare.to_lowercase();
    let fits = names.filter(|n| n.to_lowercase().starts_with(&lower));
    let candidates =
        fits.map(|n| Candidate { text: if first { format!("{n}: ") } else { format!("{n} ") }, takes: "", does: "" });
    Completion { replaces: word.len(), candidates: candidates.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_reads() {
        for spec in all() {
            let argument = match spec.name {
                "open" => "https://h:1/#q/a/b/c",
                "ttl" => "10m",
                "theme" => "dark",
                "mouse" => "on",
                "role" => "Bob admin",
                "add" | "accept" | "new" | "invite" | "join" | "remove" => "Bob",
                _ => "",
            };
            assert!(parse(&format!("/{} {argument}", spec.name)).is_ok(), "{}", spec.name);
        }
        assert_eq!(parse("/ttl 10m"), Ok(Slash::Ttl(Some(Some(600)))));
        assert_eq!(parse("/ttl none"), Ok(Slash::Ttl(Some(None))));
        assert_eq!(parse("/name Ann Lee "), Ok(Slash::Name(Some("Ann Lee".into()))));
        assert_eq!(parse("/he"), Ok(Slash::Help));
    }

    #[test]
    fn what_cannot_be_undone_is_not_guessed() {
        for text in ["/q", "/f", "/d", "/forge", "/", "/nope", "/ttl soon", "/theme pink", "/open", "/mouse maybe"] {
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
        assert_eq!(names(&complete_name("hello @al", ["Alice", "Bob"].into_iter())), ["Alice "]);
        assert_eq!(names(&complete_name("al", ["Alice", "Alan"].into_iter())), ["Alice: ", "Alan: "]);
        assert_eq!(complete_name("hello ", ["Alice"].into_iter()), Completion::default());
    }
}
