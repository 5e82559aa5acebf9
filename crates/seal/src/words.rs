//! Numbers as words and digits that people read to each other, from a hash.
//!
//! The hash is one big number; dividing it again and again by the size of the list gives the places. This layer does not know
//! what is compared.

use crate::passphrase;

/// The remainders of dividing a number, given in big-endian bytes, `count` times by `by`.
fn remainders(hash: &[u8; 32], by: u32, count: usize) -> Vec<u32> {
    let mut number = *hash;
    (0..count)
        .map(|_| {
            let mut rest = 0_u64;
            for byte in &mut number {
                let here = rest << 8 | u64::from(*byte);
                *byte = u8::try_from(here / u64::from(by)).unwrap_or(u8::MAX);
                rest = here % u64::from(by);
            }
            u32::try_from(rest).unwrap_or_default()
        })
        .collect()
}

/// So many words of the EFF's long list, one space between each two.
pub(crate) fn words(hash: &[u8; 32], count: usize) -> String {
    let words: Vec<&str> = remainders(hash, passphrase::WORD_COUNT, count).into_iter().map(passphrase::word).collect();
    words.join(" ")
}

/// So many groups of five digits, one space between each two.
pub(crate) fn digits(hash: &[u8; 32], groups: usize) -> String {
    let groups: Vec<String> = remainders(hash, 100_000, groups).iter().map(|group| format!("{group:05}")).collect();
    groups.join(" ")
}

/// Words as somebody may type them: case, punctuation and spaces make no difference. The list has words with hyphens, so
/// letters alone are compared.
pub(crate) fn letters(typed: &str) -> String {
    typed.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// The digits of what somebody typed.
pub(crate) fn only_digits(typed: &str) -> String {
    typed.chars().filter_map(|c| c.to_digit(10)).filter_map(|d| char::from_digit(d, 10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_divided_as_one() {
        let mut hash = [0; 32];
        // 3 · 7776² + 2 · 7776 + 1
        hash[24..].copy_from_slice(&(3 * 7776_u64 * 7776 + 2 * 7776 + 1).to_be_bytes());
        assert_eq!(remainders(&hash, 7776, 4), [1, 2, 3, 0]);
        assert_eq!(remainders(&[0xff; 32], 7776, 1), [u32::try_from(max_mod(7776)).unwrap()]);
        assert_eq!(words(&[0; 32], 3), "abacus abacus abacus");
        assert_eq!(digits(&[0; 32], 2), "00000 00000");
    }

    /// 2²⁵⁶ − 1 modulo `by`, another way.
    fn max_mod(by: u64) -> u64 {
        let power = (0..256).fold(1, |power, _| power * 2 % by);
        (power + by - 1) % by
    }

    #[test]
    fn what_is_typed_counts_by_its_letters_or_digits() {
        assert_eq!(letters(" Yo-Yo, ZOOM\n"), "yoyozoom");
        assert_eq!(only_digits(" 12345-67890 "), "1234567890");
    }
}
