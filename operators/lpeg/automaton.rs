//! Choices among short words, walked byte by byte: no test is made twice, and nothing is pending on the way.
//!
//! A word is a sequence of sets of bytes, as `P"25" * R"05"` is one. An ordered choice takes the first of its words
//! that the subject begins with. The automaton reads on as long as a word of higher priority than the best one found
//! may still match, and then goes back to the end of the best one.
//!
//! In memory it is: the lowest byte of all sets, how many bytes lie between it and the highest one, a class for each
//! of these, and rows of 16-bit entries, one for each class. Class 0 is every byte that is in no set, and the end of
//! the subject. An entry is the place of the next row, or, with its highest bit set, how many bytes to go back from
//! behind the byte just read.

use crate::set::Set;
use std::collections::BTreeMap;

/// Sets of bytes, one after the other.
pub type Word = Vec<Set>;

/// The largest number of words.
pub const MOST_WORDS: usize = 32;
/// The longest word.
pub const LONGEST: usize = 8;
/// An automaton takes no more bytes.
const MOST: usize = 1024;

const DONE: u16 = 0x8000;
/// No word matches.
const FAILED: u16 = u16::MAX;

/// Bytes before the classes.
const HEAD: usize = 2;

/// What was read so far: how much, the words that may still match, a bit each, and the length of the best one that did.
type State = (usize, u32, Option<usize>);

/// The automaton for a choice among words, or `None` when it would be too large.
pub fn build(words: &[Word]) -> Option<Vec<u8>> {
    if words.len() > MOST_WORDS || words.iter().any(|word| word.len() > LONGEST) {
        return None;
    }
    let (classes, samples) = classes(words)?;
    let lowest = classes.iter().position(|class| *class != 0)?;
    let highest = classes.iter().rposition(|class| *class != 0)?;
    let first = settle((0, u32::MAX >> (MOST_WORDS - words.len()), None), words);
    if first.1 == 0 {
        return None;
    }
    let mut known = BTreeMap::from([(first, 0)]);
    let mut queue = vec![first];
    let mut entries: Vec<u16> = Vec::new();
    let mut done = 0;
    while let Some(&(read, alive, best)) = queue.get(done) {
        done += 1;
        for sample in &samples {
            let goes_on = |at: &usize| {
                alive >> at & 1 != 0 && sample.is_some_and(|byte| words[*at].get(read).is_some_and(|set| set.has(byte)))
            };
            let alive = (0..words.len()).filter(goes_on).fold(0, |alive, at| alive | 1 << at);
            let next = settle((read + 1, alive, best), words);
            let entry = match next {
                (_, 0, None) => FAILED,
                // Words are short.
                (read, 0, Some(best)) => DONE | (read - best) as u16,
                next => *known.entry(next).or_insert_with(|| {
                    queue.push(next);
                    ((queue.len() - 1) * samples.len()) as u16
                }),
            };
            entries.push(entry);
        }
        if HEAD + (highest - lowest) + entries.len() * 2 > MOST {
            return None;
        }
    }
    let mut out = vec![lowest as u8, (highest - lowest) as u8];
    out.extend_from_slice(&classes[lowest..=highest]);
    out.extend(entries.iter().flat_map(|entry| entry.to_ne_bytes()));
    Some(out)
}

/// Notes the word that is now complete: words behind it do not matter any more.
fn settle((read, alive, best): State, words: &[Word]) -> State {
    let is_complete = |at: &usize| alive >> at & 1 != 0 && words[*at].len() == read;
    match (0..words.len()).find(is_complete) {
        Some(at) => (read, alive & ((1 << at) - 1), Some(read)),
        None => (read, alive, best),
    }
}

/// The class of each byte, and a byte of each class, but none of class 0. `None` when there are too many.
fn classes(words: &[Word]) -> Option<(Vec<u8>, Vec<Option<u8>>)> {
    let sets: Vec<&Set> = words.iter().flatten().collect();
    let mut seen = BTreeMap::from([(vec![false; sets.len()], 0)]);
    let mut samples = vec![None];
    let mut classes = Vec::with_capacity(256);
    for byte in 0..=u8::MAX {
        let membership: Vec<bool> = sets.iter().map(|set| set.has(byte)).collect();
        let next = samples.len();
        let class = *seen.entry(membership).or_insert_with(|| {
            samples.push(Some(byte));
            next
        });
        classes.push(u8::try_from(class).ok()?);
    }
    Some((classes, samples))
}

