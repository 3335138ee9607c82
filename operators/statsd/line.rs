//! One line of the statsd protocol: `bucket:value|kind[|@rate][|#tags]`.
//!
//! The forms that Heka took are taken as it took them; those it refused and statsd clients send today (sampled
//! histograms, sets, distributions, tags, carriage returns) are taken as the clients mean them.

use super::number::number;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `c` and `m`: adds up.
    Counter,
    /// `ms`, `h` and `d`: one sample of a distribution.
    Timer,
    /// `g`: the last value; with a sign, a change of it.
    Gauge,
    /// `s`: counted once however often it comes.
    Set,
}

/// A line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    /// What it counts; may be empty, and nothing in it is rewritten.
    pub bucket: &'a [u8],
    /// Not checked here.
    pub value: &'a [u8],
    /// What the value is.
    pub kind: Kind,
    /// Which share of the events was sent: above 0.
    pub rate: f64,
    /// What follows `|#`, commas included.
    pub tags: Option<&'a [u8]>,
}

/// Takes a line apart, white space around it aside; `None` when it is malformed.
pub fn parse(line: &[u8]) -> Option<Line<'_>> {
    let line = line.trim_ascii();
    let colon = memchr::memchr(b':', line)?;
    let (bucket, rest) = (&line[..colon], &line[colon + 1..]);
    let bar = memchr::memchr(b'|', rest)?;
    let (value, modifier) = (&rest[..bar], &rest[bar + 1..]);
    let (kind, rest) = kind(modifier)?;
    let mut parsed = Line { bucket, value, kind, rate: 1.0, tags: None };
    // Anything else directly behind the kind is ignored, as it always was.
    let Some(sections) = rest.strip_prefix(b"|") else { return Some(parsed) };
    for section in sections.split(|byte| *byte == b'|') {
        match section.split_first() {
            Some((b'@', rate)) => {
                let rate = number(rate)?;
                parsed.rate = Some(rate).filter(|rate| *rate > 0.0 && rate.is_finite())?;
            }
            Some((b'#', tags)) if !tags.is_empty() => parsed.tags = Some(tags),
            // Timestamps, container names, what the future brings.
            _ => {}
        }
    }
    Some(parsed)
}

/// The kind at the beginning of what follows the value, and what follows it.
fn kind(modifier: &[u8]) -> Option<(Kind, &[u8])> {
    let (kind, rest) = match modifier {
        [b'm', b's', rest @ ..] => (Kind::Timer, rest),
        [b'c' | b'm', rest @ ..] => (Kind::Counter, rest),
        [b'g', rest @ ..] => (Kind::Gauge, rest),
        [b'h' | b'd', rest @ ..] => (Kind::Timer, rest),
        [b's', rest @ ..] => (Kind::Set, rest),
        _ => return None,
    };
    // Two characters can only be `ms`.
    (modifier.len() != 2 || rest.is_empty()).then_some((kind, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line<'a>(bucket: &'a str, value: &'a str, kind: Kind, rate: f64) -> Option<Line<'a>> {
        Some(Line { bucket: bucket.as_bytes(), value: value.as_bytes(), kind, rate, tags: None })
    }

    #[test]
    fn lines_of_every_kind() {
        let cases = [
            ("a:1|c", line("a", "1", Kind::Counter, 1.0)),
            ("a:1|c|@0.1", line("a", "1", Kind::Counter, 0.1)),
            ("t:320|ms|@0.5", line("t", "320", Kind::Timer, 0.5)),
            ("x:1|h", line("x", "1", Kind::Timer, 1.0)),
            ("x:1|h|@0.5", line("x", "1", Kind::Timer, 0.5)),
            ("x:1|d", line("x", "1", Kind::Timer, 1.0)),
            ("x:1|m", line("x", "1", Kind::Counter, 1.0)),
            ("x:1|m|@1", line("x", "1", Kind::Counter, 1.0)),
            ("x:-4|g", line("x", "-4", Kind::Gauge, 1.0)),
            ("u:alice|s", line("u", "alice", Kind::Set, 1.0)),
            ("a:1:2|c", line("a", "1:2", Kind::Counter, 1.0)),
            ("a:5|cfoo", line("a", "5", Kind::Counter, 1.0)),
            ("a:5|c|T1656581400|c:ci-1", line("a", "5", Kind::Counter, 1.0)),
            (" \ta:1|c\r\n", line("a", "1", Kind::Counter, 1.0)),
            (":|c", line("", "", Kind::Counter, 1.0)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
        }
        let tagged = parse(b"a:1|c|@0.5|#env:prod,canary").unwrap();
        assert_eq!((tagged.rate, tagged.tags), (0.5, Some(&b"env:prod,canary"[..])));
        assert_eq!(parse(b"a:1|c|#").unwrap().tags, None);
    }

    #[test]
    fn malformed_lines() {
        let cases = ["", "a", "a:1", "a|c", "a:1|", "a:1|kv", "a:1|x", "a:1|c|", "a:1|cx", "a:5|c|@x", "a:5|c|@"];
        for text in cases.into_iter().chain(["a:5|c|@0", "a:5|c|@-1", "a:5|c|@inf", "a:5|c|@nan"]) {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_line_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(line) = parse(&bytes) {
                prop_assert!(line.rate > 0.0);
            }
        }
    }
}
