//! The modules `lpeg` and `re` as scripts see them.

use crate::matching::{Shared, keep_shared, match_};
use crate::ops::{CONSTRUCTORS, OPERATORS};
use crate::pattern::{self, TYPE_NAME};
use crate::set::Set;
use heka_lua::{Raise, State, ffi, integer, push_bytes, raise};
use std::ffi::{CStr, c_int};

/// Pending calls and choices a match may have unless `setmaxstack` says otherwise.
const MAX_FRAMES: u32 = 100;

/// The version whose functions and texts these are.
const VERSION: &[u8] = b"0.12";

/// `re` is written in Lua.
const RE: &str = include_str!("re.lua");

type Functions = &'static [(&'static CStr, ffi::lua_CFunction)];

const OTHERS: Functions =
    &[(c"type", type_), (c"version", version), (c"setmaxstack", set_max_stack), (c"locale", locale)];

/// Opens `lpeg`.
///
/// # Safety
/// Called by Lua.
pub unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkstack_(state, 12, c"lpeg".as_ptr());
        if ffi::luaL_newmetatable_(state, TYPE_NAME.as_ptr()) == 0 {
            // Opened before: patterns have one metatable, so there is one module.
            ffi::lua_getfield_(state, -1, c"__index".as_ptr());
            return 1;
        }
        let metatable = ffi::lua_gettop(state);
        let shared: *mut Shared = ffi::lua_newuserdata(state, size_of::<Shared>()).cast();
        ffi::lua_getfield_(state, ffi::LUA_GLOBALSINDEX, c"tonumber".as_ptr());
        let tonumber = ffi::lua_tocfunction(state, -1);
        ffi::lua_settop(state, -2);
        shared.write(Shared { max_frames: MAX_FRAMES, fuel: 0, tonumber });
        keep_shared(state, metatable + 1);
        set_closures(state, OPERATORS, metatable, metatable);
        ffi::lua_createtable(state, 0, 24);
        let module = ffi::lua_gettop(state);
        for functions in [CONSTRUCTORS, OTHERS] {
            set_closures(state, functions, metatable, module);
        }
        ffi::lua_pushvalue(state, metatable);
        ffi::lua_pushvalue(state, metatable + 1);
        ffi::lua_pushnil(state);
        ffi::lua_pushnil(state);
        ffi::lua_pushcclosure(state, match_, 4);
        ffi::lua_setfield(state, module, c"match".as_ptr());
        ffi::lua_pushvalue(state, module);
        ffi::lua_setfield(state, metatable, c"__index".as_ptr());
        ffi::lua_pushvalue(state, module);
        ffi::lua_setfield(state, ffi::LUA_GLOBALSINDEX, c"lpeg".as_ptr());
    }
    1
}

/// Puts functions that have the metatable and the shared block, which lies above it, as upvalues into a table.
unsafe fn set_closures(state: State, functions: Functions, metatable: c_int, table: c_int) {
    for (name, function) in functions {
        unsafe {
            ffi::lua_pushvalue(state, metatable);
            ffi::lua_pushvalue(state, metatable + 1);
            ffi::lua_pushcclosure(state, *function, 2);
            ffi::lua_setfield(state, table, name.as_ptr());
        }
    }
}

/// Opens `re`.
///
/// # Safety
/// Called by Lua.
pub unsafe extern "C-unwind" fn open_re(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkstack_(state, 8, c"re".as_ptr());
        if ffi::luaL_loadbuffer(state, RE.as_ptr().cast(), RE.len(), c"=re".as_ptr()) != 0 {
            ffi::lua_error(state);
        }
        ffi::lua_pushcclosure(state, open, 0);
        ffi::lua_call(state, 0, 1);
        ffi::lua_call(state, 1, 1);
        ffi::lua_pushvalue(state, -1);
        ffi::lua_setfield(state, ffi::LUA_GLOBALSINDEX, c"re".as_ptr());
    }
    1
}

unsafe extern "C-unwind" fn type_(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkany(state, 1);
        if pattern::test(state, 1).is_some() { push_bytes(state, b"pattern") } else { ffi::lua_pushnil(state) }
    }
    1
}

unsafe extern "C-unwind" fn version(state: State) -> c_int {
    unsafe { push_bytes(state, VERSION) };
    1
}

unsafe extern "C-unwind" fn set_max_stack(state: State) -> c_int {
    unsafe {
        let frames = integer(state, 1);
        if frames < 1 {
            raise(state, Raise::argument(1, "out of range"));
        }
        Shared::of(state).max_frames = u32::try_from(frames).unwrap_or(u32::MAX).min(i32::MAX as u32);
    }
    0
}

unsafe extern "C-unwind" fn locale(state: State) -> c_int {
    type Holds = fn(&u8) -> bool;
    let classes: &[(&CStr, Holds)] = &[
        (c"alnum", u8::is_ascii_alphanumeric),
        (c"alpha", u8::is_ascii_alphabetic),
        (c"cntrl", u8::is_ascii_control),
        (c"digit", u8::is_ascii_digit),
        (c"graph", u8::is_ascii_graphic),
        (c"lower", u8::is_ascii_lowercase),
        (c"print", |byte| (b' '..=b'~').contains(byte)),
        (c"punct", u8::is_ascii_punctuation),
        (c"space", |byte| byte.is_ascii_whitespace() || *byte == 0x0b),
        (c"upper", u8::is_ascii_uppercase),
        (c"xdigit", u8::is_ascii_hexdigit),
    ];
    unsafe {
        if heka_lua::is_none_or_nil(state, 1) {
            ffi::lua_settop(state, 0);
            ffi::lua_createtable(state, 0, classes.len() as c_int);
        } else {
            ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
            ffi::lua_settop(state, 1);
        }
        for (name, holds) in classes {
            pattern::set(state, &Set::matching(|byte| holds(&byte)));
            ffi::lua_setfield(state, 1, name.as_ptr());
        }
    }
    1
}
