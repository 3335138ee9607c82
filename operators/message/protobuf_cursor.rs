//! A place in protobuf bytes that strangers have sent: every length is checked against what is there, and nesting is
//! counted instead of recursed into.
//!
//! A message of a kilobyte has some fifty tags, each of which begins where the one before has ended. So where a cursor
//! is must stay in a register: what is read for every tag is inlined, and everything else takes cursors by value.

use crate::Span;
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

/// A place in the bytes of a message; all offsets count from the message's first byte.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    /// The message up to where what is being read ends.
    bytes: &'a [u8],
    at: usize,
    /// Where the message lies in its batch.
    place: Span,
}

impl<'a> Cursor<'a> {
    /// Begins a message that lies at `place` in its batch.
    pub fn new(bytes: &'a [u8], place: Span) -> Self {
        Cursor { bytes, at: 0, place }
    }

    /// The offset of what is read next.
    #[inline(always)]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether all has been read.
    #[inline(always)]
    pub fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Something is wrong with what is read next.
    #[inline(always)]
    pub fn error(&self, cause: WireCause) -> WireError {
        WireError { offset: self.at, cause }
    }

    /// The next byte, if it is a whole number by itself.
    #[inline(always)]
    fn small(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied().filter(|byte| *byte < 0x80)?;
        self.at += 1;
        Some(byte)
    }

    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        if let Some(byte) = self.small() {
            return Ok(u64::from(byte));
        }
        let value;
        (value, self.at) = long_varint(self.bytes, self.at)?;
        Ok(value)
    }

    /// The next tag: a field's number, from 1 to 2²⁹ − 1, and in the low three bits how its value is encoded.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<u32, WireError> {
        let begin = self.at;
        if let Some(tag @ 8..) = self.small() {
            return Ok(u32::from(tag));
        }
        let tag;
        (tag, self.at) = long_varint(self.bytes, begin)?;
        match u32::try_from(tag) {
            Ok(tag) if tag >> 3 != 0 => Ok(tag),
            _ => Err(WireError { offset: begin, cause: WireCause::BadTag }),
        }
    }

    /// Moves past `len` bytes.
    #[inline(always)]
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

    #[inline(always)]
    fn range(&mut self) -> Result<Range<usize>, WireError> {
        match self.small() {
            Some(len) if usize::from(len) <= self.bytes.len() - self.at => {
                let start = self.at;
                self.at += usize::from(len);
                Ok(start..self.at)
            }
            Some(_) => Err(self.error(WireCause::Truncated)),
            None => {
                let len;
                (len, self.at) = long_varint(self.bytes, self.at)?;
                self.take(len)
            }
        }
    }

    /// A value of bytes.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let range = self.range()?;
        Ok(&self.bytes[range])
    }

    /// Where a value of bytes lies in the batch.
    #[inline(always)]
    pub fn span(&mut self) -> Result<Span, WireError> {
        let range = self.range()?;
        Ok(self.place.part(range))
    }

    /// A value of bytes, to be read by itself.
    #[inline(always)]
    pub fn nested(&mut self) -> Result<Cursor<'a>, WireError> {
        let range = self.range()?;
        Ok(Cursor { bytes: &self.bytes[..range.end], at: range.start, place: self.place })
    }

    #[inline(always)]
    pub fn double(&mut self) -> Result<f64, WireError> {
        let range = self.take(8)?;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.bytes[range]);
        Ok(f64::from_le_bytes(bytes))
    }

    /// The place behind a value of any type, groups included.
    #[inline(never)]
    pub fn skipped(mut self, wire: u8) -> Result<Self, WireError> {
        let mut depth = 0usize;
        let mut wire = wire;
        loop {
            match wire {
                wire_type::VARINT => {
                    self.varint()?;
                }
                wire_type::FIXED64 => {
                    self.take(8)?;
                }
                wire_type::BYTES => {
                    self.range()?;
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
                return Ok(self);
            }
            if self.is_done() {
                return Err(self.error(WireCause::BadGroup));
            }
            wire = (self.tag()? & 7) as u8;
        }
    }
}

/// A number of several bytes at `at`, and what comes behind it.
#[inline(never)]
fn long_varint(bytes: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    let mut value = 0u64;
    for (i, shift) in (0..70).step_by(7).enumerate() {
        let Some(&byte) = bytes.get(at + i) else {
            return Err(WireError { offset: at + i, cause: WireCause::Truncated });
        };
        // Bits past the 64th are dropped, as all implementations do.
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((value, at + i + 1));
        }
    }
    Err(WireError { offset: at + 10, cause: WireCause::Overflow })
}
