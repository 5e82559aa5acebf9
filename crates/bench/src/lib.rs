//! Benchmarks of the relay through its public doors.
//!
//! `cargo bench -p estoile-bench` runs all parts and prints a table, and a JSON line for each figure. Names of parts
//! after `--` run these alone: `floors`, `store`, `start`, `appends`, `rooms`, `memory`, `redis`.
//!
//! The relay runs in a process of its own (this program again). The load comes from this process: one thread, plain
//! sockets, frames counted and hardly read, for it shares the machine's cores with what it measures. It knows nothing of
//! the relay's inside, and judges nothing: targets and what bounds each figure are in `docs/benchmarks.md`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

mod appends;
mod floors;
mod groups;
mod memory;
mod peer;
mod process;
mod redis;
mod rooms;
mod store;

use std::error::Error;
use std::time::Duration;

/// What a part of the benchmark gives: a failure ends it all, with its reason.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a private room's group costs, and beside it Megolm: `cargo bench -p estoile-bench --bench groups`.
pub fn groups() -> Outcome<()> {
    groups::run()
}

/// The body of every message: what a short sentence takes in a letter's seal.
pub(crate) const BODY: usize = 200;
/// How long each figure of a rate is measured, after a tenth of that to warm up.
pub(crate) const SPAN: Duration = Duration::from_secs(5);

/// Prints one figure: a line of the table and a line of JSON.
pub(crate) fn figure(what: &str, value: f64, unit: &str) {
    let digits = if value < 100.0 { 2 } else { 0 };
    println!("{what:<72} {value:>12.digits$} {unit}");
    println!("{{\"what\":\"{what}\",\"value\":{value:.3},\"unit\":\"{unit}\"}}");
}

fn parts() -> Vec<String> {
    let parts: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all = ["floors", "store", "start", "appends", "rooms", "memory", "redis"];
    if parts.is_empty() { all.map(str::to_owned).into() } else { parts }
}

/// Runs what the command line names: parts of the benchmark, or one of the processes that it starts itself. Files go to
/// the folder `scratch`, and are removed.
///
/// # Errors
/// The first thing that went wrong.
pub fn run(scratch: &str) -> Outcome<()> {
    // A folder of the build's: what is measured is the disk of the checkout, not a temporary folder in memory.
    std::env::set_current_dir(scratch)?;
    if let Some(role) = process::role() {
        return process::play(role);
    }
    process::raise_file_limit()?;
    println!("{} cores; bodies of {BODY} bytes; each rate over {} s", cores(), SPAN.as_secs());
    for part in parts() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let local = tokio::task::LocalSet::new();
        match part.as_str() {
            "floors" => local.block_on(&runtime, floors::run())?,
            "store" => store::run()?,
            "start" => store::start()?,
            "appends" => local.block_on(&runtime, appends::run())?,
            "rooms" => local.block_on(&runtime, rooms::run())?,
            "memory" => local.block_on(&runtime, memory::run())?,
            "redis" => redis::run()?,
            other => return Err(format!("there is no part \"{other}\"").into()),
        }
    }
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}
