//! Which room, contact, member or device somebody means: by name, by number, or by the beginning of an id.
//!
//! A name that fits several is an error that lists them: a script must never act on the wrong one.

use estoile_engine::{ContactId, ContactView, MemberView, RoomView};

use crate::fail::Failure;
use crate::plain::line;

/// The beginning of an id has at least so many digits, so that a name like `beef` is not taken for one.
const LEAST_ID: usize = 6;

/// A room of the vault, by name or number.
pub(crate) fn room<'a>(rooms: &'a [RoomView], wanted: &str) -> Result<&'a RoomView, Failure> {
    let found = by(rooms, wanted, |r| r.name.as_str(), |r| u64::from(r.id.0), |_| "");
    one(found, wanted, "room", "see `estoile room list`, or give its link", |r| {
        format!("{} ({})", line(&r.name), r.id.0)
    })
}

/// A contact, by name, number or account id.
pub(crate) fn contact<'a>(contacts: &'a [ContactView], wanted: &str) -> Result<&'a ContactView, Failure> {
    let found = by(contacts, wanted, |c| c.name.as_str(), |c| u64::from(c.id.0), |c| c.account.as_str());
    let advice = "see `estoile contact list`, or add them by their contact link";
    one(found, wanted, "contact", advice, |c| format!("{} ({})", line(&c.name), c.id.0))
}

/// A member of a room, by the name shown, contact's number or account id.
pub(crate) fn member<'a>(members: &'a [MemberView], wanted: &str) -> Result<&'a MemberView, Failure> {
    let number = |m: &MemberView| m.contact.map_or(u64::MAX, |ContactId(n)| u64::from(n));
    let mut found = by(members, wanted, |m| m.shown.as_str(), number, |m| m.account.as_str());
    if found.is_empty() {
        found = members.iter().filter(|m| m.name == wanted).collect();
    }
    one(found, wanted, "member", "see `estoile room members`", |m| format!("{} ({:.8})", line(&m.shown), m.account))
}

fn by<'a, T>(
    all: &'a [T],
    wanted: &str,
    name: impl Fn(&T) -> &str,
    number: impl Fn(&T) -> u64,
    id: impl Fn(&T) -> &str,
) -> Vec<&'a T> {
    let named: Vec<&T> = all.iter().filter(|t| name(t) == wanted).collect();
    if !named.is_empty() {
        return named;
    }
    if let Ok(wanted) = wanted.parse::<u64>()
        && let Some(found) = all.iter().find(|t| number(t) == wanted)
    {
        return vec![found];
    }
    let wanted = wanted.to_ascii_lowercase();
    let is_id = wanted.len() >= LEAST_ID && wanted.bytes().all(|b| b.is_ascii_hexdigit());
    all.iter().filter(|t| is_id && id(t).starts_with(&wanted)).collect()
}

fn one<'a, T>(
    found: Vec<&'a T>,
    wanted: &str,
    what: &str,
    advice: &str,
    describe: impl Fn(&T) -> String,
) -> Result<&'a T, Failure> {
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(Failure::new(format_args!("there is no {what} {} here; {advice}", line(wanted)))),
        several => {
            let list: Vec<String> = several.iter().map(|t| describe(t)).collect();
            Err(Failure::new(format_args!(
                "{} fits more than one {what}: {}; say the number or the id in parentheses",
                line(wanted),
                list.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use estoile_engine::ContactState;

    use super::*;

    fn contact_of(id: u32, name: &str, account: &str) -> ContactView {
        ContactView {
            id: ContactId(id),
            name: name.into(),
            account: account.into(),
            state: ContactState::Accepted,
            verified: false,
            devices: 1,
            host: String::new(),
            last_heard: None,
        }
    }

    #[test]
    fn a_name_a_number_or_the_beginning_of_an_id() {
        let all = [contact_of(1, "Bob", "aabbcc00"), contact_of(2, "Carol", "aabbcc11"), contact_of(3, "7", "dd")];
        assert_eq!(contact(&all, "Bob").unwrap().id, ContactId(1));
        assert_eq!(contact(&all, "2").unwrap().id, ContactId(2));
        assert_eq!(contact(&all, "7").unwrap().id, ContactId(3), "a name goes before a number");
        assert_eq!(contact(&all, "AABBCC1").unwrap().id, ContactId(2));
        assert!(contact(&all, "aabb").is_err(), "too short for an id");
        assert!(contact(&all, "bob").is_err(), "names are exact");
    }

    #[test]
    fn what_fits_two_is_refused_and_listed() {
        let all = [contact_of(1, "Bob", "aabbcc00"), contact_of(2, "Bob", "aabbcc11")];
        let why = contact(&all, "Bob").unwrap_err().text;
        assert!(why.contains("Bob (1), Bob (2)"), "{why}");
        assert!(contact(&all, "aabbcc").unwrap_err().text.contains("more than one"));
    }
}
