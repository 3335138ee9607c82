//! `write_message`: changes a private copy of the current message.

use crate::host::{Host, host};
use crate::read::field_name;
use crate::{State, ffi};
use heka_lua::{Raise, arg_error, bytes_at, protect, raise};
use heka_message::{BatchBuilder, FieldValue, Flags, Span, TimestampParser, ValueType, parse_uuid};
use jiff::tz::TimeZone;
use std::ffi::c_int;

/// A value that a script may write.
#[derive(Clone, Copy)]
enum Written<'a> {
    Text(&'a [u8]),
    Number(f64),
    Bool(bool),
    Nil,
}

/// What of a field is meant.
struct Place<'a> {
    name: &'a [u8],
    field_index: usize,
    array_index: Option<usize>,
}

/// `write_message(variable, value [, representation [, field_index [, array_index]]])`.
pub(crate) unsafe extern "C-unwind" fn write_message(state: State) -> c_int {
    unsafe {
        let count = ffi::lua_gettop(state);
        if !(2..=5).contains(&count) {
            raise(state, Raise::here("write_message() incorrect number of arguments"));
        }
        let variable = heka_lua::bytes(state, 1);
        let value = match ffi::lua_type(state, 2) {
            ffi::LUA_TSTRING => Written::Text(bytes_at(state, 2).unwrap_or_default()),
            ffi::LUA_TNUMBER => Written::Number(ffi::lua_tonumber(state, 2)),
            ffi::LUA_TBOOLEAN => Written::Bool(ffi::lua_toboolean(state, 2) != 0),
            ffi::LUA_TNIL => Written::Nil,
            _ => raise(
                state,
                Raise::here("write_message() only accepts numeric, string, or boolean field values, or nil to delete"),
            ),
        };
        let representation = heka_lua::opt_bytes(state, 3).unwrap_or_default();
        let field_index = heka_lua::opt_integer(state, 4, 0);
        if field_index < 0 {
            arg_error(state, 4, c"field index must be >= 0");
        }
        let array_index = heka_lua::opt_integer(state, 5, 0);
        if array_index < 0 {
            arg_error(state, 5, c"array index must be >= 0");
        }
        let array_index = (!heka_lua::is_none_or_nil(state, 5)).then_some(array_index as usize);
        protect(state, || {
            let host = host(state);
            write(host, variable, value, representation, field_index as usize, array_index).map_err(|why| {
                if let Some(role) = host.role() {
                    role.log(&format!("write_message() {why}"));
                }
                Raise::here("write_message() failed")
            })
        });
    }
    0
}

fn write(
    host: &mut Host,
    variable: &[u8],
    value: Written<'_>,
    representation: &[u8],
    field_index: usize,
    array_index: Option<usize>,
) -> Result<(), String> {
    if !host.drafted {
        let Some(message) = host.current else { return Err("No sandbox pack.".to_owned()) };
        host.draft.restart(message.batch().source().clone());
        host.draft.copy_row(message);
        host.drafted = true;
    }
    let draft = &mut host.draft;
    if let Some(name) = field_name(variable) {
        return write_field(draft, &Place { name, field_index, array_index }, value, representation);
    }
    match value {
        Written::Text(text) => write_text(draft, variable, text)?,
        Written::Number(number) => {
            let time = host.times.take(number);
            let Some(row) = draft.last_row() else { return Ok(()) };
            match variable {
                b"Timestamp" => row.set_timestamp(time),
                b"Severity" => row.set_severity(number as i64 as i32),
                b"Pid" => row.set_pid(number as i64 as i32),
                _ => return Err("Bad field name.".to_owned()),
            }
        }
        Written::Bool(_) | Written::Nil => return Err("Bad field name.".to_owned()),
    }
    if let Some(row) = draft.last_row() {
        row.flags.set(Flags::TOUCHED);
    }
    Ok(())
}

fn write_text(draft: &mut BatchBuilder, variable: &[u8], text: &[u8]) -> Result<(), String> {
    let span = match variable {
        b"Type" | b"Logger" | b"Payload" | b"EnvVersion" | b"Hostname" => draft.text(text),
        _ => Span::NONE,
    };
    let integer = |why: &str| {
        std::str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok()).ok_or_else(|| why.to_owned())
    };
    let Some(row) = draft.last_row() else { return Ok(()) };
    match variable {
        b"Type" => row.msg_type = span,
        b"Logger" => row.logger = span,
        b"Payload" => row.payload = span,
        b"EnvVersion" => row.env_version = span,
        b"Hostname" => row.hostname = span,
        b"Uuid" => row.set_uuid(parse_uuid(text).ok_or("Bad UUID string.")?),
        b"Timestamp" => row.set_timestamp(timestamp(text)?),
        b"Severity" => row.set_severity(integer("Can't parse severity value.")?),
        b"Pid" => row.set_pid(integer("Can't parse PID value.")?),
        _ => return Err("Bad field name.".to_owned()),
    }
    Ok(())
}

