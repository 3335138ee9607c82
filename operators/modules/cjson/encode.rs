//! `cjson.encode`: the value at the top of the Lua stack becomes text.

use super::settings::{InvalidNumbers, Settings, settings};
use crate::number::general;
use crate::scratch::{Scratch, room};
use crate::{spend_bytes, spend_steps};
use heka_lua::{Raise, State, arg_error, bytes_at, ffi, raise};
use std::ffi::{CStr, c_int};

/// A table that is being written. Its iteration's key lies on the Lua stack.
#[derive(Clone, Copy)]
enum Container {
    /// An object; whether a member was written.
    Object(bool),
    /// An array: the element that is being written, and the last one.
    Array(i32, i32),
}

impl Container {
    fn save(self) -> [u8; 8] {
        let (index, last) = match self {
            Container::Object(any) => (i32::from(any), 0),
            Container::Array(index, last) => (index, last),
        };
        (i64::from(index) << 32 | i64::from(last)).to_ne_bytes()
    }

    fn restore(saved: [u8; 8]) -> Container {
        let saved = i64::from_ne_bytes(saved);
        match (saved as i32, (saved >> 32) as i32) {
            (0, any) => Container::Object(any != 0),
            (last, index) => Container::Array(index, last),
        }
    }
}

pub unsafe extern "C-unwind" fn encode(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 1 {
            arg_error(state, 1, c"expected 1 argument");
        }
        let settings: &Settings = settings(state);
        let mut text_room = room::<2048>();
        let mut text = Scratch::new(state, &mut text_room);
        text.limit(settings.longest, b"strbuf output_limit exceeded");
        let mut outer_room = room::<512>();
        let mut outer = Scratch::new(state, &mut outer_room);
        ffi::lua_pushvalue(state, 1);
        let mut depth = 0;
        let mut inner = Container::Object(false);
        'value: loop {
            let kind = ffi::lua_type(state, -1);
            let mut complete = true;
            match kind {
                ffi::LUA_TSTRING => string(&mut text, bytes_at(state, -1).unwrap_or_default()),
                ffi::LUA_TNUMBER => number(state, &mut text, settings, -1),
                ffi::LUA_TBOOLEAN if ffi::lua_toboolean(state, -1) != 0 => text.extend(b"true"),
                ffi::LUA_TBOOLEAN => text.extend(b"false"),
                ffi::LUA_TNIL => text.extend(b"null"),
                ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(state, -1).is_null() => text.extend(b"null"),
                ffi::LUA_TTABLE => {
                    // Room for a key, a value and a copy of either, and for buffers that grow.
                    if depth >= settings.encode_max_depth || ffi::lua_checkstack(state, 5) == 0 {
                        let depth = depth + 1;
                        raise(state, Raise::here(format!("Cannot serialise, excessive nesting ({depth})")));
                    }
                    depth += 1;
                    outer.extend(&inner.save());
                    match array_length(state, settings) {
                        Some(last) => {
                            text.push(b'[');
                            inner = Container::Array(1, last);
                            ffi::lua_rawgeti_(state, -1, 1);
                            continue 'value;
                        }
                        None => {
                            text.push(b'{');
                            inner = Container::Object(false);
                            ffi::lua_pushnil(state);
                            complete = false;
                        }
                    }
                }
                _ => refuse(state, kind, c"type not supported"),
            }
            // The value at the top was written, or the nil before an object's first key is at the top: go on in its
            // container, which may complete that one.
            loop {
                if depth == 0 {
                    break 'value;
                }
                if complete {
                    ffi::lua_settop(state, -2);
                }
                spend_steps(state, 1);
                match inner {
                    Container::Array(index, last) if index < last => {
                        text.push(b',');
                        inner = Container::Array(index + 1, last);
                        ffi::lua_rawgeti_(state, -1, index + 1);
                        continue 'value;
                    }
                    Container::Array(..) => text.push(b']'),
                    Container::Object(any) => {
                        if ffi::lua_next(state, -2) != 0 {
                            if any {
                                text.push(b',');
                            }
                            inner = Container::Object(true);
                            key(state, &mut text, settings);
                            continue 'value;
                        }
                        text.push(b'}');
                    }
                }
                // The container itself is the complete value now.
                complete = true;
                depth -= 1;
                inner = Container::restore(outer.as_slice().last_chunk().copied().unwrap_or_default());
                outer.truncate_by(8);
            }
        }
        spend_bytes(state, text.as_slice().len());
        ffi::lua_settop(state, 2);
        text.finish();
    }
    1
}

