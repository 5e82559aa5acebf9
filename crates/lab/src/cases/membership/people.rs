//! Who somebody is: accounts, their devices, and what lies at the relay to reach them.

use estoile_engine::{AccountCommand, Answer, CommandError, ContactState, DeviceLinkView, Event, NoticeKind, Verify};
use estoile_mls::{Me, Suite, Validity, hpke, key_package};
use estoile_seal::SenderKey;
use estoile_seal::account::{Chain, Recovery};
use estoile_seal::link::ContactLink;
use estoile_seal::shelf_item::ShelfItem;
use estoile_wire::frame::Taken;
use estoile_wire::{ClientFrame, RelayFrame};
use zeroize::Zeroizing;

use super::rooms::by_hand;
use crate::bench::{Bench, On};
use crate::hostile::Misbehaviour;
use crate::world::{Broken, Done, Who, World};

/// An item as it would lie on Ben's shelf, of Mallory's account: who has the contact link can seal it.
fn mallorys_item(w: &mut World, link: &str) -> Done<Vec<u8>> {
    let link: ContactLink = link.parse().map_err(by_hand)?;
    let device = SenderKey::from_seed(&[77; 32]);
    let chain = Chain::create(&Recovery::from_entropy([78; 32]).root(), &device, w.now);
    let bytes = chain.encode();
    let me = Me { account: chain.id().0, name: "Ben", device_seed: &[77; 32], chain: &bytes };
    let package = key_package(Suite::Classic, &me, Validity::at(w.now), false).map_err(by_hand)?;
    let (_, public) = hpke::derive(&[79; 32]).map_err(by_hand)?;
    let item = ShelfItem {
        chain,
        name: "Ben".into(),
        hpke: public,
        key_packages: vec![package.public],
        device: device.public(),
        later: estoile_seal::Later::default(),
    };
    item.seal(&link.shelf_key, &link.shelf, &device, &mut w.rng).map_err(by_hand)
}

/// The relay gives this item instead of what lies on a shelf, or besides.
fn gives_item(item: Vec<u8>, besides: bool) -> Misbehaviour {
    Misbehaviour::new("it gives another account's key from a shelf", move |passing, bytes| {
        match RelayFrame::decode(bytes) {
            Ok(RelayFrame::Taken(taken)) if !passing.up => {
                let other = RelayFrame::Taken(Taken { item: &item, ..taken.clone() }).encode();
                if besides { vec![other, bytes.to_vec()] } else { vec![other] }
            }
            _ => vec![bytes.to_vec()],
        }
    })
}

fn swapped(bench: &mut Bench, besides: bool) -> Done {
    let mut w = bench.world()?;
    let (anna, _) = w.person("Anna")?;
    let (ben, _) = w.person("Ben")?;
    w.pass(10_000)?;
    let link = w.contact_link(ben, false)?;
    let item = mallorys_item(&mut w, &link)?;
    let mark = w.tape.mark();
    w.misbehave(gives_item(item, besides));
    w.tell("Anna adds Ben by the contact link that he gave her");
    let asked = w.account(anna, AccountCommand::AddContact { link, text: "hello, it is me".into() })?;
    w.pass(30_000)?;
    let refused = matches!(&asked, Err(CommandError::Account(why)) if why.contains("another account"));
    let came = w.overview(ben)?.contacts.iter().any(|c| matches!(c.state, ContactState::Request { .. }));
    if besides {
        // An answer that the relay adds to is refused as a whole, or only Ben's own key is used: never Mallory's.
        bench.expect(On::Screen, refused || came, format!("refused, or it reaches Ben himself: {asked:?}"));
    } else {
        bench.expect(On::Screen, refused, format!("Anna is told that the key is another account's: {asked:?}"));
        bench.expect(On::Wire, w.tape.since(mark).iter().all(|f| !is_post(f.up, &f.bytes)), "nothing is posted");
    }
    bench.expect(On::Wire, !w.tape.holds(b"hello, it is me"), "no word of hers is readable");
    let friends = w.overview(anna)?.contacts.iter().filter(|c| c.state == ContactState::Accepted).count();
    bench.expect(On::Store, friends == 0, "nobody became a contact");
    bench.saw("the link names the account: another's key is not used");
    bench.keep_story(w);
    Ok(())
}

fn is_post(up: bool, frame: &[u8]) -> bool {
    up && matches!(ClientFrame::decode(frame), Ok(ClientFrame::Post(_)))
}

/// A21.
pub(super) fn swapped_packages(bench: &mut Bench) -> Done {
    swapped(bench, false)
}

/// A14.
pub(super) fn one_key_more(bench: &mut Bench) -> Done {
    swapped(bench, true)
}

/// A6: Mallory stands between Anna and Ben, with an account of her own that is called like either.
pub(super) fn in_the_middle(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let (anna, _) = w.person("Anna")?;
    let (ben, _) = w.person("Ben")?;
    let (mallory, _) = w.person("Ben")?;
    let (other, _) = w.person("Anna")?;
    w.tell("Mallory gave Anna a link of her own as Ben's, and Ben one as Anna's");
    w.befriend(anna, mallory)?;
    w.befriend(ben, other)?;
    let (theirs, hers) = (w.known(anna, "Ben")?, w.known(ben, "Anna")?);
    let shown = match w.account(ben, AccountCommand::ShowVerification(hers))? {
        Ok(Answer::Verify(view)) => view,
        other => return Err(Broken(format!("nothing to compare: {other:?}"))),
    };
    w.tell("Anna compares what the true Ben shows her: his code, then his number");
    for said in [Verify::Qr(shown.qr.clone()), Verify::Said(shown.number.clone())] {
        let told = w.account(anna, AccountCommand::VerifyContact(theirs, said))?;
        let stopped = matches!(told, Err(CommandError::Mismatch(_)));
        bench.expect(On::Screen, stopped, format!("Anna is told that they differ: {told:?}"));
    }
    let verified = w.overview(anna)?.contacts.iter().any(|c| c.verified);
    bench.expect(On::Store, !verified, "nobody is verified");
    bench.expect(On::Wire, !w.tape.holds(shown.number.as_bytes()), "what is compared never goes over the wire");
    bench.saw("code and number differ, and Anna is told why that may be");
    bench.keep_story(w);
    Ok(())
}

