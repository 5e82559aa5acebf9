//! Style as a test: crate edges, lengths as a ratchet, module docs, stray markers.
//!
//! A ratchet only turns one way: the files and functions that are longer than the rule are listed in `xtask/ratchet.txt`
//! with their length; none may grow, and none may join.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::tools::{cargo, root, text};

/// Lines of a source file, beyond which it is two rooms in one.
const MAX_FILE: usize = 400;
/// Lines of a test file: cases read well in a row.
const MAX_TEST_FILE: usize = 700;
/// Lines of a function, signature and braces included.
const MAX_FUNCTION: usize = 70;

/// Which of our crates each of our crates may depend on. Development dependencies are free, but for the two relay crates,
/// which may not reach the seals at all: the relay can't even link what opens a letter.
const EDGES: &[(&str, &[&str])] = &[
    ("estoile-wire", &[]),
    ("estoile-seal", &["estoile-wire"]),
    ("estoile-hub", &["estoile-wire"]),
    ("estoile-mls", &["estoile-wire"]),
    ("estoile-engine", &["estoile-wire", "estoile-seal", "estoile-mls"]),
    ("estoile-relay", &["estoile-wire", "estoile-hub", "estoile-trim"]),
    ("estoile-trim", &[]),
    ("estoile-client", &["estoile-wire", "estoile-seal", "estoile-engine"]),
    ("estoile-port", &["estoile-engine"]),
    ("estoile-browser", &["estoile-wire", "estoile-seal", "estoile-engine", "estoile-port"]),
    ("estoile-web", &["estoile-engine", "estoile-port"]),
    ("estoile-tui", &["estoile-engine", "estoile-client"]),
    (
        "estoile",
        &[
            "estoile-wire",
            "estoile-seal",
            "estoile-engine",
            "estoile-client",
            "estoile-relay",
            "estoile-tui",
            "estoile-hub",
            "estoile-lab",
        ],
    ),
    // The laboratory's seals of the lower rungs must not get near a product: the program's `lab` command alone reaches it.
    ("estoile-lab", &["estoile-wire", "estoile-seal", "estoile-mls", "estoile-hub", "estoile-engine"]),
    ("estoile-sim", &["estoile-wire", "estoile-seal", "estoile-hub", "estoile-engine"]),
    ("estoile-fuzz", &["estoile-wire", "estoile-seal", "estoile-hub", "estoile-engine"]),
    (
        "estoile-bench",
        &["estoile-wire", "estoile-seal", "estoile-hub", "estoile-relay", "estoile-client", "estoile-mls"],
    ),
    ("estoile-bundle", &[]),
    ("xtask", &[]),
];

/// Crates that must never reach the seals, in any kind of dependency.
const BLIND: &[&str] = &["estoile-hub", "estoile-relay"];
/// Crates without I/O: none of these may appear anywhere below them.
const PURE: &[&str] = &["estoile-wire", "estoile-seal", "estoile-hub", "estoile-mls", "estoile-engine"];
/// The one exception, and the crate by which alone it may enter: OpenMLS takes entropy by itself (docs: ARCHITECTURE.md).
/// Whoever builds on that crate inherits it.
const AMBIENT: (&str, &str) = ("estoile-mls", "getrandom");
/// What a pure crate may not reach.
const IMPURE: &[&str] =
    &["tokio", "redb", "mio", "socket2", "hyper", "rustls", "getrandom", "rusqlite", "fjall", "web-sys", "js-sys"];

/// Checks it all; with `list`, prints what the ratchet holds.
pub fn run(list: bool) -> Result<()> {
    let mut faults = edges()?;
    let ratchet = Ratchet::load()?;
    let mut seen = BTreeMap::new();
    for path in sources(&root())? {
        let name = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let code = fs::read_to_string(&path)?;
        faults.extend(header(&name, &code));
        faults.extend(markers(&name, &code));
        measure(&name, &code, &mut seen);
    }
    faults.extend(ratchet.judge(&seen));
    if list {
        seen.iter().for_each(|(what, lines)| println!("{lines} {what}"));
    }
    faults.iter().for_each(|f| eprintln!("tidy: {f}"));
    ensure!(faults.is_empty(), "{} things to tidy", faults.len());
    Ok(())
}

/// The dependency edges between our crates, and what the pure ones reach.
fn edges() -> Result<Vec<String>> {
    let json: serde_json::Value =
        serde_json::from_str(&text(cargo().args(["metadata", "--format-version", "1", "--locked"]))?)?;
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut faults = vec![];
    let packages = json["packages"].as_array().context("cargo metadata lists packages")?;
    for p in packages.iter().filter(|p| p["source"].is_null()) {
        let name = p["name"].as_str().unwrap_or_default();
        let Some(may) = allowed.get(name) else {
            faults.push(format!("crate {name} has no row in xtask's table of edges"));
            continue;
        };
        for d in p["dependencies"].as_array().into_iter().flatten() {
            let (to, dev) = (d["name"].as_str().unwrap_or_default(), d["kind"] == "dev");
            if !allowed.contains_key(to) || may.contains(&to) {
                continue;
            }
            if !dev || (BLIND.contains(&name) && to == "estoile-seal") {
                faults.push(format!("{name} may not depend on {to} (see ARCHITECTURE.md, boundaries)"));
            }
        }
    }
    for pure in PURE {
        faults.extend(reached(pure)?.into_iter().map(|i| format!("{pure} is pure and reaches {i}")));
    }
    Ok(faults)
}

