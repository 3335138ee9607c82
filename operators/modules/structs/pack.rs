//! `struct.pack`: values to bytes.

use super::format::{Format, Item, Kind};
use crate::scratch::{Scratch, room};
use crate::spend_bytes;
use heka_lua::{State, arg_error, bytes, ffi, number, raise};
use std::ffi::c_int;

pub unsafe extern "C-unwind" fn pack(state: State) -> c_int {
    unsafe {
        let mut format = Format::new(bytes(state, 1));
        let arguments = ffi::lua_gettop(state);
        // The buffer takes the place behind the arguments: a missing one must stay missing.
        let mut packed_room = room::<512>();
        let mut packed = Scratch::new(state, &mut packed_room);
        let mut argument = 1;
        loop {
            let Item { kind, size, padding } = match format.next(packed.as_slice().len() as u64) {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(error) => raise(state, error),
            };
            for _ in 0..padding {
                packed.push(0);
            }
            if kind == Kind::Pad {
                packed.push(0);
                continue;
            }
            argument += 1;
            if argument > arguments {
                ffi::lua_settop(state, arguments);
            }
            match kind {
                Kind::Integer(_) => integer(&mut packed, number(state, argument), size as usize, format.big_endian),
                Kind::Float if format.big_endian => packed.extend(&(number(state, argument) as f32).to_be_bytes()),
                Kind::Float => packed.extend(&(number(state, argument) as f32).to_le_bytes()),
                Kind::Double if format.big_endian => packed.extend(&number(state, argument).to_be_bytes()),
                Kind::Double => packed.extend(&number(state, argument).to_le_bytes()),
                Kind::Terminated => {
                    packed.extend(bytes(state, argument));
                    packed.push(0);
                }
                Kind::Fixed => {
                    let text = bytes(state, argument);
                    let size = if size == 0 { text.len() } else { size as usize };
                    match text.get(..size) {
                        Some(text) => packed.extend(text),
                        None => arg_error(state, argument, c"string too short"),
                    }
                }
                Kind::Pad => {}
            }
        }
        spend_bytes(state, packed.as_slice().len());
        packed.finish();
    }
    1
}

/// The low bytes of a number in two's complement; beyond 64 bits it is extended by its sign.
unsafe fn integer(packed: &mut Scratch, value: f64, size: usize, big_endian: bool) {
    let low = if value < 0.0 { value as i64 as u64 } else { value as u64 };
    let sign = if value < 0.0 { 0xFF } else { 0 };
    let low = low.to_le_bytes();
    let byte = |place: usize| low.get(place).copied().unwrap_or(sign);
    for place in 0..size {
        unsafe { packed.push(byte(if big_endian { size - 1 - place } else { place })) }
    }
}
