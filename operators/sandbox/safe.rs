//! Functions of the standard library that a script could turn against the host, in forms that it cannot.

use crate::{State, ffi};
use heka_lua::{Raise, raise};
use std::ffi::{c_int, c_void};

/// `pcall(f, ...)`. Lua's own pushes its first result behind however many the call gave, where no room was made for it.
pub(crate) unsafe extern "C-unwind" fn pcall(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkany(state, 1);
        ffi::lua_pushboolean(state, 1);
        ffi::lua_insert(state, 1);
        if ffi::lua_pcall(state, ffi::lua_gettop(state) - 2, ffi::LUA_MULTRET, 0) != ffi::LUA_OK {
            ffi::lua_pushboolean(state, 0);
            ffi::lua_replace(state, 1);
        }
        ffi::lua_gettop(state)
    }
}

/// `xpcall(f, handler)`. Lua's own runs the handler inside the instruction hook when that raised the error, where no
/// hook interrupts it; this one runs it behind the call. No script can tell, as none has the `debug` library.
pub(crate) unsafe extern "C-unwind" fn xpcall(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkany(state, 2);
        ffi::lua_settop(state, 2);
        ffi::lua_pushboolean(state, 1);
        ffi::lua_pushvalue(state, 1);
        let status = ffi::lua_pcall(state, 0, ffi::LUA_MULTRET, 0);
        if status == ffi::LUA_OK {
            return ffi::lua_gettop(state) - 2;
        }
        if status == ffi::LUA_ERRRUN {
            ffi::lua_pushvalue(state, 2);
            ffi::lua_insert(state, 4);
            if ffi::lua_pcall(state, 1, 1, 0) != ffi::LUA_OK {
                ffi::lua_settop(state, 3);
                ffi::lua_pushstring_(state, c"error in error handling".as_ptr());
            }
        }
        ffi::lua_pushboolean(state, 0);
        ffi::lua_replace(state, 3);
    }
    2
}

/// An integer argument as Lua's own functions read it, except that nothing overflows.
unsafe fn index(state: State, n: c_int, default: i64) -> i64 {
    let number = unsafe { heka_lua::opt_number(state, n, default as f64) };
    // What does not fit is clamped; table indexes have 32 bits.
    number.clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i64
}

/// `unpack(list [, i [, j]])`. The difference of the indexes overflows in Lua's own, and a compiler may then drop the
/// check of the stack.
pub(crate) unsafe extern "C-unwind" fn unpack(state: State) -> c_int {
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let first = index(state, 2, 1);
        let last =
            if heka_lua::is_none_or_nil(state, 3) { ffi::lua_objlen(state, 1) as i64 } else { index(state, 3, 0) };
        let count = (last - first + 1).max(0);
        // Lua itself refuses more than 8000 slots in one function.
        if count > 8000 || ffi::lua_checkstack(state, count as c_int) == 0 {
            raise(state, Raise::here("too many results to unpack"));
        }
        for at in first..=last {
            ffi::lua_rawgeti_(state, 1, at as c_int);
        }
        count as c_int
    }
}

/// How far before or behind a list's elements `table.insert` may put one.
const BEYOND: i64 = 1 << 16;

/// `table.insert(list, [pos,] value)`. Lua's own moves elements from any position one by one, however far away it is,
/// and nothing interrupts it. Here moving is charged to the call.
unsafe extern "C-unwind" fn insert(state: State) -> c_int {
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let end = ffi::lua_objlen(state, 1) as i64 + 1;
        let position = match ffi::lua_gettop(state) {
            2 => end,
            3 => {
                heka_lua::number(state, 2);
                index(state, 2, 0)
            }
            _ => raise(state, Raise::here("wrong number of arguments to 'insert'")),
        };
        if position < -BEYOND {
            heka_lua::arg_error(state, 2, c"position out of bounds");
        }
        let moved = end - position;
        charge(state, moved);
        for at in (position + 1..=end).rev() {
            ffi::lua_rawgeti_(state, 1, (at - 1) as c_int);
            ffi::lua_rawseti_(state, 1, at as c_int);
        }
        ffi::lua_rawseti_(state, 1, position as c_int);
    }
    0
}

/// `table.remove(list [, pos])`, charged as `insert` is.
unsafe extern "C-unwind" fn remove(state: State) -> c_int {
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let end = ffi::lua_objlen(state, 1) as i64;
        let position = index(state, 2, end);
        if !(1..=end).contains(&position) {
            return 0;
        }
        charge(state, end - position);
        ffi::lua_rawgeti_(state, 1, position as c_int);
        for at in position..end {
            ffi::lua_rawgeti_(state, 1, (at + 1) as c_int);
            ffi::lua_rawseti_(state, 1, at as c_int);
        }
        ffi::lua_pushnil(state);
        ffi::lua_rawseti_(state, 1, end as c_int);
    }
    1
}

/// Steps of native work that moving an element takes.
const MOVE: u64 = 4;

/// Charges for moving so many elements.
unsafe fn charge(state: State, elements: i64) {
    let elements = u64::try_from(elements).unwrap_or(0);
    // A few elements cost less than the charge.
    if elements > 64 && !heka_lua::spend(elements * MOVE) {
        unsafe { raise(state, Raise::here("instruction_limit exceeded")) }
    }
}

/// Replaces functions in the `table` library at the top of the stack.
///
/// # Safety
/// `state` is live, with room for two values. May raise an error.
pub(crate) unsafe fn install_table(state: State) {
    unsafe { heka_lua::set_functions(state, &[(c"insert", insert), (c"remove", remove)]) }
}

/// Key of the copy in a userdata's metatable: the address of this byte.
static COPY: u8 = 0;

/// `getmetatable(object)`. For userdata it gives a copy without `__gc`: finalisers run where no hook interrupts them,
/// so a script must not be able to set one.
pub(crate) unsafe extern "C-unwind" fn getmetatable(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkany(state, 1);
        ffi::lua_settop(state, 1);
        if ffi::lua_getmetatable(state, 1) == 0 {
            ffi::lua_pushnil(state);
            return 1;
        }
        if ffi::luaL_getmetafield_(state, 1, c"__metatable".as_ptr()) != 0 {
            return 1;
        }
        if ffi::lua_type(state, 1) != ffi::LUA_TUSERDATA {
            return 1;
        }
        let key = (&raw const COPY).cast_mut().cast::<c_void>();
        ffi::lua_pushlightuserdata(state, key);
        ffi::lua_rawget_(state, 2);
        if ffi::lua_type(state, 3) == ffi::LUA_TTABLE {
            return 1;
        }
        ffi::lua_settop(state, 2);
        ffi::lua_createtable(state, 0, 8);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, 2) != 0 {
            let is_shown = heka_lua::bytes_at(state, 4).is_some_and(|name| name != b"__gc");
            if is_shown {
                ffi::lua_pushvalue(state, 4);
                ffi::lua_insert(state, 5);
                ffi::lua_rawset(state, 3);
            } else {
                ffi::lua_settop(state, 4);
            }
        }
        ffi::lua_pushlightuserdata(state, key);
        ffi::lua_pushvalue(state, 3);
        ffi::lua_rawset(state, 2);
    }
    1
}
