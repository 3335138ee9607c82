//! Writing messages in their protobuf form: a message that was not changed since it was read is copied, any
//! other is encoded in tag order, as the original did it.

use crate::protobuf_cursor::wire_type;
use crate::protobuf_read::unknown_fields;
use crate::{FieldRef, FieldValue, Flags, RowRef, Span, ValueType};

/// Appends the protobuf form of a message: the bytes it was read from when it was not changed since.
#[inline]
pub fn write_message(message: RowRef<'_>, out: &mut Vec<u8>) {
    match message.wire() {
        Some(wire) => out.extend_from_slice(wire),
        None => put_message(message, out),
    }
}

/// How many bytes [`write_message`] appends.
pub fn message_len(message: RowRef<'_>) -> usize {
    match message.wire() {
        Some(wire) => wire.len(),
        None => count(|sink| put_message(message, sink)),
    }
}

/// Where encoded bytes go. The lengths that come before nested parts are found by running the same code
/// over a sink that only counts, so the two cannot disagree.
trait Sink {
    fn byte(&mut self, byte: u8);
    fn slice(&mut self, bytes: &[u8]);

    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// All tags of the schema fit one byte.
    #[inline]
    fn tag(&mut self, number: u8, wire: u8) {
        self.byte(number << 3 | wire);
    }

    #[inline]
    fn number(&mut self, number: u8, value: u64) {
        self.tag(number, wire_type::VARINT);
        self.varint(value);
    }

    #[inline]
    fn bytes(&mut self, number: u8, bytes: &[u8]) {
        self.tag(number, wire_type::BYTES);
        self.varint(bytes.len() as u64);
        self.slice(bytes);
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.push(byte);
    }

    #[inline]
    fn slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    // Each byte appended by itself asks whether there is room. What nearly all numbers and lengths are goes in one piece.

    #[inline]
    fn number(&mut self, number: u8, value: u64) {
        let tag = number << 3 | wire_type::VARINT;
        match value {
            0..0x80 => self.extend_from_slice(&[tag, value as u8]),
            // A time of these decades in nanoseconds.
            0x0100_0000_0000_0000..0x8000_0000_0000_0000 => {
                let mut bytes = [tag; 10];
                for (i, byte) in bytes[1..].iter_mut().enumerate() {
                    *byte = (value >> (7 * i)) as u8 | 0x80;
                }
                bytes[9] &= 0x7f;
                self.extend_from_slice(&bytes);
            }
            _ => {
                self.push(tag);
                self.varint(value);
            }
        }
    }

    #[inline]
    fn bytes(&mut self, number: u8, bytes: &[u8]) {
        let tag = number << 3 | wire_type::BYTES;
        match bytes.len() {
            len @ 0..0x80 => self.extend_from_slice(&[tag, len as u8]),
            len @ 0x80..0x4000 => self.extend_from_slice(&[tag, len as u8 | 0x80, (len >> 7) as u8]),
            len => {
                self.push(tag);
                self.varint(len as u64);
            }
        }
        self.extend_from_slice(bytes);
    }
}

struct Count(usize);

impl Sink for Count {
    #[inline]
    fn byte(&mut self, _: u8) {
        self.0 += 1;
    }

