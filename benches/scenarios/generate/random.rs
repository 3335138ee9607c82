//! Numbers that are the same in every run.

/// A seeded generator: a 64-bit congruential step with its weak low bits folded away.
pub struct Random(u64);

impl Random {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }

    /// A number below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.bits()) * limit as u128) >> 64) as usize
    }

    /// Whether something happens that happens `n` times in `of`.
    pub fn chance(&mut self, n: usize, of: usize) -> bool {
        self.below(of) < n
    }

    /// One of `choices`, the first the most likely: the k-th about as often as one in k, as with popular pages.
    pub fn popular<T: Copy>(&mut self, choices: &[T]) -> T {
        let first = self.below(choices.len());
        choices[self.below(first + 1)]
    }

    /// One of `choices`, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> T {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return *choice,
            }
        }
        choices[0].1
    }

    /// A size between 2^`least` and 2^`most`, small ones as often as large ones.
    pub fn size(&mut self, least: usize, most: usize) -> usize {
        let magnitude = 1usize << (least + self.below(most - least));
        magnitude + self.below(magnitude)
    }
}
