//! Linking a device: two of them talk over a log that only the link opens, and people compare words.
//!
//! Nothing of it is in the vault before the grant: a process that dies in between ends the link.

use std::str::FromStr;

use estoile_mls::hpke;
use estoile_seal::SenderKey;
use estoile_seal::device_link::{
    DeviceLinkError, DeviceSecret, Granted, HPKE_INFO, Inviter, InviterStep, Joiner, JoinerStep, LIFE_MS, Message,
};
use estoile_seal::link::DeviceLink as LinkText;
use estoile_wire::{Id16, Millis};

use super::create::{broken, check_relay, fresh, seed};
use super::history::Packed;
use super::own::{Own, address_of, no_relay_key};
use super::stored::{StoredDevice, StoredOwn};
use super::{Accounts, Waits};
use crate::channel::{ChannelNews, Heard, Purpose, StoredChannel};
use crate::command::{Answer, CommandError};
use crate::out::Cx;
use crate::stored::StoredAddress;
use crate::turn::CommandId;
use crate::view::{DeviceLinkView, Event};

/// The link's log needs to live no longer than the link.
const LOG_TTL: u64 = LIFE_MS / 1000;

/// Which side we are.
#[derive(Debug)]
enum Side {
    Old(Box<Inviter>),
    New {
        joiner: Box<Joiner>,
        stored: Box<StoredOwn>,
    },
    /// The last letter is on its way.
    Over,
}

/// A device link under way.
#[derive(Debug)]
pub(crate) struct DeviceLink {
    secret: DeviceSecret,
    side: Side,
    until: Millis,
    pub(super) view: DeviceLinkView,
    candidate_name: String,
}

fn failed(why: &str) -> DeviceLinkView {
    DeviceLinkView::Failed { why: why.to_owned() }
}

impl Accounts {
    pub(super) fn link_timeout(&self) -> Option<Millis> {
        self.link.as_ref().map(|link| link.until)
    }

    /// Makes a device link. Answered with its text when its log is there: who uses it may be quick.
    pub(crate) fn link_device(&mut self, command: CommandId, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let own = self.need()?;
        let relay = own.relay_url().ok_or_else(no_relay_key)?;
        let secret = DeviceSecret::generate(cx.rng);
        let inviter = Inviter::new(&secret, &own.chain, &own.device.public(), cx.now, cx.rng);
        let text = LinkText { relay, secret: secret.clone() }.to_string();
        let (address, entry) = (own.stored.address.clone(), own.stored.entry.clone());
        self.open_link(&secret, &address, entry, true, cx);
        let until = inviter.ends_at();
        let view = DeviceLinkView::Waiting { until };
        self.link =
            Some(DeviceLink { secret, side: Side::Old(Box::new(inviter)), until, view, candidate_name: String::new() });
        self.changed = true;
        self.wait(Waits::Link, command, Answer::Link(text));
        Ok(())
    }

    /// Takes the new device's side.
    pub(crate) fn join_device(
        &mut self,
        link: &str,
        name: &str,
        command: CommandId,
        cx: &mut Cx<'_>,
    ) -> Result<(), CommandError> {
        if self.own.as_ref().is_some_and(|own| own.stored.made) || self.restoring.is_some() {
            return Err(CommandError::HasAccount);
        }
        let link = LinkText::from_str(link).map_err(|e| CommandError::Account(e.to_string()))?;
        if !(name.trim().is_empty() || estoile_seal::names::is_name(name)) {
            return Err(CommandError::BadName);
        }
        let address = address_of(&link.relay);
        check_relay(&address)?;
        self.clear(cx);
        let device = SenderKey::generate(cx.rng);
        let stored = fresh(&device, name, &address, None, cx)?;
        let (_, public) = hpke::derive(&stored.device_hpke).map_err(|_| broken())?;
        let joiner = Joiner::new(&link.secret, &device, public, stored.device_name.clone(), cx.now, cx.rng);
        self.open_link(&link.secret, &StoredAddress::of(&address), None, false, cx);
        let until = joiner.ends_at();
        let hello = joiner.hello();
        self.link = Some(DeviceLink {
            secret: link.secret,
            side: Side::New { joiner: Box::new(joiner), stored: Box::new(stored) },
            until,
            view: DeviceLinkView::Waiting { until },
            candidate_name: String::new(),
        });
        self.say(&hello, cx);
        self.wait(Waits::Link, command, Answer::Done);
        Ok(())
    }

