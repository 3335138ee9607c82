//! Both encoders, byte for byte.

use crate::encoders::{es_json, es_logstash_v0};
use crate::net::rig::{section, site, text, texts};
use crate::registry::{Make, PluginType};
use heka_message::{Batch, BatchBuilder, FieldValue, Span, ValueType};
use heka_settings::{Data, Level, Problem, Problems, Table};
use proptest::prelude::*;

/// 2015-03-09T23:30:01.25Z.
const TIME: i64 = 1_425_943_801_250_000_000;

fn add(builder: &mut BatchBuilder, name: &[u8], value_type: ValueType, values: &[FieldValue<'_>]) {
    let name = builder.text(name);
    builder.open_field(name, Span::NONE, value_type);
    assert!(values.iter().all(|value| builder.add_value(*value)));
}

fn message() -> Batch {
    use FieldValue::{Bool, Bytes, Double, Integer, String};
    let mut builder = BatchBuilder::default();
    let headers = [&b"nginx.access"[..], b"FxA", "a \"b\"\n\t\\c é/".as_bytes(), b"2", b"Web1"];
    let headers = headers.map(|header| builder.text(header));
    let row = builder.row();
    [row.msg_type, row.logger, row.payload, row.env_version, row.hostname] = headers;
    row.set_uuid(*b"\x12\x34\x56\x78\x12\x34\x12\x34\x12\x34\x12\x34\x56\x78\x90\xab");
    row.set_timestamp(TIME);
    row.set_severity(6);
    row.set_pid(42);
    let b = &mut builder;
    add(b, b"status", ValueType::Integer, &[Integer(200)]);
    add(b, b"req.time", ValueType::Double, &[Double(0.125), Double(1_000_000.0), Double(2.0)]);
    add(b, b"ok", ValueType::Bool, &[Bool(true)]);
    add(b, b"tag", ValueType::String, &[String(b"x"), String(b"y")]);
    add(b, b"tag", ValueType::String, &[String(b"z")]);
    add(b, b"blob", ValueType::Bytes, &[Bytes(b"hi")]);
    add(b, b"blobs", ValueType::Bytes, &[Bytes(b"hi"), Bytes(b"yo")]);
    add(b, b"geo", ValueType::Bytes, &[Bytes(br#"{"a":1}"#)]);
    builder.finish()
}

fn run(kind: &PluginType, table: &Table, batch: &Batch) -> (String, Vec<Problem>) {
    let mut problems = Problems::default();
    let Make::Encoder(read) = kind.make else { panic!("no encoder") };
    let mut encoder = read(table, &mut problems).build(&site("es")).unwrap();
    let mut out = Vec::new();
    for row in 0..batch.len() {
        assert_eq!(encoder.encode(batch.row(row), &mut out), Ok(true));
    }
    (String::from_utf8(out).unwrap(), problems.into_sorted())
}

fn encoded(kind: &PluginType, table: Table, batch: &Batch) -> String {
    let (text, problems) = run(kind, &table, batch);
    assert!(problems.is_empty(), "{problems:?}");
    text
}

fn json<const N: usize>(entries: [(&str, Data); N]) -> Table {
    section(entries)
}

const YES: Data = Data::Bool(true);

#[test]
fn a_whole_message_is_written() {
    let table = json([("es_index_from_timestamp", YES), ("raw_bytes_fields", texts(["geo"]))]);
    let expected = r#"{"index":{"_index":"heka-2015.03.09","_type":"message"}}
{"Uuid":"12345678-1234-1234-1234-1234567890ab","Timestamp":"2015-03-09T23:30:01","Type":"nginx.access","Logger":"FxA","Severity":6,"Payload":"a \u0022b\u0022\u000a\u0009\u005cc é/","EnvVersion":"2","Pid":42,"Hostname":"Web1","status":200,"req.time":[0.125,1e+06,2],"ok":true,"tag":["x","y"],"tag":"z","blob":"hi","blobs":["aGk=","eW8="],"geo":{"a":1}}
"#;
    assert_eq!(encoded(&es_json::TYPE, table, &message()), expected);
}

#[test]
fn parts_names_and_templates_are_the_users() {
    let mappings = section([("Timestamp", text("@timestamp")), ("Severity", text("level"))]);
    let table = json([
        ("index", text("%{Type}-%{Hostname}-%{%Y.%m}")),
        ("type_name", text("%{Logger}")),
        ("id", text("%{UUID}")),
        ("fields", texts(["Timestamp", "severity", "DynamicFields"])),
        ("dynamic_fields", texts(["req.time"])),
        ("replace_dots_with", text("_")),
        ("timestamp", text("%Y-%m-%dT%H:%M:%SZ")),
        ("es_index_from_timestamp", YES),
        ("field_mappings", Data::Table(mappings)),
    ]);
    let expected = r#"{"index":{"_index":"nginx.access-web1-2015.03","_type":"FxA","_id":"12345678-1234-1234-1234-1234567890ab"}}
{"@timestamp":"2015-03-09T23:30:01Z","level":6,"req_time":[0.125,1e+06,2]}
"#;
    assert_eq!(encoded(&es_json::TYPE, table, &message()), expected);
}

#[test]
fn names_that_a_message_lacks_leave_the_identity_to_the_server() {
    for id in ["%{nope}", "%{nope}-", "", "%{absent}%{UUID}"] {
        let table = json([("index", text("x")), ("id", text(id)), ("fields", texts(["Type"]))]);
        let expected = "{\"index\":{\"_index\":\"x\",\"_type\":\"message\"}}\n{\"Type\":\"nginx.access\"}\n";
        assert_eq!(encoded(&es_json::TYPE, table, &message()), expected, "{id}");
    }
    let table = json([("index", text("x")), ("id", text("%{status}%{ok}%{req.time}")), ("fields", texts(["Pid"]))]);
    let line = encoded(&es_json::TYPE, table, &message());
    assert!(line.contains(r#","_id":"200true0.125"}}"#), "{line}");
}

#[test]
fn names_of_the_action_are_json_too() {
    let mut builder = BatchBuilder::default();
    let name = builder.text("ÄB\u{1}\"".as_bytes());
    builder.row().logger = name;
    let table = json([("index", text("%{Logger}")), ("type_name", text("%{Logger}")), ("fields", texts([]))]);
    let expected = "{\"index\":{\"_index\":\"äb\\u0001\\u0022\",\"_type\":\"ÄB\\u0001\\u0022\"}}\n{}\n";
    assert_eq!(encoded(&es_json::TYPE, table, &builder.finish()), expected);
}

#[test]
fn a_date_of_the_old_kind_is_honoured_with_a_warning() {
    let table = json([
        ("index", text("heka-%{2006.01.02}")),
        ("es_index_from_timestamp", YES),
        ("timestamp", text("2006-01-02")),
        ("fields", texts(["Timestamp"])),
    ]);
    let (line, problems) = run(&es_json::TYPE, &table, &message());
    let expected =
        "{\"index\":{\"_index\":\"heka-2015.03.09\",\"_type\":\"message\"}}\n{\"Timestamp\":\"2015-03-09\"}\n";
    assert_eq!(line, expected);
    assert!(problems.len() == 2 && problems.iter().all(|problem| problem.level == Level::Warning), "{problems:?}");
}

#[test]
fn an_empty_message_has_its_defaults() {
    let mut builder = BatchBuilder::default();
    builder.row();
    let line = encoded(&es_json::TYPE, json([("index", text("x")), ("type_name", text(""))]), &builder.finish());
    let expected = r#"{"index":{"_index":"x"}}
{"Uuid":"","Timestamp":"1970-01-01T00:00:00","Type":"","Logger":"","Severity":7,"Payload":"","EnvVersion":"","Pid":0,"Hostname":""}
"#;
    assert_eq!(line, expected);
}

#[test]
fn fields_may_come_first_and_have_no_value_or_no_number() {
    let mut builder = BatchBuilder::default();
    let msg_type = builder.text(b"\xc3\xa9\xff");
    builder.row().msg_type = msg_type;
    add(&mut builder, b"none", ValueType::String, &[]);
    add(&mut builder, b"nan", ValueType::Double, &[FieldValue::Double(f64::NAN), FieldValue::Double(1.0)]);
    add(&mut builder, b"raw", ValueType::String, &[FieldValue::String(b"{oops"), FieldValue::String(b"[1,\n2]")]);
    let table =
        json([("index", text("x")), ("fields", texts(["fields", "Type"])), ("raw_bytes_fields", texts(["raw"]))]);
    let line = encoded(&es_json::TYPE, table, &builder.finish());
    let expected = "{\"none\":null,\"nan\":[null,1],\"raw\":[\"{oops\",[1, 2]],\"Type\":\"é\u{fffd}\"}";
    assert_eq!(line.lines().nth(1), Some(expected));
}

#[test]
fn logstash_has_its_own_names() {
    let geo = r#""geo":"{\u0022a\u0022:1}""#;
    let expected = r#"{"index":{"_index":"logstash-2015.03.09","_type":"message"}}
{"@uuid":"12345678-1234-1234-1234-1234567890ab","@timestamp":"2015-03-09T23:30:01","@type":"message","@logger":"FxA","@severity":6,"@message":"a \u0022b\u0022\u000a\u0009\u005cc é/","@envversion":"2","@pid":42,"@source_host":"Web1","@fields":{"status":200,"req.time":[0.125,1e+06,2],"ok":true,"tag":["x","y"],"tag":"z","blob":"hi","blobs":["aGk=","eW8="],GEO}}
"#
    .replace("GEO", geo);
    let kind = &es_logstash_v0::TYPE;
    assert_eq!(encoded(kind, json([("es_index_from_timestamp", YES)]), &message()), expected);

    let table = json([
        ("index", text("i")),
        ("type_name", text("%{Type}")),
        ("fields", texts(["type", "payload", "dynamicfields"])),
        ("dynamic_fields", texts(["ok"])),
    ]);
    let expected = r#"{"index":{"_index":"i","_type":"nginx.access"}}
{"@type":"nginx.access","@message":"a \u0022b\u0022\u000a\u0009\u005cc é/","@fields":{"ok":true}}
"#;
    assert_eq!(encoded(kind, table, &message()), expected);

    let table = json([
        ("index", text("i")),
        ("use_message_type", YES),
        ("type_name", text("syslog")),
        ("fields", texts(["Type", "Fields"])),
        ("dynamic_fields", texts(["absent"])),
    ]);
    let expected = r#"{"index":{"_index":"i","_type":"syslog"}}
{"@type":"nginx.access","@fields":{}}
"#;
    assert_eq!(encoded(kind, table, &message()), expected);

    let table = json([
        ("index", text("i")),
        ("type_name", text("%{nope}")),
        ("timestamp", text("%Y/%m/%d %H:%M:%S %z")),
        ("fields", texts(["Timestamp", "Type"])),
    ]);
    let expected = r#"{"index":{"_index":"i","_type":"nope"}}
{"@timestamp":"2015/03/09 23:30:01 +0000","@type":"%{nope}"}
"#;
    assert_eq!(encoded(kind, table, &message()), expected);
}

#[test]
fn mistakes_are_named() {
    let refused = |kind, table| -> Vec<String> {
        let (_, problems) = run(kind, &table, &message());
        problems.into_iter().map(|problem| problem.message).collect()
    };
    let unsupported = "Unsupported value \"Hogger\" in 'fields' list, must be one of Uuid, Timestamp, Type, Logger, \
                       Severity, Payload, EnvVersion, Pid, Hostname, DynamicFields";
    let mapped = section([("Fields", text("f"))]);
    for kind in [&es_json::TYPE, &es_logstash_v0::TYPE] {
        assert_eq!(refused(kind, json([("fields", texts(["severity", "Hogger"]))])), [unsupported]);
        let wrong = json([("fields", texts(["Type"])), ("dynamic_fields", texts(["a"]))]);
        let expected = r#""DynamicFields" must be in 'fields' list if using 'dynamic_fields'"#;
        assert_eq!(refused(kind, wrong), [expected]);
    }
    let unknown = refused(&es_json::TYPE, json([("field_mappings", Data::Table(mapped))]));
    assert!(unknown.len() == 1 && unknown[0].contains("Fields"), "{unknown:?}");
}

#[test]
fn the_clock_dates_the_index_unless_told_otherwise() {
    let year = |table| {
        let line = encoded(&es_json::TYPE, table, &message());
        line[r#"{"index":{"_index":""#.len()..][..4].parse::<i32>().unwrap()
    };
    assert_eq!(year(json([("index", text("%{%Y}")), ("es_index_from_timestamp", YES)])), 2015);
    assert!(year(json([("index", text("%{%Y}"))])) >= 2024);
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let awkward = prop::sample::select(b"\"\\\n\r\x00\x1f}{%\xc3\xa9\xff,:".to_vec());
    prop::collection::vec(prop_oneof![any::<u8>(), awkward], 0..24)
}

proptest! {
    #[test]
    fn any_message_gives_two_lines_of_json(
        headers in prop::array::uniform5(bytes()),
        uuid: Option<[u8; 16]>,
        numbers: (Option<i64>, Option<i32>, Option<i32>),
        fields in prop::collection::vec((bytes(), 0u8..5, prop::collection::vec((bytes(), any::<u64>()), 0..3)), 0..6),
        template in "[a-z%{}\"\\\\]{0,6}(%\\{(Type|UUID|Pid|a|%Y|%f)\\}){0,2}",
    ) {
        let mut builder = BatchBuilder::default();
        let spans = headers.map(|header| builder.text(&header));
        let row = builder.row();
        [row.msg_type, row.logger, row.payload, row.env_version, row.hostname] = spans;
        uuid.into_iter().for_each(|uuid| row.set_uuid(uuid));
        numbers.0.into_iter().for_each(|time| row.set_timestamp(time));
        numbers.1.into_iter().for_each(|pid| row.set_pid(pid));
        numbers.2.into_iter().for_each(|severity| row.set_severity(severity));
        let raw: Vec<String> = fields.iter().filter_map(|(name, ..)| String::from_utf8(name.clone()).ok()).collect();
        for (name, kind, values) in &fields {
            let kind = ValueType::from_wire(u64::from(*kind)).unwrap();
            let values: Vec<_> = values.iter().map(|(text, word)| match kind {
                ValueType::String => FieldValue::String(text),
                ValueType::Bytes => FieldValue::Bytes(text),
                ValueType::Integer => FieldValue::Integer(*word as i64),
                ValueType::Double => FieldValue::Double(f64::from_bits(*word)),
                ValueType::Bool => FieldValue::Bool(word % 2 == 0),
            }).collect();
            add(&mut builder, name, kind, &values);
        }
        let batch = builder.finish();
        let template = text(template);
        let raw = Data::Array(raw.into_iter().map(|name| heka_settings::Value::new(text(name))).collect());
        for kind in [&es_json::TYPE, &es_logstash_v0::TYPE] {
            let table = json([
                ("index", template.clone()), ("id", template.clone()), ("type_name", template.clone()),
                ("timestamp", text("%f\"%Y\n")), ("raw_bytes_fields", raw.clone()),
            ]);
            let (text, _) = run(kind, &table, &batch);
            let lines: Vec<&str> = text.split_terminator('\n').collect();
            prop_assert_eq!(lines.len(), 2, "{}", text);
            for line in lines {
                let object: Result<serde_json::Value, _> = serde_json::from_str(line);
                prop_assert!(object.is_ok_and(|object| object.is_object()), "{}", line);
            }
        }
    }
}
