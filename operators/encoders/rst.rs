//! RstEncoder: a message as reStructuredText, for people to read.

use super::{Encoder, EncoderSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{FieldRef, FieldValue, Layout, RowRef, write_base64, write_uuid, write_value};
use jiff::tz::TimeZone;
use std::io::Write;
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "RstEncoder",
    summary: "Writes whole messages as reStructuredText, for people to read.",
    settings: || &[],
    defaults: Defaults { accepts_any: true, ..Defaults::NONE },
    make: Make::Encoder(|_, _| Arc::new(Spec)),
};

struct Spec;

impl EncoderSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        Ok(Box::new(RstEncoder::new()))
    }
}

struct RstEncoder {
    time: Layout,
}

impl RstEncoder {
    fn new() -> Self {
        RstEncoder { time: Layout::new("2006-01-02 15:04:05.999999999 +0000 UTC") }
    }
}

impl Encoder for RstEncoder {
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        // Writing to a vector does not fail.
        out.extend_from_slice(b"\n:Timestamp: ");
        self.time.write(out, message.timestamp(), &TimeZone::UTC);
        line(out, "Type", message.msg_type());
        line(out, "Hostname", message.hostname());
        let _ = write!(out, "\n:Pid: {}\n:Uuid: ", message.pid());
        if let Some(uuid) = message.uuid() {
            write_uuid(uuid, out);
        }
        line(out, "Logger", message.logger());
        line(out, "Payload", message.payload());
        line(out, "EnvVersion", message.env_version());
        let _ = writeln!(out, "\n:Severity: {}", message.severity());
        if message.raw().field_count() > 0 {
            out.extend_from_slice(b":Fields:\n");
        }
        message.fields().for_each(|field| write_field(field, out));
        out.push(b'\n');
        Ok(true)
    }
}

fn line(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    let _ = write!(out, "\n:{name}: ");
    out.extend_from_slice(text);
}

fn write_field(field: FieldRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"    | name:\"");
    out.extend_from_slice(field.name());
    let _ = write!(out, "\" type:{} value:", field.value_type().name());
    let list = field.len() != 1;
    if list {
        out.push(b'[');
    }
    for (at, value) in field.values().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match value {
            FieldValue::String(text) => {
                out.push(b'"');
                out.extend_from_slice(text);
                out.push(b'"');
            }
            FieldValue::Bytes(bytes) => write_base64(bytes, out),
            value => write_value(value, out),
        }
    }
    if list {
        out.push(b']');
    }
    if !field.representation().is_empty() {
        out.extend_from_slice(b" representation:\"");
        out.extend_from_slice(field.representation());
        out.push(b'"');
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{Batch, BatchBuilder, ValueType};

    fn encoded(batch: &Batch) -> String {
        let mut out = Vec::new();
        assert_eq!(RstEncoder::new().encode(batch.row(0), &mut out), Ok(true));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_message_without_fields_is_its_header() {
        let mut builder = BatchBuilder::default();
        let [msg_type, payload] = [&b"t"[..], b"hi"].map(|text| builder.text(text));
        let row = builder.row();
        (row.msg_type, row.payload) = (msg_type, payload);
        row.set_timestamp(1_425_943_801_250_000_000);
        let text = encoded(&builder.finish());
        let expected = "\n:Timestamp: 2015-03-09 23:30:01.25 +0000 UTC\n:Type: t\n:Hostname: \n:Pid: 0\n:Uuid: \n\
            :Logger: \n:Payload: hi\n:EnvVersion: \n:Severity: 7\n\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_header_has_its_line() {
        let mut builder = BatchBuilder::default();
        let texts = [&b"type"[..], b"host", b"logger", b"two\nlines", b"1"].map(|text| builder.text(text));
        let row = builder.row();
        [row.msg_type, row.hostname, row.logger, row.payload, row.env_version] = texts;
        row.set_uuid(std::array::from_fn(|i| i as u8));
        row.set_pid(-3);
        row.set_severity(6);
        let expected = "\n:Timestamp: 1970-01-01 00:00:00 +0000 UTC\n:Type: type\n:Hostname: host\n:Pid: -3\n\
            :Uuid: 00010203-0405-0607-0809-0a0b0c0d0e0f\n:Logger: logger\n:Payload: two\nlines\n:EnvVersion: 1\n\
            :Severity: 6\n\n";
        assert_eq!(encoded(&builder.finish()), expected);
    }

    #[test]
    fn fields_show_their_types_and_values() {
        use FieldValue::{Bool, Bytes, Double, Integer, String};
        type Case<'a> = (&'a str, ValueType, &'a [FieldValue<'a>], &'a str, &'a str);
        let cases: &[Case<'_>] = &[
            (
                "intfield",
                ValueType::Integer,
                &[Integer(23), Integer(24), Integer(25)],
                "count",
                r#"name:"intfield" type:integer value:[23,24,25] representation:"count""#,
            ),
            (
                "bool",
                ValueType::Bool,
                &[Bool(false)],
                "false",
                r#"name:"bool" type:bool value:false representation:"false""#,
            ),
            (
                "d",
                ValueType::Double,
                &[Double(345.6789), Double(139_847_987_987_987.88)],
                "",
                r#"name:"d" type:double value:[345.6789,1.3984798798798788e+14]"#,
            ),
            ("s", ValueType::String, &[String(b"a\"b")], "", r#"name:"s" type:string value:"a"b""#),
            ("ss", ValueType::String, &[String(b"a"), String(b"")], "", r#"name:"ss" type:string value:["a",""]"#),
            ("b", ValueType::Bytes, &[Bytes(b"hi")], "", r#"name:"b" type:bytes value:aGk="#),
            ("none", ValueType::Integer, &[], "B", r#"name:"none" type:integer value:[] representation:"B""#),
            ("x", ValueType::Double, &[Double(1.0)], "B", r#"name:"x" type:double value:1 representation:"B""#),
        ];
        let mut builder = BatchBuilder::default();
        builder.row();
        let mut lines = std::string::String::new();
        for (name, value_type, values, representation, expected) in cases {
            let (name, representation) = (builder.text(name.as_bytes()), builder.text(representation.as_bytes()));
            builder.open_field(name, representation, *value_type);
            assert!(values.iter().all(|value| builder.add_value(*value)));
            lines += &format!("    | {expected}\n");
        }
        let text = encoded(&builder.finish());
        let (_, fields) = text.split_once(":Severity: 7\n:Fields:\n").unwrap();
        assert_eq!(fields, lines + "\n");
    }
}
