//! What is being written: a draft a room, what Enter does with it, what it may be.

use std::collections::BTreeMap;

use estoile_engine::{MAX_TEXT, RoomId};

use crate::model::slash::{self, Slash};

/// Bytes from the limit on which the composer says how much is left.
const TELL_FROM: usize = MAX_TEXT - 2048;

/// Drafts, as long as the page lives. Never kept: a draft is nobody's business but the writer's.
#[derive(Clone, Debug, Default)]
pub struct Drafts(BTreeMap<RoomId, String>);

impl Drafts {
    /// What was being written there.
    #[must_use]
    pub fn get(&self, room: RoomId) -> String {
        self.0.get(&room).cloned().unwrap_or_default()
    }

    /// What is being written there.
    pub fn set(&mut self, room: RoomId, text: String) {
        if text.is_empty() {
            self.0.remove(&room);
        } else {
            self.0.insert(room, text);
        }
    }

    /// A text that could not be sent goes back to where it was written, before what was written since.
    pub fn give_back(&mut self, room: RoomId, text: String) {
        let since = self.get(room);
        self.set(room, if since.is_empty() { text } else { format!("{text}\n{since}") });
    }
}

/// What Enter does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enter {
    /// Nothing: there is no text.
    Nothing,
    /// Sends this.
    Send(String),
    /// A command.
    Do(Slash),
    /// Neither, and why; what was typed stays.
    Not(String),
}

/// What Enter does with a text.
#[must_use]
pub fn enter(text: &str) -> Enter {
    if text.trim().is_empty() {
        return Enter::Nothing;
    }
    if slash::is_command(text.trim_start()) && !text.trim().contains('\n') {
        return slash::parse(text).map_or_else(Enter::Not, Enter::Do);
    }
    let text = typed(text.trim_end());
    let text = text.strip_prefix('/').filter(|t| t.starts_with('/')).map_or(text.clone(), str::to_owned);
    match text.len() {
        bytes if bytes > MAX_TEXT => {
            Enter::Not(format!("This text has {bytes} bytes and a message holds {MAX_TEXT}; send it in parts."))
        }
        _ => Enter::Send(text),
    }
}

/// What is said about the length of a text; none while there is enough room.
#[must_use]
pub fn length(text: &str) -> Option<String> {
    let bytes = text.len();
    if bytes <= TELL_FROM {
        return None;
    }
    Some(match MAX_TEXT.checked_sub(bytes) {
        Some(left) => format!("{left} bytes left"),
        None => format!("{} bytes too long: send it in parts", bytes - MAX_TEXT),
    })
}

/// What is typed or pasted, as it is sent: nothing in it acts, and lines end in one way.
#[must_use]
pub fn typed(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let acts = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|&c| !acts(c)).collect()
}

/// The choices of a time to live, as seconds and words; those above what the room allows are left out.
#[must_use]
pub fn ttl_choices(most: Option<u64>) -> Vec<(Option<u64>, String)> {
    let fixed = [30, 600, 3600, 86_400, 604_800, 2_592_000];
    let mut all = vec![(None, String::from("as long as the relay keeps them"))];
    let fits = fixed.into_iter().filter(|&s| most.is_none_or(|m| s <= m));
    all.extend(fits.map(|s| (Some(s), crate::model::time::span(s))));
    all
}

/// Who types, in words; empty when nobody does.
#[must_use]
pub fn typing(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("{one} is typing"),
        [one, two] => format!("{one} and {two} are typing"),
        [one, rest @ ..] => format!("{one} and {} others are typing", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_sends_or_does() {
        assert_eq!(enter("  \n"), Enter::Nothing);
        assert_eq!(enter("hello\nthere "), Enter::Send("hello\nthere".into()));
        assert_eq!(enter("//link is a command"), Enter::Send("/link is a command".into()));
        assert_eq!(enter("/link"), Enter::Do(Slash::Link));
        assert!(matches!(enter("/nope"), Enter::Not(_)));
        assert_eq!(enter("/bin/sh\nis a shell"), Enter::Send("/bin/sh\nis a shell".into()));
        assert_eq!(enter("a\r\nb\u{202e}c\u{7}"), Enter::Send("a\nbc".into()));
    }

    #[test]
    fn length_is_told_in_time() {
        assert_eq!(length(&"x".repeat(1000)), None);
        assert_eq!(length(&"x".repeat(MAX_TEXT - 5)).as_deref(), Some("5 bytes left"));
        assert_eq!(length(&"x".repeat(MAX_TEXT + 5)).as_deref(), Some("5 bytes too long: send it in parts"));
        assert!(matches!(enter(&"x".repeat(MAX_TEXT)), Enter::Send(_)));
        assert!(matches!(enter(&"x".repeat(MAX_TEXT + 1)), Enter::Not(_)));
    }

    #[test]
    fn nothing_typed_is_lost() {
        let mut drafts = Drafts::default();
        let room = RoomId(3);
        drafts.set(room, "half".into());
        assert_eq!((drafts.get(room), drafts.get(RoomId(4))), ("half".into(), String::new()));
        drafts.give_back(room, "refused".into());
        assert_eq!(drafts.get(room), "refused\nhalf");
        drafts.set(room, String::new());
        drafts.give_back(room, "again".into());
        assert_eq!(drafts.get(room), "again");
    }

    #[test]
    fn ttl_choices_follow_the_room() {
        let words: Vec<_> = ttl_choices(Some(3600)).into_iter().map(|(_, w)| w).collect();
        assert_eq!(words, ["as long as the relay keeps them", "30 s", "10 min", "1 h"]);
        assert_eq!(ttl_choices(None).len(), 7);
        assert_eq!(typing(&["Ann".into(), "Bob".into(), "Cy".into()]), "Ann and 2 others are typing");
    }
}
