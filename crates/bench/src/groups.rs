//! What a private room's group costs: letters, and commits at 10, 100 and 250 devices under both suites; beside them, in
//! the same run, what Megolm needs to rekey the same room.
//!
//! A *fresh* tree is one that its founder has just filled with one commit: inner nodes blank, the worst case. A tree *in
//! use* is one in which every device has committed once. Nothing here touches a relay or a disk; what a store would have
//! to write is counted.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use estoile_mls::{Group, Incoming, Me, NewKeyPackage, Plan, Suite, Validity, key_package};
use vodozemac::megolm::{GroupSession, SessionConfig as MegolmConfig};
use vodozemac::olm::{Account, OlmMessage, Session, SessionConfig as OlmConfig};

use crate::{BODY, Outcome, figure};

const SIZES: [u32; 3] = [10, 100, 250];
const SUITES: [Suite; 2] = [Suite::XWing, Suite::Classic];
/// How often each commit is made and opened; the median counts.
const TIMES: usize = 7;
/// As long as an account's chain with one device.
const CHAIN: [u8; 300] = [0x5E; 300];

/// Two devices of a room that follow everything: one that commits, one that watches.
struct Room {
    name: String,
    committer: Group,
    watcher: Group,
}

/// Measures it all and prints the figures.
pub(crate) fn run() -> Outcome<()> {
    for suite in SUITES {
        for size in SIZES {
            let mut fresh = fresh(suite, size)?;
            letters(&mut fresh)?;
            commits(&mut fresh, size)?;
            commits(&mut in_use(suite, size)?, size)?;
        }
    }
    SIZES.into_iter().try_for_each(megolm)
}

fn now_ms() -> Outcome<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

fn seed(device: u32) -> [u8; 32] {
    let mut seed = [0xD5; 32];
    seed.iter_mut().zip(device.to_be_bytes()).for_each(|(s, d)| *s = d);
    seed
}

fn me(seed: &[u8; 32]) -> Me<'_> {
    Me { account: *seed, name: "Somebody", device_seed: seed, chain: &CHAIN }
}

fn offer(suite: Suite, device: u32) -> Outcome<NewKeyPackage> {
    Ok(key_package(suite, &me(&seed(device)), Validity::at(now_ms()?), false)?)
}

fn found(suite: Suite) -> Outcome<Group> {
    Ok(Group::create(suite, &me(&seed(0)), Validity::at(now_ms()?), &[7; 2000])?)
}

fn join(device: u32, offer: &NewKeyPackage, welcome: Option<Vec<u8>>) -> Outcome<Group> {
    let welcome = welcome.ok_or("a commit that adds has a welcome")?;
    Ok(Group::join(&welcome, &seed(device), &mut |_| Some(offer.secret.clone()))?.into_group())
}

fn adding(packages: &[NewKeyPackage]) -> Outcome<Plan<'static>> {
    let adds = packages.iter().map(|p| p.public.clone()).collect();
    Ok(Plan { adds, now_ms: now_ms()?, ..Plan::default() })
}

fn take(group: &mut Group, commit: &[u8]) -> Outcome<()> {
    match group.open(commit)? {
        Incoming::Commit(staged) => Ok(group.accept(*staged)?),
        _ => Err("not another's commit".into()),
    }
}

/// All added by the founder's first commit.
fn fresh(suite: Suite, size: u32) -> Outcome<Room> {
    let mut committer = found(suite)?;
    let offers = (1..size).map(|d| offer(suite, d)).collect::<Outcome<Vec<_>>>()?;
    let pending = committer.commit(adding(&offers)?)?;
    committer.merge_pending()?;
    let last = offers.last().ok_or("a room of one")?;
    let watcher = join(size - 1, last, pending.welcome)?;
    Ok(Room { name: format!("{suite:?} {size} devices, fresh tree"), committer, watcher })
}

/// Each device adds the next, who commits once.
fn in_use(suite: Suite, size: u32) -> Outcome<Room> {
    let mut founder = found(suite)?;
    let mut newest: Option<Group> = None;
    for device in 1..size {
        let package = offer(suite, device)?;
        let plan = adding(std::slice::from_ref(&package))?;
        let adder = newest.as_mut().unwrap_or(&mut founder);
        let pending = adder.commit(plan)?;
        adder.merge_pending()?;
        if newest.is_some() {
            take(&mut founder, &pending.commit)?;
        }
        let mut next = join(device, &package, pending.welcome)?;
        let update = next.commit(Plan::default())?;
        next.merge_pending()?;
        take(&mut founder, &update.commit)?;
        newest = Some(next);
    }
    let watcher = newest.ok_or("a room of one")?;
    Ok(Room { name: format!("{suite:?} {size} devices, tree in use"), committer: founder, watcher })
}

fn kept(group: &mut Group) -> usize {
    group.take_changes().iter().map(|c| c.key.len() + c.value.as_ref().map_or(0, |v| v.len())).sum()
}

