//! Parts of a document: one range of bytes, for readers that go on where they stopped.

use hyper::header::{HeaderMap, IF_RANGE, RANGE};

/// What a request asks for of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it; also where it asks for several ranges, or in a way that makes no sense.
    Whole,
    /// Bytes of it: the first, and how many.
    Part(u64, u64),
    /// Nothing that the document has.
    Nothing,
}

impl Asked {
    /// Reads what `headers` ask for of a document with this tag and length.
    pub(super) fn of(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
        let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else { return Asked::Whole };
        // A reader that has a part of another version needs all of this one.
        if headers.get(IF_RANGE).is_some_and(|condition| condition.as_bytes() != tag.as_bytes()) {
            return Asked::Whole;
        }
        let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
            return Asked::Whole;
        };
        match (first, first.parse::<u64>(), last, last.parse::<u64>()) {
            (_, Ok(first), _, Ok(last)) if first <= last => Asked::between(first, last, length),
            (_, Ok(first), "", _) => Asked::between(first, u64::MAX, length),
            ("", _, _, Ok(0)) => Asked::Nothing,
            ("", _, _, Ok(last)) => Asked::between(length.saturating_sub(last), u64::MAX, length),
            _ => Asked::Whole,
        }
    }

    fn between(first: u64, last: u64, length: u64) -> Asked {
        match length.checked_sub(1) {
            Some(end) if first <= end => Asked::Part(first, last.min(end) - first + 1),
            _ => Asked::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood() {
        let cases = [
            ("bytes=0-4", 10, Asked::Part(0, 5)),
            ("bytes=3-", 10, Asked::Part(3, 7)),
            ("bytes=-4", 10, Asked::Part(6, 4)),
            ("bytes=-40", 10, Asked::Part(0, 10)),
            ("bytes=9-99", 10, Asked::Part(9, 1)),
            ("bytes=10-", 10, Asked::Nothing),
            ("bytes=-0", 10, Asked::Nothing),
            ("bytes=0-0", 0, Asked::Nothing),
            ("bytes=-1", 0, Asked::Nothing),
            ("bytes=4-3", 10, Asked::Whole),
            ("bytes=0-1,3-4", 10, Asked::Whole),
            ("bytes=a-b", 10, Asked::Whole),
            ("bytes=-", 10, Asked::Whole),
            ("bytes=99999999999999999999-", 10, Asked::Whole),
            ("lines=0-1", 10, Asked::Whole),
        ];
        for (range, length, expected) in cases {
            let headers = HeaderMap::from_iter([(RANGE, range.parse().unwrap())]);
            assert_eq!(Asked::of(&headers, "\"v\"", length), expected, "{range} of {length}");
        }
        assert_eq!(Asked::of(&HeaderMap::new(), "\"v\"", 10), Asked::Whole);
    }

    #[test]
    fn a_part_of_another_version_is_of_no_use() {
        for (condition, expected) in [("\"v\"", Asked::Part(1, 9)), ("\"w\"", Asked::Whole), ("W/\"v\"", Asked::Whole)]
        {
            let pairs = [(RANGE, "bytes=1-"), (IF_RANGE, condition)];
            let headers = HeaderMap::from_iter(pairs.map(|(name, value)| (name, value.parse().unwrap())));
            assert_eq!(Asked::of(&headers, "\"v\"", 10), expected, "{condition}");
        }
    }
}
