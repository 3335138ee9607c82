//! A regular expression of a matcher, searched for in the cheapest way that means the same.

use crate::regexp::{self, RegexpError};
use memchr::memmem::Finder;
use regex::bytes::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::cell::RefCell;

/// A compiled pattern. Two patterns are equal when they are written alike.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    source: String,
    search: Search,
}

#[derive(Clone, Debug)]
enum Search {
    Anything,
    Contains(Box<Finder<'static>>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Exact(Box<[u8]>),
    /// `replaces`: it can match U+FFFD, which stands for every byte that is not valid UTF-8.
    Regex {
        regex: Regex,
        replaces: bool,
    },
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    pub(crate) fn new(source: &str) -> Result<Self, RegexpError> {
        let tree = regexp::parse(&regexp::translate(source)?)?;
        let search = match Search::literal(&tree) {
            Some(search) => search,
            None => Search::Regex { regex: regexp::compile(source)?, replaces: matches_replacement(&tree) },
        };
        Ok(Pattern { source: source.to_owned(), search })
    }

    /// The pattern as written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether every text matches.
    pub(crate) fn is_anything(&self) -> bool {
        matches!(self.search, Search::Anything)
    }

    /// Whether a search is cheap enough to do before others.
    pub(crate) fn is_literal(&self) -> bool {
        !matches!(self.search, Search::Regex { .. })
    }

    /// Whether the pattern is found in `text`, which need not be valid UTF-8.
    #[inline]
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        match &self.search {
            Search::Anything => true,
            Search::Contains(finder) => finder.find(text).is_some(),
            Search::Prefix(literal) => text.starts_with(literal),
            Search::Suffix(literal) => text.ends_with(literal),
            Search::Exact(literal) => text == &**literal,
            // Valid parts read the same with and without replacement, so a match needs no second look.
            Search::Regex { regex, replaces } => regex.is_match(text) || (*replaces && match_replaced(regex, text)),
        }
    }
}

impl Search {
    /// The search for a pattern that is nothing but text, anchored or not.
    fn literal(tree: &Hir) -> Option<Self> {
        let parts = match tree.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(tree),
        };
        let is = |part: Option<&Hir>, look| matches!(part.map(Hir::kind), Some(HirKind::Look(l)) if *l == look);
        let start = is(parts.first(), Look::Start);
        let end = parts.len() > usize::from(start) && is(parts.last(), Look::End);
        let literal = match &parts[usize::from(start)..parts.len() - usize::from(end)] {
            [] => &[][..],
            [one] => match one.kind() {
                HirKind::Empty => &[][..],
                HirKind::Literal(literal) if !matches_replacement(one) => &literal.0,
                _ => return None,
            },
            _ => return None,
        };
        Some(match (start, end) {
            (true, true) => Search::Exact(literal.into()),
            _ if literal.is_empty() => Search::Anything,
            (true, false) => Search::Prefix(literal.into()),
            (false, true) => Search::Suffix(literal.into()),
            (false, false) => Search::Contains(Box::new(Finder::new(literal).into_owned())),
        })
    }
}

/// Whether some part of the pattern can match U+FFFD. The tree's depth is bounded by its parser.
fn matches_replacement(tree: &Hir) -> bool {
    const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Literal(literal) => literal.0.windows(3).any(|three| three == "\u{fffd}".as_bytes()),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&REPLACEMENT))
        }
        HirKind::Repetition(repetition) => matches_replacement(&repetition.sub),
        HirKind::Capture(capture) => matches_replacement(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(matches_replacement),
    }
}

