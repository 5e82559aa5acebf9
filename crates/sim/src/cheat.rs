//! The ways in which a simulated relay cheats: each by a scheme that is drawn from the seed, each for a while.
//!
//! A scheme sees frames between a client and the hub and says what goes on instead; several compose. It knows the protocol,
//! as a relay does, and no key.

use estoile_wire::frame::{Append, Kept, Record, Refused};
use estoile_wire::{ClientFrame, Millis, Refusal, RelayFrame};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::plan::{OneIn, below, one_in, pick};

/// A lie about a place in the log that cannot be a slip.
const FAR: u64 = 1_000_000;
/// A lie about the time: an hour.
const HOUR: Millis = 3_600_000;

/// One way to cheat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trick {
    /// A record does not come.
    #[default]
    Withhold,
    /// Signals do not come: who is here, who types.
    Mute,
    /// A record comes once more, after so long.
    Repeat(Millis),
    /// A record comes so much later than those behind it.
    Hold(Millis),
    /// A record has the body of the one before it.
    Swap,
    /// One bit of a body is another.
    Flip,
    /// A record claims another place in the log: one beside its own, or far away.
    Place { far: bool },
    /// A record claims another time and another end.
    Time,
    /// After a record there comes one that nobody wrote.
    Foreign,
    /// What is kept is not acknowledged.
    LoseKept,
    /// An append is thrown away in silence.
    Swallow,
    /// An append is thrown away and acknowledged.
    ForgeKept,
    /// An append is kept and said to be refused.
    Deny,
    /// An append is thrown away and said to be refused.
    Refuse,
    /// The log is said to end elsewhere, or to be in another epoch.
    Misstate,
    /// When the scheme ends, the relay goes back to what it held when it began.
    RollBack,
}

/// A trick, when, on whom and how often.
#[derive(Clone, Debug)]
pub(crate) struct Scheme {
    pub(crate) trick: Trick,
    /// One client, or everybody.
    whom: Option<usize>,
    odds: OneIn,
    /// Milliseconds after the trouble began.
    pub(crate) from: Millis,
    pub(crate) until: Millis,
    seed: u64,
}

impl Scheme {
    /// Schemes for so long a trouble among so many clients.
    pub(crate) fn draw(rng: &mut ChaCha20Rng, trouble: Millis, clients: usize) -> Vec<Self> {
        let many = pick(rng, &[1, 1, 2, 3, 4]);
        (0..many).map(|_| Self::one(rng, trouble, clients)).collect()
    }

    fn one(rng: &mut ChaCha20Rng, trouble: Millis, clients: usize) -> Self {
        let trick = pick(
            rng,
            &[
                Trick::Withhold,
                Trick::Withhold,
                Trick::Mute,
                Trick::Repeat(0),
                Trick::Repeat(30_000),
                Trick::Hold(200),
                Trick::Hold(20_000),
                Trick::Swap,
                Trick::Flip,
                Trick::Place { far: false },
                Trick::Place { far: true },
                Trick::Time,
                Trick::Foreign,
                Trick::LoseKept,
                Trick::Swallow,
                Trick::ForgeKept,
                Trick::Deny,
                Trick::Refuse,
                Trick::Misstate,
                Trick::RollBack,
            ],
        );
        let everybody = one_in(rng, 3);
        let whom = usize::try_from(below(rng, clients as u64)).unwrap_or(0);
        let from = below(rng, trouble);
        let lasts = pick(rng, &[5_000, 20_000, trouble]);
        Self {
            trick,
            whom: (!everybody).then_some(whom),
            odds: pick(rng, &[1, 3, 10]),
            from,
            until: from.saturating_add(lasts).min(trouble),
            seed: rng.next_u64(),
        }
    }
}

/// A scheme at work.
#[derive(Debug)]
pub(crate) struct Cheat {
    pub(crate) scheme: Scheme,
    /// When the trouble began.
    begin: Millis,
    rng: ChaCha20Rng,
    /// The body of the last record that came by.
    body: Vec<u8>,
    /// The greatest place in a log that came by.
    last: u64,
}

/// What goes on instead of a frame, each so many milliseconds later.
pub(crate) type Frames = Vec<(Millis, Vec<u8>)>;

