//! Patterns as Lua holds them: a userdata with the words of a tree, and its table of Lua values as environment.
//!
//! Everything lies in memory from Lua's allocator, and nothing needs a destructor, so any function here may raise a
//! Lua error at any point.

use crate::program::Program;
use crate::tree::{self, Tag, Tree};
use heka_lua::{Raise, State, ffi, raise, spend};
use std::ffi::{CStr, c_int};

/// The name of the metatable in the registry, as error texts show it.
pub const TYPE_NAME: &CStr = c"lpeg-pattern";

/// Words in a tree: 8 MiB.
const MAX_WORDS: u64 = 1 << 20;
/// Instructions a tree may compile to, by an estimate from above: 8 MiB.
const MAX_WEIGHT: u64 = 1 << 20;
/// Inner nodes one below the other. The compiler descends as deep on the native stack.
const MAX_DEPTH: u32 = 500;
/// Lua values in a pattern: keys are 16 bits wide.
const MAX_VALUES: u32 = u16::MAX as u32;

/// What precedes the words of a tree in its userdata.
#[repr(C)]
pub struct Header {
    words: u32,
    depth: u32,
    weight: u32,
    /// How many entries of the environment are this pattern's values. The programs may follow them.
    pub values: u32,
    /// The compiled programs, or null, by their purpose. They are userdata at `values + 1` and `values + 2` in the
    /// environment.
    pub programs: [*const Program; 2],
}

/// How large a pattern is to be.
#[derive(Clone, Copy)]
pub struct Shape {
    pub words: u64,
    /// Inner nodes from the root to the deepest leaf.
    pub depth: u32,
    /// Instructions it may compile to.
    pub weight: u64,
    pub values: u32,
}

impl Header {
    pub fn shape(&self) -> Shape {
        Shape { words: u64::from(self.words), depth: self.depth, weight: u64::from(self.weight), values: self.values }
    }

    pub fn words(&self) -> &[u64] {
        // SAFETY: `push` made room for the words behind the header and set them all.
        unsafe { std::slice::from_raw_parts((&raw const *self).add(1).cast(), self.words as usize) }
    }

    pub fn words_mut(&mut self) -> &mut [u64] {
        // SAFETY: as above, and the header is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut((&raw mut *self).add(1).cast(), self.words as usize) }
    }

    pub fn tree(&self) -> Tree<'_> {
        Tree::new(self.words())
    }
}

/// Raises the error of work that took too long.
///
/// # Safety
/// As [`raise`].
pub unsafe fn out_of_budget(state: State) -> ! {
    unsafe { raise(state, Raise::here("instruction_limit exceeded")) }
}

/// Pushes a pattern whose words are all zero, which the caller sets. Upvalue 1 of the running function is the
/// metatable of patterns.
///
/// # Safety
/// `state` is live and has room for two values. Raises a Lua error when the pattern would be too large.
pub unsafe fn push(state: State, shape: Shape) -> &'static mut Header {
    unsafe {
        if shape.words > MAX_WORDS || shape.weight > MAX_WEIGHT {
            raise(state, Raise::here("pattern too big"));
        }
        if shape.depth > MAX_DEPTH {
            raise(state, Raise::here("pattern nested too deeply"));
        }
        if shape.values > MAX_VALUES {
            raise(state, Raise::here("too many Lua values in pattern"));
        }
        if !spend(1 + shape.words / 16) {
            out_of_budget(state);
        }
        let size = size_of::<Header>() + shape.words as usize * size_of::<u64>();
        let header: *mut Header = ffi::lua_newuserdata(state, size).cast();
        header.cast::<u8>().write_bytes(0, size);
        header.write(Header {
            words: shape.words as u32,
            depth: shape.depth,
            weight: shape.weight as u32,
            values: shape.values,
            programs: [std::ptr::null(); 2],
        });
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_setmetatable(state, -2);
        &mut *header
    }
}

/// The pattern at stack index `n`, or `None` when there is something else. Upvalue 1 of the running function is the
/// metatable of patterns.
///
/// # Safety
/// `state` is live and has room for a value. The pattern lives as long as it stays on the stack.
#[inline]
pub unsafe fn test(state: State, n: c_int) -> Option<&'static mut Header> {
    unsafe {
        let block: *mut Header = ffi::lua_touserdata(state, n).cast();
        if block.is_null() || ffi::lua_getmetatable(state, n) == 0 {
            return None;
        }
        let same = ffi::lua_rawequal(state, -1, ffi::lua_upvalueindex(1)) != 0;
        ffi::lua_settop(state, -2);
        if same { Some(&mut *block) } else { None }
    }
}

