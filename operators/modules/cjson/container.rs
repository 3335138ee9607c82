//! An object or array whose end is not read yet: its elements wait on Lua's stack, and become a table at once.
//!
//! A table that grows from nothing is allocated anew at 1, 2, 4, 8 elements. Those that wait cost nothing of that,
//! and the table is made as if it had grown ([`layout`](super::layout)). What is long or deeply nested does not wait,
//! as Lua's stack has an end: it is set into the table as it comes.

use super::layout::{Entries, MOST};
use heka_lua::{State, ffi};
use std::ffi::c_int;
use std::mem::MaybeUninit;

/// Containers nested more deeply do not wait.
const DEEPEST: usize = 16;
/// Elements for which Lua's stack gets room at once.
const STEP: u32 = 8;
/// Slots above them: for a key, a value, and what is made of their bytes on the way.
const SPARE: c_int = 8;

/// The hashes of the keys that wait: those of the innermost object are the last.
pub struct Hashes<'a> {
    list: &'a mut HashRoom,
    length: usize,
}

/// Room for the hashes of all keys that may wait. It is not initialised, which makes it free.
pub type HashRoom = [MaybeUninit<u32>; MOST * DEEPEST];

pub const fn hash_room() -> HashRoom {
    [MaybeUninit::uninit(); MOST * DEEPEST]
}

impl Hashes<'_> {
    pub fn new(list: &mut HashRoom) -> Hashes<'_> {
        Hashes { list, length: 0 }
    }

    fn push(&mut self, hash: u32) {
        self.list[self.length].write(hash);
        self.length += 1;
    }

    /// Takes the last `count` off.
    fn pop(&mut self, count: usize) -> &[u32] {
        let list = &self.list[..self.length];
        self.length -= count;
        let taken = &list[self.length..];
        // SAFETY: what is below the length was pushed.
        unsafe { std::slice::from_raw_parts(taken.as_ptr().cast(), count) }
    }
}

/// See the module. Its slot on Lua's stack holds the table once there is one; its elements follow.
#[derive(Clone, Copy)]
pub struct Container {
    slot: c_int,
    /// Elements so far; for an object, keys.
    count: u32,
    /// A bit for each waiting value that is nil.
    nils: u32,
    pub object: bool,
    waits: bool,
}

impl Container {
    /// What no value is in: there is one value, at the bottom.
    pub const NONE: Container = Container { slot: 0, count: 0, nils: 0, object: false, waits: false };

    /// As bytes, for the stack of those further out.
    pub fn to_bytes(self) -> [u8; 16] {
        let flags = u32::from(self.object) | u32::from(self.waits) << 1;
        let words = [self.slot as u32, self.count, self.nils, flags];
        words.into_iter().fold(0, |all: u128, word| all << 32 | u128::from(word)).to_ne_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Container {
        let all = u128::from_ne_bytes(bytes);
        let [slot, count, nils, flags] = [96, 64, 32, 0].map(|shift| (all >> shift) as u32);
        Container { slot: slot as c_int, count, nils, object: flags & 1 != 0, waits: flags & 2 != 0 }
    }

    /// Begins one with `depth` others around it; `None` when Lua's stack is full.
    ///
    /// # Safety
    /// This and all below: `state` is live, and no value with a destructor lives in the caller's frame, as a Lua error
    /// is raised when the memory limit is reached. Lua's stack above the innermost container is as it left it.
    pub unsafe fn begin(state: State, object: bool, depth: usize) -> Option<Container> {
        unsafe {
            if ffi::lua_checkstack(state, 2 * STEP as c_int + SPARE) == 0 {
                return None;
            }
            let waits = depth < DEEPEST;
            if waits {
                ffi::lua_pushnil(state);
            } else {
                ffi::lua_createtable(state, 0, 0);
            }
            Some(Container { slot: ffi::lua_gettop(state), count: 0, nils: 0, object, waits })
        }
    }

    /// The object's next key is at the top; it has this hash.
    pub fn key(&mut self, hashes: &mut Hashes, hash: u32) {
        if self.waits {
            hashes.push(hash);
        }
    }

    /// Whether the hash of the next key is asked for.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// A complete element is at the top, which is nil or not.
    ///
    /// # Safety
    /// As [`begin`](Container::begin).
    #[inline]
    pub unsafe fn add(&mut self, state: State, hashes: &mut Hashes, nil: bool) {
        unsafe {
            self.count += 1;
            if !self.waits {
                return self.set(state);
            }
            if nil {
                self.nils |= 1 << (self.count - 1);
            }
            let full = self.count as usize == MOST || nil && !self.object;
            if full || self.count.is_multiple_of(STEP) && ffi::lua_checkstack(state, 2 * STEP as c_int + SPARE) == 0 {
                self.build(state, hashes);
            }
        }
    }

    /// The last element was read: leaves the table at the top.
    ///
    /// # Safety
    /// As [`begin`](Container::begin).
    pub unsafe fn end(&mut self, state: State, hashes: &mut Hashes) {
        if self.waits {
            unsafe { self.build(state, hashes) }
        }
    }

    unsafe fn set(&self, state: State) {
        unsafe {
            if self.object {
                ffi::lua_rawset(state, -3);
            } else {
                ffi::lua_rawseti_(state, -2, self.count as c_int);
            }
        }
    }

    /// Makes the table of what waits. From now on nothing does.
    unsafe fn build(&mut self, state: State, hashes: &mut Hashes) {
        self.waits = false;
        unsafe {
            if self.object {
                self.build_object(state, hashes);
            } else {
                self.build_array(state);
            }
        }
    }

    unsafe fn build_array(&mut self, state: State) {
        unsafe {
            // A nil can only be the last. It is set when the others are, as that may move them out of the array.
            let nil = self.nils != 0;
            let count = self.count - u32::from(nil);
            if nil {
                ffi::lua_settop(state, -2);
            }
            let size = if count == 0 { 0 } else { count.next_power_of_two() };
            ffi::lua_createtable(state, size as c_int, 0);
            ffi::lua_replace(state, self.slot);
            for n in (1..=count).rev() {
                ffi::lua_rawseti_(state, self.slot, n as c_int);
            }
            if nil {
                ffi::lua_pushnil(state);
                self.set(state);
            }
        }
    }

    unsafe fn build_object(&mut self, state: State, hashes: &mut Hashes) {
        let slot = self.slot;
        let count = self.count as usize;
        let key = |entry: usize| slot + 1 + 2 * entry as c_int;
        let entries = Entries {
            hashes: hashes.pop(count),
            nils: self.nils,
            same: |one, other| unsafe { ffi::lua_rawequal(state, key(one), key(other)) != 0 },
        };
        let plan = entries.plan();
        unsafe {
            ffi::lua_createtable(state, 0, plan.size as c_int);
            ffi::lua_replace(state, slot);
            let kept = plan.order[..plan.kept].iter().map(|entry| usize::from(*entry));
            for entry in kept.chain(plan.rest..count) {
                ffi::lua_pushvalue(state, key(entry));
                ffi::lua_pushvalue(state, key(entry) + 1);
                ffi::lua_rawset(state, slot);
            }
            ffi::lua_settop(state, slot);
        }
    }
}
