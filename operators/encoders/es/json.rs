//! JSON's strings and numbers, in the spelling that existing consumers of the encoders expect.

use heka_message::{format_g, write_base64};
use serde::de::IgnoredAny;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Appends `text` in quotes. Control characters, quotes and backslashes become `\u` and four digits; every byte that
/// is no UTF-8 becomes U+FFFD.
pub(super) fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    match std::str::from_utf8(text) {
        Ok(text) => escape(text, out),
        Err(_) => {
            for chunk in text.utf8_chunks() {
                escape(chunk.valid(), out);
                chunk.invalid().iter().for_each(|_| out.extend_from_slice("\u{fffd}".as_bytes()));
            }
        }
    }
    out.push(b'"');
}

/// Appends bytes in base64, in quotes.
pub(super) fn quote_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_base64(bytes, out);
    out.push(b'"');
}

/// Appends a double; JSON has no word for those that are no numbers.
pub(super) fn number(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() { format_g(value, out) } else { out.extend_from_slice(b"null") }
}

/// Appends what is JSON already, on one line. What is not becomes a string: it would spoil the documents around it.
pub(super) fn verbatim(text: &[u8], out: &mut Vec<u8>) {
    if serde_json::from_slice::<IgnoredAny>(text).is_err() || std::str::from_utf8(text).is_err() {
        return quote(text, out);
    }
    let start = out.len();
    out.extend_from_slice(text);
    // Line ends inside JSON are white space between its tokens.
    out[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
}

fn escape(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (clean, special) = rest.split_at(clean_len(rest));
        out.extend_from_slice(clean);
        let Some((byte, behind)) = special.split_first() else { break };
        // A nibble is below sixteen.
        out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
        rest = behind;
    }
}

/// How many bytes come before the first that must be escaped. Looks at eight at a time: borrows between the bytes of
/// a word can only mark bytes behind one that is marked rightly.
fn clean_len(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| {
            let difference = word ^ (ONES * u64::from(byte));
            difference.wrapping_sub(ONES) & !difference
        };
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marked = (control | equal(b'"') | equal(b'\\')) & HIGH;
        if marked != 0 {
            return at * 8 + (marked.trailing_zeros() / 8) as usize;
        }
    }
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    bytes.len() - tail.len() + tail.iter().position(special).unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_are_escaped_the_old_way() {
        let cases: [(&[u8], &str); 8] = [
            (b"", r#""""#),
            (b"a \"b\"\n\t\\c \xc3\xa9/", r#""a \u0022b\u0022\u000a\u0009\u005cc é/""#),
            (b"\x00\x1f\x20\x7f", "\"\\u0000\\u001f \u{7f}\""),
            (b"\xc3\xa9\xff", "\"é\u{fffd}\""),
            (b"\xe2\x82", "\"\u{fffd}\u{fffd}\""),
            (b"\xed\xa0\x80!", "\"\u{fffd}\u{fffd}\u{fffd}!\""),
            (b"0123456\"89", r#""0123456\u002289""#),
            (b"01234567\"", r#""01234567\u0022""#),
        ];
        for (text, expected) in cases {
            assert_eq!(written(|out| quote(text, out)), expected);
        }
    }

    #[test]
    fn numbers_that_are_none_are_null() {
        for (value, text) in [(1e6, "1e+06"), (-0.5, "-0.5"), (f64::NAN, "null"), (f64::NEG_INFINITY, "null")] {
            assert_eq!(written(|out| number(value, out)), text);
        }
    }

    #[test]
    fn only_json_is_taken_as_it_is() {
        let cases: [(&[u8], &str); 5] = [
            (br#"{"a":1}"#, r#"{"a":1}"#),
            (b"[1,\r\n 2]", "[1,   2]"),
            (b"{oops", r#""{oops""#),
            (b"1 2", r#""1 2""#),
            (b"\"\xff\"", "\"\\u0022\u{fffd}\\u0022\""),
        ];
        for (text, expected) in cases {
            assert_eq!(written(|out| verbatim(text, out)), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn strings_read_back(text: String) {
            let quoted = written(|out| quote(text.as_bytes(), out));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn any_bytes_give_one_line_of_json(bytes in proptest::collection::vec(0u8.., 0..64)) {
            for write in [quote, verbatim, quote_base64] {
                let text = written(|out| write(&bytes, out));
                proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
                proptest::prop_assert!(!text.contains(['\n', '\r']));
            }
        }
    }
}
