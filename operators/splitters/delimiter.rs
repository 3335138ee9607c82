//! A delimiter given as a regular expression, searched for in a stream that arrives in pieces.
//!
//! How the bytes arrive must not change the records. So a match that reaches the end of what has arrived is
//! only taken as it stands when no further byte could make it longer: `\n` and `\r?\n` end there for certain,
//! while `\n+` or `\r\n|\r` may go on. Whether it may is read off the expression's automaton.

use regex::bytes::{CaptureLocations, Regex};
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use std::sync::Arc;

/// How far back a search begins again when nothing tells how long a delimiter can be.
const REACH: usize = 256;
/// Longer delimiters count as unbounded.
const LONGEST: usize = 4096;

/// A match, as offsets into the bytes searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// First byte of the match.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// What the capture group matched, if there is one and it took part.
    pub captured: Option<(usize, usize)>,
    /// More bytes could still lengthen the match; where it starts is certain.
    pub open: bool,
}

/// See the module. Clones are for other streams: they share the expression, not the memory of a search.
pub(super) struct Delimiter {
    regex: Regex,
    locations: CaptureLocations,
    /// The length of the longest match, when it has one and the bytes around it do not matter.
    longest: Option<usize>,
    looks_around: bool,
    /// Tells whether a match may go on; `None` when all matches are equally long.
    automaton: Option<Arc<DFA>>,
    cache: Option<Cache>,
}

impl Delimiter {
    /// Prepares an expression.
    ///
    /// # Errors
    /// When it matches the empty text, which delimits nothing.
    pub fn new(regex: &Regex) -> Result<Self, String> {
        let syntax = syntax::Config::new().utf8(false);
        let parsed = syntax::parse_with(regex.as_str(), &syntax).map_err(|error| error.to_string())?;
        let properties = parsed.properties();
        if properties.minimum_len() == Some(0) {
            return Err(format!("the delimiter matches the empty text: {}", regex.as_str()));
        }
        let looks_around = !properties.look_set().is_empty();
        let longest = properties.maximum_len().filter(|n| *n <= LONGEST && !looks_around);
        let fixed = longest.is_some() && properties.minimum_len() == longest;
        // An expression too large for an automaton has its matches taken as they stand.
        let automaton = if fixed { None } else { automaton(regex.as_str(), syntax) };
        let locations = regex.capture_locations();
        Ok(Delimiter { regex: regex.clone(), locations, longest, looks_around, automaton, cache: None })
    }

    /// The first match in `data` at or after `from`. `last` says that no more bytes will follow.
    pub fn find(&mut self, data: &[u8], from: usize, last: bool) -> Option<Found> {
        let (whole, captured) = if self.locations.len() > 1 {
            let whole = self.regex.captures_read_at(&mut self.locations, data, from)?;
            (whole, self.locations.get(1))
        } else {
            (self.regex.find_at(data, from)?, None)
        };
        let open = !last && self.may_go_on(data, whole.start());
        if self.looks_around && !last && (open || whole.end() == data.len()) {
            // The bytes to come may not only lengthen the match but undo it.
            return None;
        }
        Some(Found { start: whole.start(), end: whole.end(), captured, open })
    }

    /// From where to search when the rest, in which nothing was found, is shown again with more behind it.
    pub fn resume(&self, searched: usize) -> usize {
        self.longest.map_or(0, |n| (searched + 1).saturating_sub(n))
    }

    /// How many bytes at the end of the rest may belong to a delimiter of which more is to come.
    pub fn reach(&self) -> usize {
        self.longest.unwrap_or(REACH)
    }

