//! `circular_buffer`: rows of numbers, one row per time interval, the newest kept.
//!
//! All of a buffer lies in its userdata: Lua counts it, and nothing has to be freed. Pending deltas are a table that
//! the userdata keeps as its environment, which no script reaches.

mod buffer;
mod column;
mod compute;
mod delta;
mod mann_whitney;
mod methods;
mod restore;
mod text;

use crate::{set_global, set_version};
use heka_lua::{Block, Hooks, Module, State, ffi, set_closures};
use std::ffi::c_int;

/// The module.
pub static MODULE: Module = Module { name: c"circular_buffer", open };

/// The userdata type.
static BUFFER: Block = Block {
    name: c"mozsvc.circular_buffer",
    methods: methods::METHODS,
    metamethods: &[],
    hooks: Some(&Hooks { render: Some(text::render), serialise: Some(text::serialise) }),
};

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        BUFFER.push_metatable(state);
        ffi::lua_createtable(state, 0, 2);
        set_closures(state, &[(c"new", methods::new)], 1);
        set_version(state, c"0.2.0");
        set_global(state, MODULE.name);
    }
    1
}

#[cfg(test)]
mod tests;
