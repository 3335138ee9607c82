//! Reading messages from their protobuf form: one pass, texts stay where they lie.
//!
//! A reader of a protocol that strangers speak: every length is checked against what is there, nesting is
//! counted instead of recursed into, and the memory used is bounded by the length of the message. "Required"
//! is not enforced, because peers never did.

use crate::{BatchBuilder, FieldValue, Flags, Row, Span, ValueType};
use std::ops::Range;

/// Why bytes are not a message, and where it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// Offset into the message, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub cause: WireCause,
}

/// What can be wrong with the bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireCause {
    /// The bytes end inside a value.
    Truncated,
    /// A number does not end after ten bytes.
    Overflow,
    /// A tag that protobuf does not allow.
    BadTag,
    /// A field of the schema is encoded as another type.
    WrongType,
    /// Group markers do not match.
    BadGroup,
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.cause {
            WireCause::Truncated => "unexpected end",
            WireCause::Overflow => "number longer than ten bytes",
            WireCause::BadTag => "illegal tag",
            WireCause::WrongType => "wrong wire type for a known field",
            WireCause::BadGroup => "unbalanced group",
        };
        write!(f, "protobuf: {what} at byte {}", self.offset)
    }
}

impl std::error::Error for WireError {}

/// How a value is encoded: the low three bits of its tag.
pub(crate) mod wire_type {
    pub const VARINT: u8 = 0;
    pub const FIXED64: u8 = 1;
    pub const BYTES: u8 = 2;
    pub const GROUP_START: u8 = 3;
    pub const GROUP_END: u8 = 4;
    pub const FIXED32: u8 = 5;
}

/// A field number and a wire type, kept in one word as they come. As a pair they would be stored in two parts and
/// loaded as a whole, and the processor waits where it cannot forward a store to a load.
#[derive(Clone, Copy)]
struct Tag(u32);

impl Tag {
    /// The field's number, from 1 to 2²⁹ − 1, and how its value is encoded.
    #[inline]
    fn parts(self) -> (u32, u8) {
        (self.0 >> 3, (self.0 & 7) as u8)
    }
}

/// A place in the bytes of a message; all offsets count from the message's first byte. Ranges come from
/// [`Cursor::take`] alone, so they always lie within the bytes.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over a part of the same bytes.
    fn within(&self, range: Range<usize>) -> Cursor<'a> {
        Cursor { bytes: &self.bytes[..range.end], at: range.start }
    }

    fn error(&self, cause: WireCause) -> WireError {
        WireError { offset: self.at, cause }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, WireError> {
        if let Some(&byte) = self.bytes.get(self.at)
            && byte < 0x80
        {
            self.at += 1;
            return Ok(u64::from(byte));
        }
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else { return Err(self.error(WireCause::Truncated)) };
            self.at += 1;
            // Bits past the 64th are dropped, as all implementations do.
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error(WireCause::Overflow))
    }

    /// The next tag; `None` at the end.
    #[inline]
    fn tag(&mut self) -> Result<Option<Tag>, WireError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let at = self.at;
        let tag = self.varint()?;
        match u32::try_from(tag) {
            Ok(tag) if tag >> 3 != 0 => Ok(Some(Tag(tag))),
            _ => Err(WireError { offset: at, cause: WireCause::BadTag }),
        }
    }

    /// Moves past `len` bytes.
    #[inline]
    fn take(&mut self, len: u64) -> Result<Range<usize>, WireError> {
        match usize::try_from(len) {
            Ok(len) if len <= self.bytes.len() - self.at => {
                let start = self.at;
                self.at += len;
                Ok(start..self.at)
            }
            _ => Err(self.error(WireCause::Truncated)),
        }
    }

    fn expect(&self, found: u8, wanted: u8) -> Result<(), WireError> {
        if found == wanted { Ok(()) } else { Err(self.error(WireCause::WrongType)) }
    }

    #[inline]
    fn number(&mut self, found: u8) -> Result<u64, WireError> {
        self.expect(found, wire_type::VARINT)?;
        self.varint()
    }

    #[inline]
    fn range(&mut self, found: u8) -> Result<Range<usize>, WireError> {
        self.expect(found, wire_type::BYTES)?;
        let len = self.varint()?;
        self.take(len)
    }

    fn double(&mut self) -> Result<f64, WireError> {
        let range = self.take(8)?;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.bytes[range]);
        Ok(f64::from_le_bytes(bytes))
    }

    /// Moves past a value of any type, groups included.
    fn skip(&mut self, wire: u8) -> Result<(), WireError> {
        let mut depth = 0usize;
        let mut wire = wire;
        loop {
            match wire {
                wire_type::VARINT => drop(self.varint()?),
                wire_type::FIXED64 => {
                    self.take(8)?;
                }
                wire_type::BYTES => {
                    self.range(wire)?;
                }
                wire_type::FIXED32 => {
                    self.take(4)?;
                }
                wire_type::GROUP_START => depth += 1,
                wire_type::GROUP_END if depth > 0 => depth -= 1,
                wire_type::GROUP_END => return Err(self.error(WireCause::BadGroup)),
                _ => return Err(self.error(WireCause::BadTag)),
            }
            if depth == 0 {
                return Ok(());
            }
            match self.tag()? {
                Some(next) => (_, wire) = next.parts(),
                None => return Err(self.error(WireCause::BadGroup)),
            }
        }
    }
}

