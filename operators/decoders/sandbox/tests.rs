//! The documented behaviour of scripts that decode.

use super::*;
use crate::decoders::DecodeRunner;
use crate::script::testing::{Place, checked, message, number, text};
use heka_message::{Batch, write_message};
use heka_settings::{Data, Table};

fn decoder(place: &Place, site: &Site, section: &Table) -> Box<dyn Decoder> {
    let Make::Decoder(read) = TYPE.make else { panic!("not a decoder") };
    let spec = checked(read, section);
    assert!(place.directory.path().exists());
    spec.build(site, Vec::new()).unwrap()
}

/// Runs the script on one record.
fn decode_with(script: &str, change: impl FnOnce(Table) -> Table) -> Result<Batch, DecodeError> {
    let place = Place::new(script);
    let mut decoder = decoder(&place, &place.site("in-dec"), &change(place.section()));
    let records = message();
    let mut out = BatchBuilder::over(&records);
    decoder.decode(records.row(0), &mut out).map(|()| out.finish())
}

fn decode(script: &str) -> Result<Batch, DecodeError> {
    decode_with(script, |section| section)
}

fn encoded(row: RowRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(row, &mut out);
    out
}

#[test]
fn a_script_that_does_nothing_passes_messages_on_unchanged() {
    let batch = decode("function process_message() return 0 end").unwrap();
    assert_eq!(batch.len(), 1);
    assert_eq!(encoded(batch.row(0)), encoded(message().row(0)));
    assert_eq!(batch.row(0).signer(), b"ops");
}

#[test]
fn what_a_script_writes_goes_on() {
    let batch = decode(
        "function process_message() write_message('Payload', 'new') write_message('Fields[b]', 5, 'B') \
         assert(read_message('Payload') == 'new') return 0 end",
    );
    let batch = batch.unwrap();
    let row = batch.row(0);
    assert_eq!(
        (row.payload(), row.msg_type(), text(row, "b"), text(row, "a")),
        (&b"new"[..], &b"T"[..], "5".into(), "10".into())
    );
}

#[test]
fn injected_messages_take_the_place_of_the_record_and_inherit_headers() {
    let batch = decode(
        "function process_message() write_message('Hostname', 'changed') \
         inject_message{Payload = 'one', EnvVersion = '2'} inject_message{Type = 'two', Pid = 1, Timestamp = 5} return 0 end",
    );
    let batch = batch.unwrap();
    assert_eq!(batch.len(), 2);
    let (one, two) = (batch.row(0), batch.row(1));
    assert_eq!((one.msg_type(), one.logger(), one.hostname()), (&b"T"[..], &b"L"[..], &b"changed"[..]));
    assert_eq!((one.timestamp(), one.severity(), one.pid()), (1_425_943_801_123_456_789, 3, 42));
    assert_eq!((one.payload(), one.env_version(), one.fields().count()), (&b"one"[..], &b"2"[..], 0));
    assert_ne!(one.uuid(), two.uuid());
    assert_eq!((two.msg_type(), two.pid(), two.timestamp(), two.payload()), (&b"two"[..], 1, 5, &b""[..]));
    assert_eq!((one.signer(), two.signer()), (&b"ops"[..], &b"ops"[..]));
}

#[test]
fn a_record_without_headers_gives_empty_ones() {
    let place = Place::new("function process_message() inject_message{} return 0 end");
    let mut decoder = decoder(&place, &place.site("x"), &place.section());
    let mut builder = BatchBuilder::default();
    builder.row();
    let records = builder.finish();
    let mut out = BatchBuilder::over(&records);
    decoder.decode(records.row(0), &mut out).unwrap();
    let batch = out.finish();
    let row = batch.row(0);
    assert_eq!((row.timestamp(), row.severity(), row.pid()), (0, 7, 0));
    assert!(row.raw().flags.has(Flags::PID) && row.raw().msg_type.is_some());
}

#[test]
fn an_encoded_message_keeps_its_bytes_where_nothing_is_missing() {
    let script =
        "local m = require 'string' function process_message() inject_message(read_message('Payload')) return 0 end";
    let place = Place::new(script);
    let mut decoder = decoder(&place, &place.site("x"), &place.section());
    // An unknown field makes the bytes unlike what this program would write.
    let mut bytes = encoded(message().row(0));
    bytes.extend_from_slice(b"\xa0\x06\x01");
    let mut builder = BatchBuilder::new(bytes.clone().into());
    builder.row().payload = Span::source(0..bytes.len());
    let records = builder.finish();
    let mut out = BatchBuilder::over(&records);
    decoder.decode(records.row(0), &mut out).unwrap();
    assert_eq!(out.finish().row(0).wire(), Some(bytes.as_slice()));
    let error = decode("function process_message() inject_message('garbage') return 0 end").unwrap_err();
    assert!(error.message.ends_with("test.lua:1: inject_message() protobuf unmarshal failed"), "{error:?}");
}

