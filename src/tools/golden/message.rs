//! Messages as the cases write them: to give to a script, and to compare with what it sends out.

use super::case::{items, pairs, text_of};
use heka_message::{Batch, BatchBuilder, FieldRef, FieldValue, Flags, RowRef, Span, ValueType, parse_uuid};
use std::collections::BTreeMap;
use std::fmt::Write;
use toml_edit::{Item, Value};

/// Headers by their names, and fields.
#[derive(Default)]
pub(super) struct Message {
    pub(super) headers: BTreeMap<String, Header>,
    pub(super) fields: Vec<Field>,
}

#[derive(Clone, PartialEq)]
pub(super) enum Header {
    Text(Vec<u8>),
    Number(i64),
}

pub(super) struct Field {
    name: String,
    value_type: ValueType,
    representation: Option<String>,
    values: Vec<Scalar>,
}

enum Scalar {
    Text(String),
    Integer(i64),
    Double(f64),
    Bool(bool),
}

/// What a decoder or filter sent out.
pub(super) enum Event {
    Message(Message),
    Payload { kind: String, name: String, text: String },
}

impl Message {
    pub(super) fn read(item: &Item) -> Result<Message, String> {
        let mut message = Message::default();
        for (key, item) in pairs(item, "message")? {
            let header = match key {
                "Fields" => {
                    message.fields = items(&item, key)?.iter().map(Field::read).collect::<Result<_, _>>()?;
                    continue;
                }
                "Timestamp" | "Severity" | "Pid" => {
                    Header::Number(item.as_integer().ok_or_else(|| format!("{key} must be an integer"))?)
                }
                "Uuid" | "Type" | "Logger" | "Payload" | "EnvVersion" | "Hostname" => {
                    Header::Text(text_of(&item, key)?.into_bytes())
                }
                _ => return Err(format!("unknown header {key}")),
            };
            message.headers.insert(key.to_owned(), header);
        }
        Ok(message)
    }

    /// A batch of this message alone, with an identity and a time, as all messages have that reach a script.
    pub(super) fn received(&self) -> Result<Batch, String> {
        let mut builder = BatchBuilder::default();
        let row = builder.row();
        row.set_uuid([0; 16]);
        row.set_timestamp(0);
        self.build(builder)
    }

    /// Completes the only row of the builder.
    fn build(&self, mut builder: BatchBuilder) -> Result<Batch, String> {
        for (name, header) in &self.headers {
            let span = match header {
                Header::Text(text) => builder.text(text),
                Header::Number(_) => Span::NONE,
            };
            let row = builder.row_mut(0);
            match (name.as_str(), header) {
                ("Uuid", Header::Text(text)) => row.set_uuid(parse_uuid(text).ok_or("Uuid is none")?),
                ("Timestamp", &Header::Number(nanos)) => row.set_timestamp(nanos),
                ("Severity", &Header::Number(level)) => row.set_severity(level as i32),
                ("Pid", &Header::Number(pid)) => row.set_pid(pid as i32),
                ("Type", _) => row.msg_type = span,
                ("Logger", _) => row.logger = span,
                ("Payload", _) => row.payload = span,
                ("EnvVersion", _) => row.env_version = span,
                ("Hostname", _) => row.hostname = span,
                _ => return Err(format!("{name} has the wrong type")),
            }
        }
        for field in &self.fields {
            let name = builder.text(field.name.as_bytes());
            let unit = field.representation.as_ref().map_or(Span::NONE, |text| builder.text(text.as_bytes()));
            builder.open_field(name, unit, field.value_type);
            for value in &field.values {
                builder.add_value(value.typed(field.value_type)?);
            }
        }
        Ok(builder.finish())
    }

    /// The text to compare messages by. Times are compared as doubles, for scripts know no others.
    pub(super) fn show(&self, exact_order: bool) -> Result<String, String> {
        let mut builder = BatchBuilder::default();
        builder.row();
        Ok(show_row(self.build(builder)?.row(0), exact_order))
    }
}

