//! Which rows of a batch: a bitmap, with the two common cases for free.

/// A set of rows of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowSet {
    /// No row.
    None,
    /// Every row of the batch.
    All,
    /// The rows whose bits are set, 64 a word, lowest bit first. Bits past the batch's length are clear.
    Bits(Box<[u64]>),
}

impl RowSet {
    /// The set of rows below `rows` for which `test` is true, in its cheapest form.
    #[inline]
    pub fn from_fn(rows: usize, mut test: impl FnMut(usize) -> bool) -> Self {
        let mut words = vec![0u64; rows.div_ceil(64)];
        let mut count = 0usize;
        for (w, word) in words.iter_mut().enumerate() {
            let mut bits = 0u64;
            for bit in 0..(rows - w * 64).min(64) {
                bits |= u64::from(test(w * 64 + bit)) << bit;
            }
            count += bits.count_ones() as usize;
            *word = bits;
        }
        RowSet::normal(words, count, rows)
    }

    /// The set whose bits are set in `words`, 64 rows a word, lowest bit first, in its cheapest form. Bits past
    /// the batch's `rows` must be clear.
    pub fn from_words(words: Vec<u64>, rows: usize) -> Self {
        let count = words.iter().map(|w| w.count_ones() as usize).sum();
        RowSet::normal(words, count, rows)
    }

    fn normal(words: Vec<u64>, count: usize, rows: usize) -> Self {
        match count {
            0 => RowSet::None,
            n if n == rows => RowSet::All,
            _ => RowSet::Bits(words.into_boxed_slice()),
        }
    }

    fn combine(&self, other: &[u64], rows: usize, op: impl Fn(u64, u64) -> u64) -> Self {
        let RowSet::Bits(mine) = self else { unreachable!("callers handle All and None") };
        RowSet::from_words(mine.iter().zip(other).map(|(a, b)| op(*a, *b)).collect(), rows)
    }

    /// The rows in both sets; `rows` is the batch's length.
    pub fn and(&self, other: &RowSet, rows: usize) -> RowSet {
        match (self, other) {
            (RowSet::None, _) | (_, RowSet::None) => RowSet::None,
            (RowSet::All, x) | (x, RowSet::All) => x.clone(),
            (_, RowSet::Bits(b)) => self.combine(b, rows, |x, y| x & y),
        }
    }

    /// The rows in either set; `rows` is the batch's length.
    pub fn or(&self, other: &RowSet, rows: usize) -> RowSet {
        match (self, other) {
            (RowSet::All, _) | (_, RowSet::All) => RowSet::All,
            (RowSet::None, x) | (x, RowSet::None) => x.clone(),
            (_, RowSet::Bits(b)) => self.combine(b, rows, |x, y| x | y),
        }
    }

