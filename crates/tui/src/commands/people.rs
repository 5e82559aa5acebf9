//! The slash commands about accounts, contacts and private rooms: names, what they take, how they are read.

use estoile_engine::Role;

use super::{Spec, spec};

/// A command as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum People {
    Contacts,
    /// The own contact link.
    Me,
    Add(String),
    Accept(String),
    Verify(Option<String>),
    Devices,
    LinkDevice,
    New(String),
    Invite(String),
    RoomLink,
    Join(String),
    Remove(String),
    Role(String, Role),
    Leave,
    Private,
    Follow,
    Move(Option<String>),
}

/// All of them, in the order in which help shows them.
pub(crate) const COMMANDS: [Spec; 17] = [
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
pub(crate) const WHOLE: [&str; 5] = ["remove", "leave", "move", "private", "device"];

/// Reads one of them; none: another command.
///
/// # Errors
/// What is missing, and what to type.
pub(super) fn parse(name: &str, given: Option<String>) -> Option<Result<People, String>> {
    let with = |make: fn(String) -> People, missing: &str| given.clone().map(make).ok_or_else(|| missing.to_owned());
    Some(match name {
        "contacts" => Ok(People::Contacts),
        "me" => Ok(People::Me),
        "add" => with(People::Add, "Type the contact link that they gave you after /add."),
        "accept" => with(People::Accept, "Type after /accept whose request it is; /contacts lists them."),
        "verify" => Ok(People::Verify(given)),
        "devices" => Ok(People::Devices),
        "device" => Ok(People::LinkDevice),
        "new" => with(People::New, "Type the new room's name after /new."),
        "invite" => with(People::Invite, "Type after /invite who; /contacts lists whom you know."),
        "doorlink" => Ok(People::RoomLink),
        "join" => with(People::Join, "Type the private room's link after /join."),
        "remove" => with(People::Remove, "Type after /remove who; /people lists them."),
        "role" => role(given.as_deref().unwrap_or_default()),
        "leave" => Ok(People::Leave),
        "private" => Ok(People::Private),
        "follow" => Ok(People::Follow),
        "move" => Ok(People::Move(given)),
        _ => return None,
    })
}

/// A name, which may have blanks, and a role behind it.
fn role(text: &str) -> Result<People, String> {
    let usage = || String::from("Type /role NAME owner, /role NAME admin or /role NAME member.");
    let (name, role) = text.rsplit_once(char::is_whitespace).ok_or_else(usage)?;
    Ok(People::Role(name.trim().to_owned(), Role::from_word(role).ok_or_else(usage)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_stands_behind_a_name_with_blanks() {
        assert_eq!(role("Ann Lee admin"), Ok(People::Role("Ann Lee".into(), Role::Admin)));
        assert!(role("admin").is_err() && role("Ann king").is_err());
    }
}
