//! Made-up names, for people and rooms that were given none. Never the login: a name goes to everybody in the room.

use rand_core::Rng as _;

const ADJECTIVES: [&str; 32] = [
    "amber", "bold", "brave", "bright", "calm", "clear", "clever", "cosy", "curious", "eager", "early", "fair",
    "gentle", "glad", "golden", "happy", "honest", "jolly", "kind", "lively", "lucky", "mellow", "merry", "mild",
    "noble", "proud", "quick", "quiet", "silver", "sunny", "swift", "witty",
];

const ANIMALS: [&str; 32] = [
    "badger", "beaver", "bison", "crane", "deer", "dolphin", "falcon", "finch", "fox", "gecko", "hare", "heron",
    "ibis", "jay", "koala", "lark", "lemur", "lynx", "magpie", "marten", "mole", "newt", "otter", "owl", "panda",
    "puffin", "robin", "seal", "sparrow", "stork", "swan", "wren",
];

const PLACES: [&str; 16] = [
    "attic", "bay", "garden", "grove", "harbour", "hill", "island", "lodge", "meadow", "orchard", "pier", "porch",
    "square", "terrace", "valley", "yard",
];

/// A name for somebody: `quiet-otter`.
pub(crate) fn person() -> String {
    format!("{}-{}", pick(&ADJECTIVES), pick(&ANIMALS))
}

/// A name for a room: `sunny-harbour`.
pub(crate) fn room() -> String {
    format!("{}-{}", pick(&ADJECTIVES), pick(&PLACES))
}

/// The lists' lengths divide 2^32, so every word is as likely as any other.
fn pick(words: &[&'static str]) -> &'static str {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let count = u32::try_from(words.len()).unwrap_or(1).max(1);
    words.get((rng.next_u32() % count) as usize).copied().unwrap_or("somebody")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_adjective_and_an_animal() {
        let name = person();
        let (first, second) = name.split_once('-').unwrap();
        assert!(ADJECTIVES.contains(&first) && ANIMALS.contains(&second));
        assert!(
            ADJECTIVES.len().is_power_of_two() && ANIMALS.len().is_power_of_two() && PLACES.len().is_power_of_two()
        );
    }
}
