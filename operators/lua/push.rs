//! Values onto the stack.

use crate::{State, ffi};
use std::ffi::CStr;

/// Pushes a string.
///
/// # Safety
/// `state` is live and has room for a value. Raises a Lua error when the memory limit is reached: no value with a
/// destructor may live in the caller's frame.
pub unsafe fn push_bytes(state: State, bytes: &[u8]) {
    unsafe { ffi::lua_pushlstring_(state, bytes.as_ptr().cast(), bytes.len()) }
}

/// Pushes an error's text with the position of the Lua code that called the running function, as `luaL_error` does.
///
/// # Safety
/// As [`push_bytes`].
pub unsafe fn push_error(state: State, text: &[u8]) {
    unsafe {
        ffi::luaL_where(state, 1);
        push_bytes(state, text);
        ffi::lua_concat(state, 2);
    }
}

/// Puts functions into the table at the top of the stack.
///
/// # Safety
/// `state` is live, a table is at the top, and there is room for two values. Raises a Lua error when the memory limit
/// is reached.
pub unsafe fn set_functions(state: State, functions: &[(&'static CStr, ffi::lua_CFunction)]) {
    for (name, function) in functions {
        unsafe {
            ffi::lua_pushcclosure(state, *function, 0);
            ffi::lua_setfield(state, -2, name.as_ptr());
        }
    }
}
