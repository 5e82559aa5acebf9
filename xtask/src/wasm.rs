//! Finds a compiler for wasm32, with rustup's target or from Debian's packages alone.
//!
//! Debian ships a second compiler (`rustc-web`) and its library's source, but no wasm32 standard library for it: we unpack
//! both under `target/` without root and build the library once, which takes about a minute.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::tools::{root, run, text};
use crate::web::remap;

/// What browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Another recipe for the standard library makes another folder.
const RECIPE: &str = "-2";

/// What a build for wasm32 needs beside cargo.
pub struct Wasm {
    /// A compiler that has wasm32's standard library.
    pub rustc: PathBuf,
    /// Its linker, where it does not bring one.
    pub linker: Option<PathBuf>,
}

/// A compiler that has wasm32's standard library.
pub fn toolchain() -> Result<Wasm> {
    let own = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let want = env::var("ESTOILE_WASM_TOOLCHAIN").unwrap_or_default();
    ensure!(
        ["", "installed", "rustup", "debian"].contains(&want.as_str()),
        "ESTOILE_WASM_TOOLCHAIN is installed, rustup or debian, not `{want}`"
    );
    if want != "debian" {
        if has_std(&own) {
            return Ok(Wasm { rustc: own, linker: None });
        }
        let added = want != "installed"
            && Command::new("rustup").args(["target", "add", TARGET]).status().is_ok_and(|s| s.success());
        if added && has_std(&own) {
            return Ok(Wasm { rustc: own, linker: None });
        }
    }
    if want.is_empty() || want == "debian" {
        return debian(&own).with_context(|| {
            format!("no wasm32 standard library: run `rustup target add {TARGET}`, or use a Debian machine")
        });
    }
    bail!("no wasm32 standard library: run `rustup target add {TARGET}`")
}

fn has_std(rustc: &Path) -> bool {
    let Ok(dir) = text(Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET])) else {
        return false;
    };
    fs::read_dir(dir)
        .is_ok_and(|mut files| files.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().starts_with("libcore-"))))
}

/// Debian's compiler for the web under `target/`, with the standard library built into its sysroot.
fn debian(host: &Path) -> Result<Wasm> {
    // A machine's list of packages may be as old as the machine.
    let version = candidate().or_else(|_| {
        run(Command::new("apt-get").args(["-q", "update"]))?;
        candidate()
    })?;
    let dir = root()
        .join("target/wasm-toolchain")
        .join(version.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "_") + RECIPE);
    let wrapper = dir.join("rustc");
    let triple = text(Command::new(host).arg("-vV"))?;
    let triple = triple.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc names its host")?;
    let linker = linker(host, triple)?;
    if dir.join("done").exists() {
        return Ok(Wasm { rustc: wrapper, linker: Some(linker) });
    }
    let start = Instant::now();
    let _ = fs::remove_dir_all(&dir);
    unpack(&dir, &version)?;
    let usr = dir.join("root/usr");
    let libs = text(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"))
        .unwrap_or_else(|_| triple.replace("-unknown", ""));
    fs::write(
        &wrapper,
        format!("#!/bin/sh\nLD_LIBRARY_PATH='{0}/lib/{libs}' exec '{0}/bin/rustc' \"$@\"\n", usr.display()),
    )?;
    run(Command::new("chmod").arg("+x").arg(&wrapper))?;
    build_std(&dir, &usr, &wrapper)?;
    ensure!(has_std(&wrapper), "the standard library was built, but rustc does not find it");
    fs::write(dir.join("done"), "")?;
    eprintln!("xtask: wasm32 toolchain ready in {:.0?}", start.elapsed());
    Ok(Wasm { rustc: wrapper, linker: Some(linker) })
}

/// The linker for wasm32: rustup's toolchains bring one, elsewhere it is LLVM's.
fn linker(host: &Path, triple: &str) -> Result<PathBuf> {
    let sysroot = text(Command::new(host).args(["--print", "sysroot"]))?;
    let own = PathBuf::from(sysroot).join("lib/rustlib").join(triple).join("bin/rust-lld");
    Ok(if own.exists() { own } else { PathBuf::from("wasm-ld") })
}

