//! How values read as text: numbers, identities and bytes, in the spellings that existing consumers expect.

use crate::{FieldValue, Uuid};
use std::io::Write;

/// Appends a double in its shortest form that reads back the same: plain between 1e-4 and 1e6, with an
/// exponent of at least two digits elsewhere (`0.125`, `123456`, `1e+06`, `1.5e-07`, `NaN`, `+Inf`).
pub fn format_g(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        out.extend_from_slice(match value {
            v if v.is_nan() => b"NaN",
            v if v > 0.0 => b"+Inf",
            _ => b"-Inf",
        });
        return;
    }
    let start = out.len();
    // Writing to a vector does not fail.
    let _ = write!(out, "{value:e}");
    let Some(mark) = out[start..].iter().position(|&b| b == b'e').map(|at| start + at) else { return };
    let exponent =
        out[mark + 1..].iter().filter(|b| b.is_ascii_digit()).fold(0i32, |e, b| e * 10 + i32::from(b - b'0'));
    let negative = out.get(mark + 1) == Some(&b'-');
    if if negative { exponent <= 4 } else { exponent <= 5 } {
        out.truncate(start);
        let _ = write!(out, "{value}");
    } else {
        out.truncate(mark);
        let _ = write!(out, "e{}{exponent:02}", if negative { '-' } else { '+' });
    }
}

/// Appends a field's value as plain text: strings and bytes as they are, doubles as [`format_g`] has them.
pub fn write_value(value: FieldValue<'_>, out: &mut Vec<u8>) {
    match value {
        FieldValue::String(text) | FieldValue::Bytes(text) => out.extend_from_slice(text),
        // Writing to a vector does not fail.
        FieldValue::Integer(i) => drop(write!(out, "{i}")),
        FieldValue::Double(d) => format_g(d, out),
        FieldValue::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
    }
}

/// Appends an identity as lower-case `8-4-4-4-12`.
pub fn write_uuid(uuid: &Uuid, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        // A nibble is below sixteen.
        out.extend_from_slice(&[HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
    }
}

/// Reads an identity: sixteen raw bytes, or the text form in either case, with or without `urn:uuid:`.
pub fn parse_uuid(text: &[u8]) -> Option<Uuid> {
    if let Ok(uuid) = text.try_into() {
        return Some(uuid);
    }
    let text = text.strip_prefix(b"urn:uuid:").unwrap_or(text);
    if text.len() != 36 || [8, 13, 18, 23].iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut nibbles = text.iter().filter(|&&b| b != b'-').map(|&b| (b as char).to_digit(16));
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        *byte = (nibbles.next()?? << 4 | nibbles.next()??) as u8;
    }
    // A dash out of place leaves a digit over, or takes one away.
    nibbles.next().is_none().then_some(uuid)
}

/// Appends bytes in base64 with padding.
pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            // Six bits are below sixty-four.
            let digit = ALPHABET[(word >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= group.len() { digit } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"x".to_vec();
        write(&mut out);
        String::from_utf8(out.split_off(1)).unwrap()
    }

    #[test]
    fn doubles_are_shortest() {
        let cases = [
            (0.125, "0.125"),
            (2.0, "2"),
            (0.0, "0"),
            (-0.0, "-0"),
            (123456.0, "123456"),
            (123456.75, "123456.75"),
            (1e6, "1e+06"),
            (999999.0, "999999"),
            (1234567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.000015, "-1.5e-05"),
            (1e21, "1e+21"),
            (1e100, "1e+100"),
            (139847987987987.878732819, "1.3984798798798788e+14"),
            (345.6789, "345.6789"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(written(|out| format_g(value, out)), text);
        }
    }

    #[test]
    fn values_read_as_text() {
        let cases = [
            (FieldValue::String(b"a\"b"), "a\"b"),
            (FieldValue::Bytes(b"hi"), "hi"),
            (FieldValue::Integer(-5), "-5"),
            (FieldValue::Double(1e6), "1e+06"),
            (FieldValue::Bool(true), "true"),
        ];
        for (value, text) in cases {
            assert_eq!(written(|out| write_value(value, out)), text);
        }
    }

    #[test]
    fn identities_have_a_text_form() {
        let uuid = std::array::from_fn(|i| (i * 17) as u8);
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(written(|out| write_uuid(&uuid, out)), text);
        for text in [text, "00112233-4455-6677-8899-AABBCCDDEEFF", "urn:uuid:00112233-4455-6677-8899-aabbccddeeff"] {
            assert_eq!(parse_uuid(text.as_bytes()), Some(uuid));
        }
        assert_eq!(parse_uuid(b"sixteen bytes ok"), Some(*b"sixteen bytes ok"));
        let wrong = [
            "",
            "00112233445566778899aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeefg",
            "0011223--4455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeef",
        ];
        for text in wrong {
            assert_eq!(parse_uuid(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [("", ""), ("h", "aA=="), ("hi", "aGk="), ("yo!", "eW8h"), ("\u{ff}\u{fe}", "w7/Dvg==")] {
            assert_eq!(written(|out| write_base64(bytes.as_bytes(), out)), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn doubles_read_back(value: f64) {
            let text = written(|out| format_g(value, out));
            proptest::prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
        }

        #[test]
        fn identities_read_back(uuid: [u8; 16]) {
            let text = written(|out| write_uuid(&uuid, out));
            proptest::prop_assert_eq!(parse_uuid(text.as_bytes()), Some(uuid));
        }
    }
}
