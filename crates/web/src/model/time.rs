//! Times as people read them. The clock and the zone are arguments; nothing here asks the machine for either.
//!
//! A zone is a number here: minutes east of UTC at the moment in question, which a browser knows.

/// Seconds in the units that a time to live is shown in.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// After this, the calendar is not shown any more: a peer may sign any time at all.
const LATEST: u64 = 253_402_300_799_000;

/// Days since 1970 in the reader's zone.
pub type Day = u64;

fn local(at: u64, east: i32) -> u64 {
    at.min(LATEST).saturating_add_signed(i64::from(east) * 60_000) / 1000
}

/// The day on which a moment falls.
#[must_use]
pub fn day(at: u64, east: i32) -> Day {
    local(at, east) / DAY
}

/// `09:05`.
#[must_use]
pub fn clock(at: u64, east: i32) -> String {
    let s = local(at, east) % DAY;
    format!("{:02}:{:02}", s / HOUR, s % HOUR / MINUTE)
}

/// `Today`, `Yesterday`, `Monday 2 March`, with the year when it is another one.
#[must_use]
pub fn day_name(day: Day, today: Day) -> String {
    const WEEK: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    if day == today {
        return String::from("Today");
    }
    if day + 1 == today {
        return String::from("Yesterday");
    }
    let (year, month, date) = civil(day);
    let name = |names: &[&'static str], at: u64| usize::try_from(at).ok().and_then(|at| names.get(at).copied());
    let week = name(&WEEK, day % 7).unwrap_or_default();
    let month = name(&MONTHS, month - 1).unwrap_or_default();
    if year == civil(today).0 { format!("{week} {date} {month}") } else { format!("{week} {date} {month} {year}") }
}

/// Year, month and day of the month of a day since 1970 (Hinnant's `civil_from_days`).
fn civil(day: Day) -> (u64, u64, u64) {
    let z = day + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// What is left of a message's life, short: `29s`, `5m`, `3h05`, `6d`.
#[must_use]
pub fn left(ends_at: u64, now: u64) -> String {
    let s = ends_at.saturating_sub(now).div_ceil(1000);
    match s {
        0..100 => format!("{s}s"),
        100..HOUR => format!("{}m", s.div_ceil(MINUTE)),
        HOUR..DAY => format!("{}h{:02}", s / HOUR, s % HOUR / MINUTE),
        _ => format!("{}d", s / DAY),
    }
}

/// How long ago, short: `now`, `5m`, `3h`, `6d`.
#[must_use]
pub fn ago(at: u64, now: u64) -> String {
    let s = now.saturating_sub(at) / 1000;
    match s {
        0..MINUTE => String::from("now"),
        MINUTE..HOUR => format!("{}m", s / MINUTE),
        HOUR..DAY => format!("{}h", s / HOUR),
        _ => format!("{}d", s / DAY),
    }
}

/// A duration in seconds as a sentence says it: `30 s`, `10 min`, `2 h`, `7 days`.
#[must_use]
pub fn span(s: u64) -> String {
    match s {
        _ if s == 0 || !s.is_multiple_of(MINUTE) => format!("{s} s"),
        _ if !s.is_multiple_of(HOUR) => format!("{} min", s / MINUTE),
        _ if !s.is_multiple_of(DAY) => format!("{} h", s / HOUR),
        _ if s == DAY => String::from("1 day"),
        _ => format!("{} days", s / DAY),
    }
}

/// A time to live, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// Seconds.
    Seconds(u64),
    /// As long as the relay keeps them.
    Kept,
}

impl Ttl {
    /// Seconds, or none.
    #[must_use]
    pub const fn seconds(self) -> Option<u64> {
        match self {
            Self::Seconds(s) => Some(s),
            Self::Kept => None,
        }
    }

    /// Reads `30s`, `10m`, `2h`, `7d` or `none`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text, "none" | "off") {
            return Some(Self::Kept);
        }
        let unit = text.chars().last()?;
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => Some(number),
            'm' => number.checked_mul(MINUTE),
            'h' => number.checked_mul(HOUR),
            'd' => number.checked_mul(DAY),
            _ => None,
        }?;
        (seconds > 0).then_some(Self::Seconds(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_clocks_follow_the_zone() {
        let at = 1_700_000_000_000; // 2023-11-14 22:13:20 UTC
        assert_eq!((clock(at, 0), clock(at, 540), clock(at, -210)), ("22:13".into(), "07:13".into(), "18:43".into()));
        assert_eq!(day_name(day(at, 0), day(at, 540)), "Yesterday");
        assert_eq!(day_name(day(at, 0), day(at, 0) + 400), "Tuesday 14 November 2023");
        assert_eq!(day_name(day(at, 0), day(at, 0) + 2), "Tuesday 14 November");
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(0), (1970, 1, 1));
        // A peer may sign any time at all.
        assert_eq!(clock(u64::MAX, 840).len(), 5);
        assert!(day_name(day(u64::MAX, 840), 0).ends_with("10000"));
        assert_eq!(clock(0, -720), "00:00");
    }

    #[test]
    fn spans_read_back() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604_800)] {
            assert_eq!(Ttl::parse(text), Some(Ttl::Seconds(seconds)));
        }
        assert_eq!(Ttl::parse("none"), Some(Ttl::Kept));
        for bad in ["", "0s", "10", "s", "5w", "-3m", "999999999999999999999d", "18446744073709551615d", "1µ"] {
            assert_eq!(Ttl::parse(bad), None, "{bad}");
        }
        assert_eq!([30, 600, 7200, 86_400, 604_800].map(span), ["30 s", "10 min", "2 h", "1 day", "7 days"]);
    }

    #[test]
    fn countdowns_are_short() {
        assert_eq!(left(30_000, 500), "30s");
        assert_eq!(left(30_000, 31_000), "0s");
        assert_eq!((left(3_600_000, 0), left(600_000, 0)), ("1h00".into(), "10m".into()));
        assert_eq!(ago(0, 7_200_000), "2h");
    }
}
