//! Fields as nearly every writer encodes them: a name, perhaps the type, perhaps the representation, and one value, or
//! one list of integers, that ends the field, in the order of their numbers.
//!
//! Such a field needs no loop over its tags, which is what reading a message otherwise costs most for. Whatever looks
//! any different is left to the reader that knows all of the protocol: this one refuses nothing, and accepts only what
//! that one reads to the same field.

use crate::field::span_word;
use crate::protobuf_cursor::wire_type::{BYTES, FIXED64, VARINT};
use crate::protobuf_cursor::{Cursor, longer_varint};
use crate::{BatchBuilder, Field, Span, ValueType};
use std::ops::Range;

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

/// Reads the field that `field` is about to read, in a message whose bytes are `message`; `None` when it is not a usual
/// one.
#[inline(always)]
pub(crate) fn read_usual(builder: &mut BatchBuilder, message: &[u8], field: Cursor<'_>) -> Option<Field> {
    let (body, at, place) = field.into_parts();
    let end = body.len();
    let name = short_text(body, at, NAME)?;
    let mut at = name.end;
    let (mut value_type, mut explicit_type) = (ValueType::String, false);
    if let Some(&[TYPE, number]) = body.get(at..at + 2) {
        value_type = ValueType::from_wire(u64::from(number))?;
        explicit_type = true;
        at += 2;
    }
    let mut representation = Span::NONE;
    if body.get(at) == Some(&REPRESENTATION) {
        let range = short_text(body, at, REPRESENTATION)?;
        at = range.end;
        representation = place.part(range);
    }
    let (&tag, at) = (body.get(at)?, at + 1);
    let (word, count) = match (tag, value_type) {
        (STRING, ValueType::String) | (RAW, ValueType::Bytes) => {
            (span_word(place.part(behind_length(message, end, at)?..end)), 1)
        }
        (INTEGERS, ValueType::Integer) => read_integers(builder, message, end, behind_length(message, end, at)?)?,
        (INTEGER, ValueType::Integer) => (number(message, at, end)?, 1),
        (BOOLS, ValueType::Bool) => {
            let at = behind_length(message, end, at)?;
            (u64::from(number(message, at, end)? != 0), 1)
        }
        (BOOL, ValueType::Bool) => (u64::from(number(message, at, end)? != 0), 1),
        (DOUBLES, ValueType::Double) => (double(body, behind_length(message, end, at)?)?, 1),
        (DOUBLE, ValueType::Double) => (double(body, at)?, 1),
        _ => return None,
    };
    let name = place.part(name);
    Some(Field { name, representation, word, count, value_type, explicit_type, unpacked: false })
}

/// Where the text of at most 127 bytes lies whose tag, which is to be `tag`, is at `at`.
#[inline(always)]
fn short_text(body: &[u8], at: usize, tag: u8) -> Option<Range<usize>> {
    let &[found, length] = body.get(at..at + 2)? else { return None };
    let range = at + 2..at + 2 + usize::from(length);
    (found == tag && length < 0x80 && range.end <= body.len()).then_some(range)
}

/// The place behind the length at `at`, if from there to `end` it is so long. `message` goes on behind `end`, so that
/// numbers can be read eight bytes at once.
#[inline(always)]
fn behind_length(message: &[u8], end: usize, at: usize) -> Option<usize> {
    let (length, start) = match *message.get(at)? {
        short @ ..0x80 => (u64::from(short), at + 1),
        _ => longer_varint(message, at).ok()?,
    };
    (start <= end && length == (end - start) as u64).then_some(start)
}

/// The number at `at`, if it ends at `end`.
#[inline(always)]
fn number(message: &[u8], at: usize, end: usize) -> Option<u64> {
    let (number, stop) = match *message.get(at)? {
        small @ ..0x80 => (u64::from(small), at + 1),
        _ => longer_varint(message, at).ok()?,
    };
    (stop == end).then_some(number)
}

