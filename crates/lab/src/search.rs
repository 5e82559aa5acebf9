//! Looking for a text in bytes where it must not be: as it is, in hexadecimal, and in base64 at each of its three alignments.

/// Whether `bytes` hold `needle` in any of these spellings.
pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    if needle.is_empty() {
        return false;
    }
    let hex: String = needle.iter().map(|b| format!("{b:02x}")).collect();
    contains(bytes, needle) || contains(bytes, hex.as_bytes()) || (0..3).any(|skip| in_base64(bytes, needle, skip))
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}

/// The characters of base64 that depend on the needle alone, when it begins `skip` bytes into a group of three.
fn in_base64(bytes: &[u8], needle: &[u8], skip: usize) -> bool {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = needle.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    // The first whole character begins so many bits into the needle.
    let first = (6 - skip * 8 % 6) % 6;
    let chosen = bits.get(first..).unwrap_or_default().chunks_exact(6);
    let text: Vec<u8> = chosen
        .map(|six| six.iter().fold(0_usize, |value, bit| value << 1 | usize::from(*bit)))
        .filter_map(|value| ALPHABET.get(value).copied())
        .collect();
    let standard: Vec<u8> = text
        .iter()
        .map(|c| match c {
            b'-' => b'+',
            b'_' => b'/',
            c => *c,
        })
        .collect();
    text.len() >= 8 && (contains(bytes, &text) || contains(bytes, &standard))
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn a_text_is_found_in_every_spelling() {
        assert!(holds(b"so much for the lighthouse, then", b"lighthouse"));
        assert!(holds(b"..6c69676874686f757365..", b"lighthouse"));
        for base64 in ["bGlnaHRob3VzZQ==", "eGxpZ2h0aG91c2U=", "eHhsaWdodGhvdXNl"] {
            assert!(holds(base64.as_bytes(), b"lighthouse"), "{base64}");
        }
        assert!(!holds(b"bGlnaHRicm93c2U=", b"lighthouse"));
    }
}
