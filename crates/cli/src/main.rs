//! The `estoile` program: relay, chat and tools in one.
//!
//! Each command reads its flags, calls the crate that does the work, prints data on stdout and talk on stderr, and ends
//! with an exit code of [`fail`]. Nothing here knows keys, records or frames.
#![forbid(unsafe_code)]

mod account;
mod args;
mod chat;
mod contact;
mod device;
mod fail;
mod fernet;
mod generate;
mod lab;
mod lines;
mod link;
mod logs;
mod names;
mod out;
mod patience;
mod pick;
mod places;
mod plain;
mod private;
mod qr;
mod reach;
mod room;
mod scan;
mod send;
mod serve;
mod session;
mod signals;
mod tail;
mod target;
mod unlock;
mod up;
mod values;
mod verify;
mod web;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::filter::LevelFilter;

use args::{Args, Command};
use fail::{Failure, Outcome, say};

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.text.is_empty() {
                say(format_args!("estoile: {}", failure.text));
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(args: Args) -> Outcome {
    if !draws(&args.command) {
        logs::begin(args.log, default_level(&args.command))?;
    }
    match args.command {
        Command::Fernet(fernet) => fernet::run(fernet),
        Command::Lab(lab) => lab::run(lab),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { folder } => generate::man(folder.as_deref()),
        command => run_async(command),
    }
}

/// Whether the command draws on the terminal that log lines would go to.
fn draws(command: &Command) -> bool {
    let face = match command {
        Command::Chat(_) => true,
        Command::Up(_) => up::interactive(),
        _ => false,
    };
    face && std::io::stderr().is_terminal()
}

const fn default_level(command: &Command) -> LevelFilter {
    match command {
        Command::Serve(_) => LevelFilter::INFO,
        _ => LevelFilter::WARN,
    }
}

fn run_async(command: Command) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format_args!("the program can't start its threads: {e}")))?;
    let outcome = runtime.block_on(async {
        // On the heap: a command's state is large, and nothing is gained by having it on the stack.
        match command {
            Command::Up(args) => Box::pin(up::run(*args)).await,
            Command::Serve(args) => Box::pin(serve::run(*args)).await,
            Command::Web(args) => Box::pin(web::run(args)).await,
            Command::Verify(args) => Box::pin(verify::run(args)).await,
            Command::Account(args) => Box::pin(account::run(args)).await,
            Command::Contact(args) => Box::pin(contact::run(args)).await,
            Command::Device(args) => Box::pin(device::run(args)).await,
            Command::Room(args) => Box::pin(room::run(*args)).await,
            Command::Chat(args) => Box::pin(chat::run(args)).await,
            Command::Send(args) => Box::pin(send::run(args)).await,
            Command::Tail(args) => Box::pin(tail::run(args)).await,
            Command::Fernet(_) | Command::Lab(_) | Command::Completions { .. } | Command::Man { .. } => Ok(()),
        }
    });
    // Threads that wait for stdin or a question would otherwise hold up the end.
    runtime.shutdown_background();
    outcome
}
