//! The matcher's stack: what to try next, or to undo, when the rest of a pattern does not match.

use super::fault::Fault;
use std::mem::MaybeUninit;

/// What to do when the rest of the pattern does not match.
#[derive(Clone, Copy)]
pub enum Retry {
    /// Give back one of the repetitions that start at `from`; now there are `count`.
    Fewer { from: usize, count: usize, rest: usize },
    /// Match the item at `item` once more at `at`.
    More { at: usize, item: usize, end: usize },
    /// Go on without the optional item.
    Without { at: usize, rest: usize },
    /// Forget the newest capture.
    Uncapture,
    /// The capture is not finished after all.
    Reopen(usize),
}

/// How many may be kept without allocating.
const NEAR: usize = 24;

/// How many may be kept at all. The reference has the native stack's end instead of this.
const MOST: usize = 1 << 16;

/// A stack whose first entries need no allocation, nor initialisation: most matches end with a few.
pub struct Retries {
    near: [MaybeUninit<Retry>; NEAR],
    used: usize,
    far: Vec<Retry>,
}

impl Retries {
    pub fn new() -> Retries {
        Retries { near: [MaybeUninit::uninit(); NEAR], used: 0, far: Vec::new() }
    }

    #[inline]
    pub fn open(&mut self, retry: Retry) -> Result<(), Fault> {
        if let Some(place) = self.near.get_mut(self.used) {
            place.write(retry);
            self.used += 1;
            return Ok(());
        }
        if self.far.len() == MOST {
            return Err(Fault::TooComplex);
        }
        self.far.push(retry);
        Ok(())
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Retry> {
        if let Some(retry) = self.far.pop() {
            return Some(retry);
        }
        self.used = self.used.checked_sub(1)?;
        // SAFETY: the places below `used` were written.
        Some(unsafe { self.near[self.used].assume_init() })
    }
}
