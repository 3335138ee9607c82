//! Random bytes and choices: fast, and of no use to anybody who needs secrets.

use heka_message::UuidSource;

/// A generator (SplitMix64), seeded by the system.
pub struct Random(u64);

impl Random {
    /// Another sequence each time.
    pub fn new() -> Self {
        let seed = UuidSource::new().next_uuid();
        Random(seed.iter().fold(0, |word, byte| word.rotate_left(8) ^ u64::from(*byte)))
    }

    /// Sixty-four random bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `limit`; 0 when there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        // The high half of the product is spread evenly enough.
        ((u128::from(self.word()) * limit as u128) >> 64) as usize
    }

    /// So many bytes; only printable ones when `ascii`.
    pub fn bytes(&mut self, count: usize, ascii: bool) -> Vec<u8> {
        let byte = |_| match ascii {
            true => 32 + self.below(94) as u8,
            false => self.word() as u8,
        };
        (0..count).map(byte).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_stay_below_their_limit_and_reach_all_of_it() {
        let mut random = Random::new();
        let mut seen = [false; 10];
        for _ in 0..10_000 {
            seen[random.below(10)] = true;
        }
        assert_eq!((seen, random.below(0), random.below(1)), ([true; 10], 0, 0));
        assert!(random.bytes(10_000, true).iter().all(|byte| (32..=125).contains(byte)));
        assert!(random.bytes(10_000, false).iter().any(|byte| *byte > 127));
    }
}
