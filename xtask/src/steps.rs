//! The steps of `cargo xtask test`, each timed; a table of the seconds closes the run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tools::{self, cargo, root, run};
use crate::{tidy, web};

type Step = fn() -> Result<()>;

/// Runs everything that CI runs, and stops at the first step that fails.
pub fn test() -> Result<()> {
    let mut clock = Clock::default();
    let steps: [(&str, Step); 8] = [
        ("tools", || tools::install().map(drop)),
        ("format", format),
        ("tidy", || tidy::run(false)),
        ("dependencies", deny),
        ("build", build),
        ("tests", tests),
        ("weakened", weakened),
        // The whole bundle and its tests in a browser (`web`, `browser`), the documentation and the benches' lints (`docs`,
        // `lints`) would take CI beyond its half hour.
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

/// Builds what the tests run, and reads it in the same pass: clippy's driver is the compiler with more lints, so nothing is
/// compiled once to be read and once more to be run. That halves what the dependencies cost.
fn build() -> Result<()> {
    // The page's face is for wasm32 alone; with this feature it compiles here too, and is read like the rest.
    run(read(&mut cargo())
        .args(["build", "--workspace", "--exclude", "estoile-bench", "--tests", "--bins", "--examples"])
        .args(["--features", "estoile-web/face", "--quiet"]))
}

/// Has cargo compile the workspace's own crates by clippy's driver, with every warning an error.
fn read(command: &mut Command) -> &mut Command {
    // Arguments for the driver stand between these marks, as `cargo clippy` itself hands them over.
    const MARK: &str = "__CLIPPY_HACKERY__";
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", format!("-D{MARK}warnings{MARK}"))
}

/// Builds the sealing crates and the laboratory once more, with a switch at each defence, and proves that every case of the
/// laboratory fails without its defence.
pub fn weakened() -> Result<()> {
    let tools = tools::install()?;
    let mut c = tools.nextest().map_or_else(cargo, |own| {
        let mut c = Command::new(own);
        c.current_dir(root());
        c
    });
    // This program is the compiler's wrapper: it adds the cfg for the workspace's crates, so that the dependencies are shared.
    let wrapper = own_copy()?;
    run(c
        .args(["nextest", "run", "-p", "estoile-lab", "--test", "weakened", "--status-level", "slow"])
        .env("RUSTC_WORKSPACE_WRAPPER", wrapper)
        .env(WRAPS, "1"))
}

/// A copy of this running program: the build step may have written another in its place, and then its own path is gone.
fn own_copy() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    let from = if running.exists() {
        running.to_owned()
    } else {
        std::env::current_exe().context("this program's own path")?
    };
    let to = root().join("target/tools/weakener");
    // Cargo compiles everything anew when its wrapper is a newer file.
    let bytes = std::fs::read(&from).context("this program's own file")?;
    if std::fs::read(&to).is_ok_and(|there| there == bytes) {
        return Ok(to);
    }
    std::fs::create_dir_all(to.parent().context("a folder")?)?;
    // Removed first: a program that runs cannot be written over.
    let _ = std::fs::remove_file(&to);
    std::fs::write(&to, bytes)?;
    make_runnable(&to)?;
    Ok(to)
}

#[cfg(unix)]
fn make_runnable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn make_runnable(_file: &Path) -> Result<()> {
    Ok(())
}

/// Set where cargo runs this program in front of the compiler.
pub const WRAPS: &str = "ESTOILE_XTASK_WEAKENS";

/// In front of the compiler: its arguments, and the cfg of the weakened build.
pub fn weaken(args: &[String]) -> Result<()> {
    let (compiler, rest) = args.split_first().context("the compiler's path")?;
    run(Command::new(compiler).args(rest).args(["--cfg", "estoile_weak"]))
}

/// Reads the benches too, which hold no tests and drag in the peers that they measure beside: by hand.
pub fn lints() -> Result<()> {
    run(cargo()
        .args(["clippy", "--workspace", "--all-targets", "--features", "estoile-web/face", "--quiet"])
        .args(["--", "-D", "warnings"]))
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
    run(read(&mut c)
        .args(["nextest", "run", "--workspace", "--exclude", "estoile-bench", "--features", "estoile-web/face"])
        .args(["--no-fail-fast", "--status-level", "slow", "--final-status-level", "fail"])
        .env("ESTOILE_PYTHON", tools.bin("python")))
}

/// The documentation, with every warning an error: by hand, because it wants its own compilation of all dependencies.
pub fn docs() -> Result<()> {
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