fn micros(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}

fn size(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from)
}

/// A thousand letters from one device, each kept before the next as a sender must; opened as one batch.
fn letters(room: &mut Room) -> Outcome<()> {
    const COUNT: u32 = 1000;
    let name = &room.name;
    figure(&format!("{name}: whole kept state"), size(kept(&mut room.committer)), "B");
    kept(&mut room.watcher);
    let mut sealed = vec![];
    let mut written = 0;
    let start = Instant::now();
    for _ in 0..COUNT {
        sealed.push(room.committer.encrypt(&[b'x'; BODY])?);
        written = kept(&mut room.committer);
    }
    figure(&format!("{name}: send a message"), micros(start.elapsed(), COUNT), "us");
    figure(&format!("{name}: a message of {BODY} B sealed"), size(sealed.first().map_or(0, Vec::len)), "B");
    figure(&format!("{name}: to keep for each message sent"), size(written), "B");
    let start = Instant::now();
    for one in &sealed {
        let Incoming::Letter { .. } = room.watcher.open(one)? else { return Err("not a letter".into()) };
    }
    let written = kept(&mut room.watcher);
    let time = start.elapsed();
    figure(&format!("{name}: open a message"), micros(time, COUNT), "us");
    figure(&format!("{name}: open 1,000 waiting messages"), time.as_secs_f64() * 1e3, "ms");
    figure(&format!("{name}: to keep for 1,000 messages opened"), size(written), "B");
    Ok(())
}

/// One more, one less, new keys: made, dropped, made again; opened, refused, opened again; the last one taken.
fn commits(room: &mut Room, devices: u32) -> Outcome<()> {
    let newcomer = offer(room.committer.suite(), devices + 1000)?;
    // Not next to either of the two that we look at.
    let gone = devices / 2 + 1;
    for act in ["update", "add", "remove"] {
        let mut made = vec![];
        let mut opened = vec![];
        let mut last = None;
        for _ in 0..TIMES {
            room.committer.drop_pending()?;
            let plan = match act {
                "add" => adding(std::slice::from_ref(&newcomer))?,
                "remove" => Plan { removes: vec![gone], ..Plan::default() },
                _ => Plan::default(),
            };
            let start = Instant::now();
            let pending = room.committer.commit(plan)?;
            made.push(start.elapsed());
            let start = Instant::now();
            let Incoming::Commit(staged) = room.watcher.open(&pending.commit)? else { return Err("no commit".into()) };
            opened.push(start.elapsed());
            room.watcher.refuse(*staged)?;
            last = Some(pending);
        }
        let pending = last.ok_or("nothing made")?;
        kept(&mut room.watcher);
        take(&mut room.watcher, &pending.commit)?;
        let written = kept(&mut room.watcher);
        room.committer.merge_pending()?;
        let name = format!("{}: {act}", room.name);
        figure(&format!("{name}, made"), median(made), "ms");
        figure(&format!("{name}, opened by another"), median(opened), "ms");
        figure(&format!("{name}, commit"), size(pending.commit.len()), "B");
        if let Some(welcome) = pending.welcome {
            figure(&format!("{name}, welcome"), size(welcome.len()), "B");
        }
        figure(&format!("{name}, to keep when it is taken"), size(written), "B");
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1e3
}

/// A new outbound session, its key sent over an established Olm session to each of the other devices: the least that it
/// can be, with no event around the key.
fn megolm(devices: u32) -> Outcome<()> {
    let ours = Account::new();
    let mut sessions = (1..devices).map(|_| established(&ours)).collect::<Outcome<Vec<_>>>()?;
    let mut times = vec![];
    let mut bytes = 0;
    for _ in 0..TIMES {
        let start = Instant::now();
        let key = GroupSession::new(MegolmConfig::version_1()).session_key().to_bytes();
        bytes = 0;
        for session in &mut sessions {
            bytes += session.encrypt(&key)?.to_parts().1.len();
        }
        times.push(start.elapsed());
    }
    figure(&format!("Megolm {devices} devices: rekey, made"), median(times), "ms");
    figure(&format!("Megolm {devices} devices: rekey, all its messages"), size(bytes), "B");
    Ok(())
}

/// An Olm session that has been answered, so that its messages are short.
fn established(ours: &Account) -> Outcome<Session> {
    let mut theirs = Account::new();
    theirs.generate_one_time_keys(1);
    let key = *theirs.one_time_keys().values().next().ok_or("no one-time key")?;
    let config = OlmConfig::version_1();
    let mut session = ours.create_outbound_session(config, theirs.curve25519_key(), key)?;
    let OlmMessage::PreKey(first) = session.encrypt("hello")? else { return Err("not a first message".into()) };
    let mut answer = theirs.create_inbound_session(config, ours.curve25519_key(), &first)?.session;
    session.decrypt(&answer.encrypt("hello")?)?;
    Ok(session)
}
