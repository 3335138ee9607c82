//! A message for people (`txt`) and for programs (`json`).

use heka_message::{FieldRef, FieldValue, Layout, RowRef, ValueType, format_g, write_base64, write_uuid};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::sync::LazyLock;

/// How messages are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    Text,
    /// One object a line.
    Json,
    /// The frames as they are.
    Frames,
    /// Only how many.
    Count,
}

impl Format {
    /// The format called `name`; whatever is not known means text.
    pub fn named(name: &str) -> Format {
        match name {
            "json" => Format::Json,
            "heka" => Format::Frames,
            "count" => Format::Count,
            _ => Format::Text,
        }
    }
}

static TIME: LazyLock<(Layout, TimeZone)> =
    LazyLock::new(|| (Layout::new("2006-01-02 15:04:05.999999999 -0700 MST"), TimeZone::system()));

/// Writes a message as lines, with an empty one behind them.
///
/// # Errors
/// When `out` cannot be written.
pub fn text(message: RowRef<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut shown = b"Timestamp: ".to_vec();
    TIME.0.write(&mut shown, message.timestamp(), &TIME.1);
    line(&mut shown, "Type", message.msg_type());
    line(&mut shown, "Hostname", message.hostname());
    line(&mut shown, "Pid", message.pid().to_string().as_bytes());
    let mut uuid = Vec::new();
    if let Some(of) = message.uuid() {
        write_uuid(of, &mut uuid);
    }
    line(&mut shown, "UUID", &uuid);
    line(&mut shown, "Logger", message.logger());
    line(&mut shown, "Payload", message.payload());
    line(&mut shown, "EnvVersion", message.env_version());
    line(&mut shown, "Severity", message.severity().to_string().as_bytes());
    line(&mut shown, "Fields", b"[");
    for (index, field) in message.fields().enumerate() {
        if index > 0 {
            shown.push(b' ');
        }
        write_field(field, &mut shown);
    }
    shown.extend_from_slice(b"]\n\n");
    out.write_all(&shown)
}

fn line(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    out.push(b'\n');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(text);
}

/// Appends a field in protobuf's text format, on one line.
fn write_field(field: FieldRef<'_>, out: &mut Vec<u8>) {
    let raw = field.raw();
    out.extend_from_slice(b"name:");
    write_quoted(field.name(), out);
    if raw.explicit_type || field.value_type() != ValueType::String {
        out.extend_from_slice(b" value_type:");
        out.extend_from_slice(field.value_type().name().to_uppercase().as_bytes());
    }
    if raw.representation.is_some() {
        out.extend_from_slice(b" representation:");
        write_quoted(field.representation(), out);
    }
    for value in field.values() {
        out.extend_from_slice(format!(" value_{}:", field.value_type().name()).as_bytes());
        match value {
            FieldValue::String(text) | FieldValue::Bytes(text) => write_quoted(text, out),
            FieldValue::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            FieldValue::Double(number) => format_g(number, out),
            FieldValue::Bool(truth) => out.extend_from_slice(truth.to_string().as_bytes()),
        }
    }
}

/// Appends bytes in quotes, as protobuf's text format has them: what is no printable ASCII in octal.
fn write_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    out.push(b'"');
}

/// Writes a message as one line of JSON; what is not set is left out.
///
/// # Errors
/// When `out` cannot be written.
pub fn json(message: RowRef<'_>, out: &mut impl Write) -> io::Result<()> {
    use heka_message::Flags;
    let (row, batch) = (message.raw(), message.batch());
    let mut object = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    };
    let span = |span: heka_message::Span| span.is_some().then(|| readable(batch.text(span)));
    set("uuid", message.uuid().map(|uuid| base64(uuid)));
    set("timestamp", row.flags.has(Flags::TIMESTAMP).then(|| json!(row.timestamp)));
    set("type", span(row.msg_type));
    set("logger", span(row.logger));
    set("severity", row.flags.has(Flags::SEVERITY).then(|| json!(row.severity)));
    set("payload", span(row.payload));
    set("env_version", span(row.env_version));
    set("pid", row.flags.has(Flags::PID).then(|| json!(row.pid)));
    set("hostname", span(row.hostname));
    let fields: Vec<Value> = message.fields().map(field_json).collect();
    set("fields", (!fields.is_empty()).then(|| json!(fields)));
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}

