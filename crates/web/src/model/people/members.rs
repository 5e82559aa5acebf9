//! Members of a private room: who may do what to whom, and the links to its door.

use estoile_engine::{MemberView, Role, RoomLinkView};

use super::contacts::heard;
use crate::model::{inert, time};

/// Roles as they are offered, the lesser first.
pub const ROLES: [Role; 3] = [Role::Member, Role::Admin, Role::Owner];

/// What a role may do.
#[must_use]
pub const fn means(role: Role) -> &'static str {
    match role {
        Role::Member => "talks",
        Role::Admin => "talks, adds and removes members, makes links",
        Role::Owner => "may do everything",
    }
}

/// Whether somebody with this role may invite, make links and remove members.
#[must_use]
pub const fn manages(role: Option<Role>) -> bool {
    matches!(role, Some(Role::Admin | Role::Owner))
}

/// Whether somebody with this role may remove that member. The engine has the last word.
#[must_use]
pub fn may_remove(own: Option<Role>, member: &MemberView) -> bool {
    !member.own && manages(own) && (own == Some(Role::Owner) || member.role == Role::Member)
}

/// Whether somebody with this role may change that member's.
#[must_use]
pub fn may_change(own: Option<Role>, member: &MemberView) -> bool {
    own == Some(Role::Owner) && !member.own
}

/// What stands below a member's name.
#[must_use]
pub fn below(member: &MemberView, now: u64) -> String {
    let mut parts = vec![member.role.word().to_owned()];
    if member.devices != 1 {
        parts.push(format!("{} devices", member.devices));
    }
    if !member.own {
        parts.push(
            member.last_heard.map_or_else(
                || String::from("never heard on this device"),
                |at| format!("last heard {}", heard(at, now)),
            ),
        );
    }
    parts.join(", ")
}

/// The name, fit to be shown.
#[must_use]
pub fn name(member: &MemberView) -> String {
    inert::line(&member.shown)
}

/// How long a link to the door may be good: what is offered, in words and seconds.
pub const EXPIRIES: [(&str, Option<u64>); 5] = [
    ("1 hour", Some(3_600)),
    ("1 day", Some(86_400)),
    ("7 days", Some(7 * 86_400)),
    ("30 days", Some(30 * 86_400)),
    ("until it is revoked", None),
];

/// The one that is chosen unless somebody chooses another: a week, as in the terminal.
pub const USUAL_EXPIRY: usize = 2;

/// How many people may use a link; nothing typed: any number.
///
/// # Errors
/// What to type.
pub fn uses(typed: &str) -> Result<Option<u32>, &'static str> {
    match typed.trim() {
        "" => Ok(None),
        typed => match typed.parse() {
            Ok(uses) if uses > 0 => Ok(Some(uses)),
            _ => Err("Type how many people may use the link, as a number from 1, or leave it empty."),
        },
    }
}

/// A link in the list.
#[must_use]
pub fn link(link: &RoomLinkView, now: u64) -> String {
    let uses = match link.uses_left {
        None => String::from("any number of people"),
        Some(1) => String::from("1 more person"),
        Some(n) => format!("{n} more people"),
    };
    let ends = match link.expires_at {
        None => String::from("until it is revoked"),
        Some(at) if at <= now => String::from("its time is over"),
        Some(at) => format!("for another {}", time::left(at, now)),
    };
    format!("{uses}, {ends}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(role: Role, own: bool) -> MemberView {
        MemberView {
            account: "a".repeat(64),
            name: "Bob".into(),
            shown: "Bob·7f3a".into(),
            role,
            own,
            verified: false,
            contact: None,
            devices: 2,
            last_heard: None,
        }
    }

    #[test]
    fn who_may_do_what() {
        let (plain, admin, me) = (member(Role::Member, false), member(Role::Admin, false), member(Role::Owner, true));
        assert!(may_remove(Some(Role::Owner), &admin) && may_remove(Some(Role::Admin), &plain));
        assert!(!may_remove(Some(Role::Admin), &admin) && !may_remove(Some(Role::Member), &plain));
        assert!(!may_remove(Some(Role::Owner), &me) && !may_remove(None, &plain));
        assert!(may_change(Some(Role::Owner), &plain) && !may_change(Some(Role::Admin), &plain));
        assert!(!may_change(Some(Role::Owner), &me));
    }

    #[test]
    fn a_member_is_described() {
        let mut bob = member(Role::Admin, false);
        assert_eq!(below(&bob, 0), "admin, 2 devices, never heard on this device");
        (bob.devices, bob.last_heard) = (1, Some(0));
        assert_eq!(below(&bob, 3_600_000), "admin, last heard 1h ago");
        assert_eq!(below(&member(Role::Owner, true), 0), "owner, 2 devices");
    }

    #[test]
    fn a_links_bounds_are_read_and_told() {
        assert_eq!(uses(" "), Ok(None));
        assert_eq!(uses("3"), Ok(Some(3)));
        assert!(uses("0").is_err() && uses("-1").is_err() && uses("many").is_err());
        let view = |uses_left, expires_at| RoomLinkView { id: "0".repeat(16), uses_left, expires_at };
        assert_eq!(link(&view(None, None), 0), "any number of people, until it is revoked");
        assert_eq!(link(&view(Some(1), Some(0)), 1), "1 more person, its time is over");
        assert!(link(&view(Some(4), Some(172_800_000)), 0).starts_with("4 more people, for another 2"));
        assert_eq!(EXPIRIES[USUAL_EXPIRY].1, Some(604_800));
    }
}
