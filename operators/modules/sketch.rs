//! What the sketches share: keys, and bytes in Lua source.

use heka_lua::{State, arg_error, bytes, ffi};
use std::ffi::c_int;

/// A key: the bytes of a string, or those of a number's double.
pub enum Key<'a> {
    Text(&'a [u8]),
    Number([u8; 8]),
}

impl Key<'_> {
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Key::Text(text) => text,
            Key::Number(number) => number,
        }
    }
}

/// The key in argument `n`.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when the argument is no key: no value with a
/// destructor may live in the caller's frame.
pub unsafe fn key<'a>(state: State, n: c_int) -> Key<'a> {
    unsafe {
        match ffi::lua_type(state, n) {
            ffi::LUA_TSTRING => Key::Text(bytes(state, n)),
            ffi::LUA_TNUMBER => Key::Number(ffi::lua_tonumber(state, n).to_le_bytes()),
            _ => arg_error(state, n, c"must be a string or number"),
        }
    }
}

/// `if KEY == nil then KEY = `, to which the caller adds a constructor and ` end`.
pub fn write_condition(key: &[u8], out: &mut Vec<u8>) {
    for piece in [b"if ", key, b" == nil then ", key, b" = "] {
        out.extend_from_slice(piece);
    }
}

/// Bytes in quotes; only what would end the string or be changed by Lua's reader is escaped.
pub fn write_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            byte => out.push(*byte),
        }
    }
    out.push(b'"');
}
