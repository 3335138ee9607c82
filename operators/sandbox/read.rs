//! `read_config`, `read_message` and `read_next_field`: straight from the batch to the stack.

use crate::config::ConfigValue;
use crate::host::host;
use crate::{State, ffi};
use heka_lua::{Raise, arg_error, protect, push_bytes, raise};
use heka_message::{FieldRef, FieldValue, Flags, RowRef, write_message, write_uuid};
use std::ffi::c_int;

/// A value on its way to the stack; its bytes live as long as the call's message.
#[derive(Clone, Copy)]
enum Found {
    Nil,
    Bytes(&'static [u8]),
    Number(f64),
    Bool(bool),
}

impl Found {
    /// Of bytes that belong to the host or to the call's message, neither of which changes until they are pushed.
    fn bytes(bytes: &[u8]) -> Found {
        // SAFETY: the caller pushes them before anything else happens.
        Found::Bytes(unsafe { std::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) })
    }

    fn value(value: Option<FieldValue<'_>>) -> Found {
        match value {
            Some(FieldValue::Bytes([])) | None => Found::Nil,
            Some(FieldValue::String(text) | FieldValue::Bytes(text)) => Found::bytes(text),
            Some(FieldValue::Integer(integer)) => Found::Number(integer as f64),
            Some(FieldValue::Double(double)) => Found::Number(double),
            Some(FieldValue::Bool(truth)) => Found::Bool(truth),
        }
    }

    unsafe fn push(self, state: State) {
        unsafe {
            match self {
                Found::Nil => ffi::lua_pushnil(state),
                Found::Bytes(bytes) => push_bytes(state, bytes),
                Found::Number(number) => ffi::lua_pushnumber(state, number),
                Found::Bool(truth) => ffi::lua_pushboolean(state, c_int::from(truth)),
            }
        }
    }
}

/// `read_config(name)`.
pub(crate) unsafe extern "C-unwind" fn read_config(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 1 {
            raise(state, Raise::here("read_config() must have a single argument"));
        }
        let name = heka_lua::bytes(state, 1);
        let host = host(state);
        let found = host.values.iter().position(|(key, _)| key.as_bytes() == name);
        let found = found.map_or(Found::Nil, |at| {
            host.asked[at] = true;
            match &host.values[at].1 {
                ConfigValue::String(text) => Found::bytes(text),
                ConfigValue::Number(number) => Found::Number(*number),
                ConfigValue::Bool(truth) => Found::Bool(*truth),
            }
        });
        found.push(state);
    }
    1
}

/// `read_message(variable [, field_index [, array_index]])`.
pub(crate) unsafe extern "C-unwind" fn read_message(state: State) -> c_int {
    unsafe {
        let count = ffi::lua_gettop(state);
        if !(1..=3).contains(&count) {
            raise(state, Raise::here("read_message() incorrect number of arguments"));
        }
        let variable = heka_lua::bytes(state, 1);
        let field_index = heka_lua::opt_integer(state, 2, 0);
        if field_index < 0 {
            arg_error(state, 2, c"field index must be >= 0");
        }
        let array_index = heka_lua::opt_integer(state, 3, 0);
        if array_index < 0 {
            arg_error(state, 3, c"array index must be >= 0");
        }
        let found = protect(state, || Ok(read(state, variable, field_index as usize, array_index as usize)));
        found.push(state);
    }
    1
}

/// The name between `Fields[` and `]`.
pub(crate) fn field_name(variable: &[u8]) -> Option<&[u8]> {
    variable.strip_prefix(b"Fields[")?.strip_suffix(b"]")
}

unsafe fn read(state: State, variable: &[u8], field_index: usize, array_index: usize) -> Found {
    let host = unsafe { host(state) };
    let drafted = host.drafted;
    let Some(message) = (if drafted { Some(host.draft.batch().row(0)) } else { host.current }) else {
        return Found::Nil;
    };
    let flags = message.raw().flags;
    match variable {
        b"Payload" => Found::bytes(message.payload()),
        b"Type" => Found::bytes(message.msg_type()),
        b"Logger" => Found::bytes(message.logger()),
        b"Hostname" => Found::bytes(message.hostname()),
        b"EnvVersion" => Found::bytes(message.env_version()),
        b"Timestamp" if flags.has(Flags::TIMESTAMP) => Found::Number(host.times.give(message.timestamp())),
        b"Severity" if flags.has(Flags::SEVERITY) => Found::Number(message.severity().into()),
        b"Pid" if flags.has(Flags::PID) => Found::Number(message.pid().into()),
        b"Uuid" => {
            host.scratch.clear();
            if let Some(uuid) = message.uuid() {
                write_uuid(uuid, &mut host.scratch);
            }
            Found::bytes(&host.scratch)
        }
        b"raw" => raw(message, host.kind, &mut host.scratch),
        _ => match field_name(variable) {
            Some(name) => {
                Found::value(message.field(name, field_index).and_then(|field: FieldRef<'_>| field.value(array_index)))
            }
            None => Found::Nil,
        },
    }
}

/// The encoded form. A decoder sees what its splitter put there, all others see every message encoded.
fn raw(message: RowRef<'_>, kind: crate::Kind, scratch: &mut Vec<u8>) -> Found {
    if let Some(wire) = message.wire() {
        return Found::bytes(wire);
    }
    let row = message.raw();
    if kind == crate::Kind::Decoder {
        return if row.wire.is_some() && !row.flags.has(Flags::TOUCHED) {
            Found::bytes(message.batch().text(row.wire))
        } else {
            Found::Nil
        };
    }
    scratch.clear();
    write_message(message, scratch);
    Found::bytes(scratch)
}

/// `read_next_field()` → value_type, name, value, representation, count.
pub(crate) unsafe extern "C-unwind" fn read_next_field(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 0 {
            raise(state, Raise::here("read_next_field() takes no arguments"));
        }
        let host = host(state);
        let at = host.next_field;
        let message = if host.drafted { Some(host.draft.batch().row(0)) } else { host.current };
        let Some(field) = message.and_then(|message| message.fields().nth(at)) else {
            for _ in 0..5 {
                ffi::lua_pushnil(state);
            }
            return 5;
        };
        host.next_field += 1;
        let parts = [
            Found::Number(f64::from(field.value_type() as u8)),
            Found::bytes(field.name()),
            Found::value(field.value(0)),
            Found::bytes(field.representation()),
            Found::Number(field.len() as f64),
        ];
        for part in parts {
            part.push(state);
        }
    }
    5
}