    fn open_link(
        &mut self,
        secret: &DeviceSecret,
        address: &StoredAddress,
        entry: Option<Vec<u8>>,
        create: bool,
        cx: &mut Cx<'_>,
    ) {
        self.close_channel(Purpose::Link, cx);
        let mut stored = StoredChannel::new(&address.to_address(), Purpose::Link, *secret.access().seed());
        stored.create = create;
        stored.max_ttl = LOG_TTL;
        stored.entry = entry;
        self.open_channel(stored, cx);
    }

    fn say(&mut self, message: &Message, cx: &mut Cx<'_>) {
        let Some(link) = &self.link else { return };
        let body = link.secret.seal(message, cx.rng);
        let id = Id16(seed(cx.rng).first_chunk().copied().unwrap_or_default());
        if let Some(channel) = self.channel_mut(Purpose::Link) {
            channel.push(id, body);
        }
    }

    pub(super) fn link_news(&mut self, news: ChannelNews, cx: &mut Cx<'_>) {
        match news {
            ChannelNews::Record(heard) => self.link_record(&heard, cx),
            ChannelNews::Live if self.link.as_ref().is_some_and(|l| matches!(l.side, Side::Old(_))) => {
                self.answer(&Waits::Link, None, cx);
            }
            ChannelNews::Kept => {
                self.answer(&Waits::Link, None, cx);
                let said = self.channel(Purpose::Link).is_some_and(|c| c.stored.outgoing.is_empty());
                if said && self.link.as_ref().is_none_or(|l| matches!(l.side, Side::Over)) {
                    self.close_channel(Purpose::Link, cx);
                    self.link = None;
                }
            }
            ChannelNews::Stopped { .. } => {
                let why = "this device link leads nowhere (any more): it was used, is older than ten minutes, or was copied wrongly; make a new one on the old device (estoile device link)";
                let error = CommandError::Account(why.to_owned());
                self.answer(&Waits::Link, Some(&error), cx);
                self.end_link(failed(why), cx);
                self.close_channel(Purpose::Link, cx);
                self.link = None;
            }
            _ => {}
        }
    }

    fn link_record(&mut self, heard: &Heard, cx: &mut Cx<'_>) {
        let Some(link) = self.link.as_mut() else { return };
        let message = match link.secret.open(&heard.body) {
            Ok(message) => message,
            // Whoever writes there without the link's secret is the relay: nothing of it counts.
            Err(_) => return,
        };
        match &mut link.side {
            Side::Old(inviter) => match inviter.receive(&message, cx.now) {
                Ok(InviterStep::Nothing) => {}
                Ok(InviterStep::Send(message)) => self.say(&message, cx),
                Ok(InviterStep::Ask { words, name }) => {
                    let unasked = estoile_wire::weak::is("device words");
                    link.candidate_name = name;
                    link.view = DeviceLinkView::Compare { words, old: true };
                    self.changed = true;
                    if unasked {
                        let _ = self.confirm_device(true, (Vec::new(), 0), cx);
                    }
                }
                Err(error) => self.link_error(&error, cx),
            },
            Side::New { joiner, .. } => match joiner.receive(&message, cx.now) {
                Ok(JoinerStep::Nothing) => {}
                Ok(JoinerStep::Show { message, words }) => {
                    link.view = DeviceLinkView::Compare { words, old: false };
                    self.changed = true;
                    self.say(&message, cx);
                }
                Ok(JoinerStep::Open { sealed, transcript }) => self.granted(&sealed, &transcript, cx),
                Err(error) => self.link_error(&error, cx),
            },
            Side::Over => {}
        }
    }

    fn link_error(&mut self, error: &DeviceLinkError, cx: &mut Cx<'_>) {
        if let Some(reply) = error.reply() {
            self.say(&reply, cx);
        }
        self.end_link(failed(&error.to_string()), cx);
    }

    /// The link is over, one way or the other; what waits in its log still goes out.
    fn end_link(&mut self, view: DeviceLinkView, cx: &mut Cx<'_>) {
        cx.event(Event::DeviceLink(view.clone()));
        self.link_told = Some(view.clone());
        let pending = self.channel(Purpose::Link).is_some_and(|c| !c.stored.outgoing.is_empty());
        if pending {
            if let Some(link) = self.link.as_mut() {
                link.side = Side::Over;
                link.view = view;
            }
        } else {
            self.close_channel(Purpose::Link, cx);
            self.link = None;
        }
        self.changed = true;
    }