/// What of [`IMPURE`] a pure crate reaches. Whoever builds on the excepted crate reaches what that one may: in one build
/// all share one set of features, so the tree can't say by which way. Naming it in a manifest is still a fault.
fn reached(pure: &str) -> Result<Vec<&'static str>> {
    let (excepted, allowed) = AMBIENT;
    let below = tree(pure, &[])?;
    let inherits = below.iter().any(|b| b == excepted);
    let direct = if pure == excepted { vec![] } else { tree(pure, &["--depth", "1"])? };
    let may = |i: &&str| *i == allowed && inherits && !direct.iter().any(|d| d == i);
    Ok(IMPURE.iter().copied().filter(|i| below.iter().any(|b| b == i) && !may(i)).collect())
}

/// The names of all packages below a crate, itself included.
fn tree(package: &str, more: &[&str]) -> Result<Vec<String>> {
    let mut c = cargo();
    c.args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}", "--locked"]);
    let listed = text(c.args(more))?;
    Ok(listed.lines().filter_map(|l| l.split(' ').next()).map(str::to_owned).collect())
}

/// Every Rust file of ours.
fn sources(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![];
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(sources(&path)?);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Every module begins with what it is and what it does not know.
fn header(name: &str, code: &str) -> Option<String> {
    let first = code.lines().find(|l| !l.trim().is_empty() && !l.starts_with("#![")).unwrap_or_default();
    (!first.starts_with("//!")).then(|| format!("{name} has no header: begin with `//!` and what the module is"))
}

/// Markers of unfinished work, and paths of somebody's machine.
fn markers(name: &str, code: &str) -> Vec<String> {
    if name == "xtask/src/tidy.rs" {
        return vec![];
    }
    let stray = ["todo!(", "unimplemented!(", "FIXME", "XXX", "TODO", "#[ignore", "/home/", "/root/"];
    let hits = |(n, line): (usize, &str)| {
        let found = stray.iter().find(|s| line.contains(**s))?;
        Some(format!("{name}:{}: stray `{found}`", n + 1))
    };
    code.lines().enumerate().filter_map(hits).collect()
}

/// Notes what is longer than the rules.
fn measure(name: &str, code: &str, seen: &mut BTreeMap<String, usize>) {
    let test = name.contains("/tests/") || name.ends_with("tests.rs") || name.contains("/benches/");
    let lines = code.lines().count();
    if lines > if test { MAX_TEST_FILE } else { MAX_FILE } {
        seen.insert(name.to_owned(), lines);
    }
    for (function, length) in functions(code) {
        if length > MAX_FUNCTION {
            seen.insert(format!("{name}::{function}"), length);
        }
    }
}

/// Names and lengths of the functions, by rustfmt's indentation: a function ends at the brace under its first letter.
fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = vec![];
    for (start, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let is_fn = body.split(' ').take(5).any(|w| w == "fn") && !body.starts_with("//");
        let Some(name) = is_fn.then(|| body.split("fn ").nth(1)).flatten() else { continue };
        let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines.iter().skip(start).position(|l| *l == closing || l.starts_with(&format!("{closing} ")));
        let one_line = line.ends_with('}') || line.ends_with(';');
        if let (Some(end), false) = (end, one_line) {
            found.push((name, end + 1));
        }
    }
    found
}

/// The lengths that were there when the rule came, or that have a reason.
struct Ratchet(BTreeMap<String, usize>);

impl Ratchet {
    fn load() -> Result<Self> {
        let file = fs::read_to_string(root().join("xtask/ratchet.txt")).context("xtask/ratchet.txt")?;
        let rows = file.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
        let row = |l: &str| {
            let (n, what) = l.split_once(' ').with_context(|| format!("ratchet row `{l}`"))?;
            Ok((what.to_owned(), n.parse()?))
        };
        Ok(Self(rows.map(row).collect::<Result<_>>()?))
    }

    fn judge(&self, seen: &BTreeMap<String, usize>) -> Vec<String> {
        let grown = seen.iter().filter_map(|(what, lines)| match self.0.get(what) {
            None => Some(format!("{what} has {lines} lines: split it (files {MAX_FILE}, test files {MAX_TEST_FILE}, functions {MAX_FUNCTION})")),
            Some(held) if lines > held => Some(format!("{what} grew from {held} to {lines} lines: make it shorter instead")),
            Some(_) => None,
        });
        let shrunk = self.0.iter().filter_map(|(what, held)| match seen.get(what) {
            None => Some(format!("{what} is within the rules now: take its row out of xtask/ratchet.txt")),
            Some(lines) if lines < held => {
                Some(format!("{what} shrank from {held} to {lines} lines: lower its row in xtask/ratchet.txt"))
            }
            Some(_) => None,
        });
        grown.chain(shrunk).collect()
    }
}
