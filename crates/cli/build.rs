//! Puts the browser client into release builds: the bundle of `cargo xtask web`, which is built first when it is missing
//! or stale. Other builds carry none, and need no wasm. `ESTOILE_WEB=none` leaves it out of a release build as well.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What the bundle is made of.
const SOURCES: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "crates/browser",
    "crates/bundle/src",
    "crates/engine/src",
    "crates/mls/src",
    "crates/port/src",
    "crates/seal/src",
    "crates/web",
    "crates/wire/src",
    "xtask/src",
];
/// What a nested cargo must not take over from this build.
const OTHERS: [&str; 5] =
    ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut cargo = io::stdout().lock();
    writeln!(cargo, "cargo::rerun-if-env-changed=ESTOILE_WEB")?;
    writeln!(cargo, "cargo::rerun-if-changed=build.rs")?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let release = env::var("PROFILE").is_ok_and(|p| p == "release");
    let (code, warning) = if env::var("ESTOILE_WEB").is_ok_and(|w| w == "none") {
        (without("ESTOILE_WEB=none left it out of this build"), None)
    } else if release {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("the crate lies in the workspace")?;
        for source in SOURCES {
            writeln!(cargo, "cargo::rerun-if-changed={}", root.join(source).display())?;
        }
        match embed(root, &out) {
            Ok((code, note)) => (code, note),
            Err(why) => {
                let text = format!("the browser client could not be built: {why}");
                (without(&text), Some(text))
            }
        }
    } else {
        (without("only release builds carry it"), None)
    };
    if let Some(warning) = warning {
        writeln!(cargo, "cargo::warning={}", warning.replace('\n', " "))?;
    }
    fs::write(out.join("bundle.rs"), code)?;
    Ok(())
}

/// The source for a program without the client.
fn without(why: &str) -> String {
    format!("pub(crate) const MISSING: &str = {why:?};\npub(crate) const FILES: &[Packed] = &[];\n")
}

/// Builds the bundle if need be; the source that embeds it, and a line if that took its time.
fn embed(root: &Path, out: &Path) -> Result<(String, Option<String>), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let mut nested = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    nested.args(["run", "--quiet", "--package", "xtask", "--", "web"]).current_dir(root).stdin(Stdio::null());
    for name in OTHERS {
        nested.env_remove(name);
    }
    // A folder of its own: the outer cargo holds the lock of the other one.
    let run = nested.env("CARGO_TARGET_DIR", root.join("target/wasm")).output()?;
    if !run.status.success() {
        let talk = String::from_utf8_lossy(&run.stderr);
        let last: Vec<&str> = talk.lines().filter(|l| !l.trim().is_empty()).rev().take(3).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join(" ");
        return Err(format!("{last} (run `cargo xtask web` to see all; ESTOILE_WEB=none leaves it out)").into());
    }
    let took = start.elapsed().as_secs();
    let note = (took > 20).then(|| {
        format!("the browser client was built first, in {took} s; that is done again only when its sources change")
    });
    Ok((packed(&root.join("target/web"), out)?, note))
}

/// Copies the files, compressed where that gains something, and writes the list of them.
fn packed(web: &Path, out: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let folder = out.join("bundle");
    fs::create_dir_all(&folder)?;
    let manifest = fs::read_to_string(web.join("manifest.json"))?;
    let mut code = String::from("pub(crate) const MISSING: &str = \"\";\npub(crate) const FILES: &[Packed] = &[\n");
    // Our own manifest: a line a file, `"PATH": "SUM",`.
    let rows = manifest.lines().filter_map(|line| {
        let mut words = line.split('"');
        Some((words.nth(1)?, words.nth(1)?))
    });
    for (n, (path, sum)) in rows.enumerate() {
        let plain = web.join(path);
        let mut name = plain.file_name().unwrap_or_default().to_owned();
        name.push(".br");
        let small = plain.with_file_name(name);
        let is_small = small.exists();
        fs::copy(if is_small { &small } else { &plain }, folder.join(n.to_string()))?;
        let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/bundle/{n}\"))");
        writeln!(code, "    Packed {{ path: {path:?}, sum: {sum:?}, small: {is_small}, bytes: {bytes} }},")?;
    }
    code.push_str("];\n");
    Ok(code)
}
