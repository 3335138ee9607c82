//! Native work charged to the running call's budget.

use heka_lua::{Raise, State, raise, spend};
use std::cell::Cell;

/// The text that the host's own limit has.
pub const EXCEEDED: &[u8] = b"instruction_limit exceeded";

/// Bytes of plain copying or scanning that cost about as much as one step.
const BYTES_PER_STEP: usize = 16;

/// Steps that are taken from the budget at once.
const CHUNK: u64 = 256;

thread_local! {
    static PENDING: Cell<u64> = const { Cell::new(0) };
}

/// Charges for reading or writing `bytes` once.
///
/// # Safety
/// `state` is live. Raises a Lua error when the budget is spent: no value with a destructor may live in the caller's
/// frame.
pub unsafe fn spend_bytes(state: State, bytes: usize) {
    unsafe { spend_steps(state, (bytes / BYTES_PER_STEP) as u64) }
}

/// Charges for `steps` of a loop.
///
/// # Safety
/// As [`spend_bytes`].
#[inline]
pub unsafe fn spend_steps(state: State, steps: u64) {
    let pending = PENDING.get() + steps;
    if pending < CHUNK {
        PENDING.set(pending);
        return;
    }
    PENDING.set(0);
    if !spend(pending) {
        unsafe { exceeded(state) }
    }
}

/// Raises the error of a spent budget.
///
/// # Safety
/// As [`spend_bytes`].
#[cold]
pub unsafe fn exceeded(state: State) -> ! {
    unsafe { raise(state, Raise::Bare(EXCEEDED.to_vec())) }
}
