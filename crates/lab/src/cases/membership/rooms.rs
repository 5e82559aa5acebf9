//! Who is in a private room: forged, replayed and rolled back, by the relay alone or with a member's help.

use estoile_engine::{NoticeKind, PrivateCommand, RoomId};
use estoile_mls::{Incoming, Me, Plan, Suite, Validity, key_package};
use estoile_seal::SenderKey;
use estoile_seal::access::AccessKey;
use estoile_seal::account::chain::sign_join;
use estoile_seal::account::{Chain, Recovery, Signer};
use estoile_wire::frame::{Attach, Record};
use estoile_wire::{ClientFrame, Id16, PublicKey, RelayFrame, proof};

use super::super::messages::{changed, last_record};
use crate::bench::{Bench, On};
use crate::insider::Insider;
use crate::world::{Broken, Cast, Done, Who, World};

/// What the engine exports of an epoch for its access key.
const ACCESS: &str = "estoile access";
/// The seed of the device that does not belong.
const FOREIGN: [u8; 32] = [77; 32];

/// An error of what is done by hand.
pub(super) fn by_hand(error: impl core::fmt::Display) -> Broken {
    Broken(error.to_string())
}

/// People in a private room.
fn study(bench: &Bench, names: &[&str]) -> Done<(World, Cast)> {
    let mut world = bench.world()?;
    let cast = world.study(names)?;
    world.tell(format!("{} are in one private room", names.join(", ")));
    Ok((world, cast))
}

/// How many accounts somebody's program shows in the room, and how many devices.
fn people(w: &World, (who, room): (Who, RoomId)) -> Done<Vec<String>> {
    let members = w.client(who)?.engine.as_ref().and_then(|engine| engine.members(room));
    Ok(members.unwrap_or_default().into_iter().map(|member| member.name).collect())
}

/// An epoch's access key, from what a member can export.
fn access(secret: &[u8]) -> Done<AccessKey> {
    let seed: &[u8; 32] = secret.try_into().map_err(by_hand)?;
    Ok(AccessKey::from_seed(seed))
}

/// The relay gives somebody a commit as the log's next record; with a key, as one that ends the epoch.
fn gives(w: &mut World, to: Who, insider: &Insider, commit: &[u8], key: Option<PublicKey>) -> Done {
    let last = last_record(w, to)?;
    let Ok(RelayFrame::Record(last)) = RelayFrame::decode(&last) else { return Err(Broken("no record".into())) };
    let body = [&[1], commit].concat();
    let record = Record {
        log: insider.log,
        cursor: last.cursor.saturating_add(1),
        epoch: insider.group.epoch(),
        id16: Id16([8; 16]),
        body: &body,
        advance: key,
        ..last.clone()
    };
    w.relay_says(to, RelayFrame::Record(record).encode())
}

/// An account that nobody here knows, as an MLS key package.
fn foreign_package(w: &World) -> Done<Vec<u8>> {
    let device = SenderKey::from_seed(&FOREIGN);
    let chain = Chain::create(&Recovery::from_entropy([78; 32]).root(), &device, w.now);
    let bytes = chain.encode();
    let me = Me { account: chain.id().0, name: "Mallory", device_seed: &FOREIGN, chain: &bytes };
    Ok(key_package(Suite::Classic, &me, Validity::at(w.now), false).map_err(by_hand)?.public)
}

