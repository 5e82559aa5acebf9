//! Ctrl-K: rooms, people and screens by a few letters of their names.

use estoile_engine::{ContactState, Overview};

use crate::model::inert;
use crate::model::rooms::Rooms;
use crate::model::screen::Screen;

/// Somewhere to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Letters not yet read.
    pub unread: u32,
    /// Where it leads.
    pub screen: Screen,
}

/// Where one can go, best first, for what was typed.
#[must_use]
pub fn places(rooms: &Rooms, overview: &Overview, typed: &str) -> Vec<Place> {
    let mut all: Vec<Place> = rooms
        .list
        .iter()
        .map(|r| Place {
            name: inert::line(&r.name),
            kind: if r.private.is_some() { "private room" } else { "quick room" },
            unread: r.unread,
            screen: Screen::Room(r.id),
        })
        .collect();
    all.sort_by_key(|p| p.unread == 0);
    let accepted = overview.contacts.iter().filter(|c| c.state == ContactState::Accepted);
    all.extend(accepted.map(|c| Place {
        name: inert::line(&c.name),
        kind: "contact",
        unread: 0,
        screen: Screen::Contact(c.id),
    }));
    let fixed = [
        ("Make a room", Screen::NewRoom),
        ("Open a link", Screen::Link(String::new())),
        ("People", Screen::People),
        ("Devices", Screen::Devices),
        ("Settings", Screen::Settings),
        ("Help", Screen::Help),
    ];
    all.extend(fixed.map(|(name, screen)| Place { name: name.to_owned(), kind: "", unread: 0, screen }));
    let wanted = typed.trim().to_lowercase();
    let mut ranked: Vec<(u8, Place)> =
        all.into_iter().filter_map(|p| rank(&p.name.to_lowercase(), &wanted).map(|r| (r, p))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, place)| place).collect()
}

/// How well a name fits; none: not at all.
fn rank(name: &str, wanted: &str) -> Option<u8> {
    if name.starts_with(wanted) {
        return Some(0);
    }
    if name.split_whitespace().any(|word| word.starts_with(wanted)) {
        return Some(1);
    }
    if name.contains(wanted) {
        return Some(2);
    }
    let mut letters = name.chars();
    wanted.chars().all(|w| letters.any(|l| l == w)).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rooms::tests::room;

    #[test]
    fn a_few_letters_find_it() {
        let mut rooms = Rooms::default();
        let mut news = room(3, "Old news");
        news.unread = 4;
        rooms.load(vec![room(1, "Garden"), room(2, "Open gardens"), news]);
        let names =
            |typed: &str| places(&rooms, &Overview::default(), typed).into_iter().map(|p| p.name).collect::<Vec<_>>();
        assert_eq!(names("")[..3], ["Old news", "Garden", "Open gardens"], "unread first");
        assert_eq!(names("gard"), ["Garden", "Open gardens"]);
        assert_eq!(names("ogd"), ["Open gardens"]);
        assert_eq!(names("xyz"), [""; 0]);
        assert_eq!(names("settings"), ["Settings"]);
    }
}
