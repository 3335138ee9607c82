//! A Lua state with this crate's modules, for tests.

use heka_lua::{State, bytes_at, ffi};
use std::ffi::{CString, c_int};

/// A chunk to run.
pub struct Chunk<'a> {
    pub name: &'a str,
    pub text: &'a str,
    pub arguments: &'a [String],
    /// Functions to define.
    pub functions: &'a [(&'static std::ffi::CStr, ffi::lua_CFunction)],
}

unsafe extern "C-unwind" fn body(state: State) -> c_int {
    unsafe {
        let chunk = &*ffi::lua_touserdata(state, 1).cast_const().cast::<Chunk>();
        ffi::luaL_openlibs(state);
        ffi::lua_getfield_(state, ffi::LUA_GLOBALSINDEX, c"package".as_ptr());
        ffi::lua_getfield_(state, -1, c"preload".as_ptr());
        for module in heka_lpeg::MODULES {
            ffi::lua_pushcclosure(state, module.open, 0);
            ffi::lua_setfield(state, -2, module.name.as_ptr());
        }
        for (name, function) in chunk.functions {
            ffi::lua_pushcclosure(state, *function, 0);
            ffi::lua_setfield(state, ffi::LUA_GLOBALSINDEX, name.as_ptr());
        }
        let text = chunk.text;
        // The name is leaked if the chunk has a syntax error: this is a test.
        let name = CString::new(format!("={}", chunk.name)).unwrap_or_default().into_raw();
        if ffi::luaL_loadbuffer(state, text.as_ptr().cast(), text.len(), name) != 0 {
            ffi::lua_error(state);
        }
        drop(CString::from_raw(name));
        for argument in chunk.arguments {
            heka_lua::push_bytes(state, argument.as_bytes());
        }
        ffi::lua_call(state, chunk.arguments.len() as c_int, 1);
    }
    1
}

/// Runs a chunk in a new state: the text of its result, or of its error.
pub fn run(chunk: &Chunk) -> Result<String, String> {
    unsafe {
        let state = ffi::luaL_newstate();
        ffi::lua_pushcclosure(state, body, 0);
        ffi::lua_pushlightuserdata(state, (&raw const *chunk).cast_mut().cast());
        let failed = ffi::lua_pcall(state, 1, 1, 0) != 0;
        let text = String::from_utf8_lossy(bytes_at(state, -1).unwrap_or(b"")).into_owned();
        ffi::lua_close(state);
        assert!(!heka_lua::panicked(), "a native function panicked: {text}");
        if failed { Err(text) } else { Ok(text) }
    }
}
