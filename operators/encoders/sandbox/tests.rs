//! The documented behaviour of scripts that encode.

use super::*;
use crate::script::testing::{Place, checked, message};
use heka_message::write_message;
use heka_settings::Data;

fn encoder(place: &Place, name: &str) -> Box<dyn Encoder> {
    let Make::Encoder(read) = TYPE.make else { panic!("not an encoder") };
    let section = place.section().with("preserve_data", Data::Bool(true));
    checked(read, &section).build(&place.site(name)).unwrap()
}

/// What the script makes of the message, behind bytes that are none of its business.
fn encoded(script: &str) -> Result<(bool, Vec<u8>), String> {
    let place = Place::new(script);
    let mut out = b"before".to_vec();
    let batch = message();
    let result = encoder(&place, "out-enc").encode(batch.row(0), &mut out)?;
    assert!(out.starts_with(b"before"));
    Ok((result, out.split_off(6)))
}

fn protobuf() -> Vec<u8> {
    let mut out = Vec::new();
    write_message(message().row(0), &mut out);
    out
}

#[test]
fn the_last_injection_is_the_result() {
    for (script, result) in [
        ("inject_payload('txt', 'n', 'one') inject_payload('txt', 'n', 'two')", &b"two"[..]),
        ("add_to_payload('a') inject_payload('txt', 'n', 'b')", b"ab"),
        ("inject_message('not protobuf')", b"not protobuf"),
        ("inject_message{} inject_message('x')", b"x"),
        (
            "inject_message('x') inject_message{Timestamp = 1e9, Uuid = ('a'):rep(16), Type = 't', Severity = 6, Fields = {a = 'x'}}",
            b"\x0a\x10aaaaaaaaaaaaaaaa\x10\x80\x94\xeb\xdc\x03\x1a\x01t\x28\x06\x52\x06\x0a\x01a\x22\x01x",
        ),
    ] {
        let script = format!("require 'string' function process_message() {script} return 0 end");
        assert_eq!(encoded(&script), Ok((true, result.to_vec())), "{script}");
    }
}

#[test]
fn without_an_injection_the_message_itself_is_the_result() {
    assert_eq!(encoded("function process_message() return 0 end"), Ok((true, protobuf())));
    let (_, bytes) = encoded("function process_message() write_message('Payload', 'x') return 0 end").unwrap();
    assert!(bytes.windows(3).any(|part| part == b"\x32\x01x"), "{bytes:?}");
    // Others see the message as it was.
    let place = Place::new("function process_message() write_message('Payload', 'x') return 0 end");
    let batch = message();
    encoder(&place, "out-enc").encode(batch.row(0), &mut Vec::new()).unwrap();
    assert_eq!(batch.row(0).payload(), b"the payload");
    // Text that is not sent does not stay for the next message.
    let place = Place::new("function process_message() add_to_payload('x') return 0 end");
    let mut encoder = encoder(&place, "out-enc");
    let batch = message();
    for _ in 0..2 {
        let mut out = Vec::new();
        assert_eq!(encoder.encode(batch.row(0), &mut out), Ok(true));
        assert_eq!(out, protobuf());
    }
}

#[test]
fn statuses_have_their_meanings() {
    assert!(!encoded("function process_message() inject_payload('', '', 'x') return -2 end").unwrap().0);
    assert_eq!(encoded("function process_message() return -1, 'no' end"), Err("Failed serializing: no".into()));
    let place = Place::new("n = 0 function process_message() n = n + 1 return n, 'done' end");
    let mut encoder = encoder(&place, "out-enc");
    let batch = message();
    for _ in 0..2 {
        assert_eq!(encoder.encode(batch.row(0), &mut Vec::new()), Err("FATAL: done".into()));
        assert_eq!(encoder.ended(), Some("FATAL: done"));
    }
    drop(encoder);
    assert_eq!(place.data("out-enc"), None, "a script that ended saves nothing");
}

#[test]
fn every_output_has_a_data_file_of_its_own_and_finds_the_shared_one() {
    let place = Place::new("n = 0 function process_message() n = n + 1 inject_payload('', '', n) return 0 end");
    place.store("test", "_G[\"n\"] = 40\n");
    let batch = message();
    for (name, result) in [("one-test", "41"), ("two-test", "41"), ("one-test", "42")] {
        let mut out = Vec::new();
        encoder(&place, name).encode(batch.row(0), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), result, "{name}");
    }
}

#[test]
fn options_of_other_kinds_are_unknown() {
    let names: Vec<&str> = (TYPE.settings)().iter().map(|setting| setting.name).collect();
    assert!(!names.contains(&"can_exit") && !names.contains(&"timer_event_on_shutdown"), "{names:?}");
}
