//! The settings of a state's `cjson`, and the functions by which scripts change them.

use crate::arguments;
use heka_lua::{State, arg_error, arg_error_text, bytes_at, ffi, push_bytes};
use std::ffi::{CStr, c_int, c_void};

/// What to do with NaN and infinities.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum InvalidNumbers {
    Refuse,
    Write,
    Null,
}

/// One per state; upvalue 1 of every function of the module.
pub struct Settings {
    pub sparse_convert: bool,
    pub sparse_ratio: i32,
    pub sparse_safe: i32,
    pub encode_max_depth: i32,
    pub decode_max_depth: i32,
    pub precision: i32,
    pub encode_invalid: InvalidNumbers,
    pub decode_invalid: bool,
    pub decode_null: bool,
    /// The longest text that `encode` may return.
    pub longest: usize,
}

const DEFAULT: Settings = Settings {
    sparse_convert: false,
    sparse_ratio: 2,
    sparse_safe: 10,
    encode_max_depth: 1000,
    decode_max_depth: 1000,
    precision: 14,
    encode_invalid: InvalidNumbers::Refuse,
    decode_invalid: true,
    decode_null: false,
    longest: usize::MAX,
};

/// The address names the settings in the registry.
static KEY: u8 = 0;

/// Limits the texts that `cjson.encode` returns in this state to `output_limit - 1` bytes, as the host's own buffer
/// is; 0 is no limit. The host calls it once, before or after the module is opened.
///
/// # Safety
/// `state` is live and has room for three values. Raises a Lua error when the memory limit is reached: no value with a
/// destructor may live in the caller's frame.
pub unsafe fn set_output_limit(state: State, output_limit: usize) {
    unsafe {
        push_settings(state).longest = output_limit.checked_sub(1).unwrap_or(usize::MAX);
        ffi::lua_settop(state, -2);
    }
}

/// Pushes the state's settings, made at the first call.
///
/// # Safety
/// As [`set_output_limit`]. The reference lives as long as the state; the caller makes no second one meanwhile.
pub unsafe fn push_settings<'a>(state: State) -> &'a mut Settings {
    let key: *mut c_void = (&raw const KEY).cast_mut().cast();
    unsafe {
        ffi::lua_pushlightuserdata(state, key);
        ffi::lua_rawget_(state, ffi::LUA_REGISTRYINDEX);
        let found: *mut Settings = ffi::lua_touserdata(state, -1).cast();
        if let Some(settings) = found.as_mut() {
            return settings;
        }
        ffi::lua_settop(state, -2);
        let made: *mut Settings = ffi::lua_newuserdata(state, size_of::<Settings>()).cast();
        made.write(DEFAULT);
        ffi::lua_pushlightuserdata(state, key);
        ffi::lua_pushvalue(state, -2);
        ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
        &mut *made
    }
}

/// The settings of the running function.
///
/// # Safety
/// The running function is one of this module; the caller makes no second reference meanwhile.
pub unsafe fn settings<'a>(state: State) -> &'a mut Settings {
    unsafe { &mut *ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).cast() }
}

/// The functions that read and change settings. Each returns the setting as it is afterwards.
pub const FUNCTIONS: &[(&CStr, ffi::lua_CFunction)] = &[
    (c"encode_sparse_array", encode_sparse_array),
    (c"encode_max_depth", encode_max_depth),
    (c"decode_max_depth", decode_max_depth),
    (c"encode_number_precision", encode_number_precision),
    (c"encode_invalid_numbers", encode_invalid_numbers),
    (c"decode_invalid_numbers", decode_invalid_numbers),
    (c"decode_null", decode_null),
];

unsafe fn at_most(state: State, arguments: c_int) {
    unsafe {
        if ffi::lua_gettop(state) > arguments {
            arg_error(state, arguments + 1, c"found too many arguments");
        }
    }
}

