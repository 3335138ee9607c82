//! `sax`: time series as short words whose letters can be compared.

mod symbols;
mod window;
mod word;

use crate::{set_global, set_version};
use heka_lua::{Module, State, arg_error, ffi, push_bytes, set_functions};
use std::ffi::c_int;
use symbols::Symbols;

/// The module.
pub static MODULE: Module = Module { name: c"sax", open };

const FEWEST: f64 = 2.0;
const MOST_VALUES: f64 = 4096.0;
const MOST_FRAMES: f64 = 2048.0;
const MOST_LETTERS: f64 = 16.0;

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        // Lua compares values of two types only when both have the very same function.
        ffi::lua_pushcclosure(state, equal, 0);
        for block in [&word::WORD, &window::WINDOW] {
            block.push_metatable(state);
            ffi::lua_pushvalue(state, -2);
            ffi::lua_setfield(state, -2, c"__eq".as_ptr());
            ffi::lua_settop(state, -2);
        }
        ffi::lua_createtable(state, 0, 4);
        set_functions(state, &[(c"mindist", mindist)]);
        set_version(state, c"0.4.0");
        for (name, function) in [(c"window", window::new as ffi::lua_CFunction), (c"word", word::new)] {
            ffi::lua_createtable(state, 0, 1);
            set_functions(state, &[(c"new", function)]);
            ffi::lua_setfield(state, -2, name.as_ptr());
        }
        set_global(state, MODULE.name);
    }
    1
}

/// The symbols of the word or window at stack index `n`.
///
/// # Safety
/// `state` is live and has room for two values.
unsafe fn symbols_at(state: State, n: c_int) -> Option<Symbols> {
    unsafe {
        if let Some(block) = word::WORD.test(state, n) {
            return Some(*block.cast::<Symbols>());
        }
        let block = window::WINDOW.test(state, n)?;
        Some(window::Window::of(block).symbols())
    }
}

unsafe fn symbols(state: State, n: c_int) -> Symbols {
    unsafe {
        symbols_at(state, n).unwrap_or_else(|| arg_error(state, n, c"mozsvc.sax.word or mozsvc.sax.window expected"))
    }
}

unsafe extern "C-unwind" fn equal(state: State) -> c_int {
    unsafe {
        let same = match (symbols_at(state, 1), symbols_at(state, 2)) {
            (Some(a), Some(b)) => a.cardinality == b.cardinality && a.text() == b.text(),
            _ => false,
        };
        ffi::lua_pushboolean(state, c_int::from(same));
    }
    1
}

unsafe extern "C-unwind" fn mindist(state: State) -> c_int {
    unsafe {
        let (a, b) = (symbols(state, 1), symbols(state, 2));
        let Some((distance, above, below)) = symbols::distance(&a, &b) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        ffi::lua_pushnumber(state, distance);
        ffi::lua_pushnumber(state, above);
        ffi::lua_pushnumber(state, below);
    }
    3
}

/// The metamethod of both types.
unsafe extern "C-unwind" fn tostring(state: State) -> c_int {
    unsafe { push_bytes(state, symbols(state, 1).text()) }
    1
}

/// The number in argument `n` without its fraction, when it is from 2 to `most`.
unsafe fn bounded(state: State, n: c_int, most: f64, error: &'static std::ffi::CStr) -> usize {
    unsafe {
        let value = crate::arguments::whole(state, n);
        if !(FEWEST..=most).contains(&value) {
            arg_error(state, n, error);
        }
        value as usize
    }
}

#[cfg(test)]
mod tests;
