//! `cjson`: JSON straight from and to the Lua stack.
//!
//! Texts, errors and the layout of decoded tables are those of the C library of the same name, so that what a script
//! prints by `pairs` keeps its order. Neither direction recurses: depth costs Lua's stack, never the native one.

mod container;
mod decode;
mod encode;
mod layout;
mod lexer;
pub(crate) mod numeral;
mod settings;

pub use settings::set_output_limit;

use crate::set_global;
use heka_lua::{Module, State, ffi, push_bytes, set_closures};
use settings::push_settings;
use std::ffi::c_int;

/// The module.
pub static MODULE: Module = Module { name: c"cjson", open };

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        push_settings(state);
        ffi::lua_createtable(state, 0, 11);
        set_closures(state, &[(c"encode", encode::encode), (c"decode", decode::decode)], 1);
        set_closures(state, settings::FUNCTIONS, 1);
        ffi::lua_pushlightuserdata(state, std::ptr::null_mut());
        ffi::lua_setfield(state, -2, c"null".as_ptr());
        push_bytes(state, b"cjson");
        ffi::lua_setfield(state, -2, c"_NAME".as_ptr());
        push_bytes(state, b"2.1.0");
        ffi::lua_setfield(state, -2, c"_VERSION".as_ptr());
        set_global(state, MODULE.name);
    }
    1
}

#[cfg(test)]
mod peer;
#[cfg(test)]
mod tests;
