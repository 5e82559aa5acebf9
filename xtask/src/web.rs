//! `cargo xtask web`: the browser bundle, from source to `target/web`.
//!
//! The builder's own paths stay out of what is built, so that two builders with one compiler get the same bytes.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::browser;
use crate::tools::{cargo, root, run, text};
use crate::wasm::{TARGET, Wasm, toolchain};

/// The page and the worker, with what their modules are called.
const MODULES: [(&str, &str); 2] = [("estoile-web", "estoile_web.wasm"), ("estoile-browser", "estoile_browser.wasm")];
/// What a first visit may load, compressed: three seconds at 10 Mbit/s are gone quickly.
const BUDGET: u64 = 700_000;
/// How the files of what a first visit does without are called.
const LATER: &str = "_later.wasm";
/// Names that tell apart what a generic function was made for: lists know functions by their names. None is in the bundle.
const NAMES: &str = "-Csymbol-mangling-version=v0";
/// Which functions a first visit runs.
const LISTS: &str = "crates/web/first";
/// The profile of the root manifest.
const PROFILE: &str = "web";

/// Builds the bundle, and says where it is. What has not changed since is not made again.
pub fn build() -> Result<PathBuf> {
    let (out, start) = (root().join("target/web"), Instant::now());
    let [page, worker] = modules()?;
    let (fixed, lists) = (root().join("crates/web/static"), root().join(LISTS));
    let stamp = built().join("bundle.stamp");
    let made_of =
        fingerprint(&[&page, &worker, &fixed, &lists, &root().join("crates/bundle/src"), &root().join("Cargo.lock")])?;
    if fs::read_to_string(&stamp).is_ok_and(|s| Some(s) == made_of_into(made_of, &out)) {
        eprintln!("xtask: {} is up to date", out.display());
        return Ok(out);
    }
    bundle(&[&page, &worker, &fixed, &out, &lists])?;
    fs::write(stamp, made_of_into(made_of, &out).context("the bundle was made and is not there")?)?;
    eprintln!("xtask: {} is ready after {:.0?}", out.display(), start.elapsed());
    Ok(out)
}

/// Has a browser visit rooms with a bundle that is not split, and writes down what such a visit runs; with `more` beside what is
/// written already.
pub fn learn(more: &[&str]) -> Result<()> {
    let [page, worker] = modules()?;
    let whole = root().join("target/web-whole");
    bundle(&[&page, &worker, &root().join("crates/web/static"), &whole])?;
    browser::script(
        "learn.mjs",
        more,
        &[("ESTOILE_BUNDLE", &whole), ("ESTOILE_NAMES", &built()), ("ESTOILE_LISTS", &root().join(LISTS))],
    )
}

/// Where both modules end.
fn built() -> PathBuf {
    root().join("target/wasm").join(TARGET).join(PROFILE)
}

/// Builds both modules.
fn modules() -> Result<[PathBuf; 2]> {
    let wasm = toolchain()?;
    for (package, _) in MODULES {
        module(&wasm, package, &root().join("target/wasm"))?;
    }
    Ok(MODULES.map(|(_, file)| built().join(file)))
}

fn bundle(paths: &[&Path]) -> Result<()> {
    run(cargo().args(["run", "--quiet", "--package", "estoile-bundle", "--"]).args(paths))
}

/// Builds the bundle, and insists that what a first visit loads is small enough.
pub fn test() -> Result<()> {
    let (first, later) = carried(&build()?)?;
    eprintln!("xtask: {first} bytes compressed for a first visit, {later} after it");
    ensure!(first <= BUDGET, "a first visit loads {first} bytes compressed, and may load {BUDGET}");
    Ok(())
}

/// Checks that page and worker compile for wasm32, without making the bundle.
pub fn check() -> Result<()> {
    let wasm = toolchain()?;
    let mut c = cargo();
    c.args(["check", "--quiet", "--target", TARGET])
        .env("RUSTC", &wasm.rustc)
        .env("CARGO_TARGET_DIR", root().join("target/wasm-check"));
    MODULES.iter().for_each(|(package, _)| {
        c.args(["--package", package]);
    });
    run(&mut c)
}

/// Bytes of all files below a folder as browsers get them, the compressed form where there is one: for a first visit, and of
/// what comes when that is over.
fn carried(folder: &Path) -> Result<(u64, u64)> {
    let (mut first, mut later) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = carried(&path)?;
            (first, later) = (first + below.0, later + below.1);
        } else if !path.with_file_name(format!("{name}.br")).exists() && name != "manifest.json" {
            let bytes = fs::metadata(&path)?.len();
            if name.contains(LATER) { later += bytes } else { first += bytes }
        }
    }
    Ok((first, later))
}

/// Builds one module.
fn module(wasm: &Wasm, package: &str, folder: &Path) -> Result<()> {
    let mut c = cargo();
    c.args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib", "--target", TARGET])
        .args(["--profile", PROFILE, "--package", package])
        .env("RUSTC", &wasm.rustc)
        .env("CARGO_TARGET_DIR", folder)
        .env("RUSTFLAGS", format!("{NAMES} {}", builders(&wasm.rustc)?))
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if let Some(linker) = &wasm.linker {
        c.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    run(&mut c)
}

/// Flags that keep the builder's own folders out of what is built: the project's, the libraries', the compiler's.
fn builders(rustc: &Path) -> Result<String> {
    let sysroot = PathBuf::from(text(Command::new(rustc).args(["--print", "sysroot"]))?);
    let library = sysroot.join("lib/rustlib/src/rust");
    let mut names = vec![(root(), "/estoile"), (cargo_home(), "/cargo"), (library, "/rustc")];
    // Of two names that fit the compiler takes the later one.
    if let Ok(registries) = fs::read_dir(cargo_home().join("registry/src")) {
        names.extend(registries.filter_map(|entry| Some((entry.ok()?.path(), "/crates"))));
    }
    Ok(remap(&names.iter().map(|(path, name)| (path.as_path(), *name)).collect::<Vec<_>>()))
}

/// Flags that show each folder under another name.
pub fn remap(names: &[(&Path, &str)]) -> String {
    let flags = names.iter().map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    flags.collect::<Vec<_>>().join(" ")
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// What a bundle was made of, and what came out; nothing if nothing is there.
fn made_of_into(made_of: u64, out: &Path) -> Option<String> {
    let result = fingerprint(&[out]).ok()?;
    out.join("manifest.json").exists().then(|| format!("{made_of:016x} {result:016x}"))
}

/// A number for all bytes and names below these paths. It protects from nothing but needless work.
fn fingerprint(paths: &[&Path]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        add(path, &mut hasher).with_context(|| format!("can't read {}", path.display()))?;
    }
    Ok(hasher.finish())
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let mut below = fs::read_dir(path)?.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
        below.sort();
        for path in below {
            hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
            add(&path, hasher)?;
        }
    } else {
        let bytes = fs::read(path)?;
        hasher.write_usize(bytes.len());
        hasher.write(&bytes);
    }
    Ok(())
}
