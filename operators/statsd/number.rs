//! Numbers out of bytes: what statsd clients send are few digits with perhaps a point, and reading those is a sum and
//! a division.

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Up to this every whole number is a double.
const EXACT: u64 = 1 << 53;

/// The number that a text stands for; `None` when it stands for none.
#[inline]
pub fn number(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // More digits might not fit into the sum.
    if digits.len() > 18 {
        return slow(text);
    }
    let mut sum = 0u64;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => sum = sum * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return slow(text),
        }
    }
    let behind = point.map_or(0, |at| digits.len() - at - 1);
    if digits.len() == usize::from(point.is_some()) || sum > EXACT {
        return slow(text);
    }
    // Both are exact, so the result is rounded once, as it must be.
    let value = sum as f64 / TENS.get(behind)?;
    Some(if negative { -value } else { value })
}

/// Everything else: exponents, very many digits, no numbers at all.
#[cold]
fn slow(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(text: &str) -> Result<(), TestCaseError> {
        let wanted = text.parse::<f64>().ok().map(f64::to_bits);
        prop_assert_eq!(number(text.as_bytes()).map(f64::to_bits), wanted, "{}", text);
        Ok(())
    }

    #[test]
    fn edges_are_read_as_they_should() {
        for text in [
            "",
            ".",
            "-",
            "+",
            "+.",
            "1",
            "-0",
            "0.1",
            ".5",
            "5.",
            "1.2.3",
            "1e3",
            "inf",
            "nan",
            "--1",
            "1 ",
            "9007199254740993",
        ] {
            same(text).unwrap();
        }
        assert_eq!(number(b"\xff"), None);
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_standard_library(text in "[+-]?[0-9]{0,12}[.]?[0-9]{0,12}(e[0-9])?") {
            same(&text)?;
        }

        #[test]
        fn so_are_texts_that_are_none(text in "[-+.0-9einfa]{0,8}") {
            same(&text)?;
        }
    }
}
