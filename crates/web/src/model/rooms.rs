//! The list of rooms, by name, with what is unread.

use estoile_engine::{ConnectionView, RoomId, RoomView};

use crate::model::inert;

/// The rooms of the vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rooms {
    /// Sorted by name.
    pub list: Vec<RoomView>,
    /// The vault has said which there are.
    pub known: bool,
}

impl Rooms {
    /// A room.
    #[must_use]
    pub fn get(&self, id: RoomId) -> Option<&RoomView> {
        self.list.iter().find(|r| r.id == id)
    }

    /// A room to be changed.
    pub fn get_mut(&mut self, id: RoomId) -> Option<&mut RoomView> {
        self.list.iter_mut().find(|r| r.id == id)
    }

    /// All of them, as the vault has them.
    pub fn load(&mut self, rooms: Vec<RoomView>) {
        self.list = rooms;
        self.list.sort_by_cached_key(order);
        self.known = true;
    }

    /// One is new, or changed; its place follows its name.
    pub fn put(&mut self, view: RoomView) {
        self.remove(view.id);
        let key = order(&view);
        let at = self.list.partition_point(|r| order(r) <= key);
        self.list.insert(at, view);
    }

    /// One was forgotten. The one to show instead, if it was shown: the next, else the last.
    pub fn remove(&mut self, id: RoomId) -> Option<RoomId> {
        let at = self.list.iter().position(|r| r.id == id)?;
        self.list.remove(at);
        self.list.get(at).or_else(|| self.list.last()).map(|r| r.id)
    }

    /// Letters not yet read, in all rooms.
    #[must_use]
    pub fn unread(&self) -> u32 {
        self.list.iter().fold(0, |sum, r| sum.saturating_add(r.unread))
    }

    /// The next room below this one with something unread; when there is none, the next room.
    #[must_use]
    pub fn next_unread(&self, from: Option<RoomId>) -> Option<RoomId> {
        let at = self.list.iter().position(|r| Some(r.id) == from).map_or(0, |at| at + 1);
        let around = || self.list.iter().cycle().skip(at).take(self.list.len());
        let unread = around().find(|r| r.unread > 0 && Some(r.id) != from);
        unread.or_else(|| around().next()).map(|r| r.id).filter(|&id| Some(id) != from)
    }

    /// The room above or below, around the ends.
    #[must_use]
    pub fn neighbour(&self, from: RoomId, down: bool) -> Option<RoomId> {
        let at = self.list.iter().position(|r| r.id == from)?;
        let count = self.list.len();
        let next = if down { at + 1 } else { at + count - 1 };
        self.list.get(next % count).map(|r| r.id)
    }
}

fn order(room: &RoomView) -> (String, RoomId) {
    (room.name.to_lowercase(), room.id)
}

/// A connection in words; the class says how grave.
#[must_use]
pub fn connection(room: &RoomView, now: u64) -> (&'static str, String) {
    if let Some(why) = &room.stopped {
        return ("bad", inert::sentence(why));
    }
    match &room.connection {
        ConnectionView::Online if room.private.as_ref().is_some_and(|p| p.waiting) => {
            ("warn", String::from("waiting to be let in"))
        }
        ConnectionView::Online => ("good", String::from("connected")),
        ConnectionView::Connecting => ("warn", String::from("reaching the relay…")),
        ConnectionView::CatchingUp => ("warn", String::from("reading what is waiting…")),
        ConnectionView::Offline { why, retry_at } => (
            "bad",
            match retry_at {
                Some(at) if *at > now => format!("relay gone, trying again in {} s", (at - now).div_ceil(1000)),
                Some(_) => String::from("relay gone, trying again now"),
                None => inert::sentence(why),
            },
        ),
    }
}

/// Who sees what is said here, in a sentence, for an empty room.
#[must_use]
pub fn invites(room: &RoomView) -> &'static str {
    match &room.private {
        Some(_) => "Only its members read what is said here. Invite contacts, or make a link by which people knock.",
        None if room.link.contains("/#p/") => {
            "Whoever has its link and the passphrase can read and write here. Send the two by different ways."
        }
        None => "Whoever has its link can read and write here, so send it by a way that you trust.",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn room(id: u32, name: &str) -> RoomView {
        RoomView {
            id: RoomId(id),
            name: name.into(),
            link: String::new(),
            host: "chat.example:443".into(),
            own_name: "Ann".into(),
            unread: 0,
            connection: ConnectionView::Online,
            ttl: None,
            max_ttl: None,
            stopped: None,
            private: None,
        }
    }

    fn names(rooms: &Rooms) -> Vec<&str> {
        rooms.list.iter().map(|r| r.name.as_str()).collect()
    }

    #[test]
    fn rooms_stand_by_name() {
        let mut rooms = Rooms::default();
        rooms.load(vec![room(2, "garden"), room(1, "Attic")]);
        rooms.put(room(3, "cellar"));
        assert_eq!(names(&rooms), ["Attic", "cellar", "garden"]);
        rooms.put(room(1, "Zoo"));
        assert_eq!(names(&rooms), ["cellar", "garden", "Zoo"]);
        assert_eq!(rooms.remove(RoomId(3)), Some(RoomId(2)));
        assert_eq!(rooms.remove(RoomId(1)), Some(RoomId(2)), "the last one is left");
        assert_eq!(rooms.remove(RoomId(1)), None);
        assert_eq!(rooms.remove(RoomId(2)), None);
    }

    #[test]
    fn the_next_unread_is_found_around_the_end() {
        let mut rooms = Rooms::default();
        let unread = RoomView { unread: 2, ..room(1, "a") };
        rooms.load(vec![unread, room(2, "b"), room(3, "c")]);
        assert_eq!(rooms.unread(), 2);
        assert_eq!(rooms.next_unread(Some(RoomId(2))), Some(RoomId(1)));
        assert_eq!(rooms.next_unread(Some(RoomId(1))), Some(RoomId(2)));
        assert_eq!(rooms.neighbour(RoomId(3), true), Some(RoomId(1)));
        assert_eq!(rooms.neighbour(RoomId(1), false), Some(RoomId(3)));
        assert_eq!(Rooms::default().next_unread(None), None);
    }

    #[test]
    fn a_connection_is_a_sentence() {
        let offline = |retry_at| ConnectionView::Offline { why: "no route".into(), retry_at };
        let said = |connection| super::connection(&RoomView { connection, ..room(1, "a") }, 10_000).1;
        assert_eq!(said(offline(Some(12_500))), "relay gone, trying again in 3 s");
        assert_eq!(said(offline(Some(9000))), "relay gone, trying again now");
        assert_eq!(said(offline(None)), "No route.");
        let stopped = RoomView { stopped: Some("it has ended".into()), ..room(1, "a") };
        assert_eq!(super::connection(&stopped, 0), ("bad", "It has ended.".into()));
        assert!(invites(&RoomView { link: "https://h/#p/x".into(), ..room(1, "a") }).contains("passphrase"));
    }
}
