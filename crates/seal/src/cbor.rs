//! Strict CBOR: RFC 8949 §4.2.1 deterministic encoding, checked before anything is decoded.
//!
//! Two peers that read the same bytes differently could be shown different things, and a second spelling of a letter
//! would have a second hash: so there is one spelling only, and [`deterministic`] is its gate. It allocates nothing, and
//! its recursion is bounded. This layer does not know what the items mean.

use core::convert::Infallible;

use minicbor::Encoder;
use minicbor::encode::Error;

/// Whether `bytes` are exactly one item, in the one deterministic encoding, nested at most `depth` deep.
pub(crate) fn deterministic(bytes: &[u8], depth: usize) -> bool {
    item(bytes, depth).is_some_and(<[u8]>::is_empty)
}

/// Writes with an encoder whose writer, a vector, can't fail.
pub(crate) fn write(fill: impl FnOnce(&mut Encoder<Vec<u8>>) -> Result<(), Error<Infallible>>) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // The error type is `Infallible`; what remains are messages of hand-written `Encode`s, and there are none here.
    let _ = fill(&mut encoder);
    encoder.into_writer()
}

/// The head of an item: major type, additional information, argument.
struct Head {
    major: u8,
    info: u8,
    argument: u64,
}

fn head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (major, info) = (first >> 5, first & 0x1f);
    let (argument, rest) = match info {
        0..=23 => (u64::from(info), rest),
        24 => rest.split_first_chunk::<1>().map(|(b, r)| (u64::from(b[0]), r))?,
        25 => rest.split_first_chunk().map(|(b, r)| (u64::from(u16::from_be_bytes(*b)), r))?,
        26 => rest.split_first_chunk().map(|(b, r)| (u64::from(u32::from_be_bytes(*b)), r))?,
        27 => rest.split_first_chunk().map(|(b, r)| (u64::from_be_bytes(*b), r))?,
        // Reserved, and the indefinite lengths, which are never deterministic.
        _ => return None,
    };
    Some((Head { major, info, argument }, rest))
}

impl Head {
    /// Whether the argument stands in its shortest form.
    const fn shortest(&self) -> bool {
        match self.info {
            24 => self.argument >= 24,
            25 => self.argument > 0xff,
            26 => self.argument > 0xffff,
            27 => self.argument > 0xffff_ffff,
            _ => true,
        }
    }
}

/// Reads one item and gives back what follows it.
fn item(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    let (head, rest) = head(bytes)?;
    if head.major == 7 {
        return simple(&head).then_some(rest);
    }
    if !head.shortest() {
        return None;
    }
    match head.major {
        0 | 1 => Some(rest),
        2 => rest.get(usize::try_from(head.argument).ok()?..),
        3 => {
            let (text, rest) = rest.split_at_checked(usize::try_from(head.argument).ok()?)?;
            core::str::from_utf8(text).ok().map(|_| rest)
        }
        4 => items(rest, head.argument, depth),
        5 => pairs(rest, head.argument, depth),
        // A tag and what it tags.
        _ => item(rest, depth),
    }
}

/// Each item takes a byte at least, so that a false count ends with the bytes.
fn items(mut rest: &[u8], count: u64, depth: usize) -> Option<&[u8]> {
    for _ in 0..count {
        rest = item(rest, depth)?;
    }
    Some(rest)
}

/// Keys stand in the order of their bytes, none twice.
fn pairs(mut rest: &[u8], count: u64, depth: usize) -> Option<&[u8]> {
    let mut last: Option<&[u8]> = None;
    for _ in 0..count {
        let after_key = item(rest, depth)?;
        let key = rest.get(..rest.len() - after_key.len())?;
        if last.is_some_and(|last| last >= key) {
            return None;
        }
        last = Some(key);
        rest = item(after_key, depth)?;
    }
    Some(rest)
}

