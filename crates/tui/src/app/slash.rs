//! What the slash commands do.

use estoile_engine::{Command, DeliveryState, LetterId, RoomId};
use zeroize::Zeroizing;

use super::{Act, App, Call, Confirm, Overlay};
use crate::commands::Slash;
use crate::theme::{Theme, ThemeName};
use crate::timeline::Item;
use crate::{inert, time};

impl App {
    pub(super) fn slash(&mut self, slash: Slash) {
        match slash {
            Slash::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Slash::Open(link) => self.open(link, None),
            Slash::Theme(theme) => self.set_theme(theme),
            Slash::Mouse(on) => self.set_mouse(on),
            Slash::Quit => self.leave(),
            Slash::Rooms(name) => self.rooms_command(name),
            Slash::Next => self.next_unread(),
            Slash::Private(people) => self.people_slash(people),
            other => match self.current {
                Some(room) => self.room_slash(room, other),
                None => self.complain("That is for a room, and none is open. Type /open and a room's link."),
            },
        }
    }

    fn room_slash(&mut self, room: RoomId, slash: Slash) {
        match slash {
            Slash::Name(name) => self.name(room, name),
            Slash::Ttl(ttl) => self.ttl(room, ttl),
            Slash::Link => self.overlay = Some(Overlay::Link),
            Slash::Copy => self.copy_link(),
            Slash::People => self.overlay = Some(Overlay::People { scroll: 0 }),
            Slash::Retry => self.retry(room),
            Slash::Discard => self.discard(room),
            Slash::Reconnect => self.reconnect(),
            Slash::Forget => self.overlay = Some(Overlay::Confirm(Confirm::Forget(room))),
            _ => {}
        }
    }

    fn name(&mut self, room: RoomId, name: Option<String>) {
        let Some(name) = name else {
            let own = self.here().map_or(String::new(), |r| inert::line(&r.view.own_name));
            self.tell(format!("You are {own} here. /name NAME changes it."));
            return;
        };
        self.call(
            Call::Tell(format!("You are {} here from now on.", inert::line(&name))),
            Command::SetName { room, name },
        );
    }

    fn ttl(&mut self, room: RoomId, ttl: Option<Option<u64>>) {
        let most = self
            .here()
            .and_then(|r| r.view.max_ttl)
            .map_or(String::new(), |max| format!(" The room allows at most {}.", time::span(max)));
        match ttl {
            None => {
                let now = self.here().and_then(|r| r.view.ttl);
                let lives = now.map_or("as long as the relay keeps them".to_owned(), time::span);
                self.tell(format!("Your messages live {lives}.{most} /ttl 10m changes it."));
            }
            Some(seconds) => {
                let text = match seconds {
                    Some(s) => format!("Messages that you send from now on live {}.", time::span(s)),
                    None => String::from("Messages that you send from now on live as long as the relay keeps them."),
                };
                self.call(Call::Tell(text), Command::SetTtl { room, ttl: seconds });
            }
        }
    }

    pub(super) fn copy_link(&mut self) {
        if let Some(link) = self.here().map(|r| r.view.link.clone()) {
            self.acts.push(Act::Copy(link));
            self.tell("The link is in your clipboard, if your terminal allows that; else /link shows it.");
        }
    }

    fn not_sent(&self, failed_only: bool) -> Vec<LetterId> {
        let Some(room) = self.here() else { return Vec::new() };
        let messages = room.timeline.iter().filter_map(Item::message).filter(|m| m.own);
        let fits = messages.filter(|m| match m.state {
            DeliveryState::Failed { .. } => true,
            DeliveryState::Sending => !failed_only,
            _ => false,
        });
        fits.map(|m| m.id).collect()
    }

    fn retry(&mut self, room: RoomId) {
        let failed = self.not_sent(true);
        if failed.is_empty() {
            let waiting = self.not_sent(false).len();
            self.tell(match waiting {
                0 => "Nothing has failed here; there is nothing to send again.",
                _ => "What is not sent yet goes out by itself when the relay is back: Ctrl-R tries now.",
            });
            return;
        }
        for id in failed {
            self.call(Call::Tell(String::from("Sending again.")), Command::Retry { room, id });
        }
    }

