//! Captures onto the Lua stack.

use super::matcher::{Capture, Extent, Matcher};
use heka_lua::{Raise, State, ffi, push_bytes, raise};
use std::ffi::c_int;

/// What a capture is for the script.
pub enum Captured<'a> {
    Text(&'a [u8]),
    /// Counted from 1.
    Position(usize),
}

/// Capture `n` of a match; without captures, the first is the whole match.
///
/// # Safety
/// `state` is live. Raises a Lua error when there is no such capture: no value with a destructor may live in the
/// caller's frame.
pub unsafe fn captured<'a>(state: State, matcher: &Matcher<'a>, n: usize, whole: (usize, usize)) -> Captured<'a> {
    match matcher.captures().get(n) {
        Some(Capture { start, extent: Extent::Length(length) }) => {
            Captured::Text(&matcher.subject[*start..start + length])
        }
        Some(Capture { start, extent: Extent::Position }) => Captured::Position(start + 1),
        Some(Capture { extent: Extent::Unfinished, .. }) => unsafe { raise(state, Raise::here("unfinished capture")) },
        None if n == 0 => Captured::Text(&matcher.subject[whole.0..whole.1]),
        None => unsafe { raise(state, Raise::here("invalid capture index")) },
    }
}

/// Pushes capture `n` of a match.
///
/// # Safety
/// As [`captured`], and there is room for a value.
pub unsafe fn push_capture(state: State, matcher: &Matcher, n: usize, whole: (usize, usize)) {
    unsafe {
        match captured(state, matcher, n, whole) {
            Captured::Text(text) => push_bytes(state, text),
            Captured::Position(position) => ffi::lua_pushnumber(state, position as f64),
        }
    }
}

/// Pushes all captures of a match, or the whole match when it has none, and returns their number.
///
/// # Safety
/// As [`captured`].
pub unsafe fn push_captures(state: State, matcher: &Matcher, whole: (usize, usize)) -> c_int {
    unsafe {
        let count = matcher.captures().len().max(1);
        ffi::luaL_checkstack_(state, count as c_int, c"too many captures".as_ptr());
        for n in 0..count {
            push_capture(state, matcher, n, whole);
        }
        count as c_int
    }
}
