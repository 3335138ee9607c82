//! How far native recursion may go.
//!
//! Captures nest as deep as the subject says, and a function called for a capture may match again, so no count of one
//! match limits the native stack. What counts is the distance to the outermost match on the thread.

use std::cell::Cell;

/// Bytes of native stack for matches in matches and captures in captures, a quarter of a thread's usual stack.
const LIMIT: usize = 1 << 19;

thread_local! {
    /// The highest address at which a match has begun. Stacks grow downwards.
    static BASE: Cell<usize> = const { Cell::new(0) };
}

/// The lowest address that the stack may reach.
#[derive(Clone, Copy)]
pub struct Limit(usize);

#[inline(always)]
fn here() -> usize {
    let marker = 0_u8;
    &raw const marker as usize
}

impl Limit {
    /// The limit for a match that begins here.
    pub fn new() -> Limit {
        let base = BASE.get().max(here());
        BASE.set(base);
        Limit(base.saturating_sub(LIMIT))
    }

    #[inline(always)]
    pub fn is_reached(&self) -> bool {
        here() < self.0
    }
}