impl Cheat {
    pub(crate) fn new(scheme: Scheme, begin: Millis) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(scheme.seed);
        Self { scheme, begin, rng, body: Vec::new(), last: 0 }
    }

    /// Whether it is its time, its victim and its whim.
    fn strikes(&mut self, client: usize, now: Millis) -> bool {
        let since = now.saturating_sub(self.begin);
        let on = (self.scheme.from..self.scheme.until).contains(&since);
        on && self.scheme.whom.is_none_or(|whom| whom == client) && one_in(&mut self.rng, self.scheme.odds)
    }

    /// What a client gets instead of a frame.
    pub(crate) fn down(&mut self, client: usize, now: Millis, frame: &[u8]) -> Frames {
        let as_it_is = || vec![(0, frame.to_vec())];
        let Ok(decoded) = RelayFrame::decode(frame) else { return as_it_is() };
        if !self.strikes(client, now) {
            return as_it_is();
        }
        match (self.scheme.trick, decoded) {
            (Trick::Mute, RelayFrame::Signalled(_))
            | (Trick::LoseKept, RelayFrame::Kept(_))
            | (Trick::Withhold, RelayFrame::Record(_)) => Vec::new(),
            (_, RelayFrame::Record(record)) => self.record(record, frame),
            (Trick::Misstate, RelayFrame::Attached(mut attached)) => {
                let by = pick(&mut self.rng, &[1, 3, FAR]);
                match below(&mut self.rng, 3) {
                    0 => attached.last = attached.last.saturating_add(by),
                    1 => attached.last = attached.last.saturating_sub(by),
                    _ => attached.epoch = attached.epoch.saturating_add(by),
                }
                vec![(0, RelayFrame::Attached(attached).encode())]
            }
            (Trick::Misstate, RelayFrame::Live(mut live)) => {
                live.cursor = self.elsewhere(live.cursor, false);
                vec![(0, RelayFrame::Live(live).encode())]
            }
            _ => as_it_is(),
        }
    }

    fn elsewhere(&mut self, place: u64, far: bool) -> u64 {
        let by = if far { FAR } else { below(&mut self.rng, 3).saturating_add(1) };
        if one_in(&mut self.rng, 2) { place.saturating_add(by) } else { place.saturating_sub(by).max(1) }
    }

    fn record(&mut self, record: Record<'_>, frame: &[u8]) -> Frames {
        self.last = self.last.max(record.cursor);
        let before = core::mem::replace(&mut self.body, record.body.to_vec());
        let again = |record: Record<'_>| RelayFrame::Record(record).encode();
        match self.scheme.trick {
            Trick::Repeat(after) => vec![(0, frame.to_vec()), (after, frame.to_vec())],
            Trick::Hold(after) => vec![(after, frame.to_vec())],
            Trick::Swap if !before.is_empty() => vec![(0, again(Record { body: &before, ..record }))],
            Trick::Flip => {
                let mut body = record.body.to_vec();
                let at = usize::try_from(below(&mut self.rng, body.len() as u64)).unwrap_or(0);
                let bit = pick(&mut self.rng, &[1, 8, 128]);
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= bit;
                }
                vec![(0, again(Record { body: &body, ..record }))]
            }
            Trick::Place { far } => {
                let cursor = self.elsewhere(record.cursor, far);
                vec![(0, again(Record { cursor, ..record }))]
            }
            Trick::Time => {
                let later = one_in(&mut self.rng, 2);
                let lie = |at: Millis| if later { at.saturating_add(HOUR) } else { at.saturating_sub(HOUR) };
                vec![(0, again(Record { time: lie(record.time), expires: lie(record.expires), ..record }))]
            }
            Trick::Foreign => {
                let mut body = vec![0; record.body.len()];
                self.rng.fill_bytes(&mut body);
                let mut id16 = record.id16;
                self.rng.fill_bytes(&mut id16.0);
                let cursor = record.cursor.saturating_add(1);
                let foreign = again(Record { body: &body, id16, cursor, ..record });
                vec![(0, frame.to_vec()), (0, foreign)]
            }
            _ => vec![(0, frame.to_vec())],
        }
    }

    /// What the hub gets instead of a client's frame, and what the client is answered beside.
    pub(crate) fn up(&mut self, client: usize, now: Millis, frame: Vec<u8>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let Ok(ClientFrame::Append(append)) = ClientFrame::decode(&frame) else { return (Some(frame), None) };
        if !self.strikes(client, now) {
            return (Some(frame), None);
        }
        let answer = match self.scheme.trick {
            Trick::Swallow => return (None, None),
            Trick::ForgeKept => {
                self.last = self.last.saturating_add(1);
                Some(RelayFrame::Kept(Kept { request: append.request, cursor: self.last, time: now }).encode())
            }
            Trick::Refuse | Trick::Deny => Some(self.refusal(&append)),
            _ => return (Some(frame), None),
        };
        let kept = (self.scheme.trick == Trick::Deny).then(|| frame.clone());
        (kept, answer)
    }

    fn refusal(&mut self, append: &Append<'_>) -> Vec<u8> {
        let code = match below(&mut self.rng, 4) {
            0 => Refusal::StaleEpoch,
            1 => Refusal::LogFull,
            2 => Refusal::RateLimited,
            _ => Refusal::NotAttached,
        };
        let refused = Refused {
            request: Some(append.request),
            code,
            limit: (code == Refusal::StaleEpoch).then(|| append.epoch.saturating_add(1)),
            wait_ms: (code == Refusal::RateLimited).then_some(1_000),
            log: Some(append.log),
        };
        RelayFrame::Refused(refused).encode()
    }
}
