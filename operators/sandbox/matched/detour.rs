//! The long way round: `lpeg.match`, a table, and `inject_message`. It defines what `inject_match` means.

use super::plan::{Header, Place, place};
use super::{GRAMMAR, PLACES, TEMPLATE};
use crate::inject::inject_table;
use crate::{State, ffi};
use heka_lua::{Raise, bytes_at, protect, push_bytes, raise};
use std::ffi::c_int;

/// Stack indices of what the match gave, and of the message and its fields.
const CAPTURED: c_int = 5;
const MESSAGE: c_int = 6;
const FIELDS: c_int = 7;

/// How deep tables may lie in each other.
const DEPTH: usize = 64;

/// Matches and injects; whether the subject matches.
///
/// # Safety
/// The arguments of `inject_match` are in place and nothing lies above. May raise an error.
pub(super) unsafe fn inject(state: State, subject: &[u8]) -> bool {
    unsafe {
        ffi::lua_getfield_(state, GRAMMAR, c"match".as_ptr());
        ffi::lua_pushvalue(state, GRAMMAR);
        push_bytes(state, subject);
        ffi::lua_call(state, 2, 1);
        match ffi::lua_type(state, CAPTURED) {
            ffi::LUA_TNIL => return false,
            ffi::LUA_TTABLE => {}
            _ => raise(state, Raise::here("inject_match() the grammar must capture a table")),
        }
        ffi::lua_createtable(state, 0, 8);
        ffi::lua_createtable(state, 0, 16);
        if ffi::lua_type(state, TEMPLATE) == ffi::LUA_TTABLE {
            copy_template(state);
        }
        spread(state, CAPTURED, 0);
        ffi::lua_settop(state, FIELDS);
        ffi::lua_setfield(state, MESSAGE, c"Fields".as_ptr());
        ffi::lua_replace(state, 1);
        ffi::lua_settop(state, 1);
        protect(state, || inject_table(state));
        true
    }
}

/// Copies the template's entries into the message, and its fields into the fields.
unsafe fn copy_template(state: State) {
    unsafe {
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, TEMPLATE) != 0 {
            let is_fields = bytes_at(state, FIELDS + 1) == Some(b"Fields");
            if is_fields {
                if ffi::lua_type(state, FIELDS + 2) == ffi::LUA_TTABLE {
                    copy_fields(state);
                }
                ffi::lua_settop(state, FIELDS + 1);
            } else {
                ffi::lua_pushvalue(state, FIELDS + 1);
                ffi::lua_insert(state, FIELDS + 2);
                ffi::lua_rawset(state, MESSAGE);
            }
        }
    }
}

/// Copies the fields at the top, in either notation.
unsafe fn copy_fields(state: State) {
    unsafe {
        let from = ffi::lua_gettop(state);
        ffi::lua_rawgeti_(state, from, 1);
        let is_list = ffi::lua_type(state, -1) == ffi::LUA_TTABLE;
        ffi::lua_settop(state, from);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, from) != 0 {
            if is_list {
                // The object holds its own name; what is no object has none, and says so when it is encoded.
                if ffi::lua_type(state, from + 2) == ffi::LUA_TTABLE {
                    push_bytes(state, b"name");
                    ffi::lua_rawget_(state, from + 2);
                } else {
                    ffi::lua_pushboolean(state, 1);
                }
                if ffi::lua_type(state, -1) == ffi::LUA_TNIL {
                    ffi::lua_settop(state, -2);
                    ffi::lua_pushboolean(state, 1);
                }
            } else {
                ffi::lua_pushvalue(state, from + 1);
            }
            ffi::lua_insert(state, from + 2);
            ffi::lua_rawset(state, FIELDS);
        }
    }
}

/// Places the entries of the table at index `from`.
unsafe fn spread(state: State, from: c_int, depth: usize) {
    unsafe {
        crate::host::room(state, 12);
        if depth > DEPTH {
            raise(state, Raise::here("inject_match() tables too deep in each other"));
        }
        let key = ffi::lua_gettop(state) + 1;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, from) != 0 {
            let Some(name) = bytes_at(state, key) else {
                raise(state, Raise::here("inject_match() every capture needs a name"));
            };
            ffi::lua_pushvalue(state, key);
            match place(state, name, PLACES) {
                Place::Field => set(state, key, FIELDS, name),
                Place::Header(header) => set(state, key, MESSAGE, header.name()),
                Place::Both(header) => {
                    set(state, key, FIELDS, name);
                    set(state, key, MESSAGE, header.name());
                }
                Place::Spread => {
                    if ffi::lua_type(state, key + 1) == ffi::LUA_TTABLE {
                        ffi::lua_settop(state, key + 1);
                        spread(state, key + 1, depth + 1);
                    }
                }
                Place::Nowhere => {}
                Place::Function => spread_result(state, key),
            }
            ffi::lua_settop(state, key);
        }
        ffi::lua_settop(state, key - 1);
    }
}

/// Sets an entry of a table to the value at `key` + 1.
unsafe fn set(state: State, key: c_int, table: c_int, name: &[u8]) {
    unsafe {
        push_bytes(state, name);
        ffi::lua_pushvalue(state, key + 1);
        ffi::lua_rawset(state, table);
    }
}

/// Calls the function that is the place of the capture at `key`, and places what it returns: headers by their names,
/// or fields.
unsafe fn spread_result(state: State, key: c_int) {
    unsafe {
        ffi::lua_settop(state, key + 1);
        ffi::lua_pushvalue(state, key);
        ffi::lua_rawget_(state, PLACES);
        ffi::lua_pushvalue(state, key + 1);
        ffi::lua_call(state, 1, 1);
        match ffi::lua_type(state, key + 2) {
            ffi::LUA_TNIL => return,
            ffi::LUA_TTABLE => {}
            _ => raise(state, Raise::here("inject_match() a function of the places must return a table or nil")),
        }
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, key + 2) != 0 {
            let Some(name) = bytes_at(state, key + 3) else {
                raise(state, Raise::here("inject_match() every capture needs a name"));
            };
            let table = if Header::named(name).is_some() { MESSAGE } else { FIELDS };
            ffi::lua_pushvalue(state, key + 3);
            ffi::lua_insert(state, key + 4);
            ffi::lua_rawset(state, table);
        }
    }
}