/// Sets an integer from argument `n`, unless it is absent or nil, and pushes what holds now.
unsafe fn integer_setting(state: State, n: c_int, setting: &mut i32, least: i32, most: i32) {
    unsafe {
        if ffi::lua_type(state, n) > ffi::LUA_TNIL {
            let value = ffi::luaL_checknumber(state, n);
            if !(f64::from(least)..=f64::from(most)).contains(&value) {
                ffi::lua_pushfstring(state, c"expected integer between %d and %d".as_ptr(), least, most);
                arg_error_text(state, n, bytes_at(state, -1).unwrap_or_default());
            }
            *setting = value as i32;
        }
        ffi::lua_pushnumber(state, f64::from(*setting));
    }
}

/// The switch in argument `n`: a boolean or one of `names`, by place; `None` when it is absent or nil.
unsafe fn option(state: State, n: c_int, names: &[&[u8]]) -> Option<usize> {
    unsafe {
        match ffi::lua_type(state, n) {
            ffi::LUA_TNONE | ffi::LUA_TNIL => None,
            ffi::LUA_TBOOLEAN => Some(ffi::lua_toboolean(state, n) as usize),
            _ => Some(arguments::option(state, n, None, names)),
        }
    }
}

unsafe fn switch(state: State, n: c_int, setting: &mut bool) {
    unsafe {
        if let Some(place) = option(state, n, &[b"off", b"on"]) {
            *setting = place == 1;
        }
        ffi::lua_pushboolean(state, c_int::from(*setting));
    }
}

unsafe extern "C-unwind" fn encode_sparse_array(state: State) -> c_int {
    unsafe {
        at_most(state, 3);
        // Results are pushed above three arguments, present or not.
        ffi::lua_settop(state, 3);
        let settings = settings(state);
        switch(state, 1, &mut settings.sparse_convert);
        integer_setting(state, 2, &mut settings.sparse_ratio, 0, i32::MAX);
        integer_setting(state, 3, &mut settings.sparse_safe, 0, i32::MAX);
    }
    3
}

unsafe extern "C-unwind" fn encode_max_depth(state: State) -> c_int {
    unsafe {
        at_most(state, 1);
        integer_setting(state, 1, &mut settings(state).encode_max_depth, 1, i32::MAX);
    }
    1
}

unsafe extern "C-unwind" fn decode_max_depth(state: State) -> c_int {
    unsafe {
        at_most(state, 1);
        integer_setting(state, 1, &mut settings(state).decode_max_depth, 1, i32::MAX);
    }
    1
}

unsafe extern "C-unwind" fn encode_number_precision(state: State) -> c_int {
    unsafe {
        at_most(state, 1);
        integer_setting(state, 1, &mut settings(state).precision, 1, 17);
    }
    1
}

unsafe extern "C-unwind" fn encode_invalid_numbers(state: State) -> c_int {
    unsafe {
        at_most(state, 1);
        let setting = &mut settings(state).encode_invalid;
        match option(state, 1, &[b"off", b"on", b"null"]) {
            None => {}
            Some(0) => *setting = InvalidNumbers::Refuse,
            Some(1) => *setting = InvalidNumbers::Write,
            Some(_) => *setting = InvalidNumbers::Null,
        }
        match setting {
            InvalidNumbers::Refuse => ffi::lua_pushboolean(state, 0),
            InvalidNumbers::Write => ffi::lua_pushboolean(state, 1),
            InvalidNumbers::Null => push_bytes(state, b"null"),
        }
    }
    1
}

unsafe extern "C-unwind" fn decode_invalid_numbers(state: State) -> c_int {
    unsafe {
        at_most(state, 1);
        switch(state, 1, &mut settings(state).decode_invalid);
    }
    1
}

unsafe extern "C-unwind" fn decode_null(state: State) -> c_int {
    unsafe {
        at_most(state, 1);
        switch(state, 1, &mut settings(state).decode_null);
    }
    1
}
