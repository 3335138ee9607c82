//! Reading messages from their protobuf form: one pass, texts stay where they lie.
//!
//! A reader of a protocol that strangers speak: the memory used is bounded by the length of the message.
//! "Required" is not enforced, because peers never did.

use crate::field::span_word;
use crate::protobuf_cursor::{Cursor, WireCause, WireError, wire_type};
use crate::protobuf_usual::read_usual;
use crate::{BatchBuilder, Field, Flags, Row, Span, ValueType};

/// Appends the message encoded by `bytes`, which lie at `wire` in the builder's batch: its texts are spans of
/// them, and they are kept as the message's own encoding until it is changed.
///
/// # Errors
/// When the bytes are not a message; nothing is appended then.
pub fn read_message(builder: &mut BatchBuilder, bytes: &[u8], wire: Span) -> Result<(), WireError> {
    debug_assert_eq!(bytes.len(), wire.len());
    let mark = builder.mark();
    let mut row = Row { wire, ..Row::default() };
    let read = read_header(builder, Cursor::new(bytes, wire), &mut row);
    match read {
        Ok(()) => builder.push_with_fields(row, mark),
        Err(_) => builder.rollback(mark),
    }
    read
}

/// A tag of the schema.
const fn tag(number: u32, wire: u8) -> u32 {
    number << 3 | wire as u32
}

mod header {
    use super::{tag, wire_type::BYTES, wire_type::VARINT};

    pub const UUID: u32 = tag(1, BYTES);
    pub const TIMESTAMP: u32 = tag(2, VARINT);
    pub const TYPE: u32 = tag(3, BYTES);
    pub const LOGGER: u32 = tag(4, BYTES);
    pub const SEVERITY: u32 = tag(5, VARINT);
    pub const PAYLOAD: u32 = tag(6, BYTES);
    pub const ENV_VERSION: u32 = tag(7, BYTES);
    pub const PID: u32 = tag(8, VARINT);
    pub const HOSTNAME: u32 = tag(9, BYTES);
    pub const FIELD: u32 = tag(10, BYTES);
    pub const LAST: u32 = 10;
}

mod field {
    use super::{tag, wire_type::BYTES, wire_type::VARINT};

    pub const NAME: u32 = tag(1, BYTES);
    pub const TYPE: u32 = tag(2, VARINT);
    pub const REPRESENTATION: u32 = tag(3, BYTES);
    /// Field numbers of the value lists, in the order of [`ValueType`](crate::ValueType).
    pub const FIRST_VALUES: u32 = 4;
    pub const LAST_VALUES: u32 = 8;
}

/// Reads a message into `row`, its fields into the builder.
fn read_header(builder: &mut BatchBuilder, mut cursor: Cursor<'_>, row: &mut Row) -> Result<(), WireError> {
    while !cursor.is_done() {
        match cursor.tag()? {
            header::UUID => read_uuid(row, cursor.bytes()?),
            header::TIMESTAMP => row.set_timestamp(cursor.varint()? as i64),
            header::TYPE => row.msg_type = cursor.span()?,
            header::LOGGER => row.logger = cursor.span()?,
            // Negative numbers come as five bytes or, sign-extended, as ten: the low 32 bits are the same.
            header::SEVERITY => row.set_severity(cursor.varint()? as i32),
            header::PAYLOAD => row.payload = cursor.span()?,
            header::ENV_VERSION => row.env_version = cursor.span()?,
            header::PID => row.set_pid(cursor.varint()? as i32),
            header::HOSTNAME => row.hostname = cursor.span()?,
            header::FIELD => {
                let (message, field) = (cursor.into_parts().0, cursor.nested()?);
                match read_usual(builder, message, field) {
                    Some(field) => builder.add_field(field),
                    None => read_field(builder, field)?,
                }
            }
            known if known >> 3 <= header::LAST => return Err(cursor.error(WireCause::WrongType)),
            other => {
                cursor = cursor.skipped((other & 7) as u8)?;
                row.flags.set(Flags::UNKNOWN);
            }
        }
    }
    Ok(())
}

/// An identity of any length but sixteen reads as none.
fn read_uuid(row: &mut Row, bytes: &[u8]) {
    match bytes.try_into() {
        Ok(uuid) => row.set_uuid(uuid),
        Err(_) => row.flags.0 &= !Flags::UUID.0,
    }
}