    /// The old device's user has compared the words.
    pub(crate) fn confirm_device(&mut self, yes: bool, past: Packed, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let own = self.own.as_ref().ok_or(CommandError::NoAccount)?;
        let none =
            || CommandError::Account("no device waits for a yes; make a link first (estoile device link)".to_owned());
        let Some(link) = self.link.as_mut().filter(|l| matches!(l.view, DeviceLinkView::Compare { old: true, .. }))
        else {
            return Err(none());
        };
        let Side::Old(inviter) = &mut link.side else { return Err(none()) };
        if !yes {
            let message = inviter.refuse();
            self.say(&message, cx);
            self.end_link(
                failed(
                    "you said that the words differ: nothing was handed over; make a new link, and keep it to yourself",
                ),
                cx,
            );
            return Ok(());
        }
        let taken =
            inviter.accept(&own.chain, &own.device, cx.now).map_err(|e| CommandError::Account(e.to_string()))?;
        let relay = own.relay_url().ok_or_else(no_relay_key)?;
        let (chain, generation) = (taken.chain.clone(), own.generation());
        let history = self.pack_history(&taken.candidate.device, past, cx);
        let granted = Granted { chain, generation, relay, history, later: estoile_seal::Later::default() };
        let sealed = hpke::seal(&taken.candidate.hpke, HPKE_INFO, &taken.transcript, &granted.encode())
            .map_err(|_| CommandError::Account("the new device's key is none; make a new link".to_owned()))?;
        let own = self.own.as_ref().ok_or(CommandError::NoAccount)?;
        let grant = taken.grant(sealed, &own.device);
        let device = StoredDevice {
            key: taken.candidate.device,
            name: taken.candidate.name.clone(),
            hpke: taken.candidate.hpke.clone(),
        };
        if let Some(own) = self.own.as_mut() {
            own.stored.devices.push(device);
            own.stored.shared = own.stored.revision.saturating_add(1);
        }
        // The chain is written down with the grant in one turn: both go out, or neither.
        self.take_own_chain(taken.chain, cx);
        self.say(&grant, cx);
        self.end_link(DeviceLinkView::Done, cx);
        Ok(())
    }

    /// The new device is in.
    fn granted(&mut self, sealed: &[u8], transcript: &[u8; 32], cx: &mut Cx<'_>) {
        let Some(Side::New { joiner, stored }) = self.link.as_mut().map(|l| &mut l.side) else { return };
        let opened = hpke::derive(&stored.device_hpke)
            .ok()
            .and_then(|(secret, _)| hpke::open(&secret, HPKE_INFO, transcript, sealed).ok())
            .ok_or(DeviceLinkError::Wrong)
            .and_then(|text| joiner.accept(&text));
        let granted = match opened {
            Ok(granted) => granted,
            Err(error) => {
                self.link_error(&error, cx);
                return;
            }
        };
        let mut stored = (**stored).clone();
        stored.chain = granted.chain.encode();
        stored.generation = granted.generation.number();
        stored.secret = *granted.generation.secret();
        stored.address = StoredAddress::of(&address_of(&granted.relay));
        stored.chain_told = granted.chain.len();
        stored.chain_written = granted.chain.len();
        stored.name = stored.device_name.clone();
        stored.joined = true;
        stored.since = Some(cx.now);
        stored.history = granted.history.as_ref().map(|offer| Self::take_history(offer, cx));
        let Some(own) = Own::new(stored) else { return };
        cx.book.learn(&own.id().0, &own.stored.chain);
        self.own = Some(own);
        self.open_log(cx);
        self.keep_own();
        self.end_link(DeviceLinkView::Done, cx);
    }

    pub(crate) fn cancel_link(&mut self, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let Some(link) = self.link.as_mut() else { return Ok(()) };
        let message = match &mut link.side {
            Side::Old(inviter) => inviter.refuse(),
            Side::New { joiner, .. } => joiner.refuse(),
            Side::Over => return Ok(()),
        };
        self.say(&message, cx);
        self.end_link(failed("the device link was given up"), cx);
        Ok(())
    }

    /// Ends a link whose time is over, and tells faces how it goes.
    pub(super) fn flush_link(&mut self, cx: &mut Cx<'_>) {
        if self.link.as_ref().is_some_and(|l| l.until <= cx.now) {
            let over = self.link.as_ref().is_some_and(|l| matches!(l.side, Side::Over));
            if !over {
                self.end_link(failed(&DeviceLinkError::Late.to_string()), cx);
            }
            self.close_channel(Purpose::Link, cx);
            self.link = None;
        }
        if let Some(link) = &self.link
            && self.link_told.as_ref() != Some(&link.view)
        {
            cx.event(Event::DeviceLink(link.view.clone()));
            self.link_told = Some(link.view.clone());
        }
    }
}
