//! `string.gsub`.

use super::find::{matcher, search};
use super::matcher::Matcher;
use super::results::{Captured, captured, push_capture, push_captures};
use crate::number::general;
use crate::scratch::{Scratch, room};
use crate::spend_bytes;
use heka_lua::{Raise, State, arg_error, bytes, bytes_at, ffi, integer, is_none_or_nil, raise};
use std::ffi::{CStr, c_int};

pub unsafe extern "C-unwind" fn gsub(state: State) -> c_int {
    unsafe {
        let (subject, pattern) = (bytes(state, 1), bytes(state, 2));
        let kind = ffi::lua_type(state, 3);
        // The reference reads the limit before it looks at the replacement.
        let most = if is_none_or_nil(state, 4) { i64::MAX } else { integer(state, 4) };
        if !matches!(kind, ffi::LUA_TNUMBER | ffi::LUA_TSTRING | ffi::LUA_TFUNCTION | ffi::LUA_TTABLE) {
            arg_error(state, 3, c"string/function/table expected");
        }
        ffi::lua_settop(state, 3);
        let (mut matcher, anchored) = matcher(subject, pattern);
        let mut result_room = room::<1024>();
        let mut result = Scratch::new(state, &mut result_room);
        let mut count = 0;
        let mut copied = 0;
        let mut from = 0;
        while count < most && from <= subject.len() {
            let Some((start, end)) = search(state, &mut matcher, from, anchored) else { break };
            count += 1;
            result.extend(&subject[copied..start]);
            replace(state, &matcher, &mut result, kind, (start, end));
            copied = end;
            // Behind an empty match the next byte is passed over.
            from = if end > start { end } else { end + 1 };
            if anchored {
                break;
            }
        }
        if count == 0 {
            ffi::lua_pushvalue(state, 1);
        } else {
            result.extend(&subject[copied..]);
            spend_bytes(state, result.as_slice().len());
            result.finish();
        }
        ffi::lua_pushnumber(state, count as f64);
    }
    2
}

/// Appends what takes the place of a match.
unsafe fn replace(state: State, matcher: &Matcher, result: &mut Scratch, kind: c_int, whole: (usize, usize)) {
    unsafe {
        match kind {
            ffi::LUA_TFUNCTION => {
                ffi::lua_pushvalue(state, 3);
                let count = push_captures(state, matcher, whole);
                ffi::lua_call(state, count, 1);
            }
            ffi::LUA_TTABLE => {
                push_capture(state, matcher, 0, whole);
                ffi::lua_gettable_(state, 3);
            }
            _ => return expand(state, matcher, result, whole),
        }
        match ffi::lua_type(state, -1) {
            ffi::LUA_TSTRING | ffi::LUA_TNUMBER => result.extend(bytes(state, -1)),
            _ if ffi::lua_toboolean(state, -1) == 0 => result.extend(&matcher.subject[whole.0..whole.1]),
            other => {
                let name = CStr::from_ptr(ffi::lua_typename(state, other)).to_bytes();
                raise(state, Raise::Here([b"invalid replacement value (a ", name, b")"].concat()))
            }
        }
        ffi::lua_settop(state, -2);
    }
}

/// Appends the replacement text, its `%n` replaced by captures.
unsafe fn expand(state: State, matcher: &Matcher, result: &mut Scratch, whole: (usize, usize)) {
    unsafe {
        // Made a string by the caller when it was a number.
        let mut rest = bytes_at(state, 3).unwrap_or_else(|| bytes(state, 3));
        while let Some(at) = memchr::memchr(b'%', rest) {
            result.extend(&rest[..at]);
            match rest.get(at + 1) {
                Some(b'0') => result.extend(&matcher.subject[whole.0..whole.1]),
                Some(digit @ b'1'..=b'9') => match captured(state, matcher, usize::from(digit - b'1'), whole) {
                    Captured::Text(text) => result.extend(text),
                    Captured::Position(position) => result.extend(general(position as f64, 14).as_bytes()),
                },
                Some(other) => result.push(*other),
                // The reference takes the byte behind the string's end.
                None => result.push(0),
            }
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        result.extend(rest);
    }
}
