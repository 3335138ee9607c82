//! What a script finds when it starts: the base library without what could escape, and the host's functions.

use crate::host::{Natives, host, room};
use crate::{Kind, State, clock, decode, ffi, inject, matched, output, read, require, safe, write};
use heka_lua::set_functions;
use std::ffi::{CStr, c_int, c_void};

/// Base functions that no script has, because they load code from strings and files or write to the terminal.
const NOBODY: &[&CStr] = &[c"dofile", c"load", c"loadfile", c"loadstring", c"print"];
/// Base functions that only trusted kinds have.
const TRUSTED: &[&CStr] = &[c"collectgarbage", c"coroutine", c"newproxy"];
/// What `package` loses.
const PACKAGE: &[&CStr] = &[c"path", c"cpath", c"config", c"loaders", c"loadlib", c"loaded", c"preload"];

/// Fills the globals of a new state.
///
/// # Safety
/// `state` is live and called the running function. May raise an error: no value with a destructor lives in the
/// caller's frame.
pub(crate) unsafe fn fill(state: State, kind: Kind) {
    unsafe {
        room(state, 8);
        open(state, ffi::luaopen_base, c"");
        open(state, ffi::luaopen_package, c"package");
        host(state).natives = Natives { tonumber: native(state, c"tonumber"), rawset: native(state, c"rawset") };
        remove(state, ffi::LUA_GLOBALSINDEX, NOBODY);
        ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, c"_LOADED".as_ptr());
        if !kind.is_trusted() {
            remove(state, ffi::LUA_GLOBALSINDEX, TRUSTED);
            remove(state, -1, &[c"coroutine"]);
        }
        remove(state, -1, &[c"package"]);
        ffi::lua_settop(state, 0);
        ffi::lua_getfield_(state, ffi::LUA_GLOBALSINDEX, c"package".as_ptr());
        remove(state, 1, PACKAGE);
        mark(state, 1);
        ffi::lua_settop(state, 0);
        ffi::lua_pushvalue(state, ffi::LUA_GLOBALSINDEX);
        set_functions(
            state,
            &[
                (c"require", require::require),
                (c"pcall", safe::pcall),
                (c"xpcall", safe::xpcall),
                (c"unpack", safe::unpack),
            ],
        );
        if !kind.is_trusted() {
            set_functions(state, &[(c"getmetatable", safe::getmetatable)]);
        }
        set_functions(state, functions(kind));
        ffi::lua_settop(state, 0);
    }
}

/// A global function of Lua's own.
unsafe fn native(state: State, name: &CStr) -> Option<ffi::lua_CFunction> {
    unsafe {
        ffi::lua_getfield_(state, ffi::LUA_GLOBALSINDEX, name.as_ptr());
        let function = ffi::lua_tocfunction(state, -1);
        ffi::lua_settop(state, -2);
        function
    }
}

/// The host's functions by kind.
fn functions(kind: Kind) -> &'static [(&'static CStr, ffi::lua_CFunction)] {
    const DECODER: &[(&CStr, ffi::lua_CFunction)] = &[
        (c"read_config", read::read_config),
        (c"decode_message", decode::decode_message),
        (c"date_to_ns", clock::date_to_ns),
        (c"inject_message", inject::inject_message),
        (c"inject_match", matched::inject_match),
        (c"match_decoder", matched::match_decoder),
        (c"read_message", read::read_message),
        (c"read_next_field", read::read_next_field),
        (c"inject_payload", output::inject_payload),
        (c"add_to_payload", output::add_to_payload),
        (c"output", output::add_to_payload),
        (c"write_message", write::write_message),
    ];
    const FILTER: &[(&CStr, ffi::lua_CFunction)] = DECODER.split_at(11).0;
    const INPUT: &[(&CStr, ffi::lua_CFunction)] = DECODER.split_at(5).0;
    const OUTPUT: &[(&CStr, ffi::lua_CFunction)] = &[
        DECODER[0],
        DECODER[1],
        DECODER[2],
        (c"read_message", read::read_message),
        (c"read_next_field", read::read_next_field),
    ];
    match kind {
        Kind::Decoder | Kind::Encoder => DECODER,
        Kind::Filter => FILTER,
        Kind::Input => INPUT,
        Kind::Output => OUTPUT,
    }
}

/// Opens a library as a function call, with its name as the argument.
pub(crate) unsafe fn open(state: State, open: unsafe extern "C-unwind" fn(State) -> c_int, name: &CStr) {
    unsafe {
        ffi::lua_pushcclosure(state, open, 0);
        ffi::lua_pushstring_(state, name.as_ptr());
        ffi::lua_call(state, 1, 0);
    }
}

/// Sets entries of the table at `table` to nil.
pub(crate) unsafe fn remove(state: State, table: c_int, names: &[&CStr]) {
    for name in names {
        unsafe {
            ffi::lua_pushnil(state);
            ffi::lua_setfield(state, if table < 0 && table > -100 { table - 1 } else { table }, name.as_ptr());
        }
    }
}

/// Gives the table at `table` an empty metatable, by which preservation knows not to store it.
pub(crate) unsafe fn mark(state: State, table: c_int) {
    unsafe {
        if ffi::lua_getmetatable(state, table) != 0 {
            ffi::lua_settop(state, -2);
            return;
        }
        ffi::lua_createtable(state, 0, 0);
        ffi::lua_setmetatable(state, table);
    }
}

/// Once the script has run, `output` is gone, unless the script made one of its own.
pub(crate) unsafe extern "C-unwind" fn forget_output(state: State) -> c_int {
    unsafe {
        ffi::lua_settop(state, 0);
        ffi::lua_pushstring_(state, c"output".as_ptr());
        ffi::lua_rawget_(state, ffi::LUA_GLOBALSINDEX);
        let own = ffi::lua_tocfunction(state, 1).map(|function| function as *const c_void);
        if own == Some(output::add_to_payload as *const c_void) {
            ffi::lua_pushstring_(state, c"output".as_ptr());
            ffi::lua_pushnil(state);
            ffi::lua_rawset(state, ffi::LUA_GLOBALSINDEX);
        }
    }
    0
}
