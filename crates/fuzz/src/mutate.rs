//! A small mutator with a seed: flips, cuts, repeats, splices, and numbers that sit on borders.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Longest input it makes: one frame and a little, so that limits are crossed too.
const MAX_INPUT: usize = 66 * 1024;
/// Bytes that lengths, CBOR heads and UTF-8 turn on.
const BORDERS: [u8; 16] =
    [0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x3f, 0x40, 0x5f, 0x7f, 0x80, 0x9f, 0xbf, 0xf6, 0xff];

/// Makes inputs out of a corpus, the same ones for the same seed.
pub struct Mutator {
    rng: ChaCha20Rng,
    corpus: Vec<Vec<u8>>,
}

impl Mutator {
    /// Starts from a corpus.
    #[must_use]
    pub fn new(seed: u64, corpus: Vec<Vec<u8>>) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(seed), corpus }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut bytes = self.pick();
        for _ in 0..=self.below(6) {
            self.step(&mut bytes);
        }
        bytes.truncate(MAX_INPUT);
        bytes
    }

    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.rng.next_u64() % (n as u64)).unwrap_or(0) }
    }

    fn pick(&mut self) -> Vec<u8> {
        let n = self.below(self.corpus.len());
        self.corpus.get(n).cloned().unwrap_or_default()
    }

    fn border(&mut self) -> u8 {
        let n = self.below(BORDERS.len());
        BORDERS.get(n).copied().unwrap_or(0)
    }

    fn step(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(8) {
            0 => {
                let bit = self.below(8);
                if let Some(b) = bytes.get_mut(at) {
                    *b ^= 1 << bit;
                }
            }
            1 => {
                let border = self.border();
                if let Some(b) = bytes.get_mut(at) {
                    *b = border;
                }
            }
            2 => bytes.truncate(at),
            3 => {
                let border = self.border();
                bytes.insert(at.min(bytes.len()), border);
            }
            4 if !bytes.is_empty() => drop(bytes.remove(at)),
            5 => {
                let other = self.pick();
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend(other.get(from..).unwrap_or_default());
            }
            6 => {
                let (byte, times) = (self.border(), self.below(600));
                let run = std::iter::repeat_n(byte, times);
                bytes.splice(at..at, run);
            }
            _ => {
                let mut random = [0; 16];
                self.rng.fill_bytes(&mut random);
                let n = self.below(16);
                bytes.splice(at..at, random.into_iter().take(n));
            }
        }
    }
}