/// Simple values and floating-point numbers, each in its shortest form, with one NaN.
fn simple(head: &Head) -> bool {
    match head.info {
        0..=23 => true,
        24 => head.argument >= 32,
        25 => u16::try_from(head.argument).is_ok_and(|b| b & 0x7c00 != 0x7c00 || b & 0x3ff == 0 || b == 0x7e00),
        26 => u32::try_from(head.argument).is_ok_and(|b| !fits_half(f32::from_bits(b))),
        _ => !fits_single(f64::from_bits(head.argument)),
    }
}

/// Whether half precision holds the number (or it is a NaN, whose one form is short).
fn fits_half(number: f32) -> bool {
    let bits = number.to_bits();
    let fraction = bits & 0x7f_ffff;
    match bits >> 23 & 0xff {
        0 => fraction == 0,
        // Subnormal halves: the leading bit becomes part of the fraction.
        exponent @ 103..=112 => (fraction | 0x80_0000).trailing_zeros() >= 126 - exponent,
        113..=142 => fraction.trailing_zeros() >= 13,
        255 => true,
        _ => false,
    }
}

/// Whether single precision holds the number (or it is a NaN).
fn fits_single(number: f64) -> bool {
    if !number.is_finite() {
        return true;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whether it truncates is the question")]
    let single = number as f32;
    f64::from(single) == number
}

#[cfg(test)]
mod tests {
    use super::deterministic;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |c: u8| u8::try_from(char::from(c).to_digit(16).unwrap()).unwrap();
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    #[test]
    fn examples_of_rfc_8949_appendix_a_are_read() {
        for text in [
            "00",
            "17",
            "1818",
            "1903e8",
            "1a000f4240",
            "1b000000e8d4a51000",
            "20",
            "3863",
            "3903e7",
            "f90000",
            "f93c00",
            "fb3ff199999999999a",
            "f97bff",
            "fa47c35000",
            "fa7f7fffff",
            "fb7e37e43c8800759c",
            "f90001",
            "f90400",
            "f9c400",
            "fbc010666666666666",
            "f97c00",
            "f97e00",
            "f9fc00",
            "f4",
            "f5",
            "f6",
            "f7",
            "f0",
            "f8ff",
            "c11a514b67b0",
            "40",
            "4401020304",
            "60",
            "6449455446",
            "80",
            "83010203",
            "a0",
            "a201020304",
            "826161a161626163",
            "8301820203820405",
        ] {
            assert!(deterministic(&hex(text), 4), "{text}");
        }
    }

    #[test]
    fn every_second_spelling_is_refused() {
        for (why, text) in [
            ("nothing", ""),
            ("trailing bytes", "0000"),
            ("cut off", "1903"),
            ("cut off bytes", "4201"),
            ("a huge count", "9bffffffffffffffff"),
            ("a huge length", "5bffffffffffffffff"),
            ("long integer", "1817"),
            ("long integer", "1900ff"),
            ("long integer", "1a0000ffff"),
            ("long integer", "1b00000000ffffffff"),
            ("long length", "580101"),
            ("indefinite array", "9fff"),
            ("indefinite bytes", "5f4101ff"),
            ("reserved", "1c"),
            ("not UTF-8", "61ff"),
            ("keys out of order", "a203040102"),
            ("a key twice", "a201020102"),
            ("long simple value", "f81f"),
            ("a float that fits half", "fa3f800000"),
            ("a subnormal that fits half", "fa33800000"),
            ("a float that fits single", "fb3ff0000000000000"),
            ("a second NaN", "f97e01"),
            ("a long NaN", "fa7fc00000"),
            ("a long infinity", "fb7ff0000000000000"),
            ("too deep", "8181818100"),
        ] {
            assert!(!deterministic(&hex(text), 4), "{why}: {text}");
        }
        assert!(deterministic(&hex("81818100"), 4), "just not too deep");
        assert!(deterministic(&hex("fa33800001"), 4) && deterministic(&hex("fa33000000"), 4), "below every half");
    }
}
