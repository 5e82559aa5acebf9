//! `estoile-bundle PAGE.wasm WORKER.wasm STATIC OUT LISTS`: what `cargo xtask web` runs when both modules are built. Without
//! lists the modules stay whole, and their functions' names are written beside them: what `cargo xtask web --learn` needs.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use estoile_bundle::{Sources, make, names};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "estoile-bundle: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let (page, worker, fixed, out, first) = match args.as_slice() {
        [page, worker, fixed, out] => (page, worker, fixed, out, None),
        [page, worker, fixed, out, first] => (page, worker, fixed, out, Some(first.into())),
        _ => bail!("paths are needed: PAGE.wasm WORKER.wasm STATIC OUT [LISTS] (`cargo xtask web` gives them)"),
    };
    let sources = Sources { page: page.into(), worker: worker.into(), fixed: fixed.into(), first };
    if sources.first.is_none() {
        names(&sources, Path::new(page).parent().unwrap_or(Path::new(".")))?;
    }
    let (bundle, sizes) = make(&sources, Path::new(out))?;
    let mut told = std::io::stdout().lock();
    for size in &sizes {
        writeln!(told, "{:>9} {:>8} br  {}", size.plain, size.carried, size.path)?;
    }
    let carried: usize = sizes.iter().map(|s| s.carried).sum();
    writeln!(told, "bundle {}: {carried} bytes compressed", bundle.id)?;
    Ok(())
}
