//! The whole table, as the program prints it.
#![allow(clippy::unwrap_used, reason = "a test that is surprised fails")]

use std::time::{SystemTime, UNIX_EPOCH};

use estoile_lab::{Options, Outcome, counts, run, threats};

fn options(only: Option<&str>) -> Options {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Options {
        seed: 1,
        wall: u64::try_from(wall).unwrap(),
        only: only.map(str::to_owned),
        threads: 2,
        show: estoile_tui::inert::block,
    }
}

#[test]
fn every_promise_holds_against_every_attack_that_is_tried() {
    let only = std::env::var("ESTOILE_ATTACK").ok();
    let rows = run(&options(only.as_deref()), &|_, _| {});
    for row in &rows {
        println!("{:<4} {:<11} {:<11} {}", row.attack, row.seal.word(), row.outcome.word(), row.detail);
        for line in row.story.iter().filter(|_| only.is_some()) {
            println!("        {:>10} {}", line.at, line.what);
        }
    }
    let failed: Vec<_> = rows.iter().filter(|row| row.held == Some(false)).map(|row| (row.attack, row.seal)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(rows.iter().all(|row| row.held.is_some() == (row.seal.promises() && row.outcome != Outcome::Unreached)));
    println!("{:?}", counts(&rows));
}

/// Between these stands the laboratory's table in the page.
const BEGIN: &str = "<!-- the laboratory's table: begin -->\n";
const END: &str = "<!-- the laboratory's table: end -->";

/// `ESTOILE_WRITE=1` writes the table into the page.
#[test]
fn the_threat_model_has_the_laboratorys_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/threat-model.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if std::env::var_os("ESTOILE_WRITE").is_some() {
        std::fs::write(&path, [before, BEGIN, &threats(), END, after].concat()).unwrap();
        return;
    }
    assert!(table == threats(), "write it anew: ESTOILE_WRITE=1 cargo nextest run -p estoile-lab --test table threat");
}