/// Turns offsets into a message into spans of its batch.
#[derive(Clone, Copy)]
struct Spans {
    base: usize,
    arena: bool,
}

impl Spans {
    #[inline]
    fn at(self, range: Range<usize>) -> Span {
        let range = self.base + range.start..self.base + range.end;
        if self.arena { Span::arena(range) } else { Span::source(range) }
    }
}

/// Appends the message encoded by `bytes`, which lie at `wire` in the builder's batch: its texts are spans of
/// them, and they are kept as the message's own encoding until it is changed.
///
/// # Errors
/// When the bytes are not a message; nothing is appended then.
pub fn read_message(builder: &mut BatchBuilder, bytes: &[u8], wire: Span) -> Result<(), WireError> {
    debug_assert_eq!(bytes.len(), wire.len());
    let mark = builder.mark();
    builder.row();
    let spans = Spans { base: wire.range().start, arena: wire.in_arena() };
    let read = read_header(builder, Cursor { bytes, at: 0 }, spans);
    match read {
        Ok(unknown) => builder.seal_wire(wire, unknown),
        Err(_) => builder.rollback(mark),
    }
    read.map(drop)
}

/// Fills the last row; tells whether there are fields this program does not know.
fn read_header(builder: &mut BatchBuilder, mut cursor: Cursor<'_>, spans: Spans) -> Result<bool, WireError> {
    let mut row = Row::default();
    let mut unknown = false;
    while let Some(tag) = cursor.tag()? {
        let (number, wire) = tag.parts();
        match number {
            1 => read_uuid(&mut row, &cursor.bytes[cursor.range(wire)?]),
            2 => row.set_timestamp(cursor.number(wire)? as i64),
            3 => row.msg_type = spans.at(cursor.range(wire)?),
            4 => row.logger = spans.at(cursor.range(wire)?),
            // Negative numbers come as five bytes or, sign-extended, as ten: the low 32 bits are the same.
            5 => row.set_severity(cursor.number(wire)? as i32),
            6 => row.payload = spans.at(cursor.range(wire)?),
            7 => row.env_version = spans.at(cursor.range(wire)?),
            8 => row.set_pid(cursor.number(wire)? as i32),
            9 => row.hostname = spans.at(cursor.range(wire)?),
            10 => {
                let body = cursor.range(wire)?;
                read_field(builder, cursor.within(body), spans)?;
            }
            _ => {
                cursor.skip(wire)?;
                unknown = true;
            }
        }
    }
    if let Some(last) = builder.last_row() {
        *last = Row { first_field: last.first_field, field_count: last.field_count, ..row };
    }
    Ok(unknown)
}

/// An identity of any length but sixteen reads as none.
fn read_uuid(row: &mut Row, bytes: &[u8]) {
    match bytes.try_into() {
        Ok(uuid) => row.set_uuid(uuid),
        Err(_) => row.flags.0 &= !Flags::UUID.0,
    }
}

