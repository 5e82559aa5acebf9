//! Notices: how grave they are, and what can be done about them at once.

use estoile_engine::{Notice, NoticeKind, RoomId};

use crate::model::screen::Screen;

/// How grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something that one may want to know.
    Told,
    /// Something that one should look at.
    Warning,
    /// Somebody does what they must not, or something is lost.
    Bad,
}

impl Weight {
    /// Its class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Told => "notice",
            Self::Warning => "notice warning",
            Self::Bad => "notice bad",
        }
    }

    /// Its picture.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Told => "info",
            Self::Warning | Self::Bad => "warning",
        }
    }

    /// What a reader of the screen says before it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Told => "Notice",
            Self::Warning => "Warning",
            Self::Bad => "Alarm",
        }
    }
}

/// How grave a kind is.
#[must_use]
pub const fn weight(kind: NoticeKind) -> Weight {
    match kind {
        NoticeKind::Found
        | NoticeKind::Joined
        | NoticeKind::Removed
        | NoticeKind::Roster
        | NoticeKind::Moved
        | NoticeKind::Invited
        | NoticeKind::Knocked
        | NoticeKind::Lagged
        | NoticeKind::Reordered
        | NoticeKind::Contact
        | NoticeKind::Unseen => Weight::Told,
        NoticeKind::Forged
        | NoticeKind::Copied
        | NoticeKind::TwoFaced
        | NoticeKind::Poisoned
        | NoticeKind::Split
        | NoticeKind::Vault => Weight::Bad,
        _ => Weight::Warning,
    }
}

/// Something to do about a notice, as a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Shows a screen.
    Go(&'static str, Screen),
    /// Tries the relay now.
    Reconnect(RoomId),
    /// Sends again what was not sent.
    Retry(RoomId),
}

/// What can be done at once; none: the advice is all there is.
#[must_use]
pub fn remedy(notice: &Notice) -> Option<Remedy> {
    let room = notice.room;
    match notice.kind {
        NoticeKind::Relay => room.map(Remedy::Reconnect),
        NoticeKind::NotSent => room.map(Remedy::Retry),
        NoticeKind::NameTaken | NoticeKind::Contact | NoticeKind::Invited => {
            Some(Remedy::Go("Look at people", Screen::People))
        }
        NoticeKind::Joined | NoticeKind::Roster | NoticeKind::Knocked | NoticeKind::Full => {
            room.map(|r| Remedy::Go("Look at members", Screen::Members(r)))
        }
        NoticeKind::Poisoned | NoticeKind::Split | NoticeKind::NoRoom => {
            room.map(|r| Remedy::Go("See the way out", Screen::RoomSettings(r)))
        }
        NoticeKind::Device | NoticeKind::Copied => Some(Remedy::Go("Look at devices", Screen::Devices)),
        NoticeKind::Vault => Some(Remedy::Go("Open settings", Screen::Settings)),
        _ => None,
    }
}

/// Notices about this client as a whole that are held for the first screen, newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lobby(Vec<Notice>);

/// The first screen holds this many; beyond that the oldest go.
const LOBBY: usize = 20;

impl Lobby {
    /// One came.
    pub fn tell(&mut self, notice: Notice) {
        if self.0.iter().any(|n| n.id == notice.id) {
            return;
        }
        if self.0.len() == LOBBY {
            self.0.remove(0);
        }
        self.0.push(notice);
    }

    /// One was read.
    pub fn put_away(&mut self, id: u64) {
        self.0.retain(|n| n.id != id);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Notice] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::tests::notice;

    #[test]
    fn every_kind_has_its_weight() {
        assert_eq!(weight(NoticeKind::Forged), Weight::Bad);
        assert_eq!(weight(NoticeKind::Withheld), Weight::Warning);
        assert_eq!(weight(NoticeKind::Found), Weight::Told);
        for &kind in NoticeKind::ALL {
            let told = Notice { kind, ..notice(1, 0) };
            assert!(weight(kind).class().starts_with("notice"));
            assert!(!weight(kind).word().is_empty() && !weight(kind).icon().is_empty());
            // A remedy about a room needs one.
            let none = remedy(&Notice { room: None, ..told });
            assert!(!matches!(none, Some(Remedy::Reconnect(_) | Remedy::Retry(_))));
        }
        assert_eq!(remedy(&notice(1, 0)), Some(Remedy::Reconnect(RoomId(1))));
    }

    #[test]
    fn the_first_screen_holds_a_few() {
        let mut lobby = Lobby::default();
        for id in 0..100 {
            lobby.tell(notice(id, 0));
            lobby.tell(notice(id, 0));
        }
        assert_eq!((lobby.all().len(), lobby.all().first().map(|n| n.id)), (20, Some(80)));
        lobby.put_away(85);
        assert_eq!(lobby.all().len(), 19);
    }
}