/// Comes back with the recovery words, as somebody who has them and the relay could.
fn restored(w: &mut World, words: &str) -> Done<Who> {
    let who = w.new_client("Anna")?;
    let relay = w.address.clone();
    let restore = AccountCommand::Restore {
        anew: None,
        words: Zeroizing::new(words.to_owned()),
        device: "new".into(),
        relay,
        entry: None,
        keep_devices: false,
    };
    w.account(who, restore)?.map_err(by_hand)?;
    Ok(who)
}

/// A10 and A13: a verified contact's devices have two histories.
pub(super) fn changed_identity(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let (anna, words) = w.person("Anna")?;
    let (ben, _) = w.person("Ben")?;
    w.befriend(anna, ben)?;
    let annas = w.known(ben, "Anna")?;
    w.account(ben, AccountCommand::VerifyContact(annas, Verify::Compared))?.map_err(by_hand)?;
    w.kill(anna)?;
    let copy = w.relay_backup()?;
    let one = restored(&mut w, &words)?;
    let first = w.found(one, "first")?;
    let contact = w.known(one, "Ben")?;
    w.private(one, estoile_engine::PrivateCommand::Invite { room: first, contact })?.map_err(by_hand)?;
    w.pass(30_000)?;
    bench.expect(On::Screen, w.inside(ben, "first")?.is_some(), "Ben follows the one history");
    w.kill(one)?;
    w.kill(ben)?;
    w.relay_rolls_back(copy)?;
    w.tell("the relay gives Anna's account another device than the one that Ben has seen");
    let two = restored(&mut w, &words)?;
    let contact = w.known(two, "Ben")?;
    for name in ["second", "third", "fourth", "fifth"] {
        let room = w.found(two, name)?;
        w.private(two, estoile_engine::PrivateCommand::Invite { room, contact })?.map_err(by_hand)?;
    }
    w.start(ben)?;
    let mark = w.tape.mark();
    w.pass(60_000)?;
    let told = w.notices(ben, NoticeKind::Contact).iter().filter(|n| n.from.as_deref() == Some("Anna")).count();
    bench.expect(On::Screen, told > 0, format!("Ben is told about Anna: {told} times"));
    let stopped = w.account(ben, AccountCommand::VerifyContact(annas, Verify::Compared))?;
    bench.expect(On::Screen, stopped.is_err(), "the contact stands still until Ben decides");
    for name in ["second", "third", "fourth", "fifth"] {
        bench.expect(On::Store, w.inside(ben, name)?.is_none(), "Ben is drawn into no room of the other device");
    }
    let posts = w.tape.since(mark).iter().filter(|f| f.who == ben && is_post(f.up, &f.bytes)).count();
    bench.expect(On::Wire, posts == 0, format!("nothing is sent to the new device unasked: {posts} letters"));
    bench.saw("stopped and told; nothing goes to the other device");
    bench.keep_story(w);
    Ok(())
}

/// A15.
pub(super) fn unapproved_device(bench: &mut Bench) -> Done {
    let mut w = bench.world()?;
    let (anna, _) = w.person("Anna")?;
    let link = match w.account(anna, AccountCommand::LinkDevice)? {
        Ok(Answer::Link(link)) => link,
        other => return Err(Broken(format!("no device link: {other:?}"))),
    };
    w.settle()?;
    let thief = w.new_client("Thief")?;
    w.tell("somebody photographs the code of Anna's device link, and is quicker");
    let join = AccountCommand::JoinDevice { link: link.clone(), device: "phone".into() };
    w.account(thief, join.clone())?.map_err(by_hand)?;
    w.pass(5_000)?;
    let asked = w
        .client(anna)?
        .events
        .iter()
        .any(|e| matches!(e, Event::DeviceLink(DeviceLinkView::Compare { old: true, .. })));
    bench.expect(On::Screen, asked, "Anna is asked to compare words, and nothing happens before she answers");
    let _ = w.account(anna, AccountCommand::ConfirmDevice { yes: false, history: true })?;
    w.pass(10_000)?;
    w.tell("the link is used once more");
    let again = w.new_client("Again")?;
    let _ = w.try_act(again, estoile_engine::Command::Account(join))?;
    w.pass(30_000)?;
    for who in [thief, again] {
        bench.expect(On::Store, w.overview(who)?.account.is_none(), "the stranger has nothing of the account");
    }
    let devices = w.overview(anna)?.account.map(|a| a.devices.len()).unwrap_or_default();
    bench.expect(On::Store, devices == 1, format!("Anna's account has {devices} device"));
    bench.expect(On::Wire, !w.tape.holds(link.as_bytes()), "the link's secret never goes over the wire");
    bench.saw("Anna's no ends it; the link is dead");
    bench.keep_story(w);
    Ok(())
}
