//! A token bucket: how much of something one session may do.

use estoile_wire::Millis;

use crate::config::Rate;

/// Tokens in thousandths, and when they were counted last. It starts full.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    spent: u64,
    at: Millis,
}

impl Bucket {
    /// Takes one token, or says how many milliseconds to wait for it. A clock that goes back gives nothing.
    pub(crate) fn take(&mut self, now: Millis, rate: Rate) -> Result<(), u64> {
        let most = rate.burst.saturating_mul(1000);
        let earned = now.saturating_sub(self.at).saturating_mul(rate.per_second_milli) / 1000;
        if earned > 0 {
            // Less than a thousandth of a token stays with the time it was earned in.
            self.spent = self.spent.saturating_sub(earned);
            self.at = now;
        } else if now < self.at {
            self.at = now;
        }
        if self.spent.saturating_add(1000) <= most {
            self.spent = self.spent.saturating_add(1000);
            return Ok(());
        }
        let missing = self.spent.saturating_add(1000).saturating_sub(most);
        Err(missing.saturating_mul(1000).div_ceil(rate.per_second_milli.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let rate = Rate::per_minute(60);
        let mut bucket = Bucket::default();
        for _ in 0..60 {
            assert_eq!(bucket.take(1_000_000, rate), Ok(()));
        }
        assert_eq!(bucket.take(1_000_000, rate), Err(1000));
        assert_eq!(bucket.take(1_000_999, rate), Err(1));
        assert_eq!(bucket.take(1_001_000, rate), Ok(()));
        assert_eq!(bucket.take(1_001_000, rate), Err(1000));
    }

    #[test]
    fn asking_often_loses_nothing_and_a_clock_gone_back_gives_nothing() {
        let rate = Rate::per_minute(1);
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(5_000_000, rate), Ok(()));
        let given = (1..=130_000).filter(|ms| bucket.take(5_000_000 + ms, rate).is_ok()).count();
        assert_eq!(given, 2);
        assert!(bucket.take(1, rate).is_err());
        assert!(bucket.take(2, rate).is_err());
    }
}
