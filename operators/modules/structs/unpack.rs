//! `struct.unpack`: bytes to values.

use super::format::{Format, Item, Kind};
use heka_lua::{Raise, State, arg_error, bytes, ffi, opt_number, push_bytes, raise};
use std::ffi::c_int;

pub unsafe extern "C-unwind" fn unpack(state: State) -> c_int {
    unsafe {
        let mut format = Format::new(bytes(state, 1));
        let data = bytes(state, 2);
        let start = opt_number(state, 3, 1.0);
        if start.is_nan() || start < 1.0 {
            arg_error(state, 3, c"position must be 1 or greater");
        }
        ffi::lua_settop(state, 2);
        let mut at = start as u64 - 1;
        let mut count = 0;
        loop {
            let Item { kind, mut size, padding } = match format.next(at) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(error) => raise(state, error),
            };
            at = at.saturating_add(padding);
            let Some(rest) = usize::try_from(at).ok().and_then(|at| data.get(at..)) else {
                arg_error(state, 2, c"data string too short")
            };
            if kind == Kind::Fixed && size == 0 {
                // The number before gives the length, and is no result itself.
                if count == 0 || ffi::lua_type(state, -1) != ffi::LUA_TNUMBER {
                    raise(state, Raise::here("format 'c0' needs a previous size"));
                }
                let length = ffi::lua_tonumber(state, -1);
                if length.is_nan() || length < 0.0 {
                    arg_error(state, 2, c"data string too short");
                }
                size = length as u64;
                ffi::lua_settop(state, -2);
                count -= 1;
            }
            if kind == Kind::Terminated {
                match memchr::memchr(0, rest) {
                    Some(length) => size = length as u64 + 1,
                    None => raise(state, Raise::here("unfinished string in data")),
                }
            }
            let Some(item) = usize::try_from(size).ok().and_then(|size| rest.get(..size)) else {
                arg_error(state, 2, c"data string too short")
            };
            ffi::luaL_checkstack_(state, 2, c"too many results".as_ptr());
            match kind {
                Kind::Pad => count -= 1,
                Kind::Integer(signed) => ffi::lua_pushnumber(state, integer(item, format.big_endian, signed)),
                Kind::Float => {
                    ffi::lua_pushnumber(state, f64::from(f32::from_bits(word(item, format.big_endian) as u32)))
                }
                Kind::Double => ffi::lua_pushnumber(state, f64::from_bits(word(item, format.big_endian))),
                Kind::Fixed => push_bytes(state, item),
                Kind::Terminated => push_bytes(state, &item[..item.len() - 1]),
            }
            count += 1;
            at += size;
        }
        ffi::lua_pushnumber(state, at as f64 + 1.0);
        count + 1
    }
}

/// The low 64 bits of an integer of any size.
fn word(bytes: &[u8], big_endian: bool) -> u64 {
    let shift = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) }
}

fn integer(bytes: &[u8], big_endian: bool, signed: bool) -> f64 {
    let word = word(bytes, big_endian);
    if !signed {
        return word as f64;
    }
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    ((word << unused) as i64 >> unused) as f64
}
