//! Text to number as Lua's `tonumber` does it, without a string where the text is a plain decimal number.

use heka_lua::{State, ffi, push_bytes};

/// Digits that a double holds exactly.
const EXACT_DIGITS: u32 = 15;

/// Powers of ten up to as many digits.
const POWERS: [f64; EXACT_DIGITS as usize + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The number of a plain decimal text, exactly as `strtod` reads it, or `None` when the text is not that plain.
#[inline]
pub fn plain(text: &[u8]) -> Option<f64> {
    whole(text).or_else(|| decimal(text))
}

/// A number of digits alone, which most are.
#[inline]
fn whole(text: &[u8]) -> Option<f64> {
    if text.is_empty() || text.len() > EXACT_DIGITS as usize {
        return None;
    }
    let mut value = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value as f64)
}

fn decimal(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (mut value, mut count, mut fraction) = (0_u64, 0, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                count += 1;
                if count > EXACT_DIGITS {
                    return None;
                }
            }
            b'.' if fraction.is_none() => fraction = Some(count),
            _ => return None,
        }
    }
    if count == 0 {
        return None;
    }
    let decimals = fraction.map_or(0, |before| count - before);
    // Both are exact, so the quotient is the nearest double.
    let value = value as f64 / POWERS[decimals as usize];
    Some(if negative { -value } else { value })
}

/// Pushes what `tonumber` makes of the text: a number or nil.
///
/// # Safety
/// `state` is live and has room for two values. Raises a Lua error when the memory limit is reached.
pub unsafe fn push(state: State, text: &[u8]) {
    unsafe {
        if let Some(value) = plain(text) {
            return ffi::lua_pushnumber(state, value);
        }
        push_bytes(state, text);
        if ffi::lua_isnumber(state, -1) != 0 {
            ffi::lua_pushnumber(state, ffi::lua_tonumber(state, -1));
        } else {
            ffi::lua_pushnil(state);
        }
        ffi::lua_remove(state, -2);
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn plain_numbers_are_what_the_standard_parser_makes_of_them() {
        for text in
            ["0", "200", "0.1", "-3.25", "-0", "123456789012345", "0.00000000000001", "99999999.9999999", "5.", ".5"]
        {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(plain(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_left_to_lua() {
        for text in ["", "-", ".", "-.", "1e3", " 1", "1 ", "0x10", "+1", "1.2.3", "1234567890123456", "nan", "--1"] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }
}
