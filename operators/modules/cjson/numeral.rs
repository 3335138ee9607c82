//! The numbers that `strtod` reads, which are more than JSON's: hexadecimal, infinities, NaN.

/// Reads the number at the start of `text`: its value and length, or `None` when there is none.
pub fn read(text: &[u8]) -> Option<(f64, usize)> {
    let (negative, sign) = match text.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let (magnitude, length) = magnitude(text.get(sign..)?)?;
    Some((if negative { -magnitude } else { magnitude }, sign + length))
}

/// Whether the text starts with a number that JSON does not know, or writes otherwise.
pub fn is_lenient(text: &[u8]) -> bool {
    let digits = match text {
        [b'+', ..] => return true,
        [b'-', rest @ ..] => rest,
        rest => rest,
    };
    match digits {
        [b'0', next, ..] => matches!(next, b'x' | b'X' | b'0'..=b'9'),
        digits => starts_with(digits, b"inf") || starts_with(digits, b"nan"),
    }
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn magnitude(text: &[u8]) -> Option<(f64, usize)> {
    match text {
        [b'0'..=b'9' | b'.', ..] => hexadecimal(text).or_else(|| decimal(text)),
        _ if starts_with(text, b"infinity") => Some((f64::INFINITY, 8)),
        _ if starts_with(text, b"inf") => Some((f64::INFINITY, 3)),
        _ if starts_with(text, b"nan") => Some((f64::NAN, 3 + nan_tail(&text[3..]))),
        _ => None,
    }
}

/// C allows `nan(letters)`.
fn nan_tail(text: &[u8]) -> usize {
    let Some(inside) = text.strip_prefix(b"(") else { return 0 };
    let length = inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if inside.get(length) == Some(&b')') { length + 2 } else { 0 }
}

/// Exact powers of ten.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let mut digits: u64 = 0;
    let mut scale: i64 = 0;
    let mut at = 0;
    while let Some(digit) = digit_at(text, at) {
        digits = digits.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    let mut count = at;
    if text.get(at) == Some(&b'.') {
        let point = at;
        at += 1;
        while let Some(digit) = digit_at(text, at) {
            digits = digits.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        let decimals = at - point - 1;
        if count + decimals == 0 {
            return None;
        }
        count += decimals;
        scale = -(decimals as i64);
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let signed = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let mut end = at + 1 + signed;
        let mut exponent: i64 = 0;
        while let Some(digit) = digit_at(text, end) {
            exponent = exponent.saturating_mul(10).saturating_add(digit as i64);
            end += 1;
        }
        if end > at + 1 + signed {
            let negative = text.get(at + 1) == Some(&b'-');
            scale = scale.saturating_add(if negative { -exponent } else { exponent });
            at = end;
        }
    }
    // At most 15 digits and an exact power of ten: one rounding, hence the nearest number.
    if count <= 15 && (-22..=22).contains(&scale) {
        let size = POWERS[scale.unsigned_abs() as usize];
        let value = if scale < 0 { digits as f64 / size } else { digits as f64 * size };
        return Some((value, at));
    }
    // Only digits, a point and an exponent were passed, which is text that Rust reads.
    let value = std::str::from_utf8(&text[..at]).ok()?.parse().ok()?;
    Some((value, at))
}

fn digit_at(text: &[u8], at: usize) -> Option<u64> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit <= 9).then_some(u64::from(digit))
}

/// `0x1f.8p3`; `None` also for `0x` without a digit, which is the decimal number 0.
fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let [b'0', b'x' | b'X', ..] = text else { return None };
    let mut at = 2;
    let mut mantissa: u64 = 0;
    let mut exponent: i64 = 0;
    let mut any = false;
    let mut point = false;
    loop {
        match text.get(at) {
            Some(b'.') if !point => point = true,
            Some(byte) => {
                let Some(digit) = char::from(*byte).to_digit(16) else { break };
                any = true;
                let full = mantissa >> 60 != 0;
                if full {
                    // What does not fit only decides the rounding.
                    mantissa |= u64::from(digit != 0);
                } else {
                    mantissa = mantissa << 4 | u64::from(digit);
                }
                exponent += i64::from(full && !point) * 4 - i64::from(point && !full) * 4;
            }
            None => break,
        }
        at += 1;
    }
    if !any {
        return None;
    }
    if let Some(b'p' | b'P') = text.get(at) {
        let signed = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let mut end = at + 1 + signed;
        let mut power: i64 = 0;
        while let Some(digit) = digit_at(text, end) {
            power = power.saturating_mul(10).saturating_add(digit as i64);
            end += 1;
        }
        if end > at + 1 + signed {
            let negative = text.get(at + 1) == Some(&b'-');
            exponent = exponent.saturating_add(if negative { -power } else { power });
            at = end;
        }
    }
    Some((scale_by_two(mantissa as f64, exponent), at))
}

fn scale_by_two(mut value: f64, exponent: i64) -> f64 {
    // Steps of 512 stay exact until the last; beyond 2200 everything is zero or infinite.
    let mut left = exponent.clamp(-2200, 2200) as i32;
    while left != 0 && value != 0.0 {
        let step = left.clamp(-512, 512);
        value *= 2f64.powi(step);
        left -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_strtod_reads() {
        for (text, value, length) in [
            ("0", 0.0, 1),
            ("-0.5e1x", -5.0, 6),
            ("1.", 1.0, 2),
            ("-.5", -0.5, 3),
            ("1e", 1.0, 1),
            ("1e+", 1.0, 1),
            ("1e400", f64::INFINITY, 5),
            ("1e-400", 0.0, 6),
            ("123456789012345678901234567890", 123456789012345678901234567890.0, 30),
            ("0.1", 0.1, 3),
            ("1e99999999999999999999", f64::INFINITY, 22),
            ("9007199254740993", 9007199254740992.0, 16),
            ("0x", 0.0, 1),
            ("0x10", 16.0, 4),
            ("0x1.8p3", 12.0, 7),
            ("0x.8", 0.5, 4),
            ("0x10p", 16.0, 4),
            ("0xfffffffffffffffffff", 75557863725914323419135.0, 21),
            ("-Infinity", f64::NEG_INFINITY, 9),
            ("infinit", f64::INFINITY, 3),
            ("+1", 1.0, 2),
        ] {
            assert_eq!(read(text.as_bytes()), Some((value, length)), "{text}");
        }
        for (text, length) in [("nan", 3), ("NaN(a_1)x", 8), ("nan(", 3)] {
            let (value, found) = read(text.as_bytes()).expect("a number");
            assert!(value.is_nan() && found == length, "{text}");
        }
        for text in ["", "-", ".", "-.", "- 1", "x", "--1", "in"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
