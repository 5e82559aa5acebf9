//! No case is a formality: with its defence switched off, each one fails.
//!
//! Only the weakened build can run this (`cargo xtask weakened`): `--cfg estoile_weak` puts a switch at each defence.
#![cfg(estoile_weak)]
#![allow(clippy::unwrap_used, reason = "a test that is surprised fails")]

use std::time::{SystemTime, UNIX_EPOCH};

use estoile_lab::{Options, Row, run, weaknesses};

fn tried(attack: &str, weak: Option<&'static str>) -> Vec<Row> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let only = Some(attack.to_owned());
    run(
        &Options {
            seed: 1,
            wall: u64::try_from(wall).unwrap(),
            only,
            threads: 1,
            show: estoile_tui::inert::block,
            weak,
        },
        &|_, _| {},
    )
}

fn fails(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.held == Some(false))
}

#[test]
fn every_case_fails_when_its_defence_is_off() {
    let only = std::env::var("ESTOILE_ATTACK").ok();
    let mut faults = Vec::new();
    for (attack, weakness) in weaknesses().filter(|(attack, _)| only.as_ref().is_none_or(|id| id == attack)) {
        let (whole, weak) = (tried(attack, None), tried(attack, Some(weakness)));
        let caught = weak.iter().find(|row| row.held == Some(false)).map(|row| (row.seal.word(), row.detail.as_str()));
        println!("{attack:<4} without “{weakness}”: {caught:?}");
        if fails(&whole) {
            faults.push(format!("{attack} does not hold by itself"));
        }
        if caught.is_none() {
            faults.push(format!("{attack} does not notice that “{weakness}” is off"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
