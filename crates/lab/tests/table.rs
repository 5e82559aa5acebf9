//! The whole table, as the program prints it.
#![allow(clippy::unwrap_used, reason = "a test that is surprised fails")]

use std::time::{SystemTime, UNIX_EPOCH};

use estoile_lab::{Options, Outcome, counts, run};

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
