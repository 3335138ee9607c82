//! `decode_message`: the protobuf form of a message to a Lua table.
//!
//! Stricter than the daemon's own reader, as the original was: unknown tags are errors.

use crate::host::{host, room};
use crate::{State, ffi};
use heka_lua::{Raise, arg_error, push_bytes, raise};
use std::ffi::{CStr, c_int};

/// The shortest message there can be: an identity and a time.
const SHORTEST: usize = 20;

/// A place in the message; `Copy`, because Lua errors leave frames without running destructors.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What was being read when the bytes turned out wrong.
#[derive(Clone, Copy)]
struct Wrong {
    tag: u64,
    wire: u64,
    offset: usize,
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

impl<'a> Cursor<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let end = self.at.checked_add(length)?;
        let text = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(text)
    }

    fn double(&mut self) -> Option<f64> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(8)?)?;
        self.at += 8;
        Some(f64::from_le_bytes(bytes.try_into().ok()?))
    }

    fn is_done(self) -> bool {
        self.at >= self.bytes.len()
    }
}

/// `decode_message(bytes)` → table.
pub(crate) unsafe extern "C-unwind" fn decode_message(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 1 || ffi::lua_isstring(state, 1) == 0 {
            arg_error(state, 0, c"must have one string argument");
        }
        let bytes = heka_lua::bytes(state, 1);
        if bytes.len() < SHORTEST {
            raise(state, Raise::here("invalid message, too short"));
        }
        room(state, 16);
        ffi::lua_createtable(state, 0, 10);
        if let Err(Wrong { tag, wire, offset }) = message(state, bytes) {
            raise(state, Raise::here(format!("error in tag: {tag} wiretype: {wire} offset: {offset}")));
        }
        let found = |key: &CStr| {
            ffi::lua_getfield_(state, 2, key.as_ptr());
            let found = ffi::lua_type(state, -1) != ffi::LUA_TNIL;
            ffi::lua_settop(state, 2);
            found
        };
        let (uuid, timestamp) = (found(c"Uuid"), found(c"Timestamp"));
        if !(uuid && timestamp) {
            let word = |found| if found { "found" } else { "not found" };
            let (uuid, timestamp) = (word(uuid), word(timestamp));
            let text = format!("missing required field uuid: {uuid} timestamp: {timestamp}");
            raise(state, Raise::here(text));
        }
    }
    1
}

/// Fills the table at index 2.
unsafe fn message(state: State, bytes: &[u8]) -> Result<(), Wrong> {
    let mut cursor = Cursor { bytes, at: 0 };
    let mut fields = 0;
    while !cursor.is_done() {
        let offset = cursor.at;
        let key = cursor.varint().ok_or(Wrong { tag: 0, wire: 0, offset })?;
        let (tag, wire) = (key >> 3, key & 7);
        let wrong = Wrong { tag, wire, offset };
        unsafe {
            match (tag, wire) {
                (1, BYTES) => {
                    let uuid = cursor.text().filter(|text| text.len() == 16).ok_or(wrong)?;
                    set_text(state, c"Uuid", uuid);
                }
                (2, VARINT) => {
                    let nanos = cursor.varint().ok_or(wrong)? as i64;
                    let number = host(state).times.give(nanos);
                    set_number(state, c"Timestamp", number);
                }
                (3, BYTES) => set_text(state, c"Type", cursor.text().ok_or(wrong)?),
                (4, BYTES) => set_text(state, c"Logger", cursor.text().ok_or(wrong)?),
                (5, VARINT) => set_number(state, c"Severity", (cursor.varint().ok_or(wrong)? as i32).into()),
                (6, BYTES) => set_text(state, c"Payload", cursor.text().ok_or(wrong)?),
                (7, BYTES) => set_text(state, c"EnvVersion", cursor.text().ok_or(wrong)?),
                (8, VARINT) => set_number(state, c"Pid", (cursor.varint().ok_or(wrong)? as i32).into()),
                (9, BYTES) => set_text(state, c"Hostname", cursor.text().ok_or(wrong)?),
                (10, BYTES) => {
                    let body = cursor.text().ok_or(wrong)?;
                    if fields == 0 {
                        ffi::lua_createtable(state, 0, 0);
                        ffi::lua_pushvalue(state, -1);
                        ffi::lua_setfield(state, 2, c"Fields".as_ptr());
                    }
                    fields += 1;
                    ffi::lua_createtable(state, 0, 4);
                    field(state, body, cursor.at - body.len())?;
                    ffi::lua_rawseti_(state, 3, fields);
                }
                _ => return Err(wrong),
            }
        }
    }
    Ok(())
}

/// Fills the table at the top; `base` is where the field's bytes begin in the message.
unsafe fn field(state: State, bytes: &[u8], base: usize) -> Result<(), Wrong> {
    let mut cursor = Cursor { bytes, at: 0 };
    let mut values = 0;
    unsafe { ffi::lua_createtable(state, 1, 0) };
    while !cursor.is_done() {
        let offset = base + cursor.at;
        let key = cursor.varint().ok_or(Wrong { tag: 0, wire: 0, offset })?;
        let (tag, wire) = (key >> 3, key & 7);
        let wrong = Wrong { tag, wire, offset };
        unsafe {
            match (tag, wire) {
                (1, BYTES) => set_text_at(state, 4, c"name", cursor.text().ok_or(wrong)?),
                (2, VARINT) => {
                    ffi::lua_pushnumber(state, (cursor.varint().ok_or(wrong)? as i32).into());
                    ffi::lua_setfield(state, 4, c"value_type".as_ptr());
                }
                (3, BYTES) => set_text_at(state, 4, c"representation", cursor.text().ok_or(wrong)?),
                (4 | 5, BYTES) => {
                    push_bytes(state, cursor.text().ok_or(wrong)?);
                    values += 1;
                    ffi::lua_rawseti_(state, 5, values);
                }
                (6 | 8, VARINT) | (7, FIXED64) => values = number(state, tag, &mut cursor, values).ok_or(wrong)?,
                (6..=8, BYTES) => {
                    let mut packed = Cursor { bytes: cursor.text().ok_or(wrong)?, at: 0 };
                    while !packed.is_done() {
                        values = number(state, tag, &mut packed, values).ok_or(wrong)?;
                    }
                }
                _ => return Err(wrong),
            }
        }
    }
    unsafe { ffi::lua_setfield(state, 4, c"value".as_ptr()) };
    Ok(())
}

/// Appends a number or truth value to the list at index 5.
unsafe fn number(state: State, tag: u64, cursor: &mut Cursor<'_>, values: c_int) -> Option<c_int> {
    unsafe {
        match tag {
            6 => ffi::lua_pushnumber(state, cursor.varint()? as i64 as f64),
            7 => ffi::lua_pushnumber(state, cursor.double()?),
            _ => ffi::lua_pushboolean(state, c_int::from(cursor.varint()? != 0)),
        }
        ffi::lua_rawseti_(state, 5, values + 1);
    }
    Some(values + 1)
}

unsafe fn set_text(state: State, key: &CStr, text: &[u8]) {
    unsafe { set_text_at(state, 2, key, text) }
}

unsafe fn set_text_at(state: State, table: c_int, key: &CStr, text: &[u8]) {
    unsafe {
        push_bytes(state, text);
        ffi::lua_setfield(state, table, key.as_ptr());
    }
}

unsafe fn set_number(state: State, key: &CStr, number: f64) {
    unsafe {
        ffi::lua_pushnumber(state, number);
        ffi::lua_setfield(state, 2, key.as_ptr());
    }
}
