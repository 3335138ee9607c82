//! Durations as text: `300ms`, `1.5h`, `2h45m`; `0` needs no unit.

use std::time::Duration;

/// A duration setting that keeps the text it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The parsed length; negative durations are refused.
    pub length: Duration,
    /// The text as written.
    pub text: String,
}

const UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Parses a duration: one or more decimal numbers, each followed by `ns`, `us`, `µs`, `ms`, `s`, `m` or `h`.
///
/// # Errors
/// Says what cannot be read, in one line.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    if unsigned.starts_with('-') {
        return Err(format!("`{text}` is negative"));
    }
    if unsigned.is_empty() {
        return Err("an empty text is no duration".to_owned());
    }
    let mut rest = unsigned;
    let mut nanos = 0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| format!("`{text}` does not read as number and unit"))?;
        rest = &rest[digits..];
        let unit_len = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = &rest[..unit_len];
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(if unit.is_empty() {
                format!("`{text}` lacks a unit: write for example `{text}s`")
            } else {
                format!("`{unit}` is no unit of time: use ns, us, ms, s, m or h")
            });
        };
        nanos += number * scale;
        rest = &rest[unit_len..];
    }
    if nanos > u64::MAX as f64 {
        return Err(format!("`{text}` is longer than 584 years"));
    }
    Ok(Duration::from_nanos(nanos as u64))
}

/// Writes a duration so that [`parse_duration`] reads it back: whole units, largest first, as in `2h45m`.
pub fn format_duration(length: Duration) -> String {
    const PARTS: [(&str, u128); 6] = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut rest = length.as_nanos();
    let mut text = String::new();
    for (unit, nanos) in PARTS {
        if rest >= nanos {
            text.push_str(&format!("{}{unit}", rest / nanos));
            rest %= nanos;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads() {
        for text in ["0s", "250ms", "30s", "2m", "2h45m", "1s1ns"] {
            assert_eq!(parse_duration(text).map(format_duration).as_deref(), Ok(text));
        }
    }

    #[test]
    fn reads_what_go_reads() {
        let cases = [
            ("0", 0),
            ("300ms", 300_000_000),
            ("1.5h", 5_400_000_000_000),
            ("2h45m", 9_900_000_000_000),
            ("+1s", 1_000_000_000),
            ("7µs", 7_000),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
        for text in ["", "1", "s", "1x", "-1s", "1.2.3s", "1s2", "99999999999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
