//! What scripts pay for the native modules: runs `modules.lua`, which reference Lua can run too, or the chunk in the
//! file that is named as argument, for a profiler.

use heka_lua::{State, bytes_at, ffi, hooks_of};
use heka_modules::{MODULES, strings};
use std::ffi::c_int;

/// What the host's output functions do with a userdata, without keeping the text.
unsafe extern "C-unwind" fn render(state: State) -> c_int {
    let mut out = Vec::new();
    if let Some(render) = unsafe { hooks_of(state, 1) }.and_then(|hooks| hooks.render) {
        assert!(unsafe { render(state, 1, &mut out) }.is_ok());
    }
    0
}

fn main() {
    // Cargo passes `--bench`.
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let chunk = match file {
        Some(path) => std::fs::read_to_string(path).expect("a Lua file"),
        None => include_str!("modules.lua").to_owned(),
    };
    unsafe {
        let state = ffi::luaL_newstate();
        ffi::luaL_openlibs(state);
        ffi::lua_getglobal_(state, c"package".as_ptr());
        ffi::lua_getfield_(state, -1, c"preload".as_ptr());
        for module in MODULES {
            ffi::lua_pushcclosure(state, module.open, 0);
            ffi::lua_setfield(state, -2, module.name.as_ptr());
        }
        ffi::lua_pushcclosure(state, render, 0);
        ffi::lua_setfield(state, ffi::LUA_GLOBALSINDEX, c"render".as_ptr());
        ffi::lua_getglobal_(state, c"string".as_ptr());
        strings::install(state);
        let loaded = ffi::luaL_loadbuffer(state, chunk.as_ptr().cast(), chunk.len(), c"=modules.lua".as_ptr());
        if loaded != 0 || ffi::lua_pcall(state, 0, 0, 0) != 0 {
            eprintln!("{}", String::from_utf8_lossy(bytes_at(state, -1).unwrap_or_default()));
            std::process::exit(1);
        }
        ffi::lua_close(state);
    }
}
