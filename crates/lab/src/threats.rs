//! The list of attacks as a table of `docs/threat-model.md`: what stands in the way of each, and what is promised.
//!
//! It carries nothing out: that each promise holds is shown by a run.

use std::fmt::Write as _;

use crate::case::Case;
use crate::cases;

/// The table, as Markdown.
#[must_use]
pub fn threats() -> String {
    let mut out = String::from(
        "| | hit before | the relay | in its way | promised, by seal | defence that a weakened build switches off |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for case in cases::all() {
        let (promised, weakness) = (promised(case), weakness(case));
        // Writing into a string can't fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {promised} | {weakness} |",
            case.id, case.precedent, case.does, case.defence
        );
    }
    out
}

fn promised(case: &Case) -> String {
    if case.tries.is_empty() {
        return "not reached".to_owned();
    }
    let tries = case.tries.iter().map(|(seal, outcome, _)| match seal.word() {
        "none" => outcome.word().to_owned(),
        seal => format!("{seal}: {}", outcome.word()),
    });
    tries.collect::<Vec<_>>().join(", ")
}

fn weakness(case: &Case) -> String {
    match (case.tries.is_empty(), case.weakness) {
        (true, _) => "–".to_owned(),
        (false, "") => "none: it is measured".to_owned(),
        (false, name) => format!("`{name}`"),
    }
}
