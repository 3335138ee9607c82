//! Fields as nearly every writer encodes them: a name, perhaps the type, perhaps the representation, and one value that
//! ends the field, in the order of their numbers.
//!
//! Such a field needs no loop over its tags, which is what reading a message otherwise costs most for. Whatever looks
//! any different is left to the reader that knows all of the protocol: this one refuses nothing, and accepts only what
//! that one reads to the same field.

use crate::field::span_word;
use crate::protobuf_cursor::long_varint;
use crate::protobuf_cursor::wire_type::{BYTES, FIXED64, VARINT};
use crate::{Field, Span, ValueType};

const NAME: u8 = 1 << 3 | BYTES;
const TYPE: u8 = 2 << 3 | VARINT;
const REPRESENTATION: u8 = 3 << 3 | BYTES;

const STRING: u8 = 4 << 3 | BYTES;
const RAW: u8 = 5 << 3 | BYTES;
const INTEGER: u8 = 6 << 3 | VARINT;
const INTEGERS: u8 = 6 << 3 | BYTES;
const DOUBLE: u8 = 7 << 3 | FIXED64;
const DOUBLES: u8 = 7 << 3 | BYTES;
const BOOL: u8 = 8 << 3 | VARINT;
const BOOLS: u8 = 8 << 3 | BYTES;

/// The field whose encoding, which lies at `place` in its batch, is `body`; `None` when it is not a usual one.
#[inline]
pub(crate) fn read_usual(body: &[u8], place: Span) -> Option<Field> {
    let (name, mut at) = short_text(body, 0, NAME)?;
    let (mut value_type, mut explicit_type) = (ValueType::String, false);
    if let (Some(&TYPE), Some(&number)) = (body.get(at), body.get(at + 1)) {
        value_type = ValueType::from_wire(u64::from(number))?;
        explicit_type = true;
        at += 2;
    }
    let mut representation = Span::NONE;
    if body.get(at) == Some(&REPRESENTATION) {
        let length;
        (length, at) = short_text(body, at, REPRESENTATION)?;
        representation = place.part(at - length..at);
    }
    let word = read_value(body, at, place, value_type)?;
    let name = place.part(2..2 + name);
    Some(Field { name, representation, word, count: 1, value_type, explicit_type, unpacked: false })
}

/// The length of the text of at most 127 bytes behind `tag` at `at`, and where it ends.
#[inline(always)]
fn short_text(body: &[u8], at: usize, tag: u8) -> Option<(usize, usize)> {
    let (&found, &length) = (body.get(at)?, body.get(at + 1)?);
    let end = at + 2 + usize::from(length);
    (found == tag && length < 0x80 && end <= body.len()).then_some((usize::from(length), end))
}

/// The word of the single value whose tag is at `at`, and which is the last thing in the field.
#[inline(always)]
fn read_value(body: &[u8], at: usize, place: Span, value_type: ValueType) -> Option<u64> {
    let (&tag, value) = (body.get(at)?, body.get(at + 1..)?);
    let wanted = match (value_type, tag) {
        (ValueType::String, STRING) | (ValueType::Bytes, RAW) => {
            let length = behind_length(value)?.len();
            return Some(span_word(place.part(body.len() - length..body.len())));
        }
        (ValueType::Integer, INTEGER) | (ValueType::Bool, BOOL) | (ValueType::Double, DOUBLE) => value,
        (ValueType::Integer, INTEGERS) | (ValueType::Bool, BOOLS) | (ValueType::Double, DOUBLES) => {
            behind_length(value)?
        }
        _ => return None,
    };
    match value_type {
        ValueType::Double => wanted.try_into().ok().map(u64::from_le_bytes),
        ValueType::Bool => number(wanted).map(|number| u64::from(number != 0)),
        _ => number(wanted),
    }
}

/// What follows a length, if it is as long as that says.
#[inline(always)]
fn behind_length(value: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = value.split_first()?;
    if usize::from(first) == rest.len() && first < 0x80 {
        return Some(rest);
    }
    let (length, at) = long_varint(value, 0).ok()?;
    let rest = value.get(at..)?;
    (usize::try_from(length) == Ok(rest.len())).then_some(rest)
}