/// The end of the first word that the subject has at `s`; null where there is none.
///
/// # Safety
/// `table` is what `build` made, and the bytes from `s` to `end` can be read.
#[inline(always)]
pub unsafe fn walk(table: *const u8, s: *const u8, end: *const u8) -> *const u8 {
    unsafe {
        let (lowest, span) = (*table, *table.add(1));
        let classes = table.add(HEAD);
        let rows: *const u16 = classes.add(usize::from(span) + 1).cast();
        let (mut at, mut row) = (s, 0);
        loop {
            let mut class = 0;
            if at != end {
                let distance = (*at).wrapping_sub(lowest);
                if distance <= span {
                    class = usize::from(*classes.add(usize::from(distance)));
                }
            }
            let entry = rows.add(row + class).read_unaligned();
            if entry & DONE != 0 {
                let back = usize::from(entry & !DONE);
                return if entry == FAILED { std::ptr::null() } else { at.add(1).sub(back) };
            }
            // At the end, and on any byte of class 0, the walk is over.
            at = at.add(1);
            row = usize::from(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk_over(words: &[Word], subject: &[u8]) -> Option<usize> {
        let table = build(words).expect("small enough");
        let range = subject.as_ptr_range();
        let end = unsafe { walk(table.as_ptr(), range.start, range.end) };
        (!end.is_null()).then(|| end as usize - range.start as usize)
    }

    /// The first word that matches, tried one by one.
    fn first_word(words: &[Word], subject: &[u8]) -> Option<usize> {
        let begins =
            |word: &&Word| word.len() <= subject.len() && word.iter().zip(subject).all(|(set, byte)| set.has(*byte));
        words.iter().find(begins).map(Vec::len)
    }

    fn set(bytes: &[u8]) -> Set {
        Set::matching(|byte| bytes.contains(&byte))
    }

    #[test]
    fn the_parts_of_an_address_are_read_at_once() {
        let digit = set(b"0123456789");
        let octet = [
            vec![set(b"2"), set(b"5"), set(b"012345")],
            vec![set(b"2"), set(b"01234"), digit],
            vec![set(b"1"), digit, digit],
            vec![set(b"123456789"), digit],
            vec![digit],
        ];
        for (subject, length) in [("255.", 3), ("256", 2), ("25", 2), ("199", 3), ("0", 1), ("01", 1), ("9x", 1)] {
            assert_eq!(walk_over(&octet, subject.as_bytes()), Some(length), "{subject}");
        }
        assert_eq!(walk_over(&octet, b"x"), None);
        assert_eq!(walk_over(&octet, b""), None);
        assert!(build(&octet).is_some_and(|table| table.len() < 128));
    }

    #[test]
    fn what_would_be_too_large_is_not_built() {
        assert_eq!(build(&[vec![Set::FULL; LONGEST + 1]]), None);
        assert_eq!(build(&vec![vec![set(b"a")]; MOST_WORDS + 1]), None);
        let all_bytes: Vec<Word> = (0..32).map(|n| (0..8).map(|m| Set::of(n * 8 + m)).collect()).collect();
        assert_eq!(build(&all_bytes), None);
        assert_eq!(build(&[vec![]]), None);
        let every_byte_differs: Vec<Word> =
            (0..9).map(|bit| vec![Set::matching(|byte| bit == 8 || byte >> bit & 1 == 1)]).collect();
        assert_eq!(build(&every_byte_differs), None);
    }

    proptest! {
        #[test]
        fn the_first_word_that_matches_is_found(
            words in prop::collection::vec(prop::collection::vec(prop::collection::vec(b'a'..=b'd', 0..4), 0..4), 1..6),
            subject in prop::collection::vec(b'a'..=b'e', 0..6),
        ) {
            let words: Vec<Word> = words.iter().map(|word| word.iter().map(|bytes| set(bytes)).collect()).collect();
            if build(&words).is_some() {
                prop_assert_eq!(walk_over(&words, &subject), first_word(&words, &subject));
            }
        }
    }
}
