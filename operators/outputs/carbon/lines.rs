//! What Graphite's plain text protocol takes: `name value time` a line.

/// Why a line is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It has not three columns.
    Columns,
    /// Its time is no unsigned number of 32 bits.
    Time,
    /// Its value is no number.
    Value,
}

/// The lines of a payload without the white space around it; an empty payload has one, which is malformed.
pub(super) fn lines(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let outside = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
    let start = payload.iter().position(|byte| !outside(byte)).unwrap_or(payload.len());
    let end = payload.iter().rposition(|byte| !outside(byte)).map_or(start, |last| last + 1);
    let mut rest = payload.get(start..end);
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, behind) = match memchr::memchr(b'\n', text) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = behind;
        Some(line)
    })
}

/// Whether a line is one that Graphite takes.
pub(super) fn check(line: &[u8]) -> Result<(), Fault> {
    let mut words = Words(line);
    let (Some(_name), Some(value), Some(time), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(Fault::Columns);
    };
    if !is_time(time) {
        return Err(Fault::Time);
    }
    if is_decimal(value) || number(value).is_some() { Ok(()) } else { Err(Fault::Value) }
}

/// The column that a fault is about.
pub(super) fn column(line: &[u8], fault: Fault) -> &[u8] {
    match fault {
        Fault::Columns => line,
        Fault::Value => Words(line).nth(1).unwrap_or_default(),
        Fault::Time => Words(line).nth(2).unwrap_or_default(),
    }
}

/// The columns of a line.
struct Words<'a>(&'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c);
        let start = self.0.iter().position(|byte| !space(byte))?;
        let rest = self.0.get(start..)?;
        let (word, behind) = rest.split_at(rest.iter().position(space).unwrap_or(rest.len()));
        self.0 = behind;
        Some(word)
    }
}

fn is_time(text: &[u8]) -> bool {
    // Nine digits are below the limit, whatever they are.
    !text.is_empty()
        && text.iter().all(u8::is_ascii_digit)
        && (text.len() <= 9 || std::str::from_utf8(text).is_ok_and(|text| text.parse::<u32>().is_ok()))
}

/// Digits with at most one point among them and a sign before them: what nearly every value is, told apart without
/// making a number of it.
fn is_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut points = 0;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {}
            b'.' => points += 1,
            _ => return false,
        }
    }
    points <= 1 && digits.len() > points
}

fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_columns_with_a_number_and_a_time() {
        for line in ["a 1 10", "a  1   10", "a\t-1.5e3 4294967295", "a.b;t=1 .5 0", "a 1. 10\r", "a nan 1", " a +1 7 "]
        {
            assert_eq!(check(line.as_bytes()), Ok(()), "{line}");
        }
        let cases = [
            ("", Fault::Columns),
            ("a 1", Fault::Columns),
            ("a b 1 10", Fault::Columns),
            ("a 1 -1", Fault::Time),
            ("a 1 1.5", Fault::Time),
            ("a 1 4294967296", Fault::Time),
            ("a 1 99999999999999999999", Fault::Time),
            ("a 1 0x10", Fault::Time),
            ("a x 10", Fault::Value),
            ("a . 10", Fault::Value),
            ("a - 10", Fault::Value),
            ("a 1.2.3 10", Fault::Value),
        ];
        for (line, fault) in cases {
            assert_eq!(check(line.as_bytes()), Err(fault), "{line}");
        }
        assert_eq!(column(b"a x 10", Fault::Value), b"x");
        assert_eq!(column(b"a 1 t", Fault::Time), b"t");
    }

    #[test]
    fn a_payload_is_trimmed_and_cut_at_newlines() {
        let cut = |text: &str| -> Vec<String> {
            lines(text.as_bytes()).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
        };
        assert_eq!(cut("\n a 1 10\nb 2 10 \t\n"), ["a 1 10", "b 2 10"]);
        assert_eq!(cut("a\n\nb"), ["a", "", "b"]);
        assert_eq!(cut(""), [""]);
        assert_eq!(cut(" \n"), [""]);
    }

    proptest! {
        /// What passes without being made a number is one.
        #[test]
        fn the_short_way_says_nothing_else(text in "-?[0-9.]{0,6}") {
            if is_decimal(text.as_bytes()) {
                prop_assert!(number(text.as_bytes()).is_some(), "{}", text);
            }
        }

        #[test]
        fn any_bytes_are_a_line_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for line in lines(&bytes) {
                if let Err(fault) = check(line) {
                    column(line, fault);
                }
            }
        }
    }
}
