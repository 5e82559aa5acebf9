//! Base64 as Python's `base64.urlsafe_b64decode` reads it from bytes: `binascii.a2b_base64` without strict mode.
//!
//! Both alphabets count; anything else (white space, bytes beyond ASCII) is skipped; padding that completes a group of
//! four ends the text, whatever follows; padding elsewhere is skipped; bits left over in the last character are dropped;
//! a text that ends inside a group without its padding is refused. For people's pasted tokens only, never for peers'.

/// The bytes, or nothing where Python raises `binascii.Error`.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    // How many characters of the present group of four are read, and the bits that the next byte still waits for.
    let mut in_group = 0_u8;
    let mut left = 0_u8;
    let mut pads = 0_u8;
    for &character in text {
        if character == b'=' {
            if in_group >= 2 {
                pads += 1;
                if in_group + pads >= 4 {
                    return Some(out);
                }
            }
            continue;
        }
        let Some(bits) = value(character) else { continue };
        pads = 0;
        match in_group {
            0 => {}
            1 => out.push(left << 2 | bits >> 4),
            2 => out.push(left << 4 | bits >> 2),
            _ => out.push(left << 6 | bits),
        }
        // Only the low bits are ever used again; the shift above drops the others.
        left = bits;
        in_group = (in_group + 1) % 4;
    }
    (in_group == 0).then_some(out)
}

const fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
