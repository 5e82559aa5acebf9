//! A room as faces see it: its view, its messages, its people.
//!
//! What the book says of accounts is looked up once a turn, so that looking needs no more than the room.

use std::collections::{BTreeMap, BTreeSet};

use estoile_seal::link::{Link as RoomLink, LinkKind};
use estoile_seal::quick::RoomSecret;
use estoile_wire::{Millis, PublicKey};

use super::attach::Attach;
use super::lock::Lock;
use super::people::hex;
use super::{Letter, Room};
use crate::book::Book;
use crate::link::LinkView;
use crate::private::{AccountId, Private};
use crate::view::{ConnectionView, MessageView, PersonView, PrivateView, Role, RoomView};

/// What faces are told of a private room, as it was at the last turn's end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    view: Option<PrivateView>,
    roles: BTreeMap<AccountId, Role>,
    verified: BTreeSet<AccountId>,
}

impl Known {
    pub(super) fn of(private: &Private, book: &Book) -> Self {
        let accounts = private.accounts();
        let verified = |account: &&AccountId| book.contact(account).is_some_and(|c| c.verified);
        Self {
            view: Some(private.view(book)),
            verified: accounts.iter().filter(verified).copied().collect(),
            roles: accounts.iter().filter_map(|a| Some((*a, private.role_of(a)?))).collect(),
        }
    }
}

impl Room {
    /// The link that opens the room; empty until the relay's key is known.
    fn link(&self) -> String {
        let s = &self.stored;
        // A private room has links of its own, which its roster knows.
        if s.private.is_some() {
            return String::new();
        }
        let Some(relay) = s.pin else { return String::new() };
        let kind = if s.passphrase { LinkKind::Passphrase } else { LinkKind::Quick(RoomSecret::from_bytes(s.secret)) };
        RoomLink { tls: s.tls, host: s.host.clone(), port: s.port, name: s.name.clone(), relay, kind }.to_string()
    }

    fn host(&self) -> String {
        let s = &self.stored;
        if s.host.contains(':') { format!("[{}]:{}", s.host, s.port) } else { format!("{}:{}", s.host, s.port) }
    }

    fn connection(&self, link: &LinkView<'_>) -> ConnectionView {
        match (link, &self.attach) {
            (LinkView::Connecting, _) => ConnectionView::Connecting,
            (LinkView::Offline { why, retry_at }, _) => {
                ConnectionView::Offline { why: (*why).to_owned(), retry_at: *retry_at }
            }
            (
                LinkView::Up,
                Attach::Live | Attach::Attaching { rescan: true, .. } | Attach::Reading { rescan: true },
            ) => ConnectionView::Online,
            (LinkView::Up, Attach::Waiting { until, why }) => {
                ConnectionView::Offline { why: why.clone(), retry_at: Some(*until) }
            }
            (LinkView::Up, Attach::Out) => match &self.progress.stopped {
                Some(why) => ConnectionView::Offline { why: why.clone(), retry_at: None },
                None => ConnectionView::Connecting,
            },
            (LinkView::Up, _) => ConnectionView::CatchingUp,
        }
    }

    pub(super) fn is_unread(&self, letter: &Letter) -> bool {
        letter.seq >= self.progress.read_seq && letter.stored.text.is_some() && !self.is_ours(letter)
    }

    /// By this client, or by another device of our account.
    fn is_ours(&self, letter: &Letter) -> bool {
        let s = &self.stored;
        let account = s.private.as_ref().and_then(|p| p.account);
        letter.own(&self.own) || (account.is_some() && letter.stored.account == account)
    }

    /// The room as a list shows it.
    pub(crate) fn view(&self, link: &LinkView<'_>) -> RoomView {
        RoomView {
            id: self.id,
            name: self.stored.name.clone(),
            link: self.link(),
            host: self.host(),
            own_name: self.stored.own_name.clone(),
            unread: u32::try_from(self.timeline.unread()).unwrap_or(u32::MAX),
            connection: self.connection(link),
            ttl: self.default_ttl(),
            max_ttl: self.progress.max_ttl,
            stopped: self.progress.stopped.clone().or_else(|| link.given_up()),
            private: self.private_view(),
        }
    }