    fn discard(&mut self, room: RoomId) {
        let last = self.not_sent(true).pop().or_else(|| self.not_sent(false).pop());
        match last {
            Some(id) => {
                let gone = "The last message that was not sent is given up.";
                self.call(Call::Tell(gone.to_owned()), Command::Discard { room, id });
            }
            None => self.tell("The relay has all your messages; there is nothing to give up."),
        }
    }

    pub(super) fn reconnect(&mut self) {
        if let Some(room) = self.current {
            self.call(Call::Silent, Command::ReconnectNow { room });
        }
    }

    fn set_theme(&mut self, theme: Option<ThemeName>) {
        let next = theme.unwrap_or(match self.theme.name {
            ThemeName::Dark => ThemeName::Light,
            ThemeName::Light => ThemeName::Contrast,
            ThemeName::Contrast => ThemeName::Dark,
        });
        let colour = self.theme.has_colour();
        self.theme = Theme::new(next, colour, self.ascii);
        let without = if colour { "" } else { " NO_COLOR is set, so it shows only when that is not." };
        self.tell(format!("The theme is {}.{without} ESTOILE_THEME={} keeps it.", next.word(), next.word()));
    }

    fn set_mouse(&mut self, on: Option<bool>) {
        let on = on.unwrap_or(false);
        self.acts.push(Act::Mouse(on));
        self.tell(if on {
            "The mouse clicks and scrolls here."
        } else {
            "The mouse is the terminal's: select text as usual. /mouse on takes it back."
        });
    }

    fn rooms_command(&mut self, name: Option<String>) {
        let Some(name) = name else {
            let at = self.rooms.iter().position(|r| Some(r.view.id) == self.current).unwrap_or(0);
            self.overlay = Some(Overlay::Rooms { chosen: at });
            return;
        };
        let lower = name.to_lowercase();
        let named = |exact: bool| {
            self.rooms.iter().find(|r| {
                let n = inert::line(&r.view.name).to_lowercase();
                if exact { n == lower } else { n.starts_with(&lower) }
            })
        };
        match named(true).or_else(|| named(false)).map(|r| r.view.id) {
            Some(id) => self.go_to(id),
            None => self.complain("No room here has that name. /rooms lists them; /open LINK opens another."),
        }
    }

    /// The next room below this one with something unread; when there is none, the next room.
    pub(super) fn next_unread(&mut self) {
        let at = self.rooms.iter().position(|r| Some(r.view.id) == self.current).map_or(0, |at| at + 1);
        let around = self.rooms.iter().cycle().skip(at).take(self.rooms.len());
        let unread = around.clone().find(|r| r.view.unread > 0 && Some(r.view.id) != self.current);
        let next = unread.or_else(|| around.clone().next()).map(|r| r.view.id);
        match next {
            Some(id) if Some(id) != self.current => self.go_to(id),
            _ => self.tell("There is no other room. /open LINK opens one."),
        }
    }

    pub(super) fn neighbour(&mut self, down: bool) {
        let Some(at) = self.rooms.iter().position(|r| Some(r.view.id) == self.current) else { return };
        let count = self.rooms.len();
        let next = if down { (at + 1) % count } else { (at + count - 1) % count };
        if let Some(id) = self.rooms.get(next).map(|r| r.view.id) {
            self.go_to(id);
        }
    }

    pub(super) fn open(&mut self, link: String, passphrase: Option<Zeroizing<String>>) {
        let own_name = self.here().map_or_else(|| self.own_name.clone(), |r| r.view.own_name.clone());
        self.opening = true;
        self.acts.push(Act::Open { link, passphrase, own_name });
    }

    pub(super) fn confirmed(&mut self, what: Confirm) {
        match what {
            Confirm::Forget(room) => {
                self.call(Call::Tell(String::from("The room is forgotten here.")), Command::Forget { room });
            }
            Confirm::Leave(room) => self.left(room),
            Confirm::Remove { room, account, name } => self.removed(room, account, &name),
            Confirm::Quit => self.quit(false),
        }
    }
}
