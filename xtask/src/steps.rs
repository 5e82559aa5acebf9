//! The steps of `cargo xtask test`, each timed; a table of the seconds closes the run.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tools::{self, cargo, root, run};
use crate::{tidy, web};

type Step = fn() -> Result<()>;

/// Runs everything that CI runs, and stops at the first step that fails.
pub fn test() -> Result<()> {
    let mut clock = Clock::default();
    let steps: [(&str, Step); 9] = [
        ("tools", || tools::install().map(drop)),
        ("format", format),
        ("tidy", || tidy::run(false)),
        ("dependencies", deny),
        ("lints", lints),
        ("build", build),
        ("tests", tests),
        ("docs", docs),
        // The whole bundle and its tests in a browser (`web`, `browser`) would take CI beyond its half hour.
        ("wasm32", web::check),
    ];
    for (name, step) in steps {
        clock.time(name, step)?;
    }
    clock.table();
    Ok(())
}

fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"])).context("run `cargo fmt --all`")
}

/// Bans, licences and sources; advisories need a database from the network and are checked by hand.
pub fn deny() -> Result<()> {
    let tools = tools::install()?;
    run(Command::new(tools.bin("cargo-deny"))
        .args(["--log-level", "error", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
        .current_dir(root()))
}

fn lints() -> Result<()> {
    // The page's face is for wasm32 alone; with this feature it compiles here too, and is read like the rest.
    run(cargo()
        .args(["clippy", "--workspace", "--all-targets", "--features", "estoile-web/face", "--quiet"])
        .args(["--", "-D", "warnings"]))
}

fn build() -> Result<()> {
    // The benches hold no tests, and drag in the peers that they measure beside; the lints have read them.
    run(cargo().args(["build", "--workspace", "--exclude", "estoile-bench", "--tests", "--bins", "--quiet"]))
}

fn tests() -> Result<()> {
    let tools = tools::install()?;
    let mut c = match tools.nextest() {
        Some(own) => {
            let mut c = Command::new(own);
            c.current_dir(root());
            c
        }
        None => cargo(),
    };
    run(c
        .args([
            "nextest",
            "run",
            "--workspace",
            "--exclude",
            "estoile-bench",
            "--no-fail-fast",
            "--status-level",
            "slow",
            "--final-status-level",
            "fail",
        ])
        .env("ESTOILE_PYTHON", tools.bin("python")))
}

fn docs() -> Result<()> {
    // These pages are for developers, who have the private items before them.
    let flags = "-D warnings -A rustdoc::private_intra_doc_links";
    run(cargo().args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", flags))
}

/// Mutates every decoder's corpus for `seconds` each, by hand.
pub fn fuzz(seconds: &str) -> Result<()> {
    if seconds.parse::<u64>().is_err() {
        bail!("`cargo xtask fuzz SECS` takes whole seconds");
    }
    run(cargo()
        .args(["test", "--release", "-p", "estoile-fuzz", "--", "--nocapture"])
        .env("ESTOILE_FUZZ_SECONDS", seconds))
}

/// Seconds a step.
#[derive(Default)]
struct Clock {
    rows: Vec<(&'static str, Duration)>,
}

impl Clock {
    fn time(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("xtask: {name}");
        let start = Instant::now();
        let result = step().with_context(|| format!("step `{name}` failed"));
        self.rows.push((name, start.elapsed()));
        if result.is_err() {
            self.table();
        }
        result
    }

    fn table(&self) {
        let total: Duration = self.rows.iter().map(|r| r.1).sum();
        println!("\nseconds of each step");
        for (name, took) in self.rows.iter().chain([&("in all", total)]) {
            println!("  {name:<14}{:>8.1}", took.as_secs_f64());
        }
    }
}
