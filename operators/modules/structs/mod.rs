//! `struct`: values packed into bytes as C lays them out, and read back.
//!
//! The folder is not named as the module is because `struct` is a word of Rust.

mod format;
mod pack;
mod unpack;

use crate::set_global;
use format::{Format, Item, Kind};
use heka_lua::{Module, Raise, State, bytes, ffi, protect, set_functions};
use std::ffi::c_int;

/// The module.
pub static MODULE: Module = Module { name: c"struct", open };

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        ffi::lua_createtable(state, 0, 3);
        set_functions(state, &[(c"pack", pack::pack), (c"unpack", unpack::unpack), (c"size", size)]);
        set_global(state, MODULE.name);
    }
    1
}

/// The number of bytes that a format of fixed size takes.
unsafe extern "C-unwind" fn size(state: State) -> c_int {
    unsafe {
        let format = bytes(state, 1);
        let total = protect(state, || {
            let mut format = Format::new(format);
            let mut total: u64 = 0;
            while let Some(Item { kind, size, padding }) = format.next(total)? {
                match kind {
                    Kind::Terminated => return Err(Raise::argument(1, "option 's' has no fixed size")),
                    Kind::Fixed if size == 0 => return Err(Raise::argument(1, "option 'c0' has no fixed size")),
                    _ => total += padding + size,
                }
            }
            Ok(total)
        });
        ffi::lua_pushnumber(state, total as f64);
    }
    1
}

#[cfg(test)]
mod tests;
