//! `cargo xtask web`: the browser bundle, from source to `target/web`.
//!
//! The builder's own paths stay out of what is built, so that two builders with one compiler get the same bytes.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::tools::{cargo, root, run};
use crate::wasm::{TARGET, Wasm, toolchain};

/// The page and the worker, with what their modules are called.
const MODULES: [(&str, &str); 2] = [("estoile-web", "estoile_web.wasm"), ("estoile-browser", "estoile_browser.wasm")];
/// What a first visit may load, compressed: three seconds at 10 Mbit/s are gone quickly.
const BUDGET: u64 = 700_000;
/// The profile of the root manifest.
const PROFILE: &str = "web";

/// Builds the bundle, and says where it is. What has not changed since is not made again.
pub fn build() -> Result<PathBuf> {
    let (target, start) = (root().join("target"), Instant::now());
    let wasm = toolchain()?;
    let folder = target.join("wasm");
    for (package, _) in MODULES {
        module(&wasm, package, &folder)?;
    }
    let built = folder.join(TARGET).join(PROFILE);
    let [page, worker] = MODULES.map(|(_, file)| built.join(file));
    let (fixed, out) = (root().join("crates/web/static"), target.join("web"));
    let stamp = folder.join("bundle.stamp");
    let made_of =
        fingerprint(&[&page, &worker, &fixed, &root().join("crates/bundle/src"), &root().join("Cargo.lock")])?;
    if fs::read_to_string(&stamp).is_ok_and(|s| Some(s) == made_of_into(made_of, &out)) {
        eprintln!("xtask: {} is up to date", out.display());
        return Ok(out);
    }
    run(cargo().args(["run", "--quiet", "--package", "estoile-bundle", "--"]).args([&page, &worker, &fixed, &out]))?;
    fs::write(stamp, made_of_into(made_of, &out).context("the bundle was made and is not there")?)?;
    eprintln!("xtask: {} is ready after {:.0?}", out.display(), start.elapsed());
    Ok(out)
}

/// Builds the bundle, and insists that it is small enough.
pub fn test() -> Result<()> {
    let carried = carried(&build()?)?;
    ensure!(carried <= BUDGET, "the bundle has {carried} bytes compressed, and may have {BUDGET}");
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

/// Bytes of all files below a folder as browsers get them: the compressed form where there is one.
fn carried(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let mut small = path.clone().into_os_string();
        small.push(".br");
        if path.is_dir() {
            sum += carried(&path)?;
        } else if !Path::new(&small).exists() && !path.ends_with("manifest.json") {
            sum += fs::metadata(&path)?.len();
        }
    }
    Ok(sum)
}

/// Builds one module.
fn module(wasm: &Wasm, package: &str, folder: &Path) -> Result<()> {
    let mut c = cargo();
    c.args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib", "--target", TARGET])
        .args(["--profile", PROFILE, "--package", package])
        .env("RUSTC", &wasm.rustc)
        .env("CARGO_TARGET_DIR", folder)
        .env("RUSTFLAGS", remap(&[(&root(), "/estoile"), (&cargo_home(), "/cargo")]))
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if let Some(linker) = &wasm.linker {
        c.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    run(&mut c)
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
