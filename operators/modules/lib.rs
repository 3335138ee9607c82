//! The native modules of Heka scripts: JSON, binary packing, time series, sketches, and string functions whose time
//! is bounded.
//!
//! Every userdata here is plain data inside the block that Lua allocated: Lua counts its memory, no finaliser exists
//! that a script could call at the wrong time, and an error may jump over any frame.

mod arguments;
pub mod bloom_filter;
pub mod circular_buffer;
pub mod cjson;
pub mod cuckoo_filter;
mod hash;
pub mod hyperloglog;
mod normal;
mod number;
pub mod sax;
mod scratch;
mod sketch;
mod spend;
pub mod strings;
pub mod structs;

pub use number::{write_integer, write_lua_number, write_number, write_round_trip};

use heka_lua::{Module, State, ffi, push_bytes};
use spend::{spend_bytes, spend_steps};
use std::ffi::{CStr, c_int};

/// All of them, for the host's `require`.
pub static MODULES: &[Module] = &[
    cjson::MODULE,
    structs::MODULE,
    circular_buffer::MODULE,
    bloom_filter::MODULE,
    cuckoo_filter::MODULE,
    hyperloglog::MODULE,
    sax::MODULE,
];

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

/// Puts a function `version` that returns `version` into the table at the top of the stack.
///
/// # Safety
/// As [`set_global`].
unsafe fn set_version(state: State, version: &'static CStr) {
    unsafe extern "C-unwind" fn result(state: State) -> c_int {
        unsafe { ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1)) }
        1
    }
    unsafe {
        push_bytes(state, version.to_bytes());
        ffi::lua_pushcclosure(state, result, 1);
        ffi::lua_setfield(state, -2, c"version".as_ptr());
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod testing;
