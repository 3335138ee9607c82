//! The native modules of Heka scripts: JSON, binary packing, time series, sketches, and string functions whose time
//! is bounded.
//!
//! Every userdata here is plain data inside the block that Lua allocated: Lua counts its memory, no finaliser exists
//! that a script could call at the wrong time, and an error may jump over any frame.

pub mod cjson;
mod number;
mod scratch;
mod spend;

pub use number::{write_integer, write_lua_number, write_number, write_round_trip};

use heka_lua::{Module, State, ffi, push_bytes};
use spend::{spend_bytes, spend_steps};
use std::ffi::CStr;

/// All of them, for the host's `require`.
pub static MODULES: &[Module] = &[cjson::MODULE];

/// Makes the table at the top of the stack the global `name`, as scripts expect of these modules.
///
/// # Safety
/// `state` is live and has room for two values. Raises a Lua error when the memory limit is reached.
unsafe fn set_global(state: State, name: &CStr) {
    unsafe {
        push_bytes(state, name.to_bytes());
        ffi::lua_pushvalue(state, -2);
        ffi::lua_rawset(state, ffi::LUA_GLOBALSINDEX);
    }
}

#[cfg(test)]
mod testing;
