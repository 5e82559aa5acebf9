//! Known answers of all that a client computes with: the seals' and MLS's.

use estoile_mls::MlsError;
use estoile_seal::WrongAnswer;

/// Computes all primitives against published vectors, in a few milliseconds. A driver calls it once before it loads an
/// engine, and goes no further where an answer is wrong.
pub fn known_answers() -> Result<(), WrongAnswer> {
    estoile_seal::known_answers()?;
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