/// Nanoseconds, as an integer with a prefix for its base, or a time in one of the layouts everybody uses.
fn timestamp(text: &[u8]) -> Result<i64, String> {
    if text.is_empty() {
        return Err("Empty timestamp string.".to_owned());
    }
    let refused = || "Can't parse timestamp string.".to_owned();
    if let Some(nanos) = std::str::from_utf8(text).ok().and_then(integer) {
        return Ok(nanos);
    }
    TimestampParser::new("", TimeZone::UTC).ok().and_then(|p| p.parse(text, crate::host::now())).ok_or_else(refused)
}

/// An integer in base 10, 16 (`0x`) or 8 (`0`).
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, base) = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (lower.as_str(), 10),
    };
    let plain = !digits.starts_with(['+', '-']);
    if plain { i64::from_str_radix(&format!("{sign}{digits}"), base).ok() } else { None }
}

fn write_field(
    draft: &mut BatchBuilder,
    place: &Place<'_>,
    value: Written<'_>,
    representation: &[u8],
) -> Result<(), String> {
    let row = draft.batch().row(0);
    let same = || row.fields().enumerate().filter(|(_, field)| field.name() == place.name);
    let count = same().count();
    let found = same().nth(place.field_index).map(|(at, field)| (at, field.value_type(), field.len()));
    let Some((at, value_type, len)) = found else {
        if matches!(value, Written::Nil) {
            return if count == 0 { Ok(()) } else { Err("bad field index".to_owned()) };
        }
        if place.field_index > count {
            return Err("bad field index".to_owned());
        }
        if place.array_index.unwrap_or(0) > 0 {
            return Err("bad array index".to_owned());
        }
        let (name, representation) = (draft.text(place.name), draft.text(representation));
        let value = match value {
            Written::Text(text) => FieldValue::String(text),
            Written::Number(number) => FieldValue::Double(number),
            Written::Bool(truth) => FieldValue::Bool(truth),
            Written::Nil => return Ok(()),
        };
        draft.field(name, representation, value);
        return Ok(());
    };
    let value = match (value, value_type) {
        (Written::Nil, _) => {
            let removed = match place.array_index {
                None => draft.remove_field(at),
                Some(index) => draft.remove_value(at, index),
            };
            return if removed { Ok(()) } else { Err("bad array index".to_owned()) };
        }
        (Written::Text(text), ValueType::String) => FieldValue::String(text),
        (Written::Text(text), ValueType::Bytes) => FieldValue::Bytes(text),
        (Written::Number(number), ValueType::Double) => FieldValue::Double(number),
        (Written::Number(number), ValueType::Integer) => FieldValue::Integer(number as i64),
        (Written::Bool(truth), ValueType::Bool) => FieldValue::Bool(truth),
        (_, value_type) => {
            let kind = ["a string", "a bytes", "an integer", "a double", "an boolean"][value_type as usize];
            return Err(format!("type error, '{}' is {kind} field", String::from_utf8_lossy(place.name)));
        }
    };
    let index = place.array_index.unwrap_or(0);
    if index > len || !draft.set_value(at, index, value) {
        return Err("bad array index".to_owned());
    }
    let representation = draft.text(representation);
    draft.set_representation(at, representation);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_written_in_any_base_or_layout() {
        let cases = [
            ("123", 123),
            ("0x7b", 123),
            ("0173", 123),
            ("-5", -5),
            ("0", 0),
            ("2015-03-09T23:30:01Z", 1_425_943_801_000_000_000),
        ];
        for (text, nanos) in cases {
            assert_eq!(timestamp(text.as_bytes()), Ok(nanos), "{text}");
        }
        assert_eq!(timestamp(b""), Err("Empty timestamp string.".to_owned()));
        for text in ["x", "--5", "0x", "12 monkeys"] {
            assert_eq!(timestamp(text.as_bytes()), Err("Can't parse timestamp string.".to_owned()), "{text}");
        }
    }
}
