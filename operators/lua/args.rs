//! Arguments of a function called by Lua, with Lua's own error texts.

use crate::{State, ffi};
use std::ffi::{CStr, c_int};

/// The bytes of argument `n`; numbers are rendered as Lua does.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when the argument is neither string nor number: no
/// value with a destructor may live in the caller's frame. The bytes live as long as the argument stays on the stack.
pub unsafe fn bytes<'a>(state: State, n: c_int) -> &'a [u8] {
    unsafe {
        let mut length = 0;
        let start = ffi::luaL_checklstring(state, n, &mut length);
        std::slice::from_raw_parts(start.cast(), length)
    }
}

/// The bytes of argument `n`, or `None` when it is absent or nil.
///
/// # Safety
/// As [`bytes`].
pub unsafe fn opt_bytes<'a>(state: State, n: c_int) -> Option<&'a [u8]> {
    unsafe { if is_none_or_nil(state, n) { None } else { Some(bytes(state, n)) } }
}

/// The bytes of the string at stack index `n`, or `None` when there is no string. Never converts and never raises.
///
/// # Safety
/// `state` is live. The bytes live as long as the value stays on the stack.
pub unsafe fn bytes_at<'a>(state: State, n: c_int) -> Option<&'a [u8]> {
    unsafe {
        if ffi::lua_type(state, n) != ffi::LUA_TSTRING {
            return None;
        }
        let mut length = 0;
        let start = ffi::lua_tolstring(state, n, &mut length);
        Some(std::slice::from_raw_parts(start.cast(), length))
    }
}

/// The number in argument `n`; numeric strings are converted.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when the argument is not a number.
pub unsafe fn number(state: State, n: c_int) -> f64 {
    unsafe { ffi::luaL_checknumber(state, n) }
}

/// The number in argument `n`, or `default` when it is absent or nil.
///
/// # Safety
/// As [`number`].
pub unsafe fn opt_number(state: State, n: c_int, default: f64) -> f64 {
    unsafe { ffi::luaL_optnumber(state, n, default) }
}

/// The number in argument `n`, truncated; what does not fit is clamped, NaN is 0.
///
/// # Safety
/// As [`number`].
pub unsafe fn integer(state: State, n: c_int) -> i64 {
    unsafe { number(state, n) as i64 }
}

/// As [`integer`], or `default` when the argument is absent or nil.
///
/// # Safety
/// As [`number`].
pub unsafe fn opt_integer(state: State, n: c_int, default: i64) -> i64 {
    unsafe { if is_none_or_nil(state, n) { default } else { integer(state, n) } }
}

/// Whether argument `n` is absent or nil.
///
/// # Safety
/// `state` is live.
pub unsafe fn is_none_or_nil(state: State, n: c_int) -> bool {
    unsafe { ffi::lua_type(state, n) <= ffi::LUA_TNIL }
}

/// Raises `bad argument #n to 'function' (text)`, the function's name found as Lua finds it.
///
/// # Safety
/// `state` is live and called this function; no value with a destructor lives in the caller's frame.
pub unsafe fn arg_error(state: State, n: c_int, text: &'static CStr) -> ! {
    unsafe {
        ffi::luaL_argerror(state, n, text.as_ptr());
    }
    unreachable!("luaL_argerror does not return")
}