/// A1 and A4: the relay puts a change into the log that nobody with a right to it has made.
fn forged_change(bench: &mut Bench, add: bool) -> Done {
    let (mut w, cast) = study(bench, &["Anna", "Ben", "Cleo"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.says(anna, "we three")?;
    w.pass(60_000)?;
    let before = people(&w, anna)?;
    let mut insider = w.insider(cast.at(2)?)?;
    // The relay alone has no key at all: what it makes up is noise to everybody.
    w.tell("the relay makes up a change of the room");
    gives(&mut w, ben.0, &insider, &[7; 600], None)?;
    let mut plan = Plan { now_ms: w.now, ..Plan::default() };
    if add {
        w.tell("Cleo, who may not invite, adds Mallory by hand, and the relay shows it");
        plan.adds = vec![foreign_package(&w)?];
    } else {
        w.tell("Cleo, who may not remove anybody, removes Ben by hand, and the relay shows it");
        let bens = w.overview(ben.0)?.account.map(|a| a.id).unwrap_or_default();
        let leaf = insider
            .group
            .leaves()
            .into_iter()
            .find(|leaf| leaf.member.account.iter().map(|byte| format!("{byte:02x}")).collect::<String>() == bens);
        plan.removes = vec![leaf.ok_or_else(|| Broken("no leaf of Ben's".into()))?.index];
    }
    let made = insider.group.commit(plan).map_err(by_hand)?;
    gives(&mut w, anna.0, &insider, &made.commit, None)?;
    w.pass(1_000)?;
    let after = people(&w, anna)?;
    bench.expect(On::Screen, after == before, format!("the members are as before: {before:?}, {after:?}"));
    let stopped = w.stopped(anna)?;
    bench.expect(On::Store, stopped.is_none(), format!("the room stands: {stopped:?}"));
    for who in [anna.0, ben.0] {
        let told = w.notices(who, NoticeKind::Forged).len();
        bench.expect(On::Screen, told > 0, "and it is told that something was refused");
    }
    bench.saw(format!("refused and told; still {}", after.join(", ")));
    bench.keep_story(w);
    Ok(())
}

/// A1.
pub(super) fn forged_add(bench: &mut Bench) -> Done {
    forged_change(bench, true)
}

/// A4.
pub(super) fn forged_removal(bench: &mut Bench) -> Done {
    forged_change(bench, false)
}

/// A5 and A16: a commit of Ben's leaf, right in everything but that the device it adds is not Ben's.
fn uncertified(bench: &mut Bench, chain: impl FnOnce(&Insider, &Chain, u64) -> Done<Vec<u8>>) -> Done {
    let (mut w, cast) = study(bench, &["Anna", "Ben"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.says(ben, "before")?;
    w.pass(60_000)?;
    let mut insider = w.insider(ben)?;
    let own = insider.group.leaf(insider.group.own_index()).ok_or_else(|| Broken("no own leaf".into()))?.member;
    let known = Chain::verify(&own.chain).map_err(by_hand)?;
    let shown = chain(&insider, &known, w.now)?;
    let me = Me { account: own.account, name: &own.name, device_seed: &FOREIGN, chain: &shown };
    let package = key_package(Suite::Classic, &me, Validity::at(w.now), false).map_err(by_hand)?;
    let plan = Plan { adds: vec![package.public], now_ms: w.now, ..Plan::default() };
    let made = insider.group.commit(plan).map_err(by_hand)?;
    let key = access(&insider.group.pending_export(ACCESS, 32).map_err(by_hand)?)?;
    w.tell("somebody with Ben's program adds a device as his, and the relay ends the epoch with it");
    gives(&mut w, anna.0, &insider, &made.commit, Some(key.public()))?;
    let why = w.stopped(anna)?;
    bench.expect(On::Store, why.is_some(), format!("Anna's program does not follow: {why:?}"));
    let told = w.notices(anna.0, NoticeKind::Poisoned);
    let named = told.iter().any(|notice| notice.detail.contains("Ben"));
    bench.expect(On::Screen, named, "Anna is told, with the name of whose change it was");
    let mark = w.tape.mark();
    let send = estoile_engine::Command::Send { room: anna.1, text: "to whom?".into(), ttl: None };
    let refused = w.act(anna.0, send)?.is_err();
    let sent = w.tape.appended(mark).iter().filter(|(who, _)| *who == anna.0).count();
    bench.expect(On::Wire, refused && sent == 0, "nothing is sealed to the device");
    bench.saw("the change is refused by everybody, and whose it was is told");
    bench.keep_story(w);
    Ok(())
}

/// A5: the account's chain does not name the device.
pub(super) fn uncertified_device(bench: &mut Bench) -> Done {
    uncertified(bench, |_, known, _| Ok(known.encode()))
}

/// A16: it does, in an entry whose signature does not hold.
pub(super) fn unsigned_entry(bench: &mut Bench) -> Done {
    uncertified(bench, |insider, known, now| {
        let device = SenderKey::from_seed(&FOREIGN);
        let joined = sign_join(&known.id(), &known.head(), &device);
        let longer = known.add_device(&Signer::Device(&insider.device), &device.public(), &joined, now);
        let mut bytes = longer.map_err(by_hand)?.encode();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        Ok(bytes)
    })
}

/// Anna removes Ben, whose old keys somebody goes on with.
fn removed(bench: &Bench) -> Done<(World, Cast, Insider)> {
    let (mut w, cast) = study(bench, &["Anna", "Ben"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.says(ben, "while I was here")?;
    w.pass(60_000)?;
    let account = w.overview(ben.0)?.account.map(|a| a.id).unwrap_or_default();
    let insider = w.insider(ben)?;
    w.private(anna.0, PrivateCommand::Remove { room: anna.1, account })?.map_err(by_hand)?;
    w.tell("Anna removes Ben");
    w.pass(60_000)?;
    w.says(anna, "without Ben")?;
    w.pass(10_000)?;
    Ok((w, cast, insider))
}

/// Tries the log with the retired key, at each epoch that it may have by now; how many records come of later ones than its
/// own (whose end it was there for).
fn knocks_with_old_key(w: &mut World, insider: &Insider) -> Done<usize> {
    let old = access(&insider.group.export(ACCESS, 32).map_err(by_hand)?)?;
    let (log, own) = (insider.log, insider.group.epoch());
    w.tell("somebody with the log's id and Ben's old access key asks for the log");
    let mut records = 0_usize;
    for epoch in own..own.saturating_add(4) {
        let stranger = w.stranger()?;
        let signature = old.sign(&proof::attach(&stranger.relay_key, &stranger.nonce, &log, epoch));
        let attach = Attach { request: 1, log, epoch, after: 0, signature, newest: None };
        let answers = w.stranger_says(&stranger, &ClientFrame::Attach(attach).encode())?;
        let is_record =
            |frame: &&Vec<u8>| matches!(RelayFrame::decode(frame), Ok(RelayFrame::Record(r)) if r.epoch > own);
        records = records.saturating_add(answers.iter().filter(is_record).count());
    }
    Ok(records)
}

/// A2.
pub(super) fn retired_key(bench: &mut Bench) -> Done {
    let (mut w, cast, mut insider) = removed(bench)?;
    let anna = cast.at(0)?;
    let records = knocks_with_old_key(&mut w, &insider)?;
    bench.expect(On::Wire, records == 0, format!("the retired key opens nothing: {records} records"));
    let held: Vec<Vec<u8>> = w.held(0).into_iter().filter(|r| r.log == insider.log).map(|r| r.body).collect();
    let opened = held.iter().filter(|body| reads_new(&mut insider, body)).count();
    bench.expect(On::Store, opened == 0, format!("of what the relay itself holds {opened} letters open"));
    bench.expect(On::Screen, w.texts(anna)?.contains(&"without Ben".to_owned()), "the room goes on");
    bench.saw("no record for the retired key; what a colluding relay hands over does not open");
    bench.keep_story(w);
    Ok(())
}

/// Whether the old keys open a letter that was written after the removal.
fn reads_new(insider: &mut Insider, body: &[u8]) -> bool {
    let Some((1, message)) = body.split_first() else { return false };
    let opened = insider.group.open(message);
    matches!(opened, Ok(Incoming::Letter { bytes, .. }) if crate::search::holds(&bytes, b"without Ben"))
}

/// A19.
pub(super) fn stays_in(bench: &mut Bench) -> Done {
    let (mut w, cast, mut insider) = removed(bench)?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    let sealed = insider.group.encrypt(b"I am still here").map_err(by_hand)?;
    let body = [&[1], sealed.as_slice()].concat();
    w.tell("Ben's old device seals a letter, and the relay gives it to Anna under the old and the new epoch");
    let last = last_record(&w, anna.0)?;
    for (at, number) in (insider.group.epoch()..insider.group.epoch().saturating_add(4)).zip(1_u8..) {
        let altered = changed(&last, |r| (r.epoch, r.id16) = (at, Id16([number; 16])))?;
        let Ok(RelayFrame::Record(record)) = RelayFrame::decode(&altered) else {
            return Err(Broken("no record".into()));
        };
        let altered = crate::hostile::with_body(&record, &body);
        w.relay_says(anna.0, altered)?;
    }
    w.pass(10_000)?;
    let shown = w.texts(anna)?;
    bench.expect(On::Screen, shown == ["while I was here", "without Ben"], format!("Anna sees {shown:?}"));
    let records = knocks_with_old_key(&mut w, &insider)?;
    bench.expect(On::Wire, records == 0, format!("the old device gets {records} records"));
    w.start(ben.0)?;
    w.pass(60_000)?;
    let read = w.texts(ben).unwrap_or_default();
    bench.expect(On::Store, !read.contains(&"without Ben".to_owned()), "and its vault has nothing of what followed");
    let left = people(&w, anna)?;
    bench.expect(On::Store, left.len() == 1, format!("in the room: {left:?}"));
    bench.saw("the old device neither reads nor writes any more");
    bench.keep_story(w);
    Ok(())
}

/// A3: what once let Ben in is given again after he was removed.
pub(super) fn replayed_changes(bench: &mut Bench) -> Done {
    let (mut w, cast, _) = removed(bench)?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.start(ben.0)?;
    w.pass(30_000)?;
    let old: Vec<(Who, Vec<u8>)> = [anna.0, ben.0]
        .into_iter()
        .flat_map(|who| w.tape.records_to(who).into_iter().map(move |frame| (who, frame)))
        .collect();
    w.tell(format!("the relay gives all {} old records again: commits, welcomes, letters", old.len()));
    for (number, (who, frame)) in (1_u64..).zip(old) {
        let moved = changed(&frame, |r| r.cursor = 1_000_000_u64.saturating_add(number))?;
        w.relay_says(who, moved)?;
        w.relay_says(who, frame)?;
    }
    w.pass(60_000)?;
    let left = people(&w, anna)?;
    bench.expect(On::Screen, left.len() == 1, format!("in the room: {left:?}"));
    let back = w.inside(ben.0, "study")?.is_some_and(|room| w.texts((ben.0, room)).is_ok_and(|texts| texts.len() > 1));
    bench.expect(On::Store, !back, "Ben is not back in it");
    let stopped = w.stopped(anna)?;
    bench.expect(On::Store, stopped.is_none(), format!("the room stands: {stopped:?}"));
    let shown = w.texts(anna)?;
    bench.expect(On::Screen, shown == ["while I was here", "without Ben"], format!("each once: {shown:?}"));
    bench.saw("old changes and welcomes change nothing");
    bench.keep_story(w);
    Ok(())
}

/// A12.
pub(super) fn rolled_back(bench: &mut Bench) -> Done {
    let (mut w, cast) = study(bench, &["Anna", "Ben"])?;
    let (anna, ben) = (cast.at(0)?, cast.at(1)?);
    w.says(anna, "before the copy")?;
    w.pass(60_000)?;
    let copy = w.relay_backup()?;
    w.pass(10_000)?;
    w.private(anna.0, PrivateCommand::Rename { room: anna.1, name: "attic".into() })?.map_err(by_hand)?;
    w.says(anna, "after it")?;
    w.pass(30_000)?;
    w.relay_rolls_back(copy)?;
    w.pass(180_000)?;
    for at in [anna, ben] {
        let kinds: Vec<_> = w.client(at.0)?.events.iter().filter_map(kind).collect();
        bench.saw(format!("told: {kinds:?}"));
        let told = w.notices(at.0, NoticeKind::NoRoom).len() + w.notices(at.0, NoticeKind::Withheld).len();
        bench.expect(On::Screen, told > 0, "it is told that the relay does not have what it had");
        bench.expect(On::Store, w.shown(at)?.room.name == "attic", "nobody goes back to the older state");
    }
    bench.keep_story(w);
    Ok(())
}

fn kind(event: &estoile_engine::Event) -> Option<&'static str> {
    match event {
        estoile_engine::Event::Notice(notice) => Some(notice.kind.slug()),
        _ => None,
    }
}
