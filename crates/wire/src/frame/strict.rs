//! One spelling a frame: the deterministic encoding of RFC 8949 §4.2.1, checked before anything is read.
//!
//! It knows no frames. Two programs that read the same bytes must not understand two things, and skipping a field that
//! this version does not know must cost no more than its length: so no indefinite lengths, no longer heads than needed, map
//! keys ascending, and nothing deeper than [`MAX_DEPTH`].

use super::DecodeError;

/// Containers within containers: frames of this version need 3, later ones have room.
pub(super) const MAX_DEPTH: u8 = 8;

/// Bytes not yet looked at.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, n: u64) -> Result<&'b [u8], DecodeError> {
        let n = usize::try_from(n).map_err(|_| DecodeError::Malformed)?;
        let (taken, rest) = self.0.split_at_checked(n).ok_or(DecodeError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The major type and the argument of the next head.
    fn head(&mut self) -> Result<(u8, u64), DecodeError> {
        let first = self.take(1)?.iter().fold(0, |_, b| *b);
        let (major, info) = (first >> 5, first & 0x1f);
        let (size, least) = match info {
            0..=23 => return Ok((major, u64::from(info))),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(DecodeError::Malformed),
        };
        let argument = self.take(size)?.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        // A simple value in two bytes, or a float: frames have neither.
        if argument < least || major == 7 { Err(DecodeError::Malformed) } else { Ok((major, argument)) }
    }

    fn item(&mut self, depth: u8) -> Result<(), DecodeError> {
        let (major, argument) = self.head()?;
        match major {
            0 | 1 => {}
            2 => drop(self.take(argument)?),
            3 => drop(core::str::from_utf8(self.take(argument)?).map_err(|_| DecodeError::Malformed)?),
            // Each item takes a byte at least, so a count that lies ends at the end of the bytes.
            4 if depth < MAX_DEPTH => {
                for _ in 0..argument {
                    self.item(depth + 1)?;
                }
            }
            5 if depth < MAX_DEPTH => self.map(argument, depth + 1)?,
            // false and true. No null: what is absent is left out.
            7 if (20..=21).contains(&argument) => {}
            _ => return Err(DecodeError::Malformed),
        }
        Ok(())
    }

    fn map(&mut self, entries: u64, depth: u8) -> Result<(), DecodeError> {
        let mut last: &[u8] = &[];
        for _ in 0..entries {
            let before = self.0;
            self.item(depth)?;
            let key = before.get(..before.len() - self.0.len()).unwrap_or_default();
            // Bytewise ascending; equal ones would be one field said twice.
            if key <= last {
                return Err(DecodeError::Malformed);
            }
            last = key;
            self.item(depth)?;
        }
        Ok(())
    }
}

/// Refuses bytes that are not one item in the only spelling that it has.
pub(super) fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut rest = Rest(bytes);
    rest.item(0)?;
    if rest.0.is_empty() { Ok(()) } else { Err(DecodeError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(bytes: &[u8]) -> bool {
        check(bytes).is_ok()
    }

    #[test]
    fn what_has_one_spelling_passes() {
        assert!(ok(&[0x00]) && ok(&[0x17]) && ok(&[0x18, 24]) && ok(&[0x19, 1, 0]) && ok(&[0x1a, 0, 1, 0, 0]));
        assert!(ok(&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]) && ok(&[0x20]) && ok(&[0x38, 24]));
        assert!(ok(&[0x43, 1, 2, 3]) && ok(b"\x62hi") && ok(&[0xf4]) && ok(&[0xf5]));
        assert!(ok(&[0xa2, 0, 0x80, 1, 0xa0]) && ok(&[0xa2, 0x17, 0, 0x18, 24, 0]));
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let longer: [&[u8]; 6] = [
            &[0x18, 23],
            &[0x19, 0, 255],
            &[0x1a, 0, 0, 255, 255],
            &[0x1b, 0, 0, 0, 0, 255, 255, 255, 255],
            &[0x58, 1, 0],
            &[0x98, 0],
        ];
        assert!(longer.iter().all(|bytes| !ok(bytes)), "longer heads than needed");
        let indefinite: [&[u8]; 4] = [&[0x5f, 0xff], &[0x7f, 0xff], &[0x9f, 0xff], &[0xbf, 0xff]];
        assert!(indefinite.iter().all(|bytes| !ok(bytes)), "indefinite lengths");
        assert!(!ok(&[0xa2, 1, 0, 0, 0]) && !ok(&[0xa2, 0, 0, 0, 0]), "keys out of order, or twice");
        assert!(!ok(&[0xa2, 0x18, 24, 0, 0x17, 0]), "keys out of order");
        assert!(!ok(&[0xf9, 0, 0]) && !ok(&[0xfb, 0, 0, 0, 0, 0, 0, 0, 0]), "floats");
        assert!(
            !ok(&[0xf6]) && !ok(&[0xf7]) && !ok(&[0xe0]) && !ok(&[0xf8, 32]) && !ok(&[0xc0, 0]),
            "other simple values and tags"
        );
        assert!(!ok(&[0x62, 0xff, 0xfe]), "text that is no UTF-8");
        assert!(!ok(&[]) && !ok(&[0, 0]) && !ok(&[0x1c]) && !ok(&[0x42, 1]), "too few bytes, or too many");
    }

    #[test]
    fn depth_and_counts_cost_nothing() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
        assert!(ok(&nested(usize::from(MAX_DEPTH))));
        assert!(!ok(&nested(usize::from(MAX_DEPTH) + 1)) && !ok(&nested(60_000)));
        assert!(!ok(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
        assert!(!ok(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]));
        assert!(!ok(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    }
}