/// The same for a row that a script made.
pub(super) fn show_row(row: RowRef<'_>, exact_order: bool) -> String {
    let mut out = String::new();
    let flags = row.raw().flags;
    let numbers = [
        (Flags::TIMESTAMP, "Timestamp", row.timestamp() as f64),
        (Flags::SEVERITY, "Severity", f64::from(row.severity())),
        (Flags::PID, "Pid", f64::from(row.pid())),
    ];
    for (flag, name, value) in numbers {
        if flags.has(flag) {
            let _ = writeln!(out, "{name}: {value}");
        }
    }
    let raw = row.raw();
    let texts = [
        ("Type", raw.msg_type, row.msg_type()),
        ("Logger", raw.logger, row.logger()),
        ("Payload", raw.payload, row.payload()),
        ("EnvVersion", raw.env_version, row.env_version()),
        ("Hostname", raw.hostname, row.hostname()),
    ];
    for (name, span, text) in texts {
        if span.is_some() {
            let _ = writeln!(out, "{name}: \"{}\"", text.escape_ascii());
        }
    }
    let mut fields: Vec<String> = row.fields().map(show_field).collect();
    if !exact_order {
        fields.sort();
    }
    out + &fields.join("\n")
}

fn show_field(field: FieldRef<'_>) -> String {
    let mut out = format!("  {}:{:?}", field.name().escape_ascii(), field.value_type());
    if field.raw().representation.is_some() {
        let _ = write!(out, "/{}", field.representation().escape_ascii());
    }
    for value in field.values() {
        let _ = match value {
            FieldValue::String(text) | FieldValue::Bytes(text) => write!(out, " \"{}\"", text.escape_ascii()),
            FieldValue::Integer(number) => write!(out, " {number}"),
            FieldValue::Double(number) => write!(out, " {number:?}"),
            FieldValue::Bool(switch) => write!(out, " {switch}"),
        };
    }
    out
}

impl Field {
    /// `[name, type/representation, value]`
    fn read(item: &Item) -> Result<Field, String> {
        let parts = items(item, "a field")?;
        let [name, kind, value] = parts.as_slice() else {
            return Err("a field must have a name, a type and a value".to_owned());
        };
        let kind = text_of(kind, "the type of a field")?;
        let (letter, representation) = match kind.split_once('/') {
            Some((letter, representation)) => (letter, Some(representation.to_owned())),
            None => (kind.as_str(), None),
        };
        let value_type = match letter {
            "S" => ValueType::String,
            "B" => ValueType::Bytes,
            "I" => ValueType::Integer,
            "D" => ValueType::Double,
            "b" => ValueType::Bool,
            _ => return Err(format!("unknown type {kind}")),
        };
        let values = match items(value, "a value") {
            Ok(values) => values.iter().map(Scalar::read).collect::<Result<_, _>>()?,
            Err(_) => vec![Scalar::read(value)?],
        };
        Ok(Field { name: text_of(name, "the name of a field")?, value_type, representation, values })
    }
}

impl Scalar {
    fn read(item: &Item) -> Result<Scalar, String> {
        Ok(match item.as_value() {
            Some(Value::String(text)) => Scalar::Text(text.value().clone()),
            Some(Value::Integer(number)) => Scalar::Integer(*number.value()),
            Some(Value::Float(number)) => Scalar::Double(*number.value()),
            Some(Value::Boolean(switch)) => Scalar::Bool(*switch.value()),
            _ => return Err("a value must be a string, a number or a boolean".to_owned()),
        })
    }

    /// The value as one of the type; a double may be written as an integer.
    fn typed(&self, value_type: ValueType) -> Result<FieldValue<'_>, String> {
        Ok(match (self, value_type) {
            (Scalar::Text(text), ValueType::String) => FieldValue::String(text.as_bytes()),
            (Scalar::Text(text), ValueType::Bytes) => FieldValue::Bytes(text.as_bytes()),
            (&Scalar::Integer(number), ValueType::Integer) => FieldValue::Integer(number),
            (&Scalar::Integer(number), ValueType::Double) => FieldValue::Double(number as f64),
            (&Scalar::Double(number), ValueType::Double) => FieldValue::Double(number),
            (&Scalar::Bool(switch), ValueType::Bool) => FieldValue::Bool(switch),
            _ => return Err(format!("a value is not of the type {value_type:?}")),
        })
    }
}

impl Event {
    pub(super) fn read(item: &Item) -> Result<Event, String> {
        let table = pairs(item, "emits")?;
        let Some((_, kind)) = table.iter().find(|(key, _)| *key == "payload_type") else {
            return Ok(Event::Message(Message::read(item)?));
        };
        let text = |wanted: &str| match table.iter().find(|(key, _)| *key == wanted) {
            Some((key, item)) => text_of(item, key),
            None => Ok(String::new()),
        };
        Ok(Event::Payload { kind: text_of(kind, "payload_type")?, name: text("payload_name")?, text: text("Payload")? })
    }
}