    #[inline]
    fn slice(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

#[inline]
fn count(put: impl FnOnce(&mut Count)) -> usize {
    let mut sink = Count(0);
    put(&mut sink);
    sink.0
}

fn put_message(message: RowRef<'_>, sink: &mut impl Sink) {
    let row = message.raw();
    let text = |number: u8, span: Span, sink: &mut _| put_text(message, number, span, sink);
    if let Some(uuid) = message.uuid() {
        sink.bytes(1, uuid);
    }
    if row.flags.has(Flags::TIMESTAMP) {
        sink.number(2, row.timestamp as u64);
    }
    text(3, row.msg_type, sink);
    text(4, row.logger, sink);
    if row.flags.has(Flags::SEVERITY) {
        sink.number(5, i64::from(row.severity) as u64);
    }
    text(6, row.payload, sink);
    text(7, row.env_version, sink);
    if row.flags.has(Flags::PID) {
        sink.number(8, i64::from(row.pid) as u64);
    }
    text(9, row.hostname, sink);
    for field in message.fields() {
        sink.tag(10, wire_type::BYTES);
        sink.varint(count(|sink| put_field(field, sink)) as u64);
        put_field(field, sink);
    }
    if row.flags.has(Flags::UNKNOWN) {
        unknown_fields(message.batch().text(row.wire), |bytes| sink.slice(bytes));
    }
}

/// A text that was set is written even when it is empty.
#[inline]
fn put_text(message: RowRef<'_>, number: u8, span: Span, sink: &mut impl Sink) {
    if span.is_some() {
        sink.bytes(number, message.batch().text(span));
    }
}

fn put_field(field: FieldRef<'_>, sink: &mut impl Sink) {
    let raw = field.raw();
    if raw.name.is_some() {
        sink.bytes(1, field.name());
    }
    if raw.explicit_type || raw.value_type != ValueType::String {
        sink.number(2, raw.value_type as u64);
    }
    if raw.representation.is_some() {
        sink.bytes(3, field.representation());
    }
    let number = 4 + raw.value_type as u8;
    match raw.value_type {
        ValueType::String | ValueType::Bytes => {
            for value in field.values() {
                if let FieldValue::String(text) | FieldValue::Bytes(text) = value {
                    sink.bytes(number, text);
                }
            }
        }
        _ if field.is_empty() => {}
        _ if raw.unpacked && field.len() == 1 => {
            let wire = if raw.value_type == ValueType::Double { wire_type::FIXED64 } else { wire_type::VARINT };
            sink.tag(number, wire);
            put_packed(field, sink);
        }
        _ => {
            sink.tag(number, wire_type::BYTES);
            sink.varint(count(|sink| put_packed(field, sink)) as u64);
            put_packed(field, sink);
        }
    }
}

fn put_packed(field: FieldRef<'_>, sink: &mut impl Sink) {
    for value in field.values() {
        match value {
            FieldValue::Integer(i) => sink.varint(i as u64),
            FieldValue::Double(d) => sink.slice(&d.to_le_bytes()),
            FieldValue::Bool(b) => sink.byte(u8::from(b)),
            FieldValue::String(_) | FieldValue::Bytes(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, BatchBuilder, read_message};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    fn written(row: RowRef<'_>) -> Vec<u8> {
        let mut out = b"kept".to_vec();
        write_message(row, &mut out);
        assert_eq!(out.len(), 4 + message_len(row));
        out.split_off(4)
    }

    fn read(bytes: &[u8]) -> Batch {
        let mut builder = BatchBuilder::new(bytes.to_vec().into());
        read_message(&mut builder, bytes, Span::source(0..bytes.len())).expect("what was written reads");
        builder.finish()
    }

    #[test]
    fn a_message_built_here_is_encoded_as_the_contract_says() {
        let mut builder = BatchBuilder::default();
        let [msg_type, payload, name, empty] = [&b"t"[..], b"hi", b"a", b""].map(|text| builder.text(text));
        let row = builder.row();
        row.set_uuid(std::array::from_fn(|i| i as u8));
        row.set_timestamp(1);
        row.set_severity(7);
        (row.msg_type, row.payload) = (msg_type, payload);
        builder.field(name, empty, FieldValue::Integer(5));
        let bytes = written(builder.finish().row(0));
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "0a10000102030405060708090a0b0c0d0e0f10011a0174280732026869520a0a016110021a00320105");
    }

    #[test]
    fn empty_is_written_and_unset_is_not() {
        let mut builder = BatchBuilder::default();
        let empty = builder.text(b"");
        let row = builder.row();
        row.logger = empty;
        row.set_pid(0);
        row.set_severity(-1);
        builder.open_field(Span::NONE, Span::NONE, ValueType::String).explicit_type = false;
        builder.open_field(empty, Span::NONE, ValueType::String);
        builder.open_field(Span::NONE, empty, ValueType::Double).explicit_type = false;
        let bytes = written(builder.finish().row(0));
        let negative = [&[0x28][..], &[0xff; 9], &[0x01]].concat();
        let fields = [&[0x52, 0][..], &[0x52, 4, 0x0a, 0, 0x10, 0], &[0x52, 4, 0x10, 3, 0x1a, 0]].concat();
        assert_eq!(bytes, [&[0x22, 0][..], &negative, &[0x40, 0], &fields].concat());
    }

    /// A field as a test writes it down.
    #[derive(Debug, Clone)]
    struct Wanted {
        name: Option<Vec<u8>>,
        representation: Option<Vec<u8>>,
        explicit: bool,
        values: Values,
    }

    #[derive(Debug, Clone)]
    enum Values {
        Strings(Vec<Vec<u8>>),
        Bytes(Vec<Vec<u8>>),
        Integers(Vec<i64>),
        Doubles(Vec<f64>),
        Bools(Vec<bool>),
    }

    fn text() -> impl Strategy<Value = Option<Vec<u8>>> {
        option::of(vec(any::<u8>(), 0..200))
    }

    fn field() -> impl Strategy<Value = Wanted> {
        let values = prop_oneof![
            vec(vec(any::<u8>(), 0..20), 0..4).prop_map(Values::Strings),
            vec(vec(any::<u8>(), 0..20), 0..4).prop_map(Values::Bytes),
            vec(any::<i64>(), 0..40).prop_map(Values::Integers),
            vec(any::<f64>(), 0..40).prop_map(Values::Doubles),
            vec(any::<bool>(), 0..40).prop_map(Values::Bools),
        ];
        (text(), text(), any::<bool>(), values).prop_map(|(name, representation, explicit, values)| Wanted {
            name,
            representation,
            explicit,
            values,
        })
    }

    type Header = (Option<[u8; 16]>, Option<i64>, Option<i32>, Option<i32>, [Option<Vec<u8>>; 5]);

    fn header() -> impl Strategy<Value = Header> {
        let texts = [text(), text(), text(), text(), text()];
        (any::<Option<[u8; 16]>>(), any::<Option<i64>>(), any::<Option<i32>>(), any::<Option<i32>>(), texts)
    }

    fn built((uuid, timestamp, severity, pid, texts): Header, fields: &[Wanted]) -> Batch {
        let mut builder = BatchBuilder::default();
        let place = |builder: &mut BatchBuilder, text: &Option<Vec<u8>>| {
            text.as_ref().map_or(Span::NONE, |text| builder.text(text))
        };
        let spans = texts.map(|text| place(&mut builder, &text));
        let row = builder.row();
        if let Some(uuid) = uuid {
            row.set_uuid(uuid);
        }
        if let Some(timestamp) = timestamp {
            row.set_timestamp(timestamp);
        }
        if let Some(severity) = severity {
            row.set_severity(severity);
        }
        if let Some(pid) = pid {
            row.set_pid(pid);
        }
        [row.msg_type, row.logger, row.payload, row.env_version, row.hostname] = spans;
        for field in fields {
            let name = place(&mut builder, &field.name);
            let representation = place(&mut builder, &field.representation);
            let (value_type, values): (_, Vec<FieldValue<'_>>) = match &field.values {
                Values::Strings(v) => (ValueType::String, v.iter().map(|v| FieldValue::String(v)).collect()),
                Values::Bytes(v) => (ValueType::Bytes, v.iter().map(|v| FieldValue::Bytes(v)).collect()),
                Values::Integers(v) => (ValueType::Integer, v.iter().map(|v| FieldValue::Integer(*v)).collect()),
                Values::Doubles(v) => (ValueType::Double, v.iter().map(|v| FieldValue::Double(*v)).collect()),
                Values::Bools(v) => (ValueType::Bool, v.iter().map(|v| FieldValue::Bool(*v)).collect()),
            };
            builder.open_field(name, representation, value_type).explicit_type = field.explicit;
            assert!(values.into_iter().all(|value| builder.add_value(value)));
        }
        builder.finish()
    }

    /// The same field with its numbers one by one, as some peers write them.
    fn unpacked(field: &Wanted, out: &mut Vec<u8>) {
        match &field.values {
            Values::Strings(all) => all.iter().for_each(|v| out.bytes(4, v)),
            Values::Bytes(all) => all.iter().for_each(|v| out.bytes(5, v)),
            Values::Integers(all) => all.iter().for_each(|v| out.number(6, *v as u64)),
            Values::Doubles(all) => all.iter().for_each(|v| {
                out.tag(7, wire_type::FIXED64);
                out.slice(&v.to_le_bytes());
            }),
            Values::Bools(all) => all.iter().for_each(|v| out.number(8, u64::from(*v))),
        }
    }

    proptest! {
        #[test]
        fn messages_survive_the_way_there_and_back(header in header(), fields in vec(field(), 0..5)) {
            let bytes = written(built(header, &fields).row(0));
            let batch = read(&bytes);
            prop_assert_eq!(&written(batch.row(0)), &bytes);
            // Encoded anew, as after a change, it is the same as well.
            let mut copy = BatchBuilder::default();
            copy.copy_row(batch.row(0));
            copy.last_row().unwrap().flags.set(Flags::TOUCHED);
            prop_assert_eq!(&written(copy.finish().row(0)), &bytes);
        }

        #[test]
        fn packed_and_unpacked_read_the_same(field in field()) {
            let packed = read(&written(built(Default::default(), std::slice::from_ref(&field)).row(0)));
            let packed = packed.row(0).fields().next().unwrap();
            let mut body = vec![0x10, packed.value_type() as u8];
            unpacked(&field, &mut body);
            let mut bytes = Vec::new();
            bytes.bytes(10, &body);
            let batch = read(&bytes);
            let loose = batch.row(0).fields().next().unwrap();
            prop_assert_eq!(loose.value_type(), packed.value_type());
            let words = |field: FieldRef<'_>| field.values().map(|v| format!("{v:?}")).collect::<Vec<_>>();
            prop_assert_eq!(words(loose), words(packed));
        }

        /// A message cut short is refused unless the cut falls between two of its fields.
        #[test]
        fn a_cut_never_panics(header in header(), fields in vec(field(), 0..3)) {
            let bytes = written(built(header, &fields).row(0));
            let mut ends = Vec::new();
            for cut in 0..bytes.len() {
                let mut builder = BatchBuilder::new(bytes.clone().into());
                if read_message(&mut builder, &bytes[..cut], Span::source(0..cut)).is_ok() {
                    ends.push(cut);
                } else {
                    prop_assert!(builder.is_empty());
                }
            }
            prop_assert!(ends.len() <= 9 + fields.len());
        }
    }
}
