//! The trace that a sealed message leaves of itself, whatever else of it is altered on the way.
//!
//! Any change to a private message makes its content unreadable; but who sent it is sealed apart from the content (RFC 9420,
//! section 6.3.2), under a key that members have and a relay has not. So a record whose sender opens to our own leaf and whose
//! content nobody here can open is either one of ours, altered, with a sender part that we made, or it was made by somebody
//! who has the group's keys: a copy of this device, or a member who wants it to look so.

use sha2::{Digest as _, Sha256};

/// SHA-256 of the encrypted sender data of a private message; none if the bytes are none.
#[must_use]
pub fn sender_trace(message: &[u8]) -> Option<[u8; 32]> {
    // MLSMessage: version and wire format; PrivateMessage: group id, epoch, content type, authenticated data (RFC 9420,
    // sections 6 and 6.3).
    let rest = message.get(4..)?;
    let (_, rest) = vector(rest)?;
    let (_, rest) = vector(rest.get(8 + 1..)?)?;
    let (sender, _) = vector(rest)?;
    Some(Sha256::digest(sender).into())
}

/// A vector with a length of variable size (RFC 9420, section 2.1.2), and what follows it.
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *bytes.first()?;
    let size = match first >> 6 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return None,
    };
    let (head, rest) = bytes.split_at_checked(size)?;
    let length = head.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    // The two bits that say how long the length is.
    let length = length & !(0b11 << (8 * size - 2));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::{sender_trace, vector};

    #[test]
    fn lengths_of_every_size_are_read_and_damaged_ones_refused() {
        assert_eq!(vector(&[2, 7, 8, 9]), Some((&[7, 8][..], &[9][..])));
        assert_eq!(vector(&[0x40, 1, 7, 9]), Some((&[7][..], &[9][..])));
        assert_eq!(vector(&[0x80, 0, 0, 1, 7]), Some((&[7][..], &[][..])));
        for bad in [&[][..], &[1], &[0x40], &[0x40, 5, 1], &[0xC0, 0, 0, 0, 0, 0, 0, 0], &[0xBF, 255, 255, 255, 0]] {
            assert_eq!(vector(bad), None);
        }
        for length in 0..64 {
            assert_eq!(sender_trace(&vec![0xFF; length]), None);
        }
    }
}
