//! `estoile lab`: runs the laboratory, and draws its rows as a table, a story, JSON or a page.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use estoile_lab::{About, Options, Row, about, clock};

use crate::args::{Lab, LabAction, LabCommon};
use crate::fail::{Failure, Outcome, say};
use crate::{out, plain};

mod table;

pub(crate) fn run(args: Lab) -> Outcome {
    let (common, only, explain) = match args.action {
        Some(LabAction::Run { attack, explain, common }) => (common, Some(attack), explain),
        None => (args.common, None, false),
    };
    if let Some(id) = &only
        && !about().any(|a| a.attack.eq_ignore_ascii_case(id))
    {
        return Err(Failure::usage(format_args!(
            "there is no attack {id:?}; they are A1 to A22, B1 to B24, C1 to C7 and D1 to D5"
        )));
    }
    let rows = tried(&common, only)?;
    if common.json {
        json(&rows)?;
    } else if explain {
        rows.iter().try_for_each(explained)?;
    } else {
        table(&rows)?;
    }
    if let Some(file) = &args.html {
        page(file, &rows, common.seed)?;
    }
    match rows.iter().filter(|row| row.held == Some(false)).count() {
        0 => Ok(()),
        broken => Err(Failure::new(format_args!(
            "{broken} of our promises did not hold; `estoile lab run ATTACK --explain` tells what happened"
        ))),
    }
}

fn tried(common: &LabCommon, only: Option<String>) -> Result<Vec<Row>, Failure> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| u64::try_from(d.as_millis()).ok());
    let wall = wall.ok_or_else(|| Failure::new("this machine's clock stands before 1970; set it and try again"))?;
    let threads = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
    let options = Options { seed: common.seed, wall, only, threads, show: plain::block };
    let (done, live) = (AtomicUsize::new(0), std::io::stderr().is_terminal());
    let rows = estoile_lab::run(&options, &|row, all| {
        let done = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if live {
            progress(done, all, row);
        }
    });
    if live {
        progress_over();
    }
    Ok(rows)
}

/// One line that is written over.
fn progress(done: usize, all: usize, row: &Row) {
    use std::io::Write as _;
    let _ = write!(
        std::io::stderr().lock(),
        "\r\x1b[K{done} of {all} experiments, last {} against {}",
        row.attack,
        row.seal.word()
    );
}

fn progress_over() {
    use std::io::Write as _;
    let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
}

fn json(rows: &[Row]) -> Outcome {
    for row in rows {
        let text = serde_json::to_string(row).map_err(|e| Failure::new(format_args!("a row can't be written: {e}")))?;
        if out::line(&text)? == out::Reader::Gone {
            break;
        }
    }
    Ok(())
}

fn table(rows: &[Row]) -> Outcome {
    let screen = std::io::stdout().is_terminal();
    let colour = screen && std::env::var_os("NO_COLOR").is_none();
    let width = screen.then(|| crossterm::terminal::size().ok()).flatten().map(|(columns, _)| usize::from(columns));
    let _ = out::bytes(table::drawn(rows, width, colour).as_bytes())?;
    Ok(())
}

/// One experiment's story.
fn explained(row: &Row) -> Outcome {
    let about: Option<About> = about().find(|a| a.attack == row.attack);
    let mut text = String::new();
    if let Some(about) = about {
        text.push_str(&format!("{} against {}\n", about.attack, row.seal.word()));
        text.push_str(&format!(
            "  the relay  {}\n  before     {}\n  against it {}\n\n",
            about.does, about.precedent, about.defence
        ));
    }
    for line in &row.story {
        text.push_str(&format!("  {:>12}  {}\n", clock(line.at), plain::line(&line.what)));
    }
    text.push_str(&format!("\n  {}: {}\n", row.outcome.word(), plain::line(&row.detail)));
    let _ = out::line(&text)?;
    Ok(())
}

fn page(file: &Path, rows: &[Row], seed: u64) -> Outcome {
    std::fs::write(file, estoile_lab::html(rows, seed))
        .map_err(|e| Failure::new(format_args!("{} can't be written ({e}); choose another place", file.display())))?;
    say(format_args!("wrote {}", file.display()));
    Ok(())
}