/// The number that `bytes` encode, to the last of them.
#[inline(always)]
fn number(bytes: &[u8]) -> Option<u64> {
    match bytes {
        [byte] if *byte < 0x80 => Some(u64::from(*byte)),
        _ => long_varint(bytes, 0).ok().filter(|(_, end)| *end == bytes.len()).map(|(number, _)| number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchBuilder;
    use crate::protobuf_cursor::Cursor;
    use crate::protobuf_read::read_field;
    use proptest::prelude::*;

    /// What the reader of everything makes of it, if that is a field.
    fn read_slowly(body: &[u8], place: Span) -> Option<Field> {
        let mut builder = BatchBuilder::default();
        read_field(&mut builder, Cursor::new(body, place)).ok()?;
        builder.last_field().copied()
    }

    fn shown(field: Option<Field>) -> String {
        format!("{field:?}")
    }

    fn place(body: &[u8]) -> Span {
        Span::source(1000..1000 + body.len())
    }

    #[test]
    fn what_writers_write_needs_no_other_reader() {
        let long = [b"\x0a\x01a\x10\x00\x1a\x00\x22\x80\x01".as_slice(), &[b'x'; 128]].concat();
        let cases: [(&str, &[u8]); 10] = [
            ("text", b"\x0a\x01a\x10\x00\x1a\x00\x22\x02hi"),
            ("long text", &long),
            ("text as scripts write it", b"\x0a\x01a\x22\x02hi"),
            ("bytes", b"\x0a\x01a\x10\x01\x1a\x01B\x2a\x01x"),
            ("integer", b"\x0a\x01a\x10\x02\x1a\x00\x32\x02\x96\x01"),
            ("integer without a length", b"\x0a\x01a\x10\x02\x30\x96\x01"),
            ("negative integer", b"\x0a\x01a\x10\x02\x32\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            ("double", b"\x0a\x01a\x10\x03\x1a\x00\x3a\x08\x00\x00\x00\x00\x00\x00\xf8\x3f"),
            ("double without a length", b"\x0a\x01a\x10\x03\x39\x00\x00\x00\x00\x00\x00\xf8\x3f"),
            ("bool", b"\x0a\x01a\x10\x04\x1a\x00\x42\x01\x01"),
        ];
        for (what, body) in cases {
            let field = read_usual(body, place(body));
            assert!(field.is_some(), "{what}");
            assert_eq!(shown(field), shown(read_slowly(body, place(body))), "{what}");
        }
    }

    proptest! {
        /// Pieces of fields in any order, some of them broken: what this reader accepts the other one reads alike.
        #[test]
        fn it_agrees_with_the_reader_of_everything(
            order in prop::collection::vec(0usize..16, 0..6), cut in 0usize..4, change in any::<(u8, u8)>(),
            changed in any::<bool>(),
        ) {
            let pieces: [&[u8]; 16] = [
                b"\x0a\x01a", b"\x10\x00", b"\x1a\x00", b"\x22\x02hi", b"\x10\x01", b"\x2a\x01x", b"\x10\x02",
                b"\x32\x01\x05", b"\x30\x96\x01", b"\x10\x03", b"\x3a\x08\0\0\0\0\0\0\0\x40", b"\x10\x04",
                b"\x42\x02\x80\x00", b"\x40\x01", b"\x32\x02\x05\x06", b"\x1a\x02ms",
            ];
            let mut body = order.iter().map(|i| pieces[*i]).collect::<Vec<_>>().concat();
            body.truncate(body.len().saturating_sub(cut.saturating_sub(2)));
            if let (true, false) = (changed, body.is_empty()) {
                let at = usize::from(change.0) % body.len();
                body[at] = change.1;
            }
            let usual = read_usual(&body, place(&body));
            if usual.is_some() {
                prop_assert_eq!(shown(usual), shown(read_slowly(&body, place(&body))));
            }
        }
    }
}
