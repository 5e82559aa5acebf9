//! Times as people read them. The clock and the zone are arguments; nothing here asks the machine for either.

use jiff::{Timestamp, tz::TimeZone};

/// Seconds in the units that a time to live is shown in.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A calendar day in the reader's zone.
pub(crate) type Day = jiff::civil::Date;

fn local(at: u64, zone: &TimeZone) -> jiff::Zoned {
    let at = i64::try_from(at).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or(Timestamp::MAX).to_zoned(zone.clone())
}

/// The day on which a moment falls.
pub(crate) fn day(at: u64, zone: &TimeZone) -> Day {
    local(at, zone).date()
}

/// `09:05`.
pub(crate) fn clock(at: u64, zone: &TimeZone) -> String {
    local(at, zone).strftime("%H:%M").to_string()
}

/// `Today`, `Yesterday`, `Monday 2 March`, with the year when it is another one.
pub(crate) fn day_name(day: Day, today: Day) -> String {
    if day == today {
        return String::from("Today");
    }
    if today.yesterday().is_ok_and(|y| y == day) {
        return String::from("Yesterday");
    }
    let format = if day.year() == today.year() { "%A %-d %B" } else { "%A %-d %B %Y" };
    day.strftime(format).to_string()
}

/// What is left of a message's life, short: `29s`, `5m`, `3h`, `6d`.
pub(crate) fn left(ends_at: u64, now: u64) -> String {
    let s = ends_at.saturating_sub(now).div_ceil(1000);
    match s {
        0..100 => format!("{s}s"),
        100..HOUR => format!("{}m", s.div_ceil(MINUTE)),
        HOUR..DAY => format!("{}h{:02}", s / HOUR, s % HOUR / MINUTE),
        _ => format!("{}d", s / DAY),
    }
}

/// How long ago, short: `now`, `5m`, `3h`, `6d`.
pub(crate) fn ago(at: u64, now: u64) -> String {
    let s = now.saturating_sub(at) / 1000;
    match s {
        0..MINUTE => String::from("now"),
        MINUTE..HOUR => format!("{}m", s / MINUTE),
        HOUR..DAY => format!("{}h", s / HOUR),
        _ => format!("{}d", s / DAY),
    }
}

/// A duration in seconds as a sentence says it: `30 s`, `10 min`, `2 h`, `7 days`.
pub(crate) fn span(s: u64) -> String {
    match s {
        _ if s == 0 || !s.is_multiple_of(MINUTE) => format!("{s} s"),
        _ if !s.is_multiple_of(HOUR) => format!("{} min", s / MINUTE),
        _ if !s.is_multiple_of(DAY) => format!("{} h", s / HOUR),
        _ if s == DAY => String::from("1 day"),
        _ => format!("{} days", s / DAY),
    }
}

/// `30s|10m|2h|7d|none` as seconds; the outer option is none when it is none of these.
#[expect(clippy::option_option, reason = "outer: was it a duration at all; inner: one may be chosen or none")]
pub(crate) fn parse_ttl(text: &str) -> Option<Option<u64>> {
    if matches!(text, "none" | "off") {
        return Some(None);
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
    (seconds > 0).then_some(Some(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_clocks_follow_the_zone() {
        let utc = TimeZone::UTC;
        let tokyo = TimeZone::fixed(jiff::tz::offset(9));
        let at = 1_700_000_000_000; // 2023-11-14 22:13:20 UTC
        assert_eq!(clock(at, &utc), "22:13");
        assert_eq!(clock(at, &tokyo), "07:13");
        assert_ne!(day(at, &utc), day(at, &tokyo));
        assert_eq!(day_name(day(at, &utc), day(at, &tokyo)), "Yesterday");
        assert_eq!(day_name(day(at, &utc), day(at + 400 * 86_400_000, &utc)), "Tuesday 14 November 2023");
        // A peer may sign any time at all.
        let _ = clock(u64::MAX, &utc);
    }

    #[test]
    fn spans_read_back() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604_800)] {
            assert_eq!(parse_ttl(text), Some(Some(seconds)));
        }
        assert_eq!(parse_ttl("none"), Some(None));
        for bad in ["", "0s", "10", "s", "5w", "-3m", "999999999999999999999d", "18446744073709551615d", "1µ"] {
            assert_eq!(parse_ttl(bad), None, "{bad}");
        }
        assert_eq!(
            (span(30), span(600), span(7200), span(604_800)),
            ("30 s".into(), "10 min".into(), "2 h".into(), "7 days".into())
        );
    }

    #[test]
    fn countdowns_are_short() {
        assert_eq!(left(30_000, 500), "30s");
        assert_eq!(left(30_000, 31_000), "0s");
        assert_eq!(left(3_600_000, 0), "1h00");
        assert_eq!(left(600_000, 0), "10m");
        assert_eq!(ago(0, 7_200_000), "2h");
    }
}