/// The eight bytes from `at` to the end.
#[inline(always)]
fn double(body: &[u8], at: usize) -> Option<u64> {
    body.get(at..)?.try_into().ok().map(u64::from_le_bytes)
}

/// The word and the count of the numbers, at least one, from `at` to `end`.
#[inline(always)]
fn read_integers(builder: &mut BatchBuilder, message: &[u8], end: usize, mut at: usize) -> Option<(u64, u32)> {
    // Looked at first: a list that breaks off would have to be taken out of the batch again.
    if at >= end || message.get(end - 1).is_none_or(|last| *last >= 0x80) {
        return None;
    }
    let (mut word, mut count) = (0, 0);
    while at < end {
        let value;
        (value, at) = match *message.get(at)? {
            small @ ..0x80 => (u64::from(small), at + 1),
            // One that is too long ends the message anyway.
            _ => longer_varint(message, at).ok()?,
        };
        word = if count == 0 { value } else { builder.add_to_list(word, count, value) };
        count += 1;
    }
    Some((word, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf_read::read_field;
    use proptest::prelude::*;

    /// What comes behind the field in its message.
    const BEHIND: &[u8] = b"\x52\x80\x80\x80\x80\x80\x80\x80\x80\x80";

    /// What both readers make of a field, with its values.
    fn read_both(body: &[u8]) -> (Option<String>, Option<String>) {
        let message = [body, BEHIND].concat();
        let place = Span::source(1000..1000 + message.len());
        let field = || Cursor::part_of(&message, 0..body.len(), place);
        let shown = |builder: BatchBuilder, field: Field| {
            let values = builder.batch().values.iter().skip(if field.count > 1 { field.word as usize } else { 0 });
            let values: Vec<u64> =
                values.copied().take(if field.count > 1 { field.count as usize } else { 0 }).collect();
            let word = if field.count > 1 { 0 } else { field.word };
            format!("{:?} {values:?}", Field { word, ..field })
        };
        let mut builder = BatchBuilder::default();
        let usual = read_usual(&mut builder, &message, field());
        let usual = usual.map(|field| shown(builder, field));
        let mut builder = BatchBuilder::default();
        let slow = read_field(&mut builder, field()).ok().and_then(|()| builder.last_field().copied());
        (usual, slow.map(|field| shown(builder, field)))
    }

    #[test]
    fn what_writers_write_needs_no_other_reader() {
        let long = [b"\x0a\x01a\x10\x00\x1a\x00\x22\x80\x01".as_slice(), &[b'x'; 128]].concat();
        let cases: [(&str, &[u8]); 11] = [
            ("text", b"\x0a\x01a\x10\x00\x1a\x00\x22\x02hi"),
            ("long text", &long),
            ("text as scripts write it", b"\x0a\x01a\x22\x02hi"),
            ("bytes", b"\x0a\x01a\x10\x01\x1a\x01B\x2a\x01x"),
            ("integer", b"\x0a\x01a\x10\x02\x1a\x00\x32\x02\x96\x01"),
            ("integers", b"\x0a\x01a\x10\x02\x1a\x00\x32\x04\x05\x96\x01\x07"),
            ("integer without a length", b"\x0a\x01a\x10\x02\x30\x96\x01"),
            ("negative integer", b"\x0a\x01a\x10\x02\x32\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            ("double", b"\x0a\x01a\x10\x03\x1a\x00\x3a\x08\x00\x00\x00\x00\x00\x00\xf8\x3f"),
            ("double without a length", b"\x0a\x01a\x10\x03\x39\x00\x00\x00\x00\x00\x00\xf8\x3f"),
            ("bool", b"\x0a\x01a\x10\x04\x1a\x00\x42\x01\x01"),
        ];
        for (what, body) in cases {
            let (usual, slow) = read_both(body);
            assert!(usual.is_some(), "{what}");
            assert_eq!(usual, slow, "{what}");
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
            let (usual, slow) = read_both(&body);
            if usual.is_some() {
                prop_assert_eq!(usual, slow);
            }
        }
    }
}