/// The pattern in argument `n`; a value that stands for a pattern is replaced by it.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when the argument is no pattern.
pub unsafe fn check(state: State, n: c_int) -> &'static mut Header {
    unsafe {
        if let Some(pattern) = test(state, n) {
            return pattern;
        }
        match ffi::lua_type(state, n) {
            ffi::LUA_TSTRING => literal(state, heka_lua::bytes(state, n)),
            ffi::LUA_TNUMBER => count(state, ffi::lua_tonumber(state, n) as i64),
            ffi::LUA_TBOOLEAN => {
                let tag = if ffi::lua_toboolean(state, n) != 0 { Tag::True } else { Tag::False };
                leaf(state, tag, 0, 0);
            }
            ffi::LUA_TTABLE => crate::grammar::push(state, n),
            ffi::LUA_TFUNCTION => {
                leaf(state, Tag::True, 0, 0);
                wrap(state, -1, Tag::Runtime, Extra::Value(n));
                ffi::lua_remove(state, -2);
            }
            _ => {
                ffi::luaL_typerror(state, n, TYPE_NAME.as_ptr());
            }
        }
        ffi::lua_replace(state, n);
        // One of the calls above pushed a pattern, or raised an error.
        &mut *ffi::lua_touserdata(state, n).cast()
    }
}

/// Pushes a leaf without values and bytes.
///
/// # Safety
/// As [`push`].
pub unsafe fn leaf(state: State, tag: Tag, key: u16, n: u32) {
    let facts = match tag {
        Tag::True => tree::NULLABLE | tree::NOFAIL,
        Tag::Position | Tag::Const | Tag::Arg | Tag::Backref => tree::NULLABLE | tree::NOFAIL | tree::CAPTURES,
        Tag::OpenCall => tree::OPEN,
        _ => 0,
    };
    let words = if tag == Tag::OpenCall { 2 } else { 1 };
    let header =
        unsafe { push(state, Shape { words, depth: 0, weight: 1, values: u32::from(tag.has_value() && key > 0) }) };
    header.words_mut()[0] = tree::word(tag, facts, key, n);
}

/// Pushes a leaf with the Lua value at stack index `value`.
///
/// # Safety
/// As [`push`], with room for four values.
pub unsafe fn leaf_with(state: State, tag: Tag, value: c_int) {
    unsafe {
        let is_nil = ffi::lua_type(state, value) <= ffi::LUA_TNIL;
        leaf(state, tag, u16::from(!is_nil), 0);
        if !is_nil {
            ffi::lua_createtable(state, 1, 0);
            ffi::lua_pushvalue(state, value);
            ffi::lua_rawseti_(state, -2, 1);
            ffi::lua_setfenv(state, -2);
        }
    }
}

/// Pushes a pattern that matches a string.
///
/// # Safety
/// As [`push`].
pub unsafe fn literal(state: State, bytes: &[u8]) {
    unsafe {
        if bytes.is_empty() {
            return leaf(state, Tag::True, 0, 0);
        }
        let words = tree::bytes_words(bytes.len());
        let shape = Shape { words: words as u64, depth: 0, weight: 1 + bytes.len() as u64 / 256, values: 0 };
        tree::write_bytes(bytes, push(state, shape).words_mut());
    }
}

/// Pushes a pattern that matches a byte of the set.
///
/// # Safety
/// As [`push`].
pub unsafe fn set(state: State, set: &crate::set::Set) {
    let shape = Shape { words: tree::set_words(set) as u64, depth: 0, weight: 1, values: 0 };
    tree::write_set(set, unsafe { push(state, shape).words_mut() });
}

/// Pushes a pattern that matches any `n` bytes, or only where fewer than `-n` remain.
unsafe fn count(state: State, n: i64) {
    unsafe {
        let Ok(bytes) = u32::try_from(n.unsigned_abs()) else { raise(state, Raise::here("pattern too big")) };
        match n {
            0 => leaf(state, Tag::True, 0, 0),
            1.. => leaf(state, Tag::Any, 0, bytes),
            _ => {
                leaf(state, Tag::Any, 0, bytes);
                wrap(state, -1, Tag::Not, Extra::Nothing);
                ffi::lua_remove(state, -2);
            }
        }
    }
}

/// What a node has beside its child.
#[derive(Clone, Copy)]
pub enum Extra {
    Nothing,
    /// The Lua value at a stack index.
    Value(c_int),
    /// A number in place of the key.
    Key(u16),
    /// A number of repetitions.
    Count(u32),
}

