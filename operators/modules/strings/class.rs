//! Character classes of patterns: `%a` and its kin, and sets in brackets.

/// A class of bytes.
#[derive(Clone, Copy)]
pub struct Class {
    /// Its bit in [`TABLE`].
    mask: u16,
    negated: bool,
}

/// The classes' letters, in the order of their bits.
const LETTERS: &[u8; 10] = b"acdlpsuwxz";

/// For each byte, the classes it belongs to.
const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let byte = n as u8;
        let inside = [
            byte.is_ascii_alphabetic(),
            byte.is_ascii_control(),
            byte.is_ascii_digit(),
            byte.is_ascii_lowercase(),
            byte.is_ascii_punctuation(),
            // C's white space has the vertical tab, Rust's has not.
            matches!(byte, b' ' | b'\t'..=b'\r'),
            byte.is_ascii_uppercase(),
            byte.is_ascii_alphanumeric(),
            byte.is_ascii_hexdigit(),
            byte == 0,
        ];
        let mut bit = 0;
        while bit < inside.len() {
            table[n] |= (inside[bit] as u16) << bit;
            bit += 1;
        }
        n += 1;
    }
    table
};

/// What `%letter` stands for, for each letter: its bit in the table, and 0 when it stands for itself.
const MASKS: [u16; 256] = {
    let mut masks = [0; 256];
    let mut bit = 0;
    while bit < LETTERS.len() {
        masks[LETTERS[bit] as usize] = 1 << bit;
        masks[LETTERS[bit].to_ascii_uppercase() as usize] = 1 << bit;
        bit += 1;
    }
    masks
};

impl Class {
    /// The class `%letter`, when the letter names one.
    #[inline]
    pub fn of(letter: u8) -> Option<Class> {
        let mask = MASKS[usize::from(letter)];
        (mask != 0).then_some(Class { mask, negated: letter.is_ascii_uppercase() })
    }

    #[inline]
    pub fn contains(self, byte: u8) -> bool {
        (TABLE[usize::from(byte)] & self.mask != 0) != self.negated
    }
}

/// Whether `%letter` matches a byte; a letter that names no class stands for itself.
#[inline]
pub fn escaped(byte: u8, letter: u8) -> bool {
    Class::of(letter).map_or(byte == letter, |class| class.contains(byte))
}

/// Whether a byte belongs to the set whose text, brackets included, is `set`.
pub fn set(byte: u8, set: &[u8]) -> bool {
    let mut inside = &set[1..set.len() - 1];
    let negated = inside.first() == Some(&b'^');
    if negated {
        inside = &inside[1..];
    }
    loop {
        let (found, rest) = match inside {
            [] => return negated,
            [b'%', letter, rest @ ..] => (escaped(byte, *letter), rest),
            [low, b'-', high, rest @ ..] => ((*low..=*high).contains(&byte), rest),
            [one, rest @ ..] => (*one == byte, rest),
        };
        if found {
            return !negated;
        }
        inside = rest;
    }
}
