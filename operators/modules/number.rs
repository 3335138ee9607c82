//! Numbers as text: the host's rule for output, C's `%g`, and the shortest text that reads back as the same number.

use std::io::Write;

/// The text of one number, on the stack.
#[derive(Clone, Copy)]
pub struct NumberText {
    // Long enough for `-1.2345678901234567e-308` and for every text below; `push` checks all the same.
    bytes: [u8; 40],
    length: usize,
}

impl NumberText {
    fn new() -> NumberText {
        NumberText { bytes: [0; 40], length: 0 }
    }

    fn of(text: &[u8]) -> NumberText {
        let mut number = NumberText::new();
        number.extend(text);
        number
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    fn zeros(&mut self, count: usize) {
        for _ in 0..count {
            self.push(b'0');
        }
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Writes `value` by the host's rule: integers as they are, up to eight decimals, `%.17g` for what exceeds 32 bits.
///
/// ```
/// let mut out = Vec::new();
/// heka_modules::write_number(-2.50, &mut out);
/// assert_eq!(out, b"-2.5");
/// ```
pub fn write_number(value: f64, out: &mut Vec<u8>) {
    const LARGEST: f64 = i32::MAX as f64;
    const SMALLEST: f64 = i32::MIN as f64;
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return;
    }
    if !(SMALLEST..=LARGEST).contains(&value) {
        out.extend_from_slice(general(value, 17).as_bytes());
        return;
    }
    let magnitude = value.abs();
    let mut whole = magnitude as u64;
    let mut fraction = 0;
    if whole as f64 != magnitude {
        let scaled = (magnitude - whole as f64) * 1e8;
        fraction = scaled as u64;
        let rest = scaled - fraction as f64;
        // Halves go up from zero and from odd decimals.
        if rest > 0.5 || (rest == 0.5 && (fraction == 0 || fraction % 2 == 1)) {
            fraction += 1;
        }
        if fraction == 100_000_000 {
            whole += 1;
            fraction = 0;
        }
    }
    if value < 0.0 && (whole, fraction) != (0, 0) {
        out.push(b'-');
    }
    write_integer(whole, out);
    if fraction != 0 {
        let mut digits = *b".00000000";
        for place in digits[1..].iter_mut().rev() {
            *place = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(&digits[..end]);
    }
}

/// Writes the shortest text that `strtod` reads back as `value`; `nan`, `inf` and `-inf` for the others.
pub fn write_round_trip(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(round_trip(value).as_bytes());
}

/// As [`write_round_trip`], in the syntax of a Lua expression: `0/0`, `1/0` and `-1/0` for the others.
pub fn write_lua_number(value: f64, out: &mut Vec<u8>) {
    let text: &[u8] = match value {
        value if value.is_nan() => b"0/0",
        f64::INFINITY => b"1/0",
        f64::NEG_INFINITY => b"-1/0",
        value => return write_round_trip(value, out),
    };
    out.extend_from_slice(text);
}

/// Writes an integer in decimal.
pub fn write_integer(mut value: u64, out: &mut Vec<u8>) {
    if value < 10 {
        out.push(b'0' + value as u8);
        return;
    }
    let mut digits = [0; 20];
    let mut start = digits.len();
    while value > 0 {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits[start..]);
}

/// C's `%.{precision}g`, for precisions from 1 to 17.
pub fn general(value: f64, precision: usize) -> NumberText {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let precision = precision.clamp(1, 17);
    let magnitude = value.abs();
    if magnitude < POWERS[precision.min(15)] && magnitude.trunc() == magnitude {
        return small_integer(value.is_sign_negative(), magnitude as u64);
    }
    if let Some(text) = not_finite(value) {
        return text;
    }
    // The exact decimal expansion, rounded half to even: what C prints.
    let mut scientific = NumberText::new();
    let room = &mut scientific.bytes[..];
    let total = room.len();
    let mut cursor = room;
    // The longest text is 24 bytes.
    let _ = write!(cursor, "{:.*e}", precision - 1, value);
    scientific.length = total - cursor.len();
    lay_out(scientific.as_bytes(), precision as i32)
}

/// The shortest digits that read back, laid out as `%.17g` would.
fn round_trip(value: f64) -> NumberText {
    if let Some(text) = not_finite(value) {
        return text;
    }
    let mut scientific = NumberText::new();
    let room = &mut scientific.bytes[..];
    let total = room.len();
    let mut cursor = room;
    let _ = write!(cursor, "{value:e}");
    scientific.length = total - cursor.len();
    lay_out(scientific.as_bytes(), 17)
}

fn not_finite(value: f64) -> Option<NumberText> {
    match value {
        value if value.is_finite() => None,
        f64::INFINITY => Some(NumberText::of(b"inf")),
        f64::NEG_INFINITY => Some(NumberText::of(b"-inf")),
        _ => Some(NumberText::of(b"nan")),
    }
}

fn small_integer(negative: bool, mut magnitude: u64) -> NumberText {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (magnitude % 10) as u8;
        magnitude /= 10;
        if magnitude == 0 {
            break;
        }
    }
    let mut text = NumberText::new();
    if negative {
        text.push(b'-');
    }
    text.extend(&digits[start..]);
    text
}

/// From `-d.ddde-x` to what `%g` prints: no trailing zeros, and an exponent only when it is below -4 or not below
/// `precision`.
fn lay_out(scientific: &[u8], precision: i32) -> NumberText {
    let mut text = NumberText::new();
    let (mantissa, exponent) = match scientific.iter().position(|byte| *byte == b'e') {
        Some(e) => (&scientific[..e], parse_exponent(&scientific[e + 1..])),
        None => (scientific, 0),
    };
    let mut digits = NumberText::new();
    for byte in mantissa {
        match byte {
            b'-' => text.push(b'-'),
            b'.' => {}
            digit => digits.push(*digit),
        }
    }
    while digits.length > 1 && digits.bytes[digits.length - 1] == b'0' {
        digits.length -= 1;
    }
    let digits = digits.as_bytes();
    if exponent < -4 || exponent >= precision {
        text.extend(&digits[..1]);
        if digits.len() > 1 {
            text.push(b'.');
            text.extend(&digits[1..]);
        }
        text.push(b'e');
        text.push(if exponent < 0 { b'-' } else { b'+' });
        let size = exponent.unsigned_abs();
        if size < 10 {
            text.push(b'0');
        }
        text.extend(small_integer(false, u64::from(size)).as_bytes());
    } else if exponent < 0 {
        text.extend(b"0.");
        text.zeros((-exponent - 1) as usize);
        text.extend(digits);
    } else {
        let whole = exponent as usize + 1;
        text.extend(&digits[..whole.min(digits.len())]);
        text.zeros(whole.saturating_sub(digits.len()));
        if digits.len() > whole {
            text.push(b'.');
            text.extend(&digits[whole..]);
        }
    }
    text
}

fn parse_exponent(text: &[u8]) -> i32 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let size = digits.iter().fold(0, |size, digit| size * 10 + i32::from(digit - b'0'));
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: fn(f64, &mut Vec<u8>), value: f64) -> String {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_host_writes_up_to_eight_decimals_or_seventeen_digits() {
        for (value, text) in [
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.123456785, "0.12345678"),
            (0.123456789, "0.12345679"),
            (5e-9, "0.00000001"),
            (4e-9, "0"),
            (-2.5, "-2.5"),
            (1.10, "1.1"),
            (100.0, "100"),
            (2147483647.0, "2147483647"),
            (3e9, "3000000000"),
            (1e15, "1000000000000000"),
            (1e17, "1e+17"),
            (1.399475544e18, "1.399475544e+18"),
            (2147483647.5, "2147483647.5"),
            // What the first routine printed as `-0`, `0.` and garbage.
            (-0.0, "0"),
            (-1e-9, "0"),
            (0.999999995, "1"),
            (-0.999999999, "-1"),
            (7.999999999, "8"),
            (-2147483648.0, "-2147483648"),
            (-3e9, "-3000000000"),
            (-1e300, "-1.0000000000000001e+300"),
        ] {
            assert_eq!(written(write_number, value), text, "{value:e}");
        }
    }

