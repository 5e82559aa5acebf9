//! The laboratory's rows as a table for a terminal: an attack a row and a seal a column where there is room, else the
//! outcomes of an attack below its sentence. It does not know where the text goes.

use estoile_lab::{Outcome as Fate, Row, Seal, about, counts};

use crate::plain;

/// The table's columns; the last is for attacks that are not about a seal.
const COLUMNS: [Seal; 7] =
    [Seal::Plain, Seal::AesCtr, Seal::Fernet, Seal::FernetTtl, Seal::Quick, Seal::Private, Seal::None];
/// Wide enough for the longest word of an outcome, and a space.
const CELL: usize = 11;
/// Wide enough for an attack's number.
const NUMBER: usize = 5;
/// What stands before a sentence: the attack's number and the cells.
const BESIDE: usize = NUMBER + COLUMNS.len() * CELL;
/// With less room than this beside the cells, sentences get lines of their own.
const NARROWEST: usize = 30;

/// The whole table and its sums, for a screen so many columns wide (`None`: no screen, lines as long as they come).
pub(super) fn drawn(rows: &[Row], width: Option<usize>, colour: bool) -> String {
    let mut text = match width {
        Some(width) if width < BESIDE + NARROWEST => below(rows, width, colour),
        width => beside(rows, width.unwrap_or(usize::MAX), colour),
    };
    let c = counts(rows);
    let sums = format!(
        "{} attacks, {} tried: {} impossible, {} told, {} stopped, {} measured, {} breached; {} not carried out here",
        c.attacks, c.tried, c.impossible, c.told, c.stopped, c.measured, c.breached, c.unreached
    );
    let hint = "plain to fernet-ttl are the classroom's; `estoile lab run ATTACK --explain` tells one story";
    text.push('\n');
    text.push_str(&wrapped(&sums, 0, width.unwrap_or(usize::MAX)));
    text.push_str(&wrapped(hint, 0, width.unwrap_or(usize::MAX)));
    for row in rows.iter().filter(|row| row.held == Some(false)) {
        text.push_str(&format!("{} against {}: {}\n", row.attack, row.seal.word(), plain::line(&row.detail)));
    }
    text
}

fn beside(rows: &[Row], width: usize, colour: bool) -> String {
    let mut text = format!("{:<NUMBER$}", "");
    for seal in COLUMNS {
        text.push_str(&format!("{:<CELL$}", head(seal)));
    }
    text.push_str("the relay\n");
    for attack in about().filter(|a| rows.iter().any(|row| row.attack == a.attack)) {
        text.push_str(&format!("{:<NUMBER$}", attack.attack));
        for seal in COLUMNS {
            let cell = rows.iter().find(|row| row.attack == attack.attack && row.seal == seal);
            let word = format!("{:<CELL$}", cell.map_or("", |row| row.outcome.word()));
            text.push_str(&cell.map_or(word.clone(), |row| coloured(row.outcome, &word, colour)));
        }
        text.push_str(&wrapped(attack.does, BESIDE, width));
    }
    text
}

fn below(rows: &[Row], width: usize, colour: bool) -> String {
    let mut text = String::new();
    for attack in about().filter(|a| rows.iter().any(|row| row.attack == a.attack)) {
        text.push_str(&format!("{:<NUMBER$}", attack.attack));
        text.push_str(&wrapped(&format!("the relay {}", attack.does), NUMBER, width));
        let mut column = 0;
        for row in COLUMNS.iter().filter_map(|s| rows.iter().find(|r| r.attack == attack.attack && r.seal == *s)) {
            let said = format!("{} {}", head(row.seal), row.outcome.word());
            if column > 0 && column + 2 + said.len() > width {
                text.push('\n');
                column = 0;
            }
            let lead = if column == 0 { NUMBER } else { 2 };
            column += lead + said.len();
            text.push_str(&format!("{:<lead$}{} ", "", head(row.seal)));
            text.push_str(&coloured(row.outcome, row.outcome.word(), colour));
        }
        text.push('\n');
    }
    text
}

fn head(seal: Seal) -> &'static str {
    if seal == Seal::None { "client" } else { seal.word() }
}

/// A sentence in lines that end before `width`; those after the first begin at column `from`, where the first stands.
fn wrapped(sentence: &str, from: usize, width: usize) -> String {
    let (mut out, mut column) = (String::new(), from);
    for word in sentence.split(' ') {
        let wide = word.chars().count();
        if column > from && column + 1 + wide > width {
            out.push_str(&format!("\n{:<from$}", ""));
            column = from;
        } else if column > from {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
    }
    out.push('\n');
    out
}

/// An outcome's word; the colour repeats what it says.
fn coloured(fate: Fate, word: &str, colour: bool) -> String {
    let code = match fate {
        Fate::Impossible | Fate::Measured => 32,
        Fate::Told | Fate::Stopped => 33,
        Fate::Breached => 31,
        Fate::Unreached => 90,
    };
    if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let attacks = about().map(|a| a.attack);
        let row = |attack| {
            COLUMNS.map(|seal| Row {
                attack,
                seal,
                outcome: Fate::Impossible,
                held: None,
                detail: String::new(),
                story: Vec::new(),
            })
        };
        attacks.flat_map(row).collect()
    }

    #[test]
    fn no_line_is_longer_than_the_screen_and_every_cell_is_there() {
        let rows = rows();
        for width in [40, 80, 111, 112, 120, 200] {
            let text = drawn(&rows, Some(width), false);
            let longest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap_or(0);
            assert!(longest <= width, "{longest} columns on a screen of {width}");
            assert_eq!(text.matches("impossible").count(), rows.len() + 1, "at {width} columns");
        }
    }
}
