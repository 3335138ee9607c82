//! The allocator of one Lua state: counts what the state holds and refuses what would exceed its limit.

use crate::ffi;
use std::alloc::Layout;
use std::cell::Cell;
use std::ffi::c_void;

/// Blocks larger than this are charged to the native budget of the running call: copying them takes time that the
/// instruction count does not see.
const LARGE: usize = 4096;
/// Bytes of a large block that cost one step of the native budget.
const BYTES_PER_STEP: usize = 64;

/// What a Lua state holds, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    current: Cell<usize>,
    max: Cell<usize>,
    /// What the empty state held: the limit counts above it.
    base: Cell<usize>,
    /// 0: none.
    limit: Cell<usize>,
    /// The pause and the speed of the collector, as set last.
    pace: Cell<(i32, i32)>,
}

impl Memory {
    pub(crate) fn current(&self) -> usize {
        self.current.get()
    }

    pub(crate) fn max(&self) -> usize {
        self.max.get()
    }

    /// What is there now belongs to the empty state.
    pub(crate) fn set_base(&self) {
        self.base.set(self.current.get());
    }

    /// Sets the limit in bytes above the empty state, 0 for none, and gives the one before.
    pub(crate) fn set_limit(&self, limit: usize) -> usize {
        self.limit.replace(limit)
    }

    /// The maximum counts anew from here.
    pub(crate) fn reset_max(&self) {
        self.max.set(self.current.get());
    }

    /// How full the state is, as a percentage of its limit; 0 without one.
    pub(crate) fn fill(&self) -> usize {
        let used = self.current.get().saturating_sub(self.base.get());
        used.saturating_mul(100).checked_div(self.limit.get()).unwrap_or(0)
    }

    fn admits(&self, old: usize, new: usize) -> bool {
        let limit = self.limit.get();
        let wanted = (self.current.get() - old).saturating_add(new);
        limit == 0 || new <= old || wanted.saturating_sub(self.base.get()) <= limit
    }

    fn count(&self, old: usize, new: usize) {
        let current = self.current.get() - old + new;
        self.current.set(current);
        self.max.set(self.max.get().max(current));
        if new > LARGE && new > old {
            heka_lua::spend((new / BYTES_PER_STEP) as u64);
        }
    }
}

/// Lua's allocation function; `data` points to the state's [`Memory`], which is the first member of what the state's
/// owner keeps for it.
pub(crate) unsafe extern "C" fn allocate(data: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    // SAFETY: the owner keeps the memory's address while the state lives, and touches it by shared references only.
    let memory = unsafe { &*data.cast::<Memory>() };
    // Lua says 0 for a block that is not there, whatever it says of its size.
    let old = if block.is_null() { 0 } else { old };
    if new == 0 {
        if let (1.., Some(layout)) = (old, layout(old)) {
            memory.count(old, 0);
            // SAFETY: the block came from below, with the size that Lua remembers.
            unsafe { std::alloc::dealloc(block.cast(), layout) };
        }
        return std::ptr::null_mut();
    }
    let (Some(before), Some(after)) = (layout(old), layout(new)) else { return std::ptr::null_mut() };
    if !memory.admits(old, new) {
        return std::ptr::null_mut();
    }
    // SAFETY: as above, and the sizes are not 0.
    let moved =
        unsafe { if old == 0 { std::alloc::alloc(after) } else { std::alloc::realloc(block.cast(), before, new) } };
    if !moved.is_null() {
        memory.count(old, new);
    }
    moved.cast()
}

/// How Lua's blocks lie: as C's allocator would place them. `None`: no machine has that much.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size, 16).ok()
}

/// Adapts the collector's pace to how full the state is, so that garbage alone does not reach the limit.
///
/// # Safety
/// `state` is live.
pub(crate) unsafe fn pace(state: crate::State, memory: &Memory) {
    let (pause, speed) = match memory.fill() {
        0..50 => (200, 200),
        50..70 => (120, 400),
        _ => (100, 1000),
    };
    if memory.pace.replace((pause, speed)) == (pause, speed) {
        return;
    }
    // SAFETY: both set a number of the collector and do nothing else.
    unsafe {
        ffi::lua_gc(state, ffi::LUA_GCSETPAUSE, pause);
        ffi::lua_gc(state, ffi::LUA_GCSETSTEPMUL, speed);
    }
}
