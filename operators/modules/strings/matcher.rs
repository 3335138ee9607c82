//! The matcher: Lua 5.1's patterns, as a loop.
//!
//! Where the reference recurses, this pushes what is to be tried next, or undone, when the rest fails. What is pushed
//! is at most one entry for each item of the pattern that is passed on the way.

use super::class;
use super::class::Class;
use super::fault::Fault;
use super::retries::{Retries, Retry};
use heka_lua::spend;

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

    /// What every match starts with, as far as one item of the pattern tells.
    fn start(&mut self) -> Start {
        let mut item = 0;
        // Captures start without taking a byte.
        while let [b'(', next, ..] = &self.pattern[item..]
            && *next != b')'
            && item < MOST_CAPTURES
        {
            item += 1;
        }
        let end = match &self.pattern[item..] {
            [b'%', b'b', begin, _, ..] => return Start::Byte(*begin),
            [] | [b'(' | b')', ..] | [b'$'] | [b'%', b'b' | b'f' | b'0'..=b'9', ..] => return Start::Any,
            // A malformed item raises when it is matched.
            _ => match self.item_end(item) {
                Ok(end) => end,
                Err(_) => return Start::Any,
            },
        };
        match (&self.pattern[item..end], self.pattern.get(end)) {
            (_, Some(b'*' | b'?' | b'-')) | ([b'.'], _) => Start::Any,
            ([byte], _) => Start::Byte(*byte),
            _ => Start::Item(item, end),
        }
    }

    /// The first match that starts at `from` or behind, or for `anchored` only there: its start and end.
    pub fn search(&mut self, from: usize, anchored: bool) -> Result<Option<(usize, usize)>, Fault> {
        let first = if anchored { Start::Any } else { self.start() };
        let mut start = from;
        loop {
            // Elsewhere a match is impossible.
            let rest = self.subject.get(start..).unwrap_or_default();
            let skipped = match first {
                Start::Any => Some(0),
                Start::Byte(byte) => memchr::memchr(byte, rest),
                Start::Item(item, end) => rest.iter().position(|byte| self.matches(*byte, item, end)),
            };
            self.steps(skipped.unwrap_or(rest.len()) / 2)?;
            let Some(skipped) = skipped else { return Ok(None) };
            start += skipped;
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
    fn match_at(&mut self, start: usize) -> Result<Option<usize>, Fault> {
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
    fn advance(&mut self, s: &mut usize, p: &mut usize, retries: &mut Retries) -> Result<Step, Fault> {
        let pattern = self.pattern;
        match &pattern[*p..] {
            [] => return Ok(Step::Matched),
            [b'(', rest @ ..] => {
                let position = rest.first() == Some(&b')');
                let Some(capture) = self.captures.get_mut(self.level) else {
                    return Err(Fault::TooManyCaptures);
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
                    return Err(Fault::InvalidPatternCapture);
                };
                self.captures[newest].extent = Extent::Length(*s - self.captures[newest].start);
                retries.open(Retry::Reopen(newest))?;
                *p += 1;
                return Ok(Step::Go);
            }
            [b'%', b'b', rest @ ..] => {
                let [begin, end, ..] = rest else { return Err(Fault::Unbalanced) };
                let Some(behind) = self.balanced(*s, *begin, *end)? else { return Ok(Step::Failed) };
                *s = behind;
                *p += 4;
                return Ok(Step::Go);
            }
            [b'%', b'f', rest @ ..] => {
                if rest.first() != Some(&b'[') {
                    return Err(Fault::MissingSet);
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
                let count = self.run(from, item, end)?;
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
    fn retry(&mut self, s: &mut usize, p: &mut usize, retries: &mut Retries) -> Result<bool, Fault> {
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
    fn single(&mut self, s: usize, item: usize, end: usize) -> Result<bool, Fault> {
        let Some(byte) = self.subject.get(s) else { return Ok(false) };
        self.steps(1 + (end - item) / 4)?;
        Ok(self.matches(*byte, item, end))
    }

    #[inline]
    fn matches(&self, byte: u8, item: usize, end: usize) -> bool {
        match self.pattern[item] {
            b'.' => true,
            b'%' => class::escaped(byte, self.pattern[item + 1]),
            b'[' => class::set(byte, &self.pattern[item..end]),
            literal => literal == byte,
        }
    }

    /// How many bytes from `from` on the single item matches.
    fn run(&mut self, from: usize, item: usize, end: usize) -> Result<usize, Fault> {
        let rest = self.subject.get(from..).unwrap_or_default();
        let count = |matches: &dyn Fn(u8) -> bool| rest.iter().position(|byte| !matches(*byte)).unwrap_or(rest.len());
        let count = match &self.pattern[item..end] {
            [b'.'] => rest.len(),
            [b'%', letter] => match Class::of(*letter) {
                Some(class) => rest.iter().take_while(|byte| class.contains(**byte)).count(),
                None => count(&|byte| byte == *letter),
            },
            set @ [b'[', ..] => count(&|byte| class::set(byte, set)),
            literal => count(&|byte| literal == [byte]),
        };
        self.steps(1 + count / 2 + count.saturating_mul((end - item) / 4))?;
        Ok(count)
    }

    /// Behind the single item at `p`.
    fn item_end(&mut self, p: usize) -> Result<usize, Fault> {
        match self.pattern[p] {
            b'%' if p + 1 < self.pattern.len() => Ok(p + 2),
            b'%' => Err(Fault::EndsWithEscape),
            b'[' => {
                let mut at = p + 1 + usize::from(self.pattern.get(p + 1) == Some(&b'^'));
                // The first byte of a set is never its end.
                loop {
                    match self.pattern.get(at..) {
                        None | Some([]) => return Err(Fault::MissingBracket),
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
    fn balanced(&mut self, s: usize, begin: u8, end: u8) -> Result<Option<usize>, Fault> {
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
    fn back_reference(&mut self, s: usize, digit: u8) -> Result<Option<usize>, Fault> {
        let capture = usize::from(digit).checked_sub(usize::from(b'1')).and_then(|n| self.captures().get(n)).copied();
        match capture {
            Some(Capture { start, extent: Extent::Length(length) }) => {
                self.steps(length / 8)?;
                let text = &self.subject[start..start + length];
                Ok(self.subject[s..].starts_with(text).then_some(s + length))
            }
            // A position has no text that could come again.
            Some(Capture { extent: Extent::Position, .. }) => Ok(None),
            _ => Err(Fault::InvalidCaptureIndex),
        }
    }

    #[inline]
    fn step(&mut self) -> Result<(), Fault> {
        self.steps -= 1;
        if self.steps == 0 { self.spend(CHUNK.into()) } else { Ok(()) }
    }

    fn steps(&mut self, steps: usize) -> Result<(), Fault> {
        match u32::try_from(steps).ok().and_then(|steps| self.steps.checked_sub(steps)).filter(|left| *left > 0) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => self.spend(steps as u64 + u64::from(CHUNK - self.steps)),
        }
    }

    #[cold]
    fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        self.steps = CHUNK;
        if spend(steps) { Ok(()) } else { Err(Fault::BudgetSpent) }
    }
}

/// What every match starts with.
#[derive(Clone, Copy)]
enum Start {
    /// Unknown, or perhaps nothing.
    Any,
    Byte(u8),
    /// A byte that the single item between these places matches.
    Item(usize, usize),
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
