//! Sets of bytes: 256 bits.

use std::ops::{BitAnd, BitOr, Not, Sub};

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Set(pub [u64; 4]);

impl Set {
    pub const EMPTY: Set = Set([0; 4]);
    pub const FULL: Set = Set([u64::MAX; 4]);

    /// The set of one byte.
    pub fn of(byte: u8) -> Set {
        let mut set = Set::EMPTY;
        set.insert(byte);
        set
    }

    /// The bytes for which `test` is true.
    pub fn matching(test: impl Fn(u8) -> bool) -> Set {
        let mut set = Set::EMPTY;
        (0..=u8::MAX).filter(|&byte| test(byte)).for_each(|byte| set.insert(byte));
        set
    }

    pub fn insert(&mut self, byte: u8) {
        // A byte shifted by six bits is below four.
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    #[inline(always)]
    pub fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub fn is_empty(&self) -> bool {
        *self == Set::EMPTY
    }

    pub fn is_subset(&self, other: &Set) -> bool {
        (*self - *other).is_empty()
    }

    /// Its bytes in ascending order.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let (at, word) = (0_u8..).zip(&mut left).find(|(_, word)| **word != 0)?;
            let bit = word.trailing_zeros() as u8;
            *word &= *word - 1;
            Some(at << 6 | bit)
        })
    }
}

impl BitOr for Set {
    type Output = Set;
    fn bitor(self, other: Set) -> Set {
        Set(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }
}

impl BitAnd for Set {
    type Output = Set;
    fn bitand(self, other: Set) -> Set {
        Set(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }
}

impl Sub for Set {
    type Output = Set;
    fn sub(self, other: Set) -> Set {
        self & !other
    }
}

impl Not for Set {
    type Output = Set;
    fn not(self) -> Set {
        Set(self.0.map(|word| !word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_its_bytes() {
        let vowels = Set::matching(|byte| b"aeiou".contains(&byte));
        assert_eq!(vowels.bytes().collect::<Vec<_>>(), b"aeiou");
        assert_eq!((vowels.len(), (!vowels).len()), (5, 251));
        assert!(Set::of(b'e').is_subset(&vowels) && !vowels.is_subset(&Set::of(b'e')));
        assert_eq!((vowels - Set::of(b'a')) | Set::of(b'a'), vowels);
        assert!(Set::of(0).has(0) && Set::of(255).has(255) && (vowels & !vowels).is_empty());
    }
}