    #[test]
    fn general_is_what_c_prints() {
        for (value, precision, text) in [
            (123456789012345678.0, 14, "1.2345678901235e+17"),
            (-0.0, 14, "-0"),
            (0.1, 17, "0.10000000000000001"),
            (0.1, 14, "0.1"),
            (1e-5, 14, "1e-05"),
            (1.5e-4, 14, "0.00015"),
            (100000000000005.0, 14, "1e+14"),
            (100000000000015.0, 14, "1.0000000000002e+14"),
            (99999999999999.0, 14, "99999999999999"),
            (2.5, 1, "2"),
            (3.5, 1, "4"),
            (9.5, 1, "1e+01"),
            (5e-324, 17, "4.9406564584124654e-324"),
            (f64::MAX, 17, "1.7976931348623157e+308"),
        ] {
            assert_eq!(general(value, precision).as_bytes(), text.as_bytes(), "{value:e} {precision}");
        }
    }

    #[test]
    fn lua_reads_what_is_written_for_it() {
        for (value, text) in [(f64::NAN, "0/0"), (f64::INFINITY, "1/0"), (f64::NEG_INFINITY, "-1/0"), (0.1, "0.1")] {
            assert_eq!(written(write_lua_number, value), text);
        }
        assert_eq!(written(write_round_trip, 1e21), "1e+21");
        assert_eq!(written(write_round_trip, -1234.5), "-1234.5");
        assert_eq!(written(write_round_trip, f64::NAN), "nan");
    }

    proptest! {
        #[test]
        fn round_trip_texts_read_back(bits: u64) {
            let value = f64::from_bits(bits);
            let text = written(write_round_trip, value);
            if !value.is_nan() {
                prop_assert_eq!(text.parse::<f64>().expect("a number").to_bits(), bits);
            }
        }

        #[test]
        fn host_numbers_are_within_half_a_decimal(value in -2.2e9..2.2e9_f64) {
            let read: f64 = written(write_number, value).parse().expect("a number");
            prop_assert!((read - value).abs() <= 0.51e-8 + value.abs() * f64::EPSILON);
        }
    }
}
