//! The matcher: Lua 5.1's patterns, as a loop.
//!
//! Where the reference recurses, this pushes what is to be tried next, or undone, when the rest fails. What is pushed
//! is at most one entry for each item of the pattern that is passed on the way.

use super::class;
use super::retries::{Retries, Retry};
use crate::spend::EXCEEDED;
use heka_lua::{Raise, spend};

/// How many captures a pattern may have.
pub const MOST_CAPTURES: usize = 32;

/// Steps that are spent from the budget at once.
const CHUNK: u32 = 256;

/// What a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Unfinished,
    Position,
    Length(usize),
}

/// A capture: where it starts, and what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    pub start: usize,
    pub extent: Extent,
}

/// A subject, a pattern, and the captures of the last match.
pub struct Matcher<'a> {
    pub subject: &'a [u8],
    pattern: &'a [u8],
    captures: [Capture; MOST_CAPTURES],
    level: usize,
    /// Counted down to the next spending.
    steps: u32,
}

impl<'a> Matcher<'a> {
    /// A matcher; as C reads it, a pattern ends at its first NUL byte.
    pub fn new(subject: &'a [u8], pattern: &'a [u8]) -> Matcher<'a> {
        let none = Capture { start: 0, extent: Extent::Unfinished };
        let pattern = until_nul(pattern);
        Matcher { subject, pattern, captures: [none; MOST_CAPTURES], level: 0, steps: CHUNK }
    }

    /// The captures of the last match.
    pub fn captures(&self) -> &[Capture] {
        &self.captures[..self.level]
    }

    /// The byte with which every match starts, when there is one.
    fn first_byte(&self) -> Option<u8> {
        match self.pattern {
            [b'^' | b'$' | b'(' | b')' | b'%' | b'[' | b'.', ..] | [] => None,
            [_, b'*' | b'?' | b'-', ..] => None,
            [first, ..] => Some(*first),
        }
    }

    /// The first match that starts at `from` or behind, or for `anchored` only there: its start and end.
    pub fn search(&mut self, from: usize, anchored: bool) -> Result<Option<(usize, usize)>, Raise> {
        let first = if anchored { None } else { self.first_byte() };
        let mut start = from;
        loop {
            if let Some(first) = first {
                // A match elsewhere is impossible.
                let Some(skipped) = memchr::memchr(first, self.subject.get(start..).unwrap_or_default()) else {
                    self.steps((self.subject.len() - start) / 16)?;
                    return Ok(None);
                };
                self.steps(skipped / 16)?;
                start += skipped;
            }
            if let Some(end) = self.match_at(start)? {
                return Ok(Some((start, end)));
            }
            start += 1;
            if anchored || start > self.subject.len() {
                return Ok(None);
            }
        }
    }

    /// The end of the match that starts at `start`.
    fn match_at(&mut self, start: usize) -> Result<Option<usize>, Raise> {
        self.level = 0;
        let mut retries = Retries::new();
        let (mut s, mut p) = (start, 0);
        loop {
            self.step()?;
            match self.advance(&mut s, &mut p, &mut retries)? {
                Step::Go => {}
                Step::Matched => return Ok(Some(s)),
                Step::Failed => {
                    if !self.retry(&mut s, &mut p, &mut retries)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Passes the pattern's item at `p`.
    fn advance(&mut self, s: &mut usize, p: &mut usize, retries: &mut Retries) -> Result<Step, Raise> {
        let pattern = self.pattern;
        match &pattern[*p..] {
            [] => return Ok(Step::Matched),
            [b'(', rest @ ..] => {
                let position = rest.first() == Some(&b')');
                let Some(capture) = self.captures.get_mut(self.level) else {
                    return Err(Raise::here("too many captures"));
                };
                let extent = if position { Extent::Position } else { Extent::Unfinished };
                *capture = Capture { start: *s, extent };
                self.level += 1;
                retries.open(Retry::Uncapture)?;
                *p += 1 + usize::from(position);
                return Ok(Step::Go);
            }
            [b')', ..] => {
                let unfinished = |capture: &Capture| capture.extent == Extent::Unfinished;
                let Some(newest) = self.captures().iter().rposition(unfinished) else {
                    return Err(Raise::here("invalid pattern capture"));
                };
                self.captures[newest].extent = Extent::Length(*s - self.captures[newest].start);
                retries.open(Retry::Reopen(newest))?;
                *p += 1;
                return Ok(Step::Go);
            }
            [b'%', b'b', rest @ ..] => {
                let [begin, end, ..] = rest else { return Err(Raise::here("unbalanced pattern")) };
                let Some(behind) = self.balanced(*s, *begin, *end)? else { return Ok(Step::Failed) };
                *s = behind;
                *p += 4;
                return Ok(Step::Go);
            }
            [b'%', b'f', rest @ ..] => {
                if rest.first() != Some(&b'[') {
                    return Err(Raise::here("missing '[' after '%f' in pattern"));
                }
                let start = *p + 2;
                let end = self.item_end(start)?;
                let set = &pattern[start..end];
                self.steps(set.len())?;
                let before = s.checked_sub(1).and_then(|before| self.subject.get(before)).copied().unwrap_or(0);
                let here = self.subject.get(*s).copied().unwrap_or(0);
                if class::set(before, set) || !class::set(here, set) {
                    return Ok(Step::Failed);
                }
                *p = end;
                return Ok(Step::Go);
            }
            [b'%', digit @ b'0'..=b'9', ..] => {
                let Some(behind) = self.back_reference(*s, *digit)? else { return Ok(Step::Failed) };
                *s = behind;
                *p += 2;
                return Ok(Step::Go);
            }
            [b'$'] => return Ok(if *s == self.subject.len() { Step::Matched } else { Step::Failed }),
            _ => {}
        }
        let item = *p;
        let end = self.item_end(item)?;
        match pattern.get(end) {
            Some(b'?') => {
                if self.single(*s, item, end)? {
                    retries.open(Retry::Without { at: *s, rest: end + 1 })?;
                    *s += 1;
                }
                *p = end + 1;
            }
            Some(repeat @ (b'*' | b'+')) => {
                let from = *s + usize::from(*repeat == b'+');
                if *repeat == b'+' && !self.single(*s, item, end)? {
                    return Ok(Step::Failed);
                }
                let mut count = 0;
                while self.single(from + count, item, end)? {
                    count += 1;
                }
                if count > 0 {
                    retries.open(Retry::Fewer { from, count, rest: end + 1 })?;
                }
                *s = from + count;
                *p = end + 1;
            }
            Some(b'-') => {
                retries.open(Retry::More { at: *s, item, end })?;
                *p = end + 1;
            }
            _ => {
                if !self.single(*s, item, end)? {
                    return Ok(Step::Failed);
                }
                *s += 1;
                *p = end;
            }
        }
        Ok(Step::Go)
    }

    /// Goes back to the newest alternative; `false` when none is left.
    fn retry(&mut self, s: &mut usize, p: &mut usize, retries: &mut Retries) -> Result<bool, Raise> {
        while let Some(retry) = retries.pop() {
            match retry {
                Retry::Fewer { from, count, rest } => {
                    let count = count - 1;
                    if count > 0 {
                        retries.open(Retry::Fewer { from, count, rest })?;
                    }
                    (*s, *p) = (from + count, rest);
                    return Ok(true);
                }
                Retry::More { at, item, end } => {
                    if self.single(at, item, end)? {
                        retries.open(Retry::More { at: at + 1, item, end })?;
                        (*s, *p) = (at + 1, end + 1);
                        return Ok(true);
                    }
                }
                Retry::Without { at, rest } => {
                    (*s, *p) = (at, rest);
                    return Ok(true);
                }
                Retry::Uncapture => self.level -= 1,
                Retry::Reopen(capture) => self.captures[capture].extent = Extent::Unfinished,
            }
        }
        Ok(false)
    }

    /// Whether the subject has a byte at `s` that the single item `item..end` matches.
    #[inline]
    fn single(&mut self, s: usize, item: usize, end: usize) -> Result<bool, Raise> {
        let Some(byte) = self.subject.get(s).copied() else { return Ok(false) };
        self.step()?;
        Ok(match self.pattern[item] {
            b'.' => true,
            b'%' => class::class(byte, self.pattern[item + 1]),
            b'[' => {
                self.steps((end - item) / 4)?;
                class::set(byte, &self.pattern[item..end])
            }
            literal => literal == byte,
        })
    }

    /// Behind the single item at `p`.
    fn item_end(&mut self, p: usize) -> Result<usize, Raise> {
        match self.pattern[p] {
            b'%' if p + 1 < self.pattern.len() => Ok(p + 2),
            b'%' => Err(Raise::here("malformed pattern (ends with '%')")),
            b'[' => {
                let mut at = p + 1 + usize::from(self.pattern.get(p + 1) == Some(&b'^'));
                // The first byte of a set is never its end.
                loop {
                    match self.pattern.get(at..) {
                        None | Some([]) => return Err(Raise::here("malformed pattern (missing ']')")),
                        Some([b'%', _, ..]) => at += 2,
                        Some(_) => at += 1,
                    }
                    if self.pattern.get(at) == Some(&b']') {
                        self.steps((at - p) / 4)?;
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    /// Behind the balanced `%b` that starts at `s`.
    fn balanced(&mut self, s: usize, begin: u8, end: u8) -> Result<Option<usize>, Raise> {
        if self.subject.get(s) != Some(&begin) {
            return Ok(None);
        }
        let mut depth = 1;
        for (n, byte) in self.subject[s + 1..].iter().enumerate() {
            self.step()?;
            if *byte == end {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(s + n + 2));
                }
            } else if *byte == begin {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// Behind what the capture `%digit` matches again at `s`.
    fn back_reference(&mut self, s: usize, digit: u8) -> Result<Option<usize>, Raise> {
        let capture = usize::from(digit).checked_sub(usize::from(b'1')).and_then(|n| self.captures().get(n)).copied();
        match capture {
            Some(Capture { start, extent: Extent::Length(length) }) => {
                self.steps(length / 8)?;
                let text = &self.subject[start..start + length];
                Ok(self.subject[s..].starts_with(text).then_some(s + length))
            }
            // A position has no text that could come again.
            Some(Capture { extent: Extent::Position, .. }) => Ok(None),
            _ => Err(Raise::here("invalid capture index")),
        }
    }

    #[inline]
    fn step(&mut self) -> Result<(), Raise> {
        self.steps -= 1;
        if self.steps == 0 { self.spend(CHUNK.into()) } else { Ok(()) }
    }

    fn steps(&mut self, steps: usize) -> Result<(), Raise> {
        match u32::try_from(steps).ok().and_then(|steps| self.steps.checked_sub(steps)).filter(|left| *left > 0) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => self.spend(steps as u64 + u64::from(CHUNK - self.steps)),
        }
    }

    #[cold]
    fn spend(&mut self, steps: u64) -> Result<(), Raise> {
        self.steps = CHUNK;
        if spend(steps) { Ok(()) } else { Err(Raise::Bare(EXCEEDED.to_vec())) }
    }
}

/// What passing an item came to.
enum Step {
    Go,
    Matched,
    Failed,
}

/// The bytes before the first NUL.
pub fn until_nul(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}
