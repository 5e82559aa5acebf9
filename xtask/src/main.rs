//! What builds and checks the project: `cargo xtask test` is all that CI runs.
//!
//! Each step says what it does, installs under `target/` what is missing where it can, and otherwise names the command
//! to run and fails. No step is ever skipped.

mod browser;
mod steps;
mod tidy;
mod tools;
mod wasm;
mod web;

use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "cargo xtask COMMAND

  test         everything that CI runs: format, tidy, dependencies, build and lints, tests,
               the weakened build, a check for wasm32
  lints        the lints of everything, the benches too
  weakened     every case of the laboratory fails without its defence
  docs         the documentation, without a warning
  tidy         crate edges, file and function lengths, module docs, stray markers
  tidy --list  the same, and the lengths that the ratchet holds
  deny         bans, licences and sources of the dependencies
  web          builds the browser bundle into target/web
  web --test   the same, and fails when a first visit loads more than it may
  web --learn  measures anew which functions a first visit runs (crates/web/first)
  web --learn more
               the same with another compiler for wasm32, beside what the lists have
  browser      tests that bundle, and the program under target/debug, in Chromium
  fuzz SECS    mutates every decoder's corpus for so many seconds each

Environment: ESTOILE_WASM_TOOLCHAIN=installed|rustup|debian chooses where wasm32 comes from.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if std::env::var_os(steps::WRAPS).is_some() {
        return match steps::weaken(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    match args {
        ["test"] => steps::test(),
        ["tidy"] => tidy::run(false),
        ["tidy", "--list"] => tidy::run(true),
        ["lints"] => steps::lints(),
        ["docs"] => steps::docs(),
        ["weakened"] => steps::weakened(),
        ["deny"] => steps::deny(),
        ["web"] => web::build().map(drop),
        ["web", "--test"] => web::test(),
        ["web", "--learn"] => web::learn(&[]),
        ["web", "--learn", "more"] => web::learn(&["more"]),
        ["browser"] => browser::test(),
        ["fuzz", seconds] => steps::fuzz(seconds),
        _ => {
            println!("{HELP}");
            anyhow::ensure!(
                args.is_empty() || args == ["help"] || args == ["--help"],
                "no such command: {}",
                args.join(" ")
            );
            Ok(())
        }
    }
}