    /// The rows in this set that are not in `other`; `rows` is the batch's length.
    pub fn without(&self, other: &RowSet, rows: usize) -> RowSet {
        match (self, other) {
            (RowSet::None, _) | (_, RowSet::All) => RowSet::None,
            (x, RowSet::None) => x.clone(),
            (RowSet::Bits(_), RowSet::Bits(b)) => self.combine(b, rows, |x, y| x & !y),
            (RowSet::All, RowSet::Bits(b)) => {
                let mut words: Vec<u64> = b.iter().map(|word| !word).collect();
                if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(64)) {
                    *last &= (1 << (rows % 64)) - 1;
                }
                RowSet::from_words(words, rows)
            }
        }
    }

    /// The first `count` rows of the set, and those behind them; `rows` is the batch's length.
    pub fn split_first(&self, count: usize, rows: usize) -> (RowSet, RowSet) {
        let end = match self {
            RowSet::All => Some(count).filter(|end| *end < rows),
            _ => self.iter(rows).nth(count),
        };
        match end {
            None => (self.clone(), RowSet::None),
            Some(end) => {
                let first = self.below(end, rows);
                let rest = self.without(&first, rows);
                (first, rest)
            }
        }
    }

    /// Those of the set's rows that come before `end`.
    fn below(&self, end: usize, rows: usize) -> RowSet {
        let mut words = match self {
            RowSet::None => return RowSet::None,
            RowSet::All => vec![u64::MAX; rows.div_ceil(64)],
            RowSet::Bits(words) => words.to_vec(),
        };
        for (at, word) in words.iter_mut().enumerate() {
            match end.saturating_sub(at * 64) {
                0 => *word = 0,
                bits @ 1..64 => *word &= (1 << bits) - 1,
                _ => {}
            }
        }
        RowSet::from_words(words, rows)
    }

    /// Whether row `row` is in the set.
    #[inline]
    pub fn contains(&self, row: usize) -> bool {
        match self {
            RowSet::None => false,
            RowSet::All => true,
            RowSet::Bits(words) => words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1),
        }
    }

    /// How many of a batch's `rows` rows are in the set.
    pub fn count(&self, rows: usize) -> usize {
        match self {
            RowSet::None => 0,
            RowSet::All => rows,
            RowSet::Bits(words) => words.iter().map(|w| w.count_ones() as usize).sum(),
        }
    }

    /// Whether no row is in the set.
    pub fn is_none(&self) -> bool {
        matches!(self, RowSet::None)
    }

    /// The rows in the set, in order; `rows` is the batch's length.
    #[inline]
    pub fn iter(&self, rows: usize) -> RowIter<'_> {
        let (words, end): (&[u64], usize) = match self {
            RowSet::None => (&[], 0),
            RowSet::All => (&[], rows),
            RowSet::Bits(words) => (words, 0),
        };
        RowIter { words, word: words.first().copied().unwrap_or(0), base: 0, next: 0, end }
    }
}

/// Iterator over the rows of a [`RowSet`].
pub struct RowIter<'a> {
    words: &'a [u64],
    word: u64,
    base: usize,
    next: usize,
    end: usize,
}

impl Iterator for RowIter<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.words.is_empty() {
            let row = self.next;
            self.next += 1;
            return (row < self.end).then_some(row);
        }
        while self.word == 0 {
            self.base += 1;
            self.word = *self.words.get(self.base)?;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.base * 64 + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sets_behave_like_sets(a in proptest::collection::vec(any::<bool>(), 1..200), seed in any::<u64>()) {
            let rows = a.len();
            let b: Vec<bool> = (0..rows).map(|i| seed >> (i % 64) & 1 == 1).collect();
            let (x, y) = (RowSet::from_fn(rows, |i| a[i]), RowSet::from_fn(rows, |i| b[i]));
            let both: Vec<usize> = (0..rows).filter(|&i| a[i] && b[i]).collect();
            let either: Vec<usize> = (0..rows).filter(|&i| a[i] || b[i]).collect();
            prop_assert_eq!(x.and(&y, rows).iter(rows).collect::<Vec<_>>(), both.clone());
            prop_assert_eq!(x.or(&y, rows).iter(rows).collect::<Vec<_>>(), either);
            prop_assert_eq!(x.and(&y, rows).count(rows), both.len());
            for (set, member) in [(&x, &a), (&RowSet::All, &vec![true; rows])] {
                let only: Vec<usize> = (0..rows).filter(|&i| member[i] && !b[i]).collect();
                prop_assert_eq!(set.without(&y, rows).iter(rows).collect::<Vec<_>>(), only);
            }
            prop_assert!((0..rows).all(|i| x.contains(i) == a[i]));
            let count = seed as usize % (rows + 2);
            let (first, rest) = x.split_first(count, rows);
            let all: Vec<usize> = x.iter(rows).collect();
            prop_assert_eq!(first.iter(rows).collect::<Vec<_>>(), &all[..count.min(all.len())]);
            prop_assert_eq!(rest.iter(rows).collect::<Vec<_>>(), &all[count.min(all.len())..]);
        }
    }
}