    /// Whether the match that starts at `start` might be longer if more bytes followed.
    fn may_go_on(&mut self, data: &[u8], start: usize) -> bool {
        if self.longest.is_some_and(|n| data.len() - start >= n) {
            return false;
        }
        let Some(dfa) = &self.automaton else { return false };
        let cache = self.cache.get_or_insert_with(|| dfa.create_cache());
        let input = Input::new(data).range(start..).anchored(Anchored::Yes);
        let Ok(mut state) = dfa.start_state_forward(cache, &input) else { return false };
        for &byte in &data[start..] {
            match dfa.next_state(cache, state, byte) {
                Ok(next) if !next.is_dead() && !next.is_quit() => state = next,
                _ => return false,
            }
        }
        // The automaton tells of a match one byte late, so it has a life to come only when it outlives two bytes.
        let bytes = || dfa.byte_classes().representatives(..).filter_map(|unit| unit.as_u8());
        let cleared = cache.clear_count();
        for first in bytes() {
            let Ok(next) = dfa.next_state(cache, state, first) else { return false };
            for second in bytes() {
                // A full cache starts afresh, and then the states at hand mean nothing any more.
                if cache.clear_count() != cleared {
                    return false;
                }
                match dfa.next_state(cache, next, second) {
                    Ok(after) if !after.is_dead() && !after.is_quit() => return true,
                    _ => {}
                }
            }
        }
        false
    }
}

impl Clone for Delimiter {
    fn clone(&self) -> Self {
        Delimiter {
            regex: self.regex.clone(),
            locations: self.regex.capture_locations(),
            longest: self.longest,
            looks_around: self.looks_around,
            automaton: self.automaton.clone(),
            cache: None,
        }
    }
}

fn automaton(pattern: &str, syntax: syntax::Config) -> Option<Arc<DFA>> {
    let config = DFA::config().unicode_word_boundary(true).skip_cache_capacity_check(true);
    DFA::builder().configure(config).syntax(syntax).build(pattern).ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(pattern: &str) -> Delimiter {
        Delimiter::new(&Regex::new(pattern).unwrap()).unwrap()
    }

    #[test]
    fn a_match_is_open_exactly_when_more_bytes_could_lengthen_it() {
        let cases = [
            (r"\n", "a\n", false),
            (r"\r?\n", "a\n", false),
            (r"\r?\n", "a\r\n", false),
            (r"\n+", "a\n", true),
            (r"\n+", "a\n\n", true),
            (r"\n+", "a\nb", false),
            (r"\n+?", "a\n", false),
            (r"\r\n|\r|\n", "a\r", true),
            (r"\r\n|\r|\n", "a\rb", false),
            (r"\r\n|\r|\n", "a\n", false),
            (r"ab(cd)?", "xab", true),
            (r"ab(cd)?", "xabc", true),
            (r"ab(cd)?", "xabx", false),
            (r"ab(cd)?", "xabcd", false),
            (r"a|ab", "xa", false), // the first alternative is preferred
            (r"\n\d{4}-\d+ ", "x\n2026-1 ", false),
            (r"\n\d{4}-\d+", "x\n2026-1", true),
        ];
        for (pattern, text, open) in cases {
            let found = delimiter(pattern).find(text.as_bytes(), 0, false).unwrap();
            assert_eq!(found.open, open, "{pattern} in {text:?}");
            let found = delimiter(pattern).find(text.as_bytes(), 0, true).unwrap();
            assert!(!found.open, "{pattern} in {text:?}, and nothing follows");
        }
    }

    #[test]
    fn what_looks_around_waits_until_it_can_see() {
        let end = |text: &str, last| delimiter(r"\n\b").find(text.as_bytes(), 0, last).map(|f| f.end);
        assert_eq!(end("a\n", false), None);
        assert_eq!(end("a\n", true), None);
        assert_eq!(end("a\n b\nc", false), Some(5));
        let end = |last| delimiter(r"\n$").find(b"a\n", 0, last).map(|f| f.end);
        assert_eq!((end(false), end(true)), (None, Some(2)));
    }

    #[test]
    fn a_search_begins_again_where_a_match_could_still_begin() {
        assert_eq!(delimiter(r"\n").resume(10), 10);
        assert_eq!(delimiter(r"\n(# )").resume(10), 8);
        assert_eq!(delimiter(r"\n(# )").resume(1), 0);
        assert_eq!(delimiter(r"\n+").resume(10), 0);
    }

    #[test]
    fn an_expression_that_matches_nothing_at_all_is_refused() {
        for pattern in ["", "a*", "^", r"(\n)?"] {
            assert!(Delimiter::new(&Regex::new(pattern).unwrap()).is_err(), "{pattern}");
        }
    }
}