/// Pushes an inner node whose only child is the pattern at stack index `child`.
///
/// # Safety
/// As [`push`], with room for five values; a pattern is at `child`.
pub unsafe fn wrap(state: State, child: c_int, tag: Tag, extra: Extra) {
    unsafe {
        let child = absolute(state, child);
        let inner = &*ffi::lua_touserdata(state, child).cast::<Header>();
        let value = match extra {
            Extra::Value(n) if ffi::lua_type(state, n) > ffi::LUA_TNIL => Some(absolute(state, n)),
            _ => None,
        };
        let (key, head, count) = match extra {
            Extra::Key(key) => (key, 1, None),
            Extra::Count(count) => (0, 2, Some(count)),
            _ if value.is_some() => ((inner.values + 1) as u16, 1, None),
            _ => (0, 1, None),
        };
        let mut shape = inner.shape();
        shape.words += head;
        shape.depth += 1;
        shape.weight = shape.weight.saturating_mul(u64::from(count.unwrap_or(0)) + 1) + 4;
        shape.values += u32::from(value.is_some());
        let outer = push(state, shape).words_mut();
        let facts = inner.tree().facts();
        outer[0] = tree::word(tag, tree::combine(tag, facts, facts, facts, count == Some(0)), key, shape.words as u32);
        if let Some(count) = count {
            outer[1] = u64::from(count);
        }
        tree::copy(inner.words(), &mut outer[head as usize..], 0);
        if let Some(value) = value {
            ffi::lua_createtable(state, shape.values as c_int, 0);
            copy_values(state, child, inner.values, 0);
            ffi::lua_pushvalue(state, value);
            ffi::lua_rawseti_(state, -2, shape.values as c_int);
            ffi::lua_setfenv(state, -2);
        } else {
            share_values(state, child, inner.values);
        }
    }
}

/// Pushes the sequence or choice of the patterns at stack indices `left` and `right`. A part that is a sequence or
/// choice itself becomes part of the new one, so that long chains stay flat.
///
/// # Safety
/// As [`push`], with room for five values; patterns are at both indices, which are not relative to the top.
pub unsafe fn join(state: State, tag: Tag, left: c_int, right: c_int) {
    unsafe {
        let parts = [left, right].map(|n| &*ffi::lua_touserdata(state, n).cast::<Header>());
        let inside = parts.map(|part| if part.tree().tag() == tag { part.tree().inside() } else { part.words() });
        let depth = parts.map(|part| part.depth + u32::from(part.tree().tag() != tag));
        let [left_shape, right_shape] = parts.map(Header::shape);
        let shape = Shape {
            words: 1 + (inside[0].len() + inside[1].len()) as u64,
            depth: depth[0].max(depth[1]),
            weight: left_shape.weight + right_shape.weight + if tag == Tag::Choice { 3 } else { 0 },
            values: left_shape.values + right_shape.values,
        };
        let words = push(state, shape).words_mut();
        let facts = parts.map(|part| part.tree().facts());
        let facts = tree::combine(tag, facts[0], facts[0] | facts[1], facts[0] & facts[1], false);
        words[0] = tree::word(tag, facts, 0, shape.words as u32);
        let (first, second) = words[1..].split_at_mut(inside[0].len());
        tree::copy(inside[0], first, 0);
        tree::copy(inside[1], second, left_shape.values as u16);
        join_values(state, left, left_shape.values, right, right_shape.values);
    }
}

/// Gives the pattern at the top the values of two others.
unsafe fn join_values(state: State, left: c_int, left_count: u32, right: c_int, right_count: u32) {
    unsafe {
        if right_count == 0 {
            return share_values(state, left, left_count);
        }
        if left_count == 0 {
            return share_values(state, right, right_count);
        }
        ffi::lua_createtable(state, (left_count + right_count) as c_int, 0);
        copy_values(state, left, left_count, 0);
        copy_values(state, right, right_count, left_count);
        ffi::lua_setfenv(state, -2);
    }
}

/// Gives the pattern at the top the table of values of the pattern at stack index `from`.
unsafe fn share_values(state: State, from: c_int, count: u32) {
    unsafe {
        if count > 0 {
            ffi::lua_getfenv(state, from);
            ffi::lua_setfenv(state, -2);
        }
    }
}

/// Copies the values of the pattern at stack index `from` (not relative to the top) into the table at the top, behind
/// its first `after`.
///
/// # Safety
/// `state` is live and has room for two values.
pub unsafe fn copy_values(state: State, from: c_int, count: u32, after: u32) {
    unsafe {
        ffi::lua_getfenv(state, from);
        for key in 1..=count {
            ffi::lua_rawgeti_(state, -1, key as c_int);
            ffi::lua_rawseti_(state, -3, (after + key) as c_int);
        }
        ffi::lua_settop(state, -2);
    }
}

/// The same stack index, counted from the bottom.
unsafe fn absolute(state: State, n: c_int) -> c_int {
    unsafe { if n < 0 { ffi::lua_gettop(state) + n + 1 } else { n } }
}
