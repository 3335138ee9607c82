//! A byte buffer that Lua's long jumps cannot leak: first on the native stack, then in a userdata that Lua counts and
//! collects.

use heka_lua::{State, ffi, push_bytes, raise};
use std::ffi::c_int;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Room on the native stack for a buffer's first bytes.
pub type Room<const N: usize> = [MaybeUninit<u8>; N];

/// See the module. It has no destructor.
pub struct Scratch<'a> {
    state: State,
    /// Where on Lua's stack the userdata lies once there is one.
    slot: c_int,
    start: *mut u8,
    length: usize,
    capacity: usize,
    limit: usize,
    too_long: &'static [u8],
    room: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

/// An empty room. Its bytes are not initialised, which makes it free.
pub const fn room<const N: usize>() -> Room<N> {
    [MaybeUninit::uninit(); N]
}

impl<'a> Scratch<'a> {
    /// An empty buffer. Pushes a value that the caller leaves on the stack while it uses the buffer.
    ///
    /// # Safety
    /// `state` is live for `'a` and has room for a value.
    pub unsafe fn new<const N: usize>(state: State, room: &'a mut Room<N>) -> Scratch<'a> {
        unsafe {
            ffi::lua_pushnil(state);
            let slot = ffi::lua_gettop(state);
            let start = room.as_mut_ptr().cast();
            Scratch { state, slot, start, length: 0, capacity: N, limit: usize::MAX, too_long: b"", room: PhantomData }
        }
    }

    /// Makes the buffer raise `error`, without a position, when it would get longer than `limit` bytes.
    pub fn limit(&mut self, limit: usize, error: &'static [u8]) {
        self.limit = limit;
        self.capacity = self.capacity.min(limit);
        self.too_long = error;
    }

    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the first `length` bytes were written.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }

    /// Takes the last `count` bytes off.
    pub fn truncate_by(&mut self, count: usize) {
        self.length = self.length.saturating_sub(count);
    }

    /// Pushes what was written as a Lua string, in the place of the value that [`new`](Scratch::new) pushed. The
    /// values above it are the caller's; with none, the string is at the top.
    ///
    /// # Safety
    /// As [`push`](Scratch::push).
    pub unsafe fn finish(self) {
        unsafe {
            push_bytes(self.state, self.as_slice());
            ffi::lua_replace(self.state, self.slot);
        }
    }

    /// Appends a byte.
    ///
    /// # Safety
    /// The running function is the one that made the buffer, Lua's stack has room for a value, and no value with a
    /// destructor lives in a frame above Lua's: it raises a Lua error when the memory limit is reached.
    #[inline]
    pub unsafe fn push(&mut self, byte: u8) {
        unsafe {
            if self.length == self.capacity {
                self.grow(1);
            }
            self.start.add(self.length).write(byte);
            self.length += 1;
        }
    }

    /// Appends bytes.
    ///
    /// # Safety
    /// As [`push`](Scratch::push).
    #[inline]
    pub unsafe fn extend(&mut self, bytes: &[u8]) {
        unsafe {
            if self.capacity - self.length < bytes.len() {
                self.grow(bytes.len());
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.length), bytes.len());
            self.length += bytes.len();
        }
    }

    /// Makes room for `more` bytes.
    #[cold]
    unsafe fn grow(&mut self, more: usize) {
        let needed = self.length.saturating_add(more);
        if needed > self.limit {
            unsafe { raise(self.state, heka_lua::Raise::Bare(self.too_long.to_vec())) }
        }
        unsafe {
            let capacity = needed.max(self.capacity.saturating_mul(2)).min(self.limit);
            let block: *mut u8 = new_bytes(self.state, capacity);
            std::ptr::copy_nonoverlapping(self.start, block, self.length);
            ffi::lua_replace(self.state, self.slot);
            self.start = block;
            self.capacity = capacity;
        }
    }
}

/// Pushes a userdata of `size` bytes; a size that no machine has raises `not enough memory` as any other does.
///
/// # Safety
/// `state` is live and has room for a value. Raises a Lua error when the memory limit is reached.
pub unsafe fn new_bytes(state: State, size: usize) -> *mut u8 {
    // Near the largest size Lua would raise another text.
    unsafe { ffi::lua_newuserdata(state, size.min(isize::MAX as usize / 2)).cast() }
}
