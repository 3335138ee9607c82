//! The document: the parts of a message that were asked for, as members of a JSON object, in the order asked for.

use super::json;
use super::options::{Names, Options, Part};
use heka_message::{FieldRef, FieldValue, RowRef, TimeFormat, write_uuid};
use jiff::tz::TimeZone;
use std::io::Write;

pub(super) struct Document {
    /// Each with its key, quoted, and a colon.
    parts: Vec<(Part, Vec<u8>)>,
    /// Fields are members of an object of their own.
    nested: bool,
    time: TimeFormat,
    raw: Vec<Vec<u8>>,
    /// Empty: all.
    only: Vec<Vec<u8>>,
    /// What stands in for a dot in the names of fields, unless it is a dot.
    dot: Option<Vec<u8>>,
    text: Vec<u8>,
}

impl Document {
    pub(super) fn new(options: &Options, names: Names) -> Self {
        let key = |part: &Part| {
            let mut key = Vec::new();
            json::quote(names.of(*part).as_bytes(), &mut key);
            key.push(b':');
            key
        };
        let bytes = |list: &[String]| list.iter().map(|name| name.as_bytes().to_vec()).collect();
        let dot = &options.replace_dots_with;
        Document {
            parts: options.parts.iter().map(|part| (*part, key(part))).collect(),
            nested: names.nested,
            time: TimeFormat::new(&options.timestamp, TimeZone::UTC),
            raw: bytes(&options.raw_bytes_fields),
            only: bytes(&options.dynamic_fields),
            dot: (dot != ".").then(|| dot.as_bytes().to_vec()),
            text: Vec::new(),
        }
    }

    /// Appends the line.
    pub(super) fn write(&mut self, message: RowRef<'_>, msg_type: &[u8], out: &mut Vec<u8>) {
        let Document { parts, nested, time, raw, only, dot, text } = self;
        out.push(b'{');
        for (part, key) in parts {
            if *part == Part::DynamicFields {
                if *nested {
                    next_member(out);
                    out.extend_from_slice(key);
                    out.push(b'{');
                }
                for field in message.fields() {
                    if only.is_empty() || only.iter().any(|name| name == field.name()) {
                        next_member(out);
                        write_name(field.name(), dot.as_deref(), text, out);
                        write_field(field, raw.iter().any(|name| name == field.name()), out);
                    }
                }
                if *nested {
                    out.push(b'}');
                }
                continue;
            }
            next_member(out);
            out.extend_from_slice(key);
            text.clear();
            match part {
                Part::Uuid => {
                    message.uuid().into_iter().for_each(|uuid| write_uuid(uuid, text));
                    json::quote(text, out);
                }
                Part::Timestamp => {
                    time.write(text, message.timestamp());
                    json::quote(text, out);
                }
                Part::Type => json::quote(msg_type, out),
                Part::Logger => json::quote(message.logger(), out),
                Part::Payload => json::quote(message.payload(), out),
                Part::EnvVersion => json::quote(message.env_version(), out),
                Part::Hostname => json::quote(message.hostname(), out),
                // Writing to a vector does not fail.
                Part::Severity => drop(write!(out, "{}", message.severity())),
                Part::Pid => drop(write!(out, "{}", message.pid())),
                Part::DynamicFields => {}
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Puts a comma before a member that is not its object's first.
fn next_member(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

fn write_name(name: &[u8], dot: Option<&[u8]>, text: &mut Vec<u8>, out: &mut Vec<u8>) {
    match dot {
        Some(dot) if name.contains(&b'.') => {
            text.clear();
            for (at, piece) in name.split(|byte| *byte == b'.').enumerate() {
                if at > 0 {
                    text.extend_from_slice(dot);
                }
                text.extend_from_slice(piece);
            }
            json::quote(text, out);
        }
        _ => json::quote(name, out),
    }
    out.push(b':');
}

/// One value stands for itself, several make an array, and none at all is null.
fn write_field(field: FieldRef<'_>, raw: bool, out: &mut Vec<u8>) {
    match field.len() {
        0 => out.extend_from_slice(b"null"),
        1 => field.values().for_each(|value| write_value(value, raw, false, out)),
        _ => {
            out.push(b'[');
            for (at, value) in field.values().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(value, raw, true, out);
            }
            out.push(b']');
        }
    }
}

fn write_value(value: FieldValue<'_>, raw: bool, in_array: bool, out: &mut Vec<u8>) {
    match value {
        FieldValue::String(text) | FieldValue::Bytes(text) if raw => json::verbatim(text, out),
        FieldValue::Bytes(bytes) if in_array => json::quote_base64(bytes, out),
        FieldValue::String(text) | FieldValue::Bytes(text) => json::quote(text, out),
        // Writing to a vector does not fail.
        FieldValue::Integer(number) => drop(write!(out, "{number}")),
        FieldValue::Double(number) => json::number(number, out),
        FieldValue::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
    }
}