fn field_json(field: FieldRef<'_>) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), readable(field.name()));
    object.insert("value_type".to_owned(), json!(field.value_type() as u8));
    if field.raw().representation.is_some() {
        object.insert("representation".to_owned(), readable(field.representation()));
    }
    let values = field.values().map(|value| match value {
        FieldValue::String(text) => readable(text),
        FieldValue::Bytes(bytes) => base64(bytes),
        FieldValue::Integer(number) => json!(number),
        FieldValue::Double(number) => json!(number),
        FieldValue::Bool(truth) => json!(truth),
    });
    let values: Vec<Value> = values.collect();
    if !values.is_empty() {
        object.insert(format!("value_{}", field.value_type().name()), json!(values));
    }
    Value::Object(object)
}

/// Text as JSON can hold it: bytes that are no UTF-8 are replaced.
fn readable(text: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(text).into_owned())
}

fn base64(bytes: &[u8]) -> Value {
    let mut text = Vec::new();
    write_base64(bytes, &mut text);
    readable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{Batch, BatchBuilder, Span};

    fn message() -> Batch {
        let mut builder = BatchBuilder::default();
        let [msg_type, payload, a, b, unit] =
            [&b"t"[..], b"say \"hi\"\n\xff", b"a", b"b", b"B"].map(|text| builder.text(text));
        let row = builder.row();
        (row.msg_type, row.payload) = (msg_type, payload);
        row.set_uuid(std::array::from_fn(|i| i as u8));
        row.set_timestamp(1_425_943_801_250_000_000);
        row.set_pid(7);
        builder.field(a, Span::NONE, FieldValue::String(b"x\"\n\x01"));
        builder.open_field(b, unit, ValueType::Integer);
        assert!(builder.add_value(FieldValue::Integer(1)) && builder.add_value(FieldValue::Integer(-2)));
        builder.field(a, unit, FieldValue::Bytes(b"hi"));
        builder.field(b, Span::NONE, FieldValue::Double(1.5));
        builder.finish()
    }

    #[test]
    fn text_has_a_line_for_every_header_and_one_for_all_fields() {
        let mut out = Vec::new();
        text(message().row(0), &mut out).unwrap();
        let text = String::from_utf8_lossy(&out);
        let (time, rest) = text.split_once('\n').unwrap();
        assert!(time.starts_with("Timestamp: 2015-03-") && time.contains(":01.25 "), "{time}");
        let expected = "Type: t\nHostname: \nPid: 7\nUUID: 00010203-0405-0607-0809-0a0b0c0d0e0f\nLogger: \n\
            Payload: say \"hi\"\n\u{fffd}\nEnvVersion: \nSeverity: 7\n\
            Fields: [name:\"a\" value_type:STRING value_string:\"x\\\"\\n\\001\" \
            name:\"b\" value_type:INTEGER representation:\"B\" value_integer:1 value_integer:-2 \
            name:\"a\" value_type:BYTES representation:\"B\" value_bytes:\"hi\" \
            name:\"b\" value_type:DOUBLE value_double:1.5]\n\n";
        assert_eq!(rest, expected);
    }

    #[test]
    fn json_has_the_keys_of_the_schema_in_its_order_and_leaves_out_what_is_not_set() {
        let mut out = Vec::new();
        json(message().row(0), &mut out).unwrap();
        let expected = concat!(
            r#"{"uuid":"AAECAwQFBgcICQoLDA0ODw==","timestamp":1425943801250000000,"type":"t","#,
            "\"payload\":\"say \\\"hi\\\"\\n\u{fffd}\",\"pid\":7,\"fields\":[",
            r#"{"name":"a","value_type":0,"value_string":["x\"\n\u0001"]},"#,
            r#"{"name":"b","value_type":2,"representation":"B","value_integer":[1,-2]},"#,
            r#"{"name":"a","value_type":1,"representation":"B","value_bytes":["aGk="]},"#,
            r#"{"name":"b","value_type":3,"value_double":[1.5]}]}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut builder = BatchBuilder::default();
        builder.row();
        let mut out = Vec::new();
        json(builder.finish().row(0), &mut out).unwrap();
        assert_eq!(out, b"{}\n");
    }
}
