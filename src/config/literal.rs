//! Places inside a string literal: a matcher is parsed long after the file, and its caret must still point into
//! the text the user wrote.

use super::source::Sources;
use heka_settings::Place;

/// The place of `offset` bytes into the value of the string literal at `place`, or the whole literal where that
/// cannot be told (a value made from the environment, a default).
pub fn inside(sources: &Sources, place: Place, offset: usize) -> Place {
    let found = sources
        .file(place)
        .and_then(|file| file.text.get(place.start as usize..place.end as usize))
        .filter(|literal| !literal.contains("%ENV["))
        .and_then(|literal| source_offset(literal, offset));
    match found {
        Some((start, len)) => {
            let start = place.start + start as u32;
            Place { file: place.file, start, end: start + len as u32 }
        }
        None => place,
    }
}

/// Where the character at `offset` of a literal's value stands in the literal, and how long it is there.
fn source_offset(literal: &str, offset: usize) -> Option<(usize, usize)> {
    let (open, escapes) = match literal.as_bytes() {
        [b'"', b'"', b'"', ..] if literal.len() >= 6 => (3, true),
        [b'\'', b'\'', b'\'', ..] if literal.len() >= 6 => (3, false),
        [b'"', ..] if literal.len() >= 2 => (1, true),
        [b'\'', ..] if literal.len() >= 2 => (1, false),
        _ => return None,
    };
    let body = literal.get(open..literal.len() - open)?;
    // A newline right behind three quotes is no part of the value.
    let skipped = match body.as_bytes() {
        [b'\r', b'\n', ..] if open == 3 => 2,
        [b'\n', ..] if open == 3 => 1,
        _ => 0,
    };
    let mut at = open + skipped;
    let mut value = 0;
    let end = open + body.len();
    while at < end {
        let rest = &literal[at..end];
        let (source_len, value_len) = if escapes && rest.starts_with('\\') { escape(rest)? } else { plain(rest)? };
        if offset < value + value_len {
            return Some((at, source_len));
        }
        at += source_len;
        value += value_len;
    }
    (offset == value).then_some((end, 1))
}

fn plain(rest: &str) -> Option<(usize, usize)> {
    rest.chars().next().map(|c| (c.len_utf8(), c.len_utf8()))
}

/// Lengths of an escape in the literal and in the value.
fn escape(rest: &str) -> Option<(usize, usize)> {
    let code = |digits: usize| {
        let text = rest.get(2..2 + digits)?;
        let c = char::from_u32(u32::from_str_radix(text, 16).ok()?)?;
        Some((2 + digits, c.len_utf8()))
    };
    match rest.as_bytes().get(1)? {
        b'u' => code(4),
        b'U' => code(8),
        b'x' => code(2),
        // A backslash at the end of a line eats all white space that follows.
        b'\n' | b'\r' | b' ' | b'\t' => Some((1 + rest[1..].len() - rest[1..].trim_start().len(), 0)),
        next if next.is_ascii() => Some((2, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_a_value_lead_into_its_literal() {
        let cases = [
            ("\"abc\"", 1, "b"),
            ("'abc'", 2, "c"),
            ("\"abc\"", 3, "\""),
            ("\"Type == \\\"x\\\"\"", 8, "\\\""),
            ("\"Type == \\\"x\\\"\"", 9, "x"),
            ("\"\\u00e9x\"", 1, "\\u00e9"),
            ("\"\\u00e9x\"", 2, "x"),
            ("\"éx\"", 2, "x"),
            ("\"\"\"\nab\"\"\"", 1, "b"),
            ("\"\"\"\n\nab\"\"\"", 1, "a"),
            ("\"\"\"a\\\n  b\"\"\"", 1, "b"),
            ("'''x\ny'''", 2, "y"),
            ("\"abc\"", 9, "\"abc\""),
            ("\"%ENV[A]b\"", 1, "\"%ENV[A]b\""),
            ("abc", 1, "abc"),
            ("\"", 0, "\""),
        ];
        for (literal, offset, expected) in cases {
            let text = format!("k = {literal}");
            let sources = Sources::from_texts([("a.toml", text.as_str())]);
            let place = inside(&sources, Place { file: 0, start: 4, end: text.len() as u32 }, offset);
            assert_eq!(&text[place.start as usize..place.end as usize], expected, "{literal} {offset}");
        }
        assert_eq!(inside(&Sources::default(), Place::NOWHERE, 3), Place::NOWHERE);
    }
}
