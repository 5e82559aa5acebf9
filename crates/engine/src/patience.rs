//! Patience with a relay that was asked for a log and does not say that this was all.
//!
//! Without an end to it, one withheld record would leave a room catching up for ever, and its people believing that it is the
//! network. It knows no log and asks nothing itself.

use estoile_wire::Millis;

/// So long nothing of what was asked for need come: a page of the longest records at 20 kbit/s.
const PATIENCE_MS: u64 = 30_000;
/// Each time in a row that it ends it is twice as long the next time, this often.
const DOUBLINGS: u32 = 5;
/// The time in a row that it ends which is worth a word: the first may have been the network.
const WORTH_TELLING: u32 = 2;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    until: Option<Millis>,
    stalls: u32,
}

impl Patience {
    /// Something is to come, or has come and more is to come.
    pub(crate) fn goes_on(&mut self, now: Millis) {
        let most = PATIENCE_MS << self.stalls.min(DOUBLINGS);
        self.until = Some(now.saturating_add(most));
    }

    /// All has come.
    pub(crate) const fn over(&mut self) {
        self.until = None;
        self.stalls = 0;
    }

    /// Nothing is waited for.
    pub(crate) const fn rests(&mut self) {
        self.until = None;
    }

    /// Whether it ends now; then it counts.
    pub(crate) fn ends(&mut self, now: Millis) -> bool {
        let ends = self.until.is_some_and(|at| at <= now);
        if ends {
            self.until = None;
            self.stalls = self.stalls.saturating_add(1);
        }
        ends
    }

    /// Whether somebody should know: once for each row.
    pub(crate) const fn is_worth_telling(&self) -> bool {
        self.stalls == WORTH_TELLING
    }

    pub(crate) const fn next_timeout(&self) -> Option<Millis> {
        self.until
    }

    pub(crate) fn clock_went_back(&mut self, by: u64) {
        self.until = self.until.map(|at| at.saturating_sub(by));
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;

    #[test]
    fn it_ends_later_each_time_in_a_row_and_is_told_once() {
        let (mut patience, mut now, mut waits, mut told) = (Patience::default(), 0, Vec::new(), 0);
        for _ in 0..8 {
            patience.goes_on(now);
            let until = patience.next_timeout().unwrap();
            assert!(!patience.ends(until - 1) && patience.ends(until) && !patience.ends(until));
            waits.push((until - now) / 1_000);
            told += u32::from(patience.is_worth_telling());
            now = until;
        }
        assert_eq!((waits, told), (vec![30, 60, 120, 240, 480, 960, 960, 960], 1));
        patience.over();
        patience.goes_on(0);
        assert_eq!(patience.next_timeout(), Some(30_000));
        patience.clock_went_back(10_000);
        assert_eq!(patience.next_timeout(), Some(20_000));
    }
}
