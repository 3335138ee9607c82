//! How numbers read as text.

use std::ffi::CStr;
use std::io::Write;

/// Appends a number as the output functions show it: at most eight decimals, no exponent below 2^31, seventeen
/// significant digits from there on.
pub(crate) fn write_number(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value.abs() > 2_147_483_647.0 {
        write_format(c"%0.17g", value, out);
    } else {
        let magnitude = value.abs();
        let mut whole = magnitude.trunc() as u64;
        let scaled = (magnitude - magnitude.trunc()) * 1e8;
        let mut fraction = scaled as u64;
        let rest = scaled - scaled.trunc();
        if rest > 0.5 || (rest == 0.5 && (fraction == 0 || fraction % 2 == 1)) {
            fraction += 1;
        }
        if fraction == 100_000_000 {
            (whole, fraction) = (whole + 1, 0);
        }
        if value < 0.0 && (whole, fraction) != (0, 0) {
            out.push(b'-');
        }
        // Writing to a vector does not fail.
        let _ = write!(out, "{whole}");
        if fraction > 0 {
            let _ = write!(out, ".{fraction:08}");
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
    }
}

/// Appends a number as Lua's `tostring` does.
pub(crate) fn write_lua_number(value: f64, out: &mut Vec<u8>) {
    write_format(c"%.14g", value, out);
}

/// Appends a number so that Lua reads the same number back.
pub(crate) fn write_exact(value: f64, out: &mut Vec<u8>) {
    let _ = match value {
        v if v.is_nan() => write!(out, "0/0"),
        v if v == f64::INFINITY => write!(out, "1/0"),
        v if v == f64::NEG_INFINITY => write!(out, "-1/0"),
        v if v.trunc() == v && v.abs() < 1e15 => write!(out, "{v}"),
        v => write!(out, "{v:?}"),
    };
}

/// Appends a number by a format of C for one double, of which the result is short.
fn write_format(format: &CStr, value: f64, out: &mut Vec<u8>) {
    let mut text = [0u8; 40];
    // SAFETY: the buffer's length is given, and the formats used take one double.
    let length = unsafe { libc::snprintf(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), value) };
    let length = usize::try_from(length).unwrap_or(0).min(text.len() - 1);
    out.extend_from_slice(&text[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: fn(f64, &mut Vec<u8>), value: f64) -> String {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_shown_as_documented() {
        let cases = [
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (3e9, "3000000000"),
            (1e15, "1000000000000000"),
            (1e17, "1e+17"),
            (1.399475544e18, "1.399475544e+18"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.123456785, "0.12345678"),
            (0.123456789, "0.12345679"),
            (5e-9, "0.00000001"),
            (4e-9, "0"),
            (-2.5, "-2.5"),
            (-1e-9, "0"),
            (-0.0, "0"),
            (0.999999995, "1"),
            (-3e9, "-3000000000"),
            (2147483647.0, "2147483647"),
            (1200.25, "1200.25"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(write_number, value), expected, "{value:?}");
        }
    }

    #[test]
    fn lua_shows_fourteen_digits() {
        for (value, expected) in [(1.0, "1"), (0.1, "0.1"), (1e15, "1e+15"), (1e14, "1e+14"), (-1.5, "-1.5")] {
            assert_eq!(text(write_lua_number, value), expected);
        }
    }

    #[test]
    fn exact_numbers_read_back() {
        for value in [0.1, 1e300, -1e-7, 1.399475544e18, 5.0, -0.5, f64::MAX, f64::MIN_POSITIVE, 9007199254740993.0] {
            assert_eq!(text(write_exact, value).parse(), Ok(value));
        }
        assert_eq!(text(write_exact, 5.0), "5");
    }
}