/// The version of `rustc-web` that apt would install, if this project compiles with it.
fn candidate() -> Result<String> {
    let shown = text(Command::new("apt-cache").args(["show", "--no-all-versions", "rustc-web"]))?;
    let version = shown
        .lines()
        .find_map(|l| l.strip_prefix("Version: "))
        .context("apt knows no rustc-web: run `apt-get update`")?;
    let needed = env!("CARGO_PKG_RUST_VERSION");
    ensure!(release(version) >= release(needed), "apt's rustc-web is {version}, and at least {needed} is needed");
    Ok(version.to_owned())
}

/// The first two numbers of a compiler's version.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|n| n.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn unpack(dir: &Path, version: &str) -> Result<()> {
    let debs = dir.join("debs");
    fs::create_dir_all(&debs)?;
    fs::create_dir_all(dir.join("root"))?;
    let flags = [
        "--recurse",
        "--no-recommends",
        "--no-suggests",
        "--no-conflicts",
        "--no-breaks",
        "--no-replaces",
        "--no-enhances",
    ];
    let needs = text(Command::new("apt-cache").arg("depends").args(flags).arg("rustc-web"))?;
    let mut want: Vec<&str> = needs
        .lines()
        .filter(|l| ["rustc-web", "libstd-rust-web", "libllvm"].iter().any(|p| l.starts_with(p)))
        .map(str::trim)
        .collect();
    want.push("rust-web-src");
    want.sort_unstable();
    want.dedup();
    eprintln!("xtask: apt-get download {} ({version})", want.join(" "));
    run(Command::new("apt-get").args(["-q", "download"]).args(&want).current_dir(&debs))?;
    for deb in fs::read_dir(&debs)? {
        let deb = deb?.path();
        if deb.to_string_lossy().contains("rust-web-src") {
            // Of 340 MB of source only the library matters.
            let script = "dpkg-deb --fsys-tarfile \"$1\" | tar -x -C \"$2\" --wildcards './usr/lib/rustlib/src/rust/library/*' './usr/lib/rustlib/src/rust/vendor/*' './usr/lib/rustlib/src/rust/Cargo.*' 2>/dev/null || dpkg-deb -x \"$1\" \"$2\"";
            run(Command::new("sh").args(["-c", script, "sh"]).arg(&deb).arg(dir.join("root")))?;
        } else {
            run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(dir.join("root")))?;
        }
    }
    fs::remove_dir_all(debs)?;
    Ok(())
}

/// Builds the standard library with an empty crate, and puts it where the compiler looks.
fn build_std(dir: &Path, usr: &Path, wrapper: &Path) -> Result<()> {
    eprintln!("xtask: building wasm32's standard library (about a minute, once)");
    let seed = dir.join("mkstd");
    fs::create_dir_all(seed.join("src"))?;
    fs::write(seed.join("src/lib.rs"), "")?;
    fs::write(
        seed.join("Cargo.toml"),
        "[package]\nname='mkstd'\nversion='0.0.0'\nedition='2024'\n[workspace]\n[profile.release]\ncodegen-units=1\npanic='abort'\n",
    )?;
    run(Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET])
        .current_dir(&seed)
        .env("RUSTC", wrapper)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("-Cembed-bitcode=yes {}", library_remap(usr)?))
        .env("CARGO_TARGET_DIR", seed.join("target"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS"))?;
    let lib = usr.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&lib)?;
    for file in fs::read_dir(seed.join("target").join(TARGET).join("release/deps"))? {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.contains("libmkstd") {
            fs::copy(&file, lib.join(name))?;
        }
    }
    fs::remove_dir_all(seed)?;
    Ok(())
}

/// The library's own paths are this machine's here: they must not end in what is built.
fn library_remap(usr: &Path) -> Result<String> {
    let source = usr.join("lib/rustlib/src/rust");
    let real = fs::canonicalize(&source)?;
    Ok(remap(&[(&source, "/rustc"), (&real, "/rustc")]))
}

#[cfg(test)]
mod tests {
    use super::release;

    #[test]
    fn a_compiler_is_new_enough_by_its_numbers() {
        assert!(release("1.96.0+dfsg1-1~deb12u2") >= release("1.95"));
        assert!(release("1.100.0-1") > release("1.95"));
        assert!(release("1.85.0+dfsg3-1~deb12u3") < release("1.95"));
        assert!(release("strange") < release("1.95"));
    }
}