thread_local! {
    /// Text with its invalid bytes replaced; kept, because a stream of such text has one in every message.
    static REPLACED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Longest buffer kept between messages, in bytes.
const KEPT: usize = 64 * 1024;

/// Searches as RE2 does: every byte that is not part of valid UTF-8 is one U+FFFD.
#[cold]
fn match_replaced(regex: &Regex, text: &[u8]) -> bool {
    if std::str::from_utf8(text).is_ok() {
        return false;
    }
    REPLACED.with_borrow_mut(|replaced| {
        replaced.clear();
        for chunk in text.utf8_chunks() {
            replaced.extend_from_slice(chunk.valid().as_bytes());
            for _ in chunk.invalid() {
                replaced.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        let found = regex.is_match(replaced);
        if replaced.capacity() > KEPT {
            *replaced = Vec::new();
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(source: &str) -> &'static str {
        match Pattern::new(source).unwrap().search {
            Search::Anything => "anything",
            Search::Contains(_) => "contains",
            Search::Prefix(_) => "prefix",
            Search::Suffix(_) => "suffix",
            Search::Exact(_) => "exact",
            Search::Regex { replaces: true, .. } => "regex, replaces",
            Search::Regex { replaces: false, .. } => "regex",
        }
    }

    #[test]
    fn patterns_that_are_plain_text_need_no_regex() {
        for (source, expected) in [
            ("", "anything"),
            ("^", "anything"),
            ("$", "anything"),
            ("^$", "exact"),
            (r"GET \/cart", "contains"),
            (r"^web\.", "prefix"),
            ("access$", "suffix"),
            (r"^nginx\.access$", "exact"),
            (r"\Qa.b\E", "contains"),
            ("(?m)^web", "regex"),
            ("(?i)web", "regex"),
            ("^web|db", "regex"),
            (r"\d+", "regex"),
            ("a.b", "regex, replaces"),
            ("[^a]", "regex, replaces"),
            (r"\W", "regex, replaces"),
            ("\u{fffd}", "regex, replaces"),
        ] {
            assert_eq!(shape(source), expected, "{source}");
        }
    }

    #[test]
    fn every_invalid_byte_is_one_character() {
        for (source, text, expected) in [
            ("^a.b$", &b"a\xffb"[..], true),
            ("^a..b$", b"a\xff\xfeb", true),
            ("^a.b$", b"a\xff\xfeb", false),
            ("^a.b$", b"a\xc3\xa9b", true),
            ("^a..b$", b"a\xc3\xa9b", false),
            ("^a..b$", b"a\xe2\x82b", true),
            ("[^a-z]", b"abc\x80", true),
            (r"user=\w+ .* ok$", b"\xff user=bob \xfe ok", true),
            ("ok", b"\xff\xffok", true),
            ("^\u{fffd}$", b"\xff", true),
        ] {
            assert_eq!(Pattern::new(source).unwrap().is_match(text), expected, "{source} on {text:?}");
        }
    }

    proptest! {
        #[test]
        fn shapes_change_no_result(
            start in r"\^?",
            middle in proptest::collection::vec(
                proptest::sample::select(vec!["a", "b", ".", r"\.", "ab", "(a)", "[a]", "a|b"]), 0..4),
            end in r"\$?",
            text in "[ab.]{0,6}",
        ) {
            let source = format!("{start}{}{end}", middle.concat());
            let plain = regexp::compile(&source).unwrap().is_match(text.as_bytes());
            prop_assert_eq!(Pattern::new(&source).unwrap().is_match(text.as_bytes()), plain);
        }

        #[test]
        fn bytes_match_as_their_replaced_text(bytes in proptest::collection::vec(prop_oneof![
            Just(b'a'), Just(0xffu8), Just(0xc3), Just(0xa9), Just(0xe2), Just(0x82), Just(0xac)], 0..8),
            source in r"\^(a|\.|\[\^a\]|é|€){0,4}\$") {
            let mut text = String::new();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let len = (1..=rest.len().min(4)).find(|n| std::str::from_utf8(&rest[..*n]).is_ok());
                match len {
                    Some(n) => text.push_str(std::str::from_utf8(&rest[..n]).unwrap()),
                    None => text.push('\u{fffd}'),
                }
                rest = &rest[len.unwrap_or(1)..];
            }
            let expected = regexp::compile(&source).unwrap().is_match(text.as_bytes());
            prop_assert_eq!(Pattern::new(&source).unwrap().is_match(&bytes), expected);
        }
    }
}
