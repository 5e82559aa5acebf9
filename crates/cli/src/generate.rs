//! Completions and man pages, from the same description as `--help`.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Args;
use crate::fail::{Failure, Outcome};
use crate::out;

/// Prints a shell's completions.
pub(crate) fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "estoile", &mut script);
    out::bytes(&script).map(|_| ())
}

/// Prints the man page, or writes one a command into a folder.
pub(crate) fn man(folder: Option<&Path>) -> Outcome {
    let mut command = Args::command();
    command.build();
    match folder {
        None => out::bytes(&page(&command)?).map(|_| ()),
        Some(folder) => write_pages(&command, folder),
    }
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(Failure::new)?;
    Ok(text)
}

fn write_pages(command: &Command, folder: &Path) -> Outcome {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?).map_err(|e| {
        Failure::new(format_args!("{} can't be written ({e}); give a folder that exists and is yours", path.display()))
    })?;
    command
        .get_subcommands()
        .filter(|c| !c.is_hide_set() && c.get_name() != "help")
        .try_for_each(|c| write_pages(c, folder))
}
