//! How long a script may run: a count of VM instructions that no script can escape.
//!
//! The hook runs every thousand instructions at most, so that it can also look at the stop flag. Once the allowance is
//! spent it runs at every instruction and raises each time: a `pcall` around an endless loop catches the error and is
//! interrupted again, until the entry point returns.

use crate::host::shared;
use crate::{State, ffi};
use heka_lua::{push_bytes, push_error};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Instructions between two looks at the stop flag.
const STEP: u64 = 1000;
/// The first steps of a call, which show whether it is slow, and the steps behind a slow one.
const SHORT_STEP: u64 = 100;
const SLOW_STEP: u64 = 10;
/// A step that takes longer did something large in native code; processor time is counted from then on.
const SLOW: Duration = Duration::from_millis(5);
/// Processor time that a call may take behind its first slow step. The instruction limit does not bound what native
/// functions do (moving the elements of a table, comparing long texts), so this does. A call that is only kept waiting
/// by a busy machine does not use it up.
const SLOW_TOTAL: Duration = Duration::from_secs(2);
/// Steps of native work (a matcher's instructions, 64 bytes of a large copy) allowed per instruction of the limit.
const NATIVE_STEPS: u64 = 50;

/// Why a call ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The instruction limit, or its native counterpart, is reached.
    Limit,
    /// The stop flag was set.
    Stopped,
}

/// The allowance of one state.
#[derive(Default)]
pub(crate) struct Allowance {
    /// Where the remaining count lies in the state, if it was found.
    remaining: Cell<Option<usize>>,
    limit: Cell<u64>,
    left: Cell<u64>,
    step: Cell<u64>,
    ended: Cell<Option<Ended>>,
    last: Cell<Option<Instant>>,
    /// Processor time of the thread at the first slow step.
    slow: Cell<Option<Duration>>,
    stop: Option<Arc<AtomicBool>>,
}

impl Allowance {
    pub(crate) fn new(stop: Option<Arc<AtomicBool>>) -> Self {
        Allowance { stop, ..Allowance::default() }
    }

    /// Why the last call ended early, if it did.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended.get()
    }

    fn stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Begins a call of at most `limit` instructions; 0: any number.
    pub(crate) fn arm(&self, limit: u64) {
        let limit = if limit == 0 { u64::MAX } else { limit };
        self.limit.set(limit);
        self.left.set(limit);
        self.ended.set(None);
        self.last.set(None);
        self.slow.set(None);
        self.step.set(0);
        heka_lua::set_budget(limit.saturating_mul(NATIVE_STEPS), self.stop.as_ref());
    }

    /// Sets the hook, before the first instruction of the call.
    ///
    /// # Safety
    /// `state` is the live main state that this allowance is of.
    pub(crate) unsafe fn watch(&self, state: State) {
        unsafe { self.next_step(state, SHORT_STEP) };
    }

    unsafe fn next_step(&self, state: State, most: u64) {
        let step = self.left.get().min(most);
        self.step.set(step);
        // Also starts the count anew.
        unsafe { ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCOUNT, step as c_int) };
    }

    /// Takes the hook away and says how many instructions the call ran.
    ///
    /// # Safety
    /// As [`Allowance::watch`].
    pub(crate) unsafe fn disarm(&self, state: State) -> u64 {
        heka_lua::set_budget(u64::MAX, None);
        if self.step.get() == 0 {
            return 0;
        }
        let remaining = self.remaining.get().map_or(self.step.get(), |offset| {
            // SAFETY: `find_count` saw the hook's count at this offset.
            u64::try_from(unsafe { state.byte_add(offset).cast::<c_int>().read() }).unwrap_or(0)
        });
        unsafe { ffi::lua_sethook(state, None, 0, 0) };
        (self.limit.get() - self.left.get()) + self.step.get().saturating_sub(remaining)
    }

    /// Finds where the state keeps the instructions left until the next hook, which the API does not tell: the
    /// second of two neighbouring numbers that follow what `lua_sethook` is given. Without it counts are whole steps.
    ///
    /// # Safety
    /// `state` is live and its first 160 bytes are its own, as they are in reference Lua 5.1.
    pub(crate) unsafe fn find_count(&self, state: State) {
        let mut found: Option<usize> = None;
        for mark in [0x005e_ed01, 0x00a1_b2c3] {
            unsafe { ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCOUNT, mark) };
            let is_pair = |offset: &usize| {
                let at = unsafe { state.byte_add(*offset).cast::<c_int>() };
                unsafe { at.read() == mark && at.add(1).read() == mark }
            };
            let pair = (0..152).step_by(4).find(is_pair).map(|offset| offset + 4);
            found = if mark == 0x005e_ed01 || found == pair { pair } else { None };
        }
        unsafe { ffi::lua_sethook(state, None, 0, 0) };
        self.remaining.set(found);
    }

    /// Accounts for the step that has just ended.
    fn advance(&self) -> Option<Ended> {
        if let Some(ended) = self.ended.get() {
            return Some(ended);
        }
        if self.stopped() {
            return Some(Ended::Stopped);
        }
        self.left.set(self.left.get().saturating_sub(self.step.get()));
        if self.limit.get() == u64::MAX {
            return None;
        }
        if self.left.get() == 0 || !heka_lua::spend(0) || self.is_too_slow() {
            return Some(Ended::Limit);
        }
        None
    }

    fn is_too_slow(&self) -> bool {
        if let Some(begun) = self.slow.get() {
            return processor_time().saturating_sub(begun) > SLOW_TOTAL;
        }
        let now = Instant::now();
        let took = self.last.replace(Some(now)).map_or(Duration::ZERO, |last| now - last);
        if took > SLOW {
            self.slow.set(Some(processor_time()));
        }
        false
    }
}

unsafe extern "C-unwind" fn hook(state: State, _: *mut ffi::lua_Debug) {
    // SAFETY: the host's own states alone have this hook; nothing here has a destructor when an error is raised.
    unsafe {
        let shared = shared(state);
        let allowance = &shared.allowance;
        let is_first = allowance.last.get().is_none();
        let Some(ended) = allowance.advance() else {
            let most = match allowance.slow.get() {
                Some(_) => SLOW_STEP,
                None if is_first => SHORT_STEP,
                None => STEP,
            };
            allowance.next_step(state, most);
            crate::memory::pace(state, &shared.memory);
            return;
        };
        allowance.ended.set(Some(ended));
        allowance.step.set(1);
        // A coroutine counts for itself, so whoever resumed it is interrupted too.
        ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCOUNT, 1);
        ffi::lua_sethook(shared.main(), Some(hook), ffi::LUA_MASKCOUNT, 1);
        match ended {
            Ended::Limit => push_error(state, b"instruction_limit exceeded"),
            Ended::Stopped => push_bytes(state, b"shutting down"),
        }
        ffi::lua_error(state)
    }
}

/// Processor time that this thread has used.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the structure, which stays 0 should it fail.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The address of the allocator's data, which is how functions find what belongs to their state.
///
/// # Safety
/// `state` is live.
pub(crate) unsafe fn allocator_data(state: State) -> *mut c_void {
    let mut data = std::ptr::null_mut();
    unsafe { ffi::lua_getallocf(state, &mut data) };
    data
}
