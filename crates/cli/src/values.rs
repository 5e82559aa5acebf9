//! The values of flags, as people write them: `30s`, `10G`, `-45s`. Nothing here knows what they are for.

/// `30s|10m|2h|7d|none`: how long a message lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ttl(pub(crate) Option<u64>);

/// A time that can't be "none", in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u64);

/// A shift of the clock, `-45s` or `+2m`, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift(pub(crate) i64);

/// Bytes, `10G`, `512M`, `64K` (powers of 1,024) or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// Ten years: what the protocol can say.
const LONGEST: u64 = estoile_wire::limits::MAX_TTL_SECONDS;

impl core::str::FromStr for Ttl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            _ => match seconds(text) {
                Some(0) => Err("a message lives for at least 1s; write for example 30s, 10m, 2h, 7d or none".into()),
                Some(n) => Ok(Self(Some(n))),
                None => Err("write a number with its unit, for example 30s, 10m, 2h or 7d, or none".into()),
            },
        }
    }
}

impl core::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        seconds(text).map(Self).ok_or_else(|| "write a number with its unit, for example 30s, 10m, 2h or 7d".into())
    }
}

impl core::fmt::Display for Seconds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&spoken(self.0))
    }
}

impl core::str::FromStr for Shift {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        seconds(rest)
            .and_then(|n| i64::try_from(n).ok())
            .and_then(|n| n.checked_mul(1000 * sign))
            .map(Self)
            .ok_or_else(|| "write a shift with its unit, for example -45s or +2m".into())
    }
}

impl core::str::FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text.strip_prefix(digits).unwrap_or_default().to_ascii_uppercase();
        let shift = match unit.trim_end_matches('B').trim_end_matches('I') {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            _ => return Err("write a size such as 64K, 512M, 10G or 2T".into()),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(1 << shift))
            .map(Self)
            .ok_or_else(|| "write a size such as 64K, 512M, 10G or 2T".into())
    }
}

impl core::fmt::Display for Bytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] {
            if self.0 != 0 && self.0.is_multiple_of(1 << shift) {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

/// A number with one of the units s, m, h, d; a bare `0` too.
fn seconds(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.strip_prefix(number)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "" if number == "0" => 1,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|n| *n <= LONGEST)
}

/// Seconds in the largest unit that says them exactly.
pub(crate) fn spoken(seconds: u64) -> String {
    for (factor, unit) in [(86_400, 'd'), (3600, 'h'), (60, 'm')] {
        if seconds != 0 && seconds.is_multiple_of(factor) {
            return format!("{}{unit}", seconds / factor);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        assert_eq!("30s".parse(), Ok(Ttl(Some(30))));
        assert_eq!("10m".parse(), Ok(Ttl(Some(600))));
        assert_eq!("2h".parse(), Ok(Ttl(Some(7200))));
        assert_eq!("7d".parse(), Ok(Ttl(Some(604_800))));
        assert_eq!("none".parse(), Ok(Ttl(None)));
        for bad in ["", "s", "30", "0s", "1w", "-3s", "3 s", "99999999999999999999s", "4000d"] {
            assert!(bad.parse::<Ttl>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn shifts_have_a_sign() {
        assert_eq!("-45s".parse(), Ok(Shift(-45_000)));
        assert_eq!("+2m".parse(), Ok(Shift(120_000)));
        assert_eq!("1h".parse(), Ok(Shift(3_600_000)));
        assert!("--1s".parse::<Shift>().is_err());
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!("10G".parse(), Ok(Bytes(10 << 30)));
        assert_eq!("1GiB".parse(), Ok(Bytes(1 << 30)));
        assert_eq!("64k".parse(), Ok(Bytes(64 << 10)));
        assert_eq!("17".parse(), Ok(Bytes(17)));
        assert_eq!(Bytes(10 << 30).to_string(), "10G");
        for bad in ["", "G", "10X", "-1G", "99999999T"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad:?}");
        }
    }
}