#[test]
fn payloads_go_into_the_message_and_then_into_new_ones() {
    let batch = decode(
        "function process_message() inject_payload('txt', 'first', 'a', 1) inject_payload(nil == 1 and 'x' or '', '', 'b') return 0 end",
    );
    let batch = batch.unwrap();
    let (one, two) = (batch.row(0), batch.row(1));
    assert_eq!(
        (one.payload(), text(one, "payload_type"), text(one, "payload_name"), text(one, "a")),
        (&b"a1"[..], "txt".into(), "first".into(), "10".into())
    );
    assert_eq!(one.field(b"payload_type", 0).unwrap().representation(), b"file-extension");
    assert_eq!(
        (two.payload(), text(two, "payload_type"), text(two, "a"), two.msg_type()),
        (&b"b"[..], "txt".into(), String::new(), &b"T"[..])
    );
    assert_eq!(one.uuid(), Some(&[9; 16]));
    assert_ne!(two.uuid(), Some(&[9; 16]));
}

#[test]
fn failures_say_how_far_the_script_came() {
    let error = decode("function process_message() return -1, 'no match' end").unwrap_err();
    assert_eq!(error, DecodeError::new("Failed parsing: no match payload: the payload"));
    let error = decode("function process_message() inject_message{} return -1, 'late' end").unwrap_err();
    assert_eq!(error, DecodeError::new("Failed after a successful inject_message call: late"));
}

#[test]
fn a_script_that_ends_takes_the_daemon_with_it() {
    for (script, text) in [
        ("function process_message() return 1, 'enough' end", "FATAL: enough"),
        ("function process_message() return nil end", "FATAL: process_message() must return a numeric status code"),
    ] {
        assert_eq!(decode(script).unwrap_err(), DecodeError { message: text.into(), fatal: true });
    }
    let place = Place::new("function process_message() x() end");
    let site = place.site("in-dec");
    let ended = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = ended.clone();
    let mut runner = DecodeRunner::new(decoder(&place, &site, &place.section()), site.clone(), false, false)
        .on_fatal(Box::new(move || _ = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed)));
    assert!(runner.decode(message()).is_none() && runner.decode(message()).is_none());
    assert_eq!(ended.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(number(&site, "Dropped-decoder-ended"), 2, "what it leaves is not refused");
}

#[test]
fn times_without_a_zone_are_read_in_the_configured_one() {
    let berlin = |section: Table| {
        section.with("config", Data::Table(Table::default().with("tz", Data::String("Europe/Berlin".into()))))
    };
    let batch = decode_with("function process_message() inject_message{Timestamp = 1.4e18} inject_message{} inject_payload('', '', 'x') return 0 end", berlin).unwrap();
    let times: Vec<i64> = batch.rows().map(|row| row.timestamp()).collect();
    assert_eq!(
        times,
        [1_400_000_000_000_000_000 - 7200 * 1_000_000_000, 1_425_943_801_123_456_789, 1_425_943_801_123_456_789]
    );
}

#[test]
fn data_is_kept_under_the_runners_name() {
    let script = "count = (count or 0) function process_message() count = count + 1 return 0 end";
    let place = Place::new(script);
    let section = place.section().with("preserve_data", Data::Bool(true));
    for round in 1..=2 {
        let mut decoder = decoder(&place, &place.site("in-dec"), &section);
        let records = message();
        let mut out = BatchBuilder::over(&records);
        decoder.decode(records.row(0), &mut out).unwrap();
        drop(decoder);
        let data = place.data("in-dec").unwrap();
        assert!(data.contains(&format!("_G[\"count\"] = {round}\n")), "{data}");
    }
}

#[test]
fn a_script_that_cannot_be_loaded_is_an_error() {
    let Make::Decoder(read) = TYPE.make else { panic!("not a decoder") };
    for (script, text) in [("x = = 1", "Init() "), ("error('no')", "test.lua:1: no")] {
        let place = Place::new(script);
        let error = checked(read, &place.section()).build(&place.site("x"), Vec::new()).err().unwrap();
        assert!(error.message.starts_with("Init() ") && error.message.contains(text) && !error.retry, "{error:?}");
    }
}

#[test]
fn scripts_work_in_a_row() {
    let first = Place::new("function process_message() write_message('Fields[first]', 'seen') return 0 end");
    let second = Place::new(
        "function process_message() if read_message('Fields[first]') ~= 'seen' then return -1 end \
         inject_message{Payload = 'one'} inject_message{Payload = 'two'} return 0 end",
    );
    let site = first.site("in-multi");
    let subs = vec![
        decoder(&first, &first.site("in-multi-a"), &first.section()),
        decoder(&second, &second.site("in-multi-b"), &second.section()),
    ];
    let Make::Decoder(read) = crate::decoders::multi::TYPE.make else { panic!("not a decoder") };
    let names = ["a", "b"].map(|name| heka_settings::Value::new(Data::String(name.into())));
    let section =
        Table::default().with("subs", Data::Array(names.to_vec())).with("cascade_strategy", Data::String("all".into()));
    let mut multi = checked(read, &section).build(&site, subs).unwrap();
    let records = message();
    let mut out = BatchBuilder::over(&records);
    multi.decode(records.row(0), &mut out).unwrap();
    let batch = out.finish();
    let payloads: Vec<&[u8]> = batch.rows().map(|row| row.payload()).collect();
    assert_eq!(payloads, [b"one", b"two"]);
    assert_eq!(batch.row(1).hostname(), b"H");
}