/// Reads a field of any shape. Kept out of the loop above, whose registers it would take.
#[inline(never)]
pub(crate) fn read_field(builder: &mut BatchBuilder, mut cursor: Cursor<'_>) -> Result<(), WireError> {
    let whole = cursor;
    let (mut name, mut representation) = (Span::NONE, Span::NONE);
    let (mut value_type, mut explicit_type, mut late) = (ValueType::String, false, false);
    let mut values = Values::default();
    while !cursor.is_done() {
        match cursor.tag()? {
            field::NAME => name = cursor.span()?,
            field::TYPE => {
                // A type from the future reads as the default, as protobuf has it for unknown words.
                value_type = ValueType::from_wire(cursor.varint()?).unwrap_or(ValueType::String);
                explicit_type = true;
                late |= values.seen;
            }
            field::REPRESENTATION => representation = cursor.span()?,
            tag if (field::FIRST_VALUES..=field::LAST_VALUES).contains(&(tag >> 3)) => {
                (cursor, values) = read_values(builder, cursor, tag, value_type, values)?;
            }
            known if known >> 3 < field::FIRST_VALUES => return Err(cursor.error(WireCause::WrongType)),
            other => cursor = cursor.skipped((other & 7) as u8)?,
        }
    }
    if late {
        values = read_again(builder, whole, value_type)?;
    }
    let Values { word, count, .. } = values;
    builder.add_field(Field { name, representation, word, count, value_type, explicit_type, unpacked: false });
    Ok(())
}

/// The type came behind values, which no writer does: reads those again under the type that holds.
#[cold]
fn read_again(builder: &mut BatchBuilder, mut cursor: Cursor<'_>, value_type: ValueType) -> Result<Values, WireError> {
    let mut values = Values::default();
    while !cursor.is_done() {
        let tag = cursor.tag()?;
        match tag >> 3 {
            field::FIRST_VALUES..=field::LAST_VALUES => {
                (cursor, values) = read_values(builder, cursor, tag, value_type, values)?;
            }
            _ => cursor = cursor.skipped((tag & 7) as u8)?,
        }
    }
    Ok(values)
}

/// What has been read of a field's values, as a [`Field`] keeps them. Copied rather than changed in place: a field that
/// is put together in memory costs a wait when it is copied into its batch.
#[derive(Clone, Copy, Default)]
struct Values {
    word: u64,
    count: u32,
    /// Whether there were any, of whatever type.
    seen: bool,
}

impl Values {
    #[inline(always)]
    fn with(self, builder: &mut BatchBuilder, word: u64) -> Self {
        let word = if self.count == 0 { word } else { builder.add_to_list(self.word, self.count, word) };
        Values { word, count: self.count + 1, ..self }
    }
}

/// Takes the value, or the packed values, under the cursor, and returns the place behind them. Values of another type
/// than the field's have no meaning and are passed over.
#[inline(always)]
fn read_values<'a>(
    builder: &mut BatchBuilder,
    mut cursor: Cursor<'a>,
    tag: u32,
    value_type: ValueType,
    values: Values,
) -> Result<(Cursor<'a>, Values), WireError> {
    let (number, wire) = (tag >> 3, (tag & 7) as u8);
    let mut values = Values { seen: true, ..values };
    if number != field::FIRST_VALUES + value_type as u32 {
        return Ok((cursor.skipped(wire)?, values));
    }
    match (value_type, wire) {
        (ValueType::String | ValueType::Bytes, wire_type::BYTES) => {
            values = values.with(builder, span_word(cursor.span()?));
        }
        (ValueType::Integer | ValueType::Bool, wire_type::VARINT) | (ValueType::Double, wire_type::FIXED64) => {
            values = values.with(builder, read_number(&mut cursor, value_type)?);
        }
        (ValueType::Integer | ValueType::Bool | ValueType::Double, wire_type::BYTES) => {
            let mut packed = cursor.nested()?;
            while !packed.is_done() {
                values = values.with(builder, read_number(&mut packed, value_type)?);
            }
        }
        _ => return Err(cursor.error(WireCause::WrongType)),
    }
    Ok((cursor, values))
}

#[inline(always)]
fn read_number(cursor: &mut Cursor<'_>, value_type: ValueType) -> Result<u64, WireError> {
    Ok(match value_type {
        ValueType::Double => cursor.double()?.to_bits(),
        ValueType::Bool => u64::from(cursor.varint()? != 0),
        _ => cursor.varint()?,
    })
}

/// Calls `each` with the encoding, tag included, of every top-level field of a message that the schema does
/// not know. Stops at the first byte that is not protobuf.
pub(crate) fn unknown_fields(bytes: &[u8], mut each: impl FnMut(&[u8])) {
    let mut cursor = Cursor::new(bytes, Span::source(0..bytes.len()));
    while !cursor.is_done() {
        let start = cursor.at();
        let Ok(tag) = cursor.tag() else { return };
        let Ok(behind) = cursor.skipped((tag & 7) as u8) else { return };
        cursor = behind;
        if tag >> 3 > header::LAST {
            each(&bytes[start..cursor.at()]);
        }
    }
}

#[cfg(test)]
#[path = "protobuf_read_tests.rs"]
mod tests;