/// The largest key when the table at the top is an array: not empty, all keys integers above zero.
unsafe fn array_length(state: State, settings: &Settings) -> Option<i32> {
    unsafe {
        let mut largest: f64 = 0.0;
        let mut items: f64 = 0.0;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, -2) != 0 {
            let key = if ffi::lua_type(state, -2) == ffi::LUA_TNUMBER { ffi::lua_tonumber(state, -2) } else { 0.0 };
            // Also false for NaN, which is no key. Infinity cannot be an array's length.
            if !(key >= 1.0 && key.floor() == key && key.is_finite()) {
                ffi::lua_settop(state, -3);
                return None;
            }
            ffi::lua_settop(state, -2);
            largest = largest.max(key);
            items += 1.0;
            spend_steps(state, 1);
        }
        let ratio = f64::from(settings.sparse_ratio);
        if ratio > 0.0 && largest > items * ratio && largest > f64::from(settings.sparse_safe) {
            if !settings.sparse_convert {
                refuse(state, ffi::LUA_TTABLE, c"excessively sparse array");
            }
            return None;
        }
        // Longer ones exceed every limit on the way.
        (items > 0.0).then_some(largest.min(f64::from(i32::MAX)) as i32)
    }
}

/// Writes the key below the value at the top, and the colon.
unsafe fn key(state: State, text: &mut Scratch, settings: &Settings) {
    unsafe {
        match ffi::lua_type(state, -2) {
            ffi::LUA_TSTRING => string(text, bytes_at(state, -2).unwrap_or_default()),
            ffi::LUA_TNUMBER => {
                text.push(b'"');
                number(state, text, settings, -2);
                text.push(b'"');
            }
            kind => refuse(state, kind, c"table key must be a number or string"),
        }
        text.push(b':');
    }
}

unsafe fn number(state: State, text: &mut Scratch, settings: &Settings, n: c_int) {
    unsafe {
        let value = ffi::lua_tonumber(state, n);
        if value.is_finite() {
            text.extend(general(value, settings.precision as usize).as_bytes());
            return;
        }
        // As JavaScript names them.
        let name: &[u8] = match settings.encode_invalid {
            InvalidNumbers::Refuse => refuse(state, ffi::LUA_TNUMBER, c"must not be NaN or Infinity"),
            InvalidNumbers::Null => b"null",
            InvalidNumbers::Write if value.is_nan() => b"NaN",
            InvalidNumbers::Write if value > 0.0 => b"Infinity",
            InvalidNumbers::Write => b"-Infinity",
        };
        text.extend(name);
    }
}

/// How a byte is escaped: 0 is not, `u` as `\u00XX`, others by that letter.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < 32 {
        escapes[control] = b'u';
        control += 1;
    }
    escapes[127] = b'u';
    escapes[8] = b'b';
    escapes[9] = b't';
    escapes[10] = b'n';
    escapes[12] = b'f';
    escapes[13] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes[b'/' as usize] = b'/';
    escapes
};

unsafe fn string(text: &mut Scratch, bytes: &[u8]) {
    unsafe {
        text.push(b'"');
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| ESCAPES[*byte as usize] != 0) {
            let byte = rest[at];
            text.extend(&rest[..at]);
            match ESCAPES[byte as usize] {
                b'u' => {
                    const DIGITS: &[u8; 16] = b"0123456789abcdef";
                    let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
                    text.extend(b"\\u00");
                    text.extend(&digits);
                }
                letter => text.extend(&[b'\\', letter]),
            }
            rest = &rest[at + 1..];
        }
        text.extend(rest);
        text.push(b'"');
    }
}

#[cold]
unsafe fn refuse(state: State, kind: c_int, why: &'static CStr) -> ! {
    unsafe {
        let name = CStr::from_ptr(ffi::lua_typename(state, kind)).to_string_lossy();
        let why = why.to_string_lossy();
        let text = format!("Cannot serialise {name}: {why}");
        drop((name, why));
        raise(state, Raise::Here(text.into_bytes()))
    }
}
