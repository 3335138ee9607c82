//! Dynamic fields: named, typed, with any number of values.

use crate::{Batch, Span};

/// The type of a field's values, numbered as on the wire.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValueType {
    /// Text, not necessarily valid UTF-8.
    String = 0,
    /// Raw bytes.
    Bytes = 1,
    /// 64-bit integer.
    Integer = 2,
    /// 64-bit float.
    Double = 3,
    /// Truth value.
    Bool = 4,
}

impl ValueType {
    /// The type with this wire number.
    pub fn from_wire(number: u64) -> Option<Self> {
        Some(match number {
            0 => ValueType::String,
            1 => ValueType::Bytes,
            2 => ValueType::Integer,
            3 => ValueType::Double,
            4 => ValueType::Bool,
            _ => return None,
        })
    }

    /// The name used in text dumps.
    pub fn name(self) -> &'static str {
        ["string", "bytes", "integer", "double", "bool"][self as usize]
    }
}

/// A field of a batch: 32 bytes, `Copy`. One value lies in the field itself; several, or none, lie in the
/// batch's list of values, as raw words.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug)]
pub struct Field {
    /// The name.
    pub name: Span,
    /// Free metadata, such as a unit; unset and empty differ on the wire.
    pub representation: Span,
    /// The word of a single value, or the index of the first in the batch's list.
    pub(crate) word: u64,
    /// How many values.
    pub(crate) count: u32,
    /// The type of all values.
    pub value_type: ValueType,
    /// Whether `value_type` was written even though it is the default; kept for identical re-encoding.
    pub explicit_type: bool,
    /// Whether a single number is written without a length before it, as scripts do it and other writers do not; kept
    /// for identical re-encoding.
    pub unpacked: bool,
}

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// Text, not necessarily valid UTF-8.
    String(&'a [u8]),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// 64-bit integer.
    Integer(i64),
    /// 64-bit float.
    Double(f64),
    /// Truth value.
    Bool(bool),
}

pub(crate) fn span_word(span: Span) -> u64 {
    let range = span.range();
    let arena = u64::from(span.in_arena()) << 63;
    arena | ((range.start as u64) << 31) | range.len() as u64
}

pub(crate) fn word_span(word: u64) -> Span {
    let start = ((word >> 31) & 0xffff_ffff) as usize;
    let len = (word & 0x7fff_ffff) as usize;
    if word >> 63 == 1 { Span::arena(start..start + len) } else { Span::source(start..start + len) }
}

/// A field together with the batch its texts lie in.
#[derive(Clone, Copy)]
pub struct FieldRef<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) field: &'a Field,
}

impl<'a> FieldRef<'a> {
    /// The stored form.
    pub fn raw(self) -> &'a Field {
        self.field
    }

    /// The name.
    pub fn name(self) -> &'a [u8] {
        self.batch.text(self.field.name)
    }

    /// The representation; empty when unset.
    pub fn representation(self) -> &'a [u8] {
        self.batch.text(self.field.representation)
    }

    /// The type of the values.
    pub fn value_type(self) -> ValueType {
        self.field.value_type
    }

    /// How many values there are.
    pub fn len(self) -> usize {
        self.field.count as usize
    }

    /// Whether the field holds no value.
    pub fn is_empty(self) -> bool {
        self.field.count == 0
    }

    /// The `index`-th value.
    #[inline]
    pub fn value(self, index: usize) -> Option<FieldValue<'a>> {
        if index >= self.field.count as usize {
            return None;
        }
        let word = match self.field.count {
            1 => self.field.word,
            _ => *self.batch.values.get(self.field.word as usize + index)?,
        };
        Some(match self.field.value_type {
            ValueType::String => FieldValue::String(self.batch.text(word_span(word))),
            ValueType::Bytes => FieldValue::Bytes(self.batch.text(word_span(word))),
            ValueType::Integer => FieldValue::Integer(word as i64),
            ValueType::Double => FieldValue::Double(f64::from_bits(word)),
            ValueType::Bool => FieldValue::Bool(word != 0),
        })
    }

    /// All values, in order.
    pub fn values(self) -> impl Iterator<Item = FieldValue<'a>> {
        (0..self.len()).filter_map(move |index| self.value(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_survive_as_words() {
        for span in
            [Span::source(0..0), Span::source(5..9), Span::arena(0..70_000), Span::arena(1 << 30..(1 << 30) + 3)]
        {
            assert_eq!(word_span(span_word(span)), span);
        }
        assert_eq!(std::mem::size_of::<Field>(), 32);
    }
}
