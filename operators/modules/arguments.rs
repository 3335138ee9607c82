//! Checks of arguments that several modules share.

use heka_lua::{State, arg_error, arg_error_text, bytes, bytes_at, ffi, is_none_or_nil, number};
use std::ffi::{CStr, c_int};

/// Raises `error` for argument 0, as scripts know it, when the call has fewer than `count` arguments.
///
/// # Safety
/// `state` is live and called this function; no value with a destructor lives in the caller's frame.
#[inline]
pub unsafe fn count_at_least(state: State, count: c_int, error: &'static CStr) {
    unsafe {
        if ffi::lua_gettop(state) < count {
            arg_error(state, 0, error);
        }
    }
}

/// The number in argument `n` without its fraction, within what a count can be; NaN is 0.
///
/// # Safety
/// As [`number`].
pub unsafe fn whole(state: State, n: c_int) -> f64 {
    unsafe { f64::from(number(state, n) as i32) }
}

/// The place of the name in argument `n` among `names`; `default` when it is absent or nil.
///
/// # Safety
/// As [`count_at_least`].
pub unsafe fn option(state: State, n: c_int, default: Option<usize>, names: &[&[u8]]) -> usize {
    unsafe {
        if let Some(place) = default
            && is_none_or_nil(state, n)
        {
            return place;
        }
        let name = bytes(state, n);
        match names.iter().position(|known| *known == name) {
            Some(place) => place,
            None => {
                ffi::lua_pushfstring(state, c"invalid option '%s'".as_ptr(), name.as_ptr());
                arg_error_text(state, n, bytes_at(state, -1).unwrap_or_default())
            }
        }
    }
}
