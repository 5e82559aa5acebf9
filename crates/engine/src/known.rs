//! Known answers of all that a client computes with: the seals' and MLS's.

use estoile_mls::MlsError;
use estoile_seal::WrongAnswer;

/// Computes all primitives against published vectors, in a few milliseconds. A driver calls it once before an engine takes its
/// first turn, and goes no further where an answer is wrong.
///
/// # Errors
/// The first primitive whose answer is wrong.
pub fn known_answers() -> Result<(), WrongAnswer> {
    known_answers_of_seals()?;
    known_answers_of_groups()
}

/// The part of [`known_answers`] that quick rooms and vaults stand on: for a driver that starts slowly. Before an engine has
/// an account, or is given one, [`known_answers_of_groups`] must be asked, too.
///
/// # Errors
/// The first primitive whose answer is wrong.
pub fn known_answers_of_seals() -> Result<(), WrongAnswer> {
    estoile_seal::known_answers()
}

/// The part of [`known_answers`] that private rooms stand on.
///
/// # Errors
/// The first primitive whose answer is wrong.
pub fn known_answers_of_groups() -> Result<(), WrongAnswer> {
    estoile_mls::known_answers().map_err(|error| match error {
        MlsError::KnownAnswer(name) => WrongAnswer(name),
        _ => WrongAnswer("MLS"),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn all_known_answers_are_right_here() {
        assert_eq!(super::known_answers(), Ok(()));
    }
}
