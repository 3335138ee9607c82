//! Runs a Lua file with this crate's `lpeg` and `re`: `script FILE [ARGUMENT …]`. The same files run under `lua5.1`
//! with the C library, which is how the two are compared.

use heka_lua::{State, bytes_at, ffi};
use std::ffi::{CString, c_int};
use std::process::ExitCode;

unsafe extern "C-unwind" fn main_chunk(state: State) -> c_int {
    unsafe {
        ffi::luaL_openlibs(state);
        ffi::lua_getfield_(state, ffi::LUA_GLOBALSINDEX, c"package".as_ptr());
        ffi::lua_getfield_(state, -1, c"preload".as_ptr());
        for module in heka_lpeg::MODULES {
            ffi::lua_pushcclosure(state, module.open, 0);
            ffi::lua_setfield(state, -2, module.name.as_ptr());
        }
        let arguments: *const Vec<CString> = ffi::lua_touserdata(state, 1).cast_const().cast();
        let arguments = &*arguments;
        if ffi::luaL_loadfile(state, arguments[0].as_ptr()) != 0 {
            ffi::lua_error(state);
        }
        for argument in &arguments[1..] {
            ffi::lua_pushstring_(state, argument.as_ptr());
        }
        ffi::lua_call(state, arguments.len() as c_int - 1, 0);
    }
    0
}

fn main() -> ExitCode {
    let arguments: Vec<CString> = std::env::args().skip(1).filter_map(|text| CString::new(text).ok()).collect();
    if arguments.is_empty() {
        eprintln!("usage: script FILE [ARGUMENT …]");
        return ExitCode::from(2);
    }
    unsafe {
        let state = ffi::luaL_newstate();
        let failed = ffi::lua_cpcall(state, main_chunk, (&raw const arguments).cast_mut().cast()) != 0;
        if failed {
            eprintln!("{}", String::from_utf8_lossy(bytes_at(state, -1).unwrap_or(b"error is not a string")));
        }
        ffi::lua_close(state);
        ExitCode::from(u8::from(failed))
    }
}
