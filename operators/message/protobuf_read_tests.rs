//! Messages from the wire, well formed and not.

use super::*;
use crate::{Batch, FieldValue, RowRef, write_message};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |d: u8| (d as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn read(bytes: &[u8]) -> Result<Batch, WireError> {
    // Something before and behind, so that an offset that is not shifted shows.
    let mut source = b"before".to_vec();
    source.extend_from_slice(bytes);
    source.extend_from_slice(b"behind");
    let mut builder = BatchBuilder::new(source.into());
    read_message(&mut builder, bytes, Span::source(6..6 + bytes.len()))?;
    Ok(builder.finish())
}

fn written(row: RowRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(row, &mut out);
    out
}

const EXAMPLE: &str = "0a10 000102030405060708090a0b0c0d0e0f 1001 1a0174 2807 32026869 520a 0a0161 1002 1a00 320105";

#[test]
fn the_example_of_the_contract_is_read() {
    let bytes = hex(EXAMPLE);
    assert_eq!(bytes.len(), 41);
    let batch = read(&bytes).unwrap();
    let row = batch.row(0);
    assert_eq!(row.uuid(), Some(&std::array::from_fn(|i| i as u8)));
    assert_eq!((row.timestamp(), row.msg_type(), row.severity(), row.payload()), (1, &b"t"[..], 7, &b"hi"[..]));
    let field = row.field(b"a", 0).unwrap();
    assert_eq!(field.values().collect::<Vec<_>>(), [FieldValue::Integer(5)]);
    assert!(field.raw().explicit_type && field.raw().representation.is_some());
    assert_eq!(written(row), bytes);
}

#[test]
fn the_smallest_messages_are_read() {
    let batch = read(&hex("0a10000102030405060708090a0b0c0d0e0f10011a0161")).unwrap();
    assert_eq!((batch.row(0).timestamp(), batch.row(0).msg_type()), (1, &b"a"[..]));
    let batch = read(b"").unwrap();
    assert_eq!((batch.row(0).uuid(), batch.row(0).severity(), batch.row(0).pid()), (None, 7, 0));
    assert!(batch.row(0).raw().msg_type.is_none());
}

#[test]
fn negative_numbers_come_in_two_lengths() {
    for bytes in ["28ffffffff0f 40feffffff0f", "28ffffffffffffffffff01 40feffffffffffffffff01"] {
        let batch = read(&hex(bytes)).unwrap();
        assert_eq!((batch.row(0).severity(), batch.row(0).pid()), (-1, -2), "{bytes}");
        assert_eq!(written(batch.row(0)), hex(bytes));
    }
}

#[test]
fn values_keep_their_order_however_they_are_spread() {
    let cases = [
        ("packed", "5209 0a0161 1002 3202 0102"),
        ("unpacked", "5209 0a0161 1002 3001 3002"),
        ("between other values", "520c 0a0161 1002 3001 220178 3002"),
        ("packed and not", "520a 0a0161 1002 320101 3002"),
        ("type behind the values", "5209 0a0161 3001 3002 1002"),
        ("type changed behind the values", "520e 0a0161 1000 220178 3001 3002 1002"),
    ];
    for (what, bytes) in cases {
        let bytes = hex(bytes);
        let batch = read(&bytes).unwrap();
        let field = batch.row(0).field(b"a", 0).expect(what);
        let values: Vec<_> = field.values().collect();
        assert_eq!(values, [FieldValue::Integer(1), FieldValue::Integer(2)], "{what}");
    }
}

#[test]
fn bytes_that_are_no_message_say_why() {
    let cases = [
        ("ffff", 2, WireCause::Truncated),
        ("10ffffffffffffffffffff01", 11, WireCause::Overflow),
        ("0a0100 07", 3, WireCause::BadTag),
        ("0001", 0, WireCause::BadTag),
        ("1a05 61", 2, WireCause::Truncated),
        ("1a ffffffffffffffffff01", 11, WireCause::Truncated),
        ("1801", 1, WireCause::WrongType),
        ("12 0101", 1, WireCause::WrongType),
        ("5205 0a0161 1a", 2, WireCause::Truncated),
        ("5205 1003 390000", 5, WireCause::Truncated),
        ("5b", 1, WireCause::BadGroup),
        ("5c", 1, WireCause::BadGroup),
    ];
    for (bytes, offset, cause) in cases {
        assert_eq!(read(&hex(bytes)).err(), Some(WireError { offset, cause }), "{bytes}");
    }
    assert_eq!(read(&[0xff, 0xff]).unwrap_err().to_string(), "protobuf: unexpected end at byte 2");
}

#[test]
fn groups_nest_without_depth_and_are_kept() {
    let mut bytes = vec![0x5b; 100_000];
    bytes.extend(std::iter::repeat_n(0x5c, 100_000));
    let batch = read(&bytes).unwrap();
    assert!(batch.row(0).raw().flags.has(Flags::UNKNOWN));
    assert_eq!(written(batch.row(0)), bytes);
}

#[test]
fn what_the_schema_does_not_know_survives() {
    // A field of the message, and one inside a dynamic field.
    let bytes = hex("1a0174 a00601 520a 0a0161 1002 320105 7801 a2060178");
    let batch = read(&bytes).unwrap();
    assert_eq!(written(batch.row(0)), bytes);
    let mut builder = BatchBuilder::reopen(batch);
    builder.append_field(0, b"b", FieldValue::Bool(true));
    let again = written(builder.finish().row(0));
    assert!(again.ends_with(&hex("a00601 a2060178")), "{again:x?}");
    let batch = read(&again).unwrap();
    assert_eq!(batch.row(0).fields().count(), 2);
    assert!(batch.row(0).raw().flags.has(Flags::UNKNOWN));
}

#[test]
fn a_refused_message_leaves_nothing_behind() {
    let mut builder = BatchBuilder::new(hex("1a0174 520a").into());
    builder.row();
    let bytes = hex("1a0174 520a");
    assert!(read_message(&mut builder, &bytes, Span::source(0..5)).is_err());
    assert_eq!(builder.finish().rows().count(), 1);
}

#[test]
fn a_message_in_the_arena_is_read_where_it_lies() {
    let mut builder = BatchBuilder::default();
    let bytes = hex(EXAMPLE);
    builder.text(b"before");
    let wire = builder.text(&bytes);
    read_message(&mut builder, &bytes, wire).unwrap();
    let batch = builder.finish();
    assert_eq!(batch.row(0).payload(), b"hi");
    assert_eq!(written(batch.row(0)), bytes);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(batch) = read(&bytes) {
            prop_assert_eq!(written(batch.row(0)), bytes);
        }
    }

    /// Random bytes rarely get past the first tag; damaged messages do.
    #[test]
    fn no_damage_makes_it_panic(at in 0usize..41, to in any::<u8>(), cut in 0usize..42) {
        let mut bytes = hex(EXAMPLE);
        bytes[at] = to;
        bytes.truncate(cut);
        if let Ok(batch) = read(&bytes) {
            let mut builder = BatchBuilder::reopen(batch);
            builder.append_field(0, b"x", FieldValue::Integer(1));
            let changed = written(builder.finish().row(0));
            prop_assert!(read(&changed).is_ok());
        }
    }
}