    fn private_view(&self) -> Option<PrivateView> {
        self.stored.private.as_ref()?;
        let outside = PrivateView {
            role: None,
            members: 0,
            devices: 0,
            epoch: 0,
            post_quantum: true,
            waiting: self.is_waiting(),
            verified: false,
        };
        match (&self.lock, &self.known.view) {
            (Lock::Private(_), Some(view)) if !self.progress.is_out() => Some(view.clone()),
            _ => Some(outside),
        }
    }

    /// What the book says of the room's people, for the turns to come.
    pub(crate) fn learn_known(&mut self, book: &Book) {
        let Some(private) = self.lock.private() else { return };
        let known = Known::of(private, book);
        if known != self.known {
            self.known = known;
            self.people.changed = true;
        }
    }

    /// A letter as faces see it; none if it shows nothing.
    pub(crate) fn message(&self, letter: &Letter) -> Option<MessageView> {
        let s = &letter.stored;
        let account = s.account.as_ref();
        Some(MessageView {
            room: self.id,
            id: letter.id(),
            from: s.name.clone(),
            shown: self.people.shown(&s.name, &account.map_or(s.sender, |a| PublicKey(*a))),
            key: hex(&s.sender.0),
            own: letter.own(&self.own),
            text: s.text.clone()?,
            sent_at: s.sent_at,
            ttl: s.ttl.map(u64::from),
            ends_at: letter.ends_at(),
            cursor: s.cursor,
            state: letter.state(),
            unread: self.is_unread(letter),
            account: account.map(|a| hex(a)),
            verified: account.is_some_and(|a| self.known.verified.contains(a)),
        })
    }

    /// The newest messages, in timeline order, and whether older ones exist.
    pub(crate) fn newest(&self, newest: usize) -> (Vec<MessageView>, bool) {
        let visible = || self.timeline.shown().filter(|l| !self.hold.holds(&l.stored.hash));
        let mut messages: Vec<MessageView> = visible().take(newest).filter_map(|l| self.message(l)).collect();
        messages.reverse();
        let more =
            visible().nth(newest).is_some() || self.timeline.lowest_seq().is_some_and(|seq| seq > self.first_seq());
        (messages, more)
    }

    /// Messages at hand that stand before one, newest first; and the local number below which the vault has more.
    pub(crate) fn at_hand_before(&self, before: &[u8; 32], limit: usize) -> Option<Vec<&Letter>> {
        let place = self.timeline.get(before)?.place();
        Some(self.timeline.shown_before(place).take(limit).collect())
    }

    /// The lowest local number at hand, or the next one.
    pub(crate) fn lowest_seq(&self) -> u64 {
        self.timeline.lowest_seq().unwrap_or(self.progress.next_seq)
    }

    pub(crate) fn people(&self, link: &LinkView<'_>, now: Millis) -> Vec<PersonView> {
        let here = matches!((link, &self.attach), (LinkView::Up, Attach::Live));
        let mut people = self.people.views(&self.person(&self.own), here, now);
        let Some(private) = self.lock.private() else { return people };
        // Who has not been heard of is a member all the same; who is none any more is none here.
        let known = &self.known.roles;
        people.retain(|p| known.keys().any(|account| hex(account) == p.key));
        let silent: Vec<PersonView> = known
            .keys()
            .filter(|account| people.iter().all(|p| hex(*account) != p.key))
            .map(|account| {
                let name = private.name_of(account).unwrap_or_default();
                let key = PublicKey(*account);
                let own = *account == private.me().account;
                PersonView {
                    shown: self.people.shown(&name, &key),
                    key: hex(account),
                    here: own && here,
                    typing: false,
                    last_heard: None,
                    account: None,
                    role: None,
                    verified: false,
                    name,
                    own,
                }
            })
            .collect();
        people.extend(silent);
        for person in &mut people {
            let account = known.keys().find(|account| hex(*account) == person.key);
            person.role = account.and_then(|a| known.get(a)).copied();
            person.verified = account.is_some_and(|a| self.known.verified.contains(a));
            person.account = Some(person.key.clone());
        }
        people
    }
}
