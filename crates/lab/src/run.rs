//! Runs cases: each experiment in a world of its own, several at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use estoile_wire::Millis;
use serde::Serialize;

use crate::bench::Bench;
use crate::case::Case;
use crate::cases;
use crate::ladder;
use crate::outcome::{Outcome, Row, Seal};

/// How the laboratory runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything that is drawn comes from it.
    pub seed: u64,
    /// This machine's time: MLS holds key packages against its clock by itself.
    pub wall: Millis,
    /// One attack alone, by its number.
    pub only: Option<String>,
    /// How the program's faces show the text of others.
    pub show: fn(&str) -> String,
    /// Experiments at a time.
    pub threads: usize,
    /// The defence that is switched off, by its name in [`weaknesses`].
    #[cfg(estoile_weak)]
    pub weak: Option<&'static str>,
}

/// What stands about an attack in the list.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct About {
    /// Its number.
    pub attack: &'static str,
    /// Whom it hit before.
    pub precedent: &'static str,
    /// What the relay does.
    pub does: &'static str,
    /// What stands in its way.
    pub defence: &'static str,
}

/// Every attack, in order.
pub fn about() -> impl Iterator<Item = About> {
    cases::all().map(|case| About {
        attack: case.id,
        precedent: case.precedent,
        does: case.does,
        defence: case.defence,
    })
}

/// Each attack that is tried, with the defence that a weakened build can switch off; what is only measured has none.
pub fn weaknesses() -> impl Iterator<Item = (&'static str, &'static str)> {
    cases::all().filter(|case| !case.tries.is_empty() && !case.weakness.is_empty()).map(|case| (case.id, case.weakness))
}

/// One piece of work.
#[derive(Clone, Copy)]
struct Job {
    case: &'static Case,
    /// Which try; none: a rung of the ladder, or nothing to try.
    number: Option<usize>,
    rung: Option<Seal>,
}

/// Tries everything that was asked for. `progress` hears of each row as it comes, with how many there will be.
pub fn run(options: &Options, progress: &(dyn Fn(&Row, usize) + Sync)) -> Vec<Row> {
    let wanted = |case: &&Case| options.only.as_ref().is_none_or(|id| case.id.eq_ignore_ascii_case(id));
    let jobs: Vec<Job> = cases::all().filter(wanted).flat_map(jobs).collect();
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, 64) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = carry_out(job, options);
                    progress(&row, jobs.len());
                    if let Ok(mut rows) = rows.lock() {
                        rows.push(row);
                    }
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_default();
    let place = |row: &Row| cases::all().position(|case| case.id == row.attack);
    rows.sort_by_key(|row| (place(row), row.seal));
    rows
}

fn jobs(case: &'static Case) -> Vec<Job> {
    let rungs = ladder::rungs(case.id).iter().map(|rung| Job { case, number: None, rung: Some(*rung) });
    let tries = (0..case.tries.len()).map(|number| Job { case, number: Some(number), rung: None });
    let mut jobs: Vec<Job> = rungs.chain(tries).collect();
    if jobs.is_empty() {
        jobs.push(Job { case, number: None, rung: None });
    }
    jobs
}

fn carry_out(job: &Job, options: &Options) -> Row {
    let attack = job.case.id;
    if let Some(rung) = job.rung {
        let (outcome, detail) = ladder::attack(attack, rung, options.seed);
        return Row { attack, seal: rung, outcome, held: None, detail, story: Vec::new() };
    }
    let Some((seal, promised, how)) = job.number.and_then(|n| job.case.tries.get(n)) else {
        let detail = job.case.defence.to_owned();
        return Row { attack, seal: Seal::None, outcome: Outcome::Unreached, held: None, detail, story: Vec::new() };
    };
    // A seed of its own for each case, so that one alone does what it does among all.
    let number = cases::all().position(|case| case.id == attack).unwrap_or_default();
    let seed = options.seed.wrapping_mul(1_000).wrapping_add(u64::try_from(number).unwrap_or_default());
    let mut bench = Bench::new(seed, options.wall, *seal, options.show);
    let result = catch_unwind(AssertUnwindSafe(|| weakened(options, || how(&mut bench))));
    match result {
        Ok(result) => bench.row(attack, *promised, result),
        Err(_) => {
            let detail = "the client fell over: a peer's bytes made it panic".to_owned();
            Row { attack, seal: *seal, outcome: Outcome::Breached, held: Some(false), detail, story: Vec::new() }
        }
    }
}

/// Does something as this build is meant to: with every defence, or in a weakened build without the one that was chosen.
#[cfg(not(estoile_weak))]
fn weakened<T>(_: &Options, what: impl FnOnce() -> T) -> T {
    what()
}

#[cfg(estoile_weak)]
fn weakened<T>(options: &Options, what: impl FnOnce() -> T) -> T {
    match options.weak {
        Some(defence) => estoile_wire::weak::without(defence, what),
        None => what(),
    }
}

/// How many attacks came out in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Attacks in the list.
    pub attacks: usize,
    /// Those that were tried.
    pub tried: usize,
    /// Those against which the strongest outcome was this; an attack counts once, by its worst row of ours.
    pub impossible: usize,
    /// See `impossible`.
    pub told: usize,
    /// See `impossible`.
    pub stopped: usize,
    /// See `impossible`.
    pub measured: usize,
    /// Attacks that succeeded.
    pub breached: usize,
    /// Attacks on what does not exist here yet.
    pub unreached: usize,
}

/// Counts attacks, not rows.
#[must_use]
pub fn counts(rows: &[Row]) -> Counts {
    let mut counts = Counts::default();
    for case in cases::all() {
        let ours = rows.iter().filter(|row| row.attack == case.id && row.seal.promises());
        let Some(worst) = ours.map(|row| row.outcome).max_by_key(|outcome| severity(*outcome)) else { continue };
        counts.attacks = counts.attacks.saturating_add(1);
        let field = match worst {
            Outcome::Impossible => &mut counts.impossible,
            Outcome::Told => &mut counts.told,
            Outcome::Stopped => &mut counts.stopped,
            Outcome::Measured => &mut counts.measured,
            Outcome::Breached => &mut counts.breached,
            Outcome::Unreached => &mut counts.unreached,
        };
        *field = field.saturating_add(1);
    }
    counts.tried = counts.attacks.saturating_sub(counts.unreached);
    counts
}

const fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Unreached => 0,
        Outcome::Measured => 1,
        Outcome::Impossible => 2,
        Outcome::Told => 3,
        Outcome::Stopped => 4,
        Outcome::Breached => 5,
    }
}