/// Field numbers of the value lists, in the order of [`ValueType`].
const FIRST_VALUES: u32 = 4;
const LAST_VALUES: u32 = 8;

fn read_field(builder: &mut BatchBuilder, mut cursor: Cursor<'_>, spans: Spans) -> Result<(), WireError> {
    let start = cursor.at;
    let (mut name, mut representation) = (Span::NONE, Span::NONE);
    let (mut value_type, mut explicit, mut values_seen, mut late) = (ValueType::String, false, false, false);
    builder.open_field(name, representation, value_type).explicit_type = false;
    while let Some(tag) = cursor.tag()? {
        let (number, wire) = tag.parts();
        match number {
            1 => name = spans.at(cursor.range(wire)?),
            2 => {
                // A type from the future reads as the default, as protobuf has it for unknown words.
                value_type = ValueType::from_wire(cursor.number(wire)?).unwrap_or(ValueType::String);
                explicit = true;
                late |= values_seen;
                if let Some(field) = builder.last_field() {
                    field.value_type = value_type;
                }
            }
            3 => representation = spans.at(cursor.range(wire)?),
            FIRST_VALUES..=LAST_VALUES => {
                values_seen = true;
                read_values(builder, &mut cursor, (number, wire), value_type, spans)?;
            }
            _ => cursor.skip(wire)?,
        }
    }
    if let Some(field) = builder.last_field() {
        (field.name, field.representation, field.explicit_type) = (name, representation, explicit);
    }
    if late {
        // The type came behind values, which no writer does: read those again under the type that holds.
        if let Some(field) = builder.last_field() {
            field.count = 0;
        }
        cursor.at = start;
        while let Some(tag) = cursor.tag()? {
            let (number, wire) = tag.parts();
            match number {
                FIRST_VALUES..=LAST_VALUES => {
                    read_values(builder, &mut cursor, (number, wire), value_type, spans)?;
                }
                _ => cursor.skip(wire)?,
            }
        }
    }
    Ok(())
}

/// Appends the value, or the packed values, under the cursor to the last field. Values of another type than
/// the field's have no meaning and are passed over.
fn read_values(
    builder: &mut BatchBuilder,
    cursor: &mut Cursor<'_>,
    (number, wire): (u32, u8),
    value_type: ValueType,
    spans: Spans,
) -> Result<(), WireError> {
    if number != FIRST_VALUES + value_type as u32 {
        return cursor.skip(wire);
    }
    match value_type {
        ValueType::String | ValueType::Bytes => builder.add_span(spans.at(cursor.range(wire)?)),
        _ if wire == wire_type::BYTES => {
            let body = cursor.range(wire)?;
            let mut packed = cursor.within(body);
            while packed.at < packed.bytes.len() {
                read_number(builder, &mut packed, value_type)?;
            }
        }
        _ => {
            let unpacked = if value_type == ValueType::Double { wire_type::FIXED64 } else { wire_type::VARINT };
            cursor.expect(wire, unpacked)?;
            read_number(builder, cursor, value_type)?;
        }
    }
    Ok(())
}

#[inline]
fn read_number(builder: &mut BatchBuilder, cursor: &mut Cursor<'_>, value_type: ValueType) -> Result<(), WireError> {
    builder.add_value(match value_type {
        ValueType::Double => FieldValue::Double(cursor.double()?),
        ValueType::Bool => FieldValue::Bool(cursor.varint()? != 0),
        _ => FieldValue::Integer(cursor.varint()? as i64),
    });
    Ok(())
}

/// Calls `each` with the encoding, tag included, of every top-level field of a message that the schema does
/// not know. Stops at the first byte that is not protobuf.
pub(crate) fn unknown_fields(bytes: &[u8], mut each: impl FnMut(&[u8])) {
    let mut cursor = Cursor { bytes, at: 0 };
    let mut start = 0;
    while let Ok(Some(tag)) = cursor.tag() {
        let (number, wire) = tag.parts();
        if cursor.skip(wire).is_err() {
            return;
        }
        if number > 10 {
            each(&bytes[start..cursor.at]);
        }
        start = cursor.at;
    }
}

#[cfg(test)]
#[path = "protobuf_read_tests.rs"]
mod tests;
