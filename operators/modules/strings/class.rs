//! Character classes of patterns: `%a` and its kin, and sets in brackets.

/// Whether a byte belongs to the class `%letter`; any other byte stands for itself.
pub fn class(byte: u8, letter: u8) -> bool {
    let inside = match letter.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        // C's white space has the vertical tab, Rust's has not.
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == letter,
    };
    inside != letter.is_ascii_uppercase()
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
            [b'%', letter, rest @ ..] => (class(byte, *letter), rest),
            [low, b'-', high, rest @ ..] => ((*low..=*high).contains(&byte), rest),
            [one, rest @ ..] => (*one == byte, rest),
        };
        if found {
            return !negated;
        }
        inside = rest;
    }
}
